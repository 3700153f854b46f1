use serde_json::{Value, json};

use super::*;

const GATEWAY_DEFAULT: &str = r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
const OLD_GATEWAY_DEFAULT: &str = r#"{"Version":"2008-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
const INTERFACE_DEFAULT: &str = "{\n  \"Statement\": [\n    {\n      \"Action\": \"*\", \n      \"Effect\": \"Allow\", \n      \"Principal\": \"*\", \n      \"Resource\": \"*\"\n    }\n  ]\n}";

fn in_region(policy: Option<&str>, service: &str, region: &str) -> Access {
    Access::of(policy, &service.parse().unwrap(), &region.parse().unwrap())
}

fn access(policy: &str, service: &str) -> Access {
    in_region(Some(policy), &format!("com.amazonaws.eu-central-1.{service}"), "eu-central-1")
}

/// The default statement, with one element written otherwise.
fn statement(element: &str, value: Value) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    statement[element] = value;
    statement
}

fn with(element: &str, value: Value) -> String {
    json!({ "Statement": [statement(element, value)] }).to_string()
}

fn of(statements: &[Value]) -> String {
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

#[test]
fn the_defaults_give_full_access() {
    for service in ["s3", "dynamodb", "ssm"] {
        for policy in [GATEWAY_DEFAULT, OLD_GATEWAY_DEFAULT, INTERFACE_DEFAULT] {
            assert_eq!(access(policy, service), Access::Full, "{service}: {policy}");
        }
    }
    assert_eq!(in_region(None, "com.amazonaws.eu-central-1.s3", "eu-central-1"), Access::Full);
}

#[test]
fn other_spellings_of_everything_give_full_access() {
    for (service, policy) in [
        ("ssm", with("Principal", json!({"AWS": "*"}))),
        ("ssm", with("Principal", json!({"AWS": ["111122223333", "*"]}))),
        ("ssm", with("Action", json!(["ssm:GetParameter", "*"]))),
        ("ssm", with("Resource", json!(["*"]))),
        ("s3", with("Action", json!("s3:*"))),
        ("s3", with("Action", json!(["s3:Get*", "S3:*"]))),
        ("s3", with("Resource", json!("arn:aws:s3:::*"))),
        ("s3", with("Resource", json!(["arn:aws:s3:::bucket/*", "arn:aws:s3:::*"]))),
        ("dynamodb", with("Action", json!("dynamodb:*"))),
        // What is allowed in full is not made less by what else is allowed.
        ("ssm", of(&[statement("Action", json!("ssm:Get*")), statement("Sid", json!("All"))])),
        (
            "ssm",
            of(&[statement("Sid", json!("All")), {
                let mut other = statement("NotAction", json!("ssm:PutParameter"));
                other.as_object_mut().unwrap().remove("Action");
                other
            }]),
        ),
    ] {
        assert_eq!(access(&policy, service), Access::Full, "{service}: {policy}");
    }
}

#[test]
fn a_near_miss_of_everything_is_restricted() {
    let org = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    for (service, policy) in [
        ("s3", with("Condition", org.clone())),
        ("s3", with("Principal", json!({"AWS": "123456789012"}))),
        ("s3", with("Principal", json!({"AWS": "arn:aws:iam::123456789012:root"}))),
        ("s3", with("Principal", json!({"Service": "*"}))),
        ("s3", with("Resource", json!("arn:aws:s3:::bucket/*"))),
        ("s3", with("Resource", json!("arn:aws-cn:s3:::*"))),
        ("s3", with("Resource", json!("arn:aws:s3:::*/*"))),
        ("s3", with("Resource", json!(" *"))),
        ("s3", with("Action", json!(["s3:Get*"]))),
        ("s3", with("Action", json!("dynamodb:*"))),
        ("s3", with("Action", json!("s3express:*"))),
        ("s3express", with("Action", json!("s3:*"))),
        ("s3", with("Effect", json!("Deny"))),
        ("dynamodb", with("Resource", json!("arn:aws:s3:::*"))),
        ("dynamodb", with("Action", json!("s3:*"))),
        // The service's own prefix is all that may be asked of it, but that is known of two only.
        ("ssm", with("Action", json!("ssm:*"))),
        ("ssm", with("Action", json!("s3:*"))),
        ("ssm", with("Resource", json!("arn:aws:s3:::*"))),
        // A statement that denies counts whatever it denies.
        ("s3", of(&[statement("Sid", json!("")), statement("Effect", json!("Deny"))])),
        (
            "s3",
            of(&[statement("Sid", json!("")), {
                let mut deny =
                    statement("Condition", json!({"Bool": {"aws:SecureTransport": "false"}}));
                deny["Effect"] = json!("Deny");
                deny
            }]),
        ),
        // Parts are not added up.
        (
            "s3",
            of(&[
                statement("Action", json!("s3:Get*")),
                statement("Resource", json!("arn:aws:s3:::b/*")),
            ]),
        ),
        (
            "s3",
            of(&[
                statement("Condition", json!({"Bool": {"aws:SecureTransport": "true"}})),
                statement("Condition", json!({"Bool": {"aws:SecureTransport": "false"}})),
            ]),
        ),
    ] {
        assert_eq!(access(&policy, service), Access::Restricted, "{service}: {policy}");
    }
}

#[test]
fn a_deny_of_all_but_something_is_restricted_too() {
    let policy = r#"{"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Principal": "*", "Action": "*", "NotResource": "arn:aws:s3:::bucket/*"}
    ]}"#;
    assert_eq!(access(policy, "s3"), Access::Restricted);
}

#[test]
fn what_cannot_be_told_is_neither() {
    let negated = |element: &str| {
        let policy = GATEWAY_DEFAULT.replace(element, &format!("Not{element}"));
        access(&policy, "s3")
    };
    for (element, not) in
        [("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")]
    {
        assert_eq!(negated(element), Access::CannotCompare(NotComparable::Negated(not)));
    }
    let form = |element: &str, wanted| NotComparable::Form { element: element.into(), wanted };
    for (policy, why) in [
        (with("Effect", json!("allow")), form("Effect", "Allow or Deny")),
        (with("Effect", json!("Alow")), form("Effect", "Allow or Deny")),
        (with("Condition", json!({})), form("Condition", "an object with a key")),
        (with("Extra", json!("x")), NotComparable::Unknown("Extra".into())),
        (
            GATEWAY_DEFAULT.replace(r#""Effect":"Allow""#, r#""Effect":"Deny","Effect":"Allow""#),
            NotComparable::Twice("Effect".into()),
        ),
        ("[]".into(), NotComparable::NotAnObject),
    ] {
        assert_eq!(access(&policy, "s3"), Access::CannotCompare(why), "{policy}");
    }
    assert!(matches!(access("", "s3"), Access::CannotCompare(NotComparable::NotJson(_))));
}

#[test]
fn a_partition_has_arns_and_service_names_of_its_own() {
    let own = with("Resource", json!("arn:aws-cn:s3:::*"));
    let other = with("Resource", json!("arn:aws:s3:::*"));
    let prefix = with("Action", json!("s3:*"));
    for service in ["com.amazonaws.cn-north-1.s3", "cn.com.amazonaws.cn-north-1.s3"] {
        for (policy, access) in
            [(&own, Access::Full), (&other, Access::Restricted), (&prefix, Access::Full)]
        {
            assert_eq!(in_region(Some(policy), service, "cn-north-1"), access, "{service}");
        }
    }
    // Nobody else's service is S3 because its name ends like it.
    for service in
        ["com.amazonaws.eu-west-1.s3", "com.amazonaws.vpce.eu-central-1.s3", "example.s3"]
    {
        let access = in_region(Some(&prefix), service, "eu-central-1");
        assert_eq!(access, Access::Restricted, "{service}");
    }
}

fn compared(seen: &str, wanted: &str) -> Comparison {
    let partition = Partition::of(&"eu-central-1".parse().unwrap());
    compare(seen, &PolicyDocument::parse(wanted).unwrap(), partition)
}

#[test]
fn policies_are_compared_by_meaning() {
    let account = with("Principal", json!({"AWS": "123456789012"}));
    let root = with("Principal", json!({"AWS": ["arn:aws:iam::123456789012:root"]}));
    let elsewhere = with("Principal", json!({"AWS": "arn:aws-cn:iam::123456789012:root"}));
    for (seen, wanted, comparison) in [
        (INTERFACE_DEFAULT, GATEWAY_DEFAULT, Comparison::Equal),
        (OLD_GATEWAY_DEFAULT, INTERFACE_DEFAULT, Comparison::Equal),
        (&root, &account, Comparison::Equal),
        (&account, &root, Comparison::Equal),
        (&elsewhere, &account, Comparison::Different),
        (&account, GATEWAY_DEFAULT, Comparison::Different),
        (&with("Action", json!("s3:*")), GATEWAY_DEFAULT, Comparison::Different),
    ] {
        assert_eq!(compared(seen, wanted), comparison, "{seen} and {wanted}");
    }
}

#[test]
fn a_not_form_equals_itself_and_is_compared_with_nothing_else() {
    let not = |actions: Value| {
        let mut statement = statement("NotAction", actions);
        statement.as_object_mut().unwrap().remove("Action");
        of(&[statement])
    };
    let (one, same) = (
        not(json!(["s3:PutObject", "s3:DeleteObject"])),
        not(json!(["S3:deleteobject", "s3:putobject"])),
    );
    let other = not(json!("s3:PutObject"));
    let cannot = Comparison::CannotCompare(NotComparable::Negated("NotAction"));
    assert_eq!(compared(&one, &same), Comparison::Equal);
    assert_eq!(compared(&one, &other), cannot);
    assert_eq!(compared(&one, GATEWAY_DEFAULT), cannot);
    assert_eq!(compared(GATEWAY_DEFAULT, &one), cannot);
    assert_eq!(
        compared("[]", GATEWAY_DEFAULT),
        Comparison::CannotCompare(NotComparable::NotAnObject)
    );
}
