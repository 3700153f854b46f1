use guardrail::ec2::world::{GroupPair, IpPermission, IpRange};

use super::*;

fn create(name: &str, vpc: &str) -> Request {
    Request::CreateSecurityGroup {
        group_name: name.to_owned(),
        description: "a group".to_owned(),
        vpc_id: id(vpc),
        tags: Vec::new(),
    }
}

fn tcp(port: i32, cidrs: &[&str]) -> IpPermission {
    IpPermission {
        ip_protocol: "tcp".into(),
        from_port: Some(port),
        to_port: Some(port),
        ip_ranges: cidrs
            .iter()
            .map(|cidr| IpRange { cidr_ip: Cidr::from(*cidr), description: None })
            .collect(),
        ..IpPermission::default()
    }
}

fn authorize(group: &str, permissions: &[IpPermission]) -> Request {
    Request::AuthorizeSecurityGroupIngress {
        group_id: id(group),
        ip_permissions: permissions.to_vec(),
    }
}

fn revoke(permissions: &[IpPermission]) -> Request {
    Request::RevokeSecurityGroupIngress {
        group_id: id("sg-web"),
        ip_permissions: permissions.to_vec(),
    }
}

fn permissions(sim: &Sim) -> Vec<IpPermission> {
    let groups = sim.world().security_groups.unwrap();
    groups.into_iter().find(|group| group.group_id == *"sg-web").unwrap().ip_permissions
}

/// "SG name can't begin `sg-`, is case-insensitively unique per VPC: `InvalidGroup.Duplicate`."
#[test]
fn a_name_is_unique_in_its_vpc_whatever_its_case() {
    let mut sim = sim();
    assert_eq!(code(&mut sim, &create("WEB", "vpc-1")), "InvalidGroup.Duplicate");
    assert_eq!(code(&mut sim, &create("sg-web", "vpc-1")), "InvalidParameterValue");
    assert_eq!(code(&mut sim, &create("web", "vpc-9")), "InvalidVpcID.NotFound");
    sim.call(&create("web", "vpc-2")).unwrap();
}

/// "`InvalidPermission.Duplicate` when the rule exists", and none of the call's rules is added
/// then.
#[test]
fn rules_are_added_all_or_none() {
    let mut sim = sim();
    let request = authorize("sg-web", &[tcp(443, &["10.1.0.0/16", "10.0.0.0/16"])]);
    assert_eq!(code(&mut sim, &request), "InvalidPermission.Duplicate");
    sim.call(&authorize("sg-web", &[tcp(443, &["10.1.2.3/16"])])).unwrap();
    assert_eq!(permissions(&sim), [tcp(443, &["10.0.0.0/16", "10.1.0.0/16"])]);
    assert_eq!(code(&mut sim, &authorize("sg-9", &[])), "InvalidGroup.NotFound");
    assert_eq!(
        code(&mut sim, &authorize("sg-web", &[tcp(443, &["anywhere"])])),
        "InvalidParameterValue"
    );
}

/// A rule is its protocol, ports and peer; the protocol has a name and a number.
#[test]
fn a_rule_is_the_same_under_another_spelling() {
    let mut sim = sim();
    let by_number = IpPermission { ip_protocol: "6".into(), ..tcp(443, &["10.0.9.9/16"]) };
    assert_eq!(code(&mut sim, &authorize("sg-web", &[by_number])), "InvalidPermission.Duplicate");
}

/// "The account ID of the referenced security group is returned in the response", and need not be
/// named to revoke.
#[test]
fn a_referenced_group_is_listed_with_its_owner() {
    let mut world = guardrail::ec2::world_file::load(WORLD).unwrap();
    let groups = world.security_groups.iter_mut().flatten();
    groups.for_each(|group| group.owner_id = Some(id("111122223333")));
    let mut sim = Sim::new(world, Default::default(), SimOptions::default());
    let from = |user_id: Option<&str>| {
        let pair =
            GroupPair { group_id: Some(id("sg-default")), user_id: user_id.map(str::to_owned) };
        IpPermission { user_id_group_pairs: vec![pair], ..tcp(80, &[]) }
    };
    let before = permissions(&sim);
    sim.call(&authorize("sg-web", &[from(None)])).unwrap();
    assert_eq!(permissions(&sim).last(), Some(&from(Some("111122223333"))));
    sim.call(&revoke(&[from(None)])).unwrap();
    assert_eq!(permissions(&sim), before);
}

/// "`InvalidPermission.NotFound` on revoke."
#[test]
fn a_rule_that_is_not_there_cannot_be_revoked() {
    let mut sim = sim();
    sim.call(&authorize("sg-web", &[tcp(22, &["10.0.0.0/16"])])).unwrap();
    let one_too_many = revoke(&[tcp(443, &["10.0.0.0/16"]), tcp(80, &["10.0.0.0/16"])]);
    assert_eq!(code(&mut sim, &one_too_many), "InvalidPermission.NotFound");
    sim.call(&revoke(&[tcp(443, &["10.0.0.0/16"])])).unwrap();
    assert_eq!(permissions(&sim), [tcp(22, &["10.0.0.0/16"])]);
}

/// "SG rules per direction: 60": `RulesPerSecurityGroupLimitExceeded`.
#[test]
fn a_group_is_full() {
    let mut sim = sim();
    for port in 1..60 {
        sim.call(&authorize("sg-web", &[tcp(port, &["10.0.0.0/16"])])).unwrap();
    }
    let one_more = authorize("sg-web", &[tcp(8443, &["10.0.0.0/16"])]);
    assert_eq!(code(&mut sim, &one_more), "RulesPerSecurityGroupLimitExceeded");
}
