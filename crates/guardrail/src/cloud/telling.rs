//! The seam to those who read alerts.

use super::CallError;
use crate::history::{Alert, Destination};

/// Where alerts are told.
#[expect(
    async_fn_in_trait,
    reason = "used through generics only; no run needs its futures to be Send"
)]
pub trait Telling {
    /// Everywhere that an alert goes, each by itself: what one does not take, the others still get,
    /// and once only.
    fn destinations(&self) -> Vec<Destination>;

    /// Tells one destination.
    ///
    /// # Errors
    /// When it did not say that it has taken the alert: it may have.
    async fn tell(&self, destination: &Destination, alert: &Alert) -> Result<(), CallError>;
}
