//! The guardrail's own security group, which interface endpoints need before they are made or
//! changed.

use ipnet::IpNet;

use super::Draft;
use super::refusals::Refused;
use crate::analysis::required_service::{https_sources, own_group};
use crate::baseline::{Mode, RuleId};
use crate::ec2::change::{Action, GROUP_NAME};
use crate::ec2::cidr::{Cidr, covered};
use crate::ec2::id::EndpointId;
use crate::ec2::world::SecurityGroup;
use crate::plan::{GroupRef, StepId, Task};
use crate::rules::finding::Finding;
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::{Addition, EndpointEdit, NewEndpoint, Repair};

/// The guardrail's own security group, as far as this plan goes.
pub(super) enum Group {
    /// Nobody needs it.
    NotNeeded,
    /// Steps may name it; those that do come after these.
    Usable(GroupRef, Vec<StepId>),
    /// It cannot be had.
    Unusable(LeftAloneReason),
}

impl Draft<'_, '_> {
    /// Makes sure that there is a group of the guardrail's own that admits TCP 443 from every block
    /// of the VPC, if a repair needs one.
    pub(super) fn plan_security_group(&mut self, findings: &[Finding]) -> Group {
        let wants =
            |finding: &&Finding| needs_group(&finding.repair) && !self.is_refused(&finding.repair);
        let mut rules: Vec<RuleId> =
            findings.iter().filter(wants).map(|finding| finding.rule).collect();
        rules.dedup();
        let Some(mode) = rules.iter().map(|rule| self.view.baseline.mode_of(*rule)).max() else {
            return Group::NotNeeded;
        };
        let snapshot = self.view.snapshot;
        if let Some(own) = own_group(snapshot) {
            return self.open_own_group(own, rules, mode);
        }
        if let Some(taken) =
            snapshot.groups.iter().find(|group| group.group_name.eq_ignore_ascii_case(GROUP_NAME))
        {
            return Group::Unusable(LeftAloneReason::GroupNameTaken {
                group: taken.group_id.clone(),
            });
        }
        let create = Action::CreateSecurityGroup {
            vpc: snapshot.scope.vpc.clone(),
            name: GROUP_NAME.to_owned(),
            description: "HTTPS from the VPC to its interface endpoints".to_owned(),
        };
        let cidrs = self.blocks_beyond(&[]);
        let created = self.push(rules.clone(), mode, Task::Change(create), Vec::new());
        let group = GroupRef::MadeBy(created);
        let action = Action::AuthorizeHttps { group: group.clone(), cidrs };
        let authorized = self.push(rules, mode, Task::Change(action), vec![created]);
        Group::Usable(group, vec![created, authorized])
    }

    /// Whether the repair is an endpoint that is not made.
    fn is_refused(&self, repair: &Repair) -> bool {
        match repair {
            Repair::CreateEndpoint(NewEndpoint::Interface { service, .. }) => {
                self.refused.contains_key(&Refused::Made(service.clone()))
            }
            Repair::CreateEndpoint(NewEndpoint::Gateway { .. })
            | Repair::EditEndpoint(_)
            | Repair::None
            | Repair::EnableVpcDns(_)
            | Repair::OpenOwnGroup
            | Repair::RemoveRoute(_)
            | Repair::SetPolicy(_)
            | Repair::Call(_)
            | Repair::Calls(_) => false,
        }
    }

    fn open_own_group(&mut self, own: &SecurityGroup, rules: Vec<RuleId>, mode: Mode) -> Group {
        let group = GroupRef::Existing(own.group_id.clone());
        let open = https_sources(own, self.view.snapshot.shared);
        let cidrs = self.blocks_beyond(&open);
        if cidrs.is_empty() {
            return Group::Usable(group, Vec::new());
        }
        let action = Action::AuthorizeHttps { group: group.clone(), cidrs };
        let authorized = self.push(rules, mode, Task::Change(action), Vec::new());
        Group::Usable(group, vec![authorized])
    }

    /// The VPC's blocks that can be read as such and that these do not cover.
    fn blocks_beyond(&self, open: &[IpNet]) -> Vec<Cidr> {
        let shut = |cidr: &Cidr| cidr.net().is_some_and(|net| !covered(net, open));
        self.view.snapshot.vpc.cidrs().into_iter().filter(shut).collect()
    }

    /// The group to attach to an endpoint, none if it is attached already, and the steps that open
    /// it.
    pub(super) fn group_for(
        &self,
        endpoint: &EndpointId,
        group: &Group,
    ) -> Result<(Option<GroupRef>, Vec<StepId>), LeftAloneReason> {
        let attached =
            self.view.snapshot.endpoint(endpoint).map(|e| e.groups.as_slice()).unwrap_or_default();
        match group {
            Group::NotNeeded => Ok((None, Vec::new())),
            Group::Unusable(reason) => Err(reason.clone()),
            Group::Usable(GroupRef::Existing(id), steps)
                if attached.iter().any(|g| g.group_id == *id) =>
            {
                Ok((None, steps.clone()))
            }
            Group::Usable(group, steps) => Ok((Some(group.clone()), steps.clone())),
        }
    }
}

fn needs_group(repair: &Repair) -> bool {
    match repair {
        Repair::CreateEndpoint(NewEndpoint::Interface { .. })
        | Repair::OpenOwnGroup
        | Repair::EditEndpoint(EndpointEdit { addition: Addition::OwnGroup, .. }) => true,
        Repair::None
        | Repair::EnableVpcDns(_)
        | Repair::CreateEndpoint(NewEndpoint::Gateway { .. })
        | Repair::EditEndpoint(EndpointEdit {
            addition: Addition::RouteTables(_) | Addition::Subnets(_) | Addition::PrivateDns,
            ..
        })
        | Repair::RemoveRoute(_)
        | Repair::SetPolicy(_)
        | Repair::Call(_)
        | Repair::Calls(_) => false,
    }
}
