//! What NAT gateways carried of late: advice for people before a route to one goes. Nothing is
//! decided by it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::CallError;
use crate::ec2::id::NatGatewayId;

/// What a NAT gateway carried in the last hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NatTraffic {
    /// The gateway.
    pub nat: NatGatewayId,
    /// What it carried, for all its routes and subnets together.
    pub carried: Carried,
}

/// What CloudWatch says of an hour of a NAT gateway
/// (docs.aws.amazon.com/vpc/latest/userguide/metrics-dimensions-nat-gateway.html).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Carried {
    /// There is data of the hour.
    Data {
        /// The highest `ActiveConnectionCount`: TCP connections at one time; over several zones
        /// their sum.
        active_connections: u64,
        /// The sum of `ConnectionEstablishedCount`: new TCP connections.
        connections_established: u64,
        /// The sum of `BytesOutToDestination`.
        bytes_out: u64,
        /// The sum of `PacketsOutToDestination`, UDP and ICMP among them.
        packets_out: u64,
    },
    /// There is no data of the hour: the gateway was idle, or told nothing.
    NoData,
    /// The data could not be read.
    Unreadable(CallError),
}

impl fmt::Display for NatTraffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nat = &self.nat;
        match &self.carried {
            Carried::Data { bytes_out: 0, packets_out: 0, active_connections: 0, .. } => {
                write!(f, "{nat} sent nothing out in the last hour")
            }
            Carried::Data { active_connections: 0, bytes_out, packets_out, .. } => write!(
                f,
                "in the last hour {nat} carried {} out in {packets_out} packets and no TCP \
                 connection",
                Bytes(*bytes_out)
            ),
            Carried::Data { active_connections, bytes_out, .. } => write!(
                f,
                "in the last hour {nat} carried {} out, and {active_connections} connections at \
                 most at one time",
                Bytes(*bytes_out)
            ),
            Carried::NoData => {
                write!(f, "no data of what {nat} carried in the last hour: idle, or not told")
            }
            Carried::Unreadable(error) => write!(
                f,
                "what {nat} carried in the last hour could not be read: {}",
                error.shown()
            ),
        }
    }
}

/// A number of bytes as people read it, in decimal units as CloudWatch counts.
struct Bytes(u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
        match UNITS.iter().find(|(size, _)| self.0 >= *size) {
            Some((size, unit)) => {
                let tenths = self.0 / (size / 10);
                write!(f, "{}.{} {unit}", tenths / 10, tenths % 10)
            }
            None => write!(f, "{} bytes", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::ErrorClass;

    fn said(carried: Carried) -> String {
        NatTraffic { nat: "nat-1".parse().unwrap(), carried }.to_string()
    }

    fn data(active_connections: u64, bytes_out: u64, packets_out: u64) -> String {
        let connections_established = active_connections * 3;
        said(Carried::Data { active_connections, connections_established, bytes_out, packets_out })
    }

    #[test]
    fn what_was_carried_is_said_in_one_line() {
        assert_eq!(
            data(34, 1_234_567_890, 1_000_000),
            "in the last hour nat-1 carried 1.2 GB out, and 34 connections at most at one time"
        );
        assert_eq!(
            data(0, 76_000, 1000),
            "in the last hour nat-1 carried 76.0 kB out in 1000 packets and no TCP connection"
        );
        assert_eq!(data(0, 0, 0), "nat-1 sent nothing out in the last hour");
        assert_eq!(
            said(Carried::NoData),
            "no data of what nat-1 carried in the last hour: idle, or not told"
        );
        assert_eq!(
            said(Carried::Unreadable(CallError {
                operation: "GetMetricData".to_owned(),
                class: ErrorClass::Denied,
                code: Some("AccessDenied".to_owned()),
                message: "not\nallowed".to_owned(),
            })),
            "what nat-1 carried in the last hour could not be read: GetMetricData: AccessDenied: \
             \"not allowed\""
        );
    }

    #[test]
    fn bytes_are_read_in_the_largest_unit_that_fits() {
        let said = |bytes| Bytes(bytes).to_string();
        assert_eq!(
            [0, 999, 1000, 1_050_000, 1_999_999_999, 3_400_000_000_000].map(said),
            ["0 bytes", "999 bytes", "1.0 kB", "1.0 MB", "1.9 GB", "3.4 TB"]
        );
    }
}
