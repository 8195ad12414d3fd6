//! Everything about a target, and about a run.

use std::collections::BTreeMap;

use schema::FORMAT_VERSION;
use schema::event::Stamp;
use schema::metric::Metric;
use schema::plan::Plan;
use schema::record::{Outcome, Phase, Record, TokenSource};
use schema::summary::{Quality, Summary, TargetSummary, Trust};
use schema::target::Target;
use schema::units::Quantile;

use crate::distribution::Sample;
use crate::measured::Measured;
use crate::quality::{self, Evidence};
use crate::{check, cost, ranking, slo, warning, window};

/// All numbers of one run: each target of the plan, in its order, from its own records.
pub fn summarise(plan: &Plan, measured: &Measured<'_>) -> Summary {
    let records = measured.records;
    let mut by_target: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        by_target.entry(record.target.as_str()).or_default().push(record);
    }
    let own = |target: &Target| by_target.get(target.name.as_str()).map_or(&[][..], Vec::as_slice);
    let targets = plan.targets.iter().map(|target| summarise_target(plan, target, own(target))).collect();
    let mut summary = combine(plan, targets);
    summary.calibration = measured.calibration.cloned();
    summary.comparison = ranking::rank(plan, &summary, records);
    summary
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
    summary.warnings = warning::of_run(plan, &summary);
    summary
}

/// All numbers of one target. Records of other targets are ignored; warm-up counts nowhere but in
/// its own number and cost.
pub fn summarise_target(plan: &Plan, target: &Target, records: &[&Record]) -> TargetSummary {
    let own = |phase| records.iter().copied().filter(move |r| r.phase == phase && r.target == target.name);
    let measured: Vec<&Record> = own(Phase::Measured).collect();
    let warmup: Vec<&Record> = own(Phase::Warmup).collect();
    let throughput = window::throughput(plan, &measured);
    let mut summary = TargetSummary {
        target: target.name.clone(),
        provider: target.provider.clone(),
        model: target.model.clone(),
        simulated: target.simulated,
        attempted: measured.len() as u64,
        completed: 0,
        success_rate: 0.0,
        failures: BTreeMap::new(),
        not_sent: 0,
        cancelled: 0,
        interrupted: 0,
        finish_reasons: BTreeMap::new(),
        warmup: warmup.len() as u64,
        retries: 0,
        waited: 0,
        startup: None,
        limits: None,
        server_side: None,
        metrics: BTreeMap::new(),
        cross_checks: check::all(plan, &throughput, &measured),
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
        quality: Quality { trust: Trust::NoData, reasons: Vec::new() },
        warnings: Vec::new(),
    };
    count_outcomes(&mut summary, &measured);
    count_tokens_and_events(&mut summary, &measured);
    let starved_slos = judge_slos(&mut summary, plan, &measured);
    measure(&mut summary, starved_slos, &measured);
    summary.warnings = warning::of_target(target, &summary, &measured);
    summary
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

/// Adds the SLO verdicts; returns how many are open for want of requests.
fn judge_slos(summary: &mut TargetSummary, plan: &Plan, measured: &[&Record]) -> u64 {
    let mut starved_slos = 0;
    for &bound in &plan.slos {
        let sample = Sample::of(bound.metric, measured);
        let (verdict, starved) = slo::verdict(bound, sample.as_ref(), measured);
        starved_slos += u64::from(starved);
        summary.slos.push(verdict);
    }
    starved_slos
}

/// Adds one distribution a metric, holding one sample at a time, and the verdict on the figures.
fn measure(summary: &mut TargetSummary, starved_slos: u64, measured: &[&Record]) {
    let mut points = BTreeMap::new();
    for &metric in Metric::ALL {
        let Some(sample) = Sample::of(metric, measured) else { continue };
        points.insert(metric, (sample.seen(Quantile::P50), sample.seen(Quantile::P99)));
        summary.metrics.insert(metric, sample.distribution());
    }
    let p50 = |metric| points.get(&metric).map(|p| p.0);
    let p99 = |metric| points.get(&metric).map(|p| p.1);
    summary.quality = quality::of_target(&Evidence {
        ttft: summary.metrics.get(&Metric::Ttft),
        ttft_p50: p50(Metric::Ttft),
        itl_p50: p50(Metric::Itl),
        client_lag_p99: p99(Metric::ClientLag),
        schedule_lag_p99: p99(Metric::ScheduleLag),
        kernel_stamped: summary.kernel_stamped,
        shared_reads: summary.shared_reads,
        starved_slos,
    });
}

#[cfg(test)]
mod tests;
