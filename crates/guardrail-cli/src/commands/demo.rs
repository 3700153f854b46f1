//! `guardrail demo`: a short incident on an example VPC, from files built into the command.

use guardrail::baseline::{Baseline, Mode};
use guardrail::report::alert;
use guardrail::report::{Cause, Report, Verdict};
use guardrail::shown::one_line;
use guardrail_sim::{Sim, SimOptions};

use crate::commands::replay::{Act, ReplayedRun, Stage, start};
use crate::ending::Ending;
use crate::error::BadInput;
use crate::render::{line, quoted};

const WORLD: &str = include_str!("../../scenarios/demo/world.json");

struct Scene {
    title: &'static str,
    event: &'static str,
}

const STORY: [Scene; 4] = [
    Scene {
        title: "In the console, somebody adds a NAT route to a private route table",
        event: include_str!("../../../../events/CreateRoute.json"),
    },
    Scene {
        title: "Terraform deletes the S3 gateway endpoint",
        event: include_str!("../../../../events/DeleteVpcEndpoints.json"),
    },
    Scene {
        title: "On the command line, somebody adds one half of the default route",
        event: include_str!("../../../../events/CreateRoute.half-low.json"),
    },
    Scene {
        title: "… and the other half",
        event: include_str!("../../../../events/CreateRoute.half-high.json"),
    },
];

pub(crate) fn run(out: &mut String) -> Result<Ending, BadInput> {
    let world = guardrail::ec2::world_file::load(WORLD)?;
    let mut calls = Vec::new();
    for scene in &STORY {
        calls.extend(
            guardrail::event::parse_with_source(scene.event)
                .map_err(|reason| BadInput::Event { name: scene.title.to_owned(), reason })?,
        );
    }
    let baseline = Baseline::default().with_mode(Mode::Repair);
    let mut stage = Stage::new(Sim::new(world, start(&calls), SimOptions::default()), baseline);
    line(
        out,
        "An example VPC: two Availability Zones, a public and a private subnet in each, gateway endpoints for S3 and",
    );
    line(
        out,
        "DynamoDB, interface endpoints for ssm, ssmmessages and ec2messages. The guardrail is in mode repair.",
    );
    let mut last = None;
    for (number, (scene, (value, call))) in STORY.iter().zip(&calls).enumerate() {
        let act = stage.play(value, call);
        line(out, &format!("\n== {}. {} ==", number + 1, scene.title));
        tell(out, &act, &stage.baseline);
        let runs = act.runs.unwrap_or_default();
        let number = runs.len() + 1;
        last = runs.into_iter().last().map(|run| (run.report.scope, call, number));
    }
    let again =
        last.and_then(|(scope, call, number)| stage.look(scope, Cause::Operator, call, number));
    Ok(again.map_or(Ending::DriftLeft, |again| farewell(out, &again.report)))
}

fn tell(out: &mut String, act: &Act, baseline: &Baseline) {
    line(out, &format!("call: {}", alert::call(&act.call, act.call.record.account.as_ref())));
    for ReplayedRun { report, before, after } in act.runs.iter().flatten() {
        line(out, "\nroute tables of the private subnets, before:");
        out.push_str(before);
        line(out, "\nseen:");
        report.findings.iter().for_each(|found| {
            line(out, &one_line(&format!("  {}: {}", found.rule, found.summary)))
        });
        line(out, "\nplan, and what became of each step:");
        report.steps.iter().for_each(|step| {
            line(out, &one_line(&format!("  {}. {}: {}", step.id, step.summary, step.outcome)))
        });
        line(out, "\nalert:");
        quoted(
            out,
            &format!(
                "Subject: {}\n\n{}",
                alert::subject(report),
                alert::short_text(report, baseline)
            ),
            "  ",
        );
        line(out, "\nroute tables of the private subnets, after:");
        out.push_str(after);
    }
}

fn farewell(out: &mut String, again: &Report) -> Ending {
    if again.verdict == Verdict::Compliant && again.steps.is_empty() {
        line(
            out,
            &format!(
                "\n{} is back on its baseline, and a second run changes nothing.",
                again.scope.vpc
            ),
        );
        return Ending::Fine;
    }
    line(out, &format!("\n{} is not on its baseline: {}.", again.scope.vpc, again.verdict));
    Ending::DriftLeft
}
