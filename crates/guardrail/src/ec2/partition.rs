//! AWS's partitions: separate clouds, each with Regions, accounts and ARNs of its own.

use std::fmt;

use crate::ec2::id::Region;

/// The word behind `arn:` in every ARN of a Region: `aws`, `aws-cn`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(&'static str);

/// How the codes of a partition's Regions begin, from botocore's `partitions.json`; all others are
/// in `aws`.
const PREFIXES: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

impl Partition {
    /// The partition that a Region belongs to.
    pub fn of(region: &Region) -> Self {
        let own = PREFIXES.iter().find(|(prefix, _)| region.as_str().starts_with(prefix));
        Self(own.map_or("aws", |(_, partition)| partition))
    }

    /// The partition as ARNs write it.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_says_the_partition() {
        for (region, partition) in [
            ("eu-central-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-northwest-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(Partition::of(&region.parse().unwrap()).as_str(), partition, "{region}");
        }
    }
}
