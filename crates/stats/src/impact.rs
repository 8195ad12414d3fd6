//! What the measured waiting and prices come to for people and budgets. Every figure has an interval, made of the
//! measured one and the ranges of the assumptions; an assumption is given or has its source beside it.

use std::collections::BTreeMap;

use schema::metric::Metric;
use schema::plan::Plan;
use schema::projection::{
    Assumptions, Projected, ProjectedUnit, Projection, READING_WORDS_PER_MINUTE, TOKENS_PER_WORD, TargetProjection,
    WaitsFor,
};
use schema::record::{Phase, Record};
use schema::summary::{Estimate, Summary, TargetSummary};

use crate::ledger::{Ledger, projection};
use crate::perception::{THRESHOLDS, THRESHOLDS_SOURCE, Threshold, beyond_reading};
use crate::range::Range;
use crate::requests::Requests;
use crate::{interval, metric_values};

const NANOS: f64 = 1e9;
const HOURS_A_YEAR: f64 = 365.0 * 24.0;

/// Waiting per answer, per day and per year, money, and the price by the token against that of a self-hosted option,
/// as far as `assumptions` go, for each target of a run with its `records`. Figures of several targets are
/// compared with the target that people wait for least.
pub fn impact(plan: &Plan, summary: &Summary, records: &[Record], assumptions: &Assumptions) -> Projected {
    let mut by_target: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.phase == Phase::Measured) {
        by_target.entry(record.target.as_str()).or_default().push(record);
    }
    let mut ledger = Ledger::new(assumptions);
    let waits_for = assumptions.waits_for.unwrap_or_default();
    let felt: Vec<Felt> = summary
        .targets
        .iter()
        .map(|target| {
            let own = by_target.remove(target.target.as_str()).unwrap_or_default();
            let requests = Requests::of(plan, &own).steady;
            Felt { target, wait: wait(&requests, waits_for, &mut ledger), requests }
        })
        .collect();
    let known = felt.iter().filter_map(|felt| Some((&felt.target.target, felt.wait.as_ref()?)));
    let least = known.min_by(|a, b| a.1.value.total_cmp(&b.1.value));
    let scale = Scale::of(&mut ledger);
    let mut targets = Vec::new();
    for Felt { target, wait, requests } in &felt {
        let mut sheet = Sheet::default();
        match wait {
            Some(wait) => sheet.waiting(wait, waits_for, &scale),
            None => sheet.notes.push("no request completed: there is no waiting to speak of".to_owned()),
        }
        sheet.limits(requests);
        if let (Some(wait), Some((first, least))) = (wait, least)
            && *first != target.target
        {
            sheet.behind(wait, least, first.as_str(), &scale);
        }
        sheet.money(target, &scale, &mut ledger);
        targets.push(sheet.of(target));
    }
    Projected { name: summary.name.clone(), simulated: summary.simulated, assumptions: ledger.close(), targets }
}

/// What people felt of one target.
struct Felt<'a> {
    target: &'a TargetSummary,
    requests: Vec<&'a Record>,
    wait: Option<Estimate>,
}

/// Mean wait for an answer in nanoseconds, with its interval.
fn wait(requests: &[&Record], waits_for: WaitsFor, ledger: &mut Ledger) -> Option<Estimate> {
    let waits: Vec<f64> = match waits_for {
        WaitsFor::WholeAnswer => values(requests, Metric::E2e),
        WaitsFor::FirstWords => values(requests, Metric::TtftVisible),
        WaitsFor::BeyondReading => {
            let words =
                ledger.take_or("reading_words_per_minute", READING_WORDS_PER_MINUTE.0, READING_WORDS_PER_MINUTE.1);
            let tokens = ledger.take_or("tokens_per_word", TOKENS_PER_WORD.0, TOKENS_PER_WORD.1);
            let token = 60.0 * NANOS / (words.value * tokens.value);
            requests.iter().filter_map(|record| beyond_reading(record, token)).collect()
        }
    };
    (!waits.is_empty()).then(|| interval::mean(&waits))
}

fn values(requests: &[&Record], metric: Metric) -> Vec<f64> {
    requests.iter().flat_map(|record| metric_values(record, metric)).collect()
}

/// How often all of this happens, as far as it was said.
struct Scale {
    a_day: Option<Range>,
    a_year: Option<Range>,
    hour: Option<Range>,
}

impl Scale {
    /// Answers that one person waits for in a day; those of all people in a year.
    fn of(ledger: &mut Ledger) -> Self {
        let a_day = ledger.take("interactions_per_user_per_day");
        let (users, days) = (ledger.take("users"), ledger.take("days_per_year"));
        let a_year = a_day.zip(users).zip(days).map(|((a_day, users), days)| a_day * users * days);
        Self { a_day, a_year, hour: ledger.take("user_usd_per_hour") }
    }

    /// Hours a year of waits of this length.
    fn hours(&self, wait: Range) -> Option<Range> {
        Some(wait * self.a_year? * (1.0 / NANOS / 3600.0))
    }
}

/// The figures of one target as they are gathered.
#[derive(Default)]
struct Sheet {
    projections: Vec<Projection>,
    notes: Vec<String>,
}

impl Sheet {
    fn add(&mut self, figure: impl Into<String>, unit: ProjectedUnit, range: Range, how: impl Into<String>) {
        self.projections.push(projection(figure, unit, range, how));
    }

    fn waiting(&mut self, mean: &Estimate, waits_for: WaitsFor, scale: &Scale) {
        let wait = Range::from(mean);
        let how = format!("mean over completed requests of the wait for {}", waits_for.in_words());
        self.add("wait for an answer", ProjectedUnit::Seconds, wait * (1.0 / NANOS), how);
        if let Some(a_day) = scale.a_day {
            self.add(
                "waiting of one user a day",
                ProjectedUnit::Seconds,
                wait * a_day * (1.0 / NANOS),
                "wait × interactions a day",
            );
        }
        let Some(hours) = scale.hours(wait) else { return };
        self.add(
            "waiting of all users a year",
            ProjectedUnit::Hours,
            hours,
            "wait × interactions a day × users × days a year",
        );
        if let Some(hour) = scale.hour {
            self.add("cost of waiting a year", ProjectedUnit::Usd, hours * hour, "hours of waiting × price of an hour");
        }
    }

    /// Shares of answers whose first words took longer than people bear.
    fn limits(&mut self, requests: &[&Record]) {
        let first = values(requests, Metric::TtftVisible);
        // Hardly any answer feels instantaneous: that limit tells them apart no more.
        for Threshold { seconds: limit, beyond, .. } in &THRESHOLDS[1..] {
            let late = first.iter().filter(|wait| **wait > limit * NANOS).count() as u64;
            let (low, high) = interval::wilson(late, first.len() as u64);
            let value = late as f64 / first.len().max(1) as f64;
            if !first.is_empty() {
                self.add(
                    format!("answers that begin after {limit} s"),
                    ProjectedUnit::Share,
                    Range { value, low, high },
                    format!("beyond {limit} s {beyond} ({THRESHOLDS_SOURCE})"),
                );
            }
        }
    }

    /// How much longer people wait than for the first of the field.
    fn behind(&mut self, mean: &Estimate, first: &Estimate, name: &str, scale: &Scale) {
        let Some((more, error)) = difference(mean, first) else { return };
        if more <= error {
            self.notes.push(format!("whether people wait longer for it than for `{name}` is not certain"));
            return;
        }
        let more = Range { value: more, low: more - error, high: more + error };
        self.add(
            format!("longer wait than for `{name}`"),
            ProjectedUnit::Seconds,
            more * (1.0 / NANOS),
            "difference of the two means; the errors of both together",
        );
        let Some(hours) = scale.hours(more) else { return };
        self.add(
            format!("more waiting a year than for `{name}`"),
            ProjectedUnit::Hours,
            hours,
            "that difference × interactions a day × users × days a year",
        );
        if let Some(hour) = scale.hour {
            self.add(
                format!("cost a year of waiting longer than for `{name}`"),
                ProjectedUnit::Usd,
                hours * hour,
                "those hours × price of an hour",
            );
        }
    }

    fn money(&mut self, target: &TargetSummary, scale: &Scale, ledger: &mut Ledger) {
        let each = target.cost.as_ref().and_then(|cost| cost.per_request_usd.as_ref()).map(Range::from);
        if let Some((each, a_year)) = each.zip(scale.a_year) {
            self.add(
                "cost a year by the token",
                ProjectedUnit::Usd,
                each * a_year,
                "cost of a request × interactions a day × users × days a year",
            );
        }
        let Some(hourly) = ledger.take("replica_usd_per_hour") else { return };
        let replicas = ledger.take_or("replicas", 1.0, "none given: a single one");
        let hosted = replicas * hourly;
        self.add(
            "cost a year self-hosted",
            ProjectedUnit::Usd,
            hosted * HOURS_A_YEAR,
            "replicas × price an hour × 8,760 h",
        );
        let Some(each) = each.filter(|each| each.low > 0.0) else { return };
        self.add(
            "break-even",
            ProjectedUnit::RequestsPerDay,
            hosted * 24.0 / each,
            "replicas × price an hour × 24 h ÷ cost of a request by the token: above it self-hosting costs less",
        );
        self.notes.push("whether those replicas carry the break-even's requests is another question: a search for the highest rate and `capacity` tell".to_owned());
    }

    fn of(self, target: &TargetSummary) -> TargetProjection {
        let Self { projections, notes } = self;
        TargetProjection { target: target.target.clone(), simulated: target.simulated, projections, notes }
    }
}

/// The difference of two means and its 95 % margin: the margins of both, as independent errors add.
fn difference(of: &Estimate, from: &Estimate) -> Option<(f64, f64)> {
    let margin = (of.high? - of.value).hypot(from.high? - from.value);
    Some((of.value - from.value, margin))
}

#[cfg(test)]
mod tests;
