//! A service as a baseline lists it: its name, and whether it is required where it is not offered.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Service;

/// A service of a list, and whether it is required where the Region does not offer it.
///
/// In JSON it is the service's name, with `?` behind it for one that is required only where it is
/// offered, or an object with `service` and `required`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedService {
    /// The service.
    pub service: Service,
    /// Whether it is required where the Region does not offer it.
    pub required: Required,
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

impl ListedService {
    pub(super) fn always(name: &str) -> Self {
        Self { service: Service(name.to_owned()), required: Required::Always }
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
        output.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ListedService {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Written)
    }
}

/// Reads either form.
struct Written;

impl<'de> Visitor<'de> for Written {
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
        Ok(ListedService { service, required })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListedService, A::Error> {
        let (mut service, mut required) = (None, Required::Always);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "service" => service = Some(map.next_value::<Service>()?),
                "required" => required = map.next_value()?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    return Err(A::Error::unknown_field(&key, &["service", "required"]));
                }
            }
        }
        let service = service.ok_or_else(|| A::Error::missing_field("service"))?;
        Ok(ListedService { service, required })
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ListedService {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ListedService".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (service, required) =
            (generator.subschema_for::<Service>(), generator.subschema_for::<Required>());
        schemars::json_schema!({
            "description": "A service; one with `?` behind it, or with `required`: `if-offered`, is \
                            required only where the Region offers it.",
            "anyOf": [
                { "type": "string", "pattern": "^[a-z0-9._-]{1,255}\\??$" },
                {
                    "type": "object",
                    "properties": { "service": service, "required": required },
                    "required": ["service"],
                    "additionalProperties": false
                }
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
