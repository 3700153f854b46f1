//! What the doctor asks AWS; what the answers mean is the core's to say. Nothing here changes anything: calls that would
//! are made as dry runs, and only where a dry run is known to be taken for one.

use aws_sdk_cloudtrail::types::{AdvancedEventSelector, EventSelector, ReadWriteType};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification, VpcAttributeName};
use aws_sdk_sqs::types::QueueAttributeName;
use guardrail::baseline::ManagedVpcs;
use guardrail::cloud::CallError;
use guardrail::ec2::change::{CREATED_TAG, GROUP_NAME, created_tags};
use guardrail::report::doctor::{self, Check, FieldSelector, Lookup, Part, SeenRule, Selector, State, Trail};

use crate::ec2::read::{self, filter};
use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap};

/// Looks at everything the guardrail needs, in the order in which a person would mend it. Of the stack, the parts are found
/// by the names that CloudFormation gives them.
pub async fn examine(clients: &Clients, stack: &str, managed: &ManagedVpcs) -> Vec<Check> {
    let identity = doctor::identity(&clients.account().await);
    if identity.state != State::Fine {
        return vec![identity];
    }
    let (permissions, trails, rule, queues, subscriptions) = tokio::join!(
        on_heap(permissions(clients, managed)),
        on_heap(trails(clients)),
        on_heap(rule(clients, stack)),
        on_heap(queues(clients, stack)),
        on_heap(subscriptions(clients, stack)),
    );
    let mut checks = vec![identity];
    checks.extend(permissions);
    checks.push(doctor::trail(&trails));
    checks.extend(doctor::rule(stack, &rule));
    checks.extend(queues);
    checks.push(doctor::topic(stack, &subscriptions));
    checks.push(Check::new(
        "functions sweep and repair",
        State::CannotTell,
        "no call here asks for them; the stack's alarms say when they fail, or when no sweep has ended well",
    ));
    checks
}

/// The action and EC2's answer to its dry run.
type Probe = (&'static str, Result<(), CallError>);

macro_rules! dry_run {
    ($operation:literal, $request:expr) => {{
        let answer = on_heap($request.dry_run(true).send()).await;
        (concat!("ec2:", $operation), answer.map(drop).map_err(|error| failed($operation, &error)))
    }};
}

async fn permissions(clients: &Clients, managed: &ManagedVpcs) -> Vec<Check> {
    let ec2 = Client::new(clients.config());
    let things = Things::find(&ec2, managed).await;
    let mut probes = reads(&ec2).await;
    probes.extend(reads_of(&ec2, &things).await);
    // AWS answers every dry run with an error. A stand-in that succeeds has no dry runs, and would make the changes.
    let obeyed = probes.iter().all(|(_, answer)| answer.is_err());
    if obeyed {
        probes.extend(writes(&ec2, clients.region().as_str(), &things).await);
    }
    let mut checks: Vec<Check> = probes.iter().map(|(action, answer)| doctor::permission(action, answer)).collect();
    let not_asked = crate::permissions::OBSERVE
        .iter()
        .chain(crate::permissions::RESOLVE)
        .chain(crate::permissions::WRITE)
        .filter(|action| probes.iter().all(|(asked, _)| asked != *action));
    let mut not_asked: Vec<&str> = not_asked.copied().collect();
    not_asked.sort_unstable();
    not_asked.dedup();
    checks.extend(not_asked.into_iter().map(|action| Check::new(action, State::CannotTell, why_not(action, obeyed))));
    checks
}

/// Why an action was not asked about.
fn why_not(action: &str, dry_runs_are_obeyed: bool) -> &'static str {
    match action {
        "ec2:ModifyVpcAttribute" => "EC2 has no dry run of it",
        "ec2:CreateTags" => "checked along with CreateSecurityGroup and CreateVpcEndpoint, which set tags",
        "route53:AssociateVPCWithHostedZone" => "checked by AWS along with CreateVpcEndpoint, and only when it is made",
        _ if !dry_runs_are_obeyed => "whatever answers here makes dry runs for real, so it was not asked",
        _ => "there is nothing in the VPC to ask about",
    }
}

/// Things that are there, for dry runs that must name one: what is not there is an error of its own.
#[derive(Debug, Default)]
struct Things {
    vpc: Option<String>,
    table: Option<String>,
    endpoint: Option<String>,
    group: Option<String>,
    list: Option<String>,
}

impl Things {
    /// Those of a managed VPC if there is one, because a policy may be bound to its tag.
    async fn find(ec2: &Client, managed: &ManagedVpcs) -> Self {
        let vpcs = read::vpcs(ec2, &[]).await.unwrap_or_default();
        let lists = read::prefix_lists(ec2, &[]).await.unwrap_or_default();
        let list = lists.into_iter().next().map(|list| list.prefix_list_id.into());
        let Some(vpc) = vpcs.iter().find(|vpc| managed.matches(&vpc.tags)).or(vpcs.first()) else {
            return Self { list, ..Self::default() };
        };
        let within = [filter("vpc-id", [vpc.vpc_id.as_str()])];
        let (tables, endpoints, groups) = tokio::join!(
            read::route_tables(ec2, &within),
            read::vpc_endpoints(ec2, &within),
            read::security_groups(ec2, &within),
        );
        let groups = groups.unwrap_or_default();
        let ours = |tag: &guardrail::ec2::world::Tag| (tag.key.as_str(), tag.value.as_str()) == CREATED_TAG;
        let group = groups.iter().find(|group| group.tags.iter().any(ours)).or(groups.first());
        Self {
            vpc: Some(vpc.vpc_id.to_string()),
            table: tables.unwrap_or_default().into_iter().next().map(|table| table.route_table_id.into()),
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
        dry_run!("DescribeEgressOnlyInternetGateways", ec2.describe_egress_only_internet_gateways()),
        dry_run!("DescribeInternetGateways", ec2.describe_internet_gateways()),
        dry_run!("DescribeManagedPrefixLists", ec2.describe_managed_prefix_lists()),
        dry_run!("DescribeNatGateways", ec2.describe_nat_gateways()),
        dry_run!("DescribeNetworkInterfaces", ec2.describe_network_interfaces()),
        dry_run!("DescribePrefixLists", ec2.describe_prefix_lists()),
        dry_run!("DescribeRouteTables", ec2.describe_route_tables()),
        dry_run!("DescribeSecurityGroups", ec2.describe_security_groups()),
        dry_run!("DescribeSubnets", ec2.describe_subnets()),
        dry_run!("DescribeVpcEndpointServices", ec2.describe_vpc_endpoint_services()),
        dry_run!("DescribeVpcEndpoints", ec2.describe_vpc_endpoints()),
        dry_run!("DescribeVpcs", ec2.describe_vpcs()),
    ]
}

async fn reads_of(ec2: &Client, things: &Things) -> Vec<Probe> {
    let mut probes = Vec::new();
    if let Some(vpc) = &things.vpc {
        let request = ec2.describe_vpc_attribute().vpc_id(vpc).attribute(VpcAttributeName::EnableDnsSupport);
        probes.push(dry_run!("DescribeVpcAttribute", request));
    }
    if let Some(list) = &things.list {
        let request = ec2.get_managed_prefix_list_entries().prefix_list_id(list);
        probes.push(dry_run!("GetManagedPrefixListEntries", request));
    }
    probes
}

/// The calls as a repair would make them, save that they would change nothing that anybody uses: a route to a documentation
/// block (RFC 5737), an endpoint modified by nothing.
async fn writes(ec2: &Client, region: &str, things: &Things) -> Vec<Probe> {
    let mut probes = Vec::new();
    if let Some(vpc) = &things.vpc {
        let group = ec2.create_security_group().vpc_id(vpc).group_name(GROUP_NAME).description("dry run");
        probes.push(dry_run!("CreateSecurityGroup", group.tag_specifications(tags(ResourceType::SecurityGroup))));
        let endpoint = ec2.create_vpc_endpoint().vpc_id(vpc).service_name(format!("com.amazonaws.{region}.s3"));
        probes.push(dry_run!("CreateVpcEndpoint", endpoint.tag_specifications(tags(ResourceType::VpcEndpoint))));
    }
    if let Some(group) = &things.group {
        let https = crate::ec2::apply::https_from(&["192.0.2.0/32".into()]);
        let request = ec2.authorize_security_group_ingress().group_id(group).ip_permissions(https);
        probes.push(dry_run!("AuthorizeSecurityGroupIngress", request));
    }
    if let Some(endpoint) = &things.endpoint {
        probes.push(dry_run!("ModifyVpcEndpoint", ec2.modify_vpc_endpoint().vpc_endpoint_id(endpoint)));
    }
    if let Some(table) = &things.table {
        let request = ec2.delete_route().route_table_id(table).destination_cidr_block("192.0.2.0/32");
        probes.push(dry_run!("DeleteRoute", request));
    }
    probes
}

fn tags(resource: ResourceType) -> TagSpecification {
    let tags = created_tags(GROUP_NAME).into_iter().map(|tag| Tag::builder().key(tag.key).value(tag.value).build());
    TagSpecification::builder().resource_type(resource).set_tags(Some(tags.collect())).build()
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
                    basic.iter().map(basic_selector).chain(advanced.iter().map(advanced_selector)).collect()
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
        field: field.field.clone(),
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
    let name = rule.name.unwrap_or_default();
    let answer = on_heap(events.list_targets_by_rule().rule(&name).send()).await;
    let targets = answer.map_err(|error| failed("ListTargetsByRule", &error))?.targets.unwrap_or_default();
    Ok(Some(SeenRule {
        state: rule.state.map(|state| state.as_str().to_owned()).unwrap_or_default(),
        targets: targets.into_iter().map(|target| target.arn).collect(),
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
    let answer = on_heap(sqs.get_queue_attributes().queue_url(url).attribute_names(COUNT).send()).await;
    let attributes = answer.map_err(|error| failed("GetQueueAttributes", &error))?.attributes.unwrap_or_default();
    let count = attributes.get(&COUNT).and_then(|count| count.parse().ok());
    count
        .map(Some)
        .ok_or_else(|| crate::sdk::sdk_errors::unreadable("GetQueueAttributes", "the number of messages is missing"))
}

/// The ARNs of the topic's subscriptions.
async fn subscriptions(clients: &Clients, stack: &str) -> Lookup<Vec<String>> {
    let sns = aws_sdk_sns::Client::new(clients.config());
    let prefix = doctor::TOPIC.prefix(stack);
    let mut pages = sns.list_topics().into_paginator().items().send();
    let topic = loop {
        let Some(topic) = on_heap(pages.next()).await else { return Ok(None) };
        let arn = topic.map_err(|error| failed("ListTopics", &error))?.topic_arn.unwrap_or_default();
        if arn.rsplit(':').next().is_some_and(|name| name.starts_with(&prefix)) {
            break arn;
        }
    };
    let mut pages = sns.list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
    let mut subscriptions = Vec::new();
    while let Some(subscription) = on_heap(pages.next()).await {
        let arn = subscription.map_err(|error| failed("ListSubscriptionsByTopic", &error))?.subscription_arn;
        subscriptions.extend(arn);
    }
    Ok(Some(subscriptions))
}
