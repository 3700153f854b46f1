//! No subnet that is private by its tag is built as a public one. Whether the tag or the build is
//! meant, nobody can tell: the one is a mistake, or somebody's way to have the guardrail take the NAT
//! gateway's own route away.

use super::Rule;
use crate::analysis::View;
use crate::analysis::topology::Class;
use crate::baseline::RuleId;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Drift, Finding};
use crate::rules::left_alone::LeftAloneReason;

pub(super) static RULE: Rule = Rule {
    id: RuleId::PrivateButPublic,
    finds: "a subnet is private by its tag and built as a public one: it holds a public NAT gateway and its table leads out, \
            or its table leads to an internet gateway and it has public IPv4 addresses or gives them on launch",
    repairs: "nothing, and nothing else of the subnet either: which of the two is meant, a person must say",
    needs: &[Section::Subnets, Section::RouteTables, Section::NatGateways],
    operations: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let built =
        view.topology.subnets.iter().filter(|used| matches!(used.class, Class::BuiltPublic(..)));
    built
        .map(|used| {
            let subnet = used.subnet.subnet_id.clone();
            let drift = Drift::PrivateButPublic { subnet, how: used.class.to_string() };
            Finding::left_alone(RuleId::PrivateButPublic, drift, LeftAloneReason::BuiltPublic)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::fixture::{Fixture, findings, planned};

    /// One `CreateTags` call on the NAT gateway's own subnet, or one that public subnets share a table
    /// with.
    fn tagged_private(w: &mut Fixture) -> &mut Fixture {
        w.set("subnet-puba", "Tags", json!([{"Key": "Tier", "Value": "private"}]))
    }

    const HELD: &str = "subnet-puba is private by its tag \"Tier=private\" but built public: it holds \
                        the public NAT gateway nat-1, and its table leads to an internet gateway";

    #[test]
    fn the_nat_gateways_own_subnet_tagged_private_is_told_first_and_nothing_of_it_changed() {
        let steps = planned(|w| tagged_private(w).remove("vpce-s3"));
        assert_eq!(
            steps.last().map(String::as_str),
            Some(&*format!(
                "- {HELD}: nothing of the subnet is changed; take its tag away or, if it is meant, its \
             way out"
            ))
        );
        assert!(!steps.iter().any(|step| step.contains("rtb-pub")), "{steps:#?}");
        assert_eq!(
            findings(|w| tagged_private(w).set("subnet-pria", "MapPublicIpOnLaunch", json!(true))),
            [
                format!("private-but-public: {HELD}"),
                "public-ip-on-launch: private subnet-pria gives instances launched in it a public \
                 IPv4 address (MapPublicIpOnLaunch is on)"
                    .to_owned()
            ]
        );
    }

    #[test]
    fn in_either_order_of_the_two_steps_the_first_is_repaired_or_told_and_both_are_left_alone() {
        let address = |w: &mut Fixture| {
            w.set("subnet-pria", "MapPublicIpOnLaunch", json!(true));
        };
        let route = |w: &mut Fixture| {
            w.route("rtb-a", "0.0.0.0/0", "igw-1");
        };
        let both = findings(|w| {
            address(w);
            route(w);
            w
        });
        assert_eq!(
            both,
            [
                "private-but-public: subnet-pria is private by its tag \"Tier=private\" but built public: it \
              gives public IPv4 addresses on launch, and its table leads to an internet gateway"
            ]
        );
        assert!(
            findings(|w| {
                address(w);
                w
            })[0]
                .starts_with("public-ip-on-launch")
        );
        assert!(
            findings(|w| {
                route(w);
                w
            })[0]
                .starts_with("internet-route")
        );
    }

    fn eni(subnet: &str, key: &str, value: Value) -> Value {
        json!({"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": subnet, key: value})
    }

    #[test]
    fn an_address_of_an_interface_builds_a_subnet_public_as_addresses_on_launch_do() {
        let with = |key: &str, value: Value| {
            findings(|w| {
                let w = w.add("NetworkInterfaces", eni("subnet-pria", key, value));
                w.route("rtb-a", "0.0.0.0/0", "igw-1")
            })
        };
        let found = [
            "private-but-public: subnet-pria is private by its tag \"Tier=private\" but built \
                      public: its interface eni-1 has the public address 198.51.100.7, and its table \
                      leads to an internet gateway",
        ];
        let elastic = json!({"PublicIp": "198.51.100.7", "AllocationId": "eipalloc-1"});
        assert_eq!(with("Association", elastic.clone()), found);
        let secondary = |association: &Value| {
            json!([{"PrivateIpAddress": "10.0.0.4", "Primary": true},
                {"PrivateIpAddress": "10.0.0.5", "Association": association}])
        };
        assert_eq!(with("PrivateIpAddresses", secondary(&elastic)), found);
        for none in
            [json!({"CarrierIp": "198.51.100.7"}), json!({"CustomerOwnedIp": "198.51.100.7"})]
        {
            assert!(with("Association", none.clone())[0].starts_with("internet-route"));
            assert!(with("PrivateIpAddresses", secondary(&none))[0].starts_with("internet-route"));
        }
        let ipv6 = json!([{"Ipv6Address": "2600:1f16::7"}]);
        assert!(with("Ipv6Addresses", ipv6)[0].starts_with("internet-route"));
    }

    #[test]
    fn an_address_without_an_internet_gateways_route_builds_nothing_public() {
        let through = |target: &str| {
            findings(|w| {
                let elastic = json!({"PublicIp": "198.51.100.7"});
                let w = w.add("NetworkInterfaces", eni("subnet-pria", "Association", elastic));
                w.route("rtb-a", "0.0.0.0/0", target)
            })
        };
        for target in ["nat-1", "eigw-1", "tgw-1", "cagw-1"] {
            assert!(through(target)[0].starts_with("internet-route"), "{target}");
        }
    }

    /// An inspected way out: from the NAT gateway's subnet to a firewall, and the internet gateway is
    /// elsewhere.
    #[test]
    fn a_nat_gateways_own_way_out_is_never_taken_whatever_it_leads_to() {
        let everything = json!({"remove": "immediately", "may_lead_out": "remove"});
        for target in ["cagw-1", "vpce-gwlb", "tgw-1", "vgw-1", "nat-regional", "eni-9", "portal-1"]
        {
            let bent = |w: &mut Fixture| {
                tagged_private(w).drop_route("rtb-pub", "0.0.0.0/0").remove("subnet-pubb");
                w.route("rtb-pub", "0.0.0.0/0", target)
                    .baseline("internet_routes", everything.clone());
            };
            let steps = planned(|w| {
                bent(w);
                w
            });
            assert_eq!(
                steps,
                [format!(
                    "- subnet-puba is private by its tag \"Tier=private\" but built public: it holds the \
                     public NAT gateway nat-1, and its table leads to {target}: nothing of the subnet is \
                     changed; take its tag away or, if it is meant, its way out"
                )]
            );
        }
    }

    /// The tag first, then the NAT gateway; or the NAT gateway first, then the tag.
    #[test]
    fn in_either_order_a_nat_gateway_and_a_tag_come_to_the_same() {
        let tag = |w: &mut Fixture| {
            tagged_private(w);
        };
        let gateway = |w: &mut Fixture| {
            w.set("nat-1", "SubnetId", json!("subnet-puba"));
        };
        let elsewhere = |w: &mut Fixture| {
            w.set("nat-1", "SubnetId", json!("subnet-pubb"));
        };
        let after = |steps: &[&dyn Fn(&mut Fixture)]| {
            planned(|w| {
                elsewhere(w);
                steps.iter().for_each(|step| step(w));
                w
            })
        };
        // The table is public subnet-pubb's too, which keeps the route while the tag is alone.
        let first = after(&[&tag]);
        let kept = |step: &String| step.contains("the table serves subnet-pubb too");
        assert!(first.iter().any(kept), "{first:#?}");
        assert_eq!(after(&[&gateway]), Vec::<String>::new());
        let both = after(&[&tag, &gateway]);
        assert!(
            both[0].contains("built public: it holds the public NAT gateway nat-1"),
            "{both:#?}"
        );
        assert_eq!(both.len(), 1, "{both:#?}");
        assert_eq!(after(&[&gateway, &tag]), both);
    }

    #[test]
    fn a_gateway_that_is_private_going_or_elsewhere_builds_nothing_public() {
        let with = |key: &'static str, value: Value| {
            findings(|w| tagged_private(w).set("nat-1", key, value))
                .into_iter()
                .filter(|found| found.starts_with("private-but-public"))
                .count()
        };
        assert_eq!(with("State", json!("available")), 1);
        assert_eq!(with("State", json!("pending")), 1);
        for (key, value) in [
            ("State", json!("deleting")),
            ("State", json!("deleted")),
            ("State", json!("failed")),
            ("ConnectivityType", json!("private")),
            ("SubnetId", json!("subnet-pubb")),
        ] {
            assert_eq!(with(key, value.clone()), 0, "{key} {value}");
        }
    }

    /// The internet gateway comes back, and the NAT gateway needs the route then.
    #[test]
    fn a_route_that_is_a_blackhole_at_present_is_the_nat_gateways_all_the_same() {
        let bent = |w: &mut Fixture| {
            tagged_private(w).set_route("rtb-pub", "0.0.0.0/0", "State", json!("blackhole"));
        };
        let steps = planned(|w| {
            bent(w);
            w
        });
        assert!(!steps.iter().any(|step| step.starts_with(char::is_numeric)), "{steps:#?}");
        assert!(steps[0].contains("built public"), "{steps:#?}");
    }

    #[test]
    fn its_table_gets_no_endpoint_even_where_the_baseline_means_all_tables() {
        let steps = planned(|w| {
            let all = json!({"services": ["s3"], "route_tables": "all"});
            tagged_private(w).baseline("gateway_endpoints", all)
        });
        assert!(!steps.iter().any(|step| step.contains("associate rtb-pub")), "{steps:#?}");
    }

    #[test]
    fn a_public_subnet_built_public_is_as_it_should_be() {
        assert_eq!(findings(|w| w), Vec::<String>::new());
    }
}
