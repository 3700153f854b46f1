//! What instances and tools fetch from S3 unasked, and a policy of S3's endpoint may cut off.

use super::listed;
use crate::baseline::{Baseline, ListedService};
use crate::ec2::id::Region;
use crate::ec2::list;
use crate::ec2::partition::Partition;
use crate::ec2::policy::{About, Effect, PolicyDocument, PrincipalKind, Statement};

/// Something that fetches from S3, or writes there, and from which buckets.
struct Need {
    what: &'static str,
    action: &'static str,
    /// The buckets: `{r}` stands for the Region, `{rr}` for the Region without dashes, `*` for what AWS
    /// chooses by Region.
    buckets: &'static [&'static str],
}

/// What is needed, as AWS's pages list it.
const NEEDS: &[Need] = &[
    // docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html
    Need {
        what: "updates and documents of the SSM Agent",
        action: "s3:getobject",
        buckets: &["amazon-ssm-{r}", "aws-ssm-{r}"],
    },
    // docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html
    Need {
        what: "patching by Patch Manager",
        action: "s3:getobject",
        buckets: &["patch-baseline-snapshot-{r}*", "aws-patch-manager-{r}-*"],
    },
    // docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
    Need {
        what: "the layers of ECR's images",
        action: "s3:getobject",
        buckets: &["prod-{r}-starport-layer-bucket"],
    },
    // docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html and the repositories' lists
    Need {
        what: "the packages of Amazon Linux",
        action: "s3:getobject",
        buckets: &["al2023-repos-{r}-de612dc2", "amazonlinux-2-repos-{r}"],
    },
    // docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/vpc-interface-endpoints.html
    Need {
        what: "the answers of CloudFormation's wait conditions and custom resources",
        action: "s3:putobject",
        buckets: &[
            "cloudformation-waitcondition-{r}",
            "cloudformation-custom-resource-response-{rr}",
        ],
    },
];

/// What a policy does with a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// It lets everybody do it.
    Allows,
    /// It lets some principals do it, or under a condition; or a statement denies something of it.
    InPart,
    /// No statement allows it.
    Refuses,
}

/// A line for each policy of S3's endpoints in the baseline that cuts off what is fetched unasked.
/// Without a Region, a bucket of any Region will do.
pub(super) fn warnings(baseline: &Baseline, region: Option<&Region>) -> Vec<String> {
    let of_s3 = |listed: &ListedService| listed.service.short_name() == Some("s3");
    let listed = listed(baseline).filter(|it| of_s3(it.listed));
    listed
        .filter_map(|it| Some(warning(&it.place(), it.listed.policy.as_ref()?, region)))
        .flatten()
        .collect()
}

fn warning(place: &str, policy: &PolicyDocument, region: Option<&Region>) -> Option<String> {
    let judged = || NEEDS.iter().map(|need| (need.what, verdict(policy, need, region)));
    let of = |wanted: Verdict| -> Vec<&str> {
        judged().filter(|(_, verdict)| *verdict == wanted).map(|(what, _)| what).collect()
    };
    let (refused, in_part) = (of(Verdict::Refuses), of(Verdict::InPart));
    let mut parts = Vec::new();
    if !refused.is_empty() {
        parts.push(format!("refuses {}", list(&refused)));
    }
    if !in_part.is_empty() {
        parts.push(format!(
            "allows {} to some principals, or under a condition, only, which requests that nobody \
             signs do not meet",
            list(&in_part)
        ));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "`{place}.policy`: {}; allow what the subnets use, by its buckets",
            parts.join("; and ")
        )
    })
}

/// The worst of what the policy does with the need's buckets.
fn verdict(policy: &PolicyDocument, need: &Need, region: Option<&Region>) -> Verdict {
    let buckets = need.buckets.iter();
    let of = |bucket: &&str| {
        let arns = arns(bucket, region);
        arns.iter().map(|arn| of_bucket(policy, need.action, arn)).min()
    };
    buckets.filter_map(of).max().unwrap_or(Verdict::Allows)
}

/// The ARNs of the objects in a bucket; in each partition where the Region is not known.
fn arns(bucket: &str, region: Option<&Region>) -> Vec<String> {
    let name = region.map_or("*", Region::as_str);
    let bucket = bucket.replace("{r}", name).replace("{rr}", &name.replace('-', ""));
    let partitions = match region {
        Some(region) => vec![Partition::of(region)],
        None => Partition::all().collect(),
    };
    partitions.iter().map(|partition| format!("arn:{partition}:s3:::{bucket}/*")).collect()
}

fn of_bucket(policy: &PolicyDocument, action: &str, arn: &str) -> Verdict {
    let about: Vec<&Statement> =
        policy.statements().filter(|it| may_be_about(it, action, arn)).collect();
    let of = |effect| about.iter().filter(move |statement| statement.effect == effect);
    if of(Effect::Allow).next().is_none() {
        Verdict::Refuses
    } else if of(Effect::Allow).any(|it| is_for_everybody(it)) && of(Effect::Deny).next().is_none()
    {
        Verdict::Allows
    } else {
        Verdict::InPart
    }
}

/// Whether the statement is, or may be, about this action on something that the ARN's pattern matches.
fn may_be_about(statement: &Statement, action: &str, arn: &str) -> bool {
    let actions = match &statement.action {
        About::Only(named) => named.iter().any(|pattern| meet(pattern, action)),
        About::AllBut(named) => !named.iter().any(|pattern| meet(pattern, action)),
    };
    let resources = match &statement.resource {
        About::Only(named) => named.iter().any(|pattern| meet(pattern, arn)),
        About::AllBut(_) => true,
    };
    actions && resources
}

fn is_for_everybody(statement: &Statement) -> bool {
    let everybody = match &statement.principal {
        About::Only(kinds) => {
            kinds.get(&PrincipalKind::Aws).is_some_and(|names| names.contains("*"))
        }
        About::AllBut(_) => false,
    };
    let by_name = match (&statement.action, &statement.resource) {
        (About::Only(_), About::Only(_)) => true,
        (About::AllBut(_), _) | (_, About::AllBut(_)) => false,
    };
    everybody && by_name && statement.condition.is_empty()
}

/// Whether some text fits both patterns, in which `*` stands for any text and `?` for one character; what
/// a policy leaves open stands for any text too.
fn meet(one: &str, other: &str) -> bool {
    let open = |text: &str| -> Vec<char> {
        let mut pattern = text.to_owned();
        for placeholder in crate::ec2::policy::Placeholder::ALL {
            pattern = pattern.replace(placeholder.as_str(), "*");
        }
        pattern.chars().collect()
    };
    let (one, other) = (open(one), open(other));
    // `row[at]`: whether what was taken of `one` and the first `at` characters of `other` can be one text.
    let starts = |any: bool, pattern: &[char]| -> Vec<bool> {
        let mut row = vec![any];
        for c in pattern {
            row.push(*c == '*' && row.last().copied().unwrap_or(false));
        }
        row
    };
    let mut row = starts(true, &other);
    for a in &one {
        let mut next = vec![*a == '*' && row.first().copied().unwrap_or(false)];
        for (at, b) in other.iter().enumerate() {
            let before = |row: &[bool], at: usize| row.get(at).copied().unwrap_or(false);
            let (above, left, corner) =
                (before(&row, at.saturating_add(1)), before(&next, at), before(&row, at));
            let fits = a == b || *a == '?' || *b == '?';
            next.push(match (*a == '*', *b == '*') {
                (true, true) | (true, false) | (false, true) => above || left || corner,
                (false, false) => corner && fits,
            });
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_patterns_meet_where_one_text_fits_both() {
        for (one, other, does) in [
            ("a*c", "abc", true),
            ("a*", "*b", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("", "", true),
            ("abc", "abd", false),
            ("a*x", "b*", false),
            ("arn:aws:s3:::mine/*", "arn:aws:s3:::amazon-ssm-*/*", false),
            ("arn:aws:s3:::amazon-ssm-eu-central-1/*", "arn:aws:s3:::amazon-ssm-*/*", true),
            (
                "arn:aws:s3:::amazon-ssm-{{region}}/*",
                "arn:aws:s3:::amazon-ssm-eu-central-1/*",
                true,
            ),
            ("s3:get*", "s3:getobject", true),
            ("s3:getobject", "s3:putobject", false),
        ] {
            assert_eq!((meet(one, other), meet(other, one)), (does, does), "{one} {other}");
        }
    }

    fn told(statements: &str, region: Option<&str>) -> Vec<String> {
        let services = format!(
            r#"{{"services": [{{"service": "s3", "policy": {{"Statement": {statements}}}}}]}}"#
        );
        let json = format!(r#"{{"version": 1, "gateway_endpoints": {services}}}"#);
        let region: Option<Region> = region.map(|code| code.parse().unwrap());
        warnings(&Baseline::parse(&json).unwrap(), region.as_ref())
    }

    const MINE: &str = r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::mine/*"}"#;

    #[test]
    fn a_policy_for_a_bucket_of_ones_own_cuts_off_the_rest() {
        assert_eq!(
            told(MINE, None),
            [
                "`gateway_endpoints.services[0].policy`: refuses updates and documents of the SSM Agent, \
                 patching by Patch Manager, the layers of ECR's images, the packages of Amazon Linux, the \
                 answers of CloudFormation's wait conditions and custom resources; allow what the subnets \
                 use, by its buckets"
            ]
        );
    }

    #[test]
    fn what_the_policy_allows_by_name_is_not_told() {
        let named = r#"{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": [
            "arn:aws:s3:::amazon-ssm-eu-central-1/*", "arn:aws:s3:::aws-ssm-eu-central-1/*",
            "arn:aws:s3:::patch-baseline-snapshot-eu-central-1/*",
            "arn:aws:s3:::aws-patch-manager-eu-central-1-9163fdaaf/*",
            "arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*", "arn:aws:s3:::al2023-repos-{{region}}-de612dc2/*",
            "arn:aws:s3:::amazonlinux-2-repos-eu-central-1/*", "arn:aws:s3:::cloudformation-*/*"]}"#;
        for region in [None, Some("eu-central-1")] {
            assert_eq!(told(&format!("[{MINE}, {named}]"), region), [""; 0], "{region:?}");
        }
        let elsewhere = told(named, Some("us-east-1"));
        assert_eq!(elsewhere.len(), 1);
        assert!(elsewhere[0].contains("updates and documents of the SSM Agent"), "{elsewhere:?}");
        assert!(!elsewhere[0].contains("CloudFormation"), "{elsewhere:?}");
    }

    #[test]
    fn full_access_cuts_nothing_off_and_a_condition_or_a_denial_may() {
        let full = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#;
        assert_eq!(told(full, None), [""; 0]);
        let own = r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}"#;
        let denied =
            r#"{"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*"}"#;
        let some = told(own, None);
        assert!(some[0].contains("allows updates and documents of the SSM Agent"), "{some:?}");
        let put = told(&format!("[{full}, {denied}]"), None);
        assert_eq!(
            put,
            [
                "`gateway_endpoints.services[0].policy`: allows the answers of CloudFormation's wait \
                 conditions and custom resources to some principals, or under a condition, only, which \
                 requests that nobody signs do not meet; allow what the subnets use, by its buckets"
            ]
        );
    }
}
