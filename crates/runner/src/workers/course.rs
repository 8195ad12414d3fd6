//! What all threads agree on: which turn comes next, and when it begins.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use schema::progress::Progress;
use schema::record::Phase;
use schema::units::{Moment, Nanos};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::agenda::{Agenda, Span};
use crate::recorder::{Cut, Message};
use crate::turns::Turn;

/// Time for all threads to be ready when a turn begins.
const LEAD: Nanos = Nanos::from_millis(2);

/// As long does a measured turn wait for the servers' own metrics as they are before it.
const READING: Duration = Duration::from_millis(250);

/// How far the run has come.
pub(super) struct Course {
    pub(super) agenda: Agenda,
    /// The turn that comes next, or goes on.
    pub(super) turn: Option<Arc<Turn>>,
    /// When it takes place, once that is agreed.
    pub(super) begun: Option<Begun>,
}

/// A turn that takes place.
#[derive(Clone)]
pub(super) struct Begun {
    /// Its beginning.
    pub(super) at: Moment,
    /// When sending ends, if by time.
    pub(super) until: Option<Moment>,
    /// Cancelled when sending is to end: by the target's end, the run's, or because the turn is cut short.
    pub(super) sending: CancellationToken,
}

impl Shared {
    /// Waits until all threads are here; one decides, and all get the same answer. A panic in the decision stops the
    /// run, as one in a turn does.
    fn agree<T>(&self, decide: impl FnOnce(&mut Course), answer: impl FnOnce(&Course) -> Option<T>) -> Option<T> {
        let course = || self.course.lock().unwrap_or_else(PoisonError::into_inner);
        if self.barrier.wait().is_leader() && catch_unwind(AssertUnwindSafe(|| decide(&mut course()))).is_err() {
            self.panicked.store(true, Ordering::Relaxed);
            self.crew.stop.waiting();
            *course() = Course { agenda: Agenda::over(), turn: None, begun: None };
        }
        self.barrier.wait();
        answer(&course())
    }

    /// The next turn. All that was seen of the one before is known by then.
    pub(super) fn next_turn(&self) -> Option<Arc<Turn>> {
        let decide = |course: &mut Course| {
            self.close(course);
            let goes_on = !self.crew.stop.no_more_sending().is_cancelled();
            let next = || course.agenda.next(|target| self.is_wanted(target));
            course.turn = goes_on.then(next).flatten().map(Arc::new);
            course.agenda.news().into_iter().for_each(|news| self.crew.tell(Progress::Note(news)));
        };
        self.agree(decide, |course| course.turn.clone())
    }

    /// Begins the turn, if its target could be reached.
    pub(super) fn begin(&self) -> Option<Begun> {
        let decide = |course: &mut Course| {
            let Some(turn) = course.turn.as_ref().filter(|turn| self.is_wanted(turn.target)) else { return };
            if let Some(metrics) = self.crew.metrics.as_ref().filter(|_| turn.phase == Phase::Measured) {
                metrics.reading(READING);
            }
            let at = self.crew.connector.clock().now() + LEAD + turn.settle;
            let until = turn.length.map(|length| at + length);
            let sending = self.crew.standings[turn.target].no_more_sending().child_token();
            self.tell_of(turn);
            if course.agenda.learns() {
                let cut = Cut { target: turn.target, sending: sending.clone(), until };
                self.put(Message::Watch(Some(cut).filter(|_| turn.may_be_cut_short())));
            }
            course.begun = Some(Begun { at, until, sending });
        };
        self.agree(decide, |course| course.begun.clone())
    }

    /// Ends the turn at hand: what comes next may depend on what was seen of it.
    fn close(&self, course: &mut Course) {
        let (Some(turn), Some(begun)) = (course.turn.take(), course.begun.take()) else { return };
        if !course.agenda.learns() {
            return;
        }
        let (answer, report) = sync_channel(1);
        self.put(Message::Report(answer));
        let Ok(seen) = report.recv() else { return };
        let ended_by_itself = !self.crew.standings[turn.target].no_more_sending().is_cancelled();
        let span = Span { began: begun.at, whole: ended_by_itself && seen.saturated.is_none() };
        if let Some(step) = course.agenda.take_in(&turn, span, seen) {
            self.put(Message::Step(Box::new(step)));
        }
    }

    fn tell_of(&self, turn: &Turn) {
        let target = self.crew.targets[turn.target].target.name.clone();
        self.crew.tell(Progress::Block { target: target.clone(), phase: turn.phase, block: turn.block });
        if let Some(rung) = turn.step {
            self.crew.tell(Progress::Step { target, step: rung.number, axis: rung.axis, level: rung.level });
        }
    }

    fn is_wanted(&self, target: usize) -> bool {
        let standing = &self.crew.standings[target];
        standing.hope.lost().is_none() && !standing.no_more_sending().is_cancelled()
    }
}
