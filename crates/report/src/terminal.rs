//! The comparison and each target's details, for a terminal.

use schema::comparison::Comparison;
use schema::curve::Curve;
use schema::plan::Plan;
use schema::summary::{Summary, TargetSummary};

use crate::comparison::{self, Column};
use crate::conversation::{self, Section};
use crate::grid::{self, GAP, Lines};
use crate::listing::Align;
use crate::{alike, curve, details, mark, paint, ranking};

/// Narrower than this nothing is laid out.
const LEAST_WIDTH: u16 = 60;

/// Width of the labels in the details.
const LABEL_WIDTH: u16 = 12;

/// How text for a terminal is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns to fill at most; 60 at least are used.
    pub width: u16,
    /// Whether ANSI colours are used.
    pub color: bool,
}

impl Style {
    /// The width that is used.
    pub(crate) fn columns(self) -> u16 {
        self.width.max(LEAST_WIDTH)
    }

    /// The lines as one text, headings bold and words coloured where colours are used.
    pub(crate) fn finish(self, lines: &[Line]) -> String {
        let mut text = String::new();
        for line in lines {
            match line {
                Line::Plain(line) if self.color => text.push_str(&paint::words(line)),
                Line::Heading(line) if self.color => text.push_str(&paint::bold(line)),
                Line::Plain(line) | Line::Heading(line) => text.push_str(line),
            }
            text.push('\n');
        }
        text
    }
}

/// A laid-out line.
pub(crate) enum Line {
    /// Text in which some words are coloured.
    Plain(String),
    /// A heading.
    Heading(String),
}

/// The comparison of all targets with intervals, who leads, then what else is known of each: one text that
/// ends with a line break. What does not fit the width side by side goes below.
pub fn table(summary: &Summary, plan: &Plan, style: Style) -> String {
    let width = style.columns();
    let mut lines: Vec<Line> = plain(grid::paragraph(&title(summary), width)).collect();
    lines.extend(plain(grid::paragraph(&comparison::plan_in_words(plan), width)));
    lines.extend(summary.curves.iter().flat_map(|curve| of_curve(curve, width)));
    if !summary.curves.is_empty() {
        lines.push(blank());
        lines.extend(plain(grid::paragraph(curve::LEGEND, width)));
    }
    lines.extend(compare(summary, plan, width));
    lines.push(blank());
    lines.extend(
        summary
            .comparison
            .iter()
            .flat_map(|comparison| verdicts(comparison, &ranking::verdicts_in_words(comparison), width)),
    );
    lines.extend(plain(grid::paragraph(comparison::LEGEND, width)));
    let floor = summary.calibration.as_ref().map(comparison::floor);
    lines.extend(floor.iter().flat_map(|floor| plain(grid::paragraph(floor, width))));
    for target in &summary.targets {
        lines.push(blank());
        lines.extend(grid::paragraph(&heading(target), width).into_iter().map(Line::Heading));
        lines.extend(plain(grid::labelled(&details::of(target, summary, plan), LABEL_WIDTH, 2, width)));
        let sections = target.conversations.iter().flat_map(conversation::sections);
        lines.extend(sections.flat_map(|section| of_section(&section, width)));
    }
    let warnings = alike::with_warnings(&summary.warnings, summary.comparison.as_ref());
    lines.extend(warnings.iter().take(1).map(|_| blank()));
    lines.extend(plain(grid::labelled(&warnings, LABEL_WIDTH, 2, width)));
    style.finish(&lines)
}

fn title(summary: &Summary) -> String {
    mark::headed(&summary.name, &mark::of_all(summary.targets.iter().map(|target| (&target.target, target.simulated))))
}

/// `groq  llama-3.3-70b at groq`, with the mark of a simulated engine.
fn heading(target: &TargetSummary) -> String {
    let mark = if target.simulated { "  SIMULATED" } else { "" };
    format!("{}  {} at {}{mark}", target.target, target.model, target.provider)
}

pub(crate) fn plain(lines: Vec<String>) -> impl Iterator<Item = Line> {
    lines.into_iter().map(Line::Plain)
}

/// Marks what stands above a grid's rule as headings.
pub(crate) fn headed(grid: Vec<String>) -> impl Iterator<Item = Line> {
    let rule = grid.iter().position(|line| line.starts_with('─')).unwrap_or(0);
    grid.into_iter().enumerate().map(move |(i, line)| if i < rule { Line::Heading(line) } else { Line::Plain(line) })
}

pub(crate) fn blank() -> Line {
    Line::Plain(String::new())
}

/// One target over levels of load: the answer, a row a level, a chart, and what else is known.
fn of_curve(curve: &Curve, width: u16) -> Vec<Line> {
    let mut lines = vec![blank()];
    lines.extend(grid::paragraph(&curve::heading(curve), width).into_iter().map(Line::Heading));
    let answer = curve::answer(curve).map(|answer| grid::paragraph(&answer, width)).unwrap_or_default();
    lines.extend(answer.into_iter().map(Line::Heading));
    let levels: Vec<Lines> = curve::levels(curve).into_iter().map(|level| vec![level]).collect();
    lines.extend(grids(curve.axis.in_words(), Align::Right, &levels, curve::columns(curve), width));
    let chart = curve::chart(curve, usize::from(width));
    lines.extend(chart.iter().take(1).map(|_| blank()));
    lines.extend(chart.into_iter().map(Line::Plain));
    let told = curve::lines(curve);
    lines.extend(told.iter().take(1).map(|_| blank()));
    lines.extend(plain(grid::labelled(&told, LABEL_WIDTH, 2, width)));
    lines
}

/// All targets against each other.
pub(crate) fn compare(summary: &Summary, plan: &Plan, width: u16) -> Vec<Line> {
    let names: Vec<Lines> = summary.targets.iter().map(name).collect();
    grids("target", Align::Left, &names, comparison::columns(summary, plan), width)
}

/// Who wins, as it is `told` a line a verdict, then the scores.
pub(crate) fn verdicts(comparison: &Comparison, told: &[String], width: u16) -> Vec<Line> {
    let mut lines: Vec<Line> = told.iter().flat_map(|line| plain(grid::paragraph(line, width))).collect();
    let names: Vec<Lines> = ranking::scored(comparison).into_iter().map(|name| vec![name]).collect();
    if !names.is_empty() {
        lines.extend(grids("target", Align::Left, &names, ranking::scores(comparison), width));
        lines.extend(plain(grid::paragraph(ranking::SCORES, width)));
    }
    if !lines.is_empty() {
        lines.push(blank());
    }
    lines
}

/// One grid after another, each with as many columns as fit beside the rows' names.
pub(crate) fn grids(first: &str, align: Align, names: &[Lines], columns: Vec<Column>, width: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    for columns in chunks(columns, widest(names).max(first.len()), usize::from(width)) {
        lines.push(blank());
        let headings: Vec<Lines> =
            std::iter::once(vec![first.to_owned()]).chain(columns.iter().map(|c| c.heading.clone())).collect();
        let aligns: Vec<Align> = std::iter::once(align).chain(columns.iter().map(|_| Align::Right)).collect();
        let rows: Vec<Vec<Lines>> = (0..names.len())
            .map(|i| std::iter::once(names[i].clone()).chain(columns.iter().map(|c| figure(c, i))).collect())
            .collect();
        lines.extend(headed(grid::ruled(&headings, &aligns, &rows, width)));
    }
    lines
}

/// A table under its title.
fn of_section(section: &Section, width: u16) -> Vec<Line> {
    let headings: Vec<Lines> = section.headings.iter().map(|heading| vec![(*heading).to_owned()]).collect();
    let rows: Vec<Vec<Lines>> =
        section.rows.iter().map(|row| row.iter().map(|cell| vec![cell.clone()]).collect()).collect();
    let mut lines = vec![blank()];
    lines.extend(grid::paragraph(&section.title, width).into_iter().map(Line::Heading));
    lines.extend(headed(grid::ruled(&headings, &section.aligns, &rows, width)));
    lines
}

pub(crate) fn name(target: &TargetSummary) -> Lines {
    let mark = target.simulated.then(|| "SIMULATED".to_owned());
    std::iter::once(target.target.to_string()).chain(mark).collect()
}

fn figure(column: &Column, row: usize) -> Lines {
    let figure = &column.figures[row];
    std::iter::once(&figure.value).chain(&figure.aside).cloned().collect()
}

fn widest(cells: &[Lines]) -> usize {
    cells.iter().flatten().map(|line| line.chars().count()).max().unwrap_or(0)
}

/// Columns in as few groups as fit `width` beside a first column of `first`, none much narrower than
/// the others.
fn chunks(columns: Vec<Column>, first: usize, width: usize) -> Vec<Vec<Column>> {
    let needed: Vec<usize> = columns.iter().map(|column| GAP + column_width(column)).collect();
    let fewest = fill(&needed, first, width).len();
    let narrowest = (first..width).find(|&narrower| fill(&needed, first, narrower).len() == fewest);
    let mut columns = columns.into_iter();
    let sizes = fill(&needed, first, narrowest.unwrap_or(width));
    sizes.into_iter().map(|size| columns.by_ref().take(size).collect()).collect()
}

/// How many columns go into each group when each is filled up to `width`; one at least.
fn fill(needed: &[usize], first: usize, width: usize) -> Vec<usize> {
    let mut sizes: Vec<usize> = Vec::new();
    let mut used = width;
    for needed in needed {
        if used + needed > width {
            sizes.push(0);
            used = first;
        }
        used += needed;
        *sizes.last_mut().expect("a group was begun") += 1;
    }
    sizes
}

fn column_width(column: &Column) -> usize {
    let cells: Vec<Lines> = (0..column.figures.len()).map(|row| figure(column, row)).collect();
    widest(&cells).max(widest(std::slice::from_ref(&column.heading)))
}
