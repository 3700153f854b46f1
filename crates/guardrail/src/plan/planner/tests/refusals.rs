//! Writes that would cut somebody off, and endpoints that would serve nobody.

use serde_json::{Value, json};

use super::{check, dns_off, nat};
use crate::fixture::{Fixture, interface_endpoint, own_group, planned, subnet, table};

const NARROW: &str =
    r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:Get*","Resource":"*"}]}"#;

fn only_interface(w: &mut Fixture, service: Value) -> &mut Fixture {
    w.baseline("gateway_endpoints", json!({"services": []}));
    w.baseline("interface_endpoints", json!({"services": [service]}))
}

/// A network ACL for a subnet that lets nobody out to TCP 443 in the VPC, and all else pass.
fn no_https_inside<'f>(w: &'f mut Fixture, subnet: &str) -> &'f mut Fixture {
    let rule = |number: u32, egress: bool, action: &str, block: &str| {
        json!({"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1",
            "CidrBlock": block})
    };
    let entries = [
        rule(1, true, "deny", "10.0.0.0/16"),
        rule(2, true, "allow", "0.0.0.0/0"),
        rule(2, false, "allow", "0.0.0.0/0"),
    ];
    w.add(
        "NetworkAcls",
        json!({"NetworkAclId": "acl-own", "VpcId": "vpc-1", "Entries": entries,
            "Associations": [{"NetworkAclId": "acl-own", "SubnetId": subnet}]}),
    )
}

fn kms(w: &mut Fixture) -> &mut Fixture {
    w.add(
        "VpcEndpointServices",
        json!({"ServiceName": "com.amazonaws.eu-central-1.kms",
            "ServiceType": [{"ServiceType": "Interface"}],
            "PrivateDnsNames": [{"PrivateDnsName": "kms.example"}]}),
    );
    w.add("VpcEndpoints", interface_endpoint("vpce-kms", "kms"))
}

/// "Turning the VPC's DNS on counts every endpoint of the VPC."
#[test]
fn turning_the_vpcs_dns_on_brings_every_endpoints_name_to_life() {
    check(|w| dns_off(kms(w)), &["1 turn enableDnsHostnames of vpc-1 on"]);
    check(
        |w| dns_off(kms(w)).set("vpce-kms", "Groups", json!([])),
        &["- enableDnsHostnames of the VPC is off, so private DNS cannot work: it would cut off \
             com.amazonaws.eu-central-1.kms for subnets that reach it now"],
    );
    // A name for inbound Resolver endpoints only stays public in the VPC, and one that is off too.
    check(
        |w| {
            let off = json!(false);
            dns_off(kms(w)).set("vpce-kms", "Groups", json!([])).set(
                "vpce-kms",
                "PrivateDnsEnabled",
                off,
            )
        },
        &["1 turn enableDnsHostnames of vpc-1 on"],
    );
}

/// "Public and unclassified subnets": a name moves the traffic of the whole VPC.
#[test]
fn a_private_name_that_would_cut_off_a_public_subnet() {
    check(
        |w| {
            no_https_inside(only_interface(w, json!("ssm")), "subnet-puba").set(
                "vpce-ssm",
                "PrivateDnsEnabled",
                json!(false),
            )
        },
        &["- private DNS of vpce-ssm (com.amazonaws.eu-central-1.ssm) is off: it would cut off \
             com.amazonaws.eu-central-1.ssm for subnets that reach it now"],
    );
    // One that may still use the table that leads out may lose it too.
    let leaving = planned(|w| {
        let association =
            json!([{"SubnetId": "subnet-puba", "AssociationState": {"State": "disassociating"}}]);
        no_https_inside(only_interface(w, json!("ssm")), "subnet-puba")
            .set("rtb-pub", "Associations", association)
            .set("vpce-ssm", "PrivateDnsEnabled", json!(false))
    });
    assert!(!leaving.iter().any(|line| line.contains("modify")), "{leaving:#?}");
    // One that has no way to the service now loses nothing.
    check(
        |w| {
            no_https_inside(only_interface(w, json!("ssm")), "subnet-puba")
                .drop_route("rtb-pub", "0.0.0.0/0")
                .set("vpce-ssm", "PrivateDnsEnabled", json!(false))
        },
        &[
            "1 modify vpce-ssm: turn private DNS on",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
        ],
    );
}

/// A policy that is not full access lets some requests through: they would be lost with each interface
/// that they do not come to.
#[test]
fn an_interface_that_some_would_not_come_to_is_not_added_to_a_narrow_endpoint() {
    let narrow = NARROW.replace("s3:", "ssm:");
    let one_zone = |w: &mut Fixture| {
        only_interface(w, json!("ssm")).set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]));
        w.set("vpce-ssm", "PolicyDocument", json!(narrow));
    };
    let added = "1 modify vpce-ssm: add subnet-prib";
    let sound = planned(|w| {
        one_zone(w);
        w
    });
    assert!(sound.iter().any(|line| line == added), "{sound:#?}");
    let behind_an_acl = planned(|w| {
        one_zone(w);
        no_https_inside(w, "subnet-prib")
    });
    assert!(!behind_an_acl.iter().any(|line| line == added), "{behind_an_acl:#?}");
}

/// S3 is reached through a gateway endpoint until an interface endpoint takes its name.
#[test]
fn a_name_that_would_take_s3_from_a_subnet_that_has_it_by_a_gateway_endpoint() {
    let s3 = json!({"service": "s3", "create": "always"});
    let lines = planned(|w| {
        w.add("SecurityGroups", own_group(&["10.0.0.0/16"]));
        no_https_inside(w, "subnet-pria").baseline("interface_endpoints", json!({"services": [s3]}))
    });
    assert_eq!(
        lines,
        [
            "- no interface endpoint for com.amazonaws.eu-central-1.s3, wanted in eu-central-1a, eu-central-1b: it would \
             cut off com.amazonaws.eu-central-1.s3 for subnets that reach it now"
        ]
    );
}

/// What goes past the endpoint before goes past it afterwards: nobody loses it.
#[test]
fn a_range_that_a_route_takes_elsewhere_already_is_not_cut_off() {
    check(
        |w| {
            w.set("vpce-s3", "RouteTableIds", json!(["rtb-b"])).drop_route("rtb-a", "pl-s3");
            nat(w).route("rtb-a", "52.219.4.0/24", "nat-1")
        },
        &[
            "1 modify vpce-s3: associate rtb-a",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.s3 is available (after 1)",
            "3 delete the route 0.0.0.0/0 → nat-1 from rtb-a (after 2)",
            "4 delete the route 52.219.4.0/24 → nat-1 from rtb-a (after 2)",
        ],
    );
}

/// A rule of the subnet's own ACL for what goes out, in front of a default ACL's.
fn out_first<'f>(w: &'f mut Fixture, subnet: &str, action: &str, block: &str) -> &'f mut Fixture {
    no_https_inside(w, subnet).set(
        "acl-own",
        "Entries",
        json!([
            {"RuleNumber": 1, "Egress": true, "RuleAction": action, "Protocol": "-1", "CidrBlock": block},
            {"RuleNumber": 2, "Egress": true, "RuleAction": if action == "deny" { "allow" } else { "deny" },
                "Protocol": "-1", "CidrBlock": "0.0.0.0/0"},
            {"RuleNumber": 2, "Egress": false, "RuleAction": "allow", "Protocol": "-1",
                "CidrBlock": "0.0.0.0/0"}
        ]),
    )
}

/// Packets to a gateway service have the same addresses with the endpoint as without it.
#[test]
fn what_the_subnets_own_acl_stops_anyway_is_not_cut_off() {
    let lines = planned(|w| {
        w.baseline("gateway_endpoints", json!({"services": ["s3"]}));
        w.baseline("interface_endpoints", json!({"services": []}));
        w.set("vpce-s3", "RouteTableIds", json!(["rtb-b"])).drop_route("rtb-a", "pl-s3");
        out_first(nat(w), "subnet-pria", "deny", "52.219.0.0/17")
    });
    assert_eq!(lines.first().map(String::as_str), Some("1 modify vpce-s3: associate rtb-a"));
    // A subnet that reaches nothing public loses no public way to a service.
    check(
        |w| {
            out_first(only_interface(w, json!("ssm")), "subnet-puba", "allow", "192.168.0.0/16")
                .set("vpce-ssm", "PrivateDnsEnabled", json!(false))
        },
        &[
            "1 modify vpce-ssm: turn private DNS on",
            "2 wait until the endpoint for com.amazonaws.eu-central-1.ssm is available (after 1)",
        ],
    );
}

/// "Associating a table … and unclassified subnets."
#[test]
fn a_table_whose_unclassified_subnet_would_lose_the_service() {
    let shared = |w: &mut Fixture| {
        w.baseline("gateway_endpoints", json!({"services": ["s3"], "route_tables": "all"}));
        w.baseline("interface_endpoints", json!({"services": []}));
        w.add("Subnets", subnet("subnet-c", "a", "data"));
        w.add("RouteTables", table("rtb-c", &["subnet-c"]));
        w.set("vpce-s3", "PolicyDocument", json!(NARROW));
    };
    let refused = |lines: Vec<String>| {
        lines.iter().any(|line| {
            line.starts_with("- rtb-c without com.amazonaws.eu-central-1.s3: it would cut off")
        })
    };
    assert!(refused(planned(|w| {
        shared(w);
        w.route("rtb-c", "0.0.0.0/0", "nat-1")
    })));
    assert!(!refused(planned(|w| {
        shared(w);
        w
    })));
}

/// A narrow gateway endpoint would cut off whoever does not come by the name that an interface endpoint
/// holds: while it is coming up or not answered here, and by S3's other names at any time.
#[test]
fn a_name_that_is_held_does_not_open_a_table_to_a_narrow_gateway_endpoint() {
    let beside_a_holder = |policy: &str, state: &str, dns: bool| {
        planned(|w| {
            w.baseline("gateway_endpoints", json!({"services": ["s3"]}));
            w.baseline("interface_endpoints", json!({"services": []}));
            w.world["VpcAttributes"]["vpc-1"]["EnableDnsHostnames"] = json!(dns);
            w.add("VpcEndpoints", interface_endpoint("vpce-s3i", "s3"));
            w.set("vpce-s3i", "State", json!(state)).set(
                "vpce-s3",
                "PolicyDocument",
                json!(policy),
            );
            w.set("vpce-s3", "RouteTableIds", json!(["rtb-b"])).drop_route("rtb-a", "pl-s3");
            w.route("rtb-a", "0.0.0.0/0", "nat-1")
        })
    };
    let associated = "1 modify vpce-s3: associate rtb-a";
    let refused = "- rtb-a without com.amazonaws.eu-central-1.s3: it would cut off \
                   com.amazonaws.eu-central-1.s3 for subnets that reach it now";
    let full = NARROW.replace("s3:Get*", "*");
    for (state, dns) in [("available", true), ("available", false), ("pending", true)] {
        let lines = beside_a_holder(NARROW, state, dns);
        assert!(lines.iter().any(|line| line == refused), "{state} {dns}: {lines:#?}");
        assert!(!lines.iter().any(|line| line == associated), "{state} {dns}: {lines:#?}");
        let lines = beside_a_holder(&full, state, dns);
        assert!(lines.iter().any(|line| line == associated), "{state} {dns}: {lines:#?}");
    }
}

/// "An endpoint that costs money is not created while an obstacle to this same service remains that
/// no step of this or a later plan removes, unless the baseline says `create: always`."
#[test]
fn an_endpoint_in_vain_is_made_only_where_the_baseline_says_always() {
    let custom_dns = |w: &mut Fixture, service: Value| {
        let set = json!([{"Key": "domain-name-servers", "Values": [{"Value": "10.0.0.9"}]}]);
        w.add("DhcpOptions", json!({"DhcpOptionsId": "dopt-1", "DhcpConfigurations": set}));
        w.add("SecurityGroups", own_group(&["10.0.0.0/16"]));
        let _ = only_interface(w, service).remove("vpce-ssm").remove("nat-1");
        w.drop_route("rtb-pub", "0.0.0.0/0").set("vpc-1", "DhcpOptionsId", json!("dopt-1"));
    };
    let vain = "- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a, eu-central-1b: it \
                costs money and would not serve com.amazonaws.eu-central-1.ssm; `create: always` in the baseline makes it \
                all the same";
    let told = "- cannot tell whether com.amazonaws.eu-central-1.ssm is served";
    let lines = planned(|w| {
        custom_dns(w, json!("ssm"));
        w
    });
    assert_eq!(lines, [vain]);
    let always = planned(|w| {
        custom_dns(w, json!({"service": "ssm", "create": "always"}));
        w
    });
    assert!(always.iter().any(|line| line.contains("create an interface endpoint")), "{always:?}");
    assert!(!always.iter().any(|line| line.starts_with(told)), "{always:?}");
}

/// A name that somebody else's endpoint holds would be refused to a second one: it is not made, and
/// no group for it.
#[test]
fn an_endpoint_whose_name_is_taken_is_not_made_nor_a_group_for_it() {
    let lines = planned(|w| {
        nat(only_interface(w, json!("ssm"))).set("vpce-ssm", "RequesterManaged", json!(true))
    });
    assert_eq!(
        lines,
        [
            "- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in eu-central-1a, eu-central-1b: \
             vpce-ssm has the private name, and AWS gives it to one endpoint of a VPC only",
            "- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off com.amazonaws.eu-central-1.ssm"
        ]
    );
}

/// AWS refuses a private name where the VPC's DNS is off: it is not asked for again at every look.
#[test]
fn no_name_is_asked_for_while_the_vpcs_dns_stays_off() {
    let stays_off = |w: &mut Fixture| {
        dns_off(kms(only_interface(w, json!("ssm")))).set("vpce-kms", "Groups", json!([]));
    };
    let dns = "- enableDnsHostnames of the VPC is off, so private DNS cannot work: it would cut off \
               com.amazonaws.eu-central-1.kms for subnets that reach it now";
    let needs = "AWS gives private names only where enableDnsSupport and enableDnsHostnames of the \
                 VPC are on";
    let name =
        format!("- private DNS of vpce-ssm (com.amazonaws.eu-central-1.ssm) is off: {needs}");
    check(
        |w| {
            stays_off(w);
            w.set("vpce-ssm", "PrivateDnsEnabled", json!(false))
        },
        &[dns, &name],
    );
    let missing = format!(
        "- no interface endpoint for com.amazonaws.eu-central-1.ssm, wanted in \
         eu-central-1a, eu-central-1b: {needs}"
    );
    check(
        |w| {
            stays_off(w);
            only_interface(w, json!({"service": "ssm", "create": "always"})).remove("vpce-ssm")
        },
        &[dns, &missing],
    );
}
