//! What a policy of the baseline leaves open: account, organisation, Region and VPC.

use std::collections::BTreeSet;

use super::{PolicyDocument, Statement};

/// What a policy may leave open, written in double braces: `{{vpc}}`. IAM's own variables begin with a
/// dollar sign (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html), and no
/// name of AWS's holds two braces, so that neither is taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// The id of the VPC's account.
    Account,
    /// The id of the organisation that the baseline names.
    Organization,
    /// The VPC's Region.
    Region,
    /// The VPC's id.
    Vpc,
}

impl Placeholder {
    /// Every placeholder, in the order of their names.
    pub const ALL: [Self; 4] = [Self::Account, Self::Organization, Self::Region, Self::Vpc];

    /// The placeholder as policies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "{{account}}",
            Self::Organization => "{{organization}}",
            Self::Region => "{{region}}",
            Self::Vpc => "{{vpc}}",
        }
    }
}

impl PolicyDocument {
    /// The policy with what it leaves open filled in; what there is no value for stays open.
    #[must_use]
    pub fn filled<'v>(&self, value: impl Fn(Placeholder) -> Option<&'v str>) -> Self {
        let fill = |text: &String| {
            let values = Placeholder::ALL.iter().filter_map(|open| Some((open, value(*open)?)));
            values.fold(text.clone(), |text, (open, value)| text.replace(open.as_str(), value))
        };
        self.with_statements(|statement| statement.with_words(&fill))
    }

    /// Whether the policy leaves this open.
    pub fn leaves_open(&self, open: Placeholder) -> bool {
        self.statements().any(|it| it.words().any(|word| word.contains(open.as_str())))
    }

    /// What stands in double braces in the policy and is no placeholder.
    pub fn unknown_placeholders(&self) -> BTreeSet<String> {
        self.statements().flat_map(Statement::words).flat_map(|word| unknown_in(word)).collect()
    }
}

/// The texts in double braces that are no placeholders; from braces that nothing closes, all the rest.
fn unknown_in(word: &str) -> Vec<String> {
    let rests = word.match_indices("{{").filter_map(|(at, _)| word.get(at..));
    let texts = rests.map(|rest| match rest.find("}}") {
        Some(end) => rest.get(..end.saturating_add(2)).unwrap_or(rest),
        None => rest,
    });
    let is_known = |text: &&str| Placeholder::ALL.iter().any(|open| open.as_str() == *text);
    texts.filter(|text| !is_known(text)).map(str::to_owned).collect()
}

impl Statement {
    /// The statement with each of the words in which something may be left open replaced.
    fn with_words(&self, replace: &impl Fn(&String) -> String) -> Self {
        let all = |words: &BTreeSet<String>| words.iter().map(replace).collect::<BTreeSet<_>>();
        let condition = self.condition.iter().map(|(operator, keys)| {
            let keys = keys.iter().map(|(key, values)| (key.clone(), all(values)));
            (operator.clone(), keys.collect())
        });
        Self {
            effect: self.effect,
            principal: self
                .principal
                .map(|kinds| kinds.iter().map(|(kind, names)| (*kind, all(names))).collect()),
            action: self.action.clone(),
            resource: self.resource.map(all),
            condition: condition.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = r#"{"Statement": {"Effect": "Allow", "Principal": {"AWS": "{{account}}"},
        "Action": "s3:*", "Resource": "arn:aws:s3:::logs-{{account}}-{{region}}/*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "{{organization}}", "aws:SourceVpc": "{{vpc}}"}}}}"#;

    fn filled(text: &str) -> PolicyDocument {
        PolicyDocument::parse(text).unwrap().filled(|open| match open {
            Placeholder::Account => Some("111122223333"),
            Placeholder::Organization => Some("o-a1b2c3d4e5"),
            Placeholder::Region => Some("eu-central-1"),
            Placeholder::Vpc => None,
        })
    }

    #[test]
    fn what_is_left_open_is_filled_in_everywhere_but_where_there_is_no_value() {
        let closed = OPEN
            .replace("{{account}}", "111122223333")
            .replace("{{organization}}", "o-a1b2c3d4e5")
            .replace("{{region}}", "eu-central-1");
        assert_eq!(filled(OPEN), PolicyDocument::parse(&closed).unwrap());
        assert!(filled(OPEN).leaves_open(Placeholder::Vpc));
        assert!(!filled(OPEN).leaves_open(Placeholder::Account));
    }

    #[test]
    fn iams_own_variables_stay() {
        let own = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*",
            "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}/*"}}"#;
        assert_eq!(filled(own), PolicyDocument::parse(own).unwrap());
    }

    #[test]
    fn other_texts_in_braces_are_named() {
        let unknown = |resource: &str| -> Vec<String> {
            let text = OPEN.replace("logs-{{account}}", resource);
            PolicyDocument::parse(&text).unwrap().unknown_placeholders().into_iter().collect()
        };
        assert_eq!(unknown("logs-{{account}}"), [""; 0]);
        assert_eq!(unknown("logs-{{acount}}-{{VPC}}"), ["{{VPC}}", "{{acount}}"]);
        assert_eq!(unknown("logs-{{vpc"), ["{{vpc-{{region}}"]);
    }
}
