//! What can be asked, and what is answered: one variant per EC2 operation, enough to read from and
//! write to EC2's wire.

use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{
    AddressAssociationId, AssociationId, DhcpOptionsId, EndpointId, InstanceId, InterfaceId,
    NatGatewayId, NetworkAclId, OtherAssociationId, PrefixListId, RouteTableId, SecurityGroupId,
    SubnetId, VpcId, Zone,
};
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{
    Connectivity, Destination, DhcpOptions, EgressOnlyInternetGateway, EndpointType,
    InternetGateway, IpAddressType, IpPermission, NatGateway, NetworkAcl, NetworkAclEntry,
    PrefixList, PrefixListEntry, RouteTable, Subnet, Tag, Vpc, VpcEndpoint, World,
};

use crate::ec2::addresses::{AddressCall, AddressView};
use crate::ec2::beside::{Address, InstanceState, ProfileAssociation, RunInstance};
use crate::ec2::customer_lists::PrefixListCall;
use crate::ec2::gateways::Instance;
use crate::ec2::group_life::GroupRule;
use crate::ec2::instances::InstanceCall;
use crate::ec2::network::NetworkCall;

/// One call. Fields carry AWS's names; ids are typed, and text where the world cannot know the
/// thing (gateways).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the variants and fields are AWS's operations and parameters, under AWS's names"
)]
pub enum Request {
    /// The same call with `DryRun=true`: checks the permission, changes nothing.
    DryRun(Box<Request>),

    CreateRoute {
        route_table_id: RouteTableId,
        destination: Destination,
        target: RouteTarget,
    },
    ReplaceRoute {
        route_table_id: RouteTableId,
        destination: Destination,
        target: RouteTarget,
    },
    DeleteRoute {
        route_table_id: RouteTableId,
        destination: Destination,
    },
    CreateRouteTable {
        vpc_id: VpcId,
        client_token: Option<String>,
        tags: Vec<Tag>,
    },
    DeleteRouteTable {
        route_table_id: RouteTableId,
    },
    AssociateRouteTable {
        route_table_id: RouteTableId,
        subnet_id: SubnetId,
    },
    /// `AssociateRouteTable` with `GatewayId`: the edge table of an internet or virtual private
    /// gateway.
    AssociateGateway {
        route_table_id: RouteTableId,
        gateway_id: String,
    },
    DisassociateRouteTable {
        association_id: AssociationId,
    },
    ReplaceRouteTableAssociation {
        association_id: AssociationId,
        route_table_id: RouteTableId,
    },

    CreateVpcEndpoint(Box<CreateVpcEndpoint>),
    ModifyVpcEndpoint(Box<ModifyVpcEndpoint>),
    DeleteVpcEndpoints {
        vpc_endpoint_ids: Vec<EndpointId>,
    },

    CreateNatGateway(CreateNatGateway),
    DeleteNatGateway {
        nat_gateway_id: NatGatewayId,
    },

    CreateSubnet {
        vpc_id: VpcId,
        cidr_block: Cidr,
        availability_zone: Option<Zone>,
        tags: Vec<Tag>,
    },
    ModifySubnetAttribute {
        subnet_id: SubnetId,
        attribute: SubnetAttribute,
    },
    ModifyVpcAttribute {
        vpc_id: VpcId,
        attribute: DnsAttribute,
        value: bool,
    },
    /// `AssociateVpcCidrBlock`; the block's family says which of AWS's two parameters it was.
    AssociateVpcCidrBlock {
        vpc_id: VpcId,
        cidr_block: Cidr,
    },
    /// `ModifyNetworkInterfaceAttribute` with `SourceDestCheck`.
    ModifyNetworkInterfaceAttribute {
        network_interface_id: InterfaceId,
        source_dest_check: bool,
    },
    /// `ModifyNetworkInterfaceAttribute` with `AssociatePublicIpAddress`.
    AssociatePublicIp {
        network_interface_id: InterfaceId,
        value: bool,
    },
    DisassociateAddress {
        association_id: AddressAssociationId,
    },

    CreateSecurityGroup {
        group_name: String,
        description: String,
        vpc_id: VpcId,
        tags: Vec<Tag>,
    },
    AuthorizeSecurityGroupIngress {
        group_id: SecurityGroupId,
        ip_permissions: Vec<IpPermission>,
    },
    RevokeSecurityGroupIngress {
        group_id: SecurityGroupId,
        ip_permissions: Vec<IpPermission>,
    },

    CreateNetworkAclEntry {
        network_acl_id: NetworkAclId,
        entry: NetworkAclEntry,
    },
    ReplaceNetworkAclEntry {
        network_acl_id: NetworkAclId,
        entry: NetworkAclEntry,
    },
    DeleteNetworkAclEntry {
        network_acl_id: NetworkAclId,
        rule_number: u32,
        egress: bool,
    },
    ReplaceNetworkAclAssociation {
        association_id: OtherAssociationId,
        network_acl_id: NetworkAclId,
    },
    /// With the id `default` the VPC has no set of its own.
    AssociateDhcpOptions {
        dhcp_options_id: DhcpOptionsId,
        vpc_id: VpcId,
    },

    /// A VPC made or deleted, and what a network is built of.
    Network(NetworkCall),
    Address(AddressCall),
    PrefixList(PrefixListCall),
    Instance(InstanceCall),

    CreateTags {
        resources: Vec<String>,
        tags: Vec<Tag>,
    },
    /// A tag without a value goes whatever its value is.
    DeleteTags {
        resources: Vec<String>,
        tags: Vec<(String, Option<String>)>,
    },

    DescribeVpcs(Query),
    DescribeSubnets(Query),
    DescribeRouteTables(Query),
    DescribeVpcEndpoints(Query),
    DescribeNatGateways(Query),
    DescribeSecurityGroups(Query),
    DescribeNetworkAcls(Query),
    DescribeDhcpOptions(Query),
    DescribeNetworkInterfaces(Query),
    DescribePrefixLists(Query),
    DescribeManagedPrefixLists(Query),
    /// The ids are service names.
    DescribeVpcEndpointServices(Query),
    DescribeInternetGateways(Query),
    DescribeEgressOnlyInternetGateways(Query),
    DescribeInstances(Query),
    DescribeVpcAttribute {
        vpc_id: VpcId,
        attribute: DnsAttribute,
    },
    GetManagedPrefixListEntries {
        prefix_list_id: PrefixListId,
    },
}

impl Request {
    /// AWS's name of the operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::DryRun(inner) => inner.operation(),
            Self::CreateRoute { .. } => "CreateRoute",
            Self::ReplaceRoute { .. } => "ReplaceRoute",
            Self::DeleteRoute { .. } => "DeleteRoute",
            Self::CreateRouteTable { .. } => "CreateRouteTable",
            Self::DeleteRouteTable { .. } => "DeleteRouteTable",
            Self::AssociateRouteTable { .. } | Self::AssociateGateway { .. } => {
                "AssociateRouteTable"
            }
            Self::DisassociateRouteTable { .. } => "DisassociateRouteTable",
            Self::ReplaceRouteTableAssociation { .. } => "ReplaceRouteTableAssociation",
            Self::CreateVpcEndpoint(_) => "CreateVpcEndpoint",
            Self::ModifyVpcEndpoint(_) => "ModifyVpcEndpoint",
            Self::DeleteVpcEndpoints { .. } => "DeleteVpcEndpoints",
            Self::CreateNatGateway(_) => "CreateNatGateway",
            Self::DeleteNatGateway { .. } => "DeleteNatGateway",
            Self::CreateSubnet { .. } => "CreateSubnet",
            Self::ModifySubnetAttribute { .. } => "ModifySubnetAttribute",
            Self::ModifyVpcAttribute { .. } => "ModifyVpcAttribute",
            Self::AssociateVpcCidrBlock { .. } => "AssociateVpcCidrBlock",
            Self::ModifyNetworkInterfaceAttribute { .. } | Self::AssociatePublicIp { .. } => {
                "ModifyNetworkInterfaceAttribute"
            }
            Self::DisassociateAddress { .. } => "DisassociateAddress",
            Self::CreateSecurityGroup { .. } => "CreateSecurityGroup",
            Self::AuthorizeSecurityGroupIngress { .. } => "AuthorizeSecurityGroupIngress",
            Self::RevokeSecurityGroupIngress { .. } => "RevokeSecurityGroupIngress",
            Self::CreateNetworkAclEntry { .. } => "CreateNetworkAclEntry",
            Self::ReplaceNetworkAclEntry { .. } => "ReplaceNetworkAclEntry",
            Self::DeleteNetworkAclEntry { .. } => "DeleteNetworkAclEntry",
            Self::ReplaceNetworkAclAssociation { .. } => "ReplaceNetworkAclAssociation",
            Self::AssociateDhcpOptions { .. } => "AssociateDhcpOptions",
            Self::Network(call) => call.operation(),
            Self::Address(call) => call.operation(),
            Self::PrefixList(call) => call.operation(),
            Self::Instance(call) => call.operation(),
            Self::CreateTags { .. } => "CreateTags",
            Self::DeleteTags { .. } => "DeleteTags",
            Self::DescribeVpcs(_) => "DescribeVpcs",
            Self::DescribeSubnets(_) => "DescribeSubnets",
            Self::DescribeRouteTables(_) => "DescribeRouteTables",
            Self::DescribeVpcEndpoints(_) => "DescribeVpcEndpoints",
            Self::DescribeNatGateways(_) => "DescribeNatGateways",
            Self::DescribeSecurityGroups(_) => "DescribeSecurityGroups",
            Self::DescribeNetworkAcls(_) => "DescribeNetworkAcls",
            Self::DescribeDhcpOptions(_) => "DescribeDhcpOptions",
            Self::DescribeNetworkInterfaces(_) => "DescribeNetworkInterfaces",
            Self::DescribePrefixLists(_) => "DescribePrefixLists",
            Self::DescribeManagedPrefixLists(_) => "DescribeManagedPrefixLists",
            Self::DescribeVpcEndpointServices(_) => "DescribeVpcEndpointServices",
            Self::DescribeInternetGateways(_) => "DescribeInternetGateways",
            Self::DescribeEgressOnlyInternetGateways(_) => "DescribeEgressOnlyInternetGateways",
            Self::DescribeInstances(_) => "DescribeInstances",
            Self::DescribeVpcAttribute { .. } => "DescribeVpcAttribute",
            Self::GetManagedPrefixListEntries { .. } => "GetManagedPrefixListEntries",
        }
    }

    /// Whether the call can change anything.
    pub fn is_write(&self) -> bool {
        !is_read(self.operation()) && !matches!(self, Self::DryRun(_))
    }
}

/// Whether the operation of this name only reads.
pub(crate) fn is_read(operation: &str) -> bool {
    operation.starts_with("Describe") || operation.starts_with("Get")
}

/// `CreateVpcEndpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct CreateVpcEndpoint {
    pub vpc_id: VpcId,
    pub service_name: String,
    /// `Gateway` when left out, as the model says.
    pub vpc_endpoint_type: Option<EndpointType>,
    pub route_table_ids: Vec<RouteTableId>,
    pub subnet_ids: Vec<SubnetId>,
    pub security_group_ids: Vec<SecurityGroupId>,
    pub private_dns_enabled: Option<bool>,
    /// `DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint`; on when left out, where the service
    /// knows it.
    pub inbound_resolver_only: Option<bool>,
    pub policy_document: Option<String>,
    pub ip_address_type: Option<IpAddressType>,
    pub client_token: Option<String>,
    pub tags: Vec<Tag>,
}

impl CreateVpcEndpoint {
    /// A request that names a VPC and a service, and leaves all else to AWS's defaults.
    pub fn new(vpc_id: VpcId, service_name: impl Into<String>) -> Self {
        Self {
            vpc_id,
            service_name: service_name.into(),
            vpc_endpoint_type: None,
            route_table_ids: Vec::new(),
            subnet_ids: Vec::new(),
            security_group_ids: Vec::new(),
            private_dns_enabled: None,
            inbound_resolver_only: None,
            policy_document: None,
            ip_address_type: None,
            client_token: None,
            tags: Vec::new(),
        }
    }
}

/// `ModifyVpcEndpoint`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct ModifyVpcEndpoint {
    pub vpc_endpoint_id: EndpointId,
    pub add_route_table_ids: Vec<RouteTableId>,
    pub remove_route_table_ids: Vec<RouteTableId>,
    pub add_subnet_ids: Vec<SubnetId>,
    pub remove_subnet_ids: Vec<SubnetId>,
    pub add_security_group_ids: Vec<SecurityGroupId>,
    pub remove_security_group_ids: Vec<SecurityGroupId>,
    pub private_dns_enabled: Option<bool>,
    /// `DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint`.
    pub inbound_resolver_only: Option<bool>,
    pub policy_document: Option<String>,
    pub reset_policy: bool,
    pub ip_address_type: Option<IpAddressType>,
}

impl ModifyVpcEndpoint {
    /// A request that changes nothing yet.
    pub fn new(vpc_endpoint_id: EndpointId) -> Self {
        Self {
            vpc_endpoint_id,
            add_route_table_ids: Vec::new(),
            remove_route_table_ids: Vec::new(),
            add_subnet_ids: Vec::new(),
            remove_subnet_ids: Vec::new(),
            add_security_group_ids: Vec::new(),
            remove_security_group_ids: Vec::new(),
            private_dns_enabled: None,
            inbound_resolver_only: None,
            policy_document: None,
            reset_policy: false,
            ip_address_type: None,
        }
    }
}

/// `CreateNatGateway`: in a subnet, or regional with a VPC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct CreateNatGateway {
    pub subnet_id: Option<SubnetId>,
    /// With `AvailabilityMode=regional` only, in place of the subnet.
    pub vpc_id: Option<VpcId>,
    pub connectivity_type: Option<Connectivity>,
    /// The Elastic IP address of a public gateway in a subnet; without one it has no public address
    /// here, where AWS would refuse the call.
    pub allocation_id: Option<String>,
    pub client_token: Option<String>,
    pub tags: Vec<Tag>,
}

/// What the parameter `GatewayId` names: an internet or a virtual private gateway, or else an id that
/// has no business there. Other kinds of targets have parameters of their own.
pub(crate) fn gateway_parameter(id: String) -> RouteTarget {
    let target = RouteTarget::of_gateway_id(&id);
    let fits =
        matches!(target, RouteTarget::InternetGateway(_) | RouteTarget::VirtualPrivateGateway(_));
    if fits { target } else { RouteTarget::OtherGateway(id) }
}

/// The attributes of a subnet that a world file holds; AWS changes one of them in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are AWS's parameters, under AWS's names")]
pub enum SubnetAttribute {
    MapPublicIpOnLaunch(bool),
    AssignIpv6AddressOnCreation(bool),
}

/// Which things to describe: by id, by filter, a page at a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The ids of the only things to describe; one that does not exist is an error. Text, because a
    /// caller may send anything.
    pub ids: Vec<String>,
    /// The filters; only what passes every one is described.
    pub filters: Vec<Filter>,
    /// `MaxResults`: the most that a page may hold.
    pub max_results: Option<usize>,
    /// `NextToken`, as a former page gave it.
    pub next_token: Option<String>,
}

impl Query {
    /// A query for what has one of these values by one filter.
    pub fn by(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let filter =
            Filter { name: name.to_owned(), values: values.into_iter().map(Into::into).collect() };
        Self { filters: vec![filter], ..Self::default() }
    }

    /// A query for the things of these ids.
    pub fn of(ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { ids: ids.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

/// A filter: any of the values, where `*` is any text and `?` any one character.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Filter {
    pub name: String,
    pub values: Vec<String>,
}

/// The answer to a call that EC2 did not refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub enum Response {
    /// `Return=true`, or an empty answer.
    Done,
    RouteTable(RouteTable),
    Association {
        association_id: AssociationId,
    },
    NetworkAclAssociation {
        association_id: OtherAssociationId,
    },
    Endpoint(Box<VpcEndpoint>),
    /// Of `DeleteVpcEndpoints`: what was not deleted, and why; HTTP 200 all the same.
    Unsuccessful(Vec<Unsuccessful>),
    NatGateway(NatGateway),
    NatGatewayDeleted(NatGatewayId),
    Vpc(Vpc),
    InternetGateway(InternetGateway),
    EgressOnlyInternetGateway(EgressOnlyInternetGateway),
    NetworkAcl(NetworkAcl),
    DhcpOptions(DhcpOptions),
    GroupDeleted {
        group_id: SecurityGroupId,
    },
    /// Of `RevokeSecurityGroupIngress` by the rules' ids: the rules.
    Revoked {
        group_id: SecurityGroupId,
        ip_permissions: Vec<IpPermission>,
    },
    Rules {
        found: Vec<GroupRule>,
        next_token: Option<String>,
    },
    Address(Address),
    Addresses(Vec<AddressView>),
    AddressAssociation {
        association_id: AddressAssociationId,
    },
    /// A change is under way when the call is answered.
    PrefixList {
        list: PrefixList,
        state: &'static str,
    },
    InstancesRun(Vec<RunInstance>),
    /// Each with the state it was in before.
    InstancesTerminated(Vec<(InstanceId, InstanceState)>),
    ProfileAssociation {
        association: ProfileAssociation,
        state: &'static str,
    },
    ProfileAssociations {
        found: Vec<ProfileAssociation>,
        next_token: Option<String>,
    },
    Subnet(Subnet),
    SecurityGroup {
        group_id: SecurityGroupId,
    },
    /// A page of a section: the other sections of `found` are absent.
    Described {
        section: Section,
        found: Box<World>,
        next_token: Option<String>,
    },
    VpcAttribute {
        vpc_id: VpcId,
        attribute: DnsAttribute,
        value: bool,
    },
    PrefixListEntries(Vec<PrefixListEntry>),
    Instances(Vec<Instance>),
}

/// One item of `Unsuccessful`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are AWS's, under AWS's names")]
pub struct Unsuccessful {
    pub resource_id: String,
    pub code: String,
    pub message: String,
}
