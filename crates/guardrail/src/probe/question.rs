//! What a probe is asked.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::ec2::id::{InvalidId, ServiceName};

/// The version of questions and answers that this release writes and reads.
pub const VERSION: u32 = 1;

/// The most targets and services of one question: a function may have 1,024 files and sockets open
/// (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
const MOST_TARGETS: usize = 8;
const MOST_SERVICES: usize = 100;

/// The longest that one wait and a whole look may take.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_LOOK: Duration = Duration::from_secs(60);

/// The port that AWS's services answer on.
const HTTPS: u16 = 443;

/// A question to a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The version of the question.
    pub version: u32,
    /// What stands for the internet.
    #[serde(default)]
    pub targets: Vec<Target>,
    /// The services that the subnet has to reach through their endpoints.
    #[serde(default)]
    pub services: Vec<ServiceQuestion>,
    /// How long the probe may look.
    #[serde(default)]
    pub limits: Limits,
}

/// A name of the internet, which a subnet without a way out does not reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The name.
    pub name: HostName,
    /// The port, TLS's if none is given.
    #[serde(default = "https")]
    pub port: u16,
}

/// A service that a subnet has to reach through its endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceQuestion {
    /// The service.
    pub service: ServiceName,
    /// The name that clients call.
    pub name: HostName,
    /// The port, TLS's if none is given.
    #[serde(default = "https")]
    pub port: u16,
    /// The addresses that the name may have.
    pub own: Own,
}

/// The addresses that are a service's own. One name may be that of an interface and of a gateway
/// endpoint's service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Own {
    /// Those of an interface endpoint's interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// The ranges of the service to which a gateway endpoint's route leads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<IpNet>,
}

impl Own {
    /// Whether an address is the service's own.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address) || self.ranges.iter().any(|it| it.contains(&address))
    }
}

/// How long a probe may look, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// For each wait: a name's answer, a connection, a handshake.
    pub wait_ms: u64,
    /// For all of it.
    pub whole_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { wait_ms: 4_000, whole_ms: 15_000 }
    }
}

impl Limits {
    /// The longest that one wait may take.
    pub fn wait(self) -> Duration {
        Duration::from_millis(self.wait_ms)
    }

    /// The longest that all of it may take.
    pub fn whole(self) -> Duration {
        Duration::from_millis(self.whole_ms)
    }
}

fn https() -> u16 {
    HTTPS
}

/// A question that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It is no question.
    #[error("the question cannot be read: {0}; see \"The probe\" in README")]
    Unreadable(String),
    /// It is in another release's form.
    #[error(
        "the question has version {0}, this probe reads version {VERSION}; deploy both from one release"
    )]
    Version(u32),
    /// There is more of something than a probe looks at.
    #[error("the question has {count} {of}, at most {most} are looked at; ask for fewer at a time")]
    TooMany {
        /// What there is too much of.
        of: &'static str,
        /// How much there is.
        count: usize,
        /// How much there may be.
        most: usize,
    },
    /// A time is none, or longer than a probe looks.
    #[error("`{name}` is {given} ms; set it between 1 and {most}")]
    Time {
        /// Which time.
        name: &'static str,
        /// What it is.
        given: u64,
        /// What it may be.
        most: u128,
    },
}

impl Question {
    /// Reads a question.
    ///
    /// # Errors
    /// When it is not one, is of another version, or asks for more than a probe does.
    pub fn read(value: &serde_json::Value) -> Result<Self, Malformed> {
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        match version.and_then(|version| u32::try_from(version).ok()) {
            Some(version) if version != VERSION => return Err(Malformed::Version(version)),
            Some(_) | None => {}
        }
        let question: Self = Deserialize::deserialize(value)
            .map_err(|why: serde_json::Error| Malformed::Unreadable(why.to_string()))?;
        question.checked()
    }

    fn checked(self) -> Result<Self, Malformed> {
        let counts = [
            ("targets", self.targets.len(), MOST_TARGETS),
            ("services", self.services.len(), MOST_SERVICES),
        ];
        if let Some((of, count, most)) = counts.into_iter().find(|(_, count, most)| count > most) {
            return Err(Malformed::TooMany { of, count, most });
        }
        let times = [
            ("wait_ms", self.limits.wait_ms, LONGEST_WAIT.as_millis()),
            ("whole_ms", self.limits.whole_ms, LONGEST_LOOK.as_millis()),
        ];
        let wrong =
            times.into_iter().find(|(_, given, most)| *given == 0 || u128::from(*given) > *most);
        match wrong {
            Some((name, given, most)) => Err(Malformed::Time { name, given, most }),
            None => Ok(self),
        }
    }
}

/// The name of a host, without a dot at its end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(String);

impl HostName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a resolver takes it literally, without trying it below domains of its own.
    pub fn absolute(&self) -> String {
        format!("{}.", self.0)
    }
}

impl TryFrom<String> for HostName {
    type Error = InvalidId;

    /// A name as of RFC 1123: labels of letters, digits and hyphens.
    fn try_from(text: String) -> Result<Self, InvalidId> {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let is_address = text.parse::<IpAddr>().is_ok();
        match text.len() <= 253 && text.contains('.') && text.split('.').all(is_label) {
            true if !is_address => Ok(Self(text)),
            true | false => Err(InvalidId::of(text, "the name of a host", "checkip.amazonaws.com")),
        }
    }
}

impl From<HostName> for String {
    fn from(name: HostName) -> Self {
        name.0
    }
}

impl std::fmt::Display for HostName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn question() -> Value {
        json!({
            "version": 1,
            "targets": [{ "name": "checkip.amazonaws.com" }],
            "services": [{
                "service": "com.amazonaws.eu-central-1.ssm",
                "name": "ssm.eu-central-1.amazonaws.com",
                "own": { "addresses": ["10.0.1.5"] },
            }],
        })
    }

    fn with(change: impl FnOnce(&mut Value)) -> Result<Question, Malformed> {
        let mut value = question();
        change(&mut value);
        Question::read(&value)
    }

    #[test]
    fn ports_and_times_have_defaults() {
        let host = |name: &str| HostName::try_from(name.to_owned()).unwrap();
        let expected = Question {
            version: 1,
            targets: vec![Target { name: host("checkip.amazonaws.com"), port: 443 }],
            services: vec![ServiceQuestion {
                service: "com.amazonaws.eu-central-1.ssm".parse().unwrap(),
                name: host("ssm.eu-central-1.amazonaws.com"),
                port: 443,
                own: Own { addresses: vec!["10.0.1.5".parse().unwrap()], ranges: Vec::new() },
            }],
            limits: Limits { wait_ms: 4_000, whole_ms: 15_000 },
        };
        assert_eq!(with(|_| ()), Ok(expected.clone()));
        let again = serde_json::to_value(&expected).unwrap();
        assert_eq!(Question::read(&again), Ok(expected));
    }

    #[test]
    fn a_question_of_another_form_says_which_form_is_read() {
        let said = |change: fn(&mut Value)| with(change).unwrap_err().to_string();
        assert_eq!(
            said(|q| q["version"] = json!(2)),
            "the question has version 2, this probe reads version 1; deploy both from one release"
        );
        assert_eq!(
            said(|q| q["limits"] = json!({ "wait_ms": 0, "whole_ms": 1 })),
            "`wait_ms` is 0 ms; set it between 1 and 10000"
        );
        assert_eq!(
            said(|q| q["limits"] = json!({ "wait_ms": 1, "whole_ms": 60_001 })),
            "`whole_ms` is 60001 ms; set it between 1 and 60000"
        );
        assert_eq!(
            said(|q| q["targets"] = json!(vec![json!({ "name": "a.example" }); 9])),
            "the question has 9 targets, at most 8 are looked at; ask for fewer at a time"
        );
        assert_eq!(
            said(|q| q["targets"][0]["name"] = json!("10.0.0.1")),
            "the question cannot be read: `10.0.0.1` is not the name of a host; it should look \
             like `checkip.amazonaws.com`; see \"The probe\" in README"
        );
        assert!(said(|q| q["tries"] = json!(3)).contains("unknown field `tries`"));
        assert!(said(|q| q["version"] = json!("1")).contains("invalid type: string"));
    }
}
