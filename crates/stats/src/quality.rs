//! A plain verdict on the figures themselves: did the client shape them, and does the sample carry
//! them?

use schema::metric::Metric;
use schema::summary::{Calibration, Distribution, Percentile, Quality, Trust};
use schema::target::TargetName;
use schema::units::{Nanos, Quantile};

use crate::interval;
use schema::counted;

/// Our lateness may be this share of the median TTFT before it counts as the limit.
pub(crate) const LAG_SHARE_OF_TTFT: f64 = 0.1;

/// Lateness of the client below this is never called the limit, however fast the server.
pub(crate) const LAG_FLOOR: Nanos = Nanos::from_millis(1);

/// Requests sent later than this do not carry out the load asked for, however slow the server.
pub(crate) const SCHEDULE_LAG_CEILING: Nanos = Nanos::from_millis(10);

/// Share of events that may share a socket read, and their stamp with it, before that counts as distortion.
const SHARED_READS_TOLERATED: f64 = 0.05;

/// Share of kernel-stamped arrivals below which the reader is told.
const KERNEL_STAMPED_ENOUGH: f64 = 0.99;

/// The built-in engine's share of what was measured from which on it is told, and from which on it dominates.
const FLOOR_TOLD: f64 = 0.1;
const FLOOR_DOMINATES: f64 = 0.5;

/// The same for requests offered, of those that this machine can carry.
const RATE_TOLD: f64 = 0.5;
const RATE_DOMINATES: f64 = 0.9;

/// What sending late says of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lateness {
    /// It is the client's own.
    OfTheClient,
    /// Many were due at one instant, and no client sends them at once.
    OfTheCrowd,
    /// Requests were held back on purpose: why.
    OnPurpose(&'static str),
}

/// What the verdict is made of.
pub(crate) struct Evidence<'a> {
    /// TTFT, or E2E where answers come in one piece by their nature.
    pub(crate) first: Metric,
    pub(crate) ttft: Option<&'a Distribution>,
    pub(crate) ttft_p50: Option<f64>,
    pub(crate) lateness: Lateness,
    /// Requests per second: offered in an open loop, else completed.
    pub(crate) requests_per_s: f64,
    pub(crate) calibration: Option<&'a Calibration>,
    pub(crate) itl_p50: Option<f64>,
    /// What the p99 is at least.
    pub(crate) client_lag_p99: Option<f64>,
    pub(crate) shared_reads: f64,
    /// What the p99 is at least.
    pub(crate) schedule_lag_p99: Option<f64>,
    pub(crate) kernel_stamped: f64,
    pub(crate) starved_slos: u64,
    /// Why the load was not the one asked for, where it was not.
    pub(crate) not_offered: Option<String>,
}

/// The verdict on one target, with its reasons.
pub(crate) fn of_target(evidence: &Evidence<'_>) -> Quality {
    let Some(ttft) = evidence.ttft else {
        return Quality { trust: Trust::NoData, reasons: vec!["no request completed".to_owned()] };
    };
    let floor = Floor::of(evidence);
    let limits = [evidence.not_offered.clone(), late_reading(evidence), late_sending(evidence)];
    let limits: Vec<String> = limits.into_iter().flatten().chain(floor.dominates).collect();
    let thin: Vec<String> = [thin_sample(ttft), starved(evidence)].into_iter().flatten().collect();
    let trust = match (limits.is_empty(), thin.is_empty()) {
        (false, _) => Trust::ClientLimited,
        (true, false) => Trust::TooFewSamples,
        (true, true) => Trust::Trustworthy,
    };
    let notes = [withheld(evidence.first, ttft), unstamped(evidence), harmless_lag(evidence), held_back(evidence)];
    let notes = notes.into_iter().flatten().chain(floor.told);
    Quality { trust, reasons: limits.into_iter().chain(thin).chain(notes).collect() }
}

/// What is to be said of the client's lateness while a run goes on: what is in the figures, and what is not.
pub(crate) fn lateness(evidence: &Evidence<'_>) -> (Vec<String>, Vec<String>) {
    let (read, sent) = (late_reading(evidence), late_sending(evidence));
    (read.into_iter().chain(sent).collect(), harmless_lag(evidence).into_iter().collect())
}

/// Reading late does not move a kernel-stamped arrival, so it distorts only where events share a read,
/// and their stamps with it: then earlier ones get the time of the last.
fn late_reading(evidence: &Evidence<'_>) -> Option<String> {
    let lag = evidence.client_lag_p99?;
    let share = evidence.shared_reads;
    (read_late(evidence, lag) && share > SHARED_READS_TOLERATED).then(|| {
        format!(
            "the client read late: client lag p99 at least {}, and {:.0} % of the events shared a read",
            text(lag),
            share * 100.0
        )
    })
}

/// Worth a word, though the kernel's stamps kept it out of the figures.
fn harmless_lag(evidence: &Evidence<'_>) -> Option<String> {
    let lag = evidence.client_lag_p99?;
    (read_late(evidence, lag) && evidence.shared_reads <= SHARED_READS_TOLERATED).then(|| {
        format!(
            "the client read late (client lag p99 at least {}); kernel stamps keep that out of the figures",
            text(lag)
        )
    })
}

/// Whether the client's delay in reading would be noticed, were it in the figures.
fn read_late(evidence: &Evidence<'_>, lag: f64) -> bool {
    let ttft = evidence.ttft_p50.map_or(f64::INFINITY, |ttft| ttft * LAG_SHARE_OF_TTFT);
    lag > ttft.min(evidence.itl_p50.unwrap_or(f64::INFINITY)).max(nanos(LAG_FLOOR))
}

/// Sending late changes the load: by a noticeable part of TTFT, or by more than a fixed ceiling (for a crowd, by
/// more than both).
fn late_sending(evidence: &Evidence<'_>) -> Option<String> {
    let lag = evidence.schedule_lag_p99?;
    let ttft = evidence.ttft_p50.map_or(f64::INFINITY, |ttft| ttft * LAG_SHARE_OF_TTFT);
    let limit = match evidence.lateness {
        Lateness::OfTheClient => ttft.clamp(nanos(LAG_FLOOR), nanos(SCHEDULE_LAG_CEILING)),
        Lateness::OfTheCrowd => ttft.max(nanos(SCHEDULE_LAG_CEILING)),
        Lateness::OnPurpose(_) => return None,
    };
    (lag > limit).then(|| {
        format!(
            "the client sent late: schedule lag p99 at least {}, where {} begins to distort",
            text(lag),
            text(limit)
        )
    })
}

/// Sending late on purpose says nothing of the client, and hides it if it was late besides.
fn held_back(evidence: &Evidence<'_>) -> Option<String> {
    let (Lateness::OnPurpose(why), lag) = (evidence.lateness, evidence.schedule_lag_p99?) else { return None };
    (lag > nanos(LAG_FLOOR))
        .then(|| format!("schedule lag p99 of at least {} is no fault of the client: {why}", text(lag)))
}

/// What the calibration says: sentences on shares of this machine's own that are worth telling, and on those that
/// make the figures its own more than the target's.
#[derive(Default)]
struct Floor {
    told: Vec<String>,
    dominates: Vec<String>,
}

impl Floor {
    fn of(evidence: &Evidence<'_>) -> Self {
        let mut floor = Self::default();
        let Some(calibration) = evidence.calibration else { return floor };
        if let Some(measured) = evidence.ttft_p50 {
            let (own, first) = (calibration.ttft_p50_ns, evidence.first);
            let sentence =
                format!("this machine's own floor is {} of the {first} p50 of {}", text(own), text(measured));
            floor.judge(own / measured, FLOOR_TOLD, FLOOR_DOMINATES, sentence);
        }
        if let Some((own, measured)) = calibration.itl_error_p99_ns.zip(evidence.itl_p50.filter(|itl| *itl > 0.0)) {
            let sentence = format!(
                "this machine's own ITL error is {} at p99, beside an ITL p50 of {}",
                text(own),
                text(measured)
            );
            floor.judge(own / measured, FLOOR_TOLD, FLOOR_DOMINATES, sentence);
        }
        let (rate, most) = (evidence.requests_per_s, calibration.most_requests_per_s);
        let sentence = format!("{rate:.1} requests/s, where this machine can carry {most:.1}/s in this shape");
        floor.judge(rate / most, RATE_TOLD, RATE_DOMINATES, sentence);
        floor
    }

    fn judge(&mut self, share: f64, told: f64, dominates: f64, sentence: String) {
        if share > dominates {
            self.dominates.push(sentence);
        } else if share > told {
            self.told.push(sentence);
        }
    }
}

/// Too few for the p90 of what has one value a request: too few for a verdict.
fn thin_sample(ttft: &Distribution) -> Option<String> {
    let needed = interval::values_needed(Quantile::P90.get());
    (ttft.n < needed).then(|| format!("{}, where a p90 needs {needed}", counted(ttft.n, "completed request")))
}

fn starved(evidence: &Evidence<'_>) -> Option<String> {
    let open = evidence.starved_slos;
    (open > 0).then(|| format!("{} undecided for want of requests", counted(open, "SLO")))
}

/// `TTFT p95 takes 52 more requests, p99 348`: what is not printed, and what would change that.
fn withheld(metric: Metric, ttft: &Distribution) -> Option<String> {
    let named = [("p50", ttft.p50), ("p90", ttft.p90), ("p95", ttft.p95), ("p99", ttft.p99)];
    let lacking: Vec<(&str, u64)> = named
        .iter()
        .filter_map(|(name, percentile)| match percentile {
            Percentile::Withheld { needs_more } => Some((*name, *needs_more)),
            Percentile::Known(_) => None,
        })
        .collect();
    let ((name, more), others) = lacking.split_first()?;
    let mut takes = vec![format!("{metric} {name} takes {}", counted(*more, "more request"))];
    takes.extend(others.iter().map(|(name, more)| format!("{name} {more}")));
    Some(takes.join(", "))
}

fn unstamped(evidence: &Evidence<'_>) -> Option<String> {
    let percent = evidence.kernel_stamped * 100.0;
    (evidence.kernel_stamped < KERNEL_STAMPED_ENOUGH).then(|| {
        format!("{percent:.0} % of arrivals are kernel-stamped; the others include the client's own, unmeasured delay")
    })
}

/// The worst of the targets' verdicts, with the reasons of all.
pub(crate) fn worst<'a>(targets: impl Iterator<Item = (&'a TargetName, &'a Quality)>) -> Quality {
    let mut worst = Quality { trust: Trust::Trustworthy, reasons: Vec::new() };
    let mut none = true;
    for (name, quality) in targets {
        none = false;
        worst.trust = worst.trust.max(quality.trust);
        worst.reasons.extend(quality.reasons.iter().map(|reason| format!("{name}: {reason}")));
    }
    if none { Quality { trust: Trust::NoData, reasons: vec!["no target was measured".to_owned()] } } else { worst }
}

fn nanos(span: Nanos) -> f64 {
    span.0 as f64
}

fn text(nanos: f64) -> Nanos {
    Nanos::from_secs_f64(nanos / 1e9)
}

#[cfg(test)]
mod tests;
