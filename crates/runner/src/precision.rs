//! Going on until a figure is precise enough, target by target.

use std::collections::VecDeque;
use std::sync::Arc;

use schema::event::{Event, EventKind, Events};
use schema::metric::Metric;
use schema::plan::{Plan, Precision};
use schema::record::{Phase, Record};
use schema::target::Target;
use schema::units::Nanos;

use crate::recorder::Seen;
use crate::turns::{Turn, turns};

/// A target is measured in at least so many blocks: one block could be one good moment.
const LEAST_BLOCKS: u32 = 2;

/// The plan's blocks, of which a target leaves out those that come after its figure is precise.
#[derive(Debug)]
pub(crate) struct UntilPrecise {
    wanted: Precision,
    turns: VecDeque<Turn>,
    known: Vec<Known>,
}

/// What is known of one target.
#[derive(Debug, Default)]
struct Known {
    /// Its measured requests, as far as the figure is made of them.
    records: Vec<Record>,
    blocks: u32,
    /// Half the interval's width ÷ the value.
    half_width: Option<f64>,
}

impl Known {
    fn is_precise(&self, wanted: &Precision) -> bool {
        self.blocks >= LEAST_BLOCKS && self.half_width.is_some_and(|half| half <= wanted.relative)
    }
}

impl UntilPrecise {
    pub(crate) fn new(plan: &Plan, wanted: Precision, offsets: &Arc<[Nanos]>) -> Self {
        let known = plan.targets.iter().map(|_| Known::default()).collect();
        Self { wanted, turns: turns(plan, offsets).into(), known }
    }

    /// The next turn of a target that is not precise yet.
    pub(crate) fn next(&mut self, wanted: impl Fn(usize) -> bool) -> Option<Turn> {
        let Self { turns, known, wanted: precision } = self;
        let open = |turn: &Turn| wanted(turn.target) && !known[turn.target].is_precise(precision);
        std::iter::from_fn(|| turns.pop_front()).find(open)
    }

    pub(crate) fn take_in(&mut self, turn: &Turn, seen: Seen) {
        if turn.phase == Phase::Warmup {
            return;
        }
        let known = &mut self.known[turn.target];
        known.blocks += 1;
        known.records.extend(seen.records.into_iter().map(|record| lean(record, self.wanted.metric)));
        let records: Vec<_> = known.records.iter().collect();
        let estimate = stats::precision(&records, &self.wanted);
        known.half_width = estimate.and_then(|estimate| stats::relative_half_width(&estimate));
    }

    /// How it ended, one note a target that was measured.
    pub(crate) fn notes(&self, plan: &Plan) -> Vec<String> {
        let measured = plan.targets.iter().zip(&self.known).filter(|(_, known)| known.blocks > 0);
        let note = |(target, known): (&Target, &Known)| {
            let figure = format!("{}_{}", self.wanted.metric.short(), self.wanted.quantile);
            let requests = schema::counted(known.records.len(), "request");
            let percent = |share: f64| format!("±{:.2} %", share * 100.0);
            let (name, wanted) = (&target.name, percent(self.wanted.relative));
            match known.half_width {
                Some(half) if known.is_precise(&self.wanted) => {
                    format!("`{name}`: {figure} {} after {requests}", percent(half))
                }
                Some(half) if half <= self.wanted.relative => {
                    format!("`{name}`: {figure} {} after {requests}, all of one block", percent(half))
                }
                Some(half) => {
                    format!("`{name}`: {figure} {} after {requests}, not the {wanted} asked for", percent(half))
                }
                None => format!("`{name}`: no interval of {figure} after {requests}"),
            }
        };
        measured.map(note).collect()
    }
}

/// A record without the events that `metric` is not made of: the records of a long run do not fit into memory, its
/// figure does.
fn lean(record: Arc<Record>, metric: Metric) -> Record {
    let mut record = Arc::unwrap_or_clone(record);
    record.output = None;
    if !matches!(metric, Metric::Itl | Metric::Jitter | Metric::Stall | Metric::ClientLag) {
        record.events = ends(&record.events);
    }
    record
}

/// The first content, the first of the answer, and the last.
fn ends(events: &Events) -> Events {
    let content = || events.content();
    let answer = content().find(|event| event.kind == EventKind::Text);
    let mut ends: Vec<Event> = content().next().into_iter().chain(answer).chain(content().next_back()).collect();
    ends.dedup();
    ends.into()
}

#[cfg(test)]
mod tests {
    use schema::event::Stamp;
    use schema::record::Phase;
    use schema::units::Moment;

    use super::*;

    fn event(arrival: u64, kind: EventKind) -> Event {
        Event {
            arrival: Moment(arrival),
            lag_ns: 0,
            bytes: 1,
            tokens: 1,
            kind,
            stamp: Stamp::Kernel,
            shared_read: false,
        }
    }

    #[track_caller]
    fn check(metric: Metric, expected: &[u64]) {
        use EventKind::{Other, Reasoning, Text};
        let kinds = [Other, Reasoning, Reasoning, Text, Text, Text, Other];
        let mut record = crate::turns::tests::record();
        record.phase = Phase::Measured;
        record.events = (0..).zip(kinds).map(|(at, kind)| event(at, kind)).collect();
        let kept: Vec<_> = lean(Arc::new(record), metric).events.iter().map(|event| event.arrival.0).collect();
        assert_eq!(kept, expected);
    }

    #[track_caller]
    fn check_note(blocks: u32, half_width: Option<f64>, expected: &str) {
        let stop = schema::plan::Stop::Requests(1);
        let plan = crate::turns::tests::plan(&["a"], schema::plan::Load::Closed { concurrency: 1 }, stop);
        let mut until = UntilPrecise::new(&plan, "2%".parse().unwrap(), &Arc::from([]));
        until.known = vec![Known { records: vec![crate::turns::tests::record()], blocks, half_width }];
        assert_eq!(until.notes(&plan), [format!("`a`: ttft_p50 {expected}")]);
    }

    #[test]
    fn a_note_says_how_precise_a_figure_is() {
        check_note(2, Some(0.01), "±1.00 % after 1 request");
        check_note(1, Some(0.01), "±1.00 % after 1 request, all of one block");
        check_note(2, Some(0.03), "±3.00 % after 1 request, not the ±2.00 % asked for");
    }

    #[test]
    fn only_the_events_that_a_figure_is_made_of_are_held_in_memory() {
        check(Metric::Ttft, &[1, 3, 5]);
        check(Metric::Tpot, &[1, 3, 5]);
        check(Metric::Itl, &[0, 1, 2, 3, 4, 5, 6]);
    }
}
