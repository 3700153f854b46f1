//! A plan: ordered, fully specified steps, and everything that is left alone with the reason.

pub mod advice;
mod circumstances;
pub mod costs;
mod outlook;
pub mod planner;
pub mod reliance;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use circumstances::Circumstances;

use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, Health, health, zones_of};
use crate::baseline::Mode;
use crate::baseline::RuleId;
pub use crate::ec2::change::{GroupRef, StepId};

use crate::ec2::change::Action;
use crate::ec2::id::{EndpointId, RouteTableId, ServiceName, Zone};
use crate::ec2::world::EndpointState;
use crate::history::Premise;
use crate::probe::ProbeName;
use crate::rules::exemptions::{Exempted, InVain};
use crate::rules::left_alone::LeftAlone;
use crate::shown::word;

/// What is to be done in one VPC, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps, each after those it depends on.
    pub steps: Vec<Step>,
    /// What is left alone, and why.
    pub left_alone: Vec<LeftAlone>,
    /// What is exempted, so that no step is about it.
    pub exempted: Vec<Exempted>,
    /// The exemptions that exempt nothing.
    pub in_vain: Vec<InVain>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// The rules whose findings it answers.
    pub rules: Vec<RuleId>,
    /// What may be done about these: only `repair` takes the step.
    pub mode: Mode,
    /// What it does.
    pub task: Task,
    /// The steps that must have succeeded first.
    pub after: Vec<StepId>,
    /// What holds the step back although its mode allows it; `None` when nothing does.
    pub held: Option<Hold>,
}

/// What holds a step back although its mode allows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Hold {
    /// The run would make more changes than the baseline's `limits` allow in one run; the next run
    /// goes on.
    RunLimit,
    /// The run takes a route away, or waits to: an endpoint's policy is set in a later run, so that
    /// what either breaks can be told apart.
    RoutesFirst,
    /// Something that the step rests on was changed a short while ago: it acts everywhere only later.
    Settling {
        /// What was changed.
        premise: Premise,
        /// When it counts (UTC).
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        until: Timestamp,
    },
    /// A tool may be about to make itself what the step would make.
    Grace {
        /// Until when it is left to the tool (UTC).
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        until: Timestamp,
    },
    /// Every call of this kind that AWS grants the account at present is taken.
    Pace {
        /// When there is one again, if nobody else takes it (UTC).
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        until: Timestamp,
    },
    /// A probe in a subnet of the route's table has not seen every required service answer.
    NotProven {
        /// The probe.
        probe: ProbeName,
        /// What it saw instead, or why it was not asked, for people.
        why: String,
    },
    /// Nothing is remembered of something that the step rests on, so that nobody knows since when it
    /// has been as it is.
    NotRemembered {
        /// What is not remembered.
        premise: Premise,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunLimit => f.write_str("the limit of changes is reached"),
            Self::RoutesFirst => {
                f.write_str("routes go first; an endpoint's policy is set in a run of its own")
            }
            Self::Settling { premise, until } => {
                write!(f, "{premise} must have been so until {until}, when clients have noticed")
            }
            Self::Grace { until } => write!(
                f,
                "whoever deleted it, or made the subnets, may make it; it is made after {until}"
            ),
            Self::Pace { until } => write!(
                f,
                "AWS takes few such calls from one account, and all are used until {until}"
            ),
            Self::NotProven { probe, why } => {
                write!(f, "{probe} must see services answer first: {why}")
            }
            Self::NotRemembered { premise } => {
                write!(f, "since when {premise} has been so could not be looked up")
            }
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Changes something.
    Change(Action<GroupRef>),
    /// Waits for what an earlier step has started.
    Await(Condition),
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The service's endpoint works, and what was changed on it shows.
    Ready {
        /// The service.
        service: ServiceName,
        /// The tables that lead to it.
        tables: Vec<RouteTableId>,
        /// The zones it is in.
        zones: Vec<Zone>,
        /// Whether private DNS is on.
        private_dns: bool,
    },
    /// The endpoint is deleted for good: until then its private DNS name is taken.
    Gone {
        /// The endpoint.
        endpoint: EndpointId,
    },
}

/// Whether what a step waits for has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wait {
    /// It has.
    Over,
    /// Not yet.
    NotYet,
    /// It never will by itself.
    Never(String),
}

impl Condition {
    /// Whether it has come about. What was not observed has not.
    pub fn check(&self, view: &View<'_>) -> Wait {
        if !view.snapshot.missing.is_empty() {
            return Wait::NotYet;
        }
        match self {
            Self::Gone { endpoint } => match view.snapshot.endpoint(endpoint).map(|e| &e.state) {
                None | Some(EndpointState::Deleted) => Wait::Over,
                Some(_) => Wait::NotYet,
            },
            Self::Ready { service, tables, zones, private_dns } => {
                ready(view, service, tables, zones, *private_dns).unwrap_or(Wait::NotYet)
            }
        }
    }
}

fn ready(
    view: &View<'_>,
    service: &ServiceName,
    tables: &[RouteTableId],
    zones: &[Zone],
    private_dns: bool,
) -> Option<Wait> {
    let kind = if tables.is_empty() { EndpointKind::Interface } else { EndpointKind::Gateway };
    let required = view
        .required_services
        .iter()
        .find(|required| required.name == *service && required.kind == kind)?;
    let endpoint = required.adopted(view.snapshot)?;
    let shows = || {
        let covered = zones_of(endpoint, view.snapshot);
        let table = |id| {
            view.snapshot
                .route_table(id)
                .is_some_and(|table| required.route_to(table, view.snapshot) == Some(endpoint))
        };
        zones.iter().all(|zone| covered.contains(&zone))
            && tables.iter().all(table)
            && (!private_dns || endpoint.holds_name_in_vpc())
    };
    let id = &endpoint.vpc_endpoint_id;
    Some(match health(endpoint) {
        Health::Coming if endpoint.state == EndpointState::PendingAcceptance => {
            Wait::Never(format!("{id} waits for the owner of {service} to accept it"))
        }
        Health::Works if shows() => Wait::Over,
        Health::Works | Health::Coming | Health::Gone => Wait::NotYet,
        Health::Broken => {
            Wait::Never(format!("{id} is in state {}", word(endpoint.state.as_str())))
        }
    })
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { service, .. } => {
                write!(f, "wait until the endpoint for {service} is available")
            }
            Self::Gone { endpoint } => write!(f, "wait until {endpoint} is deleted"),
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Change(action) => action.fmt(f),
            Self::Await(condition) => condition.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::{Fixture, interface_endpoint, ready};

    /// What a condition comes to after an edit.
    fn wait(condition: &Condition, edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Wait {
        Fixture::edited(edit).view(|view, _| condition.check(view))
    }

    #[test]
    fn an_interface_endpoint_is_ready_once_it_works_and_all_that_was_asked_for_shows() {
        let ssm = ready("ssm", &[], &["a", "b"], true);
        assert_eq!(wait(&ssm, |w| w), Wait::Over);
        assert_eq!(
            wait(&ssm, |w| w.set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]))),
            Wait::NotYet
        );
        assert_eq!(
            wait(&ssm, |w| w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))),
            Wait::NotYet
        );
        assert_eq!(wait(&ssm, |w| w.set("vpce-ssm", "State", json!("pending"))), Wait::NotYet);
        assert_eq!(wait(&ssm, |w| w.remove("vpce-ssm")), Wait::NotYet);
        assert_eq!(wait(&ssm, |w| w.without("SecurityGroups")), Wait::NotYet);
        let without_dns = ready("ssm", &[], &["a", "b"], false);
        assert_eq!(
            wait(&without_dns, |w| w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))),
            Wait::Over
        );
    }

    #[test]
    fn what_needs_a_person_is_not_waited_for() {
        let state = |state: &str| {
            wait(&ready("ssm", &[], &["a", "b"], true), |w| {
                w.set("vpce-ssm", "State", json!(state))
            })
        };
        let acceptance =
            "vpce-ssm waits for the owner of com.amazonaws.eu-central-1.ssm to accept it";
        assert_eq!(state("pendingAcceptance"), Wait::Never(acceptance.to_owned()));
        assert_eq!(state("failed"), Wait::Never("vpce-ssm is in state failed".to_owned()));
    }

    #[test]
    fn a_gateway_endpoint_is_ready_once_every_table_leads_to_it() {
        let s3 = ready("s3", &["rtb-a", "rtb-b"], &[], false);
        assert_eq!(wait(&s3, |w| w), Wait::Over);
        assert_eq!(wait(&s3, |w| w.drop_route("rtb-b", "pl-s3")), Wait::NotYet);
        assert_eq!(wait(&ready("s3", &["rtb-a", "rtb-gone"], &[], false), |w| w), Wait::NotYet);
    }

    #[test]
    fn each_type_of_endpoint_for_one_service_is_waited_for_by_itself() {
        let both = |w: &mut Fixture| {
            w.baseline("interface_endpoints", json!({"services": ["s3"]}));
            w.add("VpcEndpoints", interface_endpoint("vpce-s3i", "s3")).set(
                "vpce-s3",
                "State",
                json!("pending"),
            );
        };
        let wait = |condition| {
            wait(&condition, |w| {
                both(w);
                w
            })
        };
        assert_eq!(wait(ready("s3", &[], &["a", "b"], true)), Wait::Over);
        assert_eq!(wait(ready("s3", &["rtb-a"], &[], false)), Wait::NotYet);
    }

    #[test]
    fn an_endpoint_is_gone_once_it_is_deleted_or_listed_no_more() {
        let gone = Condition::Gone { endpoint: "vpce-ssm".parse().unwrap() };
        assert_eq!(wait(&gone, |w| w), Wait::NotYet);
        assert_eq!(wait(&gone, |w| w.set("vpce-ssm", "State", json!("deleting"))), Wait::NotYet);
        assert_eq!(wait(&gone, |w| w.set("vpce-ssm", "State", json!("deleted"))), Wait::Over);
        assert_eq!(wait(&gone, |w| w.remove("vpce-ssm")), Wait::Over);
        assert_eq!(wait(&gone, |w| w.without("VpcEndpoints")), Wait::NotYet);
    }
}
