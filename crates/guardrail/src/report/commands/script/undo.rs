//! What a run did, undone, as one text for a shell.

use super::{attribute_words, command, no_such_route, quoted, route_words, say, subshell, through};
use crate::cloud::Applied;
use crate::ec2::change::Action;
use crate::ec2::id::{Scope, SecurityGroupId};
use crate::plan::{GroupRef, StepId};
use crate::report::commands::words::{Words, target_option, undoing};

/// A step that a run took.
pub type Taken<'a> = (StepId, &'a Action<GroupRef>, &'a Applied);

/// What was done, undone, as one text to paste into a shell; `None` where there is nothing to undo.
///
/// Routes are put back first, and seen to be there before anything that was made is taken away. The
/// rest is undone last step first, since what was made later may need what was made before.
pub fn undo_script(
    taken: &[Taken<'_>],
    scope: &Scope,
    group: impl Fn(&GroupRef) -> Option<SecurityGroupId>,
) -> Option<String> {
    let is_route = |(_, action, _): &&Taken<'_>| matches!(action, Action::DeleteRoute { .. });
    let (routes, others): (Vec<&Taken<'_>>, Vec<&Taken<'_>>) =
        taken.iter().rev().partition(is_route);
    let mut body = Vec::new();
    for (id, action, applied) in routes.into_iter().chain(others) {
        if let Some(words) = undoing(action, applied, &group) {
            body.push(say(&format!("undo step {id}: {action}")));
            body.extend(undo(action, applied, words));
        }
    }
    (!body.is_empty()).then(|| subshell(scope, &body))
}

fn undo(action: &Action<GroupRef>, applied: &Applied, words: Words) -> Vec<String> {
    match action {
        Action::DeleteRoute { table, destination, target } => {
            let Some(route) = route_words(table, destination) else {
                return vec![no_such_route(table, destination)];
            };
            let to = [target_option(target).to_owned(), quoted(target.as_str())];
            vec![command(["gr_put_back".to_owned()].into_iter().chain(route).chain(to))]
        }
        Action::EnableVpcDns { attribute, .. } => vec![
            through(["gr_change", "''"], words, None),
            format!("gr_until gr_attribute {} False", attribute_words(*attribute)),
        ],
        Action::CreateEndpoint { .. } => {
            let query = quoted("length(Unsuccessful || `[]`)");
            let mut lines = vec![through(["gr_change", "0"], words, Some(&query))];
            if let Applied::CreatedEndpoint(id) = applied {
                lines.push(format!("gr_until gr_gone {}", quoted(id.as_str())));
            }
            lines
        }
        Action::AuthorizeHttps { .. } | Action::ModifyEndpoint { .. } => {
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
        Action::DisablePublicIpOnLaunch { .. } => {
            vec![through(["gr_change", "''"], words, None)]
        }
    }
}
