//! The part of STS that a client needs that is pointed here with `AWS_ENDPOINT_URL` alone: whose
//! credentials these are, and those of a role in another account.

use std::collections::BTreeMap;

use guardrail::ec2::id::AccountId;
use hyper::StatusCode;
use jiff::Timestamp;

use super::parameters::Parameters;
use super::service::State;
use super::tree::{Fields, document};
use crate::sim::later;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
/// "The default is 3600 seconds."
const SECONDS: u64 = 3600;

/// The roles that were assumed, by the access key that was given for each.
#[derive(Debug, Default)]
pub(crate) struct Roles(BTreeMap<String, Role>);

/// A role that was assumed.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) account: String,
    /// `role-name/session-name`.
    session: String,
}

impl Roles {
    /// The role that this key was given for.
    pub(crate) fn of(&self, access_key: &str) -> Option<&Role> {
        self.0.get(access_key)
    }

    /// The key for a role: counted, so that a run is the same every time.
    fn assume(&mut self, role: Role) -> String {
        let key = format!("ASIASIMULATED{:07}", self.0.len().saturating_add(1));
        self.0.insert(key.clone(), role);
        key
    }
}

/// What a call asks of STS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) access_key: Option<&'a str>,
}

/// The answer, if the action is one of STS's.
pub(crate) fn answer(
    action: &str,
    state: &mut State,
    asked: &Asked<'_>,
    request_id: &str,
) -> Option<(StatusCode, Vec<u8>)> {
    match action {
        "GetCallerIdentity" => Some((StatusCode::OK, identity(state, asked, request_id))),
        "AssumeRole" => Some(assume_role(state, asked, request_id)),
        _ => None,
    }
}

/// Whose credentials these are: those of a role, or whosever else they are, the account's.
fn identity(state: &State, asked: &Asked<'_>, request_id: &str) -> Vec<u8> {
    let (account, partition) = (&state.place.account, state.place.partition());
    let role = asked.access_key.and_then(|key| state.roles.of(key));
    let (arn, user) = match role {
        Some(role) => {
            let arn = format!("arn:{partition}:sts::{account}:assumed-role/{}", role.session);
            (arn, format!("AROASIMULATEDROLE0000:{}", session_name(&role.session)))
        }
        None => {
            let arn = format!("arn:{partition}:iam::{account}:user/simulated");
            (arn, "AIDASIMULATED0000000".to_owned())
        }
    };
    let identity = Fields::new().text("Arn", arn).text("UserId", user).text("Account", account);
    succeeded("GetCallerIdentity", identity, request_id)
}

fn session_name(session: &str) -> &str {
    session.split_once('/').map_or(session, |(_, name)| name)
}

/// Who may assume a role is IAM's business, which is not simulated: everybody may. Where accounts are
/// not apart, there is no other account.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn assume_role(state: &mut State, asked: &Asked<'_>, request_id: &str) -> (StatusCode, Vec<u8>) {
    let mut parameters = asked.parameters.clone();
    let arn = parameters.text("RoleArn").unwrap_or_default();
    let session = parameters.text("RoleSessionName").unwrap_or_default();
    let seconds = parameters.number("DurationSeconds").ok().flatten().unwrap_or(SECONDS);
    let account = AccountId::of_arn(&arn);
    let name = arn.split_once(":role/").map(|(_, name)| name.rsplit('/').next().unwrap_or(name));
    let (Some(account), Some(name)) = (account, name.filter(|_| !session.is_empty())) else {
        let message = "RoleArn must be the ARN of a role, and RoleSessionName must be given";
        return refused("ValidationError", StatusCode::BAD_REQUEST, message, request_id);
    };
    if !state.has_world_of(account.as_str()) {
        let message =
            format!("User is not authorized to perform: sts:AssumeRole on resource: {arn}");
        return refused("AccessDenied", StatusCode::FORBIDDEN, &message, request_id);
    }
    let partition = state.place.partition();
    let role = Role { account: account.to_string(), session: format!("{name}/{session}") };
    let assumed = format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session}");
    let ends = later(state.sim.now(), std::time::Duration::from_secs(seconds));
    let ends = Timestamp::from_second(ends.as_second()).unwrap_or(ends);
    let key = state.roles.assume(role);
    let credentials = Fields::new()
        .text("AccessKeyId", &key)
        .text("SecretAccessKey", format!("secret-of-{key}"))
        .text("SessionToken", format!("session-of-{key}"))
        .text("Expiration", ends);
    let user = Fields::new()
        .text("AssumedRoleId", format!("AROASIMULATEDROLE0000:{session}"))
        .text("Arn", assumed);
    let result = Fields::new().fields("Credentials", credentials).fields("AssumedRoleUser", user);
    (StatusCode::OK, succeeded("AssumeRole", result, request_id))
}

fn succeeded(action: &'static str, result: Fields, request_id: &str) -> Vec<u8> {
    let result_name = match action {
        "AssumeRole" => "AssumeRoleResult",
        _ => "GetCallerIdentityResult",
    };
    let metadata = Fields::new().text("RequestId", request_id);
    let answer = Fields::new().fields(result_name, result).fields("ResponseMetadata", metadata);
    document(&format!("{action}Response"), Some(NAMESPACE), &answer)
}

/// STS's form of a refusal, which is not EC2's.
fn refused(
    code: &str,
    status: StatusCode,
    message: &str,
    request_id: &str,
) -> (StatusCode, Vec<u8>) {
    let error = Fields::new().text("Type", "Sender").text("Code", code).text("Message", message);
    let answer = Fields::new().fields("Error", error).text("RequestId", request_id);
    (status, document("ErrorResponse", Some(NAMESPACE), &answer))
}
