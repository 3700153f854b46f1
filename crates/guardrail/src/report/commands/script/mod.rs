//! A plan as one text for a shell: everything in parentheses, which the shell reads to the end
//! before it runs the first command, so that what came over in part does nothing.

mod helpers;
mod undo;

use std::time::Duration;

use crate::analysis::required_service::EndpointKind;
use crate::baseline::{Remove, Settling};
use crate::ec2::change::{Action, DnsAttribute, NewEndpoint, PrivateDns};
use crate::ec2::id::{RouteTableId, Scope, ServiceName, SubnetId};
use crate::ec2::route_target::RouteTarget;
use crate::ec2::world::Destination;
use crate::history::Premise;
use crate::plan::reliance::{EndpointRef, Reliance, Reliances};
use crate::plan::{Condition, GroupRef, Hold, Plan, Step, StepId, Task};
use crate::report::commands::words::{Words, call, quoted, said};

pub use self::undo::{Taken, undo_script};

/// The steps of a plan, whatever their modes and limits, as one text to paste into a shell; `None`
/// for a plan without steps.
///
/// It waits where the plan waits; and before the first deletion as long as the baseline says, where
/// something that the deletion rests on was changed by the script or a short while ago. Deletions come last, except under `remove: immediately`, and each looks
/// first whether the route and the endpoints are still what they were judged to be.
pub fn script(
    plan: &Plan,
    reliances: &Reliances,
    scope: &Scope,
    settling: Settling,
) -> Option<String> {
    if plan.steps.is_empty() {
        return None;
    }
    let deletes = |step: &&Step| matches!(step.task, Task::Change(Action::DeleteRoute { .. }));
    let (deletions, others): (Vec<&Step>, Vec<&Step>) = plan.steps.iter().partition(deletes);
    let is_later = |step: &Step| !deletions.is_empty() && sets_policy(step);
    let lines = |steps: &[&Step]| -> Vec<String> {
        let of = |step: &&Step| match is_later(step) {
            true => vec![say(&format!("step {} is for later: {}", step.id, Hold::RoutesFirst))],
            false => step_lines(step, plan, reliances),
        };
        steps.iter().flat_map(of).collect()
    };
    let mut body: Vec<String> = Vec::new();
    match reliances.remove {
        Remove::Immediately => {
            if !deletions.is_empty() {
                body.push("gr_relied_on() { :; }".to_owned());
                body.push(say(
                    "the baseline says `immediately`: routes may go before endpoints come",
                ));
            }
            body.extend(lines(&plan.steps.iter().collect::<Vec<_>>()));
        }
        Remove::AfterEndpoints => {
            body.extend(lines(&others));
            if !deletions.is_empty() {
                let settle = to_settle(plan, &deletions, settling);
                if !settle.is_zero() {
                    let seconds = settle.as_secs();
                    body.push(format!("gr_settle \"${{GUARDRAIL_SETTLE_SECONDS:-{seconds}}}\""));
                }
                body.extend(relied_on(&deletions, reliances));
                body.extend(lines(&deletions));
            }
        }
    }
    Some(subshell(scope, &body))
}

/// Whether the step sets the policy of an endpoint, which no run does that also takes a route away.
fn sets_policy(step: &Step) -> bool {
    matches!(step.task, Task::Change(Action::SetEndpointPolicy { .. }))
}

/// The body in parentheses, with the functions that it calls, after account, Region and VPC were
/// asked for.
fn subshell(scope: &Scope, body: &[String]) -> String {
    let body = body.join("\n");
    let (vpc, region) = (quoted(scope.vpc.as_str()), quoted(scope.region.as_str()));
    let account = quoted(scope.account.as_str());
    let (base, called) = (helpers::BASE, helpers::called_by(&body));
    format!(
        "( set -eu\ngr_vpc={vpc} gr_region={region}\n{base}{called}gr_begin {account}\n{body}\n{}\n)\n",
        say("done")
    )
}

fn say(text: &str) -> String {
    format!("gr_say {}", said(text))
}

/// Words as a command, over as many lines as it takes to keep them short.
fn command(words: impl IntoIterator<Item = String>) -> String {
    const WIDTH: usize = 78;
    let (mut text, mut column) = (String::new(), 0);
    for word in words.into_iter().map(|word| folded(&word)) {
        if column == 0 {
            column = word.len();
        } else if column + 1 + word.len() > WIDTH {
            text.push_str(" \\\n  ");
            column = 2 + word.len();
        } else {
            text.push(' ');
            column += 1 + word.len();
        }
        text.push_str(&word);
    }
    text
}

/// A long word in quotes over several lines: terminals cut a line that is pasted at some 4,000 bytes,
/// and an endpoint's policy may have 20,480
/// (docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html). A shell joins what stands
/// side by side, and a backslash takes the end of its line away.
fn folded(word: &str) -> String {
    const LONG: usize = 400;
    const CHUNK: usize = 70;
    let parts = word.split_once('\'').and_then(|(start, rest)| {
        let (text, end) = rest.rsplit_once('\'')?;
        Some((start, text, end))
    });
    match parts.filter(|_| word.len() > LONG && word.is_ascii()) {
        Some((start, text, end)) => {
            let chunks: Vec<String> = text
                .as_bytes()
                .chunks(CHUNK)
                .map(|chunk| String::from_utf8_lossy(chunk).into_owned())
                .collect();
            format!("{start}'{}'{end}", chunks.join("'\\\n'"))
        }
        None => word.to_owned(),
    }
}

/// A call through one of the functions, whose answer is what the query asks for.
fn through<const N: usize>(helper: [&str; N], words: Words, query: Option<&str>) -> String {
    let helper = helper.into_iter().map(str::to_owned);
    let query = query.into_iter().flat_map(|query| ["--query".to_owned(), query.to_owned()]);
    command(helper.chain(words.0).chain(query))
}

fn step_lines(step: &Step, plan: &Plan, reliances: &Reliances) -> Vec<String> {
    let mut lines = vec![say(&format!("step {}: {}", step.id, step.task))];
    match &step.task {
        Task::Change(action) => lines.extend(change(step, action)),
        Task::Await(Condition::Gone { endpoint }) => {
            lines.push(format!("gr_until gr_gone {}", quoted(endpoint.as_str())));
        }
        Task::Await(Condition::Ready { service, tables, private_dns, .. }) => {
            let endpoint = reliances.awaited.get(&step.id);
            lines.extend(ready(service, tables, *private_dns, plan, endpoint));
        }
    }
    lines
}

fn change(step: &Step, action: &Action<GroupRef>) -> Vec<String> {
    let id = step.id;
    let words = call(action, |group| match group {
        GroupRef::Existing(id) => quoted(id.as_str()),
        GroupRef::MadeBy(step) => format!("\"$GROUP_{step}\""),
    });
    match action {
        Action::EnableVpcDns { attribute, .. } => vec![
            through(["gr_change", "''"], words, None),
            format!("gr_until gr_attribute {} True", attribute_words(*attribute)),
        ],
        Action::CreateSecurityGroup { .. } => vec![
            through(["gr_make", &format!("GROUP_{id}"), "sg-"], words, Some("GroupId")),
            format!("gr_until gr_group \"$GROUP_{id}\""),
        ],
        Action::CreateEndpoint { .. } => {
            let variable = format!("ENDPOINT_{id}");
            let query = Some("VpcEndpoint.VpcEndpointId");
            vec![through(["gr_make", &variable, "vpce-"], words, query)]
        }
        Action::AuthorizeHttps { .. }
        | Action::RevokeIngress { .. }
        | Action::SetEndpointPolicy { .. }
        | Action::ModifyEndpoint { .. } => {
            vec![through(["gr_change", "True"], words, Some("Return"))]
        }
        Action::DeleteRoute { table, destination, target } => {
            vec![delete(table, destination, target)]
        }
        Action::StopAutomaticAddress { .. } | Action::DisassociateAddress { .. } => {
            vec![through(["gr_change", "''"], words, None)]
        }
        Action::DisablePublicIpOnLaunch { subnet } => vec![
            through(["gr_change", "''"], words, None),
            format!("gr_until gr_no_public_ip {}", quoted(subnet.as_str())),
        ],
    }
}

fn attribute_words(attribute: DnsAttribute) -> &'static str {
    match attribute {
        DnsAttribute::Support => "enableDnsSupport EnableDnsSupport",
        DnsAttribute::Hostnames => "enableDnsHostnames EnableDnsHostnames",
    }
}

fn delete(table: &RouteTableId, destination: &Destination, target: &RouteTarget) -> String {
    match route_words(table, destination) {
        Some(words) => {
            let target = quoted(target.as_str());
            command(["gr_delete".to_owned()].into_iter().chain(words).chain([target]))
        }
        None => no_such_route(table, destination),
    }
}

/// How a script names a route: the kind of destination, the table, the destination. `None` for a
/// destination that cannot stand in a query.
fn route_words(table: &RouteTableId, destination: &Destination) -> Option<[String; 3]> {
    let family = match destination {
        Destination::CidrBlock(_) => "v4",
        Destination::Ipv6CidrBlock(_) => "v6",
        Destination::PrefixList(_) => "pl",
    };
    let to = destination.to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".:/-".contains(c);
    to.chars().all(is_plain).then(|| [family.to_owned(), quoted(table.as_str()), quoted(&to)])
}

fn no_such_route(table: &RouteTableId, destination: &Destination) -> String {
    format!("gr_stop {}", said(&format!("no script can name {destination} of {table}")))
}

/// What is waited for until the endpoint of a service is ready.
fn ready(
    service: &ServiceName,
    tables: &[RouteTableId],
    private_dns: bool,
    plan: &Plan,
    endpoint: Option<&EndpointRef>,
) -> Vec<String> {
    let Some(awaited) = endpoint else {
        let unknown = format!("no endpoint is known for {service}: plan again");
        return vec![format!("gr_stop {}", said(&unknown))];
    };
    let endpoint = endpoint_word(awaited);
    let mut lines = vec![format!("gr_until {}", works(service, awaited, private_dns))];
    lines.extend(tables.iter().map(|table| format!("gr_until {}", leads(table, &endpoint))));
    let subnets = subnets_given(plan, awaited);
    if !subnets.is_empty() {
        let list: Vec<String> = subnets.iter().map(|subnet| format!("\"{subnet}\"")).collect();
        let list = quoted(&format!("[{}]", list.join(",")));
        let words = ["gr_until", "gr_in_subnets", &endpoint, &list, &subnets.len().to_string()];
        lines.push(command(words.map(str::to_owned)));
    }
    lines
}

/// The subnets in which the plan gives an endpoint interfaces.
fn subnets_given<'p>(plan: &'p Plan, wanted: &EndpointRef) -> Vec<&'p SubnetId> {
    let given = plan.steps.iter().filter_map(|step| match (&step.task, wanted) {
        (
            Task::Change(Action::CreateEndpoint {
                kind: NewEndpoint::Interface { subnets, .. },
                ..
            }),
            EndpointRef::MadeBy(id),
        ) if step.id == *id => Some(subnets),
        (
            Task::Change(Action::ModifyEndpoint { endpoint, add_subnets, .. }),
            EndpointRef::Existing(id),
        ) if endpoint == id => Some(add_subnets),
        (Task::Change(_) | Task::Await(_), _) => None,
    });
    given.flatten().collect()
}

fn endpoint_word(endpoint: &EndpointRef) -> String {
    match endpoint {
        EndpointRef::Existing(id) => quoted(id.as_str()),
        EndpointRef::MadeBy(step) => format!("\"$ENDPOINT_{step}\""),
    }
}

fn works(service: &ServiceName, endpoint: &EndpointRef, private_dns: bool) -> String {
    let how = if private_dns { "by-name" } else { "by-route" };
    format!("gr_works {} {} {how}", endpoint_word(endpoint), quoted(service.as_str()))
}

/// The same of an endpoint that is counted on.
fn still_works(reliance: &Reliance) -> String {
    works(&reliance.service, &reliance.endpoint, reliance.private_dns)
}

fn leads(table: &RouteTableId, endpoint: &str) -> String {
    format!("gr_leads {} {endpoint}", quoted(table.as_str()))
}

/// The function that says whether everything that a deletion from a table relies on is there: every
/// interface endpoint, and the table's own gateway endpoints.
fn relied_on(deletions: &[&Step], reliances: &Reliances) -> Vec<String> {
    let mut tables: Vec<&RouteTableId> = Vec::new();
    for step in deletions {
        if let Task::Change(Action::DeleteRoute { table, .. }) = &step.task
            && !tables.contains(&table)
        {
            tables.push(table);
        }
    }
    let mut lines = vec!["gr_relied_on() {".to_owned()];
    // A private name acts only while both DNS attributes of the VPC are on.
    if reliances.endpoints.iter().any(|reliance| reliance.private_dns) {
        let attributes = [DnsAttribute::Support, DnsAttribute::Hostnames].map(attribute_words);
        lines.extend(attributes.map(|words| format!("  gr_attribute {words} True &&")));
    }
    let everywhere = reliances.endpoints.iter().filter(|r| r.kind == EndpointKind::Interface);
    lines.extend(everywhere.map(|reliance| format!("  {} &&", still_works(reliance))));
    lines.push("  case \"$1\" in".to_owned());
    for table in tables {
        lines.push(format!("    ({})", quoted(table.as_str())));
        let own = reliances.for_table(table).filter(|r| r.kind == EndpointKind::Gateway);
        for reliance in own {
            lines.push(format!("      {} &&", still_works(reliance)));
            lines.push(format!("      {} &&", leads(table, &endpoint_word(&reliance.endpoint))));
        }
        lines.push("      :;;".to_owned());
    }
    lines.extend(["    (*) return 1;;".to_owned(), "  esac".to_owned(), "}".to_owned()]);
    lines
}

/// How long what the deletions rest on takes until it acts everywhere; no time where nothing of it is
/// changed by a step that comes before them, and nothing holds them.
fn to_settle(plan: &Plan, deletions: &[&Step], settling: Settling) -> Duration {
    let of_hold = |step: &&Step| match &step.held {
        Some(Hold::Settling { premise, .. } | Hold::NotRemembered { premise }) => match premise {
            Premise::DhcpOptions => settling.dhcp_options(),
            Premise::EndpointName(_)
            | Premise::EndpointPolicy(_)
            | Premise::VpcDns
            | Premise::NetworkAcl(..) => settling.usual(),
        },
        Some(
            Hold::RunLimit
            | Hold::RoutesFirst
            | Hold::Grace { .. }
            | Hold::Pace { .. }
            | Hold::NotProven { .. },
        )
        | None => Duration::ZERO,
    };
    let before = steps_before(plan, deletions);
    let switched = before.into_iter().any(switches_a_name).then(|| settling.usual());
    deletions.iter().map(of_hold).chain(switched).max().unwrap_or_default()
}

/// The steps that these come after, and those that come before them in turn.
fn steps_before<'p>(plan: &'p Plan, steps: &[&Step]) -> Vec<&'p Step> {
    let mut wanted: Vec<StepId> = steps.iter().flat_map(|step| step.after.clone()).collect();
    let mut before: Vec<&Step> = Vec::new();
    // Each step comes after steps with lower numbers.
    for step in plan.steps.iter().rev() {
        if wanted.contains(&step.id) {
            wanted.extend(&step.after);
            before.push(step);
        }
    }
    before
}

/// Whether a name that clients use leads elsewhere after the step.
fn switches_a_name(step: &Step) -> bool {
    match &step.task {
        Task::Change(action) => match action {
            Action::EnableVpcDns { .. } => true,
            Action::CreateEndpoint { kind: NewEndpoint::Interface { private_dns, .. }, .. }
            | Action::ModifyEndpoint { private_dns, .. } => *private_dns != PrivateDns::Off,
            Action::CreateEndpoint { kind: NewEndpoint::Gateway { .. }, .. }
            | Action::CreateSecurityGroup { .. }
            | Action::AuthorizeHttps { .. }
            | Action::RevokeIngress { .. }
            | Action::DeleteRoute { .. }
            | Action::SetEndpointPolicy { .. }
            | Action::DisablePublicIpOnLaunch { .. }
            | Action::StopAutomaticAddress { .. }
            | Action::DisassociateAddress { .. } => false,
        },
        // The endpoint comes up by itself: it was not there for clients before.
        Task::Await(Condition::Ready { private_dns, .. }) => *private_dns && step.after.is_empty(),
        Task::Await(Condition::Gone { .. }) => false,
    }
}

#[cfg(test)]
mod tests;
