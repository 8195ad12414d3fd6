//! One figure over stored runs.

use jiff::Timestamp;
use schema::figure::Figure;
use schema::summary::Estimate;
use schema::trend::{BudgetUnit, Drift, ErrorBudget, Forecast, ForecastMethod, LevelChange, Trend};

use crate::listing::{Align, Cell, Column, Listing};
use crate::terminal::{Line, Style};
use crate::{clean, figure, grid, json, number};

/// Bars from the lowest to the highest.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Runs that people are shown one by one: the latest.
const SHOWN: usize = 20;

/// p-value up to which a drift is taken for one, as in `stats`.
const DRIFTS: f64 = 0.05;

/// For a terminal: a line of bars, what changed, what is to be expected, and a row a run. Ends with a line break.
pub fn trend(trend: &Trend, style: Style) -> String {
    let width = style.columns();
    let mut lines: Vec<Line> = grid::paragraph(&headline(trend), width).into_iter().map(Line::Heading).collect();
    let line = sparkline(trend, usize::from(width));
    lines.extend((!line.is_empty()).then_some(Line::Plain(line)));
    lines.push(Line::Plain(String::new()));
    lines.extend(grid::labelled(&sentences(trend), 12, 2, width).into_iter().map(Line::Plain));
    lines.push(Line::Plain(String::new()));
    let mut text = style.finish(&lines);
    text.push_str(&rows(trend, Form::People).table(style));
    if let Some(budget) = &trend.budget {
        text.push_str(&style.finish(&[Line::Plain(String::new())]));
        text.push_str(&windows(budget).table(style));
    }
    text
}

/// The same as Markdown. Ends with a line break.
pub fn trend_markdown(trend: &Trend) -> String {
    let mut lines = vec![format!("# {}", clean::markdown(&headline(trend))), String::new()];
    let line = sparkline(trend, 80);
    if !line.is_empty() {
        lines.extend(["```text".to_owned(), line, "```".to_owned(), String::new()]);
    }
    lines.extend(sentences(trend).iter().map(|(label, text)| format!("- **{label}**: {}", clean::markdown(text))));
    lines.extend([String::new(), rows(trend, Form::People).markdown()]);
    lines.extend(trend.budget.as_ref().map(|budget| windows(budget).markdown()));
    lines.join("\n")
}

/// A row a run, figures in their base units.
pub fn trend_csv(trend: &Trend) -> String {
    rows(trend, Form::Programs).csv()
}

/// All of it as indented JSON. Ends with a line break.
pub fn trend_json(trend: &Trend) -> String {
    json::pretty(trend)
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// `TTFT p95 of vllm over 40 runs, 2026-10-01 to 2026-11-22`.
fn headline(trend: &Trend) -> String {
    let mark = if trend.simulated { "  SIMULATED" } else { "" };
    let count = trend.points.len();
    let span = match trend.points.as_slice() {
        [] => String::new(),
        [one] => format!(", {}", day(one.run.started)),
        [first, .., last] => format!(", {} to {}", day(first.run.started), day(last.run.started)),
    };
    let runs = number::counted(count as u64, "run");
    format!("{} of {} over {runs}{span}{mark}", trend.figure.heading(), trend.target)
}

/// A bar a run, or of more runs than fit the median of neighbours; `|` before the first run of a new level.
fn sparkline(trend: &Trend, width: usize) -> String {
    let values: Vec<f64> = trend.points.iter().map(|point| point.value.value).collect();
    let room = width.saturating_sub(trend.changes.len()).max(1);
    let together = values.len().div_ceil(room).max(1);
    let bars: Vec<f64> = values.chunks(together).map(median).collect();
    let (low, high) =
        bars.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    if bars.len() < 2 || high <= low {
        return String::new();
    }
    let begins: Vec<usize> = trend.changes.iter().map(|change| change.index / together).collect();
    let mut line = String::new();
    for (i, value) in bars.iter().enumerate() {
        line.extend(begins.contains(&i).then_some('|'));
        line.push(bar((value - low) / (high - low)));
    }
    line
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
fn bar(share: f64) -> char {
    BARS[((share * BARS.len() as f64) as usize).min(BARS.len() - 1)]
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What the runs say, with its label.
fn sentences(trend: &Trend) -> Vec<(String, String)> {
    let mut told: Vec<(&str, String)> = Vec::new();
    if let [first, .., last] = trend.points.as_slice() {
        let value = |estimate: &Estimate| figure::estimate(trend.figure, estimate);
        told.push(("first, last", format!("{}; {}", value(&first.value), value(&last.value))));
    }
    told.extend(trend.changes.iter().map(|change| ("change", changed(trend.figure, change))));
    if trend.changes.is_empty() && trend.points.len() > 1 {
        told.push(("change", "no change of level was found".to_owned()));
    }
    told.push(("drift", drift(trend)));
    told.push(("forecast", forecast(trend)));
    told.extend(trend.budget.as_ref().map(|budget| ("budget", budget_in_words(budget))));
    told.extend(trend.notes.iter().map(|note| ("note", note.clone())));
    told.into_iter().map(|(label, text)| (label.to_owned(), text)).collect()
}

/// `from 2026-11-03 on, with test_x: 51.2 ms became 61.0 ms, +19 % (+17 to +22), worse; what else differed: …`.
fn changed(of: Figure, change: &LevelChange) -> String {
    let value = |x: f64| figure::value(of, x);
    let direction = match change.better {
        Some(true) => ", better",
        Some(false) => ", worse",
        None => "",
    };
    let commit = change.began.commit.as_ref().map(|commit| format!(" at commit {}", short(commit))).unwrap_or_default();
    let else_ = if change.differences.is_empty() {
        String::new()
    } else {
        format!("; what else differed from the run before: {}", change.differences.join("; "))
    };
    format!(
        "from {} on, with {}{commit}: {} became {}, {}{direction}{else_}",
        day(change.began.started),
        change.began.folder,
        value(change.before),
        value(change.after),
        relative(&change.change),
    )
}

fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

/// A change is relative here, of a success rate too.
fn relative(change: &Estimate) -> String {
    figure::change(Figure::RequestsPerS, change)
}

fn drift(trend: &Trend) -> String {
    let Some(Drift { runs, per_day, p }) = &trend.drift else {
        return "too few runs since the last change to tell".to_owned();
    };
    let sign = if per_day.value < 0.0 { "−" } else { "+" };
    let rate = format!("{sign}{} a day", figure::value(trend.figure, per_day.value.abs()));
    let shown = if *p <= DRIFTS { format!("{rate}, certain") } else { "none shown".to_owned() };
    format!(
        "{shown} (Mann–Kendall p = {}, {runs} runs)",
        if *p < 0.001 { "<0.001".to_owned() } else { format!("{p:.3}") }
    )
}

fn forecast(trend: &Trend) -> String {
    match &trend.forecast {
        Forecast::TooFewRuns { runs, needed } => {
            let since = if trend.changes.is_empty() { "" } else { " since the last change" };
            format!("too few runs: {needed} are needed{since}, there {} {runs}", if *runs == 1 { "is" } else { "are" })
        }
        Forecast::Known { method, points, .. } => {
            let how = match method {
                ForecastMethod::Level => "the level stays",
                ForecastMethod::Line => "the drift goes on",
            };
            match points.last() {
                Some(last) => format!(
                    "a run on {} will likely show {}, if {how}",
                    day(last.at),
                    figure::estimate(trend.figure, &last.value)
                ),
                None => format!("none was asked for; {how}"),
            }
        }
    }
}

/// `95.2 % of requests met ttft<200ms (…), 99 % wanted: 480 % of the budget of 30 days used, burn rate 5.2, used up since …`.
fn budget_in_words(budget: &ErrorBudget) -> String {
    let unit = budget.unit.in_words();
    let share = figure::estimate(Figure::SuccessRate, &budget.compliance);
    let percent = |x: f64| format!("{} %", number::number(x * 100.0));
    let used = budget
        .consumed
        .low
        .zip(budget.consumed.high)
        .map(|(low, high)| format!(" ({} to {})", percent(low), percent(high)));
    let end = match budget.exhausted {
        Some(_) if budget.consumed.value >= 1.0 => "it is used up".to_owned(),
        Some(at) => format!("used up on {} if this goes on", day(at)),
        None => "at that rate it lasts".to_owned(),
    };
    format!(
        "{share} of {unit} met {}, {} wanted: {}{} of the budget of {} is used, burn rate {}; {end}",
        budget.slo,
        number::percent(budget.objective),
        percent(budget.consumed.value),
        used.unwrap_or_default(),
        days(budget.period_days),
        number::number(budget.burn_rate.value),
    )
}

/// `1 day`, `2.5 days`.
fn days(days: f64) -> String {
    let shown = number::number(days);
    let ending = if shown == "1" { "" } else { "s" };
    format!("{shown} day{ending}")
}

/// Who reads the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The latest, newest first.
    People,
    /// All, in order of time.
    Programs,
}

fn rows(trend: &Trend, form: Form) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    let right = |key, heading| Column { key, heading, align: Align::Right };
    let begins = |i: usize| trend.changes.iter().find(|change| change.index == i);
    let row = |(i, point): (usize, &schema::trend::TrendPoint)| {
        let change = begins(i).map_or(Cell::Empty, |change| Cell::Text(relative(&change.change)));
        let number = |value: f64| Cell::Number { shown: figure::value(trend.figure, value), value };
        let end = |end: Option<f64>| end.map_or(Cell::Empty, number);
        vec![
            Cell::Text(point.run.started.strftime("%Y-%m-%d %H:%M").to_string()),
            Cell::Text(point.run.folder.clone()),
            number(point.value.value),
            end(point.value.low),
            end(point.value.high),
            change,
            Cell::Flag(point.simulated),
        ]
    };
    let all = trend.points.iter().enumerate();
    Listing {
        title: String::new(),
        columns: vec![
            left("started", "Started"),
            left("run", "Run"),
            right("value", "Value"),
            right("low", "From"),
            right("high", "To"),
            left("change", "New level"),
            left("simulated", "Simulated"),
        ],
        rows: match form {
            Form::People => all.rev().take(SHOWN).map(row).collect(),
            Form::Programs => all.map(row).collect(),
        },
    }
}

fn windows(budget: &ErrorBudget) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    let right = |key, heading| Column { key, heading, align: Align::Right };
    let counted = match budget.unit {
        BudgetUnit::Requests => "Requests",
        BudgetUnit::Runs => "Runs counted",
    };
    let count = |value: u64| Cell::Number { shown: number::count(value), value: value as f64 };
    let row = |window: &schema::trend::BudgetWindow| {
        vec![
            Cell::Text(day(window.from)),
            Cell::Text(day(window.to)),
            count(window.runs),
            count(window.all),
            window.share.map_or(Cell::Empty, |value| Cell::Number { shown: number::percent(value), value }),
            window.burn_rate.map_or(Cell::Empty, |value| Cell::Number { shown: number::number(value), value }),
        ]
    };
    Listing {
        title: String::new(),
        columns: vec![
            left("from", "From"),
            left("to", "To"),
            right("runs", "Runs"),
            right("counted", counted),
            right("share", "Met it"),
            right("burn_rate", "Burn rate"),
        ],
        rows: budget.windows.iter().map(row).collect(),
    }
}
