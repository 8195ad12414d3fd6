//! What a crowd makes of what one alone gets: the same figures of two runs beside each other.

use schema::metric::Metric;
use schema::summary::{Distribution, Estimate, Percentile, Summary, TargetSummary};
use schema::target::TargetName;

/// A figure that a crowd changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Median TTFT, nanoseconds.
    TtftP50Ns,
    /// 95th percentile of TTFT.
    TtftP95Ns,
    /// Median TPOT, nanoseconds.
    TpotP50Ns,
    /// Median E2E, nanoseconds.
    E2eP50Ns,
    /// Median of the tokens per second that one user sees.
    OutputSpeedP50,
    /// Completed requests per second, of all users.
    RequestsPerS,
    /// Output tokens per second, of all users.
    OutputTokensPerS,
    /// Completed ÷ attempted, without those turned away by a limit.
    SuccessRate,
}

impl Figure {
    /// All of them, in the order they are shown in.
    pub const ALL: [Self; 8] = [
        Self::TtftP50Ns,
        Self::TtftP95Ns,
        Self::TpotP50Ns,
        Self::E2eP50Ns,
        Self::OutputSpeedP50,
        Self::RequestsPerS,
        Self::OutputTokensPerS,
        Self::SuccessRate,
    ];

    /// Its name for programs, with its unit.
    pub const fn key(self) -> &'static str {
        match self {
            Self::TtftP50Ns => "ttft_p50_ns",
            Self::TtftP95Ns => "ttft_p95_ns",
            Self::TpotP50Ns => "tpot_p50_ns",
            Self::E2eP50Ns => "e2e_p50_ns",
            Self::OutputSpeedP50 => "output_speed_p50",
            Self::RequestsPerS => "requests_per_s",
            Self::OutputTokensPerS => "output_tokens_per_s",
            Self::SuccessRate => "success_rate",
        }
    }

    /// Its name for people.
    pub const fn heading(self) -> &'static str {
        match self {
            Self::TtftP50Ns => "TTFT p50",
            Self::TtftP95Ns => "TTFT p95",
            Self::TpotP50Ns => "TPOT p50",
            Self::E2eP50Ns => "E2E p50",
            Self::OutputSpeedP50 => "Output speed of one user p50",
            Self::RequestsPerS => "Requests/s of all",
            Self::OutputTokensPerS => "Output tokens/s of all",
            Self::SuccessRate => "Success rate",
        }
    }

    /// Whether it is a time, in nanoseconds.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::TtftP50Ns | Self::TtftP95Ns | Self::TpotP50Ns | Self::E2eP50Ns)
    }

    /// Whether it is a share, 0 to 1.
    pub const fn is_share(self) -> bool {
        matches!(self, Self::SuccessRate)
    }

    fn of(self, summary: &TargetSummary) -> Seen {
        let percentile = |metric: Metric, pick: fn(&Distribution) -> Percentile| {
            summary.metrics.get(&metric).map_or(Seen::Nothing, |distribution| match pick(distribution) {
                Percentile::Known(estimate) => Seen::Known(estimate),
                Percentile::Withheld { needs_more } => Seen::TooFew(needs_more),
            })
        };
        let nothing = summary.attempted == 0;
        match self {
            Self::TtftP50Ns => percentile(Metric::Ttft, |d| d.p50),
            Self::TtftP95Ns => percentile(Metric::Ttft, |d| d.p95),
            Self::TpotP50Ns => percentile(Metric::Tpot, |d| d.p50),
            Self::E2eP50Ns => percentile(Metric::E2e, |d| d.p50),
            Self::OutputSpeedP50 => percentile(Metric::OutputSpeed, |d| d.p50),
            _ if nothing => Seen::Nothing,
            Self::RequestsPerS => Seen::Known(summary.throughput.requests_per_s),
            Self::OutputTokensPerS => Seen::Known(summary.throughput.output_tokens_per_s),
            Self::SuccessRate => Seen::Known(success(summary)),
        }
    }
}

/// Completed ÷ all that no limit turned away, with Wilson's interval.
fn success(summary: &TargetSummary) -> Estimate {
    let throttled: u64 = summary.failures.iter().filter(|(class, _)| class.is_throttling()).map(|(_, n)| n).sum();
    let (low, high) = crate::interval::wilson(summary.completed, summary.attempted.saturating_sub(throttled));
    Estimate { value: summary.success_rate, low: Some(low), high: Some(high) }
}

/// A figure as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// With its 95 % interval.
    Known(Estimate),
    /// So many values more would give it.
    TooFew(u64),
    /// There is none.
    Nothing,
}

impl Seen {
    /// The estimate, where there is one.
    pub const fn known(&self) -> Option<&Estimate> {
        match self {
            Self::Known(estimate) => Some(estimate),
            Self::TooFew(_) | Self::Nothing => None,
        }
    }
}

/// One figure of one target, alone and in the crowd.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Whose.
    pub target: TargetName,
    /// Whether it is a simulated engine.
    pub simulated: bool,
    /// Which.
    pub figure: Figure,
    /// What one alone got.
    pub alone: Seen,
    /// What one of the crowd, or the crowd as a whole, got.
    pub crowd: Seen,
    /// Crowd ÷ alone with its 95 % interval; absent of shares, and where either is not known or zero.
    pub times: Option<Estimate>,
}

/// What becomes of the figures of each target that was measured in both runs: `alone` with one user, `crowd` with many.
/// Figures that neither run has are left out.
pub fn degradation(alone: &Summary, crowd: &Summary) -> Vec<Change> {
    let both = crowd.targets.iter().filter_map(|crowd| {
        let alone = alone.targets.iter().find(|alone| alone.target == crowd.target)?;
        Some((alone, crowd))
    });
    both.flat_map(|(alone, crowd)| Figure::ALL.into_iter().filter_map(|figure| change(figure, alone, crowd))).collect()
}

fn change(figure: Figure, alone: &TargetSummary, crowd: &TargetSummary) -> Option<Change> {
    let (of_alone, of_crowd) = (figure.of(alone), figure.of(crowd));
    let any = of_alone.known().is_some() || of_crowd.known().is_some();
    any.then(|| Change {
        target: crowd.target.clone(),
        simulated: crowd.simulated,
        figure,
        times: both(&of_alone, &of_crowd).filter(|_| !figure.is_share()),
        alone: of_alone,
        crowd: of_crowd,
    })
}

fn both(alone: &Seen, crowd: &Seen) -> Option<Estimate> {
    times(crowd.known()?, alone.known()?)
}

/// `many` ÷ `few`: the difference of their logarithms, with the ends of both intervals combined as for independent
/// estimates (G. Y. Zou & A. Donner, *Statistics in Medicine* 27, 2008, 1693–1702). `None` unless both are above zero.
fn times(many: &Estimate, few: &Estimate) -> Option<Estimate> {
    let log = |x: f64| (x > 0.0 && x.is_finite()).then(|| x.ln());
    let (many_at, few_at) = (log(many.value)?, log(few.value)?);
    let difference = many_at - few_at;
    let arm = |one: Option<f64>, other: Option<f64>| {
        Some((one.and_then(log)? - many_at).hypot(other.and_then(log)? - few_at))
    };
    Some(Estimate {
        value: difference.exp(),
        low: arm(many.low, few.high).map(|arm| (difference - arm).exp()),
        high: arm(many.high, few.low).map(|arm| (difference + arm).exp()),
    })
}

#[cfg(test)]
mod tests {
    use schema::record::{FailureClass, Record};

    use super::*;
    use crate::fixture::{failed, plan, record, target};
    use crate::{Measured, summarise};

    fn estimate(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value, low: Some(low), high: Some(high) }
    }

    #[test]
    fn a_ratio_is_as_uncertain_as_both_of_its_sides() {
        // ln 4 ± √(ln²2 + ln²2), worked out by hand: 4 · 2^±√2.
        let seen = times(&estimate(400.0, 200.0, 800.0), &estimate(100.0, 50.0, 200.0)).unwrap();
        let far = 2f64.powf(2f64.sqrt());
        for (seen, expected) in [(seen.value, 4.0), (seen.low.unwrap(), 4.0 / far), (seen.high.unwrap(), 4.0 * far)] {
            assert!((seen / expected - 1.0).abs() < 1e-12, "{seen} {expected}");
        }
    }

    #[test]
    fn an_end_that_is_not_known_leaves_the_ratio_open() {
        let open = Estimate { value: 2.0, low: Some(1.0), high: None };
        let seen = times(&open, &estimate(1.0, 0.5, 2.0)).unwrap();
        assert!(seen.low.is_some() && seen.high.is_none(), "{seen:?}");
        assert_eq!(times(&estimate(0.0, 0.0, 1.0), &open), None);
        assert_eq!(
            times(&open, &estimate(1.0, 0.0, 2.0)).unwrap().high,
            None,
            "down to nothing is endlessly many times"
        );
    }

    fn summary(requests: u64, ttft: u64) -> Summary {
        let plan = plan(vec![target("a")]);
        let one = |n: u64| Record { index: n, ..record(n * 1_000, &[ttft + n % 7, ttft + 500 + n % 5]) };
        let records: Vec<Record> = (0..requests).map(one).chain([failed(0, FailureClass::Stalled)]).collect();
        summarise(&plan, &Measured::records(&records))
    }

    #[test]
    fn a_crowd_is_held_against_one_alone() {
        let changes = degradation(&summary(20, 50), &summary(100, 400));
        let of = |figure| changes.iter().find(|change| change.figure == figure).unwrap();
        let ttft = of(Figure::TtftP50Ns).times.unwrap();
        assert!((ttft.value - 403.0 / 53.0).abs() < 0.5 && ttft.low.unwrap() < ttft.value, "{ttft:?}");
        let p95 = of(Figure::TtftP95Ns);
        assert!(matches!(p95.alone, Seen::TooFew(52)) && p95.crowd.known().is_some() && p95.times.is_none(), "{p95:?}");
        let success = of(Figure::SuccessRate);
        assert!(success.times.is_none() && success.crowd.known().is_some_and(|share| share.value > 0.9), "{success:?}");
    }

    #[test]
    fn a_target_that_only_one_run_has_is_left_out() {
        let mut crowd = summary(20, 50);
        crowd.targets[0].target = "b".parse().unwrap();
        assert_eq!(degradation(&summary(20, 50), &crowd), []);
    }
}
