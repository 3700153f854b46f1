//! A cloud that says on standard error what is going on, because endpoints take minutes to come up.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use guardrail::cloud::{Answer, CallError, Cloud, NatTraffic, Observation};
use guardrail::ec2::change::Call;
use guardrail::ec2::id::{NatGatewayId, Scope};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{EndpointState, World};
use guardrail::probe::{self, ProbeName, Question};
use guardrail::shown::word;
use jiff::Timestamp;

/// A cloud, each of whose changes and pauses is told.
pub(crate) struct Progress<'a, C> {
    cloud: &'a C,
    endpoints: RefCell<Vec<String>>,
    waited: Cell<Duration>,
}

impl<'a, C> Progress<'a, C> {
    pub(crate) fn new(cloud: &'a C) -> Self {
        Self { cloud, endpoints: RefCell::default(), waited: Cell::default() }
    }
}

impl<C: Cloud> Cloud for Progress<'_, C> {
    fn now(&self) -> Timestamp {
        self.cloud.now()
    }

    fn uptime(&self) -> Duration {
        self.cloud.uptime()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        if sections.len() == Section::ALL.len() {
            eprintln!("{}: reading", scope.vpc);
        }
        let seen = self.cloud.observe(scope, sections).await;
        if let Some(endpoints) = on_their_way(&seen.world) {
            self.endpoints.replace(endpoints);
        }
        seen
    }

    async fn apply(&self, scope: &Scope, call: &Call) -> Answer {
        eprintln!("{}: {call}", scope.vpc);
        self.waited.take();
        let answer = self.cloud.apply(scope, call).await;
        if let Err(error) = &answer.outcome {
            eprintln!("{}: {}", scope.vpc, error.shown());
        }
        answer
    }

    async fn carried(&self, scope: &Scope, nats: &[NatGatewayId]) -> Vec<NatTraffic> {
        self.cloud.carried(scope, nats).await
    }

    async fn ask_probe(
        &self,
        scope: &Scope,
        probe: &ProbeName,
        question: &Question,
    ) -> Result<probe::Answer, CallError> {
        eprintln!("{}: asking {probe}", scope.vpc);
        self.cloud.ask_probe(scope, probe, question).await
    }

    async fn pause(&self, time: Duration) {
        let waited = self.waited.get();
        eprintln!("{}", waiting(&self.endpoints.borrow(), waited));
        self.waited.set(waited.saturating_add(time));
        self.cloud.pause(time).await;
    }
}

/// The endpoints that are on their way, each with where to; `None` when the endpoints were not
/// read.
fn on_their_way(world: &World) -> Option<Vec<String>> {
    let moving =
        |state: &EndpointState| matches!(state, EndpointState::Pending | EndpointState::Deleting);
    let endpoints = world.vpc_endpoints.as_ref()?.iter().filter(|endpoint| moving(&endpoint.state));
    let named = endpoints.map(|endpoint| {
        let service = endpoint.service_name.as_ref().map_or("", |service| service.as_str());
        let service = service.rsplit('.').next().unwrap_or(service);
        format!("{} ({service}, {})", endpoint.vpc_endpoint_id, word(endpoint.state.as_str()))
    });
    Some(named.collect())
}

fn waiting(endpoints: &[String], waited: Duration) -> String {
    let what =
        if endpoints.is_empty() { "the changes to show".to_owned() } else { endpoints.join(", ") };
    match waited.as_secs() {
        0 => format!("waiting for {what}"),
        seconds => format!("waiting for {what}: {seconds} s so far"),
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
        let said = |states: &[&str], seconds| {
            waiting(&on_their_way(&world(states)).unwrap(), Duration::from_secs(seconds))
        };
        assert_eq!(said(&["pending", "available"], 0), "waiting for vpce-0 (ssm, pending)");
        assert_eq!(
            said(&["Pending", "deleting"], 10),
            "waiting for vpce-0 (ssm, pending), vpce-1 (ssm, deleting): 10 s so far"
        );
        assert_eq!(said(&["available"], 2), "waiting for the changes to show: 2 s so far");
    }

    #[test]
    fn endpoints_that_were_not_read_stay_as_they_were() {
        assert_eq!(on_their_way(&World::default()), None);
    }
}
