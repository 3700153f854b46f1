//! Worlds and baselines by chance: a managed VPC, and a second one, not managed, that is worse in
//! every way.

pub(crate) mod obstacles;

use guardrail::baseline::RuleId;
use guardrail::baseline::{Baseline, Mode, Remove, RuleOptions};
use guardrail::ec2::id::RouteTableId;
use guardrail::ec2::world::{EndpointState, World};
use ipnet::IpNet;
use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::{Value, json};

pub(crate) const MANAGED: &str = "vpc-aaaa0000aaaa00001";
pub(crate) const OTHER: &str = "vpc-bbbb0000bbbb00001";
pub(crate) const OTHER_MARK: &str = "bbbb0000bbbb";
const MARKS: [&str; 2] = ["aaaa0000aaaa", OTHER_MARK];
const REGION: &str = "eu-central-1";
const SERVICES: [&str; 5] = ["s3", "dynamodb", "ssm", "ssmmessages", "ec2messages"];

/// A baseline and the two VPCs it meets.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) baseline: Baseline,
    pub(crate) subnets: Vec<SubnetSpec>,
    tables: Vec<Vec<(usize, usize)>>,
    gateways: Vec<Option<(u8, usize)>>,
    interfaces: Vec<Option<InterfaceSpec>>,
    dns: (bool, bool),
    second_cidr: bool,
    own_group: bool,
    ec2messages_offered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Private,
    Public,
    Untagged,
    Contradictory,
}

#[derive(Debug, Clone)]
pub(crate) struct SubnetSpec {
    pub(crate) kind: Kind,
    zone: usize,
    /// `None` is the main table.
    table: Option<usize>,
    pub(crate) public_ip: bool,
}

#[derive(Debug, Clone)]
struct InterfaceSpec {
    zones: u8,
    private_dns: bool,
    open: bool,
    state: usize,
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let kind = prop_oneof![5 => Just(Kind::Private), 2 => Just(Kind::Public), 1 => Just(Kind::Untagged), 1 => Just(Kind::Contradictory)];
    let subnet = (kind, 0_usize..3, prop::option::weighted(0.8, 0_usize..4), any::<bool>())
        .prop_map(|(kind, zone, table, public_ip)| SubnetSpec { kind, zone, table, public_ip });
    let route = (0_usize..DESTINATIONS.len(), 0_usize..TARGETS.len());
    let table = prop::collection::vec(route, 0..4);
    let gateway = prop::option::weighted(0.7, (any::<u8>(), 0_usize..8));
    let interface = (1_u8..8, any::<bool>(), any::<bool>(), 0_usize..12).prop_map(
        |(zones, private_dns, open, state)| InterfaceSpec { zones, private_dns, open, state },
    );
    (
        baseline(),
        prop::collection::vec(subnet, 0..6),
        prop::collection::vec(table, 5),
        prop::collection::vec(gateway, 2),
        prop::collection::vec(prop::option::weighted(0.7, interface), 3),
        (any::<(bool, bool)>(), any::<bool>(), any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(
                baseline,
                subnets,
                tables,
                gateways,
                interfaces,
                (dns, second_cidr, own_group, ec2messages_offered),
            )| {
                Case {
                    baseline,
                    subnets,
                    tables,
                    gateways,
                    interfaces,
                    dns,
                    second_cidr,
                    own_group,
                    ec2messages_offered,
                }
            },
        )
}

fn baseline() -> impl Strategy<Value = Baseline> {
    let notify = prop::collection::vec(0_usize..RuleId::ALL.len(), 0..3);
    (prop_oneof![3 => Just(Vec::new()), 1 => notify], 0_u8..8, 1_u32..9, 1_u32..9).prop_map(
        |(notify, choice, changes, endpoint_changes)| {
            let mut baseline = Baseline::default().with_mode(Mode::Repair);
            for rule in notify {
                let notify = RuleOptions { mode: Some(Mode::Notify), ..RuleOptions::default() };
                baseline.rules.insert(RuleId::ALL[rule], notify);
            }
            if choice == 0 {
                baseline.internet_routes.remove = Remove::Immediately;
            }
            if choice % 2 == 0 {
                let repair = RuleOptions { mode: Some(Mode::Repair), ..RuleOptions::default() };
                baseline.rules.insert(RuleId::PublicIpOnLaunch, repair);
            }
            if choice % 3 == 0 {
                let mode = Some(Mode::Repair);
                let repair = RuleOptions { mode, revoke_added: true, ..RuleOptions::default() };
                baseline.rules.insert(RuleId::OwnGroupEdited, repair);
            }
            if choice % 4 == 2 {
                let (mode, irreversible) = (Some(Mode::Repair), choice == 2);
                let repair = RuleOptions { mode, irreversible, ..RuleOptions::default() };
                baseline.rules.insert(RuleId::PublicAddress, repair);
            }
            if choice == 1 {
                baseline.gateway_endpoints.route_tables = guardrail::baseline::RouteTables::All;
            }
            baseline.limits.changes = changes;
            baseline.limits.endpoint_changes = endpoint_changes;
            baseline
        },
    )
}

const DESTINATIONS: [&str; 8] = [
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "8.8.8.8/32",
    "10.99.0.0/16",
    "::/0",
    "pl-0a0000000000000f1", // public blocks
    "pl-0a0000000000000f2", // private blocks
];
/// Those of them that hold no public address.
pub(crate) const NOT_PUBLIC: [&str; 2] = ["10.99.0.0/16", "pl-0a0000000000000f2"];
const TARGETS: [&str; 7] = ["nat", "nat", "private-nat", "igw", "tgw", "vgw", "gone-nat"];

impl Case {
    /// Both VPCs.
    pub(crate) fn world(&self) -> World {
        let mut sections = serde_json::Map::new();
        let mut add = |key: &str, items: Vec<Value>| {
            sections.entry(key).or_insert_with(|| json!([])).as_array_mut().unwrap().extend(items);
        };
        for mark in MARKS {
            add("Vpcs", vec![self.vpc(mark)]);
            add("Subnets", (0..self.subnets.len()).map(|n| self.subnet(mark, n)).collect());
            add("RouteTables", (0..5).map(|n| self.table(mark, n)).collect());
            add("VpcEndpoints", self.endpoints(mark));
            add("NatGateways", self.nat_gateways(mark));
            add("SecurityGroups", self.groups(mark));
        }
        add("NetworkInterfaces", MARKS.iter().filter_map(|mark| self.interface(mark)).collect());
        add("NetworkAcls", [MANAGED, OTHER].map(default_acl).to_vec());
        add("DhcpOptions", vec![]);
        add("PrefixLists", prefix_lists());
        add("VpcEndpointServices", self.services());
        let dns = json!({ "EnableDnsSupport": self.dns.0, "EnableDnsHostnames": self.dns.1 });
        sections.insert("VpcAttributes".to_owned(), json!({ MANAGED: dns, OTHER: dns }));
        World::deserialize(Value::Object(sections)).unwrap()
    }

    fn cidrs(&self) -> Vec<&'static str> {
        if self.second_cidr { vec!["10.0.0.0/16", "100.64.0.0/16"] } else { vec!["10.0.0.0/16"] }
    }

    fn vpc(&self, mark: &str) -> Value {
        let tags = if mark == OTHER_MARK {
            json!([])
        } else {
            json!([{"Key": "vpc-guardrail", "Value": "managed"}])
        };
        let cidrs: Vec<Value> = self
            .cidrs()
            .iter()
            .map(|cidr| json!({"CidrBlock": cidr, "CidrBlockState": {"State": "associated"}}))
            .collect();
        json!({
            "VpcId": id("vpc", mark, 1), "OwnerId": "111122223333", "CidrBlock": "10.0.0.0/16",
            "CidrBlockAssociationSet": cidrs, "Tags": tags,
        })
    }

    fn subnet(&self, mark: &str, n: usize) -> Value {
        let spec = &self.subnets[n];
        let tags = match spec.kind {
            Kind::Private => json!([{"Key": "Tier", "Value": "private"}]),
            Kind::Public => json!([{"Key": "Tier", "Value": "public"}]),
            Kind::Untagged => json!([]),
            Kind::Contradictory => {
                json!([{"Key": "Tier", "Value": "private"}, {"Key": "Name", "Value": "a-public-b"}])
            }
        };
        json!({
            "SubnetId": id("subnet", mark, n), "VpcId": id("vpc", mark, 1), "AvailabilityZone": zone(spec.zone),
            "CidrBlock": format!("10.0.{n}.0/24"), "AvailableIpAddressCount": 250, "Tags": tags,
            "MapPublicIpOnLaunch": spec.public_ip,
        })
    }

    /// An instance's interface in the first subnet, with an Elastic IP address or an automatic one.
    fn interface(&self, mark: &str) -> Option<Value> {
        self.subnets.first()?;
        let association = match self.second_cidr {
            true => json!({"PublicIp": "198.51.100.9", "IpOwnerId": "111122223333",
                "AllocationId": "eipalloc-1", "AssociationId": "eipassoc-1"}),
            false => json!({"PublicIp": "198.51.100.9", "IpOwnerId": "amazon"}),
        };
        self.own_group.then(|| json!({
            "NetworkInterfaceId": id("eni", mark, 90), "VpcId": id("vpc", mark, 1),
            "SubnetId": id("subnet", mark, 0), "InterfaceType": "interface", "RequesterManaged": false,
            "PrivateIpAddress": "10.0.0.9", "Association": association,
            "Attachment": {"InstanceId": id("i", mark, 90), "DeviceIndex": 0, "Status": "attached"},
        }))
    }

    /// A public one whose subnet nobody knows, and a private one in the first subnet, whose table says
    /// where it leads.
    fn nat_gateways(&self, mark: &str) -> Vec<Value> {
        let mut private = nat(mark, 2, "private");
        if !self.subnets.is_empty() {
            private["SubnetId"] = json!(id("subnet", mark, 0));
        }
        vec![nat(mark, 1, "public"), private]
    }

    /// Table 4 is the main table.
    fn table(&self, mark: &str, n: usize) -> Value {
        let users = self.subnets.iter().enumerate().filter(|(_, subnet)| subnet.table == Some(n));
        let mut associations: Vec<Value> = users
            .map(|(s, _)| json!({
                "RouteTableAssociationId": id("rtbassoc", mark, s), "Main": false, "SubnetId": id("subnet", mark, s),
                "AssociationState": {"State": "associated"},
            }))
            .collect();
        if n == 4 {
            associations.push(json!({"RouteTableAssociationId": id("rtbassoc", mark, 99), "Main": true, "AssociationState": {"State": "associated"}}));
        }
        let mut routes = vec![
            json!({"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}),
        ];
        let mut taken = Vec::new();
        for (destination, target) in &self.tables[n] {
            if !taken.contains(destination) {
                taken.push(*destination);
                routes.push(route(mark, DESTINATIONS[*destination], TARGETS[*target]));
            }
        }
        for (service, gateway) in self.gateways.iter().enumerate() {
            if self.gateway_is_on(gateway, n) {
                routes.push(json!({
                    "DestinationPrefixListId": prefix_list(service), "GatewayId": id("vpce", mark, service),
                    "Origin": "CreateRoute", "State": "active",
                }));
            }
        }
        json!({"RouteTableId": id("rtb", mark, n), "VpcId": id("vpc", mark, 1), "Associations": associations, "Routes": routes})
    }

    fn gateway_is_on(&self, gateway: &Option<(u8, usize)>, table: usize) -> bool {
        gateway.is_some_and(|(mask, state)| {
            mask & (1 << table) != 0 && gateway_state(state) == "available"
        })
    }

    fn endpoints(&self, mark: &str) -> Vec<Value> {
        let gateways = self.gateways.iter().enumerate().filter_map(|(service, gateway)| {
            let (_, state) = (*gateway)?;
            let tables: Vec<String> =
                (0..5).filter(|n| self.gateway_is_on(gateway, *n)).map(|n| id("rtb", mark, n)).collect();
            Some(json!({
                "VpcEndpointId": id("vpce", mark, service), "VpcEndpointType": "Gateway", "VpcId": id("vpc", mark, 1),
                "ServiceName": name(SERVICES[service]), "State": gateway_state(state), "RouteTableIds": tables,
            }))
        });
        let interfaces = self.interfaces.iter().enumerate().filter_map(|(n, spec)| {
            let spec = spec.as_ref()?;
            let on = |s: &&SubnetSpec| spec.zones & (1 << s.zone) != 0;
            let mut zones = Vec::new();
            let subnets: Vec<String> = self
                .subnets
                .iter()
                .enumerate()
                .filter(|(_, s)| on(s))
                .filter(|(_, s)| {
                    let new = !zones.contains(&s.zone);
                    zones.push(s.zone);
                    new
                })
                .map(|(s, _)| id("subnet", mark, s))
                .collect();
            let dns = self.dns == (true, true) && spec.private_dns;
            Some(json!({
                "VpcEndpointId": id("vpce", mark, n + 2), "VpcEndpointType": "Interface", "VpcId": id("vpc", mark, 1),
                "ServiceName": name(SERVICES[n + 2]), "State": interface_state(spec.state), "SubnetIds": subnets,
                "PrivateDnsEnabled": dns, "IpAddressType": "ipv4",
                "Groups": [{"GroupId": id("sg", mark, usize::from(spec.open)), "GroupName": "endpoints"}],
            }))
        });
        gateways.chain(interfaces).collect()
    }

    /// Group 0 admits nothing; group 1 admits the first block only, so not enough where there are
    /// two; group 2 is ours, and somebody added rules to it.
    fn groups(&self, mark: &str) -> Vec<Value> {
        let group = |n: usize, name: &str, rules: Value, tags: Value| {
            json!({
                "GroupId": id("sg", mark, n), "GroupName": name, "VpcId": id("vpc", mark, 1), "IpPermissions": rules, "Tags": tags,
            })
        };
        let first = json!([{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]);
        let mut groups =
            vec![group(0, "shut", json!([]), json!([])), group(1, "open", first, json!([]))];
        if self.own_group {
            groups.push(group(
                2,
                "vpc-guardrail-endpoints",
                json!([
                    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "172.16.0.0/12"}]}
                ]),
                json!([{"Key": "vpc-guardrail", "Value": "created"}]),
            ));
        }
        groups
    }

    fn services(&self) -> Vec<Value> {
        let offered = SERVICES
            .iter()
            .filter(|service| self.ec2messages_offered || **service != "ec2messages");
        offered
            .enumerate()
            .map(|(n, service)| {
                let kind = if n < 2 { "Gateway" } else { "Interface" };
                let zones: Vec<String> = (0..if n == 3 { 2 } else { 3 }).map(zone).collect();
                let names = if n < 2 { json!([]) } else { json!([{"PrivateDnsName": format!("{service}.{REGION}.amazonaws.com")}]) };
                json!({"ServiceName": name(service), "ServiceType": [{"ServiceType": kind}], "AvailabilityZones": zones, "PrivateDnsNames": names})
            })
            .collect()
    }

    /// The full names of the services that the baseline requires.
    pub(crate) fn required(&self) -> Vec<String> {
        self.required_services().map(name).collect()
    }

    /// `ec2messages` is required where it is offered.
    fn required_services(&self) -> impl Iterator<Item = &'static str> {
        let offered = self.ec2messages_offered;
        SERVICES.into_iter().filter(move |service| offered || *service != "ec2messages")
    }

    /// The ids of the private subnets.
    pub(crate) fn private(&self) -> Vec<String> {
        let private = self.subnets.iter().enumerate().filter(|(_, s)| s.kind == Kind::Private);
        private.map(|(n, _)| id("subnet", MARKS[0], n)).collect()
    }

    /// Only private subnets use the table.
    pub(crate) fn assert_only_private_users(&self, table: &RouteTableId) {
        let users: Vec<Kind> = self.users(table).map(|subnet| subnet.kind).collect();
        assert!(
            !users.is_empty() && users.iter().all(|kind| *kind == Kind::Private),
            "{table} serves {users:?}"
        );
    }

    fn users<'a>(&'a self, table: &'a RouteTableId) -> impl Iterator<Item = &'a SubnetSpec> {
        self.subnets
            .iter()
            .filter(|subnet| *table == *id("rtb", MARKS[0], subnet.table.unwrap_or(4)))
    }

    /// Every required service that is offered is served to the table's subnets: judged from the
    /// world alone.
    pub(crate) fn assert_served(&self, world: &World, table: &RouteTableId) {
        for service in self.required_services() {
            let mut of_service = world.vpc_endpoints.iter().flatten().filter(|endpoint| {
                endpoint.vpc_id == *MANAGED
                    && endpoint.service_name.as_ref().is_some_and(|n| *n == *name(service))
                    && endpoint.state == EndpointState::Available
            });
            if matches!(service, "s3" | "dynamodb") {
                assert!(
                    of_service.any(|e| e.route_table_ids.contains(table)),
                    "{service} does not serve {table}: {world:#?}"
                );
                continue;
            }
            let endpoint = of_service
                .next()
                .unwrap_or_else(|| panic!("no endpoint for {service}: {world:#?}"));
            assert!(endpoint.private_dns_enabled, "{service} has no private DNS");
            assert!(!endpoint.subnet_ids.is_empty(), "{service} has no interface");
            let attached = world
                .security_groups
                .iter()
                .flatten()
                .filter(|g| endpoint.groups.iter().any(|e| e.group_id == g.group_id));
            let admitted: Vec<IpNet> = attached
                .flat_map(|g| &g.ip_permissions)
                .flat_map(|p| &p.ip_ranges)
                .filter_map(|r| r.cidr_ip.as_str().parse().ok())
                .collect();
            for subnet in world.subnets.iter().flatten().filter(|it| uses(world, it, table)) {
                let blocks: Vec<IpNet> = match &subnet.cidr_block {
                    Some(block) => vec![block.as_str().parse().unwrap()],
                    None => self.cidrs().iter().map(|block| block.parse().unwrap()).collect(),
                };
                assert!(
                    blocks.iter().all(|block| admitted.iter().any(|wide| wide.contains(block))),
                    "{service} admits {admitted:?} and not all of {blocks:?}"
                );
            }
        }
    }
}

/// Whether a subnet uses a table: its own, or the main one where it has none.
fn uses(world: &World, subnet: &guardrail::ec2::world::Subnet, table: &RouteTableId) -> bool {
    let tables = || world.route_tables.iter().flatten().filter(|it| it.vpc_id == subnet.vpc_id);
    let own = tables().find(|it| {
        it.associations.iter().any(|bound| bound.subnet_id.as_ref() == Some(&subnet.subnet_id))
    });
    let main = || tables().find(|it| it.associations.iter().any(|bound| bound.main));
    own.or_else(main).is_some_and(|used| used.route_table_id == *table)
}

fn route(mark: &str, destination: &str, target: &str) -> Value {
    let key = match destination {
        list if list.starts_with("pl-") => "DestinationPrefixListId",
        v6 if v6.contains(':') => "DestinationIpv6CidrBlock",
        _ => "DestinationCidrBlock",
    };
    let (target_key, target, state) = match target {
        "nat" => ("NatGatewayId", id("nat", mark, 1), "active"),
        "private-nat" => ("NatGatewayId", id("nat", mark, 2), "active"),
        "gone-nat" => ("NatGatewayId", id("nat", mark, 3), "blackhole"),
        "igw" => ("GatewayId", id("igw", mark, 1), "active"),
        "vgw" => ("GatewayId", id("vgw", mark, 1), "active"),
        _ => ("TransitGatewayId", id("tgw", mark, 1), "active"),
    };
    json!({key: destination, target_key: target, "Origin": "CreateRoute", "State": state})
}

/// The network ACL that AWS makes with a VPC.
fn default_acl(vpc: &str) -> Value {
    let rule = |number: u32, egress: bool, action: &str| {
        json!({"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1",
            "CidrBlock": "0.0.0.0/0"})
    };
    json!({"NetworkAclId": vpc.replace("vpc-", "acl-"), "VpcId": vpc, "IsDefault": true, "Entries": [
        rule(100, true, "allow"), rule(32767, true, "deny"), rule(100, false, "allow"),
        rule(32767, false, "deny")]})
}

fn prefix_lists() -> Vec<Value> {
    vec![
        json!({"PrefixListId": prefix_list(0), "PrefixListName": name("s3"), "OwnerId": "AWS", "Cidrs": ["52.219.0.0/16"]}),
        json!({"PrefixListId": prefix_list(1), "PrefixListName": name("dynamodb"), "OwnerId": "AWS", "Cidrs": ["52.119.0.0/16"]}),
        json!({"PrefixListId": DESTINATIONS[6], "PrefixListName": "out", "OwnerId": "111122223333", "Entries": [{"Cidr": "1.0.0.0/8"}]}),
        json!({"PrefixListId": DESTINATIONS[7], "PrefixListName": "in", "OwnerId": "111122223333", "Entries": [{"Cidr": "10.98.0.0/16"}]}),
    ]
}

fn nat(mark: &str, n: usize, connectivity: &str) -> Value {
    json!({"NatGatewayId": id("nat", mark, n), "VpcId": id("vpc", mark, 1), "State": "available", "ConnectivityType": connectivity})
}

fn gateway_state(chance: usize) -> &'static str {
    match chance {
        0 => "deleted",
        1 => "failed",
        _ => "available",
    }
}

fn interface_state(chance: usize) -> &'static str {
    match chance {
        0 => "deleting",
        1 => "deleted",
        2 => "pending",
        3 => "Failed",
        _ => "available",
    }
}

fn id(kind: &str, mark: &str, n: usize) -> String {
    format!("{kind}-{mark}{n:05}")
}

fn prefix_list(service: usize) -> String {
    format!("pl-0a0000000000000a{service}")
}

fn zone(n: usize) -> String {
    format!("{REGION}{}", ["a", "b", "c"][n])
}

fn name(service: &str) -> String {
    format!("com.amazonaws.{REGION}.{service}")
}
