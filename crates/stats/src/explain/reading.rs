//! The figures under one definition.

use std::collections::BTreeMap;

use schema::event::Event;
use schema::explain::Quantity;
use schema::record::Record;
use schema::units::{Moment, Nanos};

use super::definition::{Definition, Drops, End, Itl, Requests, Start, Tpot, Window};
use super::material::{Material, arrival, output_tokens};
use super::weighted::Weighted;
use crate::interval::values_needed;

/// Figures by quantity; what is not printed, or not supported, is not there.
pub(super) type Values = BTreeMap<Quantity, f64>;

/// Everything `definition` prints of the recording.
pub(super) fn figures(material: &Material<'_>, definition: &Definition) -> Values {
    let mut samples = Samples::default();
    let counted = match definition.requests {
        Requests::All => &material.all,
        Requests::Steady => &material.steady,
    };
    for record in counted {
        if let Some(seen) = Seen::of(material, record, definition) {
            samples.add(&seen, definition);
        }
    }
    let mut values = samples.figures();
    values.extend(rate(material, definition).map(|rate| (Quantity::OutputTokensPerS, rate)));
    values
}

/// One request as a definition sees it.
pub(super) struct Seen<'r> {
    record: &'r Record,
    events: Vec<Event>,
    start: Moment,
    tokens: Option<u64>,
}

impl<'r> Seen<'r> {
    /// `None` where not one of its events is a token to this definition.
    pub(super) fn of(material: &Material<'_>, record: &'r Record, definition: &Definition) -> Option<Self> {
        let events = material.events(record, definition.carriers);
        let connect = record.connect.filter(|_| definition.start == Start::BeforeConnect);
        let start = record.start_ns? - connect.map_or(Nanos::ZERO, |connect| connect.total());
        (!events.is_empty()).then(|| Self { record, events, start, tokens: output_tokens(record, definition.tokens) })
    }

    fn first(&self, definition: &Definition) -> Moment {
        arrival(self.events[0], definition.clock)
    }

    fn last(&self, definition: &Definition) -> Moment {
        let last = match definition.end {
            End::LastToken => self.events.last().copied(),
            End::Stream => self.record.events.last(),
        };
        last.map_or(self.start, |event| arrival(event, definition.clock))
    }

    /// (Last − first) ÷ (tokens − 1).
    pub(super) fn after_first(&self, definition: &Definition) -> Option<f64> {
        let steps = self.tokens?.checked_sub(1).filter(|&steps| steps > 0)?;
        let decode = self.last(definition) - self.first(definition);
        let least = match definition.drops {
            Drops::Instant => Nanos(1),
            Drops::WithinMillisecond => Nanos::from_millis(1),
        };
        (decode >= least).then(|| decode.0 as f64 / steps as f64)
    }

    /// (Last − start) ÷ tokens.
    fn whole(&self, definition: &Definition) -> Option<f64> {
        let tokens = self.tokens.filter(|&tokens| tokens > 0)?;
        Some((self.last(definition) - self.start).0 as f64 / tokens as f64)
    }

    /// Gaps between events.
    fn gaps(&self, definition: &Definition) -> impl Iterator<Item = f64> + '_ {
        let clock = definition.clock;
        self.events.windows(2).map(move |pair| (arrival(pair[1], clock) - arrival(pair[0], clock)).0 as f64)
    }

    /// Whether the server told of each event how many tokens it holds.
    pub(super) fn tells_tokens_of_events(&self) -> bool {
        self.events.iter().all(|event| event.tokens > 0)
    }

    /// Tokens of each event: by the server's word where it tells for all, else spread evenly.
    fn tokens_of_events(&self) -> Vec<u64> {
        if self.tells_tokens_of_events() {
            return self.events.iter().map(|event| u64::from(event.tokens)).collect();
        }
        let (events, tokens) = (self.events.len() as u128, u128::from(self.tokens.unwrap_or(0)));
        let up_to = |i: u128| i * tokens / events;
        let spread = (0..events).map(|i| u64::try_from(up_to(i + 1) - up_to(i)).unwrap_or(u64::MAX));
        spread.collect()
    }
}

/// The values of all requests.
#[derive(Default)]
struct Samples {
    ttft: Weighted,
    itl: Weighted,
    tpot: Weighted,
    tokens: Weighted,
    /// Requests that have a value, in this order: TTFT, ITL, TPOT.
    requests: [u64; 3],
}

impl Samples {
    fn add(&mut self, seen: &Seen<'_>, definition: &Definition) {
        self.ttft.push((seen.first(definition) - seen.start).0 as f64, 1);
        self.requests[0] += 1;
        let before = self.itl.added();
        self.add_itl(seen, definition);
        self.requests[1] += u64::from(self.itl.added() > before);
        let tpot = match definition.tpot {
            Some(Tpot::AfterFirst) => seen.after_first(definition),
            Some(Tpot::Whole) => seen.whole(definition),
            None => None,
        };
        if let Some(tpot) = tpot {
            self.tpot.push(tpot, 1);
            self.requests[2] += 1;
        }
        if let Some(tokens) = seen.tokens {
            self.tokens.push(tokens as f64, 1);
        }
    }

    fn add_itl(&mut self, seen: &Seen<'_>, definition: &Definition) {
        match definition.itl {
            None => {}
            Some(Itl::Gaps) => seen.gaps(definition).for_each(|gap| self.itl.push(gap, 1)),
            Some(Itl::Average) => seen.after_first(definition).into_iter().for_each(|itl| self.itl.push(itl, 1)),
            Some(Itl::Whole) => seen.whole(definition).into_iter().for_each(|itl| self.itl.push(itl, 1)),
            Some(Itl::PerToken) => self.add_gaps_per_token(seen, definition),
        }
    }

    /// The first token of an event waits for it, those that came along wait for nothing.
    fn add_gaps_per_token(&mut self, seen: &Seen<'_>, definition: &Definition) {
        let mut before: Option<Moment> = None;
        for (&event, tokens) in seen.events.iter().zip(seen.tokens_of_events()) {
            let Some(along) = tokens.checked_sub(1) else { continue };
            let now = arrival(event, definition.clock);
            if let Some(before) = before {
                self.itl.push((now - before).0 as f64, 1);
            }
            self.itl.push(0.0, along);
            before = Some(now);
        }
    }

    /// Percentiles only where as many requests carry them as a percentile of ours needs.
    fn figures(mut self) -> Values {
        let [ttft, itl, tpot] = self.requests;
        for sample in [&mut self.ttft, &mut self.itl, &mut self.tpot] {
            sample.sort();
        }
        let supported = |sample: &Weighted, q: f64, n: u64| {
            let value = sample.quantile(q);
            value.filter(|_| n >= values_needed(q))
        };
        let found = [
            (Quantity::TtftMean, self.ttft.mean()),
            (Quantity::TtftP50, supported(&self.ttft, 0.5, ttft)),
            (Quantity::TtftP95, supported(&self.ttft, 0.95, ttft)),
            (Quantity::ItlMean, self.itl.mean()),
            (Quantity::ItlP50, supported(&self.itl, 0.5, itl)),
            (Quantity::TpotMean, self.tpot.mean()),
            (Quantity::TpotP50, supported(&self.tpot, 0.5, tpot)),
            (Quantity::OutputTokens, self.tokens.mean()),
        ];
        found.into_iter().filter_map(|(quantity, value)| Some((quantity, value?))).collect()
    }
}

/// Output tokens per second. The requests are those that belong to the window.
fn rate(material: &Material<'_>, definition: &Definition) -> Option<f64> {
    let (records, window) = match definition.window? {
        Window::Steady => (&material.steady, material.steady_window),
        Window::Whole => (&material.all, material.whole_window),
    };
    let tokens = records.iter().filter_map(|record| output_tokens(record, definition.tokens));
    let tokens: f64 = tokens.map(|tokens| tokens as f64).sum();
    (window > Nanos::ZERO).then(|| tokens / window.as_secs_f64())
}
