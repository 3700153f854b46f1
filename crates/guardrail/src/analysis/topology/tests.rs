use serde_json::json;

use crate::ec2::snapshot::Section;
use crate::fixture::{Fixture, table};

/// Each subnet: what it is, its table, and how it is bound to it.
fn subnets(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    Fixture::edited(edit).topology(|topology, _| {
        let line = |placed: &super::SubnetUse<'_>| {
            let table = placed.table.map_or("none", |table| table.route_table_id.as_str());
            let bound =
                if placed.association == super::Association::Main { "main" } else { "explicit" };
            let perhaps =
                placed.perhaps.iter().map(|table| format!(" or {}", table.route_table_id));
            let perhaps: String = perhaps.collect();
            let class = placed.class.word();
            format!("{} {class} {table} {bound}{perhaps}", placed.subnet.subnet_id)
        };
        topology.subnets.iter().map(line).collect()
    })
}

/// Each table: whom it serves, whether it is main, why it is off limits.
fn tables(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    Fixture::edited(edit).topology(|topology, _| {
        let line = |used: &super::TableUse<'_>| {
            let users: Vec<&str> = used.users.iter().map(|(id, _)| id.as_str()).collect();
            let main = if used.main { " main" } else { "" };
            let off = match used.off_limits {
                None => String::new(),
                Some(super::OffLimits::Edge) => " edge".to_owned(),
                Some(super::OffLimits::RegionalNatGateway(id)) => format!(" of {id}"),
            };
            format!("{} [{}]{main}{off}", used.table.route_table_id, users.join(" "))
        };
        topology.tables.iter().map(line).collect()
    })
}

fn class(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> String {
    Fixture::edited(edit).topology(|topology, _| {
        topology
            .subnets
            .iter()
            .find(|p| *p.subnet.subnet_id.as_str() == *"subnet-pria")
            .unwrap()
            .class
            .to_string()
    })
}

#[test]
fn subnets_are_bound_explicitly() {
    assert_eq!(
        subnets(|w| w),
        [
            "subnet-pria private rtb-a explicit",
            "subnet-prib private rtb-b explicit",
            "subnet-puba public rtb-pub explicit",
            "subnet-pubb public rtb-pub explicit"
        ]
    );
    assert_eq!(
        tables(|w| w),
        [
            "rtb-a [subnet-pria]",
            "rtb-b [subnet-prib]",
            "rtb-main [] main",
            "rtb-pub [subnet-puba subnet-pubb]"
        ]
    );
}

#[test]
fn while_an_association_is_between_two_states_both_tables_count() {
    let first = |state: &'static str| {
        let bound = json!([{"SubnetId": "subnet-pria", "AssociationState": {"State": state}}]);
        subnets(|w| w.set("rtb-a", "Associations", bound)).remove(0)
    };
    assert_eq!(first("associated"), "subnet-pria private rtb-a explicit");
    assert_eq!(first("associating"), "subnet-pria private rtb-a explicit or rtb-main");
    assert_eq!(first("wobbling"), "subnet-pria private rtb-a explicit or rtb-main");
    assert_eq!(first("disassociating"), "subnet-pria private rtb-main main or rtb-a");
    assert_eq!(first("failed"), "subnet-pria private rtb-main main or rtb-a");
    assert_eq!(first("disassociated"), "subnet-pria private rtb-main main");
    let moving = |from: &'static str, to: &'static str| {
        let bound =
            |state: &str| json!({"SubnetId": "subnet-pria", "AssociationState": {"State": state}});
        let (from, to) = (bound(from), bound(to));
        subnets(|w| w.set("rtb-a", "Associations", json!([from])).associate("rtb-b", to)).remove(0)
    };
    let expected = "subnet-pria private rtb-b explicit or rtb-a";
    assert_eq!(moving("disassociating", "associated"), expected);
    assert_eq!(
        moving("disassociating", "associating"),
        "subnet-pria private rtb-b explicit or rtb-main or rtb-a"
    );
    assert_eq!(moving("failed", "associated"), "subnet-pria private rtb-b explicit");
    // The same where the VPC gets another main table.
    let main = subnets(|w| {
        w.set("rtb-a", "Associations", json!([]));
        w.set(
            "rtb-main",
            "Associations",
            json!([{"Main": true,
            "AssociationState": {"State": "disassociating"}}]),
        );
        w.associate("rtb-b", json!({"Main": true, "AssociationState": {"State": "associating"}}))
    });
    assert_eq!(main[0], "subnet-pria private rtb-b main or rtb-main");
}

#[test]
fn those_without_a_live_association_are_on_the_main_table() {
    let expected = "subnet-pria private rtb-main main";
    assert_eq!(subnets(|w| w.set("rtb-a", "Associations", json!([]))).first().unwrap(), expected);
}

#[test]
fn a_subnet_whose_table_was_not_observed_uses_none() {
    let without_main = |w: &mut Fixture| {
        w.remove("rtb-main").set("rtb-a", "Associations", json!([]));
    };
    let seen = tables(|w| {
        without_main(w);
        w
    });
    assert_eq!(seen, ["rtb-a []", "rtb-b [subnet-prib]", "rtb-pub [subnet-puba subnet-pubb]"]);
}

#[test]
fn tables_of_gateways_are_off_limits() {
    assert_eq!(
        tables(|w| {
            w.associate("rtb-a", json!({"GatewayId": "igw-1"}));
            w.associate("rtb-b", json!({"PublicIpv4Pool": "amazon"}));
            w.add("RouteTables", table("rtb-regional", &[]))
        }),
        [
            "rtb-a [subnet-pria] edge",
            "rtb-b [subnet-prib] edge",
            "rtb-main [] main",
            "rtb-pub [subnet-puba subnet-pubb]",
            "rtb-regional [] of nat-regional"
        ]
    );
}

#[test]
fn a_gateways_association_that_is_gone_binds_nothing() {
    let gone = json!({"GatewayId": "igw-1", "AssociationState": {"State": "disassociated"}});
    assert_eq!(tables(|w| w.associate("rtb-a", gone)).first().unwrap(), "rtb-a [subnet-pria]");
}

#[test]
fn the_usual_tags_of_private_subnets() {
    for (key, value) in [
        ("aws-cdk:subnet-type", "Private"),
        ("aws-cdk:subnet-type", "Isolated"),
        ("kubernetes.io/role/internal-elb", "1"),
        ("Tier", "PRIVATE"),
        ("Name", "shop-private-eu-central-1a"),
        ("Name", "shop-intra-1"),
    ] {
        assert_eq!(
            class(|w| w.tag("subnet-pria", key, value)),
            format!("private by its tag \"{key}={value}\"")
        );
    }
    for (key, value) in [
        ("aws-cdk:subnet-type", "Public"),
        ("kubernetes.io/role/elb", "1"),
        ("Name", "shop-public-eu-central-1a"),
    ] {
        assert_eq!(
            class(|w| w.tag("subnet-pria", key, value)),
            format!("public by its tag \"{key}={value}\"")
        );
    }
}

#[test]
fn what_no_tag_says_or_two_contradict_is_unclassified() {
    let none = "unclassified: no tag of the baseline's selectors";
    assert_eq!(class(|w| w.set("subnet-pria", "Tags", json!([]))), none);
    assert_eq!(class(|w| w.tag("subnet-pria", "tier", "private")), none);
    assert_eq!(class(|w| w.tag("subnet-pria", "Name", "privateer")), none);
    let both = json!([{"Key": "Tier", "Value": "private"}, {"Key": "Name", "Value": "a-public-b"}]);
    assert_eq!(
        class(|w| w.set("subnet-pria", "Tags", both)),
        "unclassified: private by \"Tier=private\", public by \"Name=a-public-b\""
    );
}

#[test]
fn tables_that_do_not_say_where_each_subnet_belongs_are_as_good_as_unread() {
    let missing = |edit: &dyn Fn(&mut Fixture)| {
        let mut fixture = Fixture::compliant();
        edit(&mut fixture);
        fixture.topology(|_, snapshot| snapshot.missing.iter().copied().collect::<Vec<_>>())
    };
    assert_eq!(missing(&|_| {}), []);
    assert_eq!(
        missing(&|w| {
            w.remove("rtb-main");
        }),
        [Section::RouteTables]
    );
    assert_eq!(
        missing(&|w| {
            w.associate("rtb-b", json!({"SubnetId": "subnet-pria"}));
        }),
        [Section::RouteTables]
    );
    assert_eq!(
        missing(&|w| {
            w.associate("rtb-b", json!({"Main": true}));
        }),
        [Section::RouteTables]
    );
}
