//! World files: reading one, and merging what several `aws ec2 describe-*` commands printed into
//! one.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::Path;

use serde_json::{Map, Value};

use crate::ec2::id::PrefixListId;
use crate::ec2::world::{PrefixList, Section, VpcAttributes, World};

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
}

fn known_keys() -> String {
    keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// Reads one world file.
///
/// # Errors
/// When the text is not a world; the message names the field, what is there and what was expected.
pub fn load(text: &str) -> Result<World, LoadError> {
    part("", text)
}

/// Merges what several commands printed: each file an object of one or more sections, or one of
/// `describe-vpc-attribute`'s or `get-managed-prefix-list-entries`' outputs; the latter is taken to
/// be of the list that the file is named after. With each text comes its file's path. The same thing in two files is one thing; the later file wins.
///
/// # Errors
/// As [`load`], with the file's path; or when two files are not of one account and Region.
pub fn merge(parts: Vec<(String, String)>) -> Result<World, LoadError> {
    let mut world = World::default();
    for (file, text) in parts {
        let merged = part(&file, &text).and_then(|read| add(&mut world, read));
        merged.map_err(|error| LoadError::In { file, error: Box::new(error) })?;
    }
    Ok(world)
}

fn part(file: &str, text: &str) -> Result<World, LoadError> {
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
    let mut world = world_of(Value::Object(object))?;
    for alone in [attributes, entries].into_iter().flatten() {
        add(&mut world, world_of(alone)?)?;
    }
    Ok(world)
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

fn world_of(value: Value) -> Result<World, LoadError> {
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

fn add(world: &mut World, more: World) -> Result<(), LoadError> {
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
        vpc_attributes,
    } = more;
    same("Region", &mut world.region, region)?;
    same("AccountId", &mut world.account_id, account_id)?;
    extend(&mut world.vpcs, vpcs, |vpc| vpc.vpc_id.clone());
    extend(&mut world.subnets, subnets, |subnet| subnet.subnet_id.clone());
    extend(&mut world.route_tables, route_tables, |table| table.route_table_id.clone());
    extend(&mut world.vpc_endpoints, vpc_endpoints, |endpoint| endpoint.vpc_endpoint_id.clone());
    extend(&mut world.nat_gateways, nat_gateways, |nat| nat.nat_gateway_id.clone());
    extend(&mut world.security_groups, security_groups, |group| group.group_id.clone());
    extend(&mut world.network_interfaces, network_interfaces, |eni| {
        eni.network_interface_id.clone()
    });
    // S3 and DynamoDB have an entry of the same name for each of their two sides.
    extend(&mut world.vpc_endpoint_services, vpc_endpoint_services, |service| {
        let kinds: Vec<String> =
            service.service_type.iter().map(|kind| kind.service_type.to_string()).collect();
        (service.service_name.clone(), kinds)
    });
    extend(&mut world.network_acls, network_acls, |acl| acl.network_acl_id.clone());
    extend(&mut world.dhcp_options, dhcp_options, |set| set.dhcp_options_id.clone());
    if let Some(lists) = prefix_lists {
        let have = world.prefix_lists.get_or_insert_default();
        lists.into_iter().for_each(|list| add_list(have, list));
    }
    if let Some(by_vpc) = vpc_attributes {
        let have = world.vpc_attributes.get_or_insert_default();
        by_vpc
            .into_iter()
            .for_each(|(vpc, attributes)| add_attributes(have.entry(vpc).or_default(), attributes));
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

/// Appends what is new, in place of what has the same key.
fn extend<T, K: Eq + Hash>(have: &mut Option<Vec<T>>, more: Option<Vec<T>>, key: impl Fn(&T) -> K) {
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
fn add_list(have: &mut Vec<PrefixList>, more: PrefixList) {
    let Some(list) = have.iter_mut().find(|list| list.prefix_list_id == more.prefix_list_id) else {
        return have.push(more);
    };
    if !more.prefix_list_name.is_empty() {
        list.prefix_list_name = more.prefix_list_name;
    }
    list.owner_id = more.owner_id.or(list.owner_id.take());
    list.cidrs = more.cidrs.or(list.cidrs.take());
    list.entries = more.entries.or(list.entries.take());
}

/// `describe-vpc-attribute` says one attribute at a time.
fn add_attributes(have: &mut VpcAttributes, more: VpcAttributes) {
    have.enable_dns_support = more.enable_dns_support.or(have.enable_dns_support);
    have.enable_dns_hostnames = more.enable_dns_hostnames.or(have.enable_dns_hostnames);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn merged(parts: &[(&str, Value)]) -> Result<World, LoadError> {
        merge(parts.iter().map(|(file, value)| ((*file).to_owned(), value.to_string())).collect())
    }

    fn refusal(text: &str) -> String {
        load(text).unwrap_err().to_string()
    }

    #[test]
    fn what_several_commands_printed_is_one_world() {
        let world = merged(&[
            ("vpcs", json!({"Vpcs": [{"VpcId": "vpc-1", "OwnerId": "111122223333"}], "NextToken": null})),
            ("more", json!({"Vpcs": [{"VpcId": "vpc-2"}, {"VpcId": "vpc-1", "IsDefault": true}]})),
            ("dns", json!({"VpcId": "vpc-1", "EnableDnsSupport": {"Value": true}})),
            ("names", json!({"VpcId": "vpc-1", "EnableDnsHostnames": {"Value": false}})),
            (
                "services",
                json!({"ServiceNames": ["com.amazonaws.eu-central-1.s3"], "ServiceDetails": [
                {"ServiceName": "com.amazonaws.eu-central-1.s3", "ServiceType": [{"ServiceType": "Gateway"}]},
                {"ServiceName": "com.amazonaws.eu-central-1.s3", "ServiceType": [{"ServiceType": "Interface"}]}]}),
            ),
        ])
        .unwrap();
        let expected = json!({
            "Vpcs": [{"VpcId": "vpc-1", "IsDefault": true}, {"VpcId": "vpc-2"}],
            "VpcAttributes": {"vpc-1": {"EnableDnsSupport": true, "EnableDnsHostnames": false}},
            "VpcEndpointServices": [
                {"ServiceName": "com.amazonaws.eu-central-1.s3", "ServiceType": [{"ServiceType": "Gateway"}]},
                {"ServiceName": "com.amazonaws.eu-central-1.s3", "ServiceType": [{"ServiceType": "Interface"}]}],
        });
        assert_eq!(world, load(&expected.to_string()).unwrap());
    }

    #[test]
    fn a_prefix_list_is_put_together_from_three_commands() {
        let list = |rest: Value| json!({"PrefixLists": [rest]});
        let world = merged(&[
            (
                "plain",
                list(json!({"PrefixListId": "pl-1", "PrefixListName": "com.amazonaws.eu-central-1.s3",
                "Cidrs": ["3.5.0.0/19"]})),
            ),
            (
                "managed",
                list(json!({"PrefixListId": "pl-1", "PrefixListName": "com.amazonaws.eu-central-1.s3",
                "OwnerId": "AWS"})),
            ),
            ("pl-2", json!({"Entries": [{"Cidr": "0.0.0.0/1"}]})),
        ])
        .unwrap();
        let expected = json!({"PrefixLists": [
            {"PrefixListId": "pl-1", "PrefixListName": "com.amazonaws.eu-central-1.s3", "OwnerId": "AWS",
             "Cidrs": ["3.5.0.0/19"]},
            {"PrefixListId": "pl-2", "Entries": [{"Cidr": "0.0.0.0/1"}]}]});
        assert_eq!(world, load(&expected.to_string()).unwrap());
    }

    #[test]
    fn every_key_of_a_section_fills_that_section_alone() {
        for section in Section::ALL {
            for key in section.keys() {
                let empty = if section == Section::VpcAttributes { json!({}) } else { json!([]) };
                let world = load(&json!({*key: empty}).to_string()).unwrap();
                let filled: Vec<Section> =
                    Section::ALL.into_iter().filter(|section| world.has(*section)).collect();
                assert_eq!(filled, [section], "{key}");
            }
        }
    }

    #[test]
    fn an_empty_section_is_none_and_a_missing_one_is_not_known() {
        let world = load(r#"{"Vpcs": [], "VpcAttributes": {}}"#).unwrap();
        assert_eq!(world.vpcs, Some(Vec::new()));
        assert_eq!(world.subnets, None);
        assert!(world.vpc_attributes.is_some());
    }

    #[test]
    fn an_error_names_the_field_the_value_and_what_is_expected() {
        let id = refusal(r#"{"Vpcs":[{"VpcId":"vpc-1"},{"VpcId":"vpc_1"}]}"#);
        assert_eq!(
            id,
            "`Vpcs[1].VpcId`: `vpc_1` is not the id of a VPC; it should look like `vpc-0123456789abcdef0`"
        );
        assert_eq!(
            refusal(r#"{"Vpcs":5}"#),
            "`Vpcs`: invalid type: integer `5`, expected an array"
        );
        assert_eq!(
            refusal(r#"{"Vpcs":[5]}"#),
            "`Vpcs[0]`: invalid type: integer `5`, expected an object"
        );
        assert_eq!(
            refusal(r#"{"Vpcs":{"VpcId":"vpc-1"}}"#),
            "`Vpcs`: invalid type: object, expected an array"
        );
        assert_eq!(
            refusal(r#"{"VpcAttributes":[]}"#),
            "`VpcAttributes`: invalid type: array, expected an object"
        );
        assert_eq!(
            refusal(r#"{"Subnets":[{"SubnetId":"subnet-1"}]}"#),
            "`Subnets[0]`: missing field `VpcId`"
        );
    }

    #[test]
    fn what_is_no_world_is_refused_with_what_to_do() {
        assert_eq!(
            refusal("[]"),
            "an array at the top; expected an object like `{\"Vpcs\": [...]}`"
        );
        assert!(
            refusal(r#"{"Instances":[]}"#)
                .contains("expected at least one of `Region`, `AccountId`, `Vpcs`")
        );
        assert_eq!(load(r#"{"Vpcs":[],"NextToken":"eyJ"}"#), Err(LoadError::Truncated));
        assert_eq!(load(r#"{"Entries":[]}"#), Err(LoadError::EntriesOfWhat));
        assert!(
            refusal("{")
                .starts_with("not JSON: EOF while parsing an object at line 1 column 1; expected")
        );
    }

    #[test]
    fn several_files_are_of_one_region_and_the_wrong_one_is_named() {
        let two = [("a", json!({"Region": "eu-central-1"})), ("b", json!({"Region": "us-east-1"}))];
        assert_eq!(
            merged(&two).unwrap_err().to_string(),
            "b: `Region` is `us-east-1` here and `eu-central-1` in a file before; a world is of one account and Region"
        );
    }

    /// JSON shaped like a world, with something wrong anywhere.
    fn nearly_a_world() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "(vpc|subnet|rtb|pl|vpce|sg)-[0-9a-f]{1,17}".prop_map(Value::from),
            "[0-9.:/]{0,12}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            prop::sample::select(keys().collect::<Vec<_>>()),
            prop::sample::select(vec![
                "VpcId",
                "SubnetId",
                "Routes",
                "Entries",
                "EnableDnsSupport",
                "NextToken",
                "Value"
            ]),
        ];
        leaf.prop_recursive(4, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key.clone().prop_map(str::to_owned), inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_makes_loading_panic(text in any::<String>(), file in any::<String>()) {
            drop(load(&text));
            drop(merge(vec![(file, text)]));
        }

        /// What loads is a world file again, and merging it with itself changes nothing.
        #[test]
        fn what_loads_is_a_world_file_again(value in nearly_a_world(), file in "(pl-1|vpcs)") {
            let parts = vec![(file, value.to_string())];
            if let Ok(world) = merge(parts.clone()) {
                let text = serde_json::to_string(&world).unwrap();
                if world != World::default() {
                    prop_assert_eq!(&load(&text).unwrap(), &world);
                }
                let twice = merge([parts.clone(), parts].concat());
                prop_assert_eq!(twice.as_ref(), Ok(&world));
            }
        }
    }
}
