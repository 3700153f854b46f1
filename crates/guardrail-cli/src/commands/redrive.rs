//! `guardrail redrive`: the messages that were given up, why, and back to the queue with them.

use guardrail::inbox::message::{About, Message};
use guardrail::report::memory::to_the_second;
use guardrail::shown::{one_line, word};
use guardrail_aws::{DeadLetter, DeadLetters, Stack};

use crate::arguments::PlaceArgs;
use crate::ending::Ending;
use crate::error::{BadInput, Unavailable};
use crate::live::session::Session;
use crate::render::line;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: PlaceArgs,
    /// The stack.
    #[arg(long, value_name = "NAME")]
    stack: String,
    /// Really send them back; without it, they are listed and stay.
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(arguments: &Arguments, out: &mut String) -> Result<Ending, BadInput> {
    let session = Session::open(&arguments.place).await?;
    let (queue, dead) =
        Stack::new(&session.clients, &arguments.stack).queues().await.map_err(Unavailable::from)?;
    let letters = DeadLetters::new(&session.clients, &dead, &queue);
    let mut sent = 0;
    loop {
        let some = letters.receive().await.map_err(Unavailable::NoQueue)?;
        if some.is_empty() && sent == 0 {
            line(out, "no message was given up");
            return Ok(Ending::Fine);
        }
        for letter in &some {
            line(out, &described(letter));
            if arguments.yes {
                letters.send_back(letter).await.map_err(Unavailable::NoQueue)?;
                sent += 1;
            }
        }
        if !arguments.yes {
            letters.give_back(&some).await.map_err(Unavailable::NoQueue)?;
            eprintln!("note: nothing was sent back; mend what keeps them, then add `--yes`");
            return Ok(Ending::DriftLeft);
        }
        // Of a group with more than ten the next come only now.
        if some.is_empty() {
            line(out, &format!("{sent} sent back"));
            return Ok(Ending::Fine);
        }
    }
}

/// A letter, and why it is there.
fn described(letter: &DeadLetter) -> String {
    let since = letter.sent.map(|at| format!(" since {}", to_the_second(at))).unwrap_or_default();
    let why = match Message::parse(&letter.body) {
        Err(why) => format!("nothing can be acted on: {why}"),
        Ok(Message { about: About::NoBaseline(why), .. }) => format!("no baseline: {why}"),
        Ok(Message { about: About::Vpc(scope), .. }) => format!(
            "no run over {} came to its end in {} tries; the repair function's log says why",
            scope.vpc, letter.receive_count
        ),
    };
    format!("{}{since}: {}", word(&letter.group), one_line(&why))
}
