//! A plain verdict on the figures themselves: did the client shape them, and does the sample carry
//! them?

use schema::metric::Metric;
use schema::summary::{Distribution, Percentile, Quality, Trust};
use schema::target::TargetName;
use schema::units::{Nanos, Quantile};

use crate::interval;

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

/// What the verdict is made of.
pub(crate) struct Evidence<'a> {
    pub(crate) ttft: Option<&'a Distribution>,
    pub(crate) ttft_p50: Option<f64>,
    pub(crate) itl_p50: Option<f64>,
    pub(crate) client_lag_p99: Option<f64>,
    pub(crate) shared_reads: f64,
    pub(crate) schedule_lag_p99: Option<f64>,
    pub(crate) kernel_stamped: f64,
    pub(crate) starved_slos: u64,
}

/// The verdict on one target, with its reasons.
pub(crate) fn of_target(evidence: &Evidence<'_>) -> Quality {
    let Some(ttft) = evidence.ttft else {
        return Quality { trust: Trust::NoData, reasons: vec!["no request completed".to_owned()] };
    };
    let limits: Vec<String> = [late_reading(evidence), late_sending(evidence)].into_iter().flatten().collect();
    let thin: Vec<String> = [thin_sample(ttft), starved(evidence)].into_iter().flatten().collect();
    let trust = match (limits.is_empty(), thin.is_empty()) {
        (false, _) => Trust::ClientLimited,
        (true, false) => Trust::TooFewSamples,
        (true, true) => Trust::Trustworthy,
    };
    let notes = [withheld(ttft), unstamped(evidence), harmless_lag(evidence)].into_iter().flatten();
    Quality { trust, reasons: limits.into_iter().chain(thin).chain(notes).collect() }
}

/// Reading late does not move a kernel-stamped arrival, so it distorts only where events share a read,
/// and their stamps with it: then earlier ones get the time of the last.
fn late_reading(evidence: &Evidence<'_>) -> Option<String> {
    let lag = evidence.client_lag_p99?;
    let share = evidence.shared_reads;
    (read_late(evidence, lag) && share > SHARED_READS_TOLERATED).then(|| {
        format!(
            "the client read late: client lag p99 {}, and {:.0} % of the events shared a read",
            text(lag),
            share * 100.0
        )
    })
}

/// Worth a word, though the kernel's stamps kept it out of the figures.
fn harmless_lag(evidence: &Evidence<'_>) -> Option<String> {
    let lag = evidence.client_lag_p99?;
    (read_late(evidence, lag) && evidence.shared_reads <= SHARED_READS_TOLERATED).then(|| {
        format!("the client read late (client lag p99 {}); kernel stamps keep that out of the figures", text(lag))
    })
}

/// Whether the client's delay in reading would be noticed, were it in the figures.
fn read_late(evidence: &Evidence<'_>, lag: f64) -> bool {
    let ttft = evidence.ttft_p50.map_or(f64::INFINITY, |ttft| ttft * LAG_SHARE_OF_TTFT);
    lag > ttft.min(evidence.itl_p50.unwrap_or(f64::INFINITY)).max(nanos(LAG_FLOOR))
}

/// Sending late changes the load: by a noticeable part of TTFT, or by more than a fixed ceiling.
fn late_sending(evidence: &Evidence<'_>) -> Option<String> {
    let lag = evidence.schedule_lag_p99?;
    let ttft = evidence.ttft_p50.map_or(f64::INFINITY, |ttft| ttft * LAG_SHARE_OF_TTFT);
    let limit = ttft.clamp(nanos(LAG_FLOOR), nanos(SCHEDULE_LAG_CEILING));
    (lag > limit).then(|| {
        format!("the client sent late: schedule lag p99 {}, where {} begins to distort", text(lag), text(limit))
    })
}

/// Too few for the p90 of what has one value a request: too few for a verdict.
fn thin_sample(ttft: &Distribution) -> Option<String> {
    let needed = interval::values_needed(Quantile::P90.get());
    (ttft.n < needed).then(|| format!("{} completed requests, where a p90 needs {needed}", ttft.n))
}

fn starved(evidence: &Evidence<'_>) -> Option<String> {
    let open = evidence.starved_slos;
    (open > 0).then(|| format!("{open} SLO{} undecided for want of requests", if open == 1 { "" } else { "s" }))
}

/// `TTFT p95 takes 52 more requests, p99 348`: what is not printed, and what would change that.
fn withheld(ttft: &Distribution) -> Option<String> {
    let named = [("p50", ttft.p50), ("p90", ttft.p90), ("p95", ttft.p95), ("p99", ttft.p99)];
    let lacking: Vec<(&str, u64)> = named
        .iter()
        .filter_map(|(name, percentile)| match percentile {
            Percentile::Withheld { needs_more } => Some((*name, *needs_more)),
            Percentile::Known(_) => None,
        })
        .collect();
    let ((name, more), others) = lacking.split_first()?;
    let requests = if *more == 1 { "request" } else { "requests" };
    let mut takes = vec![format!("{} {name} takes {more} more {requests}", Metric::Ttft)];
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
