//! The AWS CLI commands that do, and undo, what a step does: for the reader of an alert, who has a
//! shell and no patience.
//!
//! [`script`] and [`undo_script`] are for pasting whole. [`of`] and [`undo`] are single commands,
//! written so that one that needs what another makes fails where that is not there.

mod script;
mod words;

use serde_json::{Map, Value, json};

use crate::cloud::Applied;
use crate::ec2::change::Action;
use crate::ec2::id::{Scope, SecurityGroupId};
use crate::plan::{GroupRef, Step, StepId};
use crate::shown::one_line;

pub use self::script::{Taken, script, undo_script};
use self::words::{Words, call, quoted, undoing};

/// The command that does what a step's action does. The group that a step makes is in a variable,
/// which the commands that need it insist on; a deletion that comes after other steps insists on a
/// variable for each that only a person sets.
pub fn of(step: &Step, action: &Action<GroupRef>, scope: &Scope) -> String {
    let id = step.id;
    let words = call(action, |group| match group {
        GroupRef::Existing(id) => quoted(id.as_str()),
        GroupRef::MadeBy(step) => format!("\"${{GROUP_{step}:?take step {step} first}}\""),
    });
    let command = line(&words, scope);
    match action {
        Action::CreateSecurityGroup { .. } => {
            format!("GROUP_{id}=$({command} --query GroupId --output text)")
        }
        Action::DeleteRoute { .. } => after(&step.after, &command),
        Action::EnableVpcDns { .. }
        | Action::AuthorizeHttps { .. }
        | Action::RevokeIngress { .. }
        | Action::CreateEndpoint { .. }
        | Action::ModifyEndpoint { .. }
        | Action::SetEndpointPolicy { .. }
        | Action::DisablePublicIpOnLaunch { .. }
        | Action::StopAutomaticAddress { .. }
        | Action::DisassociateAddress { .. } => command,
    }
}

/// The command, for a shell that was told that each of these steps is done.
fn after(steps: &[StepId], command: &str) -> String {
    if steps.is_empty() {
        return command.to_owned();
    }
    let told = steps.iter().map(|step| {
        format!("\"${{STEP_{step}_DONE:?see that step {step} is done, then set it to yes}}\"")
    });
    format!(": {} && {command}", told.collect::<Vec<_>>().join(" "))
}

/// Whether there are routes that a run deleted, or that one may have deleted since: they have to be
/// there before anything else is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutesAtStake {
    /// There are.
    Yes,
    /// There are none.
    No,
}

/// The command that takes a VPC out of the guardrail's care, by the key of the tag that selects it.
pub fn untag_vpc(key: &str, scope: &Scope) -> String {
    let tag = tag_argument(&[("Key", key)]);
    format!("aws ec2 delete-tags --resources {} --tags {tag} --region {}", scope.vpc, scope.region)
}

/// The command that brings a VPC into the guardrail's care, by the tag that selects it.
pub fn tag_vpc(key: &str, value: &str, scope: &Scope) -> String {
    format!("{} --region {}", tag(scope.vpc.as_str(), key, value), scope.region)
}

/// The command that sets a tag, in the Region that the caller's settings say.
pub fn tag(resource: &str, key: &str, value: &str) -> String {
    let tag = tag_argument(&[("Key", key), ("Value", value)]);
    format!("aws ec2 create-tags --resources {resource} --tags {tag}")
}

/// A tag as the CLI takes it: in its shorthand where that cannot be misread, else as JSON; in
/// quotes that a shell keeps to the letter.
fn tag_argument(fields: &[(&str, &str)]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/".contains(c);
    let text = match fields.iter().all(|(_, text)| text.chars().all(is_plain) && !text.is_empty()) {
        true => {
            let pairs: Vec<String> =
                fields.iter().map(|(name, text)| format!("{name}={text}")).collect();
            pairs.join(",")
        }
        false => {
            let pairs: Map<String, Value> =
                fields.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
            json!([pairs]).to_string()
        }
    };
    format!("'{}'", one_line(&text).replace('\'', r"'\''"))
}

/// The command that undoes an action that was taken; `None` when it was so before, so that there is
/// nothing to undo.
pub fn undo(
    action: &Action<GroupRef>,
    applied: &Applied,
    scope: &Scope,
    routes: RoutesAtStake,
    group: impl Fn(&GroupRef) -> Option<SecurityGroupId>,
) -> Option<String> {
    let command = line(&undoing(action, applied, group)?, scope);
    let is_route = match action {
        Action::DeleteRoute { .. } => true,
        Action::EnableVpcDns { .. }
        | Action::CreateSecurityGroup { .. }
        | Action::AuthorizeHttps { .. }
        | Action::RevokeIngress { .. }
        | Action::CreateEndpoint { .. }
        | Action::ModifyEndpoint { .. }
        | Action::SetEndpointPolicy { .. }
        | Action::DisablePublicIpOnLaunch { .. }
        | Action::StopAutomaticAddress { .. }
        | Action::DisassociateAddress { .. } => false,
    };
    Some(match routes {
        RoutesAtStake::Yes if !is_route => {
            let told = "\"${ROUTES_ARE_BACK:?see that each route that this report removes or keeps for \
                later is there, then set it to yes}\"";
            format!(": {told} && {command}")
        }
        RoutesAtStake::Yes | RoutesAtStake::No => command,
    })
}

/// What takes an action back, as far as it is known before the action is made: the command, or what
/// to look for first.
pub fn inverse(action: &Action<GroupRef>, scope: &Scope) -> String {
    let existing = |group: &GroupRef| match group {
        GroupRef::Existing(id) => Some(id.clone()),
        GroupRef::MadeBy(_) => None,
    };
    match (undoing(action, &Applied::Done, existing), action) {
        (Some(words), _) => line(&words, scope),
        (None, Action::CreateEndpoint { service, .. }) => format!(
            "look for an endpoint for {service} in {} with the tag vpc-guardrail=created, then: aws ec2 \
             delete-vpc-endpoints --vpc-endpoint-ids ENDPOINT --region {}",
            scope.vpc,
            quoted(scope.region.as_str())
        ),
        (None, Action::CreateSecurityGroup { name, .. }) => format!(
            "look for the group {name} in {}, then: aws ec2 delete-security-group --group-id GROUP \
             --region {}",
            scope.vpc,
            quoted(scope.region.as_str())
        ),
        (None, Action::StopAutomaticAddress { .. } | Action::DisassociateAddress { .. }) => {
            "nothing is to be undone".to_owned()
        }
        (
            None,
            Action::AuthorizeHttps { .. }
            | Action::RevokeIngress { .. }
            | Action::ModifyEndpoint { .. }
            | Action::EnableVpcDns { .. }
            | Action::SetEndpointPolicy { .. }
            | Action::DeleteRoute { .. }
            | Action::DisablePublicIpOnLaunch { .. },
        ) => "it goes with the group that the run makes".to_owned(),
    }
}

fn line(words: &Words, scope: &Scope) -> String {
    format!("aws ec2 {} --region {}", words.0.join(" "), quoted(scope.region.as_str()))
}

#[cfg(test)]
mod tests;
