use serde_json::json;

use crate::baseline::Mode;
use crate::cloud::Applied;
use crate::ec2::change::{Action, DnsAttribute, NewEndpoint, PrivateDns};
use crate::ec2::cidr::Cidr;
use crate::ec2::id::{Scope, SecurityGroupId};
use crate::ec2::world::Destination;
use crate::plan::{GroupRef, Step, StepId, Task};
use crate::report::commands::RoutesAtStake;

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn scope() -> Scope {
    Scope { account: id("111122223333"), region: id("eu-central-1"), vpc: id("vpc-1") }
}

/// The words between `aws ec2` and the Region.
fn bare(command: &str) -> &str {
    command.strip_prefix("aws ec2 ").unwrap().strip_suffix(" --region eu-central-1").unwrap()
}

/// A step with this action, after these steps.
fn step(action: &Action<GroupRef>, after: &[u32]) -> Step {
    Step {
        id: StepId(9),
        rules: vec![],
        mode: Mode::Repair,
        task: Task::Change(action.clone()),
        after: after.iter().copied().map(StepId).collect(),
        held: None,
    }
}

fn check(action: &Action<GroupRef>, applied: &Applied, does: &str, undoes: Option<&str>) {
    let known = |group: &GroupRef| -> Option<SecurityGroupId> {
        match group {
            GroupRef::Existing(id) => Some(id.clone()),
            GroupRef::MadeBy(step) => (*step == StepId(1)).then(|| id("sg-made")),
        }
    };
    let command = super::of(&step(action, &[]), action, &scope());
    let made = command.strip_prefix("GROUP_9=$(");
    let made = made.and_then(|rest| rest.strip_suffix(" --query GroupId --output text)"));
    assert_eq!(bare(made.unwrap_or(&command)), does);
    let undo = |applied| super::undo(action, applied, &scope(), RoutesAtStake::No, known);
    assert_eq!(undo(applied).as_deref().map(bare), undoes);
    assert_eq!(undo(&Applied::Already), None);
}

#[test]
fn vpc_dns() {
    for (attribute, option) in [
        (DnsAttribute::Support, "enable-dns-support"),
        (DnsAttribute::Hostnames, "enable-dns-hostnames"),
    ] {
        check(
            &Action::EnableVpcDns { vpc: id("vpc-1"), attribute },
            &Applied::Done,
            &format!("modify-vpc-attribute --vpc-id vpc-1 --{option} '{{\"Value\":true}}'"),
            Some(&format!("modify-vpc-attribute --vpc-id vpc-1 --{option} '{{\"Value\":false}}'")),
        );
    }
}

#[test]
fn public_addresses_on_launch() {
    check(
        &Action::DisablePublicIpOnLaunch { subnet: id("subnet-a") },
        &Applied::Done,
        "modify-subnet-attribute --subnet-id subnet-a --no-map-public-ip-on-launch",
        Some("modify-subnet-attribute --subnet-id subnet-a --map-public-ip-on-launch"),
    );
    let attribute = "modify-network-interface-attribute --network-interface-id eni-1";
    let stop = |address: Option<&str>| Action::StopAutomaticAddress {
        interface: id("eni-1"),
        address: address.map(str::to_owned),
    };
    let off = format!("{attribute} --no-associate-public-ip-address");
    let on = format!("{attribute} --associate-public-ip-address");
    check(&stop(Some("198.51.100.7")), &Applied::Done, &off, Some(&on));
    check(&stop(None), &Applied::Done, &off, None);
    check(
        &Action::DisassociateAddress {
            interface: id("eni-1"),
            association: id("eipassoc-1"),
            allocation: id("eipalloc-1"),
            address: "203.0.113.9".to_owned(),
            private: Some("10.0.0.4".to_owned()),
        },
        &Applied::Done,
        "disassociate-address --association-id eipassoc-1",
        Some(
            "associate-address --allocation-id eipalloc-1 --network-interface-id eni-1 \
             --private-ip-address 10.0.0.4 --no-allow-reassociation",
        ),
    );
}

#[test]
fn endpoint_policies() {
    let set = |before: Option<&str>, undoes: &str| {
        check(
            &Action::SetEndpointPolicy {
                endpoint: id("vpce-1"),
                policy: r#"{"Statement":[]}"#.to_owned(),
                before: before.map(str::to_owned),
            },
            &Applied::Done,
            r#"modify-vpc-endpoint --vpc-endpoint-id vpce-1 --policy-document '{"Statement":[]}'"#,
            Some(undoes),
        );
    };
    set(None, "modify-vpc-endpoint --vpc-endpoint-id vpce-1 --reset-policy");
    set(Some("{}"), "modify-vpc-endpoint --vpc-endpoint-id vpce-1 --policy-document '{}'");
}

#[test]
fn security_groups() {
    check(
        &Action::CreateSecurityGroup {
            vpc: id("vpc-1"),
            name: "ours".to_owned(),
            description: "for us".to_owned(),
        },
        &Applied::CreatedGroup(id("sg-made")),
        "create-security-group --vpc-id vpc-1 --group-name ours --description 'for us' --tag-specifications \
         'ResourceType=security-group,Tags=[{Key=vpc-guardrail,Value=created},{Key=Name,Value=ours}]'",
        Some("delete-security-group --group-id sg-made"),
    );
    let permissions = "--ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,IpRanges=[{CidrIp=10.0.0.0/16},\
                       {CidrIp=100.64.0.0/16}],Ipv6Ranges=[{CidrIpv6=2600::/56}]'";
    check(
        &Action::AuthorizeHttps {
            group: GroupRef::MadeBy(StepId(1)),
            cidrs: ["10.0.0.0/16", "2600::/56", "100.64.0.0/16"].map(Cidr::from).to_vec(),
        },
        &Applied::Done,
        &format!(
            "authorize-security-group-ingress --group-id \"${{GROUP_1:?take step 1 first}}\" {permissions}"
        ),
        Some(&format!("revoke-security-group-ingress --group-id sg-made {permissions}")),
    );
    let rule = json!({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]});
    let words = "--group-id sg-own --ip-permissions \
                 '[{\"FromPort\":22,\"IpProtocol\":\"tcp\",\"IpRanges\":[{\"CidrIp\":\"0.0.0.0/0\"}],\"ToPort\":22}]'";
    check(
        &Action::RevokeIngress {
            group: GroupRef::Existing(id("sg-own")),
            rule: serde_json::from_value(rule).unwrap(),
        },
        &Applied::Done,
        &format!("revoke-security-group-ingress {words}"),
        Some(&format!("authorize-security-group-ingress {words}")),
    );
}

#[test]
fn new_endpoints() {
    let create = |kind| Action::CreateEndpoint {
        policy: None,
        vpc: id("vpc-1"),
        service: id("com.amazonaws.eu-central-1.s3"),
        kind,
        token: "token".to_owned(),
    };
    let made = Applied::CreatedEndpoint(id("vpce-made"));
    let tags = "--tag-specifications 'ResourceType=vpc-endpoint,Tags=[{Key=vpc-guardrail,Value=created},\
                {Key=Name,Value=com.amazonaws.eu-central-1.s3}]'";
    check(
        &create(NewEndpoint::Gateway { route_tables: vec![id("rtb-a"), id("rtb-b")] }),
        &made,
        &format!(
            "create-vpc-endpoint --vpc-id vpc-1 --service-name com.amazonaws.eu-central-1.s3 \
             --vpc-endpoint-type Gateway --route-table-ids rtb-a rtb-b {tags}"
        ),
        Some("delete-vpc-endpoints --vpc-endpoint-ids vpce-made"),
    );
    for (private_dns, option) in [
        (PrivateDns::On, "--private-dns-enabled"),
        (PrivateDns::Off, "--no-private-dns-enabled"),
        (
            PrivateDns::OnInTheVpc,
            "--private-dns-enabled --dns-options PrivateDnsOnlyForInboundResolverEndpoint=false",
        ),
    ] {
        check(
            &create(NewEndpoint::Interface {
                subnets: vec![id("subnet-a"), id("subnet-b")],
                groups: vec![GroupRef::Existing(id("sg-own"))],
                private_dns,
            }),
            &made,
            &format!(
                "create-vpc-endpoint --vpc-id vpc-1 --service-name com.amazonaws.eu-central-1.s3 --vpc-endpoint-type \
                 Interface --subnet-ids subnet-a subnet-b --security-group-ids sg-own {option} {tags}"
            ),
            Some("delete-vpc-endpoints --vpc-endpoint-ids vpce-made"),
        );
    }
}

#[test]
fn changed_endpoints() {
    check(
        &Action::ModifyEndpoint {
            endpoint: id("vpce-1"),
            add_route_tables: vec![],
            add_subnets: vec![id("subnet-b")],
            add_groups: vec![GroupRef::MadeBy(StepId(1))],
            private_dns: PrivateDns::On,
        },
        &Applied::Done,
        "modify-vpc-endpoint --vpc-endpoint-id vpce-1 --add-subnet-ids subnet-b --add-security-group-ids \
         \"${GROUP_1:?take step 1 first}\" --private-dns-enabled",
        Some(
            "modify-vpc-endpoint --vpc-endpoint-id vpce-1 --remove-subnet-ids subnet-b --remove-security-group-ids \
             sg-made --no-private-dns-enabled",
        ),
    );
    check(
        &Action::ModifyEndpoint {
            endpoint: id("vpce-1"),
            add_route_tables: vec![id("rtb-a"), id("rtb-b")],
            add_subnets: vec![],
            add_groups: vec![],
            private_dns: PrivateDns::Off,
        },
        &Applied::Done,
        "modify-vpc-endpoint --vpc-endpoint-id vpce-1 --add-route-table-ids rtb-a rtb-b",
        Some("modify-vpc-endpoint --vpc-endpoint-id vpce-1 --remove-route-table-ids rtb-a rtb-b"),
    );
}

#[test]
fn routes_of_every_destination_and_target() {
    let v4 = || Destination::CidrBlock("0.0.0.0/0".into());
    for (destination, destination_option, target, target_option) in [
        (v4(), "--destination-cidr-block 0.0.0.0/0", "nat-1", "--nat-gateway-id nat-1"),
        (
            Destination::Ipv6CidrBlock("::/0".into()),
            "--destination-ipv6-cidr-block ::/0",
            "eigw-1",
            "--egress-only-internet-gateway-id eigw-1",
        ),
        (
            Destination::PrefixList(id("pl-1")),
            "--destination-prefix-list-id pl-1",
            "eni-1",
            "--network-interface-id eni-1",
        ),
        (v4(), "--destination-cidr-block 0.0.0.0/0", "igw-1", "--gateway-id igw-1"),
        (v4(), "--destination-cidr-block 0.0.0.0/0", "vgw-1", "--gateway-id vgw-1"),
        (v4(), "--destination-cidr-block 0.0.0.0/0", "i-1", "--instance-id i-1"),
        (v4(), "--destination-cidr-block 0.0.0.0/0", "tgw-1", "--transit-gateway-id tgw-1"),
        (v4(), "--destination-cidr-block 0.0.0.0/0", "lgw-1", "--local-gateway-id lgw-1"),
        (v4(), "--destination-cidr-block 0.0.0.0/0", "cagw-1", "--carrier-gateway-id cagw-1"),
        (v4(), "--destination-cidr-block 0.0.0.0/0", "vpce-1", "--vpc-endpoint-id vpce-1"),
        (
            v4(),
            "--destination-cidr-block 0.0.0.0/0",
            "arn:aws:networkmanager::1:core-network/c",
            "--core-network-arn arn:aws:networkmanager::1:core-network/c",
        ),
    ] {
        check(
            &Action::DeleteRoute {
                table: id("rtb-a"),
                destination,
                target: target.to_owned().into(),
            },
            &Applied::Done,
            &format!("delete-route --route-table-id rtb-a {destination_option}"),
            Some(&format!(
                "create-route --route-table-id rtb-a {destination_option} {target_option}"
            )),
        );
    }
}

fn nat_route() -> Action<GroupRef> {
    Action::DeleteRoute {
        table: id("rtb-a"),
        destination: Destination::CidrBlock("0.0.0.0/0".into()),
        target: "nat-1".to_owned().into(),
    }
}

#[test]
fn a_single_deletion_insists_on_what_comes_before_it() {
    assert_eq!(
        super::of(&step(&nat_route(), &[3, 4]), &nat_route(), &scope()),
        ": \"${STEP_3_DONE:?see that step 3 is done, then set it to yes}\" \
         \"${STEP_4_DONE:?see that step 4 is done, then set it to yes}\" && \
         aws ec2 delete-route --route-table-id rtb-a --destination-cidr-block 0.0.0.0/0 --region eu-central-1"
    );
}

#[test]
fn what_was_made_is_undone_only_once_the_routes_are_back() {
    let undo = |action: &Action<GroupRef>, applied: &Applied| {
        super::undo(action, applied, &scope(), RoutesAtStake::Yes, |_| None).unwrap()
    };
    assert_eq!(
        undo(&nat_route(), &Applied::Done),
        "aws ec2 create-route --route-table-id rtb-a --destination-cidr-block 0.0.0.0/0 --nat-gateway-id nat-1 \
         --region eu-central-1"
    );
    let create = Action::CreateSecurityGroup {
        vpc: id("vpc-1"),
        name: "ours".to_owned(),
        description: String::new(),
    };
    assert_eq!(
        undo(&create, &Applied::CreatedGroup(id("sg-made"))),
        ": \"${ROUTES_ARE_BACK:?see that each route that this report removes or keeps for later is there, then set it \
         to yes}\" && \
         aws ec2 delete-security-group --group-id sg-made --region eu-central-1"
    );
}
