//! From ids to VPCs.

use guardrail::ec2::resource_id::ResourceId;
use guardrail::inbox::detect::Resolved;

use crate::listener::{Listener, fault, fields, ok};

async fn resolve(listener: &Listener, ids: &[&str]) -> Resolved {
    let ids: Vec<ResourceId> = ids.iter().map(|id| id.parse().unwrap()).collect();
    listener.aws().await.resolve(&ids).await.unwrap()
}

fn found(vpcs: &[&str], gone: &[&str]) -> Resolved {
    Resolved {
        vpcs: vpcs.iter().map(|id| id.parse().unwrap()).collect(),
        gone: gone.iter().map(|id| id.parse().unwrap()).collect(),
    }
}

/// What AWS says of one thing: the set it comes in, the element with its id, its id, its VPC, and
/// what else.
fn item(set: &str, element: &str, id: &str, vpc: &str, more: &str) -> String {
    format!("<{set}><item><{element}>{id}</{element}><vpcId>{vpc}</vpcId>{more}</item></{set}>")
}

#[tokio::test]
async fn every_kind_of_id_leads_to_its_vpc() {
    let association = "<routeTableAssociationId>rtbassoc-02</routeTableAssociationId>";
    let association = format!("<associationSet><item>{association}</item></associationSet>");
    let zone = "<availabilityZone>eu-central-1a</availabilityZone>";
    let attached = "<attachment><instanceId>i-08</instanceId></attachment>";
    let (tables, interfaces) = ("routeTableSet", "networkInterfaceSet");
    let gateway = "<internetGatewayId>igw-09</internetGatewayId>\
                   <attachmentSet><item><vpcId>vpc-09</vpcId></item></attachmentSet>";
    let gateway = format!("<internetGatewaySet><item>{gateway}</item></internetGatewaySet>");
    let table = |id: &str, vpc: &str, more: &str| item(tables, "routeTableId", id, vpc, more);
    let group = |id: &str, vpc: &str| item("securityGroupInfo", "groupId", id, vpc, "");
    let interface =
        |id: &str, vpc: &str, more: &str| item(interfaces, "networkInterfaceId", id, vpc, more);
    let endpoint =
        item("vpcEndpointSet", "vpcEndpointId", "vpce-04", "vpc-04", "<state>deleting</state>");
    let nat = item("natGatewaySet", "natGatewayId", "nat-05", "vpc-05", "");
    let cases = [
        ("rtb-01", "RouteTables", "route-table-id", table("rtb-01", "vpc-01", "")),
        (
            "rtbassoc-02",
            "RouteTables",
            "association.route-table-association-id",
            table("rtb-02", "vpc-02", &association),
        ),
        (
            "subnet-03",
            "Subnets",
            "subnet-id",
            item("subnetSet", "subnetId", "subnet-03", "vpc-03", zone),
        ),
        ("vpce-04", "VpcEndpoints", "vpc-endpoint-id", endpoint),
        ("nat-05", "NatGateways", "nat-gateway-id", nat),
        ("sg-06", "SecurityGroups", "group-id", group("sg-06", "vpc-06")),
        ("eni-07", "NetworkInterfaces", "network-interface-id", interface("eni-07", "vpc-07", "")),
        (
            "i-08",
            "NetworkInterfaces",
            "attachment.instance-id",
            interface("eni-08", "vpc-08", attached),
        ),
        ("igw-09", "InternetGateways", "internet-gateway-id", gateway),
        ("pl-10", "RouteTables", "route.destination-prefix-list-id", table("rtb-10", "vpc-10", "")),
        ("pl-10", "SecurityGroups", "ip-permission.prefix-list-id", group("sg-11", "vpc-11")),
    ];
    let listener = Listener::start().await;
    for (id, what, filter, items) in &cases {
        let lines = format!("Action=Describe{what} Filter.1.Name={filter} Filter.1.Value.1={id}");
        listener
            .on(&lines, [ok(format!("<Describe{what}Response>{items}</Describe{what}Response>"))]);
    }
    let ids: Vec<&str> = cases.iter().map(|(id, ..)| *id).collect();
    let vpcs = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"]
        .map(|n| format!("vpc-{n}"));
    let vpcs: Vec<&str> = vpcs.iter().map(String::as_str).collect();
    assert_eq!(resolve(&listener, &ids).await, found(&vpcs, &[]));
}

#[tokio::test]
async fn an_egress_only_gateway_is_found_among_all() {
    let listener = Listener::start().await;
    let gateway = |n: u8| {
        let id = format!("<egressOnlyInternetGatewayId>eigw-0{n}</egressOnlyInternetGatewayId>");
        format!(
            "<item>{id}<attachmentSet><item><vpcId>vpc-0{n}</vpcId></item></attachmentSet></item>"
        )
    };
    let set = "egressOnlyInternetGatewaySet";
    let items = format!("<{set}>{}{}</{set}>", gateway(1), gateway(2));
    let body = format!(
        "<DescribeEgressOnlyInternetGatewaysResponse>{items}</DescribeEgressOnlyInternetGatewaysResponse>"
    );
    listener.on("Action=DescribeEgressOnlyInternetGateways", [ok(body)]);
    assert_eq!(resolve(&listener, &["eigw-02", "eigw-03"]).await, found(&["vpc-02"], &["eigw-03"]));
    assert_eq!(
        fields(&listener.requests()[0]),
        ["Action=DescribeEgressOnlyInternetGateways", "MaxResults=255"]
    );
}

#[tokio::test]
async fn a_vpcs_own_id_takes_no_call() {
    let listener = Listener::start().await;
    assert_eq!(resolve(&listener, &["vpc-0a1"]).await, found(&["vpc-0a1"], &[]));
    assert_eq!(listener.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_nowhere_is_said_to_be_gone_save_a_prefix_list() {
    let listener = Listener::start().await;
    let ids = ["rtb-0c9", "pl-0c9", "tgw-0c9", "eipassoc-0c9", "rtb-0c8"];
    assert_eq!(
        resolve(&listener, &ids).await,
        found(&[], &["rtb-0c9", "tgw-0c9", "eipassoc-0c9", "rtb-0c8"])
    );
    assert_eq!(
        fields(&listener.of("DescribeRouteTables")[0]),
        [
            "Action=DescribeRouteTables",
            "MaxResults=100",
            "Filter.1.Name=route-table-id",
            "Filter.1.Value.1=rtb-0c9",
            "Filter.1.Value.2=rtb-0c8"
        ]
    );
}

#[tokio::test]
async fn a_look_up_that_fails_says_nothing_of_any() {
    let listener = Listener::start().await;
    listener.on("Action=DescribeSubnets", [fault(403, "UnauthorizedOperation", "no")]);
    let ids = ["vpc-0a1", "subnet-0b1"].map(|id| id.parse().unwrap());
    let error = listener.aws().await.resolve(&ids).await.unwrap_err();
    assert_eq!(error.to_string(), "DescribeSubnets: UnauthorizedOperation: no");
}
