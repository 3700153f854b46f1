//! Where a process stands still: before and after the effect of every call, until it is let go on.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::Poll;

use jiff::Timestamp;

/// Before or after a call had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Before,
    After,
}

/// A place where a process stands still.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) id: u64,
    pub(crate) process: usize,
    /// The kind of the call: `read RouteTables`, `commit begin`.
    pub(crate) call: String,
    /// The VPC that the call is about, where it is about one.
    pub(crate) vpc: Option<String>,
    pub(crate) side: Side,
    /// It goes on no earlier: for one that lets time pass.
    pub(crate) from: Timestamp,
    /// It goes on no later, because no call takes longer: `None` for one that lets time pass.
    pub(crate) latest: Option<Timestamp>,
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Goes,
    /// It is refused before it has any effect.
    Refused(Refusal),
    /// It has its effect, and nobody is told.
    AnswerLost,
    /// It reads what was so this many changes ago.
    Stale(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Throttled,
    Failing,
}

/// All that stands still, and the one that is let go on.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    numbers: u64,
    pub(crate) points: Vec<Point>,
    granted: Option<(u64, Fate)>,
}

impl Flow {
    /// Lets one go on.
    pub(crate) fn grant(&mut self, id: u64, fate: Fate) {
        self.points.retain(|point| point.id != id);
        self.granted = Some((id, fate));
    }

    /// What a process stood at is gone with it.
    pub(crate) fn forget(&mut self, process: usize) {
        self.points.retain(|point| point.process != process);
    }
}

/// Stands still until it is let go on.
pub(crate) async fn stand(flow: &RefCell<Flow>, point: Point) -> Fate {
    let mut own = None;
    poll_fn(|_| {
        let mut flow = flow.borrow_mut();
        let Some(id) = own else {
            flow.numbers += 1;
            let id = flow.numbers;
            own = Some(id);
            flow.points.push(Point { id, ..point.clone() });
            return Poll::Pending;
        };
        match flow.granted {
            Some((granted, fate)) if granted == id => {
                flow.granted = None;
                Poll::Ready(fate)
            }
            _ => Poll::Pending,
        }
    })
    .await
}
