//! Trouble on demand: calls that fail, and answers that get lost.

use std::str::FromStr;

use crate::ec2::errors::ApiError;

/// Makes the next calls of one operation fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    operation: String,
    times: u32,
    error: ApiError,
    happens: bool,
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

/// What the first fault that fits a call of this operation does to it: the error that the caller
/// gets, and whether the call happens all the same. It is used up by one.
pub(crate) fn next(faults: &mut [Fault], operation: &str) -> Option<(ApiError, bool)> {
    let fault = faults.iter_mut().find(|fault| fault.operation == operation && fault.times > 0)?;
    fault.times -= 1;
    Some((fault.error.clone(), fault.happens))
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
