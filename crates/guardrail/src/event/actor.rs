//! Who made a call, and with what. The identity is AWS's word; the user agent is the caller's, and
//! can be anything.

use serde_json::Value;

use super::decode::{first_text, said, text};
use super::tool::Tool;
use crate::ec2::id::AccountId;

/// What the console was called in records until 2019; it acts for the person who clicked, so it is
/// no service.
const OLD_CONSOLE: &str = "signin.amazonaws.com";

/// The person, role or service of a `userIdentity`, in one line: a user's name, `role/session`,
/// `root of <account>`; and ` via <service>` where an AWS service made the call on their behalf.
pub(super) fn actor(identity: &Value) -> String {
    let service = service(identity);
    if text(identity, "type") == "AWSService" && !service.is_empty() {
        return service.to_owned();
    }
    let person = person(identity);
    if service.is_empty() { person } else { format!("{person} via {service}") }
}

/// The service that acted for the person, if one did.
fn service(identity: &Value) -> &str {
    Some(text(identity, "invokedBy")).filter(|by| *by != OLD_CONSOLE).unwrap_or_default()
}

fn person(identity: &Value) -> String {
    let account = text(identity, "accountId");
    let named = match text(identity, "type") {
        "IAMUser" => Some(text(identity, "userName").to_owned()),
        "Root" if account.is_empty() => Some("root".to_owned()),
        "Root" => Some(format!("root of {account}")),
        "AssumedRole" => role_and_session(identity),
        _ => None,
    };
    let kind = first_text([text(identity, "type"), "unknown"]);
    let kind = if account.is_empty() { kind.to_owned() } else { format!("{kind} {account}") };
    let known = [text(identity, "arn"), text(identity, "principalId"), &kind];
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| first_text(known).to_owned())
}

/// `role/session`. The session is in `principalId` after the role's unique id; the ARN has both,
/// without the role's path.
fn role_and_session(identity: &Value) -> Option<String> {
    let issuer = issuer(identity);
    let role = text(issuer, "userName");
    let session = text(identity, "principalId").split_once(':').map(|(_, session)| session);
    match session {
        Some(session) if !role.is_empty() && !session.is_empty() => {
            Some(format!("{role}/{session}"))
        }
        Some(_) | None => {
            let (rest, session) = text(identity, "arn").rsplit_once('/')?;
            let (_, role) = rest.rsplit_once('/')?;
            Some(format!("{role}/{session}"))
        }
    }
}

/// Who gave the session out: the role that was assumed, or the user.
fn issuer(identity: &Value) -> &Value {
    identity.pointer("/sessionContext/sessionIssuer").unwrap_or(&Value::Null)
}

/// The ARN of the role or user that the session was given out for, with its path.
pub(super) fn session_issuer(identity: &Value) -> Option<String> {
    said(issuer(identity), "arn")
}

/// The account of whoever made the call, by whatever says it: where one of these is another than that
/// of the resources, the caller is of that one.
pub(super) fn account(identity: &Value, of_the_resources: Option<&AccountId>) -> Option<AccountId> {
    let issuer = issuer(identity);
    let texts =
        [identity, issuer].map(|of| [text(of, "accountId"), account_of_arn(text(of, "arn"))]);
    let all = || texts.iter().flatten().filter_map(|text| text.parse::<AccountId>().ok());
    let other = all().find(|account| of_the_resources.is_some_and(|own| own != account));
    other.or_else(|| all().next())
}

/// `arn:partition:service:region:account:resource`.
fn account_of_arn(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// What the call was made with, and whether AWS says so: the service that made it, which AWS names,
/// counts before the user agent, which is the caller's to choose.
pub(super) fn tool(record: &Value) -> (Tool, bool) {
    let invoked_by = record.get("userIdentity").map(service).unwrap_or_default();
    let agent = text(record, "userAgent");
    // An address is not a caller's name; a service's name there is one, and repeats what the agent
    // says.
    let source = Some(text(record, "sourceIPAddress"))
        .filter(|source| is_service(source) || *source == INTERNAL)
        .unwrap_or_default();
    if !invoked_by.is_empty() {
        return (of_service(invoked_by), true);
    }
    let is_the_sources = !source.is_empty() && ["", source].contains(&agent);
    if is_the_sources && source != INTERNAL {
        (of_service(source), true)
    } else if contains(agent, "terraform") {
        (Tool::Terraform, false)
    } else if contains(agent, "aws-cli/") {
        (Tool::Cli, false)
    } else if is_marked_as_the_consoles(record) {
        (Tool::Console, true)
    } else if is_the_sources {
        (of_service(source), true)
    } else if is_the_consoles(agent) {
        (Tool::Console, false)
    } else if agent.is_empty() {
        (Tool::NotSaid, false)
    } else if agent == INTERNAL || is_service(agent) {
        (of_service(agent), false)
    } else {
        (Tool::Sdk, false)
    }
}

/// What AWS calls itself, as an agent and as an address.
const INTERNAL: &str = "AWS Internal";

fn of_service(name: &str) -> Tool {
    match name {
        "cloudformation.amazonaws.com" => Tool::CloudFormation,
        other => Tool::Service(other.to_owned()),
    }
}

/// Whether AWS says that the call came from the console: by a mark beside the browser's agent, and
/// until 2019 by the service in whose name it was made.
fn is_marked_as_the_consoles(record: &Value) -> bool {
    let marked = match record.get("sessionCredentialFromConsole") {
        Some(Value::Bool(marked)) => *marked,
        Some(Value::String(marked)) => marked == "true",
        Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => false,
    };
    marked || record.pointer("/userIdentity/invokedBy").is_some_and(|by| by == OLD_CONSOLE)
}

/// Whether an agent is one of the console's: its host name, the name of its front end, a browser's.
fn is_the_consoles(agent: &str) -> bool {
    agent == OLD_CONSOLE || agent.starts_with("Mozilla/") || contains(agent, "console")
}

fn is_service(caller: &str) -> bool {
    !caller.contains(' ')
        && (caller.ends_with(".amazonaws.com") || caller.ends_with(".amazonaws.com.cn"))
}

/// Whether `text` holds `word` (in lower case) in any case.
fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn assumed(role: &str, session: &str) -> Value {
        json!({
            "type": "AssumedRole",
            "principalId": format!("AROAIOSFODNN7EXAMPLE:{session}"),
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/{session}"),
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}},
        })
    }

    fn with(mut identity: Value, key: &str, value: &str) -> Value {
        identity[key] = json!(value);
        identity
    }

    #[test]
    fn users_are_their_names() {
        let user =
            json!({"type": "IAMUser", "userName": "ops-oncall", "accountId": "111122223333"});
        assert_eq!(actor(&user), "ops-oncall");
        let on_the_console = json!({
            "type": "IAMUser", "userName": "ops-oncall",
            "sessionContext": {"sessionIssuer": {}, "webIdFederationData": {}, "attributes": {"mfaAuthenticated": "true"}},
        });
        assert_eq!(actor(&on_the_console), "ops-oncall");
        assert_eq!(actor(&with(user.clone(), "invokedBy", "signin.amazonaws.com")), "ops-oncall");
        let by_cloudformation = with(user, "invokedBy", "cloudformation.amazonaws.com");
        assert_eq!(actor(&by_cloudformation), "ops-oncall via cloudformation.amazonaws.com");
    }

    #[test]
    fn roles_are_role_and_session() {
        assert_eq!(actor(&assumed("deploy-network", "terraform")), "deploy-network/terraform");
        assert_eq!(
            actor(&assumed("AWSReservedSSO_Admin_01", "maria@example.com")),
            "AWSReservedSSO_Admin_01/maria@example.com"
        );
        assert_eq!(actor(&assumed("batch", "i-0a1b2c3d4e5f60081")), "batch/i-0a1b2c3d4e5f60081");
        let linked = with(
            assumed("AWSServiceRoleForAmazonEKS", "AmazonEKS"),
            "invokedBy",
            "eks.amazonaws.com",
        );
        assert_eq!(actor(&linked), "AWSServiceRoleForAmazonEKS/AmazonEKS via eks.amazonaws.com");
        assert_eq!(actor(&assumed("odd", "a:b")), "odd/a:b");
    }

    #[test]
    fn a_role_without_issuer_or_session_is_read_from_its_arn() {
        let mut identity = assumed("deploy", "ci");
        identity["sessionContext"] = json!(null);
        assert_eq!(actor(&identity), "deploy/ci");
        let mut identity = with(assumed("deploy", "ci"), "principalId", "AROAIOSFODNN7EXAMPLE");
        assert_eq!(actor(&identity), "deploy/ci");
        identity["arn"] = json!("arn:aws:sts::111122223333:odd");
        assert_eq!(actor(&identity), "arn:aws:sts::111122223333:odd");
    }

    #[test]
    fn root_is_root_of_its_account() {
        let root =
            json!({"type": "Root", "principalId": "111122223333", "accountId": "111122223333"});
        assert_eq!(actor(&root), "root of 111122223333");
        let scaling =
            with(with(root, "userName", "alias"), "invokedBy", "autoscaling.amazonaws.com");
        assert_eq!(actor(&scaling), "root of 111122223333 via autoscaling.amazonaws.com");
        assert_eq!(actor(&json!({"type": "Root"})), "root");
    }

    #[test]
    fn others_are_the_most_exact_thing_known_of_them() {
        let federated = json!({"type": "FederatedUser", "arn": "arn:aws:sts::111122223333:federated-user/bo", "principalId": "p"});
        assert_eq!(actor(&federated), "arn:aws:sts::111122223333:federated-user/bo");
        assert_eq!(
            actor(&json!({"type": "AWSAccount", "principalId": "AIDA:x", "accountId": "1"})),
            "AIDA:x"
        );
        assert_eq!(
            actor(&json!({"type": "AWSAccount", "accountId": "444455556666"})),
            "AWSAccount 444455556666"
        );
        assert_eq!(
            actor(&json!({"type": "AWSService", "invokedBy": "ram.amazonaws.com"})),
            "ram.amazonaws.com"
        );
        assert_eq!(actor(&json!({"type": "IdentityCenterUser"})), "IdentityCenterUser");
        assert_eq!(actor(&json!({})), "unknown");
        assert_eq!(actor(&json!(null)), "unknown");
    }

    #[test]
    fn the_tool_is_told_by_agent_mark_and_service() {
        let tool = |agent: &str| {
            let (tool, is_awss_word) = tool(&json!({"userAgent": agent}));
            assert!(!is_awss_word, "anybody may call himself {agent}");
            tool
        };
        let service = |name: &str| Tool::Service(name.to_owned());
        assert_eq!(
            tool(
                "APN/1.0 HashiCorp/1.0 Terraform/1.13.5 (+https://www.terraform.io) aws-sdk-go-v2/1.41.0"
            ),
            Tool::Terraform
        );
        assert_eq!(
            tool(
                "aws-sdk-go/1.29.7 (go1.13.7; linux; amd64) APN/1.0 HashiCorp/1.0 Terraform/0.12.24"
            ),
            Tool::Terraform
        );
        assert_eq!(
            tool("aws-cli/2.17.32 md/awscrt#0.21.2 ua/2.0 md/command#ec2.create-route"),
            Tool::Cli
        );
        assert_eq!(tool("Boto3/1.35.0 md/Botocore#1.35.0 ua/2.0"), Tool::Sdk);
        assert_eq!(tool("our-own-client"), Tool::Sdk);
        assert_eq!(tool("signin.amazonaws.com"), Tool::Console);
        assert_eq!(tool("console.ec2.amazonaws.com"), Tool::Console);
        assert_eq!(tool("EC2ConsoleFrontend, aws-internal/3 aws-sdk-java/1.12"), Tool::Console);
        assert_eq!(tool("Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"), Tool::Console);
        assert_eq!(tool("cloudformation.amazonaws.com"), Tool::CloudFormation);
        assert_eq!(tool("eks.amazonaws.com"), service("eks.amazonaws.com"));
        assert_eq!(tool("AWS Internal"), service("AWS Internal"));
        assert_eq!(tool(""), Tool::NotSaid);
    }

    #[test]
    fn a_service_that_acts_and_a_console_mark_count_before_the_agent() {
        let service = |name: &str| Tool::Service(name.to_owned());
        let by = |service: &str| json!({"userAgent": "aws-cli/2", "userIdentity": {"invokedBy": service}});
        assert_eq!(tool(&by("cloudformation.amazonaws.com")), (Tool::CloudFormation, true));
        assert_eq!(
            tool(&by("clientvpn.amazonaws.com")),
            (service("clientvpn.amazonaws.com"), true)
        );
        assert_eq!(tool(&by("signin.amazonaws.com")), (Tool::Cli, false));
        assert_eq!(
            tool(&json!({"userIdentity": {"invokedBy": "signin.amazonaws.com"}})),
            (Tool::Console, true)
        );
        for source in ["ram.amazonaws.com", "AWS Internal"] {
            for agent in ["", source] {
                let record = json!({"sourceIPAddress": source, "userAgent": agent});
                assert_eq!(tool(&record), (service(source), true));
            }
        }
        assert_eq!(tool(&json!({"sourceIPAddress": "203.0.113.7"})), (Tool::NotSaid, false));
        let marked = json!({"userAgent": "AWS Internal", "sessionCredentialFromConsole": "true"});
        assert_eq!(tool(&marked), (Tool::Console, true));
        // An address of the caller's own: what the agent claims is the caller's word.
        for agent in ["cloudformation.amazonaws.com", "AWS Internal", "eks.amazonaws.com"] {
            let record = json!({"sourceIPAddress": "203.0.113.7", "userAgent": agent});
            assert!(!tool(&record).1, "{agent}");
        }
    }

    #[test]
    fn a_caller_is_of_another_account_if_anything_says_so() {
        let own = "111122223333".parse().unwrap();
        let of = |identity: Value| account(&identity, Some(&own)).map(String::from);
        let arn = |account: &str| format!("arn:aws:sts::{account}:assumed-role/Admin/bob");
        let (own, other) = ("111122223333", "444455556666");
        let issuer = |key: &str, value: &str| {
            json!({"accountId": own, "arn": arn(own),
            "sessionContext": {"sessionIssuer": {key: value}}})
        };
        assert_eq!(of(json!({})), None);
        assert_eq!(of(json!({"accountId": own, "arn": arn(own)})).as_deref(), Some(own));
        for identity in [
            json!({"accountId": other}),
            json!({"arn": arn(other)}),
            json!({"accountId": own, "arn": arn(other)}),
            json!({"accountId": other, "arn": arn(own)}),
            issuer("accountId", other),
            issuer("arn", "arn:aws:iam::444455556666:role/Admin"),
        ] {
            assert_eq!(of(identity.clone()).as_deref(), Some(other), "{identity}");
        }
        assert_eq!(of(issuer("arn", "arn:aws:iam::x:role/Admin")).as_deref(), Some(own));
        let unknown = json!({"arn": arn(other)});
        assert_eq!(account(&unknown, None).map(String::from).as_deref(), Some(other));
    }
}
