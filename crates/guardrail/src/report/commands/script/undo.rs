//! What a run did, undone, as one text for a shell.

use super::{attribute_words, command, no_such_route, quoted, route_words, say, subshell, through};
use crate::cloud::Applied;
use crate::ec2::change::Action;
use crate::ec2::id::{Scope, SecurityGroupId};
use crate::plan::{GroupRef, StepId};
use crate::report::commands::words::{Words, target_option, undoing};
use crate::rules::repair::RouteRemoval;

/// A step that a run took.
pub type Taken<'a> = (StepId, &'a Action<GroupRef>, &'a Applied);

/// What was done, undone, as one text to paste into a shell; `None` where there is nothing to undo.
///
/// Routes are put back first. The rest is undone last step first, since what was made later may need
/// what was made before; and each time only after every route at stake was seen to be there, whichever
/// run removed it: without it, what is taken away is what serves in its place.
pub fn undo_script(
    taken: &[Taken<'_>],
    at_stake: &[RouteRemoval],
    scope: &Scope,
    group: impl Fn(&GroupRef) -> Option<SecurityGroupId>,
) -> Option<String> {
    let is_route = |(_, action, _): &&Taken<'_>| matches!(action, Action::DeleteRoute { .. });
    let (routes, others): (Vec<&Taken<'_>>, Vec<&Taken<'_>>) =
        taken.iter().rev().partition(is_route);
    let mut body = Vec::new();
    for (id, action, applied) in routes {
        body.extend(undo(*id, action, applied, &group));
    }
    let lines: Vec<String> = others
        .into_iter()
        .flat_map(|(id, action, applied)| undo(*id, action, applied, &group))
        .collect();
    if lines.iter().any(|line| line.starts_with(TAKE)) {
        body.extend(standing(at_stake));
    }
    body.extend(lines);
    (!body.is_empty()).then(|| subshell(scope, &body))
}

/// How what other routes may count on is taken away.
const TAKE: &str = "gr_take";

/// The function that says whether every route at stake is there.
fn standing(at_stake: &[RouteRemoval]) -> Vec<String> {
    let lines = at_stake.iter().map(|RouteRemoval { table, destination, target, .. }| {
        match route_words(table, destination) {
            Some([family, table, to]) => {
                format!("  gr_stands {family} {table} {to} {} &&", quoted(target.as_str()))
            }
            None => format!("  {} &&", no_such_route(table, destination)),
        }
    });
    let ends = |line: &str| std::iter::once(line.to_owned());
    ends("gr_standing() {").chain(lines).chain(ends("  :")).chain(ends("}")).collect()
}

/// The lines that undo a step; none where there is nothing to undo.
fn undo(
    id: StepId,
    action: &Action<GroupRef>,
    applied: &Applied,
    group: impl Fn(&GroupRef) -> Option<SecurityGroupId>,
) -> Vec<String> {
    let Some(words) = undoing(action, applied, group) else { return Vec::new() };
    let mut lines = vec![say(&format!("undo step {id}: {action}"))];
    lines.extend(commands(action, applied, words));
    lines
}

fn commands(action: &Action<GroupRef>, applied: &Applied, words: Words) -> Vec<String> {
    match action {
        Action::DeleteRoute { table, destination, target } => {
            let Some(route) = route_words(table, destination) else {
                return vec![no_such_route(table, destination)];
            };
            let to = [target_option(target).to_owned(), quoted(target.as_str())];
            vec![command(["gr_put_back".to_owned()].into_iter().chain(route).chain(to))]
        }
        Action::EnableVpcDns { attribute, .. } => vec![
            through([TAKE, "gr_change", "''"], words, None),
            format!("gr_until gr_attribute {} False", attribute_words(*attribute)),
        ],
        Action::CreateEndpoint { .. } => {
            let query = quoted("length(Unsuccessful || `[]`)");
            let mut lines = vec![through([TAKE, "gr_change", "0"], words, Some(&query))];
            if let Applied::CreatedEndpoint(id) = applied {
                lines.push(format!("gr_until gr_gone {}", quoted(id.as_str())));
            }
            lines
        }
        Action::AuthorizeHttps { .. }
        | Action::ModifyEndpoint { .. }
        | Action::SetEndpointPolicy { .. } => {
            vec![through([TAKE, "gr_change", "True"], words, Some("Return"))]
        }
        Action::RevokeIngress { .. } => {
            vec![through(["gr_change", "True"], words, Some("Return"))]
        }
        // AWS keeps a group that an interface still uses, as one does for a while after its endpoint
        // was changed or deleted. Older versions of the AWS CLI print nothing for the deletion.
        Action::CreateSecurityGroup { .. } => {
            let mut lines = Vec::new();
            if let Applied::CreatedGroup(id) = applied {
                lines.push(format!("gr_until gr_unused {}", quoted(id.as_str())));
            }
            lines.push(through(["gr_call"], words, None));
            lines
        }
        Action::StopAutomaticAddress { interface, .. } => vec![
            say(&format!(
                "what {interface} gets is another address: the one it had is gone for good"
            )),
            through(["gr_change", "''"], words, None),
        ],
        Action::DisassociateAddress { .. } => vec![through(["gr_call"], words, None)],
        Action::DisablePublicIpOnLaunch { .. } => {
            vec![through(["gr_change", "''"], words, None)]
        }
    }
}
