//! AWS's partitions: separate clouds, each with Regions, accounts and names of its own.

use std::fmt;

use crate::ec2::id::{Region, ServiceName};

/// One of AWS's separate clouds. It is shown as ARNs write it behind `arn:`: `aws`, `aws-cn`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Partition(&'static Row);

/// What is known of a partition.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    /// The word behind `arn:`.
    id: &'static str,
    /// How the codes of its Regions begin, from botocore's `partitions.json`.
    regions: &'static str,
    /// How the full names of AWS's endpoint services begin, before the Region: the usual prefix and
    /// the partition's own, which some of its services have. No page of AWS's says which prefix
    /// goes with which service; the prefixes are those of `getDefaultEndpointPrefix` in
    /// github.com/aws/aws-cdk, packages/aws-cdk-lib/aws-ec2/lib/vpc-endpoint.ts.
    services: &'static [&'static str],
}

/// The prefix that services have in every partition.
const USUAL: &str = "com.amazonaws";

/// The partition of all Regions that no other row is about.
static COMMERCIAL: Row = Row { id: "aws", regions: "", services: &[USUAL] };

static OTHERS: [Row; 7] = [
    Row { id: "aws-cn", regions: "cn-", services: &[USUAL, "cn.com.amazonaws"] },
    Row { id: "aws-us-gov", regions: "us-gov-", services: &[USUAL] },
    Row { id: "aws-iso", regions: "us-iso-", services: &[USUAL, "gov.ic.c2s"] },
    Row { id: "aws-iso-b", regions: "us-isob-", services: &[USUAL, "gov.sgov.sc2s"] },
    Row { id: "aws-iso-e", regions: "eu-isoe-", services: &[USUAL, "uk.adc-e.cloud"] },
    Row { id: "aws-iso-f", regions: "us-isof-", services: &[USUAL, "gov.ic.hci.csp"] },
    Row { id: "aws-eusc", regions: "eusc-", services: &[USUAL, "eu.amazonaws"] },
];

/// Prefixes that single services have instead, in any partition
/// (docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html).
const OF_SINGLE_SERVICES: [&str; 3] = ["aws.api", "aws.sagemaker", "api.aws"];

impl Default for Partition {
    fn default() -> Self {
        Self(&COMMERCIAL)
    }
}

impl Partition {
    /// Every partition.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::default()).chain(OTHERS.iter().map(Self))
    }

    /// The partition that a Region belongs to.
    pub fn of(region: &Region) -> Self {
        let own = OTHERS.iter().find(|row| region.as_str().starts_with(row.regions));
        own.map_or_else(Self::default, Self)
    }

    /// The partition as ARNs write it.
    pub fn as_str(self) -> &'static str {
        self.0.id
    }

    /// What the names of AWS's hosts end with: `amazonaws.com`. Their services' own prefix is the same
    /// name the other way round.
    pub fn dns_suffix(self) -> String {
        let own = self.0.services.last().copied().unwrap_or(USUAL);
        own.rsplit('.').collect::<Vec<_>>().join(".")
    }

    /// Whether a full name is that of the Region's service with this short name, under one of the
    /// prefixes that are not single services' own.
    pub fn is_regional(self, name: &ServiceName, region: &Region, short: &str) -> bool {
        self.0.services.iter().any(|prefix| *name == *format!("{prefix}.{region}.{short}"))
    }

    /// The full names that a service may have in a Region of the partition, the usual one first,
    /// by its short name: `ssm`, `ecr.api`.
    pub fn service_names(self, region: &Region, short: &str) -> impl Iterator<Item = ServiceName> {
        let regional = self.0.services.iter().chain(&OF_SINGLE_SERVICES);
        let regional = regional.map(move |prefix| format!("{prefix}.{region}.{short}"));
        // IAM, Route 53 and a few others have one name for all Regions.
        let global = self.0.services.iter().map(move |prefix| format!("{prefix}.{short}"));
        regional.chain(global).filter_map(|name| name.parse().ok())
    }
}

/// Whether a name of an endpoint service is a full one: it begins as AWS's own do, or as those of
/// everybody's services do.
pub fn is_full_service_name(name: &str) -> bool {
    behind_prefix(name).is_some()
}

/// The short name of a service of AWS's, which a full name ends with; `None` for a service that is
/// somebody else's (docs.aws.amazon.com/vpc/latest/privatelink/create-endpoint-service.html:
/// `com.amazonaws.vpce.<region>.vpce-svc-…`).
pub fn short_service_name(name: &str) -> Option<&str> {
    let Some(rest) = behind_prefix(name) else { return Some(name) };
    match rest.split_once('.') {
        Some(("vpce", _)) => None,
        Some((region, short)) if Region::is(region) => Some(short),
        Some(_) | None => Some(rest),
    }
}

/// What stands behind the prefix of a full name.
fn behind_prefix(name: &str) -> Option<&str> {
    let own = OTHERS.iter().flat_map(|row| row.services).chain(&OF_SINGLE_SERVICES);
    let mut rests = own.filter_map(|prefix| name.strip_prefix(prefix)?.strip_prefix('.'));
    rests.find(|rest| !rest.is_empty())
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_says_the_partition_and_how_its_services_are_called() {
        for (region, partition, own) in [
            ("eu-central-1", "aws", None),
            ("us-east-1", "aws", None),
            ("cn-northwest-1", "aws-cn", Some("cn.com.amazonaws")),
            ("us-gov-west-1", "aws-us-gov", None),
            ("us-iso-east-1", "aws-iso", Some("gov.ic.c2s")),
            ("us-isob-east-1", "aws-iso-b", Some("gov.sgov.sc2s")),
            ("eu-isoe-west-1", "aws-iso-e", Some("uk.adc-e.cloud")),
            ("us-isof-south-1", "aws-iso-f", Some("gov.ic.hci.csp")),
            ("eusc-de-east-1", "aws-eusc", Some("eu.amazonaws")),
        ] {
            let code: Region = region.parse().unwrap();
            assert_eq!(Partition::of(&code).as_str(), partition, "{region}");
            let names: Vec<String> =
                Partition::of(&code).service_names(&code, "ssm").map(String::from).collect();
            let regional = ["com.amazonaws"].into_iter().chain(own);
            let regional = regional.chain(["aws.api", "aws.sagemaker", "api.aws"]);
            let regional = regional.map(|prefix| format!("{prefix}.{region}.ssm"));
            let global = ["com.amazonaws"].into_iter().chain(own);
            let global = global.map(|prefix| format!("{prefix}.ssm"));
            assert_eq!(names, regional.chain(global).collect::<Vec<_>>(), "{region}");
        }
    }

    #[test]
    fn a_full_name_is_told_from_a_short_one() {
        for full in [
            "com.amazonaws.eu-central-1.s3",
            "cn.com.amazonaws.cn-north-1.s3",
            "com.amazonaws.iam",
            "aws.sagemaker.eu-central-1.studio",
            "com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0",
            "gov.ic.c2s.us-iso-east-1.ecr.api",
        ] {
            assert!(is_full_service_name(full), "{full}");
        }
        for short in ["s3", "ecr.api", "awsconnector", "com.amazonaws", "com.amazonaws.", "aws"] {
            assert!(!is_full_service_name(short), "{short}");
        }
    }
}
