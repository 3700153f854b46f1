//! Whether everything is there that the guardrail needs: what AWS's answers mean. Asking is the shell's affair.

use std::fmt;

use crate::cloud::error_codes::{is_dry_run_allowed, is_dry_run_denied};
use crate::cloud::{CallError, ErrorClass};
use crate::ec2::list;
use crate::ec2::operation::Operation;

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
        Self::new(what, State::CannotTell, error.to_string())
    }
}

/// A dry run's answer is an error either way; a success is that of a stand-in that has made the call.
pub fn permission(action: &str, answer: &Result<(), CallError>) -> Check {
    match answer {
        Ok(()) => Check::new(action, State::Fine, ""),
        Err(error) if is_dry_run_allowed(error) => Check::new(action, State::Fine, ""),
        Err(error) if is_dry_run_denied(error) => {
            Check::new(action, State::Missing, "not allowed; add it to the policy of whoever runs this")
        }
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
    let detail = if Operation::ALL.iter().any(|operation| is_own(operation) && !operation.has_dry_run()) {
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

/// A trail, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// Its name.
    pub name: String,
    /// Whether it is logging.
    pub is_logging: Result<bool, CallError>,
    /// What it logs.
    pub selectors: Result<Vec<Selector>, CallError>,
}

/// One of the things that a trail logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// `EventSelector`.
    Basic {
        /// `IncludeManagementEvents`.
        management: bool,
        /// Whether `ReadWriteType` includes writes.
        writes: bool,
    },
    /// `AdvancedEventSelector`: all of its fields must fit.
    Advanced(Vec<FieldSelector>),
}

/// What a field of an advanced selector looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// `eventCategory`.
    EventCategory,
    /// `eventSource`.
    EventSource,
    /// `readOnly`.
    ReadOnly,
    /// Another one, by its name.
    Other(String),
}

impl From<String> for Field {
    fn from(name: String) -> Self {
        match name.as_str() {
            "eventCategory" => Self::EventCategory,
            "eventSource" => Self::EventSource,
            "readOnly" => Self::ReadOnly,
            _ => Self::Other(name),
        }
    }
}

/// A field of an advanced selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSelector {
    /// What it looks at.
    pub field: Field,
    /// `Equals`; empty when the selector says something else.
    pub equals: Vec<String>,
    /// `NotEquals`.
    pub not_equals: Vec<String>,
}

impl Selector {
    /// Whether EC2's writing calls are among what it logs. A field it is not known for certain to let through stops it
    /// (docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html).
    fn logs_ec2_writes(&self) -> bool {
        match self {
            Self::Basic { management, writes } => *management && *writes,
            Self::Advanced(fields) => {
                let lets_through = |field: &FieldSelector| match field.field {
                    Field::EventCategory => field.passes("Management"),
                    Field::ReadOnly => field.passes("false"),
                    Field::EventSource => field.passes("ec2.amazonaws.com"),
                    Field::Other(_) => false,
                };
                fields.iter().any(|field| field.field == Field::EventCategory) && fields.iter().all(lets_through)
            }
        }
    }
}

impl FieldSelector {
    fn passes(&self, value: &str) -> bool {
        let is = |other: &String| other == value;
        (self.equals.iter().any(is) || self.equals.is_empty() && !self.not_equals.is_empty())
            && !self.not_equals.iter().any(is)
    }
}

/// Whether one of the trails that cover the Region brings EC2's writing calls to EventBridge.
pub fn trail(trails: &Result<Vec<Trail>, CallError>) -> Check {
    const WHAT: &str = "CloudTrail: a trail logs management events in this Region";
    let trails = match trails {
        Ok(trails) => trails,
        Err(error) => return Check::unanswered(WHAT, error),
    };
    let logs = |trail: &&Trail| trail.selectors.as_ref().is_ok_and(|all| all.iter().any(Selector::logs_ec2_writes));
    if let Some(trail) = trails.iter().filter(|trail| trail.is_logging == Ok(true)).find(logs) {
        return Check::new(WHAT, State::Fine, trail.name.clone());
    }
    let unread = trails.iter().find_map(|trail| trail.is_logging.as_ref().err().or(trail.selectors.as_ref().err()));
    if let Some(error) = unread {
        return Check::unanswered(WHAT, error);
    }
    let names: Vec<&str> = trails.iter().map(|trail| trail.name.as_str()).collect();
    match names.as_slice() {
        [] => Check::new(WHAT, State::Missing, "no trail covers it: no event arrives without one; create a trail"),
        [_, ..] => Check::new(
            WHAT,
            State::Wrong,
            format!("{}: switched off, or without EC2's writing management events; no event arrives", names.join(", ")),
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
pub const DEAD_LETTERS: [Part; 3] = [
    Part { what: "VPCs that were given up", logical_id: "RepairDeadLetters" },
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
            "nothing here has a name like {}…; deploy the stack, or name it with --stack-name",
            self.prefix(stack)
        );
        Check::new(self.what, State::Missing, detail)
    }
}

/// What was seen of a part: nothing of that name, or this.
pub type Lookup<T> = Result<Option<T>, CallError>;

/// A rule: its name, its state, and what it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRule {
    /// Its name.
    pub name: String,
    /// Its state, where EventBridge says it.
    pub state: Option<RuleState>,
    /// Its targets.
    pub targets: Vec<Target>,
}

/// The state of a rule (docs.aws.amazon.com/eventbridge/latest/APIReference/API_Rule.html).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleState {
    /// `ENABLED`.
    Enabled,
    /// `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`: calls that only read are matched too.
    EnabledWithAllCloudTrailManagementEvents,
    /// `DISABLED`.
    Disabled,
    /// Another one, in EventBridge's word.
    Other(String),
}

impl From<&str> for RuleState {
    fn from(word: &str) -> Self {
        match word {
            "ENABLED" => Self::Enabled,
            "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" => Self::EnabledWithAllCloudTrailManagementEvents,
            "DISABLED" => Self::Disabled,
            _ => Self::Other(word.to_owned()),
        }
    }
}

impl fmt::Display for RuleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enabled => "ENABLED",
            Self::EnabledWithAllCloudTrailManagementEvents => "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
            Self::Disabled => "DISABLED",
            Self::Other(word) => word,
        })
    }
}

/// What a rule calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A Lambda function, by its ARN.
    Function(String),
    /// Something else, by its ARN.
    Other(String),
}

impl From<String> for Target {
    /// A function's ARN is `arn:<partition>:lambda:<region>:<account>:function:<name>`.
    fn from(arn: String) -> Self {
        let mut parts = arn.split(':');
        match (parts.nth(2), parts.nth(2)) {
            (Some("lambda"), Some("function")) => Self::Function(arn),
            (_, _) => Self::Other(arn),
        }
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
        None => Check::new(FUNCTION, State::Missing, "the rule calls no function; deploy the stack again"),
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
        None => Check::new(RULE.what, State::CannotTell, format!("EventBridge does not say the state of {name}")),
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
            let detail = format!("{count} in {}…: read them, and the functions' logs", part.prefix(stack));
            Check::new(what, State::Wrong, detail)
        }
    }
}

/// A subscription to the topic, as SNS lists it: in its ARN's place stands a word until there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subscription {
    /// It has this ARN.
    Confirmed(String),
    /// `PendingConfirmation`.
    Pending,
    /// `Deleted`.
    Deleted,
    /// Another word.
    Other(String),
}

impl From<String> for Subscription {
    fn from(arn: String) -> Self {
        match arn.as_str() {
            "PendingConfirmation" => Self::Pending,
            "Deleted" => Self::Deleted,
            text if text.starts_with("arn:") => Self::Confirmed(arn),
            _ => Self::Other(arn),
        }
    }
}

impl Subscription {
    fn is_confirmed(&self) -> bool {
        match self {
            Self::Confirmed(_) => true,
            Self::Pending | Self::Deleted | Self::Other(_) => false,
        }
    }
}

/// The topic, with its subscriptions, one of which must be confirmed.
pub fn topic(stack: &str, seen: &Lookup<Vec<Subscription>>) -> Check {
    match seen {
        Err(error) => Check::unanswered(TOPIC.what, error),
        Ok(None) => TOPIC.missing(stack),
        Ok(Some(subscriptions)) => {
            let confirmed = subscriptions.iter().filter(|subscription| subscription.is_confirmed()).count();
            match (confirmed, subscriptions.len()) {
                (0, 0) => Check::new(TOPIC.what, State::Wrong, "nobody is subscribed: no alert reaches anybody"),
                (0, _) => {
                    Check::new(TOPIC.what, State::Wrong, "no subscription is confirmed; follow the link in the mail")
                }
                (confirmed, _) => Check::new(TOPIC.what, State::Fine, format!("{confirmed} confirmed subscriptions")),
            }
        }
    }
}

/// Whose credentials these are.
pub fn identity(answer: &Result<crate::ec2::id::AccountId, CallError>) -> Check {
    const WHAT: &str = "credentials";
    match answer {
        Ok(account) => Check::new(WHAT, State::Fine, format!("account {account}")),
        Err(error) if error.class == ErrorClass::Denied => Check::new(WHAT, State::Wrong, error.to_string()),
        Err(error) => Check::unanswered(WHAT, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::error_codes::call_error;

    fn error(code: &str) -> CallError {
        call_error("DeleteRoute", code, "words")
    }

    #[test]
    fn a_dry_run_that_would_succeed_is_an_error() {
        let state = |answer| permission("ec2:DeleteRoute", &answer).state;
        assert_eq!(state(Err(error("DryRunOperation"))), State::Fine);
        assert_eq!(state(Ok(())), State::Fine);
        assert_eq!(state(Err(error("UnauthorizedOperation"))), State::Missing);
        for code in ["InvalidRouteTableID.NotFound", "InvalidParameterValue", "AuthFailure", "RequestLimitExceeded", ""]
        {
            assert_eq!(state(Err(error(code))), State::CannotTell, "{code}");
        }
    }

    fn field(name: &str, equals: &[&str], not_equals: &[&str]) -> FieldSelector {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        FieldSelector { field: name.to_owned().into(), equals: texts(equals), not_equals: texts(not_equals) }
    }

    #[test]
    fn a_trail_may_log_management_events_and_yet_not_ec2s_writes() {
        let management = field("eventCategory", &["Management"], &[]);
        let with = |more: FieldSelector| Selector::Advanced(vec![management.clone(), more]);
        let table = [
            (true, Selector::Basic { management: true, writes: true }),
            (false, Selector::Basic { management: true, writes: false }),
            (false, Selector::Basic { management: false, writes: true }),
            (true, Selector::Advanced(vec![management.clone()])),
            (true, with(field("readOnly", &["false"], &[]))),
            (false, with(field("readOnly", &["true"], &[]))),
            (true, with(field("eventSource", &[], &["kms.amazonaws.com"]))),
            (false, with(field("eventSource", &[], &["ec2.amazonaws.com"]))),
            (false, with(field("userIdentity.arn", &["arn:aws:iam::111122223333:user/one"], &[]))),
            (false, Selector::Advanced(vec![field("eventCategory", &["Data"], &[])])),
            (false, Selector::Advanced(Vec::new())),
        ];
        for (logs, selector) in table {
            assert_eq!(selector.logs_ec2_writes(), logs, "{selector:?}");
        }
    }

    #[test]
    fn one_good_trail_is_enough_and_an_unread_one_leaves_it_open() {
        let good = Trail {
            name: "good".to_owned(),
            is_logging: Ok(true),
            selectors: Ok(vec![Selector::Basic { management: true, writes: true }]),
        };
        let off = Trail { name: "off".to_owned(), is_logging: Ok(false), ..good.clone() };
        let unread = Trail { selectors: Err(error("AccessDenied")), ..good.clone() };
        let state = |trails: &[&Trail]| trail(&Ok(trails.iter().map(|trail| (*trail).clone()).collect())).state;
        assert_eq!(state(&[&off, &unread, &good]), State::Fine);
        assert_eq!(state(&[&off, &unread]), State::CannotTell);
        assert_eq!((state(&[&off]), state(&[])), (State::Wrong, State::Missing));
        assert_eq!(trail(&Err(error("AccessDenied"))).state, State::CannotTell);
    }

    #[test]
    fn a_rule_must_be_enabled_and_call_a_function() {
        let seen = |state: &str, target: &str| {
            let (state, targets) = (Some(state.into()), vec![target.to_owned().into()]);
            rule_states(&Ok(Some(SeenRule { name: "r".to_owned(), state, targets })))
        };
        let function = "arn:aws:lambda:eu-central-1:111122223333:function:detect";
        assert_eq!(seen("ENABLED", function), [State::Fine, State::Fine]);
        assert_eq!(seen("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", function), [State::Fine, State::Fine]);
        assert_eq!(seen("DISABLED", function), [State::Wrong, State::Fine]);
        assert_eq!(seen("SLEEPING", function), [State::CannotTell, State::Fine]);
        let silent = SeenRule { name: "r".to_owned(), state: None, targets: Vec::new() };
        assert_eq!(rule_states(&Ok(Some(silent))), [State::CannotTell, State::Missing]);
        assert_eq!(seen("ENABLED", "arn:aws:sqs:eu-central-1:111122223333:q"), [State::Fine, State::Missing]);
        assert_eq!(rule_states(&Ok(None)), [State::Missing]);
        assert_eq!(rule_states(&Err(error("AccessDenied"))), [State::CannotTell]);
    }

    #[test]
    fn a_state_is_its_word_and_one_that_is_not_known_is_kept() {
        for word in ["ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "DISABLED", "SLEEPING", ""] {
            assert_eq!(RuleState::from(word).to_string(), word);
        }
        assert_eq!(RuleState::from("SLEEPING"), RuleState::Other("SLEEPING".to_owned()));
    }

    #[test]
    fn what_is_not_known_is_kept_as_it_is() {
        let text = || "arn:aws:sqs:eu-central-1:111122223333:function:x".to_owned();
        assert_eq!(Target::from(text()), Target::Other(text()));
        assert_eq!(Target::from(String::new()), Target::Other(String::new()));
        assert_eq!(Subscription::from("Later".to_owned()), Subscription::Other("Later".to_owned()));
        assert_eq!(Field::from("resources.ARN".to_owned()), Field::Other("resources.ARN".to_owned()));
    }

    fn rule_states(seen: &Lookup<SeenRule>) -> Vec<State> {
        rule("guard", seen).iter().map(|check| check.state).collect()
    }

    #[test]
    fn a_subscription_counts_once_it_is_confirmed() {
        let subscriptions = |arns: &[&str]| arns.iter().map(|arn| Subscription::from((*arn).to_owned())).collect();
        let state = |arns: &[&str]| topic("guard", &Ok(Some(subscriptions(arns)))).state;
        assert_eq!(state(&["PendingConfirmation", "arn:aws:sns:eu-central-1:111122223333:t:1"]), State::Fine);
        assert_eq!((state(&["PendingConfirmation", "Deleted"]), state(&[])), (State::Wrong, State::Wrong));
    }

    #[test]
    fn what_is_not_there_is_named_as_it_would_be() {
        let [given_up, ..] = DEAD_LETTERS;
        let missing = dead_letters(given_up, "guard", &Ok(None));
        assert_eq!(
            missing,
            Check::new(
                "no VPCs that were given up",
                State::Missing,
                "nothing here has a name like guard-RepairDeadLetters-…; deploy the stack, or name it with --stack-name",
            )
        );
        let states = [Ok(Some(0)), Ok(Some(2))].map(|seen| dead_letters(given_up, "guard", &seen).state);
        assert_eq!(states, [State::Fine, State::Wrong]);
    }
}
