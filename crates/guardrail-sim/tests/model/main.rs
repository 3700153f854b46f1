//! The model test: seeded histories of what people and tools do, of what goes wrong, and of the real
//! code of a batch, a sweep and a clock in between, judged at every step by an onlooker that shares
//! nothing with it.
//!
//! `MODEL_SEEDS` says how many histories are played, `MODEL_SECONDS` how long at most, and
//! `MODEL_FIRST_SEED` where they begin. A history that fails is printed with the command that plays it
//! again.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test's helpers stop the test as the test does"
)]

mod actions;
mod chance;
mod clock;
mod counts;
mod dice;
mod end;
mod fifo;
mod flow;
mod hands;
mod history;
mod look;
mod planted;
mod scene;
mod stage;
mod told;
mod watch;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::chance::{Chance, first_sight};
use crate::counts::Counts;

/// Seeds that found a fault that was mended since.
const KEPT: [u64; 0] = [];

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn seen() -> [Vec<guardrail::history::Item>; 3] {
    [1, 2, 3].map(first_sight)
}

/// A history in words, and how to play it again.
fn tell(seed: u64) -> String {
    let seen = seen();
    let outcome = Chance { seen: &seen, planted: None, is_logged: true }.play(seed);
    format!(
        "{}\n\nseed {seed}: {}\nto play it again: MODEL_FIRST_SEED={seed} MODEL_SEEDS=1 cargo test \
         --profile model -p guardrail-sim --test model histories",
        outcome.log.join("\n"),
        outcome.violations.join("\n")
    )
}

#[test]
fn histories_keep_the_promises() {
    let first = number("MODEL_FIRST_SEED", 0);
    let seeds = number("MODEL_SEEDS", 300);
    let until = Instant::now() + Duration::from_secs(number("MODEL_SECONDS", 3_600));
    let next = AtomicU64::new(0);
    let all: Mutex<(Counts, Vec<u64>, u64)> = Mutex::default();
    let kept: &[u64] = if seeds == 1 { &[] } else { &KEPT };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |it| it.get()) {
            scope.spawn(|| {
                let seen = seen();
                let chance = Chance { seen: &seen, planted: None, is_logged: false };
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let seed = match kept.get(usize::try_from(at).unwrap()) {
                        Some(seed) => *seed,
                        None => first + at - u64::try_from(kept.len()).unwrap(),
                    };
                    if seed >= first + seeds && at >= u64::try_from(kept.len()).unwrap()
                        || Instant::now() > until
                    {
                        break;
                    }
                    let outcome = chance.play(seed);
                    let mut all = all.lock().unwrap();
                    all.0.extend(&outcome.counts);
                    all.2 += 1;
                    if !outcome.violations.is_empty() {
                        all.1.push(seed);
                    }
                }
            });
        }
    });
    let (counts, mut failed, played) = all.into_inner().unwrap();
    println!("{}{played} histories were played", counts.lines());
    failed.sort_unstable();
    if number("MODEL_LIST", 0) == 1 {
        for seed in &failed {
            let seen = seen();
            let outcome = Chance { seen: &seen, planted: None, is_logged: false }.play(*seed);
            println!("{seed}: {:?}", outcome.violations);
        }
    }
    if let Some(seed) = failed.first() {
        panic!("{}\n{} of {played} fail: {failed:?}", tell(*seed), failed.len());
    }
}
