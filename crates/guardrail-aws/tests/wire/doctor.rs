//! What the doctor asks, and that it changes nothing.

use guardrail::baseline::ManagedVpcs;
use guardrail::report::doctor::{self, Check, State};
use guardrail_aws::doctor::examine;
use guardrail_aws::permissions;

use crate::listener::{Listener, fault, ok, page};

const TEMPLATE: &str = include_str!("../../../../template.yaml");

const BACKUPS: &str = r#"{"ContinuousBackupsDescription":{"ContinuousBackupsStatus":"ENABLED",
    "PointInTimeRecoveryDescription":{"PointInTimeRecoveryStatus":"ENABLED"}}}"#;

/// An account with the stack `guard`, in which all is well.
async fn account() -> Listener {
    let listener = Listener::start().await;
    let set =
        |action: &str, items: &str| ok(format!("<{action}Response>{items}</{action}Response>"));
    listener
        .on("Action=GetCallerIdentity", [set(
            "GetCallerIdentity",
            "<GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>",
        )])
        .on("DryRun=true", [fault(412, "DryRunOperation", "Request would have succeeded")])
        .on("Action=DescribeVpcs", [set("DescribeVpcs", "<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>")])
        .on("Action=DescribeRouteTables", [set(
            "DescribeRouteTables",
            "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId></item></routeTableSet>",
        )])
        .on("Action=DescribeVpcEndpoints", [set(
            "DescribeVpcEndpoints",
            "<vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId><vpcId>vpc-1</vpcId><state>available</state>\
             </item></vpcEndpointSet>",
        )])
        .on("Action=DescribeSecurityGroups", [set(
            "DescribeSecurityGroups",
            "<securityGroupInfo><item><groupId>sg-1</groupId><groupName>g</groupName><vpcId>vpc-1</vpcId></item>\
             </securityGroupInfo>",
        )])
        .on("Action=DescribeManagedPrefixLists", [set(
            "DescribeManagedPrefixLists",
            "<prefixListSet><item><prefixListId>pl-1</prefixListId><prefixListName>l</prefixListName></item>\
             </prefixListSet>",
        )]);
    trail(&listener);
    stack(&listener);
    listener
}

fn trail(listener: &Listener) {
    const SERVICE: &str = "CloudTrail_20131101";
    let advanced = r#"{"AdvancedEventSelectors":[{"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]}]}]}"#;
    listener
        .on(
            &format!("{SERVICE}.DescribeTrails"),
            [ok(r#"{"trailList":[{"Name":"all","TrailARN":"arn:trail"}]}"#)],
        )
        .on(&format!("{SERVICE}.GetTrailStatus"), [ok(r#"{"IsLogging":true}"#)])
        .on(&format!("{SERVICE}.GetEventSelectors"), [ok(advanced)]);
}

fn stack(listener: &Listener) {
    let topics = "<Topics><member><TopicArn>arn:aws:sns:eu-central-1:111122223333:other</TopicArn></member>\
                  <member><TopicArn>arn:aws:sns:eu-central-1:111122223333:guard-AlertTopic-1</TopicArn></member></Topics>";
    let subscriptions = "<Subscriptions><member><SubscriptionArn>arn:aws:sns:1</SubscriptionArn></member></Subscriptions>";
    let result = |name: &str, body: &str| {
        ok(format!("<{name}Response><{name}Result>{body}</{name}Result></{name}Response>"))
    };
    listener
        .on("AWSEvents.ListRules", [ok(r#"{"Rules":[{"Name":"guard-rule","State":"ENABLED"}]}"#)])
        .on(
            "AWSEvents.ListTargetsByRule",
            [ok(r#"{"Targets":[{"Id":"1","Arn":"arn:aws:lambda:x:1:function:detect"}]}"#)],
        )
        .on("AmazonSQS.ListQueues", [ok(r#"{"QueueUrls":["http://localhost/1/q"]}"#)])
        .on(
            "AmazonSQS.GetQueueAttributes",
            [ok(r#"{"Attributes":{"ApproximateNumberOfMessages":"0"}}"#)],
        )
        .on(
            "DynamoDB_20120810.ListTables",
            [ok(r#"{"TableNames":["another","guard-history-0a1b2c3d4e5f"]}"#)],
        )
        .on(
            "DynamoDB_20120810.DescribeTimeToLive",
            [ok(r#"{"TimeToLiveDescription":{"TimeToLiveStatus":"ENABLED","AttributeName":"expires"}}"#)],
        )
        .on("DynamoDB_20120810.DescribeContinuousBackups", [ok(BACKUPS)])
        .on("Action=ListTopics", [result("ListTopics", topics)])
        .on("Action=ListSubscriptionsByTopic", [result("ListSubscriptionsByTopic", subscriptions)]);
}

async fn checks(listener: &Listener) -> Vec<Check> {
    examine(&listener.clients().await, "guard", &ManagedVpcs::All).await
}

fn not_fine(checks: &[Check]) -> Vec<(&str, State)> {
    checks
        .iter()
        .filter(|check| check.state != State::Fine)
        .map(|check| (check.what.as_str(), check.state))
        .collect()
}

const NEVER_TOLD: [(&str, State); 6] = [
    ("ec2:CreateTags", State::CannotTell),
    ("ec2:DisassociateAddress", State::CannotTell),
    ("ec2:ModifyNetworkInterfaceAttribute", State::CannotTell),
    ("ec2:ModifySubnetAttribute", State::CannotTell),
    ("ec2:ModifyVpcAttribute", State::CannotTell),
    ("route53:AssociateVPCWithHostedZone", State::CannotTell),
];

#[tokio::test]
async fn an_account_in_which_all_is_well_is_told_so() {
    let listener = account().await;
    let checks = checks(&listener).await;
    let functions = ("functions sweep and repair", State::CannotTell);
    assert_eq!(not_fine(&checks), [NEVER_TOLD.as_slice(), &[functions]].concat());
    for action in
        permissions::OBSERVE.iter().chain(permissions::RESOLVE).copied().chain(permissions::write())
    {
        assert_eq!(checks.iter().filter(|check| check.what == action).count(), 1, "{action}");
    }
}

#[tokio::test]
async fn every_call_that_could_change_something_is_a_dry_run() {
    let listener = account().await;
    checks(&listener).await;
    let writes: Vec<String> = permissions::write()
        .iter()
        .filter_map(|action| action.strip_prefix("ec2:"))
        .flat_map(|action| listener.of(action))
        .collect();
    assert_eq!(writes.len(), 6);
    for request in writes {
        assert!(request.lines().any(|line| line == "DryRun=true"), "{request}");
    }
}

#[tokio::test]
async fn where_dry_runs_are_made_for_real_nothing_that_changes_is_asked() {
    let listener = Listener::start().await;
    let identity =
        "<GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>";
    listener.on(
        "Action=GetCallerIdentity",
        [ok(format!("<GetCallerIdentityResponse>{identity}</GetCallerIdentityResponse>"))],
    );
    listener.on(
        "Action=DescribeVpcs",
        [ok("<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>")],
    );
    let checks = checks(&listener).await;
    let asked: Vec<String> =
        listener.actions().iter().map(|action| format!("ec2:{action}")).collect();
    assert!(
        permissions::write().iter().all(|action| !asked.contains(&(*action).to_owned())),
        "{asked:?}"
    );
    let route = checks.iter().find(|check| check.what == "ec2:DeleteRoute").unwrap();
    assert_eq!(
        (route.state, route.detail.as_str()),
        (State::CannotTell, "whatever answers here makes dry runs for real, so it was not asked")
    );
}

#[tokio::test]
async fn refused_credentials_end_the_examination() {
    let listener = Listener::start().await;
    let error = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no such key</Message></Error></ErrorResponse>";
    listener.on("Action=GetCallerIdentity", [page(403, error)]);
    let expected = Check::new(
        "credentials",
        State::Wrong,
        "GetCallerIdentity: InvalidClientTokenId: \"no such key\"",
    );
    assert_eq!(checks(&listener).await, [expected]);
    assert_eq!(listener.actions(), ["GetCallerIdentity"]);
}

#[tokio::test]
async fn the_stacks_parts_are_looked_for_by_their_names() {
    let listener = account().await;
    checks(&listener).await;
    let prefixes = |target: &str| -> Vec<String> {
        let requests = listener.requests();
        let bodies = requests.iter().filter_map(|request| request.strip_prefix(target));
        bodies.map(|body| body.trim().to_owned()).collect()
    };
    assert_eq!(
        prefixes("AWSEvents.ListRules\n"),
        [r#"{"NamePrefix":"guard-DetectFunctionNetworkChange-"}"#]
    );
    assert_eq!(
        prefixes("AmazonSQS.ListQueues\n"),
        [
            "FailedInvocations",
            "RepairDeadLetters",
            "UndeliveredEvents",
            "UnreadableMessages",
            "VpcQueue",
        ]
        .map(|id| format!(r#"{{"QueueNamePrefix":"guard-{id}-"}}"#))
    );
}

/// SAM makes the rule's logical id of the function's and the event's.
#[test]
fn the_parts_are_in_the_template() {
    for part in [doctor::TOPIC, doctor::QUEUE].iter().chain(&doctor::DEAD_LETTERS) {
        assert!(TEMPLATE.contains(&format!("\n  {}:\n", part.logical_id)), "{part:?}");
    }
    assert!(TEMPLATE.contains(&format!("!Ref {}\n", doctor::RULE.logical_id)));
}
