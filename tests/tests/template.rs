//! `template.yaml` after SAM's transform, against the code; and what only AWS does of it.

#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use e2e::pipeline::{Pipeline, recorded_events, scenario, translated_template};
use guardrail::baseline::RuleId;
use guardrail::baseline::{Baseline, EXAMPLE};
use guardrail::event::{Names, TABLE, Watch, decode};
use guardrail::history::Kind;
use guardrail_aws::REPAIRS_AT_ONCE;
use guardrail_aws::permissions::{
    ASK_PROBES, DELETE_FROM_TABLE, HOLD, LIST, OBSERVE, PARAMETER, PUBLISH, PUT_IN_TABLE,
    READ_TABLE, RESOLVE, SEND, SET_ASIDE, TRAFFIC, write,
};
use serde_json::{Value, json};

fn resources() -> Value {
    translated_template()["Resources"].take()
}

fn of_type<'r>(resources: &'r Value, kind: &str) -> Vec<(&'r str, &'r Value)> {
    let all = resources.as_object().unwrap().iter();
    all.filter(|(_, it)| it["Type"] == kind)
        .map(|(name, it)| (name.as_str(), &it["Properties"]))
        .collect()
}

fn arn_of(name: &str) -> Value {
    json!({ "Fn::GetAtt": [name, "Arn"] })
}

fn reference(name: &str) -> Value {
    json!({ "Ref": name })
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn words(value: &Value) -> BTreeSet<String> {
    list(value).iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn set<'w>(words: impl IntoIterator<Item = &'w &'w str>) -> BTreeSet<String> {
    words.into_iter().map(|word| (*word).to_owned()).collect()
}

fn statements(document: &Value) -> Vec<Value> {
    let parsed = document["Fn::Sub"].as_str().map(|text| serde_json::from_str(text).unwrap());
    list(&parsed.as_ref().unwrap_or(document)["Statement"])
}

fn allowed(document: &Value) -> BTreeSet<String> {
    let statements = statements(document);
    assert!(statements.iter().all(|statement| statement["Effect"] == "Allow"), "{document}");
    statements.iter().flat_map(|statement| words(&statement["Action"])).collect()
}

/// What each role may do: by the role, and the condition that it is deployed under.
fn permissions(resources: &Value) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (role, properties) in of_type(resources, "AWS::IAM::Role") {
        assert_eq!(properties["ManagedPolicyArns"], Value::Null, "{role}");
        for policy in list(&properties["Policies"]) {
            let key = (role.to_owned(), "always".to_owned());
            found.entry(key).or_default().extend(allowed(&policy["PolicyDocument"]));
        }
    }
    for (name, properties) in of_type(resources, "AWS::IAM::Policy") {
        let condition = resources[name]["Condition"].as_str().unwrap_or("always");
        for role in list(&properties["Roles"]) {
            let key = (role["Ref"].as_str().unwrap().to_owned(), condition.to_owned());
            found.entry(key).or_default().extend(allowed(&properties["PolicyDocument"]));
        }
    }
    found
}

#[test]
fn each_role_may_do_what_its_function_does_and_nothing_else() {
    let logs = ["logs:CreateLogStream", "logs:PutLogEvents"];
    // Lambda itself takes the messages off the queue, with the function's role.
    let receive_count = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
    // Of whoever publishes to a topic under a key.
    let encrypts = ["kms:Decrypt", "kms:GenerateDataKey"];
    let schedules = ["lambda:InvokeFunction", "sqs:SendMessage"];
    let mut wanted = BTreeMap::new();
    let mut may = |role: &str, condition: &str, actions: &[&[&str]]| {
        wanted.insert(
            (role.to_owned(), condition.to_owned()),
            set(actions.iter().copied().flatten()),
        );
    };
    let table = [READ_TABLE, PUT_IN_TABLE, DELETE_FROM_TABLE].concat();
    may("DetectRole", "always", &[RESOLVE, LIST, SEND, READ_TABLE, PUT_IN_TABLE, &logs]);
    may("SweepRole", "always", &[OBSERVE, SEND, &table, PUBLISH, &encrypts, &logs]);
    let repair = [OBSERVE, PUBLISH, &table, TRAFFIC, HOLD, SET_ASIDE];
    may("RepairRole", "always", &[&repair.concat(), &receive_count, &encrypts, &logs]);
    may("RepairRole", "MayWrite", &[&write().into_iter().collect::<Vec<_>>(), ASK_PROBES]);
    for role in ["DetectRole", "SweepRole", "RepairRole"] {
        may(role, "BaselineIsStored", &[PARAMETER]);
        may(role, "BaselineIsEncrypted", &[&["kms:Decrypt"]]);
    }
    may("SweepFunctionClockRole", "always", &[&schedules]);
    may("SweepFunctionMinuteRole", "always", &[&schedules]);
    assert_eq!(permissions(&resources()), wanted);
}

#[test]
fn every_rules_repair_is_allowed_in_repair_mode() {
    let permissions = permissions(&resources());
    let allowed = &permissions[&("RepairRole".to_owned(), "MayWrite".to_owned())];
    for rule in RuleId::ALL {
        let missing: Vec<&str> = rule
            .rule()
            .permissions()
            .into_iter()
            .filter(|action| !allowed.contains(*action))
            .collect();
        assert!(missing.is_empty(), "{rule} calls {missing:?}");
    }
    let writes = &translated_template()["Conditions"]["MayWrite"];
    let stored = json!({ "Condition": "StoredBaselineMayWrite" });
    assert_eq!(
        *writes,
        json!({ "Fn::Or": [{ "Fn::Equals": [reference("Mode"), "repair"] }, stored] })
    );
}

/// The rule's pattern.
fn pattern(resources: &Value) -> Value {
    resources["DetectFunctionNetworkChange"]["Properties"]["EventPattern"].clone()
}

#[test]
fn the_rule_watches_the_calls_that_the_code_knows() {
    let pattern = pattern(&resources());
    let is_tags = |row: &&Watch| row.names == Names::AnyThings;
    let names = |tags: bool| -> Vec<&str> {
        let mut names: Vec<&str> =
            TABLE.iter().filter(|row| is_tags(row) == tags).map(|row| row.name).collect();
        names.sort_unstable();
        names
    };
    let [others, tags] = pattern["detail"]["$or"].as_array().unwrap().as_slice() else {
        panic!("two patterns are expected, not {}", pattern["detail"]["$or"]);
    };
    assert_eq!(*others, json!({ "eventName": names(false) }));
    assert_eq!(tags["eventName"], json!(names(true)));
    let around = json!({
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["ec2.amazonaws.com"],
            "errorCode": [{ "exists": false }],
            "$or": [others, tags],
        },
    });
    assert_eq!(pattern, around);
}

/// What matters of a function's deployed configuration: its environment.
fn environment(stack: &Pipeline, function: &str) -> BTreeMap<String, String> {
    let configuration = json!({ "FunctionName": stack.output(function) });
    let answer = stack.aws("lambda", "get_function_configuration", &configuration);
    serde_json::from_value(answer["Environment"]["Variables"].clone()).unwrap()
}

/// The deployed baseline, the same for each function.
fn baseline(stack: &Pipeline) -> String {
    let functions = ["DetectFunctionName", "SweepFunctionName", "RepairFunctionName"];
    let all = functions.map(|function| environment(stack, function)["GUARDRAIL_BASELINE"].clone());
    assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
    let [one, ..] = all;
    one
}

#[test]
fn a_new_stack_has_the_default_baseline_and_the_rule_matches_what_detect_acts_on() {
    let stack = Pipeline::over(&scenario("empty"), &[]);
    let mut default = Baseline::parse(&baseline(&stack)).unwrap();
    // The parameter says what the rules do without it.
    for rule in [RuleId::GatewayEndpoint, RuleId::InterfaceEndpoint] {
        assert_eq!(default.grace_of(rule), Baseline::default().grace_of(rule));
    }
    default.rules.clear();
    assert_eq!(default, Baseline::default());
    assert_eq!(default, Baseline::parse(EXAMPLE).unwrap());

    let pattern = pattern(&resources()).to_string();
    for event in recorded_events() {
        let call = json!({ "EventPattern": pattern, "Event": event.to_string() });
        let matches = stack.aws("events", "test_event_pattern", &call)["Result"] == true;
        let evidence = decode(&event).unwrap();
        assert_eq!(
            matches,
            evidence.trigger().is_some(),
            "{}: {evidence:?}",
            event["detail"]["eventID"]
        );
    }
}

#[test]
fn the_parameters_compose_a_baseline() {
    let parameters = [
        ("Mode", "repair"),
        ("ManagedVpcTagKey", "guarded by"),
        ("ManagedVpcTagValue", ""),
        ("PrivateSubnetTagKey", "Net"),
        ("PrivateSubnetTagValues", "app,db-*"),
        ("PublicSubnetTagKey", "Net"),
        ("PublicSubnetTagValues", "edge"),
        ("GatewayServices", ""),
        ("GraceMinutes", "7"),
        ("InterfaceServices", "ecr.api,ecr.dkr"),
    ];
    let stack = Pipeline::over(&scenario("empty"), &parameters);
    let wanted = json!({
        "version": 1,
        "mode": "repair",
        "managed_vpcs": { "tag": { "key": "guarded by", "value": "" } },
        "private_subnets": [{ "tag": "Net", "values": ["app", "db-*"] }],
        "public_subnets": [{ "tag": "Net", "values": ["edge"] }],
        "gateway_endpoints": { "services": [] },
        "interface_endpoints": { "services": ["ecr.api", "ecr.dkr"] },
        "rules": {
            "gateway-endpoint": { "grace_minutes": 7 }, "interface-endpoint": { "grace_minutes": 7 },
        },
    });
    assert_eq!(
        Baseline::parse(&baseline(&stack)).unwrap(),
        Baseline::parse(&wanted.to_string()).unwrap()
    );
}

#[test]
fn a_baseline_in_parameter_store_is_named() {
    let stack =
        Pipeline::over(&scenario("empty"), &[("BaselineParameter", "/vpc-guardrail/baseline")]);
    assert_eq!(baseline(&stack), "ssm:/vpc-guardrail/baseline");
}

/// The statement of a role by its `Sid`.
fn statement(resources: &Value, role: &str, sid: &str) -> Value {
    let policies = list(&resources[role]["Properties"]["Policies"]);
    let all = policies.iter().flat_map(|policy| statements(&policy["PolicyDocument"]));
    all.into_iter().find(|it| it["Sid"] == sid).unwrap()
}

/// It acts on what strangers can cause: no VPC's state or lease may be in its reach.
#[test]
fn detect_writes_its_own_items_only() {
    let resources = resources();
    let wanted = json!({
        "Sid": "WriteItsOwnHistory",
        "Effect": "Allow",
        "Action": "dynamodb:UpdateItem",
        "Resource": arn_of("HistoryTable"),
        "Condition": { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["DETECT#*"] } },
    });
    assert_eq!(statement(&resources, "DetectRole", "WriteItsOwnHistory"), wanted);
    assert!(wanted["Condition"].to_string().contains(&format!("\"{}#", Kind::Detect.as_str())));
    let reads = statement(&resources, "DetectRole", "ReadHistory");
    assert_eq!(words(&reads["Action"]), set(READ_TABLE));
}

#[test]
fn each_function_gets_the_variables_that_it_reads() {
    let resources = resources();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let detect = ["BASELINE", "QUEUE_URL", "TABLE", "REPAIR_ROLE_ARN"];
    let sweep = ["TOPIC_ARN", "ALERTS_PER_HOUR", "DIGEST_HOUR", "STACK"];
    let sweep = [&detect[..], &sweep].concat();
    let repair =
        ["BASELINE", "QUEUE_URL", "TABLE", "TOPIC_ARN", "ALERTS_PER_HOUR", "UNREADABLE_URL"];
    let repair = [&repair[..], &["DETECT_ROLE_ID", "STACK"]].concat();
    for (resource, function, wanted) in [
        ("DetectFunction", "detect", detect.to_vec()),
        ("SweepFunction", "sweep", sweep),
        ("RepairFunction", "repair", repair),
    ] {
        let wanted = wanted.iter().map(|name| format!("GUARDRAIL_{name}"));
        // The SDK's.
        let wanted: BTreeSet<String> = wanted.chain(["SSL_CERT_FILE".to_owned()]).collect();
        let given =
            resources[resource]["Properties"]["Environment"]["Variables"].as_object().unwrap();
        assert_eq!(given.keys().cloned().collect::<BTreeSet<_>>(), wanted, "{function}");
        let source = std::fs::read_to_string(folder.join(function).join("src/main.rs")).unwrap();
        let mut read = source.split('"').filter(|text| text.starts_with("GUARDRAIL_"));
        assert!(read.all(|name| wanted.contains(name)), "{function}");
    }
}

/// A stack's table outlives it: under a name of the stack's alone, a stack of the same name could not
/// be made again.
#[test]
fn a_stack_of_the_same_name_can_be_made_again_and_the_table_of_the_first_stays() {
    let table_of = |stack: &Pipeline| {
        let of = json!({ "StackName": "guardrail" });
        let stacks = stack.aws("cloudformation", "describe_stacks", &of);
        let id = stacks["Stacks"][0]["StackId"].as_str().unwrap();
        let suffix = id.rsplit('-').next().unwrap();
        assert_eq!((suffix.len(), id.split('/').count()), (12, 3), "{id}");
        assert_eq!(stack.output("TableName"), format!("guardrail-history-{suffix}"));
        stack.output("TableName").to_owned()
    };
    let stack = Pipeline::over(&scenario("empty"), &[("PointInTimeRecovery", "false")]);
    let first = table_of(&stack);
    let stack = stack.made_again(&[]);
    let second = table_of(&stack);
    assert_ne!(first, second);
    for name in [first, second] {
        let described = stack.aws("dynamodb", "describe_table", &json!({ "TableName": name }));
        let attribute = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        assert_eq!(
            described["Table"]["KeySchema"],
            json!([attribute("pk", "HASH"), attribute("sk", "RANGE")])
        );
    }
}

/// ministack's CloudFormation passes over what a table is besides its keys.
#[test]
fn the_table_is_kept_forgets_what_has_expired_and_can_be_restored() {
    let template = translated_template();
    let table = &template["Resources"]["HistoryTable"];
    assert_eq!(
        (&table["DeletionPolicy"], &table["UpdateReplacePolicy"]),
        (&json!("RetainExceptOnCreate"), &json!("Retain"))
    );
    let properties = &table["Properties"];
    assert_eq!(properties["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(
        properties["TimeToLiveSpecification"],
        json!({ "AttributeName": "expires", "Enabled": true })
    );
    assert_eq!(
        properties["PointInTimeRecoverySpecification"],
        json!({ "PointInTimeRecoveryEnabled": reference("PointInTimeRecovery") })
    );
    assert_eq!(template["Parameters"]["PointInTimeRecovery"]["Default"], "true");
    assert_eq!(properties["GlobalSecondaryIndexes"], Value::Null);
}

/// What is in a message is shown as what was recorded.
#[test]
fn only_detect_and_sweep_may_send() {
    let resources = resources();
    let policy = &resources["VpcQueuePolicy"]["Properties"];
    assert_eq!(policy["Queues"], json!([reference("VpcQueue")]));
    let sent = statements(&policy["PolicyDocument"]).remove(0);
    let named = json!({ "Fn::If": ["HasRedriveRole", reference("RedriveRoleArn"), reference("AWS::NoValue")] });
    let senders = json!([arn_of("DetectRole"), arn_of("SweepRole"), named]);
    let wanted = json!({
        "Sid": "SentByDetectAndSweepOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Resource": arn_of("VpcQueue"),
        "Condition": { "ArnNotEquals": { "aws:PrincipalArn": senders } },
    });
    assert_eq!(sent, wanted);
}

#[test]
fn a_vpcs_messages_keep_their_order_and_are_given_up_in_the_end() {
    let resources = resources();
    let queue = &resources["VpcQueue"]["Properties"];
    let repair = &resources["RepairFunction"]["Properties"];
    assert_eq!(
        queue["VisibilityTimeout"].as_u64(),
        repair["Timeout"].as_u64().map(|timeout| timeout * 6),
        "for Lambda's own retries of a throttled invocation"
    );
    // A batch is held for what is left of its invocation and a minute: so long a killed run holds up
    // its VPC.
    let held = repair["Timeout"].as_u64().map(|timeout| timeout + 60);
    assert_eq!(held, Some(6 * 60));
    let redrive =
        json!({ "deadLetterTargetArn": arn_of("RepairDeadLetters"), "maxReceiveCount": 12 });
    assert_eq!(queue["RedrivePolicy"], redrive);
    for (name, is_fifo) in [
        ("VpcQueue", true),
        ("RepairDeadLetters", true),
        ("UndeliveredEvents", false),
        ("UnreadableMessages", false),
    ] {
        assert_eq!(resources[name]["Properties"]["FifoQueue"] == true, is_fifo, "{name}");
    }
    assert_ne!(queue["ContentBasedDeduplication"], true, "the senders choose the ids");
    let keeps = |name: &str| resources[name]["Properties"]["MessageRetentionPeriod"].as_u64();
    assert!(
        keeps("RepairDeadLetters") > keeps("VpcQueue"),
        "or a message is gone with its time in the queue"
    );
    let mappings = of_type(&resources, "AWS::Lambda::EventSourceMapping");
    let [(_, mapping)] = mappings.as_slice() else {
        panic!("one mapping was expected, not {mappings:?}")
    };
    assert_eq!(mapping["EventSourceArn"], arn_of("VpcQueue"));
    assert_eq!(mapping["FunctionName"], reference("RepairFunction"));
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(mapping["ScalingConfig"], json!({ "MaximumConcurrency": REPAIRS_AT_ONCE }));
}

#[test]
fn what_cannot_be_delivered_is_kept() {
    let resources = resources();
    let kept = json!({ "Arn": arn_of("UndeliveredEvents") });
    let [target] = resources["DetectFunctionNetworkChange"]["Properties"]["Targets"]
        .as_array()
        .unwrap()
        .as_slice()
    else {
        panic!("the rule has one target");
    };
    assert_eq!((&target["Arn"], &target["DeadLetterConfig"]), (&arn_of("DetectFunction"), &kept));
    let schedule = &resources["SweepFunctionClock"]["Properties"]["Target"];
    assert_eq!(
        (&schedule["Arn"], &schedule["DeadLetterConfig"]),
        (&arn_of("SweepFunction"), &kept)
    );
    let failed = json!({ "OnFailure": { "Destination": arn_of("FailedInvocations") } });
    let configurations: BTreeMap<String, &Value> =
        of_type(&resources, "AWS::Lambda::EventInvokeConfig")
            .into_iter()
            .map(|(_, it)| {
                (it["FunctionName"]["Ref"].as_str().unwrap().to_owned(), &it["DestinationConfig"])
            })
            .collect();
    let wanted = ["DetectFunction", "SweepFunction"].map(|function| (function.to_owned(), &failed));
    assert_eq!(configurations, BTreeMap::from(wanted));
}

/// The statements of a resource policy that let a service in, by its name.
fn https_sources(document: &Value) -> Vec<(Value, BTreeSet<String>, Value)> {
    let allows = statements(document)
        .into_iter()
        .filter(|it| it["Effect"] == "Allow" && it["Principal"]["Service"].is_string());
    allows
        .map(|it| {
            (it["Principal"]["Service"].clone(), words(&it["Action"]), it["Condition"].clone())
        })
        .collect()
}

#[test]
fn services_may_deliver_where_the_stack_sends_them() {
    let resources = resources();
    let document = |name: &str, field: &str| &resources[name]["Properties"][field];
    let rule = json!({ "ArnEquals": { "aws:SourceArn": arn_of("DetectFunctionNetworkChange") } });
    let account = json!({ "StringEquals": { "aws:SourceAccount": reference("AWS::AccountId") } });
    let undelivered = https_sources(document("UndeliveredEventsPolicy", "PolicyDocument"));
    assert_eq!(undelivered, [(json!("events.amazonaws.com"), set(&["sqs:SendMessage"]), rule)]);
    assert_eq!(
        *document("UndeliveredEventsPolicy", "Queues"),
        json!([reference("UndeliveredEvents")])
    );
    let alarms = json!("cloudwatch.amazonaws.com");
    let topic = https_sources(document("AlertTopicPolicy", "PolicyDocument"));
    assert_eq!(topic, [(alarms.clone(), set(&["sns:Publish"]), account.clone())]);
    let key = https_sources(document("AlertKey", "KeyPolicy"));
    assert_eq!(key, [(alarms, set(&["kms:Decrypt", "kms:GenerateDataKey*"]), account)]);
    assert_eq!(*document("AlertTopic", "KmsMasterKeyId"), arn_of("AlertKey"));
    let invoked: Vec<_> = of_type(&resources, "AWS::Lambda::Permission");
    let [(_, permission)] = invoked.as_slice() else {
        panic!("one permission was expected, not {invoked:?}")
    };
    let wanted = json!({
        "Action": "lambda:InvokeFunction",
        "FunctionName": reference("DetectFunction"),
        "Principal": "events.amazonaws.com",
        "SourceArn": arn_of("DetectFunctionNetworkChange"),
    });
    assert_eq!(**permission, wanted);
}

#[test]
fn nothing_is_taken_without_tls() {
    let resources = resources();
    let mut guarded = BTreeSet::new();
    let policies = of_type(&resources, "AWS::SQS::QueuePolicy")
        .into_iter()
        .chain(of_type(&resources, "AWS::SNS::TopicPolicy"));
    for (_, policy) in policies {
        let insecure = json!({ "Bool": { "aws:SecureTransport": "false" } });
        let refuses = |it: &Value| {
            it["Effect"] == "Deny" && it["Principal"] == "*" && it["Condition"] == insecure
        };
        assert!(statements(&policy["PolicyDocument"]).iter().any(refuses), "{policy}");
        let targets = list(&policy["Queues"]).into_iter().chain(list(&policy["Topics"]));
        guarded.extend(targets.filter_map(|target| target["Ref"].as_str().map(str::to_owned)));
    }
    let all = of_type(&resources, "AWS::SQS::Queue")
        .into_iter()
        .chain(of_type(&resources, "AWS::SNS::Topic"));
    assert_eq!(guarded, all.map(|(name, _)| name.to_owned()).collect());
}

/// ministack measures no queues and no functions, so that no alarm of these can go off there.
#[test]
fn alarms_watch_every_queue_and_function_and_the_heartbeat() {
    let resources = resources();
    let mut watched = BTreeSet::new();
    for (name, alarm) in of_type(&resources, "AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"], json!([reference("AlertTopic")]), "{name}");
        let what = match alarm["Dimensions"].get(0) {
            Some(dimension) => match dimension["Value"]["Ref"].as_str() {
                Some(function) => function.to_owned(),
                None => dimension["Value"]["Fn::GetAtt"][0].as_str().unwrap().to_owned(),
            },
            None => String::new(),
        };
        let text = |field: &str| alarm[field].as_str().unwrap().to_owned();
        watched.insert((
            text("Namespace"),
            text("MetricName"),
            what,
            text("ComparisonOperator"),
            alarm["Threshold"].as_u64(),
        ));
    }
    let heartbeat = guardrail::report::metrics::line(Default::default(), "s", &[("Heartbeat", 1)]);
    let heartbeat: Value = serde_json::from_str(&heartbeat).unwrap();
    let ours = &heartbeat["_aws"]["CloudWatchMetrics"][0];
    let dimension = ours["Dimensions"][0][0].as_str().unwrap();
    for (name, alarm) in of_type(&resources, "AWS::CloudWatch::Alarm") {
        if alarm["Namespace"] == ours["Namespace"] {
            let stack = json!([{ "Name": dimension, "Value": reference("AWS::StackName") }]);
            assert_eq!(alarm["Dimensions"], stack, "{name}");
        }
    }
    let ours = ours["Namespace"].as_str().unwrap();
    let more = "GreaterThanThreshold";
    let visible = "ApproximateNumberOfMessagesVisible";
    let wanted = [
        ("AWS/SQS", visible, "RepairDeadLetters", more, 0),
        ("AWS/SQS", visible, "UndeliveredEvents", more, 0),
        ("AWS/SQS", visible, "FailedInvocations", more, 0),
        ("AWS/SQS", visible, "UnreadableMessages", more, 0),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", "VpcQueue", more, 900),
        ("AWS/Lambda", "Errors", "DetectFunction", more, 0),
        ("AWS/Lambda", "Errors", "SweepFunction", more, 0),
        ("AWS/Lambda", "Errors", "RepairFunction", more, 0),
        (ours, "Heartbeat", "AWS::StackName", "LessThanThreshold", 1),
        (ours, "TableFailures", "AWS::StackName", "GreaterThanOrEqualToThreshold", 1),
    ];
    let owned = |text: &str| text.to_owned();
    let wanted = wanted.map(|(a, b, c, d, e)| (owned(a), owned(b), owned(c), owned(d), Some(e)));
    assert_eq!(watched, BTreeSet::from(wanted));
}
