//! The account that histories play in: two managed VPCs and one that is not, each with two private
//! subnets, their tables, a NAT gateway, and an endpoint of either kind.

use guardrail::baseline::Baseline;
use guardrail::ec2::id::{Place, VpcId};
use guardrail::ec2::world::World;
use serde::Deserialize as _;
use serde_json::{Value, json};

pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const ACCOUNT: &str = "111122223333";

/// What the ids of each VPC's things have in them. The third is not managed.
pub(crate) const MARKS: [&str; 3] = ["a1", "b2", "c3"];

/// The account and Region.
pub(crate) fn place() -> Place {
    Place { account: ACCOUNT.parse().unwrap(), region: REGION.parse().unwrap() }
}

/// The id of a thing of a VPC.
pub(crate) fn id(kind: &str, mark: &str, number: usize) -> String {
    format!("{kind}-{mark}0000000000{number:05}")
}

pub(crate) fn vpc(mark: &str) -> VpcId {
    id("vpc", mark, 1).parse().unwrap()
}

/// The full name of a service.
pub(crate) fn service(short: &str) -> String {
    format!("com.amazonaws.{REGION}.{short}")
}

/// One gateway and one interface service are wanted, and everything is repaired.
pub(crate) fn baseline() -> Baseline {
    let text = json!({
        "version": 1, "mode": "repair",
        "gateway_endpoints": {"services": ["s3"]}, "interface_endpoints": {"services": ["ssm"]},
    });
    Baseline::parse(&text.to_string()).unwrap()
}

/// The first so many VPCs. The managed ones are on their baseline; the third is worse in every way.
pub(crate) fn world(vpcs: usize) -> World {
    let marks = &MARKS[..vpcs];
    let each = |thing: fn(&str) -> Vec<Value>| -> Vec<Value> {
        marks.iter().flat_map(|mark| thing(mark)).collect()
    };
    let attributes: serde_json::Map<String, Value> = marks
        .iter()
        .map(|mark| {
            let on = json!({"EnableDnsSupport": true, "EnableDnsHostnames": true});
            (id("vpc", mark, 1), on)
        })
        .collect();
    World::deserialize(json!({
        "Region": REGION, "AccountId": ACCOUNT,
        "Vpcs": each(vpcs_of), "Subnets": each(subnets), "RouteTables": each(tables),
        "VpcEndpoints": each(endpoints), "SecurityGroups": each(groups),
        "NatGateways": each(|mark| vec![json!({"NatGatewayId": id("nat", mark, 1),
            "VpcId": id("vpc", mark, 1), "ConnectivityType": "public", "State": "available"})]),
        "NetworkInterfaces": [], "NetworkAcls": each(acls), "DhcpOptions": [],
        "InternetGateways": [], "EgressOnlyInternetGateways": [],
        "PrefixLists": [{"PrefixListId": "pl-0a0000000000000a0", "PrefixListName": service("s3"),
            "OwnerId": "AWS", "Cidrs": ["52.219.0.0/16"]}],
        "VpcEndpointServices": [offered("s3", "Gateway"), offered("ssm", "Interface")],
        "VpcAttributes": attributes,
    }))
    .unwrap()
}

fn is_managed(mark: &str) -> bool {
    mark != MARKS[2]
}

fn vpcs_of(mark: &str) -> Vec<Value> {
    let tags = match is_managed(mark) {
        true => json!([{"Key": "vpc-guardrail", "Value": "managed"}]),
        false => json!([]),
    };
    vec![json!({"VpcId": id("vpc", mark, 1), "OwnerId": ACCOUNT, "CidrBlock": "10.0.0.0/16",
        "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16",
            "CidrBlockState": {"State": "associated"}}], "Tags": tags})]
}

fn subnets(mark: &str) -> Vec<Value> {
    let subnet = |n: usize, zone: &str| {
        json!({"SubnetId": id("subnet", mark, n), "VpcId": id("vpc", mark, 1),
            "AvailabilityZone": format!("{REGION}{zone}"), "CidrBlock": format!("10.0.{n}.0/24"),
            "AvailableIpAddressCount": 250, "Tags": [{"Key": "Tier", "Value": "private"}]})
    };
    vec![subnet(1, "a"), subnet(2, "b")]
}

/// Two tables of private subnets, and a third, the main one, that nothing uses.
fn tables(mark: &str) -> Vec<Value> {
    let table = |n: usize, association: Value, routes: Vec<Value>| {
        let mut all = vec![json!({"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local",
            "Origin": "CreateRouteTable", "State": "active"})];
        all.extend(routes);
        json!({"RouteTableId": id("rtb", mark, n), "VpcId": id("vpc", mark, 1),
            "Associations": [association], "Routes": all})
    };
    let bound = |n: usize| {
        json!({"RouteTableAssociationId": id("rtbassoc", mark, n), "Main": false,
            "SubnetId": id("subnet", mark, n), "AssociationState": {"State": "associated"}})
    };
    let main = json!({"RouteTableAssociationId": id("rtbassoc", mark, 3), "Main": true,
        "AssociationState": {"State": "associated"}});
    let to_s3 = || match is_managed(mark) {
        true => vec![json!({"DestinationPrefixListId": "pl-0a0000000000000a0",
            "GatewayId": id("vpce", mark, 1), "Origin": "CreateRoute", "State": "active"})],
        false => vec![json!({"DestinationCidrBlock": "0.0.0.0/0",
            "NatGatewayId": id("nat", mark, 1), "Origin": "CreateRoute", "State": "active"})],
    };
    vec![table(1, bound(1), to_s3()), table(2, bound(2), to_s3()), table(3, main, Vec::new())]
}

fn endpoints(mark: &str) -> Vec<Value> {
    if !is_managed(mark) {
        return Vec::new();
    }
    let of = id("vpc", mark, 1);
    vec![
        json!({"VpcEndpointId": id("vpce", mark, 1), "VpcEndpointType": "Gateway", "VpcId": of,
            "State": "available", "ServiceName": service("s3"),
            "RouteTableIds": [id("rtb", mark, 1), id("rtb", mark, 2)]}),
        json!({"VpcEndpointId": id("vpce", mark, 2), "VpcEndpointType": "Interface", "VpcId": of,
            "State": "available", "ServiceName": service("ssm"), "PrivateDnsEnabled": true,
            "SubnetIds": [id("subnet", mark, 1), id("subnet", mark, 2)], "IpAddressType": "ipv4",
            "Groups": [{"GroupId": id("sg", mark, 1), "GroupName": "endpoints"}]}),
    ]
}

fn groups(mark: &str) -> Vec<Value> {
    vec![json!({"GroupId": id("sg", mark, 1), "GroupName": "endpoints",
        "VpcId": id("vpc", mark, 1), "IpPermissions": [{"IpProtocol": "tcp", "FromPort": 443,
            "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]})]
}

/// The network ACL that AWS makes with a VPC.
fn acls(mark: &str) -> Vec<Value> {
    let rule = |number: u32, egress: bool, action: &str| {
        json!({"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1",
            "CidrBlock": "0.0.0.0/0"})
    };
    vec![json!({"NetworkAclId": id("acl", mark, 1), "VpcId": id("vpc", mark, 1),
        "IsDefault": true, "Entries": [rule(100, true, "allow"), rule(32767, true, "deny"),
            rule(100, false, "allow"), rule(32767, false, "deny")]})]
}

fn offered(short: &str, kind: &str) -> Value {
    let names = match kind {
        "Gateway" => json!([]),
        _ => json!([{"PrivateDnsName": format!("{short}.{REGION}.amazonaws.com")}]),
    };
    json!({"ServiceName": service(short), "ServiceType": [{"ServiceType": kind}],
        "AvailabilityZones": [format!("{REGION}a"), format!("{REGION}b")], "PrivateDnsNames": names})
}
