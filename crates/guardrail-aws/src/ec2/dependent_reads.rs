//! What has to be read next, judged from what was read: values in, values out.

use std::collections::{BTreeMap, BTreeSet};

use guardrail::ec2::id::PrefixListId;
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{
    NetworkInterface, PrefixList, Route, RouteTable, SecurityGroup, Subnet, VpcEndpoint,
};

/// The sections to read so that these are complete: which interfaces, prefix lists and groups
/// matter is known only from what names them.
pub(crate) fn needed(sections: &[Section]) -> BTreeSet<Section> {
    let also = |section: &Section| -> &[Section] {
        match section {
            Section::NetworkInterfaces => &[Section::RouteTables, Section::VpcEndpoints],
            Section::SecurityGroups => &[Section::VpcEndpoints],
            Section::InternetGateways | Section::EgressOnlyInternetGateways => &[Section::Vpcs],
            Section::PrefixLists => {
                &[Section::RouteTables, Section::VpcEndpoints, Section::SecurityGroups]
            }
            Section::Vpcs
            | Section::Subnets
            | Section::RouteTables
            | Section::VpcEndpoints
            | Section::NatGateways
            | Section::NetworkAcls
            | Section::DhcpOptions
            | Section::VpcEndpointServices
            | Section::VpcAttributes => &[],
        }
    };
    sections.iter().flat_map(|section| also(section).iter().chain([section])).copied().collect()
}

/// What routes lead to that has to be looked at.
pub(crate) struct Targets {
    /// Interfaces.
    pub(crate) interfaces: BTreeSet<String>,
    /// Instances whose interface the route does not name.
    pub(crate) instances: BTreeSet<String>,
}

/// The interfaces and instances that these tables' routes lead to.
pub(crate) fn targets(tables: &[RouteTable]) -> Targets {
    let routes = || tables.iter().flat_map(|table| &table.routes);
    let interfaces = routes().filter_map(|route| route.network_interface_id.as_ref());
    let instances = routes().filter(|route| route.network_interface_id.is_none());
    Targets {
        interfaces: interfaces.map(ToString::to_string).collect(),
        instances: instances
            .filter_map(|route| route.instance_id.as_ref())
            .map(ToString::to_string)
            .collect(),
    }
}

/// The subnets whose table leads to an internet gateway: what is in them may have public addresses.
pub(crate) fn before_internet_gateways(
    tables: &[RouteTable],
    subnets: &[Subnet],
) -> BTreeSet<String> {
    let leads_there = |table: &RouteTable| {
        let mut targets = table.routes.iter().map(Route::target);
        targets.any(|target| matches!(target, Some(RouteTarget::InternetGateway(_))))
    };
    let live = |table: &RouteTable| {
        table.associations.iter().filter(|a| a.is_live()).cloned().collect::<Vec<_>>()
    };
    let own: BTreeMap<_, _> = tables
        .iter()
        .flat_map(|table| live(table).into_iter().map(move |a| (a.subnet_id, leads_there(table))))
        .collect();
    let main_leads_there = |subnet: &Subnet| {
        let mut theirs = tables.iter().filter(|table| table.vpc_id == subnet.vpc_id);
        theirs.any(|table| leads_there(table) && live(table).iter().any(|a| a.main))
    };
    let is_before = |subnet: &&Subnet| {
        let own = own.get(&Some(subnet.subnet_id.clone())).copied();
        own.unwrap_or_else(|| main_leads_there(subnet))
    };
    subnets.iter().filter(is_before).map(|subnet| subnet.subnet_id.to_string()).collect()
}

/// The interfaces of endpoints, and those that routes lead to, that are not among `found`: an endpoint
/// to a load balancer has interfaces of another kind.
pub(crate) fn other_interfaces(
    endpoints: &[VpcEndpoint],
    targets: BTreeSet<String>,
    found: &[NetworkInterface],
) -> BTreeSet<String> {
    let of_endpoints = endpoints.iter().filter(|endpoint| endpoint.exists());
    let of_endpoints = of_endpoints.flat_map(|endpoint| &endpoint.network_interface_ids);
    let mut others = targets;
    others.extend(of_endpoints.map(ToString::to_string));
    for interface in found {
        others.remove(interface.network_interface_id.as_str());
    }
    others
}

/// The interfaces in the order of their ids: one may have been found in several ways.
pub(crate) fn each_once(interfaces: Vec<NetworkInterface>) -> Vec<NetworkInterface> {
    let by_id: BTreeMap<_, _> = interfaces
        .into_iter()
        .map(|interface| (interface.network_interface_id.clone(), interface))
        .collect();
    by_id.into_values().collect()
}

/// The groups attached to endpoints that are not among `groups`: one can be shared between VPCs.
pub(crate) fn other_groups(
    endpoints: &[VpcEndpoint],
    groups: &[SecurityGroup],
) -> BTreeSet<String> {
    let known: BTreeSet<_> = groups.iter().map(|group| &group.group_id).collect();
    let attached =
        endpoints.iter().flat_map(|endpoint| &endpoint.groups).map(|group| &group.group_id);
    attached.filter(|group| !known.contains(group)).map(ToString::to_string).collect()
}

/// The prefix lists that decide something: as a route's destination, or as who may reach an
/// endpoint.
pub(crate) fn named_lists(
    tables: &[RouteTable],
    endpoints: &[VpcEndpoint],
    groups: &[SecurityGroup],
) -> BTreeSet<PrefixListId> {
    let attached: BTreeSet<_> = endpoints
        .iter()
        .flat_map(|endpoint| &endpoint.groups)
        .map(|group| &group.group_id)
        .collect();
    let by_routes = tables.iter().flat_map(|table| &table.routes);
    let by_routes = by_routes.filter_map(|route| route.destination_prefix_list_id.clone());
    let by_groups = groups.iter().filter(|group| attached.contains(&group.group_id));
    let by_groups = by_groups
        .flat_map(|group| &group.ip_permissions)
        .flat_map(|permission| &permission.prefix_list_ids);
    by_routes.chain(by_groups.map(|list| list.prefix_list_id.clone())).collect()
}

/// AWS's lists with what is in them, and every other list, in the order of their ids.
pub(crate) fn merged(aws_lists: Vec<PrefixList>, lists: Vec<PrefixList>) -> Vec<PrefixList> {
    let both = lists.into_iter().chain(aws_lists);
    let by_id: BTreeMap<_, _> = both.map(|list| (list.prefix_list_id.clone(), list)).collect();
    by_id.into_values().collect()
}
