//! What an endpoint's policy lets through, and whether it is the one that is wanted.

use std::collections::BTreeSet;

use crate::ec2::id::{Region, ServiceName};
use crate::ec2::partition::Partition;
use crate::ec2::policy::{About, Effect, NotComparable, PolicyDocument, PrincipalKind, Statement};

/// What the policy of an available endpoint lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everything: one statement allows every action of every principal on every resource without
    /// a condition, and none denies.
    Full,
    /// Less than everything, or not provably everything: statements that each allow a part are not
    /// added up, and a statement that denies counts whatever it denies.
    Restricted,
    /// What it lets through cannot be told.
    CannotCompare(NotComparable),
}

impl Access {
    /// The access that an available endpoint of a service gives with this `PolicyDocument`. Without
    /// one it is full: "If you don't attach an endpoint policy, we attach the default endpoint
    /// policy", and services that take no policies, or are not AWS's own, give full access
    /// (docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html). The answer to
    /// `CreateVpcEndpoint` leaves the document out as well, so nothing follows from its absence
    /// before the endpoint is available.
    pub fn of(policy: Option<&str>, service: &ServiceName, region: &Region) -> Self {
        let Some(text) = policy else {
            return Self::Full;
        };
        let document = match PolicyDocument::parse(text) {
            Ok(document) => document,
            Err(why) => return Self::CannotCompare(why),
        };
        let everything = Everything::of(service, region);
        if document.statements().any(|statement| statement.effect == Effect::Deny) {
            Self::Restricted
        } else if document.statements().any(|statement| everything.is_in(statement)) {
            Self::Full
        } else if let Some(element) = document.negation() {
            Self::CannotCompare(NotComparable::Negated(element))
        } else {
            Self::Restricted
        }
    }
}

/// The ways to name every action and every resource in the policy of a service's endpoint.
struct Everything {
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
}

impl Everything {
    fn of(service: &ServiceName, region: &Region) -> Self {
        let partition = Partition::of(region);
        let is = |short: &str| partition.is_regional(service, region, short);
        let mut everything =
            Self { actions: BTreeSet::from(["*".into()]), resources: BTreeSet::from(["*".into()]) };
        for short in ["s3", "dynamodb"].into_iter().filter(|short| is(short)) {
            everything.actions.insert(format!("{short}:*"));
        }
        if is("s3") {
            everything.resources.insert(format!("arn:{partition}:s3:::*"));
        }
        everything
    }

    /// Whether a statement, taken alone, allows everything.
    fn is_in(&self, statement: &Statement) -> bool {
        let Statement { effect, principal, action, resource, condition } = statement;
        let has_everybody = match principal {
            About::Only(kinds) => {
                kinds.get(&PrincipalKind::Aws).is_some_and(|names| names.contains("*"))
            }
            About::AllBut(_) => false,
        };
        *effect == Effect::Allow
            && has_everybody
            && names_one_of(action, &self.actions)
            && names_one_of(resource, &self.resources)
            && condition.is_empty()
    }
}

fn names_one_of(element: &About<BTreeSet<String>>, words: &BTreeSet<String>) -> bool {
    match element {
        About::Only(named) => !named.is_disjoint(words),
        About::AllBut(_) => false,
    }
}

/// How an endpoint's policy compares with the one that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// They mean the same.
    Equal,
    /// They are not the same in canonical form.
    Different,
    /// Whether they mean the same cannot be told.
    CannotCompare(NotComparable),
}

/// Compares an endpoint's `PolicyDocument` with the policy that is wanted.
///
/// Two documents with the same `Not…` elements are equal; where they are not the same in
/// everything, a `Not…` element of either leaves open how much they differ.
pub fn compare(seen: &str, wanted: &PolicyDocument, partition: Partition) -> Comparison {
    let seen = match PolicyDocument::parse(seen) {
        Ok(seen) => seen.in_partition(partition),
        Err(why) => return Comparison::CannotCompare(why),
    };
    if seen == wanted.in_partition(partition) {
        return Comparison::Equal;
    }
    match seen.negation().or(wanted.negation()) {
        Some(element) => Comparison::CannotCompare(NotComparable::Negated(element)),
        None => Comparison::Different,
    }
}

#[cfg(test)]
mod tests;
