//! What a probe is asked, and what is made of what it saw. A probe is a function of its own inside a
//! subnet; this is its whole judgement, and it does no input or output.
//!
//! A probe proves a way: that a subnet has none it cannot prove. So silence reads "no way out seen".

mod answer;
mod judge;
mod name;
mod question;
mod targets;

pub use answer::{
    Answer, Reached, ServiceAnswer, ServiceVerdict, TargetAnswer, Tried, Untried, Verdict, WayOut,
};
pub use judge::{Seen, answer, service_answer, target_answer, worth_trying};
pub use name::{PREFIX, ProbeName};
pub use question::{HostName, Limits, Malformed, Own, Question, ServiceQuestion, Target, VERSION};
pub use targets::default_targets;
