//! Every statistic of every target, metric by metric: a row a statistic, a column a target.

use schema::metric::{Metric, Unit};
use schema::plan::Plan;
use schema::summary::{Distribution, Percentile, Summary, TargetSummary};

use crate::comparison::{self, Column};
use crate::grid::{self, Lines};
use crate::listing::Align;
use crate::number::{self, Figure};
use crate::ranking;
use crate::terminal::{self, Line, Style};

/// What people look at first comes first; a metric without values is left out.
const METRICS: [Metric; 8] = [
    Metric::Ttft,
    Metric::TtftVisible,
    Metric::E2e,
    Metric::OutputSpeed,
    Metric::Itl,
    Metric::Jitter,
    Metric::Stall,
    Metric::OutputTokens,
];

/// How a row is called, and what stands in it.
type Row = (&'static str, fn(&Distribution, Metric) -> Figure);

/// Of one metric.
const ROWS: [Row; 9] = [
    ("values", |d, _| Figure::plain(number::count(d.n))),
    ("min", |d, metric| Figure::plain(number::value(d.min, metric.unit()))),
    ("mean", |d, metric| number::estimate(&d.mean, metric.unit())),
    ("σ", |d, metric| d.sd.as_ref().map_or_else(Figure::nothing, |sd| number::estimate(sd, metric.unit()))),
    ("p50", |d, metric| percentile(&d.p50, metric)),
    ("p90", |d, metric| percentile(&d.p90, metric)),
    ("p95", |d, metric| percentile(&d.p95, metric)),
    ("p99", |d, metric| percentile(&d.p99, metric)),
    ("max", |d, metric| Figure::plain(number::value(d.max, metric.unit()))),
];

/// All of it for a terminal: what became of the requests, then metric by metric from the smallest value to the largest;
/// under each value its 95 % interval, or how many more values it takes. What does not fit side by side goes below.
pub fn statistics(summary: &Summary, style: Style) -> String {
    let width = style.columns();
    let mut lines = vec![Line::Heading("Requests".to_owned())];
    lines.extend(grid_of(requests(summary), summary, width));
    for metric in METRICS {
        if summary.targets.iter().all(|target| !target.metrics.contains_key(&metric)) {
            continue;
        }
        lines.push(terminal::blank());
        let heading = format!("{}{}: {}", metric.heading(), unit(metric), metric.definition());
        lines.extend(grid::paragraph(&heading, width).into_iter().map(Line::Heading));
        lines.extend(grid_of(values(summary, metric), summary, width));
    }
    lines.push(terminal::blank());
    lines.extend(terminal::plain(grid::paragraph(LEGEND, width)));
    style.finish(&lines)
}

const LEGEND: &str = "Ranges are 95 % intervals; σ is the standard deviation (n − 1). Where it says `not enough data`, the \
                      percentile takes so many more values.";

/// Who is ahead: the comparison with its intervals, every verdict and the scores.
pub fn ranking(summary: &Summary, plan: &Plan, style: Style) -> String {
    let width = style.columns();
    let mut lines = terminal::compare(summary, plan, width);
    lines.push(terminal::blank());
    if let Some(comparison) = &summary.comparison {
        lines.extend(terminal::verdicts(comparison, &ranking::all_in_words(comparison), width));
    }
    lines.extend(terminal::plain(grid::paragraph(comparison::LEGEND, width)));
    style.finish(&lines)
}

/// Names of rows, and what stands in them target by target.
type Table = (Vec<Lines>, Vec<Vec<Figure>>);

fn values(summary: &Summary, metric: Metric) -> Table {
    let figures = ROWS.iter().map(|(name, figure)| {
        let of = |target: &TargetSummary| {
            target.metrics.get(&metric).map_or_else(Figure::nothing, |distribution| figure(distribution, metric))
        };
        (vec![(*name).to_owned()], summary.targets.iter().map(of).collect())
    });
    figures.unzip()
}

fn requests(summary: &Summary) -> Table {
    let row = |name: &str, of: &dyn Fn(&TargetSummary) -> Figure| {
        (vec![name.to_owned()], summary.targets.iter().map(of).collect::<Vec<_>>())
    };
    let score = |target: &TargetSummary| {
        let scores = summary.comparison.iter().filter_map(|c| c.overall.as_ref()).flat_map(|overall| &overall.scores);
        let score = scores.into_iter().find(|score| score.target == target.target);
        score.map_or_else(Figure::nothing, |score| number::estimate(&score.score, Unit::Tokens))
    };
    let rows = [
        row("attempted", &|target| Figure::plain(number::count(target.attempted))),
        row("completed", &|target| Figure::plain(number::count(target.completed))),
        row("success", &|target| Figure::plain(number::percent(target.success_rate))),
        row("failed", &|target| failures(target)),
        row("score", &score),
        row("verdict", &|target| Figure::plain(target.quality.trust.in_words())),
    ];
    rows.into_iter().unzip()
}

fn failures(target: &TargetSummary) -> Figure {
    let classes: Vec<_> = target.failures.iter().map(|(class, n)| format!("{} {class}", number::count(*n))).collect();
    let value = number::count(target.failures.values().sum());
    Figure { value, aside: classes }
}

fn percentile(percentile: &Percentile, metric: Metric) -> Figure {
    match percentile {
        Percentile::Known(_) => number::percentile(percentile, metric),
        Percentile::Withheld { needs_more } => {
            let more = format!("{} more", number::count(*needs_more));
            Figure { value: "not enough data".to_owned(), aside: vec![more] }
        }
    }
}

/// What its values do not say themselves.
const fn unit(metric: Metric) -> &'static str {
    match metric.unit() {
        Unit::Nanos | Unit::Tokens => "",
        Unit::TokensPerSecond => ", tokens/s",
    }
}

fn grid_of((names, rows): Table, summary: &Summary, width: u16) -> Vec<Line> {
    let columns = summary.targets.iter().enumerate().map(|(index, target)| Column {
        heading: terminal::name(target),
        figures: rows.iter().map(|row| row[index].clone()).collect(),
    });
    terminal::grids("", Align::Left, &names, columns.collect(), width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{plan, summary};

    const STYLE: Style = Style { width: 80, color: false };

    #[test]
    fn every_statistic_stands_under_its_target() {
        insta::assert_snapshot!(statistics(&summary(), STYLE));
    }

    #[test]
    fn who_is_ahead_is_told_with_every_verdict() {
        insta::assert_snapshot!(ranking(&summary(), &plan(), STYLE));
    }
}
