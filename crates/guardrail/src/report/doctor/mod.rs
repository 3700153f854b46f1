//! Whether everything is there that the guardrail needs: what AWS's answers mean. Asking is the
//! shell's affair.

mod seen;

use std::fmt;

use crate::cloud::error_codes::{is_dry_run_allowed, is_dry_run_denied};
use crate::cloud::{CallError, ErrorClass};
use crate::ec2::list;
use crate::ec2::operation::Operation;
pub use crate::report::doctor::seen::{
    Field, FieldSelector, Lookup, RuleState, SeenRule, SeenTable, Selector, Subscription, Target,
    Trail,
};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub what: String,
    /// How it is.
    pub state: State,
    /// What was seen, and where it is not as it should be, what to do; may be empty.
    pub detail: String,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Fine,
    /// Not there, or not allowed.
    Missing,
    /// There, but not as it should be.
    Wrong,
    /// AWS does not say.
    CannotTell,
}

impl State {
    /// Whether somebody has to do something.
    pub fn wants_a_person(self) -> bool {
        match self {
            Self::Missing | Self::Wrong => true,
            Self::Fine | Self::CannotTell => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fine => "ok",
            Self::Missing => "missing",
            Self::Wrong => "wrong",
            Self::CannotTell => "cannot tell",
        })
    }
}

impl Check {
    /// A check.
    pub fn new(what: impl Into<String>, state: State, detail: impl Into<String>) -> Self {
        Self { what: what.into(), state, detail: detail.into() }
    }

    fn unanswered(what: impl Into<String>, error: &CallError) -> Self {
        Self::new(what, State::CannotTell, error.shown())
    }
}

/// A dry run's answer is an error either way; a success is that of a stand-in that has made the
/// call.
pub fn permission(action: &str, answer: &Result<(), CallError>) -> Check {
    match answer {
        Ok(()) => Check::new(action, State::Fine, ""),
        Err(error) if is_dry_run_allowed(error) => Check::new(action, State::Fine, ""),
        Err(error) if is_dry_run_denied(error) => Check::new(
            action,
            State::Missing,
            "not allowed; add it to the policy of whoever runs this",
        ),
        Err(error) => Check::unanswered(action, error),
    }
}

/// An action that was not asked about, and why not.
pub fn not_asked(action: &str, dry_runs_are_obeyed: bool) -> Check {
    let is_own = |operation: &Operation| action.strip_prefix("ec2:") == Some(operation.name());
    let along_with: Vec<Operation> = Operation::ALL
        .iter()
        .filter(|operation| !is_own(operation) && operation.permissions().contains(&action))
        .copied()
        .collect();
    let detail =
        if Operation::ALL.iter().any(|operation| is_own(operation) && !operation.has_dry_run()) {
            "EC2 has no dry run of it".to_owned()
        } else if !along_with.is_empty() {
            format!("AWS checks it along with {}", list(&along_with))
        } else if !dry_runs_are_obeyed {
            "whatever answers here makes dry runs for real, so it was not asked".to_owned()
        } else {
            "there is nothing in the VPC to ask about".to_owned()
        };
    Check::new(action, State::CannotTell, detail)
}

/// Whether one of the trails that cover the Region brings EC2's writing calls to EventBridge.
pub fn trail(trails: &Result<Vec<Trail>, CallError>) -> Check {
    const WHAT: &str = "CloudTrail: a trail logs management events in this Region";
    let trails = match trails {
        Ok(trails) => trails,
        Err(error) => return Check::unanswered(WHAT, error),
    };
    let logs = |trail: &&Trail| {
        trail.selectors.as_ref().is_ok_and(|all| all.iter().any(Selector::logs_ec2_writes))
    };
    if let Some(trail) = trails.iter().filter(|trail| trail.is_logging == Ok(true)).find(logs) {
        return Check::new(WHAT, State::Fine, trail.name.clone());
    }
    let unread = trails
        .iter()
        .find_map(|trail| trail.is_logging.as_ref().err().or(trail.selectors.as_ref().err()));
    if let Some(error) = unread {
        return Check::unanswered(WHAT, error);
    }
    let names: Vec<&str> = trails.iter().map(|trail| trail.name.as_str()).collect();
    match names.as_slice() {
        [] => Check::new(
            WHAT,
            State::Missing,
            "no trail covers it: no event arrives without one; create a trail",
        ),
        [_, ..] => Check::new(
            WHAT,
            State::Wrong,
            format!(
                "{}: switched off, or without EC2's writing management events; no event arrives",
                names.join(", ")
            ),
        ),
    }
}

/// A part of the stack, by the name that its logical id gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub what: &'static str,
    /// Its logical id in template.yaml.
    pub logical_id: &'static str,
}

/// The rule.
pub const RULE: Part = Part { what: "rule", logical_id: "DetectFunctionNetworkChange" };
/// The topic.
pub const TOPIC: Part = Part { what: "topic", logical_id: "AlertTopic" };
/// The queue of VPCs.
pub const QUEUE: Part = Part { what: "queue", logical_id: "VpcQueue" };
/// The queues that should be empty.
pub const DEAD_LETTERS: [Part; 4] = [
    Part { what: "VPCs that were given up", logical_id: "RepairDeadLetters" },
    Part { what: "messages that nobody could read", logical_id: "UnreadableMessages" },
    Part { what: "events that could not be delivered", logical_id: "UndeliveredEvents" },
    Part { what: "events that a function failed on", logical_id: "FailedInvocations" },
];

impl Part {
    /// What the names begin with that CloudFormation gives it.
    pub fn prefix(self, stack: &str) -> String {
        format!("{stack}-{}-", self.logical_id)
    }

    fn missing(self, stack: &str) -> Check {
        let detail = format!(
            "nothing here has a name like {}…; deploy the stack, or name it with --stack",
            self.prefix(stack)
        );
        Check::new(self.what, State::Missing, detail)
    }
}

/// The rule and the function behind it.
pub fn rule(stack: &str, seen: &Lookup<SeenRule>) -> Vec<Check> {
    const FUNCTION: &str = "function detect is the rule's target";
    let rule = match seen {
        Err(error) => return vec![Check::unanswered(RULE.what, error)],
        Ok(None) => return vec![RULE.missing(stack)],
        Ok(Some(rule)) => rule,
    };
    let function = rule.targets.iter().find_map(|target| match target {
        Target::Function(arn) => Some(arn.as_str()),
        Target::Other(_) => None,
    });
    let function = match function {
        Some(arn) => Check::new(FUNCTION, State::Fine, arn),
        None => Check::new(
            FUNCTION,
            State::Missing,
            "the rule calls no function; deploy the stack again",
        ),
    };
    vec![rule_state(rule), function]
}

fn rule_state(rule: &SeenRule) -> Check {
    let name = &rule.name;
    match &rule.state {
        Some(RuleState::Enabled | RuleState::EnabledWithAllCloudTrailManagementEvents) => {
            Check::new(RULE.what, State::Fine, name.as_str())
        }
        Some(state @ RuleState::Disabled) => {
            let detail = format!("{name} is {state}; run `aws events enable-rule --name {name}`");
            Check::new(RULE.what, State::Wrong, detail)
        }
        Some(state @ RuleState::Other(_)) => {
            let detail = format!("{name} is {state}, which this version does not know");
            Check::new(RULE.what, State::CannotTell, detail)
        }
        None => Check::new(
            RULE.what,
            State::CannotTell,
            format!("EventBridge does not say the state of {name}"),
        ),
    }
}

/// The queue of VPCs, with the number of messages in it.
pub fn queue(stack: &str, seen: &Lookup<u64>) -> Check {
    match seen {
        Err(error) => Check::unanswered(QUEUE.what, error),
        Ok(None) => QUEUE.missing(stack),
        Ok(Some(waiting)) => Check::new(QUEUE.what, State::Fine, format!("{waiting} waiting")),
    }
}

/// A queue that should be empty.
pub fn dead_letters(part: Part, stack: &str, seen: &Lookup<u64>) -> Check {
    let what = format!("no {}", part.what);
    match seen {
        Err(error) => Check::unanswered(what, error),
        Ok(None) => Check { what, ..part.missing(stack) },
        Ok(Some(0)) => Check::new(what, State::Fine, ""),
        Ok(Some(count)) => {
            let detail =
                format!("{count} in {}…: read them, and the functions' logs", part.prefix(stack));
            Check::new(what, State::Wrong, detail)
        }
    }
}

/// The topic, with its subscriptions, one of which must be confirmed.
pub fn topic(stack: &str, seen: &Lookup<Vec<Subscription>>) -> Check {
    match seen {
        Err(error) => Check::unanswered(TOPIC.what, error),
        Ok(None) => TOPIC.missing(stack),
        Ok(Some(subscriptions)) => {
            let confirmed =
                subscriptions.iter().filter(|subscription| subscription.is_confirmed()).count();
            match (confirmed, subscriptions.len()) {
                (0, 0) => Check::new(
                    TOPIC.what,
                    State::Wrong,
                    "nobody is subscribed: no alert reaches anybody",
                ),
                (0, _) => Check::new(
                    TOPIC.what,
                    State::Wrong,
                    "no subscription is confirmed; follow the link in the mail",
                ),
                (confirmed, _) => Check::new(
                    TOPIC.what,
                    State::Fine,
                    format!("{confirmed} confirmed subscriptions"),
                ),
            }
        }
    }
}

/// What the check of the table is called.
pub const TABLE: &str = "table";

/// The table: whether it is there, forgets what has expired, and can be restored.
pub fn table(stack: &str, seen: &Lookup<SeenTable>) -> Vec<Check> {
    const EXPIRES: &str = "table: time to live is on";
    const RESTORABLE: &str = "table: point-in-time recovery is on";
    let table = match seen {
        Err(error) => return vec![Check::unanswered(TABLE, error)],
        Ok(None) => {
            let detail = format!(
                "nothing here has a name like {stack}-history-…: nothing is repaired and no alert \
                 is sent without it; deploy the stack, or name it with --stack"
            );
            return vec![Check::new(TABLE, State::Missing, detail)];
        }
        Ok(Some(table)) => table,
    };
    let expires = match &table.expires {
        Err(error) => Check::unanswered(EXPIRES, error),
        Ok(true) => Check::new(EXPIRES, State::Fine, ""),
        Ok(false) => Check::new(
            EXPIRES,
            State::Wrong,
            "it is off for the attribute `expires`, and the table grows; deploy the stack again",
        ),
    };
    let restorable = match &table.is_restorable {
        Err(error) => Check::unanswered(RESTORABLE, error),
        Ok(true) => Check::new(RESTORABLE, State::Fine, ""),
        // What was asked for, only the stack's parameter says.
        Ok(false) => Check::new(
            RESTORABLE,
            State::CannotTell,
            "it is off; that is as it should be only where the stack's parameter \
             `PointInTimeRecovery` is `false`",
        ),
    };
    vec![Check::new(TABLE, State::Fine, table.name.as_str()), expires, restorable]
}

/// Whose credentials these are.
pub fn identity(answer: &Result<crate::ec2::id::AccountId, CallError>) -> Check {
    const WHAT: &str = "credentials";
    match answer {
        Ok(account) => Check::new(WHAT, State::Fine, format!("account {account}")),
        Err(error) if error.class == ErrorClass::Denied => {
            Check::new(WHAT, State::Wrong, error.shown())
        }
        Err(error) => Check::unanswered(WHAT, error),
    }
}

#[cfg(test)]
mod tests;
