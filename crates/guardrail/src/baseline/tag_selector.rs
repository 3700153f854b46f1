//! Tags that say what a subnet is.

use serde::{Deserialize, Serialize};

use crate::ec2::world::Tag;

/// Tags that say what a subnet is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TagSelector {
    /// The tag's key, to the letter.
    pub tag: String,
    /// The values that match, without regard to case; `*` stands for any text, also none.
    pub values: Vec<String>,
}

impl TagSelector {
    pub(super) fn new(tag: &str, values: &[&str]) -> Self {
        Self { tag: tag.to_owned(), values: values.iter().map(|v| (*v).to_owned()).collect() }
    }

    /// What is wrong with it where it stands, one line each.
    pub(super) fn faults(&self, place: &str) -> Vec<String> {
        let no_tag = format!("`{place}.tag`: is empty; write the tag's key");
        let no_values =
            format!("`{place}.values`: is empty, so nothing matches; write values, or `*` for any");
        let faults = [(self.tag.is_empty(), no_tag), (self.values.is_empty(), no_values)];
        faults.into_iter().filter(|(is_so, _)| *is_so).map(|(_, fault)| fault).collect()
    }

    /// A value that every tag with this key matches, whatever its own value.
    pub fn value_that_matches_all(&self) -> Option<&str> {
        let all = |value: &&String| !value.is_empty() && value.bytes().all(|byte| byte == b'*');
        self.values.iter().find(all).map(String::as_str)
    }

    /// A value of one of them all of whose tags the other matches too: the narrower one.
    pub fn value_in_common<'s>(&'s self, other: &'s Self) -> Option<&'s str> {
        let pairs = self.values.iter().flat_map(|own| other.values.iter().map(move |it| (own, it)));
        // A star in the text is matched by none but a star, so that one pattern matches another as
        // a text only where it matches all that the other does.
        let within =
            |text: &str, pattern: &str| matches_pattern(pattern.as_bytes(), text.as_bytes());
        let mut narrower = pairs.filter(|_| self.tag == other.tag).filter_map(|(own, it)| {
            let narrower = if within(own, it) { Some(own) } else { within(it, own).then_some(it) };
            narrower.map(String::as_str)
        });
        narrower.next()
    }

    /// The tag among `tags` that matches, if one does.
    pub fn find<'t>(&self, tags: &'t [Tag]) -> Option<&'t Tag> {
        tags.iter().find(|tag| {
            tag.key == self.tag
                && self
                    .values
                    .iter()
                    .any(|pattern| matches_pattern(pattern.as_bytes(), tag.value.as_bytes()))
        })
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any text; letters without regard to case.
///
/// What stands between two stars is taken where it comes first, which leaves the most for the rest:
/// whoever sets a tag cannot make this take long.
fn matches_pattern(pattern: &[u8], text: &[u8]) -> bool {
    let (pattern, text) = (pattern.to_ascii_lowercase(), text.to_ascii_lowercase());
    let pieces: Vec<&[u8]> = pattern.split(|byte| *byte == b'*').collect();
    let (Some((first, between)), Some((last, _))) = (pieces.split_first(), pieces.split_last())
    else {
        return text.is_empty();
    };
    let Some((_, between)) = between.split_last() else { return text == *first };
    let rest = between
        .iter()
        .try_fold(text.strip_prefix(*first), |rest, piece| behind(rest?, piece).map(Some));
    rest.flatten().is_some_and(|rest| rest.ends_with(last))
}

/// What comes after the first place where `piece` stands in `text`.
fn behind<'t>(text: &'t [u8], piece: &[u8]) -> Option<&'t [u8]> {
    (0..=text.len()).find_map(|at| text.get(at..)?.strip_prefix(piece))
}

/// What CDK, EKS, terraform-aws-vpc and a plain `Tier` tag call a private subnet.
pub(super) fn usual_private_tags() -> Vec<TagSelector> {
    vec![
        TagSelector::new("aws-cdk:subnet-type", &["Private", "Isolated"]),
        TagSelector::new("kubernetes.io/role/internal-elb", &["1"]),
        TagSelector::new("Tier", &["private"]),
        TagSelector::new("Name", &["*-private-*", "*-intra-*"]),
    ]
}

pub(super) fn usual_public_tags() -> Vec<TagSelector> {
    vec![
        TagSelector::new("aws-cdk:subnet-type", &["Public"]),
        TagSelector::new("kubernetes.io/role/elb", &["1"]),
        TagSelector::new("Tier", &["public"]),
        TagSelector::new("Name", &["*-public-*"]),
    ]
}
