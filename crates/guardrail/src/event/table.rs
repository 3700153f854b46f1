//! The event table: every call that can take a VPC off its baseline, one row each.

use std::fmt;

use super::Reach;
use crate::ec2::id::VpcId;
use crate::ec2::resource_id::{ResourceId, ResourceKind};

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Routes, and the tables they stand in.
    Routes,
    /// Which subnet uses which route table.
    Associations,
    /// Routes that a gateway or a route server writes.
    Propagation,
    /// VPC endpoints.
    Endpoints,
    /// NAT gateways.
    NatGateways,
    /// Subnets and their attributes.
    Subnets,
    /// A VPC's address ranges, attributes and DHCP options.
    Vpcs,
    /// Rules of security groups.
    SecurityGroups,
    /// Network ACLs, and which subnet is under which.
    NetworkAcls,
    /// Customer-managed prefix lists.
    PrefixLists,
    /// Network interfaces.
    Interfaces,
    /// Internet gateways.
    InternetGateways,
    /// VPC Block Public Access.
    BlockPublicAccess,
    /// Tags, by which VPCs and subnets are selected.
    Tags,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Routes => "routes",
            Self::Associations => "associations",
            Self::Propagation => "propagation",
            Self::Endpoints => "endpoints",
            Self::NatGateways => "NAT gateways",
            Self::Subnets => "subnets",
            Self::Vpcs => "VPCs",
            Self::SecurityGroups => "security groups",
            Self::NetworkAcls => "network ACLs",
            Self::PrefixLists => "prefix lists",
            Self::Interfaces => "interfaces",
            Self::InternetGateways => "internet gateways",
            Self::BlockPublicAccess => "block public access",
            Self::Tags => "tags",
        })
    }
}

/// How a call says which VPC it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// The call's request or response names the VPC.
    Vpc,
    /// The call names things whose VPC can be looked up.
    Things,
    /// The call names things of every kind; only some are looked up, and a call that names none of
    /// these is of no interest.
    AnyThings,
    /// The call names only what may be gone by the time anybody looks.
    OnlyWhatIsGone,
    /// The call changes the account's whole Region.
    Region,
}

/// One row: a call of EC2 that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// The call's name, CloudTrail's `eventName`.
    pub name: &'static str,
    /// What the call is about.
    pub family: Family,
    /// How the call says which VPC it is about.
    pub names: Names,
    /// The kinds of ids worth looking up where the call names no VPC; others that it names lead
    /// nowhere or to the same VPC.
    pub look_up: &'static [ResourceKind],
    /// How the call can take a VPC off its baseline, in words.
    pub why: &'static str,
}

impl Watch {
    /// Where a call with these ids asks to look.
    pub(super) fn reach(&self, vpcs: &[VpcId], ids: &[ResourceId]) -> Option<Reach> {
        let worth = || {
            let is_worth = |id: &&ResourceId| self.look_up.contains(&id.kind());
            Some(ids.iter().filter(is_worth).cloned().collect::<Vec<_>>())
                .filter(|ids| !ids.is_empty())
        };
        match self.names {
            Names::Vpc if !vpcs.is_empty() => Some(Reach::Vpcs(vpcs.to_vec())),
            Names::Vpc | Names::Things => Some(worth().map_or(Reach::AllManaged, Reach::Resolve)),
            Names::AnyThings => worth().map(Reach::Resolve),
            Names::OnlyWhatIsGone | Names::Region => Some(Reach::AllManaged),
        }
    }
}

/// The names of all watched calls, as the EventBridge rule must list them. Each is watched for
/// `ec2.amazonaws.com` only: App Mesh, API Gateway, EFS, OpenSearch and others have calls of the
/// same names.
pub fn watched_names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|watch| watch.name)
}

pub(super) fn find(name: &str) -> Option<&'static Watch> {
    TABLE.iter().find(|watch| watch.name == name)
}

const fn row(
    name: &'static str,
    family: Family,
    names: Names,
    look_up: &'static [ResourceKind],
    why: &'static str,
) -> Watch {
    Watch { name, family, names, look_up, why }
}

/// Every call that is watched, one row each.
#[rustfmt::skip] // one row, one line or two: a table is for reading down
pub static TABLE: &[Watch] = &{
    use Family::*;
    use ResourceKind::{Endpoint, Instance, Interface, NatGateway, NetworkAcl, PrefixList, RouteTable, SecurityGroup, Subnet, Vpc};
    const TAGGED: &[ResourceKind] = &[Vpc, Subnet, RouteTable, Endpoint, SecurityGroup];
    [
        row("CreateRoute", Routes, Names::Things, &[RouteTable], "adds a way to the internet"),
        row("ReplaceRoute", Routes, Names::Things, &[RouteTable], "points an existing route at another target"),
        row("DeleteRoute", Routes, Names::Things, &[RouteTable], "may end an internet route, or uncover a wider one"),
        row("CreateRouteTable", Routes, Names::Vpc, &[RouteTable], "a new table lacks the gateway endpoints it may need"),
        row("DeleteRouteTable", Routes, Names::OnlyWhatIsGone, &[], "ends a table that a gateway endpoint may have served"),
        row("AssociateRouteTable", Associations, Names::Things, &[RouteTable, Subnet], "gives a private subnet another table"),
        row("ReplaceRouteTableAssociation", Associations, Names::Things, &[RouteTable], "gives a subnet another table, or the VPC another main table"),
        row("DisassociateRouteTable", Associations, Names::OnlyWhatIsGone, &[], "a subnet falls back to the main table"),
        row("EnableVgwRoutePropagation", Propagation, Names::Things, &[RouteTable], "a virtual private gateway may write a default route"),
        row("DisableVgwRoutePropagation", Propagation, Names::Things, &[RouteTable], "takes a virtual private gateway's routes away"),
        row("EnableRouteServerPropagation", Propagation, Names::Things, &[RouteTable], "a route server may write a default route"),
        row("CreateVpcEndpoint", Endpoints, Names::Vpc, &[Endpoint, Subnet, RouteTable], "may serve a required service, or conflict with one"),
        row("ModifyVpcEndpoint", Endpoints, Names::Things, &[Endpoint], "takes tables, subnets, groups or private DNS from an endpoint"),
        row("DeleteVpcEndpoints", Endpoints, Names::Things, &[Endpoint], "ends a required service"),
        row("CreateNatGateway", NatGateways, Names::Vpc, &[Subnet, NatGateway], "the target of an internet route to come; a regional one brings its own table"),
        row("CreateSubnet", Subnets, Names::Vpc, &[Subnet], "a new subnet uses the main table and may lie where no endpoint is"),
        row("ModifySubnetAttribute", Subnets, Names::Things, &[Subnet], "public addresses, IPv6 addresses or DNS64 in a private subnet"),
        row("AssociateVpcCidrBlock", Vpcs, Names::Vpc, &[], "endpoint security groups do not admit the new range"),
        row("ModifyVpcAttribute", Vpcs, Names::Vpc, &[], "private DNS stops with DNS support or DNS host names off"),
        row("AssociateDhcpOptions", Vpcs, Names::Vpc, &[], "other name servers do not know the endpoints' private names"),
        row("AuthorizeSecurityGroupIngress", SecurityGroups, Names::Things, &[SecurityGroup], "changes who reaches an endpoint"),
        row("RevokeSecurityGroupIngress", SecurityGroups, Names::Things, &[SecurityGroup], "may shut clients out of an endpoint"),
        row("ModifySecurityGroupRules", SecurityGroups, Names::Things, &[SecurityGroup], "may shut clients out of an endpoint"),
        row("CreateNetworkAclEntry", NetworkAcls, Names::Things, &[NetworkAcl], "may stop traffic to an endpoint, or the answers"),
        row("ReplaceNetworkAclEntry", NetworkAcls, Names::Things, &[NetworkAcl], "may stop traffic to an endpoint, or the answers"),
        row("DeleteNetworkAclEntry", NetworkAcls, Names::Things, &[NetworkAcl], "may stop traffic to an endpoint, or the answers"),
        row("ReplaceNetworkAclAssociation", NetworkAcls, Names::Things, &[NetworkAcl], "puts a subnet under another network ACL"),
        row("ModifyManagedPrefixList", PrefixLists, Names::Things, &[PrefixList], "changes what a route covers, with no route event"),
        row("RestoreManagedPrefixListVersion", PrefixLists, Names::Things, &[PrefixList], "changes what a route covers, with no route event"),
        row("ModifyNetworkInterfaceAttribute", Interfaces, Names::Things, &[Interface], "an interface that does not check addresses can be a NAT instance"),
        row("ModifyInstanceAttribute", Interfaces, Names::Things, &[Instance], "an instance that does not check addresses can be a NAT instance"),
        row("AttachInternetGateway", InternetGateways, Names::Vpc, &[], "gives the VPC a way out"),
        row("ModifyVpcBlockPublicAccessOptions", BlockPublicAccess, Names::Region, &[], "opens or shuts internet gateways of the whole Region"),
        row("CreateVpcBlockPublicAccessExclusion", BlockPublicAccess, Names::Vpc, &[Subnet], "exempts a VPC or a subnet from the block"),
        row("CreateTags", Tags, Names::AnyThings, TAGGED, "decides which VPCs are managed, which subnets private, what is exempt"),
        row("DeleteTags", Tags, Names::AnyThings, TAGGED, "decides which VPCs are managed, which subnets private, what is exempt"),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_one_row_and_is_found_by_it() {
        for (index, watch) in TABLE.iter().enumerate() {
            assert_eq!(find(watch.name), Some(&TABLE[index]), "{} has an earlier row", watch.name);
        }
        assert_eq!(watched_names().count(), TABLE.len());
    }

    #[test]
    fn a_row_that_looks_things_up_says_which() {
        for watch in TABLE {
            let looks_up = match watch.names {
                Names::Vpc => continue,
                Names::Things | Names::AnyThings => true,
                Names::OnlyWhatIsGone | Names::Region => false,
            };
            assert_eq!(!watch.look_up.is_empty(), looks_up, "{}", watch.name);
        }
    }
}
