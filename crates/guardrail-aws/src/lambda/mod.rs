//! What the three functions have in common as Lambda functions.

mod logs;

use std::fmt;
use std::time::Duration;

use guardrail::cloud::CallError;
use guardrail::ec2::id::{AccountId, Place};
use jiff::Timestamp;
use lambda_runtime::{Context, Diagnostic};

use crate::sdk::clock;
use crate::{Allowance, AnotherRegion, ClientOptions, Clients, Clouds, Configuration};

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
    /// EC2, as it is read without a baseline.
    pub clouds: Clouds,
}

/// The environment variables that a function is told by.
#[derive(Debug)]
pub struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// What `variable` says of each name.
    pub fn new(variable: F) -> Self {
        Self(variable)
    }

    /// The text of a variable; none where it is not set.
    pub fn text(&self, name: &str) -> String {
        (self.0)(name).unwrap_or_default()
    }

    /// The number in a variable, or `otherwise` where it is not set.
    ///
    /// # Errors
    /// When it is set to something else.
    pub fn number<N: std::str::FromStr>(&self, name: &str, otherwise: N) -> Result<N, Failed> {
        let text = self.text(name);
        match text.is_empty() {
            true => Ok(otherwise),
            false => text.parse().map_err(|_| {
                let why = format!("`{name}` is `{text}`; set it to a number, or leave it out");
                Failed::new("NotConfigured", why)
            }),
        }
    }
}

impl Start {
    /// Starts logging, and gathers the configuration. `AWS_LAMBDA_LOG_LEVEL` says what is logged,
    /// `GUARDRAIL_BASELINE` what is wanted; EC2 is read within `allowance`.
    ///
    /// # Errors
    /// When no Region is set, which is logged too.
    pub async fn load<F: Fn(&str) -> Option<String>>(
        variables: &Variables<F>,
        allowance: Allowance,
    ) -> Result<Self, Failed> {
        logs::start((variables.0)("AWS_LAMBDA_LOG_LEVEL").as_deref());
        let clients = Clients::load(&ClientOptions::default())
            .await
            .map_err(|why| Failed::new("NotConfigured", why));
        let clients = clients.inspect_err(|failed| tracing::error!("not started: {failed}"))?;
        let baseline = (variables.0)("GUARDRAIL_BASELINE");
        let configuration = Configuration::new(&clients, allowance.clone(), baseline.as_deref());
        let clouds = Clouds::new(&clients, allowance);
        Ok(Self { clients, configuration, clouds })
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
