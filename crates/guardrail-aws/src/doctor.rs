//! What the doctor asks AWS; what the answers mean is the core's to say. Nothing here changes
//! anything: calls that would are made as dry runs, and only where a dry run is known to be taken
//! for one.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::types::{AdvancedEventSelector, EventSelector, ReadWriteType};
use aws_sdk_dynamodb::types::{PointInTimeRecoveryStatus, TimeToLiveDescription, TimeToLiveStatus};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::VpcAttributeName;
use aws_sdk_sqs::types::QueueAttributeName;
use guardrail::baseline::ManagedVpcs;
use guardrail::cloud::CallError;
use guardrail::ec2::change::CREATED_TAG;
use guardrail::ec2::operation::Operation;
use guardrail::report::doctor::{
    self, Check, FieldSelector, Lookup, Part, RuleState, SeenRule, SeenTable, Selector, State,
    Subscription, Target, Trail,
};

use crate::ec2::Allowance;
use crate::ec2::apply::dry_run;
use crate::ec2::read::{self, Reads, filter};
use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};
use crate::stack::{NoPart, Stack};

/// Looks at everything the guardrail needs, in the order in which a person would mend it. Of the
/// stack, the parts are found by the names that CloudFormation gives them.
pub async fn examine(clients: &Clients, stack: &str, managed: &ManagedVpcs) -> Vec<Check> {
    let identity = doctor::identity(&clients.account().await);
    if identity.state != State::Fine {
        return vec![identity];
    }
    let (permissions, trails, rule, queues, table, subscriptions) = tokio::join!(
        on_heap(permissions(clients, managed)),
        on_heap(trails(clients)),
        on_heap(rule(clients, stack)),
        on_heap(queues(clients, stack)),
        on_heap(table(clients, stack)),
        on_heap(subscriptions(clients, stack)),
    );
    let mut checks = vec![identity];
    checks.extend(permissions);
    checks.push(doctor::trail(&trails));
    checks.extend(doctor::rule(stack, &rule));
    checks.extend(queues);
    checks.extend(table);
    checks.push(doctor::topic(stack, &subscriptions));
    checks.push(Check::new(
        "functions sweep and repair",
        State::CannotTell,
        "no call here asks for them; the stack's alarms say when they fail, or when no sweep has ended well",
    ));
    checks
}

/// The action and EC2's answer to its dry run.
type Probe = (String, Result<(), CallError>);

macro_rules! read_dry {
    ($operation:literal, $request:expr) => {{
        let answer = on_heap($request.dry_run(true).send()).await;
        (
            concat!("ec2:", $operation).to_owned(),
            answer.map(drop).map_err(|error| failed($operation, &error)),
        )
    }};
}

async fn permissions(clients: &Clients, managed: &ManagedVpcs) -> Vec<Check> {
    let ec2 = Client::new(clients.config());
    let things = Things::find(&ec2, managed).await;
    let mut probes = reads(&ec2).await;
    probes.extend(reads_of(&ec2, &things).await);
    // AWS answers every dry run with an error. A stand-in that succeeds has no dry runs, and would
    // make the changes.
    let obeyed = probes.iter().all(|(_, answer)| answer.is_err());
    if obeyed {
        probes.extend(writes(&ec2, clients.region().as_str(), &things).await);
    }
    let mut checks: Vec<Check> =
        probes.iter().map(|(action, answer)| doctor::permission(action, answer)).collect();
    let all = crate::permissions::OBSERVE.iter().chain(crate::permissions::RESOLVE).copied();
    let all: BTreeSet<&str> = all.chain(crate::permissions::write()).collect();
    let not_asked =
        all.into_iter().filter(|action| probes.iter().all(|(asked, _)| asked != action));
    checks.extend(not_asked.map(|action| doctor::not_asked(action, obeyed)));
    checks
}

/// Things that are there, for dry runs that must name one: what is not there is an error of its
/// own.
#[derive(Debug, Default)]
pub(crate) struct Things {
    pub(crate) vpc: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) list: Option<String>,
}

impl Things {
    /// Those of a managed VPC if there is one, because a policy may be bound to its tag.
    async fn find(ec2: &Client, managed: &ManagedVpcs) -> Self {
        let reads = &Reads::new(ec2.clone(), Allowance::unlimited());
        let vpcs = read::vpcs(reads, &[]).await.unwrap_or_default();
        let lists = read::prefix_lists(reads, &[]).await.unwrap_or_default();
        let list = lists.into_iter().next().map(|list| list.prefix_list_id.into());
        let Some(vpc) = vpcs.iter().find(|vpc| managed.matches(&vpc.tags)).or(vpcs.first()) else {
            return Self { list, ..Self::default() };
        };
        let within = [filter("vpc-id", [vpc.vpc_id.as_str()])];
        let (tables, endpoints, groups) = tokio::join!(
            read::route_tables(reads, &within),
            read::vpc_endpoints(reads, &within),
            read::security_groups(reads, &within),
        );
        let groups = groups.unwrap_or_default();
        let ours = |tag: &guardrail::ec2::world::Tag| {
            (tag.key.as_str(), tag.value.as_str()) == CREATED_TAG
        };
        let group = groups.iter().find(|group| group.tags.iter().any(ours)).or(groups.first());
        Self {
            vpc: Some(vpc.vpc_id.to_string()),
            table: tables
                .unwrap_or_default()
                .into_iter()
                .next()
                .map(|table| table.route_table_id.into()),
            endpoint: endpoints
                .unwrap_or_default()
                .into_iter()
                .find(guardrail::ec2::world::VpcEndpoint::exists)
                .map(|endpoint| endpoint.vpc_endpoint_id.into()),
            group: group.map(|group| group.group_id.to_string()),
            list,
        }
    }
}

async fn reads(ec2: &Client) -> Vec<Probe> {
    vec![
        read_dry!(
            "DescribeEgressOnlyInternetGateways",
            ec2.describe_egress_only_internet_gateways()
        ),
        read_dry!("DescribeInternetGateways", ec2.describe_internet_gateways()),
        read_dry!("DescribeDhcpOptions", ec2.describe_dhcp_options()),
        read_dry!("DescribeManagedPrefixLists", ec2.describe_managed_prefix_lists()),
        read_dry!("DescribeNatGateways", ec2.describe_nat_gateways()),
        read_dry!("DescribeNetworkAcls", ec2.describe_network_acls()),
        read_dry!("DescribeNetworkInterfaces", ec2.describe_network_interfaces()),
        read_dry!("DescribePrefixLists", ec2.describe_prefix_lists()),
        read_dry!("DescribeRouteTables", ec2.describe_route_tables()),
        read_dry!("DescribeSecurityGroups", ec2.describe_security_groups()),
        read_dry!("DescribeSubnets", ec2.describe_subnets()),
        read_dry!("DescribeVpcEndpointServices", ec2.describe_vpc_endpoint_services()),
        read_dry!("DescribeVpcEndpoints", ec2.describe_vpc_endpoints()),
        read_dry!("DescribeVpcs", ec2.describe_vpcs()),
    ]
}

async fn reads_of(ec2: &Client, things: &Things) -> Vec<Probe> {
    let mut probes = Vec::new();
    if let Some(vpc) = &things.vpc {
        let request =
            ec2.describe_vpc_attribute().vpc_id(vpc).attribute(VpcAttributeName::EnableDnsSupport);
        probes.push(read_dry!("DescribeVpcAttribute", request));
    }
    if let Some(list) = &things.list {
        let request = ec2.get_managed_prefix_list_entries().prefix_list_id(list);
        probes.push(read_dry!("GetManagedPrefixListEntries", request));
    }
    probes
}

/// The changes that a repair can make, each as a dry run; where EC2 has none, or there is nothing
/// to ask about, nothing.
async fn writes(ec2: &Client, region: &str, things: &Things) -> Vec<Probe> {
    let mut probes = Vec::new();
    for operation in Operation::ALL {
        if let Some(answer) = dry_run(ec2, region, *operation, things).await {
            probes.push((format!("ec2:{operation}"), answer));
        }
    }
    probes
}

/// The trails that cover the Region, those of other Regions and of the organization included.
async fn trails(clients: &Clients) -> Result<Vec<Trail>, CallError> {
    const OPERATION: &str = "DescribeTrails";
    let cloudtrail = aws_sdk_cloudtrail::Client::new(clients.config());
    let answer = on_heap(cloudtrail.describe_trails().include_shadow_trails(true).send()).await;
    let listed = answer.map_err(|error| failed(OPERATION, &error))?.trail_list.unwrap_or_default();
    let mut trails = Vec::new();
    for trail in listed {
        let Some(name) = trail.trail_arn.or(trail.name) else { continue };
        let status = on_heap(cloudtrail.get_trail_status().name(&name).send()).await;
        let selectors = on_heap(cloudtrail.get_event_selectors().trail_name(&name).send()).await;
        trails.push(Trail {
            is_logging: status
                .map(|status| status.is_logging.unwrap_or_default())
                .map_err(|error| failed("GetTrailStatus", &error)),
            selectors: selectors
                .map(|all| {
                    let basic = all.event_selectors.unwrap_or_default();
                    let advanced = all.advanced_event_selectors.unwrap_or_default();
                    basic
                        .iter()
                        .map(basic_selector)
                        .chain(advanced.iter().map(advanced_selector))
                        .collect()
                })
                .map_err(|error| failed("GetEventSelectors", &error)),
            name,
        });
    }
    Ok(trails)
}

/// What CloudTrail leaves out of a selector is its default: management events, read and write.
fn basic_selector(selector: &EventSelector) -> Selector {
    let writes = match &selector.read_write_type {
        None | Some(ReadWriteType::All | ReadWriteType::WriteOnly) => true,
        Some(_) => false,
    };
    Selector::Basic { management: selector.include_management_events.unwrap_or(true), writes }
}

fn advanced_selector(selector: &AdvancedEventSelector) -> Selector {
    let field = |field: &aws_sdk_cloudtrail::types::AdvancedFieldSelector| FieldSelector {
        field: field.field.clone().into(),
        equals: field.equals.clone().unwrap_or_default(),
        not_equals: field.not_equals.clone().unwrap_or_default(),
    };
    Selector::Advanced(selector.field_selectors.iter().map(field).collect())
}

async fn rule(clients: &Clients, stack: &str) -> Lookup<SeenRule> {
    let events = aws_sdk_eventbridge::Client::new(clients.config());
    let answer = on_heap(events.list_rules().name_prefix(doctor::RULE.prefix(stack)).send()).await;
    let rules = answer.map_err(|error| failed("ListRules", &error))?.rules.unwrap_or_default();
    let Some(rule) = rules.into_iter().next() else { return Ok(None) };
    let Some(name) = rule.name else {
        return Err(unreadable("ListRules", "the rule's name is missing"));
    };
    let answer = on_heap(events.list_targets_by_rule().rule(&name).send()).await;
    let targets =
        answer.map_err(|error| failed("ListTargetsByRule", &error))?.targets.unwrap_or_default();
    Ok(Some(SeenRule {
        state: rule.state.map(|state| RuleState::from(state.as_str())),
        targets: targets.into_iter().map(|target| Target::from(target.arn)).collect(),
        name,
    }))
}

async fn queues(clients: &Clients, stack: &str) -> Vec<Check> {
    let sqs = aws_sdk_sqs::Client::new(clients.config());
    let mut checks = vec![doctor::queue(stack, &messages(&sqs, doctor::QUEUE, stack).await)];
    for part in doctor::DEAD_LETTERS {
        checks.push(doctor::dead_letters(part, stack, &messages(&sqs, part, stack).await));
    }
    checks
}

/// How many messages are in a queue, roughly.
async fn messages(sqs: &aws_sdk_sqs::Client, part: Part, stack: &str) -> Lookup<u64> {
    const COUNT: QueueAttributeName = QueueAttributeName::ApproximateNumberOfMessages;
    let answer = on_heap(sqs.list_queues().queue_name_prefix(part.prefix(stack)).send()).await;
    let urls = answer.map_err(|error| failed("ListQueues", &error))?.queue_urls.unwrap_or_default();
    let Some(url) = urls.into_iter().next() else { return Ok(None) };
    let answer =
        on_heap(sqs.get_queue_attributes().queue_url(url).attribute_names(COUNT).send()).await;
    let attributes = answer
        .map_err(|error| failed("GetQueueAttributes", &error))?
        .attributes
        .unwrap_or_default();
    let count = attributes.get(&COUNT).and_then(|count| count.parse().ok());
    count
        .map(Some)
        .ok_or_else(|| unreadable("GetQueueAttributes", "the number of messages is missing"))
}

/// The stack's table.
async fn table(clients: &Clients, stack: &str) -> Vec<Check> {
    let name = match Stack::new(clients, stack).table().await {
        Ok(name) => name,
        Err(NoPart::NotThere { .. }) => return doctor::table(stack, &Ok(None)),
        Err(NoPart::NotRead { error, .. }) => return doctor::table(stack, &Err(error)),
        Err(several @ NoPart::Several { .. }) => {
            return vec![Check::new(doctor::TABLE, State::CannotTell, several.to_string())];
        }
    };
    let dynamodb = aws_sdk_dynamodb::Client::new(clients.config());
    let expires = on_heap(dynamodb.describe_time_to_live().table_name(&name).send()).await;
    let backups = on_heap(dynamodb.describe_continuous_backups().table_name(&name).send()).await;
    let seen = SeenTable {
        expires: expires
            .map(|seen| seen.time_to_live_description.is_some_and(|it| is_on(&it)))
            .map_err(|error| failed("DescribeTimeToLive", &error)),
        is_restorable: backups
            .map(|seen| {
                let of = seen.continuous_backups_description;
                let of = of.and_then(|of| of.point_in_time_recovery_description);
                let status = of.and_then(|of| of.point_in_time_recovery_status);
                status == Some(PointInTimeRecoveryStatus::Enabled)
            })
            .map_err(|error| failed("DescribeContinuousBackups", &error)),
        name,
    };
    doctor::table(stack, &Ok(Some(seen)))
}

/// Whether what has expired is deleted, by the attribute that the table's items have for it.
fn is_on(of: &TimeToLiveDescription) -> bool {
    let is_on = matches!(
        of.time_to_live_status,
        Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)
    );
    is_on && of.attribute_name.as_deref() == Some("expires")
}

/// The topic's subscriptions.
async fn subscriptions(clients: &Clients, stack: &str) -> Lookup<Vec<Subscription>> {
    let sns = aws_sdk_sns::Client::new(clients.config());
    let prefix = doctor::TOPIC.prefix(stack);
    let mut pages = sns.list_topics().into_paginator().items().send();
    let topic = loop {
        let Some(topic) = on_heap(pages.next()).await else { return Ok(None) };
        let arn =
            topic.map_err(|error| failed("ListTopics", &error))?.topic_arn.unwrap_or_default();
        if arn.rsplit(':').next().is_some_and(|name| name.starts_with(&prefix)) {
            break arn;
        }
    };
    let mut pages =
        sns.list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
    let mut subscriptions = Vec::new();
    while let Some(subscription) = on_heap(pages.next()).await {
        let arn = subscription
            .map_err(|error| failed("ListSubscriptionsByTopic", &error))?
            .subscription_arn;
        subscriptions.extend(arn.map(Subscription::from));
    }
    Ok(Some(subscriptions))
}
