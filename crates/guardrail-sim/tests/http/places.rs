//! Regions by what a call is signed for, and accounts by whose role was assumed.

use guardrail_sim::http::{Server, ServerOptions};
use guardrail_sim::{Beside, Sim, SimOptions, empty_world};

use crate::client::{Client, NOW};

/// A server with nothing in it, at home in `eu-central-1` of 111122223333, and all its worlds.
async fn nothing(apart: bool) -> (Client, guardrail_sim::http::Keeper) {
    let world = empty_world(&"111122223333".parse().unwrap(), &"eu-central-1".parse().unwrap());
    let sim = Sim::new(world, NOW.parse().unwrap(), SimOptions::default());
    let options = ServerOptions { apart, ..ServerOptions::default() };
    let server = Server::bind(sim.with_beside(Beside::of_nothing()), options).await.unwrap();
    let (client, keeper) = (Client::of(server.address()), server.keeper());
    tokio::spawn(server.run());
    (client, keeper)
}

/// The body of the answer to a call that is signed so.
async fn call(client: Client, key: &str, region: &str, form: &str) -> String {
    let scope = format!("{key}/20261122/{region}/ec2/aws4_request");
    let header = format!("authorization: AWS4-HMAC-SHA256 Credential={scope}, Signature=x\r\n");
    client.send("POST", "/", &header, form).await.unwrap().body
}

fn text<'a>(body: &'a str, element: &str) -> &'a str {
    let (_, rest) = body.split_once(&format!("<{element}>")).expect(body);
    rest.split_once('<').unwrap().0
}

const CREATE: &str = "Action=CreateVpc&CidrBlock=10.0.0.0%2F16";
const LIST: &str = "Action=DescribeVpcs";
const ASSUME: &str = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&RoleArn=arn:aws:iam::444455556666:role/path/reader";

#[tokio::test]
async fn each_region_has_a_world_of_its_own() {
    let (client, keeper) = nothing(true).await;
    call(client, "AKIA1", "eu-west-1", CREATE).await;
    assert!(call(client, "AKIA1", "eu-west-1", LIST).await.contains("<vpcId>"));
    assert!(!call(client, "AKIA1", "eu-central-1", LIST).await.contains("<vpcId>"));
    assert!(!client.call(LIST).await.unwrap().body.contains("<vpcId>"));
    let services = call(client, "AKIA1", "eu-west-1", "Action=DescribeVpcEndpointServices").await;
    assert!(services.contains("com.amazonaws.eu-west-1.s3"));
    let there = client.look("world?region=eu-west-1").await;
    assert_eq!(there["Vpcs"][0]["OwnerId"], "111122223333");
    assert_eq!(client.look("world").await["Vpcs"], serde_json::json!([]));
    let places: Vec<_> = keeper.worlds().into_iter().map(|kept| kept.elsewhere).collect();
    assert_eq!(places, [None, Some(("111122223333".to_owned(), "eu-west-1".to_owned()))]);
}

#[tokio::test]
async fn a_role_of_another_account_leads_into_its_world() {
    let (client, _) = nothing(true).await;
    let assumed = call(client, "AKIA1", "eu-central-1", ASSUME).await;
    let key = text(&assumed, "AccessKeyId").to_owned();
    let whose = call(client, &key, "eu-central-1", "Action=GetCallerIdentity").await;
    assert_eq!(text(&whose, "Account"), "444455556666");
    assert_eq!(text(&whose, "Arn"), "arn:aws:sts::444455556666:assumed-role/reader/me");
    let made = call(client, &key, "eu-central-1", CREATE).await;
    assert_eq!(text(&made, "ownerId"), "444455556666");
    assert!(!call(client, "AKIA1", "eu-central-1", LIST).await.contains("<vpcId>"));
    let whose = call(client, "AKIA1", "eu-central-1", "Action=GetCallerIdentity").await;
    assert_eq!(text(&whose, "Account"), "111122223333");
}

#[tokio::test]
async fn where_they_are_not_apart_there_is_one_world() {
    let (client, keeper) = nothing(false).await;
    call(client, "AKIA1", "eu-west-1", CREATE).await;
    assert!(call(client, "AKIA1", "us-east-1", LIST).await.contains("<vpcId>"));
    assert_eq!(text(&call(client, "AKIA1", "us-east-1", ASSUME).await, "Code"), "AccessDenied");
    assert_eq!(keeper.worlds().len(), 1);
}

/// A Region that is none has no world, and is no way into another's.
#[tokio::test]
async fn what_is_no_region_is_refused() {
    let (client, _) = nothing(true).await;
    client.call(CREATE).await.unwrap();
    let refused = call(client, "AKIA1", "nowhere", LIST).await;
    assert_eq!(text(&refused, "Code"), "AuthFailure");
}

#[tokio::test]
async fn time_passes_everywhere() {
    let (client, _) = nothing(true).await;
    let made = call(client, "AKIA1", "eu-west-1", CREATE).await;
    let vpc = text(&made, "vpcId");
    let nat = format!("Action=CreateNatGateway&AvailabilityMode=regional&VpcId={vpc}");
    call(client, "AKIA1", "eu-west-1", &nat).await;
    client.tell("advance?seconds=60", "").await;
    let listed = call(client, "AKIA1", "eu-west-1", "Action=DescribeNatGateways").await;
    assert_eq!(text(&listed, "state"), "available");
}
