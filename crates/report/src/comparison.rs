//! The one table that answers who is fastest, at what load and at what price.

use schema::metric::Metric;
use schema::plan::{Plan, Stop};
use schema::summary::{Distribution, Percentile, SloStatus, Summary, TargetSummary};

use crate::number::{self, Figure};

/// One column of the comparison.
pub(crate) struct Column {
    /// The lines of its heading, unit included where the figures are bare.
    pub(crate) heading: Vec<String>,
    /// One figure a target, in the summary's order.
    pub(crate) figures: Vec<Figure>,
}

/// The columns that this run has something for, most asked for first.
pub(crate) fn columns(summary: &Summary, plan: &Plan) -> Vec<Column> {
    let mut columns =
        vec![quantile(summary, "p50", Metric::Ttft, |d| &d.p50), quantile(summary, "p95", Metric::Ttft, |d| &d.p95)];
    if plan.load.is_open() {
        columns.push(quantile(summary, "p95", Metric::TtftFromSchedule, |d| &d.p95));
    }
    columns.extend([
        quantile(summary, "p50", Metric::Itl, |d| &d.p50),
        quantile(summary, "p99", Metric::Itl, |d| &d.p99),
        quantile(summary, "p50", Metric::Tpot, |d| &d.p50),
        quantile(summary, "p50", Metric::E2e, |d| &d.p50),
    ]);
    columns.extend([
        column(summary, "tokens/s\na user", |t| {
            t.metrics.get(&Metric::OutputSpeed).map(|d| number::percentile(&d.p50, Metric::OutputSpeed))
        }),
        column(summary, "tokens/s\nin all", |t| {
            some_if(t.completed > 0, number::rate(&t.throughput.output_tokens_per_s))
        }),
        column(summary, "requests/s", |t| some_if(t.completed > 0, number::rate(&t.throughput.requests_per_s))),
        column(summary, "good\nrequests/s", |t| {
            some_if(t.completed > 0, Figure::plain(number::number(t.throughput.goodput_requests_per_s?)))
        }),
        column(summary, "completed", |t| Some(completed(t))),
        column(summary, "$ per 1k\nrequests", per_thousand),
        column(summary, "tokens\nper $", |t| {
            Some(Figure::plain(number::number(t.cost.as_ref()?.output_tokens_per_usd?)))
        }),
    ]);
    columns.extend(
        (0..plan.slos.len()).map(|i| {
            column(summary, &plan.slos[i].to_string(), |t| Some(Figure::plain(status(t.slos.get(i)?.status))))
        }),
    );
    columns.push(column(summary, "verdict", |t| Some(Figure::plain(t.quality.trust.in_words()))));
    columns.retain(|column| column.figures.iter().any(|f| *f != Figure::nothing()));
    columns
}

fn column(summary: &Summary, heading: &str, figure: impl Fn(&TargetSummary) -> Option<Figure>) -> Column {
    let figures = summary.targets.iter().map(|t| figure(t).unwrap_or_else(Figure::nothing)).collect();
    Column { heading: heading.split('\n').map(str::to_owned).collect(), figures }
}

fn quantile(summary: &Summary, name: &str, metric: Metric, pick: impl Fn(&Distribution) -> &Percentile) -> Column {
    let heading = match metric.heading().rsplit_once(' ') {
        Some((first, last)) => format!("{first}\n{last} {name}"),
        None => format!("{metric}\n{name}"),
    };
    column(summary, &heading, |t| Some(number::percentile(pick(t.metrics.get(&metric)?), metric)))
}

fn some_if(there: bool, figure: Figure) -> Option<Figure> {
    there.then_some(figure)
}

/// `196 of 200`, and below it what became of the others.
fn completed(target: &TargetSummary) -> Figure {
    let value = format!("{} of {}", number::count(target.completed), number::count(target.attempted));
    let throttled: u64 = target.failures.iter().filter(|(class, _)| class.is_throttling()).map(|(_, n)| n).sum();
    let failed = target.failures.values().sum::<u64>() - throttled;
    let kinds = [(failed, "failed"), (throttled, "throttled"), (target.not_sent, "not sent")];
    let aside = kinds.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{} {what}", number::count(*n))).collect();
    Figure { value, aside }
}

/// The price of a thousand completed requests; the interval is a thousand times that of one.
fn per_thousand(target: &TargetSummary) -> Option<Figure> {
    let cost = target.cost.as_ref()?;
    let each = cost.per_request_usd.filter(|_| target.completed > 0)?;
    let times = |x: f64| x * 1000.0;
    let scaled =
        schema::summary::Estimate { value: times(each.value), low: each.low.map(times), high: each.high.map(times) };
    let aside = number::rate(&scaled).aside;
    Some(Figure { value: cost.per_1k_requests_usd.to_string(), aside })
}

/// An SLO's status as it is printed.
pub(crate) const fn status(status: SloStatus) -> &'static str {
    match status {
        SloStatus::Met => "met",
        SloStatus::Missed => "missed",
        SloStatus::Undecided => "undecided",
    }
}

/// What was done, in one line.
pub(crate) fn plan_in_words(plan: &Plan) -> String {
    let load = &plan.load;
    let stop = match plan.stop {
        Stop::Requests(n) => format!("{} requests a target", number::count(n)),
        Stop::DurationNs(span) => format!("{span} a target"),
    };
    let forced = if plan.workload.force_length { ", forced where possible" } else { "" };
    let length = format!("up to {} output tokens{forced}", plan.workload.max_tokens);
    format!("{load} · {stop} in {} blocks · {length} · seed {}", plan.blocks, plan.seed)
}

/// How to read the table.
pub(crate) const LEGEND: &str = "Ranges are 95 % intervals; n/a with N more: the percentile needs N more values.";
