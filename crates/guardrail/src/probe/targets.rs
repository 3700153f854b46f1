//! What stands for the internet where nobody names anything.

use super::question::{HostName, Target};
use crate::ec2::id::Region;
use crate::ec2::partition::Partition;

/// A host of AWS's that tells callers their public address
/// (docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Tutorials.WebServerDB.CreateVPC.html), and
/// the STS of another Region of the same partition: neither is behind an endpoint of this Region.
/// There is nothing to name in partitions that have no way to the internet, or one Region.
pub fn default_targets(region: &Region) -> Vec<Target> {
    let other = |first: &'static str, second: &'static str| match region.as_str() == first {
        true => second,
        false => first,
    };
    let partition = Partition::of(region);
    let suffix = partition.dns_suffix();
    let sts = |region: &str| format!("sts.{region}.{suffix}");
    let checkip = || "checkip.amazonaws.com".to_owned();
    let names = match partition.as_str() {
        "aws" => vec![checkip(), sts(other("us-east-1", "us-west-2"))],
        "aws-cn" => vec![sts(other("cn-north-1", "cn-northwest-1"))],
        "aws-us-gov" => vec![checkip(), sts(other("us-gov-west-1", "us-gov-east-1"))],
        _ => Vec::new(),
    };
    let target = |name| Some(Target { name: HostName::try_from(name).ok()?, port: 443 });
    names.into_iter().filter_map(target).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(region: &str) -> Vec<String> {
        let targets = default_targets(&region.parse().unwrap());
        targets.into_iter().map(|target| target.name.to_string()).collect()
    }

    #[test]
    fn the_other_region_is_another_one_of_the_same_partition() {
        let checkip = "checkip.amazonaws.com";
        assert_eq!(names("eu-central-1"), [checkip, "sts.us-east-1.amazonaws.com"]);
        assert_eq!(names("us-east-1"), [checkip, "sts.us-west-2.amazonaws.com"]);
        assert_eq!(names("us-gov-west-1"), [checkip, "sts.us-gov-east-1.amazonaws.com"]);
        assert_eq!(names("cn-north-1"), ["sts.cn-northwest-1.amazonaws.com.cn"]);
        assert!(names("us-iso-east-1").is_empty());
    }
}
