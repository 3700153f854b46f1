//! What a function works with: the baseline, and EC2 as that baseline needs it read.

use std::sync::Arc;

use guardrail::baseline::Baseline;
use guardrail::baseline::source::{BaselineError, Source};
use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::{Allowance, Clients, Clouds, Parameters};

/// A function's configuration. A baseline that cannot be used is a value and not a fault of the
/// function, which then says so and changes nothing.
#[derive(Debug)]
pub struct Configuration {
    clients: Clients,
    allowance: Allowance,
    source: Result<Source, BaselineError>,
    held: Mutex<Option<(Timestamp, Arc<Ready>)>>,
}

/// A baseline and what reads for it.
#[derive(Debug)]
pub struct Ready {
    text: String,
    /// The baseline.
    pub baseline: Baseline,
    /// EC2, of whose services on offer the baseline's are read.
    pub clouds: Clouds,
}

impl Configuration {
    /// The configuration that the value of `GUARDRAIL_BASELINE` stands for, for a function that reads
    /// EC2 within this allowance. Makes no call.
    pub fn new(clients: &Clients, allowance: Allowance, variable: Option<&str>) -> Self {
        let (clients, source) = (clients.clone(), Source::of(variable));
        Self { clients, allowance, source, held: Mutex::default() }
    }

    /// The baseline as it is now: one kept in Parameter Store is read again every minute, and what
    /// was read before is not used once that fails, because it may allow what it no longer should.
    ///
    /// # Errors
    /// When there is no usable baseline.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<Ready>, BaselineError> {
        let source = self.source.as_ref().map_err(BaselineError::clone)?;
        let mut held = self.held.lock().await;
        if let Some((read, ready)) = held.as_ref()
            && source.still_counts(*read, now)
        {
            return Ok(Arc::clone(ready));
        }
        let before = held.take().map(|(_, ready)| ready);
        let text = self.text(source).await?;
        let ready = match before.filter(|before| before.text == text) {
            Some(unchanged) => unchanged,
            None => Arc::new(self.ready(source, text)?),
        };
        *held = Some((now, Arc::clone(&ready)));
        Ok(ready)
    }

    async fn text(&self, source: &Source) -> Result<String, BaselineError> {
        match source {
            Source::Inline(text) => Ok(text.clone()),
            Source::Parameter(name) => {
                let read = Parameters::new(&self.clients).read(name).await;
                read.map_err(|error| source.unread(&error.to_string(), error.class.passes()))
            }
        }
    }

    fn ready(&self, source: &Source, text: String) -> Result<Ready, BaselineError> {
        let baseline = source.read(&text)?;
        let clouds = Clouds::new(&self.clients, self.allowance.clone());
        Ok(Ready { text, baseline, clouds })
    }
}
