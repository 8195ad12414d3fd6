//! Projected figures, how each was made, and every assumption behind them: for people a table with a column a target, for
//! programs a row a figure.

use schema::projection::{Assumption, Projected, ProjectedUnit, Projection, TargetProjection};
use schema::summary::Estimate;

use crate::number::{self, Figure};
use crate::terminal::{Line, Style, headed};
use crate::{Align, Cell, Column, Listing, clean, grid, mark};

/// For a terminal: a table of the figures, then how each was made, what limits them and what was assumed.
pub fn projections_text(projected: &Projected, style: Style) -> String {
    let width = style.columns();
    let marked = |target: &TargetProjection| {
        let mark = target.simulated.then(|| mark::SIMULATED.to_owned());
        std::iter::once(target.target.to_string()).chain(mark).collect()
    };
    let headings: Vec<grid::Lines> =
        std::iter::once(vec!["Figure".to_owned()]).chain(projected.targets.iter().map(marked)).collect();
    let aligns: Vec<Align> =
        std::iter::once(Align::Left).chain(projected.targets.iter().map(|_| Align::Right)).collect();
    let rows: Vec<Vec<grid::Lines>> = figures(projected)
        .iter()
        .map(|(one, cells)| {
            let cells = cells.iter().map(|cell| {
                cell.split(" (")
                    .enumerate()
                    .map(|(i, part)| if i == 0 { part.to_owned() } else { format!("({part}") })
                    .collect()
            });
            std::iter::once(vec![one.figure.clone()]).chain(cells).collect()
        })
        .collect();
    let mut lines: Vec<Line> = grid::paragraph(&title(projected), width).into_iter().map(Line::Heading).collect();
    lines.extend(headed(grid::ruled(&headings, &aligns, &rows, width)));
    for told in [how(projected), notes(projected), assumed(projected)] {
        lines.extend(told.iter().take(1).map(|_| Line::Plain(String::new())));
        lines.extend(grid::labelled(&told, LABEL_WIDTH, 0, width).into_iter().map(Line::Plain));
    }
    style.finish(&lines)
}

/// As Markdown: the same table and lists.
pub fn projections_markdown(projected: &Projected) -> String {
    let names = projected.targets.iter().map(name);
    let row = |cells: &mut dyn Iterator<Item = String>| format!("| {} |", cells.collect::<Vec<_>>().join(" | "));
    let mut lines = vec![format!("# {}", clean::markdown(&title(projected))), String::new()];
    lines.push(row(&mut std::iter::once("Figure".to_owned()).chain(names.map(|name| clean::markdown(&name)))));
    lines.push(format!("| --- |{}", " ---: |".repeat(projected.targets.len())));
    for (one, cells) in figures(projected) {
        lines.push(row(&mut std::iter::once(&one.figure).chain(&cells).map(|cell| clean::markdown(cell))));
    }
    for told in [how(projected), notes(projected), assumed(projected)] {
        lines.extend(told.iter().take(1).map(|_| String::new()));
        lines.extend(
            told.iter().map(|(label, text)| format!("- **{}**: {}", clean::markdown(label), clean::markdown(text))),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Width of the labels under the table.
const LABEL_WIDTH: u16 = 30;

fn title(projected: &Projected) -> String {
    mark::headed(
        &projected.name,
        &mark::of_all(projected.targets.iter().map(|target| (&target.target, target.simulated))),
    )
}

/// Each figure once, in order, with what every target has to show.
fn figures(projected: &Projected) -> Vec<(&Projection, Vec<String>)> {
    let mut firsts: Vec<&Projection> = Vec::new();
    for one in projected.targets.iter().flat_map(|target| &target.projections) {
        if firsts.iter().all(|first| first.figure != one.figure) {
            firsts.push(one);
        }
    }
    let cell = |target: &TargetProjection, figure: &str| {
        let own = target.projections.iter().find(|one| one.figure == figure);
        own.map_or_else(|| number::NOTHING.to_owned(), in_words)
    };
    let cells = |first: &Projection| projected.targets.iter().map(|target| cell(target, &first.figure)).collect();
    firsts.into_iter().map(|first| (first, cells(first))).collect()
}

/// What is said of each figure, once.
fn how(projected: &Projected) -> Vec<(String, String)> {
    figures(projected).into_iter().map(|(one, _)| (one.figure.clone(), one.how.clone())).collect()
}

fn notes(projected: &Projected) -> Vec<(String, String)> {
    let of = |target: &TargetProjection| {
        let label = target.target.to_string();
        target.notes.iter().map(move |note| (label.clone(), note.clone())).collect::<Vec<_>>()
    };
    projected.targets.iter().flat_map(of).collect()
}

fn assumed(projected: &Projected) -> Vec<(String, String)> {
    let text = |one: &Assumption| format!("{} {} ({})", plain_with_ends(&one.estimate), one.unit, one.source);
    projected.assumptions.iter().map(|one| (format!("assumed {}", one.name), text(one))).collect()
}

/// For programs: a row a figure with its interval and how it was made, then a row an assumption with its source.
pub fn projections(projected: &Projected) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    let right = |key, heading| Column { key, heading, align: Align::Right };
    let figures =
        projected.targets.iter().flat_map(|target| target.projections.iter().map(move |one| figure(target, one)));
    let notes = projected.targets.iter().flat_map(|target| target.notes.iter().map(move |text| note(target, text)));
    Listing {
        title: title(projected),
        columns: vec![
            left("target", "Target"),
            left("figure", "Figure"),
            right("value", "Value"),
            right("low", "From"),
            right("high", "To"),
            left("unit", "Unit"),
            left("how", "How it was made, or where it comes from"),
            left("simulated", "Simulated"),
        ],
        rows: figures.chain(notes).chain(projected.assumptions.iter().map(assumption)).collect(),
    }
}

fn name(target: &TargetProjection) -> String {
    let mark = if target.simulated { format!(" ({})", mark::SIMULATED) } else { String::new() };
    format!("{}{mark}", target.target)
}

fn figure(target: &TargetProjection, one: &Projection) -> Vec<Cell> {
    let cell = |value: f64| Cell::Number { shown: shown(value, one.unit, &one.estimate), value };
    let end = |end: Option<f64>| end.map_or(Cell::Empty, cell);
    vec![
        Cell::Text(name(target)),
        Cell::Text(one.figure.clone()),
        cell(one.estimate.value),
        end(one.estimate.low),
        end(one.estimate.high),
        Cell::Text(unit(one.unit).to_owned()),
        Cell::Text(one.how.clone()),
        Cell::Flag(target.simulated),
    ]
}

fn note(target: &TargetProjection, text: &str) -> Vec<Cell> {
    let empty = || Cell::Empty;
    let words = Cell::Text(text.to_owned());
    vec![
        Cell::Text(name(target)),
        Cell::Text("note".to_owned()),
        empty(),
        empty(),
        empty(),
        empty(),
        words,
        Cell::Flag(target.simulated),
    ]
}

fn assumption(one: &Assumption) -> Vec<Cell> {
    let cell = |value: f64| Cell::Number { shown: plain(value), value };
    let end = |end: Option<f64>| end.map_or(Cell::Empty, cell);
    vec![
        Cell::Text("assumed".to_owned()),
        Cell::Text(one.name.clone()),
        cell(one.estimate.value),
        end(one.estimate.low),
        end(one.estimate.high),
        Cell::Text(one.unit.clone()),
        Cell::Text(one.source.clone()),
        Cell::Empty,
    ]
}

/// `23.4 h (20.1–27.0)`.
pub(crate) fn in_words(one: &Projection) -> String {
    let show = |value: f64| shown(value, one.unit, &one.estimate);
    let ends = one.estimate.low.zip(one.estimate.high);
    let ends = ends.map(|(low, high)| format!(" ({}–{})", show(low), show(high))).unwrap_or_default();
    let value = show(one.estimate.value);
    match one.unit {
        ProjectedUnit::Usd => format!("${value}{ends}"),
        ProjectedUnit::Count | ProjectedUnit::Share => format!("{value}{ends}"),
        named => format!("{value} {}{ends}", unit(named)),
    }
}

/// `users 500 (400–700), payroll`.
pub(crate) fn assumed_in_words(one: &Assumption) -> String {
    format!("{} {}, {}", one.name, plain_with_ends(&one.estimate), one.source)
}

fn plain_with_ends(estimate: &Estimate) -> String {
    let ends = estimate.low.zip(estimate.high);
    let ends = ends.map(|(low, high)| format!(" ({}–{})", plain(low), plain(high))).unwrap_or_default();
    format!("{}{ends}", plain(estimate.value))
}

const fn unit(unit: ProjectedUnit) -> &'static str {
    match unit {
        ProjectedUnit::Seconds => "s",
        ProjectedUnit::Hours => "h",
        ProjectedUnit::RequestsPerS => "requests/s",
        ProjectedUnit::RequestsPerDay => "requests/day",
        ProjectedUnit::Count => "",
        ProjectedUnit::Usd => "USD",
        ProjectedUnit::Share => "share",
        ProjectedUnit::Times => "times",
    }
}

/// A figure to the places its own value has, so that its ends compare at a glance.
fn shown(value: f64, unit: ProjectedUnit, whole: &Estimate) -> String {
    match unit {
        ProjectedUnit::Share => number::percent(value),
        ProjectedUnit::Count => format!("{value:.0}"),
        _ => {
            let alike = Estimate { value: whole.value, low: Some(value), high: Some(value) };
            let Figure { aside, .. } = number::rate(&alike);
            aside.first().and_then(|both| both.split('–').next()).map_or_else(|| plain(value), str::to_owned)
        }
    }
}

/// As it was given.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number that fits")]
fn plain(value: f64) -> String {
    let is_count = value.fract() == 0.0 && (0.0..1e15).contains(&value);
    if is_count { number::count(value as u64) } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projected() -> Projected {
        let figure = |figure: &str, unit, value, low, high| Projection {
            figure: figure.into(),
            unit,
            estimate: Estimate { value, low, high },
            how: "so".into(),
        };
        Projected {
            name: "plan".into(),
            simulated: true,
            assumptions: vec![Assumption {
                name: "peak_factor".into(),
                estimate: Estimate { value: 2.5, low: Some(2.0), high: Some(3.0) },
                unit: "times".into(),
                source: "=counted()".into(),
            }],
            targets: vec![TargetProjection {
                target: "a".parse().unwrap(),
                simulated: true,
                projections: vec![
                    figure("replicas", ProjectedUnit::Count, 8.0, Some(6.0), Some(8.0)),
                    figure("cost a month", ProjectedUnit::Usd, 11_680.0, Some(8_760.0), Some(11_680.0)),
                    figure("wait", ProjectedUnit::Seconds, 1.234, Some(0.9), Some(1.5678)),
                    figure("late", ProjectedUnit::Share, 0.025, None, None),
                ],
                notes: vec!["no SLO was set".into()],
            }],
        }
    }

    #[test]
    fn figures_notes_and_assumptions_stand_in_one_table() {
        let mut wide = projected();
        let mut other = wide.targets[0].clone();
        (other.target, other.simulated) = ("b".parse().unwrap(), false);
        other.projections.remove(1);
        wide.targets.push(other);
        insta::assert_snapshot!(projections_text(&wide, Style { width: 100, color: false }));
        insta::assert_snapshot!(projections_markdown(&wide));
    }

    #[test]
    fn programs_get_a_row_a_figure_and_an_assumption() {
        insta::assert_snapshot!(projections(&projected()).csv());
    }

    #[test]
    fn a_source_is_no_formula() {
        let csv = projections(&projected()).csv();
        assert!(!csv.contains(",=counted"), "{csv}");
    }
}
