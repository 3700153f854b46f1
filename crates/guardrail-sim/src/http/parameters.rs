//! The parameters of one call of the Query API, as a tree: `Filter.1.Value.2` is a value in a list
//! in a list.
//!
//! Whoever reads a parameter takes it out, so that what is left over is what nobody knows.

use std::str::FromStr;

use guardrail::ec2::id::{
    AddressAssociationId, AssociationId, DhcpOptionsId, EgressOnlyInternetGatewayId, EndpointId,
    InstanceId, InterfaceId, InternetGatewayId, NatGatewayId, NetworkAclId, OtherAssociationId,
    PrefixListId, RouteTableId, SecurityGroupId, SubnetId, VpcId,
};

use crate::ec2::errors::ApiError;

/// Nothing in EC2's model goes deeper; the rest of a longer name stays in its last part.
const DEEPEST: usize = 8;

/// Parameters in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, Parameter)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parameter {
    Text(String),
    Group(Parameters),
}

impl Parameters {
    /// The parameters of a form or a query string, but for those that sign the request.
    pub(crate) fn parse(form: &[u8]) -> Self {
        let mut all = Self::default();
        for (name, value) in form_urlencoded::parse(form) {
            if !name.starts_with("X-Amz-") {
                all.put(&name.splitn(DEEPEST, '.').collect::<Vec<_>>(), value.into_owned());
            }
        }
        all
    }

    fn put(&mut self, path: &[&str], value: String) {
        let [name, rest @ ..] = path else { return };
        if rest.is_empty() {
            self.0.push(((*name).to_owned(), Parameter::Text(value)));
            return;
        }
        let group = self.0.iter_mut().find_map(|(own, parameter)| match parameter {
            Parameter::Group(group) if own == name => Some(group),
            Parameter::Group(_) | Parameter::Text(_) => None,
        });
        if let Some(group) = group {
            group.put(rest, value);
            return;
        }
        let mut group = Self::default();
        group.put(rest, value);
        self.0.push(((*name).to_owned(), Parameter::Group(group)));
    }

    /// Names and values that have not been taken.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.0.iter().map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// The elements, in the order of their numbers, if every name is a number: a list.
    pub(crate) fn elements(&self) -> Option<Vec<&Parameter>> {
        let numbered: Option<Vec<(u32, &Parameter)>> =
            self.0.iter().map(|(name, parameter)| Some((name.parse().ok()?, parameter))).collect();
        let mut numbered = numbered?;
        numbered.sort_by_key(|(number, _)| *number);
        Some(numbered.into_iter().map(|(_, parameter)| parameter).collect())
    }

    fn take(&mut self, name: &str) -> Option<Parameter> {
        let at = self.0.iter().position(|(own, _)| own == name)?;
        Some(self.0.remove(at).1)
    }

    /// A text; an empty one is as good as none.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Parameter::Text(text) => Some(text).filter(|text| !text.is_empty()),
            group @ Parameter::Group(_) => {
                self.0.push((name.to_owned(), group));
                None
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, ApiError> {
        self.text(name).ok_or_else(|| missing(name))
    }

    /// An id that must be there.
    pub(crate) fn id<T: WireId>(&mut self, name: &str) -> Result<T, ApiError> {
        let text = self.required(name)?;
        read_id(&text)
    }

    /// An id that may be there.
    pub(crate) fn maybe_id<T: WireId>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        self.text(name).map(|text| read_id(&text)).transpose()
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        self.text(name).map(|text| parse(name, &text.to_ascii_lowercase())).transpose()
    }

    /// A whole number.
    pub(crate) fn number<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, ApiError> {
        self.text(name).map(|text| parse(name, &text)).transpose()
    }

    /// The structures of a list.
    pub(crate) fn groups(&mut self, name: &str) -> Result<Vec<Self>, ApiError> {
        let elements = self.list(name)?.into_iter().map(|element| match element {
            Parameter::Group(group) => Ok(group),
            Parameter::Text(_) => Err(malformed(name)),
        });
        elements.collect()
    }

    /// The texts of a list.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, ApiError> {
        let elements = self.list(name)?.into_iter().map(|element| match element {
            Parameter::Text(text) => Ok(text),
            Parameter::Group(_) => Err(malformed(name)),
        });
        elements.collect()
    }

    /// The ids of a list.
    pub(crate) fn ids<T: WireId>(&mut self, name: &str) -> Result<Vec<T>, ApiError> {
        self.texts(name)?.iter().map(|text| read_id(text)).collect()
    }

    fn list(&mut self, name: &str) -> Result<Vec<Parameter>, ApiError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Parameter::Group(group)) => {
                Ok(group.elements().ok_or_else(|| malformed(name))?.into_iter().cloned().collect())
            }
            // An empty list is sent as the name with nothing behind it.
            Some(Parameter::Text(text)) if text.is_empty() => Ok(Vec::new()),
            Some(Parameter::Text(_)) => Err(malformed(name)),
        }
    }

    /// A structure; an empty one where there is none.
    pub(crate) fn group(&mut self, name: &str) -> Result<Self, ApiError> {
        match self.take(name) {
            None => Ok(Self::default()),
            Some(Parameter::Group(group)) => Ok(group),
            Some(Parameter::Text(_)) => Err(malformed(name)),
        }
    }

    /// Whether there is such a parameter.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// Parameters that exist and change nothing of what a world holds.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    /// Refuses what is left over.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        match self.0.first() {
            Some((name, _)) => Err(ApiError::new(
                "UnknownParameter",
                format!("The parameter {name} is not recognized"),
            )),
            None => Ok(()),
        }
    }
}

pub(crate) fn missing(name: &str) -> ApiError {
    ApiError::new("MissingParameter", format!("The request must contain the parameter {name}"))
}

fn malformed(name: &str) -> ApiError {
    ApiError::invalid_value(format!(
        "The parameter {name} is not a list or structure of the expected form"
    ))
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| {
        ApiError::invalid_value(format!("Value ({text}) for parameter {name} is invalid"))
    })
}

fn read_id<T: WireId>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| T::malformed(text))
}

/// An id on the wire, and how EC2 refuses text that is none.
pub(crate) trait WireId: FromStr {
    fn malformed(text: &str) -> ApiError;
}

macro_rules! wire_ids {
    ($($id:ty = $kind:literal,)*) => {
        $(impl WireId for $id {
            fn malformed(text: &str) -> ApiError {
                ApiError::malformed($kind, text)
            }
        })*
    };
}

wire_ids! {
    VpcId = "InvalidVpcID",
    SubnetId = "InvalidSubnetID",
    RouteTableId = "InvalidRouteTableID",
    AssociationId = "InvalidAssociationID",
    EndpointId = "InvalidVpcEndpointId",
    SecurityGroupId = "InvalidGroupId",
    InterfaceId = "InvalidNetworkInterfaceID",
    AddressAssociationId = "InvalidAssociationID",
    InstanceId = "InvalidInstanceID",
    PrefixListId = "InvalidPrefixListID",
    NetworkAclId = "InvalidNetworkAclID",
    OtherAssociationId = "InvalidAssociationID",
    DhcpOptionsId = "InvalidDhcpOptionID",
    InternetGatewayId = "InvalidInternetGatewayId",
    EgressOnlyInternetGatewayId = "InvalidEgressOnlyInternetGatewayId",
}

impl WireId for NatGatewayId {
    fn malformed(text: &str) -> ApiError {
        ApiError::new("NatGatewayMalformed", format!("The NAT gateway ID '{text}' is malformed"))
    }
}
