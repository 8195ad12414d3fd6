//! The one table that answers who is fastest, at what load and at what price.

use schema::metric::{Metric, Unit};
use schema::plan::{Axis, Plan, PromptSource, Search, Stop, Workload};
use schema::summary::{Calibration, Distribution, Percentile, SloStatus, Summary, TargetSummary};

use crate::conversation;
use crate::number::{self, Figure, counted};

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
    if is_open(plan) {
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
            some_if(t.output_tokens > 0, number::rate(&t.throughput.output_tokens_per_s))
        }),
        column(summary, "input\ntokens/s", |t| {
            let rate = t.throughput.input_tokens_per_s.filter(|_| embeds(plan, t))?;
            Some(Figure::plain(number::number(rate)))
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
    columns.push(column(summary, "memory", |t| conversation::figure(t.conversations.as_ref()?)));
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

/// Whether the measured load was an open loop, that of a search included.
fn is_open(plan: &Plan) -> bool {
    plan.search.map_or(plan.load.is_open(), |search| search.axis() == Axis::Rate)
}

/// Whether a target was asked for vectors: of those only the input has tokens.
fn embeds(plan: &Plan, target: &TargetSummary) -> bool {
    plan.targets.iter().any(|asked| asked.name == target.target && asked.dialect.embeds())
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
    let each = if plan.search.is_some() { "step" } else { "target" };
    let stop = match plan.stop {
        Stop::Requests(n) => format!("{} a {each}", counted(n, "request")),
        Stop::DurationNs(span) => format!("{span} a {each}"),
    };
    let until = plan.until.map(|precision| format!(", or until {precision}")).unwrap_or_default();
    let decided = &plan.judging.until_decided;
    let headings: Vec<&str> = decided.iter().map(|criterion| criterion.heading()).collect();
    let decided =
        if decided.is_empty() { String::new() } else { format!(", or until decided by {}", headings.join(", ")) };
    let one = plan.blocks == 1 || plan.search.is_some();
    let blocks = if one { String::new() } else { format!(" in {} blocks", plan.blocks) };
    let embeds = !plan.targets.is_empty() && plan.targets.iter().all(|target| target.dialect.embeds());
    let asked = if embeds { "embeddings".to_owned() } else { answers_in_words(&plan.workload) };
    let mut parts = vec![load_in_words(plan), format!("{stop}{until}{decided}{blocks}"), asked];
    parts.extend(plan.retry.map(|retry| format!("{} at most", counted(retry.attempts.into(), "further attempt"))));
    parts.extend(plan.respect_limits.then(|| "within published limits".to_owned()));
    parts.push(format!("seed {}", plan.seed));
    parts.join(" · ")
}

/// How long answers were to be: `up to 128 output tokens, forced where possible`.
fn answers_in_words(workload: &Workload) -> String {
    let length = match (&workload.output_tokens, &workload.prompts) {
        (Some(lengths), _) => format!("{lengths} output tokens"),
        (None, PromptSource::Trace) => {
            format!("output tokens as the trace says, or up to {}", workload.max_tokens)
        }
        (None, _) => format!("up to {}", counted(workload.max_tokens.into(), "output token")),
    };
    let forced = if workload.force_length { ", forced where possible" } else { "" };
    format!("{length}{forced}")
}

fn load_in_words(plan: &Plan) -> String {
    match plan.search {
        None => plan.load.to_string(),
        Some(Search::Sweep { axis, points, .. }) => {
            format!("sweep over {} in {}", axis.in_words(), counted(points.into(), "step"))
        }
        Some(Search::FindMax { axis, trials, .. }) => {
            let steps = counted(trials.into(), "step");
            format!("search for the highest {} that meets the SLOs, in {steps} at most", axis.in_words())
        }
    }
}

/// This machine's own floor in one sentence.
pub(crate) fn floor(calibration: &Calibration) -> String {
    let time = |nanos: f64| number::value(nanos, Unit::Nanos);
    let also = |name: &str, nanos: Option<f64>| nanos.map(|x| format!(", {name} {}", time(x))).unwrap_or_default();
    let errors = calibration
        .itl_error_p50_ns
        .map(|p50| format!("; ITL error p50 {}{}", time(p50), also("p99", calibration.itl_error_p99_ns)));
    format!(
        "This machine's own floor ({}, {} to the built-in engine): TTFT p50 {}{}{}; it carries up to {} requests/s and {} events/s.",
        calibration.load,
        counted(calibration.requests, "request"),
        time(calibration.ttft_p50_ns),
        also("p99", calibration.ttft_p99_ns),
        errors.unwrap_or_default(),
        number::number(calibration.most_requests_per_s),
        number::number(calibration.most_events_per_s),
    )
}

/// How to read the table.
pub(crate) const LEGEND: &str = "Ranges are 95 % intervals; n/a with N more: the percentile needs N more values.";
