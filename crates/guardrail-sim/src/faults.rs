//! Trouble on demand: calls that fail, answers that get lost, and EC2's token buckets.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::errors::ApiError;
use crate::request::Request;

/// Makes the next calls of one operation fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(crate) operation: String,
    pub(crate) times: u32,
    pub(crate) error: ApiError,
    pub(crate) happens: bool,
}

impl Fault {
    /// The next call of `operation` is refused with this code, and changes nothing.
    pub fn refuse(operation: &str, code: &str) -> Self {
        let error = ApiError::new(code, format!("{operation} was made to fail"));
        Self { operation: operation.to_owned(), times: 1, error, happens: false }
    }

    /// The next call of `operation` is carried out, but its answer never arrives.
    pub fn lose_answer(operation: &str) -> Self {
        Self { operation: operation.to_owned(), times: 1, error: ApiError::lost(), happens: true }
    }

    /// The next `n` calls instead of one.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.times = n;
        self
    }

    /// With these words instead of our own.
    #[must_use]
    pub fn message(mut self, text: &str) -> Self {
        text.clone_into(&mut self.error.message);
        self
    }
}

/// A bucket's name, how much it holds, and how much flows in each second (both in thousandths of a call).
type Bucket = (&'static str, i64, i64);

const READS: Bucket = ("reads", 100_000, 20_000);
const WRITES: Bucket = ("writes", 50_000, 5_000);
const RULES: Bucket = ("security group rules", 50_000, 5_000);
const TAGS: Bucket = ("tags", 100_000, 10_000);
const ENDPOINTS: Bucket = ("endpoints", 4_000, 300);
const NATS: Bucket = ("NAT gateways", 10_000, 1_000);
const INTERFACES: Bucket = ("interfaces", 100_000, 5_000);

/// EC2's token buckets of one account and Region.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// What is left in a bucket that was used, and when it was counted.
    left: BTreeMap<&'static str, (i64, Timestamp)>,
    since: Timestamp,
}

impl Buckets {
    pub(crate) fn full(now: Timestamp) -> Self {
        Self { left: BTreeMap::new(), since: now }
    }

    /// Takes one call's worth, or refuses the call.
    pub(crate) fn take(&mut self, request: &Request, now: Timestamp) -> Result<(), ApiError> {
        let (name, capacity, refill) = bucket_of(request);
        let (left, counted) = self.left.get(name).copied().unwrap_or((capacity, self.since));
        let passed = now.as_millisecond().saturating_sub(counted.as_millisecond());
        let left = left.saturating_add(passed.saturating_mul(refill) / 1000).min(capacity);
        if left < 1000 {
            self.left.insert(name, (left, now));
            return Err(ApiError::new("RequestLimitExceeded", "Request limit exceeded."));
        }
        self.left.insert(name, (left - 1000, now));
        Ok(())
    }
}

fn bucket_of(request: &Request) -> Bucket {
    match request.operation() {
        "CreateVpcEndpoint" | "ModifyVpcEndpoint" | "DeleteVpcEndpoints" => ENDPOINTS,
        "CreateNatGateway" => NATS,
        "CreateTags" | "DeleteTags" => TAGS,
        "AuthorizeSecurityGroupIngress" | "RevokeSecurityGroupIngress" => RULES,
        "ModifyNetworkInterfaceAttribute" => INTERFACES,
        _ if request.is_write() => WRITES,
        _ => READS,
    }
}
