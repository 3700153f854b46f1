//! The real code's hands in a history: every call stands still before and after its effect.

use std::rc::Rc;
use std::time::Duration;

use guardrail::baseline::ManagedVpcs;
use guardrail::cloud::{
    Answer, CallError, Cloud, Commit, Envelope, ErrorClass, Observation, Queue, Send, SetAside,
    Survey, Table, Telling, Unread,
};
use guardrail::ec2::change::Call;
use guardrail::ec2::id::{Scope, VpcId};
use guardrail::ec2::snapshot::Section;
use guardrail::ec2::world::World;
use guardrail::history::{
    Alert, Body, Destination, Item, Key, Kind, Partition, Transaction, Write,
};
use guardrail_sim::{Sim, SimCloud, SimOptions};
use jiff::{SignedDuration, Timestamp};

use crate::flow::{Fate, Point, Refusal, Side, stand};
use crate::stage::{Stage, TOPICS, Told};
use crate::watch::About;

/// No call takes longer than 20 seconds; a little is for what is between two looks at the time.
const LONGEST: Duration = Duration::from_secs(19);

/// The hands of one process.
pub(crate) struct Hand {
    pub(crate) stage: Rc<Stage>,
    pub(crate) process: usize,
    /// Names the invocation.
    pub(crate) request_id: String,
    /// How far the process's clock is ahead of the cloud's.
    pub(crate) ahead: SignedDuration,
    /// When the process began, by the cloud's clock.
    pub(crate) booted: Timestamp,
}

/// A call under way.
struct UnderWay {
    call: String,
    vpc: Option<String>,
    latest: Timestamp,
    fate: Fate,
}

impl Hand {
    async fn begin(&self, call: impl Into<String>, vpc: Option<&VpcId>) -> UnderWay {
        let latest = self.stage.now().checked_add(LONGEST).unwrap();
        let (call, vpc) = (call.into(), vpc.map(ToString::to_string));
        let mut way = UnderWay { call, vpc, latest, fate: Fate::Goes };
        way.fate = self.stand(&way, Side::Before).await;
        way
    }

    async fn stand(&self, way: &UnderWay, side: Side) -> Fate {
        let point = Point {
            id: 0,
            process: self.process,
            call: way.call.clone(),
            vpc: way.vpc.clone(),
            side,
            from: Timestamp::MIN,
            latest: Some(way.latest),
        };
        stand(&self.stage.flow, point).await
    }

    /// Makes a call that may be refused, and whose answer may be lost.
    async fn call<T>(
        &self,
        call: impl Into<String>,
        vpc: Option<&VpcId>,
        effect: impl FnOnce() -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let way = self.begin(call, vpc).await;
        let answer = match way.fate {
            Fate::Refused(refusal) => Err(refused(&way.call, refusal)),
            Fate::Goes | Fate::AnswerLost | Fate::Stale(_) => effect(),
        };
        self.stand(&way, Side::After).await;
        match way.fate {
            Fate::AnswerLost => Err(lost(&way.call)),
            Fate::Goes | Fate::Refused(_) | Fate::Stale(_) => answer,
        }
    }

    fn table_refuses(&self) -> bool {
        let is_out = self.stage.now() < self.stage.table_out.get();
        if is_out {
            self.stage.count("table refuses for a while");
        }
        is_out
    }

    pub(crate) fn raw(&self, key: &Key) -> Option<Item> {
        pollster::block_on(self.stage.table.get(key)).unwrap()
    }
}

pub(crate) fn refused(call: &str, refusal: Refusal) -> CallError {
    let (class, code) = match refusal {
        Refusal::Throttled => (ErrorClass::Throttled, "RequestLimitExceeded"),
        Refusal::Failing => (ErrorClass::Transient, "InternalError"),
    };
    CallError {
        operation: call.to_owned(),
        class,
        code: Some(code.to_owned()),
        message: "made to fail".to_owned(),
    }
}

fn lost(call: &str) -> CallError {
    CallError {
        operation: call.to_owned(),
        class: ErrorClass::Transient,
        code: None,
        message: "the answer was lost".to_owned(),
    }
}

impl Cloud for Hand {
    fn now(&self) -> Timestamp {
        self.stage.now().checked_add(self.ahead).unwrap()
    }

    fn uptime(&self) -> Duration {
        self.stage.now().duration_since(self.booted).unsigned_abs()
    }

    async fn observe(&self, scope: &Scope, sections: &[Section]) -> Observation {
        let mut seen = Observation::default();
        seen.world.account_id = Some(scope.account.clone());
        seen.world.region = Some(scope.region.clone());
        for section in sections {
            if let Some(kept) = self.planted_kept(scope, *section) {
                seen.world.append(kept);
                continue;
            }
            let read = self.read(scope, *section).await;
            match self.planted_read(scope, *section, read) {
                Ok(world) => seen.world.append(world),
                Err(error) => seen.unread.push(Unread { section: *section, error }),
            }
        }
        seen
    }

    async fn apply(&self, scope: &Scope, call: &Call) -> Answer {
        let way = self.begin(format!("call {}", call.operation().name()), Some(&scope.vpc)).await;
        let answer = match way.fate {
            Fate::Refused(refusal) => {
                let request_id = Some(format!("refused-{}", self.stage.now()));
                Answer { outcome: Err(refused(call.operation().name(), refusal)), request_id }
            }
            Fate::Goes | Fate::AnswerLost | Fate::Stale(_) => self.effect(scope, call),
        };
        let answer = self.planted_answer(answer);
        self.stand(&way, Side::After).await;
        match way.fate {
            Fate::AnswerLost => Answer::without_id(Err(lost(call.operation().name()))),
            Fate::Goes | Fate::Refused(_) | Fate::Stale(_) => answer,
        }
    }

    async fn pause(&self, time: Duration) {
        let point = Point {
            id: 0,
            process: self.process,
            call: "pause".to_owned(),
            vpc: None,
            side: Side::After,
            from: self.stage.now().checked_add(time).unwrap(),
            latest: None,
        };
        stand(&self.stage.flow, point).await;
    }
}

impl Hand {
    /// One section of a VPC, with the onlooker's note of it.
    async fn read(&self, scope: &Scope, section: Section) -> Result<World, CallError> {
        let way = self.begin(format!("read {section}"), Some(&scope.vpc)).await;
        let newest = self.stage.watch.borrow().versions.len() - 1;
        let (version, read) = match way.fate {
            Fate::Refused(refusal) => (newest, Err(refused(&way.call, refusal))),
            Fate::AnswerLost => (newest, Err(lost(&way.call))),
            Fate::Goes => (newest, of_section(&self.stage.cloud, scope, section)),
            Fate::Stale(back) => {
                let version = self.stage.watch.borrow().version_before(back, self.stage.now());
                let world = World::clone(&self.stage.watch.borrow().versions[version].world);
                let old = Sim::new(world, self.stage.now(), SimOptions::default());
                (version, of_section(&SimCloud::new(old), scope, section))
            }
        };
        {
            let mut watch = self.stage.watch.borrow_mut();
            watch.has_read(self.process, scope.vpc.as_str(), section, (version, read.is_ok()));
        }
        self.stand(&way, Side::After).await;
        read
    }

    /// Makes the change, with the onlooker looking on.
    fn effect(&self, scope: &Scope, call: &Call) -> Answer {
        let stage = &self.stage;
        let vpc = scope.vpc.as_str();
        let run_id = format!("{}/{vpc}", self.request_id);
        let runs = Kind::Run.at(&stage.place);
        let items = pollster::block_on(stage.table.list(&runs, &format!("{vpc}#"))).unwrap();
        let state = self.raw(&Kind::State.at(&stage.place).key(vpc));
        let call = &self.planted_call(call);
        let about = About {
            process: self.process,
            run_id: &run_id,
            vpc,
            call,
            items: &items,
            state: state.as_ref(),
            now: stage.now(),
        };
        let step = stage.watch.borrow_mut().is_about_to(&about);
        let mut answer = pollster::block_on(stage.cloud.apply(scope, call));
        if let (Ok(_), Some(step)) = (&answer.outcome, step) {
            stage.watch.borrow_mut().taken.insert((run_id.clone(), step));
        }
        stage.will_change();
        let world = stage.cloud.sim().world();
        let is_effective = stage.watch.borrow_mut().has_called(&about, step, world);
        if is_effective {
            stage.count(format!("effect of {}", call.operation().name()));
            let request = stage.cloud.sim().calls().last().map(|it| it.request.clone());
            let id = stage.request_id();
            let at = stage.now();
            stage.own_calls.borrow_mut().extend(request.map(|request| (id, request, at)));
        }
        answer.request_id = Some(stage.request_id());
        stage.say(|| {
            format!("  effect of `{call}`: {:?}, effective: {is_effective}", answer.outcome)
        });
        answer
    }
}

fn of_section(cloud: &SimCloud, scope: &Scope, section: Section) -> Result<World, CallError> {
    let mut seen = pollster::block_on(cloud.observe(scope, &[section]));
    match seen.unread.pop() {
        Some(unread) => Err(unread.error),
        None => Ok(seen.world),
    }
}

impl Survey for Hand {
    fn time(&self) -> Timestamp {
        self.now()
    }

    async fn survey(&self, _: &ManagedVpcs) -> Observation {
        let mut seen = Observation::default();
        seen.world.account_id = Some(self.stage.place.account.clone());
        seen.world.region = Some(self.stage.place.region.clone());
        for section in Section::judged() {
            if section == Section::VpcAttributes {
                continue;
            }
            let read = self
                .call(format!("survey {section}"), None, || Ok(self.stage.cloud.sim().world()))
                .await;
            match read {
                Ok(world) => seen.world.refresh(world, &[section]),
                Err(error) => seen.unread.push(Unread { section, error }),
            }
        }
        seen
    }

    async fn dns_attributes(&self, vpcs: &[VpcId]) -> Observation {
        let mut seen = Observation::default();
        for vpc in vpcs {
            let scope = self.stage.place.scope(vpc);
            let section = Section::VpcAttributes;
            let read = self
                .call("survey DNS attributes", None, || {
                    of_section(&self.stage.cloud, &scope, section)
                })
                .await;
            match read {
                Ok(world) => seen.world.append(world),
                Err(error) => seen.unread.push(Unread { section, error }),
            }
        }
        seen
    }
}

impl Table for Hand {
    async fn get(&self, key: &Key) -> Result<Option<Item>, CallError> {
        let call = format!("get {}", key.partition.kind.as_str());
        let read = || match self.table_refuses() {
            true => Err(refused("GetItem", Refusal::Failing)),
            false => Ok(self.planted_item(self.raw(key))),
        };
        self.call(call, None, read).await
    }

    async fn list(&self, partition: &Partition, prefix: &str) -> Result<Vec<Item>, CallError> {
        let read = || match self.table_refuses() {
            true => Err(refused("Query", Refusal::Failing)),
            false => pollster::block_on(self.stage.table.list(partition, prefix)),
        };
        self.call(format!("list {}", partition.kind.as_str()), None, read).await
    }

    async fn commit(&self, transaction: &Transaction) -> Result<Commit, CallError> {
        let kind = kind_of(transaction);
        self.planted_before_commit(transaction);
        let effect = || {
            if self.table_refuses() {
                return Err(refused("TransactWriteItems", Refusal::Failing));
            }
            let planted = self.planted_transaction(transaction);
            let commit = pollster::block_on(self.stage.table.commit(&planted))?;
            self.stage.say(|| format!("  commit {kind}: {commit:?}"));
            if commit == Commit::Made {
                self.has_committed(transaction, kind);
            }
            Ok(self.planted_commit(commit))
        };
        self.call(format!("commit {kind}"), None, effect).await
    }
}

impl Hand {
    fn has_committed(&self, transaction: &Transaction, kind: &str) {
        let of_state = |write: &&Write| write.key().partition.kind == Kind::State;
        for write in transaction.writes.iter().filter(of_state) {
            let vpc = &write.key().name;
            match kind {
                "begin" => self.stage.watch.borrow_mut().begins(self.process, vpc),
                _ => {
                    let run_id = format!("{}/{vpc}", self.request_id);
                    self.stage.finished.borrow_mut().push(run_id);
                    self.stage.watch.borrow_mut().finishes(self.process, vpc);
                }
            }
        }
        let noted = transaction.writes.iter().filter_map(|write| {
            let key = write.key();
            match key.partition.kind {
                Kind::State => Some(key.name.clone()),
                Kind::Waiting => {
                    let waits = ["due#", "gave-way#"];
                    waits.iter().find_map(|of| key.name.strip_prefix(of)).map(str::to_owned)
                }
                _ => None,
            }
        });
        self.stage.watch.borrow_mut().noted(self.process, noted);
    }
}

/// What a transaction is for, by the items that it changes.
pub(crate) fn kind_of(transaction: &Transaction) -> &'static str {
    let is_start = |body: &Body| matches!(body, Body::Text(text) if text.contains("\"started\""));
    let mut kind = "other";
    for write in &transaction.writes {
        let key = write.key();
        let is_put = matches!(write, Write::Put { .. });
        let name = key.name.as_str();
        match (key.partition.kind, write) {
            (Kind::Run, Write::Put { body, .. }) if name.contains("#step#") => {
                return if is_start(body) { "mark started" } else { "mark ended" };
            }
            (Kind::Waiting, _) if name.starts_with("open#") && is_put => return "begin",
            (Kind::State, _) => kind = "finish",
            (Kind::Facts, _) if kind == "other" => kind = "facts",
            (Kind::Pace, _) => kind = "pace",
            (Kind::Sweep, _) => kind = "sweep progress",
            (Kind::Waiting, _) if name.starts_with("gave-way#") && kind == "other" => {
                kind = if is_put { "gives way" } else { "no longer gives way" };
            }
            (Kind::Waiting, _) if name.starts_with("unsent#") && kind == "other" => {
                kind = if is_put { "claim" } else { "clear" };
            }
            _ => {}
        }
    }
    kind
}

impl Telling for Hand {
    fn destinations(&self) -> Vec<Destination> {
        TOPICS.map(Destination::new).to_vec()
    }

    async fn tell(&self, destination: &Destination, alert: &Alert) -> Result<(), CallError> {
        let effect = || {
            if self.stage.now() < self.stage.topics_out.get() {
                self.stage.count("topic refuses for a while");
                return Err(refused("Publish", Refusal::Failing));
            }
            self.stage.say(|| format!("  told {destination}: {}", alert.subject));
            self.stage.tell(Told { topic: destination.to_string(), alert: alert.clone() });
            Ok(())
        };
        let answer = self.call("tell", None, effect).await;
        if self.stage.is_planted("a topic that refuses is taken for one that was told") {
            return Ok(());
        }
        answer
    }
}

impl Queue for Hand {
    async fn hold(&self, handles: &[&str], time: Duration) -> Result<(), CallError> {
        let effect = || {
            let until = self.stage.now().checked_add(time).unwrap();
            let mut queue = self.stage.queue.borrow_mut();
            let mut held = self.stage.held.borrow_mut();
            for handle in handles {
                // When the table is down, what goes back comes again in a quarter of an hour.
                match time > Duration::from_secs(420) {
                    true => held.remove(*handle),
                    false => held.insert((*handle).to_owned()),
                };
            }
            if !self.stage.is_planted("messages are not held") {
                handles.iter().for_each(|handle| queue.hold(handle, until));
            }
            Ok(())
        };
        self.call("hold", None, effect).await
    }

    async fn set_aside(&self, message: &SetAside<'_>) -> Result<(), CallError> {
        let effect = || {
            if !self.stage.is_planted("nothing is set aside") {
                self.stage.aside.borrow_mut().push(message.id.to_owned());
            }
            Ok(())
        };
        self.call("set aside", None, effect).await
    }
}

impl Send for Hand {
    async fn send(&self, messages: &[Envelope]) -> Result<(), CallError> {
        for message in messages {
            let effect = || {
                let now = self.stage.now();
                self.stage.queue.borrow_mut().send(message, now);
                Ok(())
            };
            self.call("send", None, effect).await?;
        }
        Ok(())
    }
}
