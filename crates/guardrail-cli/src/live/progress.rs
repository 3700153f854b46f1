//! A cloud that says on standard error what is going on, because endpoints take minutes to come up.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use guardrail::action::Call;
use guardrail::cloud::{Applied, CallError, Cloud, Observation};
use guardrail::id::Scope;
use guardrail::snapshot::Section;
use guardrail::world::{EndpointState, World};
use jiff::Timestamp;

/// A cloud, each of whose changes and pauses is told.
pub(crate) struct Progress<'a, C> {
    cloud: &'a C,
    pending: RefCell<Vec<String>>,
    waited: Cell<Duration>,
}

impl<'a, C> Progress<'a, C> {
    pub(crate) fn new(cloud: &'a C) -> Self {
        Self { cloud, pending: RefCell::default(), waited: Cell::default() }
    }
}

impl<C: Cloud> Cloud for Progress<'_, C> {
    fn now(&self) -> Timestamp {
        self.cloud.now()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        if sections.len() == Section::ALL.len() {
            eprintln!("{}: reading", scope.vpc);
        }
        let seen = self.cloud.observe(scope, sections).await;
        if let Some(pending) = pending(&seen.world) {
            self.pending.replace(pending);
        }
        seen
    }

    async fn apply(&self, scope: &Scope, call: &Call) -> Result<Applied, CallError> {
        eprintln!("{}: {call}", scope.vpc);
        self.waited.take();
        let applied = self.cloud.apply(scope, call).await;
        if let Err(error) = &applied {
            eprintln!("{}: {error}", scope.vpc);
        }
        applied
    }

    async fn pause(&self, time: Duration) {
        let waited = self.waited.get();
        eprintln!("{}", waiting(&self.pending.borrow(), waited));
        self.waited.set(waited.saturating_add(time));
        self.cloud.pause(time).await;
    }
}

/// The endpoints that are coming up; `None` when the endpoints were not read.
fn pending(world: &World) -> Option<Vec<String>> {
    let coming_up = |state: &EndpointState| *state == EndpointState::Pending;
    let endpoints = world.vpc_endpoints.as_ref()?.iter().filter(|endpoint| coming_up(&endpoint.state));
    let name = |service: &str| service.rsplit('.').next().unwrap_or(service).to_owned();
    let named = endpoints.map(|endpoint| match &endpoint.service_name {
        Some(service) => format!("{} ({})", endpoint.vpc_endpoint_id, name(service.as_str())),
        None => endpoint.vpc_endpoint_id.to_string(),
    });
    Some(named.collect())
}

fn waiting(pending: &[String], waited: Duration) -> String {
    let what = match pending {
        [] => "the changes to show".to_owned(),
        [one] => format!("{one} to become available"),
        [_, ..] => format!("{} endpoints to become available: {}", pending.len(), pending.join(", ")),
    };
    match waited.as_secs() {
        0 => format!("waiting for {what}"),
        seconds => format!("waiting for {what}, {seconds} s so far"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(states: &[&str]) -> World {
        let endpoint = |(number, state): (usize, &&str)| {
            serde_json::json!({
                "VpcEndpointId": format!("vpce-{number}"), "VpcId": "vpc-1", "State": state,
                "ServiceName": "com.amazonaws.eu-central-1.ssm",
            })
        };
        let endpoints: Vec<_> = states.iter().enumerate().map(endpoint).collect();
        serde_json::from_value(serde_json::json!({ "VpcEndpoints": endpoints })).unwrap()
    }

    #[test]
    fn what_is_waited_for_is_named_with_the_time_it_has_taken() {
        let said = |states: &[&str], seconds| waiting(&pending(&world(states)).unwrap(), Duration::from_secs(seconds));
        assert_eq!(said(&["pending", "available"], 0), "waiting for vpce-0 (ssm) to become available");
        assert_eq!(
            said(&["Pending", "pending"], 10),
            "waiting for 2 endpoints to become available: vpce-0 (ssm), vpce-1 (ssm), 10 s so far"
        );
        assert_eq!(said(&["available"], 2), "waiting for the changes to show, 2 s so far");
    }

    #[test]
    fn endpoints_that_were_not_read_stay_as_they_were() {
        assert_eq!(pending(&World::default()), None);
    }
}
