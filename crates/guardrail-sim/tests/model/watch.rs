//! The onlooker at every step: it knows what each process has read, what stands in the table and what
//! the world is, and judges every call that changes something.

use std::collections::BTreeMap;
use std::rc::Rc;

use guardrail::ec2::change::{Call, NewEndpoint};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::World;
use guardrail::history::{Body, Item};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::look::{Look, alive, list, look, text, without};

/// Names need so long to act, less what clocks may be apart.
const NAMES_SETTLE: SignedDuration = SignedDuration::from_secs(300 - 60);

/// The world from one change to the next.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) at: Timestamp,
    pub(crate) world: Rc<World>,
    pub(crate) json: Value,
    pub(crate) look: Look,
}

/// The last read of a section by a run.
#[derive(Debug, Clone, Copy)]
struct Read {
    /// Which version of the world it saw.
    version: usize,
    complete: bool,
    /// When among all that happens.
    order: u64,
    /// How often the run has read it.
    times: u32,
}

/// What one run over a VPC has read and done.
#[derive(Debug, Default)]
struct Reader {
    reads: BTreeMap<Section, Read>,
    /// When its last call was made.
    called: u64,
    has_begun: bool,
}

/// A change by the guardrail's hand.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) run_id: String,
    pub(crate) step: u64,
    pub(crate) call: String,
    /// The version of the world that it made.
    version: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) versions: Vec<Version>,
    readers: BTreeMap<(usize, String), Reader>,
    order: u64,
    pub(crate) changes: Vec<Change>,
    /// The versions of the world that somebody else made.
    others: Vec<usize>,
    /// When the guardrail moved a name, by VPC.
    moved: BTreeMap<String, Timestamp>,
    /// The tokens of calls that made endpoints, by VPC and service, with the endpoint's id.
    tokens: BTreeMap<(String, String), (String, String)>,
    pub(crate) violations: Vec<String>,
    /// The steps of runs whose calls EC2 took.
    pub(crate) taken: std::collections::BTreeSet<(String, u64)>,
    /// The VPCs of which a process has noted what it saw, or that they are due.
    noted: std::collections::BTreeSet<(usize, String)>,
}

/// A call that is about to be made.
pub(crate) struct About<'a> {
    pub(crate) process: usize,
    pub(crate) run_id: &'a str,
    pub(crate) vpc: &'a str,
    pub(crate) call: &'a Call,
    /// The items of runs and the state, as they stand.
    pub(crate) items: &'a [Item],
    pub(crate) state: Option<&'a Item>,
    pub(crate) now: Timestamp,
}

impl Watch {
    pub(crate) fn wrong(&mut self, promise: u32, what: impl Into<String>) {
        self.violations.push(format!("promise {promise}: {}", what.into()));
    }

    pub(crate) fn now(&self) -> &Version {
        self.versions.last().unwrap()
    }

    /// The version of the world that a read may still see: so many changes ago, as far as these were
    /// made within seconds.
    pub(crate) fn version_before(&self, back: usize, now: Timestamp) -> usize {
        const SEEN_LATE: SignedDuration = SignedDuration::from_secs(8);
        let newest = self.versions.len() - 1;
        let is_recent =
            |version: &usize| now.duration_since(self.versions[*version].at) < SEEN_LATE;
        let unseen = (1..=newest).rev().take(back).take_while(is_recent).count();
        newest - unseen
    }

    /// Takes note of the world, if it is another.
    pub(crate) fn note(&mut self, at: Timestamp, world: World) -> bool {
        if self.versions.last().is_some_and(|last| *last.world == world) {
            return false;
        }
        let json = serde_json::to_value(&world).unwrap();
        let look = look(&json);
        self.versions.push(Version { at, world: Rc::new(world), json, look });
        true
    }

    pub(crate) fn has_read(
        &mut self,
        process: usize,
        vpc: &str,
        section: Section,
        (version, complete): (usize, bool),
    ) {
        self.order += 1;
        let order = self.order;
        let reader = self.readers.entry((process, vpc.to_owned())).or_default();
        let times = reader.reads.get(&section).map_or(1, |read| read.times + 1);
        reader.reads.insert(section, Read { version, complete, order, times });
    }

    pub(crate) fn begins(&mut self, process: usize, vpc: &str) {
        self.readers.entry((process, vpc.to_owned())).or_default().has_begun = true;
    }

    pub(crate) fn finishes(&mut self, process: usize, vpc: &str) {
        self.readers.entry((process, vpc.to_owned())).or_default().has_begun = false;
    }

    /// Somebody else has changed the world.
    pub(crate) fn somebody_changed(&mut self) {
        self.others.push(self.versions.len() - 1);
    }

    /// Whether somebody else may have taken a change back.
    pub(crate) fn may_be_taken_back(&self, change: &Change) -> bool {
        self.others.iter().any(|version| *version > change.version)
    }

    /// A process has noted what it saw of VPCs, or that they are due.
    pub(crate) fn noted(&mut self, process: usize, vpcs: impl Iterator<Item = String>) {
        self.noted.extend(vpcs.map(|vpc| (process, vpc)));
    }

    pub(crate) fn has_noted(&self, process: usize, vpc: &str) -> bool {
        self.noted.contains(&(process, vpc.to_owned()))
    }

    /// A process is no more.
    pub(crate) fn is_gone(&mut self, process: usize) {
        self.readers.retain(|(of, _), _| *of != process);
    }

    /// Right before the effect of a call. The step of the record that names it.
    pub(crate) fn is_about_to(&mut self, about: &About<'_>) -> Option<u64> {
        let call = about.call.to_string();
        let (vpc, run) = (about.vpc, about.run_id);
        self.judge_reads(about, &call);
        let others = self.readers.iter().filter(|((process, of), reader)| {
            *process != about.process && of == vpc && reader.has_begun
        });
        if let Some(((other, _), _)) = others.clone().next() {
            let what = format!("`{call}` by process {} while {other} may write", about.process);
            self.wrong(5, what);
        }
        if !about.state.is_some_and(|state| holds_lease(state, run, about.now)) {
            self.wrong(5, format!("`{call}` without a live lease of {run}"));
        }
        let step = recorded(about);
        if step.is_none() {
            self.wrong(6, format!("`{call}` of {run} stands in no open record as started"));
        }
        if let Some(other) = other_seed(about) {
            self.wrong(5, format!("{run} goes on from {other} with other tokens"));
        }
        if let Call::CreateEndpoint { service, token, .. } = about.call {
            let key = (vpc.to_owned(), service.to_string());
            if let Some((before, id)) = self.tokens.get(&key)
                && before != token
                && list(&self.now().json, "VpcEndpoints")
                    .any(|it| text(it, "VpcEndpointId") == id && is_alive(it))
            {
                let id = id.clone();
                self.wrong(5, format!("`{call}` again with another token: {id} is there"));
            }
        }
        self.order += 1;
        let order = self.order;
        self.readers.entry((about.process, vpc.to_owned())).or_default().called = order;
        step
    }

    /// Whether the call rests on what was read, completely and afresh, and whether anything was wrong.
    fn judge_reads(&mut self, about: &About<'_>, call: &str) {
        let key = (about.process, about.vpc.to_owned());
        let Some(reader) = self.readers.get(&key) else {
            return self.wrong(4, format!("`{call}` by a process that read nothing"));
        };
        let mut stale = Vec::new();
        for section in rests_on(about.call) {
            match reader.reads.get(&section) {
                Some(read) if !read.complete => stale.push(format!("{section} not read")),
                Some(read) if read.order < reader.called || read.times < 2 => {
                    stale.push(format!("{section} not read afresh"));
                }
                Some(_) => {}
                None => stale.push(format!("{section} never read")),
            }
        }
        let oldest = reader.reads.values().map(|read| read.version).min().unwrap_or_default();
        let was_wrong = self.versions[oldest..].iter().any(|version| {
            version.look.wrong.get(about.vpc).is_some_and(|wrong| !wrong.is_empty())
        });
        let is_managed = self.now().look.wrong.contains_key(about.vpc);
        if !stale.is_empty() {
            self.wrong(4, format!("`{call}`: {}", stale.join(", ")));
        }
        if !is_managed {
            self.wrong(2, format!("`{call}` in {}, which is not managed", about.vpc));
        } else if !was_wrong {
            self.wrong(1, format!("`{call}` in {}, which is on its baseline", about.vpc));
        }
    }

    /// Right after the effect of a call; whether it had one.
    pub(crate) fn has_called(
        &mut self,
        about: &About<'_>,
        step: Option<u64>,
        after: World,
    ) -> bool {
        let before = self.versions.len() - 1;
        if !self.note(about.now, after) {
            return false;
        }
        let call = about.call.to_string();
        let (old, new) = (&self.versions[before].json, &self.now().json);
        let is_elsewhere = without(old, about.vpc) != without(new, about.vpc);
        let twice = twice(new, about);
        if is_elsewhere {
            self.wrong(2, format!("`{call}` changed something outside {}", about.vpc));
        }
        if let Some(twice) = twice {
            self.wrong(5, format!("`{call}`: {twice}"));
        }
        self.judge_routes(about, &call);
        self.keep(about, step, call);
        true
    }

    /// A subnet never loses its last way to a service.
    fn judge_routes(&mut self, about: &About<'_>, call: &str) {
        let Call::DeleteRoute { table, .. } = about.call else { return };
        let reader = self.readers.get(&(about.process, about.vpc.to_owned()));
        let sections = [Section::RouteTables, Section::VpcEndpoints, Section::SecurityGroups];
        let seen = sections.iter().filter_map(|section| Some(reader?.reads.get(section)?.version));
        let oldest = seen.min().unwrap_or_default();
        let users = self.now().look.users.get(table.as_str()).cloned().unwrap_or_default();
        let lost = users.iter().flat_map(|subnet| ["s3", "ssm"].map(|short| (subnet, short)));
        let lost: Vec<String> = lost
            .filter(|(subnet, short)| {
                let key = ((*subnet).clone(), *short);
                self.versions[oldest..].iter().all(|it| it.look.unserved.contains(&key))
            })
            .map(|(subnet, short)| format!("{subnet} loses {short}"))
            .collect();
        if !lost.is_empty() {
            self.wrong(3, format!("`{call}`: {}", lost.join(", ")));
        }
        let moved = self.moved.get(about.vpc);
        if moved.is_some_and(|at| about.now.duration_since(*at) < NAMES_SETTLE) {
            self.wrong(3, format!("`{call}`: a name was moved shortly before"));
        }
    }

    fn keep(&mut self, about: &About<'_>, step: Option<u64>, call: String) {
        let moves_name = match about.call {
            Call::CreateEndpoint { kind: NewEndpoint::Interface { .. }, .. } => true,
            Call::ModifyEndpoint { private_dns, .. } => private_dns.is_on(),
            _ => false,
        };
        if moves_name {
            self.moved.insert(about.vpc.to_owned(), about.now);
        }
        if let Call::CreateEndpoint { service, token, .. } = about.call {
            let short = service.as_str().rsplit('.').next().unwrap_or_default();
            let made = alive(&self.now().json, about.vpc, short);
            let id = made.last().map(|it| text(it, "VpcEndpointId").to_owned()).unwrap_or_default();
            let key = (about.vpc.to_owned(), service.to_string());
            self.tokens.insert(key, (token.clone(), id));
        }
        let run_id = about.run_id.to_owned();
        let (step, version) = (step.unwrap_or_default(), self.versions.len() - 1);
        self.changes.push(Change { run_id, step, call, version });
    }
}

fn is_alive(endpoint: &Value) -> bool {
    ["pending", "available"].contains(&text(endpoint, "State"))
}

/// What must have been read before such a call, by what it changes and whom it can cut off.
fn rests_on(call: &Call) -> Vec<Section> {
    use Section::{
        NatGateways, RouteTables, SecurityGroups, Subnets, VpcAttributes, VpcEndpoints, Vpcs,
    };
    match call {
        Call::EnableVpcDns { .. } => vec![Vpcs, VpcAttributes],
        Call::CreateSecurityGroup { .. }
        | Call::AuthorizeHttps { .. }
        | Call::RevokeIngress { .. } => {
            vec![Vpcs, SecurityGroups]
        }
        Call::CreateEndpoint { .. }
        | Call::ModifyEndpoint { .. }
        | Call::SetEndpointPolicy { .. } => {
            vec![Vpcs, Subnets, VpcEndpoints, RouteTables]
        }
        Call::DeleteRoute { .. } => vec![
            Vpcs,
            Subnets,
            RouteTables,
            VpcEndpoints,
            SecurityGroups,
            VpcAttributes,
            NatGateways,
        ],
        Call::DisablePublicIpOnLaunch { .. } => vec![Vpcs, Subnets],
        Call::StopAutomaticAddress { .. } | Call::DisassociateAddress { .. } => {
            vec![Vpcs, Subnets, RouteTables, Section::NetworkInterfaces]
        }
    }
}

/// A second endpoint of the guardrail's for one service.
fn twice(world: &Value, about: &About<'_>) -> Option<String> {
    let Call::CreateEndpoint { service, .. } = about.call else { return None };
    let short = service.as_str().rsplit('.').next().unwrap_or_default();
    let ours = |it: &&&Value| list(it, "Tags").any(|tag| text(tag, "Value") == "created");
    let all = alive(world, about.vpc, short);
    let count = all.iter().filter(ours).count();
    (count > 1).then(|| format!("{count} endpoints of the guardrail's for {service}"))
}

fn body(item: &Item) -> Value {
    match &item.body {
        Body::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        Body::Packed(_) => Value::Null,
    }
}

fn holds_lease(state: &Item, run: &str, now: Timestamp) -> bool {
    let state = body(state);
    let lease = state.get("lease").cloned().unwrap_or_default();
    let until: Option<Timestamp> = text(&lease, "until").parse().ok();
    let clocks_apart = SignedDuration::from_secs(30);
    text(&lease, "run_id") == run && until.is_some_and(|until| until > now - clocks_apart)
}

/// An action without what is known only when it is made.
fn comparable(action: &Value) -> Value {
    let mut action = action.clone();
    for key in [
        "/create-endpoint",
        "/authorize-https",
        "/modify-endpoint",
        "/create-endpoint/kind/interface",
    ] {
        if let Some(Value::Object(fields)) = action.pointer_mut(key) {
            fields.retain(|field, _| {
                !["token", "group", "groups", "add_groups"].contains(&field.as_str())
            });
        }
    }
    action
}

/// The killed run that this one has closed, where its tokens are made from something else.
fn other_seed(about: &About<'_>) -> Option<String> {
    let own = format!("{}#{}", about.vpc, about.run_id);
    let own = body(about.items.iter().find(|item| item.key.name == own)?);
    let records = about.items.iter().filter(|item| !item.key.name.contains("#step#")).map(body);
    let mut closed = records.filter(|record| {
        text(record, "run_id") != about.run_id && text(&record["closed"], "by") == about.run_id
    });
    let other = closed.find(|record| text(record, "seed") != text(&own, "seed"))?;
    Some(text(&other, "run_id").to_owned())
}

/// The step of an open record of the run that names the call and is marked as started.
fn recorded(about: &About<'_>) -> Option<u64> {
    let wanted = comparable(&json!(about.call));
    let name = format!("{}#{}", about.vpc, about.run_id);
    let record = body(about.items.iter().find(|item| item.key.name == name)?);
    if record.get("closed").is_some_and(|closed| !closed.is_null()) {
        return None;
    }
    let of_call = list(&record, "steps").filter(|step| comparable(&step["action"]) == wanted);
    let mut ids = of_call
        .filter(|step| !text(step, "inverse").is_empty())
        .filter_map(|step| step["id"].as_u64());
    ids.find(|id| {
        let mark = format!("{name}#step#{id:05}");
        about.items.iter().any(|item| item.key.name == mark && body(item).get("started").is_some())
    })
}
