//! What a reader must know besides the numbers.

use schema::counted;
use schema::plan::{Plan, Retry};
use schema::record::{Failure, Outcome, Record};
use schema::summary::{Summary, TargetSummary};
use schema::target::Target;
use schema::units::Nanos;

use crate::answer::level_in_words;
use crate::places::a_place;
use crate::requests::Requests;

/// From this mean number of tokens an event on, ITL and TPOT tell different stories.
const TOKENS_PER_EVENT: f64 = 1.5;

/// From this share of shared reads on, the reader is told that gaps are upper bounds.
const SHARED_READS: f64 = 0.1;

/// Warnings about one target, from its finished summary.
pub(crate) fn of_target(
    plan: &Plan,
    target: &Target,
    summary: &TargetSummary,
    requests: &Requests<'_>,
    waits: &[Nanos],
) -> Vec<String> {
    let measured = &requests.all;
    let completed = summary.completed;
    let percent = |part: u64, whole: u64| part as f64 / whole.max(1) as f64 * 100.0;
    let embeds = target.dialect.embeds();
    let uncounted = measured.iter().filter(|r| r.outcome.is_complete() && r.tokens.is_none()).count();
    let uncounted_input = measured.iter().filter(|r| r.tokens.is_some_and(|t| t.input.is_none())).count();
    let note = target.price.as_ref().and_then(|p| Some((p.as_of, p.note.as_ref()?)));
    let told = [
        waited(plan, waits),
        not_tried_again(plan, measured),
        no_time_to_try_again(plan, measured),
        (summary.off_length > 0 && !embeds).then(|| {
            let share = percent(summary.off_length, completed);
            format!("{share:.0} % of answers were not of the length asked for")
        }),
        (summary.cached_input_tokens > 0).then(|| {
            let share = percent(summary.cached_input_tokens, summary.input_tokens);
            format!("{share:.0} % of the input tokens came from a prompt cache: TTFT is that of a warm cache")
        }),
        (summary.tokens_per_event >= TOKENS_PER_EVENT).then(|| {
            let k = summary.tokens_per_event;
            format!("{k:.1} tokens an event: ITL is the gap between events, TPOT the pace of tokens")
        }),
        (summary.shared_reads >= SHARED_READS).then(|| {
            let share = summary.shared_reads * 100.0;
            format!(
                "{share:.0} % of the events shared a socket read with the one before: their arrivals are upper bounds"
            )
        }),
        (uncounted > 0 && !embeds)
            .then(|| format!("{} without a token count", counted(uncounted as u64, "completed request"))),
        (target.price.is_some() && uncounted_input > 0).then(|| {
            format!("cost is understated: {} without an input token count", counted(uncounted_input as u64, "request"))
        }),
        note.map(|(as_of, note)| format!("price of {as_of}: {note}")),
    ];
    told.into_iter().flatten().collect()
}

/// `312 requests waited up to 2.00 s for one of 8 places: …`.
fn waited(plan: &Plan, waits: &[Nanos]) -> Option<String> {
    let longest = waits.iter().max()?;
    let (requests, place) = (counted(waits.len() as u64, "request"), a_place(plan.load.places()));
    Some(format!(
        "{requests} waited up to {longest} for {place}: TTFT counts from when they were sent, \
         TTFT from schedule from when they were due"
    ))
}

/// `12 requests were not tried again, as the server asked to wait up to 60.0 s: …`.
fn not_tried_again(plan: &Plan, measured: &[&Record]) -> Option<String> {
    let retry = plan.retry?;
    let asked = measured.iter().filter_map(|record| may_be_tried_again(&retry, record)?.retry_after_ns);
    let asked = asked.filter(|asked| *asked > retry.most_ns);
    let (count, longest) = asked.fold((0_u64, None), |(count, longest), asked| (count + 1, longest.max(Some(asked))));
    let (longest, most) = (longest?, retry.most_ns);
    let slower = if plan.respect_limits { "" } else { ", or send more slowly with `--respect-limits`" };
    Some(format!(
        "{} not tried again, as the server asked to wait up to {longest} and `--retry-most` is {most}: raise it{slower}",
        requests_were(count)
    ))
}

/// `98 requests were not tried again, as sending was to end before their back-off: …`; of the last attempts.
fn no_time_to_try_again(plan: &Plan, last: &[&Record]) -> Option<String> {
    let retry = plan.retry?;
    let failed = last.iter().filter_map(|record| may_be_tried_again(&retry, record));
    let count = failed.filter(|failure| failure.retry_after_ns.is_none_or(|asked| asked <= retry.most_ns)).count();
    (count > 0).then(|| {
        format!(
            "{} not tried again, as sending ended before the back-off did: a longer `--duration` or `--step`, or fewer \
             `--blocks`, leave more time for it",
            requests_were(count as u64)
        )
    })
}

/// How an attempt failed, where the plan lets another follow.
fn may_be_tried_again<'a>(retry: &Retry, record: &'a Record) -> Option<&'a Failure> {
    let Outcome::Failed(failure) = &record.outcome else { return None };
    let is_free = failure.class.may_pass() && record.events.content().next().is_none();
    (is_free && record.attempt < retry.attempts).then_some(failure)
}

fn requests_were(count: u64) -> String {
    format!("{} {}", counted(count, "request"), if count == 1 { "was" } else { "were" })
}

/// Warnings about all targets of a run. In what they are not like with like, its comparison says.
pub(crate) fn of_run(plan: &Plan) -> Vec<String> {
    let told = [
        plan.transport.insecure.then(|| "TLS certificates were not verified (`--insecure`)".to_owned()),
        plan.transport.user_space_stamps.then(|| "arrivals were stamped in user space, as asked".to_owned()),
    ];
    told.into_iter().flatten().collect()
}

/// A warning where the figures of several targets are each of another level of load.
pub(crate) fn unlike_levels(summary: &Summary) -> Option<String> {
    let levels: Vec<f64> = summary.curves.iter().filter_map(|curve| curve.stands_for).collect();
    let (first, others) = levels.split_first()?;
    others.iter().any(|level| level.total_cmp(first).is_ne()).then(|| {
        let named = summary
            .curves
            .iter()
            .filter_map(|curve| Some(format!("{} at {}", curve.target, level_in_words(curve.axis, curve.stands_for?))));
        let named: Vec<String> = named.collect();
        format!("the targets' figures are of unlike loads ({}): compare their curves, not latencies", named.join(", "))
    })
}
