//! Of the subnets that lead out, each is said to be private or public: of what is neither, no rule
//! takes a way out away, so that a missing tag or one too many would hide it.

use super::Rule;
use crate::analysis::View;
use crate::analysis::route::RouteClass;
use crate::analysis::topology::{Class, SubnetUse};
use crate::baseline::RuleId;
use crate::ec2::id::SubnetId;
use crate::ec2::list;
use crate::ec2::snapshot::Section;
use crate::rules::finding::{Certainty, Drift, Finding, UnguardedSubnet};
use crate::rules::left_alone::LeftAloneReason;
use crate::rules::repair::Repair;

pub(super) static RULE: Rule = Rule {
    id: RuleId::UnguardedSubnet,
    finds: "subnets that are neither private nor public lead out or may, so that nobody guards them: no tag says what they \
            are, two contradict each other, or one says public and something leads past internet gateways",
    repairs: "nothing: tag them as what they are, or accept them in `unclassified_subnets`",
    needs: &[
        Section::Vpcs,
        Section::Subnets,
        Section::RouteTables,
        Section::NatGateways,
        Section::NetworkInterfaces,
        Section::PrefixLists,
    ],
    operations: &[],
    check,
};

fn check(view: &View<'_>) -> Vec<Finding> {
    let subnets: Vec<UnguardedSubnet> =
        view.topology.subnets.iter().filter_map(|used| unguarded(used, view)).collect();
    finding(subnets).into_iter().collect()
}

/// The finding that lists these subnets; `None` where there are none.
pub(super) fn finding(subnets: Vec<UnguardedSubnet>) -> Option<Finding> {
    if subnets.is_empty() {
        return None;
    }
    let ids = |contradictory: bool| -> Vec<SubnetId> {
        let such = subnets.iter().filter(|unguarded| unguarded.contradictory == contradictory);
        such.map(|unguarded| unguarded.subnet.clone()).collect()
    };
    let (untagged, contradictory) = (ids(false), ids(true));
    let drift = Drift::SubnetsUnguarded { subnets };
    let mut finding = Finding::new(RuleId::UnguardedSubnet, drift, Repair::None);
    if !untagged.is_empty() {
        finding = finding.leaving(list(&untagged), LeftAloneReason::Unclassified);
    }
    if !contradictory.is_empty() {
        finding = finding.leaving(list(&contradictory), LeftAloneReason::Contradictory);
    }
    Some(finding)
}

fn unguarded(used: &SubnetUse<'_>, view: &View<'_>) -> Option<UnguardedSubnet> {
    let as_it_is_built = || view.topology.is_public_by_build(used, view.snapshot);
    let (what, contradictory) = match used.class {
        // The rule `private-but-public` tells of the last.
        Class::Private(_) | Class::Public(_) | Class::BuiltPublic(..) => return None,
        Class::Unclassified if as_it_is_built() => return None,
        Class::Unclassified => ("untagged".to_owned(), false),
        Class::Contradictory(private, public) => {
            (format!("tagged {} and {}", private.shown(), public.shown()), true)
        }
        Class::TaggedPublicOnly(..) if as_it_is_built() => return None,
        Class::TaggedPublicOnly(tag, _) => (format!("tagged {}", tag.shown()), true),
    };
    if view.baseline.unclassified_subnets.as_ref().is_some_and(|all| all.accepts(used.subnet)) {
        return None;
    }
    let may_lead_out = view.baseline.internet_routes.may_lead_out;
    let first = || view.topology.ways_out(used, view.snapshot, may_lead_out).into_iter().next();
    let past = view.topology.way_past_gateways(used, view.snapshot, may_lead_out);
    let (_, class) = match used.class {
        Class::TaggedPublicOnly(..) => past?,
        Class::Unclassified
        | Class::Contradictory(..)
        | Class::Private(_)
        | Class::Public(_)
        | Class::BuiltPublic(..) => first()?,
    };
    let certainty = match &class {
        RouteClass::Internet(_) => Certainty::Certain,
        RouteClass::MayLeadOut(_) => Certainty::Possible,
        RouteClass::Unknown(_)
        | RouteClass::Local
        | RouteClass::Endpoint(_)
        | RouteClass::Inside(_) => Certainty::Unknown,
    };
    let subnet = used.subnet.subnet_id.clone();
    Some(UnguardedSubnet { subnet, what, contradictory, certainty, via: class.to_string() })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::baseline::{Mode, RuleId};
    use crate::fixture::{Fixture, findings, planned};

    fn untagged<'a>(w: &'a mut Fixture, subnet: &str) -> &'a mut Fixture {
        w.set(subnet, "Tags", json!([]))
    }

    fn tagged_public(w: &mut Fixture) -> &mut Fixture {
        w.tag("subnet-pria", "Tier", "public")
    }

    fn with_address(subnet: &str, association: Value) -> Value {
        json!({"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": subnet,
            "SourceDestCheck": true, "Association": association})
    }

    /// One `CreateTags` call on a private subnet, or one that takes its tag away, hides it no more.
    #[test]
    fn a_tag_alone_takes_no_subnet_out_of_sight() {
        assert_eq!(
            findings(|w| tagged_public(w).route("rtb-a", "0.0.0.0/0", "nat-1")),
            [
                "unguarded-subnet: unguarded and leading out: subnet-pria (tagged \"Tier=public\") through \
              public NAT gateway nat-1"
            ]
        );
        assert_eq!(
            findings(|w| untagged(w, "subnet-pria").route("rtb-a", "0.0.0.0/0", "nat-1")),
            [
                "unguarded-subnet: unguarded and leading out: subnet-pria (untagged) through public NAT \
              gateway nat-1"
            ]
        );
        assert_eq!(findings(tagged_public), Vec::<String>::new(), "it does not lead out");
    }

    /// A route to an internet gateway that carries nothing public makes no subnet public.
    #[test]
    fn a_route_for_show_to_an_internet_gateway_hides_nothing() {
        let found = findings(|w| {
            let w = tagged_public(w).route("rtb-a", "0.0.0.0/0", "nat-1");
            w.route("rtb-a", "203.0.113.0/24", "igw-1").set(
                "subnet-pria",
                "MapPublicIpOnLaunch",
                json!(true),
            )
        });
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("unguarded-subnet"));
        let private = findings(|w| {
            let w =
                w.route("rtb-a", "0.0.0.0/0", "nat-1").route("rtb-a", "203.0.113.0/24", "igw-1");
            w.set("subnet-pria", "MapPublicIpOnLaunch", json!(true))
        });
        assert!(private[0].starts_with("internet-route"), "{private:#?}");
    }

    /// Each family, and each public address by the longest prefix, goes where its own route leads.
    #[test]
    fn an_internet_gateways_route_for_some_addresses_hides_no_way_of_the_others() {
        let tagged = |routes: &[(&str, &str)], edit: fn(&mut Fixture)| {
            findings(|w| {
                tagged_public(w);
                edit(w);
                routes.iter().fold(w, |w, (to, target)| w.route("rtb-a", to, target))
            })
        };
        let through = |what: &str, way: &str| {
            [format!("unguarded-subnet: unguarded and leading out: subnet-pria ({what}) {way}")]
        };
        let public = "tagged \"Tier=public\"";
        let nat = through(public, "through public NAT gateway nat-1");
        let plain = |_: &mut Fixture| ();
        for decoy in ["8.8.8.8/32", "203.0.113.0/24", "::/0", "0.0.0.0/1"] {
            let routes = [(decoy, "igw-1"), ("0.0.0.0/0", "nat-1")];
            assert_eq!(tagged(&routes, plain), nat, "{decoy}");
            let launches: fn(&mut Fixture) = |w| {
                untagged(w, "subnet-pria").set("subnet-pria", "MapPublicIpOnLaunch", json!(true));
            };
            let untagged = through("untagged", "through public NAT gateway nat-1");
            assert_eq!(tagged(&routes, launches), untagged, "{decoy}");
        }
        for (to, target, way) in [
            ("1.1.1.1/32", "nat-1", "through public NAT gateway nat-1"),
            ("0.0.0.0/1", "tgw-1", "perhaps through transit gateway tgw-1"),
            (
                "2000::/3",
                "eni-9",
                "perhaps through eni-9, which was not among the interfaces observed",
            ),
            ("64:ff9b::/96", "nat-1", "through public NAT gateway nat-1"),
        ] {
            let routes = [("0.0.0.0/0", "igw-1"), (to, target)];
            assert_eq!(tagged(&routes, plain), through(public, way), "{to}");
        }
        let egress = through(public, "through egress-only internet gateway eigw-1");
        assert_eq!(tagged(&[("8.8.8.8/32", "igw-1"), ("::/0", "eigw-1")], plain), egress);
    }

    #[test]
    fn a_public_subnet_with_other_routes_is_as_it_should_be() {
        let public = |routes: &[(&str, &str)], edit: fn(&mut Fixture)| {
            findings(|w| {
                let w = routes.iter().fold(w, |w, (to, target)| w.route("rtb-pub", to, target));
                edit(w);
                w
            })
        };
        let plain = |_: &mut Fixture| ();
        for routes in [
            &[("10.9.0.0/16", "tgw-1"), ("192.168.0.0/16", "vgw-1"), ("172.16.0.0/12", "tgw-1")][..],
            &[("10.9.0.0/16", "nat-private"), ("100.64.0.0/10", "eni-9")][..],
            &[("::/0", "igw-1")][..],
            &[("::/0", "eigw-1")][..],
            &[("52.0.0.0/8", "pcx-1")][..],
        ] {
            assert_eq!(public(routes, plain), Vec::<String>::new(), "{routes:?}");
        }
        // One that a VPN propagates for the same block never acts.
        assert_eq!(
            public(&[("0.0.0.0/0", "vgw-1")], |w| {
                let routes = w.thing("rtb-pub")["Routes"].as_array_mut().unwrap();
                routes.last_mut().unwrap()["Origin"] = json!("EnableVgwRoutePropagation");
            }),
            Vec::<String>::new()
        );
        // The internet gateway's two longer routes leave it nothing.
        let halves = [("0.0.0.0/1", "igw-1"), ("128.0.0.0/1", "igw-1"), ("0.0.0.0/0", "nat-1")];
        let only_halves = findings(|w| {
            let w = w.drop_route("rtb-pub", "0.0.0.0/0");
            halves.iter().fold(w, |w, (to, target)| w.route("rtb-pub", to, target))
        });
        assert_eq!(only_halves, Vec::<String>::new());
    }

    #[test]
    fn all_of_a_vpc_are_one_finding_each_with_its_way() {
        let both =
            json!([{"Key": "Tier", "Value": "private"}, {"Key": "Name", "Value": "a-public-b"}]);
        assert_eq!(
            findings(|w| {
                untagged(w, "subnet-pria").set("subnet-prib", "Tags", both);
                w.route("rtb-a", "0.0.0.0/0", "tgw-1").route("rtb-a", "1.1.1.1/32", "nat-1");
                w.route("rtb-b", "0.0.0.0/0", "tgw-1")
            }),
            [
                "unguarded-subnet: unguarded and leading out: subnet-pria (untagged) through public NAT \
              gateway nat-1; subnet-prib (tagged \"Tier=private\" and \"Name=a-public-b\") perhaps through \
              transit gateway tgw-1"
            ]
        );
    }

    #[test]
    fn what_may_lead_out_is_not_listed_where_the_baseline_accepts_it() {
        let through = |target: &str| {
            findings(|w| {
                let accept = json!({"may_lead_out": "accept"});
                let w = tagged_public(w).baseline("internet_routes", accept);
                w.route("rtb-a", "0.0.0.0/0", target)
            })
        };
        assert_eq!(through("tgw-1"), Vec::<String>::new());
        assert_eq!(through("nat-1").len(), 1);
        assert_eq!(
            through("portal-1"),
            [
                "unguarded-subnet: unguarded and leading out: subnet-pria (tagged \"Tier=public\") perhaps \
              through a target of no known kind: portal-1"
            ]
        );
    }

    #[test]
    fn an_untagged_subnet_that_is_public_by_its_build_is_as_it_should_be() {
        let elastic = json!({"PublicIp": "198.51.100.7"});
        assert_eq!(findings(|w| untagged(w, "subnet-puba")), Vec::<String>::new(), "a NAT gateway");
        let second = |edit: &dyn Fn(&mut Fixture)| {
            findings(|w| {
                edit(w);
                untagged(w, "subnet-pubb")
            })
        };
        let found =
            ["unguarded-subnet: unguarded and leading out: subnet-pubb (untagged) through \
                      internet gateway igw-1"];
        assert_eq!(second(&|_| {}), found);
        let launches = |w: &mut Fixture| {
            w.set("subnet-pubb", "MapPublicIpOnLaunch", json!(true));
        };
        assert_eq!(second(&launches), Vec::<String>::new());
        let has = |association: Value| {
            move |w: &mut Fixture| {
                w.add("NetworkInterfaces", with_address("subnet-pubb", association.clone()));
            }
        };
        assert_eq!(second(&has(elastic)), Vec::<String>::new());
        assert_eq!(second(&has(json!({"CarrierIp": "198.51.100.7"}))), found);
        let ipv6 = |w: &mut Fixture| {
            w.set("subnet-pubb", "AssignIpv6AddressOnCreation", json!(true));
        };
        assert_eq!(second(&ipv6), found);
    }

    /// An inspected way out: the NAT gateway's own subnet leads to a firewall, and the internet gateway
    /// is elsewhere.
    #[test]
    fn a_nat_gateways_public_subnet_behind_a_firewall_is_as_it_should_be() {
        let behind = |target: &str| {
            findings(|w| {
                let w = w.drop_route("rtb-pub", "0.0.0.0/0").remove("subnet-pubb");
                w.route("rtb-pub", "0.0.0.0/0", target)
            })
        };
        assert_eq!(behind("vpce-gwlb"), Vec::<String>::new());
        assert_eq!(
            behind("cagw-1"),
            [
                "unguarded-subnet: unguarded and leading out: subnet-puba (tagged \"Tier=public\") through \
              carrier gateway cagw-1"
            ],
            "no Wavelength Zone"
        );
        let wavelength = findings(|w| {
            let w = w.drop_route("rtb-pub", "0.0.0.0/0").remove("subnet-pubb");
            w.set("subnet-puba", "AvailabilityZone", json!("us-east-1-wl1-bos-wlz-1"));
            w.route("rtb-pub", "0.0.0.0/0", "cagw-1")
        });
        assert_eq!(wavelength, Vec::<String>::new());
        assert_eq!(
            behind("tgw-1"),
            [
                "unguarded-subnet: unguarded and leading out: subnet-puba (tagged \"Tier=public\") perhaps \
              through transit gateway tgw-1"
            ]
        );
    }

    #[test]
    fn accepted_subnets_are_not_listed() {
        let accepting = |accept: Value| {
            findings(|w| {
                let w = untagged(w, "subnet-pria").route("rtb-a", "0.0.0.0/0", "nat-1");
                w.tag("subnet-prib", "Tier", "lab").route("rtb-b", "0.0.0.0/0", "nat-1");
                w.baseline("unclassified_subnets", json!({"accept": accept, "reason": "a lab"}))
            })
        };
        let lab = json!({"tag": "Tier", "values": ["lab"]});
        assert_eq!(accepting(json!(["subnet-pria", lab])), Vec::<String>::new());
        assert_eq!(
            accepting(json!([lab])),
            [
                "unguarded-subnet: unguarded and leading out: subnet-pria (untagged) through public NAT \
              gateway nat-1"
            ]
        );
    }

    #[test]
    fn nothing_of_them_is_changed_and_their_table_is_shared() {
        let steps = planned(|w| {
            let w = tagged_public(w).route("rtb-a", "0.0.0.0/0", "nat-1");
            w.set("subnet-pria", "MapPublicIpOnLaunch", json!(true)).delete_gateway("vpce-s3");
            let all = json!({"services": ["s3", "dynamodb"], "route_tables": "all"});
            w.baseline("gateway_endpoints", all)
        });
        assert!(
            !steps.iter().any(|s| s.starts_with(char::is_numeric) && s.contains("rtb-a")),
            "{steps:#?}"
        );
        // Where the table is a private subnet's too, it is told that this one has no endpoint.
        let lacking = planned(|w| {
            let bound = json!([{"SubnetId": "subnet-pria"}, {"SubnetId": "subnet-prib"}]);
            let w = tagged_public(w).set("rtb-b", "Associations", json!([]));
            w.set("rtb-a", "Associations", bound).route("rtb-a", "0.0.0.0/0", "nat-1");
            let all = json!({"services": ["s3"], "route_tables": "all"});
            w.delete_gateway("vpce-s3").baseline("gateway_endpoints", all)
        });
        let told = "- rtb-a without com.amazonaws.eu-central-1.s3: the table serves subnet-pria too; give \
                    the private subnets a table of their own";
        assert!(lacking.contains(&told.to_owned()), "{lacking:#?}");
        let shared = planned(|w| {
            let bound = json!([{"SubnetId": "subnet-pria"}, {"SubnetId": "subnet-prib"}]);
            let w = tagged_public(w).set("rtb-b", "Associations", json!([]));
            w.set("rtb-a", "Associations", bound).route("rtb-a", "0.0.0.0/0", "nat-1")
        });
        assert!(
            shared.contains(
                &"- rtb-a: 0.0.0.0/0 → nat-1: the table serves subnet-pria too; give the \
                              private subnets a table of their own"
                    .to_owned()
            ),
            "{shared:#?}"
        );
        assert!(!shared.iter().any(|step| step.starts_with(char::is_numeric)), "{shared:#?}");
    }

    #[test]
    fn it_notifies_at_most() {
        let mode = |mode: &str| {
            let mut fixture = Fixture::compliant();
            let rules = json!({"unguarded-subnet": {"mode": mode}});
            fixture.baseline("rules", rules).wanted().mode_of(RuleId::UnguardedSubnet)
        };
        assert_eq!(mode("repair"), Mode::Notify);
        assert_eq!(mode("notify"), Mode::Notify);
        assert_eq!(mode("observe"), Mode::Observe);
        let repair = Fixture::compliant().wanted();
        assert_eq!(repair.mode_of(RuleId::UnguardedSubnet), Mode::Notify);
        assert_eq!(repair.with_mode(Mode::Repair).mode_of(RuleId::UnguardedSubnet), Mode::Notify);
    }

    #[test]
    fn without_all_it_rests_on_it_says_nothing() {
        for section in ["NatGateways", "PrefixLists", "NetworkInterfaces"] {
            let found = findings(|w| {
                untagged(w, "subnet-pria").route("rtb-a", "0.0.0.0/0", "nat-1").without(section)
            });
            assert_eq!(found, Vec::<String>::new(), "{section}");
        }
    }
}
