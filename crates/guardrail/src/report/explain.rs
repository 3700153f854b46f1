//! Why each subnet is what it is, where each route leads, and what serves each required service.

use std::collections::BTreeSet;

use crate::analysis::View;
use crate::analysis::required_service::{
    EndpointKind, Health, RequiredService, cidrs_without_https, health, own_group, vpc_dns_is_on,
    zones_of,
};
use crate::analysis::route::{RouteClass, allowed, classify, is_blackhole};
use crate::analysis::served::{Answer, Obstacle, Proof, prove};
use crate::analysis::topology::{Association, Class, OffLimits, SubnetUse, TableUse};
use crate::analysis::well_known::{Uncovered, without_endpoint};
use crate::baseline::VpcOverride;
use crate::cloud::NatTraffic;
use crate::ec2::policy::PolicyDigest;
use crate::ec2::snapshot::Snapshot;
use crate::ec2::world::{Route, RouteTable, VpcAttributes, VpcEndpoint};
use crate::report::alert::lapses;
use crate::report::written_on;
use crate::rules::evaluate;
use crate::rules::exemptions::{Exempted, Exemptions, InForce, InVain};
use crate::rules::left_alone::Unserved;
use crate::shown::{filled, one_line, quoted, word};
use crate::time::Day;

/// Appends a line, or several where it is wider than a terminal. Whatever of it comes from a tag, a
/// name or a world file cannot make another one.
macro_rules! say {
    ($out:expr, $($text:tt)*) => { add($out, &format!($($text)*)) };
}

fn add(out: &mut String, text: &str) {
    let text = one_line(text);
    let ours = text.trim_start_matches(' ');
    for line in filled(ours, text.len().saturating_sub(ours.len())) {
        out.push_str(&line);
        out.push('\n');
    }
}

/// Explains one VPC as it is today, as text for a person.
pub fn explain(view: &View<'_>, today: Day) -> String {
    let mut out = String::new();
    let snapshot = view.snapshot;
    let name = view.vpc_name().map(|name| format!("; its name is {}", quoted(name)));
    let managed =
        if view.is_managed() { "managed" } else { "not managed: nothing here is ever changed" };
    say!(&mut out, "{}: {managed}{}", snapshot.scope, name.unwrap_or_default());
    if !snapshot.missing.is_empty() {
        say!(&mut out, "  not observed, so that nothing is changed which rests on it:");
        for section in &snapshot.missing {
            say!(&mut out, "    {section} (add what `{}` prints)", section.command());
        }
    }
    if let Some(known) = view.baseline.override_of(snapshot.vpc).filter(|it| it.says_modes()) {
        modes(&mut out, known);
    }
    subnets(&mut out, view);
    tables(&mut out, view);
    gateways(&mut out, view);
    services(&mut out, view);
    uncovered(&mut out, view);
    if view.is_managed() {
        exemptions(&mut out, view, today);
    }
    out
}

/// The modes that the baseline's override for the VPC says.
fn modes(out: &mut String, known: &VpcOverride) {
    let all = known.mode.map(|mode| format!("{mode} for every rule")).into_iter();
    let rules = known.rules.iter().map(|(rule, own)| format!("{} for {rule}", own.mode));
    let modes: Vec<String> = all.chain(rules).collect();
    say!(out, "  modes by the baseline's override for {}: {}", known.vpc, modes.join(", "));
}

/// What is exempted, what of that is found, and what exempts nothing.
fn exemptions(out: &mut String, view: &View<'_>, today: Day) {
    let all = Exemptions::of(view.baseline, view.snapshot, today);
    if all == Exemptions::default() {
        return;
    }
    say!(out, "  exemptions");
    let (_, exempted) = all.sort_out(evaluate(view), view);
    for in_force in &all.in_force {
        let InForce { on, written, exemption } = in_force;
        let soon = lapses(today, exemption.until);
        say!(out, "    {} {on}, {exemption}{soon}", written_on(*written));
        let mut found = exempted.iter().filter(|it| it.by == *in_force).peekable();
        if found.peek().is_none() {
            say!(out, "      nothing is found that needs it");
        }
        for Exempted { finding, .. } in found {
            say!(out, "      {}: {}", finding.rule, finding.drift);
        }
    }
    for InVain { on, written, why } in &all.in_vain {
        say!(out, "    exempts nothing: {} {on} {why}", written_on(*written));
    }
}

/// What NAT gateways carried whose routes the VPC's plan removes, as lines below its explanation; none
/// where nobody was asked.
pub fn carried(traffic: &[NatTraffic]) -> String {
    let mut out = String::new();
    if !traffic.is_empty() {
        say!(&mut out, "  carried in the last hour by NAT gateways whose routes would go");
    }
    for nat in traffic {
        say!(&mut out, "    {nat}");
    }
    out
}

fn subnets(out: &mut String, view: &View<'_>) {
    say!(out, "  subnets");
    if view.topology.subnets.is_empty() {
        say!(out, "    none");
    }
    for placed in &view.topology.subnets {
        let subnet = placed.subnet;
        say!(out, "    {} {} {}", subnet.subnet_id, subnet.availability_zone, placed.class);
        say!(out, "      {}", table_of(placed));
        let accepted = view.baseline.unclassified_subnets.as_ref();
        let accepted = accepted.filter(|all| placed.class.is_unclassified() && all.accepts(subnet));
        if let Some(all) = accepted {
            say!(out, "      accepted by the baseline: {}", all.reason);
        }
    }
}

fn table_of(placed: &SubnetUse<'_>) -> String {
    match (placed.table, placed.association) {
        (None, _) => "no route table was observed for it".to_owned(),
        (Some(table), Association::Main) => {
            format!("{}, the main table, as it has none of its own", table.route_table_id)
        }
        (Some(table), Association::Explicit(Some(id))) => {
            format!("{}, by association {id}", table.route_table_id)
        }
        (Some(table), Association::Explicit(None)) => {
            format!("{}, by an association", table.route_table_id)
        }
    }
}

fn tables(out: &mut String, view: &View<'_>) {
    say!(out, "  route tables");
    if view.topology.tables.is_empty() {
        say!(out, "    none");
    }
    for used in &view.topology.tables {
        let main = if used.main { " (main)" } else { "" };
        say!(out, "    {}{main}: {}", used.table.route_table_id, serves(used));
        for route in &used.table.routes {
            say!(out, "      {}", route_line(route, used.table, view));
        }
    }
}

/// The gateways that a route could lead out by, whether one does or not.
fn gateways(out: &mut String, view: &View<'_>) {
    let snapshot = view.snapshot;
    let internet = snapshot
        .internet_gateways
        .iter()
        .map(|gateway| (gateway.internet_gateway_id.as_str(), gateway.attachments.as_slice()));
    let egress_only = snapshot.egress_only_gateways.iter().map(|gateway| {
        (gateway.egress_only_internet_gateway_id.as_str(), gateway.attachments.as_slice())
    });
    let gateways: Vec<_> = internet.chain(egress_only).collect();
    if gateways.is_empty() {
        return;
    }
    say!(out, "  internet gateways");
    for (id, attachments) in gateways {
        let state = attachments.iter().find_map(|attachment| attachment.state.as_deref());
        let leading = tables_leading_to(id, snapshot);
        let routes = match leading.is_empty() {
            true => "no route leads to it".to_owned(),
            false => format!("routes lead to it in {}", leading.join(", ")),
        };
        say!(out, "    {id}: {}, {routes}", word(state.unwrap_or("attached, state not told")));
    }
}

fn tables_leading_to(gateway: &str, snapshot: &Snapshot<'_>) -> Vec<String> {
    let leads = |route: &Route| route.target().is_some_and(|target| target.as_str() == gateway);
    let tables = snapshot.route_tables.iter().filter(|table| table.routes.iter().any(leads));
    tables.map(|table| table.route_table_id.to_string()).collect()
}

fn serves(used: &TableUse<'_>) -> String {
    match used.off_limits {
        Some(OffLimits::Edge) => {
            return "bound to a gateway, for traffic that comes in; never changed".to_owned();
        }
        Some(OffLimits::RegionalNatGateway(id)) => {
            return format!("the regional NAT gateway {id}'s own; never changed");
        }
        None => {}
    }
    let (mut private, mut public, mut unclassified) = (0, 0, 0);
    for (_, class) in &used.users {
        match class {
            Class::Private(_) => private += 1,
            Class::Public(_) => public += 1,
            Class::Unclassified
            | Class::Contradictory(..)
            | Class::BuiltPublic(..)
            | Class::TaggedPublicOnly(..) => unclassified += 1,
        }
    }
    let counts = [(private, "private"), (public, "public"), (unclassified, "unclassified")];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() {
        "serves no subnet".to_owned()
    } else {
        format!("serves {}", parts.join(", "))
    }
}

fn route_line(route: &Route, table: &RouteTable, view: &View<'_>) -> String {
    let class = classify(route, table, view.snapshot, &view.topology);
    let destination =
        route.destination().map_or_else(|| "?".into(), |to| word(&to.to_string()).into_owned());
    let blackhole = if is_blackhole(route) { ", a blackhole at present" } else { "" };
    let allowed = match class {
        RouteClass::Internet(_) | RouteClass::MayLeadOut(_) => {
            allowed(route, view.snapshot, view.baseline)
        }
        RouteClass::Local
        | RouteClass::Endpoint(_)
        | RouteClass::Inside(_)
        | RouteClass::Unknown(_) => None,
    };
    let allowed = allowed.map(|it| format!("; allowed by the baseline: {}", quoted(&it.reason)));
    let blackhole = format!("{blackhole}{}", allowed.unwrap_or_default());
    format!(
        "{destination} → {}: {}, {class}{blackhole}",
        route.target().map_or_else(|| "?".into(), |target| word(target.as_str()).into_owned()),
        class.word()
    )
}

fn services(out: &mut String, view: &View<'_>) {
    say!(out, "  required services");
    if view.required_services.is_empty() {
        say!(out, "    none");
    }
    for required in view.required_services {
        let offered = if required.offered.is_some() { "" } else { ": not offered in this Region" };
        let name = required.name.short_in(&view.snapshot.scope.region);
        say!(out, "    {name} ({}){offered}", required.kind);
        if required.offered.is_none() {
            continue;
        }
        let endpoints: Vec<&VpcEndpoint> = required.endpoints(view.snapshot).collect();
        if endpoints.is_empty() {
            say!(out, "      no endpoint");
        }
        for endpoint in endpoints {
            say!(out, "      {}", endpoint_line(endpoint, required, view));
        }
        served(out, required, view);
    }
}

/// What clients in private subnets reach by an internet route and nothing else.
fn uncovered(out: &mut String, view: &View<'_>) {
    let leads_out = |used: &&TableUse<'_>| {
        let leads = |route: &Route| {
            let class = classify(route, used.table, view.snapshot, &view.topology);
            matches!(class, RouteClass::Internet(_))
        };
        used.is_private() && used.table.routes.iter().any(leads)
    };
    // Of what the baseline asks for, it is said above.
    let is_required = |it: &Uncovered| view.required_services.iter().any(|r| it.is(&r.name));
    let mut uncovered = without_endpoint(view);
    uncovered.retain(|it| !is_required(it));
    if !view.is_managed()
        || uncovered.is_empty()
        || !view.topology.tables.iter().any(|used| leads_out(&used))
    {
        return;
    }
    say!(out, "  not covered by an endpoint here, and not reached without the internet route");
    for Uncovered { service, matters_for, .. } in uncovered {
        say!(out, "    {service}: {matters_for}");
    }
}

fn endpoint_line(
    endpoint: &VpcEndpoint,
    required: &RequiredService<'_>,
    view: &View<'_>,
) -> String {
    let snapshot = view.snapshot;
    let mut parts = vec![format!("{} {}", endpoint.vpc_endpoint_id, word(endpoint.state.as_str()))];
    if required.kind == EndpointKind::Interface && health(endpoint) != Health::Gone {
        let zones: Vec<&str> =
            zones_of(endpoint, snapshot).into_iter().map(crate::ec2::id::Zone::as_str).collect();
        parts.push(format!(
            "in {}",
            if zones.is_empty() { "no zone".to_owned() } else { zones.join(", ") }
        ));
        parts.push(format!(
            "private DNS {}",
            if endpoint.private_dns_enabled { "on" } else { "off" }
        ));
        parts.push(match cidrs_without_https(endpoint, snapshot) {
            None => "what its security groups admit is not known".to_owned(),
            Some(cidrs) if cidrs.is_empty() => "admits TCP 443 from the whole VPC".to_owned(),
            Some(cidrs) => format!("admits no TCP 443 from {}", crate::ec2::list(&cidrs)),
        });
        let own = own_group(snapshot)
            .is_some_and(|own| endpoint.groups.iter().any(|g| g.group_id == own.group_id));
        parts.extend(own.then(|| "has the guardrail's own group".to_owned()));
        let inbound_only = endpoint.private_dns_enabled && endpoint.is_for_inbound_resolvers();
        let only = "its name is for inbound Resolver endpoints only";
        parts.extend(inbound_only.then(|| only.to_owned()));
        parts.extend((endpoint.private_dns_enabled && !vpc_dns_is_on(snapshot)).then(|| {
            let read = |a: &VpcAttributes| {
                a.enable_dns_support.is_some() && a.enable_dns_hostnames.is_some()
            };
            match snapshot.attributes.is_some_and(read) {
                true => "the VPC's DNS is off".to_owned(),
                false => "whether the VPC's DNS is on was not read".to_owned(),
            }
        }));
    }
    parts.join(", ")
}

fn served(out: &mut String, required: &RequiredService<'_>, view: &View<'_>) {
    let (mut served, mut not): (Vec<&str>, Vec<Unserved>) = (Vec::new(), Vec::new());
    let mut digests: BTreeSet<PolicyDigest> = BTreeSet::new();
    let (mut optional, mut unclear): (Vec<&str>, Vec<Unserved>) = (Vec::new(), Vec::new());
    for placed in view.topology.private() {
        let id = placed.subnet.subnet_id.as_str();
        let proof = prove(view, required, placed);
        digests.extend(proof.obstacles.iter().filter_map(Obstacle::policy).cloned());
        match proof.answer() {
            _ if !required.is_required_in(placed.subnet) => optional.push(id),
            Answer::Served => served.push(id),
            Answer::NotServed => note(&mut not, required, &proof, placed),
            Answer::CannotTell => note(&mut unclear, required, &proof, placed),
        }
    }
    if !served.is_empty() {
        say!(out, "      served: {}", served.join(", "));
    }
    for (word, list) in [("not served", not), ("cannot tell", unclear)] {
        for Unserved { obstacle, subnets, .. } in list {
            say!(out, "      {word}: {}", crate::ec2::list(&subnets));
            say!(out, "        {obstacle}");
        }
    }
    if !optional.is_empty() {
        say!(out, "      not required in: {}", optional.join(", "));
    }
    for digest in digests {
        say!(out, "      to accept the policy, add to `accepted_policies` in the baseline:");
        // One line for each key, since the digest alone is 71 characters long.
        say!(out, "        {{\"service\": \"{}\",", required.service);
        say!(out, "        \"digest\":");
        say!(out, "        \"{digest}\"}}");
    }
}

fn note(
    all: &mut Vec<Unserved>,
    required: &RequiredService<'_>,
    proof: &Proof,
    at: &SubnetUse<'_>,
) {
    for obstacle in &proof.obstacles {
        Unserved::note(all, &required.name, obstacle, at.subnet);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixture::Fixture;

    /// A name, tags and a target as somebody may write them who wants to be read otherwise.
    #[test]
    fn what_a_tag_says_makes_no_line_and_no_colour() {
        let lines = |edit: fn(&mut Fixture) -> &mut Fixture| {
            let mut fixture = Fixture::compliant();
            edit(&mut fixture);
            fixture.view(|view, _| explain(view, Day::of(jiff::Timestamp::UNIX_EPOCH)))
        };
        let plain = lines(|w| w);
        let bent = lines(|w| {
            w.set(
                "vpc-1",
                "Tags",
                json!([{"Key": "Name", "Value": "\u{1b}[32mshop\u{202e}\n  route tables\u{2028}"},
                    {"Key": "vpc-guardrail", "Value": "managed"}]),
            )
        });
        assert_eq!(bent.lines().count(), plain.lines().count());
        assert_eq!(
            bent.lines().next(),
            Some(
                "111122223333/eu-central-1/vpc-1: managed; its name is \" [32mshop    route tables \""
            )
        );
        let hidden = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2028}".contains(c));
        assert!(!bent.contains(hidden), "{bent:?}");
    }
}
