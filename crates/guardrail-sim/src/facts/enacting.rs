//! CloudTrail's records, made again on a simulated world.

use guardrail::ec2::world::RouteState;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Replayed, replay_call};

fn record(event: &str, request: Value, response: Value) -> Value {
    json!({"eventSource": "ec2.amazonaws.com", "eventName": event, "requestParameters": request, "responseElements": response})
}

fn done() -> Value {
    json!({"requestId": "1", "_return": true})
}

#[track_caller]
fn made(sim: &mut Sim, record: &Value) {
    assert_eq!(replay_call(sim, record), Replayed::Made);
}

fn saying(enacted: &Replayed) -> (&'static str, &str) {
    match enacted {
        Replayed::Made => ("made", ""),
        Replayed::AlreadySo(why) => ("already", why),
        Replayed::NotHere(why) => ("not here", why),
        Replayed::NotSimulated(why) => ("not simulated", why),
        Replayed::Failed(why) => ("failed", why),
    }
}

#[test]
fn a_route_is_created_replaced_and_deleted() {
    let mut sim = sim();
    let table = |more: Value| {
        let mut body = json!({"routeTableId": "rtb-b", "destinationCidrBlock": "0.0.0.0/0"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let create = record("CreateRoute", table(json!({"natGatewayId": "nat-1"})), done());
    made(
        &mut sim,
        &json!({"detail-type": "AWS API Call via CloudTrail", "source": "aws.ec2", "detail": create}),
    );
    assert_eq!(saying(&replay_call(&mut sim, &create)).0, "already");
    made(&mut sim, &record("ReplaceRoute", table(json!({"gatewayId": "igw-new"})), done()));
    assert_eq!(routes(&sim, "rtb-b").last().unwrap(), "0.0.0.0/0 igw-new active");
    made(&mut sim, &record("DeleteRoute", table(json!({})), done()));
    assert_eq!(
        replay_call(&mut sim, &record("DeleteRoute", table(json!({})), done())),
        Replayed::AlreadySo(
            "no route with destination-cidr-block 0.0.0.0/0 in route table rtb-b".to_owned()
        )
    );
}

/// What a call made keeps its id, so that the next record finds it.
#[test]
fn a_nat_gateway_of_a_record_is_found_by_the_next() {
    let mut sim = sim();
    made(
        &mut sim,
        &record(
            "CreateNatGateway",
            json!({"CreateNatGatewayRequest": {"SubnetId": "subnet-a2", "AllocationId": "eipalloc-1",
                "TagSpecification": {"ResourceType": "natgateway", "tag": 1, "Tag": {"Key": "Team", "Value": true, "tag": 1}}}}),
            json!({"CreateNatGatewayResponse": {"natGateway": {"natGatewayId": "nat-00new", "subnetId": "subnet-a2",
                "connectivityType": "public", "natGatewayAddressSet": {"item": {"allocationId": "eipalloc-1"}}}}}),
        ),
    );
    let nat = sim.world().nat_gateways.unwrap().pop().unwrap();
    assert_eq!(nat.tags, [guardrail::ec2::world::Tag::new("Team", "true")]);
    let route = json!({"routeTableId": "rtb-b", "destinationCidrBlock": "0.0.0.0/1", "natGatewayId": "nat-00new"});
    made(&mut sim, &record("CreateRoute", route, done()));
    made(
        &mut sim,
        &record(
            "DeleteNatGateway",
            json!({"DeleteNatGatewayRequest": {"NatGatewayId": "nat-00new"}}),
            json!({"DeleteNatGatewayResponse": {"natGatewayId": "nat-00new"}}),
        ),
    );
    assert_eq!(table(&sim, "rtb-b").routes.pop().unwrap().state, Some(RouteState::Blackhole));
}

#[test]
fn an_endpoint_is_made_from_what_the_response_says() {
    let mut sim = sim();
    let create = record(
        "CreateVpcEndpoint",
        json!({"CreateVpcEndpointRequest": {"VpcId": "vpc-1", "ServiceName": KMS, "VpcEndpointType": "Interface",
            "SecurityGroupId": {"tag": 1, "content": "sg-web"},
            "SubnetId": [{"tag": 1, "content": "subnet-a1"}, {"tag": 2, "content": "subnet-b1"}]}}),
        json!({"CreateVpcEndpointResponse": {"vpcEndpoint": {"vpcEndpointId": "vpce-0kms", "vpcEndpointType": "Interface",
            "routeTableIdSet": "", "ownerId": 111_122_223_333_u64, "privateDnsEnabled": true,
            "groupSet": {"item": {"groupId": "sg-web"}}, "subnetIdSet": {"item": ["subnet-a1", "subnet-b1"]},
            "networkInterfaceIdSet": {"item": ["eni-0one", "eni-0two"]}}}}),
    );
    made(&mut sim, &create);
    let made = endpoint(&sim, "vpce-0kms").unwrap();
    assert_eq!(names(&made.network_interface_ids), ["eni-0one", "eni-0two"]);
    assert_eq!(names(&made.subnet_ids), ["subnet-a1", "subnet-b1"]);
    assert!(made.private_dns_enabled);
    assert_eq!(saying(&replay_call(&mut sim, &create)), ("already", "vpce-0kms is here already"));
}

/// "Decode every wrapped list as `\"\" | T | [T]`"; only what is not so yet is changed.
#[test]
fn an_endpoint_is_changed_and_deleted() {
    let mut sim = sim();
    let change = record(
        "ModifyVpcEndpoint",
        json!({"ModifyVpcEndpointRequest": {"VpcEndpointId": "vpce-s3", "RemoveRouteTableId": {"tag": 1, "content": "rtb-a"},
            "AddRouteTableId": [{"tag": 1, "content": "rtb-b"}, {"tag": 2, "content": "rtb-main"}]}}),
        json!({"ModifyVpcEndpointResponse": {"return": true}}),
    );
    made(&mut sim, &change);
    assert_eq!(names(&endpoint(&sim, "vpce-s3").unwrap().route_table_ids), ["rtb-b", "rtb-main"]);
    assert_eq!(saying(&replay_call(&mut sim, &change)), ("already", "vpce-s3 is so already"));
    let delete = |ids: Value, unsuccessful: Value| {
        record(
            "DeleteVpcEndpoints",
            json!({"DeleteVpcEndpointsRequest": {"VpcEndpointId": ids}}),
            json!({"DeleteVpcEndpointsResponse": {"unsuccessful": unsuccessful}}),
        )
    };
    let one = json!({"tag": 1, "content": "vpce-s3"});
    let failed =
        json!({"item": {"resourceId": "vpce-s3", "error": {"code": "OperationNotPermitted"}}});
    assert_eq!(saying(&replay_call(&mut sim, &delete(one.clone(), failed))).0, "failed");
    let both = json!([one, {"tag": 2, "content": "vpce-elsewhere"}]);
    made(&mut sim, &delete(both, json!("")));
    assert_eq!(saying(&replay_call(&mut sim, &delete(one, json!("")))).0, "already");
    let other = delete(json!({"tag": 1, "content": "vpce-elsewhere"}), json!(""));
    assert_eq!(
        saying(&replay_call(&mut sim, &other)),
        ("not here", "no endpoint here is vpce-elsewhere")
    );
}

#[test]
fn associations_keep_the_ids_of_the_record() {
    let mut sim = sim();
    let disassociate =
        record("DisassociateRouteTable", json!({"associationId": "rtbassoc-a1"}), done());
    made(&mut sim, &disassociate);
    let associate = json!({"routeTableId": "rtb-b", "subnetId": "subnet-a1"});
    made(
        &mut sim,
        &record("AssociateRouteTable", associate, json!({"associationId": "rtbassoc-0new"})),
    );
    let replace = json!({"associationId": "rtbassoc-0new", "routeTableId": "rtb-public"});
    made(
        &mut sim,
        &record(
            "ReplaceRouteTableAssociation",
            replace,
            json!({"newAssociationId": "rtbassoc-0newer"}),
        ),
    );
    let last = table(&sim, "rtb-public").associations.pop().unwrap();
    assert_eq!(
        (last.route_table_association_id, last.subnet_id),
        (Some(id("rtbassoc-0newer")), Some(id("subnet-a1")))
    );
    assert_eq!(saying(&replay_call(&mut sim, &disassociate)).0, "not here");
}

/// "Security group ingress has two request shapes for the same call."
#[test]
fn a_rule_is_read_in_both_shapes() {
    let mut sim = sim();
    let flat = json!({"groupId": "sg-web", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "10.0.0.0/16",
        "ipPermissions": {}});
    made(&mut sim, &record("RevokeSecurityGroupIngress", flat.clone(), done()));
    assert_eq!(
        saying(&replay_call(&mut sim, &record("RevokeSecurityGroupIngress", flat, done()))).0,
        "already"
    );
    let nested = json!({"groupId": "sg-web", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "groups": {}, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}, "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}}]}});
    made(&mut sim, &record("AuthorizeSecurityGroupIngress", nested, done()));
    let groups = sim.world().security_groups.unwrap();
    let rules = &groups.iter().find(|group| group.group_id == *"sg-web").unwrap().ip_permissions;
    assert_eq!(
        serde_json::to_value(rules).unwrap(),
        json!([{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            "Ipv6Ranges": [{"CidrIpv6": "::/0"}], "PrefixListIds": [], "UserIdGroupPairs": []}])
    );
}

/// A real record of ModifySubnetAttribute has "`mapPublicIpOnLaunch:{value:true}`" beside
/// `subnetId`; the shape of `assignIpv6AddressOnCreation` is inferred from it.
#[test]
fn a_subnets_attributes_are_taken_over() {
    let mut sim = sim();
    let change = |subnet: &str, attribute: &str, value: bool| {
        record(
            "ModifySubnetAttribute",
            json!({"subnetId": subnet, attribute: {"value": value}}),
            done(),
        )
    };
    for attribute in ["mapPublicIpOnLaunch", "assignIpv6AddressOnCreation"] {
        made(&mut sim, &change("subnet-x1", attribute, true));
        let again = replay_call(&mut sim, &change("subnet-x1", attribute, true));
        assert_eq!(saying(&again), ("already", "the attribute has that value already"));
    }
    let subnet = sim.world().subnets.unwrap().pop().unwrap();
    assert!(subnet.map_public_ip_on_launch && subnet.assign_ipv6_address_on_creation);
    let dns64 = replay_call(&mut sim, &change("subnet-x1", "enableDns64", true));
    assert_eq!(
        saying(&dns64),
        ("not simulated", "a world file does not hold the attribute it changes")
    );
    assert_eq!(
        saying(&replay_call(&mut sim, &change("subnet-a1", "assignIpv6AddressOnCreation", true))).0,
        "not simulated"
    );
}

#[test]
fn attributes_subnets_and_tags_are_taken_over() {
    let mut sim = sim();
    let dns = record(
        "ModifyVpcAttribute",
        json!({"vpcId": "vpc-1", "enableDnsHostnames": {"value": false}}),
        done(),
    );
    made(&mut sim, &dns);
    assert_eq!(saying(&replay_call(&mut sim, &dns)).0, "already");
    let subnet = json!({"vpcId": "vpc-1", "cidrBlock": "10.0.7.0/24", "tagSpecificationSet": {"items":
        [{"resourceType": "subnet", "tags": [{"key": "Tier", "value": "private"}]}]}});
    let answer = json!({"subnet": {"subnetId": "subnet-0new", "availabilityZone": "eu-central-1b", "cidrBlock": "10.0.7.0/24"}});
    made(&mut sim, &record("CreateSubnet", subnet, answer));
    let untag = json!({"resourcesSet": {"items": [{"resourceId": "subnet-0new"}, {"resourceId": "ami-1"}]},
        "tagSet": {"items": [{"key": "Tier"}]}});
    made(&mut sim, &record("DeleteTags", untag, done()));
    let made_subnet = sim.world().subnets.unwrap().pop().unwrap();
    assert_eq!((made_subnet.subnet_id, made_subnet.tags), (id("subnet-0new"), Vec::new()));
    let cidr = record(
        "AssociateVpcCidrBlock",
        json!({"AssociateVpcCidrBlockRequest": {"VpcId": "vpc-1", "CidrBlock": "10.9.0.0/16"}}),
        json!({"AssociateVpcCidrBlockResponse": {"cidrBlockAssociation": {"cidrBlock": "10.9.0.0/16"}}}),
    );
    made(&mut sim, &cidr);
    assert_eq!(saying(&replay_call(&mut sim, &cidr)), ("already", "vpc-1 has 10.9.0.0/16 already"));
}

#[test]
fn what_cannot_be_made_says_why() {
    let mut sim = sim();
    let route = |table: &str, nat: &str| {
        let request = json!({"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": nat});
        record("CreateRoute", request, done())
    };
    let mut denied = route("TrailDiscoverRouteTableId", "nat-1");
    denied["errorCode"] = json!("Client.UnauthorizedOperation");
    let mut elsewhere = route("rtb-b", "nat-1");
    elsewhere["eventSource"] = json!("appmesh.amazonaws.com");
    let cases = [
        (route("rtb-b", "nat-9"), ("not here", "The NatGateway ID 'nat-9' does not exist")),
        (route("rtb-9", "nat-1"), ("not here", "The routeTable ID 'rtb-9' does not exist")),
        (
            route("My Table", "nat-1"),
            (
                "not here",
                "`My Table` is not the id of a route table; it should look like `rtb-0123456789abcdef0`",
            ),
        ),
        (
            route("rtb-public", "nat-1"),
            (
                "not simulated",
                "this world refuses the call: RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists.",
            ),
        ),
        (denied, ("failed", "Client.UnauthorizedOperation")),
        (
            elsewhere,
            ("not simulated", "CreateRoute of `appmesh.amazonaws.com` is not a call of EC2"),
        ),
        (
            record("DeleteVpc", json!({"vpcId": "vpc-1"}), done()),
            ("not simulated", "DeleteVpc is not among the calls the simulator can make"),
        ),
        (
            record("CreateRoute", Value::Null, Value::Null),
            ("not simulated", "the record has no `destinationCidrBlock`"),
        ),
        (
            json!(["what"]),
            ("not simulated", "it is not a CloudTrail record: it has no `eventName`"),
        ),
    ];
    let before = sim.world();
    for (record, expected) in cases {
        assert_eq!(saying(&replay_call(&mut sim, &record)), expected);
        assert_eq!(sim.world(), before);
    }
}

const EVENTS: [&str; 20] = [
    "CreateRoute",
    "ReplaceRoute",
    "DeleteRoute",
    "CreateRouteTable",
    "AssociateRouteTable",
    "DisassociateRouteTable",
    "ReplaceRouteTableAssociation",
    "CreateVpcEndpoint",
    "ModifyVpcEndpoint",
    "DeleteVpcEndpoints",
    "CreateNatGateway",
    "DeleteNatGateway",
    "CreateSubnet",
    "ModifySubnetAttribute",
    "ModifyVpcAttribute",
    "AssociateVpcCidrBlock",
    "AuthorizeSecurityGroupIngress",
    "RevokeSecurityGroupIngress",
    "CreateTags",
    "DeleteTags",
];
const KEYS: [&str; 24] = [
    "routeTableId",
    "RouteTableId",
    "destinationCidrBlock",
    "natGatewayId",
    "NatGatewayId",
    "gatewayId",
    "vpcId",
    "VpcId",
    "subnetId",
    "SubnetId",
    "associationId",
    "vpcEndpointId",
    "VpcEndpointId",
    "ServiceName",
    "cidrBlock",
    "groupId",
    "ipPermissions",
    "resourcesSet",
    "tagSet",
    "items",
    "item",
    "content",
    "tag",
    "AddRouteTableId",
];
const TEXTS: [&str; 14] = [
    "rtb-a",
    "rtb-b",
    "nat-1",
    "vpc-1",
    "subnet-a1",
    "rtbassoc-a1",
    "vpce-s3",
    "vpce-ssm",
    "0.0.0.0/0",
    "10.0.8.0/24",
    S3,
    "sg-web",
    "",
    "::/0",
];

fn bodies() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(TEXTS.to_vec()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let keyed = (prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..3).prop_map(Value::from),
            prop::collection::vec(keyed, 0..8)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    /// "`requestParameters` can be null, or the wrapper can hold \"\"; ids can be arbitrary caller
    /// text."
    #[test]
    fn no_record_makes_it_panic_and_the_world_stays_a_world(
        event in prop::sample::select(EVENTS.to_vec()), request in bodies(), response in bodies(), wrapped in any::<bool>(),
    ) {
        let request = if wrapped { json!({format!("{event}Request"): request}) } else { request };
        let mut sim = sim();
        drop(replay_call(&mut sim, &record(event, request, response)));
        let world = sim.world();
        prop_assert_eq!(guardrail::ec2::world_file::load(&serde_json::to_string(&world).unwrap()).unwrap(), world);
    }
}
