//! How much of the misses that an objective allows was used up.

use std::time::Duration;

use jiff::Timestamp;
use schema::plan::Slo;
use schema::summary::Estimate;
use schema::trend::{BudgetUnit, BudgetWindow, ErrorBudget};

use crate::inference::tails::normal_point;
use crate::interval::wilson_at;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Windows of a period at most.
const MOST_WINDOWS: f64 = 1_000.0;

/// What one run adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// When it began.
    pub at: Timestamp,
    /// Requests, or one run.
    pub all: u64,
    /// Of these, those that kept the SLO.
    pub good: u64,
}

/// What is to be kept, and over which time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// The SLO.
    pub slo: Slo,
    /// Share that is to keep it, above 0 and below 1.
    pub share: f64,
    /// What is counted.
    pub unit: BudgetUnit,
    /// Days the budget is for.
    pub period_days: f64,
    /// Days of one window; at most the period, and at least a thousandth of it.
    pub window_days: f64,
}

/// The budget of the period that ends with the last of `counted`, which are in order of time; `None` where there is
/// nothing in it.
///
/// Budget, consumption and burn rate as in the *Site Reliability Workbook* (2018), chapters 2 and 5: the misses allowed are
/// (1 − objective) · all, the burn rate is the share of misses ÷ (1 − objective). The projection lets the last window's burn
/// rate go on and does not count that old misses leave the period.
pub fn error_budget(objective: &Objective, counted: &[Counted]) -> Option<ErrorBudget> {
    let end = counted.last()?.at;
    let begin = back(end, objective.period_days);
    let own: Vec<Counted> = counted.iter().filter(|run| run.at >= begin && run.all > 0).copied().collect();
    if own.is_empty() {
        return None;
    }
    let windows = windows(objective, begin, &own);
    let compliance = share(&own);
    let latest = windows.iter().rev().find(|window| window.all > 0)?;
    let last: Vec<Counted> = own.iter().filter(|run| is_in(latest, run, end)).copied().collect();
    let (consumed, burn_rate) = (missed(compliance, objective.share), missed(share(&last), objective.share));
    Some(ErrorBudget {
        slo: objective.slo,
        objective: objective.share,
        unit: objective.unit,
        period_days: objective.period_days,
        compliance,
        consumed,
        burn_rate,
        exhausted: exhausted(objective, end, consumed.value, burn_rate.value),
        windows,
    })
}

fn back(end: Timestamp, days: f64) -> Timestamp {
    let span = Duration::try_from_secs_f64(days * DAY).unwrap_or_default();
    end.checked_sub(span).unwrap_or(Timestamp::MIN)
}

fn forward(begin: Timestamp, days: f64) -> Option<Timestamp> {
    begin.checked_add(Duration::try_from_secs_f64(days * DAY).ok()?).ok()
}

/// The last window ends with the period, and holds what is at its end.
fn is_in(window: &BudgetWindow, run: &Counted, end: Timestamp) -> bool {
    window.from <= run.at && (run.at < window.to || (window.to == end && run.at == end))
}

/// Windows counted back from the end, the first of them perhaps shorter.
fn windows(objective: &Objective, begin: Timestamp, own: &[Counted]) -> Vec<BudgetWindow> {
    let Some(end) = own.last().map(|run| run.at) else { return Vec::new() };
    let length = objective.window_days.clamp(objective.period_days / MOST_WINDOWS, objective.period_days);
    let mut windows = Vec::new();
    let mut to = end;
    while to > begin {
        let from = back(to, length).max(begin);
        windows.push(window(objective, from, to, own, end));
        to = from;
    }
    windows.reverse();
    windows
}

fn window(objective: &Objective, from: Timestamp, to: Timestamp, own: &[Counted], end: Timestamp) -> BudgetWindow {
    let mut window = BudgetWindow { from, to, runs: 0, all: 0, good: 0, share: None, burn_rate: None };
    for run in own {
        if is_in(&window, run, end) {
            window.runs += 1;
            window.all += run.all;
            window.good += run.good;
        }
    }
    window.share = (window.all > 0).then(|| window.good as f64 / window.all as f64);
    window.burn_rate = window.share.map(|share| (1.0 - share) / (1.0 - objective.share));
    window
}

/// The share of good ones with Wilson's interval for as many independent ones as runs that differ leave of them: n ÷ the
/// design effect of the runs as clusters (L. Kish, *Survey Sampling*, 1965, 5.4).
fn share(own: &[Counted]) -> Estimate {
    let (all, good) = own.iter().fold((0.0, 0.0), |(all, good), run| (all + run.all as f64, good + run.good as f64));
    let share = good / all;
    let (low, high) = wilson_at(share, all / design_effect(own, all, share), normal_point(0.975));
    Estimate { value: share, low: Some(low), high: Some(high) }
}

/// At least 1.
fn design_effect(own: &[Counted], all: f64, share: f64) -> f64 {
    let runs = own.len() as f64;
    let independent = share * (1.0 - share) / all;
    if runs < 3.0 || independent <= 0.0 {
        return 1.0;
    }
    let squares: f64 = own.iter().map(|run| (run.good as f64 - share * run.all as f64).powi(2)).sum();
    (runs / (runs - 1.0) * squares / all.powi(2) / independent).max(1.0)
}

/// Misses of what is allowed, from a share of good ones.
fn missed(share: Estimate, objective: f64) -> Estimate {
    let of = |share: f64| (1.0 - share) / (1.0 - objective);
    Estimate { value: of(share.value), low: share.high.map(of), high: share.low.map(of) }
}

/// The end of the period where it is used up by then.
fn exhausted(objective: &Objective, end: Timestamp, consumed: f64, burn_rate: f64) -> Option<Timestamp> {
    if consumed >= 1.0 {
        return Some(end);
    }
    (burn_rate > 1.0).then(|| forward(end, (1.0 - consumed) * objective.period_days / burn_rate))?
}

#[cfg(test)]
mod tests;
