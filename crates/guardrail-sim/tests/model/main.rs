//! The model test: seeded histories of what people and tools do, of what goes wrong, and of the real
//! code of a batch, a sweep and a clock in between, judged at every step by an onlooker that shares
//! nothing with it.
//!
//! Three tests: histories by chance; planted faults, which the model has to find; and every history of
//! one VPC within a bound.
//!
//! `MODEL_SEEDS` says how many histories are played, `MODEL_SECONDS` how long at most, `MODEL_LEAST` how
//! many all the same, and `MODEL_FIRST_SEED` where they begin. A history that fails is printed with the command that plays it
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
mod exhaustive;
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
use crate::exhaustive::{Search, search};

/// Seeds that found a fault once: they are played first.
const KEPT: [u64; 16] =
    [6, 63, 85, 104, 217, 321, 339, 750, 839, 1324, 1756, 2057, 2796, 18_758, 43_672, 152_534];

/// From so many histories on, nothing that may happen has happened in none of them.
const ENOUGH: u64 = 4_000;

/// The calls that change something, by their kinds as they are counted.
const EFFECTS: [&str; 19] = [
    "call AuthorizeSecurityGroupIngress",
    "call CreateSecurityGroup",
    "call CreateVpcEndpoint",
    "call DeleteRoute",
    "call ModifyVpcAttribute",
    "call ModifyVpcEndpoint",
    "commit begin",
    "commit claim",
    "commit clear",
    "commit facts",
    "commit finish",
    "commit gives way",
    "commit mark ended",
    "commit mark started",
    "commit pace",
    "commit sweep progress",
    "hold",
    "send",
    "tell",
];

/// What must have happened in many histories.
fn must_happen() -> Vec<String> {
    let calls = EFFECTS.iter().chain(&["read", "survey", "get STATE", "list WAITING", "set aside"]);
    let each = calls.flat_map(|call| {
        let of = |what: &str| format!("{what} {call}");
        [of("fails:"), of("throttled:"), of("killed before"), of("killed after")]
    });
    let lost = EFFECTS.iter().map(|call| format!("answer lost: {call}"));
    let changes = EFFECTS.iter().filter(|call| call.starts_with("call"));
    let meetings = changes.clone().flat_map(|call| {
        [
            format!("meeting: somebody's call before `{call}` of a run there"),
            format!("meeting: somebody's call after `{call}` of a run there"),
            format!("meeting: a second copy begins at `{call}`"),
        ]
    });
    let effects = changes.map(|call| call.replace("call", "effect of"));
    let deeds = actions::BEHAVIOURS.iter().map(|(_, name, _)| format!("somebody: {name}"));
    let others = [
        "a message in flight is handed out again",
        "a sweep begins while things go wrong",
        "meeting: a record comes while a process is at work",
        "stale read: read",
        "start: nothing was ever seen",
        "table refuses for a while",
        "time passes between two calls",
        "topic refuses for a while",
    ];
    let others = others.iter().map(|other| (*other).to_owned());
    each.chain(lost).chain(meetings).chain(effects).chain(deeds).chain(others).collect()
}

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
    let seeds = number("MODEL_SEEDS", 30);
    let until = Instant::now() + Duration::from_secs(number("MODEL_SECONDS", 3_600));
    let least = number("MODEL_LEAST", 0);
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
                        || (Instant::now() > until && at >= least)
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
    let never: Vec<String> =
        must_happen().into_iter().filter(|what| counts.of(what) == 0).collect();
    println!("what never happened: {never:?}");
    failed.sort_unstable();
    if number("MODEL_LIST", 0) == 1 {
        for seed in &failed {
            let seen = seen();
            let outcome = Chance { seen: &seen, planted: None, is_logged: false }.play(*seed);
            println!("{seed}: {:?}", outcome.violations);
        }
    }
    assert!(played < ENOUGH || never.is_empty(), "nothing was tried of {never:?}");
    if let Some(seed) = failed.first() {
        panic!("{}\n{} of {played} fail: {failed:?}", tell(*seed), failed.len());
    }
}

/// Each planted fault is found: by the seed that stands beside it, or, where the code has changed so much
/// that it no longer does, by another, which is told.
#[test]
fn planted_faults_are_found() {
    let most = number("MODEL_PLANTED_SEEDS", 1_000);
    let seen = seen();
    let mut missed = Vec::new();
    for (fault, listed) in planted::ALL {
        let chance = Chance { seen: &seen, planted: Some(fault), is_logged: false };
        let finds = |seed: u64| Some((seed, chance.play(seed).violations.first()?.clone()));
        match std::iter::once(listed).chain(0..most).find_map(finds) {
            Some((seed, by)) => println!("{fault}: seed {seed} (listed: {listed}): {by}"),
            None => missed.push(fault),
        }
    }
    assert_eq!(missed, Vec::<planted::Planted>::new(), "no seed below {most} finds these");
}

fn search_all(what: Search, bound: &str, otherwise: u64) {
    let bound = usize::try_from(number(bound, otherwise)).unwrap();
    let began = Instant::now();
    let found = search(what, bound, &first_sight(1));
    let (histories, most) = (found.histories, found.most_places);
    let seconds = began.elapsed().as_secs();
    println!(
        "{what:?}: all {histories} histories with trouble at the first {bound} places; the longest has {most}; {seconds} s"
    );
    if let Some(broken) = found.broken {
        panic!("{broken}");
    }
}

#[test]
fn every_history_with_two_deeds_within_the_bound_keeps_the_promises() {
    search_all(Search::TwoDeeds, "MODEL_DEED_PLACES", 3);
}

#[test]
fn every_history_with_a_kill_and_a_lost_answer_within_the_bound_keeps_the_promises() {
    search_all(Search::DeedKillLoss, "MODEL_KILL_PLACES", 2);
}
