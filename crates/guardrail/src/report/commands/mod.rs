//! The AWS CLI commands that do, and undo, what a step does: for the reader of an alert, who has a
//! shell and no patience.

use serde_json::{Map, Value, json};

use crate::cloud::Applied;
use crate::ec2::change::{Action, DnsAttribute, NewEndpoint, PrivateDns};
use crate::ec2::id::{Scope, SecurityGroupId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::world::Destination;
use crate::plan::GroupRef;
use crate::shown::one_line;

/// The command that does what the action does.
pub fn of(action: &Action<GroupRef>, scope: &Scope) -> String {
    let words = match action {
        Action::EnableVpcDns { vpc, attribute } => {
            format!(
                "modify-vpc-attribute --vpc-id {vpc} --{} '{{\"Value\":true}}'",
                option(*attribute)
            )
        }
        Action::CreateSecurityGroup { vpc, name, description } => {
            format!(
                "create-security-group --vpc-id {vpc} --group-name {name} --description '{description}'"
            )
        }
        Action::AuthorizeHttps { group, cidrs } => {
            format!(
                "authorize-security-group-ingress --group-id {} {}",
                group_word(group),
                permissions(cidrs)
            )
        }
        Action::CreateEndpoint { vpc, service, kind, .. } => match kind {
            NewEndpoint::Gateway { route_tables } => format!(
                "create-vpc-endpoint --vpc-id {vpc} --service-name {service} --vpc-endpoint-type Gateway \
                 --route-table-ids {}",
                words(route_tables)
            ),
            NewEndpoint::Interface { subnets, groups, private_dns } => format!(
                "create-vpc-endpoint --vpc-id {vpc} --service-name {service} --vpc-endpoint-type Interface \
                 --subnet-ids {} --security-group-ids {} {}",
                words(subnets),
                groups.iter().map(group_word).collect::<Vec<_>>().join(" "),
                private_dns_options(*private_dns)
            ),
        },
        Action::ModifyEndpoint {
            endpoint,
            add_route_tables,
            add_subnets,
            add_groups,
            private_dns,
        } => {
            let mut command = format!("modify-vpc-endpoint --vpc-endpoint-id {endpoint}");
            push(&mut command, "--add-route-table-ids", &words(add_route_tables));
            push(&mut command, "--add-subnet-ids", &words(add_subnets));
            push(
                &mut command,
                "--add-security-group-ids",
                &add_groups.iter().map(group_word).collect::<Vec<_>>().join(" "),
            );
            if private_dns.is_on() {
                command.push_str(&format!(" {}", private_dns_options(*private_dns)));
            }
            command
        }
        Action::DeleteRoute { table, destination, .. } => {
            format!("delete-route --route-table-id {table} {}", destination_option(destination))
        }
        Action::DisablePublicIpOnLaunch { subnet } => {
            format!("modify-subnet-attribute --subnet-id {subnet} --no-map-public-ip-on-launch")
        }
    };
    format!("aws ec2 {words} --region {}", scope.region)
}

/// The command that takes a VPC out of the guardrail's care, by the key of the tag that selects it.
pub fn untag_vpc(key: &str, scope: &Scope) -> String {
    let tag = tag_argument(&[("Key", key)]);
    format!("aws ec2 delete-tags --resources {} --tags {tag} --region {}", scope.vpc, scope.region)
}

/// The command that brings a VPC into the guardrail's care, by the tag that selects it.
pub fn tag_vpc(key: &str, value: &str, scope: &Scope) -> String {
    let tag = tag_argument(&[("Key", key), ("Value", value)]);
    format!("aws ec2 create-tags --resources {} --tags {tag} --region {}", scope.vpc, scope.region)
}

/// A tag as the CLI takes it: in its shorthand where that cannot be misread, else as JSON; in
/// quotes that a shell keeps to the letter.
fn tag_argument(fields: &[(&str, &str)]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
    let text = match fields.iter().all(|(_, text)| text.chars().all(is_plain) && !text.is_empty()) {
        true => {
            let pairs: Vec<String> =
                fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
            pairs.join(",")
        }
        false => {
            let pairs: Map<String, Value> =
                fields.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
            json!([pairs]).to_string()
        }
    };
    format!("'{}'", one_line(&text).replace('\'', r"'\''"))
}

/// The command that undoes an action that was taken; `None` when it was so before, so that there is
/// nothing to undo.
pub fn undo(
    action: &Action<GroupRef>,
    applied: &Applied,
    scope: &Scope,
    group: impl Fn(&GroupRef) -> Option<SecurityGroupId>,
) -> Option<String> {
    let words = match (action, applied) {
        (_, Applied::Already) => return None,
        (Action::EnableVpcDns { vpc, attribute }, _) => {
            format!(
                "modify-vpc-attribute --vpc-id {vpc} --{} '{{\"Value\":false}}'",
                option(*attribute)
            )
        }
        (Action::CreateSecurityGroup { .. }, Applied::CreatedGroup(id)) => {
            format!("delete-security-group --group-id {id}")
        }
        (Action::AuthorizeHttps { group: g, cidrs }, _) => {
            format!("revoke-security-group-ingress --group-id {} {}", group(g)?, permissions(cidrs))
        }
        (Action::CreateEndpoint { .. }, Applied::CreatedEndpoint(id)) => {
            format!("delete-vpc-endpoints --vpc-endpoint-ids {id}")
        }
        (
            Action::ModifyEndpoint {
                endpoint,
                add_route_tables,
                add_subnets,
                add_groups,
                private_dns,
            },
            _,
        ) => {
            let mut command = format!("modify-vpc-endpoint --vpc-endpoint-id {endpoint}");
            push(&mut command, "--remove-route-table-ids", &words(add_route_tables));
            push(&mut command, "--remove-subnet-ids", &words(add_subnets));
            let groups: Vec<SecurityGroupId> = add_groups.iter().filter_map(group).collect();
            push(&mut command, "--remove-security-group-ids", &words(&groups));
            if private_dns.is_on() {
                command.push_str(" --no-private-dns-enabled");
            }
            command
        }
        (Action::DeleteRoute { table, destination, target }, _) => format!(
            "create-route --route-table-id {table} {} {} {target}",
            destination_option(destination),
            target_option(target)
        ),
        (Action::DisablePublicIpOnLaunch { subnet }, _) => {
            format!("modify-subnet-attribute --subnet-id {subnet} --map-public-ip-on-launch")
        }
        (Action::CreateSecurityGroup { .. } | Action::CreateEndpoint { .. }, _) => return None,
    };
    Some(format!("aws ec2 {words} --region {}", scope.region))
}

fn private_dns_options(private_dns: PrivateDns) -> &'static str {
    match private_dns {
        PrivateDns::Off => "--no-private-dns-enabled",
        PrivateDns::On => "--private-dns-enabled",
        PrivateDns::OnInTheVpc => {
            "--private-dns-enabled --dns-options PrivateDnsOnlyForInboundResolverEndpoint=false"
        }
    }
}

fn option(attribute: DnsAttribute) -> &'static str {
    match attribute {
        DnsAttribute::Support => "enable-dns-support",
        DnsAttribute::Hostnames => "enable-dns-hostnames",
    }
}

fn group_word(group: &GroupRef) -> String {
    match group {
        GroupRef::Existing(id) => id.to_string(),
        GroupRef::MadeBy(step) => format!("<group of step {step}>"),
    }
}

fn permissions(cidrs: &[crate::ec2::cidr::Cidr]) -> String {
    use ipnet::IpNet;
    let (v6, v4): (Vec<_>, Vec<_>) =
        cidrs.iter().partition(|cidr| matches!(cidr.net(), Some(IpNet::V6(_))));
    let ranges = |list: Vec<&crate::ec2::cidr::Cidr>, key: &str| {
        list.iter().map(|cidr| format!("{{{key}={cidr}}}")).collect::<Vec<_>>().join(",")
    };
    let mut words = "IpProtocol=tcp,FromPort=443,ToPort=443".to_owned();
    if !v4.is_empty() {
        words.push_str(&format!(",IpRanges=[{}]", ranges(v4, "CidrIp")));
    }
    if !v6.is_empty() {
        words.push_str(&format!(",Ipv6Ranges=[{}]", ranges(v6, "CidrIpv6")));
    }
    format!("--ip-permissions '{words}'")
}

fn destination_option(destination: &Destination) -> String {
    match destination {
        Destination::CidrBlock(cidr) => format!("--destination-cidr-block {cidr}"),
        Destination::Ipv6CidrBlock(cidr) => format!("--destination-ipv6-cidr-block {cidr}"),
        Destination::PrefixList(id) => format!("--destination-prefix-list-id {id}"),
    }
}

fn target_option(target: &RouteTarget) -> &'static str {
    match target {
        RouteTarget::NatGateway(_) => "--nat-gateway-id",
        RouteTarget::NetworkInterface(_) => "--network-interface-id",
        RouteTarget::Instance(_) => "--instance-id",
        RouteTarget::EgressOnlyInternetGateway(_) => "--egress-only-internet-gateway-id",
        RouteTarget::TransitGateway(_) => "--transit-gateway-id",
        RouteTarget::VpcPeeringConnection(_) => "--vpc-peering-connection-id",
        RouteTarget::LocalGateway(_) => "--local-gateway-id",
        RouteTarget::CarrierGateway(_) => "--carrier-gateway-id",
        RouteTarget::VpcEndpoint(_) => "--vpc-endpoint-id",
        RouteTarget::OdbNetwork(_) => "--odb-network-arn",
        RouteTarget::CoreNetwork(_) => "--core-network-arn",
        RouteTarget::InternetGateway(_)
        | RouteTarget::VirtualPrivateGateway(_)
        | RouteTarget::OtherGateway(_)
        | RouteTarget::Local
        | RouteTarget::NextHop(_) => "--gateway-id",
    }
}

fn push(command: &mut String, option: &str, values: &str) {
    if !values.is_empty() {
        command.push_str(&format!(" {option} {values}"));
    }
}

fn words<T: ToString>(ids: &[T]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
