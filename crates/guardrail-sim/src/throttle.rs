//! EC2's token buckets: how many calls of each action an account makes in a Region before it is
//! told to wait.
//!
//! "Amazon EC2 uses the token bucket algorithm to implement API throttling"; "each API is evaluated
//! individually": <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>, which
//! has all the sizes too. The buckets of the console and those of resource tokens (instances to
//! run) are not here: nothing that is simulated draws on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use crate::ec2::errors::ApiError;
use crate::ec2::request::{self, Request};

/// How much a bucket holds, and how much flows in each second, both in thousandths of a call.
#[derive(Debug, Clone, Copy)]
struct Size {
    capacity: i64,
    refill: i64,
}

const fn size(capacity: i64, refill: i64) -> Size {
    Size { capacity, refill }
}

/// The sizes of all buckets.
struct Sizes {
    /// The actions that AWS gives a size of their own; every other action has that of its category.
    named: [(&'static str, Size); 10],
    /// The second bucket of some reads, which they draw on when they are neither filtered nor
    /// paginated.
    unfiltered_read: Size,
    read: Size,
    write: Size,
}

const SIZES: Sizes = Sizes {
    named: [
        ("AuthorizeSecurityGroupIngress", size(50_000, 5_000)),
        ("RevokeSecurityGroupIngress", size(50_000, 5_000)),
        ("CreateVpcEndpoint", size(4_000, 300)),
        ("ModifyVpcEndpoint", size(4_000, 300)),
        ("DeleteVpcEndpoints", size(4_000, 300)),
        ("CreateTags", size(100_000, 10_000)),
        ("DeleteTags", size(100_000, 10_000)),
        ("CreateNatGateway", size(10_000, 1_000)),
        ("DeleteNatGateway", size(10_000, 1_000)),
        ("ModifyNetworkInterfaceAttribute", size(100_000, 5_000)),
    ],
    unfiltered_read: size(50_000, 10_000),
    read: size(100_000, 20_000),
    write: size(50_000, 5_000),
};

/// One call's worth.
const CALL: i64 = 1000;

/// A bucket is one action's alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Bucket {
    action: &'static str,
    unfiltered: bool,
}

impl Bucket {
    /// A dry run draws on the bucket of the call that it tries.
    fn of(request: &Request) -> Self {
        Self { action: request.operation(), unfiltered: is_unfiltered(request) }
    }

    fn size(self) -> Size {
        let named = SIZES.named.iter().find(|(action, _)| *action == self.action);
        match named {
            Some((_, size)) => *size,
            None if self.unfiltered => SIZES.unfiltered_read,
            None if request::is_read(self.action) => SIZES.read,
            None => SIZES.write,
        }
    }
}

/// Ids are no filter and no page.
fn is_unfiltered(request: &Request) -> bool {
    if let Request::DryRun(inner) = request {
        return is_unfiltered(inner);
    }
    if let Request::DescribeInstances(query)
    | Request::DescribeNetworkInterfaces(query)
    | Request::DescribeSecurityGroups(query) = request
    {
        return query.filters.is_empty()
            && query.max_results.is_none()
            && query.next_token.is_none();
    }
    false
}

/// Whether a call that finds its bucket empty is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Throttling {
    On,
    /// The buckets are counted all the same, and may owe.
    Off,
}

/// What is in a bucket, and what came of it.
#[derive(Debug, Clone, Copy)]
struct Level {
    left: i64,
    counted: Timestamp,
    lowest: i64,
    made: u64,
    refused: u64,
}

/// What the calls of one action took of their bucket.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BucketUse {
    /// The API action.
    pub action: &'static str,
    /// Whether this is the second, smaller bucket that some reads have for calls that are neither
    /// filtered nor paginated.
    pub unfiltered: bool,
    /// The most that the bucket holds, in calls.
    pub capacity: f64,
    /// How many calls flow in each second.
    pub refill: f64,
    /// How many calls were made, refused ones included.
    pub made: u64,
    /// How many of them were refused.
    pub refused: u64,
    /// The most that was ever missing from the bucket; more than its capacity only where nothing is
    /// refused.
    pub highest_use: f64,
}

/// EC2's token buckets of one account and Region.
#[derive(Debug)]
pub(crate) struct Buckets {
    used: BTreeMap<Bucket, Level>,
    since: Timestamp,
}

impl Buckets {
    pub(crate) fn full(now: Timestamp) -> Self {
        Self { used: BTreeMap::new(), since: now }
    }

    /// One call's worth is taken, or the call is refused and nothing is taken.
    pub(crate) fn take(
        &mut self,
        request: &Request,
        now: Timestamp,
        throttling: Throttling,
    ) -> Result<(), ApiError> {
        let bucket = Bucket::of(request);
        let Size { capacity, refill } = bucket.size();
        let full =
            Level { left: capacity, counted: self.since, lowest: capacity, made: 0, refused: 0 };
        let level = self.used.entry(bucket).or_insert(full);
        level.made = level.made.saturating_add(1);
        let passed = now.as_millisecond().saturating_sub(level.counted.as_millisecond()).max(0);
        let left = level.left.saturating_add(passed.saturating_mul(refill) / 1000).min(capacity);
        if left < CALL && throttling == Throttling::On {
            level.refused = level.refused.saturating_add(1);
            return Err(ApiError::new("RequestLimitExceeded", "Request limit exceeded."));
        }
        level.left = left.saturating_sub(CALL);
        level.lowest = level.lowest.min(level.left);
        level.counted = now;
        Ok(())
    }

    pub(crate) fn uses(&self) -> Vec<BucketUse> {
        self.used.iter().map(|(bucket, level)| use_of(*bucket, level)).collect()
    }
}

fn use_of(bucket: Bucket, level: &Level) -> BucketUse {
    let Size { capacity, refill } = bucket.size();
    BucketUse {
        action: bucket.action,
        unfiltered: bucket.unfiltered,
        capacity: calls(capacity),
        refill: calls(refill),
        made: level.made,
        refused: level.refused,
        highest_use: calls(capacity.saturating_sub(level.lowest)),
    }
}

/// Thousandths of a call as calls.
#[expect(clippy::cast_precision_loss, reason = "far fewer calls than 2⁵³ are ever made")]
fn calls(thousandths: i64) -> f64 {
    thousandths as f64 / 1000.0
}

/// The uses as lines for people, under a heading, in the order given.
pub fn bucket_table(uses: &[BucketUse]) -> String {
    let mut table = format!(
        "{:<40} {:>7} {:>8} {:>12} {:>9} {:>7}\n",
        "API action", "made", "refused", "highest use", "capacity", "refill"
    );
    for used in uses {
        let kind = if used.unfiltered { " (unfiltered)" } else { "" };
        let action = format!("{}{kind}", used.action);
        let BucketUse { made, refused, highest_use, capacity, refill, .. } = used;
        // Writing to a text cannot fail.
        let _ = writeln!(
            table,
            "{action:<40} {made:>7} {refused:>8} {highest_use:>12} {capacity:>9} {refill:>5}/s"
        );
    }
    table
}
