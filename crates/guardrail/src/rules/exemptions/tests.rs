use serde_json::{Value, json};

use super::*;
use crate::fixture::{Fixture, lines};

/// The fixture plans on the first day of 1970.
const SOON: &str = "until=1970-01-31 reason=moving house";

fn exempt<'f>(w: &'f mut Fixture, id: &str, value: &str) -> &'f mut Fixture {
    let thing = w.thing(id);
    if thing["Tags"].is_null() {
        thing["Tags"] = json!([]);
    }
    thing["Tags"].as_array_mut().unwrap().push(json!({"Key": EXEMPT_TAG, "Value": value}));
    w
}

/// What comes of a VPC: what is found, what is exempted and by what, what exempts nothing, and what
/// is planned.
struct Seen {
    found: Vec<String>,
    exempted: Vec<String>,
    in_vain: Vec<String>,
    planned: Vec<String>,
}

fn seen(edit: impl FnOnce(&mut Fixture)) -> Seen {
    let mut fixture = Fixture::compliant();
    edit(&mut fixture);
    let (findings, plan) = fixture.plan("test");
    let exempted = plan.exempted.iter().map(|it| {
        let by = format!("{} {:?} {}", it.by.on, it.by.written, it.by.exemption);
        format!("{} on {} | {by}", it.finding.rule, it.finding.drift.place())
    });
    let in_vain = plan.in_vain.iter().map(|it| format!("{} {:?} {}", it.on, it.written, it.why));
    Seen {
        found: findings.iter().map(|it| format!("{} on {}", it.rule, it.drift.place())).collect(),
        exempted: exempted.collect(),
        in_vain: in_vain.collect(),
        planned: lines(&plan),
    }
}

const S3: &str = "com.amazonaws.eu-central-1.s3";

fn nat_route(w: &mut Fixture) -> &mut Fixture {
    w.route("rtb-a", "0.0.0.0/0", "nat-1")
}

#[test]
fn a_finding_on_an_exempted_thing_gets_no_step() {
    for on in ["rtb-a", "subnet-pria", "vpc-1"] {
        let seen = seen(|w| {
            exempt(nat_route(w), on, SOON);
        });
        let by = format!("{on} Tag until 1970-01-31: \"moving house\"");
        assert_eq!(seen.exempted, [format!("internet-route on rtb-a 0.0.0.0/0 | {by}")]);
        assert_eq!((seen.found, seen.in_vain, seen.planned), (vec![], vec![], vec![]), "{on}");
    }
    let other = seen(|w| {
        exempt(nat_route(w), "rtb-b", SOON);
    });
    assert_eq!((other.found.len(), other.exempted.len(), other.planned.len()), (1, 0, 1));
}

#[test]
fn an_exemption_for_a_rule_is_for_no_other() {
    let of = |rule: &str| {
        seen(|w| {
            let value = format!("until=1970-01-31 rule={rule} reason=x");
            exempt(nat_route(w), "rtb-a", &value);
        })
    };
    assert_eq!((of("internet-route").found.len(), of("internet-route").planned.len()), (0, 0));
    assert_eq!((of("vpc-dns+internet-route").found.len(), of("vpc-dns").found.len()), (0, 1));
    assert_eq!(of("vpc-dns").exempted.len(), 0);
}

#[test]
fn it_ends_with_its_day_and_begins_no_earlier_than_its_end_may_be_far_away() {
    let until = |day: &str| {
        seen(|w| {
            exempt(nat_route(w), "rtb-a", &format!("until={day} reason=x"));
        })
    };
    for holds in ["1970-01-01", "1970-04-01"] {
        assert_eq!(until(holds).exempted.len(), 1, "{holds}");
    }
    let lapsed = until("1969-12-31");
    assert_eq!((lapsed.found.len(), lapsed.planned.len()), (1, 1));
    assert_eq!(lapsed.in_vain, ["rtb-a Tag has lapsed: it was until 1969-12-31"]);
    let far = until("1970-04-02");
    assert_eq!((far.found.len(), far.planned.len()), (1, 1));
    assert_eq!(
        far.in_vain,
        ["rtb-a Tag is until 1970-04-02, and today none may last longer than until 1970-04-01 \
          (`exempting.longest_days` in the baseline)"]
    );
}

#[test]
fn what_is_malformed_or_refused_exempts_nothing_and_is_told() {
    let told = |value: &str| {
        let seen = seen(|w| {
            exempt(nat_route(w), "rtb-a", value);
        });
        assert_eq!((seen.found.len(), seen.planned.len()), (1, 1), "{value}");
        let [one] = seen.in_vain.as_slice() else { panic!("{value}: {:?}", seen.in_vain) };
        one.clone()
    };
    assert!(told("for ever").contains("does not begin with `until=`"));
    assert!(told("until=1970-01-31 reason=a\nb").contains("U+000A"));
    let twice = seen(|w| {
        exempt(exempt(nat_route(w), "rtb-a", SOON), "rtb-a", "until=1970-02-01 reason=y");
    });
    assert_eq!(twice.in_vain, ["rtb-a Tag is there twice, so that nobody can tell which is meant"]);
    assert_eq!(twice.found.len(), 1);
    let key = seen(|w| {
        nat_route(w).tag("rtb-a", "VPC-Guardrail:Exempt ", SOON);
    });
    assert!(key.in_vain[0].contains("has to be `vpc-guardrail:exempt` to the letter"));
    assert_eq!(key.found.len(), 1);
    let refused = seen(|w| {
        exempt(nat_route(w), "rtb-a", SOON).baseline("exempting", json!({"tags": "refuse"}));
    });
    assert!(refused.in_vain[0].contains("the baseline refuses tags"));
    assert_eq!((refused.found.len(), refused.exempted.len()), (1, 0));
}

#[test]
fn the_baseline_exempts_vpcs_and_resources_too() {
    let with = |what: Value| {
        seen(|w| {
            let mut entry = json!({"until": "1970-01-31", "reason": "pilot"});
            entry.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
            nat_route(w).baseline("exemptions", json!([entry]));
        })
    };
    let vpc = with(json!({"vpc": {"name": "shop"}}));
    assert_eq!(
        vpc.exempted,
        ["internet-route on rtb-a 0.0.0.0/0 | vpc-1 Baseline until 1970-01-31: \"pilot\""]
    );
    let rule = with(json!({"vpc": {"id": "vpc-1"}, "rules": ["internet-route"]}));
    assert_eq!(rule.exempted.len(), 1);
    assert_eq!(with(json!({"vpc": {"id": "vpc-2"}})).found.len(), 1, "another VPC's");
    let far = with(json!({"vpc": {"id": "vpc-1"}, "until": "1971-01-31"}));
    assert!(far.in_vain[0].starts_with("vpc-1 Baseline is until 1971-01-31"), "{:?}", far.in_vain);
    assert_eq!(far.found.len(), 1);
}

/// The tags of things of another VPC say nothing here, whatever world they stand in.
#[test]
fn what_belongs_to_another_vpc_exempts_nothing_here() {
    let seen = seen(|w| {
        nat_route(w).add(
            "VpcEndpoints",
            json!({"VpcEndpointId": "vpce-other", "VpcId": "vpc-2",
            "VpcEndpointType": "Gateway", "ServiceName": S3, "State": "available",
            "Tags": [{"Key": EXEMPT_TAG, "Value": SOON}]}),
        );
        w.add(
            "Vpcs",
            json!({"VpcId": "vpc-2", "OwnerId": "111122223333", "CidrBlock": "10.9.0.0/16",
            "Tags": [{"Key": EXEMPT_TAG, "Value": "nonsense"}]}),
        );
    });
    assert_eq!((seen.found.len(), seen.exempted.len(), seen.in_vain.len()), (1, 0, 0));
}

/// One table for both private subnets.
fn shared_table(w: &mut Fixture) -> &mut Fixture {
    w.remove("rtb-b").associate(
        "rtb-a",
        json!({"RouteTableAssociationId": "rtbassoc-shared", "SubnetId": "subnet-prib", "Main": false}),
    );
    nat_route(w)
}

#[test]
fn a_route_of_several_subnets_is_exempted_when_all_are_and_stays_when_some_are() {
    let some = seen(|w| {
        exempt(shared_table(w), "subnet-pria", SOON);
    });
    assert_eq!(some.found, ["internet-route on rtb-a 0.0.0.0/0"]);
    assert_eq!(some.exempted, Vec::<String>::new());
    assert_eq!(
        some.planned,
        [
            "- rtb-a: 0.0.0.0/0 → nat-1: subnet-pria would lose it too, and an exemption keeps it; give \
          the other private subnets a table of their own"
        ]
    );
    let all = seen(|w| {
        exempt(
            exempt(shared_table(w), "subnet-pria", SOON),
            "subnet-prib",
            "until=1970-01-09 reason=y",
        );
    });
    assert_eq!(
        all.exempted,
        ["internet-route on rtb-a 0.0.0.0/0 | subnet-prib Tag until 1970-01-09: \"y\""],
        "the one that ends first"
    );
    assert_eq!((all.found, all.planned), (vec![], vec![]));
    let of_two = seen(|w| {
        exempt(exempt(nat_route(w), "rtb-a", "until=1970-01-09 reason=y"), "vpc-1", SOON);
    });
    assert!(of_two.exempted[0].ends_with("vpc-1 Tag until 1970-01-31: \"moving house\""));
    let elsewhere = seen(|w| {
        exempt(shared_table(w), "subnet-pria", "until=1970-01-31 rule=vpc-dns reason=x");
    });
    assert_eq!(elsewhere.planned.len(), 1);
    assert!(elsewhere.planned[0].contains("delete"), "{:?}", elsewhere.planned);
}

#[test]
fn of_a_list_of_tables_the_others_are_repaired() {
    let missing = seen(|w| {
        exempt(w.delete_gateway("vpce-s3"), "rtb-a", SOON);
    });
    assert_eq!(missing.found, [format!("gateway-endpoint on {S3}")]);
    assert_eq!(
        missing.exempted,
        [format!("gateway-endpoint on {S3} | rtb-a Tag until 1970-01-31: \"moving house\"")]
    );
    assert_eq!(missing.planned.len(), 2, "{:?}", missing.planned);
    assert!(missing.planned[0].contains("rtb-b") && !missing.planned[0].contains("rtb-a"));
    let unlinked = seen(|w| {
        for table in ["rtb-a", "rtb-b"] {
            w.drop_route(table, "pl-s3");
        }
        exempt(w.set("vpce-s3", "RouteTableIds", json!([])), "rtb-b", SOON);
    });
    assert_eq!(unlinked.found, [format!("gateway-endpoint-route-table on {S3} rtb-a")]);
    assert!(
        unlinked.exempted[0].starts_with(&format!("gateway-endpoint-route-table on {S3} rtb-b"))
    );
    assert!(unlinked.planned.iter().all(|line| !line.contains("rtb-b")), "{:?}", unlinked.planned);
}

/// What is missing and exempted serves nobody: what rests on it stays.
#[test]
fn an_exempted_endpoint_is_not_taken_for_one_that_serves() {
    let seen = seen(|w| {
        exempt(
            nat_route(w).remove("vpce-ssm"),
            "vpc-1",
            "until=1970-01-31 rule=interface-endpoint reason=x",
        );
    });
    assert_eq!(seen.found, ["internet-route on rtb-a 0.0.0.0/0"]);
    assert_eq!(seen.exempted.len(), 1);
    let [left] = seen.planned.as_slice() else { panic!("{:?}", seen.planned) };
    assert!(left.starts_with("- rtb-a: 0.0.0.0/0 → nat-1: removing it would cut off"), "{left}");
}

#[test]
fn an_endpoint_and_its_groups_exempt_what_lies_on_them() {
    let dns_off = |on: &str| {
        seen(|w| {
            exempt(w.set("vpce-ssm", "PrivateDnsEnabled", json!(false)), on, SOON);
        })
    };
    assert_eq!(dns_off("vpce-ssm").exempted.len(), 1);
    assert_eq!(dns_off("vpce-ssmmessages").exempted.len(), 0);
    assert_eq!(dns_off("sg-https").exempted.len(), 0);
    let closed = |on: &[&str]| {
        seen(|w| {
            w.set("sg-https", "IpPermissions", json!([]));
            for id in on {
                exempt(w, id, SOON);
            }
        })
    };
    assert_eq!(closed(&[]).found.len(), 3);
    assert_eq!(closed(&["vpce-ssm"]).exempted.len(), 1);
    let all = closed(&["sg-https"]);
    assert_eq!((all.found.len(), all.exempted.len(), all.planned.len()), (0, 3, 0));
}

#[test]
fn lists_of_subnets_are_exempted_subnet_by_subnet() {
    let unguarded = |on: &[&str]| {
        seen(|w| {
            for (subnet, table) in [("subnet-pria", "rtb-a"), ("subnet-prib", "rtb-b")] {
                w.set(subnet, "Tags", json!([])).route(table, "0.0.0.0/0", "nat-1");
            }
            for id in on {
                exempt(w, id, SOON);
            }
        })
    };
    let one = unguarded(&["subnet-pria"]);
    assert_eq!((one.found.len(), one.exempted.len()), (1, 1));
    assert_eq!(one.planned.len(), 1);
    assert!(one.planned[0].starts_with("- subnet-prib: "), "{:?}", one.planned);
    let both = unguarded(&["subnet-pria", "subnet-prib"]);
    assert_eq!((both.found.len(), both.exempted.len(), both.planned.len()), (0, 1, 0));
    let closed = |on: &[&str]| {
        seen(|w| {
            w.set("acl-default", "Entries", json!([]));
            for id in on {
                exempt(w, id, SOON);
            }
        })
    };
    let (none, one) = (closed(&[]), closed(&["subnet-pria"]));
    assert!(one.exempted.iter().all(|line| line.starts_with("service-not-served")));
    assert!(one.found.len() < none.found.len() && !one.exempted.is_empty());
    let both = closed(&["subnet-pria", "subnet-prib"]);
    assert_eq!((both.found.len(), both.planned.len()), (0, 0), "{:?}", both.planned);
}
