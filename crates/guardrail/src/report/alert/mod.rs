//! The alert: a report as its subscribers read it, one message for a VPC and a run.

mod baseline_alert;
mod caller;
mod closed_run;
mod digest;
mod ended;
mod exempted;
mod first_contact;
mod lost;
mod moved;
mod scripts;
mod summary;
mod sweep_blind;
mod unmatched_call;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::baseline::{Baseline, ExemptionTags, ManagedVpcs, Mode};
use crate::cloud::Applied;
use crate::ec2::id::SubnetId;
use crate::event::Tool;
pub use crate::history::{Alert, Attribute};
use crate::plan::costs::StepCost;
pub use crate::report::alert::baseline_alert::baseline_alert;
pub use crate::report::alert::caller::call;
use crate::report::alert::caller::caller;
pub use crate::report::alert::closed_run::{ClosedRun, ClosedStep, closed_run_alert};
pub use crate::report::alert::digest::digest;
use crate::report::alert::ended::{after_how_long, ended, is_back_by_others};
pub(super) use crate::report::alert::exempted::lapses;
use crate::report::alert::exempted::{but_for, exempted};
pub use crate::report::alert::first_contact::{first_contact_alert, table_lost_alert};
pub use crate::report::alert::lost::lost_alert;
use crate::report::alert::moved::moved;
use crate::report::alert::scripts::{Scripts, by_hand, to_undo};
pub use crate::report::alert::summary::summary;
pub use crate::report::alert::sweep_blind::sweep_blind_alert;
pub use crate::report::alert::unmatched_call::unmatched_call;
use crate::report::commands;
use crate::report::{CutOff, Next, Outcome, Report, StepReport, Verdict};
use crate::shown::{self, one_line, quoted, word};
use crate::time::Day;

/// SNS refuses a subject of 100 characters or more
/// (docs.aws.amazon.com/sns/latest/api/API_Publish.html).
const SUBJECT_LIMIT: usize = 99;

/// SNS takes 262,144 bytes for the message in all its forms and its attributes; escaping may double
/// the text.
const TEXT_LIMIT: usize = 32_000;
const JSON_LIMIT: usize = 150_000;

/// The alert of a report.
pub fn alert(report: &Report, baseline: &Baseline) -> Alert {
    let mut text = text(report, baseline);
    if text.len() > TEXT_LIMIT {
        // A script that is cut is worse than none.
        text = text_with(report, baseline, Scripts::Named);
    }
    if text.len() > TEXT_LIMIT {
        let cut = text
            .char_indices()
            .map(|(at, _)| at)
            .take_while(|at| *at <= TEXT_LIMIT)
            .last()
            .unwrap_or(0);
        text.truncate(cut);
        text.push_str(
            "\n… cut here: the whole report is in the function's log, under the run above.\n",
        );
    }
    Alert { subject: subject(report), text, json: json(report), attributes: attributes(report) }
}

/// One line: what happened, where.
pub fn subject(report: &Report) -> String {
    let what = match report.verdict {
        _ if !report.cut_off.is_empty() => "services cut off after repair",
        _ if report.vpc_departed() || report.was_managed => "not managed now",
        _ if is_back_by_others(report) => "back on its baseline",
        Verdict::Repaired if report.changed() => "repaired",
        Verdict::Repaired => "back on its baseline",
        Verdict::Compliant => "compliant",
        Verdict::Advised if report.changed() => "repaired, not all is guarded",
        Verdict::Advised => "not all is guarded",
        Verdict::Incomplete => "not fully observed",
        Verdict::NotManaged => "not managed",
        Verdict::NoSuchVpc => "no such VPC",
        Verdict::DriftLeft if report.repaired_some() => "partly repaired",
        Verdict::DriftLeft if report.changed() => "changed, drift left",
        Verdict::DriftLeft => "drift found",
    };
    let mut rules: Vec<&str> = report.findings.iter().map(|found| found.rule.as_str()).collect();
    rules.dedup();
    let about = match rules.as_slice() {
        [] => String::new(),
        [one] => format!(" ({one})"),
        [first, rest @ ..] => format!(" ({first} +{})", rest.len()),
    };
    let but_for = match report.findings.is_empty() {
        true => but_for(report),
        false => String::new(),
    };
    let left = if report.subnets_departed() { "subnet not private, " } else { "" };
    let recorded = if is_not_recorded(report) { ", not recorded" } else { "" };
    let scope = &report.scope;
    printable(
        &format!(
            "VPC guardrail: {left}{what}{but_for}{recorded} {} {}{about}",
            scope.vpc, scope.region
        ),
        SUBJECT_LIMIT,
    )
}

/// ASCII without control characters, cut to a length in characters.
fn printable(text: &str, limit: usize) -> String {
    text.chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .take(limit)
        .collect()
}

/// The report as its subscribers read it.
pub fn text(report: &Report, baseline: &Baseline) -> String {
    text_with(report, baseline, Scripts::Whole)
}

/// The same where nobody is to paste anything, as after a replay: scripts are named only.
pub fn short_text(report: &Report, baseline: &Baseline) -> String {
    text_with(report, baseline, Scripts::Named)
}

fn text_with(report: &Report, baseline: &Baseline, scripts: Scripts) -> String {
    let mut out = String::new();
    headline(&mut out, report);
    if !report.cut_off.is_empty() {
        cut_off(&mut out, report);
        to_undo(&mut out, report, scripts);
    }
    departed(&mut out, report);
    ended(&mut out, report);
    who(&mut out, report);
    body(&mut out, report);
    advice(&mut out, report, baseline, scripts);
    let run_id = word(&report.run_id);
    let _ = writeln!(out, "\nRun {run_id}, {} to {}.", report.started, report.finished);
    out
}

/// The report of a plan that was only asked for: what was found, and what would be done.
pub fn plan_text(report: &Report) -> String {
    let mut out = String::new();
    headline(&mut out, report);
    body(&mut out, report);
    by_hand(&mut out, report, Scripts::Named);
    out
}

fn headline(out: &mut String, report: &Report) {
    let scope = &report.scope;
    let name = report.vpc_name.as_deref().map(|name| format!(" Its name is {}.", quoted(name)));
    let (name, verdict) = (name.unwrap_or_default(), ending(report));
    let after = after_how_long(report);
    let left =
        if report.subnets_departed() { "a subnet is not private now; otherwise " } else { "" };
    let _ = writeln!(
        out,
        "VPC {} in account {}, {}: {left}{verdict}{after}.{name}",
        scope.vpc, scope.account, scope.region
    );
    if let Some(error) = report.notes_error.as_ref().filter(|_| report.changed()) {
        let _ = writeln!(out, "Not recorded: {}; the next run closes the record.", error.shown());
    }
}

/// What probes do not reach any more.
fn cut_off(out: &mut String, report: &Report) {
    let _ =
        writeln!(out, "\nMay be cut off by the removal of routes, as probes in the subnets say");
    for CutOff { probe, why } in &report.cut_off {
        let _ = writeln!(out, "  - {probe}: {}", one_line(why));
    }
}

/// Whether something was changed that the table did not take.
fn is_not_recorded(report: &Report) -> bool {
    report.notes_error.is_some() && report.changed()
}

fn departed(out: &mut String, report: &Report) {
    if report.departures.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nOut of the guardrail's care now");
    const SHOWN: usize = 20;
    for departure in report.departures.iter().take(SHOWN) {
        let by =
            caller(&departure.actor, departure.actor_account.as_ref(), Some(&report.scope.account));
        let _ = writeln!(out, "  - {}", one_line(&departure.sentence(&by)));
    }
    if let Some(more) = report.departures.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more");
    }
}

fn body(out: &mut String, report: &Report) {
    found(out, report);
    exempted(out, report);
    steps(out, report);
    cost(out, report);
    moved(out, report);
    left_alone(out, report);
}

fn ending(report: &Report) -> String {
    let but_for = match report.verdict {
        Verdict::Compliant | Verdict::Repaired | Verdict::Advised => but_for(report),
        Verdict::DriftLeft | Verdict::Incomplete | Verdict::NotManaged | Verdict::NoSuchVpc => {
            String::new()
        }
    };
    format!("{}{but_for}", ending_words(report))
}

fn ending_words(report: &Report) -> &'static str {
    let planned = report.steps.iter().any(|step| is_idle(&step.outcome));
    match report.verdict {
        Verdict::Compliant if is_back_by_others(report) => "back on its baseline",
        Verdict::Compliant => "on its baseline",
        Verdict::Repaired => "back on its baseline",
        Verdict::Advised if report.changed() => {
            "its drift is repaired, but not all of it is guarded"
        }
        Verdict::Advised => "no drift, but not all of it is guarded",
        Verdict::Incomplete if report.changed() => {
            "could not be observed in full after the changes below"
        }
        Verdict::Incomplete => "could not be observed in full, so nothing was changed",
        Verdict::NotManaged if report.vpc_departed() => {
            "not managed now; nothing of it is looked after"
        }
        Verdict::NotManaged if report.was_managed => {
            "not managed any more, and no recorded call says who changed that; nothing of it is \
             looked after"
        }
        Verdict::NotManaged => "not managed by the guardrail, nothing was looked at",
        Verdict::NoSuchVpc => "there is no such VPC",
        Verdict::DriftLeft if report.look_again.is_some() && report.changed() => {
            "not on its baseline yet; the rest follows when the changes below act"
        }
        Verdict::DriftLeft if report.look_again.is_some() => {
            "not on its baseline yet; it is looked at again when what was changed acts"
        }
        Verdict::DriftLeft if report.is_only_coming_up() => {
            "not on its baseline yet; an endpoint is still coming up"
        }
        Verdict::DriftLeft if report.repaired_some() && report.next == Next::Again => {
            "partly back on its baseline; the next run goes on"
        }
        Verdict::DriftLeft if report.repaired_some() => {
            "partly back on its baseline; the rest needs you"
        }
        Verdict::DriftLeft if report.changed() && report.next == Next::Again => {
            "not on its baseline after the changes below; the next run goes on"
        }
        Verdict::DriftLeft if report.changed() => {
            "not on its baseline after the changes below; the rest needs you"
        }
        Verdict::DriftLeft if planned => "not on its baseline; nothing was changed",
        Verdict::DriftLeft if report.next == Next::Again => {
            "not on its baseline; the next run tries again"
        }
        Verdict::DriftLeft => "not on its baseline; nothing could be changed, it needs you",
    }
}

fn who(out: &mut String, report: &Report) {
    let _ = writeln!(out, "\nWho");
    if report.evidence.is_empty() {
        let _ = writeln!(out, "  no recorded call led to this run ({})", report.cause);
    }
    for evidence in report.evidence.iter().take(10) {
        let _ = writeln!(out, "  {}", call(evidence, Some(&report.scope.account)));
    }
    if let Some(more) = report.evidence.len().checked_sub(10).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more calls");
    }
}

fn found(out: &mut String, report: &Report) {
    if report.findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nFound");
    for found in &report.findings {
        let after = match (report.changed(), found.repaired) {
            (true, true) => " [repaired]",
            (false, true) => " [gone]",
            (true, false) => " [still so]",
            (false, false) => "",
        };
        let _ = writeln!(out, "  - {}: {}{after}", found.rule, one_line(&found.summary));
    }
}

fn steps(out: &mut String, report: &Report) {
    if report.steps.is_empty() {
        return;
    }
    let was_begun =
        report.steps.iter().any(|step| !is_idle(&step.outcome) && !is_held(&step.outcome));
    if was_begun {
        let (done, not_done): (Vec<&StepReport>, Vec<&StepReport>) =
            report.steps.iter().partition(|step| is_done(&step.outcome));
        listed(out, "Done", &done, true);
        listed(out, "Not done", &not_done, true);
        return;
    }
    let idle_mode = mode_of_all(report);
    let title = match idle_mode {
        Some(mode) => format!("Would be done (the mode is {mode}: nothing was changed)"),
        None => "Would be done".to_owned(),
    };
    listed(out, &title, &report.steps.iter().collect::<Vec<_>>(), idle_mode.is_none());
}

/// Steps under a title, each with what became of it where the title does not say all.
fn listed(out: &mut String, title: &str, steps: &[&StepReport], with_outcome: bool) {
    if steps.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for step in steps {
        let (id, summary) = (step.id, one_line(&step.summary));
        let _ = match with_outcome && step.outcome != Outcome::Planned {
            true => writeln!(out, "  {id}. {summary}: {}", one_line(&step.outcome.to_string())),
            false => writeln!(out, "  {id}. {summary}"),
        };
    }
}

/// The one mode that keeps every step from being taken, where that is so.
fn mode_of_all(report: &Report) -> Option<Mode> {
    let mut modes = report.steps.iter().map(|step| match step.outcome {
        Outcome::NotAllowed(mode) => Some(mode),
        Outcome::Done(_)
        | Outcome::Ready
        | Outcome::FoundMade(_)
        | Outcome::Planned
        | Outcome::Held(_)
        | Outcome::Stale
        | Outcome::Skipped { .. }
        | Outcome::Failed(_)
        | Outcome::RecheckFailed(_)
        | Outcome::TimedOut
        | Outcome::WillNotBeReady { .. }
        | Outcome::OutOfTime
        | Outcome::NotRecorded(_) => None,
    });
    let first = modes.next().flatten();
    first.filter(|first| modes.all(|mode| mode == Some(*first)))
}

/// Whether a step was taken, and was needed.
fn is_done(outcome: &Outcome) -> bool {
    outcome.is_success() && *outcome != Outcome::Done(Applied::Already)
}

/// Whether something held a step back before the run came to it.
fn is_held(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Held(_))
}

/// Whether a step was only shown.
fn is_idle(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::NotAllowed(_) | Outcome::Planned)
}

fn left_alone(out: &mut String, report: &Report) {
    if report.left_alone.is_empty() && report.unread.is_empty() && report.notes_error.is_none() {
        return;
    }
    let _ = writeln!(out, "\nLeft alone");
    for left in &report.left_alone {
        let _ =
            writeln!(out, "  - {}: {}", one_line(&left.what), one_line(&left.reason.to_string()));
        for detail in left.reason.details(&report.scope.region, 6) {
            let _ = writeln!(out, "{}", one_line(&detail));
        }
    }
    for unread in &report.unread {
        let _ = writeln!(out, "  - {} could not be read: {}", unread.section, unread.error.shown());
    }
    if let Some(error) = &report.notes_error {
        let more = if report.changed() { "more " } else { "" };
        let _ = writeln!(
            out,
            "  - what runs do could not be recorded, so nothing {more}is changed: {}",
            error.shown()
        );
    }
}

/// What the steps cost, a line each.
fn cost(out: &mut String, report: &Report) {
    if report.costs.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nWhat this costs (data not counted)");
    for StepCost { step, service, zones, per_month } in &report.costs {
        let zones = if *zones == 1 { "1 zone".to_owned() } else { format!("{zones} zones") };
        let amount = match per_month {
            Some(amount) => format!("{amount} a month"),
            None => format!(
                "price in {} unknown, set it in the baseline's `costs`",
                report.scope.region
            ),
        };
        let _ = writeln!(out, "  - step {step}: {service} in {zones}: {amount}");
    }
}

/// What the reader can do. Scripts are long and come last.
fn advice(out: &mut String, report: &Report, baseline: &Baseline, scripts: Scripts) {
    if !report.findings.is_empty() {
        let _ = writeln!(out, "\nTo exempt");
        exempt(out, report, baseline);
        if let Some(line) = for_good(report) {
            let _ = writeln!(out, "\nTo fix it for good\n  {line}");
        }
    }
    back(out, report, baseline);
    // What cut something off is undone before anything else is read.
    if report.cut_off.is_empty() {
        to_undo(out, report, scripts);
    }
    by_hand(out, report, scripts);
}

/// How to bring a VPC back into the guardrail's care.
fn back(out: &mut String, report: &Report, baseline: &Baseline) {
    if let ManagedVpcs::Tag { key, value } = &baseline.managed_vpcs
        && report.vpc_departed()
    {
        let _ = writeln!(out, "\nTo bring it back");
        let _ = writeln!(out, "  {}", commands::tag_vpc(key, value, &report.scope));
    }
}

fn exempt(out: &mut String, report: &Report, baseline: &Baseline) {
    if let ManagedVpcs::Tag { key, .. } = &baseline.managed_vpcs {
        let _ = writeln!(out, "  this VPC: {}", commands::untag_vpc(key, &report.scope));
    }
    if report.findings.iter().any(|found| !found.rule.is_advice()) {
        let _ = writeln!(
            out,
            "  a subnet: take away the tag that makes it private (`guardrail explain` names it)"
        );
    }
    let unguarded = unguarded(report);
    if !unguarded.is_empty() {
        let accept = serde_json::json!({ "accept": unguarded, "reason": "why they may lead out" });
        let _ = writeln!(
            out,
            "  unguarded subnets: \"unclassified_subnets\": {accept} in the baseline"
        );
    }
    if let Some(command) = exempt_command(report, baseline) {
        let _ = writeln!(out, "  until a day, with a reason: {command}");
    }
    let quieter: Vec<String> = modes_of(report)
        .into_iter()
        .map(|(rule, mode)| format!("\"{rule}\": {{ \"mode\": \"{}\" }}", below(mode)))
        .collect();
    let place = match report.modes_of_override {
        true => "in the VPC's override in the baseline",
        false => "in the baseline",
    };
    let _ = writeln!(out, "  a rule: \"rules\": {{ {} }} {place}", quieter.join(", "));
}

/// The command that exempts what was found first, for the reader to put in the reason.
fn exempt_command(report: &Report, baseline: &Baseline) -> Option<String> {
    match baseline.exempting.tags {
        ExemptionTags::Refuse => return None,
        ExemptionTags::Accept => {}
    }
    let found = report.findings.iter().find(|found| !found.repaired).or(report.findings.first())?;
    let on = found.drift.one_place().unwrap_or_else(|| report.scope.vpc.to_string());
    let days = baseline.exempting.longest_days.min(30);
    let until = Day::of(report.finished).plus(days);
    let rule = found.rule;
    Some(format!("guardrail exempt {on} --rule {rule} --until {until} --reason '…'"))
}

/// The subnets that nobody guards and that lead out.
fn unguarded(report: &Report) -> Vec<&SubnetId> {
    let lists = report.findings.iter().filter_map(|found| found.drift.unguarded());
    lists.flatten().map(|unguarded| &unguarded.subnet).collect()
}

/// The rules that found something and the mode of each, in the order of their names.
fn modes_of(report: &Report) -> BTreeMap<&'static str, Mode> {
    report.findings.iter().map(|found| (found.rule.as_str(), found.mode)).collect()
}

/// The mode in which less is done than in this one.
fn below(mode: Mode) -> Mode {
    match mode {
        Mode::Repair => Mode::Notify,
        Mode::Notify | Mode::Observe => Mode::Observe,
    }
}

/// The rules that found something, each once.
fn rules_of(report: &Report) -> Vec<&'static str> {
    let mut rules: Vec<&str> = report.findings.iter().map(|found| found.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// Where the change came from, so that it does not come back.
fn for_good(report: &Report) -> Option<String> {
    let mut told = report.evidence.iter().filter(|evidence| evidence.claimed_by.is_none());
    let coded = told.find_map(|evidence| match evidence.record.tool {
        Tool::Terraform => Some(("Terraform", evidence)),
        Tool::CloudFormation => Some(("CloudFormation", evidence)),
        Tool::Console | Tool::Cli | Tool::Sdk | Tool::Service(_) | Tool::NotSaid => None,
    });
    coded.map(|(tool, evidence)| {
        let record = &evidence.record;
        let says = if evidence.tool_vouched { "" } else { ", as its user agent says" };
        one_line(&format!(
            "{} came through {tool}{says} ({}): change it in that code, or the next run of it brings the fault back.",
            word(&record.event),
            quoted(&record.actor)
        ))
    })
}

fn json(report: &Report) -> String {
    let whole = shown::json(report);
    if whole.len() <= JSON_LIMIT {
        return whole;
    }
    let mut short = report.clone();
    (short.script, short.undo_script) = (None, None);
    short.evidence.truncate(10);
    short.departures.truncate(50);
    short.steps.truncate(50);
    short.findings.truncate(50);
    short.exempted.truncate(50);
    short.exempting_nothing.truncate(50);
    short.left_alone.truncate(50);
    let short = shown::json(&short);
    if short.len() <= JSON_LIMIT {
        return short;
    }
    let (scope, verdict) = (&report.scope, report.verdict);
    let (version, run_id) = (report.version, &report.run_id);
    shown::json(
        &serde_json::json!({ "version": version, "run_id": run_id, "scope": scope, "verdict": verdict }),
    )
}

fn attributes(report: &Report) -> BTreeMap<String, Attribute> {
    // A subscription that hands messages to SQS as they are takes ten, and drops a message with more
    // (docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html): what a probe lost comes first.
    let tenth = match report.cut_off.is_empty() {
        true => ("exempted", Attribute::of(!report.exempted.is_empty())),
        false => ("cut_off", Attribute::of(true)),
    };
    let attributes = [
        ("account", Attribute::of(&report.scope.account)),
        ("region", Attribute::of(&report.scope.region)),
        ("vpc", Attribute::of(&report.scope.vpc)),
        ("verdict", Attribute::Text(verdict_word(report.verdict))),
        ("cause", Attribute::of(report.cause)),
        ("left", Attribute::of(!report.departures.is_empty())),
        ("mode", Attribute::of(strongest_mode(report))),
        ("changed", Attribute::of(report.changed())),
        ("rules", Attribute::List(rules_of(report).into_iter().map(str::to_owned).collect())),
        tenth,
    ];
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A verdict as subscribers filter on it.
fn verdict_word(verdict: Verdict) -> String {
    verdict.to_string().replace(' ', "-")
}

fn strongest_mode(report: &Report) -> Mode {
    report.findings.iter().map(|found| found.mode).max().unwrap_or(report.mode)
}

#[cfg(test)]
mod tests;
