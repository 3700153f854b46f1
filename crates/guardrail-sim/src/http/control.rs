//! What tests ask of the simulator itself.

use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::parameters::Parameters;
use super::service::{Answer, Service};
use crate::ec2::beside::Beside;
use crate::ec2::request::Request;
use crate::faults::{Fault, LOST};
use crate::sim::Recorded;

pub(crate) fn answer(
    service: &Service,
    method: &Method,
    path: &str,
    query: &str,
    body: &Bytes,
) -> Answer {
    let form = [query.as_bytes(), body].join(&b'&');
    let done = match (method, path) {
        (&Method::GET, "world") => world(service, Parameters::parse(&form)),
        (&Method::GET, "calls") => Ok(service.state().sim.calls().iter().map(recorded).collect()),
        (&Method::GET, "buckets") => Ok(json!(service.bucket_uses())),
        (&Method::GET, "status") => Ok(status(service)),
        (&Method::POST, "advance") => advance(service, Parameters::parse(&form)),
        (&Method::POST, "fault") => fault(service, Parameters::parse(&form)),
        (&Method::POST, "reset") => reset(service, body),
        _ => Err((StatusCode::NOT_FOUND, format!("there is no {method} /_sim/{path}"))),
    };
    done_answer(done)
}

pub(crate) fn done_answer(done: Done) -> Answer {
    match done {
        Ok(value) => json_answer(StatusCode::OK, &value),
        Err((status, message)) => json_answer(status, &json!({ "error": message })),
    }
}

pub(crate) type Done = Result<Value, (StatusCode, String)>;

pub(crate) fn bad(message: impl ToString) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, message.to_string())
}

fn recorded(call: &Recorded) -> Value {
    let outcome = match &call.outcome {
        Ok(()) => "ok",
        Err(error) if error.is_lost() => LOST,
        Err(error) => &error.code,
    };
    json!({
        "at": call.at,
        "operation": call.request.operation(),
        "write": call.is_write(),
        "dry_run": matches!(call.request, Request::DryRun(_)),
        "outcome": outcome,
    })
}

fn status(service: &Service) -> Value {
    let (in_flight, most_in_flight) = service.load();
    let (undelivered, last_failure) = service.undelivered();
    json!({
        "now": service.state().sim.now(),
        "in_flight": in_flight,
        "most_in_flight": most_in_flight,
        "events": service.fates(),
        "undelivered_events": undelivered,
        "last_delivery_failure": last_failure,
    })
}

/// `seconds` to advance by.
pub(crate) fn seconds(mut parameters: Parameters) -> Result<Duration, (StatusCode, String)> {
    let seconds = parameters.number("seconds").map_err(bad)?;
    Ok(Duration::from_secs(seconds.ok_or_else(|| bad("`seconds` is missing"))?))
}

fn world(service: &Service, mut parameters: Parameters) -> Done {
    let asked = (parameters.text("account"), parameters.text("region"));
    let kept = service.kept();
    let found = kept.iter().find(|kept| match (&kept.elsewhere, &asked) {
        (None, (None, None)) => true,
        (Some((account, region)), (asked_account, asked_region)) => {
            asked_account.as_ref().is_none_or(|asked| asked == account)
                && asked_region.as_ref().is_none_or(|asked| asked == region)
        }
        (None, _) => false,
    });
    let none = || (StatusCode::NOT_FOUND, "nobody has been there".to_owned());
    found.map(|kept| kept.file.clone()).ok_or_else(none)
}

fn advance(service: &Service, parameters: Parameters) -> Done {
    let time = seconds(parameters)?;
    let mut state = service.state();
    state.advance(time);
    Ok(json!({ "now": state.sim.now() }))
}

/// The fault that the parameters ask for.
pub(crate) fn asked_fault(mut parameters: Parameters) -> Result<Fault, (StatusCode, String)> {
    let operation = parameters.required("operation").map_err(bad)?;
    let code = parameters.required("code").map_err(bad)?;
    let times = parameters.number("times").map_err(bad)?.unwrap_or(1);
    Ok(Fault::named(&operation, &code, times))
}

fn fault(service: &Service, parameters: Parameters) -> Done {
    let fault = asked_fault(parameters)?;
    service.state().sim.inject(fault);
    Ok(json!({}))
}

fn reset(service: &Service, body: &Bytes) -> Done {
    let text = std::str::from_utf8(body).map_err(bad)?;
    let world = guardrail::ec2::world_file::load(text).map_err(bad)?;
    let beside = serde_json::from_str(text).map_err(bad)?;
    let beside = Beside::of_saved(&beside).map_err(bad)?;
    service.state().reset(world, beside);
    Ok(json!({}))
}

pub(crate) fn json_answer(status: StatusCode, value: &Value) -> Answer {
    let mut answer = Response::new(Full::from(value.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
