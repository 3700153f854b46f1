//! EC2's reads: every page, every item read, or an error.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, VpcAttributeName};
use guardrail::cloud::CallError;
use guardrail::ec2::id::{PrefixListId, VpcId};
use guardrail::ec2::world::{
    DhcpOptions, EgressOnlyInternetGateway, EndpointService, InternetGateway, NatGateway,
    NetworkAcl, NetworkInterface, PrefixList, PrefixListEntry, RouteTable, SecurityGroup, Subnet,
    Vpc, VpcAttributes, VpcEndpoint,
};

use crate::ec2::allowance::Allowance;
use crate::ec2::convert::FromAws;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

/// EC2 to read from: every call, and so every page, waits for its place in the allowance first.
#[derive(Debug, Clone)]
pub(crate) struct Reads {
    ec2: Client,
    allowance: Allowance,
}

impl Reads {
    pub(crate) fn new(ec2: Client, allowance: Allowance) -> Self {
        Self { ec2, allowance }
    }
}

/// The most values one filter takes.
pub(crate) const FILTER_VALUES: usize = 200;

/// A filter on any of these values.
pub(crate) fn filter(name: &str, values: impl IntoIterator<Item = impl Into<String>>) -> Filter {
    Filter::builder()
        .name(name)
        .set_values(Some(values.into_iter().map(Into::into).collect()))
        .build()
}

/// The items of every page. The SDK's own paginators would do, did they not end as if all were read
/// when AWS gives the same token twice.
macro_rules! every_page {
    ($reads:expr, $operation:expr, $request:expr, $items:ident) => {{
        let request = $request;
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            $reads.allowance.take($operation).await;
            let page = on_heap(request.clone().set_next_token(token.clone()).send()).await;
            let page = page.map_err(|error| failed($operation, &error))?;
            items.extend(page.$items.unwrap_or_default());
            match page.next_token.filter(|next| !next.is_empty()) {
                None => break items,
                next if next == token => {
                    return Err(unreadable(
                        $operation,
                        "the same page was offered twice; the list cannot be read in full",
                    ));
                }
                next => token = next,
            }
        }
    }};
}

fn read_all<S, T: FromAws<S>>(operation: &str, items: Vec<S>) -> Result<Vec<T>, CallError> {
    let read = items.into_iter().map(T::from_aws).collect::<Result<_, _>>();
    read.map_err(|fault| unreadable(operation, &fault.to_string()))
}

/// One function for each `Describe` call that takes filters and pages; page sizes are the largest
/// each allows.
macro_rules! describe {
    ($(#[$doc:meta])* $actions:ident also [$($also:literal),*]; $(
        $function:ident = $request:ident, $operation:literal, $set_filters:ident, $page:literal,
        $items:ident -> $thing:ty;
    )*) => {
        $(
            pub(crate) async fn $function(reads: &Reads, filters: &[Filter]) -> Result<Vec<$thing>, CallError> {
                let filters = Some(filters.to_vec()).filter(|filters| !filters.is_empty());
                let request = reads.ec2.$request().max_results($page).$set_filters(filters);
                read_all($operation, every_page!(reads, $operation, request, $items))
            }
        )*

        $(#[$doc])*
        pub(crate) const $actions: &[&str] = &[$(concat!("ec2:", $operation),)* $($also),*];
    };
}

describe! {
    /// What these functions, and the ones below, need to be allowed.
    ACTIONS also ["ec2:DescribeVpcAttribute", "ec2:GetManagedPrefixListEntries"];
    vpcs = describe_vpcs, "DescribeVpcs", set_filters, 1000,
        vpcs -> Vpc;
    subnets = describe_subnets, "DescribeSubnets", set_filters, 1000,
        subnets -> Subnet;
    route_tables = describe_route_tables, "DescribeRouteTables", set_filters, 100,
        route_tables -> RouteTable;
    vpc_endpoints = describe_vpc_endpoints, "DescribeVpcEndpoints", set_filters, 1000,
        vpc_endpoints -> VpcEndpoint;
    nat_gateways = describe_nat_gateways, "DescribeNatGateways", set_filter, 1000,
        nat_gateways -> NatGateway;
    security_groups = describe_security_groups, "DescribeSecurityGroups", set_filters, 1000,
        security_groups -> SecurityGroup;
    network_interfaces = describe_network_interfaces, "DescribeNetworkInterfaces", set_filters, 1000,
        network_interfaces -> NetworkInterface;
    network_acls = describe_network_acls, "DescribeNetworkAcls", set_filters, 1000,
        network_acls -> NetworkAcl;
    dhcp_options = describe_dhcp_options, "DescribeDhcpOptions", set_filters, 1000,
        dhcp_options -> DhcpOptions;
    aws_prefix_lists = describe_prefix_lists, "DescribePrefixLists", set_filters, 1000,
        prefix_lists -> PrefixList;
    prefix_lists = describe_managed_prefix_lists, "DescribeManagedPrefixLists", set_filters, 100,
        prefix_lists -> PrefixList;
    endpoint_services = describe_vpc_endpoint_services, "DescribeVpcEndpointServices", set_filters, 1000,
        service_details -> EndpointService;
}

describe! {
    /// What these functions need to be allowed: no run calls them.
    TOLD_ONLY also [];
    internet_gateways = describe_internet_gateways, "DescribeInternetGateways", set_filters, 1000,
        internet_gateways -> InternetGateway;
    egress_only_internet_gateways = describe_egress_only_internet_gateways,
        "DescribeEgressOnlyInternetGateways", set_filters, 255,
        egress_only_internet_gateways -> EgressOnlyInternetGateway;
}

/// What is in a prefix list.
pub(crate) async fn prefix_list_entries(
    reads: &Reads,
    list: &PrefixListId,
) -> Result<Vec<PrefixListEntry>, CallError> {
    const OPERATION: &str = "GetManagedPrefixListEntries";
    let request =
        reads.ec2.get_managed_prefix_list_entries().prefix_list_id(list.as_str()).max_results(100);
    read_all(OPERATION, every_page!(reads, OPERATION, request, entries))
}

/// Both DNS attributes of a VPC: AWS tells one per call.
pub(crate) async fn attributes(reads: &Reads, vpc: &VpcId) -> Result<VpcAttributes, CallError> {
    let (support, hostnames) = tokio::join!(
        attribute(reads, vpc, VpcAttributeName::EnableDnsSupport),
        attribute(reads, vpc, VpcAttributeName::EnableDnsHostnames)
    );
    Ok(VpcAttributes { enable_dns_support: Some(support?), enable_dns_hostnames: Some(hostnames?) })
}

async fn attribute(reads: &Reads, vpc: &VpcId, name: VpcAttributeName) -> Result<bool, CallError> {
    const OPERATION: &str = "DescribeVpcAttribute";
    reads.allowance.take(OPERATION).await;
    let request = reads.ec2.describe_vpc_attribute().vpc_id(vpc.as_str()).attribute(name.clone());
    let answer = on_heap(request.send()).await.map_err(|error| failed(OPERATION, &error))?;
    let value = if name == VpcAttributeName::EnableDnsSupport {
        answer.enable_dns_support
    } else {
        answer.enable_dns_hostnames
    };
    value
        .and_then(|value| value.value)
        .ok_or_else(|| unreadable(OPERATION, &format!("{vpc} {}: it is missing", name.as_str())))
}
