//! The table of a deployed stack.

use guardrail_aws::{Clients, DynamoTable, Stack};

use crate::arguments::StackArgs;
use crate::error::Unavailable;

/// The table that the arguments name, by itself or by its stack.
pub(crate) async fn table(
    clients: &Clients,
    arguments: &StackArgs,
) -> Result<DynamoTable, Unavailable> {
    let name = match (&arguments.table, &arguments.stack) {
        (Some(table), _) => table.clone(),
        (None, Some(stack)) => Stack::new(clients, stack).table().await?,
        (None, None) => return Err(Unavailable::NoStack),
    };
    Ok(DynamoTable::new(clients, &name))
}
