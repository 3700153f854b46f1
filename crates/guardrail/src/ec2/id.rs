//! Ids and names as types: parsed once at the edge, so that a route table can never stand where a
//! subnet should.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {what}; it should look like `{example}`")]
pub struct InvalidId {
    text: String,
    what: &'static str,
    example: &'static str,
}

impl InvalidId {
    pub(crate) fn of(text: String, what: &'static str, example: &'static str) -> Self {
        Self { text, what, example }
    }
}

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $example:expr, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as AWS writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether `text` is such an id.
            pub fn is(text: &str) -> bool {
                let valid: fn(&str) -> bool = $valid;
                valid(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                if Self::is(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidId { text, what: $what, example: $example })
                }
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }
    };
}

macro_rules! resource_ids {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal, $what:literal;)*) => {
        $(text_type!($(#[$doc])* $name, $what, concat!($prefix, "0123456789abcdef0"), |text| has_form(text, $prefix));)*
    };
}

resource_ids! {
    /// The id of a VPC.
    VpcId, "vpc-", "the id of a VPC";
    /// The id of a subnet.
    SubnetId, "subnet-", "the id of a subnet";
    /// The id of a route table.
    RouteTableId, "rtb-", "the id of a route table";
    /// The binding of a route table to a subnet, to a gateway, or to the VPC as its main table.
    AssociationId, "rtbassoc-", "the id of a route table association";
    /// The id of a VPC endpoint of any type.
    EndpointId, "vpce-", "the id of a VPC endpoint";
    /// The id of a NAT gateway, zonal or regional, public or private.
    NatGatewayId, "nat-", "the id of a NAT gateway";
    /// The id of a network interface.
    InterfaceId, "eni-", "the id of a network interface";
    /// The id of an Elastic IP address that an account has.
    AllocationId, "eipalloc-", "the id of an Elastic IP address";
    /// The id of an Elastic IP address's association with a network interface.
    AddressAssociationId, "eipassoc-", "the id of an Elastic IP address's association";
    /// The id of an EC2 instance.
    InstanceId, "i-", "the id of an instance";
    /// The id of a security group.
    SecurityGroupId, "sg-", "the id of a security group";
    /// The id of a network ACL.
    NetworkAclId, "acl-", "the id of a network ACL";
    /// The id of a prefix list, AWS's or a customer's.
    PrefixListId, "pl-", "the id of a prefix list";
    /// An internet gateway.
    InternetGatewayId, "igw-", "the id of an internet gateway";
    /// An egress-only internet gateway.
    EgressOnlyInternetGatewayId, "eigw-", "the id of an egress-only internet gateway";
}

text_type!(
    /// The id of a set of DHCP options; `default` stands for none.
    DhcpOptionsId, "the id of a set of DHCP options", "dopt-0123456789abcdef0",
    |text| text == "default" || has_form(text, "dopt-")
);
text_type!(
    /// A virtual private, transit, local or carrier gateway.
    OtherGatewayId, "the id of a gateway", "tgw-0123456789abcdef0",
    |text| ["vgw-", "tgw-", "lgw-", "cagw-"].iter().any(|prefix| has_form(text, prefix))
);
text_type!(
    /// The binding of an address, a network ACL, an instance profile or a CIDR block to something.
    OtherAssociationId, "the id of an association", "eipassoc-0123456789abcdef0",
    |text| {
        let prefixes = ["eipassoc-", "aclassoc-", "iip-assoc-", "vpc-cidr-assoc-", "subnet-cidr-assoc-"];
        prefixes.iter().any(|prefix| has_form(text, prefix))
    }
);

text_type!(
    /// The id of an AWS account: twelve digits.
    AccountId, "an AWS account id", "111122223333",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);
impl AccountId {
    /// The account that an ARN names.
    pub fn of_arn(arn: &str) -> Option<Self> {
        arn.split(':').nth(4)?.parse().ok()
    }
}

text_type!(
    /// An AWS Region's code.
    Region, "a Region", "eu-central-1",
    |text| text.len() <= 32 && text.matches('-').count() >= 2 && is_name(text, b"-")
);
text_type!(
    /// An Availability Zone's name (`eu-central-1a`), which differs between accounts; not its id
    /// (`euc1-az2`).
    Zone, "an Availability Zone", "eu-central-1a",
    |text| text.len() <= 48 && text.matches('-').count() >= 2 && is_name(text, b"-")
);
text_type!(
    /// The full name of an endpoint service.
    ServiceName, "an endpoint service's name", "com.amazonaws.eu-central-1.s3",
    |text| text.len() <= 255 && text.contains('.') && is_name(text, b"-._")
);

impl ServiceName {
    /// The name as people write it: without what comes before it where that is this Region's, as
    /// `ssm` for `com.amazonaws.eu-central-1.ssm`.
    pub fn short_in(&self, region: &Region) -> &str {
        let full = self.as_str();
        let rest = |before: &str| {
            let rest = full.strip_prefix(before)?.strip_prefix(region.as_str())?;
            rest.strip_prefix('.').filter(|rest| !rest.is_empty())
        };
        rest("com.amazonaws.").or_else(|| rest("cn.com.amazonaws.")).unwrap_or(full)
    }
}

fn has_form(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        (1..=32).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
    })
}

fn is_name(text: &str, also: &[u8]) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || also.contains(&b))
}

/// One account's side of one Region: what one set of clients sees, and the only place whose VPCs a
/// function looks after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The Region.
    pub region: Region,
}

impl Place {
    /// The scope of a VPC here.
    pub fn scope(&self, vpc: &VpcId) -> Scope {
        Scope { account: self.account.clone(), region: self.region.clone(), vpc: vpc.clone() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

/// Where a run looks and acts: never less than all three, because ids repeat in nobody's account
/// but clients differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scope {
    /// The account that owns the VPC.
    pub account: AccountId,
    /// The Region the VPC is in.
    pub region: Region,
    /// The id of the VPC.
    pub vpc: VpcId,
}

impl Scope {
    /// The account and Region of the VPC.
    pub fn place(&self) -> Place {
        Place { account: self.account.clone(), region: self.region.clone() }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.region, self.vpc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_prefix_and_one_word() {
        assert!(VpcId::is("vpc-0a1b2c3d4e5f60718"));
        assert!(VpcId::is("vpc-1a2b3c4d"));
        for wrong in [
            "vpc-",
            "vpc",
            "subnet-1",
            "vpc-cidr-assoc-0a1b2c3d",
            "VPC-1a2b3c4d",
            "vpc-1a\n",
            "{{ VpcId }}",
        ] {
            assert!(!VpcId::is(wrong), "{wrong}");
        }
        assert!(!EndpointId::is("vpce-svc-0a1b2c3d"));
        assert!(!InstanceId::is("igw-0a1b2c3d"));
    }

    #[test]
    fn a_wrong_id_is_named_with_what_it_should_be() {
        let error = "rtb_1".parse::<RouteTableId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`rtb_1` is not the id of a route table; it should look like `rtb-0123456789abcdef0`"
        );
    }

    #[test]
    fn a_place_and_a_vpc_are_a_scope() {
        let place = Place {
            account: "111122223333".parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
        };
        let scope = place.scope(&"vpc-1".parse().unwrap());
        assert_eq!(place.to_string(), "111122223333/eu-central-1");
        assert_eq!(scope.to_string(), "111122223333/eu-central-1/vpc-1");
        assert_eq!(scope.place(), place);
        let json = serde_json::json!({
            "account": "111122223333", "region": "eu-central-1", "vpc": "vpc-1",
        });
        assert_eq!(serde_json::to_value(&scope).unwrap(), json);
    }

    #[test]
    fn names_keep_to_awss_alphabet() {
        assert!(AccountId::is("111122223333"));
        assert!(!AccountId::is("1111-2222-3333"));
        let function = "arn:aws:lambda:eu-central-1:111122223333:function:detect";
        assert_eq!(AccountId::of_arn(function), "111122223333".parse().ok());
        assert_eq!(AccountId::of_arn("arn:aws:s3:::bucket"), None);
        assert!(Region::is("us-gov-west-1"));
        assert!(!Region::is("europe"));
        assert!(Zone::is("us-west-2-lax-1a"));
        assert!(ServiceName::is("com.amazonaws.eu-central-1.s3"));
        assert!(!ServiceName::is("s3"));
    }

    #[test]
    fn a_service_of_the_region_goes_by_its_short_name() {
        let here: Region = "eu-central-1".parse().unwrap();
        for (full, short) in [
            ("com.amazonaws.eu-central-1.ssm", "ssm"),
            ("com.amazonaws.eu-central-1.ecr.api", "ecr.api"),
            ("cn.com.amazonaws.eu-central-1.ssm", "ssm"),
            ("com.amazonaws.eu-central-11.ssm", "com.amazonaws.eu-central-11.ssm"),
            ("com.amazonaws.us-east-1.ssm", "com.amazonaws.us-east-1.ssm"),
            ("aws.api.eu-central-1.x", "aws.api.eu-central-1.x"),
            ("com.amazonaws.eu-central-1.", "com.amazonaws.eu-central-1."),
        ] {
            assert_eq!(full.parse::<ServiceName>().unwrap().short_in(&here), short);
        }
    }
}
