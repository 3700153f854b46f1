//! Worlds that something is wrong with: they are refused or served, and nothing panics.

use guardrail::ec2::change::DnsAttribute;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{CreateNatGateway, ModifyVpcEndpoint, Query};

/// Puts `new` in place of the `n`th value of the tree, or takes that value out.
fn mutate(tree: &mut Value, n: &mut usize, new: &Option<Value>) {
    let children: Vec<&mut Value> = match tree {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(fields) => fields.values_mut().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for child in children {
        if *n == 0 {
            *child = new.clone().unwrap_or_default();
            *n = usize::MAX;
            return;
        }
        *n -= 1;
        mutate(child, n, new);
        if *n == usize::MAX {
            return;
        }
    }
}

fn odd() -> impl Strategy<Value = Option<Value>> {
    let values = [
        json!({}),
        json!([]),
        json!(-1),
        json!(true),
        json!(""),
        json!("vpc-1"),
        json!("pl-s3"),
        json!("vpce-s3"),
        json!("::/0"),
        json!("0.0.0.0/0"),
        json!("not a block"),
        json!("deleting"),
        json!("Interface"),
    ];
    prop::option::of(prop::sample::select(values.to_vec()))
}

fn every_kind_of_call() -> Vec<Request> {
    let gateway = CreateVpcEndpoint {
        route_table_ids: ids(&["rtb-b"]),
        ..CreateVpcEndpoint::new(id("vpc-1"), DYNAMODB)
    };
    let kms = CreateVpcEndpoint {
        vpc_endpoint_type: Some(guardrail::ec2::world::EndpointType::Interface),
        subnet_ids: ids(&["subnet-a1", "subnet-b1"]),
        ..CreateVpcEndpoint::new(id("vpc-1"), KMS)
    };
    let change = ModifyVpcEndpoint {
        add_subnet_ids: ids(&["subnet-b1"]),
        ..ModifyVpcEndpoint::new(id("vpce-ssm"))
    };
    let nat_gateway =
        CreateNatGateway { subnet_id: Some(id("subnet-a2")), ..CreateNatGateway::default() };
    vec![
        create_route("rtb-b", v4("0.0.0.0/0"), nat("nat-1")),
        create_route("rtb-b", v4("10.0.0.0/24"), RouteTarget::Instance(id("i-router"))),
        Request::CreateVpcEndpoint(Box::new(gateway)),
        Request::CreateVpcEndpoint(Box::new(kms)),
        Request::ModifyVpcEndpoint(Box::new(change)),
        Request::DeleteVpcEndpoints { vpc_endpoint_ids: ids(&["vpce-s3", "vpce-ssm"]) },
        Request::CreateNatGateway(nat_gateway),
        Request::DeleteNatGateway { nat_gateway_id: id("nat-1") },
        Request::CreateRouteTable { vpc_id: id("vpc-1"), client_token: None, tags: Vec::new() },
        Request::AssociateVpcCidrBlock {
            vpc_id: id("vpc-1"),
            cidr_block: Cidr::from("10.9.0.0/16"),
        },
        Request::DisassociateRouteTable { association_id: id("rtbassoc-a1") },
        Request::DeleteRouteTable { route_table_id: id("rtb-a") },
        Request::ModifyVpcAttribute {
            vpc_id: id("vpc-1"),
            attribute: DnsAttribute::Support,
            value: false,
        },
        Request::DescribeVpcEndpoints(Query::by("vpc-endpoint-type", ["Gate*"])),
        Request::DescribeManagedPrefixLists(Query::default()),
        Request::GetManagedPrefixListEntries { prefix_list_id: id("pl-s3") },
    ]
}

proptest! {
    #[test]
    fn a_world_with_one_odd_value_is_refused_or_served(at in 0..600_usize, new in odd()) {
        let mut tree: Value = serde_json::from_str(WORLD).unwrap();
        mutate(&mut tree, &mut { at }, &new);
        let Ok(world) = guardrail::ec2::world_file::load(&tree.to_string()) else { return Ok(()) };
        let mut sim = Sim::new(world, Default::default(), SimOptions { visibility_delay: seconds(1), ..SimOptions::default() });
        for request in every_kind_of_call() {
            drop(sim.call(&request));
            sim.advance(seconds(30));
        }
        let text = serde_json::to_string(&sim.world()).unwrap();
        prop_assert_eq!(guardrail::ec2::world_file::load(&text).unwrap(), sim.world());
    }
}
