//! Reading one CloudTrail record: under 20 µs, because a function is paid for by the millisecond
//! and a log file holds thousands.

use divan::{Bencher, black_box};
use guardrail::event::{decode, parse};

fn main() {
    divan::main();
}

/// A short record, and the longest of ours.
const EVENTS: [(&str, &str); 2] = [
    ("CreateRoute", include_str!("../../../events/CreateRoute.json")),
    (
        "CreateVpcEndpoint.interface",
        include_str!("../../../events/CreateVpcEndpoint.interface.json"),
    ),
];

fn text(name: &str) -> &'static str {
    EVENTS.iter().find(|(event, _)| *event == name).map_or("", |(_, text)| text)
}

/// From the text, as the command reads a file.
#[divan::bench(args = EVENTS.map(|(name, _)| name))]
fn from_text(bencher: Bencher, name: &str) {
    let text = text(name);
    bencher.bench_local(|| parse(black_box(text)));
}

/// From JSON already read, as the function gets it.
#[divan::bench(args = EVENTS.map(|(name, _)| name))]
fn from_json(bencher: Bencher, name: &str) {
    let value: serde_json::Value = serde_json::from_str(text(name)).unwrap_or_default();
    bencher.bench_local(|| decode(black_box(&value)));
}

/// From JSON to the VPCs to look at.
#[divan::bench(args = EVENTS.map(|(name, _)| name))]
fn to_trigger(bencher: Bencher, name: &str) {
    let value: serde_json::Value = serde_json::from_str(text(name)).unwrap_or_default();
    bencher.bench_local(|| {
        decode(black_box(&value)).ok().and_then(|evidence| evidence.into_trigger())
    });
}
