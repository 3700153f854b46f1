//! The stack of `template.yaml` on local parts: ministack for AWS, the simulator for EC2, the
//! functions as processes.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what is not as it should be ends the test"
)]

mod ec2;
pub mod parts;
mod platform;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use guardrail::ec2::world_file;
use serde_json::{Value, json};
use tempfile::TempDir;

use ec2::Ec2;
use parts::{FUNCTIONS, parts, repository};

pub use parts::translated_template;
pub use platform::{ACCOUNT, Platform, REGION};

/// Nothing takes this long; what hangs must end the test.
const PATIENCE: Duration = Duration::from_secs(300);
const STACK: &str = "guardrail";

/// Asks again and again until there is an answer.
pub fn wait_until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "after {PATIENCE:?} it is still not so that {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A world of the command's scenarios.
pub fn scenario(name: &str) -> Value {
    let file = repository().join("crates/guardrail-cli/scenarios").join(name).join("world.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The recorded events of the repository, one for each kind of call and more.
pub fn recorded_events() -> Vec<Value> {
    let files = std::fs::read_dir(repository().join("events")).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

/// The stack, deployed and at work.
#[derive(Debug)]
pub struct Pipeline {
    platform: Platform,
    ec2: Option<Ec2>,
    outputs: BTreeMap<String, String>,
    delivered: Mutex<usize>,
    _folder: TempDir,
}

impl Pipeline {
    /// Deploys the template with these parameters, over a simulated world.
    pub fn over(world: &Value, parameters: &[(&str, &str)]) -> Self {
        Self::deployed(world, Duration::ZERO, &template(), parameters)
    }

    /// As [`Pipeline::over`], where each call to EC2 takes so long, and an invocation of repair ends
    /// after so many seconds.
    pub fn slow(world: &Value, parameters: &[(&str, &str)], call: Duration, seconds: u32) -> Self {
        let (long, short) = ("Timeout: 300\n", format!("Timeout: {seconds}\n"));
        let template = template();
        assert_eq!(template.matches(long).count(), 1, "repair's");
        Self::deployed(world, call, &template.replace(long, &short), parameters)
    }

    fn deployed(
        world: &Value,
        latency: Duration,
        template: &str,
        parameters: &[(&str, &str)],
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let world = world_file::load(&world.to_string()).unwrap();
        let ec2 = Ec2::start(world, folder.path(), latency);
        let platform = Platform::start(folder.path(), &[("AWS_ENDPOINT_URL_EC2", &ec2.url())]);
        Self {
            platform,
            ec2: Some(ec2),
            outputs: BTreeMap::new(),
            delivered: Mutex::new(0),
            _folder: folder,
        }
        .deploy(template, parameters)
    }

    /// Deploys a template, after SAM's transform, where ministack is EC2 too and lets nobody do
    /// what the policies do not allow.
    pub fn enforcing(mut template: Value, parameters: &[(&str, &str)]) -> Self {
        let functions = [
            ("DetectFunction", "detect"),
            ("SweepFunction", "sweep"),
            ("RepairFunction", "repair"),
        ];
        for (resource, function) in functions {
            template["Resources"][resource]["Properties"]["Code"] =
                json!({ "S3Bucket": "code", "S3Key": function });
        }
        let folder = TempDir::new().unwrap();
        let platform = Platform::start(folder.path(), &[("AUTH", "true")]);
        Self {
            platform,
            ec2: None,
            outputs: BTreeMap::new(),
            delivered: Mutex::new(0),
            _folder: folder,
        }
        .deploy(&template.to_string(), parameters)
    }

    fn deploy(self, template: &str, parameters: &[(&str, &str)]) -> Self {
        let bucket = json!({ "Bucket": "code", "CreateBucketConfiguration": { "LocationConstraint": REGION } });
        self.aws("s3", "create_bucket", &bucket);
        for function in FUNCTIONS {
            let zip = parts().zips.join(function).join("code.zip");
            self.aws(
                "s3",
                "upload_file",
                &json!({ "Filename": zip, "Bucket": "code", "Key": function }),
            );
        }
        self.create_stack(template, parameters)
    }

    /// Deletes the stack, and makes one of the same name.
    pub fn made_again(self, parameters: &[(&str, &str)]) -> Self {
        let name = json!({ "StackName": STACK });
        self.aws("cloudformation", "delete_stack", &name);
        wait_until("the stack is gone", || {
            let stacks = self.platform.call("cloudformation", "describe_stacks", &name);
            let is_gone = |stacks: Value| stacks["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE";
            stacks.map_or(true, is_gone).then_some(())
        });
        self.create_stack(&template(), parameters)
    }

    fn create_stack(mut self, template: &str, parameters: &[(&str, &str)]) -> Self {
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|(name, value)| json!({ "ParameterKey": name, "ParameterValue": value }))
            .collect();
        let stack = json!({
            "StackName": STACK,
            "TemplateBody": template,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": parameters,
        });
        self.aws("cloudformation", "create_stack", &stack);
        let stack = wait_until("the stack is deployed", || {
            let stacks =
                self.aws("cloudformation", "describe_stacks", &json!({ "StackName": STACK }));
            let stack = stacks["Stacks"][0].clone();
            (!stack["StackStatus"].as_str().unwrap().ends_with("_IN_PROGRESS")).then_some(stack)
        });
        assert_eq!(
            stack["StackStatus"],
            "CREATE_COMPLETE",
            "{}\n{}",
            stack["StackStatusReason"],
            self.platform.log()
        );
        let text = |output: &Value, field: &str| output[field].as_str().unwrap().to_owned();
        let outputs = stack["Outputs"].as_array().unwrap();
        self.outputs = outputs
            .iter()
            .map(|output| (text(output, "OutputKey"), text(output, "OutputValue")))
            .collect();
        self
    }

    /// Runs `guardrail` with these arguments, signed in to the account: whether it ended well, and what
    /// it wrote.
    pub fn command(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = Command::new(parts::live_command());
        let configured = std::env::vars_os().map(|(name, _)| name);
        configured.filter(|name| name.to_string_lossy().starts_with("AWS_")).for_each(|name| {
            command.env_remove(name);
        });
        command.args(arguments).envs([
            ("AWS_ENDPOINT_URL", self.platform.url.as_str()),
            ("AWS_ENDPOINT_URL_EC2", &self.ec2.as_ref().unwrap().url()),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ]);
        let ended = command.output().unwrap();
        let text = [ended.stdout, ended.stderr].concat();
        (ended.status.success(), String::from_utf8(text).unwrap())
    }

    /// Kills the processes of repair, as `kill -9` does: how many there were.
    pub fn kill_repair(&self) -> usize {
        self.platform.kill(&parts().built.join("repair"))
    }

    /// One of the stack's outputs.
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap()
    }

    /// A call to AWS, by boto3's names of service, operation and parameters.
    pub fn aws(&self, service: &str, operation: &str, parameters: &Value) -> Value {
        let answer = self.platform.call(service, operation, parameters);
        answer.unwrap_or_else(|error| panic!("{service} {operation}({parameters}): {error}"))
    }

    /// A call to EC2, as somebody at a keyboard makes it. CloudTrail has not told of it before
    /// [`Pipeline::deliver`].
    pub fn ec2(&self, operation: &str, parameters: &Value) -> Value {
        self.aws("ec2", operation, parameters)
    }

    /// What the simulator says of itself: `world` or `calls`.
    pub fn sim(&self, what: &str) -> Value {
        self.ec2.as_ref().unwrap().get(what)
    }

    /// The calls so far that changed something, or would have, by name.
    pub fn writes(&self) -> Vec<String> {
        let calls = self.sim("calls");
        let writes = calls.as_array().unwrap().iter().filter(|call| call["write"] == true);
        writes.map(|call| call["operation"].as_str().unwrap().to_owned()).collect()
    }

    /// Gives EventBridge the events of the calls made since the last time, and waits until detect
    /// has dealt with each. How many there were.
    pub fn deliver(&self) -> usize {
        let events = self.ec2.as_ref().unwrap().events();
        let mut delivered = self.delivered.lock().unwrap();
        let fresh = &events[*delivered..];
        self.put_events(fresh);
        *delivered = events.len();
        fresh.len()
    }

    /// Gives EventBridge these events, and waits until detect has been through with each that the
    /// rule is for.
    pub fn put_events(&self, events: &[Value]) {
        let before = self.invocations("detect");
        for batch in events.chunks(10) {
            let entries = batch.iter().map(|event| {
                json!({ "Source": event["source"], "DetailType": event["detail-type"], "Detail": event["detail"].to_string() })
            });
            let answer = self.aws(
                "events",
                "put_events",
                &json!({ "Entries": entries.collect::<Vec<_>>() }),
            );
            assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
        }
        let expected = events.iter().filter(|event| {
            let evidence = guardrail::event::decode(event).unwrap();
            event["source"] == "aws.ec2" && evidence.trigger().is_some()
        });
        let wanted = before + expected.count();
        wait_until(&format!("detect was invoked {wanted} times"), || {
            (self.invocations("detect") >= wanted).then_some(())
        });
    }

    /// How often a function was invoked and came to an end. Its own last line is no sign of that:
    /// ministack now and then reads it too late to log it.
    fn invocations(&self, function: &str) -> usize {
        self.lines(function).iter().filter(|line| line.starts_with("REPORT RequestId:")).count()
    }

    /// Delivers events until there is no call left to tell of, and waits for what each led to. The
    /// guardrail's own calls are told too: it must come to rest by itself.
    pub fn settle(&self) {
        for _ in 0..5 {
            if self.deliver() == 0 {
                return;
            }
            self.drain();
        }
        panic!("the guardrail does not come to rest: {:?}", self.writes());
    }

    /// Waits until the queue is empty: every VPC in it was looked at, and told about.
    pub fn drain(&self) {
        wait_until("the queue is empty", || self.is_empty(self.output("QueueUrl")).then_some(()));
    }

    fn is_empty(&self, queue: &str) -> bool {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let asked = json!({ "QueueUrl": queue, "AttributeNames": names });
        let counts = self.aws("sqs", "get_queue_attributes", &asked);
        names.iter().all(|name| counts["Attributes"][name] == "0")
    }

    /// Invokes sweep, and waits for its end; what it found is in the queue then.
    pub fn sweep(&self) {
        let invoked = self.aws(
            "lambda",
            "invoke",
            &json!({ "FunctionName": self.output("SweepFunctionName") }),
        );
        assert!(invoked.get("FunctionError").is_none(), "{invoked}");
    }

    /// Invokes the sweep function as its schedule of each minute does.
    pub fn clock(&self) {
        let name = self.output("SweepFunctionName");
        let request = json!({ "FunctionName": name, "Payload": "{\"clock\":true}" });
        let invoked = self.aws("lambda", "invoke", &request);
        assert!(invoked.get("FunctionError").is_none(), "{invoked}");
    }

    /// A new queue that gets the alerts with these attributes; no attributes are all alerts.
    pub fn subscribe(&self, name: &str, filter: &Value) -> String {
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        let from_the_topic = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": arn
        }] });
        let queue =
            json!({ "QueueName": name, "Attributes": { "Policy": from_the_topic.to_string() } });
        let url = self.aws("sqs", "create_queue", &queue)["QueueUrl"].as_str().unwrap().to_owned();
        let attributes = json!({ "FilterPolicy": filter.to_string() });
        let topic = self.output("TopicArn");
        let wanted = json!({ "TopicArn": topic, "Protocol": "sqs", "Endpoint": arn, "Attributes": attributes });
        self.aws("sns", "subscribe", &wanted);
        url
    }

    /// The messages in a queue, which has them no more: their bodies.
    pub fn receive(&self, queue: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let got = self.aws(
                "sqs",
                "receive_message",
                &json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10 }),
            );
            let Some(messages) = got["Messages"].as_array().filter(|messages| !messages.is_empty())
            else {
                return bodies;
            };
            for message in messages {
                bodies.push(message["Body"].as_str().unwrap().to_owned());
                let handle = &message["ReceiptHandle"];
                self.aws(
                    "sqs",
                    "delete_message",
                    &json!({ "QueueUrl": queue, "ReceiptHandle": handle }),
                );
            }
        }
    }

    /// The alerts that came to a subscriber: the reports.
    pub fn alerts(&self, queue: &str) -> Vec<Value> {
        let notifications = self.receive(queue);
        let notifications =
            notifications.iter().map(|body| serde_json::from_str::<Value>(body).unwrap());
        notifications
            .map(|it| serde_json::from_str(it["Message"].as_str().unwrap()).unwrap())
            .collect()
    }

    /// What a function wrote, of that what is JSON.
    pub fn log(&self, function: &str) -> Vec<Value> {
        self.lines(function).iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn lines(&self, function: &str) -> Vec<String> {
        let mut wanted = json!({ "logGroupName": format!("/aws/lambda/{STACK}/{function}") });
        let mut lines = Vec::new();
        loop {
            let page = self.aws("logs", "filter_log_events", &wanted);
            let events = page["events"].as_array().unwrap().iter();
            lines.extend(events.map(|event| event["message"].as_str().unwrap().to_owned()));
            match page.get("nextToken") {
                Some(token) => wanted["nextToken"] = token.clone(),
                None => return lines,
            }
        }
    }
}

/// A test that failed says what the functions said.
impl Drop for Pipeline {
    fn drop(&mut self) {
        if thread::panicking() {
            for function in FUNCTIONS {
                let group = json!({ "logGroupName": format!("/aws/lambda/{STACK}/{function}") });
                if let Ok(events) = self.platform.call("logs", "filter_log_events", &group) {
                    let lines = events["events"].as_array().into_iter().flatten();
                    lines.for_each(|event| eprintln!("{function}: {}", event["message"]));
                }
            }
            eprintln!("ministack: {}", self.platform.log());
        }
    }
}

/// The template as `sam package` writes it: with the places of the zips.
fn template() -> String {
    let template = std::fs::read_to_string(repository().join("template.yaml")).unwrap();
    FUNCTIONS.iter().fold(template, |template, function| {
        let (code, packaged) = (
            format!("CodeUri: functions/{function}\n"),
            format!("CodeUri: s3://code/{function}\n"),
        );
        assert!(template.contains(&code), "the template has no `{code}`");
        template.replace(&code, &packaged)
    })
}
