//! A plan: ordered, fully specified steps, and everything that is left alone with the reason.

pub mod planner;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::analysis::View;
use crate::analysis::required_service::{EndpointKind, Health, health, zones_of};
use crate::baseline::Mode;
use crate::baseline::RuleId;
use crate::ec2::change::Action;
use crate::ec2::id::{EndpointId, RouteTableId, SecurityGroupId, ServiceName, SubnetId, Zone};
use crate::ec2::list;
use crate::ec2::snapshot::Section;
use crate::ec2::world::EndpointState;

/// The number of a step in its plan, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StepId(pub u32);

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is to be done in one VPC, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps, each after those it depends on.
    pub steps: Vec<Step>,
    /// What is left alone, and why.
    pub left_alone: Vec<LeftAlone>,
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
    /// Whether it is left for the next run, because this one would change too much.
    pub over_limit: bool,
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

/// A security group that is there, or that an earlier step makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum GroupRef {
    /// This one.
    Existing(SecurityGroupId),
    /// The one that step makes.
    MadeBy(StepId),
}

impl Action<GroupRef> {
    /// Whether it names a security group that another step of its plan makes.
    pub fn names_group_made_by_a_step(&self) -> bool {
        self.with_group(|group| match group {
            GroupRef::Existing(_) => Some(()),
            GroupRef::MadeBy(_) => None,
        })
        .is_none()
    }
}

impl fmt::Display for GroupRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Existing(id) => id.fmt(f),
            Self::MadeBy(step) => write!(f, "the group made by step {step}"),
        }
    }
}

/// Something that is not repaired, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftAlone {
    /// What.
    pub what: String,
    /// The rule that would have repaired it.
    pub rule: Option<RuleId>,
    /// LeftAloneReason.
    pub reason: LeftAloneReason,
}

/// LeftAloneReason something is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum LeftAloneReason {
    /// Another account owns the VPC.
    SomebodyElsesVpc,
    /// Not all of the VPC was observed.
    NotObserved {
        /// What was not.
        sections: Vec<Section>,
    },
    /// The Region does not offer the service.
    NotOffered,
    /// The table serves other subnets too, for which the route must stay.
    SharedTable {
        /// They.
        with: Vec<SubnetId>,
    },
    /// The route may lead out, and the baseline says to report such routes only.
    MayLeadOut,
    /// It is of a kind this version does not know.
    Unknown,
    /// It was propagated or advertised; the remedy is to disable that.
    Propagated,
    /// A required service would be cut off.
    ServiceNotServed {
        /// The services.
        services: Vec<ServiceName>,
    },
    /// Its state is a person's to mend.
    Broken,
    /// No private subnet of these zones can take an interface.
    NoSubnetInZone {
        /// The zones.
        zones: Vec<Zone>,
    },
    /// Another security group of the VPC has the name of the guardrail's.
    GroupNameTaken {
        /// That group.
        group: SecurityGroupId,
    },
    /// The table belongs to a gateway and is never changed.
    TableOfGateway,
    /// The endpoint has as many security groups as AWS allows.
    TooManyGroups,
}

impl fmt::Display for LeftAloneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SomebodyElsesVpc => f.write_str("another account owns the VPC; run the guardrail there"),
            Self::NotObserved { sections } => write!(f, "not everything was observed: {} missing", list(sections)),
            Self::NotOffered => f.write_str("the Region does not offer the service"),
            Self::SharedTable { with } => {
                write!(f, "the table serves {} too; give the private subnets a table of their own", list(with))
            }
            Self::MayLeadOut => f.write_str("it may be meant; the baseline says to report such routes only"),
            Self::Unknown => f.write_str("what is not known is never deleted"),
            Self::Propagated => f.write_str("a propagated route cannot be deleted; disable the propagation"),
            Self::ServiceNotServed { services } => {
                write!(f, "removing it would cut off {}, which no endpoint serves", list(services))
            }
            Self::Broken => f.write_str("it does not mend by itself; delete it, and the guardrail makes a new one"),
            Self::NoSubnetInZone { zones } => {
                write!(f, "no private subnet in {} has room for an endpoint's IPv4 interface", list(zones))
            }
            Self::GroupNameTaken { group } => {
                write!(f, "{group} has the name of the guardrail's own group but not its tag; rename or tag it")
            }
            Self::TableOfGateway => {
                f.write_str("the table is a gateway's own and is never changed; give the private subnets another one")
            }
            Self::TooManyGroups => f.write_str("the endpoint has five security groups already, as many as AWS allows"),
        }
    }
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
    let required = view.required_services.iter().find(|required| required.name == *service && required.kind == kind)?;
    let endpoint = required.adopted(view.snapshot)?;
    let shows = || {
        let covered = zones_of(endpoint, view.snapshot);
        let table = |id| view.snapshot.route_table(id).is_some_and(|table| required.serves_table(table, view.snapshot));
        zones.iter().all(|zone| covered.contains(&zone))
            && tables.iter().all(table)
            && (!private_dns || endpoint.private_dns_enabled)
    };
    let id = &endpoint.vpc_endpoint_id;
    Some(match health(endpoint) {
        Health::Coming if endpoint.state == EndpointState::PendingAcceptance => {
            Wait::Never(format!("{id} waits for the owner of {service} to accept it"))
        }
        Health::Works if shows() => Wait::Over,
        Health::Works | Health::Coming | Health::Gone => Wait::NotYet,
        Health::Broken => Wait::Never(format!("{id} is in state {}", endpoint.state)),
    })
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready { service, .. } => write!(f, "wait until the endpoint for {service} is available"),
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
