//! One recording under the definitions of several tools: figures side by side, then why they move.

use schema::explain::{Cause, Explanation, Figure as Found, Quantity, Reading};

use crate::clean;
use crate::comparison::Column;
use crate::number::{self, Figure};

/// `Explain the difference: groq, 200 answers of evening`.
pub(crate) fn heading(explanation: &Explanation) -> String {
    let mark = if explanation.simulated { "  SIMULATED" } else { "" };
    format!(
        "Explain the difference: {}, {} of {}{mark}",
        explanation.target,
        number::counted(explanation.requests, "answer"),
        explanation.run
    )
}

/// The quantities that anyone has a figure of: a row each.
pub(crate) fn rows(explanation: &Explanation) -> Vec<Quantity> {
    let readings = || explanation.readings.iter().map(|reading| &reading.figures);
    let has = |quantity: Quantity| {
        let mut figures = readings().chain([&explanation.ours]);
        figures.any(|figures| figure_of(figures, quantity).is_some_and(|figure| figure.value.is_some()))
    };
    Quantity::ALL.iter().copied().filter(|&quantity| has(quantity)).collect()
}

fn figure_of(figures: &[Found], quantity: Quantity) -> Option<&Found> {
    figures.iter().find(|figure| figure.quantity == quantity)
}

/// Ours, then a column a tool; what does not move has nothing beside it.
pub(crate) fn columns(explanation: &Explanation) -> Vec<Column> {
    let rows = rows(explanation);
    let column = |heading: &str, figures: &[Found]| Column {
        heading: heading.split(' ').map(str::to_owned).collect(),
        figures: rows.iter().map(|&quantity| shown(figure_of(figures, quantity))).collect(),
    };
    let ours = column("ours", &explanation.ours);
    let tools = explanation.readings.iter().map(|reading| column(reading.tool.heading(), &reading.figures));
    std::iter::once(ours).chain(tools).collect()
}

fn shown(figure: Option<&Found>) -> Figure {
    let Some((figure, value)) = figure.and_then(|figure| Some((figure, figure.value?))) else {
        return Figure::nothing();
    };
    let aside = figure.change.filter(|_| !figure.causes.is_empty()).map(signed);
    Figure { value: number::value(value, figure.quantity.unit()), aside: aside.into_iter().collect() }
}

/// `+12 %`, `−0.4 %`; from eleven times on as a factor.
fn signed(change: f64) -> String {
    if change >= 10.0 {
        return format!("× {}", number::number(change + 1.0));
    }
    let sign = if change < 0.0 { "−" } else { "+" };
    let percent = change.abs() * 100.0;
    format!("{sign}{percent:.*} %", usize::from(percent < 9.95))
}

/// Why figures move: whose, and a sentence a cause with what it does alone.
pub(crate) fn causes(explanation: &Explanation) -> Vec<(String, String)> {
    let mut told: Vec<Told<'_>> = Vec::new();
    for reading in &explanation.readings {
        for (figure, cause) in reading.figures.iter().flat_map(|figure| figure.causes.iter().map(move |c| (figure, c)))
        {
            let known =
                told.iter_mut().position(|known| known.cause.rule == cause.rule && known.cause.why == cause.why);
            let place = known.unwrap_or_else(|| {
                told.push(Told { cause, tools: Vec::new(), figures: Vec::new() });
                told.len() - 1
            });
            told[place].add(reading, figure, cause);
        }
    }
    let still = explanation.readings.iter().filter(|reading| reading.figures.iter().all(|f| f.causes.is_empty()));
    let still: Vec<&str> = still.map(|reading| reading.tool.heading()).collect();
    let all = explanation.readings.len();
    let mut lines: Vec<(String, String)> = told
        .into_iter()
        .map(|told| (who(&told.tools, all), format!("{}: {}", told.figures.join(", "), told.cause.why)))
        .collect();
    if !still.is_empty() {
        lines.push((who(&still, all), "nothing moves".to_owned()));
    }
    lines
}

/// One cause, whose figures it moves, and which.
struct Told<'a> {
    cause: &'a Cause,
    tools: Vec<&'static str>,
    figures: Vec<String>,
}

impl Told<'_> {
    fn add(&mut self, reading: &Reading, figure: &Found, cause: &Cause) {
        let tool = reading.tool.heading();
        if !self.tools.contains(&tool) {
            self.tools.push(tool);
        }
        let moved = match cause.change {
            Some(change) => format!("{} {}", figure.quantity.heading(), signed(change)),
            None => figure.quantity.heading().to_owned(),
        };
        if !self.figures.contains(&moved) {
            self.figures.push(moved);
        }
    }
}

fn who(tools: &[&str], all: usize) -> String {
    if tools.len() == all { "all".to_owned() } else { tools.join(", ") }
}

/// What stands in for what the recording does not hold: who is concerned, and what it is.
pub(crate) fn notes(explanation: &Explanation) -> Vec<(String, String)> {
    let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
    for (reading, note) in
        explanation.readings.iter().flat_map(|reading| reading.notes.iter().map(move |n| (reading, n)))
    {
        match told.iter_mut().find(|(known, _)| known == note) {
            Some((_, tools)) => tools.push(reading.tool.heading()),
            None => told.push((note, vec![reading.tool.heading()])),
        }
    }
    let all = explanation.readings.len();
    told.into_iter().map(|(note, tools)| (who(&tools, all), note.to_owned())).collect()
}

/// How to read the figures, and whose sources were read.
pub(crate) fn legend(explanation: &Explanation) -> String {
    let versions = explanation.readings.iter().map(|reading| match reading.tool.version() {
        "main" => reading.tool.heading().to_owned(),
        version => format!("{} {version}", reading.tool.heading()),
    });
    format!(
        "All of one recording: what differs is the definition alone, so there are no intervals. Each cause tells what it \
         does to our figure alone. Definitions as read in the tools' sources, autumn 2026 ({}).",
        versions.collect::<Vec<_>>().join(", ")
    )
}

/// Headings of the CSV, and a row a target, tool and quantity that has a figure.
pub(crate) fn csv_rows(explanations: &[Explanation]) -> Vec<Vec<String>> {
    let headings = ["run", "target", "simulated", "tool", "version", "quantity", "value", "ours", "change", "why"];
    let mut rows = vec![headings.map(str::to_owned).to_vec()];
    for explanation in explanations {
        rows.extend(explanation.ours.iter().filter_map(|figure| csv_row(explanation, "speed-kings", "", figure)));
        for reading in &explanation.readings {
            let (tool, version) = (reading.tool.key(), reading.tool.version());
            rows.extend(reading.figures.iter().filter_map(|figure| csv_row(explanation, tool, version, figure)));
        }
    }
    rows
}

fn csv_row(explanation: &Explanation, tool: &str, version: &str, figure: &Found) -> Option<Vec<String>> {
    let ours = figure_of(&explanation.ours, figure.quantity).and_then(|ours| ours.value);
    let number = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    let why: Vec<&str> = figure.causes.iter().map(|cause| cause.why.as_str()).collect();
    let mark = if explanation.simulated { "SIMULATED" } else { "" };
    Some(vec![
        clean::cell(&explanation.run),
        clean::cell(explanation.target.as_str()),
        mark.to_owned(),
        tool.to_owned(),
        version.to_owned(),
        figure.quantity.key().to_owned(),
        number(Some(figure.value?)),
        number(ours),
        number(figure.change),
        clean::cell(&why.join("; ")),
    ])
}
