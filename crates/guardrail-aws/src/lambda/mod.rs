//! What the three functions have in common as Lambda functions.

mod logs;

use std::fmt;
use std::time::Duration;

use guardrail::cloud::CallError;
use guardrail::ec2::id::{AccountId, Place};
use jiff::Timestamp;
use lambda_runtime::{Context, Diagnostic};

use crate::sdk::clock;
use crate::{Allowance, AnotherRegion, ClientOptions, Clients, Configuration};

/// How long a function may take to warm up: it is killed after ten seconds without its first
/// question for an event.
const WARM_UP: Duration = Duration::from_secs(3);

/// What every function starts with.
#[derive(Debug)]
pub struct Start {
    /// For its clients.
    pub clients: Clients,
    /// For its baseline.
    pub configuration: Configuration,
}

impl Start {
    /// Starts logging, and gathers the configuration. `level` is the value of
    /// `AWS_LAMBDA_LOG_LEVEL`, `baseline` that of `GUARDRAIL_BASELINE`; EC2 is read within `allowance`.
    ///
    /// # Errors
    /// When no Region is set, which is logged too.
    pub async fn load(
        level: Option<&str>,
        baseline: Option<&str>,
        allowance: Allowance,
    ) -> Result<Self, Failed> {
        logs::start(level);
        let clients = Clients::load(&ClientOptions::default())
            .await
            .map_err(|why| Failed::new("NotConfigured", why));
        let clients = clients.inspect_err(|failed| tracing::error!("not started: {failed}"))?;
        let configuration = Configuration::new(&clients, allowance, baseline);
        Ok(Self { clients, configuration })
    }

    /// Reads the baseline, and what is the same for every VPC, so that the first event finds it
    /// read. What fails or takes too long here is done again when it is needed, and its fault told
    /// then.
    pub async fn warm_up(&self) {
        let warm = async {
            if let Ok(ready) = self.configuration.current(clock::now()).await {
                ready.clouds.prepare().await;
            }
        };
        let _ = tokio::time::timeout(WARM_UP, warm).await;
    }

    /// The time now.
    pub fn clock(&self) -> Timestamp {
        clock::now()
    }

    /// Where the function runs: its own ARN says, or else its credentials.
    ///
    /// # Errors
    /// When neither does.
    pub async fn place(&self, context: &Context) -> Result<Place, Failed> {
        let account = match AccountId::of_arn(&context.invoked_function_arn) {
            Some(account) => account,
            None => self.clients.account().await.map_err(Failed::at("AccountUnknown"))?,
        };
        Ok(Place { account, region: self.clients.region().clone() })
    }
}

/// Why an invocation failed: what Lambda gets as the error, and logs.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failed {
    what: &'static str,
    why: String,
}

impl Failed {
    /// A failure of this name, which is `errorType` for whoever filters on it.
    pub fn new(what: &'static str, why: impl fmt::Display) -> Self {
        Self { what, why: why.to_string() }
    }

    /// The failure of a call.
    pub fn at(what: &'static str) -> impl Fn(CallError) -> Self {
        move |error| Self::new(what, error)
    }
}

/// As the runtime logs it.
impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl From<AnotherRegion> for Failed {
    fn from(why: AnotherRegion) -> Self {
        Self::new("AnotherRegion", why)
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Self {
        Self { error_type: failed.what.to_owned(), error_message: failed.why }
    }
}
