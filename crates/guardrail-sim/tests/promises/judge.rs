//! Who judges whether the promises are kept: by the world right before and right after each write,
//! by what the table had, and by what was told.

use std::collections::{BTreeMap, BTreeSet};

use guardrail::ec2::snapshot::Section;
use serde_json::Value;

use crate::stage::{MANAGED, Made, NAT, TABLE};

/// What a write changed that no record in the table named before it: things that were there by
/// their ids, and new ones by the VPC that they are in.
pub(crate) fn not_planned(made: &Made) -> Vec<String> {
    let (before, after) = (things(&made.before), things(&made.after));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = ids.into_iter().filter(|id| before.get(*id) != after.get(*id));
    let is_named = |id: &String| match (before.get(id), after.get(id)) {
        (None, Some(new)) => new["VpcId"] == MANAGED,
        (Some(_), _) => made.recorded.iter().any(|record| record.contains(id.as_str())),
        (None, None) => false,
    };
    changed.filter(|id| !is_named(id)).cloned().collect()
}

/// The ways that a write ended: to which service, from which subnet.
pub(crate) fn lost_by(made: &Made) -> Vec<String> {
    let after = ways(&made.after);
    ways(&made.before).into_iter().filter(|way| !after.contains(way)).collect()
}

/// Which private subnet of the VPC has which required service, by its table's NAT route or by an
/// endpoint.
fn ways(world: &Value) -> BTreeSet<String> {
    let all = |section: &str| -> Vec<Value> {
        let things = world[section].as_array().unwrap().iter();
        things.filter(|thing| thing["VpcId"] == MANAGED).cloned().collect()
    };
    let private = |subnet: &Value| subnet["Tags"].to_string().contains("\"private\"");
    let mut ways = BTreeSet::new();
    for subnet in all("Subnets").into_iter().filter(private) {
        let id = subnet["SubnetId"].as_str().unwrap();
        let tables = all("RouteTables");
        let its = |table: &&Value| table["Associations"].to_string().contains(id);
        let table = tables.iter().find(its).unwrap();
        for service in ["s3", "dynamodb", "ssm", "ssmmessages", "ec2messages"] {
            let name = format!("com.amazonaws.eu-central-1.{service}");
            let serves = |endpoint: &Value| {
                let endpoint_id = endpoint["VpcEndpointId"].as_str().unwrap();
                endpoint["ServiceName"] == *name
                    && endpoint["State"] == "available"
                    && match endpoint["VpcEndpointType"].as_str() {
                        Some("Gateway") => table["Routes"].to_string().contains(endpoint_id),
                        _ => endpoint["PrivateDnsEnabled"] == true,
                    }
            };
            if table["Routes"].to_string().contains(NAT) || all("VpcEndpoints").iter().any(serves) {
                ways.insert(format!("{service} from {id}"));
            }
        }
    }
    ways
}

/// What the write of this name cannot be judged without, by AWS's documentation of what it acts on.
pub(crate) fn rests_on(operation: &str) -> &'static [Section] {
    use Section::{
        NatGateways, NetworkAcls, NetworkInterfaces, PrefixLists, RouteTables, SecurityGroups,
        Subnets, VpcEndpointServices, VpcEndpoints, Vpcs,
    };
    match operation {
        "DeleteRoute" => &[
            Vpcs,
            Subnets,
            RouteTables,
            VpcEndpoints,
            VpcEndpointServices,
            NatGateways,
            NetworkAcls,
            NetworkInterfaces,
            PrefixLists,
            SecurityGroups,
        ],
        "CreateVpcEndpoint" => &[Vpcs, Subnets, RouteTables, VpcEndpoints, VpcEndpointServices],
        "CreateSecurityGroup" | "AuthorizeSecurityGroupIngress" => &[Vpcs, SecurityGroups],
        other => panic!("{other} is not expected here"),
    }
}

/// Whether another thing may be read within a run: what a Region offers and what is a NAT gateway's
/// stays so, and routes to a NAT gateway here have no prefix list.
pub(crate) fn may_change(section: &Section) -> bool {
    !matches!(
        section,
        Section::VpcEndpointServices | Section::NetworkInterfaces | Section::PrefixLists
    )
}

/// Whether the table had a run that was not over, and in it what the call is about, and that it is
/// about to be made.
pub(crate) fn is_recorded(made: &Made) -> bool {
    let subject = if made.operation == "DeleteRoute" { TABLE } else { "s3" };
    let items: Vec<Value> =
        made.recorded.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    let is_open = |item: &Value| item["steps"].is_array() && item["closed"].is_null();
    let planned = |item: &Value| item["steps"].to_string().contains(subject);
    items.iter().any(|item| is_open(item) && planned(item))
        && items.iter().any(|item| item["started"].is_object())
}

/// Whether a text says what takes a write back. What a killed run made is named by what it is for
/// and by its tag, where nobody knows its id.
pub(crate) fn tells_undo(text: &str, made: &Made) -> bool {
    let Some((_, undo)) = text.split_once("To undo") else { return false };
    match made.operation {
        "DeleteRoute" => undo.contains("create-route") && undo.contains(TABLE),
        _ => {
            let before = things(&made.before);
            let mut made = things(&made.after).into_keys().filter(|id| !before.contains_key(id));
            let by_tag = "com.amazonaws.eu-central-1.s3 in vpc-0a1b2c3d4e5f60000 with the tag \
                          vpc-guardrail=created";
            undo.contains("delete-vpc-endpoints")
                && (undo.contains(by_tag) || made.all(|id| undo.contains(&id)))
        }
    }
}

/// The things of a world, by their ids.
pub(crate) fn things(world: &Value) -> BTreeMap<String, Value> {
    let ids = [
        ("Vpcs", "VpcId"),
        ("Subnets", "SubnetId"),
        ("RouteTables", "RouteTableId"),
        ("VpcEndpoints", "VpcEndpointId"),
        ("NatGateways", "NatGatewayId"),
        ("SecurityGroups", "GroupId"),
        ("NetworkInterfaces", "NetworkInterfaceId"),
        ("NetworkAcls", "NetworkAclId"),
        ("DhcpOptions", "DhcpOptionsId"),
        ("InternetGateways", "InternetGatewayId"),
    ];
    let named = |(section, id): (&str, &str)| -> Vec<(String, Value)> {
        let things = world[section].as_array().unwrap().iter();
        things.map(|thing| (thing[id].as_str().unwrap().to_owned(), thing.clone())).collect()
    };
    let attributes = world["VpcAttributes"].as_object().unwrap().iter();
    let attributes = attributes.map(|(vpc, value)| (format!("attributes of {vpc}"), value.clone()));
    ids.into_iter().flat_map(named).chain(attributes).collect()
}
