//! A VPC on its baseline for tests, and one-line edits that bend it.
//!
//! `vpc-1` has two zones, a public and a private subnet in each (`subnet-puba`, `subnet-pria`, …),
//! a table for each private subnet (`rtb-a`, `rtb-b`), one for the public ones (`rtb-pub`), a main
//! table that nobody uses, and every endpoint of the example baseline, whose mode here is `repair`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::analysis::View;
use crate::analysis::required_service::{RequiredService, required_services};
use crate::analysis::topology::Topology;
use crate::baseline::Baseline;
use crate::ec2::id::VpcId;
use crate::ec2::snapshot::{Shared, Snapshot};
use crate::ec2::world::World;
use crate::plan::planner;
use crate::plan::{Circumstances, Condition, Plan};
use crate::rules::finding::Finding;

pub(crate) struct Fixture {
    pub(crate) world: Value,
    pub(crate) baseline: Value,
}

/// The keys that things are found by, and those an id of a route's target stands under.
const IDS: [&str; 11] = [
    "NatGatewayId",
    "NetworkInterfaceId",
    "VpcEndpointId",
    "GroupId",
    "PrefixListId",
    "RouteTableId",
    "SubnetId",
    "ServiceName",
    "NetworkAclId",
    "VpcId",
    "DhcpOptionsId",
];
const TARGETS: [(&str, &str); 9] = [
    ("nat-", "NatGatewayId"),
    ("eigw-", "EgressOnlyInternetGatewayId"),
    ("eni-", "NetworkInterfaceId"),
    ("i-", "InstanceId"),
    ("tgw-", "TransitGatewayId"),
    ("pcx-", "VpcPeeringConnectionId"),
    ("cagw-", "CarrierGatewayId"),
    ("lgw-", "LocalGatewayId"),
    ("arn:aws:networkmanager", "CoreNetworkArn"),
];

impl Fixture {
    pub(crate) fn compliant() -> Self {
        Self { world: world(), baseline: json!({"version": 1, "mode": "repair"}) }
    }

    /// A compliant VPC after an edit.
    pub(crate) fn edited(edit: impl FnOnce(&mut Self) -> &mut Self) -> Self {
        let mut fixture = Self::compliant();
        edit(&mut fixture);
        fixture
    }

    /// The list of a section, to add to; it is made where there is none.
    pub(crate) fn section(&mut self, name: &str) -> &mut Vec<Value> {
        let section = &mut self.world[name];
        if section.is_null() {
            *section = json!([]);
        }
        section.as_array_mut().unwrap()
    }

    pub(crate) fn add(&mut self, section: &str, thing: Value) -> &mut Self {
        self.section(section).push(thing);
        self
    }

    pub(crate) fn thing(&mut self, id: &str) -> &mut Value {
        let sections = self.world.as_object_mut().unwrap().values_mut();
        let mut things = sections.filter_map(Value::as_array_mut).flatten();
        things.find(|thing| is_named(thing, id)).unwrap_or_else(|| panic!("no {id}"))
    }

    pub(crate) fn set(&mut self, id: &str, key: &str, value: Value) -> &mut Self {
        self.thing(id)[key] = value;
        self
    }

    /// The subnet has the IPv6 block, the VPC one that it lies in, and the default ACL and `sg-https`
    /// let IPv6 pass, as AWS has it where a VPC with IPv6 is made.
    pub(crate) fn ipv6(&mut self, subnet: &str, block: &str) -> &mut Self {
        let of = |block: &str| json!([{"Ipv6CidrBlock": block, "Ipv6CidrBlockState": {"State": "associated"}}]);
        self.set("vpc-1", "Ipv6CidrBlockAssociationSet", of("2001:db8::/56"));
        self.set(subnet, "Ipv6CidrBlockAssociationSet", of(block));
        self.thing("sg-https")["IpPermissions"][0]["Ipv6Ranges"] =
            json!([{"CidrIpv6": "2001:db8::/56"}]);
        let rule = |egress: bool| {
            json!({"RuleNumber": 101, "Egress": egress, "RuleAction": "allow", "Protocol": "-1",
                "Ipv6CidrBlock": "::/0"})
        };
        if let Some(entries) = self.thing("acl-default")["Entries"].as_array_mut() {
            entries.retain(|entry| entry["RuleNumber"] != 101);
            entries.extend([rule(true), rule(false)]);
        }
        self
    }

    pub(crate) fn remove(&mut self, id: &str) -> &mut Self {
        for section in
            self.world.as_object_mut().unwrap().values_mut().filter_map(Value::as_array_mut)
        {
            section.retain(|thing| !is_named(thing, id));
        }
        self
    }

    pub(crate) fn without(&mut self, section: &str) -> &mut Self {
        self.world.as_object_mut().unwrap().remove(section);
        self
    }

    /// Adds a route, as AWS would print it.
    pub(crate) fn route(&mut self, table: &str, destination: &str, target: &str) -> &mut Self {
        self.thing(table)["Routes"].as_array_mut().unwrap().push(route(destination, target));
        self
    }

    /// Changes a field of the route that goes there.
    pub(crate) fn set_route(
        &mut self,
        table: &str,
        destination: &str,
        key: &str,
        value: Value,
    ) -> &mut Self {
        let routes = self.thing(table)["Routes"].as_array_mut().unwrap();
        let route = routes.iter_mut().find(|route| goes_to(route, destination)).unwrap();
        route[key] = value;
        self
    }

    pub(crate) fn drop_route(&mut self, table: &str, destination: &str) -> &mut Self {
        self.thing(table)["Routes"]
            .as_array_mut()
            .unwrap()
            .retain(|route| !goes_to(route, destination));
        self
    }

    /// A gateway endpoint deleted, and its routes with it.
    pub(crate) fn delete_gateway(&mut self, endpoint: &str) -> &mut Self {
        self.remove(endpoint);
        for table in self.section("RouteTables") {
            table["Routes"].as_array_mut().unwrap().retain(|route| route["GatewayId"] != endpoint);
        }
        self
    }

    pub(crate) fn associate(&mut self, table: &str, association: Value) -> &mut Self {
        self.thing(table)["Associations"].as_array_mut().unwrap().push(association);
        self
    }

    pub(crate) fn tag(&mut self, id: &str, key: &str, value: &str) -> &mut Self {
        self.set(id, "Tags", json!([{"Key": key, "Value": value}]))
    }

    pub(crate) fn baseline(&mut self, key: &str, value: Value) -> &mut Self {
        self.baseline[key] = value;
        self
    }

    pub(crate) fn world(&self) -> World {
        serde_json::from_value(self.world.clone()).unwrap()
    }

    pub(crate) fn wanted(&self) -> Baseline {
        Baseline::parse(&self.baseline.to_string()).unwrap()
    }

    /// Lends the VPC to a test, related and with its required services.
    pub(crate) fn view<T>(&self, look: impl FnOnce(&View<'_>, &[RequiredService<'_>]) -> T) -> T {
        let (world, baseline) = (self.world(), self.wanted());
        let shared = Shared::of(&world);
        let snapshot = Snapshot::one(&world, &shared, &vpc()).unwrap().unwrap();
        let required_services = required_services(&baseline, &snapshot.scope.region, &shared);
        look(&View::of(&baseline, &snapshot, &required_services), &required_services)
    }

    pub(crate) fn topology<T>(&self, look: impl FnOnce(&Topology<'_>, &Snapshot<'_>) -> T) -> T {
        self.view(|view, _| look(&view.topology, view.snapshot))
    }

    pub(crate) fn plan(&self, incident: &str) -> (Vec<Finding>, Plan) {
        self.view(|view, _| {
            planner::plan(
                view,
                Circumstances {
                    incident,
                    now: Timestamp::UNIX_EPOCH,
                    memory: crate::history::Memory::NotAsked,
                    grace: crate::history::Grace::none(),
                },
            )
        })
    }
}

/// What is found after an edit: the rule and the finding in words.
pub(crate) fn findings(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    let (findings, _) = Fixture::edited(edit).plan("test");
    findings.into_iter().map(|finding| format!("{}: {}", finding.rule, finding.drift)).collect()
}

/// What is planned after an edit, and what is left alone.
pub(crate) fn planned(edit: impl FnOnce(&mut Fixture) -> &mut Fixture) -> Vec<String> {
    lines(&Fixture::edited(edit).plan("test").1)
}

pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    let steps = plan.steps.iter().map(|step| {
        let after: Vec<String> = step.after.iter().map(ToString::to_string).collect();
        let mode = match step.mode {
            crate::baseline::Mode::Repair => String::new(),
            mode @ (crate::baseline::Mode::Observe | crate::baseline::Mode::Notify) => {
                format!(" [{mode}]")
            }
        };
        let after =
            if after.is_empty() { String::new() } else { format!(" (after {})", after.join(", ")) };
        format!(
            "{} {}{after}{mode}{}",
            step.id,
            step.task,
            if step.held.is_some() { " [next run]" } else { "" }
        )
    });
    let left = plan.left_alone.iter().map(|left| format!("- {}: {}", left.what, left.reason));
    steps.chain(left).collect()
}

/// The endpoint for a service to wait for, with zones by their letters.
pub(crate) fn ready(
    service: &str,
    tables: &[&str],
    zones: &[&str],
    private_dns: bool,
) -> Condition {
    let zone = |zone: &&str| serde_json::from_value(json!(format!("eu-central-1{zone}"))).unwrap();
    Condition::Ready {
        service: format!("com.amazonaws.eu-central-1.{service}").parse().unwrap(),
        tables: tables.iter().map(|table| table.parse().unwrap()).collect(),
        zones: zones.iter().map(zone).collect(),
        private_dns,
    }
}

pub(crate) fn vpc() -> VpcId {
    "vpc-1".parse().unwrap()
}

pub(crate) fn route(destination: &str, target: &str) -> Value {
    let destination_key = match destination {
        list if list.starts_with("pl-") => "DestinationPrefixListId",
        v6 if v6.contains(':') => "DestinationIpv6CidrBlock",
        _ => "DestinationCidrBlock",
    };
    let target_key = TARGETS
        .iter()
        .find(|(prefix, _)| target.starts_with(prefix))
        .map_or("GatewayId", |(_, key)| key);
    json!({destination_key: destination, target_key: target, "State": "active", "Origin": "CreateRoute"})
}

pub(crate) fn interface_endpoint(id: &str, service: &str) -> Value {
    let mut endpoint = json!({
        "VpcEndpointId": id, "VpcEndpointType": "Interface", "VpcId": "vpc-1", "State": "available",
        "ServiceName": format!("com.amazonaws.eu-central-1.{service}"), "SubnetIds": ["subnet-pria", "subnet-prib"],
        "Groups": [{"GroupId": "sg-https"}], "PrivateDnsEnabled": true, "IpAddressType": "ipv4"
    });
    if service == "s3" {
        endpoint["DnsOptions"] = json!({"PrivateDnsOnlyForInboundResolverEndpoint": false});
    }
    endpoint
}

pub(crate) fn gateway_endpoint(id: &str, service: &str, tables: &[&str]) -> Value {
    json!({
        "VpcEndpointId": id, "VpcEndpointType": "Gateway", "VpcId": "vpc-1", "State": "available",
        "ServiceName": format!("com.amazonaws.eu-central-1.{service}"), "RouteTableIds": tables
    })
}

pub(crate) fn group(id: &str, name: &str, from: &[&str]) -> Value {
    let (v6, v4): (Vec<&&str>, Vec<&&str>) = from.iter().partition(|cidr| cidr.contains(':'));
    let v4: Vec<Value> = v4.into_iter().map(|cidr| json!({"CidrIp": cidr})).collect();
    let v6: Vec<Value> = v6.into_iter().map(|cidr| json!({"CidrIpv6": cidr})).collect();
    json!({"GroupId": id, "GroupName": name, "VpcId": "vpc-1", "IpPermissions": [
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": v4, "Ipv6Ranges": v6}]})
}

/// The guardrail's own group, as it makes it.
pub(crate) fn own_group(from: &[&str]) -> Value {
    let mut own = group("sg-own", "vpc-guardrail-endpoints", from);
    own["Tags"] = json!([{"Key": "vpc-guardrail", "Value": "created"}]);
    own
}

/// The VPC's default network ACL, as AWS makes it.
pub(crate) fn default_acl() -> Value {
    let rule = |number: u32, egress: bool, action: &str| {
        json!({"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1",
            "CidrBlock": "0.0.0.0/0"})
    };
    json!({"NetworkAclId": "acl-default", "VpcId": "vpc-1", "IsDefault": true, "Entries": [
        rule(100, true, "allow"), rule(32767, true, "deny"), rule(100, false, "allow"),
        rule(32767, false, "deny")]})
}

pub(crate) fn subnet(id: &str, zone: &str, tier: &str) -> Value {
    json!({"SubnetId": id, "VpcId": "vpc-1", "AvailabilityZone": format!("eu-central-1{zone}"),
        "AvailableIpAddressCount": 250, "EnableDns64": false, "Tags": [{"Key": "Tier", "Value": tier}]})
}

pub(crate) fn table(id: &str, subnets: &[&str]) -> Value {
    let bound = |subnet: &&str| {
        json!({"RouteTableAssociationId": format!("rtbassoc-{}", subnet.replace('-', "")),
        "SubnetId": subnet, "AssociationState": {"State": "associated"}})
    };
    json!({"RouteTableId": id, "VpcId": "vpc-1", "Associations": subnets.iter().map(bound).collect::<Vec<_>>(),
        "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable",
            "State": "active"}]})
}

fn service(name: &str, kind: &str, private_dns: bool) -> Value {
    let names = if private_dns {
        json!([{"PrivateDnsName": format!("{name}.example")}])
    } else {
        json!([])
    };
    json!({"ServiceName": format!("com.amazonaws.eu-central-1.{name}"), "ServiceType": [{"ServiceType": kind}],
        "VpcEndpointPolicySupported": true,
        "AvailabilityZones": ["eu-central-1a", "eu-central-1b"], "PrivateDnsNames": names})
}

fn is_named(thing: &Value, id: &str) -> bool {
    IDS.iter().find_map(|key| thing.get(*key)).is_some_and(|name| name == id)
}

fn goes_to(route: &Value, destination: &str) -> bool {
    ["DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"]
        .iter()
        .any(|key| route[*key] == destination)
}

fn world() -> Value {
    let mut main = table("rtb-main", &[]);
    main["Associations"] = json!([{"Main": true, "RouteTableAssociationId": "rtbassoc-main"}]);
    let mut public = table("rtb-pub", &["subnet-puba", "subnet-pubb"]);
    public["Routes"].as_array_mut().unwrap().push(route("0.0.0.0/0", "igw-1"));
    let private = ["a", "b"].map(|zone| {
        let mut table = table(&format!("rtb-{zone}"), &[&format!("subnet-pri{zone}")]);
        let routes = table["Routes"].as_array_mut().unwrap();
        routes.extend([route("pl-s3", "vpce-s3"), route("pl-dynamodb", "vpce-dynamodb")]);
        table
    });
    let [a, b] = private;
    let tables = ["rtb-a", "rtb-b"];
    json!({
        "Region": "eu-central-1",
        "AccountId": "111122223333",
        "Vpcs": [{"VpcId": "vpc-1", "OwnerId": "111122223333", "CidrBlock": "10.0.0.0/16", "Tags": [
            {"Key": "Name", "Value": "shop"}, {"Key": "vpc-guardrail", "Value": "managed"}]}],
        "Subnets": [subnet("subnet-puba", "a", "public"), subnet("subnet-pubb", "b", "public"),
            subnet("subnet-pria", "a", "private"), subnet("subnet-prib", "b", "private")],
        "RouteTables": [main, public, a, b],
        "VpcEndpoints": [gateway_endpoint("vpce-s3", "s3", &tables), gateway_endpoint("vpce-dynamodb", "dynamodb", &tables),
            interface_endpoint("vpce-ssm", "ssm"), interface_endpoint("vpce-ssmmessages", "ssmmessages"),
            interface_endpoint("vpce-ec2messages", "ec2messages")],
        "NatGateways": [
            {"NatGatewayId": "nat-1", "VpcId": "vpc-1", "SubnetId": "subnet-puba", "ConnectivityType": "public",
                "State": "available"},
            {"NatGatewayId": "nat-private", "VpcId": "vpc-1", "SubnetId": "subnet-prib", "ConnectivityType": "private",
                "State": "available"},
            {"NatGatewayId": "nat-regional", "VpcId": "vpc-1", "ConnectivityType": "public", "State": "available",
                "AvailabilityMode": "regional", "RouteTableId": "rtb-regional"}],
        "SecurityGroups": [group("sg-https", "https", &["10.0.0.0/16"])],
        "NetworkInterfaces": [],
        "NetworkAcls": [default_acl()],
        "DhcpOptions": [],
        "PrefixLists": [
            {"PrefixListId": "pl-s3", "PrefixListName": "com.amazonaws.eu-central-1.s3", "OwnerId": "AWS",
                "Cidrs": ["3.5.0.0/19", "52.219.0.0/16"]},
            {"PrefixListId": "pl-dynamodb", "PrefixListName": "com.amazonaws.eu-central-1.dynamodb",
                "OwnerId": "AWS", "Cidrs": ["52.94.0.0/22"]},
            {"PrefixListId": "pl-out", "OwnerId": "111122223333", "Entries": [{"Cidr": "10.9.0.0/16"},
            {"Cidr": "1.1.1.1/32"}]}, {"PrefixListId": "pl-in", "Entries": [{"Cidr": "10.9.0.0/16"}]},
            {"PrefixListId": "pl-unread", "OwnerId": "111122223333"}],
        "VpcEndpointServices": [service("s3", "Interface", true), service("s3", "Gateway", false),
            service("dynamodb", "Gateway", false), service("ssm", "Interface", true),
            service("ssmmessages", "Interface", true), service("ec2messages", "Interface", true)],
        "VpcAttributes": {"vpc-1": {"EnableDnsSupport": true, "EnableDnsHostnames": true}}
    })
}
