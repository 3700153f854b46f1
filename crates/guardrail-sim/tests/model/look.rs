//! What somebody sees who reads a world as `aws ec2 describe-*` prints it, and knows nothing of the
//! guardrail's own judgement.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::scene::service;

/// Something that is not as the baseline of these histories wants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wrong {
    pub(crate) what: &'static str,
    /// The thing that it is about, as a report has to name it.
    pub(crate) about: String,
}

/// What is so of the account at one time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Look {
    /// What is wrong in each managed VPC.
    pub(crate) wrong: BTreeMap<String, BTreeSet<Wrong>>,
    /// What does not reach what: a subnet and a service.
    pub(crate) unserved: BTreeSet<(String, &'static str)>,
    /// The private subnets that use a table.
    pub(crate) users: BTreeMap<String, Vec<String>>,
}

pub(crate) fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn has_tag(thing: &Value, key: &str, wanted: &str) -> bool {
    list(thing, "Tags").any(|tag| text(tag, "Key") == key && text(tag, "Value") == wanted)
}

fn names(thing: &Value, key: &str, id: &str) -> bool {
    list(thing, key).any(|one| one.as_str() == Some(id))
}

pub(crate) fn look(world: &Value) -> Look {
    let mut look = Look::default();
    for vpc in list(world, "Vpcs").filter(|vpc| has_tag(vpc, "vpc-guardrail", "managed")) {
        let id = text(vpc, "VpcId");
        let wrong = look.of_vpc(world, id);
        look.wrong.insert(id.to_owned(), wrong);
    }
    look
}

impl Look {
    fn of_vpc(&mut self, world: &Value, vpc: &str) -> BTreeSet<Wrong> {
        let mut wrong = BTreeSet::new();
        let mut add = |what, about: &str| {
            wrong.insert(Wrong { what, about: about.to_owned() });
        };
        let private = list(world, "Subnets")
            .filter(|subnet| text(subnet, "VpcId") == vpc && has_tag(subnet, "Tier", "private"));
        let private: Vec<&str> = private.map(|subnet| text(subnet, "SubnetId")).collect();
        let dns = world.get("VpcAttributes").and_then(|all| all.get(vpc));
        let is_on = |key: &str| dns.and_then(|dns| dns.get(key)) == Some(&Value::Bool(true));
        let has_dns = is_on("EnableDnsSupport") && is_on("EnableDnsHostnames");
        if !has_dns {
            add("a DNS attribute is off", vpc);
        }
        for subnet in &private {
            let Some(table) = table_of(world, vpc, subnet) else { continue };
            let id = text(table, "RouteTableId");
            self.users.entry(id.to_owned()).or_default().push((*subnet).to_owned());
            if list(table, "Routes").any(|route| !text(route, "NatGatewayId").is_empty()) {
                add("a route leads out", id);
            }
            if let Err((what, about)) = gateway(world, vpc, id) {
                add(what, &about);
                self.unserved.insert(((*subnet).to_owned(), "s3"));
            }
            if let Err((what, about)) = interface(world, vpc) {
                add(what, &about);
                self.unserved.insert(((*subnet).to_owned(), "ssm"));
            } else if !has_dns {
                self.unserved.insert(((*subnet).to_owned(), "ssm"));
            }
        }
        wrong
    }
}

/// The table that a subnet uses: its own, or the VPC's main one.
fn table_of<'v>(world: &'v Value, vpc: &str, subnet: &str) -> Option<&'v Value> {
    let tables = || list(world, "RouteTables").filter(|table| text(table, "VpcId") == vpc);
    let own =
        tables().find(|table| list(table, "Associations").any(|it| text(it, "SubnetId") == subnet));
    let is_main = |it: &Value| it.get("Main") == Some(&Value::Bool(true));
    own.or_else(|| tables().find(|table| list(table, "Associations").any(is_main)))
}

/// The endpoints of a service that are not gone or going.
pub(crate) fn alive<'v>(world: &'v Value, vpc: &str, short: &str) -> Vec<&'v Value> {
    let name = service(short);
    let of = list(world, "VpcEndpoints").filter(|endpoint| {
        text(endpoint, "VpcId") == vpc
            && text(endpoint, "ServiceName") == name
            && ["pending", "available"].contains(&text(endpoint, "State"))
    });
    of.collect()
}

type Obstacle = (&'static str, String);

/// Whether S3 is reached from a table.
fn gateway(world: &Value, vpc: &str, table: &str) -> Result<(), Obstacle> {
    let all = alive(world, vpc, "s3");
    if all.is_empty() {
        return Err(("there is no endpoint", service("s3")));
    }
    let ready = all.iter().filter(|endpoint| text(endpoint, "State") == "available");
    if ready.clone().next().is_none() {
        return Err(("an endpoint is not available", service("s3")));
    }
    match ready.into_iter().any(|endpoint| names(endpoint, "RouteTableIds", table)) {
        true => Ok(()),
        false => Err(("a table lacks the gateway endpoint", table.to_owned())),
    }
}

/// Whether Systems Manager is reached.
fn interface(world: &Value, vpc: &str) -> Result<(), Obstacle> {
    let all = alive(world, vpc, "ssm");
    if all.is_empty() {
        return Err(("there is no endpoint", service("ssm")));
    }
    let named = |endpoint: &&&Value| endpoint.get("PrivateDnsEnabled") == Some(&Value::Bool(true));
    let Some(endpoint) = all.iter().find(named) else {
        return Err(("private DNS is off", text(all[0], "VpcEndpointId").to_owned()));
    };
    if text(endpoint, "State") != "available" {
        return Err(("an endpoint is not available", service("ssm")));
    }
    let groups: Vec<&str> = list(endpoint, "Groups").map(|group| text(group, "GroupId")).collect();
    let admits = list(world, "SecurityGroups")
        .filter(|group| groups.contains(&text(group, "GroupId")))
        .flat_map(|group| list(group, "IpPermissions"))
        .filter(|rule| rule.get("FromPort").and_then(Value::as_u64) == Some(443))
        .flat_map(|rule| list(rule, "IpRanges"))
        .any(|range| text(range, "CidrIp") == "10.0.0.0/16");
    match admits {
        true => Ok(()),
        false => Err(("no group admits the VPC", text(endpoint, "VpcEndpointId").to_owned())),
    }
}

/// What is not this VPC's: the rest of the world, which nobody may touch for its sake.
pub(crate) fn without(world: &Value, vpc: &str) -> Value {
    let mut rest = world.clone();
    for (section, things) in rest.as_object_mut().into_iter().flatten() {
        match things {
            Value::Array(things) => things.retain(|thing| text(thing, "VpcId") != vpc),
            Value::Object(by_vpc) if section == "VpcAttributes" => {
                by_vpc.remove(vpc);
            }
            _ => {}
        }
    }
    rest
}
