//! Scenes: a VPC as many are, with nothing wrong, one thing or several; and a second VPC, not managed,
//! that is the same.

use std::ops::Range;
use std::str::FromStr;

use guardrail::baseline::{Baseline, ListedService, Mode, RuleOptions};
use guardrail::ec2::world::World;
use guardrail_sim::{ModifyVpcEndpoint, Request};
use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::look::full_name;
use crate::spec::{MANAGED, OTHER_MARK};
use crate::wrong::Wrong;

const MARK: &str = "aaaa0000aaaa";
const RESTRICTED: &str = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::one-bucket/*"}]}"#;
const FULL: &str =
    r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

/// What is there to begin with, by chance.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    /// For each service, s3 first: no endpoint, one that serves.
    there: [bool; 5],
    /// Each private subnet has a table of its own.
    own_tables: bool,
    /// A third private subnet, in the second zone.
    third: bool,
    /// How the VPC says that Amazon's servers are to be asked.
    servers: usize,
    second_route: bool,
    pick: usize,
}

#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) baseline: Baseline,
    pub(crate) wrongs: Vec<Wrong>,
    base: Base,
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} in {:?}", self.wrongs, self.base)
    }
}

pub(crate) fn base() -> impl Strategy<Value = Base> {
    let there = prop::array::uniform5(prop::bool::weighted(0.6));
    (there, any::<bool>(), any::<bool>(), 0_usize..4, prop::bool::weighted(0.2), 0_usize..4)
        .prop_map(|(there, own_tables, third, servers, second_route, pick)| Base {
            there,
            own_tables,
            third,
            servers,
            second_route,
            pick,
        })
}

impl Base {
    /// With an endpoint for each service.
    pub(crate) fn with_every_endpoint(self) -> Self {
        Self { there: [true; 5], ..self }
    }
}

/// Scenes with so many things wrong.
pub(crate) fn some_wrong(many: Range<usize>) -> impl Strategy<Value = Scene> {
    (base(), prop::collection::btree_set(0_usize..Wrong::ALL.len(), many)).prop_map(
        |(base, wrongs)| Scene::new(base, wrongs.into_iter().map(|n| Wrong::ALL[n]).collect()),
    )
}

/// Whether the baseline asks for S3 by its interface endpoint's name.
fn asks_by_name(wrongs: &[Wrong]) -> bool {
    [Wrong::InboundOnly, Wrong::InboundUnclear].iter().any(|wrong| wrongs.contains(wrong))
}

const SHORT: [&str; 5] = ["s3", "dynamodb", "ssm", "ssmmessages", "ec2messages"];

impl Scene {
    pub(crate) fn new(base: Base, mut wrongs: Vec<Wrong>) -> Self {
        if wrongs.contains(&Wrong::NameAnswersUnclear) {
            // Together they would ask for nothing, and of nothing it is said that it is kept.
            wrongs.retain(|wrong| *wrong != Wrong::ServerAsksOthers);
        }
        let mut baseline = Baseline::default().with_mode(Mode::Repair);
        for rule in wrongs.iter().flat_map(|wrong| wrong.leaves()) {
            let notify = RuleOptions { mode: Some(Mode::Notify), ..RuleOptions::default() };
            baseline.rules.insert(*rule, notify);
        }
        if wrongs.contains(&Wrong::NameAnswersUnclear) {
            baseline.gateway_endpoints.services.clear();
        }
        if wrongs.contains(&Wrong::ServerAsksOthers) {
            // What is reached by a private name is kept by the servers' being others than Amazon's.
            baseline.interface_endpoints.services.clear();
        }
        if [Wrong::ServersLost, Wrong::ServersOutOfReach].iter().any(|it| wrongs.contains(it)) {
            let known = json!({"vpc": {"id": MANAGED}, "resolver": "forwards-to-amazon"});
            baseline.overrides.push(serde_json::from_value(known).unwrap());
        }
        if asks_by_name(&wrongs) {
            let s3 = json!({"service": "s3"});
            let s3: ListedService = serde_json::from_value(s3).unwrap();
            baseline.interface_endpoints.services.push(s3);
            let gateways = &mut baseline.gateway_endpoints.services;
            gateways.retain(|it| serde_json::to_value(it).unwrap() != json!("s3"));
        }
        Self { baseline, wrongs, base }
    }

    /// The required services, by their full names.
    pub(crate) fn required(&self) -> Vec<String> {
        let is_required = |service: &str| {
            let none = match service {
                "s3" if asks_by_name(&self.wrongs) => return true,
                // Clients of an IPv6-only subnet come to S3 and DynamoDB by the NAT gateway's IPv4 alone.
                "s3" | "dynamodb" => Wrong::NameAnswersUnclear,
                _ => Wrong::ServerAsksOthers,
            };
            !self.wrongs.contains(&none)
        };
        SHORT.into_iter().filter(|service| is_required(service)).map(full_name).collect()
    }

    /// The private subnets.
    pub(crate) fn private(&self) -> Vec<String> {
        (0..if self.base.third { 3 } else { 2 }).map(|n| id("subnet", n)).collect()
    }

    /// The tables of private subnets.
    pub(crate) fn tables(&self) -> Vec<String> {
        let tables = if self.base.own_tables { self.private().len() } else { 1 };
        (0..tables).map(|n| id("rtb", n)).collect()
    }

    fn table_of(&self, private: usize) -> usize {
        if self.base.own_tables { private } else { 0 }
    }

    /// The managed VPC and one that is not managed and else the same.
    pub(crate) fn world(&self) -> World {
        let mut doc = self.doc();
        let other = serde_json::to_string(&doc).unwrap().replace(MARK, OTHER_MARK);
        let mut other: Value = serde_json::from_str(&other).unwrap();
        other["Vpcs"][0]["Tags"] = json!([]);
        for section in [
            "Vpcs",
            "Subnets",
            "RouteTables",
            "VpcEndpoints",
            "NatGateways",
            "SecurityGroups",
            "NetworkInterfaces",
            "NetworkAcls",
        ] {
            let Some(list) = other[section].as_array().cloned() else { continue };
            doc[section].as_array_mut().unwrap().extend(list);
        }
        let attributes = other["VpcAttributes"].as_object().unwrap().clone();
        doc["VpcAttributes"].as_object_mut().unwrap().extend(attributes);
        read(doc)
    }

    /// The managed VPC alone.
    pub(crate) fn small_world(&self) -> World {
        read(self.doc())
    }

    fn doc(&self) -> Value {
        let mut doc = self.sane();
        for wrong in &self.wrongs {
            self.spoil(*wrong, &mut doc);
        }
        let offers = doc["VpcEndpointServices"].as_array().unwrap().clone();
        for endpoint in endpoints(&mut doc).iter_mut() {
            // No endpoint has a private name where its service has none.
            let its = offers.iter().find(|it| {
                it["ServiceName"] == endpoint["ServiceName"]
                    && it["ServiceType"][0]["ServiceType"] == "Interface"
            });
            if its.is_none_or(|it| it["PrivateDnsNames"] == json!([])) {
                endpoint["PrivateDnsEnabled"] = json!(false);
            }
        }
        doc
    }

    /// A VPC as many are: private subnets that lead out through a NAT gateway in a public one.
    fn sane(&self) -> Value {
        let mut vpc = json!({
            "VpcId": MANAGED, "OwnerId": "111122223333", "CidrBlock": "10.0.0.0/16",
            "CidrBlockAssociationSet": [{"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}}],
            "Tags": [{"Key": "vpc-guardrail", "Value": "managed"}],
        });
        match self.base.servers {
            0 => {}
            1 => vpc["DhcpOptionsId"] = json!("default"),
            n => vpc["DhcpOptionsId"] = json!(format!("dopt-{n}")),
        }
        let mut subnets: Vec<Value> = (0..self.private().len())
            .map(|n| subnet(n, ["a", "b", "b"][n], n, "private"))
            .collect();
        subnets.push(subnet(8, "a", 10, "public"));
        let mut tables: Vec<Value> = self.tables().iter().enumerate().map(|(n, table)| {
            let users = (0..self.private().len()).filter(|s| self.table_of(*s) == n);
            json!({"RouteTableId": table, "VpcId": MANAGED, "Associations": users.map(bound).collect::<Vec<_>>(),
                   "Routes": [local(), nat_route("0.0.0.0/0")]})
        }).collect();
        if self.base.second_route {
            tables[0]["Routes"].as_array_mut().unwrap().push(nat_route("8.0.0.0/8"));
        }
        tables.push(json!({"RouteTableId": id("rtb", 8), "VpcId": MANAGED, "Associations": [bound(8)],
            "Routes": [local(), {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": id("igw", 1), "State": "active", "Origin": "CreateRoute"}]}));
        tables.push(json!({"RouteTableId": id("rtb", 9), "VpcId": MANAGED,
            "Associations": [{"RouteTableAssociationId": id("rtbassoc", 99), "Main": true}], "Routes": [local()]}));
        let mut doc = json!({
            "Vpcs": [vpc], "Subnets": subnets, "RouteTables": tables, "VpcEndpoints": [],
            "NatGateways": [{"NatGatewayId": id("nat", 1), "VpcId": MANAGED, "SubnetId": id("subnet", 8),
                "State": "available", "ConnectivityType": "public"}],
            "SecurityGroups": [
                {"GroupId": id("sg", 0), "GroupName": "shut", "VpcId": MANAGED},
                {"GroupId": id("sg", 1), "GroupName": "open", "VpcId": MANAGED, "IpPermissions": [
                    {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}],
                     "Ipv6Ranges": [{"CidrIpv6": "2a05:d014:1::/56"}]}]}],
            "NetworkInterfaces": [],
            "NetworkAcls": [acl(1, true, &[], &[])],
            "DhcpOptions": [servers("dopt-2", &["AmazonProvidedDNS"]), servers("dopt-3", &["169.254.169.253", "10.0.0.2"])],
            "PrefixLists": [
                {"PrefixListId": "pl-0a0000000000000a0", "PrefixListName": full_name("s3"), "OwnerId": "AWS", "Cidrs": ["52.219.0.0/16"]},
                {"PrefixListId": "pl-0a0000000000000a1", "PrefixListName": full_name("dynamodb"), "OwnerId": "AWS", "Cidrs": ["52.119.0.0/16"]},
                {"PrefixListId": "pl-0a0000000000000f1", "PrefixListName": "theirs", "OwnerId": "111122223333", "Entries": [{"Cidr": "52.219.128.0/20"}]}],
            "VpcEndpointServices": [
                offered("s3", "Gateway"), offered("s3", "Interface"), offered("dynamodb", "Gateway"), offered("ssm", "Interface"),
                offered("ssmmessages", "Interface"), offered("ec2messages", "Interface"), offered("kms", "Interface")],
            "VpcAttributes": {MANAGED: {"EnableDnsSupport": true, "EnableDnsHostnames": true}},
        });
        for (n, there) in self.base.there.into_iter().enumerate() {
            match (there, n) {
                (true, 0 | 1) => self.add_gateway(n, &mut doc, &self.tables()),
                (true, _) => add_interface(n, SHORT[n], &[0, 1], &mut doc),
                (false, _) => {}
            }
        }
        doc
    }

    fn add_gateway(&self, n: usize, doc: &mut Value, tables: &[String]) {
        let list = format!("pl-0a0000000000000a{n}");
        for table in doc["RouteTables"].as_array_mut().unwrap() {
            if tables.iter().any(|id| table["RouteTableId"] == **id) {
                table["Routes"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({"DestinationPrefixListId": list,
                    "GatewayId": id("vpce", n), "Origin": "CreateRoute", "State": "active"}));
            }
        }
        doc["VpcEndpoints"].as_array_mut().unwrap().push(json!({
            "VpcEndpointId": id("vpce", n), "VpcEndpointType": "Gateway", "VpcId": MANAGED, "ServiceName": full_name(SHORT[n]),
            "State": "available", "RouteTableIds": tables, "PolicyDocument": FULL}));
    }

    /// A server of the VPC's own, in a subnet whose routes go or in one whose routes stay.
    fn own_server(&self) -> &'static str {
        ["10.0.10.53", "10.0.0.53"][self.base.pick % 2]
    }

    /// The route of a private subnet's table to S3's gateway endpoint, made if it is not there.
    fn route_to_s3(&self, doc: &mut Value, private: usize, spoil: impl Fn(&mut Vec<Value>, usize)) {
        if asks_by_name(&self.wrongs) {
            // Where the baseline asks for the interface endpoint, no route serves, though packets pass.
            return;
        }
        let s3 = |e: &Value| e["VpcEndpointId"] == *id("vpce", 0);
        if !endpoints(doc).iter().any(|e| s3(e) && e["RouteTableIds"] == json!(self.tables())) {
            self.gateway_unassociated(doc);
            endpoints(doc).retain(|e| !s3(e));
            self.add_gateway(0, doc, &self.tables());
        }
        let routes = &mut doc["RouteTables"][self.table_of(private)]["Routes"];
        let routes = routes.as_array_mut().unwrap();
        if let Some(at) = routes.iter().position(|route| route["GatewayId"] == *id("vpce", 0)) {
            spoil(routes, at);
        }
    }

    /// The interface endpoint of ssm, made if it is not there.
    fn ssm<'d>(&self, doc: &'d mut Value) -> &'d mut Value {
        self.interface(2, doc)
    }

    /// The interface endpoint of a service, made if it is not there.
    fn interface<'d>(&self, n: usize, doc: &'d mut Value) -> &'d mut Value {
        if !endpoints(doc).iter().any(|e| e["VpcEndpointId"] == *id("vpce", n)) {
            add_interface(n, SHORT[n], &[0, 1], doc);
        }
        endpoints(doc).iter_mut().find(|e| e["VpcEndpointId"] == *id("vpce", n)).unwrap()
    }

    fn gateway_unassociated<'d>(&self, doc: &'d mut Value) -> &'d mut Value {
        endpoints(doc).retain(|e| e["VpcEndpointId"] != *id("vpce", 0));
        for table in doc["RouteTables"].as_array_mut().unwrap() {
            table["Routes"]
                .as_array_mut()
                .unwrap()
                .retain(|route| route["GatewayId"] != *id("vpce", 0));
        }
        self.add_gateway(0, doc, &[]);
        endpoints(doc).last_mut().unwrap()
    }

    #[expect(clippy::too_many_lines, reason = "one line or two for each thing that may be wrong")]
    fn spoil(&self, wrong: Wrong, doc: &mut Value) {
        let pick = self.base.pick;
        let last = self.private().len() - 1;
        let odd = |n: usize| pick % 2 == n;
        match wrong {
            Wrong::OtherServers => {
                doc["Vpcs"][0]["DhcpOptionsId"] = json!("dopt-4");
                push(doc, "DhcpOptions", servers("dopt-4", &[self.own_server()]));
            }
            Wrong::OtherServersBesideAmazons => {
                doc["Vpcs"][0]["DhcpOptionsId"] = json!("dopt-5");
                let both = ["AmazonProvidedDNS", self.own_server()];
                push(doc, "DhcpOptions", servers("dopt-5", &both));
            }
            Wrong::ServerAsksOthers => {
                doc["Vpcs"][0]["DhcpOptionsId"] = json!("dopt-7");
                let all = [["10.0.0.53"].as_slice(), &["AmazonProvidedDNS", "10.0.0.53"]];
                push(doc, "DhcpOptions", servers("dopt-7", all[pick % 2]));
            }
            Wrong::ServersLost => {
                doc["Vpcs"][0]["DhcpOptionsId"] = json!("dopt-8");
                let all: [&[&str]; 4] = [
                    &["9.9.9.9"],
                    &["192.168.7.53"],
                    &["AmazonProvidedDNS", "9.9.9.9"],
                    &["10.0.10.53", "192.168.7.53"],
                ];
                push(doc, "DhcpOptions", servers("dopt-8", all[pick]));
                // The NAT gateway's subnet leads on to what is not in the VPC.
                public_table(doc)["Routes"].as_array_mut().unwrap().push(json!({
                    "DestinationCidrBlock": "192.168.0.0/16", "TransitGatewayId": id("tgw", 1),
                    "Origin": "CreateRoute", "State": "active"}));
            }
            Wrong::ServersOutOfReach => {
                doc["Vpcs"][0]["DhcpOptionsId"] = json!("dopt-9");
                push(doc, "DhcpOptions", servers("dopt-9", &["192.168.9.53"]));
                for n in 0..self.private().len() {
                    let nowhere = json!({"DestinationCidrBlock": "192.168.9.0/24",
                        "TransitGatewayId": id("tgw", 2), "Origin": "CreateRoute", "State": "blackhole"});
                    if self.base.own_tables || n == 0 {
                        route(doc, n, self, nowhere);
                    }
                }
            }
            Wrong::Dns64 => {
                self.two_versions(doc, false);
                doc["Subnets"][last]["EnableDns64"] = json!(true);
                route(
                    doc,
                    last,
                    self,
                    json!({"DestinationIpv6CidrBlock": "64:ff9b::/96", "NatGatewayId": id("nat", 1),
                    "Origin": "CreateRoute", "State": "active"}),
                );
            }
            Wrong::NoRoute => self.route_to_s3(doc, last, |routes, at| {
                routes.remove(at);
            }),
            Wrong::RouteStateUnclear => self.route_to_s3(doc, last, |routes, at| {
                routes[at]["State"] = if odd(0) { Value::Null } else { json!("becoming") };
            }),
            Wrong::NotAGateway => {
                self.route_to_s3(doc, last, |_, _| ());
                let its = |e: &&mut Value| {
                    e["VpcEndpointId"] == *id("vpce", 0) && e["RouteTableIds"] != json!([])
                };
                if let Some(s3) = endpoints(doc).iter_mut().find(its) {
                    s3["VpcEndpointType"] = json!(["Interface", "Passage"][pick % 2]);
                }
            }
            Wrong::GroupRuleUnclear => {
                self.ssm(doc)["Groups"] = json!([{"GroupId": id("sg", 3)}]);
                let anybody = json!([{"CidrIp": "10.0.0.0/16"}]);
                let unread = json!([{"PrefixListId": "pl-0a0000000000000f9"}]);
                let rule = [
                    json!({"IpProtocol": "tcp", "IpRanges": anybody}),
                    json!({"IpProtocol": "tcp-443", "IpRanges": anybody}),
                    json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": unread}),
                    json!({"IpProtocol": "-1", "PrefixListIds": unread}),
                ][pick]
                    .clone();
                push(
                    doc,
                    "SecurityGroups",
                    json!({"GroupId": id("sg", 3), "GroupName": "unclear", "VpcId": MANAGED, "IpPermissions": [rule]}),
                );
            }
            Wrong::IpVersionUnclear => {
                self.ssm(doc)["IpAddressType"] = json!(["ipv7", "both"][pick % 2]);
            }
            Wrong::DivertedBack => {
                // An interface alone in its subnet, whose table gives the answers to a middlebox.
                push(doc, "Subnets", subnet(5, "a", 13, "endpoints"));
                let back = json!({"DestinationCidrBlock": format!("10.0.{last}.0/24"),
                    "NetworkInterfaceId": id("eni", 60), "Origin": "CreateRoute",
                    "State": if odd(0) { "active" } else { "blackhole" }});
                push(
                    doc,
                    "RouteTables",
                    json!({"RouteTableId": id("rtb", 5), "VpcId": MANAGED, "Associations": [bound(5)],
                    "Routes": [local(), back]}),
                );
                let subnets = if pick > 1 { [5, 1].as_slice() } else { &[5] };
                add_interface(2, "ssm", subnets, doc);
            }
            Wrong::ServersUnread => {
                doc["Vpcs"][0]["DhcpOptionsId"] = json!("dopt-6");
                if odd(0) {
                    doc["DhcpOptions"] = Value::Null;
                }
            }
            Wrong::AclOwnOut => {
                let to = ["52.219.0.0/16", "10.0.0.0/16", "52.219.7.0/24", "10.0.1.0/24"][pick];
                put_acl(doc, acl(2, false, &[0], &[rule(10, true, "deny", to, Some((443, 443)))]));
                if to == "10.0.1.0/24" {
                    // Within its own subnet no ACL is asked: the endpoints' second subnet matters.
                    self.ssm(doc);
                }
            }
            Wrong::AclOwnBack => {
                let from = ["52.119.0.0/17", "10.0.0.0/8", "52.0.0.0/8", "10.0.1.0/24"][pick];
                let ports = [(32768, 65535), (40000, 40000), (1024, 65535), (50000, 60000)][pick];
                put_acl(doc, acl(2, false, &[0], &[rule(10, false, "deny", from, Some(ports))]));
                self.ssm(doc);
            }
            Wrong::AclOfEndpoint => {
                self.ssm(doc);
                let (out, ports) = [(false, (443, 443)), (true, (32768, 33000))][pick % 2];
                let peer = ["10.0.0.0/24", "10.0.0.0/28"][pick / 2];
                put_acl(doc, acl(4, false, &[1], &[rule(10, out, "deny", peer, Some(ports))]));
            }
            Wrong::AclWrongPorts => {
                let lambda = odd(1);
                let open = if lambda { (32768, 65535) } else { (1024, 61000) };
                let mut own = acl(2, false, &[0], &[]);
                own["Entries"].as_array_mut().unwrap().retain(|e| e["Egress"] == true);
                own["Entries"].as_array_mut().unwrap().push(rule(
                    100,
                    false,
                    "allow",
                    "0.0.0.0/0",
                    Some(open),
                ));
                put_acl(doc, own);
                if lambda {
                    push(
                        doc,
                        "NetworkInterfaces",
                        json!({"NetworkInterfaceId": id("eni", 50), "VpcId": MANAGED,
                        "SubnetId": id("subnet", 0), "InterfaceType": "lambda", "PrivateIpAddress": "10.0.0.99"}),
                    );
                }
            }
            Wrong::AclShut => {
                put_acl(
                    doc,
                    acl(2, false, &[0], &[rule(10, true, "deny", "0.0.0.0/0", Some((443, 443)))]),
                );
            }
            Wrong::AclIpv6 => {
                self.two_versions(doc, true);
                self.ssm(doc)["IpAddressType"] = json!("dualstack");
                let mut own =
                    acl(2, false, &[0], &[rule6(101, true, "allow"), rule6(101, false, "allow")]);
                let gone = odd(0);
                own["Entries"]
                    .as_array_mut()
                    .unwrap()
                    .retain(|e| e["Ipv6CidrBlock"].is_null() || e["Egress"] == gone);
                put_acl(doc, own);
            }
            Wrong::AclsUnread => doc["NetworkAcls"] = Value::Null,
            Wrong::NoAcl => {
                if doc["NetworkAcls"].is_array() {
                    doc["NetworkAcls"] = json!([]);
                }
            }
            Wrong::StaticRoute => {
                let to =
                    ["52.219.0.0/16", "52.219.128.0/17", "52.219.4.0/24", "52.219.9.9/32"][pick];
                route(
                    doc,
                    last,
                    self,
                    json!({"DestinationCidrBlock": to, "TransitGatewayId": id("tgw", 1), "Origin": "CreateRoute", "State": if odd(0) { "active" } else { "blackhole" }}),
                );
            }
            Wrong::PropagatedRoute => {
                let to =
                    ["52.219.0.0/17", "52.219.128.0/17", "52.219.4.0/24", "52.119.9.9/32"][pick];
                route(
                    doc,
                    last,
                    self,
                    json!({"DestinationCidrBlock": to, "GatewayId": id("vgw", 1), "Origin": "EnableVgwRoutePropagation", "State": "active"}),
                );
            }
            Wrong::EqualPropagatedRoute => {
                let to = ["52.219.0.0/16", "52.119.0.0/16"][pick % 2];
                route(
                    doc,
                    last,
                    self,
                    json!({"DestinationCidrBlock": to, "GatewayId": id("vgw", 1), "Origin": "EnableVgwRoutePropagation", "State": "active"}),
                );
            }
            Wrong::ListRoute => {
                let to =
                    ["52.219.128.0/20", "52.219.0.0/16", "52.119.0.1/32", "52.119.0.0/16"][pick];
                doc["PrefixLists"][2]["Entries"] = json!([{"Cidr": to}, {"Cidr": "10.77.0.0/16"}]);
                route(
                    doc,
                    last,
                    self,
                    json!({"DestinationPrefixListId": "pl-0a0000000000000f1", "TransitGatewayId": id("tgw", 1), "Origin": "CreateRoute", "State": "active"}),
                );
            }
            Wrong::ListsUnread => {
                doc["PrefixLists"].as_array_mut().unwrap().remove(0);
                if !doc["RouteTables"].to_string().contains("pl-0a0000000000000a0") {
                    // Without an endpoint or a list nobody knows the list's id.
                    self.gateway_unassociated(doc);
                }
            }
            Wrong::GatewayPolicy => {
                self.gateway_unassociated(doc)["PolicyDocument"] = json!(RESTRICTED)
            }
            Wrong::InterfacePolicy => {
                let ssm = self.ssm(doc);
                ssm["PolicyDocument"] = json!(RESTRICTED);
                ssm["PrivateDnsEnabled"] = json!(false);
            }
            Wrong::PrivateDnsOff => self.ssm(doc)["PrivateDnsEnabled"] = json!(false),
            Wrong::NothingMade => {
                let name = full_name(SHORT[2 + pick % 3]);
                endpoints(doc).retain(|e| e["ServiceName"] != *name);
            }
            Wrong::NothingAssociated => {
                self.gateway_unassociated(doc);
            }
            Wrong::NameLeftOff => self.ssm(doc)["PrivateDnsEnabled"] = json!(false),
            Wrong::VpcDnsLeftOff => {
                doc["VpcAttributes"][MANAGED]
                    [["EnableDnsHostnames", "EnableDnsSupport"][pick % 2]] = json!(false);
                // Where the VPC's DNS is off no endpoint is made, which would be the obstacle.
                for n in 2..SHORT.len() {
                    self.interface(n, doc);
                }
            }
            Wrong::GroupLeftShut => self.ssm(doc)["Groups"] = json!([{"GroupId": id("sg", 0)}]),
            Wrong::NoInterface => {
                let ssm = self.ssm(doc);
                ssm["SubnetIds"] = json!([]);
                ssm["NetworkInterfaceIds"] = json!([]);
            }
            Wrong::InboundUnclear => {
                add_interface(7, "s3", &[0, 1], doc);
                self.gateway_unassociated(doc);
            }
            Wrong::NameAnswersUnclear => {
                self.two_versions(doc, false);
                let last = &mut doc["Subnets"][last];
                last["Ipv6Native"] = json!(true);
                last["CidrBlock"] = Value::Null;
                for n in 2..SHORT.len() {
                    let endpoint = self.interface(n, doc);
                    endpoint["SubnetIds"] = json!([id("subnet", 0)]);
                    endpoint["IpAddressType"] = json!("dualstack");
                    endpoint["DnsOptions"] = json!({"DnsRecordIpType": "service-defined"});
                }
            }
            Wrong::InboundOnly => {
                add_interface(7, "s3", &[0, 1], doc);
                endpoints(doc).last_mut().unwrap()["DnsOptions"] =
                    json!({"PrivateDnsOnlyForInboundResolverEndpoint": true});
                // It leans on a gateway endpoint, though one without a table.
                self.gateway_unassociated(doc);
            }
            Wrong::S3NameShut => {
                add_interface(7, "s3", &[0, 1], doc);
                let s3 = endpoints(doc).last_mut().unwrap();
                s3["DnsOptions"] = json!({"PrivateDnsOnlyForInboundResolverEndpoint": false});
                s3["Groups"] = json!([{"GroupId": id("sg", 0)}]);
            }
            Wrong::VpcDnsOff => {
                doc["VpcAttributes"][MANAGED]
                    [["EnableDnsHostnames", "EnableDnsSupport"][pick % 2]] = json!(false)
            }
            Wrong::VpcDnsWouldCutOff => {
                doc["VpcAttributes"][MANAGED]["EnableDnsHostnames"] = json!(false);
                add_interface(6, "kms", &[0], doc);
                endpoints(doc).last_mut().unwrap()["Groups"] = json!([{"GroupId": id("sg", 0)}]);
            }
            Wrong::GroupShut => self.ssm(doc)["Groups"] = json!([{"GroupId": id("sg", 0)}]),
            Wrong::GroupNameTaken => {
                self.ssm(doc)["Groups"] = json!([{"GroupId": id("sg", 0)}]);
                push(
                    doc,
                    "SecurityGroups",
                    json!({"GroupId": id("sg", 2), "GroupName": "vpc-guardrail-endpoints", "VpcId": MANAGED}),
                );
            }
            Wrong::GroupUnread => self.ssm(doc)["Groups"] = json!([{"GroupId": id("sg", 7)}]),
            Wrong::OtherZone => self.ssm(doc)["SubnetIds"] = json!([id("subnet", pick % 2)]),
            Wrong::Pending => self.ssm(doc)["State"] = json!("pending"),
            Wrong::PendingAcceptance => self.ssm(doc)["State"] = json!("pendingAcceptance"),
            Wrong::Failed => {
                self.ssm(doc)["State"] = json!(["failed", "rejected", "expired", "Failed"][pick])
            }
            Wrong::RequesterManaged => {
                self.ssm(doc)["RequesterManaged"] = json!(true);
                // Whether a broken one of another service's keeps the name, AWS does not say.
                self.ssm(doc)["State"] = json!("available");
            }
            Wrong::Ipv6Only => {
                self.two_versions(doc, false);
                let last = &mut doc["Subnets"][last];
                last["Ipv6Native"] = json!(true);
                last["CidrBlock"] = Value::Null;
                self.ssm(doc)["SubnetIds"] = json!([id("subnet", 0)]);
                for endpoint in
                    endpoints(doc).iter_mut().filter(|e| e["VpcEndpointType"] == "Interface")
                {
                    endpoint["SubnetIds"] = json!([id("subnet", 0)]);
                }
            }
            Wrong::DualStack => self.two_versions(doc, odd(0)),
            Wrong::DualStackEndpoint => {
                self.two_versions(doc, odd(0));
                self.ssm(doc)["IpAddressType"] = json!("dualstack");
                if pick > 1 {
                    let records = ["ipv4", "service-defined"][pick - 2];
                    self.ssm(doc)["DnsOptions"] = json!({"DnsRecordIpType": records});
                }
            }
            Wrong::NoPrivateName => {
                let n = 3 + pick % 2;
                doc["VpcEndpointServices"][n]["PrivateDnsNames"] = json!([]);
                let name = doc["VpcEndpointServices"][n]["ServiceName"].clone();
                endpoints(doc).retain(|e| e["ServiceName"] != name);
            }
            Wrong::NotOffered => {
                let n = 3 + pick % 2;
                let service = doc["VpcEndpointServices"].as_array_mut().unwrap().remove(n);
                endpoints(doc).retain(|e| e["ServiceName"] != service["ServiceName"]);
            }
            Wrong::PublicUses => {
                // Its table has the gateway endpoint's route, and its zone an interface.
                push(doc, "Subnets", subnet(7, "b", 11, "public"));
                public_table(doc)["Associations"].as_array_mut().unwrap().push(bound(7));
                self.ssm(doc)["PrivateDnsEnabled"] = json!(odd(0));
            }
            Wrong::UnclassifiedUses | Wrong::OtherClassBlocked => self.third_class(wrong, doc),
            Wrong::LocalOverruled => {
                // More specific than the local route, to a middlebox.
                self.ssm(doc)["PrivateDnsEnabled"] = json!(odd(0));
                route(
                    doc,
                    0,
                    self,
                    json!({"DestinationCidrBlock": "10.0.1.0/24", "NetworkInterfaceId": id("eni", 60),
                    "Origin": "CreateRoute", "State": if pick > 1 { "active" } else { "blackhole" }}),
                );
            }
        }
    }

    /// A subnet of no class that leads out through the NAT gateway, and that an endpoint may not
    /// serve.
    fn third_class(&self, wrong: Wrong, doc: &mut Value) {
        push(doc, "Subnets", subnet(6, "a", 12, ["none", "public"][self.base.pick / 2]));
        push(
            doc,
            "RouteTables",
            json!({"RouteTableId": id("rtb", 6), "VpcId": MANAGED, "Associations": [bound(6)],
            "Routes": [local(), nat_route("0.0.0.0/0")]}),
        );
        self.ssm(doc)["PrivateDnsEnabled"] = json!(false);
        if wrong == Wrong::OtherClassBlocked {
            let block = rule(10, self.base.pick.is_multiple_of(2), "deny", "10.0.0.0/16", None);
            put_acl(doc, acl(3, false, &[6], &[block]));
        }
    }

    /// The VPC and its private subnets get IPv6 blocks; a route of theirs leads out with it.
    fn two_versions(&self, doc: &mut Value, out: bool) {
        if doc["Vpcs"][0]["Ipv6CidrBlockAssociationSet"].is_array() {
            return;
        }
        let block = |cidr: &str| json!([{"Ipv6CidrBlock": cidr, "Ipv6CidrBlockState": {"State": "associated"}}]);
        doc["Vpcs"][0]["Ipv6CidrBlockAssociationSet"] = block("2a05:d014:1::/56");
        for n in 0..self.private().len() {
            doc["Subnets"][n]["Ipv6CidrBlockAssociationSet"] =
                block(&format!("2a05:d014:1:{n}::/64"));
            doc["Subnets"][n]["EnableDns64"] = json!(false);
        }
        for table in doc["RouteTables"].as_array_mut().unwrap() {
            let routes = table["Routes"].as_array_mut().unwrap();
            routes.push(json!({"DestinationIpv6CidrBlock": "2a05:d014:1::/56", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"}));
        }
        for list in doc["NetworkAcls"].as_array_mut().into_iter().flatten() {
            list["Entries"]
                .as_array_mut()
                .unwrap()
                .extend([rule6(101, true, "allow"), rule6(101, false, "allow")]);
        }
        if out {
            for n in 0..self.tables().len() {
                doc["RouteTables"][n]["Routes"].as_array_mut().unwrap().push(json!({"DestinationIpv6CidrBlock": "::/0",
                    "EgressOnlyInternetGatewayId": id("eigw", 1), "Origin": "CreateRoute", "State": "active"}));
            }
        }
    }

    /// The calls that put right what is wrong, or make it wrong again.
    pub(crate) fn turn(&self, right: bool) -> Vec<Request> {
        if right {
            return [self.remedy(), self.early_remedy()].concat();
        }
        match self.wrongs.as_slice() {
            [Wrong::InterfacePolicy] => {
                let change = ModifyVpcEndpoint::new(id_of(&id("vpce", 2)));
                let policy_document = Some(RESTRICTED.to_owned());
                let change = ModifyVpcEndpoint { policy_document, ..change };
                vec![Request::ModifyVpcEndpoint(Box::new(change))]
            }
            [Wrong::OtherServers] => vec![Request::AssociateDhcpOptions {
                dhcp_options_id: id_of("dopt-4"),
                vpc_id: id_of(MANAGED),
            }],
            [Wrong::AclOwnOut | Wrong::AclOfEndpoint] => {
                let own = self.wrongs == [Wrong::AclOwnOut];
                let out = own || self.base.pick % 2 == 1;
                let entry = rule(10, out, "deny", "10.0.0.0/16", None);
                vec![Request::CreateNetworkAclEntry {
                    network_acl_id: id_of(&id("acl", if own { 2 } else { 4 })),
                    entry: serde_json::from_value(entry).unwrap(),
                }]
            }
            _ => Vec::new(),
        }
    }

    /// What people may do about it later, so that it is wrong no longer.
    pub(crate) fn remedy(&self) -> Vec<Request> {
        let ssm = || ModifyVpcEndpoint::new(id("vpce", 2).parse().unwrap());
        let modify = |change| vec![Request::ModifyVpcEndpoint(Box::new(change))];
        match self.wrongs.as_slice() {
            [Wrong::InterfacePolicy] => modify(ModifyVpcEndpoint {
                reset_policy: true,
                private_dns_enabled: Some(true),
                ..ssm()
            }),
            // It takes hours until every client asks the new servers.
            [Wrong::OtherServers | Wrong::OtherServersBesideAmazons] => {
                vec![Request::AssociateDhcpOptions {
                    dhcp_options_id: id_of("dopt-2"),
                    vpc_id: id_of(MANAGED),
                }]
            }
            _ => Vec::new(),
        }
    }

    /// The same, of what the guardrail moves traffic onto at once.
    pub(crate) fn early_remedy(&self) -> Vec<Request> {
        match self.wrongs.as_slice() {
            [Wrong::GatewayPolicy] => {
                let change = ModifyVpcEndpoint::new(id_of(&id("vpce", 0)));
                let change = ModifyVpcEndpoint { reset_policy: true, ..change };
                vec![Request::ModifyVpcEndpoint(Box::new(change))]
            }
            [Wrong::AclOwnOut | Wrong::AclOfEndpoint] => {
                let own = self.wrongs == [Wrong::AclOwnOut];
                let out = own || self.base.pick % 2 == 1;
                vec![Request::DeleteNetworkAclEntry {
                    network_acl_id: id_of(&id("acl", if own { 2 } else { 4 })),
                    rule_number: 10,
                    egress: out,
                }]
            }
            _ => Vec::new(),
        }
    }
}

fn read(mut doc: Value) -> World {
    doc.as_object_mut().unwrap().retain(|_, section| !section.is_null());
    World::deserialize(doc).unwrap()
}

fn endpoints(doc: &mut Value) -> &mut Vec<Value> {
    doc["VpcEndpoints"].as_array_mut().unwrap()
}

/// A subnet is under one ACL: a later one takes the place of an earlier one.
fn put_acl(doc: &mut Value, item: Value) {
    if let Some(list) = doc["NetworkAcls"].as_array_mut() {
        list.retain(|acl| acl["NetworkAclId"] != item["NetworkAclId"]);
        list.push(item);
    }
}

fn push(doc: &mut Value, section: &str, item: Value) {
    if let Some(list) = doc[section].as_array_mut() {
        list.push(item);
    }
}

fn route(doc: &mut Value, private: usize, scene: &Scene, route: Value) {
    let table = scene.table_of(private);
    doc["RouteTables"][table]["Routes"].as_array_mut().unwrap().push(route);
}

fn public_table(doc: &mut Value) -> &mut Value {
    let tables = doc["RouteTables"].as_array_mut().unwrap();
    tables.iter_mut().find(|table| table["RouteTableId"] == *id("rtb", 8)).unwrap()
}

fn add_interface(n: usize, service: &str, subnets: &[usize], doc: &mut Value) {
    let mut interfaces = Vec::new();
    for subnet in subnets {
        let eni = id("eni", n * 10 + subnet);
        push(
            doc,
            "NetworkInterfaces",
            json!({"NetworkInterfaceId": eni, "VpcId": MANAGED, "SubnetId": id("subnet", *subnet),
            "InterfaceType": "vpc_endpoint", "PrivateIpAddress": format!("10.0.{subnet}.{}", 10 + n)}),
        );
        interfaces.push(eni);
    }
    let subnets: Vec<String> = subnets.iter().map(|n| id("subnet", *n)).collect();
    endpoints(doc).retain(|endpoint| endpoint["VpcEndpointId"] != *id("vpce", n));
    endpoints(doc).push(json!({
        "VpcEndpointId": id("vpce", n), "VpcEndpointType": "Interface", "VpcId": MANAGED, "ServiceName": full_name(service),
        "State": "available", "SubnetIds": subnets, "PrivateDnsEnabled": true, "IpAddressType": "ipv4", "PolicyDocument": FULL,
        "NetworkInterfaceIds": interfaces, "Groups": [{"GroupId": id("sg", 1), "GroupName": "open"}]}));
}

fn subnet(n: usize, zone: &str, net: usize, tier: &str) -> Value {
    json!({"SubnetId": id("subnet", n), "VpcId": MANAGED, "AvailabilityZone": format!("eu-central-1{zone}"),
        "CidrBlock": format!("10.0.{net}.0/24"), "AvailableIpAddressCount": 240, "Tags": [{"Key": "Tier", "Value": tier}]})
}

fn bound(n: usize) -> Value {
    json!({"RouteTableAssociationId": id("rtbassoc", n), "Main": false, "SubnetId": id("subnet", n)})
}

fn local() -> Value {
    json!({"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable", "State": "active"})
}

fn nat_route(to: &str) -> Value {
    json!({"DestinationCidrBlock": to, "NatGatewayId": id("nat", 1), "Origin": "CreateRoute", "State": "active"})
}

fn offered(service: &str, kind: &str) -> Value {
    let names = if kind == "Gateway" {
        json!([])
    } else {
        json!([{"PrivateDnsName": format!("{service}.eu-central-1.amazonaws.com")}])
    };
    json!({"ServiceName": full_name(service), "ServiceType": [{"ServiceType": kind}],
        "AvailabilityZones": ["eu-central-1a", "eu-central-1b"], "PrivateDnsNames": names})
}

fn servers(set: &str, addresses: &[&str]) -> Value {
    let values: Vec<Value> = addresses.iter().map(|address| json!({"Value": address})).collect();
    json!({"DhcpOptionsId": set, "DhcpConfigurations": [{"Key": "domain-name-servers", "Values": values}]})
}

/// An ACL that admits everything but for these rules before that.
fn acl(n: usize, default: bool, subnets: &[usize], rules: &[Value]) -> Value {
    let associations: Vec<Value> = subnets
        .iter()
        .map(|s| json!({"NetworkAclAssociationId": id("aclassoc", *s), "NetworkAclId": id("acl", n), "SubnetId": id("subnet", *s)}))
        .collect();
    let mut entries = rules.to_vec();
    for egress in [true, false] {
        entries.push(rule(100, egress, "allow", "0.0.0.0/0", None));
        entries.push(rule(32767, egress, "deny", "0.0.0.0/0", None));
    }
    json!({"NetworkAclId": id("acl", n), "VpcId": MANAGED, "IsDefault": default, "Associations": associations, "Entries": entries})
}

fn rule(number: usize, egress: bool, action: &str, cidr: &str, ports: Option<(u16, u16)>) -> Value {
    let mut rule = json!({"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1", "CidrBlock": cidr});
    if let Some((from, to)) = ports {
        rule["Protocol"] = json!("6");
        rule["PortRange"] = json!({"From": from, "To": to});
    }
    rule
}

fn rule6(number: usize, egress: bool, action: &str) -> Value {
    json!({"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1", "Ipv6CidrBlock": "::/0"})
}

fn id_of<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn id(kind: &str, n: usize) -> String {
    format!("{kind}-{MARK}{n:05}")
}
