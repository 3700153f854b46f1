//! From a call's outcome to the elements of EC2's answer.

use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::id::{InstanceId, SecurityGroupId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::{IpPermission, PrefixList, Tag, World};

use super::built;
use super::resources::{self, ServedPlace};
use super::tree::Fields;
use crate::ec2::beside::InstanceState;
use crate::ec2::network::NetworkCall;
use crate::ec2::request::{Request, Response, Unsuccessful};
use crate::sim::Sim;

/// What the answer says besides the request's id. `sim` is as it is after the call.
#[expect(clippy::too_many_lines, reason = "a line or two for each kind of answer")]
pub(crate) fn answer(
    request: &Request,
    response: &Response,
    sim: &Sim,
    place: &ServedPlace,
) -> Fields {
    let world = &sim.world;
    match response {
        Response::Done => done(request, place),
        Response::Vpc(vpc) => Fields::new().fields("vpc", resources::vpc(vpc)),
        Response::InternetGateway(gateway) => {
            Fields::new().fields("internetGateway", resources::internet_gateway(gateway, place))
        }
        Response::EgressOnlyInternetGateway(gateway) => Fields::new()
            .maybe("clientToken", client_token(request))
            .fields("egressOnlyInternetGateway", resources::egress_only_internet_gateway(gateway)),
        Response::NetworkAcl(acl) => Fields::new()
            .fields("networkAcl", resources::network_acl(acl, place))
            .maybe("clientToken", client_token(request)),
        Response::DhcpOptions(set) => {
            let own = tags_beside(sim, set.dhcp_options_id.as_str());
            Fields::new().fields("dhcpOptions", resources::dhcp_options(set, own, place))
        }
        Response::GroupDeleted { group_id } => {
            Fields::new().flag("return", true).text("groupId", group_id)
        }
        Response::Revoked { group_id, ip_permissions } => {
            built::revoked(group_id, ip_permissions, place)
        }
        Response::Rules { found, next_token } => Fields::new()
            .list("securityGroupRuleSet", found.iter().flat_map(|it| built::rule(it, place)))
            .maybe("nextToken", next_token.as_ref()),
        Response::Address(address) => built::address(address, place),
        Response::Addresses(found) => Fields::new()
            .list("addressesSet", found.iter().map(|it| built::address_view(it, place))),
        Response::AddressAssociation { association_id } => {
            Fields::new().flag("return", true).text("associationId", association_id)
        }
        Response::PrefixList { list, state } => {
            Fields::new().fields("prefixList", prefix_list(list, state, sim, place))
        }
        Response::InstancesRun(run) => built::reservation_run(run, world, &sim.beside, place),
        Response::InstancesTerminated(changes) => {
            let change = |(id, before): &(InstanceId, InstanceState)| {
                Fields::new()
                    .text("instanceId", id)
                    .fields("currentState", built::state(InstanceState::Terminated))
                    .fields("previousState", built::state(*before))
            };
            Fields::new().list("instancesSet", changes.iter().map(change))
        }
        Response::ProfileAssociation { association, state } => {
            let one = built::profile_association(association, state);
            Fields::new().fields("iamInstanceProfileAssociation", one)
        }
        Response::ProfileAssociations { found, next_token } => {
            let all = found.iter().map(|it| built::profile_association(it, "associated"));
            Fields::new()
                .list("iamInstanceProfileAssociationSet", all)
                .maybe("nextToken", next_token.as_ref())
        }
        Response::RouteTable(table) => Fields::new()
            .fields("routeTable", resources::route_table(table, place))
            .maybe("clientToken", client_token(request)),
        Response::Association { association_id } => {
            let replaced = matches!(request, Request::ReplaceRouteTableAssociation { .. });
            let name = if replaced { "newAssociationId" } else { "associationId" };
            let state = Fields::new().text("state", "associated");
            Fields::new().text(name, association_id).fields("associationState", state)
        }
        Response::NetworkAclAssociation { association_id } => {
            Fields::new().text("newAssociationId", association_id)
        }
        Response::Endpoint(endpoint) => Fields::new()
            .fields("vpcEndpoint", resources::endpoint(endpoint, place))
            .maybe("clientToken", client_token(request)),
        Response::Unsuccessful(all) => {
            Fields::new().list("unsuccessful", all.iter().map(unsuccessful))
        }
        Response::NatGateway(nat) => Fields::new()
            .fields("natGateway", resources::nat_gateway(nat, world))
            .maybe("clientToken", client_token(request)),
        Response::NatGatewayDeleted(id) => Fields::new().text("natGatewayId", id),
        Response::Subnet(subnet) => {
            Fields::new().fields("subnet", resources::subnet(subnet, place))
        }
        Response::SecurityGroup { group_id } => {
            let fields = Fields::new().flag("return", true).text("groupId", group_id);
            let fields =
                fields.text("securityGroupArn", place.arn("security-group", group_id.as_str()));
            let Request::CreateSecurityGroup { tags, .. } = request else { return fields };
            fields.list("tagSet", resources::tags(tags))
        }
        Response::Described { section, found, next_token } => {
            described(request, *section, found, sim, place).maybe("nextToken", next_token.as_ref())
        }
        Response::VpcAttribute { vpc_id, attribute, value } => {
            let name = match attribute {
                DnsAttribute::Support => "enableDnsSupport",
                DnsAttribute::Hostnames => "enableDnsHostnames",
            };
            Fields::new().text("vpcId", vpc_id).fields(name, Fields::new().flag("value", *value))
        }
        Response::PrefixListEntries(entries) => {
            let entry = |entry: &guardrail::ec2::world::PrefixListEntry| {
                Fields::new()
                    .text("cidr", &entry.cidr)
                    .maybe("description", entry.description.as_ref())
            };
            Fields::new().list("entrySet", entries.iter().map(entry))
        }
        Response::Instances(all) => Fields::new().list(
            "reservationSet",
            all.iter().map(|instance| resources::reservation(instance, world, place)),
        ),
    }
}

/// The tags of a thing that a world file has without tags.
fn tags_beside<'a>(sim: &'a Sim, id: &str) -> &'a [Tag] {
    sim.beside.tags.get(id).map(Vec::as_slice).unwrap_or_default()
}

fn prefix_list(list: &PrefixList, state: &str, sim: &Sim, place: &ServedPlace) -> Fields {
    // What is described comes without its entries; AWS's own lists say nothing of versions.
    let whole = sim.prefix_list(&list.prefix_list_id).unwrap_or(list);
    let details = (list.is_awss() == Some(false)).then(|| sim.list_details(whole));
    let own = tags_beside(sim, list.prefix_list_id.as_str());
    resources::managed_prefix_list(list, details.as_ref(), own, state, place)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other call has no token")]
fn client_token(request: &Request) -> Option<&String> {
    match request {
        Request::CreateVpcEndpoint(wanted) => wanted.client_token.as_ref(),
        Request::CreateNatGateway(wanted) => wanted.client_token.as_ref(),
        Request::CreateRouteTable { client_token, .. }
        | Request::Network(
            NetworkCall::CreateEgressOnlyInternetGateway { client_token, .. }
            | NetworkCall::CreateNetworkAcl { client_token, .. },
        ) => client_token.as_ref(),
        _ => None,
    }
}

fn unsuccessful(item: &Unsuccessful) -> Fields {
    let error = Fields::new().text("code", &item.code).text("message", &item.message);
    Fields::new().text("resourceId", &item.resource_id).fields("error", error)
}

/// Calls that answer with nothing but `true`, and the few that say a little more.
#[expect(clippy::wildcard_enum_match_arm, reason = "the calls not named here answer `true`")]
fn done(request: &Request, place: &ServedPlace) -> Fields {
    let fields = Fields::new();
    match request {
        Request::AssociateVpcCidrBlock { vpc_id, cidr_block } => {
            let (vpc, cidr) = (vpc_id.as_str(), cidr_block.as_str());
            let association = match cidr.contains(':') {
                true => (
                    "ipv6CidrBlockAssociation",
                    resources::ipv6_association("vpc", vpc, cidr, "associating"),
                ),
                false => {
                    ("cidrBlockAssociation", resources::cidr_association(vpc, cidr, "associating"))
                }
            };
            fields.text("vpcId", vpc).fields(association.0, association.1)
        }
        Request::AuthorizeSecurityGroupIngress { group_id, ip_permissions } => {
            let rules = rules(group_id, ip_permissions, place, true);
            fields.flag("return", true).list("securityGroupRuleSet", rules)
        }
        Request::RevokeSecurityGroupIngress { group_id, ip_permissions } => {
            let rules = rules(group_id, ip_permissions, place, false);
            fields.flag("return", true).list("revokedSecurityGroupRuleSet", rules)
        }
        Request::Network(NetworkCall::DeleteEgressOnlyInternetGateway { .. }) => {
            fields.flag("returnCode", true)
        }
        _ => fields.flag("return", true),
    }
}

fn rules(
    group: &SecurityGroupId,
    permissions: &[IpPermission],
    place: &ServedPlace,
    added: bool,
) -> Vec<Fields> {
    permissions
        .iter()
        .flat_map(|permission| resources::rules(group, permission, place, added, false))
        .collect()
}

fn internet_gateways(found: &World, place: &ServedPlace, fields: Fields) -> Fields {
    let gateways = found.internet_gateways.iter().flatten();
    fields.list("internetGatewaySet", gateways.map(|it| resources::internet_gateway(it, place)))
}

fn egress_only_gateways(found: &World, fields: Fields) -> Fields {
    let gateways = found.egress_only_internet_gateways.iter().flatten();
    let gateways = gateways.map(resources::egress_only_internet_gateway);
    fields.list("egressOnlyInternetGatewaySet", gateways)
}

fn described(
    request: &Request,
    section: Section,
    found: &World,
    sim: &Sim,
    place: &ServedPlace,
) -> Fields {
    let (fields, world) = (Fields::new(), &sim.world);
    match section {
        Section::Vpcs => fields.list("vpcSet", found.vpcs.iter().flatten().map(resources::vpc)),
        Section::Subnets => fields.list(
            "subnetSet",
            found.subnets.iter().flatten().map(|subnet| resources::subnet(subnet, place)),
        ),
        Section::RouteTables => {
            let tables = found.route_tables.iter().flatten();
            fields.list("routeTableSet", tables.map(|table| resources::route_table(table, place)))
        }
        Section::VpcEndpoints => {
            let endpoints = found.vpc_endpoints.iter().flatten();
            fields.list(
                "vpcEndpointSet",
                endpoints.map(|endpoint| resources::endpoint(endpoint, place)),
            )
        }
        Section::NatGateways => {
            let gateways = found.nat_gateways.iter().flatten();
            fields.list("natGatewaySet", gateways.map(|nat| resources::nat_gateway(nat, world)))
        }
        Section::SecurityGroups => {
            let groups = found.security_groups.iter().flatten();
            fields.list(
                "securityGroupInfo",
                groups.map(|group| resources::security_group(group, place)),
            )
        }
        Section::NetworkAcls => {
            let acls = found.network_acls.iter().flatten();
            fields.list("networkAclSet", acls.map(|acl| resources::network_acl(acl, place)))
        }
        Section::DhcpOptions => {
            let sets = found.dhcp_options.iter().flatten();
            let one = |set: &guardrail::ec2::world::DhcpOptions| {
                let own = tags_beside(sim, set.dhcp_options_id.as_str());
                resources::dhcp_options(set, own, place)
            };
            fields.list("dhcpOptionsSet", sets.map(one))
        }
        Section::InternetGateways => internet_gateways(found, place, fields),
        Section::EgressOnlyInternetGateways => egress_only_gateways(found, fields),
        Section::NetworkInterfaces => {
            let interfaces = found.network_interfaces.iter().flatten();
            let one = |eni: &guardrail::ec2::world::NetworkInterface| {
                let own = tags_beside(sim, eni.network_interface_id.as_str());
                resources::interface(eni, own, place)
            };
            fields.list("networkInterfaceSet", interfaces.map(one))
        }
        Section::PrefixLists => {
            let lists = found.prefix_lists.iter().flatten();
            if matches!(request, Request::DescribePrefixLists(_)) {
                return fields.list("prefixListSet", lists.map(resources::prefix_list));
            }
            let one = |list| prefix_list(list, "create-complete", sim, place);
            fields.list("prefixListSet", lists.map(one))
        }
        Section::VpcEndpointServices => {
            let services = || found.vpc_endpoint_services.iter().flatten();
            let names =
                fields.texts("serviceNameSet", services().map(|service| &service.service_name));
            names.list(
                "serviceDetailSet",
                services().map(|service| resources::service(service, place)),
            )
        }
        // Told one VPC at a time, by another call.
        Section::VpcAttributes => fields,
    }
}
