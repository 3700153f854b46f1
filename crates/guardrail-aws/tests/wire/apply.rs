//! Changes: the whole form of each, and what comes of each answer.

use guardrail::cloud::{Answer as CloudAnswer, Applied, CallError, Cloud, ErrorClass};
use guardrail::ec2::change::{Call, DnsAttribute, NewEndpoint, PrivateDns};
use guardrail::ec2::id::Scope;
use guardrail::ec2::world::Destination;

use crate::listener::{Answer, Listener, fault, fields, ok, scope};

pub(crate) fn gateway() -> Call {
    Call::CreateEndpoint {
        policy: None,
        vpc: scope().vpc,
        service: "com.amazonaws.eu-central-1.s3".parse().unwrap(),
        kind: NewEndpoint::Gateway {
            route_tables: ["rtb-0c1", "rtb-0c2"].map(|id| id.parse().unwrap()).to_vec(),
        },
        token: "token-1".to_owned(),
    }
}

pub(crate) fn interface() -> Call {
    Call::CreateEndpoint {
        policy: None,
        vpc: scope().vpc,
        service: "com.amazonaws.eu-central-1.ssm".parse().unwrap(),
        kind: NewEndpoint::Interface {
            subnets: ["subnet-0b1", "subnet-0b2"].map(|id| id.parse().unwrap()).to_vec(),
            groups: vec!["sg-0a1".parse().unwrap()],
            private_dns: PrivateDns::Off,
        },
        token: "token-2".to_owned(),
    }
}

pub(crate) fn modify() -> Call {
    Call::ModifyEndpoint {
        endpoint: "vpce-0d1".parse().unwrap(),
        add_route_tables: vec!["rtb-0c1".parse().unwrap()],
        add_subnets: vec!["subnet-0b1".parse().unwrap()],
        add_groups: vec!["sg-0a1".parse().unwrap()],
        private_dns: PrivateDns::On,
    }
}

pub(crate) fn group() -> Call {
    Call::CreateSecurityGroup {
        vpc: scope().vpc,
        name: "vpc-guardrail-endpoints".to_owned(),
        description: "HTTPS to the endpoints".to_owned(),
    }
}

pub(crate) fn authorize() -> Call {
    let cidrs = ["10.0.0.0/16", "2600:1f16:abc::/56", "100.64.0.0/16"].map(Into::into).to_vec();
    Call::AuthorizeHttps { group: "sg-0a1".parse().unwrap(), cidrs }
}

pub(crate) fn revoke() -> Call {
    let rule = serde_json::json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
        "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "mine"}]});
    let rule = serde_json::from_value(rule).unwrap();
    Call::RevokeIngress { group: "sg-0a1".parse().unwrap(), rule }
}

pub(crate) fn dns(attribute: DnsAttribute) -> Call {
    Call::EnableVpcDns { vpc: scope().vpc, attribute }
}

pub(crate) fn public_ip() -> Call {
    Call::DisablePublicIpOnLaunch { subnet: "subnet-0b1".parse().unwrap() }
}

pub(crate) fn automatic_address() -> Call {
    let interface = "eni-0f1".parse().unwrap();
    Call::StopAutomaticAddress { interface, address: Some("198.51.100.7".to_owned()) }
}

pub(crate) fn elastic_address() -> Call {
    Call::DisassociateAddress {
        interface: "eni-0f1".parse().unwrap(),
        association: "eipassoc-0f2".parse().unwrap(),
        allocation: "eipalloc-0f3".parse().unwrap(),
        address: "203.0.113.9".to_owned(),
        private: None,
    }
}

pub(crate) fn delete(destination: Destination) -> Call {
    Call::DeleteRoute {
        table: "rtb-0c1".parse().unwrap(),
        destination,
        target: "nat-0e1".to_owned().into(),
    }
}

fn to(cidr: &str) -> Destination {
    Destination::CidrBlock(cidr.into())
}

fn made_endpoint(id: &str) -> Answer {
    let endpoint = format!("<vpcEndpoint><vpcEndpointId>{id}</vpcEndpointId></vpcEndpoint>");
    ok(format!("<CreateVpcEndpointResponse>{endpoint}</CreateVpcEndpointResponse>"))
}

/// Makes the call; gives back what came of it, and every request that it took.
async fn apply<const N: usize>(
    call: &Call,
    answers: [Answer; N],
) -> (Result<Applied, CallError>, Vec<String>) {
    let listener = Listener::start().await;
    listener.on("", answers);
    let answer = listener.aws().await.apply(&scope(), call).await;
    (answer.outcome, listener.requests())
}

/// The fields of the one request that this call takes when all goes well.
async fn form(call: &Call, answer: Answer) -> Vec<String> {
    let (applied, requests) = apply(call, [answer]).await;
    assert!(applied.is_ok(), "{applied:?}");
    assert_eq!(requests.len(), 1);
    fields(&requests[0]).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_rule_is_revoked_to_the_letter() {
    let answer = "<RevokeSecurityGroupIngressResponse><return>true</return>\
                  </RevokeSecurityGroupIngressResponse>";
    assert_eq!(
        form(&revoke(), ok(answer)).await,
        [
            "Action=RevokeSecurityGroupIngress",
            "GroupId=sg-0a1",
            "IpPermissions.1.IpProtocol=tcp",
            "IpPermissions.1.FromPort=22",
            "IpPermissions.1.ToPort=22",
            "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0",
        ]
    );
}

#[tokio::test]
async fn a_policy_is_set_and_nothing_else_of_the_endpoint() {
    let answer = "<ModifyVpcEndpointResponse><return>true</return></ModifyVpcEndpointResponse>";
    let call = Call::SetEndpointPolicy {
        endpoint: "vpce-0d1".parse().unwrap(),
        policy: "{}".to_owned(),
        before: None,
    };
    assert_eq!(
        form(&call, ok(answer)).await,
        ["Action=ModifyVpcEndpoint", "VpcEndpointId=vpce-0d1", "PolicyDocument={}"]
    );
}

#[tokio::test]
async fn public_addresses_on_launch_are_turned_off() {
    let answer =
        "<ModifySubnetAttributeResponse><return>true</return></ModifySubnetAttributeResponse>";
    assert_eq!(
        form(&public_ip(), ok(answer)).await,
        ["Action=ModifySubnetAttribute", "MapPublicIpOnLaunch.Value=false", "SubnetId=subnet-0b1"]
    );
}

#[tokio::test]
async fn addresses_are_taken_away() {
    let answer = "<ModifyNetworkInterfaceAttributeResponse><return>true</return>\
                  </ModifyNetworkInterfaceAttributeResponse>";
    assert_eq!(
        form(&automatic_address(), ok(answer)).await,
        [
            "Action=ModifyNetworkInterfaceAttribute",
            "AssociatePublicIpAddress=false",
            "NetworkInterfaceId=eni-0f1"
        ]
    );
    let answer = "<DisassociateAddressResponse><return>true</return></DisassociateAddressResponse>";
    assert_eq!(
        form(&elastic_address(), ok(answer)).await,
        ["Action=DisassociateAddress", "AssociationId=eipassoc-0f2"]
    );
}

#[tokio::test]
async fn dns_attributes_are_turned_on_one_at_a_time() {
    let answer = "<ModifyVpcAttributeResponse><return>true</return></ModifyVpcAttributeResponse>";
    assert_eq!(
        form(&dns(DnsAttribute::Support), ok(answer)).await,
        ["Action=ModifyVpcAttribute", "EnableDnsSupport.Value=true", "VpcId=vpc-0a1"]
    );
    assert_eq!(
        form(&dns(DnsAttribute::Hostnames), ok(answer)).await,
        ["Action=ModifyVpcAttribute", "EnableDnsHostnames.Value=true", "VpcId=vpc-0a1"]
    );
}

#[tokio::test]
async fn a_group_is_made_with_its_tags() {
    let answer =
        "<CreateSecurityGroupResponse><groupId>sg-0a7</groupId></CreateSecurityGroupResponse>";
    assert_eq!(
        form(&group(), ok(answer)).await,
        [
            "Action=CreateSecurityGroup",
            "GroupDescription=HTTPS to the endpoints",
            "GroupName=vpc-guardrail-endpoints",
            "VpcId=vpc-0a1",
            "TagSpecification.1.ResourceType=security-group",
            "TagSpecification.1.Tag.1.Key=vpc-guardrail",
            "TagSpecification.1.Tag.1.Value=created",
            "TagSpecification.1.Tag.2.Key=Name",
            "TagSpecification.1.Tag.2.Value=vpc-guardrail-endpoints",
        ]
    );
    let (applied, _) = apply(&group(), [ok(answer)]).await;
    assert_eq!(applied, Ok(Applied::CreatedGroup("sg-0a7".parse().unwrap())));
}

#[tokio::test]
async fn https_is_admitted_from_both_kinds_of_block() {
    let answer = "<AuthorizeSecurityGroupIngressResponse><return>true</return></AuthorizeSecurityGroupIngressResponse>";
    assert_eq!(
        form(&authorize(), ok(answer)).await,
        [
            "Action=AuthorizeSecurityGroupIngress",
            "GroupId=sg-0a1",
            "IpPermissions.1.IpProtocol=tcp",
            "IpPermissions.1.FromPort=443",
            "IpPermissions.1.ToPort=443",
            "IpPermissions.1.IpRanges.1.Description=HTTPS from the VPC to its endpoints",
            "IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0/16",
            "IpPermissions.1.IpRanges.2.Description=HTTPS from the VPC to its endpoints",
            "IpPermissions.1.IpRanges.2.CidrIp=100.64.0.0/16",
            "IpPermissions.1.Ipv6Ranges.1.Description=HTTPS from the VPC to its endpoints",
            "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=2600:1f16:abc::/56",
        ]
    );
}

#[tokio::test]
async fn a_gateway_endpoint_is_made_with_type_token_and_tags() {
    assert_eq!(
        form(&gateway(), made_endpoint("vpce-0d7")).await,
        [
            "Action=CreateVpcEndpoint",
            "VpcEndpointType=Gateway",
            "VpcId=vpc-0a1",
            "ServiceName=com.amazonaws.eu-central-1.s3",
            "RouteTableId.1=rtb-0c1",
            "RouteTableId.2=rtb-0c2",
            "ClientToken=token-1",
            "TagSpecification.1.ResourceType=vpc-endpoint",
            "TagSpecification.1.Tag.1.Key=vpc-guardrail",
            "TagSpecification.1.Tag.1.Value=created",
            "TagSpecification.1.Tag.2.Key=Name",
            "TagSpecification.1.Tag.2.Value=com.amazonaws.eu-central-1.s3",
        ]
    );
    let (applied, _) = apply(&gateway(), [made_endpoint("vpce-0d7")]).await;
    assert_eq!(applied, Ok(Applied::CreatedEndpoint("vpce-0d7".parse().unwrap())));
}

#[tokio::test]
async fn an_interface_endpoint_says_whether_private_dns_is_on() {
    assert_eq!(
        form(&interface(), made_endpoint("vpce-0d8")).await,
        [
            "Action=CreateVpcEndpoint",
            "VpcEndpointType=Interface",
            "VpcId=vpc-0a1",
            "ServiceName=com.amazonaws.eu-central-1.ssm",
            "SubnetId.1=subnet-0b1",
            "SubnetId.2=subnet-0b2",
            "SecurityGroupId.1=sg-0a1",
            "ClientToken=token-2",
            "PrivateDnsEnabled=false",
            "TagSpecification.1.ResourceType=vpc-endpoint",
            "TagSpecification.1.Tag.1.Key=vpc-guardrail",
            "TagSpecification.1.Tag.1.Value=created",
            "TagSpecification.1.Tag.2.Key=Name",
            "TagSpecification.1.Tag.2.Value=com.amazonaws.eu-central-1.ssm",
        ]
    );
}

/// Left out, the option is true for S3, and then the name does not act in the VPC; for every other
/// service AWS refuses it.
#[tokio::test]
async fn an_interface_endpoint_for_s3_says_that_its_name_is_not_for_inbound_resolvers_only() {
    let said = |form: Vec<String>| -> Vec<String> {
        let about =
            |field: &String| field.starts_with("DnsOptions") || field.starts_with("PrivateDns");
        form.into_iter().filter(about).collect()
    };
    for (private_dns, fields) in [
        (PrivateDns::Off, &["PrivateDnsEnabled=false"][..]),
        (PrivateDns::On, &["PrivateDnsEnabled=true"]),
        (
            PrivateDns::OnInTheVpc,
            &[
                "PrivateDnsEnabled=true",
                "DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint=false",
            ],
        ),
    ] {
        let create = Call::CreateEndpoint {
            policy: None,
            vpc: scope().vpc,
            service: "com.amazonaws.eu-central-1.s3".parse().unwrap(),
            kind: NewEndpoint::Interface { subnets: vec![], groups: vec![], private_dns },
            token: "token-3".to_owned(),
        };
        let mut made = said(form(&create, made_endpoint("vpce-0d8")).await);
        let mut wanted: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        made.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(made, wanted);
    }
}

#[tokio::test]
async fn an_endpoint_is_changed_in_one_call_by_what_is_named_only() {
    let answer = "<ModifyVpcEndpointResponse><return>true</return></ModifyVpcEndpointResponse>";
    assert_eq!(
        form(&modify(), ok(answer)).await,
        [
            "Action=ModifyVpcEndpoint",
            "VpcEndpointId=vpce-0d1",
            "AddRouteTableId.1=rtb-0c1",
            "AddSubnetId.1=subnet-0b1",
            "AddSecurityGroupId.1=sg-0a1",
            "PrivateDnsEnabled=true",
        ]
    );
    let only_a_table = Call::ModifyEndpoint {
        endpoint: "vpce-0d1".parse().unwrap(),
        add_route_tables: vec!["rtb-0c1".parse().unwrap()],
        add_subnets: vec![],
        add_groups: vec![],
        private_dns: PrivateDns::Off,
    };
    assert_eq!(
        form(&only_a_table, ok(answer)).await,
        ["Action=ModifyVpcEndpoint", "VpcEndpointId=vpce-0d1", "AddRouteTableId.1=rtb-0c1"]
    );
}

#[tokio::test]
async fn a_route_is_deleted_by_its_one_destination_to_the_letter() {
    let answer = "<DeleteRouteResponse><return>true</return></DeleteRouteResponse>";
    let cases = [
        (to("0.0.0.0/0"), "DestinationCidrBlock=0.0.0.0/0"),
        (
            Destination::Ipv6CidrBlock("64:FF9B::/96".into()),
            "DestinationIpv6CidrBlock=64:FF9B::/96",
        ),
        (Destination::PrefixList("pl-0ccc".parse().unwrap()), "DestinationPrefixListId=pl-0ccc"),
    ];
    for (destination, field) in cases {
        let mut form = form(&delete(destination), ok(answer)).await;
        form.sort();
        assert_eq!(form, ["Action=DeleteRoute", field, "RouteTableId=rtb-0c1"]);
    }
}

#[tokio::test]
async fn what_is_so_already_is_no_error() {
    let gone =
        fault(400, "InvalidRoute.NotFound", "no route with destination-cidr-block 0.0.0.0/0");
    assert_eq!(apply(&delete(to("0.0.0.0/0")), [gone]).await.0, Ok(Applied::Already));
    let duplicate = || fault(400, "InvalidPermission.Duplicate", "already exists");
    let Call::AuthorizeHttps { group, mut cidrs } = authorize() else { panic!("another call") };
    let several = Call::AuthorizeHttps { group: group.clone(), cidrs: cidrs.clone() };
    assert_eq!(
        apply(&several, [duplicate()]).await.0.map_err(|error| error.class),
        Err(ErrorClass::Transient)
    );
    cidrs.truncate(1);
    let one = Call::AuthorizeHttps { group, cidrs };
    assert_eq!(apply(&one, [duplicate()]).await.0, Ok(Applied::Already));
}

#[tokio::test]
async fn a_refusal_keeps_awss_words() {
    let refused =
        fault(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
    let (applied, requests) = apply(&gateway(), [refused]).await;
    let error = CallError {
        operation: "CreateVpcEndpoint".to_owned(),
        class: ErrorClass::Denied,
        code: Some("UnauthorizedOperation".to_owned()),
        message: "You are not authorized to perform this operation.".to_owned(),
    };
    assert_eq!((applied, requests.len()), (Err(error), 1));
}

/// CloudTrail's record of the call has it too.
#[tokio::test]
async fn the_id_that_ec2_gave_the_request_comes_with_every_answer() {
    let calls = [
        (dns(DnsAttribute::Support), ok("<ModifyVpcAttributeResponse/>")),
        (
            group(),
            ok(
                "<CreateSecurityGroupResponse><groupId>sg-0a7</groupId></CreateSecurityGroupResponse>",
            ),
        ),
        (authorize(), ok("<AuthorizeSecurityGroupIngressResponse/>")),
        (gateway(), made_endpoint("vpce-0d7")),
        (interface(), made_endpoint("vpce-0d8")),
        (modify(), ok("<ModifyVpcEndpointResponse/>")),
        (delete(to("0.0.0.0/0")), ok("<DeleteRouteResponse/>")),
        (public_ip(), ok("<ModifySubnetAttributeResponse/>")),
    ];
    for (call, good) in calls {
        let refused = fault(403, "UnauthorizedOperation", "no");
        for (given, is_done) in [(good, true), (refused, false)] {
            let listener = Listener::start().await;
            listener.on("", [given.with_id("6f0a-11")]);
            let answer = listener.aws().await.apply(&scope(), &call).await;
            assert_eq!(
                (answer.outcome.is_ok(), answer.request_id.as_deref()),
                (is_done, Some("6f0a-11")),
                "{call:?}"
            );
        }
    }
    let gone = fault(400, "InvalidRoute.NotFound", "no route").with_id("6f0a-12");
    let listener = Listener::start().await;
    listener.on("", [gone]);
    let answer = listener.aws().await.apply(&scope(), &delete(to("0.0.0.0/0"))).await;
    let wanted =
        CloudAnswer { outcome: Ok(Applied::Already), request_id: Some("6f0a-12".to_owned()) };
    assert_eq!(answer, wanted);
}

/// The answer has the id of one request: of a call that was tried twice, CloudTrail tells twice.
#[tokio::test]
async fn a_change_is_sent_once_whatever_comes_back() {
    for call in [gateway(), modify(), delete(to("0.0.0.0/0"))] {
        for (refused, class) in [
            (fault(503, "RequestLimitExceeded", "Request limit exceeded."), ErrorClass::Throttled),
            (fault(500, "InternalError", "An internal error has occurred."), ErrorClass::Transient),
        ] {
            let (applied, requests) = apply(&call, [refused]).await;
            assert_eq!((applied.unwrap_err().class, requests.len()), (class, 1), "{call:?}");
        }
    }
}

/// The SDK stops trying again once a hundred tries were for nothing; reads are not to pay for changes.
#[tokio::test]
async fn failures_of_changes_use_up_no_reads_tries() {
    let listener = Listener::start().await;
    let throttled = || fault(503, "RequestLimitExceeded", "Request limit exceeded.");
    listener.on("Action=ModifyVpcEndpoint", [throttled()]).on("Action=DescribeVpcs", [throttled()]);
    let aws = listener.aws().await;
    for _ in 0..120 {
        aws.apply(&scope(), &modify()).await.outcome.unwrap_err();
    }
    assert_eq!(listener.of("ModifyVpcEndpoint").len(), 120);
    aws.managed_vpcs(&guardrail::baseline::ManagedVpcs::All).await.unwrap_err();
    assert_eq!(listener.of("DescribeVpcs").len(), 3);
}

#[tokio::test]
async fn an_endpoint_without_an_id_was_not_seen_to_be_made() {
    let (applied, _) = apply(&gateway(), [ok("<CreateVpcEndpointResponse/>")]).await;
    assert_eq!(
        applied.unwrap_err().to_string(),
        "CreateVpcEndpoint: `` is not the id of a VPC endpoint; it should look like `vpce-0123456789abcdef0`"
    );
}

#[tokio::test]
async fn nothing_is_changed_in_another_region_or_account() {
    let listener = Listener::start().await;
    let far = Scope { region: "us-east-1".parse().unwrap(), ..scope() };
    let other = Scope { account: "444455556666".parse().unwrap(), ..scope() };
    for elsewhere in [far, other] {
        let answer = listener.aws().await.apply(&elsewhere, &gateway()).await;
        assert_eq!(answer.outcome.unwrap_err().class, ErrorClass::Invalid);
        assert_eq!(answer.request_id, None);
    }
    assert_eq!(listener.requests(), Vec::<String>::new());
}
