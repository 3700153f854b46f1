//! What a sweep found in VPCs of which nothing was known; and that far too many of them are unknown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::summary::{alert_of, attributes, counts, list_command, number, paragraph};
use super::{Alert, JSON_LIMIT};
use crate::baseline::RuleId;
use crate::ec2::id::Place;
use crate::history::first_contact::FirstContact;
use crate::shown::{self, quoted, word};

/// How many VPCs are named.
const NAMED: usize = 50;

/// The alert of the VPCs that a sweep found first; the sweep itself may be the first that the table
/// knows of.
pub fn first_contact_alert(
    id: &str,
    vpcs: &[&FirstContact],
    is_first_sweep: bool,
    place: &Place,
    stack: &str,
) -> Alert {
    let mut worst: Vec<&FirstContact> =
        vpcs.iter().filter(|first| !first.findings.is_empty()).copied().collect();
    worst.sort_by_cached_key(|first| (first.gravity(), first.vpc.clone()));
    let (all, found) = (number(vpcs.len(), "VPC", "VPCs"), worst.len());
    let what = if is_first_sweep { format!("everything, {all}") } else { all.clone() };
    let subject =
        format!("VPC guardrail: first look at {what}, findings in {found}, {}", place.region);
    let (mut verdicts, mut rules) = (BTreeMap::new(), BTreeMap::new());
    for first in vpcs {
        add(&mut verdicts, &first.verdict, 1);
        first.findings.iter().for_each(|(rule, count)| add(&mut rules, rule.as_str(), *count));
    }
    let mut text = String::new();
    let what = format!(
        "First look at {all} of account {}, {}: something was found in {found}. From now on each is \
         told of by itself, when something is new.",
        place.account, place.region
    );
    paragraph(&mut text, &what);
    if is_first_sweep {
        let first = "It is the first look at everything here: before it the table knew of no VPC. \
                     Where the guardrail is not new, its table was lost or replaced, and with it what \
                     waited, which alerts were not sent yet, and what was told before.";
        text.push('\n');
        paragraph(&mut text, first);
    }
    counts(&mut text, "VPCs by verdict", &verdicts);
    counts(&mut text, "Findings by rule", &rules);
    named(&mut text, &worst);
    let command = list_command(stack);
    let _ = writeln!(text, "\nAll of them, with their reports\n  {command}");
    let _ = writeln!(text, "\nThis is {}.", word(id));
    let of = |vpcs: Option<&[&FirstContact]>| {
        json!({
            "version": 1, "verdict": "first-contact", "id": id, "account": place.account,
            "first_sweep": is_first_sweep,
            "region": place.region, "verdicts": verdicts, "rules": rules, "vpcs": vpcs,
            "command": command,
        })
    };
    let whole = of(Some(vpcs));
    let json = if shown::json(&whole).len() <= JSON_LIMIT { whole } else { of(None) };
    alert_of(&subject, text, &json, attributes(place, "first-contact"))
}

fn add(counts: &mut BTreeMap<String, u32>, name: &str, more: u32) {
    let count = counts.entry(name.to_owned()).or_default();
    *count = count.saturating_add(more);
}

fn named(text: &mut String, worst: &[&FirstContact]) {
    if worst.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nWhere something was found, the worst first");
    for first in worst.iter().take(NAMED) {
        let name = first.vpc_name.as_deref().map(|name| format!(" {}", quoted(name)));
        let (name, verdict) = (name.unwrap_or_default(), word(&first.verdict));
        let _ = writeln!(text, "  - {}{name}: {verdict}", first.vpc);
        let _ = writeln!(text, "    {}", found(first));
    }
    if let Some(more) = worst.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {more} more");
    }
}

/// The three worst rules and how much each found.
fn found(first: &FirstContact) -> String {
    const SHOWN: usize = 3;
    let mut rules: Vec<(&RuleId, &u32)> = first.findings.iter().collect();
    rules.sort_by_key(|(rule, _)| crate::history::gravity::Gravity::of(**rule));
    let shown = rules.iter().take(SHOWN).map(|(rule, count)| format!("{rule} {count}"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match rules.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        Some(more) => format!("{shown}, and {}", number(more, "rule more", "rules more")),
        None => shown,
    }
}

/// The alarm that what is known of the VPCs was lost.
pub fn table_lost_alert(known: usize, without_state: usize, place: &Place, stack: &str) -> Alert {
    let subject =
        format!("VPC guardrail: ALARM: its table has lost what it knew, {}", place.region);
    let mut text = String::new();
    let what = format!(
        "The guardrail's table has lost what it knew: of {} known in account {}, {}, {without_state} \
         have no state at once.",
        number(known, "VPC", "VPCs"),
        place.account,
        place.region
    );
    paragraph(&mut text, &what);
    let so = "Nobody is told again of what stood in them; waiting looks, alerts that were not sent \
              and open records of runs may be lost with it. Every VPC is looked at again, and what \
              is found there is told in one summary.";
    text.push('\n');
    paragraph(&mut text, so);
    let command = format!("guardrail status --stack {}", word(stack));
    let _ = writeln!(
        text,
        "\nAt once\n  1. see what the table has:\n     {command}\n  \
         2. if it was emptied, see who did it, in CloudTrail: DeleteTable,\n     \
         DeleteItem, BatchWriteItem, UpdateTimeToLive\n  \
         3. if it was replaced with the stack, this comes once and is over"
    );
    let json = json!({
        "version": 1, "verdict": "table-lost", "account": place.account, "region": place.region,
        "known": known, "without_state": without_state, "command": command,
    });
    alert_of(&subject, text, &json, attributes(place, "table-lost"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::alert::summary::tests::place;

    fn first(vpc: &str, name: Option<&str>, findings: &[(RuleId, u32)]) -> FirstContact {
        FirstContact {
            vpc: vpc.parse().unwrap(),
            vpc_name: name.map(str::to_owned),
            sweep: "s".to_owned(),
            verdict: if findings.is_empty() { "compliant" } else { "drift-left" }.to_owned(),
            findings: findings.iter().copied().collect(),
            since: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    /// Nobody may take a lost table for a new guardrail.
    #[test]
    fn the_first_look_at_everything_says_what_that_may_mean() {
        let vpc = first("vpc-1", None, &[]);
        let text = |is_first| first_contact_alert("f", &[&vpc], is_first, &place(), "s").text;
        assert!(text(true).contains("its table was lost or replaced"), "{}", text(true));
        assert!(!text(false).contains("table"), "{}", text(false));
    }

    #[test]
    fn a_sweeps_new_vpcs_are_one_alert_the_worst_first() {
        let all = [
            first("vpc-1", None, &[]),
            first("vpc-2", Some("a\nb"), &[(RuleId::VpcDns, 1)]),
            first(
                "vpc-3",
                None,
                &[
                    (RuleId::UnguardedSubnet, 1),
                    (RuleId::VpcDns, 1),
                    (RuleId::InternetRoute, 4),
                    (RuleId::EndpointPolicy, 2),
                ],
            ),
        ];
        let alert = first_contact_alert(
            "first-s",
            &all.iter().collect::<Vec<_>>(),
            false,
            &place(),
            "stack",
        );
        assert_eq!(
            alert.subject,
            "VPC guardrail: first look at 3 VPCs, findings in 2, eu-central-1"
        );
        assert_eq!(
            alert.text,
            "First look at 3 VPCs of account 111122223333, eu-central-1: something was found\n\
             in 2. From now on each is told of by itself, when something is new.\n\
             \n\
             VPCs by verdict\n\
             \x20     2  drift-left\n\
             \x20     1  compliant\n\
             \n\
             Findings by rule\n\
             \x20     4  internet-route\n\
             \x20     2  endpoint-policy\n\
             \x20     2  vpc-dns\n\
             \x20     1  unguarded-subnet\n\
             \n\
             Where something was found, the worst first\n\
             \x20 - vpc-3: drift-left\n\
             \x20   internet-route 4, vpc-dns 1, endpoint-policy 2, and 1 rule more\n\
             \x20 - vpc-2 \"a b\": drift-left\n\
             \x20   vpc-dns 1\n\
             \n\
             All of them, with their reports\n\
             \x20 guardrail history --stack stack\n\
             \n\
             This is first-s.\n"
        );
        let json: serde_json::Value = serde_json::from_str(&alert.json).unwrap();
        assert_eq!(json["vpcs"][1]["vpc"], "vpc-2");
        assert_eq!(json["rules"]["internet-route"], 4);
    }

    #[test]
    fn thousands_of_vpcs_are_bounded_as_text_and_as_data() {
        let all: Vec<FirstContact> = (0..5000)
            .map(|at| first(&format!("vpc-{at}"), Some("shop"), &[(RuleId::InternetRoute, 1)]))
            .collect();
        let alert = first_contact_alert("f", &all.iter().collect::<Vec<_>>(), false, &place(), "s");
        assert!(alert.text.len() < 8_000, "{}", alert.text.len());
        assert!(alert.text.contains("  and 4950 more\n"), "{}", alert.text);
        assert!(alert.json.len() < 2_000, "{}", alert.json.len());
    }

    #[test]
    fn a_lost_table_is_an_alarm_that_says_what_to_do() {
        let alert = table_lost_alert(100, 40, &place(), "stack");
        assert_eq!(
            alert.subject,
            "VPC guardrail: ALARM: its table has lost what it knew, eu-central-1"
        );
        assert_eq!(
            alert.text,
            "The guardrail's table has lost what it knew: of 100 VPCs known in account\n\
             111122223333, eu-central-1, 40 have no state at once.\n\
             \n\
             Nobody is told again of what stood in them; waiting looks, alerts that were not\n\
             sent and open records of runs may be lost with it. Every VPC is looked at\n\
             again, and what is found there is told in one summary.\n\
             \n\
             At once\n\
             \x20 1. see what the table has:\n\
             \x20    guardrail status --stack stack\n\
             \x20 2. if it was emptied, see who did it, in CloudTrail: DeleteTable,\n\
             \x20    DeleteItem, BatchWriteItem, UpdateTimeToLive\n\
             \x20 3. if it was replaced with the stack, this comes once and is over\n"
        );
        assert_eq!(
            alert.attributes.get("verdict"),
            Some(&super::super::Attribute::of("table-lost"))
        );
    }
}
