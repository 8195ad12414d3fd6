//! Projected figures, and every assumption behind them, as one listing.

use schema::projection::{Assumption, Projected, ProjectedUnit, Projection, TargetProjection};
use schema::summary::Estimate;

use crate::number::{self, Figure};
use crate::{Align, Cell, Column, Listing};

/// What a projection is called whose target was simulated.
const SIMULATED: &str = "SIMULATED";

/// A row a figure with its interval and how it was made, then a row an assumption with its source.
pub fn projections(projected: &Projected) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    let right = |key, heading| Column { key, heading, align: Align::Right };
    let mark = if projected.simulated { format!(" ({SIMULATED})") } else { String::new() };
    let figures =
        projected.targets.iter().flat_map(|target| target.projections.iter().map(move |one| figure(target, one)));
    let notes = projected.targets.iter().flat_map(|target| target.notes.iter().map(move |text| note(target, text)));
    Listing {
        title: format!("{}{mark}", projected.name),
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

fn name(target: &TargetProjection) -> Cell {
    let mark = if target.simulated { format!(" ({SIMULATED})") } else { String::new() };
    Cell::Text(format!("{}{mark}", target.target))
}

fn figure(target: &TargetProjection, one: &Projection) -> Vec<Cell> {
    let cell = |value: f64| Cell::Number { shown: shown(value, one.unit, &one.estimate), value };
    let end = |end: Option<f64>| end.map_or(Cell::Empty, cell);
    vec![
        name(target),
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
        name(target),
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
    let Estimate { value, low, high } = one.estimate;
    let ends = low.zip(high).map(|(low, high)| format!(" ({}–{})", plain(low), plain(high))).unwrap_or_default();
    format!("{} {}{ends}, {}", one.name, plain(value), one.source)
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
fn plain(value: f64) -> String {
    if value.fract() == 0.0 && value < 1e15 { number::number(value) } else { value.to_string() }
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
        insta::assert_snapshot!(projections(&projected()).markdown());
    }

    #[test]
    fn a_source_is_no_formula() {
        let csv = projections(&projected()).csv();
        assert!(!csv.contains(",=counted"), "{csv}");
    }
}
