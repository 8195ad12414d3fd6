//! Verdicts on bounds.

use schema::figure::Figure;
use schema::gate::{Bound, Check, CheckVerdict, SloCheck};
use schema::summary::{Estimate, Percentile};
use schema::target::TargetName;

use super::margin::{Against, Between, Change, Lacking, change};
use super::reading::{Reading, Readings};
use schema::counted;

/// How often a gate may fail a run whose figures are all within their bounds, all checks together.
const ERROR_RATE: f64 = 0.05;

/// Confidence of what is told without having been asked for.
const ASIDE: f64 = 0.95;

/// A bound narrower than this does not ask for an interval narrower than this.
const LEAST_REACH: f64 = 0.05;

/// Runs of a baseline beyond which more are not proposed.
const MOST_RUNS: usize = 30;

/// What became of all bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Confidence of each check's two-sided interval.
    pub confidence: f64,
    /// Whether how much runs differ from each other is in the intervals.
    pub between_runs: bool,
    /// One a bound and target.
    pub checks: Vec<Check>,
    /// One an SLO and target of the run, whether or not the baseline has it.
    pub slos: Vec<SloCheck>,
    /// What was noticed besides.
    pub notes: Vec<String>,
}

/// Holds a run against the runs of a baseline: `bounds` in the order of the readings' figures, each at every target that
/// the baseline has. The same readings and seed give the same verdicts.
pub fn judge(run: &[Readings], baseline: &[Vec<Readings>], bounds: &[Bound], seed: u64) -> Judged {
    let pairs = pairs(run, baseline);
    let checks = (bounds.len() * pairs.len()).max(1);
    let confidence = 1.0 - 2.0 * ERROR_RATE / checks as f64;
    let slo = |new: &Readings| {
        let of_one = |verdict| SloCheck { target: new.target.clone(), simulated: new.simulated, verdict };
        new.slos.clone().into_iter().map(of_one).collect::<Vec<_>>()
    };
    Judged {
        confidence,
        between_runs: baseline.len() > 1,
        checks: pairs
            .iter()
            .flat_map(|pair| bounds.iter().enumerate().map(move |(i, bound)| pair.check(*bound, i, confidence, seed)))
            .collect(),
        slos: run.iter().flat_map(slo).collect(),
        notes: pairs.iter().filter_map(|pair| pair.unasked(bounds)).collect(),
    }
}

/// One target on both sides.
struct Pair<'a> {
    target: &'a TargetName,
    new: Option<&'a Readings>,
    old: Vec<&'a Readings>,
}

/// Targets of the baseline: first those that the run has too, in its order.
fn pairs<'a>(run: &'a [Readings], baseline: &'a [Vec<Readings>]) -> Vec<Pair<'a>> {
    let old = |target: &TargetName| baseline.iter().flatten().filter(|old| old.target == *target).collect::<Vec<_>>();
    let mut pairs: Vec<Pair<'a>> =
        run.iter().map(|new| Pair { target: &new.target, new: Some(new), old: old(&new.target) }).collect();
    pairs.retain(|pair| !pair.old.is_empty());
    for gone in baseline.iter().flatten().filter(|old| run.iter().all(|new| new.target != old.target)) {
        if pairs.iter().all(|pair| *pair.target != gone.target) {
            pairs.push(Pair { target: &gone.target, new: None, old: old(&gone.target) });
        }
    }
    pairs
}

impl Pair<'_> {
    /// The bound at place `i`.
    fn check(&self, bound: Bound, i: usize, confidence: f64, seed: u64) -> Check {
        let old: Vec<&Reading> = self.old.iter().map(|old| &old.figures[i]).collect();
        let mut check = Check {
            target: self.target.clone(),
            simulated: self.new.is_some_and(|new| new.simulated) || self.old.iter().any(|old| old.simulated),
            bound,
            baseline: centre(&old),
            run: self.new.and_then(|new| shown(&new.figures[i])),
            change: None,
            verdict: CheckVerdict::Undecided,
            more_requests: None,
            why: String::new(),
        };
        let Some(new) = self.new else {
            check.why.push_str("the run has no such target");
            return check;
        };
        if new.completed == 0 && self.old.iter().any(|old| old.completed > 0) {
            check.verdict = CheckVerdict::Regression;
            check.why = format!("none of its {} completed", counted(new.attempted, "request"));
            return check;
        }
        let against = match old.as_slice() {
            [one] => Against::One(one),
            several => Against::Several(several),
        };
        match change(bound.figure, &new.figures[i], against, confidence, seed) {
            Ok(change) => Finding::new(bound, change, confidence, requests(&new.figures[i])).tell(&mut check),
            Err(Lacking { why, more_requests }) => {
                check.why = with_more(&why, more_requests);
                check.more_requests = more_requests;
            }
        }
        check
    }

    /// That fewer requests succeed now, where no bound looks at it.
    fn unasked(&self, bounds: &[Bound]) -> Option<String> {
        let new = self.new?;
        if bounds.iter().any(|bound| bound.figure == Figure::SuccessRate) {
            return None;
        }
        let old: Vec<&Reading> = self.old.iter().map(|old| &old.success).collect();
        let against = if let [one] = old.as_slice() { Against::One(one) } else { Against::Several(&old) };
        let found = change(Figure::SuccessRate, &new.success, against, ASIDE, 0).ok()?;
        let (before, now) = (centre(&old)?.value, shown(&new.success)?.value);
        found.estimate.high.is_some_and(|high| high < 0.0).then(|| {
            format!(
                "`{}` succeeds less often than it did, {:.1} % instead of {:.1} %, and no bound looks at that: `--max-regression \
                 success_rate=1%` would",
                self.target,
                now * 100.0,
                before * 100.0
            )
        })
    }
}

/// How many requests a reading is of.
const fn requests(reading: &Reading) -> u64 {
    match reading {
        Reading::Values { requests, .. } | Reading::Rate { requests, .. } => *requests,
        Reading::Share { of, .. } => *of,
        Reading::None { .. } => 0,
    }
}

/// The figure as it is shown.
fn shown(reading: &Reading) -> Option<Estimate> {
    match reading {
        Reading::Values { shown, .. } => Percentile::known(shown).copied(),
        Reading::Rate { rate, .. } => {
            let margin = crate::interval::t_point(rate.freedom) * rate.error;
            Some(crate::interval::around(rate.value, margin))
        }
        Reading::Share { hits, of, .. } => {
            let (low, high) = crate::interval::wilson(*hits, *of);
            Some(Estimate { value: *hits as f64 / *of as f64, low: Some(low), high: Some(high) })
        }
        Reading::None { .. } => None,
    }
}

/// The figure of one run with its interval, of several their mean: on the scale on which they are compared.
fn centre(old: &[&Reading]) -> Option<Estimate> {
    let all: Vec<Estimate> = old.iter().filter_map(|reading| shown(reading)).collect();
    if let [one] = all.as_slice() {
        return Some(*one);
    }
    let plain = old.iter().any(|reading| matches!(reading, Reading::Share { .. }));
    let mean = |of: fn(f64) -> f64| all.iter().map(|estimate| of(estimate.value)).sum::<f64>() / all.len() as f64;
    let value = if plain { mean(|x| x) } else { mean(f64::ln).exp() };
    value.is_finite().then_some(Estimate { value, low: None, high: None })
}

/// A change seen from its bound: positive is worse.
struct Finding {
    bound: Bound,
    change: Change,
    confidence: f64,
    requests: u64,
    /// The change for the worse.
    worse: f64,
    /// The least it can be, and the most.
    least: f64,
    most: f64,
}

impl Finding {
    fn new(bound: Bound, change: Change, confidence: f64, requests: u64) -> Self {
        let Estimate { value, low, high } = change.estimate;
        let (low, high) = (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
        let (worse, least, most) =
            if bound.figure.higher_is_better() { (-value, -high, -low) } else { (value, low, high) };
        Self { bound, change, confidence, requests, worse, least, most }
    }

    fn tell(&self, check: &mut Check) {
        check.change = Some(self.change.estimate);
        let allowed = self.amount(self.bound.worse);
        if self.least > self.bound.worse {
            check.verdict = CheckVerdict::Regression;
            check.why = format!("certainly worse by more than {allowed}");
        } else if self.most <= self.bound.worse {
            check.verdict = CheckVerdict::Pass;
            check.why = if self.most < 0.0 {
                "certainly better".to_owned()
            } else {
                format!("certainly not worse by more than {allowed}")
            };
        } else if self.would_have_shown() {
            check.verdict = CheckVerdict::Pass;
            let seen = self.amount(self.bound.worse + self.margin());
            check.why = format!("not shown to be worse by more than {allowed}; {seen} would likely have shown");
        } else {
            self.leave_open(check);
        }
    }

    /// From the estimate to the end that a regression is judged by.
    fn margin(&self) -> f64 {
        self.worse - self.least
    }

    /// How wide that may be for "not shown" to mean something.
    fn reach(&self) -> f64 {
        self.bound.worse.max(LEAST_REACH)
    }

    fn would_have_shown(&self) -> bool {
        self.worse <= self.bound.worse && self.margin() <= self.reach()
    }

    /// Too little data: what would tell.
    fn leave_open(&self, check: &mut Check) {
        let spans = format!("it is between {} and {}", self.direction(self.least), self.direction(self.most));
        if let Some(between) = self.change.between {
            let also = match self.runs_needed(between) {
                Some(runs) => format!("a baseline of {runs} runs in place of {} would tell", between.runs),
                None => "runs of the baseline differ too much from each other for this bound".to_owned(),
            };
            check.why = format!("{spans}; {also}");
            return;
        }
        let more = self.requests_needed();
        check.more_requests = more;
        check.why = with_more(&spans, more);
        if more.is_none() {
            check.why.push_str("; it is too close to the bound for more requests to tell");
        }
    }

    /// How wide the margin may be for a verdict to come of it, if the change stays what it is.
    fn wanted(&self) -> f64 {
        if self.worse > self.bound.worse { self.worse - self.bound.worse } else { self.reach() }
    }

    /// An interval is as wide as one over the root of the requests.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and below a million")]
    fn requests_needed(&self) -> Option<u64> {
        let times = (self.margin() / self.wanted()).powi(2);
        let more = self.requests as f64 * (times - 1.0);
        (more.is_finite() && more < 1e6).then_some(two_digits(more.max(1.0)) as u64)
    }

    fn runs_needed(&self, between: Between) -> Option<usize> {
        let enough = |runs: &usize| Between { runs: *runs, ..between }.margin(self.confidence) <= self.wanted();
        (between.runs + 1..=MOST_RUNS).find(enough)
    }

    /// `5 %`, `0.5 points`.
    fn amount(&self, share: f64) -> String {
        let percent = share.abs() * 100.0;
        let digits = usize::from(percent < 9.95 && (percent - percent.round()).abs() > 0.05);
        let unit = if self.bound.figure == Figure::SuccessRate { "points" } else { "%" };
        format!("{percent:.digits$} {unit}")
    }

    fn direction(&self, worse: f64) -> String {
        format!("{} {}", self.amount(worse), if worse < 0.0 { "better" } else { "worse" })
    }
}

/// The next number above that has two digits and zeros after them: more would be a false precision.
fn two_digits(number: f64) -> f64 {
    let unit = 10_f64.powf((number.log10().floor() - 1.0).max(0.0));
    (number / unit).ceil() * unit
}

/// With how many requests more would tell.
fn with_more(why: &str, more: Option<u64>) -> String {
    match more {
        Some(more) => {
            format!("{why}; about {} on either side would tell", counted(more, "more request"))
        }
        None => why.to_owned(),
    }
}
