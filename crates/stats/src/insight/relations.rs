//! What rises and falls with what.

use schema::insight::{Quantity, Relation};
use schema::metric::Metric;
use schema::record::Record;
use schema::server::ServerSample;
use schema::units::{Moment, Nanos};

use super::Request;
use crate::inference::{self, Correlation};
use crate::values;

/// Requests below which nothing is said of a pair.
const LEAST: usize = 20;

/// Corrected p-value up to which a relation says something.
const CERTAIN: f64 = 0.01;

/// ρ from which it does: ranks that share a tenth of their variance.
const STRONG: f64 = 0.3;

/// How old a server's reading may be when a request starts.
const STALE: Nanos = Nanos::from_secs(10);

use Quantity::{InFlight, Metric as Of, ServerKvUsage, ServerRunning, ServerWaiting};

/// What is held against what.
const PAIRS: [(Quantity, Quantity); 12] = [
    (Of(Metric::Ttft), Of(Metric::InputTokens)),
    (Of(Metric::Ttft), InFlight),
    (Of(Metric::Tpot), InFlight),
    (Of(Metric::Tpot), Of(Metric::InputTokens)),
    (Of(Metric::Tpot), Of(Metric::OutputTokens)),
    (Of(Metric::E2e), Of(Metric::OutputTokens)),
    (Of(Metric::Ttft), ServerRunning),
    (Of(Metric::Ttft), ServerWaiting),
    (Of(Metric::Ttft), ServerKvUsage),
    (Of(Metric::Tpot), ServerRunning),
    (Of(Metric::Tpot), ServerWaiting),
    (Of(Metric::Tpot), ServerKvUsage),
];

/// The pairs that say something, strongest first, and how many were looked at: Spearman's ρ over the requests that have
/// both, p-values corrected for serial correlation and, after Holm, for the number of pairs. `counted` are all requests that
/// were in flight.
pub(super) fn relations(
    requests: &[Request<'_>],
    counted: &[&Record],
    samples: &[ServerSample],
) -> (Vec<Relation>, u64) {
    let context = Context::of(counted, samples);
    let columns = |quantity: Quantity| -> Vec<Option<f64>> {
        requests.iter().map(|request| context.value(quantity, request)).collect()
    };
    let tested: Vec<(Quantity, Quantity, usize, Correlation)> =
        PAIRS.iter().filter_map(|&(of, on)| pair(of, on, &columns(of), &columns(on))).collect();
    let adjusted = inference::holm(&tested.iter().map(|(.., found)| found.p).collect::<Vec<_>>());
    let all = tested.iter().zip(adjusted).map(|(&(of, on, n, found), p_adjusted)| Relation {
        of,
        on,
        n: n as u64,
        rho: found.rho,
        p_adjusted,
    });
    let says = |relation: &Relation| relation.p_adjusted <= CERTAIN && relation.rho.value.abs() >= STRONG;
    let mut relations: Vec<Relation> = all.filter(says).collect();
    relations.sort_by(|a, b| b.rho.value.abs().total_cmp(&a.rho.value.abs()));
    (relations, tested.len() as u64)
}

fn pair(
    of: Quantity,
    on: Quantity,
    left: &[Option<f64>],
    right: &[Option<f64>],
) -> Option<(Quantity, Quantity, usize, Correlation)> {
    let (x, y): (Vec<f64>, Vec<f64>) = left.iter().zip(right).filter_map(|(x, y)| Some(((*x)?, (*y)?))).unzip();
    if x.len() < LEAST {
        return None;
    }
    Some((of, on, x.len(), inference::spearman_in_time(&x, &y)?))
}

/// What surrounded the requests.
struct Context<'a> {
    /// Ascending.
    starts: Vec<Moment>,
    /// Ascending.
    ends: Vec<Moment>,
    /// In order of time, without those that failed.
    samples: Vec<&'a ServerSample>,
}

impl<'a> Context<'a> {
    fn of(counted: &[&Record], samples: &'a [ServerSample]) -> Self {
        let (mut starts, mut ends): (Vec<Moment>, Vec<Moment>) =
            counted.iter().filter_map(|record| values::span(record)).unzip();
        starts.sort_unstable();
        ends.sort_unstable();
        let mut samples: Vec<&ServerSample> = samples.iter().filter(|sample| sample.failed.is_none()).collect();
        samples.sort_by_key(|sample| sample.at_ns);
        Self { starts, ends, samples }
    }

    fn value(&self, quantity: Quantity, request: &Request<'_>) -> Option<f64> {
        match quantity {
            Of(metric) => request.value(metric),
            InFlight => Some(self.in_flight(request.start)),
            ServerRunning => self.sample(request.start)?.running,
            ServerWaiting => self.sample(request.start)?.waiting,
            ServerKvUsage => self.sample(request.start)?.kv_usage,
        }
    }

    /// Requests that had started before and not ended.
    fn in_flight(&self, at: Moment) -> f64 {
        let started = self.starts.partition_point(|start| *start < at);
        let ended = self.ends.partition_point(|end| *end <= at);
        started.saturating_sub(ended) as f64
    }

    /// The last reading before, unless it is old.
    fn sample(&self, at: Moment) -> Option<&'a ServerSample> {
        let before = self.samples.partition_point(|sample| sample.at_ns <= at).checked_sub(1)?;
        let sample = self.samples[before];
        (at - sample.at_ns <= STALE).then_some(sample)
    }
}
