use serde_json::json;

use super::*;

fn aws() -> Partition {
    Partition::of(&"eu-central-1".parse().unwrap())
}

fn read(text: &str) -> PolicyDocument {
    PolicyDocument::parse(text).unwrap().in_partition(aws())
}

/// A document with one statement, of which one element is written otherwise.
fn with(element: &str, value: Value) -> String {
    let mut statement =
        json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    statement[element] = value;
    json!({ "Statement": [statement] }).to_string()
}

fn why_not(text: &str) -> String {
    PolicyDocument::parse(text).unwrap_err().to_string()
}

/// Policies that mean the same are one document with one digest.
#[track_caller]
fn same(texts: &[&str]) {
    for text in texts {
        assert_eq!(read(text), read(texts[0]), "{text}");
        assert_eq!(PolicyDigest::of(text, aws()), PolicyDigest::of(texts[0], aws()), "{text}");
    }
}

/// Of policies that mean different things, no two are one document or have one digest.
#[track_caller]
fn all_different(texts: &[&str]) {
    for (nth, text) in texts.iter().enumerate() {
        for other in &texts[nth + 1..] {
            assert_ne!(read(text), read(other), "{text} and {other}");
            assert_ne!(PolicyDigest::of(text, aws()), PolicyDigest::of(other, aws()), "{other}");
        }
    }
}

#[test]
fn the_default_of_a_gateway_endpoint_is_that_of_an_interface_endpoint() {
    same(&[
        r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
        r#"{"Version":"2008-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#,
        "{\n  \"Statement\": [\n    {\n      \"Action\": \"*\", \n      \"Effect\": \"Allow\", \n      \"Principal\": \"*\", \n      \"Resource\": \"*\"\n    }\n  ]\n}",
        r#"{"Id":"x","Version":"2012-10-17","Statement":{"Resource":["*"],"Action":["*","*"],"Principal":{"AWS":["*"]},"Effect":"Allow"}}"#,
    ]);
}

#[test]
fn brackets_order_and_repetition_mean_nothing() {
    same(&[
        &with("Action", json!(["s3:GetObject", "s3:PutObject"])),
        &with("Action", json!(["s3:PutObject", "s3:GetObject", "s3:PutObject"])),
    ]);
    same(&[
        r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"a:c","Resource":"*"}]}"#,
        r#"{"Statement":[{"Effect":"Deny","Principal":"*","Action":"a:c","Resource":"*"},{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"}]}"#,
        r#"{"Statement":[{"Sid":"1","Effect":"Deny","Principal":"*","Action":"a:c","Resource":"*"},{"Sid":"2","Effect":"Deny","Principal":"*","Action":"a:c","Resource":"*"},{"Effect":"Allow","Principal":"*","Action":"a:b","Resource":"*"}]}"#,
    ]);
}

#[test]
fn actions_and_condition_keys_have_no_case_and_all_else_has_one() {
    same(&[&with("Action", json!("s3:GetObject")), &with("Action", json!("S3:getobject"))]);
    same(&[
        &with("Condition", json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}})),
        &with("Condition", json!({"StringEquals": {"AWS:sourcevpc": ["vpc-1"]}})),
    ]);
    all_different(&[
        &with("Resource", json!("arn:aws:s3:::bucket")),
        &with("Resource", json!("arn:aws:s3:::Bucket")),
        &with("Principal", json!({"AWS": "arn:aws:iam::111122223333:user/x"})),
        &with("Principal", json!({"AWS": "arn:aws:iam::111122223333:user/X"})),
        &with("Condition", json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}})),
        &with("Condition", json!({"StringEquals": {"aws:SourceVpc": "VPC-1"}})),
        &with("Condition", json!({"stringEquals": {"aws:SourceVpc": "vpc-1"}})),
        &with("Condition", json!({"StringEqualsIgnoreCase": {"aws:SourceVpc": "vpc-1"}})),
    ]);
}

#[test]
fn quotes_around_numbers_and_booleans_mean_nothing() {
    same(&[
        &with("Condition", json!({"Bool": {"aws:SecureTransport": true}})),
        &with("Condition", json!({"Bool": {"aws:SecureTransport": "true"}})),
        &with("Condition", json!({"Bool": {"aws:SecureTransport": [true, "true"]}})),
    ]);
    same(&[
        &with("Condition", json!({"NumericLessThan": {"s3:max-keys": 10}})),
        &with("Condition", json!({"NumericLessThan": {"s3:max-keys": "10"}})),
    ]);
    all_different(&[
        &with("Condition", json!({"NumericLessThan": {"s3:max-keys": "10"}})),
        &with("Condition", json!({"NumericLessThan": {"s3:max-keys": "-10"}})),
        &with("Condition", json!({"NumericLessThan": {"s3:max-keys": "1"}})),
        &with("Condition", json!({"Bool": {"aws:SecureTransport": true}})),
        &with("Condition", json!({"Bool": {"aws:SecureTransport": false}})),
        &with("Condition", json!({"Bool": {"aws:SecureTransport": "True"}})),
        &with("Condition", json!({"BoolIfExists": {"aws:SecureTransport": true}})),
    ]);
}

#[test]
fn an_account_is_its_root_in_the_partition() {
    same(&[
        &with("Principal", json!({"AWS": "111122223333"})),
        &with("Principal", json!({"AWS": 111_122_223_333_u64})),
        &with("Principal", json!({"AWS": "arn:aws:iam::111122223333:root"})),
        &with("Principal", json!({"AWS": ["arn:aws:iam::111122223333:root", "111122223333"]})),
    ]);
    all_different(&[
        &with("Principal", json!("*")),
        &with("Principal", json!({"AWS": "111122223333"})),
        &with("Principal", json!({"AWS": "444455556666"})),
        &with("Principal", json!({"AWS": "arn:aws-cn:iam::111122223333:root"})),
        &with("Principal", json!({"AWS": "arn:aws:iam::111122223333:user/root"})),
        &with("Principal", json!({"CanonicalUser": "111122223333"})),
        &with("Principal", json!({"AWS": "111122223333", "Service": "s3.amazonaws.com"})),
        &with("Principal", json!({"AWS": ["111122223333", "444455556666"]})),
        &with("Principal", json!({"AWS": "*", "Service": "s3.amazonaws.com"})),
        &with("Principal", json!({"Service": "*"})),
        // Only a principal is an account: elsewhere the digits are a text.
        &with("Condition", json!({"StringEquals": {"aws:PrincipalArn": "111122223333"}})),
        &with(
            "Condition",
            json!({"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:root"}}),
        ),
    ]);
    let china = Partition::of(&"cn-north-1".parse().unwrap());
    let short = with("Principal", json!({"AWS": "111122223333"}));
    let long = with("Principal", json!({"AWS": "arn:aws-cn:iam::111122223333:root"}));
    assert_eq!(PolicyDigest::of(&short, china), PolicyDigest::of(&long, china));
    assert_ne!(PolicyDigest::of(&short, china), PolicyDigest::of(&short, aws()));
}

#[test]
fn the_version_counts_where_something_may_be_a_variable() {
    let versioned = |version: &str, resource: &str| {
        json!({"Version": version, "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*",
            "Resource": resource}})
        .to_string()
    };
    let plain = "arn:aws:s3:::bucket/*";
    same(&[
        &versioned("2008-10-17", plain),
        &versioned("2012-10-17", plain),
        &with("Resource", json!(plain)),
    ]);
    let variable = "arn:aws:s3:::bucket/${aws:username}/*";
    same(&[&versioned("2008-10-17", variable), &with("Resource", json!(variable))]);
    all_different(&[&versioned("2008-10-17", variable), &versioned("2012-10-17", variable)]);

    let in_condition = |version: &str| {
        let mut policy: Value = serde_json::from_str(&with(
            "Condition",
            json!({"StringLike": {"s3:prefix": ["home/${aws:username}/*"]}}),
        ))
        .unwrap();
        policy["Version"] = json!(version);
        policy.to_string()
    };
    all_different(&[&in_condition("2008-10-17"), &in_condition("2012-10-17")]);

    // A label is no place for a variable.
    let labelled = |version: &str| {
        let text = with("Sid", json!("${aws:username}"));
        text.replacen('{', &format!(r#"{{"Version": "{version}", "Id": "${{x}}", "#), 1)
    };
    same(&[&labelled("2008-10-17"), &labelled("2012-10-17")]);
}

#[test]
fn each_element_makes_a_policy_another_one() {
    all_different(&[
        &with("Effect", json!("Allow")),
        &with("Effect", json!("Deny")),
        &with("Action", json!("s3:*")),
        &with("Action", json!(["s3:*", "s3:Get*"])),
        &with("Action", json!("s3:Get*")),
        &with("Resource", json!("arn:aws:s3:::*")),
        &with("Resource", json!("arn:aws:s3:::bucket/*")),
        &with("Resource", json!("arn:aws:s3:::bucket/* ")),
        &with("Principal", json!({"AWS": "111122223333"})),
        &with("Condition", json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
        &with("Condition", json!({"StringEquals": {"aws:PrincipalOrgID": ["o-1", "o-2"]}})),
        &with("Condition", json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}})),
        &with("Condition", json!({"StringEquals": {"aws:ResourceOrgID": "o-1"}})),
        &with(
            "Condition",
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"},
            "Bool": {"aws:SecureTransport": "true"}}),
        ),
    ]);
}

#[test]
fn not_forms_are_documents_of_their_own() {
    let not = |element: &str| {
        with("Sid", json!("")).replacen(&format!("\"{element}\""), &format!("\"Not{element}\""), 1)
    };
    let plain = with("Sid", json!(""));
    all_different(&[&plain, &not("Principal"), &not("Action"), &not("Resource")]);
    same(&[
        r#"{"Statement":{"Effect":"Allow","Principal":"*","NotAction":["a:B","a:C"],"Resource":"*"}}"#,
        r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"NotAction":["A:c","a:b"],"Resource":"*"}]}"#,
    ]);
    for (text, element) in [
        (plain, None),
        (not("Principal"), Some("NotPrincipal")),
        (not("Action"), Some("NotAction")),
        (not("Resource"), Some("NotResource")),
    ] {
        assert_eq!(read(&text).negation(), element, "{text}");
    }
}

#[test]
fn what_iams_grammar_does_not_have_is_not_compared() {
    let no_statement = "`Statement` in the policy is not a statement or a list of statements";
    for (text, why) in [
        ("", "the policy is not JSON (EOF while parsing a value at line 1 column 0)"),
        ("{}{}", "the policy is not JSON (trailing characters at line 1 column 3)"),
        ("[]", "the policy is not an object with `Statement`"),
        ("null", "the policy is not an object with `Statement`"),
        ("{}", "the policy has no `Statement` where there must be one"),
        (r#"{"Statement":[]}"#, no_statement),
        (r#"{"Statement":"*"}"#, no_statement),
        (r#"{"Statement":["*"]}"#, "`Statement` in the policy is not an object"),
        (r#"{"Statement":[{}]}"#, "the policy has no `Effect` where there must be one"),
        (
            r#"{"Statement":[],"Statement":[]}"#,
            "`Statement` stands twice in one object of the policy",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Effect":"Deny"}}"#,
            "`Effect` stands twice in one object of the policy",
        ),
        (
            concat!(
                r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","#,
                r#""Condition":{"Bool":{"a:b":"c"},"Bool":{"d:e":"f"}}}}"#,
            ),
            "`Bool` stands twice in one object of the policy",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*"}}"#,
            "the policy has no `Action` where there must be one",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
            "the policy has no `Principal` where there must be one",
        ),
        (
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"1","AWS":"*"}}}"#,
            "`AWS` stands twice in one object of the policy",
        ),
    ] {
        assert_eq!(why_not(text), why, "{text}");
    }
}

#[test]
fn what_an_element_cannot_be_is_not_compared() {
    let unknown = "is not an element of IAM's policy language at its place in the policy";
    for (element, value, why) in [
        ("Effect", json!("allow"), "`Effect` in the policy is not Allow or Deny"),
        ("Effect", json!(["Allow"]), "`Effect` in the policy is not Allow or Deny"),
        ("Sid", json!(["x"]), "`Sid` in the policy is not a text"),
        ("action", json!("*"), &format!("`action` {unknown}")),
        ("Conditions", json!({}), &format!("`Conditions` {unknown}")),
        ("NotAction", json!("*"), "a statement of the policy has both `Action` and `NotAction`"),
        ("Action", json!([]), "`Action` in the policy is not a text or a list of at least one"),
        ("Action", json!([["*"]]), "`Action` in the policy is not a text"),
        ("Action", json!(null), "`Action` in the policy is not a text"),
        ("Resource", json!({"x": "*"}), "`Resource` in the policy is not a text"),
        (
            "Principal",
            json!("111122223333"),
            "`Principal` in the policy is not `*` or a map of kinds of principals",
        ),
        (
            "Principal",
            json!(["*"]),
            "`Principal` in the policy is not `*` or a map of kinds of principals",
        ),
        (
            "Principal",
            json!({}),
            "`Principal` in the policy is not `*` or a map of kinds of principals",
        ),
        ("Principal", json!({"aws": "*"}), &format!("`aws` {unknown}")),
        ("Condition", json!({}), "`Condition` in the policy is not an object with a key"),
        ("Condition", json!([]), "`Condition` in the policy is not an object"),
        ("Condition", json!({"Null": {}}), "`Null` in the policy is not an object with a key"),
        ("Condition", json!({"Null": "x"}), "`Null` in the policy is not an object"),
        (
            "Condition",
            json!({"Null": {"x:y": []}}),
            "`x:y` in the policy is not a text or a list of at least one",
        ),
        ("Condition", json!({"Null": {"x:y": null}}), "`x:y` in the policy is not a text"),
        ("Condition", json!({"Null": {"x:y": 1.5}}), "`x:y` in the policy is not a text"),
        ("Condition", json!({"Null": {"x:y": {}}}), "`x:y` in the policy is not a text"),
        (
            "Condition",
            json!({"Null": {"x:Y": "1", "x:y": "2"}}),
            "`x:y` stands twice in one object of the policy",
        ),
    ] {
        assert_eq!(why_not(&with(element, value)), why);
    }
    let version = with("Sid", json!("x")).replacen('{', r#"{"Version": "2012-10-18", "#, 1);
    assert_eq!(why_not(&version), "`Version` in the policy is not 2008-10-17 or 2012-10-17");
    // A number with more digits than are read exactly would be another number.
    let long = with("Condition", json!({"NumericEquals": {"x:y": 1}}))
        .replace(":1}", ":123456789012345678901}");
    assert_eq!(why_not(&long), "`x:y` in the policy is not a text");
}

#[test]
fn a_document_that_cannot_be_read_has_the_digest_of_its_text() {
    let (a, b) = (r#"{"Statement": []}"#, r#"{"Statement":[]}"#);
    assert_ne!(PolicyDigest::of(a, aws()), PolicyDigest::of(b, aws()));
    assert_eq!(
        PolicyDigest::of("", aws()).as_str(),
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

/// A digest stands in somebody's baseline: the same document has the same one in every version.
#[test]
fn the_digest_of_a_policy_stays() {
    let default = with("Sid", json!(""));
    assert_eq!(
        PolicyDigest::of(&default, aws()).as_str(),
        "sha256:64f89ca626651f6f4cc9fc8fc32ab90870621547a79d90b0aedd6660215b46cd"
    );
    let canonical = concat!(
        r#"{"Statement":[{"Action":["*"],"Condition":{"Bool":{"aws:securetransport":["true"]},"#,
        r#""StringLike":{"s3:prefix":["${aws:username}/*"]}},"Effect":"Deny","#,
        r#""NotPrincipal":{"AWS":["arn:aws:iam::111122223333:root"],"#,
        r#""Service":["s3.amazonaws.com"]},"Resource":["*"]}],"Version":"2012-10-17"}"#,
    );
    assert_eq!(read(canonical).to_json().to_string(), canonical);
    assert_eq!(PolicyDigest::of(canonical, aws()), PolicyDigest::of_text(canonical));
}

#[test]
fn a_digest_is_read_as_it_is_written() {
    let digest = PolicyDigest::of("", aws());
    assert_eq!(digest.to_string().parse(), Ok(digest.clone()));
    assert_eq!(serde_json::from_value::<PolicyDigest>(json!(digest)).unwrap(), digest);
    let hex = digest.as_str().strip_prefix("sha256:").unwrap();
    for wrong in [
        "".to_owned(),
        hex.to_owned(),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha256:{hex}0"),
        format!("sha256:{}", hex.trim_start_matches('e')),
        format!("sha512:{hex}"),
        format!("{digest} "),
        format!("sha256:{}", hex.replacen('e', "g", 1)),
    ] {
        let error = wrong.parse::<PolicyDigest>().unwrap_err().to_string();
        assert_eq!(
            error,
            format!("`{wrong}` is not the digest of a policy; it should look like `{digest}`")
        );
    }
}

#[test]
fn a_policy_is_read_from_a_baseline_and_written_in_its_canonical_form() {
    let written = json!({
        "Version": "2012-10-17",
        "Id": "x",
        "Statement": {
            "Sid": "Mine",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["s3:PutObject", "s3:GetObject"],
            "NotResource": "arn:aws:s3:::bucket/${aws:username}/*",
            "Condition": {"Bool": {"aws:SecureTransport": true}},
        }
    });
    let document: PolicyDocument = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(PolicyDocument::from_value(&written), Ok(document.clone()));
    assert_eq!(PolicyDocument::parse(&written.to_string()), Ok(document.clone()));
    assert_eq!(
        serde_json::to_value(&document).unwrap(),
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["s3:getobject", "s3:putobject"],
                "NotResource": ["arn:aws:s3:::bucket/${aws:username}/*"],
                "Condition": {"Bool": {"aws:securetransport": ["true"]}},
            }]
        })
    );
    let error = serde_json::from_str::<PolicyDocument>(
        r#"{"Statement": {"Effect": "Allow", "Effect": "Deny"}}"#,
    );
    assert_eq!(error.unwrap_err().to_string(), "`Effect` stands twice in one object of the policy");
}
