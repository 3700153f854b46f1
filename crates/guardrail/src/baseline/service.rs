//! A service as baselines name it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ec2::id::{Region, ServiceName};
use crate::ec2::partition::{Partition, is_full_service_name, short_service_name};

/// A service by its short name (`s3`, `ecr.api`), or by its full name where that is of another
/// form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(extend("pattern" = "^[a-z0-9._-]{1,255}$")))]
#[serde(try_from = "String", into = "String")]
pub struct Service(String);

impl TryFrom<String> for Service {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
        if !text.is_empty() && text.len() <= 255 && text.bytes().all(word) {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is not a service; write `ssm`, `ecr.api` or a full name like `com.amazonaws.eu-central-1.ssm`"
            ))
        }
    }
}

impl From<Service> for String {
    fn from(service: Service) -> String {
        service.0
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Service {
    /// A service of which this crate knows the name.
    pub(super) fn known(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name as the baseline writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full names it may stand for in a Region, the usual one first. A full name stands for
    /// itself.
    pub fn names(&self, region: &Region) -> Vec<ServiceName> {
        let itself = self.0.parse().ok();
        if is_full_service_name(&self.0) {
            return itself.into_iter().collect();
        }
        Partition::of(region).service_names(region, &self.0).chain(itself).collect()
    }

    /// The short name, which a full one ends with; `None` for a service that is not AWS's own.
    pub fn short_name(&self) -> Option<&str> {
        short_service_name(&self.0)
    }

    /// The Region in a full name: `com.amazonaws.eu-central-1.ssm`; a short name and the name of a
    /// service of all Regions, such as `com.amazonaws.iam`, have none.
    pub fn region(&self) -> Option<Region> {
        let parts = is_full_service_name(&self.0).then(|| self.0.split('.'))?;
        parts.into_iter().find_map(|part| part.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(text: &str) -> Service {
        Service::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_service_stands_for_its_full_names() {
        let names = |text: &str, region: &str| -> Vec<String> {
            let names = service(text).names(&region.parse().unwrap());
            names.into_iter().map(String::from).collect()
        };
        assert_eq!(
            names("ssm", "eu-central-1"),
            [
                "com.amazonaws.eu-central-1.ssm",
                "aws.api.eu-central-1.ssm",
                "aws.sagemaker.eu-central-1.ssm",
                "api.aws.eu-central-1.ssm",
                "com.amazonaws.ssm",
            ]
        );
        assert_eq!(
            names("s3", "cn-north-1").get(..2).unwrap(),
            ["com.amazonaws.cn-north-1.s3", "cn.com.amazonaws.cn-north-1.s3"]
        );
        for full in ["com.amazonaws.iam", "com.amazonaws.us-east-1.ssm"] {
            assert_eq!(names(full, "eu-central-1"), [full]);
        }
    }

    #[test]
    fn a_full_name_ends_with_the_short_one() {
        for (text, short) in [
            ("ecr.api", Some("ecr.api")),
            ("com.amazonaws.us-east-1.ecr.api", Some("ecr.api")),
            ("cn.com.amazonaws.cn-north-1.s3", Some("s3")),
            ("aws.sagemaker.eu-central-1.studio", Some("studio")),
            ("com.amazonaws.iam", Some("iam")),
            ("com.amazonaws.s3-global.accesspoint", Some("s3-global.accesspoint")),
            ("com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0", None),
        ] {
            assert_eq!(service(text).short_name(), short, "{text}");
        }
    }

    #[test]
    fn a_full_name_says_its_region() {
        for (text, region) in [
            ("com.amazonaws.us-east-1.ssm", Some("us-east-1")),
            ("cn.com.amazonaws.cn-north-1.s3", Some("cn-north-1")),
            ("com.amazonaws.iam", None),
            ("ssm", None),
            ("us-east-1", None),
        ] {
            assert_eq!(service(text).region(), region.map(|code| code.parse().unwrap()), "{text}");
        }
    }
}
