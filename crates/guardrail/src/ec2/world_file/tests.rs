use proptest::prelude::*;
use serde_json::json;

use super::*;

fn merged(parts: &[(&str, Value)]) -> Result<World, LoadError> {
    let texts = parts.iter().map(|(file, value)| ((*file).to_owned(), value.to_string()));
    merge(vec![texts.collect()])
}

fn refusal(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

#[test]
fn what_several_commands_printed_is_one_world() {
    let world = merged(&[
        ("vpcs", json!({"Vpcs": [{"VpcId": "vpc-1", "OwnerId": "111122223333"}], "NextToken": null})),
        ("more", json!({"Vpcs": [{"VpcId": "vpc-2"}, {"VpcId": "vpc-1", "OwnerId": "111122223333"}]})),
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
        "Vpcs": [{"VpcId": "vpc-1", "OwnerId": "111122223333"}, {"VpcId": "vpc-2"}],
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
fn instances_bring_interfaces_that_the_section_does_not_have() {
    let printed = json!({"Reservations": [{"ReservationId": "r-1", "Instances": [
        {"InstanceId": "i-1", "State": {"Name": "running"}, "SourceDestCheck": false, "NetworkInterfaces": [
            {"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "SourceDestCheck": false,
             "Attachment": {"AttachmentId": "eni-attach-1", "DeviceIndex": 0, "Status": "attached"},
             "Association": {"IpOwnerId": "amazon", "PublicIp": "203.0.113.5"}},
            {"NetworkInterfaceId": "eni-2", "SourceDestCheck": true}]},
        {"InstanceId": "i-2", "State": {"Name": "terminated"}}]}]});
    let own = json!({"NetworkInterfaces": [
        {"NetworkInterfaceId": "eni-2", "SourceDestCheck": false}, {"NetworkInterfaceId": "eni-3"}]});
    let expected = json!({"NetworkInterfaces": [
        {"NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "SourceDestCheck": false,
         "Attachment": {"InstanceId": "i-1", "DeviceIndex": 0, "Status": "attached"},
         "Association": {"IpOwnerId": "amazon", "PublicIp": "203.0.113.5"}},
        {"NetworkInterfaceId": "eni-2", "SourceDestCheck": false}, {"NetworkInterfaceId": "eni-3"}]});
    let expected = load(&expected.to_string()).unwrap();
    for parts in [
        [("interfaces", own.clone()), ("instances", printed.clone())],
        [("instances", printed.clone()), ("interfaces", own.clone())],
    ] {
        assert_eq!(merged(&parts).unwrap(), expected);
    }
    let mut one_file = printed.clone();
    one_file["NetworkInterfaces"] = own["NetworkInterfaces"].clone();
    assert_eq!(load(&one_file.to_string()).unwrap(), expected);
    assert_eq!(
        load(&printed.to_string()).unwrap(),
        World::default(),
        "the interfaces of others, such as NAT gateways, are not among them"
    );
    assert_eq!(
        refusal(r#"{"Reservations":[{"Instances":[{"InstanceId":"i_1"}]}]}"#),
        "`Reservations[0].Instances[0].InstanceId`: `i_1` is not the id of an instance; it should look like \
         `i-0123456789abcdef0`"
    );
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
    assert_eq!(refusal(r#"{"Vpcs":5}"#), "`Vpcs`: invalid type: integer `5`, expected an array");
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
    assert_eq!(refusal("[]"), "an array at the top; expected an object like `{\"Vpcs\": [...]}`");
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

/// An older output beside a newer one would hide what changed between them.
#[test]
fn what_is_said_twice_and_not_alike_is_refused() {
    let table = |id: &str, routes: Value| json!({"RouteTables": [{"RouteTableId": id, "VpcId": "vpc-1", "Routes": routes}]});
    let out = json!([{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}]);
    let twice = |id: &str| {
        format!(
            "b: `{id}` is there twice, and not the same both times; leave out what is older, or is of something else"
        )
    };
    let refused = |first: Value, second: Value| {
        merged(&[("a", first), ("b", second)]).unwrap_err().to_string()
    };
    assert_eq!(refused(table("rtb-1", out.clone()), table("rtb-1", json!([]))), twice("rtb-1"));
    assert!(
        merged(&[("a", table("rtb-1", out.clone())), ("b", table("rtb-2", out.clone()))]).is_ok()
    );
    let dns = |on: bool| json!({"VpcId": "vpc-1", "EnableDnsSupport": {"Value": on}});
    assert_eq!(refused(dns(true), dns(false)), twice("vpc-1"));
    let list = |block: &str| json!({"PrefixLists": [{"PrefixListId": "pl-1", "Entries": [{"Cidr": block}]}]});
    assert_eq!(refused(list("10.0.0.0/8"), list("0.0.0.0/0")), twice("pl-1"));
    let mut one = table("rtb-1", out.clone());
    let other = table("rtb-1", json!([]))["RouteTables"][0].clone();
    one["RouteTables"].as_array_mut().unwrap().push(other);
    assert_eq!(merged(&[("b", one)]).unwrap_err().to_string(), twice("rtb-1"));
    let laid_over = |first: Value, second: Value| {
        let folder = |file: &str, value: Value| vec![(file.to_owned(), value.to_string())];
        merge(vec![folder("a", first), folder("b", second)])
    };
    let empty = || table("rtb-1", json!([]));
    assert_eq!(laid_over(table("rtb-1", out.clone()), empty()), load(&empty().to_string()));
    assert_eq!(laid_over(dns(true), dns(false)), merged(&[("b", dns(false))]));
    assert_eq!(
        laid_over(list("10.0.0.0/8"), list("0.0.0.0/0")),
        merged(&[("b", list("0.0.0.0/0"))])
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
            "Instances",
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
        drop(merge(vec![vec![(file, text)]]));
    }

    /// What loads is a world file again, and merging it with itself changes nothing.
    #[test]
    fn what_loads_is_a_world_file_again(value in nearly_a_world(), file in "(pl-1|vpcs)") {
        let parts = vec![(file, value.to_string())];
        if let Ok(world) = merge(vec![parts.clone()]) {
            let text = serde_json::to_string(&world).unwrap();
            if world != World::default() {
                prop_assert_eq!(&load(&text).unwrap(), &world);
            }
            let twice = merge(vec![[parts.clone(), parts].concat()]);
            prop_assert_eq!(twice.as_ref(), Ok(&world));
        }
    }
}
