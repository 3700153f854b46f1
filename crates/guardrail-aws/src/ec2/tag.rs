//! One tag, set for a person who asks for it; no function of the stack does.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::Tag;
use guardrail::cloud::CallError;
use guardrail::ec2::resource_id::ResourceId;

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap};

/// Sets a tag of one thing, over one of the same key.
///
/// # Errors
/// When the call fails.
pub async fn set_tag(
    clients: &Clients,
    on: &ResourceId,
    key: &str,
    value: &str,
) -> Result<(), CallError> {
    let ec2 = Client::from_conf(clients.for_changes());
    let tag = Tag::builder().key(key).value(value).build();
    let sent = on_heap(ec2.create_tags().resources(on.as_str()).tags(tag).send()).await;
    sent.map(|_| ()).map_err(|error| failed("CreateTags", &error))
}
