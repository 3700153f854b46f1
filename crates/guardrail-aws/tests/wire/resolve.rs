//! From ids to VPCs.

use guardrail_aws::Resolved;

use crate::listener::{Listener, fault, fields, ok};

async fn resolve(listener: &Listener, ids: &[&str]) -> Resolved {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    listener.aws(&[]).await.resolve(&ids).await.unwrap()
}

fn found(vpcs: &[&str], gone: &[&str]) -> Resolved {
    Resolved {
        vpcs: vpcs.iter().map(|id| id.parse().unwrap()).collect(),
        gone: gone.iter().map(|id| (*id).to_owned()).collect(),
    }
}

/// What AWS says when asked for this id by this filter.
fn listener_with<'a>(listener: &'a Listener, action: &str, filter: &str, id: &str, items: &str) -> &'a Listener {
    let lines = format!("Action={action} Filter.1.Name={filter} Filter.1.Value.1={id}");
    listener.on(&lines, [ok(format!("<{action}Response>{items}</{action}Response>"))])
}

#[tokio::test]
async fn every_kind_of_id_leads_to_its_vpc() {
    let association =
        "<associationSet><item><routeTableAssociationId>rtbassoc-02</routeTableAssociationId></item></associationSet>";
    let cases = [
        ("rtb-01", "DescribeRouteTables", "route-table-id", "<routeTableSet><item><routeTableId>rtb-01</routeTableId><vpcId>vpc-01</vpcId></item></routeTableSet>".to_owned()),
        ("rtbassoc-02", "DescribeRouteTables", "association.route-table-association-id", format!("<routeTableSet><item><routeTableId>rtb-02</routeTableId><vpcId>vpc-02</vpcId>{association}</item></routeTableSet>")),
        ("subnet-03", "DescribeSubnets", "subnet-id", "<subnetSet><item><subnetId>subnet-03</subnetId><vpcId>vpc-03</vpcId><availabilityZone>eu-central-1a</availabilityZone></item></subnetSet>".to_owned()),
        ("vpce-04", "DescribeVpcEndpoints", "vpc-endpoint-id", "<vpcEndpointSet><item><vpcEndpointId>vpce-04</vpcEndpointId><vpcId>vpc-04</vpcId><state>deleting</state></item></vpcEndpointSet>".to_owned()),
        ("nat-05", "DescribeNatGateways", "nat-gateway-id", "<natGatewaySet><item><natGatewayId>nat-05</natGatewayId><vpcId>vpc-05</vpcId></item></natGatewaySet>".to_owned()),
        ("sg-06", "DescribeSecurityGroups", "group-id", "<securityGroupInfo><item><groupId>sg-06</groupId><vpcId>vpc-06</vpcId></item></securityGroupInfo>".to_owned()),
        ("eni-07", "DescribeNetworkInterfaces", "network-interface-id", "<networkInterfaceSet><item><networkInterfaceId>eni-07</networkInterfaceId><vpcId>vpc-07</vpcId></item></networkInterfaceSet>".to_owned()),
        ("i-08", "DescribeNetworkInterfaces", "attachment.instance-id", "<networkInterfaceSet><item><networkInterfaceId>eni-08</networkInterfaceId><vpcId>vpc-08</vpcId><attachment><instanceId>i-08</instanceId></attachment></item></networkInterfaceSet>".to_owned()),
        ("igw-09", "DescribeInternetGateways", "internet-gateway-id", "<internetGatewaySet><item><internetGatewayId>igw-09</internetGatewayId><attachmentSet><item><vpcId>vpc-09</vpcId></item></attachmentSet></item></internetGatewaySet>".to_owned()),
        ("pl-10", "DescribeRouteTables", "route.destination-prefix-list-id", "<routeTableSet><item><routeTableId>rtb-10</routeTableId><vpcId>vpc-10</vpcId></item></routeTableSet>".to_owned()),
        ("pl-10", "DescribeSecurityGroups", "ip-permission.prefix-list-id", "<securityGroupInfo><item><groupId>sg-11</groupId><vpcId>vpc-11</vpcId></item></securityGroupInfo>".to_owned()),
    ];
    let listener = Listener::start().await;
    for (id, action, filter, items) in &cases {
        listener_with(&listener, action, filter, id, items);
    }
    let ids: Vec<&str> = cases.iter().map(|(id, ..)| *id).collect();
    let vpcs = ["01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11"].map(|n| format!("vpc-{n}"));
    let vpcs: Vec<&str> = vpcs.iter().map(String::as_str).collect();
    assert_eq!(resolve(&listener, &ids).await, found(&vpcs, &[]));
}

#[tokio::test]
async fn an_egress_only_gateway_is_found_among_all() {
    let listener = Listener::start().await;
    let item = |n: u8| {
        format!(
            "<item><egressOnlyInternetGatewayId>eigw-0{n}</egressOnlyInternetGatewayId><attachmentSet><item><vpcId>vpc-0{n}</vpcId></item></attachmentSet></item>"
        )
    };
    let items = format!("<egressOnlyInternetGatewaySet>{}{}</egressOnlyInternetGatewaySet>", item(1), item(2));
    let body =
        format!("<DescribeEgressOnlyInternetGatewaysResponse>{items}</DescribeEgressOnlyInternetGatewaysResponse>");
    listener.on("Action=DescribeEgressOnlyInternetGateways", [ok(body)]);
    assert_eq!(resolve(&listener, &["eigw-02", "eigw-03"]).await, found(&["vpc-02"], &["eigw-03"]));
    assert_eq!(fields(&listener.requests()[0]), ["Action=DescribeEgressOnlyInternetGateways", "MaxResults=255"]);
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
    let ids = ["rtb-0c9", "pl-0c9", "acl-0c9", "{{ RouteTableId }}", "rtb-0c8"];
    assert_eq!(resolve(&listener, &ids).await, found(&[], &["rtb-0c9", "acl-0c9", "{{ RouteTableId }}", "rtb-0c8"]));
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
    let ids = ["vpc-0a1".to_owned(), "subnet-0b1".to_owned()];
    let error = listener.aws(&[]).await.resolve(&ids).await.unwrap_err();
    assert_eq!(error.to_string(), "DescribeSubnets: UnauthorizedOperation: no");
}
