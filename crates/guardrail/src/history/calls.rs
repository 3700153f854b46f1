//! Which recorded calls may have changed premises.

use jiff::Timestamp;

use super::facts::{Changed, RecordedCall};
use crate::event::{Evidence, Record};

/// Those of these calls that may have changed premises and that say when they were made.
pub fn recorded_calls(evidence: &[Evidence]) -> Vec<RecordedCall> {
    let made = evidence.iter().filter(|call| !call.record.failed);
    let of = made.filter_map(|call| {
        let at: Timestamp = call.time.as_deref()?.parse().ok()?;
        Some(RecordedCall { at, changed: changed_by(&call.record)? })
    });
    of.collect()
}

/// What a call may have changed, by its name in EC2's API.
fn changed_by(record: &Record) -> Option<Changed> {
    let endpoints = record.resource_ids.iter().filter_map(|id| id.as_str().parse().ok());
    match record.event.as_str() {
        "CreateVpcEndpoint"
        | "ModifyVpcEndpoint"
        | "DeleteVpcEndpoints"
        | "AcceptVpcEndpointConnections" => Some(Changed::Endpoints(endpoints.collect())),
        "ModifyVpcAttribute" => Some(Changed::VpcDns),
        "AssociateDhcpOptions" => Some(Changed::DhcpOptions),
        "CreateNetworkAclEntry"
        | "ReplaceNetworkAclEntry"
        | "DeleteNetworkAclEntry"
        | "ReplaceNetworkAclAssociation" => Some(Changed::NetworkAcls),
        _ => None,
    }
}
