//! The words of the AWS CLI's commands, fit for a shell.

use ipnet::IpNet;
use serde_json::json;

use crate::cloud::Applied;
use crate::ec2::change::{Action, DnsAttribute, NewEndpoint, PrivateDns, created_tags};
use crate::ec2::cidr::Cidr;
use crate::ec2::id::SecurityGroupId;
use crate::ec2::route_target::RouteTarget;
use crate::ec2::world::{Destination, IpPermission};
use crate::plan::GroupRef;

/// The words after `aws ec2`, each as a shell has to be given it.
pub(super) struct Words(pub(super) Vec<String>);

impl Words {
    fn new(operation: &str) -> Self {
        Self(vec![operation.to_owned()])
    }

    fn flag(mut self, flag: &str) -> Self {
        self.0.push(flag.to_owned());
        self
    }

    fn option(self, option: &str, value: impl ToString) -> Self {
        self.options(option, &[value])
    }

    /// An option with its values; nothing where there are none.
    fn options<T: ToString>(self, option: &str, values: &[T]) -> Self {
        let quoted = values.iter().map(|value| quoted(&value.to_string())).collect();
        self.shell_words(option, quoted)
    }

    /// An option whose values are shell words already.
    fn shell_words(mut self, option: &str, values: Vec<String>) -> Self {
        if !values.is_empty() {
            self.0.push(option.to_owned());
            self.0.extend(values);
        }
        self
    }

    fn private_dns(self, private_dns: PrivateDns) -> Self {
        match private_dns {
            PrivateDns::Off => self.flag("--no-private-dns-enabled"),
            PrivateDns::On => self.flag("--private-dns-enabled"),
            PrivateDns::OnInTheVpc => self
                .flag("--private-dns-enabled")
                .flag("--dns-options")
                .flag("PrivateDnsOnlyForInboundResolverEndpoint=false"),
        }
    }

    /// The tags by which the guardrail knows what is its own: without them a group made by hand
    /// would only stand in the way of its own.
    fn tagged(self, resource: &str, name: &str) -> Self {
        let tags = created_tags(name);
        let tags: Vec<String> =
            tags.iter().map(|tag| format!("{{Key={},Value={}}}", tag.key, tag.value)).collect();
        self.option(
            "--tag-specifications",
            format!("ResourceType={resource},Tags=[{}]", tags.join(",")),
        )
    }
}

/// The call that does what the action does; `group` says how a security group is named in it.
pub(super) fn call(action: &Action<GroupRef>, group: impl Fn(&GroupRef) -> String) -> Words {
    match action {
        Action::EnableVpcDns { vpc, attribute } => vpc_dns(vpc, *attribute, true),
        Action::CreateSecurityGroup { vpc, name, description } => {
            Words::new("create-security-group")
                .option("--vpc-id", vpc)
                .option("--group-name", name)
                .option("--description", description)
                .tagged("security-group", name)
        }
        Action::AuthorizeHttps { group: opened, cidrs } => {
            Words::new("authorize-security-group-ingress")
                .shell_words("--group-id", vec![group(opened)])
                .option("--ip-permissions", permissions(cidrs))
        }
        Action::RevokeIngress { group: shut, rule } => Words::new("revoke-security-group-ingress")
            .shell_words("--group-id", vec![group(shut)])
            .option("--ip-permissions", as_json(rule)),
        Action::CreateEndpoint { vpc, service, kind, policy, .. } => {
            let words = Words::new("create-vpc-endpoint")
                .option("--vpc-id", vpc)
                .option("--service-name", service);
            let words = match kind {
                NewEndpoint::Gateway { route_tables } => words
                    .option("--vpc-endpoint-type", "Gateway")
                    .options("--route-table-ids", route_tables),
                NewEndpoint::Interface { subnets, groups, private_dns } => words
                    .option("--vpc-endpoint-type", "Interface")
                    .options("--subnet-ids", subnets)
                    .shell_words("--security-group-ids", groups.iter().map(group).collect())
                    .private_dns(*private_dns),
            };
            let words = match policy {
                Some(policy) => words.option("--policy-document", policy),
                None => words,
            };
            words.tagged("vpc-endpoint", service.as_str())
        }
        Action::ModifyEndpoint {
            endpoint,
            add_route_tables,
            add_subnets,
            add_groups,
            private_dns,
        } => {
            let words = Words::new("modify-vpc-endpoint")
                .option("--vpc-endpoint-id", endpoint)
                .options("--add-route-table-ids", add_route_tables)
                .options("--add-subnet-ids", add_subnets)
                .shell_words("--add-security-group-ids", add_groups.iter().map(group).collect());
            if private_dns.is_on() { words.private_dns(*private_dns) } else { words }
        }
        Action::SetEndpointPolicy { endpoint, policy, .. } => Words::new("modify-vpc-endpoint")
            .option("--vpc-endpoint-id", endpoint)
            .option("--policy-document", policy),
        Action::DeleteRoute { table, destination, .. } => Words::new("delete-route")
            .option("--route-table-id", table)
            .option(destination_option(destination), destination),
        Action::DisablePublicIpOnLaunch { subnet } => Words::new("modify-subnet-attribute")
            .option("--subnet-id", subnet)
            .flag("--no-map-public-ip-on-launch"),
        Action::StopAutomaticAddress { interface, .. } => {
            Words::new("modify-network-interface-attribute")
                .option("--network-interface-id", interface)
                .flag("--no-associate-public-ip-address")
        }
        Action::DisassociateAddress { association, .. } => {
            Words::new("disassociate-address").option("--association-id", association)
        }
    }
}

/// The call that undoes an action that was taken; `None` when it was so before, so that there is
/// nothing to undo.
pub(super) fn undoing(
    action: &Action<GroupRef>,
    applied: &Applied,
    group: impl Fn(&GroupRef) -> Option<SecurityGroupId>,
) -> Option<Words> {
    Some(match (action, applied) {
        (_, Applied::Already) => return None,
        (Action::EnableVpcDns { vpc, attribute }, _) => vpc_dns(vpc, *attribute, false),
        (Action::CreateSecurityGroup { .. }, Applied::CreatedGroup(id)) => {
            Words::new("delete-security-group").option("--group-id", id)
        }
        (Action::AuthorizeHttps { group: opened, cidrs }, _) => {
            Words::new("revoke-security-group-ingress")
                .option("--group-id", group(opened)?)
                .option("--ip-permissions", permissions(cidrs))
        }
        (Action::RevokeIngress { group: shut, rule }, _) => {
            Words::new("authorize-security-group-ingress")
                .option("--group-id", group(shut)?)
                .option("--ip-permissions", as_json(rule))
        }
        (Action::CreateEndpoint { .. }, Applied::CreatedEndpoint(id)) => {
            Words::new("delete-vpc-endpoints").option("--vpc-endpoint-ids", id)
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
            let groups: Vec<SecurityGroupId> = add_groups.iter().filter_map(group).collect();
            let words = Words::new("modify-vpc-endpoint")
                .option("--vpc-endpoint-id", endpoint)
                .options("--remove-route-table-ids", add_route_tables)
                .options("--remove-subnet-ids", add_subnets)
                .options("--remove-security-group-ids", &groups);
            if private_dns.is_on() { words.flag("--no-private-dns-enabled") } else { words }
        }
        (Action::SetEndpointPolicy { endpoint, before, .. }, _) => {
            let words = Words::new("modify-vpc-endpoint").option("--vpc-endpoint-id", endpoint);
            match before {
                Some(policy) => words.option("--policy-document", policy),
                None => words.flag("--reset-policy"),
            }
        }
        (Action::DeleteRoute { table, destination, target }, _) => Words::new("create-route")
            .option("--route-table-id", table)
            .option(destination_option(destination), destination)
            .option(target_option(target), target),
        (Action::DisablePublicIpOnLaunch { subnet }, _) => Words::new("modify-subnet-attribute")
            .option("--subnet-id", subnet)
            .flag("--map-public-ip-on-launch"),
        // While the interface has an Elastic IP address, it is all the same what AWS would assign.
        (Action::StopAutomaticAddress { address: None, .. }, _) => return None,
        // It gives the interface another address, for what that is worth.
        (Action::StopAutomaticAddress { interface, address: Some(_) }, _) => {
            Words::new("modify-network-interface-attribute")
                .option("--network-interface-id", interface)
                .flag("--associate-public-ip-address")
        }
        (Action::DisassociateAddress { interface, allocation, private, .. }, _) => {
            let words = Words::new("associate-address")
                .option("--allocation-id", allocation)
                .option("--network-interface-id", interface);
            let private: Vec<&String> = private.iter().collect();
            words.options("--private-ip-address", &private).flag("--no-allow-reassociation")
        }
        (Action::CreateSecurityGroup { .. } | Action::CreateEndpoint { .. }, _) => return None,
    })
}

fn vpc_dns(vpc: &crate::ec2::id::VpcId, attribute: DnsAttribute, on: bool) -> Words {
    let option = match attribute {
        DnsAttribute::Support => "--enable-dns-support",
        DnsAttribute::Hostnames => "--enable-dns-hostnames",
    };
    let value = format!("{{\"Value\":{on}}}");
    Words::new("modify-vpc-attribute").option("--vpc-id", vpc).option(option, value)
}

/// A rule as the CLI takes it: as AWS describes it, without lists that hold nothing.
fn as_json(rule: &IpPermission) -> String {
    let mut rule = json!(rule);
    if let Some(fields) = rule.as_object_mut() {
        fields.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    }
    json!([rule]).to_string()
}

fn permissions(cidrs: &[Cidr]) -> String {
    let (v6, v4): (Vec<_>, Vec<_>) =
        cidrs.iter().partition(|cidr| matches!(cidr.net(), Some(IpNet::V6(_))));
    let ranges = |list: Vec<&Cidr>, key: &str| {
        list.iter().map(|cidr| format!("{{{key}={cidr}}}")).collect::<Vec<_>>().join(",")
    };
    let mut words = "IpProtocol=tcp,FromPort=443,ToPort=443".to_owned();
    if !v4.is_empty() {
        words.push_str(&format!(",IpRanges=[{}]", ranges(v4, "CidrIp")));
    }
    if !v6.is_empty() {
        words.push_str(&format!(",Ipv6Ranges=[{}]", ranges(v6, "CidrIpv6")));
    }
    words
}

fn destination_option(destination: &Destination) -> &'static str {
    match destination {
        Destination::CidrBlock(_) => "--destination-cidr-block",
        Destination::Ipv6CidrBlock(_) => "--destination-ipv6-cidr-block",
        Destination::PrefixList(_) => "--destination-prefix-list-id",
    }
}

/// The option of `create-route` for a target.
pub(super) fn target_option(target: &RouteTarget) -> &'static str {
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

/// The text as one word of a shell, whatever is in it, with nothing in it that the shell acts on:
/// single quotes, and for what they cannot keep safe in a pasted line (a quote, an exclamation mark,
/// which an interactive shell looks for, a line break, a tab) octal numbers.
pub(super) fn quoted(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_./:-".contains(c);
    let is_quotable = |c: char| (c.is_ascii_graphic() || c == ' ') && !"'!\\".contains(c);
    if !text.is_empty() && text.chars().all(is_bare) {
        text.to_owned()
    } else if text.chars().all(is_quotable) {
        format!("'{text}'")
    } else {
        let octal = |byte: u8| match byte {
            byte if is_bare(char::from(byte)) => char::from(byte).to_string(),
            byte => format!("\\{byte:03o}"),
        };
        format!("\"$(\\printf '{}')\"", text.bytes().map(octal).collect::<String>())
    }
}

/// Words for people as one word of a shell: what could break a pasted line is a question mark.
pub(super) fn said(text: &str) -> String {
    /// Terminals cut a line that is pasted without line editing at some 4,000 bytes.
    const LIMIT: usize = 400;
    let ascii = text.replace('→', "->");
    let shown =
        |c: char| if c.is_ascii_graphic() && !"'!\\".contains(c) || c == ' ' { c } else { '?' };
    let mut line: String = ascii.chars().map(shown).take(LIMIT).collect();
    if ascii.chars().count() > LIMIT {
        line.push_str(" ...");
    }
    format!("'{line}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_act_on_it() {
        for (text, word) in [
            ("rtb-1", "rtb-1"),
            ("10.0.0.0/16", "10.0.0.0/16"),
            ("2600::/56", "2600::/56"),
            ("", "''"),
            ("two words", "'two words'"),
            (
                "$(reboot) `reboot` \"*\" ~ # & ; | < > ( )",
                "'$(reboot) `reboot` \"*\" ~ # & ; | < > ( )'",
            ),
            ("it's", "\"$(\\printf 'it\\047s')\""),
            ("a!b", "\"$(\\printf 'a\\041b')\""),
            ("a\n%s\\", "\"$(\\printf 'a\\012\\045s\\134')\""),
            ("é", "\"$(\\printf '\\303\\251')\""),
        ] {
            assert_eq!(quoted(text), word);
        }
    }

    #[test]
    fn a_shell_reads_a_word_as_it_was() {
        for text in
            ["", "a b", "it's", "a!b", "$(x) `x` \\ \" ' * ~", "a\tb\nc", "é → %s \u{1b}[0m"]
        {
            let shell = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(text))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(shell.stdout).unwrap(), text);
        }
    }

    #[test]
    fn words_for_people_are_plain() {
        assert_eq!(said("a → b: it's\n!"), "'a -> b: it?s??'");
        assert_eq!(said(&"x".repeat(500)).len(), 406);
    }
}
