use serde_json::{Value, json};

use super::*;
use crate::ec2::policy::PolicyDigest;
use crate::fixture::Fixture;

/// What is said without a world.
fn told(fields: &Value) -> Vec<String> {
    let mut baseline = json!({"version": 1});
    for (key, value) in fields.as_object().unwrap() {
        baseline[key] = value.clone();
    }
    warnings(&Baseline::parse(&baseline.to_string()).unwrap())
}

fn checked(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Checked {
    let fixture = Fixture::edited(edit);
    check_in(&fixture.wanted(), &fixture.world()).unwrap()
}

fn offers_of(checked: &Checked) -> Vec<String> {
    checked.offers.iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_said_of_the_default_baseline() {
    assert_eq!(told(&json!({})), [""; 0]);
    let checked = checked(|w| w.baseline("version", json!(1)));
    assert_eq!(checked.region, Some("eu-central-1".parse().unwrap()));
    assert_eq!(
        offers_of(&checked),
        [
            "s3 (gateway): offered",
            "dynamodb (gateway): offered",
            "ssm (interface): offered in 2 zones, with a private name",
            "ssmmessages (interface): offered in 2 zones, with a private name",
            "ec2messages? (interface): offered in 2 zones, with a private name",
        ]
    );
    assert_eq!(checked.warnings, [""; 0]);
}

#[test]
fn an_unknown_service_and_one_of_the_other_kind_are_named_without_a_world() {
    assert_eq!(
        told(&json!({
            "gateway_endpoints": {"services": ["s3", "ssm"]},
            "interface_endpoints": {"services": ["smm", "s3express", "kms?", "whatever?"]}
        })),
        [
            "`gateway_endpoints.services[1]`: as far as this release knows, `ssm` has interface \
             endpoints and no gateway ones; list it in `interface_endpoints`",
            "`interface_endpoints.services[0]`: `smm` is not a service that this release knows; did you \
             mean `ssm`?",
            "`interface_endpoints.services[1]`: as far as this release knows, `s3express` has gateway \
             endpoints and no interface ones; list it in `gateway_endpoints`",
            "`interface_endpoints.services[3]`: `whatever` is not a service that this release knows",
        ]
    );
}

#[test]
fn what_the_region_does_not_offer_is_named_with_what_comes_of_it() {
    let checked = checked(|w| {
        w.baseline("gateway_endpoints", json!({"services": ["s3", "ssm", "s3express"]}));
        w.set("com.amazonaws.eu-central-1.ssmmessages", "PrivateDnsNames", json!([]));
        w.baseline(
            "interface_endpoints",
            json!({"services": [
                "kms?", "kms-fips", "smm", "dynamodb?", "com.amazonaws.us-east-1.ssm", "ssmmessages",
                {"service": "ec2messages", "reached_by": "endpoint-name"}
            ]}),
        )
    });
    assert_eq!(
        offers_of(&checked),
        [
            "s3 (gateway): offered",
            "ssm (gateway): not offered, only as interface; routes to the internet stay for it",
            "s3express (gateway): not offered; routes to the internet stay for it",
            "kms? (interface): not offered; passed over because of its `?`",
            "kms-fips (interface): not offered; routes to the internet stay for it",
            "smm (interface): not offered; routes to the internet stay for it",
            "dynamodb? (interface): not offered, only as gateway; passed over because of its `?`",
            "com.amazonaws.us-east-1.ssm (interface): not offered, a service of us-east-1; routes to the \
             internet stay for it",
            "ssmmessages (interface): offered in 2 zones, without a private name, so it cannot be served",
            "ec2messages (interface): offered in 2 zones, reached by the endpoint's own name",
        ]
    );
    let stays = "routes to the internet stay for it";
    assert_eq!(
        checked.warnings,
        [
            format!(
                "`gateway_endpoints.services[1]`: `ssm` has interface endpoints in eu-central-1 and no \
                 gateway ones, so {stays}; list it in `interface_endpoints`"
            ),
            format!(
                "`gateway_endpoints.services[2]`: `s3express` is not offered in eu-central-1, so {stays}; \
                 write `s3express?` if it is required only where it is offered"
            ),
            format!(
                "`interface_endpoints.services[1]`: `kms-fips` is not offered in eu-central-1, so \
                 {stays}; write `kms-fips?` if it is required only where it is offered"
            ),
            format!(
                "`interface_endpoints.services[2]`: `smm` is not offered in eu-central-1, nor is it a \
                 service that this release knows, so {stays}; did you mean `ssm`?"
            ),
            "`interface_endpoints.services[3]`: `dynamodb?` has gateway endpoints in eu-central-1 and no \
             interface ones, so it is passed over; list it in `gateway_endpoints`"
                .to_owned(),
            format!(
                "`interface_endpoints.services[4]`: `com.amazonaws.us-east-1.ssm` is a service of \
                 us-east-1, not of eu-central-1, so {stays}; write the short name, which stands for the \
                 service of each Region"
            ),
            format!(
                "`interface_endpoints.services[5]`: `ssmmessages` has no private name in eu-central-1, \
                 so no endpoint serves it by its own name, and {stays}; write `reached_by`: \
                 `endpoint-name` if clients use the endpoint's name"
            ),
        ]
    );
}

#[test]
fn where_routes_wait_for_nothing_none_stays() {
    let checked = checked(|w| {
        w.baseline("internet_routes", json!({"remove": "immediately"}));
        w.baseline("interface_endpoints", json!({"services": ["kms"]}))
    });
    assert_eq!(
        checked.warnings,
        [
            "`interface_endpoints.services[0]`: `kms` is not offered in eu-central-1, so nothing serves \
             it; write `kms?` if it is required only where it is offered"
        ]
    );
}

#[test]
fn a_list_of_services_that_is_not_whole_says_nothing() {
    let mut fixture = Fixture::edited(|w| w.baseline("gateway_endpoints", json!({"services": []})));
    fixture.set("com.amazonaws.eu-central-1.s3", "ServiceName", json!("com.amazonaws.x"));
    let world = fixture.world();
    let mut world = World {
        vpc_endpoint_services: world.vpc_endpoint_services.map(|mut services| {
            services.retain(|service| service.service_name != *"com.amazonaws.eu-central-1.s3");
            services
        }),
        ..world
    };
    let checked = check_in(&fixture.wanted(), &world).unwrap();
    assert_eq!(
        offers_of(&checked)[0],
        "ssm (interface): cannot tell: the Region's services were not read in full, with S3 among them"
    );
    assert_eq!(checked.warnings, [""; 0]);
    world.vpcs = None;
    assert_eq!(check_in(&fixture.wanted(), &world).unwrap(), checked, "no VPC is asked for");
}

#[test]
fn empty_promises_are_told_where_routes_are_removed() {
    let none = json!({"services": []});
    let fields = |mode: &str| json!({"mode": mode, "gateway_endpoints": none.clone(), "interface_endpoints": none.clone()});
    assert_eq!(told(&fields("notify")), [""; 0]);
    assert_eq!(
        told(&fields("repair")),
        [
            "`gateway_endpoints` and `interface_endpoints` list no service, and `internet-route` repairs, \
             so that a route goes at once, whatever clients reach through it; list what they use"
        ]
    );
    let checked = checked(|w| {
        w.baseline("mode", json!("repair"));
        w.baseline("gateway_endpoints", json!({"services": []}));
        w.baseline("interface_endpoints", json!({"services": ["kms?"]}))
    });
    assert_eq!(
        checked.warnings,
        [
            "every service of the baseline is passed over here, and `internet-route` repairs, so that a \
             route goes whatever clients reach through it; list what they use without `?`"
        ]
    );
}

#[test]
fn what_has_no_effect_is_told() {
    let digest = PolicyDigest::of("{}", crate::ec2::partition::Partition::default());
    let policy = json!({"Statement": {"Effect": "Allow", "Principal": "*", "NotAction": "kms:Decrypt",
        "Resource": "*"}});
    assert_eq!(
        told(&json!({
            "managed_vpcs": "all",
            "rules": {
                "internet-route": {"mode": "repair"},
                "unguarded-subnet": {"mode": "repair"},
                "service-not-served": {"mode": "repair"},
                "endpoint-policy": {"mode": "notify"}
            },
            "interface_endpoints": {"services": [{"service": "kms", "policy": policy}]},
            "accepted_policies": [
                {"service": "kms", "digest": digest}, {"service": "sts", "digest": digest}
            ]
        })),
        [
            "`managed_vpcs`: `all` with the mode `repair` changes every VPC of the account in the Region, \
             also one that is made tomorrow; name a tag that the VPCs carry which are meant",
            "`rules.service-not-served.mode`: `repair` does no more than `notify`, because nothing \
             repairs what this rule finds; write `notify`, or leave it out",
            "`rules.unguarded-subnet.mode`: `repair` does no more than `notify`, because nothing repairs \
             what this rule finds; write `notify`, or leave it out",
            "`accepted_policies[1]`: `sts` is in neither list of services, so that nothing is accepted; \
             write the service as it is listed, or leave this out",
            "`interface_endpoints.services[0].policy`: has `NotAction`, so that a policy which is not \
             written alike cannot be compared with it, and counts as an obstacle; name what is meant in \
             the positive",
        ]
    );
    assert_eq!(told(&json!({"managed_vpcs": "all"})), [""; 0]);
}

#[test]
fn selectors_that_match_too_much_are_told_without_a_world() {
    assert_eq!(
        told(&json!({
            "private_subnets": [
                {"tag": "Name", "values": ["*"]}, {"tag": "Tier", "values": ["app", "Private"]}
            ],
            "public_subnets": [
                {"tag": "Tier", "values": ["public", "private"]}, {"tag": "Name", "values": ["*-public-*"]},
                {"tag": "Kind", "values": ["app"]}
            ]
        })),
        [
            "`private_subnets[0]`: `*` makes every subnet with the tag `Name` private, whatever its \
             value; write the values of those that are",
            "`private_subnets[0]` and `public_subnets[1]` both match `Name=*-public-*`, so that nothing \
             of such a subnet is repaired; let one of them match it",
            "`private_subnets[1]` and `public_subnets[0]` both match `Tier=Private`, so that nothing of \
             such a subnet is repaired; let one of them match it",
        ]
    );
}

#[test]
fn an_acceptance_of_everything_is_told() {
    let accepting = |accept: Value| {
        told(&json!({"unclassified_subnets": {"accept": accept, "reason": "a lab"}}))
    };
    let all = |at: usize, value: &str, tag: &str| {
        format!(
            "`unclassified_subnets.accept[{at}]`: `{value}` accepts every subnet with the tag `{tag}`, \
             whatever its value, so that a way out of one that somebody tags wrongly is never told; \
             write the values, or the ids, of those that are meant"
        )
    };
    let hides = |value: &str| {
        format!(
            "`unclassified_subnets.accept[0]`: accepts what is tagged `{value}`, which \
             `private_subnets` or `public_subnets` match too, so that a contradictory tag hides a way \
             out; name those that are meant by id, or by a tag of their own"
        )
    };
    let tag = |tag: &str, values: &[&str]| json!({"tag": tag, "values": values});
    assert_eq!(accepting(json!([tag("Name", &["*"])])), [all(0, "*", "Name")]);
    assert_eq!(accepting(json!(["subnet-1", tag("Team", &["lab", "**"])])), [all(1, "**", "Team")]);
    assert_eq!(accepting(json!([tag("Tier", &["lab", "Public"])])), [hides("Tier=Public")]);
    assert_eq!(accepting(json!([tag("Tier", &["p*"])])), [hides("Tier=private")]);
    assert_eq!(
        accepting(json!(["subnet-1", tag("Tier", &["lab"]), tag("Name", &["lab-*"])])),
        Vec::<String>::new()
    );
}

#[test]
fn selectors_are_judged_on_the_subnets_of_a_world() {
    let selected = |private: Value, public: Value| {
        checked(|w| w.baseline("private_subnets", private).baseline("public_subnets", public))
            .warnings
    };
    let tier = |values: &[&str]| json!([{"tag": "Tier", "values": values}]);
    assert_eq!(
        selected(tier(&["private"]), tier(&["*"])),
        [
            "`private_subnets`: `public_subnets` match every subnet that these match (2 of 4), so that none is \
         private and nothing is repaired; let one of them match it"
        ]
    );
    assert_eq!(
        selected(tier(&["lab"]), tier(&["public"])),
        [
            "`private_subnets`: matches none of the 4 subnets of the managed VPCs, so that nothing is guarded; \
         name the tags that private subnets carry"
        ]
    );
    assert_eq!(selected(tier(&["private", "public"]), json!([])), [""; 0], "two are built public");
    let all_private = checked(|w| {
        w.baseline("private_subnets", tier(&["*"])).baseline("public_subnets", json!([]));
        w.drop_route("rtb-pub", "0.0.0.0/0")
    });
    assert_eq!(
        all_private.warnings,
        [
            "`private_subnets`: matches all 4 subnets of the managed VPCs, so that none may have a way to the \
         internet; check the selectors if some are public"
        ]
    );
    let unmanaged = checked(|w| w.tag("vpc-1", "vpc-guardrail", "no"));
    assert_eq!(
        unmanaged.warnings,
        [
            "`managed_vpcs`: no VPC of the world carries this tag, so that nothing is looked after; tag those \
         that are meant"
        ]
    );
}

#[test]
fn what_names_nothing_in_the_world_is_told() {
    let digest = |text: &str| PolicyDigest::of(text, crate::ec2::partition::Partition::default());
    let checked = checked(|w| {
        w.set("vpce-ssm", "PolicyDocument", json!("{}"));
        w.baseline(
            "interface_endpoints",
            json!({"services": [
                {"service": "ssm", "required_in": [
                    {"tag": "Tier", "values": ["private"]}, {"tag": "Tier", "values": ["public", "lab"]}]}
            ]}),
        );
        w.baseline(
            "accepted_policies",
            json!([
                {"service": "ssm", "digest": digest("{}")}, {"service": "ssm", "digest": digest("[]")},
                {"service": "s3", "digest": digest("{}")}
            ]),
        );
        w.baseline(
            "overrides",
            json!([
                {"vpc": {"id": "vpc-1"}, "resolver": "forwards-to-amazon"},
                {"vpc": {"name": "shop"}, "resolver": "forwards-to-amazon"},
                {"vpc": {"id": "vpc-2"}, "resolver": "forwards-to-amazon"}
            ]),
        )
    });
    assert_eq!(
        checked.warnings,
        [
            "`interface_endpoints.services[0].required_in[1]`: `Tier` with `public` or `lab` matches no \
             private subnet of the managed VPCs; write what the subnets carry that need the service",
            "`overrides[2].vpc`: no managed VPC of the world is or carries vpc-2; correct it, or leave \
             the override out",
            "`accepted_policies[1]`: no endpoint of `ssm` in the managed VPCs has a policy with this \
             digest, so that nothing is accepted; take the digest from `guardrail explain`, or leave \
             this out",
            "`accepted_policies[2]`: no endpoint of `s3` in the managed VPCs has a policy with this \
             digest, so that nothing is accepted; take the digest from `guardrail explain`, or leave \
             this out",
        ]
    );
}

#[test]
fn what_allows_routes_to_everything_is_warned_of() {
    let warned = |blocks: &[&str]| {
        let baseline = json!({"version": 1,
            "internet_routes": {"allowed": [{"destinations": blocks, "reason": "x"}]}});
        warnings(&Baseline::parse(&baseline.to_string()).unwrap())
    };
    assert_eq!(warned(&["203.0.113.7/32", "2001:db8::/32", "32.0.0.0/3"]), Vec::<String>::new());
    assert_eq!(
        warned(&["0.0.0.0/0"]),
        ["`internet_routes.allowed[0]`: `0.0.0.0/0` allows routes to nearly everything, so that \
          `internet-route` finds none of them; name the addresses that are meant"]
    );
    assert_eq!(warned(&["0.0.0.0/1", "128.0.0.0/1", "2000::/3"]).len(), 3);
}

#[test]
fn an_override_that_switches_on_what_repairs_nothing_is_warned_of() {
    let baseline = json!({"version": 1, "overrides": [{"vpc": {"id": "vpc-1"},
        "rules": {"endpoint-state": {"mode": "repair"}, "internet-route": {"mode": "repair"}}}]});
    assert_eq!(
        warnings(&Baseline::parse(&baseline.to_string()).unwrap()),
        [
            "`overrides[0].rules.endpoint-state.mode`: `repair` does no more than `notify`, because nothing \
          repairs what this rule finds; write `notify`, or leave it out"
        ]
    );
}
