//! Calls into EC2's own.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, DnsOptionsSpecification, IpPermission, IpRange, Ipv6Range, PrefixListId,
    ResourceType, Tag, TagSpecification, UserIdGroupPair, VpcEndpointType,
};
use guardrail::cloud::error_codes::outcome_of;
use guardrail::cloud::{Answer, Applied, CallError};
use guardrail::ec2::change::{
    Action, Call, DnsAttribute, GROUP_NAME, NewEndpoint, PrivateDns, created_tags,
};
use guardrail::ec2::cidr::Cidr;
use guardrail::ec2::id::{
    EndpointId, InterfaceId, RouteTableId, SecurityGroupId, ServiceName, SubnetId, VpcId,
};
use guardrail::ec2::operation::Operation;
use guardrail::ec2::world::{self, Destination};

use crate::doctor::Things;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

/// Makes the change, by a client whose calls are made once each.
pub(crate) async fn apply(ec2: &Client, call: &Call) -> Answer {
    let name = call.operation().name();
    let answer = match call {
        Action::EnableVpcDns { vpc, attribute } => enable_dns(ec2, name, vpc, *attribute).await,
        Action::CreateSecurityGroup { vpc, name: group, description } => {
            create_group(ec2, name, vpc, group, description).await
        }
        Action::AuthorizeHttps { group, cidrs } => authorize(ec2, name, group, cidrs).await,
        Action::RevokeIngress { group, rule } => revoke(ec2, name, group, rule).await,
        Action::CreateEndpoint { vpc, service, kind, policy, token } => {
            let request = NewRequest { vpc, service, kind, policy, token };
            create_endpoint(ec2, name, request).await
        }
        Action::ModifyEndpoint {
            endpoint,
            add_route_tables,
            add_subnets,
            add_groups,
            private_dns,
        } => {
            let change = Change {
                endpoint,
                add_route_tables,
                add_subnets,
                add_groups,
                private_dns: *private_dns,
            };
            modify_endpoint(ec2, name, change).await
        }
        Action::SetEndpointPolicy { endpoint, policy, before: _ } => {
            set_policy(ec2, name, endpoint, policy).await
        }
        Action::DeleteRoute { table, destination, target: _ } => {
            delete_route(ec2, name, table, destination).await
        }
        Action::DisablePublicIpOnLaunch { subnet } => disable_public_ip(ec2, name, subnet).await,
        Action::StopAutomaticAddress { interface, address: _ } => {
            stop_automatic_address(ec2, name, interface).await
        }
        Action::DisassociateAddress { association, .. } => {
            let request = ec2.disassociate_address().association_id(association.as_str());
            answer(name, on_heap(request.send()).await, done)
        }
    };
    Answer { outcome: answer.outcome.or_else(|error| outcome_of(call, error)), ..answer }
}

/// EC2's answer as the core's, with the id that EC2 gave the request, of which CloudTrail's record
/// speaks too. EC2 says it in a header, of an answer as of a refusal.
fn answer<O, E>(
    name: &str,
    sent: Result<O, SdkError<E>>,
    applied: impl FnOnce(O) -> Result<Applied, CallError>,
) -> Answer
where
    O: RequestId,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match sent {
        Ok(output) => {
            let request_id = output.request_id().map(str::to_owned);
            Answer { outcome: applied(output), request_id }
        }
        Err(error) => {
            let response = error.raw_response();
            let request_id = response.and_then(|it| it.headers().request_id());
            let request_id = request_id.map(str::to_owned);
            Answer { outcome: Err(failed(name, &error)), request_id }
        }
    }
}

/// Of an answer that says nothing but that it was done.
fn done<O>(_: O) -> Result<Applied, CallError> {
    Ok(Applied::Done)
}

/// Asks EC2 whether it would carry out a call of this operation: the call as a repair would make
/// it, save that it would change nothing that anybody uses (a route to a documentation block of RFC
/// 5737, an endpoint modified by nothing). Nothing is asked where EC2 has no dry run, or where
/// there is nothing to name in the call.
pub(crate) async fn dry_run(
    ec2: &Client,
    region: &str,
    operation: Operation,
    things: &Things,
) -> Option<Result<(), CallError>> {
    macro_rules! ask {
        ($request:expr) => {{
            let answer = on_heap($request.dry_run(true).send()).await;
            answer.map(drop).map_err(|error| failed(operation.name(), &error))
        }};
    }
    Some(match operation {
        Operation::ModifyVpcAttribute | Operation::ModifySubnetAttribute => return None,
        // There is no interface and no address to name that nobody uses.
        Operation::ModifyNetworkInterfaceAttribute | Operation::DisassociateAddress => return None,
        Operation::CreateSecurityGroup => {
            let request =
                ec2.create_security_group().vpc_id(things.vpc.as_ref()?).group_name(GROUP_NAME);
            let tags = tags(ResourceType::SecurityGroup, GROUP_NAME);
            ask!(request.description("dry run").tag_specifications(tags))
        }
        Operation::AuthorizeSecurityGroupIngress => {
            let https = https_from(&["192.0.2.0/32".into()]);
            ask!(
                ec2.authorize_security_group_ingress()
                    .group_id(things.group.as_ref()?)
                    .ip_permissions(https)
            )
        }
        Operation::RevokeSecurityGroupIngress => {
            let https = https_from(&["192.0.2.0/32".into()]);
            ask!(
                ec2.revoke_security_group_ingress()
                    .group_id(things.group.as_ref()?)
                    .ip_permissions(https)
            )
        }
        Operation::CreateVpcEndpoint => {
            let service = format!("com.amazonaws.{region}.s3");
            let request =
                ec2.create_vpc_endpoint().vpc_id(things.vpc.as_ref()?).service_name(service);
            ask!(request.tag_specifications(tags(ResourceType::VpcEndpoint, GROUP_NAME)))
        }
        Operation::ModifyVpcEndpoint => {
            ask!(ec2.modify_vpc_endpoint().vpc_endpoint_id(things.endpoint.as_ref()?))
        }
        Operation::DeleteRoute => {
            let request = ec2.delete_route().route_table_id(things.table.as_ref()?);
            ask!(request.destination_cidr_block("192.0.2.0/32"))
        }
    })
}

async fn enable_dns(ec2: &Client, name: &str, vpc: &VpcId, attribute: DnsAttribute) -> Answer {
    let on = AttributeBooleanValue::builder().value(true).build();
    let request = ec2.modify_vpc_attribute().vpc_id(vpc.as_str());
    let request = match attribute {
        DnsAttribute::Support => request.enable_dns_support(on),
        DnsAttribute::Hostnames => request.enable_dns_hostnames(on),
    };
    answer(name, on_heap(request.send()).await, done)
}

async fn disable_public_ip(ec2: &Client, name: &str, subnet: &SubnetId) -> Answer {
    let off = AttributeBooleanValue::builder().value(false).build();
    let request =
        ec2.modify_subnet_attribute().subnet_id(subnet.as_str()).map_public_ip_on_launch(off);
    answer(name, on_heap(request.send()).await, done)
}

async fn stop_automatic_address(ec2: &Client, name: &str, interface: &InterfaceId) -> Answer {
    let request = ec2
        .modify_network_interface_attribute()
        .network_interface_id(interface.as_str())
        .associate_public_ip_address(false);
    answer(name, on_heap(request.send()).await, done)
}

async fn create_group(
    ec2: &Client,
    name: &str,
    vpc: &VpcId,
    group: &str,
    description: &str,
) -> Answer {
    let request =
        ec2.create_security_group().vpc_id(vpc.as_str()).group_name(group).description(description);
    let request = request.tag_specifications(tags(ResourceType::SecurityGroup, group));
    answer(name, on_heap(request.send()).await, |made| {
        SecurityGroupId::try_from(made.group_id.unwrap_or_default())
            .map(Applied::CreatedGroup)
            .map_err(|error| unreadable(name, &error.to_string()))
    })
}

async fn authorize(ec2: &Client, name: &str, group: &SecurityGroupId, cidrs: &[Cidr]) -> Answer {
    let request = ec2
        .authorize_security_group_ingress()
        .group_id(group.as_str())
        .ip_permissions(https_from(cidrs));
    answer(name, on_heap(request.send()).await, done)
}

/// The rule to the letter as it was described: EC2 revokes no other. Descriptions need not be sent
/// (docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html).
async fn revoke(
    ec2: &Client,
    name: &str,
    group: &SecurityGroupId,
    rule: &world::IpPermission,
) -> Answer {
    let request = ec2
        .revoke_security_group_ingress()
        .group_id(group.as_str())
        .ip_permissions(as_described(rule));
    answer(name, on_heap(request.send()).await, done)
}

/// A rule as AWS described it.
fn as_described(rule: &world::IpPermission) -> IpPermission {
    let described = IpPermission::builder()
        .ip_protocol(rule.ip_protocol.as_str())
        .set_from_port(rule.from_port)
        .set_to_port(rule.to_port);
    let described = rule.ip_ranges.iter().fold(described, |described, range| {
        described.ip_ranges(IpRange::builder().cidr_ip(range.cidr_ip.as_str()).build())
    });
    let described = rule.ipv6_ranges.iter().fold(described, |described, range| {
        described.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(range.cidr_ipv6.as_str()).build())
    });
    let described = rule.prefix_list_ids.iter().fold(described, |described, list| {
        let list = PrefixListId::builder().prefix_list_id(list.prefix_list_id.as_str());
        described.prefix_list_ids(list.build())
    });
    let described = rule.user_id_group_pairs.iter().fold(described, |described, pair| {
        let group = pair.group_id.as_ref().map(ToString::to_string);
        let pair = UserIdGroupPair::builder().set_group_id(group).set_user_id(pair.user_id.clone());
        described.user_id_group_pairs(pair.build())
    });
    described.build()
}

/// TCP 443 from these blocks; each says why it is there, for whoever reads the group.
pub(crate) fn https_from(cidrs: &[Cidr]) -> IpPermission {
    const WHY: &str = "HTTPS from the VPC to its endpoints";
    let https = IpPermission::builder().ip_protocol("tcp").from_port(443).to_port(443);
    let permission = cidrs.iter().fold(https, |permission, cidr| {
        if cidr.as_str().contains(':') {
            permission
                .ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr.as_str()).description(WHY).build())
        } else {
            permission.ip_ranges(IpRange::builder().cidr_ip(cidr.as_str()).description(WHY).build())
        }
    });
    permission.build()
}

struct NewRequest<'a> {
    vpc: &'a VpcId,
    service: &'a ServiceName,
    kind: &'a NewEndpoint<SecurityGroupId>,
    policy: &'a Option<String>,
    token: &'a str,
}

/// The client token is ours to set: the SDK fills it for other operations, not for this one, and
/// without it a retry after a lost answer would make a second endpoint.
async fn create_endpoint(ec2: &Client, name: &str, new: NewRequest<'_>) -> Answer {
    let request = ec2
        .create_vpc_endpoint()
        .vpc_id(new.vpc.as_str())
        .service_name(new.service.as_str())
        .client_token(new.token)
        .set_policy_document(new.policy.clone())
        .tag_specifications(tags(ResourceType::VpcEndpoint, new.service.as_str()));
    let request = match new.kind {
        NewEndpoint::Gateway { route_tables } => request
            .vpc_endpoint_type(VpcEndpointType::Gateway)
            .set_route_table_ids(texts(route_tables)),
        NewEndpoint::Interface { subnets, groups, private_dns } => request
            .vpc_endpoint_type(VpcEndpointType::Interface)
            .set_subnet_ids(texts(subnets))
            .set_security_group_ids(texts(groups))
            .private_dns_enabled(private_dns.is_on())
            .set_dns_options(dns_options(*private_dns)),
    };
    let sent = on_heap(request.send()).await;
    answer(name, sent, |made| {
        let id = made.vpc_endpoint.and_then(|endpoint| endpoint.vpc_endpoint_id);
        EndpointId::try_from(id.unwrap_or_default())
            .map(Applied::CreatedEndpoint)
            .map_err(|error| unreadable(name, &error.to_string()))
    })
}

struct Change<'a> {
    endpoint: &'a EndpointId,
    add_route_tables: &'a [RouteTableId],
    add_subnets: &'a [SubnetId],
    add_groups: &'a [SecurityGroupId],
    private_dns: PrivateDns,
}

async fn modify_endpoint(ec2: &Client, name: &str, change: Change<'_>) -> Answer {
    let request = ec2
        .modify_vpc_endpoint()
        .vpc_endpoint_id(change.endpoint.as_str())
        .set_add_route_table_ids(texts(change.add_route_tables))
        .set_add_subnet_ids(texts(change.add_subnets))
        .set_add_security_group_ids(texts(change.add_groups))
        .set_private_dns_enabled(change.private_dns.is_on().then_some(true))
        .set_dns_options(dns_options(change.private_dns));
    answer(name, on_heap(request.send()).await, done)
}

async fn set_policy(ec2: &Client, name: &str, endpoint: &EndpointId, policy: &str) -> Answer {
    let request =
        ec2.modify_vpc_endpoint().vpc_endpoint_id(endpoint.as_str()).policy_document(policy);
    answer(name, on_heap(request.send()).await, done)
}

/// The options that go with private DNS; AWS refuses them where the service has none.
fn dns_options(private_dns: PrivateDns) -> Option<DnsOptionsSpecification> {
    let inbound_only = private_dns.for_inbound_only()?;
    let options = DnsOptionsSpecification::builder();
    Some(options.private_dns_only_for_inbound_resolver_endpoint(inbound_only).build())
}

/// The destination is sent to the letter, in the one field of its kind: AWS finds no other.
async fn delete_route(
    ec2: &Client,
    name: &str,
    table: &RouteTableId,
    destination: &Destination,
) -> Answer {
    let request = ec2.delete_route().route_table_id(table.as_str());
    let request = match destination {
        Destination::CidrBlock(cidr) => request.destination_cidr_block(cidr.as_str()),
        Destination::Ipv6CidrBlock(cidr) => request.destination_ipv6_cidr_block(cidr.as_str()),
        Destination::PrefixList(list) => request.destination_prefix_list_id(list.as_str()),
    };
    answer(name, on_heap(request.send()).await, done)
}

fn tags(resource: ResourceType, name: &str) -> TagSpecification {
    let tags = created_tags(name)
        .into_iter()
        .map(|tag| Tag::builder().key(tag.key).value(tag.value).build());
    TagSpecification::builder().resource_type(resource).set_tags(Some(tags.collect())).build()
}

/// `None` rather than an empty list, which would be sent as one.
fn texts(ids: &[impl ToString]) -> Option<Vec<String>> {
    (!ids.is_empty()).then(|| ids.iter().map(ToString::to_string).collect())
}
