//! Probes that are asked for everything at once, because somebody wants to know.

use std::fmt;

use serde::Serialize;

use super::proof::inquiries_where;
use crate::baseline::Baseline;
use crate::cloud::Cloud;
use crate::ec2::id::{Place, VpcId};
use crate::ec2::world::World;
use crate::probe::{
    Answer, Limits, ProbeName, Question, ServiceVerdict, VERSION, WayOut, default_targets,
};

/// What came of asking one probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probed {
    /// The probe.
    pub probe: ProbeName,
    /// The VPC that it stands in; absent where its subnet is in none that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc: Option<VpcId>,
    /// What it answered; absent where it gave no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// Why it gave no answer, or was not asked about a service, for people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

impl Probed {
    /// Whether every service that is required in the probe's subnet answered through its endpoint,
    /// and no way out was seen.
    pub fn is_well(&self) -> bool {
        let is_closed = |way: WayOut| match way {
            WayOut::NotTested | WayOut::NoneSeen => true,
            WayOut::Answered | WayOut::Intercepted | WayOut::Path => false,
        };
        self.faults.is_empty()
            && self.answer.as_ref().is_some_and(|answer| {
                let mut services = answer.services.iter();
                is_closed(answer.ipv4())
                    && is_closed(answer.ipv6())
                    && services.all(|service| service.verdict == ServiceVerdict::Served)
            })
    }
}

impl fmt::Display for Probed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let vpc = self.vpc.as_ref().map(|vpc| format!(" in {vpc}")).unwrap_or_default();
        writeln!(f, "{}{vpc}", self.probe)?;
        let answer = self.answer.as_ref().map(ToString::to_string).unwrap_or_default();
        let lines = answer.lines().chain(self.faults.iter().map(String::as_str));
        lines.into_iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Asks every probe that the baseline names about a way out, and about the services that are required
/// in its subnet, one probe after another. The VPCs in the world are those that were read.
pub async fn ask_all<C: Cloud>(
    cloud: &C,
    place: &Place,
    baseline: &Baseline,
    world: &World,
) -> Vec<Probed> {
    let mut all = Vec::new();
    for vpc in world.vpcs.iter().flatten() {
        let scope = place.scope(&vpc.vpc_id);
        for inquiry in inquiries_where(baseline, world, &scope, |_| true) {
            let (mut services, mut faults) = (Vec::new(), Vec::new());
            for service in inquiry.services {
                match service {
                    Ok(service) => services.push(service),
                    Err(why) => faults.push(why),
                }
            }
            let question = Question {
                version: VERSION,
                targets: default_targets(&place.region),
                services,
                limits: Limits::default(),
            };
            let answer = cloud.ask_probe(&scope, &inquiry.probe, &question).await;
            let answer = answer
                .map_err(|error| faults.push(format!("it gave no answer: {}", error.shown())))
                .ok();
            let vpc = Some(scope.vpc.clone());
            all.push(Probed { probe: inquiry.probe, vpc, answer, faults });
        }
    }
    let unplaced: Vec<Probed> = { baseline.probes.iter() }
        .filter(|probe| !all.iter().any(|asked| asked.probe == **probe))
        .map(|probe| Probed {
            probe: probe.clone(),
            vpc: None,
            answer: None,
            faults: vec![
                "it was not asked, because its subnet is in no VPC that was read".to_owned(),
            ],
        })
        .collect();
    all.extend(unplaced);
    all
}
