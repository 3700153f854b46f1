//! Every scenario's files are what they claim to be: worlds, baselines and events that load, with
//! no word misspelt.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; clippy knows only the test functions themselves"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use guardrail::baseline::Baseline;
use guardrail::ec2::snapshot::{Section, Shared};
use guardrail::ec2::world::{
    AvailabilityMode, Connectivity, EndpointState, EndpointType, NatGatewayState, RouteOrigin,
    RouteState, World,
};

fn scenarios() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn name(folder: &Path) -> String {
    folder.file_name().unwrap().to_string_lossy().into_owned()
}

fn read(folder: &Path, file: &str) -> Option<String> {
    fs::read_to_string(folder.join(file)).ok()
}

/// The files of a scenario's world: a whole one, or the demo's and what is otherwise in this one.
fn files(folder: &Path) -> Vec<(String, String)> {
    let changes = read(folder, "changes.json");
    let base = if changes.is_some() { folder.join("../demo") } else { folder.to_owned() };
    let world =
        read(&base, "world.json").unwrap_or_else(|| panic!("{}: no world.json", name(folder)));
    let named = |file: &str, text| (format!("{}/{file}", name(folder)), text);
    let changes = changes.map(|text| named("changes.json", text));
    [named("world.json", world)].into_iter().chain(changes).collect()
}

fn world(folder: &Path) -> World {
    guardrail::ec2::world_file::merge(files(folder).into_iter().map(|file| vec![file]).collect())
        .unwrap()
}

/// The words of a world that this version does not know, each with the field it stands in.
fn unknown_words(world: &World) -> Vec<String> {
    let mut unknown = Vec::new();
    for route in world.route_tables.iter().flatten().flat_map(|table| &table.routes) {
        if let Some(RouteState::Other(word)) = &route.state {
            unknown.push(format!("route State {word}"));
        }
        if let Some(RouteOrigin::Other(word)) = &route.origin {
            unknown.push(format!("route Origin {word}"));
        }
    }
    for endpoint in world.vpc_endpoints.iter().flatten() {
        if let EndpointType::Other(word) = endpoint.kind() {
            unknown.push(format!("VpcEndpointType {word}"));
        }
        if let EndpointState::Other(word) = &endpoint.state {
            unknown.push(format!("endpoint State {word}"));
        }
    }
    for nat in world.nat_gateways.iter().flatten() {
        if let Some(NatGatewayState::Other(word)) = &nat.state {
            unknown.push(format!("NAT gateway State {word}"));
        }
        if let Some(Connectivity::Other(word)) = &nat.connectivity_type {
            unknown.push(format!("ConnectivityType {word}"));
        }
        if let Some(AvailabilityMode::Other(word)) = &nat.availability_mode {
            unknown.push(format!("AvailabilityMode {word}"));
        }
    }
    for kind in
        world.vpc_endpoint_services.iter().flatten().flat_map(|service| &service.service_type)
    {
        if let EndpointType::Other(word) = &kind.service_type {
            unknown.push(format!("ServiceType {word}"));
        }
    }
    unknown
}

#[test]
fn the_only_unknown_word_is_the_one_meant_to_be() {
    for folder in scenarios() {
        let meant: &[&str] =
            if name(&folder) == "messy" { &["VpcEndpointType Tunnel"] } else { &[] };
        assert_eq!(unknown_words(&world(&folder)), meant, "{}", name(&folder));
    }
}

#[test]
fn the_only_sections_not_observed_are_those_meant_to_be() {
    for folder in scenarios() {
        let meant: &[Section] = if name(&folder) == "incomplete" {
            &[Section::SecurityGroups, Section::VpcEndpointServices]
        } else {
            &[]
        };
        let world = world(&folder);
        let missing: Vec<Section> =
            Section::ALL.into_iter().filter(|section| !world.has(*section)).collect();
        assert_eq!(missing, meant, "{}", name(&folder));
    }
}

/// A list of endpoint services without the Region's S3 would count as not observed.
#[test]
fn every_world_says_what_its_region_offers() {
    for folder in scenarios() {
        let world = world(&folder);
        let read = Shared::of(&world).services_were_read;
        assert_eq!(read, name(&folder) != "incomplete", "{}", name(&folder));
    }
}

/// What a route, association or endpoint names but the world does not hold would be a slip in the
/// file.
#[test]
fn every_id_a_world_refers_to_is_in_it() {
    for folder in scenarios() {
        let world = world(&folder);
        let vpcs: BTreeSet<String> =
            world.vpcs.iter().flatten().map(|vpc| vpc.vpc_id.to_string()).collect();
        let subnets = world.subnets.iter().flatten().map(|subnet| subnet.subnet_id.to_string());
        let tables =
            world.route_tables.iter().flatten().map(|table| table.route_table_id.to_string());
        let endpoints = world
            .vpc_endpoints
            .iter()
            .flatten()
            .map(|endpoint| endpoint.vpc_endpoint_id.to_string());
        let nats = world.nat_gateways.iter().flatten().map(|nat| nat.nat_gateway_id.to_string());
        let lists = world.prefix_lists.iter().flatten().map(|list| list.prefix_list_id.to_string());
        let interfaces = world
            .network_interfaces
            .iter()
            .flatten()
            .map(|eni| eni.network_interface_id.to_string());
        let groups = world.security_groups.iter().flatten().map(|group| group.group_id.to_string());
        let mut known: BTreeSet<String> = subnets
            .chain(tables)
            .chain(endpoints)
            .chain(nats)
            .chain(lists)
            .chain(interfaces)
            .chain(groups)
            .collect();
        known.extend(vpcs);
        let unknown: Vec<String> =
            references(&world).into_iter().filter(|id| !known.contains(id)).collect();
        // A group of another VPC's that nobody may read is what this one is about.
        let meant: &[&str] =
            if name(&folder) == "odd-endpoints" { &["sg-0a1b2c3d4e5f6005f"] } else { &[] };
        assert_eq!(unknown, meant, "{}", name(&folder));
    }
}

fn references(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for subnet in world.subnets.iter().flatten() {
        ids.push(subnet.vpc_id.to_string());
    }
    for table in world.route_tables.iter().flatten() {
        ids.push(table.vpc_id.to_string());
        ids.extend(
            table.associations.iter().filter_map(|a| a.subnet_id.as_ref()).map(ToString::to_string),
        );
        for route in &table.routes {
            ids.extend(route.destination_prefix_list_id.iter().map(ToString::to_string));
            ids.extend(route.nat_gateway_id.iter().map(ToString::to_string));
            ids.extend(route.network_interface_id.iter().map(ToString::to_string));
            ids.extend(route.gateway_id.iter().filter(|id| id.starts_with("vpce-")).cloned());
        }
    }
    for endpoint in world.vpc_endpoints.iter().flatten() {
        ids.push(endpoint.vpc_id.to_string());
        ids.extend(endpoint.route_table_ids.iter().map(ToString::to_string));
        ids.extend(endpoint.subnet_ids.iter().map(ToString::to_string));
        ids.extend(endpoint.network_interface_ids.iter().map(ToString::to_string));
        if world.security_groups.is_some() {
            ids.extend(endpoint.groups.iter().map(|group| group.group_id.to_string()));
        }
    }
    for nat in world.nat_gateways.iter().flatten() {
        ids.extend(nat.subnet_id.iter().map(ToString::to_string));
        ids.extend(nat.route_table_id.iter().map(ToString::to_string));
    }
    ids
}

/// A gateway endpoint and the routes it writes are two views of one fact; a world in which they
/// differ is not AWS's, but for those that are about just that.
#[test]
fn gateway_endpoints_and_their_routes_agree() {
    const ODD: [&str; 2] = ["odd-endpoints", "odd-words"];
    for folder in scenarios().into_iter().filter(|folder| !ODD.contains(&name(folder).as_str())) {
        let world = world(&folder);
        let mut listed = BTreeSet::new();
        for endpoint in
            world.vpc_endpoints.iter().flatten().filter(|e| e.kind() == EndpointType::Gateway)
        {
            listed.extend(
                endpoint
                    .route_table_ids
                    .iter()
                    .map(|t| (t.to_string(), endpoint.vpc_endpoint_id.to_string())),
            );
        }
        let mut routed = BTreeSet::new();
        for table in world.route_tables.iter().flatten() {
            let routes =
                table.routes.iter().filter(|route| route.destination_prefix_list_id.is_some());
            let targets = routes.filter_map(|route| route.gateway_id.clone());
            routed.extend(targets.map(|target| (table.route_table_id.to_string(), target)));
        }
        assert_eq!(listed, routed, "{}", name(&folder));
    }
}

#[test]
fn baselines_can_be_used() {
    for folder in scenarios() {
        if let Some(text) = read(&folder, "baseline.json")
            && let Err(error) = Baseline::parse(&text)
        {
            panic!("{}/baseline.json: {error}", name(&folder));
        }
    }
}

#[test]
fn events_are_envelopes_about_things_in_their_world() {
    for folder in scenarios() {
        let Some(text) = read(&folder, "event.json") else { continue };
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        let world: String = files(&folder).into_iter().map(|(_, text)| text).collect();
        let story = told.as_array().cloned().unwrap_or_else(|| vec![told.clone()]);
        story.iter().for_each(|event| is_an_envelope(event, &world, &name(&folder)));
    }
}

fn is_an_envelope(event: &serde_json::Value, world: &str, scenario: &str) {
    let field =
        |path: &str| event.pointer(path).and_then(serde_json::Value::as_str).map(ToOwned::to_owned);
    let kind = field("/detail-type");
    assert_eq!(kind.as_deref(), Some("AWS API Call via CloudTrail"), "{scenario}");
    assert_eq!(field("/source").as_deref(), Some("aws.ec2"), "{scenario}");
    assert_eq!(field("/time"), field("/detail/eventTime"), "{scenario}");
    assert_eq!(field("/region"), field("/detail/awsRegion"), "{scenario}");
    assert_eq!(field("/account"), field("/detail/recipientAccountId"), "{scenario}");

    let request = event.pointer("/detail/requestParameters").unwrap().to_string();
    let ids: Vec<&str> = request.split('"').filter(|word| is_id(word)).collect();
    assert!(!ids.is_empty(), "{scenario}: the request names nothing");
    for id in ids {
        assert!(world.contains(id), "{scenario}: {id} is not in the world");
    }
}

fn is_id(word: &str) -> bool {
    word.rsplit_once('-')
        .is_some_and(|(_, hex)| hex.len() == 17 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}
