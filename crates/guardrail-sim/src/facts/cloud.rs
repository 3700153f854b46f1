//! The simulator behind the guardrail's seam.

use guardrail::cloud::{Applied, Carried, Cloud, ErrorClass, NatTraffic, Observation};
use guardrail::ec2::change::{Call, DnsAttribute, NewEndpoint, PrivateDns};
use guardrail::ec2::id::Scope;
use guardrail::ec2::snapshot::Section;
use pollster::block_on;

use super::*;
use crate::{Fault, SimCloud};

fn scope() -> Scope {
    Scope { account: id("111122223333"), region: id("eu-central-1"), vpc: id("vpc-1") }
}

fn apply(cloud: &SimCloud, call: &Call) -> Result<Applied, ErrorClass> {
    block_on(cloud.apply(&scope(), call)).outcome.map_err(|error| error.class)
}

fn observe(cloud: &SimCloud, sections: &[Section]) -> Observation {
    block_on(cloud.observe(&scope(), sections))
}

#[test]
fn one_vpc_is_observed_whole_and_alone_page_by_page() {
    let cloud = SimCloud::new(sim_with(SimOptions { page_size: 1, ..SimOptions::default() }));
    let seen = observe(&cloud, &Section::ALL);
    assert_eq!(seen.unread, []);
    let mut expected = cloud.sim().world();
    expected.account_id = Some(id("111122223333"));
    let own = |vpc: &str| vpc == "vpc-1";
    expected.vpcs.as_mut().unwrap().retain(|vpc| own(vpc.vpc_id.as_str()));
    expected.subnets.as_mut().unwrap().retain(|subnet| own(subnet.vpc_id.as_str()));
    expected.route_tables.as_mut().unwrap().retain(|table| own(table.vpc_id.as_str()));
    expected
        .security_groups
        .as_mut()
        .unwrap()
        .retain(|group| own(group.vpc_id.as_ref().unwrap().as_str()));
    let acls = expected.network_acls.as_mut().unwrap();
    acls.retain(|acl| own(acl.vpc_id.as_ref().unwrap().as_str()));
    expected.internet_gateways.as_mut().unwrap().retain(|it| own(it.vpc().unwrap().as_str()));
    let egress_only = expected.egress_only_internet_gateways.as_mut().unwrap();
    egress_only.retain(|gateway| own(gateway.vpc().unwrap().as_str()));
    expected.vpc_attributes.as_mut().unwrap().retain(|vpc, _| own(vpc.as_str()));
    let s3 = &mut expected.prefix_lists.as_mut().unwrap()[0];
    let entry = |cidr: Cidr| guardrail::ec2::world::PrefixListEntry { cidr, description: None };
    s3.entries = s3.cidrs.take().map(|cidrs| cidrs.into_iter().map(entry).collect());
    assert_eq!(seen.world, expected);
    assert!(cloud.sim().calls().iter().all(|call| !call.is_write()));
}

#[test]
fn it_says_of_nat_gateways_what_it_was_given_and_makes_no_call() {
    let told = |nat: &str| NatTraffic { nat: id(nat), carried: Carried::NoData };
    let mut sim = sim();
    sim.set_traffic(vec![told("nat-1"), told("nat-2")]);
    let cloud = SimCloud::new(sim);
    let carried = |nats: &[&str]| block_on(cloud.carried(&scope(), &ids(nats)));
    assert_eq!(carried(&["nat-1", "nat-3"]), [told("nat-1")]);
    assert_eq!(carried(&[]), []);
    assert!(cloud.sim().calls().is_empty());
}

/// "Since 30 Oct 2024 an endpoint's SG may have a different `VpcId` than the endpoint."
#[test]
fn a_group_of_another_vpc_is_read_where_an_endpoint_has_it() {
    let mut sim = sim();
    let change = crate::ModifyVpcEndpoint {
        add_security_group_ids: ids(&["sg-x"]),
        ..crate::ModifyVpcEndpoint::new(id("vpce-ssm"))
    };
    sim.call(&Request::ModifyVpcEndpoint(Box::new(change))).unwrap();
    let seen =
        observe(&SimCloud::new(sim), &[Section::SecurityGroups]).world.security_groups.unwrap();
    let names: Vec<_> = seen.iter().map(|group| group.group_id.as_str()).collect();
    assert_eq!(names, ["sg-default", "sg-web", "sg-x"]);
}

#[test]
fn a_section_that_was_not_read_in_full_is_absent_and_says_why() {
    let cloud = SimCloud::new(sim_with(SimOptions { page_size: 1, ..SimOptions::default() }));
    cloud.sim_mut().inject(Fault::refuse("DescribeSubnets", "UnauthorizedOperation"));
    let seen = observe(&cloud, &[Section::Vpcs, Section::Subnets]);
    assert!(seen.world.has(Section::Vpcs) && !seen.world.has(Section::Subnets));
    let unread: Vec<_> = seen
        .unread
        .iter()
        .map(|u| (u.section, u.error.class, u.error.operation.as_str()))
        .collect();
    assert_eq!(unread, [(Section::Subnets, ErrorClass::Denied, "DescribeSubnets")]);
}

#[test]
fn each_change_is_one_call_and_a_second_time_is_already_so() {
    let cloud = SimCloud::new(sim());
    let delete = Call::DeleteRoute {
        table: id("rtb-a"),
        destination: v4("0.0.0.0/0"),
        target: "nat-1".to_owned().into(),
    };
    assert_eq!(apply(&cloud, &delete), Ok(Applied::Done));
    assert_eq!(apply(&cloud, &delete), Ok(Applied::Already));
    let dns = Call::EnableVpcDns { vpc: id("vpc-2"), attribute: DnsAttribute::Hostnames };
    assert_eq!(apply(&cloud, &dns), Ok(Applied::Done));
    let group = Call::CreateSecurityGroup {
        vpc: id("vpc-1"),
        name: "vpc-guardrail-endpoints".to_owned(),
        description: "for endpoints".to_owned(),
    };
    let Ok(Applied::CreatedGroup(group_id)) = apply(&cloud, &group) else { panic!() };
    assert_eq!(apply(&cloud, &group), Ok(Applied::Already));
    let admit = |cidrs: &[&str]| Call::AuthorizeHttps {
        group: group_id.clone(),
        cidrs: cidrs.iter().copied().map(Cidr::from).collect(),
    };
    assert_eq!(apply(&cloud, &admit(&["10.0.0.0/16", "2600:1f16::/56"])), Ok(Applied::Done));
    assert_eq!(apply(&cloud, &admit(&["10.0.0.0/16"])), Ok(Applied::Already));
    assert_eq!(apply(&cloud, &admit(&["10.0.0.0/16", "10.9.0.0/16"])), Err(ErrorClass::Transient));
    let writes = cloud.sim().calls().iter().filter(|call| call.is_write()).count();
    assert_eq!(writes, 8);
}

#[test]
fn endpoints_are_made_and_changed_as_the_call_says() {
    let cloud = SimCloud::new(sim());
    let create = Call::CreateEndpoint {
        policy: None,
        vpc: id("vpc-1"),
        service: id(KMS),
        kind: NewEndpoint::Interface {
            subnets: ids(&["subnet-a1"]),
            groups: ids(&["sg-web"]),
            private_dns: PrivateDns::On,
        },
        token: "once".to_owned(),
    };
    let Ok(Applied::CreatedEndpoint(endpoint_id)) = apply(&cloud, &create) else { panic!() };
    block_on(cloud.pause(seconds(90)));
    let modify = Call::ModifyEndpoint {
        endpoint: endpoint_id.clone(),
        add_route_tables: Vec::new(),
        add_subnets: ids(&["subnet-b1"]),
        add_groups: ids(&["sg-default"]),
        private_dns: PrivateDns::Off,
    };
    assert_eq!(apply(&cloud, &modify), Ok(Applied::Done));
    let made = endpoint(&cloud.sim(), endpoint_id.as_str()).unwrap();
    assert_eq!(names(&made.subnet_ids), ["subnet-a1", "subnet-b1"]);
    assert_eq!((made.groups.len(), made.private_dns_enabled, made.tags.len()), (2, true, 2));
    assert_eq!(cloud.now(), "2026-11-22T12:01:30Z".parse().unwrap());
}
