//! What all threads agree on: which turns come next, and when they begin.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use load::Places;
use schema::progress::Progress;
use schema::record::Phase;
use schema::units::{Moment, Nanos};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::agenda::{Agenda, Span};
use crate::recorder::{Cut, Message};
use crate::turns::{Share, Turn};

/// Time for all threads to be ready when turns begin.
const LEAD: Nanos = Nanos::from_millis(2);

/// As long does a measured turn wait for the servers' own metrics as they are before it.
const READING: Duration = Duration::from_millis(250);

/// How far the run has come.
pub(super) struct Course {
    pub(super) agenda: Agenda,
    /// The turns that come next: they begin together.
    pub(super) turns: Arc<[Turn]>,
    /// Those of them that take place, once that is agreed.
    pub(super) begun: Arc<[Begun]>,
}

impl Course {
    pub(super) fn new(agenda: Agenda) -> Self {
        Self { agenda, turns: Arc::from([]), begun: Arc::from([]) }
    }
}

/// A turn that takes place.
#[derive(Clone)]
pub(super) struct Begun {
    /// Which.
    pub(super) turn: Turn,
    /// Its beginning.
    pub(super) at: Moment,
    /// When sending ends, if by time.
    pub(super) until: Option<Moment>,
    /// Those of an open loop, for all threads together.
    pub(super) places: Arc<Places>,
    /// Cancelled when sending is to end: by the target's end, the run's, or because the turn is cut short.
    pub(super) sending: CancellationToken,
}

impl Begun {
    /// How to end it early, where that may be.
    fn cut(&self) -> Option<Cut> {
        let Self { turn, until, sending, .. } = self;
        turn.may_be_cut_short().then(|| Cut { target: turn.target, sending: sending.clone(), until: *until })
    }
}

impl Shared {
    /// Waits until all threads are here; one decides, and all get the same answer. A panic in the decision stops the
    /// run, as one in a turn does.
    fn agree<T>(&self, decide: impl FnOnce(&mut Course), answer: impl FnOnce(&Course) -> T) -> T {
        let course = || self.course.lock().unwrap_or_else(PoisonError::into_inner);
        if self.barrier.wait().is_leader() && self.guard(|| decide(&mut course())).is_none() {
            *course() = Course::new(Agenda::over());
        }
        self.barrier.wait();
        answer(&course())
    }

    /// The turns that begin next, together; none when all is done. All that was seen of those before is known by then.
    pub(super) fn next_turns(&self) -> Arc<[Turn]> {
        let decide = |course: &mut Course| {
            self.close(course);
            let goes_on = !self.crew.stop.no_more_sending().is_cancelled();
            let next = || course.agenda.next(|target| self.is_wanted(target));
            course.turns = goes_on.then(next).unwrap_or_default().into();
            course.agenda.news().into_iter().for_each(|news| self.crew.tell(Progress::Note(news)));
        };
        self.agree(decide, |course| Arc::clone(&course.turns))
    }

    /// Begins those of the turns whose targets could be reached, at one instant.
    pub(super) fn begin(&self) -> Arc<[Begun]> {
        let decide = |course: &mut Course| {
            let turns: Vec<&Turn> = course.turns.iter().filter(|turn| self.is_wanted(turn.target)).collect();
            let measures = turns.iter().any(|turn| turn.phase == Phase::Measured);
            if let Some(metrics) = self.crew.metrics.as_ref().filter(|_| measures) {
                metrics.reading(READING);
            }
            let now = self.crew.connector.clock().now();
            course.begun = turns.into_iter().map(|turn| self.begun(turn, now + LEAD + turn.settle)).collect();
            for begun in course.begun.iter() {
                self.tell_of(&begun.turn);
                if course.agenda.learns() {
                    self.put(Message::Watch(begun.cut()));
                }
            }
        };
        self.agree(decide, |course| Arc::clone(&course.begun))
    }

    fn begun(&self, turn: &Turn, at: Moment) -> Begun {
        let first = match &turn.share {
            Share::Open(numbers) => numbers.start,
            Share::Closed(_) => 0,
        };
        Begun {
            turn: turn.clone(),
            at,
            until: turn.length.map(|length| at + length),
            places: Places::new(first, turn.load.places(), self.threads),
            sending: self.crew.standings[turn.target].no_more_sending().child_token(),
        }
    }

    /// Ends the turns at hand: what comes next may depend on what was seen of them.
    fn close(&self, course: &mut Course) {
        let ended = std::mem::take(&mut course.begun);
        if !course.agenda.learns() {
            return;
        }
        for begun in ended.iter() {
            self.learn(&mut course.agenda, begun);
        }
    }

    fn learn(&self, agenda: &mut Agenda, begun: &Begun) {
        let (answer, report) = sync_channel(1);
        self.put(Message::Report(answer));
        let Ok(seen) = report.recv() else { return };
        let standing = &self.crew.standings[begun.turn.target];
        let ended_by_itself = !standing.no_more_sending().is_cancelled();
        let span = Span {
            began: begun.at,
            whole: ended_by_itself && seen.saturated.is_none(),
            broken_off: seen.saturated.is_none() && (self.crew.stop.is_asked() || standing.is_unpaid()),
        };
        if let Some(step) = agenda.take_in(&begun.turn, span, seen) {
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
