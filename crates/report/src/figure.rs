//! Figures of a target and how they change, as people read them.

use schema::figure::Figure;
use schema::summary::Estimate;

use crate::number;

/// A figure's value with its unit: `51.2 ms`, `99.4 %`, `$0.00123`.
pub(crate) fn value(figure: Figure, value: f64) -> String {
    match (figure, figure.unit()) {
        (_, Some(unit)) => number::value(value, unit),
        (Figure::SuccessRate, None) => number::percent(value),
        (Figure::Cost, None) => format!("${}", number::number(value)),
        (_, None) => number::number(value),
    }
}

/// The same with its interval: `51.2 ms (50.1–52.3)`.
pub(crate) fn estimate(figure: Figure, estimate: &Estimate) -> String {
    if let Some(unit) = figure.unit() {
        return number::estimate(estimate, unit).in_line();
    }
    let ends = estimate.low.zip(estimate.high).map(|(low, high)| (value(figure, low), value(figure, high)));
    let aside = ends.map(|(low, high)| format!(" ({low} to {high})")).unwrap_or_default();
    format!("{}{aside}", value(figure, estimate.value))
}

/// A relative change, of a success rate one in points: `+20 % (+19 to +22)`.
pub(crate) fn change(figure: Figure, change: &Estimate) -> String {
    let unit = if figure == Figure::SuccessRate { "points" } else { "%" };
    let ends = change.low.zip(change.high).map(|(low, high)| (signed(low), signed(high)));
    let aside = ends.map(|(low, high)| format!(" ({low} to {high})")).unwrap_or_default();
    format!("{} {unit}{aside}", signed(change.value))
}

/// In hundredths, with its sign.
fn signed(share: f64) -> String {
    let percent = share * 100.0;
    let digits = usize::from(percent.abs() < 9.95);
    let text = format!("{:.digits$}", percent.abs());
    let is_nothing = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = if is_nothing {
        "±"
    } else if percent < 0.0 {
        "−"
    } else {
        "+"
    };
    format!("{sign}{text}")
}
