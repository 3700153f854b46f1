//! Making a call again that CloudTrail recorded, so that an incident can be played on a simulated
//! world.

mod endpoints;
mod network_acls;
mod record;

use std::fmt;

use std::str::FromStr;

use guardrail::cloud::ErrorClass;
use guardrail::cloud::error_codes::classify;
use guardrail::ec2::change::DnsAttribute;
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::InvalidId;
use guardrail::ec2::resource_id::ResourceId;
use guardrail::ec2::route_target::RouteTarget;
use guardrail::ec2::world::{
    Connectivity, Destination, GroupPair, IpPermission, IpProtocol, IpRange, Ipv6Range,
    PermissionPrefixList, Tag,
};
use guardrail::shown::{quoted_message, word};
use serde_json::Value;

use crate::ec2::errors::ApiError;
use crate::ec2::request::{CreateNatGateway, Request, SubnetAttribute, gateway_parameter};
use crate::replay::endpoints::{create_endpoint, delete_endpoints, modify_endpoint};
use crate::replay::network_acls::network_acl;
use crate::replay::record::{Body, Record};
use crate::sim::Sim;

/// What came of a recorded call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// The world has changed as the call changed the real one.
    Made,
    /// The world shows the call's effect already: what does.
    AlreadySo(String),
    /// The call is about something this world does not have: what.
    NotHere(String),
    /// The simulator cannot make the call: why not.
    NotSimulated(String),
    /// The call had failed, with this code, and so changed nothing.
    Failed(String),
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Made => f.write_str("the call is made on it"),
            // The simulator answers as EC2 does, with the caller's names in its sentences.
            Self::AlreadySo(what) => {
                write!(f, "it shows the call already: {}", quoted_message(what))
            }
            Self::NotHere(what) => write!(
                f,
                "it is unchanged, because it does not have what the call names: {}",
                quoted_message(what)
            ),
            Self::NotSimulated(why) => write!(f, "it is unchanged: {}", quoted_message(why)),
            Self::Failed(code) => {
                write!(f, "it is unchanged, because the call had failed with {}", word(code))
            }
        }
    }
}

/// How a record is turned into a request; `Err` is what to say instead of making it.
pub(crate) type Turned<T> = Result<T, Replayed>;

/// Makes the call of an EventBridge event or a bare CloudTrail record on the simulated world. What
/// the call made gets the ids that it got in the record, so that later records find it.
pub fn replay_call(sim: &mut Sim, record: &Value) -> Replayed {
    let Some(record) = Record::read(record) else {
        return Replayed::NotSimulated(
            "it is not a CloudTrail record: it has no `eventName`".to_owned(),
        );
    };
    if record.source != "ec2.amazonaws.com" {
        return Replayed::NotSimulated(format!(
            "{} of `{}` is not a call of EC2",
            record.event, record.source
        ));
    }
    if let Some(code) = record.error_code {
        return Replayed::Failed(code.to_owned());
    }
    let request = match request_of(sim, record) {
        Ok(request) => request,
        Err(instead) => return instead,
    };
    sim.ids.reserve(ids_made(record));
    let outcome = sim.call(&request);
    sim.ids.reserve(Vec::new());
    match outcome {
        Ok(_) => Replayed::Made,
        Err(error) => refused(&error),
    }
}

fn refused(error: &ApiError) -> Replayed {
    let say = error.message.clone();
    match (error.code.as_str(), classify(&error.code, &error.message)) {
        (
            "InvalidRoute.NotFound"
            | "InvalidPermission.NotFound"
            | "InvalidNetworkAclEntry.NotFound",
            _,
        ) => Replayed::AlreadySo(say),
        ("InvalidPermission.Duplicate" | "InvalidGroup.Duplicate", _) => Replayed::AlreadySo(say),
        ("InvalidID", _) | (_, ErrorClass::NotFound) => Replayed::NotHere(say),
        (
            code,
            ErrorClass::AlreadyDone
            | ErrorClass::Denied
            | ErrorClass::Throttled
            | ErrorClass::Transient
            | ErrorClass::Invalid,
        ) => Replayed::NotSimulated(format!("this world refuses the call: {code}: {say}")),
    }
}

fn request_of(sim: &mut Sim, record: Record<'_>) -> Turned<Request> {
    let (request, response) = (record.request, record.response);
    match record.event {
        "CreateRoute" | "ReplaceRoute" => route(sim, record),
        "DeleteRoute" => Ok(Request::DeleteRoute {
            route_table_id: id(request.get("routeTableId"), "routeTableId")?,
            destination: destination(request)?,
        }),
        "CreateRouteTable" => {
            not_yet(sim, response.get("routeTable").get("routeTableId"))?;
            Ok(Request::CreateRouteTable {
                vpc_id: id(request.get("vpcId"), "vpcId")?,
                client_token: None,
                tags: tags(request),
            })
        }
        "DeleteRouteTable" => Ok(Request::DeleteRouteTable {
            route_table_id: id(request.get("routeTableId"), "routeTableId")?,
        }),
        "AssociateRouteTable" | "DisassociateRouteTable" | "ReplaceRouteTableAssociation" => {
            association(sim, record)
        }
        "CreateVpcEndpoint" => create_endpoint(sim, record),
        "ModifyVpcEndpoint" => modify_endpoint(sim, record),
        "DeleteVpcEndpoints" => delete_endpoints(sim, record),
        "CreateNatGateway" => nat_gateway(sim, record),
        "DeleteNatGateway" => delete_nat_gateway(sim, record),
        "CreateSubnet" => subnet(sim, record),
        "ModifySubnetAttribute" | "ModifyVpcAttribute" | "ModifyNetworkInterfaceAttribute" => {
            attribute(sim, request)
        }
        "AssociateVpcCidrBlock" => cidr_block(sim, record),
        "CreateSecurityGroup" => {
            not_yet(sim, response.get("groupId"))?;
            Ok(Request::CreateSecurityGroup {
                group_name: request.get("groupName").text().unwrap_or_default(),
                description: request.get("groupDescription").text().unwrap_or_default(),
                vpc_id: id(request.get("vpcId"), "vpcId")?,
                tags: tags(request),
            })
        }
        "AuthorizeSecurityGroupIngress" => Ok(Request::AuthorizeSecurityGroupIngress {
            group_id: id(request.get("groupId"), "groupId")?,
            ip_permissions: permissions(request),
        }),
        "RevokeSecurityGroupIngress" => Ok(Request::RevokeSecurityGroupIngress {
            group_id: id(request.get("groupId"), "groupId")?,
            ip_permissions: permissions(request),
        }),
        "CreateNetworkAclEntry"
        | "ReplaceNetworkAclEntry"
        | "DeleteNetworkAclEntry"
        | "ReplaceNetworkAclAssociation" => network_acl(sim, record),
        "AssociateDhcpOptions" => Ok(Request::AssociateDhcpOptions {
            dhcp_options_id: id(request.get("dhcpOptionsId"), "dhcpOptionsId")?,
            vpc_id: id(request.get("vpcId"), "vpcId")?,
        }),
        "CreateTags" | "DeleteTags" => tagging(sim, record),
        other => Err(Replayed::NotSimulated(format!(
            "{other} is not among the calls the simulator can make"
        ))),
    }
}

/// The ids of what the recorded call made.
fn ids_made(record: Record<'_>) -> Vec<String> {
    let response = record.response;
    let endpoint = response.get("vpcEndpoint");
    let nat = response.get("natGateway");
    let addresses = nat.get("natGatewayAddressSet");
    let single = [
        response.get("routeTable").get("routeTableId"),
        response.get("associationId"),
        response.get("newAssociationId"),
        endpoint.get("vpcEndpointId"),
        nat.get("natGatewayId"),
        response.get("subnet").get("subnetId"),
        response.get("groupId"),
    ];
    let ids = single.into_iter().filter_map(Body::text);
    ids.chain(endpoint.get("networkInterfaceIdSet").texts())
        .chain(addresses.texts_of("networkInterfaceId"))
        .collect()
}

/// The id at a place; one that is no id is nothing this world could have.
pub(crate) fn id<T: FromStr<Err = InvalidId>>(body: Body<'_>, key: &str) -> Turned<T> {
    let text =
        body.text().ok_or_else(|| Replayed::NotSimulated(format!("the record has no `{key}`")))?;
    text.parse().map_err(|error: InvalidId| Replayed::NotHere(error.to_string()))
}

/// The ids of a list, as [`id`].
pub(crate) fn ids<T: FromStr<Err = InvalidId>>(texts: Vec<String>) -> Turned<Vec<T>> {
    let one = |text: String| {
        text.parse().map_err(|error: InvalidId| Replayed::NotHere(error.to_string()))
    };
    texts.into_iter().map(one).collect()
}

/// Stops where what the call made is here already.
pub(crate) fn not_yet(sim: &Sim, made: Body<'_>) -> Turned<()> {
    match made.text().and_then(|text| ResourceId::read(&text)).filter(|id| sim.has(id)) {
        Some(id) => Err(Replayed::AlreadySo(format!("{id} is here already"))),
        None => Ok(()),
    }
}

fn destination(request: Body<'_>) -> Turned<Destination> {
    let text = |key: &str| request.get(key).text();
    if let Some(cidr) = text("destinationCidrBlock") {
        return Ok(Destination::CidrBlock(Cidr::from(cidr)));
    }
    if let Some(cidr) = text("destinationIpv6CidrBlock") {
        return Ok(Destination::Ipv6CidrBlock(Cidr::from(cidr)));
    }
    Ok(Destination::PrefixList(id(request.get("destinationPrefixListId"), "destinationCidrBlock")?))
}

/// A target that is text to a world file.
type Outside = fn(String) -> RouteTarget;

fn target(request: Body<'_>) -> Turned<RouteTarget> {
    let text = |key: &str| request.get(key).text();
    let outside: [(&str, Outside); 8] = [
        ("gatewayId", gateway_parameter),
        ("egressOnlyInternetGatewayId", RouteTarget::EgressOnlyInternetGateway),
        ("transitGatewayId", RouteTarget::TransitGateway),
        ("vpcPeeringConnectionId", RouteTarget::VpcPeeringConnection),
        ("localGatewayId", RouteTarget::LocalGateway),
        ("carrierGatewayId", RouteTarget::CarrierGateway),
        ("coreNetworkArn", RouteTarget::CoreNetwork),
        ("odbNetworkArn", RouteTarget::OdbNetwork),
    ];
    if let Some(target) = outside.into_iter().find_map(|(key, target)| text(key).map(target)) {
        return Ok(target);
    }
    if text("natGatewayId").is_some() {
        return id(request.get("natGatewayId"), "natGatewayId").map(RouteTarget::NatGateway);
    }
    if text("networkInterfaceId").is_some() {
        return id(request.get("networkInterfaceId"), "networkInterfaceId")
            .map(RouteTarget::NetworkInterface);
    }
    if text("instanceId").is_some() {
        return id(request.get("instanceId"), "instanceId").map(RouteTarget::Instance);
    }
    if text("vpcEndpointId").is_some() {
        return id(request.get("vpcEndpointId"), "vpcEndpointId").map(RouteTarget::VpcEndpoint);
    }
    match request.get("localTarget").flag() {
        Some(true) => Ok(RouteTarget::Local),
        Some(false) | None => {
            Err(Replayed::NotSimulated("the route's target is of a kind not known here".to_owned()))
        }
    }
}

fn route(sim: &mut Sim, record: Record<'_>) -> Turned<Request> {
    let (destination, target) = (destination(record.request)?, target(record.request)?);
    let route_table_id = id(record.request.get("routeTableId"), "routeTableId")?;
    if let Some(id) = target.unlisted() {
        // The call succeeded, so the gateway exists; a world file has no section that could say so.
        sim.know_gateway(id);
    }
    if sim.leads(&route_table_id, &destination, &target) {
        let there = format!("{route_table_id} has the route {destination} to that target already");
        return Err(Replayed::AlreadySo(there));
    }
    Ok(match record.event {
        "CreateRoute" => Request::CreateRoute { route_table_id, destination, target },
        _ => Request::ReplaceRoute { route_table_id, destination, target },
    })
}

fn association(sim: &mut Sim, record: Record<'_>) -> Turned<Request> {
    let (request, response) = (record.request, record.response);
    if record.event == "DisassociateRouteTable" {
        return Ok(Request::DisassociateRouteTable {
            association_id: id(request.get("associationId"), "associationId")?,
        });
    }
    not_yet(sim, response.get("associationId"))?;
    not_yet(sim, response.get("newAssociationId"))?;
    let route_table_id = id(request.get("routeTableId"), "routeTableId")?;
    if record.event == "ReplaceRouteTableAssociation" {
        let association_id = id(request.get("associationId"), "associationId")?;
        return Ok(Request::ReplaceRouteTableAssociation { association_id, route_table_id });
    }
    if let Some(gateway_id) = request.get("gatewayId").text() {
        sim.know_gateway(gateway_id.clone());
        return Ok(Request::AssociateGateway { route_table_id, gateway_id });
    }
    Ok(Request::AssociateRouteTable {
        route_table_id,
        subnet_id: id(request.get("subnetId"), "subnetId")?,
    })
}

fn nat_gateway(sim: &Sim, record: Record<'_>) -> Turned<Request> {
    let (request, made) = (record.request, record.response.get("natGateway"));
    not_yet(sim, made.get("natGatewayId"))?;
    let connectivity =
        made.get("connectivityType").text().or_else(|| request.get("connectivityType").text());
    let mut wanted = CreateNatGateway {
        connectivity_type: connectivity.map(Connectivity::from),
        tags: tags(request),
        ..CreateNatGateway::default()
    };
    match request.get("subnetId").text() {
        Some(_) => wanted.subnet_id = Some(id(request.get("subnetId"), "subnetId")?),
        None => wanted.vpc_id = Some(id(request.get("vpcId"), "subnetId")?),
    }
    Ok(Request::CreateNatGateway(wanted))
}

fn delete_nat_gateway(sim: &Sim, record: Record<'_>) -> Turned<Request> {
    let nat_gateway_id = id(record.request.get("natGatewayId"), "natGatewayId")?;
    if sim.nat(&nat_gateway_id).is_err() && sim.has(&ResourceId::NatGateway(nat_gateway_id.clone()))
    {
        return Err(Replayed::AlreadySo(format!("{nat_gateway_id} is deleted already")));
    }
    Ok(Request::DeleteNatGateway { nat_gateway_id })
}

fn subnet(sim: &Sim, record: Record<'_>) -> Turned<Request> {
    let made = record.response.get("subnet");
    not_yet(sim, made.get("subnetId"))?;
    let zone = made
        .get("availabilityZone")
        .text()
        .or_else(|| record.request.get("availabilityZone").text());
    let cidr = made.get("cidrBlock").text().or_else(|| record.request.get("cidrBlock").text());
    Ok(Request::CreateSubnet {
        vpc_id: id(record.request.get("vpcId"), "vpcId")?,
        cidr_block: Cidr::from(cidr.unwrap_or_default()),
        availability_zone: zone.and_then(|zone| zone.parse().ok()),
        tags: tags(record.request),
    })
}

fn attribute(sim: &Sim, request: Body<'_>) -> Turned<Request> {
    let flag = |key: &str| request.get(key).flag();
    let made = if let Some(value) = flag("mapPublicIpOnLaunch") {
        let attribute = SubnetAttribute::MapPublicIpOnLaunch(value);
        Request::ModifySubnetAttribute {
            subnet_id: id(request.get("subnetId"), "subnetId")?,
            attribute,
        }
    } else if let Some(value) = flag("assignIpv6AddressOnCreation") {
        let attribute = SubnetAttribute::AssignIpv6AddressOnCreation(value);
        Request::ModifySubnetAttribute {
            subnet_id: id(request.get("subnetId"), "subnetId")?,
            attribute,
        }
    } else if let Some(source_dest_check) = flag("sourceDestCheck") {
        let network_interface_id = id(request.get("networkInterfaceId"), "networkInterfaceId")?;
        Request::ModifyNetworkInterfaceAttribute { network_interface_id, source_dest_check }
    } else if let Some(value) = flag("enableDnsSupport") {
        let vpc_id = id(request.get("vpcId"), "vpcId")?;
        Request::ModifyVpcAttribute { vpc_id, attribute: DnsAttribute::Support, value }
    } else if let Some(value) = flag("enableDnsHostnames") {
        let vpc_id = id(request.get("vpcId"), "vpcId")?;
        Request::ModifyVpcAttribute { vpc_id, attribute: DnsAttribute::Hostnames, value }
    } else {
        return Err(Replayed::NotSimulated(
            "a world file does not hold the attribute it changes".to_owned(),
        ));
    };
    if sim.has_attribute(&made) {
        return Err(Replayed::AlreadySo("the attribute has that value already".to_owned()));
    }
    Ok(made)
}

fn cidr_block(sim: &Sim, record: Record<'_>) -> Turned<Request> {
    let (request, response) = (record.request, record.response);
    let v4 = || response.get("cidrBlockAssociation").get("cidrBlock").text();
    let v6 = || response.get("ipv6CidrBlockAssociation").get("ipv6CidrBlock").text();
    let asked = || request.get("cidrBlock").text().or_else(|| request.get("ipv6CidrBlock").text());
    let no_block =
        || Replayed::NotSimulated("the record does not say which block AWS gave".to_owned());
    let cidr_block = Cidr::from(v4().or_else(v6).or_else(asked).ok_or_else(no_block)?);
    let vpc_id = id(request.get("vpcId"), "vpcId")?;
    let have = sim.vpc(&vpc_id).map_err(|error| refused(&error))?.cidrs();
    if have.iter().any(|cidr| cidr.net() == cidr_block.net()) {
        return Err(Replayed::AlreadySo(format!("{vpc_id} has {cidr_block} already")));
    }
    Ok(Request::AssociateVpcCidrBlock { vpc_id, cidr_block })
}

fn tagging(sim: &mut Sim, record: Record<'_>) -> Turned<Request> {
    let named = record.request.get("resourcesSet").texts_of("resourceId");
    let here = |id: &&String| ResourceId::read(id).is_some_and(|id| sim.has(&id));
    let resources: Vec<String> = named.iter().filter(here).cloned().collect();
    if resources.is_empty() {
        return Err(Replayed::NotHere(format!("nothing here is {}", named.join(", "))));
    }
    let set = record.request.get("tagSet").list();
    let key = |tag: &Body<'_>| tag.get("key").text().unwrap_or_default();
    if record.event == "DeleteTags" {
        let tags = set.iter().map(|tag| (key(tag), tag.get("value").text())).collect();
        return Ok(Request::DeleteTags { resources, tags });
    }
    let tags = set
        .iter()
        .map(|tag| Tag::new(&key(tag), &tag.get("value").text().unwrap_or_default()))
        .collect();
    Ok(Request::CreateTags { resources, tags })
}

/// The tags given on creation, in either encoding.
pub(crate) fn tags(request: Body<'_>) -> Vec<Tag> {
    let flat = request
        .get("tagSpecificationSet")
        .list()
        .into_iter()
        .flat_map(|spec| spec.get("tags").list());
    let wrapped =
        request.get("tagSpecification").list().into_iter().flat_map(|spec| spec.get("Tag").list());
    let tag = |tag: Body<'_>| {
        Some(Tag {
            key: tag.get("key").text()?,
            value: tag.get("value").text().unwrap_or_default(),
        })
    };
    flat.chain(wrapped).filter_map(tag).collect()
}

/// The rules, from either of the two shapes of the request.
fn permissions(request: Body<'_>) -> Vec<IpPermission> {
    let mut nested: Vec<IpPermission> =
        request.get("ipPermissions").list().into_iter().map(permission).collect();
    if let Some(cidr) = request.get("cidrIp").text() {
        let range = IpRange { cidr_ip: Cidr::from(cidr), description: None };
        nested.push(IpPermission { ip_ranges: vec![range], ..permission(request) });
    }
    nested
}

fn permission(body: Body<'_>) -> IpPermission {
    let texts = |list: &str, key: &str| body.get(list).texts_of(key);
    let list = |text: String| Some(PermissionPrefixList { prefix_list_id: text.parse().ok()? });
    let pair = |pair: Body<'_>| GroupPair {
        group_id: pair.get("groupId").text().and_then(|text| text.parse().ok()),
        user_id: pair.get("userId").text(),
    };
    let described = |range: Body<'_>, key: &str| {
        Some((Cidr::from(range.get(key).text()?), range.get("description").text()))
    };
    let v4 = |range| {
        described(range, "cidrIp").map(|(cidr_ip, description)| IpRange { cidr_ip, description })
    };
    let v6 = |range| {
        described(range, "cidrIpv6")
            .map(|(cidr_ipv6, description)| Ipv6Range { cidr_ipv6, description })
    };
    IpPermission {
        ip_protocol: body.get("ipProtocol").text().map_or(IpProtocol::All, IpProtocol::from),
        from_port: body.get("fromPort").number(),
        to_port: body.get("toPort").number(),
        ip_ranges: body.get("ipRanges").list().into_iter().filter_map(v4).collect(),
        ipv6_ranges: body.get("ipv6Ranges").list().into_iter().filter_map(v6).collect(),
        prefix_list_ids: texts("prefixListIds", "prefixListId")
            .into_iter()
            .filter_map(list)
            .collect(),
        user_id_group_pairs: body.get("groups").list().into_iter().map(pair).collect(),
    }
}
