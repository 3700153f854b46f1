//! EC2's operations that the guardrail calls to change something: one row each, and what is known
//! of it is read off the row.

use std::fmt;

use crate::ec2::snapshot::Section;

/// An operation of EC2 that changes something, as far as its name alone says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    /// AWS's name of the operation.
    name: &'static str,
    /// The IAM actions that it needs, those included that AWS checks along with it: tags given on
    /// creation, and private DNS, which associates the VPC with a hosted zone (Service
    /// Authorization Reference, dependent actions).
    permissions: &'static [&'static str],
    /// What a call was planned from, and what is read again before it is made. The VPC each time:
    /// its tag is how a person tells the guardrail to stop.
    rests_on: &'static [Section],
    /// The sections that a change shows in once it is made.
    shows_in: &'static [Section],
    /// Whether AWS counts the operation against the small allowance for endpoint calls.
    changes_endpoints: bool,
    /// Whether the operation takes the parameter `DryRun`.
    has_dry_run: bool,
}

/// What the proof rests on that services are served, which is made again before a call that moves a
/// service's name or route, or that takes a route away. What the Region offers is not among it: that
/// does not change within a run.
const WHETHER_SERVED: &[Section] = &[
    Section::Vpcs,
    Section::Subnets,
    Section::RouteTables,
    Section::VpcEndpoints,
    Section::NatGateways,
    Section::SecurityGroups,
    Section::NetworkInterfaces,
    Section::NetworkAcls,
    Section::PrefixLists,
    Section::DhcpOptions,
    Section::VpcAttributes,
];

/// What says that an address of an interface carries nothing: what its subnet is, and where its routes
/// lead.
const WHO_HAS_ADDRESSES: &[Section] = &[
    Section::Vpcs,
    Section::Subnets,
    Section::RouteTables,
    Section::NatGateways,
    Section::NetworkInterfaces,
    Section::PrefixLists,
];

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $value:expr,)* })*) => {
        /// An operation of EC2 that the guardrail calls to change something.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)*
        }

        impl Operation {
            /// Every operation, in the order of this table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            fn row(self) -> &'static Row {
                match self {
                    $(Self::$name => &const { Row { name: stringify!($name), $($field: $value,)* } },)*
                }
            }
        }
    };
}

operations! {
    /// A DNS attribute of a VPC is turned on.
    ModifyVpcAttribute {
        permissions: &["ec2:ModifyVpcAttribute"],
        rests_on: WHETHER_SERVED,
        shows_in: &[Section::VpcAttributes],
        changes_endpoints: false,
        has_dry_run: false,
    }
    /// A security group is made.
    CreateSecurityGroup {
        permissions: &["ec2:CreateSecurityGroup", "ec2:CreateTags"],
        rests_on: &[Section::Vpcs, Section::SecurityGroups],
        shows_in: &[Section::SecurityGroups],
        changes_endpoints: false,
        has_dry_run: true,
    }
    /// A security group admits more.
    AuthorizeSecurityGroupIngress {
        permissions: &["ec2:AuthorizeSecurityGroupIngress"],
        rests_on: &[Section::Vpcs, Section::SecurityGroups],
        shows_in: &[Section::SecurityGroups],
        changes_endpoints: false,
        has_dry_run: true,
    }
    /// A security group admits less.
    RevokeSecurityGroupIngress {
        permissions: &["ec2:RevokeSecurityGroupIngress"],
        rests_on: &[Section::Vpcs, Section::SecurityGroups, Section::PrefixLists],
        shows_in: &[Section::SecurityGroups],
        changes_endpoints: false,
        has_dry_run: true,
    }
    /// An endpoint is made.
    CreateVpcEndpoint {
        permissions: &["ec2:CreateVpcEndpoint", "ec2:CreateTags", "route53:AssociateVPCWithHostedZone"],
        rests_on: WHETHER_SERVED,
        shows_in: &[Section::RouteTables, Section::VpcEndpoints],
        changes_endpoints: true,
        has_dry_run: true,
    }
    /// An endpoint is changed.
    ModifyVpcEndpoint {
        permissions: &["ec2:ModifyVpcEndpoint", "route53:AssociateVPCWithHostedZone"],
        rests_on: WHETHER_SERVED,
        shows_in: &[Section::RouteTables, Section::VpcEndpoints],
        changes_endpoints: true,
        has_dry_run: true,
    }
    /// A route is deleted.
    DeleteRoute {
        permissions: &["ec2:DeleteRoute"],
        rests_on: WHETHER_SERVED,
        shows_in: &[Section::RouteTables],
        changes_endpoints: false,
        has_dry_run: true,
    }
    /// An attribute of a subnet is set.
    ModifySubnetAttribute {
        permissions: &["ec2:ModifySubnetAttribute"],
        rests_on: &[Section::Vpcs, Section::Subnets, Section::RouteTables, Section::NatGateways],
        shows_in: &[Section::Subnets],
        changes_endpoints: false,
        has_dry_run: false,
    }
    /// An attribute of a network interface is set.
    ModifyNetworkInterfaceAttribute {
        permissions: &["ec2:ModifyNetworkInterfaceAttribute"],
        rests_on: WHO_HAS_ADDRESSES,
        shows_in: &[Section::NetworkInterfaces],
        changes_endpoints: false,
        has_dry_run: true,
    }
    /// An Elastic IP address is taken from what has it.
    DisassociateAddress {
        permissions: &["ec2:DisassociateAddress"],
        rests_on: WHO_HAS_ADDRESSES,
        shows_in: &[Section::NetworkInterfaces],
        changes_endpoints: false,
        has_dry_run: true,
    }
}

impl Operation {
    /// AWS's name of the operation: `DeleteRoute`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The IAM actions that the operation needs, as a policy writes them: `ec2:DeleteRoute`.
    pub fn permissions(self) -> &'static [&'static str] {
        self.row().permissions
    }

    /// What a call of it was planned from, and what is read again before it is made.
    pub fn rests_on(self) -> &'static [Section] {
        self.row().rests_on
    }

    /// The sections of a world that a change by this operation shows in.
    pub fn shows_in(self) -> &'static [Section] {
        self.row().shows_in
    }

    /// Whether AWS counts it against the small allowance for endpoint calls
    /// (docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html).
    pub fn changes_endpoints(self) -> bool {
        self.row().changes_endpoints
    }

    /// Whether EC2 can be asked for a dry run of the operation.
    pub fn has_dry_run(self) -> bool {
        self.row().has_dry_run
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_needs_the_permission_of_its_own_name_and_looks_at_the_vpc_again() {
        for operation in Operation::ALL {
            let own = format!("ec2:{operation}");
            assert!(operation.permissions().contains(&own.as_str()), "{operation}");
            assert!(operation.rests_on().contains(&Section::Vpcs), "{operation}");
        }
    }

    #[test]
    fn a_change_is_looked_at_again_before_it_is_made_where_it_shows() {
        for operation in Operation::ALL {
            let unread =
                operation.shows_in().iter().find(|section| !operation.rests_on().contains(section));
            assert_eq!(unread, None, "{operation}");
        }
    }
}
