//! The parts of a deployed stack, found by the names that CloudFormation derives from the stack's.

use aws_sdk_dynamodb::Client as DynamoDb;
use guardrail::cloud::CallError;
use guardrail::report::doctor::{DEAD_LETTERS, Part, QUEUE, TOPIC};

use crate::sdk::clients::Clients;
use crate::sdk::sdk_errors::{failed, on_heap};

/// A deployed stack, whose parts are looked up when they are asked for.
#[derive(Debug, Clone)]
pub struct Stack {
    clients: Clients,
    name: String,
}

/// Why a part of a stack is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPart {
    /// There is none.
    #[error(
        "the stack `{stack}` has no {what} in this account and Region; name the stack with `--stack`"
    )]
    NotThere {
        /// The stack's name.
        stack: String,
        /// What was looked for.
        what: &'static str,
    },
    /// Several are of stacks of this name: earlier ones leave theirs behind.
    #[error("several tables are of stacks named `{stack}`: {names}; name one with `--table`")]
    Several {
        /// The stack's name.
        stack: String,
        /// The tables' names.
        names: String,
    },
    /// It could not be looked up.
    #[error("the stack `{stack}` cannot be looked up: {error}")]
    NotRead {
        /// The stack's name.
        stack: String,
        /// Why not.
        error: CallError,
    },
}

impl Stack {
    /// The stack of this name. Makes no call.
    pub fn new(clients: &Clients, name: &str) -> Self {
        Self { clients: clients.clone(), name: name.to_owned() }
    }

    /// The name of its table.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn table(&self) -> Result<String, NoPart> {
        const OPERATION: &str = "ListTables";
        let dynamodb = DynamoDb::new(self.clients.config());
        let mut names = Vec::new();
        let mut from = None;
        loop {
            let request = dynamodb.list_tables().set_exclusive_start_table_name(from);
            let page = on_heap(request.send()).await;
            let page = page.map_err(|error| self.not_read(failed(OPERATION, &error)))?;
            let its = page.table_names.unwrap_or_default().into_iter();
            names.extend(its.filter(|table| is_table_of(&self.name, table)));
            from = page.last_evaluated_table_name;
            if from.is_none() {
                break;
            }
        }
        match names.as_slice() {
            [] => Err(self.not_there("table")),
            [one] => Ok(one.clone()),
            [..] => Err(NoPart::Several { stack: self.name.clone(), names: names.join(", ") }),
        }
    }

    /// The ARN of its alert topic.
    ///
    /// # Errors
    /// When there is none.
    pub async fn topic(&self) -> Result<String, NoPart> {
        const OPERATION: &str = "ListTopics";
        let sns = aws_sdk_sns::Client::new(self.clients.config());
        let prefix = TOPIC.prefix(&self.name);
        let mut from = None;
        loop {
            let page = on_heap(sns.list_topics().set_next_token(from).send()).await;
            let page = page.map_err(|error| self.not_read(failed(OPERATION, &error)))?;
            let arns = page.topics.unwrap_or_default().into_iter().filter_map(|it| it.topic_arn);
            let is_its =
                |arn: &String| arn.rsplit(':').next().is_some_and(|name| name.starts_with(&prefix));
            if let Some(arn) = arns.into_iter().find(is_its) {
                return Ok(arn);
            }
            from = page.next_token;
            if from.is_none() {
                return Err(self.not_there("alert topic"));
            }
        }
    }

    /// The URLs of its queue and of that queue's dead letters.
    ///
    /// # Errors
    /// When one of them is not there.
    pub async fn queues(&self) -> Result<(String, String), NoPart> {
        let queue = self.queue(QUEUE, "queue").await?;
        let [given_up, ..] = DEAD_LETTERS;
        Ok((queue, self.queue(given_up, "dead-letter queue").await?))
    }

    async fn queue(&self, part: Part, what: &'static str) -> Result<String, NoPart> {
        let sqs = aws_sdk_sqs::Client::new(self.clients.config());
        let prefix = part.prefix(&self.name);
        let answer = on_heap(sqs.list_queues().queue_name_prefix(prefix).send()).await;
        let answer = answer.map_err(|error| self.not_read(failed("ListQueues", &error)))?;
        let mut urls = answer.queue_urls.unwrap_or_default().into_iter();
        urls.next().ok_or_else(|| self.not_there(what))
    }

    fn not_there(&self, what: &'static str) -> NoPart {
        NoPart::NotThere { stack: self.name.clone(), what }
    }

    fn not_read(&self, error: CallError) -> NoPart {
        NoPart::NotRead { stack: self.name.clone(), error }
    }
}

/// Whether a table is of a stack of this name: `<stack>-history-<the last part of the stack's id>`.
fn is_table_of(stack: &str, table: &str) -> bool {
    let suffix = table.strip_prefix(stack).and_then(|rest| rest.strip_prefix("-history-"));
    suffix.is_some_and(|suffix| {
        !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_of_the_stack_whose_whole_name_it_begins_with() {
        let is_of = |table| is_table_of("guard", table);
        assert_eq!(
            ["guard-history-0a1b", "guard-dev-history-0a1b", "guard-history-", "guard-history-x"]
                .map(is_of),
            [true, false, false, false]
        );
    }
}
