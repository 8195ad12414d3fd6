//! A run held against a baseline.

use schema::alike::Severity;
use schema::gate::{Check, CheckVerdict, Gate, SloCheck};
use schema::summary::{Estimate, SloStatus};

use crate::grid;
use crate::listing::{Align, Cell, Column, Listing};
use crate::terminal::{Line, Style};
use crate::{clean, comparison, figure, json, number};

/// What came from a simulated engine says so.
const MARK: &str = "SIMULATED";

/// For a terminal: the verdict, a row a check, and what a reader must know besides. Ends with a line break.
pub fn gate(gate: &Gate, style: Style) -> String {
    let width = style.columns();
    let mut lines: Vec<Line> = grid::paragraph(&headline(gate), width).into_iter().map(Line::Heading).collect();
    lines.push(Line::Plain(String::new()));
    let mut text = style.finish(&lines);
    text.push_str(&rows(gate, Form::People).table(style));
    let told = [reasons(gate), asides(gate)].concat();
    let mut below = vec![Line::Plain(String::new())];
    below.extend(grid::paragraph(&legend(gate), width).into_iter().map(Line::Plain));
    if !told.is_empty() {
        below.push(Line::Plain(String::new()));
        below.extend(grid::labelled(&told, 12, 2, width).into_iter().map(Line::Plain));
    }
    text.push_str(&style.finish(&below));
    text
}

/// For a pull request: the same as Markdown. Ends with a line break.
pub fn gate_markdown(gate: &Gate) -> String {
    let mut lines = vec![format!("## Speed gate: {}", gate.verdict.in_words()), String::new()];
    lines.extend([clean::markdown(&headline(gate)), String::new()]);
    lines.push(rows(gate, Form::People).markdown());
    lines.extend([clean::markdown(&legend(gate)), String::new()]);
    let told = [reasons(gate), asides(gate)].concat();
    lines.extend(told.iter().map(|(label, text)| format!("- **{label}**: {}", clean::markdown(text))));
    lines.push(String::new());
    lines.join("\n")
}

/// A row a check, figures in their base units.
pub fn gate_csv(gate: &Gate) -> String {
    rows(gate, Form::Programs).csv()
}

/// All of it as indented JSON. Ends with a line break.
pub fn gate_json(gate: &Gate) -> String {
    json::pretty(gate)
}

/// `regression: 1 of 4 checks; test_b against baseline main (test_a)`.
fn headline(gate: &Gate) -> String {
    let count = |verdict| gate.checks.iter().filter(|check| check.verdict == verdict).count();
    let missed = gate.slos.iter().filter(|slo| slo.verdict.status == SloStatus::Missed).count();
    let all = gate.checks.len();
    let counted = match gate.verdict {
        CheckVerdict::Regression => count(CheckVerdict::Regression),
        CheckVerdict::Undecided => count(CheckVerdict::Undecided),
        CheckVerdict::Pass => count(CheckVerdict::Pass),
    };
    let checks =
        if all > 0 { format!(" in {counted} of {}", number::counted(all as u64, "check")) } else { String::new() };
    let slos = if missed > 0 { format!(", {} missed", number::counted(missed as u64, "SLO")) } else { String::new() };
    let mark = if gate.simulated { format!("  {MARK}") } else { String::new() };
    let verdict = gate.verdict.in_words();
    format!("{verdict}{checks}{slos}: {} against {}{mark}", gate.run.folder, baseline(gate))
}

/// `main (test_a)`, `main (5 runs)`; just the folder where that is the name.
fn baseline(gate: &Gate) -> String {
    match gate.baseline.as_slice() {
        [one] if one.folder == gate.baseline_name => one.folder.clone(),
        [one] => format!("{} ({})", gate.baseline_name, one.folder),
        several => format!("{} ({} runs)", gate.baseline_name, several.len()),
    }
}

/// Which intervals the table has.
fn legend(gate: &Gate) -> String {
    let percent = number::percent(gate.confidence);
    let between = if gate.between_runs {
        "how much runs of the baseline differ from each other is in them"
    } else {
        "the baseline is a single run, so that how much runs differ from day to day is not in them: `speed-kings baseline \
         set NAME RUN RUN RUN …` takes several"
    };
    format!(
        "Ranges of a change are {percent} intervals, such that noise fails at most 5 gates in 100, all checks together; {between}."
    )
}

/// Why each check came out as it did, with its verdict: what failed first, then what is open, then the others.
fn reasons(gate: &Gate) -> Vec<(String, String)> {
    let check = |check: &Check| {
        (check.verdict, check.verdict.in_words(), check.target.clone(), check.bound.to_string(), check.why.clone())
    };
    let slo = |slo: &SloCheck| {
        let (status, verdict) = (slo.verdict.status, &slo.verdict);
        (
            as_verdict(status),
            comparison::status(status),
            slo.target.clone(),
            verdict.slo.to_string(),
            verdict.why.clone(),
        )
    };
    let mut all: Vec<_> = gate.checks.iter().map(check).chain(gate.slos.iter().map(slo)).collect();
    all.sort_by_key(|(verdict, ..)| match verdict {
        CheckVerdict::Regression => 0,
        CheckVerdict::Undecided => 1,
        CheckVerdict::Pass => 2,
    });
    all.into_iter().map(|(_, word, target, what, why)| (word.to_owned(), format!("{target} {what}: {why}"))).collect()
}

/// What an SLO's status comes to in a gate.
pub(crate) const fn as_verdict(status: SloStatus) -> CheckVerdict {
    match status {
        SloStatus::Met => CheckVerdict::Pass,
        SloStatus::Missed => CheckVerdict::Regression,
        SloStatus::Undecided => CheckVerdict::Undecided,
    }
}

/// What a reader must know besides, with its label.
fn asides(gate: &Gate) -> Vec<(String, String)> {
    let difference = |difference: &schema::gate::Difference| {
        let label = match difference.unlike.severity {
            Severity::Note => "note",
            Severity::Caution | Severity::Unfair => "warning",
        };
        let severity = match difference.unlike.severity {
            Severity::Unfair => format!("{}: ", difference.unlike.severity.in_words()),
            Severity::Note | Severity::Caution => String::new(),
        };
        (label.to_owned(), format!("{severity}{}: {}", difference.target, difference.unlike.detail))
    };
    let mut asides: Vec<(String, String)> = gate.differences.iter().map(difference).collect();
    asides.extend(gate.notes.iter().map(|note| ("note".to_owned(), note.clone())));
    asides
}

/// Who reads the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Values with their units and ranges.
    People,
    /// Bare numbers, each in its column.
    Programs,
}

fn rows(gate: &Gate, form: Form) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    let right = |key, heading| Column { key, heading, align: Align::Right };
    let columns = match form {
        Form::People => vec![
            left("target", "Target"),
            left("check", "Check"),
            right("baseline", "Baseline"),
            right("run", "Run"),
            right("change", "Change"),
            left("verdict", "Verdict"),
        ],
        Form::Programs => vec![
            left("target", "Target"),
            left("simulated", "Simulated"),
            left("check", "Check"),
            right("baseline", "Baseline"),
            right("run", "Run"),
            right("run_low", "From"),
            right("run_high", "To"),
            right("change", "Change"),
            right("change_low", "From"),
            right("change_high", "To"),
            left("verdict", "Verdict"),
            right("more_requests", "More requests"),
            left("why", "Why"),
        ],
    };
    let checks = gate.checks.iter().map(|check| match form {
        Form::People => shown(check),
        Form::Programs => bare(check),
    });
    let slos = gate.slos.iter().map(|slo| slo_row(slo, form));
    Listing { title: String::new(), columns, rows: checks.chain(slos).collect() }
}

fn name(target: &schema::target::TargetName, simulated: bool) -> Cell {
    let mark = if simulated { format!(" {MARK}") } else { String::new() };
    Cell::Text(format!("{target}{mark}"))
}

fn shown(check: &Check) -> Vec<Cell> {
    let figure = check.bound.figure;
    let value = |estimate: &Option<Estimate>| {
        estimate.as_ref().map_or(Cell::Empty, |estimate| Cell::Text(figure::value(figure, estimate.value)))
    };
    vec![
        name(&check.target, check.simulated),
        Cell::Text(check.bound.to_string()),
        value(&check.baseline),
        value(&check.run),
        check.change.as_ref().map_or(Cell::Empty, |change| Cell::Text(figure::change(figure, change))),
        Cell::Text(check.verdict.in_words().to_owned()),
    ]
}

fn bare_number(value: Option<f64>) -> Cell {
    value.map_or(Cell::Empty, |value| Cell::Number { shown: value.to_string(), value })
}

fn bare(check: &Check) -> Vec<Cell> {
    let ends = |estimate: &Option<Estimate>| {
        [estimate.map(|e| e.value), estimate.and_then(|e| e.low), estimate.and_then(|e| e.high)].map(bare_number)
    };
    let mut cells = vec![
        Cell::Text(check.target.to_string()),
        Cell::Flag(check.simulated),
        Cell::Text(check.bound.to_string()),
        bare_number(check.baseline.map(|e| e.value)),
    ];
    cells.extend(ends(&check.run));
    cells.extend(ends(&check.change));
    cells.extend([
        Cell::Text(check.verdict.in_words().to_owned()),
        bare_number(check.more_requests.map(|more| more as f64)),
        Cell::Text(check.why.clone()),
    ]);
    cells
}

fn slo_row(check: &SloCheck, form: Form) -> Vec<Cell> {
    let verdict = &check.verdict;
    let text = |text: &str| Cell::Text(text.to_owned());
    let status = text(comparison::status(verdict.status));
    let (slo, why) = (text(&verdict.slo.to_string()), text(&verdict.why));
    let unit = verdict.slo.metric.unit();
    match form {
        Form::People => {
            let measured =
                verdict.measured.map_or(Cell::Empty, |estimate| Cell::Text(number::value(estimate.value, unit)));
            vec![name(&check.target, check.simulated), slo, Cell::Empty, measured, Cell::Empty, status]
        }
        Form::Programs => {
            let measured = verdict.measured;
            let run = [measured.map(|e| e.value), measured.and_then(|e| e.low), measured.and_then(|e| e.high)];
            let mut cells = vec![text(check.target.as_str()), Cell::Flag(check.simulated), slo, Cell::Empty];
            cells.extend(run.map(bare_number));
            cells.extend([Cell::Empty, Cell::Empty, Cell::Empty, status, Cell::Empty, why]);
            cells
        }
    }
}
