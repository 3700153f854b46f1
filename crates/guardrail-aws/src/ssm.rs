//! Parameter Store, where a baseline may be kept.

use aws_sdk_ssm::Client;
use guardrail::cloud::CallError;

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap, unreadable};

/// Parameter Store.
#[derive(Debug, Clone)]
pub struct Parameters(Client);

impl Parameters {
    /// Parameter Store as these clients reach it.
    pub fn new(clients: &Clients) -> Self {
        Self(Client::new(clients.config()))
    }

    /// The value of this parameter, decrypted.
    ///
    /// # Errors
    /// When it could not be read, or has no value.
    pub async fn read(&self, name: &str) -> Result<String, CallError> {
        const OPERATION: &str = "GetParameter";
        let answer = on_heap(self.0.get_parameter().name(name).with_decryption(true).send()).await;
        let parameter = answer.map_err(|error| failed(OPERATION, &error))?.parameter;
        let value = parameter.and_then(|parameter| parameter.value);
        value.ok_or_else(|| unreadable(OPERATION, &format!("`{name}` has no value")))
    }
}
