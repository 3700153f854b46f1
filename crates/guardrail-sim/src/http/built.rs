//! The answers to the calls that build a network from nothing.

use guardrail::ec2::world::{IpPermission, World};

use super::resources::{self, ServedPlace};
use super::tree::Fields;
use crate::ec2::addresses::AddressView;
use crate::ec2::beside::{
    Address, AddressFamily, Beside, InstanceState, ListDetails, ProfileAssociation, RunInstance,
};
use crate::ec2::gateways::Instance;
use crate::ec2::group_life::GroupRule;
use crate::ids::derived_id;

pub(crate) fn address(address: &Address, place: &ServedPlace) -> Fields {
    Fields::new()
        .text("publicIp", &address.public_ip)
        .text("allocationId", &address.allocation_id)
        .text("publicIpv4Pool", "amazon")
        .text("networkBorderGroup", &place.region)
        .text("domain", "vpc")
}

/// As `DescribeAddresses` has it.
pub(crate) fn address_view(view: &AddressView, place: &ServedPlace) -> Fields {
    let fields = address(&view.address, place);
    let fields = match &view.address.bound {
        Some(bound) => fields
            .text("associationId", &bound.association_id)
            .maybe("instanceId", bound.instance_id.as_ref())
            .text("networkInterfaceId", &bound.network_interface_id)
            .text("networkInterfaceOwnerId", &place.account)
            .maybe("privateIpAddress", bound.private_ip_address.as_ref()),
        None => fields,
    };
    fields
        .maybe("subnetId", view.subnet_id.as_ref())
        .list("tagSet", resources::tags(&view.address.tags))
}

/// A rule as `DescribeSecurityGroupRules` has it.
pub(crate) fn rule(rule: &GroupRule, place: &ServedPlace) -> Vec<Fields> {
    let tagged = |fields: Fields| fields.list("tagSet", []);
    let group = &rule.group_id;
    let all = resources::rules(group, &rule.permission, place, true, rule.is_egress);
    all.into_iter().map(tagged).collect()
}

pub(crate) fn profile_association(one: &ProfileAssociation, state: &str) -> Fields {
    Fields::new()
        .text("associationId", &one.association_id)
        .text("instanceId", &one.instance_id)
        .fields("iamInstanceProfile", profile(one))
        .text("state", state)
        .text("timestamp", format!("{:.3}", one.timestamp))
}

fn profile(association: &ProfileAssociation) -> Fields {
    let arn = association.arn.as_str();
    Fields::new().text("arn", arn).text("id", profile_id(arn))
}

/// `AIPA…`: made up, and the same for the same profile.
fn profile_id(arn: &str) -> String {
    derived_id("AIPA", &[arn]).to_ascii_uppercase()
}

pub(crate) fn state(state: InstanceState) -> Fields {
    let (name, code) = state.name_and_code();
    Fields::new().number("code", Some(code)).text("name", name)
}

/// The answer to `RunInstances`: one reservation.
pub(crate) fn reservation_run(
    run: &[RunInstance],
    world: &World,
    beside: &Beside,
    place: &ServedPlace,
) -> Fields {
    let reservation = run.first().map(|it| it.reservation_id.as_str()).unwrap_or_default();
    let one = |run: &RunInstance| {
        let interfaces = world.network_interfaces.iter().flatten();
        let its = interfaces.filter(|eni| {
            eni.attachment
                .as_ref()
                .is_some_and(|it| it.instance_id.as_ref() == Some(&run.instance_id))
        });
        let profiles = &beside.profile_associations;
        let instance = Instance {
            instance_id: run.instance_id.clone(),
            vpc_id: Some(run.vpc_id.clone()),
            subnet_id: Some(run.subnet_id.clone()),
            network_interface_ids: its.map(|eni| eni.network_interface_id.clone()).collect(),
            run: Some(run.clone()),
            profile: profiles.iter().find(|it| it.instance_id == run.instance_id).cloned(),
            tags: beside.tags.get(run.instance_id.as_str()).cloned().unwrap_or_default(),
        };
        resources::instance(&instance, world)
    };
    Fields::new()
        .text("reservationId", reservation)
        .text("ownerId", &place.account)
        .list("groupSet", [])
        .list("instancesSet", run.iter().map(one))
}

/// What an instance has that only one that was run here says.
pub(crate) fn of_run(fields: Fields, instance: &Instance) -> Fields {
    let Some(run) = &instance.run else { return fields };
    let fields = fields
        .text("imageId", &run.image_id)
        .fields("instanceState", state(run.state))
        .text("instanceType", &run.instance_type)
        .text("launchTime", format!("{:.3}", run.launch_time))
        .maybe("clientToken", run.client_token.as_ref());
    match &instance.profile {
        Some(association) => fields.fields("iamInstanceProfile", profile(association)),
        None => fields,
    }
}

/// What of a managed prefix list its section does not hold.
pub(crate) fn list_details(fields: Fields, details: Option<&ListDetails>) -> Fields {
    let family = details.map_or(AddressFamily::IPv4, |details| details.address_family);
    let fields = fields.text("addressFamily", family.as_str());
    match details {
        Some(details) => {
            let most = i64::try_from(details.max_entries).unwrap_or(i64::MAX);
            fields.number("maxEntries", Some(most)).number("version", Some(details.version))
        }
        None => fields,
    }
}

/// The rules that a call named by their ids and took away.
pub(crate) fn revoked(
    group: &guardrail::ec2::id::SecurityGroupId,
    permissions: &[IpPermission],
    place: &ServedPlace,
) -> Fields {
    let rules = permissions.iter().flat_map(|it| resources::rules(group, it, place, false, false));
    Fields::new().flag("return", true).list("revokedSecurityGroupRuleSet", rules)
}
