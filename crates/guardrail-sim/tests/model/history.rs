//! A history under way: who is at work, what comes when, and the turns in which it all happens.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use guardrail::cloud::{Envelope, Table as _};
use guardrail::ec2::id::VpcId;
use guardrail::history::detected::transactions;
use guardrail::inbox::batch::{Received, runs};
use guardrail::inbox::detect::{Detected, Detecting, Managed, accept, decide};
use guardrail::inbox::resolve::resolve;
use guardrail::inbox::round::{Round, SweepHands, round};
use guardrail::inbox::work::{Event, Hands, Invocation, work};
use guardrail_sim::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::actions::{Deed, REPAIR_ROLE, event};
use crate::clock;
use crate::fifo::Queued;
use crate::flow::{Fate, Point, Side};
use crate::hands::Hand;
use crate::stage::Stage;

/// How long an invocation of `repair` may take.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A killed run holds up its VPC for no longer.
const HELD_UP: Duration = Duration::from_secs(360);

/// How long a call takes when nothing is the matter.
const STEP: Duration = Duration::from_millis(25);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Repair,
    SecondCopy,
    Clock,
    Sweep,
}

pub(crate) struct Process {
    pub(crate) number: usize,
    pub(crate) kind: Kind,
    future: Pin<Box<dyn Future<Output = Vec<String>>>>,
    messages: Vec<Queued>,
    /// It is killed then, as Lambda does.
    ends: Timestamp,
}

/// What is to come from outside.
#[derive(Debug, Clone)]
pub(crate) enum Coming {
    /// CloudTrail's record of a call.
    Record(Value),
    /// What somebody does next, in a VPC.
    Deed(&'static str, Deed),
}

pub(crate) struct History {
    pub(crate) stage: Rc<Stage>,
    pub(crate) processes: Vec<Process>,
    pub(crate) coming: Vec<(Timestamp, Coming)>,
    pub(crate) next_tick: Timestamp,
    numbers: usize,
    events: usize,
    pub(crate) turns: usize,
    /// How records come: how much later each copy; none where one is lost.
    pub(crate) records: fn(&mut crate::dice::Dice) -> Vec<Duration>,
    pub(crate) dice: crate::dice::Dice,
    /// Which way the clocks of processes differ from the cloud's (seconds, at most).
    pub(crate) ahead: i64,
    own_calls_seen: usize,
    /// Whether what stands first goes on first, and nothing is left to chance.
    pub(crate) is_in_order: bool,
}

impl History {
    pub(crate) fn new(stage: Stage, dice: crate::dice::Dice, ahead: i64) -> Self {
        let next_tick = stage.now();
        Self {
            stage: Rc::new(stage),
            processes: Vec::new(),
            coming: Vec::new(),
            next_tick,
            numbers: 0,
            events: 0,
            turns: 0,
            records: |_| vec![Duration::from_secs(2)],
            dice,
            ahead,
            own_calls_seen: 0,
            is_in_order: false,
        }
    }

    fn hand(&mut self) -> Hand {
        self.numbers += 1;
        let seconds = i64::try_from(self.dice.below(31)).unwrap() * self.ahead.signum();
        let ahead = if self.ahead == 0 { 0 } else { seconds };
        Hand {
            stage: Rc::clone(&self.stage),
            process: self.numbers,
            request_id: format!("inv-{}", self.numbers),
            ahead: SignedDuration::from_secs(ahead),
            booted: self.stage.now(),
        }
    }

    fn start(
        &mut self,
        kind: Kind,
        number: usize,
        messages: Vec<Queued>,
        future: Pin<Box<dyn Future<Output = Vec<String>>>>,
    ) {
        self.stage.say(|| {
            let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
            format!("process {number} ({kind:?}) starts with {ids:?}")
        });
        let ends = self.stage.now().checked_add(TIMEOUT).unwrap();
        self.processes.push(Process { number, kind, future, messages, ends });
        self.poll(number);
    }

    /// `repair` starts with these messages.
    pub(crate) fn start_repair(&mut self, kind: Kind, messages: Vec<Queued>) {
        let hand = self.hand();
        let number = hand.process;
        let received = messages.iter().map(|message| Received {
            id: message.id.clone(),
            handle: message.handle.clone(),
            sender: Some("detect".to_owned()),
            group: Some(message.group.clone()),
            body: message.body.clone(),
        });
        let received: Vec<Received> = received.collect();
        let future = Box::pin(async move {
            let stage = Rc::clone(&hand.stage);
            let batch = runs(&received, |sender| sender == "detect");
            let hands = Hands {
                cloud: &hand,
                table: &hand,
                telling: &hand,
                queue: &hand,
                alerts_per_hour: clock::ALERTS_PER_HOUR,
                stack: "vpc-guardrail",
            };
            let ends = guardrail::cloud::Cloud::now(&hand).checked_add(TIMEOUT).unwrap();
            let invocation = Invocation {
                baseline: Ok(&stage.baseline),
                place: &stage.place,
                request_id: &hand.request_id,
                ends: u64::try_from(ends.as_millisecond()).unwrap(),
            };
            work(&hands, &batch, &invocation, &|event| said(&stage, event)).await
        });
        self.start(kind, number, messages, future);
    }

    /// The clock ticks, if something waits.
    fn tick(&mut self) {
        if !clock::has_something(&self.stage) || self.is_at_work(Kind::Clock) {
            return;
        }
        let hand = self.hand();
        let number = hand.process;
        let future = Box::pin(async move { clock::tick(&hand).await });
        self.start(Kind::Clock, number, Vec::new(), future);
    }

    pub(crate) fn start_sweep(&mut self) {
        let hand = self.hand();
        let number = hand.process;
        let future = Box::pin(async move {
            let stage = Rc::clone(&hand.stage);
            let hands = SweepHands { region: &hand, table: &hand, queue: &hand };
            let begins = Round::Begins(format!("sweep-{number}"));
            let until = guardrail::cloud::Survey::time(&hand).checked_add(TIMEOUT).unwrap();
            let end = round(&hands, &stage.baseline, &stage.place, &begins, until).await;
            stage.say(|| format!("  the sweep ends: {:?}", end.map(|end| end.queued)));
            Vec::new()
        });
        self.start(Kind::Sweep, number, Vec::new(), future);
    }

    pub(crate) fn is_at_work(&self, kind: Kind) -> bool {
        self.processes.iter().any(|process| process.kind == kind)
    }

    /// Lets a process go on as far as it can.
    fn poll(&mut self, number: usize) {
        let found = self.processes.iter().position(|process| process.number == number);
        let Some(at) = found else { return };
        let polled =
            self.processes[at].future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(back) = polled {
            let process = self.processes.remove(at);
            self.ends(&process, &back);
        }
    }

    /// A process has come to its end: what does not go back is deleted.
    fn ends(&self, process: &Process, back: &[String]) {
        let stage = &self.stage;
        stage.say(|| format!("process {} ends; back go {back:?}", process.number));
        let all_go = stage.is_planted("messages that should go back are deleted");
        for message in &process.messages {
            if back.contains(&message.id) && !all_go {
                continue;
            }
            stage.judge_deletion(process.number, message);
            stage.queue.borrow_mut().delete(&message.handle);
        }
        self.gone(process.number);
    }

    fn gone(&self, number: usize) {
        self.stage.flow.borrow_mut().forget(number);
        self.stage.watch.borrow_mut().is_gone(number);
    }

    /// A process is killed where it stands.
    pub(crate) fn kill(&mut self, number: usize) {
        let found = self.processes.iter().position(|process| process.number == number);
        let Some(at) = found else { return };
        let process = self.processes.remove(at);
        self.stage.say(|| format!("process {number} is killed"));
        self.gone(number);
        self.stage.judge_hold(&process.messages, HELD_UP);
    }

    /// Lets a point go on, with this fate.
    pub(crate) fn grant(&mut self, point: &Point, fate: Fate) {
        self.stage.say(|| {
            let side = match point.side {
                Side::Before => "before",
                Side::After => "after",
            };
            let about = point.vpc.as_deref().unwrap_or_default();
            let trouble = if fate == Fate::Goes { String::new() } else { format!(" {fate:?}") };
            format!("{} {side} {} {about}{trouble}", point.process, point.call)
        });
        if point.latest.is_some() {
            let to = self.stage.now().checked_add(STEP).unwrap();
            self.stage.pass_until(to);
        }
        self.stage.flow.borrow_mut().grant(point.id, fate);
        self.poll(point.process);
    }

    /// Those that may go on now. One whose call has taken as long as any may goes first.
    pub(crate) fn eligible(&self) -> Vec<Point> {
        let now = self.stage.now();
        let soon = now.checked_add(Duration::from_millis(500)).unwrap();
        let flow = self.stage.flow.borrow();
        let late = flow.points.iter().find(|point| point.latest.is_some_and(|at| at < soon));
        match late {
            Some(late) => vec![late.clone()],
            None => flow.points.iter().filter(|point| point.from <= now).cloned().collect(),
        }
    }

    /// Lets time pass, no further than calls under way may take.
    pub(crate) fn pass(&self, time: Duration) {
        let to = self.stage.now().checked_add(time).unwrap();
        let latest = self.stage.flow.borrow().points.iter().filter_map(|it| it.latest).min();
        let to = latest.map_or(to, |latest| latest.min(to));
        if to > self.stage.now() {
            self.stage.pass_until(to);
        }
    }

    /// Somebody does something.
    pub(crate) fn deed(&mut self, mark: &'static str, deed: Deed) -> bool {
        let world = self.stage.cloud.sim().world();
        let Some(request) = deed.request(&world, mark) else { return false };
        let made = self.stage.somebody_calls(&request);
        self.stage.say(|| format!("somebody: {deed:?} in {mark}; EC2 took it: {made}"));
        if made {
            self.will_hear(&request, self.stage.now(), None);
        }
        made
    }

    /// CloudTrail's record of a call comes: of somebody's, or of the guardrail's own by its request's id.
    /// It says when the call was made, which may be a while ago where its process was killed right
    /// after it.
    fn will_hear(&mut self, request: &Request, made: Timestamp, own: Option<&str>) {
        self.events += 1;
        let now = self.stage.now();
        let record = event(request, self.events, made, own);
        let mut copies = (self.records)(&mut self.dice);
        if copies.is_empty() && matches!(request, Request::ModifyVpcAttribute { .. }) {
            // A sweep goes by DNS attributes that are up to a day old: it finds no such call that
            // nobody told of.
            copies.push(Duration::from_secs(2));
        }
        for late in copies {
            let at = now.checked_add(late).unwrap();
            self.coming.push((at, Coming::Record(record.clone())));
        }
    }

    /// `detect` gets a record, sends messages and notes what else it asks for; whether it could.
    fn hear(&self, record: &Value) -> bool {
        let stage = &self.stage;
        let now = stage.now();
        let Ok(trigger) = accept(record, &stage.place) else { return true };
        if now < stage.table_out.get() {
            return false;
        }
        let world = stage.cloud.sim().world();
        let resolved = resolve(&world, trigger.reach.ids_to_resolve());
        let managed = world.vpcs.iter().flatten();
        let managed: Vec<VpcId> = managed
            .filter(|vpc| stage.baseline.managed_vpcs.matches(&vpc.tags))
            .map(|vpc| vpc.vpc_id.clone())
            .collect();
        let managed = Managed::Known(&stage.baseline, managed);
        let detecting = Detecting { place: &stage.place, repair_role: Some(REPAIR_ROLE), now };
        let Detected { messages, notes } = decide(&trigger, detecting, &resolved, &managed);
        let event = &trigger.evidence.record.event;
        stage.say(|| format!("record of {event} comes: {} messages", messages.len()));
        for message in messages {
            let envelope = message.envelope();
            stage.queue.borrow_mut().send(&envelope, now);
        }
        for transaction in transactions(&stage.place, &notes, now) {
            let _ = pollster::block_on(stage.table.commit(&transaction)).unwrap();
        }
        true
    }

    pub(crate) fn send_nonsense(&mut self) {
        self.events += 1;
        let nonsense = Envelope {
            group: format!("nonsense-{}", self.events % 2),
            deduplication_id: format!("nonsense-{}", self.events),
            body: "{\"scope\": 5}".to_owned(),
        };
        self.stage.queue.borrow_mut().send(&nonsense, self.stage.now());
    }

    /// All that has come by now happens.
    fn come(&mut self) {
        let now = self.stage.now();
        self.coming.sort_by_key(|(at, _)| *at);
        while self.coming.first().is_some_and(|(at, _)| *at <= now) {
            match self.coming.remove(0).1 {
                Coming::Record(record) => {
                    if !self.processes.is_empty() {
                        self.stage.count("meeting: a record comes while a process is at work");
                    }
                    if !self.hear(&record) {
                        // Lambda invokes it again.
                        let later = now.checked_add(Duration::from_secs(60)).unwrap();
                        self.coming.push((later, Coming::Record(record)));
                    }
                }
                Coming::Deed(mark, deed) => {
                    self.deed(mark, deed);
                }
            }
        }
        let calls = self.stage.own_calls.borrow()[self.own_calls_seen..].to_vec();
        self.own_calls_seen += calls.len();
        calls.iter().for_each(|(id, request, at)| self.will_hear(request, *at, Some(id)));
        if self.next_tick <= now {
            self.next_tick = now.checked_add(Duration::from_secs(60)).unwrap();
            self.tick();
        }
        let late = self.processes.iter().filter(|process| process.ends <= now);
        let late: BTreeSet<usize> = late.map(|process| process.number).collect();
        late.into_iter().for_each(|number| self.kill(number));
    }

    /// One turn in which nothing goes wrong. Whether anything is left to come.
    pub(crate) fn turn(&mut self) -> bool {
        self.turns += 1;
        self.come();
        let eligible = self.eligible();
        let repairs = self.processes.iter().filter(|it| it.kind == Kind::Repair).count();
        let now = self.stage.now();
        let is_ready = repairs < 2 && self.stage.queue.borrow().next().is_some_and(|at| at <= now);
        let is_early = !self.is_in_order && self.dice.chance(100);
        if is_ready && (eligible.is_empty() || is_early) {
            let most = if self.is_in_order { 10 } else { self.dice.one(&[1, 10]) };
            let messages = self.stage.queue.borrow_mut().receive(now, most);
            if !messages.is_empty() {
                self.start_repair(Kind::Repair, messages);
                return true;
            }
        }
        if !eligible.is_empty() {
            let at = if self.is_in_order { 0 } else { self.dice.below(eligible.len()) };
            self.grant(&eligible[at], Fate::Goes);
            return true;
        }
        match self.next() {
            Some(at) => {
                let after = now.checked_add(Duration::from_millis(1)).unwrap();
                self.stage.pass_until(at.max(after));
                true
            }
            None => false,
        }
    }

    /// When something comes next.
    fn next(&self) -> Option<Timestamp> {
        let points = self.stage.flow.borrow().points.iter().map(|point| point.from).min();
        let coming = self.coming.iter().map(|(at, _)| *at).min();
        let tick = clock::has_something(&self.stage).then_some(self.next_tick);
        let queue = self.stage.queue.borrow().next();
        points.into_iter().chain(coming).chain(tick).chain(queue).min()
    }
}

fn said(stage: &Stage, event: Event<'_>) {
    match event {
        Event::Ran(run, lived) => {
            stage.say(|| match lived.report() {
                Some(report) => format!("  run over {}: {}", run.scope.vpc, report.verdict),
                None => format!("  run over {}: another is under way", run.scope.vpc),
            });
            if let Some(report) = lived.report() {
                stage.reports.borrow_mut().push(Rc::new(report.clone()));
            }
        }
        Event::Panicked(run, why) => {
            stage.watch.borrow_mut().wrong(0, format!("{} panicked: {why}", run.scope.vpc));
        }
        other => stage.say(|| format!("  {other:?}").chars().take(200).collect()),
    }
}
