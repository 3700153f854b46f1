//! Network ACLs between a subnet and an endpoint, and before a gateway service's ranges.

use serde_json::{Value, json};

use super::{check, only_s3, only_ssm};
use crate::fixture::Fixture;

fn rule(number: u32, egress: bool, action: &str, block: &str, ports: Option<(u16, u16)>) -> Value {
    let key = if block.contains(':') { "Ipv6CidrBlock" } else { "CidrBlock" };
    let mut rule = json!({"RuleNumber": number, "Egress": egress, "RuleAction": action,
        "Protocol": if ports.is_some() { "6" } else { "-1" }, key: block});
    if let Some((from, to)) = ports {
        rule["PortRange"] = json!({"From": from, "To": to});
    }
    rule
}

/// An ACL of its own for a subnet, with the last rule of each direction.
fn acl<'f>(w: &'f mut Fixture, id: &str, subnet: &str, entries: &[Value]) -> &'f mut Fixture {
    let last = [true, false].map(|egress| rule(32_767, egress, "deny", ALL, None));
    acl_listing(w, id, subnet, &[entries, &last].concat())
}

fn acl_listing<'f>(
    w: &'f mut Fixture,
    id: &str,
    subnet: &str,
    entries: &[Value],
) -> &'f mut Fixture {
    let association = json!({"NetworkAclAssociationId": "aclassoc-1", "NetworkAclId": id,
        "SubnetId": subnet});
    w.add(
        "NetworkAcls",
        json!({"NetworkAclId": id, "VpcId": "vpc-1", "IsDefault": false,
            "Associations": [association], "Entries": entries}),
    )
}

/// One `/24` for each private subnet, `vpce-ssm` in `subnet-pria` only, and no NAT gateway in them.
fn apart(w: &mut Fixture) -> &mut Fixture {
    w.remove("nat-private");
    w.set("subnet-pria", "CidrBlock", json!("10.0.1.0/24"));
    w.set("subnet-prib", "CidrBlock", json!("10.0.2.0/24"));
    only_ssm(w).set("vpce-ssm", "SubnetIds", json!(["subnet-pria"]))
}

const ALL: &str = "0.0.0.0/0";

/// "From the subnet's whole block to each interface of the endpoint in another subnet, both ways
/// (within one subnet none applies)."
#[test]
fn a_subnets_own_acl_stops_what_goes_to_another_subnet_and_not_what_stays() {
    check(
        |w| acl(apart(w), "acl-b", "subnet-prib", &[]),
        &[
            "ssm for prib: acl-b stops outbound TCP 443 to 10.0.1.0/24 (no rule admits it)",
            "ssm for prib: acl-b stops inbound TCP 32768-65535 from 10.0.1.0/24 (no rule admits it)",
        ],
    );
    // A closed ACL of the endpoint's subnet: its own clients do not cross its edge.
    check(
        |w| acl(apart(w), "acl-a", "subnet-pria", &[]),
        &[
            "ssm for prib: acl-a stops inbound TCP 443 from 10.0.2.0/24 (no rule admits it)",
            "ssm for prib: acl-a stops outbound TCP 32768-65535 to 10.0.2.0/24 (no rule admits it)",
        ],
    );
    check(|w| acl(apart(w), "acl-a", "subnet-pria", &[]).remove("subnet-prib"), &[]);
}

#[test]
fn each_interface_in_another_subnet_counts() {
    check(
        |w| {
            apart(w).set("vpce-ssm", "SubnetIds", json!(["subnet-pria", "subnet-puba"]));
            w.set("subnet-puba", "CidrBlock", json!("10.0.9.0/24"));
            acl(w, "acl-pub", "subnet-puba", &[rule(1, true, "allow", ALL, None)])
        },
        &[
            "ssm for pria: acl-pub stops inbound TCP 443 from 10.0.1.0/24 (no rule admits it)",
            "ssm for prib: acl-pub stops inbound TCP 443 from 10.0.2.0/24 (no rule admits it)",
        ],
    );
}

/// Where the interface's address was read, what stops other addresses of its subnet is nothing to it.
#[test]
fn an_interface_is_judged_at_its_address() {
    let deny = |block: &str| {
        [
            rule(1, true, "deny", block, None),
            rule(2, true, "allow", ALL, None),
            rule(2, false, "allow", ALL, None),
        ]
    };
    let known = |w: &mut Fixture| {
        apart(w).set("vpce-ssm", "NetworkInterfaceIds", json!(["eni-1"]));
        w.add(
            "NetworkInterfaces",
            json!({"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1",
            "SubnetId": "subnet-pria", "PrivateIpAddress": "10.0.1.5",
            "InterfaceType": "vpc_endpoint"}),
        );
    };
    check(
        |w| {
            known(w);
            acl(w, "acl-b", "subnet-prib", &deny("10.0.1.6/32"))
        },
        &[],
    );
    check(
        |w| {
            known(w);
            acl(w, "acl-b", "subnet-prib", &deny("10.0.1.5/32"))
        },
        &["ssm for prib: acl-b stops outbound TCP 443 to 10.0.1.5/32 (rule 1)"],
    );
    check(
        |w| acl(apart(w), "acl-b", "subnet-prib", &deny("10.0.1.6/32")),
        &["ssm for prib: acl-b stops outbound TCP 443 to 10.0.1.6/32 (rule 1)"],
    );
}

/// "Client ports 32768–65535 must be open, 1024–65535 where a Lambda function's or a NAT gateway's
/// interface is in the subnet."
#[test]
fn the_ports_that_answers_come_back_to() {
    let answers = |w: &mut Fixture, from: u16| {
        let entries =
            [rule(1, true, "allow", ALL, None), rule(1, false, "allow", ALL, Some((from, 65535)))];
        let _ = acl(apart(w), "acl-b", "subnet-prib", &entries);
    };
    check(
        |w| {
            answers(w, 32768);
            w
        },
        &[],
    );
    check(
        |w| {
            answers(w, 32769);
            w
        },
        &["ssm for prib: acl-b stops inbound TCP 32768 from 10.0.1.0/24 (no rule admits it)"],
    );
    let wide =
        "ssm for prib: acl-b stops inbound TCP 1024-32767 from 10.0.1.0/24 (no rule admits it)";
    let holds = |kind: &str, subnet: &str| {
        json!({"NetworkInterfaceId": "eni-l", "VpcId": "vpc-1", "SubnetId": subnet,
            "PrivateIpAddress": "10.0.2.9", "InterfaceType": kind})
    };
    for (kind, subnet, expected) in [
        ("lambda", "subnet-prib", &[wide][..]),
        ("nat_gateway", "subnet-prib", &[wide]),
        ("interface", "subnet-prib", &[]),
        ("lambda", "subnet-puba", &[]),
    ] {
        check(
            |w| {
                answers(w, 32768);
                w.add("NetworkInterfaces", holds(kind, subnet))
            },
            expected,
        );
    }
    check(
        |w| {
            answers(w, 32768);
            w.add(
                "NatGateways",
                json!({"NatGatewayId": "nat-b", "VpcId": "vpc-1",
                "SubnetId": "subnet-prib", "ConnectivityType": "private"}),
            )
        },
        &[wide],
    );
    // Which interfaces are in the subnet is not known.
    check(
        |w| {
            answers(w, 32768);
            w.without("NetworkInterfaces")
        },
        &[wide],
    );
}

/// "A subnet that no ACL lists is under the VPC's default ACL."
#[test]
fn the_default_acl_and_no_acl_at_all() {
    let closed =
        json!([rule(100, false, "allow", ALL, None), rule(32_767, true, "deny", ALL, None)]);
    check(
        |w| apart(w).set("acl-default", "Entries", closed),
        &[
            "ssm for prib: acl-default stops outbound TCP 443 to 10.0.1.0/24 (no rule admits it)",
            "ssm for prib: acl-default stops outbound TCP 32768-65535 to 10.0.2.0/24 (no rule admits it)",
        ],
    );
    check(
        |w| apart(w).remove("acl-default"),
        &["ssm for prib: ? the network ACL of subnet-prib was not seen"],
    );
    check(|w| apart(w).without("NetworkAcls"), &["ssm for prib: ? NetworkAcls not read"]);
    // Two answer while an association is replaced: which one acts cannot be told.
    check(
        |w| {
            let open = [rule(1, true, "allow", ALL, None), rule(1, false, "allow", ALL, None)];
            acl(apart(w), "acl-b", "subnet-prib", &open);
            acl(w, "acl-c", "subnet-prib", &open)
        },
        &["ssm for prib: ? the network ACL of subnet-prib was not seen"],
    );
}

/// Every ACL has rules, of each direction: one of which none is listed was not read, and what was not
/// read may let pass as well as stop.
#[test]
fn an_acl_of_which_no_rule_is_listed_was_not_read() {
    let unread =
        |way: &str| format!("ssm for prib: ? acl-b may stop {way} (its rules were not read)");
    let [out, back] =
        ["outbound TCP 443 to 10.0.1.0/24", "inbound TCP 32768-65535 from 10.0.1.0/24"];
    check(|w| acl_listing(apart(w), "acl-b", "subnet-prib", &[]), &[&unread(out), &unread(back)]);
    check(
        |w| {
            acl_listing(apart(w), "acl-b", "subnet-prib", &[]);
            w.thing("acl-b").as_object_mut().unwrap().remove("Entries");
            w
        },
        &[&unread(out), &unread(back)],
    );
    let one_way = [rule(1, true, "allow", ALL, None)];
    check(|w| acl_listing(apart(w), "acl-b", "subnet-prib", &one_way), &[&unread(back)]);
    // Whether anything is lost by a route's going cannot be told either, so that it stays.
    let planned = crate::fixture::planned(|w| {
        apart(w).route("rtb-b", "0.0.0.0/0", "nat-1");
        acl_listing(w, "acl-b", "subnet-prib", &[])
    });
    assert!(!planned.iter().any(|line| line.contains("delete the route")), "{planned:?}");
}

#[test]
fn a_rule_that_cannot_be_read_leaves_it_open() {
    let strange = json!({"RuleNumber": 1, "Egress": true, "RuleAction": "ponder", "Protocol": "-1",
        "CidrBlock": ALL});
    let entries = [strange, rule(2, true, "allow", ALL, None), rule(2, false, "allow", ALL, None)];
    check(
        |w| acl(apart(w), "acl-b", "subnet-prib", &entries),
        &["ssm for prib: ? acl-b may stop outbound TCP 443 to 10.0.1.0/24 (rule 1 cannot be read)"],
    );
}

/// "Families apart": IPv4 rules say nothing of IPv6.
#[test]
fn ipv6_needs_rules_of_its_own() {
    let v6 = |block: &str| json!([{"Ipv6CidrBlock": block, "Ipv6CidrBlockState": {"State": "associated"}}]);
    check(
        |w| {
            apart(w).set("vpc-1", "Ipv6CidrBlockAssociationSet", v6("2001:db8::/56"));
            w.set("subnet-pria", "Ipv6CidrBlockAssociationSet", v6("2001:db8:0:1::/64"));
            w.set("subnet-prib", "Ipv6CidrBlockAssociationSet", v6("2001:db8:0:2::/64"));
            w.set("vpce-ssm", "IpAddressType", json!("dualstack"));
            let all = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ALL}],
                "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]);
            w.set("sg-https", "IpPermissions", all)
        },
        &[
            "ssm for prib: acl-default stops outbound TCP 443 to 2001:db8:0:1::/64 (no rule admits it)",
            "ssm for prib: acl-default stops inbound TCP 443 from 2001:db8:0:2::/64 (no rule admits it)",
            "ssm for prib: acl-default stops outbound TCP 32768-65535 to 2001:db8:0:2::/64 (no rule admits it)",
            "ssm for prib: acl-default stops inbound TCP 32768-65535 from 2001:db8:0:1::/64 (no rule admits it)",
        ],
    );
}

/// "For gateways, every block of the service's list."
#[test]
fn a_gateway_services_ranges_must_all_pass() {
    let admits = |w: &mut Fixture, blocks: &[&str]| {
        let mut entries = vec![rule(1, false, "allow", ALL, None)];
        let blocks = blocks.iter().zip(2..);
        entries.extend(blocks.map(|(block, at)| rule(at, true, "allow", block, Some((443, 443)))));
        let _ = acl(only_s3(w), "acl-a", "subnet-pria", &entries);
    };
    check(
        |w| {
            admits(w, &["3.5.0.0/19", "52.219.0.0/16"]);
            w
        },
        &[],
    );
    check(
        |w| {
            admits(w, &["3.5.0.0/19", "52.219.0.0/17"]);
            w
        },
        &["s3 for pria: acl-a stops outbound TCP 443 to 52.219.128.0/17 (no rule admits it)"],
    );
    check(
        |w| {
            let out = rule(1, true, "allow", ALL, None);
            let back = rule(1, false, "allow", "3.5.0.0/19", None);
            acl(only_s3(w), "acl-a", "subnet-pria", &[out, back])
        },
        &[
            "s3 for pria: acl-a stops inbound TCP 32768-65535 from 52.219.0.0/16 (no rule admits it)",
        ],
    );
}
