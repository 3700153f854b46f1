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
    /// The call names things of every kind; only some are looked up, and a call that names only
    /// others is of no interest.
    AnyThings,
    /// The call names only what may be gone by the time anybody looks.
    OnlyWhatIsGone,
    /// The call changes the account's whole Region.
    Region,
}

/// What is done where an id that a call names belongs to nothing any more: of a thing that is gone,
/// nobody can tell which VPC it was in. Each with its reason, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// Each managed VPC is looked at: what is gone can have taken any of them off its baseline.
    EveryManagedVpc(&'static str),
    /// The Region is compared once with the baseline, with whatever else is gone by then.
    Comparison(&'static str),
    /// Nothing: what is gone can have changed nothing that another event does not tell.
    Nothing(&'static str),
}

impl Gone {
    /// What is done, in a few words.
    pub fn what(&self) -> &'static str {
        match self {
            Self::EveryManagedVpc(_) => "every managed VPC",
            Self::Comparison(_) => "one comparison",
            Self::Nothing(_) => "nothing",
        }
    }

    /// Why that is enough, in words.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::EveryManagedVpc(reason) | Self::Comparison(reason) | Self::Nothing(reason) => {
                reason
            }
        }
    }

    fn reach(self) -> Option<Reach> {
        match self {
            Self::EveryManagedVpc(_) => Some(Reach::AllManaged),
            Self::Comparison(_) => Some(Reach::Comparison),
            Self::Nothing(_) => None,
        }
    }
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
    /// What is done where an id that is looked up belongs to nothing any more.
    pub gone: Gone,
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
            // CloudTrail leaves out request parameters of more than 100 KB, which a call on a
            // thousand tags has
            // (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
            Names::AnyThings if ids.is_empty() => Some(Reach::Comparison),
            Names::AnyThings => worth().map(Reach::Resolve),
            Names::OnlyWhatIsGone => self.gone.reach(),
            Names::Region => Some(Reach::AllManaged),
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
    gone: Gone,
    why: &'static str,
) -> Watch {
    Watch { name, family, names, look_up, gone, why }
}

/// Every call that is watched, one row each.
#[rustfmt::skip] // one row, one line or two: a table is for reading down
pub static TABLE: &[Watch] = &{
    use Family::*;
    use Gone::{Comparison, EveryManagedVpc, Nothing};
    use ResourceKind::{Endpoint, Instance, Interface, NatGateway, NetworkAcl, PrefixList, RouteTable, SecurityGroup, Subnet, Vpc};
    const TAGGED: &[ResourceKind] = &[Vpc, Subnet, RouteTable, Endpoint, SecurityGroup];
    // A table that a subnet uses cannot be deleted, nor can the main one
    // (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteRouteTable.html).
    const TABLE_GONE: Gone = Comparison("no subnet uses a table that can be deleted; one that is new may not be seen yet");
    const SUBNET_GONE: Gone = Comparison("a subnet that is gone needs no guard; one that is new may not be seen yet");
    const ENDPOINT_GONE: Gone = Comparison("DeleteVpcEndpoints looks at every managed VPC; an endpoint that is new may not be seen yet");
    // A group that an interface uses or another group names cannot be deleted
    // (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html).
    const GROUP_GONE: Gone = Comparison("no endpoint uses a group that can be deleted; one that is new may not be seen yet");
    // Neither can a network ACL that a subnet is under
    // (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkAcl.html).
    const ACL_GONE: Gone = Comparison("no subnet is under an ACL that can be deleted; one that is new may not be seen yet");
    const INTERFACE_GONE: Gone = Comparison("what is gone forwards nothing; what is new may not be seen yet");
    const NO_LIST_GONE: Gone = Nothing("a prefix list that no VPC uses concerns none");
    const NAMES_ITS_VPC: Gone = Nothing("the call names the VPC itself, which is looked at in any case");
    const TAGGED_GONE: Gone = Comparison("the tags went with the thing; one that is new may not be seen yet");
    [
        row("CreateRoute", Routes, Names::Things, &[RouteTable], TABLE_GONE, "adds a way to the internet"),
        row("ReplaceRoute", Routes, Names::Things, &[RouteTable], TABLE_GONE, "points an existing route at another target"),
        row("DeleteRoute", Routes, Names::Things, &[RouteTable], TABLE_GONE, "may end an internet route, or uncover a wider one"),
        row("CreateRouteTable", Routes, Names::Vpc, &[RouteTable], TABLE_GONE, "a new table lacks the gateway endpoints it may need"),
        row("DeleteRouteTable", Routes, Names::OnlyWhatIsGone, &[],
            Comparison("no subnet used the table, or it could not be deleted"),
            "ends a table that a gateway endpoint may have served"),
        row("AssociateRouteTable", Associations, Names::Things, &[RouteTable, Subnet], TABLE_GONE, "gives a private subnet another table"),
        row("ReplaceRouteTableAssociation", Associations, Names::Things, &[RouteTable],
            EveryManagedVpc("the subnet, or all that use the main table, has gone on to a table that nobody names"),
            "gives a subnet another table, or the VPC another main table"),
        row("DisassociateRouteTable", Associations, Names::OnlyWhatIsGone, &[],
            EveryManagedVpc("the call names the association only, and the subnet uses the main table now"),
            "a subnet falls back to the main table"),
        row("EnableVgwRoutePropagation", Propagation, Names::Things, &[RouteTable], TABLE_GONE, "a virtual private gateway may write a default route"),
        row("DisableVgwRoutePropagation", Propagation, Names::Things, &[RouteTable], TABLE_GONE, "takes a virtual private gateway's routes away"),
        row("EnableRouteServerPropagation", Propagation, Names::Things, &[RouteTable], TABLE_GONE, "a route server may write a default route"),
        row("CreateVpcEndpoint", Endpoints, Names::Vpc, &[Endpoint, Subnet, RouteTable], ENDPOINT_GONE, "may serve a required service, or conflict with one"),
        row("ModifyVpcEndpoint", Endpoints, Names::Things, &[Endpoint], ENDPOINT_GONE, "takes tables, subnets, groups or private DNS from an endpoint"),
        row("DeleteVpcEndpoints", Endpoints, Names::Things, &[Endpoint],
            EveryManagedVpc("the endpoint may have served a required service of any of them"),
            "ends a required service"),
        row("CreateNatGateway", NatGateways, Names::Vpc, &[Subnet, NatGateway],
            Nothing("a gateway that is gone carries nothing, and a route to one has an event of its own"),
            "the target of an internet route to come; a regional one brings its own table"),
        row("CreateSubnet", Subnets, Names::Vpc, &[Subnet], SUBNET_GONE, "a new subnet uses the main table and may lie where no endpoint is"),
        row("ModifySubnetAttribute", Subnets, Names::Things, &[Subnet], SUBNET_GONE, "public addresses, IPv6 addresses or DNS64 in a private subnet"),
        row("AssociateVpcCidrBlock", Vpcs, Names::Vpc, &[], NAMES_ITS_VPC, "endpoint security groups do not admit the new range"),
        row("ModifyVpcAttribute", Vpcs, Names::Vpc, &[], NAMES_ITS_VPC, "private DNS stops with DNS support or DNS host names off"),
        row("AssociateDhcpOptions", Vpcs, Names::Vpc, &[], NAMES_ITS_VPC, "other name servers do not know the endpoints' private names"),
        row("AuthorizeSecurityGroupIngress", SecurityGroups, Names::Things, &[SecurityGroup], GROUP_GONE, "changes who reaches an endpoint"),
        row("RevokeSecurityGroupIngress", SecurityGroups, Names::Things, &[SecurityGroup], GROUP_GONE, "may shut clients out of an endpoint"),
        row("ModifySecurityGroupRules", SecurityGroups, Names::Things, &[SecurityGroup], GROUP_GONE, "may shut clients out of an endpoint"),
        row("CreateNetworkAclEntry", NetworkAcls, Names::Things, &[NetworkAcl], ACL_GONE, "may stop traffic to an endpoint, or the answers"),
        row("ReplaceNetworkAclEntry", NetworkAcls, Names::Things, &[NetworkAcl], ACL_GONE, "may stop traffic to an endpoint, or the answers"),
        row("DeleteNetworkAclEntry", NetworkAcls, Names::Things, &[NetworkAcl], ACL_GONE, "may stop traffic to an endpoint, or the answers"),
        row("ReplaceNetworkAclAssociation", NetworkAcls, Names::Things, &[NetworkAcl], ACL_GONE, "puts a subnet under another network ACL"),
        row("ModifyManagedPrefixList", PrefixLists, Names::Things, &[PrefixList], NO_LIST_GONE, "changes what a route covers, with no route event"),
        row("RestoreManagedPrefixListVersion", PrefixLists, Names::Things, &[PrefixList], NO_LIST_GONE, "changes what a route covers, with no route event"),
        row("ModifyNetworkInterfaceAttribute", Interfaces, Names::Things, &[Interface], INTERFACE_GONE, "an interface that does not check addresses can be a NAT instance"),
        row("ModifyInstanceAttribute", Interfaces, Names::Things, &[Instance], INTERFACE_GONE, "an instance that does not check addresses can be a NAT instance"),
        row("AssociateAddress", Interfaces, Names::Things, &[Interface, Instance], INTERFACE_GONE, "gives an interface of a private subnet a public address"),
        row("AttachInternetGateway", InternetGateways, Names::Vpc, &[], NAMES_ITS_VPC, "gives the VPC a way out"),
        row("ModifyVpcBlockPublicAccessOptions", BlockPublicAccess, Names::Region, &[],
            Nothing("the call names nothing; every managed VPC is looked at in any case"),
            "opens or shuts internet gateways of the whole Region"),
        row("CreateVpcBlockPublicAccessExclusion", BlockPublicAccess, Names::Vpc, &[Subnet], SUBNET_GONE, "exempts a VPC or a subnet from the block"),
        row("CreateTags", Tags, Names::AnyThings, TAGGED, TAGGED_GONE, "decides which VPCs are managed, which subnets private, what is exempt"),
        row("DeleteTags", Tags, Names::AnyThings, TAGGED, TAGGED_GONE, "decides which VPCs are managed, which subnets private, what is exempt"),
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

    /// Every row says what is done about what is gone; the few that are costly, or lose something,
    /// are these.
    #[test]
    fn only_what_is_gone_from_anywhere_leads_to_every_managed_vpc() {
        let of = |what: &str| -> Vec<&str> {
            TABLE.iter().filter(|row| row.gone.what() == what).map(|row| row.name).collect()
        };
        assert_eq!(
            of("every managed VPC"),
            ["ReplaceRouteTableAssociation", "DisassociateRouteTable", "DeleteVpcEndpoints"]
        );
        assert_eq!(
            of("nothing"),
            [
                "CreateNatGateway",
                "AssociateVpcCidrBlock",
                "ModifyVpcAttribute",
                "AssociateDhcpOptions",
                "ModifyManagedPrefixList",
                "RestoreManagedPrefixListVersion",
                "AttachInternetGateway",
                "ModifyVpcBlockPublicAccessOptions",
            ]
        );
        for row in TABLE {
            assert!(!row.gone.reason().is_empty(), "{}", row.name);
        }
    }
}
