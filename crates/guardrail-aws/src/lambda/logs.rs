//! A function's log: one JSON object a line, with the fields of the spans it stands in beside its
//! own.
//!
//! Lambda takes a line's level only from one with an RFC 3339 `timestamp` beside it, and people
//! filter on `requestId`, `vpc` and `run_id`; the format that comes with the subscriber nests all
//! of them.

use std::fmt;

use serde_json::{Map, Value};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::{JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields, layer};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::sdk::clock;

/// Starts logging to standard output, from the level that `AWS_LAMBDA_LOG_LEVEL` names; without
/// one, INFO. Of libraries no more than warnings are logged, unless the level is DEBUG or TRACE.
/// Panics are logged too.
pub(crate) fn start(level: Option<&str>) {
    let level = level_of(level);
    let kept = move |metadata: &Metadata<'_>| is_kept(level, metadata);
    let filter = filter_fn(kept).with_max_level_hint(level.max(LevelFilter::INFO));
    let lines = layer().fmt_fields(JsonFields::new()).event_format(Flat).with_filter(filter);
    // It fails only where a log was started before: then that one is used.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines));
    std::panic::set_hook(Box::new(|panic| tracing::error!("panic: {panic}")));
}

/// Lambda's names of levels; FATAL is the one that we lack.
fn level_of(name: Option<&str>) -> LevelFilter {
    match name.unwrap_or_default().to_ascii_uppercase().as_str() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "WARN" => LevelFilter::WARN,
        "ERROR" | "FATAL" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

/// Spans are kept whatever the level is: they give an error its request.
fn is_kept(level: LevelFilter, metadata: &Metadata<'_>) -> bool {
    let ours = ["guardrail", "detect", "sweep", "repair"]
        .iter()
        .any(|name| metadata.target().starts_with(name));
    let from = match () {
        () if metadata.is_span() => level.max(LevelFilter::INFO),
        () if ours || level > LevelFilter::INFO => level,
        () => level.min(LevelFilter::WARN),
    };
    *metadata.level() <= from
}

struct Flat;

impl<S> FormatEvent<S, JsonFields> for Flat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut to: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
                line.extend(object(&fields.fields));
            }
        }
        line.extend(object(&formatted(event)?));
        line.insert("timestamp".to_owned(), clock::now().to_string().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        writeln!(to, "{}", Value::Object(line))
    }
}

fn formatted(fields: impl RecordFields) -> Result<String, fmt::Error> {
    let mut text = String::new();
    JsonFields::new().format_fields(Writer::new(&mut text), fields)?;
    Ok(text)
}

fn object(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap_or_default()
}
