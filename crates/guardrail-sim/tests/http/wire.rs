//! What EC2's clients send, and what they get, to the byte: names and forms are those of botocore's
//! model of EC2.

use guardrail_sim::http::ServerOptions;

use crate::client::serve;

const WORLD: &str = include_str!("../../src/facts/world.json");
const CALLS: &str = include_str!("calls.txt");
const ANSWERS: &str = include_str!("answers.txt");

const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// `answers.txt` is what [`CALLS`] are answered, in their order on one world. After a wanted
/// change, run this test with `UPDATE=1` and read the difference.
#[tokio::test]
async fn every_call_is_answered_as_ec2_answers_it() {
    let client = serve(WORLD, ServerOptions::default()).await;
    let mut answers = String::new();
    for line in CALLS.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let reply = client.call(line).await.unwrap();
        let body = reply.body.strip_prefix(PROLOG).expect("an XML document");
        answers.push_str(&format!("{line}\n  {} {body}\n", reply.status));
    }
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/answers.txt"), &answers)
            .unwrap();
        return;
    }
    for (answer, expected) in answers.lines().zip(ANSWERS.lines()) {
        assert_eq!(answer, expected);
    }
    assert_eq!(answers.lines().count(), ANSWERS.lines().count());
}

#[tokio::test]
async fn a_query_string_is_as_good_as_a_form_and_its_signature_is_no_parameter() {
    let client = serve(WORLD, ServerOptions::default()).await;
    let query = "/?Action=DescribeVpcAttribute&Version=2016-11-15&VpcId=vpc-1&Attribute=enableDnsSupport&X-Amz-Expires=60";
    let reply = client.send("GET", query, "", "").await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.body,
        format!(
            "{PROLOG}<DescribeVpcAttributeResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
             <requestId>6b02d940-0000-4000-8000-000000000001</requestId><vpcId>vpc-1</vpcId>\
             <enableDnsSupport><value>true</value></enableDnsSupport></DescribeVpcAttributeResponse>"
        )
    );
}

#[tokio::test]
async fn the_request_id_is_in_the_header_too_and_counts_on() {
    let client = serve(WORLD, ServerOptions::default()).await;
    for (n, form) in [(1, "Action=DescribeVpcs"), (2, "Action=Nonsense")] {
        let reply = client.call(form).await.unwrap();
        let id = format!("6b02d940-0000-4000-8000-{n:012x}");
        assert!(reply.head.contains(&format!("\r\nx-amzn-requestid: {id}")), "{}", reply.head);
        assert!(reply.head.contains("\r\ncontent-type: text/xml;charset=UTF-8"), "{}", reply.head);
        assert!(reply.body.contains(&id), "{}", reply.body);
    }
}
