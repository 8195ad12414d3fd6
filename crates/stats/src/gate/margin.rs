//! How much a figure changed, and how sure that is.

use schema::figure::{At, Figure};
use schema::summary::{Estimate, Percentile};

use super::reading::Reading;
use crate::inference::tails::{normal_point, t_point};
use crate::inference::{Design, Mean, Side, Statistic, interval, ratio};
use crate::interval::{values_needed_beyond, wilson_at};
use crate::quantile::quantile;
use crate::{effective_size, moments};

/// Confidence of the intervals that errors within a run are taken back from.
const WITHIN: f64 = 0.95;

/// Independent values that a mean needs for an interval.
const LEAST: f64 = 5.0;

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub(super) enum Against<'a> {
    /// One run: how much runs differ from each other is not known.
    One(&'a Reading),
    /// Two at least: they tell it.
    Several(&'a [&'a Reading]),
}

/// How a figure changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// run ÷ baseline − 1, of a share run − baseline, with its interval.
    pub(super) estimate: Estimate,
    /// The spread between runs, where that makes the interval wide: more requests would not help.
    pub(super) between: Option<Between>,
}

/// How much the runs of a baseline differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Between {
    /// Their standard deviation: of logarithms, of shares as they are.
    pub(super) sd: f64,
    /// How many they are.
    pub(super) runs: usize,
}

impl Between {
    /// Half the width of the interval in which one more run lies, by Student's t: t(k − 1) · s · √(1 + 1/k).
    pub(super) fn margin(self, confidence: f64) -> f64 {
        let k = self.runs as f64;
        t_point(one_sided(confidence), k - 1.0) * self.sd * (1.0 + 1.0 / k).sqrt()
    }
}

/// Why there is no interval.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lacking {
    pub(super) why: String,
    /// Requests that are missing, where that is all.
    pub(super) more_requests: Option<u64>,
}

impl Lacking {
    fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), more_requests: None }
    }
}

/// How `figure` changed from `baseline` to `run`, with its two-sided interval at `confidence`.
pub(super) fn change(
    figure: Figure,
    run: &Reading,
    baseline: Against<'_>,
    confidence: f64,
    seed: u64,
) -> Result<Change, Lacking> {
    lacks(run, "the run")?;
    match baseline {
        Against::One(one) => {
            lacks(one, "the baseline")?;
            Ok(Change { estimate: against_one(figure, run, one, confidence, seed)?, between: None })
        }
        Against::Several(several) => {
            several.iter().try_for_each(|one| lacks(one, "a run of the baseline"))?;
            against_several(figure, run, several, confidence, seed)
        }
    }
}

/// What a reading lacks to be compared at all.
fn lacks(reading: &Reading, whose: &str) -> Result<(), Lacking> {
    match reading {
        Reading::None { why } => Err(Lacking::because(format!("{whose} has no such figure: {why}"))),
        Reading::Values { shown: Percentile::Withheld { needs_more }, values, requests, .. } => {
            // Of gaps there are many a request.
            let more = (needs_more * requests).div_ceil((values.len() as u64).max(1)).max(1);
            let why = format!("{whose} has too few requests for this percentile");
            Err(Lacking { why, more_requests: Some(more) })
        }
        _ => Ok(()),
    }
}

fn against_one(
    figure: Figure,
    run: &Reading,
    baseline: &Reading,
    confidence: f64,
    seed: u64,
) -> Result<Estimate, Lacking> {
    match (run, baseline) {
        (Reading::Values { values, blocks, .. }, Reading::Values { values: old, blocks: old_blocks, .. }) => {
            let (new, old) = (Side { values, blocks }, Side { values: old, blocks: old_blocks });
            ratio_of(figure, new, old, confidence, seed)
        }
        (Reading::Rate { rate, .. }, Reading::Rate { rate: old, .. }) => ratio_of_rates(*rate, *old, confidence),
        (Reading::Share { hits, of, worth }, Reading::Share { hits: old, of: old_of, worth: old_worth }) => {
            Ok(newcombe(Worth::of(*hits, *of, *worth), Worth::of(*old, *old_of, *old_worth), confidence))
        }
        _ => Err(Lacking::because("the two figures are of different kinds")),
    }
}

fn ratio_of(figure: Figure, new: Side<'_>, old: Side<'_>, confidence: f64, seed: u64) -> Result<Estimate, Lacking> {
    let nothing = |side: &Side<'_>| side.values.iter().all(|x| *x == 0.0);
    if nothing(&new) && nothing(&old) {
        return Ok(Estimate { value: 0.0, low: Some(0.0), high: Some(0.0) });
    }
    let found = ratio(new, old, statistic(figure), Design::Independent, confidence, seed);
    let changed = found.map(|ratio| less_one(&ratio)).filter(|change| change.value.is_finite());
    changed.ok_or_else(|| {
        let more = missing(figure, &new, confidence).max(missing(figure, &old, confidence));
        let why = "the requests are worth too few independent ones for an interval";
        Lacking { why: why.to_owned(), more_requests: more }
    })
}

/// Requests that a side lacks for an interval, at what its values are worth as they follow each other: of a percentile, what
/// the series of being below it is worth. As many again at most, where that already seems enough.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
fn missing(figure: Figure, side: &Side<'_>, confidence: f64) -> Option<u64> {
    let values = side.values.len() as f64;
    let (needed, worth) = match statistic(figure) {
        Statistic::Quantile(q) => {
            let mut sorted = side.values.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            let edge = quantile(&sorted, q);
            let below: Vec<f64> = side.values.iter().map(|x| f64::from(u8::from(*x <= edge))).collect();
            (values_needed_beyond(q, 1.0 - one_sided(confidence)), effective_size(&below))
        }
        Statistic::Mean => (LEAST, effective_size(side.values)),
    };
    let times = needed / worth - 1.0;
    (worth > 0.0).then(|| (values * if times > 0.0 { times } else { 1.0 }).ceil() as u64)
}

const fn statistic(figure: Figure) -> Statistic {
    match figure {
        Figure::Metric(_, At::Quantile(q)) => Statistic::Quantile(q.get()),
        _ => Statistic::Mean,
    }
}

fn less_one(ratio: &Estimate) -> Estimate {
    let less = |x: f64| x - 1.0;
    Estimate { value: less(ratio.value), low: ratio.low.map(less), high: ratio.high.map(less) }
}

/// The ratio of two rates less one: on the logarithmic scale, by Welch's t with the delta method's errors.
fn ratio_of_rates(new: Mean, old: Mean, confidence: f64) -> Result<Estimate, Lacking> {
    if new.value <= 0.0 || old.value <= 0.0 {
        return Err(Lacking::because("a rate of zero has no ratio"));
    }
    let (v1, v2) = ((new.error / new.value).powi(2), (old.error / old.value).powi(2));
    if !(v1 + v2).is_finite() {
        return Err(Lacking::because("a rate has an interval from three blocks on: `--blocks 3` or more"));
    }
    let parts = v1.powi(2) / new.freedom + v2.powi(2) / old.freedom;
    let freedom = if parts > 0.0 { (v1 + v2).powi(2) / parts } else { new.freedom };
    let margin = t_point(one_sided(confidence), freedom) * (v1 + v2).sqrt();
    Ok(around((new.value / old.value).ln(), margin, Scale::Logarithm))
}

/// A share, and how many independent requests it is of.
#[derive(Debug, Clone, Copy)]
struct Worth {
    share: f64,
    of: f64,
}

impl Worth {
    fn of(hits: u64, of: u64, worth: f64) -> Self {
        Self { share: hits as f64 / of as f64, of: worth }
    }

    /// Variance of the share, with a success and a failure more: a share of all is not certain for that.
    fn variance(self) -> f64 {
        let p = (self.share * self.of + 1.0) / (self.of + 2.0);
        p * (1.0 - p) / (self.of + 2.0)
    }
}

/// The difference of two shares by the square-and-add interval of their Wilson intervals (R. G. Newcombe, *Statistics
/// in Medicine* 17, 1998, 873–890, method 10).
fn newcombe(new: Worth, old: Worth, confidence: f64) -> Estimate {
    let z = normal_point(one_sided(confidence));
    let ((l1, u1), (l2, u2)) = (wilson_at(new.share, new.of, z), wilson_at(old.share, old.of, z));
    let difference = new.share - old.share;
    let root = |a: f64, b: f64| (a.powi(2) + b.powi(2)).sqrt();
    let low = difference - root(new.share - l1, u2 - old.share);
    let high = difference + root(u1 - new.share, old.share - l2);
    Estimate { value: difference, low: Some(low), high: Some(high) }
}

/// One run's figure on the scale on which runs are compared, with its variance within the run.
#[derive(Debug, Clone, Copy)]
struct Point {
    at: f64,
    variance: f64,
}

/// On which scale figures of runs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// Of logarithms: what is positive.
    Logarithm,
    /// As they are: shares.
    Plain,
}

/// The run against the mean of several: by the interval in which one more run of their kind would lie (Student's t on
/// k − 1 degrees of freedom, s² (1 + 1/k)), which is exact for runs of one size that scatter normally on their scale. A run
/// less precise than theirs has the difference of the variances added; and the interval is never narrower than that of
/// the errors within the runs, for a few runs may agree by chance.
fn against_several(
    figure: Figure,
    run: &Reading,
    several: &[&Reading],
    confidence: f64,
    seed: u64,
) -> Result<Change, Lacking> {
    let scale = if matches!(run, Reading::Share { .. }) { Scale::Plain } else { Scale::Logarithm };
    let new = point(figure, run, seed)?;
    let old = several.iter().map(|one| point(figure, one, seed)).collect::<Result<Vec<Point>, Lacking>>()?;
    let centres: Vec<f64> = old.iter().map(|point| point.at).collect();
    let k = old.len() as f64;
    let within: f64 = old.iter().map(|point| point.variance).sum();
    let between = Between { sd: moments::sd(&centres).unwrap_or(0.0), runs: old.len() };
    let less_precise = (new.variance - within / k).max(0.0);
    let beyond = t_point(one_sided(confidence), k - 1.0) * less_precise.sqrt();
    let across = between.margin(confidence).hypot(beyond);
    let inside = normal_point(one_sided(confidence)) * (new.variance + within / (k * k)).sqrt();
    let estimate = around(new.at - moments::mean(&centres), across.max(inside), scale);
    Ok(Change { estimate, between: (across > inside).then_some(between) })
}

fn point(figure: Figure, reading: &Reading, seed: u64) -> Result<Point, Lacking> {
    let logarithm = |value: f64, variance: f64| {
        if value > 0.0 {
            Ok(Point { at: value.ln(), variance: if variance.is_finite() { variance } else { 0.0 } })
        } else {
            Err(Lacking::because("a figure of zero has no ratio"))
        }
    };
    match reading {
        Reading::Values { values, blocks, shown, .. } => {
            let value = shown.known().map_or(f64::NAN, |known| known.value);
            let found = interval(Side { values, blocks }, statistic(figure), WITHIN, seed);
            let ends = found.and_then(|estimate| estimate.low.zip(estimate.high)).filter(|(low, _)| *low > 0.0);
            let width = ends.map_or(0.0, |(low, high)| (high / low).ln());
            logarithm(value, (width / (2.0 * normal_point(one_sided(WITHIN)))).powi(2))
        }
        Reading::Rate { rate, .. } => logarithm(rate.value, (rate.error / rate.value).powi(2)),
        Reading::Share { hits, of, worth } => {
            let share = Worth::of(*hits, *of, *worth);
            Ok(Point { at: share.share, variance: share.variance() })
        }
        Reading::None { why } => Err(Lacking::because(why.clone())),
    }
}

/// The change, from its place and margin on the scale.
fn around(at: f64, margin: f64, scale: Scale) -> Estimate {
    let back = |x: f64| match scale {
        Scale::Logarithm => x.exp_m1(),
        Scale::Plain => x,
    };
    Estimate { value: back(at), low: Some(back(at - margin)), high: Some(back(at + margin)) }
}

/// Both ends of a two-sided interval leave out as much.
pub(super) fn one_sided(confidence: f64) -> f64 {
    f64::midpoint(1.0, confidence)
}
