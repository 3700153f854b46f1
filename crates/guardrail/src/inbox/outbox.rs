//! Alerts on their way to those who read them.

use jiff::Timestamp;

use crate::cloud::{CallError, Table, Telling};
use crate::ec2::id::Place;

/// Sends the alerts of a run.
///
/// # Errors
/// When the table fails.
pub async fn send<T: Table, P: Telling>(
    table: &T,
    telling: &P,
    place: &Place,
    run_id: &str,
    now: Timestamp,
    limit: u32,
) -> Result<(), CallError> {
    let _ = limit;
    let partition = crate::history::Kind::Waiting.at(place);
    for item in table.list(&partition, &format!("unsent#{run_id}")).await? {
        let alert: crate::history::Alert = match crate::history::ledger::read(&item) {
            Ok(alert) => alert,
            Err(_) => continue,
        };
        for destination in telling.destinations() {
            if item.key.name.ends_with(destination.as_str())
                && telling.tell(&destination, &alert).await.is_ok()
            {
                let gone = crate::history::Write::Delete {
                    key: item.key.clone(),
                    condition: crate::history::Condition::Version(item.version),
                };
                let _ = table.commit(&crate::history::Transaction::one(gone)).await?;
            }
        }
    }
    let _ = now;
    Ok(())
}
