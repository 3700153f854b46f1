//! One configuration for every client: whose account, which Region, how long to wait, how often to
//! try.

use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
pub use aws_sdk_ec2::config::Credentials;
use aws_sdk_ec2::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_ec2::config::timeout::TimeoutConfig;
use aws_sdk_ec2::config::{ProvideCredentials as _, SharedCredentialsProvider};
use guardrail::cloud::{CallError, LONGEST_CALL};
use guardrail::ec2::id::{AccountId, Region};

use crate::sdk::sdk_errors::{chain, failed, on_heap, unreadable};

/// What CloudTrail shows of us in `userAgent`; a help for readers, never a proof, because anyone
/// can send it.
const APP_NAME: &str = "vpc-guardrail";

/// How to reach AWS. The default takes everything from the environment, as the AWS CLI does.
#[derive(Debug, Clone, Default)]
pub struct ClientOptions {
    /// The Region; without it `AWS_REGION` and the profile say.
    pub region: Option<Region>,
    /// The profile of the AWS CLI's files; without it `AWS_PROFILE` says, or `default` is taken.
    pub profile: Option<String>,
    /// One address for every service, in place of AWS's own; without it `AWS_ENDPOINT_URL` and its
    /// kin say.
    pub endpoint_url: Option<String>,
    /// Who calls; without them the environment, the profile or the function's role says.
    pub credentials: Option<Credentials>,
    /// How long to wait before a call is tried again.
    pub pace: Pace,
}

/// The longest first wait before a failed read is tried again; later ones double, and each is a random
/// part of that. A call that changes something is made once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The first wait.
    pub usual: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { usual: Duration::from_millis(250) }
    }
}

/// Why there are no clients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAvailable {
    /// Nothing says which Region.
    #[error("no Region is set; set `AWS_REGION`, or `region` in the AWS profile")]
    NoRegion,
    /// What is set is no Region.
    #[error("the Region that is set cannot be used: {0}")]
    BadRegion(#[from] guardrail::ec2::id::InvalidId),
    /// Nothing says who calls.
    #[error(
        "no AWS credentials {place} ({reason}); sign in with `aws sso login` or `aws configure`, name a profile, or set \
         `AWS_ACCESS_KEY_ID`"
    )]
    NoCredentials {
        /// Where they were looked for.
        place: String,
        /// The SDK's words.
        reason: String,
    },
}

/// What every client is made from.
#[derive(Debug, Clone)]
pub struct Clients {
    config: SdkConfig,
    region: Region,
    profile: Option<String>,
    changes: RetryPartition,
}

impl Clients {
    /// Gathers the configuration. Makes no call.
    ///
    /// # Errors
    /// When no usable Region is set.
    pub async fn load(options: &ClientOptions) -> Result<Self, NotAvailable> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .retry_config(retries(3, options.pace.usual, Duration::from_secs(2)))
            .timeout_config(timeouts(Duration::from_secs(4), Duration::from_secs(15)));
        if let Ok(name) = AppName::new(APP_NAME) {
            loader = loader.app_name(name);
        }
        if let Some(region) = &options.region {
            loader = loader.region(aws_config::Region::new(region.as_str().to_owned()));
        }
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(url) = &options.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(credentials) = &options.credentials {
            loader = loader.credentials_provider(credentials.clone());
        }
        let mut config = loader.load().await;
        let region = config.region().ok_or(NotAvailable::NoRegion)?.as_ref().parse()?;
        if let Some(profile) = &options.profile {
            let of_profile = of_profile(profile, &config);
            config = config.into_builder().credentials_provider(of_profile).build();
        }
        let profile = options.profile.clone();
        let changes = RetryPartition::custom("changes").build();
        Ok(Self { config, region, profile, changes })
    }

    /// The Region every call goes to.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The configuration, for a client of a service this crate has no words for.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Looks for credentials, which otherwise happens in the first call, whose error then looks
    /// like one of the network's.
    ///
    /// # Errors
    /// When there are none.
    pub async fn find_credentials(&self) -> Result<(), NotAvailable> {
        let place = || match &self.profile {
            Some(profile) => format!("in the profile `{profile}`"),
            None => "in the environment, the profiles or this machine's role".to_owned(),
        };
        // The first line says what; the others are one for each place where there are none.
        let first = |all: String| {
            all.lines().next().map(|line| line.trim_end_matches(". Attempted:").to_owned())
        };
        let none = |all| NotAvailable::NoCredentials {
            place: place(),
            reason: first(all).unwrap_or_default(),
        };
        let provider = self
            .config
            .credentials_provider()
            .ok_or_else(|| none("nothing provides any".to_owned()))?;
        on_heap(provider.provide_credentials()).await.map_err(|error| none(chain(&error)))?;
        Ok(())
    }

    /// Whose credentials these are (`GetCallerIdentity`, which needs no permission).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn account(&self) -> Result<AccountId, CallError> {
        const OPERATION: &str = "GetCallerIdentity";
        let identity =
            on_heap(aws_sdk_sts::Client::new(&self.config).get_caller_identity().send()).await;
        let account =
            identity.map_err(|error| failed(OPERATION, &error))?.account.unwrap_or_default();
        AccountId::try_from(account).map_err(|error| unreadable(OPERATION, &error.to_string()))
    }

    /// How a call that changes something differs: it is made once. A call that was tried twice has two
    /// requests, of which CloudTrail tells, and the answer knows the id of the last only; the next run
    /// tries again. AWS takes seconds to answer calls that change endpoints. What failed calls cost is
    /// their own: neither do their failures keep reads from being tried again, nor theirs these. The mode
    /// is standard, because the adaptive one never slows below 0.5 calls a second, which is more than there
    /// are for endpoints.
    pub(crate) fn for_changes(&self) -> aws_sdk_ec2::Config {
        aws_sdk_ec2::config::Builder::from(&self.config)
            .retry_partition(self.changes.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(1))
            .timeout_config(timeouts(Duration::from_secs(18), LONGEST_CALL))
            .build()
    }
}

/// The credentials of a profile and no others: the SDK would take those in the environment first,
/// of another account maybe.
fn of_profile(profile: &str, config: &SdkConfig) -> SharedCredentialsProvider {
    let place = ProviderConfig::default().with_region(config.region().cloned());
    let provider =
        ProfileFileCredentialsProvider::builder().configure(&place).profile_name(profile).build();
    SharedCredentialsProvider::new(provider)
}

fn retries(attempts: u32, first_wait: Duration, longest_wait: Duration) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_initial_backoff(first_wait)
        .with_max_backoff(longest_wait)
}

/// The SDK itself never gives up on an answer: only the connection has a limit by default. No
/// operation, tries included, may last longer than [`LONGEST_CALL`].
fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(1500))
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::config::retry::RetryMode;

    use super::*;

    /// Leases outlive every call by what this constant says.
    #[tokio::test]
    async fn no_call_outlasts_a_lease_and_none_is_retried_adaptively() {
        let region = Some("eu-central-1".parse().unwrap());
        let options = ClientOptions { region, ..ClientOptions::default() };
        let clients = Clients::load(&options).await.unwrap();
        let changes = clients.for_changes();
        let timeouts = [clients.config().timeout_config(), changes.timeout_config()];
        for timeouts in timeouts {
            let timeouts = timeouts.unwrap();
            assert!(timeouts.operation_timeout().unwrap() <= LONGEST_CALL, "{timeouts:?}");
            assert!(timeouts.operation_attempt_timeout() < timeouts.operation_timeout());
        }
        let retries = [clients.config().retry_config(), changes.retry_config()];
        let retries = retries.map(|retries| {
            let retries = retries.unwrap();
            (retries.mode(), retries.max_attempts())
        });
        assert_eq!(retries, [(RetryMode::Standard, 3), (RetryMode::Standard, 1)]);
        assert_eq!(changes.retry_partition(), Some(&clients.changes));
    }
}
