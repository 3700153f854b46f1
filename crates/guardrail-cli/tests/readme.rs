//! The tables of the README are what the command prints.
//!
//! After a change of them: `UPDATE_EXPECT=1 cargo test -p guardrail-cli --test readme`, then read
//! the difference.
#![expect(clippy::unwrap_used, reason = "a test's helpers stop the test as the test does")]

use std::path::Path;
use std::process::Command;

use guardrail::analysis::well_known::WELL_KNOWN;
use guardrail::ec2::snapshot::Section;

fn guardrail(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_guardrail")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The README with what the command prints between the markers of this table.
fn with_table(readme: &str, name: &str) -> String {
    let (start, end) =
        (format!("<!-- guardrail {name} -->\n"), format!("<!-- /guardrail {name} -->\n"));
    let (before, rest) = readme.split_once(&start).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let table = guardrail(&[name, "--format", "markdown"]);
    format!("{before}{start}\n{table}\n{end}{after}")
}

/// The README with the services that a plan may name where it removes a route.
fn with_services(readme: &str) -> String {
    let (start, end) = ("<!-- well-known services -->\n", "<!-- /well-known services -->\n");
    let (before, rest) = readme.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let names: Vec<String> = WELL_KNOWN.iter().map(|(name, _)| format!("`{name}`")).collect();
    format!("{before}{start}\n{}\n\n{end}{after}", names.join(", "))
}

#[test]
fn the_readme_shows_the_rules_events_and_services_that_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let wanted = ["rules", "events"]
        .iter()
        .fold(with_services(&readme), |text, name| with_table(&text, name));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        readme == wanted,
        "README.md differs from what `guardrail rules` and `guardrail events` print, or from WELL_KNOWN"
    );
}

#[test]
fn text_is_at_most_80_columns_wide_and_names_every_row() {
    for name in ["rules", "events"] {
        let text = guardrail(&[name]);
        for line in text.lines() {
            assert!(line.chars().count() <= 80 && line == line.trim_end(), "{line}");
        }
        for row in guardrail(&[name, "--format", "markdown"]).lines().skip(2) {
            let row = row.split('`').nth(1).unwrap();
            assert!(text.contains(row), "{row}");
        }
    }
}

/// The commands that make a world print every section.
#[test]
fn the_readme_says_how_to_print_every_section() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (_, recipe) = readme.split_once("mkdir my-vpc\n").unwrap();
    let (recipe, _) = recipe.split_once("```").unwrap();
    let words: Vec<&str> = recipe.split([' ', '\n', ';']).collect();
    let missing: Vec<&str> = Section::ALL
        .into_iter()
        .map(|section| section.command().trim_start_matches("aws ec2 "))
        .filter(|command| {
            let named = command.trim_start_matches("describe-");
            !words.contains(command) && !words.contains(&named)
        })
        .collect();
    assert_eq!(missing, [""; 0]);
    for prefix_lists in ["prefix-lists", "managed-prefix-lists"] {
        assert!(words.contains(&prefix_lists), "one says the blocks, the other the owner");
    }
}
