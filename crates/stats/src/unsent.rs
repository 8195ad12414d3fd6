//! Requests of an open loop that were due and never sent: then it was not the load asked for.

use schema::counted;
use schema::plan::{Load, Plan, WhenFull};
use schema::record::{Outcome, Record};
use schema::summary::TargetSummary;
use schema::units::{Moment, Nanos};

use crate::places::all_places;
use crate::values::span;

/// Share of the requests due that may be missing before the load was another.
const TOLERATED: f64 = 0.01;

/// Why the load was not the one asked for, and what to do about it; `limited`: the target has limits that are known.
/// In a search it is the level that says so: there the places are what the target cannot keep up with.
pub(crate) fn not_offered(plan: &Plan, summary: &TargetSummary, measured: &[&Record], limited: bool) -> Option<String> {
    let has_places = matches!(plan.load, Load::Open { .. } | Load::RateStages { .. } | Load::Replay { .. });
    let (unsent, due) = (summary.not_sent, summary.attempted);
    if !has_places || plan.search.is_some() || unsent as f64 <= TOLERATED * due as f64 {
        return None;
    }
    let places = plan.load.places();
    let all = all_places(places);
    let why = match plan.load.when_full() {
        _ if plan.respect_limits && limited && !were_places_short(measured, places) => {
            "held back by the provider's limits until time was up; ask for less, or for longer".to_owned()
        }
        WhenFull::Wait => format!(
            "as they still waited when time was up, {all} being taken; raise `--max-concurrency`, or ask for less"
        ),
        WhenFull::NotSent => {
            format!("{all} being taken; raise `--max-concurrency`, or let them wait with `--when-full wait`")
        }
    };
    let offered = summary.throughput.offered_requests_per_s.map(|offered| {
        let sent = offered * (due - unsent) as f64 / due as f64;
        format!(" ({sent:.1} of {offered:.1} requests/s were)")
    });
    let offered = offered.unwrap_or_default();
    Some(format!(
        "the load asked for was not offered: {unsent} of {} not sent{offered}, {why}",
        counted(due, "request")
    ))
}

/// Whether most of the unsent requests were due while as many were connecting or in flight as there are places. Else places
/// were free, or taken by requests that themselves were held back.
fn were_places_short(measured: &[&Record], places: u32) -> bool {
    let (mut starts, mut ends): (Vec<Moment>, Vec<Moment>) = measured.iter().filter_map(|record| held(record)).unzip();
    starts.sort_unstable();
    ends.sort_unstable();
    let until = |moments: &[Moment], at: Moment| moments.partition_point(|moment| *moment <= at);
    let was_full = |at| until(&starts, at).saturating_sub(until(&ends, at)) >= places as usize;
    let unsent = measured.iter().filter(|record| record.outcome == Outcome::NotSent);
    let (full, free): (Vec<Moment>, Vec<Moment>) =
        unsent.map(|record| record.scheduled_ns).partition(|at| was_full(*at));
    full.len() > free.len()
}

/// From when to when a request that was sent held its place, connecting included.
fn held(record: &Record) -> Option<(Moment, Moment)> {
    let (start, end) = span(record)?;
    let connecting = record.connect.map_or(Nanos::ZERO, |connect| connect.total());
    Some((start - connecting, end))
}
