//! Made-up documents, each written in many ways, and each edited.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;

use super::*;

fn aws() -> Partition {
    Partition::of(&"eu-central-1".parse().unwrap())
}

fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<String>> + Clone {
    subsequence(words, 1..=words.len().min(3))
        .prop_map(|words| words.into_iter().map(str::to_owned).collect())
}

fn about<T: std::fmt::Debug>(named: impl Strategy<Value = T>) -> impl Strategy<Value = About<T>> {
    (named, prop::bool::weighted(0.8))
        .prop_map(|(named, only)| if only { About::Only(named) } else { About::AllBut(named) })
}

fn principals() -> impl Strategy<Value = BTreeMap<PrincipalKind, BTreeSet<String>>> {
    let aws = some_of(&[
        "*",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::111122223333:role/x",
    ]);
    let service = some_of(&["s3.amazonaws.com", "ec2.amazonaws.com"]);
    prop_oneof![
        aws.clone().prop_map(|names| BTreeMap::from([(PrincipalKind::Aws, names)])),
        (aws, service).prop_map(|(aws, service)| {
            BTreeMap::from([(PrincipalKind::Aws, aws), (PrincipalKind::Service, service)])
        }),
        Just(everybody()),
    ]
}

prop_compose! {
    fn statement()(
        effect in select(vec![Effect::Allow, Effect::Deny]),
        principal in about(principals()),
        action in about(some_of(&["*", "s3:*", "s3:get*", "s3:putobject"])),
        resource in about(some_of(&["*", "arn:aws:s3:::b/*", "arn:aws:s3:::B/*", "${aws:userid}"])),
        condition in prop::collection::btree_map(
            select(vec!["Bool", "StringEquals", "StringLike"]).prop_map(str::to_owned),
            prop::collection::btree_map(
                select(vec!["aws:sourcevpc", "s3:prefix"]).prop_map(str::to_owned),
                some_of(&["true", "10", "vpc-1", "${aws:username}", "\u{e9}\"\\"]),
                1..=2,
            ),
            0..=2,
        ),
    ) -> Statement {
        Statement { effect, principal, action, resource, condition }
    }
}

prop_compose! {
    fn document()(
        statements in prop::collection::btree_set(statement(), 1..=3),
        replaced in any::<bool>(),
    ) -> PolicyDocument {
        let variables = if replaced { Variables::Replaced } else { Variables::Literal };
        let matters = statements.iter().flat_map(Statement::words).any(|word| word.contains("${"));
        PolicyDocument { variables: matters.then_some(variables), statements }
    }
}

/// Choices between spellings that mean the same.
struct Choices(std::vec::IntoIter<u8>);

impl Choices {
    fn one_of(&mut self, many: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % many
    }

    fn yes(&mut self) -> bool {
        self.one_of(2) == 1
    }

    fn space(&mut self) -> &'static str {
        ["", " ", "\n  ", "\t\r\n"][self.one_of(4)]
    }

    fn shuffled<T>(&mut self, mut items: Vec<T>) -> Vec<T> {
        for end in (1..items.len()).rev() {
            items.swap(end, self.one_of(end + 1));
        }
        items
    }

    fn quoted(&mut self, word: &str, has_case: bool) -> String {
        if self.yes() && (word == "true" || word == "10") {
            return word.to_owned();
        }
        let spelt = |c: char| if !has_case && self.yes() { c.to_ascii_uppercase() } else { c };
        let word: String = word.chars().map(spelt).collect();
        let text = json!(word).to_string();
        if self.yes() { text.replace('a', "\\u0061") } else { text }
    }

    fn object(&mut self, entries: Vec<(String, String)>) -> String {
        let mut text = "{".to_owned();
        for (nth, (key, value)) in self.shuffled(entries).into_iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            text +=
                &format!("{comma}{}{key}{}:{}{value}", self.space(), self.space(), self.space());
        }
        text + self.space() + "}"
    }

    fn list(&mut self, mut items: Vec<String>) -> String {
        if items.len() == 1 && self.yes() {
            return items.remove(0);
        }
        if self.yes() {
            items.push(items[0].clone());
        }
        let comma = format!("{},{}", self.space(), self.space());
        format!("[{}{}]", self.space(), self.shuffled(items).join(&comma))
    }

    fn words(&mut self, words: &BTreeSet<String>, has_case: bool) -> String {
        let words = words.iter().map(|word| self.quoted(word, has_case)).collect();
        self.list(words)
    }

    fn principal(&mut self, kinds: &BTreeMap<PrincipalKind, BTreeSet<String>>) -> String {
        if *kinds == everybody() && self.yes() {
            return "\"*\"".to_owned();
        }
        let mut entries = Vec::new();
        for (kind, names) in kinds {
            let mut spelt = Vec::new();
            for name in names {
                let digits = name.split(':').nth(4).filter(|_| name.ends_with(":root"));
                let digits = digits.filter(|_| self.yes());
                spelt.push(self.quoted(digits.unwrap_or(name), true));
            }
            entries.push((format!("\"{}\"", kind.word()), self.list(spelt)));
        }
        self.object(entries)
    }

    fn statement(&mut self, statement: &Statement) -> String {
        let Statement { effect, principal, action, resource, condition } = statement;
        let key = |key: &str| format!("\"{key}\"");
        let mut entries = vec![
            (key("Effect"), format!("\"{effect:?}\"")),
            (key(principal.key("Principal", "NotPrincipal")), self.principal(principal.named())),
            (key(action.key("Action", "NotAction")), self.words(action.named(), false)),
            (key(resource.key("Resource", "NotResource")), self.words(resource.named(), true)),
        ];
        if self.yes() {
            entries.push((key("Sid"), key(["", "a", "${aws:username}"][self.one_of(3)])));
        }
        if !condition.is_empty() {
            let mut operators = Vec::new();
            for (operator, keys) in condition {
                let mut tested = Vec::new();
                for (name, values) in keys {
                    tested.push((self.quoted(name, false), self.words(values, true)));
                }
                operators.push((key(operator), self.object(tested)));
            }
            entries.push((key("Condition"), self.object(operators)));
        }
        self.object(entries)
    }

    fn document(&mut self, document: &PolicyDocument) -> String {
        let statements = document.statements().map(|one| self.statement(one)).collect();
        let mut entries = vec![("\"Statement\"".to_owned(), self.list(statements))];
        let versions = match document.variables {
            None => [None, Some("2008-10-17"), Some("2012-10-17")],
            Some(Variables::Literal) => [None, Some("2008-10-17"), Some("2008-10-17")],
            Some(Variables::Replaced) => [Some("2012-10-17"); 3],
        };
        if let Some(version) = versions[self.one_of(3)] {
            entries.push(("\"Version\"".to_owned(), format!("\"{version}\"")));
        }
        if self.yes() {
            entries.push(("\"Id\"".to_owned(), "\"x\"".to_owned()));
        }
        self.object(entries)
    }
}

/// A document and one that is made from it by one edit of its meaning, if the edit applies.
fn edited(mut document: PolicyDocument, nth: usize, edit: u8) -> PolicyDocument {
    let mut statements: Vec<Statement> =
        std::mem::take(&mut document.statements).into_iter().collect();
    let nth = nth % statements.len();
    let statement = &mut statements[nth];
    match edit {
        0 => {
            statement.effect = match statement.effect {
                Effect::Allow => Effect::Deny,
                Effect::Deny => Effect::Allow,
            };
        }
        1 => statement.action = About::Only(BTreeSet::from(["s3:deleteobject".to_owned()])),
        2 => {
            let named = statement.resource.named().clone();
            statement.resource = match statement.resource {
                About::Only(_) => About::AllBut(named),
                About::AllBut(_) => About::Only(named),
            };
        }
        3 => {
            let added = BTreeMap::from([("aws:x".to_owned(), BTreeSet::from(["y".to_owned()]))]);
            statement.condition.insert("StringEquals".to_owned(), added);
        }
        4 => statement.condition.clear(),
        5 => drop(statements.remove(nth)),
        _ => {
            let names = BTreeSet::from(["arn:aws:iam::777788889999:root".to_owned()]);
            statement.principal = About::Only(BTreeMap::from([(PrincipalKind::Aws, names)]));
        }
    }
    document.statements = statements.into_iter().collect();
    document
}

proptest! {
    #[test]
    fn every_spelling_of_a_document_is_that_document(
        document in document(),
        choices in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let text = Choices(choices.into_iter()).document(&document);
        let read = PolicyDocument::parse(&text).map(|read| read.in_partition(aws()));
        prop_assert_eq!(read.as_ref(), Ok(&document), "{}", text);
        prop_assert_eq!(PolicyDigest::of(&text, aws()), document.digest(aws()), "{}", text);
        let written = serde_json::to_string(&document).unwrap();
        prop_assert_eq!(PolicyDocument::parse(&written), Ok(document), "{}", written);
    }

    #[test]
    fn an_edit_of_the_meaning_changes_the_digest(
        document in document(),
        nth in any::<usize>(),
        edit in 0_u8..7,
    ) {
        let edited = edited(document.clone(), nth, edit);
        prop_assert_eq!(edited == document, edited.digest(aws()) == document.digest(aws()));
    }

    #[test]
    fn no_text_makes_reading_panic(text in any::<String>()) {
        drop(PolicyDocument::parse(&text));
        prop_assert_eq!(PolicyDigest::of(&text, aws()), PolicyDigest::of(&text, aws()));
    }
}
