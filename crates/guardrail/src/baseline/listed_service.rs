//! A service as a baseline lists it: its name, and how it is required and reached.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Service, TagSelector};
use crate::ec2::policy::{PolicyDigest, PolicyDocument};

/// The longer of the two forms that a service has in JSON: an object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Written {
    /// The service.
    service: Service,
    /// Whether the service is required where the Region does not offer it.
    #[serde(default)]
    required: Required,
    /// The private subnets that need the service: those that one of these selectors matches. Left
    /// out, every private subnet needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    required_in: Option<Vec<TagSelector>>,
    /// The name under which clients reach the service.
    #[serde(default)]
    reached_by: ReachedBy,
    /// The endpoint policy that the service's endpoints should have: full access when left out. An
    /// endpoint that is made gets it; one with another policy is told of, and not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<PolicyDocument>,
    /// When an endpoint that costs money is made.
    #[serde(default)]
    create: Create,
}

/// A service of a list, and how it is required and reached.
///
/// In JSON it is the service's name, with `?` behind it for one that is required only where it is
/// offered, or an object with `service` and any of the other fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedService {
    /// The service.
    pub service: Service,
    /// Whether it is required where the Region does not offer it.
    pub required: Required,
    /// The private subnets that need it; `None` when all do.
    pub required_in: Option<Vec<TagSelector>>,
    /// The name under which clients reach it.
    pub reached_by: ReachedBy,
    /// The policy that its endpoints should have; `None` for full access.
    pub policy: Option<PolicyDocument>,
    /// When an interface endpoint for it is made.
    pub create: Create,
}

/// Whether a service is required where the Region does not offer it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Required {
    /// The service is required; where it is not offered, nothing serves it, and a route by which it
    /// may be reached stays.
    #[default]
    Always,
    /// The service is required where it is offered, and passed over elsewhere.
    IfOffered,
}

/// The name under which clients reach a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReachedBy {
    /// Clients use the service's own name, which private DNS has to lead to the endpoint.
    #[default]
    PrivateName,
    /// Clients are configured with the endpoint's own name (`vpce-…`), so that private DNS does not
    /// matter.
    EndpointName,
}

/// When an interface endpoint, which costs money, is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Create {
    /// The endpoint is made when, as far as can be seen, it would serve the subnets that need it.
    #[default]
    WhenItServes,
    /// The endpoint is made even while something that the guardrail does not remove keeps it from
    /// serving.
    Always,
}

/// A policy of a service's endpoints that the baseline is content with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AcceptedPolicy {
    /// The service, as the baseline lists it.
    pub service: Service,
    /// The policy's digest, which `guardrail explain` prints. Another policy has another one, so that
    /// an edit ends the acceptance.
    pub digest: PolicyDigest,
}

impl ListedService {
    /// A service that is required in every private subnet, reached by its own name.
    pub(super) fn named(name: &str, required: Required) -> Self {
        Self::of(Service::known(name), required)
    }

    fn of(service: Service, required: Required) -> Self {
        Self {
            service,
            required,
            required_in: None,
            reached_by: ReachedBy::default(),
            policy: None,
            create: Create::default(),
        }
    }

    pub(super) fn always(name: &str) -> Self {
        Self::named(name, Required::Always)
    }
}

impl From<Written> for ListedService {
    fn from(written: Written) -> Self {
        let Written { service, required, required_in, reached_by, policy, create } = written;
        Self { service, required, required_in, reached_by, policy, create }
    }
}

impl fmt::Display for ListedService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.required {
            Required::Always => write!(f, "{}", self.service),
            Required::IfOffered => write!(f, "{}?", self.service),
        }
    }
}

impl Serialize for ListedService {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        if *self == Self::of(self.service.clone(), self.required) {
            return output.collect_str(self);
        }
        let Self { service, required, required_in, reached_by, policy, create } = self.clone();
        Written { service, required, required_in, reached_by, policy, create }.serialize(output)
    }
}

impl<'de> Deserialize<'de> for ListedService {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(EitherForm)
    }
}

/// Reads either form.
struct EitherForm;

impl<'de> Visitor<'de> for EitherForm {
    type Value = ListedService;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a service like `ssm` or `ec2messages?`, or an object with `service`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ListedService, E> {
        let (name, required) = match text.strip_suffix('?') {
            Some(name) => (name, Required::IfOffered),
            None => (text, Required::Always),
        };
        let service = Service::try_from(name.to_owned()).map_err(E::custom)?;
        Ok(ListedService::of(service, required))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ListedService, A::Error> {
        Written::deserialize(MapAccessDeserializer::new(map)).map(ListedService::from)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ListedService {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ListedService".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let written = generator.subschema_for::<Written>();
        schemars::json_schema!({
            "description": "A service; one with `?` behind it, or with `required`: `if-offered`, is \
                            required only where the Region offers it.",
            "anyOf": [
                { "type": "string", "pattern": "^[a-z0-9._-]{1,255}\\??$" },
                written
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<ListedService, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_or_an_object_says_the_same() {
        let always = ListedService::always("ssm");
        let if_offered = ListedService { required: Required::IfOffered, ..always.clone() };
        for json in
            [r#""ssm""#, r#"{"service": "ssm"}"#, r#"{"service": "ssm", "required": "always"}"#]
        {
            assert_eq!(read(json), Ok(always.clone()), "{json}");
        }
        for json in [r#""ssm?""#, r#"{"required": "if-offered", "service": "ssm"}"#] {
            assert_eq!(read(json), Ok(if_offered.clone()), "{json}");
        }
        for (listed, json) in [(always, r#""ssm""#), (if_offered, r#""ssm?""#)] {
            assert_eq!(serde_json::to_string(&listed).unwrap(), json);
        }
    }

    #[test]
    fn what_is_neither_says_what_is_wrong() {
        for (json, what) in [
            ("1", "expected a service like `ssm` or `ec2messages?`, or an object with `service`"),
            (r#""SSM?""#, "`SSM` is not a service"),
            (r#"{"required": "always"}"#, "missing field `service`"),
            (r#"{"service": "ssm", "require": 1}"#, "unknown field `require`"),
            (r#"{"service": "ssm", "required": "no"}"#, "unknown variant `no`"),
        ] {
            let error = read(json).unwrap_err();
            assert!(error.contains(what), "{json}: {error}");
        }
    }
}
