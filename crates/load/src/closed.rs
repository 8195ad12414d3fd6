//! Closed loops: a new request when a place is free and, with people, when they have thought.

mod activity;
mod counter;
mod pace;
mod user;

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use schema::plan::Load;
use schema::units::Moment;
use tokio::task::JoinSet;

use crate::alarms::Alarms;
use crate::pacer::Pacer;
use crate::{After, Segment, Slot, Timing};
pub use counter::Counter;
use pace::Pace;
use user::{Habits, User};

/// What the streams of one driver do: its share of a turn.
#[derive(Debug, Clone, Copy)]
pub struct Streams<'a> {
    /// The closed loop. An open one has no streams: nothing is sent.
    pub load: &'a Load,
    /// Which of the load's streams are this driver's: those numbers that the segment [holds](Segment::holds).
    pub segment: Segment,
    /// What people's pauses are drawn by.
    pub seed: u64,
    /// Each block of a seed has pauses of its own, and begins at the beginning of its stages.
    pub block: u32,
    /// Numbers of the requests, shared by all drivers.
    pub indexes: &'a Arc<Counter>,
    /// When the streams begin; stages and arriving users count from here.
    pub begin: Moment,
    /// No request begins at or after this moment.
    pub until: Option<Moment>,
}

/// Runs the streams of a closed loop: each takes the next number at its moment, calls `send`, waits for that request
/// to end and begins again, until the numbers are used up, `until` has come, its stages are over, or `timing.stop`
/// was cancelled. Returns when every request sent has ended.
///
/// - [`Load::Closed`]: a stream goes on as soon as its place is free.
/// - [`Load::StreamStages`]: stream `k` goes on while the stages' level at that moment, rounded, exceeds `k`;
///   otherwise it sleeps until the level does so again. What is under way when the level falls is left to end.
/// - [`Load::Users`]: stream `k` is user `k`, who arrives at their part of the arrival time, thinks after each
///   answer, and has a session pause in place of a thought after as many requests as a session has, or when the
///   request yields [`After::SessionOver`].
///
/// A slot is `scheduled` for the moment its place became free and, with people, their pause was over: for `begin` or
/// the user's arrival at first. Dropping the future cancels the requests under way.
///
/// # Panics
/// Outside a [`tokio::task::LocalSet`], and when a request panicked.
pub async fn closed<F, Fut>(streams: &Streams<'_>, timing: &Timing, send: F)
where
    F: FnMut(Slot) -> Fut + 'static,
    Fut: Future<Output = After> + 'static,
{
    let shared = Rc::new(Shared {
        indexes: Arc::clone(streams.indexes),
        begin: streams.begin,
        until: streams.until,
        timing: timing.clone(),
        alarms: Alarms::default(),
        send: RefCell::new(send),
    });
    let mut running = JoinSet::new();
    for (number, pace) in paces(streams) {
        running.spawn_local(stream(number, pace, Rc::clone(&shared)));
    }
    let mut pacer = Pacer::new(timing.epoch, timing.pacing);
    let wake = async {
        tokio::select! {
            () = timing.stop.cancelled() => {}
            () = streams.indexes.used_up() => {}
            () = shared.alarms.ring(&mut pacer) => {}
        }
        shared.alarms.end();
        std::future::pending::<()>().await;
    };
    let all_ended = async {
        while let Some(ended) = running.join_next().await {
            crate::pass_on_panic(ended);
        }
    };
    tokio::select! {
        () = all_ended => {}
        () = wake => {}
    }
}

/// The streams of a driver, by number.
fn paces(streams: &Streams<'_>) -> Vec<(u32, Pace)> {
    let pace: Box<dyn Fn(u32) -> Pace> = match streams.load {
        Load::Closed { .. } => Box::new(|_| Pace::Always),
        Load::StreamStages { stages } => {
            let stages: Rc<[_]> = stages.as_slice().into();
            Box::new(move |_| Pace::Stages(Rc::clone(&stages)))
        }
        &Load::Users { users, think, session_requests, session_pause, arrive_over_ns } => {
            let habits = Habits { users, think, session_requests, session_pause, arrive_over: arrive_over_ns };
            let (seed, block) = (streams.seed, streams.block);
            Box::new(move |number| Pace::User(Box::new(User::new(habits, number, seed, block))))
        }
        Load::Open { .. } | Load::RateStages { .. } | Load::Crowd { .. } | Load::Replay { .. } => return Vec::new(),
    };
    let numbers = (0..streams.load.places()).filter(|number| streams.segment.holds((*number).into()));
    numbers.map(|number| (number, pace(number))).collect()
}

/// What the streams of one driver share.
struct Shared<F> {
    indexes: Arc<Counter>,
    begin: Moment,
    until: Option<Moment>,
    timing: Timing,
    alarms: Alarms,
    send: RefCell<F>,
}

impl<F> Shared<F> {
    /// Waits until `scheduled`, if it is later than `now`; whether a request may begin then.
    async fn may_begin(&self, scheduled: Moment, now: Moment, stream: u32) -> bool {
        if self.until.is_some_and(|until| scheduled >= until) {
            return false;
        }
        if scheduled > now && !self.alarms.until(scheduled, stream).await {
            return false;
        }
        !self.timing.stop.is_cancelled()
    }
}

/// One place: request after request.
async fn stream<F, Fut>(number: u32, mut pace: Pace, shared: Rc<Shared<F>>)
where
    F: FnMut(Slot) -> Fut,
    Fut: Future<Output = After>,
{
    let mut wanted = pace.first(number);
    let mut now = shared.timing.now();
    while let Some(offset) = wanted {
        let scheduled = shared.begin + offset;
        if !shared.may_begin(scheduled, now, number).await {
            return;
        }
        let Some(index) = shared.indexes.take() else { return };
        let request = (shared.send.borrow_mut())(Slot { index, scheduled, stream: number });
        let after = request.await;
        now = shared.timing.now();
        wanted = pace.next(number, now - shared.begin, after);
        // A request that never had to wait would otherwise keep the thread to itself.
        tokio::task::coop::consume_budget().await;
    }
}

#[cfg(test)]
mod tests;
