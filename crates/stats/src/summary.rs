//! Everything about a target, and about a run.

use std::collections::BTreeMap;

use schema::FORMAT_VERSION;
use schema::comparison::Comparison;
use schema::curve::{Curve, Step};
use schema::event::Stamp;
use schema::metric::Metric;
use schema::plan::{Load, Plan, WhenFull};
use schema::record::{Outcome, Phase, Record, TokenSource};
use schema::summary::{Calibration, Quality, Summary, TargetSummary, Trust};
use schema::target::Target;
use schema::units::Quantile;

use crate::distribution::{Sample, Samples};
use crate::measured::Measured;
use crate::quality::{self, Evidence, Lateness};
use crate::requests::Requests;
use crate::server_side::server_side;
use crate::side_by_side::side_by_side;
use crate::{alike, check, comparison, cost, curve, insight, reason, slo, unsent, warning, window};

/// All numbers of one run: each target of the plan, in its order, from its own records. Where levels of load were
/// searched, each target has its curve, and its other numbers are those of the one level that stands for it.
pub fn summarise(plan: &Plan, measured: &Measured<'_>) -> Summary {
    let (mut targets, mut curves, mut steady) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts(plan, measured) {
        targets.push(part.summary);
        curves.extend(part.curve);
        steady.push(part.steady);
    }
    let mut summary = combine(plan, targets);
    summary.curves = curves;
    summary.warnings.extend(warning::unlike_levels(&summary));
    summary.calibration = measured.calibration.cloned();
    let unlike = alike::within(plan, &steady);
    let comparison = comparison::compare(plan, &summary, &steady);
    summary.comparison = comparison.map(|comparison| Comparison { unlike, ..comparison });
    summary
}

/// What comes of one target.
pub(crate) struct Part<'a> {
    pub(crate) summary: TargetSummary,
    curve: Option<Curve>,
    /// Its steady requests, of the level that stands for it where there are several.
    pub(crate) steady: Vec<&'a Record>,
}

/// What comes of each target of the plan, in its order.
pub(crate) fn parts<'a>(plan: &'a Plan, measured: &'a Measured<'a>) -> Vec<Part<'a>> {
    let mut by_target: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in measured.records {
        by_target.entry(record.target.as_str()).or_default().push(record);
    }
    let mut own = |target: &Target| by_target.remove(target.name.as_str()).unwrap_or_default();
    let work: Vec<_> = plan.targets.iter().map(|target| (target, own(target))).collect();
    let one = |(target, records): (&Target, Vec<&'a Record>)| part(plan, measured, target, &records);
    side_by_side(measured.records.len(), work, one)
}

fn part<'a>(plan: &Plan, measured: &'a Measured<'a>, target: &Target, records: &[&'a Record]) -> Part<'a> {
    let calibration = measured.calibration;
    let steps: Vec<&Step> = measured.steps.iter().filter(|step| step.target == target.name).collect();
    let searched = curve::search(plan, target, &steps, records, calibration);
    let (mut summary, curve, steady) = if let Some(searched) = searched {
        (searched.summary, Some(searched.curve), searched.steady)
    } else {
        let (summary, steady) = of_target(plan, target, records, calibration);
        (summary, None, steady)
    };
    summary.server_side = server_side(plan, target, &steady, measured);
    summary.insight = insight::insight(plan, &summary, &steady, measured.samples_of(target));
    Part { summary, curve, steady }
}

/// A run's summary from those of its targets, where they were made one by one; without a ranking, which
/// takes the records of all.
pub fn combine(plan: &Plan, targets: Vec<TargetSummary>) -> Summary {
    let quality = quality::worst(targets.iter().map(|t| (&t.target, &t.quality)));
    let simulated = targets.iter().any(|t| t.simulated);
    let (name, warnings) = (plan.name.clone(), Vec::new());
    let mut summary = Summary {
        format_version: FORMAT_VERSION,
        name,
        simulated,
        targets,
        quality,
        warnings,
        comparison: None,
        curves: Vec::new(),
        calibration: None,
    };
    summary.warnings = warning::of_run(plan);
    summary
}

/// All numbers of one target, from its records alone. Records of other targets are ignored; warm-up counts nowhere
/// but in its own number and cost.
pub fn summarise_target(plan: &Plan, target: &Target, records: &[&Record]) -> TargetSummary {
    of_target(plan, target, records, None).0
}

/// All numbers of one target, and its steady requests.
pub(crate) fn of_target<'a>(
    plan: &Plan,
    target: &Target,
    records: &[&'a Record],
    calibration: Option<&Calibration>,
) -> (TargetSummary, Vec<&'a Record>) {
    let own = |phase| records.iter().copied().filter(move |r| r.phase == phase && r.target == target.name);
    let measured: Vec<&Record> = own(Phase::Measured).collect();
    let warmup: Vec<&Record> = own(Phase::Warmup).collect();
    let requests = Requests::of(plan, &measured);
    let throughput = window::throughput(plan, &requests);
    let waits = requests.waits(plan);
    let mut summary = TargetSummary {
        target: target.name.clone(),
        provider: target.provider.clone(),
        model: target.model.clone(),
        simulated: target.simulated,
        attempted: requests.all.len() as u64,
        completed: 0,
        success_rate: 0.0,
        failures: BTreeMap::new(),
        failure_reasons: reason::most_frequent(&requests.all),
        not_sent: 0,
        cancelled: 0,
        interrupted: 0,
        finish_reasons: BTreeMap::new(),
        warmup: warmup.len() as u64,
        retries: requests.retries(),
        waited: waits.len() as u64,
        startup: requests.startup.clone(),
        limits: requests.limits(),
        server_side: None,
        insight: None,
        metrics: BTreeMap::new(),
        cross_checks: check::all(plan, &throughput, &requests),
        throughput,
        slos: Vec::new(),
        output_tokens: 0,
        input_tokens: 0,
        cached_input_tokens: 0,
        tokens_per_event: 0.0,
        off_length: 0,
        token_sources: BTreeMap::new(),
        kernel_stamped: 0.0,
        shared_reads: 0.0,
        cost: target.price.as_ref().map(|price| cost::of_target(price, &measured, &warmup)),
        conversations: None,
        quality: Quality { trust: Trust::NoData, reasons: Vec::new() },
        warnings: Vec::new(),
    };
    count_outcomes(&mut summary, &requests.all);
    count_tokens_and_events(&mut summary, &requests.all);
    let seen = measure(&mut summary, plan, target, &requests.steady);
    summary.quality = verdict(plan, target, &summary, (&measured, &seen), calibration);
    summary.warnings = warning::of_target(plan, target, &summary, &requests, &waits);
    (summary, requests.steady)
}

fn count_outcomes(summary: &mut TargetSummary, measured: &[&Record]) {
    let mut throttled = 0;
    for record in measured {
        match &record.outcome {
            Outcome::Complete { finish } => {
                summary.completed += 1;
                *summary.finish_reasons.entry(*finish).or_default() += 1;
            }
            Outcome::Failed(failure) => {
                throttled += u64::from(failure.class.is_throttling());
                *summary.failures.entry(failure.class).or_default() += 1;
            }
            Outcome::NotSent => summary.not_sent += 1,
            Outcome::Cancelled => summary.cancelled += 1,
            Outcome::Interrupted => summary.interrupted += 1,
        }
    }
    let tried = summary.attempted - throttled;
    summary.success_rate = if tried == 0 { 0.0 } else { summary.completed as f64 / tried as f64 };
}

fn count_tokens_and_events(summary: &mut TargetSummary, measured: &[&Record]) {
    let (mut events, mut kernel, mut shared) = (0u64, 0u64, 0u64);
    for record in measured.iter().filter(|r| r.outcome.is_complete()) {
        for event in record.events.content() {
            events += 1;
            kernel += u64::from(event.stamp == Stamp::Kernel);
            shared += u64::from(event.shared_read);
        }
        add(&mut summary.cached_input_tokens, record.usage.and_then(|u| u.cached_input_tokens));
        if let Some(tokens) = record.tokens {
            add(&mut summary.output_tokens, Some(tokens.output));
            add(&mut summary.input_tokens, tokens.input);
            *summary.token_sources.entry(tokens.source).or_default() += 1;
            summary.off_length += u64::from(is_off_length(record, tokens.output, tokens.source));
        }
    }
    let share = |part: u64| if events == 0 { 0.0 } else { part as f64 / events as f64 };
    summary.tokens_per_event = share(summary.output_tokens);
    summary.kernel_stamped = share(kernel);
    summary.shared_reads = share(shared);
}

/// Adds a count that a server made up: it may be of any size.
fn add(sum: &mut u64, count: Option<u64>) {
    *sum = sum.saturating_add(count.unwrap_or(0));
}

/// A forced length was asked for exactly, any other as a limit. Events are not tokens: a count that
/// is only theirs says nothing about it.
fn is_off_length(record: &Record, output: u64, source: TokenSource) -> bool {
    let asked = u64::from(record.max_tokens);
    source != TokenSource::ContentEvents && (output > asked || (record.forced_length && output != asked))
}

/// What is seen of a sample beside what is told of it.
#[derive(Default)]
struct Seen {
    /// SLOs that are open for want of requests.
    starved_slos: u64,
    first_p50: Option<f64>,
    itl_p50: Option<f64>,
    client_lag_p99: Option<f64>,
    schedule_lag_p99: Option<f64>,
}

/// Adds the distributions and the SLO verdicts.
fn measure(summary: &mut TargetSummary, plan: &Plan, target: &Target, steady: &[&Record]) -> Seen {
    let (mut seen, mut verdicts, mut samples) = (Seen::default(), BTreeMap::new(), Samples::of(steady));
    for &metric in Metric::ALL {
        let sample = samples.take(metric);
        for (place, &bound) in plan.slos.iter().enumerate().filter(|(_, bound)| bound.metric == metric) {
            let (verdict, starved) = slo::verdict(bound, sample.as_ref(), steady);
            seen.starved_slos += u64::from(starved);
            verdicts.insert(place, verdict);
        }
        let Some(sample) = sample else { continue };
        seen.note(metric, first(target), &sample);
        if !target.dialect.embeds() || says_something_of_embeddings(metric) {
            summary.metrics.insert(metric, sample.distribution());
        }
    }
    summary.slos = verdicts.into_values().collect();
    seen
}

impl Seen {
    fn note(&mut self, metric: Metric, first: Metric, sample: &Sample) {
        if metric == first {
            self.first_p50 = Some(sample.seen(Quantile::P50));
        }
        match metric {
            Metric::Itl => self.itl_p50 = Some(sample.seen(Quantile::P50)),
            Metric::ClientLag => self.client_lag_p99 = Some(sample.at_least(Quantile::P99)),
            Metric::ScheduleLag => self.schedule_lag_p99 = Some(sample.at_least(Quantile::P99)),
            _ => {}
        }
    }
}

/// The metric of what comes first of an answer.
const fn first(target: &Target) -> Metric {
    first_of(target.dialect.embeds())
}

/// The same, of answers that are vectors or not.
pub(crate) const fn first_of(embeds: bool) -> Metric {
    if embeds { Metric::E2e } else { Metric::Ttft }
}

/// Vectors come in one piece: nothing of them arrives first, and there is no pace.
const fn says_something_of_embeddings(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::E2e
            | Metric::InputTokens
            | Metric::Connect
            | Metric::ScheduleLag
            | Metric::SendLag
            | Metric::ClientLag
            | Metric::ServerQueue
            | Metric::ServerTotal
    )
}

fn verdict(
    plan: &Plan,
    target: &Target,
    summary: &TargetSummary,
    (measured, seen): (&[&Record], &Seen),
    calibration: Option<&Calibration>,
) -> Quality {
    let (first, throughput) = (first(target), &summary.throughput);
    quality::of_target(&Evidence {
        first,
        ttft: summary.metrics.get(&first),
        ttft_p50: seen.first_p50,
        itl_p50: seen.itl_p50,
        client_lag_p99: seen.client_lag_p99,
        schedule_lag_p99: seen.schedule_lag_p99,
        lateness: lateness(plan, is_limited(summary)),
        requests_per_s: throughput.offered_requests_per_s.unwrap_or(throughput.requests_per_s.value),
        calibration,
        kernel_stamped: summary.kernel_stamped,
        shared_reads: summary.shared_reads,
        starved_slos: seen.starved_slos,
        not_offered: unsent::not_offered(plan, summary, measured, is_limited(summary)),
    })
}

/// Whether the target published limits, or turned requests away by them.
fn is_limited(summary: &TargetSummary) -> bool {
    summary.limits.is_some() || summary.failures.keys().any(|class| class.is_throttling())
}

/// Whose fault it is when requests leave later than they were due. `limited`: the target has limits that are known.
pub(crate) fn lateness(plan: &Plan, limited: bool) -> Lateness {
    if plan.load.when_full() == WhenFull::Wait {
        Lateness::OnPurpose("requests wait for a place when all are taken")
    } else if plan.respect_limits && limited {
        Lateness::OnPurpose("requests are held back to stay within the provider's limits")
    } else if matches!(plan.load, Load::Crowd { .. }) {
        Lateness::OfTheCrowd
    } else {
        Lateness::OfTheClient
    }
}

#[cfg(test)]
mod tests;
