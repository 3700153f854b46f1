//! Who answers for a service's own name: the endpoint, the VPC's DNS, and the resolver.

use serde_json::{Value, json};

use super::{check, offer, only_interface, only_s3, only_ssm, told};
use crate::fixture::{Fixture, gateway_endpoint, interface_endpoint};

/// The VPC under a set of DHCP options with these servers.
fn servers<'f>(w: &'f mut Fixture, servers: &[&str]) -> &'f mut Fixture {
    let values: Vec<Value> = servers.iter().map(|server| json!({"Value": server})).collect();
    let configuration = json!([{"Key": "domain-name-servers", "Values": values}]);
    options(w, configuration)
}

fn options(w: &mut Fixture, configurations: Value) -> &mut Fixture {
    let set = json!({"DhcpOptionsId": "dopt-1", "DhcpConfigurations": configurations});
    only_ssm(w).set("vpc-1", "DhcpOptionsId", json!("dopt-1")).add("DhcpOptions", set)
}

#[test]
fn servers_that_are_amazons() {
    for all in [
        &["AmazonProvidedDNS"][..],
        &["amazonprovideddns"],
        &["169.254.169.253"],
        &["fd00:ec2::253"],
        &["FD00:EC2:0::253"],
        // The base of the primary block plus two.
        &["10.0.0.2"],
        &["AmazonProvidedDNS", "10.0.0.2", "169.254.169.253", "fd00:ec2::253"],
    ] {
        assert_eq!(told(|w| servers(w, all)), [""; 0], "{all:?}");
    }
    // A set without servers, as one that only names a domain.
    check(|w| options(w, json!([{"Key": "domain-name", "Values": [{"Value": "shop.test"}]}])), &[]);
    check(|w| only_ssm(w).set("vpc-1", "DhcpOptionsId", json!("default")), &[]);
}

#[test]
fn servers_of_which_it_cannot_be_told_whether_they_forward() {
    for (all, named) in [
        (&["10.0.0.3"][..], "10.0.0.3"),
        // The base plus two of a block that is not the primary one.
        (&["10.1.0.2"], "10.1.0.2"),
        (&["169.254.169.254"], "169.254.169.254"),
        (&["AmazonProvidedDNS", "10.0.0.3"], "AmazonProvidedDNS, 10.0.0.3"),
        (&["dns.shop.test"], "dns.shop.test"),
        (&["AmazonProvidedDNS2"], "AmazonProvidedDNS2"),
    ] {
        let secondary =
            json!([{"CidrBlock": "10.1.0.0/16", "CidrBlockState": {"State": "associated"}}]);
        let seen = told(|w| {
            w.set(
                "sg-https",
                "IpPermissions",
                json!([{"IpProtocol": "-1",
                "IpRanges": [{"CidrIp": "10.0.0.0/15"}]}]),
            );
            w.route("rtb-a", "10.1.0.0/16", "local").route("rtb-b", "10.1.0.0/16", "local");
            servers(w, all).set("vpc-1", "CidrBlockAssociationSet", secondary)
        });
        let expected = format!(
            "ssm for pria, prib: ? the DHCP options name DNS servers not Amazon's: {named}"
        );
        assert_eq!(seen, [expected]);
    }
}

#[test]
fn a_set_that_was_not_read() {
    check(
        |w| only_ssm(w).set("vpc-1", "DhcpOptionsId", json!("dopt-unseen")),
        &["ssm for pria, prib: ? DhcpOptions not read"],
    );
}

/// "anything else: cannot tell, unless `overrides` for that VPC say `resolver: forwards-to-amazon`".
#[test]
fn an_override_by_id_name_or_tag_says_that_the_servers_forward() {
    for (vpc, is_it) in [
        (json!({"id": "vpc-1"}), true),
        (json!({"id": "vpc-2"}), false),
        (json!({"name": "shop"}), true),
        (json!({"name": "sho"}), false),
        (json!({"tag": {"key": "vpc-guardrail", "value": "managed"}}), true),
        (json!({"tag": {"key": "vpc-guardrail", "value": "left"}}), false),
    ] {
        let over = json!([{"vpc": vpc, "resolver": "forwards-to-amazon"}]);
        let seen = told(|w| servers(w, &["10.0.0.3"]).baseline("overrides", over.clone()));
        assert_eq!(seen.is_empty(), is_it, "{over}: {seen:?}");
        let unread = told(|w| {
            let id = json!("dopt-unseen");
            only_ssm(w).set("vpc-1", "DhcpOptionsId", id).baseline("overrides", over.clone())
        });
        // Nobody knows whether anything leads to servers that nobody has read.
        assert_eq!(unread, ["ssm for pria, prib: ? DhcpOptions not read"], "{over}");
    }
}

/// Gateway endpoints answer under the service's public addresses, which any resolver knows.
#[test]
fn gateway_services_need_no_resolver_of_amazons() {
    check(
        |w| {
            servers(w, &["10.0.0.3"]);
            only_s3(w)
        },
        &[],
    );
}

#[test]
fn private_dns_and_the_vpcs_dns_attributes() {
    check(
        |w| only_ssm(w).set("vpce-ssm", "PrivateDnsEnabled", json!(false)),
        &["ssm for pria, prib: private DNS of vpce-ssm is off"],
    );
    for (attribute, word) in
        [("EnableDnsSupport", "enableDnsSupport"), ("EnableDnsHostnames", "enableDnsHostnames")]
    {
        let off = format!("ssm for pria, prib: {word} of the VPC is off");
        let seen = told(|w| {
            only_ssm(w).world["VpcAttributes"]["vpc-1"][attribute] = json!(false);
            w
        });
        assert_eq!(seen, [off]);
        let seen = told(|w| {
            only_ssm(w).world["VpcAttributes"]["vpc-1"][attribute] = json!(null);
            w
        });
        assert_eq!(seen, ["ssm for pria, prib: ? VpcAttributes not read"]);
    }
}

/// "Such an endpoint leaves the in-VPC name public and serves no subnet."
#[test]
fn a_name_for_inbound_resolver_endpoints_only_serves_no_subnet() {
    let s3 = |w: &mut Fixture, options: Value| {
        let _ = only_interface(w, json!("s3"));
        w.add("VpcEndpoints", interface_endpoint("vpce-s3i", "s3"));
        w.set("vpce-s3i", "DnsOptions", options);
    };
    let inbound = "s3 for pria, prib: the name of vpce-s3i is for inbound Resolver endpoints only";
    for (options, expected) in [
        (json!({"PrivateDnsOnlyForInboundResolverEndpoint": true}), &[inbound][..]),
        (json!({"PrivateDnsOnlyForInboundResolverEndpoint": false}), &[]),
    ] {
        check(
            |w| {
                s3(w, options);
                w
            },
            expected,
        );
    }
}

/// "… and is no obstacle to the gateway endpoint beside it."
#[test]
fn an_inbound_only_name_is_no_obstacle_to_the_gateway_endpoint_beside_it() {
    check(
        |w| {
            only_s3(w).add("VpcEndpoints", interface_endpoint("vpce-s3i", "s3"));
            w.set("vpce-s3i", "Groups", json!([]));
            let inbound = json!({"PrivateDnsOnlyForInboundResolverEndpoint": true});
            w.set("vpce-s3i", "DnsOptions", inbound)
        },
        &[],
    );
}

/// "For a gateway service whose name an interface endpoint holds, that one too."
#[test]
fn both_endpoints_are_judged_where_an_interface_endpoint_holds_a_gateway_services_name() {
    let held = |w: &mut Fixture| {
        let _ = only_s3(w).add("VpcEndpoints", interface_endpoint("vpce-s3i", "s3"));
    };
    check(
        |w| {
            held(w);
            w
        },
        &[],
    );
    check(
        |w| {
            held(w);
            w.set("vpce-s3i", "Groups", json!([]))
        },
        &["s3 for pria, prib: vpce-s3i admits no TCP 443 from 10.0.0.0/16"],
    );
    check(
        |w| {
            held(w);
            w.delete_gateway("vpce-s3")
        },
        &["s3 for pria: no endpoint on rtb-a", "s3 for prib: no endpoint on rtb-b"],
    );
    check(
        |w| {
            held(w);
            w.set("vpce-s3i", "Groups", json!([{"GroupId": "sg-unseen"}]))
        },
        &["s3 for pria, prib: ? a security group of vpce-s3i was not read"],
    );
}

#[test]
fn somebody_elses_endpoint_that_holds_the_name() {
    let theirs = |w: &mut Fixture| {
        let _ = only_ssm(w).add("VpcEndpoints", interface_endpoint("vpce-other", "ssm"));
        w.set("vpce-other", "RequesterManaged", json!(true));
        w.set("vpce-ssm", "PrivateDnsEnabled", json!(false));
    };
    check(
        |w| {
            theirs(w);
            w
        },
        &["ssm for pria, prib: vpce-other, which is not the VPC's own to use, holds the name"],
    );
    // One that is broken holds no name, nor does one whose name is off.
    check(
        |w| {
            theirs(w);
            w.set("vpce-other", "State", json!("failed"))
        },
        &["ssm for pria, prib: private DNS of vpce-ssm is off"],
    );
}

/// Of two endpoints of the VPC's own, the one that holds the name is judged, whatever the other is
/// like.
#[test]
fn the_endpoint_that_answers_is_judged() {
    let two = |w: &mut Fixture| {
        let _ = only_ssm(w).add("VpcEndpoints", interface_endpoint("vpce-aaa", "ssm"));
        w.set("vpce-aaa", "PrivateDnsEnabled", json!(false));
    };
    check(
        |w| {
            two(w);
            w
        },
        &[],
    );
    check(
        |w| {
            two(w);
            w.set("vpce-ssm", "Groups", json!([]))
        },
        &["ssm for pria, prib: vpce-ssm admits no TCP 443 from 10.0.0.0/16"],
    );
}

/// "No private name (DynamoDB's interface endpoint and others): not served by name;
/// `reached_by: endpoint-name` in the baseline makes it count."
#[test]
fn a_service_without_a_private_name() {
    let nameless = |w: &mut Fixture, service: Value| {
        let _ = only_interface(w, service);
        w.add("VpcEndpointServices", offer("mainframe", false));
        w.add("VpcEndpoints", interface_endpoint("vpce-mainframe", "mainframe"));
        w.set("vpce-mainframe", "PrivateDnsEnabled", json!(false));
    };
    check(
        |w| {
            nameless(w, json!("mainframe"));
            w
        },
        &["mainframe for pria, prib: the service has no private name"],
    );
    let by_its_own = json!({"service": "mainframe", "reached_by": "endpoint-name"});
    check(
        |w| {
            nameless(w, by_its_own.clone());
            w
        },
        &[],
    );
    // The endpoint's own name needs neither private DNS nor the VPC's DNS, but a group it needs.
    check(
        |w| {
            nameless(w, by_its_own);
            w.world["VpcAttributes"]["vpc-1"]["EnableDnsHostnames"] = json!(false);
            w.set("vpce-mainframe", "Groups", json!([]))
        },
        &["mainframe for pria, prib: vpce-mainframe admits no TCP 443 from 10.0.0.0/16"],
    );
}

#[test]
fn a_gateway_endpoint_does_not_stand_in_for_an_interface_endpoint() {
    check(
        |w| {
            let _ = only_interface(w, json!("s3"));
            w.add("VpcEndpoints", gateway_endpoint("vpce-s3b", "s3", &[]))
        },
        &["s3 for pria, prib: no endpoint"],
    );
}
