//! Trouble on demand: calls that fail, answers that get lost, and EC2's token buckets.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;

use crate::ec2::errors::ApiError;
use crate::ec2::request::{self, Request};

/// Makes the next calls of one operation fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(crate) operation: String,
    pub(crate) times: u32,
    pub(crate) error: ApiError,
    pub(crate) happens: bool,
}

/// The code of a fault that loses the answer instead of refusing the call.
pub(crate) const LOST: &str = "lost";

/// Text that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no fault; write it as `DeleteRoute=Unavailable`, or `DeleteRoute=Unavailable:3` for three times"
)]
pub struct NotAFault(String);

/// `OPERATION=CODE[:N]`, as [`Fault::named`].
impl FromStr for Fault {
    type Err = NotAFault;

    fn from_str(text: &str) -> Result<Self, NotAFault> {
        let wrong = || NotAFault(text.to_owned());
        let (operation, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (code, times) = match rest.split_once(':') {
            Some((code, times)) => (code, times.parse().map_err(|_| wrong())?),
            None => (rest, 1),
        };
        if operation.is_empty() || code.is_empty() {
            Err(wrong())
        } else {
            Ok(Self::named(operation, code, times))
        }
    }
}

impl Fault {
    /// A refusal with this code; or with the code `lost`, a call that happens and whose answer does
    /// not arrive.
    pub fn named(operation: &str, code: &str, times: u32) -> Self {
        let fault =
            if code == LOST { Self::lose_answer(operation) } else { Self::refuse(operation, code) };
        fault.times(times)
    }

    /// The next call of `operation` is refused with this code, and changes nothing.
    pub fn refuse(operation: &str, code: &str) -> Self {
        let error = ApiError::new(code, format!("{operation} was made to fail"));
        Self { operation: operation.to_owned(), times: 1, error, happens: false }
    }

    /// The next call of `operation` is carried out, but its answer never arrives.
    pub fn lose_answer(operation: &str) -> Self {
        Self { operation: operation.to_owned(), times: 1, error: ApiError::lost(), happens: true }
    }

    /// The fault, for the next `n` calls instead of one.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.times = n;
        self
    }

    /// The fault, with these words instead of the simulator's own.
    #[must_use]
    pub fn message(mut self, text: &str) -> Self {
        text.clone_into(&mut self.error.message);
        self
    }
}

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

/// EC2's token buckets of one account and Region.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// What is left in a bucket that was used, and when it was counted.
    left: BTreeMap<Bucket, (i64, Timestamp)>,
    since: Timestamp,
}

impl Buckets {
    pub(crate) fn full(now: Timestamp) -> Self {
        Self { left: BTreeMap::new(), since: now }
    }

    /// One call's worth is taken, or the call is refused and nothing is taken.
    pub(crate) fn take(&mut self, request: &Request, now: Timestamp) -> Result<(), ApiError> {
        let bucket = Bucket::of(request);
        let Size { capacity, refill } = bucket.size();
        let (left, counted) = self.left.get(&bucket).copied().unwrap_or((capacity, self.since));
        let passed = now.as_millisecond().saturating_sub(counted.as_millisecond());
        let left = left.saturating_add(passed.saturating_mul(refill) / 1000).min(capacity);
        if left < 1000 {
            return Err(ApiError::new("RequestLimitExceeded", "Request limit exceeded."));
        }
        self.left.insert(bucket, (left - 1000, now));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_its_text() {
        assert_eq!(
            "DeleteRoute=Unavailable".parse(),
            Ok(Fault::refuse("DeleteRoute", "Unavailable"))
        );
        assert_eq!(
            "DeleteRoute=InternalError:3".parse(),
            Ok(Fault::refuse("DeleteRoute", "InternalError").times(3))
        );
        assert_eq!("CreateVpcEndpoint=lost".parse(), Ok(Fault::lose_answer("CreateVpcEndpoint")));
        for wrong in
            ["", "DeleteRoute", "=Unavailable", "DeleteRoute=", "DeleteRoute=Unavailable:x"]
        {
            assert_eq!(wrong.parse::<Fault>(), Err(NotAFault(wrong.to_owned())));
        }
    }
}
