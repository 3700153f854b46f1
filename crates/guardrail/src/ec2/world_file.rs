//! World files: reading one, and merging what several `aws ec2 describe-*` commands printed into
//! one.
//!
//! `Reservations`, which `describe-instances` prints, is no section of its own: the instances'
//! network interfaces are taken into `NetworkInterfaces` where that section is there and does not
//! have them. It says nothing of the interfaces of others, so by itself it does not make
//! `NetworkInterfaces` observed.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ec2::id::PrefixListId;
use crate::ec2::reservations::{self, Printed};
use crate::ec2::world::{NetworkInterface, PrefixList, Section, VpcAttributes, World};

const ATTRIBUTES: [&str; 2] = ["EnableDnsSupport", "EnableDnsHostnames"];

/// Why a file is not a world.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The text is no JSON; with the reader's message.
    #[error("not JSON: {0}; expected the JSON that `aws ec2 describe-*` prints")]
    NotJson(String),
    /// The text is JSON, but there is this instead of an object at the top.
    #[error("{0} at the top; expected an object like `{{\"Vpcs\": [...]}}`")]
    NotAnObject(&'static str),
    /// The file is one page of several.
    #[error(
        "`NextToken` is set, so there is more than this page: print all of it (the AWS CLI does unless told `--max-items` \
         or `--no-paginate`), or take `NextToken` out if the other pages are in files of their own"
    )]
    Truncated,
    /// The object has none of a world file's keys.
    #[error("no key of a world in it; expected at least one of {}", known_keys())]
    NoKnownKey,
    /// A field has a value that is not what it should be.
    #[error("`{path}`: {message}")]
    Field {
        /// The field's path in the file: `Vpcs[1].VpcId`.
        path: String,
        /// What the value is and what was expected.
        message: String,
    },
    /// The file holds the entries of a prefix list, and nothing says of which.
    #[error(
        "`Entries` does not say of which prefix list; name the file after the list, like `pl-0123456789abcdef0.json`"
    )]
    EntriesOfWhat,
    /// Two files are of different accounts or Regions.
    #[error(
        "`{key}` is `{second}` here and `{first}` in a file before; a world is of one account and Region"
    )]
    TwoWorlds {
        /// The key that contradicts: `Region` or `AccountId`.
        key: &'static str,
        /// The key's value in the files before.
        first: String,
        /// The key's value in this file.
        second: String,
    },
    /// Something is there twice, and not the same both times.
    #[error(
        "`{0}` is there twice, and not the same both times; leave out what is older, or is of something else"
    )]
    Twice(String),
    /// One of several files is wrong.
    #[error("{file}: {error}")]
    In {
        /// The file's path.
        file: String,
        /// What is wrong with the file.
        error: Box<Self>,
    },
}

/// The keys of a world file.
fn keys() -> impl Iterator<Item = &'static str> {
    ["Region", "AccountId"]
        .into_iter()
        .chain(Section::ALL.into_iter().flat_map(|section| section.keys()).copied())
        .chain([reservations::KEY])
}

fn known_keys() -> String {
    keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// Reads one world file.
///
/// # Errors
/// When the text is not a world; the message names the field, what is there and what was expected.
pub fn load(text: &str) -> Result<World, LoadError> {
    Ok(part("", text)?.whole())
}

/// Merges what several commands printed: each file an object of one or more sections, or one of
/// `describe-vpc-attribute`'s or `get-managed-prefix-list-entries`' outputs; the latter is taken to
/// be of the list that the file is named after. With each text comes its file's path. The same thing
/// in two files is one thing.
///
/// The files come in folders, of which a later one is laid over those before it: it may say something
/// else of the same. Within one nobody could tell which is so.
///
/// # Errors
/// As [`load`], with the file's path; or when two files are not of one account and Region, or two of
/// one folder say different things of the same.
pub fn merge(folders: Vec<Vec<(String, String)>>) -> Result<World, LoadError> {
    let mut all = Part::default();
    for parts in folders {
        let mut folder = Part::default();
        for (file, text) in parts {
            let merged = part(&file, &text).and_then(|read| folder.add(read, Overlap::Refused));
            merged.map_err(|error| LoadError::In { file, error: Box::new(error) })?;
        }
        all.add(folder, Overlap::LaterCounts)?;
    }
    Ok(all.whole())
}

/// What becomes of two things that are said of the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Overlap {
    /// They must be alike.
    Refused,
    /// The later one counts.
    LaterCounts,
}

/// What one file or several hold.
#[derive(Debug, Default)]
struct Part {
    world: World,
    /// The network interfaces that were printed with their instances.
    of_instances: Option<Vec<NetworkInterface>>,
}

impl Part {
    fn add(&mut self, more: Self, overlap: Overlap) -> Result<(), LoadError> {
        let id = |eni: &NetworkInterface| eni.network_interface_id.clone();
        extend(&mut self.of_instances, more.of_instances, overlap, id)?;
        add(&mut self.world, more.world, overlap)
    }

    /// The world, with the instances' interfaces that its own section does not have.
    fn whole(self) -> World {
        let Self { mut world, of_instances } = self;
        if let Some(own) = world.network_interfaces.take() {
            let id = |eni: &NetworkInterface| eni.network_interface_id.clone();
            put(&mut world.network_interfaces, of_instances, id);
            put(&mut world.network_interfaces, Some(own), id);
        }
        world
    }
}

fn part(file: &str, text: &str) -> Result<Part, LoadError> {
    let file_stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy());
    let value: Value =
        serde_json::from_str(text).map_err(|error| LoadError::NotJson(error.to_string()))?;
    let mut object = match value {
        Value::Object(object) => object,
        Value::Array(_) => return Err(LoadError::NotAnObject("an array")),
        Value::String(_) => return Err(LoadError::NotAnObject("a string")),
        Value::Number(_) => return Err(LoadError::NotAnObject("a number")),
        Value::Bool(_) => return Err(LoadError::NotAnObject("true or false")),
        Value::Null => return Err(LoadError::NotAnObject("null")),
    };
    match object.remove("NextToken") {
        None | Some(Value::Null) => {}
        Some(Value::String(token)) if token.is_empty() => {}
        Some(_) => return Err(LoadError::Truncated),
    }
    let attributes = of_one_vpc(&mut object);
    let entries = of_one_list(&mut object, &file_stem.unwrap_or_default())?;
    let known = keys().any(|key| object.contains_key(key));
    if !known && attributes.is_none() && entries.is_none() {
        return Err(LoadError::NoKnownKey);
    }
    let of_instances = match object.remove_entry(reservations::KEY) {
        Some(printed) => {
            let printed: Printed = typed(Value::Object([printed].into_iter().collect()))?;
            Some(printed.interfaces().collect())
        }
        None => None,
    };
    let mut world: World = typed(Value::Object(object))?;
    for alone in [attributes, entries].into_iter().flatten() {
        add(&mut world, typed(alone)?, Overlap::Refused)?;
    }
    Ok(Part { world, of_instances })
}

/// `describe-vpc-attribute`: one attribute of one VPC, at the top of the file.
fn of_one_vpc(object: &mut Map<String, Value>) -> Option<Value> {
    let vpc = object.get("VpcId")?.as_str().unwrap_or_default().to_owned();
    let named = ATTRIBUTES.into_iter().filter_map(|key| object.remove_entry(key));
    let attributes: Map<String, Value> = named.collect();
    let by_vpc = || Value::Object([(vpc, Value::Object(attributes.clone()))].into_iter().collect());
    (!attributes.is_empty())
        .then(|| Value::Object([("VpcAttributes".to_owned(), by_vpc())].into_iter().collect()))
}

/// `get-managed-prefix-list-entries`, which does not say whose entries they are.
fn of_one_list(
    object: &mut Map<String, Value>,
    file_stem: &str,
) -> Result<Option<Value>, LoadError> {
    let Some(entries) = object.remove("Entries") else { return Ok(None) };
    if !PrefixListId::is(file_stem) {
        return Err(LoadError::EntriesOfWhat);
    }
    let list =
        [("PrefixListId".to_owned(), Value::from(file_stem)), ("Entries".to_owned(), entries)];
    let lists = Value::Array(vec![Value::Object(list.into_iter().collect())]);
    Ok(Some(Value::Object([("PrefixLists".to_owned(), lists)].into_iter().collect())))
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, LoadError> {
    serde_path_to_error::deserialize(value).map_err(|error| LoadError::Field {
        path: error.path().to_string(),
        message: plain(&error.inner().to_string()),
    })
}

/// The reader's message in the words of JSON: its own name our types.
pub(crate) fn plain(message: &str) -> String {
    let Some((start, expected)) = message.split_once(", expected ") else {
        return message.to_owned();
    };
    let expected = match expected.split(' ').next() {
        Some("struct") => "an object",
        Some("a") if expected == "a map" => "an object",
        Some("unit") => "a word alone",
        Some("a") if expected == "a sequence" => "an array",
        Some("u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64") => "a whole number",
        Some(_) | None => expected,
    };
    format!("{}, expected {expected}", start.replace("sequence", "array").replace("map", "object"))
}

fn add(world: &mut World, more: World, overlap: Overlap) -> Result<(), LoadError> {
    let World {
        region,
        account_id,
        vpcs,
        subnets,
        route_tables,
        vpc_endpoints,
        nat_gateways,
        security_groups,
        network_interfaces,
        prefix_lists,
        vpc_endpoint_services,
        network_acls,
        dhcp_options,
        internet_gateways,
        egress_only_internet_gateways,
        vpc_attributes,
    } = more;
    same("Region", &mut world.region, region)?;
    same("AccountId", &mut world.account_id, account_id)?;
    extend(&mut world.vpcs, vpcs, overlap, |vpc| vpc.vpc_id.clone())?;
    extend(&mut world.subnets, subnets, overlap, |subnet| subnet.subnet_id.clone())?;
    extend(&mut world.route_tables, route_tables, overlap, |table| table.route_table_id.clone())?;
    extend(&mut world.vpc_endpoints, vpc_endpoints, overlap, |endpoint| {
        endpoint.vpc_endpoint_id.clone()
    })?;
    extend(&mut world.nat_gateways, nat_gateways, overlap, |nat| nat.nat_gateway_id.clone())?;
    extend(&mut world.security_groups, security_groups, overlap, |group| group.group_id.clone())?;
    extend(&mut world.network_interfaces, network_interfaces, overlap, |eni| {
        eni.network_interface_id.clone()
    })?;
    // S3 and DynamoDB have an entry of the same name for each of their two sides.
    put(&mut world.vpc_endpoint_services, vpc_endpoint_services, |service| {
        let kinds: Vec<String> =
            service.service_type.iter().map(|kind| kind.service_type.to_string()).collect();
        (service.service_name.clone(), kinds)
    });
    extend(&mut world.network_acls, network_acls, overlap, |acl| acl.network_acl_id.clone())?;
    extend(&mut world.dhcp_options, dhcp_options, overlap, |set| set.dhcp_options_id.clone())?;
    extend(&mut world.internet_gateways, internet_gateways, overlap, |it| {
        it.internet_gateway_id.clone()
    })?;
    extend(
        &mut world.egress_only_internet_gateways,
        egress_only_internet_gateways,
        overlap,
        |it| it.egress_only_internet_gateway_id.clone(),
    )?;
    if let Some(lists) = prefix_lists {
        let have = world.prefix_lists.get_or_insert_default();
        lists.into_iter().try_for_each(|list| add_list(have, list, overlap))?;
    }
    if let Some(by_vpc) = vpc_attributes {
        let have = world.vpc_attributes.get_or_insert_default();
        for (vpc, attributes) in by_vpc {
            let twice = LoadError::Twice(vpc.to_string());
            add_attributes(have.entry(vpc).or_default(), attributes, overlap).ok_or(twice)?;
        }
    }
    Ok(())
}

fn same<T: PartialEq + ToString>(
    key: &'static str,
    have: &mut Option<T>,
    more: Option<T>,
) -> Result<(), LoadError> {
    match (have.as_ref(), more) {
        (Some(first), Some(second)) if *first != second => {
            Err(LoadError::TwoWorlds { key, first: first.to_string(), second: second.to_string() })
        }
        (None, more @ Some(_)) => {
            *have = more;
            Ok(())
        }
        (Some(_), Some(_)) | (_, None) => Ok(()),
    }
}

/// Appends what is new.
fn extend<T: PartialEq, K: Eq + Hash + ToString>(
    have: &mut Option<Vec<T>>,
    more: Option<Vec<T>>,
    overlap: Overlap,
    key: impl Fn(&T) -> K,
) -> Result<(), LoadError> {
    let mut seen: HashMap<K, &T> = HashMap::new();
    for thing in have.iter().flatten().chain(more.iter().flatten()) {
        if overlap == Overlap::Refused && *seen.entry(key(thing)).or_insert(thing) != thing {
            return Err(LoadError::Twice(key(thing).to_string()));
        }
    }
    put(have, more, key);
    Ok(())
}

/// Appends what is new, in place of what has the same key.
fn put<T, K: Eq + Hash>(have: &mut Option<Vec<T>>, more: Option<Vec<T>>, key: impl Fn(&T) -> K) {
    let Some(more) = more else { return };
    let have = have.get_or_insert_default();
    let mut index: HashMap<K, usize> =
        have.iter().enumerate().map(|(at, thing)| (key(thing), at)).collect();
    for thing in more {
        let at = *index.entry(key(&thing)).or_insert(have.len());
        match have.get_mut(at) {
            Some(slot) => *slot = thing,
            None => have.push(thing),
        }
    }
}

/// `describe-prefix-lists` says the blocks of a list, `describe-managed-prefix-lists` its owner, a
/// third command its entries.
fn add_list(
    have: &mut Vec<PrefixList>,
    more: PrefixList,
    overlap: Overlap,
) -> Result<(), LoadError> {
    let Some(list) = have.iter_mut().find(|list| list.prefix_list_id == more.prefix_list_id) else {
        have.push(more);
        return Ok(());
    };
    if !more.prefix_list_name.is_empty() {
        list.prefix_list_name = more.prefix_list_name;
    }
    let agreed = fill(&mut list.owner_id, more.owner_id, overlap)
        .and_then(|()| fill(&mut list.cidrs, more.cidrs, overlap))
        .and_then(|()| fill(&mut list.entries, more.entries, overlap));
    agreed.ok_or_else(|| LoadError::Twice(list.prefix_list_id.to_string()))
}

/// `describe-vpc-attribute` says one attribute at a time.
fn add_attributes(have: &mut VpcAttributes, more: VpcAttributes, overlap: Overlap) -> Option<()> {
    fill(&mut have.enable_dns_support, more.enable_dns_support, overlap)?;
    fill(&mut have.enable_dns_hostnames, more.enable_dns_hostnames, overlap)
}

/// Takes what is said; `None` where that is not what was said before, and may not be.
fn fill<T: PartialEq>(have: &mut Option<T>, more: Option<T>, overlap: Overlap) -> Option<()> {
    let Some(more) = more else { return Some(()) };
    let agree = have.as_ref().is_none_or(|first| *first == more);
    *have = Some(more);
    (agree || overlap == Overlap::LaterCounts).then_some(())
}

#[cfg(test)]
mod tests;
