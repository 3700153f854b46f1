//! Endpoint policies: full access, the baseline's own, accepted ones, and all others.

use serde_json::{Value, json};

use super::{check, obstacles, only_gateway, only_interface, only_s3, only_ssm, told};
use crate::fixture::{Fixture, interface_endpoint};

const NARROW: &str =
    r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ssm:Get*","Resource":"*"}]}"#;
const RESTRICTED: &str = "ssm for pria, prib: the policy of vpce-ssm is not full access";

fn narrowed<'f>(w: &'f mut Fixture, policy: &str) -> &'f mut Fixture {
    w.set("vpce-ssm", "PolicyDocument", json!(policy))
}

/// The digest of the policy that is in the way, as `explain` prints it.
fn digest(policy: &str) -> String {
    let fixture = Fixture::edited(|w| narrowed(only_ssm(w), policy));
    let digests = obstacles(&fixture)
        .into_iter()
        .filter_map(|(_, obstacle, _)| obstacle.policy().map(ToString::to_string));
    let mut digests: Vec<String> = digests.collect();
    digests.pop().unwrap()
}

#[test]
fn full_access_is_no_obstacle_in_any_of_its_spellings() {
    for policy in [
        r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
        "{\n  \"Statement\": [\n    {\n      \"Action\": \"*\", \n      \"Effect\": \"Allow\", \n      \"Principal\": \"*\", \n      \"Resource\": \"*\"\n    }\n  ]\n}",
        r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["*"],"Resource":["*"],"Sid":"all"}}"#,
    ] {
        assert_eq!(told(|w| narrowed(only_ssm(w), policy)), [""; 0], "{policy}");
    }
}

#[test]
fn anything_else_is_an_obstacle_that_names_the_digest() {
    for policy in [
        NARROW,
        // A Deny, a condition, one account, a positive form that cannot be compared.
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"ssm:SendCommand","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","NotAction":"ssm:Never","Resource":"*"}]}"#,
    ] {
        assert_eq!(told(|w| narrowed(only_ssm(w), policy)), [RESTRICTED], "{policy}");
        assert!(digest(policy).starts_with("sha256:"), "{policy}");
    }
    for policy in [r#"{"Statement":[]}"#, "not a policy", "", "{", r#"{"Statement":[{}]}"#] {
        let seen = told(|w| narrowed(only_ssm(w), policy));
        assert_eq!(
            seen,
            ["ssm for pria, prib: ? the policy of vpce-ssm cannot be read"],
            "{policy}"
        );
    }
}

/// "The baseline gets `policy` (document) per service": compared by meaning.
#[test]
fn the_baselines_own_policy_is_compared_by_meaning() {
    let own = |policy: &str, theirs: &str| {
        let wanted: Value = serde_json::from_str(policy).unwrap();
        told(|w| only_interface(narrowed(w, theirs), json!({"service": "ssm", "policy": wanted})))
    };
    assert_eq!(own(NARROW, NARROW), [""; 0]);
    let respelt = r#"{"Version":"2012-10-17","Statement":{"Sid":"get","Resource":["*"],"Action":["SSM:get*"],"Principal":{"AWS":"*"},"Effect":"Allow"}}"#;
    assert_eq!(own(NARROW, respelt), [""; 0]);
    let wider = NARROW.replace("Get*", "*");
    assert_eq!(own(NARROW, &wider), [RESTRICTED]);
    let other_way = NARROW.replace(r#""Action":"ssm:Get*""#, r#""NotAction":"ssm:Get*""#);
    assert_eq!(own(NARROW, &other_way), [RESTRICTED]);
}

/// "`accepted_policies` (service and digest, printed by `explain`; an edit ends the acceptance)".
#[test]
fn an_accepted_policy_is_accepted_until_it_is_edited() {
    let accepted = |service: &str, policy: &str| {
        let entry = json!([{"service": service, "digest": digest(NARROW)}]);
        told(|w| narrowed(only_ssm(w), policy).baseline("accepted_policies", entry))
    };
    assert_eq!(accepted("ssm", NARROW), [""; 0]);
    assert_eq!(accepted("ssm", &NARROW.replace("Get*", "Put*")), [RESTRICTED]);
    assert_eq!(accepted("ssmmessages", NARROW), [RESTRICTED]);
    // Blanks and order are no edit.
    assert_eq!(
        accepted("ssm", &NARROW.replace(':', " : ").replace("ssm : Get", "ssm:Get")),
        [""; 0]
    );
}

#[test]
fn a_gateway_endpoints_policy_and_its_name_holders() {
    let own =
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
    check(|w| only_s3(w).set("vpce-s3", "PolicyDocument", json!(own)), &[]);
    check(
        |w| only_s3(w).set("vpce-s3", "PolicyDocument", json!(NARROW)),
        &["s3 for pria, prib: the policy of vpce-s3 is not full access"],
    );
    check(
        |w| {
            only_gateway(w, json!("s3")).add("VpcEndpoints", interface_endpoint("vpce-s3i", "s3"));
            w.set("vpce-s3i", "PolicyDocument", json!(NARROW))
        },
        &["s3 for pria, prib: the policy of vpce-s3i is not full access"],
    );
}

/// "Where a restricted one holds it, that is the obstacle and nothing is made beside it."
#[test]
fn an_unrestricted_endpoint_is_preferred_only_where_none_holds_the_name() {
    let two = |w: &mut Fixture, name_of_narrow: bool| {
        let _ = only_ssm(w).add("VpcEndpoints", interface_endpoint("vpce-full", "ssm"));
        w.set("vpce-full", "PrivateDnsEnabled", json!(false));
        narrowed(w, NARROW).set("vpce-ssm", "PrivateDnsEnabled", json!(name_of_narrow));
    };
    check(
        |w| {
            two(w, true);
            w
        },
        &[RESTRICTED],
    );
    check(
        |w| {
            two(w, false);
            w
        },
        &["ssm for pria, prib: private DNS of vpce-full is off"],
    );
}
