//! Cross-checks: laws between numbers that were measured apart. One that fails means that a clock, a
//! count or the code is wrong, ours or the server's.

use schema::metric::Metric;
use schema::plan::Plan;
use schema::record::Record;
use schema::summary::{CrossCheck, Throughput};
use schema::units::{Moment, Nanos};

use crate::requests::Requests;
use crate::{metric_values, moments, values, window};

/// Two clocks, or two stamps of one clock, may disagree by this much.
const CLOCK_TOLERANCE: Nanos = Nanos::from_millis(1);

/// Sums that must agree may differ by this share.
const SUM_TOLERANCE: f64 = 0.01;

/// Tokens an answer may be longer than its limit: some engines count the end-of-text token apart.
const TOKEN_TOLERANCE: u64 = 1;

/// All laws that this target's measured requests can be held to.
pub(crate) fn all(plan: &Plan, throughput: &Throughput, requests: &Requests<'_>) -> Vec<CrossCheck> {
    let measured = &requests.all;
    let completed: Vec<&Record> = measured.iter().copied().filter(|r| r.outcome.is_complete()).collect();
    let steady: Vec<&Record> = completed.iter().copied().filter(|r| requests.is_steady(r)).collect();
    let mut checks = vec![
        littles_law(plan, throughput, &steady),
        peak(plan, &requests.attempts),
        each("arrivals in order", "arrivals within start and end, in order", measured, in_order),
        each("server TTFT ≤ client TTFT", "TTFTs not below the server's own", &completed, server_ttft_within),
        each(
            "server total ≤ client total",
            "requests not shorter than the server's total",
            &completed,
            server_total_within,
        ),
        each("token sums", "sums over events not above the server's usage", &completed, token_sum_within),
        each("output limit", "outputs within the limit asked for", &completed, within_limit),
        parts_make_the_whole(&completed),
    ];
    checks.retain(|check| !check.detail.is_empty());
    checks
}

/// Holds one law against each record that says something about it; no such record: no check.
fn each(name: &str, subject: &str, records: &[&Record], law: impl Fn(&Record) -> Option<bool>) -> CrossCheck {
    let verdicts: Vec<bool> = records.iter().filter_map(|r| law(r)).collect();
    let kept = verdicts.iter().filter(|kept| **kept).count();
    let detail = if verdicts.is_empty() { String::new() } else { format!("{kept} of {} {subject}", verdicts.len()) };
    CrossCheck { name: name.to_owned(), holds: kept == verdicts.len(), detail }
}

/// J. D. C. Little, *Operations Research* 9 (1961): mean number in flight = rate × mean time in
/// flight. Completed requests alone, from the first byte to the last content, cannot fill more than
/// the time that requests were in flight, nor more than the places there were.
fn littles_law(plan: &Plan, throughput: &Throughput, completed: &[&Record]) -> CrossCheck {
    let e2e: Vec<f64> = completed.iter().flat_map(|r| metric_values(r, Metric::E2e)).collect();
    let (rate, seconds) = (throughput.requests_per_s.value, moments::mean(&e2e) / 1e9);
    let filled = rate * seconds;
    let bound = throughput.mean_in_flight.min(f64::from(plan.load.places()));
    let detail = format!(
        "{rate:.3} requests/s × {seconds:.4} s = {filled:.3} in flight; measured {:.3} of {} places",
        throughput.mean_in_flight,
        plan.load.places()
    );
    let detail = if e2e.is_empty() { String::new() } else { detail };
    CrossCheck { name: "Little's law".to_owned(), holds: filled <= bound * (1.0 + SUM_TOLERANCE), detail }
}

fn peak(plan: &Plan, measured: &[&Record]) -> CrossCheck {
    let (peak, places) = (window::peak_in_flight(measured), plan.load.places());
    let detail = if peak == 0 { String::new() } else { format!("{peak} at once, {places} allowed") };
    CrossCheck { name: "peak in flight".to_owned(), holds: peak <= u64::from(places), detail }
}

fn in_order(record: &Record) -> Option<bool> {
    let (start, end) = (record.start_ns?, record.end_ns.unwrap_or(Moment(u64::MAX)));
    let events = &record.events;
    let first = events.first()?.arrival + CLOCK_TOLERANCE;
    let last = events.last()?.arrival - CLOCK_TOLERANCE;
    Some(first >= start && last <= end && events.iter().is_sorted_by_key(|e| e.arrival))
}

fn server_ttft_within(record: &Record) -> Option<bool> {
    let server = metric_values(record, Metric::ServerTtft).next()?;
    let client = metric_values(record, Metric::Ttft).next()?;
    Some(server <= client + CLOCK_TOLERANCE.0 as f64)
}

fn server_total_within(record: &Record) -> Option<bool> {
    let server = record.server?.total_ns?;
    let (start, end) = values::span(record)?;
    Some(server <= end - start + CLOCK_TOLERANCE)
}

/// Where each content event says how many tokens it carried. Usage may be larger: it counts tokens
/// that have no text.
fn token_sum_within(record: &Record) -> Option<bool> {
    let usage = record.usage?.output_tokens?;
    let known = record.events.content().all(|e| e.tokens > 0);
    let sum = || record.events.content().map(|e| u64::from(e.tokens)).sum::<u64>();
    known.then(|| sum() <= usage)
}

fn within_limit(record: &Record) -> Option<bool> {
    let tokens = record.tokens?.output;
    Some(tokens <= u64::from(record.max_tokens) + TOKEN_TOLERANCE)
}

/// TTFT + TPOT × (output tokens − 1) = E2E, summed over the requests that have all three.
fn parts_make_the_whole(completed: &[&Record]) -> CrossCheck {
    let (mut parts, mut whole) = (0.0, 0.0);
    for record in completed {
        let one = |metric| metric_values(record, metric).next();
        if let (Some(ttft), Some(tpot), Some(e2e), Some(tokens)) =
            (one(Metric::Ttft), one(Metric::Tpot), one(Metric::E2e), one(Metric::OutputTokens))
        {
            parts += ttft + tpot * (tokens - 1.0);
            whole += e2e;
        }
    }
    let detail = format!("TTFT + TPOT × (tokens − 1) sums to {:.4} s, E2E to {:.4} s", parts / 1e9, whole / 1e9);
    let detail = if whole > 0.0 { detail } else { String::new() };
    CrossCheck { name: "parts make E2E".to_owned(), holds: (parts - whole).abs() <= whole * SUM_TOLERANCE, detail }
}

#[cfg(test)]
mod tests;
