//! One figure over stored runs: where its level changed, whether it drifts, and what the next run will show.
//!
//! All of it looks at one value a run. How much runs differ from each other is larger than what a run says of its own
//! error, so every run counts the same, however wide its interval.

use std::time::Duration;

use jiff::Timestamp;
use schema::FORMAT_VERSION;
use schema::figure::Figure;
use schema::metric::Metric;
use schema::summary::Estimate;
use schema::target::TargetName;
use schema::trend::{Drift, Forecast, ForecastMethod, ForecastPoint, LevelChange, Trend, TrendPoint};

use crate::inference::tails::t_point;
use crate::inference::{ChangePoint, Design, Side, Statistic, change_points, mann_kendall, ratio, theil_sen};
use crate::quantile::quantile;
use crate::{effective_size, moments};

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// Runs of one level that it takes to forecast from them.
const ENOUGH: usize = 8;

/// Two-sided p-value up to which a drift is taken for one.
const DRIFTS: f64 = 0.05;

/// Days that a forecast reaches at most.
const FARTHEST: u32 = 365;

/// What the values of `points`, which are in order of time, say of `figure`: with a forecast for each of so many days after
/// the last of them. Change points leave [`LevelChange::differences`] to the caller.
pub fn trend(target: &TargetName, figure: Figure, points: Vec<TrendPoint>, days: u32, seed: u64) -> Trend {
    let values: Vec<f64> = points.iter().map(|point| point.value.value).collect();
    let found = change_points(&values, seed);
    let since = found.last().map_or(0, |change| change.index);
    let times: Vec<f64> = points.iter().map(|point| days_after(points[0].run.started, point.run.started)).collect();
    let level = Level { times: &times[since..], values: &values[since..] };
    let drift = level.drift();
    Trend {
        format_version: FORMAT_VERSION,
        target: target.clone(),
        figure,
        simulated: points.iter().any(|point| point.simulated),
        changes: level_changes(figure, &points, &values, &found, seed),
        drift,
        forecast: level.forecast(figure, drift, points.first().map(|point| point.run.started), days.min(FARTHEST)),
        points,
        budget: None,
        notes: Vec::new(),
    }
}

fn days_after(begin: Timestamp, at: Timestamp) -> f64 {
    (at.as_millisecond() - begin.as_millisecond()) as f64 / 1e3 / DAY
}

fn level_changes(
    figure: Figure,
    points: &[TrendPoint],
    values: &[f64],
    found: &[ChangePoint],
    seed: u64,
) -> Vec<LevelChange> {
    let begins: Vec<usize> = std::iter::once(0).chain(found.iter().map(|change| change.index)).collect();
    let ends = begins.iter().skip(1).copied().chain([values.len()]);
    let levels: Vec<&[f64]> = begins.iter().zip(ends).map(|(&begin, end)| &values[begin..end]).collect();
    let told = found.iter().zip(levels.windows(2));
    told.map(|(change, sides)| LevelChange {
        index: change.index,
        began: points[change.index].run.clone(),
        before: change.before,
        after: change.after,
        change: changed(sides[1], sides[0], change, seed),
        better: is_better(figure, change.after - change.before),
        differences: Vec::new(),
    })
    .collect()
}

/// A quantity of tokens is neither good nor bad.
fn is_better(figure: Figure, difference: f64) -> Option<bool> {
    let neutral = matches!(figure, Figure::Metric(Metric::InputTokens | Metric::OutputTokens, _));
    (!neutral && difference != 0.0).then_some((difference > 0.0) == figure.higher_is_better())
}

/// Ratio of the medians of the two levels less one; with an interval where there are runs enough.
fn changed(after: &[f64], before: &[f64], change: &ChangePoint, seed: u64) -> Estimate {
    let side = |values: &[f64]| vec![0; values.len()];
    let (new, old) = (side(after), side(before));
    let (new, old) = (Side { values: after, blocks: &new }, Side { values: before, blocks: &old });
    let less = |x: f64| x - 1.0;
    match ratio(new, old, Statistic::Quantile(0.5), Design::Independent, 0.95, seed) {
        Some(ratio) => Estimate { value: less(ratio.value), low: ratio.low.map(less), high: ratio.high.map(less) },
        None => Estimate { value: change.after / change.before - 1.0, low: None, high: None },
    }
}

/// The runs since the last change.
struct Level<'a> {
    /// Days since the first run of all.
    times: &'a [f64],
    values: &'a [f64],
}

impl Level<'_> {
    /// By Mann and Kendall, serial correlation allowed for, and Theil and Sen; `None` below [`ENOUGH`] runs, or where all are
    /// alike or of one moment.
    fn drift(&self) -> Option<Drift> {
        if self.values.len() < ENOUGH {
            return None;
        }
        let test = mann_kendall(self.values)?;
        let line = theil_sen(self.times, self.values)?;
        Some(Drift { runs: self.values.len() as u64, per_day: line.slope, p: test.p_serial })
    }

    fn forecast(&self, figure: Figure, drift: Option<Drift>, begin: Option<Timestamp>, days: u32) -> Forecast {
        let runs = self.values.len() as u64;
        let Some(begin) = begin.filter(|_| self.values.len() >= ENOUGH) else {
            return Forecast::TooFewRuns { runs, needed: ENOUGH as u64 };
        };
        let (method, law) = match drift.filter(|drift| drift.p <= DRIFTS) {
            Some(drift) => (ForecastMethod::Line, Law::line(self, drift.per_day.value)),
            None => (ForecastMethod::Level, Law::level(self)),
        };
        let last = self.times.last().copied().unwrap_or(0.0);
        let at = |day: u32| last + f64::from(day);
        let point = |day: u32| {
            let value = within(figure, law.at(at(day)));
            moment(begin, at(day)).map(|at| ForecastPoint { at, value })
        };
        Forecast::Known { method, runs, points: (1..=days).filter_map(point).collect() }
    }
}

fn moment(begin: Timestamp, days: f64) -> Option<Timestamp> {
    begin.checked_add(Duration::try_from_secs_f64(days * DAY).ok()?).ok()
}

/// No figure is negative, and no share above one.
fn within(figure: Figure, estimate: Estimate) -> Estimate {
    let most = if figure == Figure::SuccessRate { 1.0 } else { f64::INFINITY };
    let fit = |x: f64| x.clamp(0.0, most);
    Estimate { value: fit(estimate.value), low: estimate.low.map(fit), high: estimate.high.map(fit) }
}

/// How values follow from time, and how far they scatter around that.
struct Law {
    /// Value in the middle of the times.
    centre: f64,
    /// Change a day; nothing for a level.
    slope: f64,
    /// Mean of the times.
    middle: f64,
    /// Σ (time − middle)²; infinite for a level, of which the time does not matter.
    spread: f64,
    /// Standard deviation around it.
    sd: f64,
    /// How many independent runs it is made of, and how many of these numbers were taken from them.
    worth: f64,
    taken: f64,
}

impl Law {
    /// The median: the next run is one more of them.
    fn level(level: &Level<'_>) -> Self {
        let centre = median(level.values.to_vec());
        let left: Vec<f64> = level.values.iter().map(|value| value - centre).collect();
        Self {
            centre,
            slope: 0.0,
            middle: 0.0,
            spread: f64::INFINITY,
            sd: sd(&left, 1.0),
            worth: effective_size(&left),
            taken: 1.0,
        }
    }

    /// The line of Theil and Sen through the median of what it leaves.
    fn line(level: &Level<'_>, slope: f64) -> Self {
        let middle = moments::mean(level.times);
        let flat: Vec<f64> = level.values.iter().zip(level.times).map(|(y, t)| y - slope * (t - middle)).collect();
        let centre = median(flat.clone());
        let left: Vec<f64> = flat.iter().map(|value| value - centre).collect();
        let spread = level.times.iter().map(|t| (t - middle).powi(2)).sum();
        Self { centre, slope, middle, spread, sd: sd(&left, 2.0), worth: effective_size(&left), taken: 2.0 }
    }

    /// The interval in which a run at `time` lies, as of a regression: t · s · √(1 + 1/n + (time − middle)²/Σ(…)²) with n
    /// independent runs (N. R. Draper & H. Smith, *Applied Regression Analysis*, 1998, 1.4), the line a robust one.
    fn at(&self, time: f64) -> Estimate {
        let value = self.centre + self.slope * (time - self.middle);
        let freedom = (self.worth - self.taken).max(1.0);
        let apart = (time - self.middle).powi(2) / self.spread;
        let margin = t_point(0.975, freedom) * self.sd * (1.0 + 1.0 / self.worth + apart).sqrt();
        Estimate { value, low: Some(value - margin), high: Some(value + margin) }
    }
}

/// Root of the mean square of what is left by a law with so many numbers of its own.
fn sd(left: &[f64], taken: f64) -> f64 {
    let squares: f64 = left.iter().map(|x| x * x).sum();
    (squares / (left.len() as f64 - taken).max(1.0)).sqrt()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    quantile(&values, 0.5)
}

#[cfg(test)]
mod tests;
