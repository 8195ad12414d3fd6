//! What is asked, what is achieved, and how that goes over time.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use schema::counted;
use schema::plan::Axis;
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};
use stats::live::{Asked, Board, StepSeen, Stretch, TargetSeen};

use super::{LiveView, head, letter};
use crate::chart::{self, Range, Scale, Series, exactly, sparkline};
use crate::panel::{Panel, row};
use crate::screen::View;
use crate::text::{fit, width};

/// Those that have their turn.
fn active(live: &LiveView) -> impl Iterator<Item = (usize, &TargetSeen)> + Clone {
    live.board.targets().iter().enumerate().filter(|(_, seen)| seen.turn().is_some())
}

/// Rate asked and achieved, requests in flight, of those that have their turn; `most` lines.
pub(super) fn load<'a>(live: &'a LiveView, view: &'a View<'a>, most: usize) -> Panel<'a> {
    let count = active(live).count().max(1);
    Panel::new("Load", 1, (1, most.max(count * 2)), move |columns, rows| {
        if active(live).next().is_none() {
            return vec![Line::styled("nobody has their turn", view.theme.dim)];
        }
        let tall = (rows / count).clamp(1, 8);
        active(live)
            .flat_map(|(place, seen)| of_target(live, view, (place, seen), (columns, tall)))
            .take(rows)
            .collect()
    })
}

/// What is asked of a target at this moment: `ramp: 11.0/s asked`.
pub(super) fn asked(board: &Board, seen: &TargetSeen, now: Moment) -> String {
    let stage = board.stage(seen, now).map(|name| fit(&Untrusted::from(name), 16) + ": ").unwrap_or_default();
    let asked = match board.asked(seen, now) {
        Asked::Rate(rate) => format!("{rate:.1}/s asked"),
        Asked::Streams(streams) => format!("{streams:.0} at once asked"),
        Asked::Users(users) => counted(users, "user"),
        Asked::Crowd(users) => format!("{users} at one instant"),
        Asked::Recorded => "as recorded".to_owned(),
    };
    format!("{stage}{asked}")
}

fn of_target(
    live: &LiveView,
    view: &View<'_>,
    (place, seen): (usize, &TargetSeen),
    (columns, rows): (usize, usize),
) -> Vec<Line<'static>> {
    let asked = asked(&live.board, seen, view.now);
    let achieved = seen.rates(view.now).map_or_else(|| "–".to_owned(), |(rate, _)| format!("{rate:.1}/s"));
    let in_flight = seen.in_flight().map_or_else(|| "in flight not known".to_owned(), |n| format!("{n} in flight"));
    let words = format!("{asked}, {achieved} achieved (last 5 s), {in_flight}");
    let mark = format!("{} ", letter(place));
    let (history, flying) = (completed(seen), flying(seen));
    if rows == 1 {
        let drawn = columns.saturating_sub(width(&mark) + width(&words) + 1).min(history.len());
        let shown = latest(&history, drawn);
        return vec![Line::from(vec![
            Span::styled(mark, view.theme.lane(place)),
            Span::styled(words, view.theme.text),
            Span::raw(" "),
            Span::styled(sparkline(shown, highest(shown), drawn), view.theme.lane(place)),
        ])];
    }
    let mut lines = vec![Line::from(vec![
        Span::styled(mark, view.theme.lane(place)),
        Span::styled(exactly(&words, columns.saturating_sub(2)), view.theme.text),
    ])];
    lines.extend(tall(&history, "done/s", (columns, (rows - 1).div_ceil(2)), (view.theme.lane(place), view.theme.dim)));
    if rows > 2 {
        lines.extend(tall(&flying, "in flight", (columns, (rows - 1) / 2), (view.theme.lane(place), view.theme.dim)));
    }
    lines
}

/// A column stands for at least so long: over less, it is luck how many requests end in it.
const COLUMN: Nanos = Nanos::from_secs(1);

/// Stretches of `seen` that are over, so many together that they make a column.
fn grouped(seen: &TargetSeen) -> (std::slice::Chunks<'_, Stretch>, f64) {
    let timeline = seen.timeline();
    let together = usize::try_from(COLUMN.0.div_ceil(timeline.each().0)).unwrap_or(1).max(1);
    let over = timeline.stretches().len().saturating_sub(1) / together * together;
    (timeline.stretches()[..over].chunks(together), timeline.each().as_secs_f64() * together as f64)
}

/// Completed requests per second over time; what is not over is left out.
fn completed(seen: &TargetSeen) -> Vec<Option<f64>> {
    let (columns, seconds) = grouped(seen);
    // Where it had no turn, there is nothing to show.
    let any = |stretch: &Stretch| stretch.completed > 0 || stretch.in_flight.is_some();
    let rate = |column: &[Stretch]| {
        let done: u64 = column.iter().map(|stretch| stretch.completed).sum();
        column.iter().any(any).then(|| done as f64 / seconds)
    };
    columns.map(rate).collect()
}

/// The most requests in flight over time, column by column as those completed.
fn flying(seen: &TargetSeen) -> Vec<Option<f64>> {
    let most = |column: &[Stretch]| column.iter().filter_map(|stretch| stretch.in_flight).max().map(f64::from);
    grouped(seen).0.map(most).collect()
}

/// The last so many, which are those that there is room for.
fn latest(values: &[Option<f64>], room: usize) -> &[Option<f64>] {
    &values[values.len().saturating_sub(room)..]
}

/// Columns beside a chart: what it is of, and the most of it.
const NAMED: usize = 20;

fn highest(values: &[Option<f64>]) -> f64 {
    values.iter().flatten().copied().fold(0.0, f64::max)
}

/// Columns over several lines, the latest that there is room for, with `what` and the highest of those beside them where
/// it is not empty.
pub(crate) fn tall(
    values: &[Option<f64>],
    what: &str,
    (columns, rows): (usize, usize),
    (style, dim): (Style, Style),
) -> Vec<Line<'static>> {
    let named = if what.is_empty() { 0 } else { NAMED };
    let shown = latest(values, columns.saturating_sub(named));
    let full = highest(shown);
    let line = |line: usize| {
        let below = (rows - 1 - line) as f64 / rows as f64;
        let part = |value: &Option<f64>| value.map(|value| ((value / full - below) * rows as f64).clamp(0.0, 1.0));
        let drawn: String = shown.iter().map(part).map(|part| cell(part, below > 0.0)).collect();
        let name = if line == 0 { format!("{what}, most {}", short(full)) } else { String::new() };
        Line::from(vec![Span::styled(exactly(&name, named), dim), Span::styled(drawn, style)])
    };
    (0..rows).map(line).collect()
}

/// One cell of a column; the lowest of a value that is known is never blank.
fn cell(part: Option<f64>, above: bool) -> String {
    match part {
        Some(part) if above && (part.is_nan() || part <= 0.0) => " ".to_owned(),
        part => sparkline(&[part.filter(|part| !part.is_nan()).or(part.map(|_| 0.0))], 1.0, 1),
    }
}

fn short(value: f64) -> String {
    if value < 10.0 && value.fract() != 0.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// Median and p95 of TTFT as they went: a small letter and a capital for each target.
pub(super) fn over_time<'a>(live: &'a LiveView, view: &'a View<'a>) -> Panel<'a> {
    Panel::new("TTFT over time", 7, (5, 14), move |columns, rows| {
        let mut series = Vec::new();
        for (q, name) in [(0.95, "p95, capitals"), (0.5, "p50, small letters")] {
            for (place, seen) in live.board.targets().iter().enumerate() {
                let points = quantiles(seen, q);
                let mark = if q > 0.9 { letter(place) } else { letter(place).to_ascii_lowercase() };
                if !points.is_empty() {
                    let name = if place == 0 { name } else { "" };
                    series.push(Series { name: name.to_owned(), mark, style: view.theme.lane(place), points });
                }
            }
        }
        timed(&series, (columns, rows), view)
    })
}

/// A quantile of TTFT over time, in seconds since the first request and nanoseconds.
fn quantiles(seen: &TargetSeen, q: f64) -> Vec<(f64, f64)> {
    let (timeline, each) = (seen.timeline(), seen.timeline().each().as_secs_f64());
    let from = timeline.from().0 as f64 / 1e9;
    let stretches = timeline.stretches().iter().enumerate();
    stretches
        .filter_map(|(n, stretch)| Some((from + (n as f64 + 0.5) * each, stretch.ttft.quantile(q)?.0 as f64)))
        .collect()
}

/// Figures of time over time.
pub(crate) fn timed(series: &[Series], size: (usize, usize), view: &View<'_>) -> Vec<Line<'static>> {
    let points = || series.iter().flat_map(|series| &series.points);
    let x = Range::covering(points().map(|point| point.0), Scale::Linear);
    let high = points().map(|point| point.1).fold(0.0, f64::max);
    let (Some(x), Some(y)) = (x, Range::new(0.0, high, Scale::Linear)) else {
        return vec![Line::styled("no answer yet", view.theme.dim)];
    };
    let begin = x.low();
    let since = move |value: f64| head::seconds(Nanos::from_secs_f64(value - begin));
    chart::lines(series, (x, y), size, (&since, &nanos), view.theme)
}

/// Nanoseconds as people read them.
pub(crate) fn nanos(value: f64) -> String {
    if value <= 0.0 { "0".to_owned() } else { Nanos::from_secs_f64(value / 1e9).to_string() }
}

/// Medians of the blocks, where there are several.
pub(super) fn blocks<'a>(live: &'a LiveView, view: &'a View<'a>) -> Option<Panel<'a>> {
    let targets = live.board.targets();
    (live.board.plan().blocks > 1 && live.board.plan().search.is_none()).then(|| {
        Panel::new("TTFT p50, block by block", 6, (1, targets.len()), move |columns, rows| {
            let medians = |seen: &TargetSeen| -> Vec<Option<f64>> {
                let last = seen.block_medians().last().map_or(0, |(block, _)| block as usize + 1);
                let mut medians = vec![None; last];
                seen.block_medians().for_each(|(block, ttft)| medians[block as usize] = Some(ttft.0 as f64));
                medians
            };
            let all: Vec<_> = targets.iter().map(medians).collect();
            let full = all.iter().map(|one| highest(one)).fold(0.0, f64::max);
            let drawn = |(place, medians): (usize, &Vec<Option<f64>>)| {
                let last = medians.last().copied().flatten().map_or_else(|| "–".to_owned(), nanos);
                let room = columns.saturating_sub(13).min(medians.len());
                Line::from(vec![
                    Span::styled(format!("{} ", letter(place)), view.theme.lane(place)),
                    Span::styled(exactly(&last, 10), view.theme.text),
                    Span::raw(" "),
                    Span::styled(sparkline(medians, full, room), view.theme.lane(place)),
                ])
            };
            all.iter().enumerate().map(drawn).take(rows).collect()
        })
    })
}

/// The steps of a search so far.
pub(super) fn steps<'a>(live: &'a LiveView, view: &'a View<'a>) -> Option<Panel<'a>> {
    live.board.plan().search?;
    let targets = live.board.targets();
    let most = targets.iter().map(|seen| seen.steps().len()).sum::<usize>();
    Some(Panel::new("Steps of the search", 2, (3, most + 12), move |columns, rows| {
        let chart = if rows >= 12 { rows / 2 } else { 0 };
        let (dim, text) = (view.theme.dim, view.theme.text);
        let mut lines = curve(live, view, (columns, chart));
        let room = rows - lines.len();
        let head = ["", "level", "done/s", "TTFT p50", "TTFT p95", "done", "failed"];
        lines.push(row(head.iter().enumerate().map(|(n, head)| ((*head).to_owned(), wide(n), n > 0, dim)).collect()));
        let all: Vec<_> = targets
            .iter()
            .enumerate()
            .flat_map(|(place, seen)| seen.steps().iter().map(move |step| (place, step)))
            .collect();
        // The latest are what is watched.
        for (place, step) in &all[all.len().saturating_sub(room.saturating_sub(1))..] {
            let cells = cells(*place, step).into_iter().enumerate();
            let style = |n: usize| if n == 0 { view.theme.lane(*place) } else { text };
            lines.push(row(cells.map(|(n, cell)| (cell, wide(n), n > 0, style(n))).collect()));
        }
        lines
    }))
}

const fn wide(column: usize) -> usize {
    match column {
        0 => 1,
        1 => 11,
        5 | 6 => 7,
        _ => 9,
    }
}

fn cells(place: usize, step: &StepSeen) -> [String; 7] {
    let level = match step.axis {
        Axis::Rate => format!("{:.2}/s", step.level),
        Axis::Concurrency => format!("{:.0} at once", step.level),
    };
    let time = |q| step.ttft.quantile(q).map_or_else(|| "–".to_owned(), |ttft| ttft.to_string());
    let rate = step.requests_per_s().map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}"));
    let (done, failed) = (step.completed.to_string(), step.failed.to_string());
    [letter(place).to_string(), level, rate, time(0.5), time(0.95), done, failed]
}

/// Completed requests per second over the levels.
fn curve(live: &LiveView, view: &View<'_>, size: (usize, usize)) -> Vec<Line<'static>> {
    let of_target = |(place, seen): (usize, &TargetSeen)| Series {
        name: "done/s by level".to_owned(),
        mark: letter(place),
        style: view.theme.lane(place),
        points: seen.steps().iter().filter_map(|step| Some((step.level, step.requests_per_s()?))).collect(),
    };
    let series: Vec<Series> = live.board.targets().iter().enumerate().map(of_target).collect();
    let points = || series.iter().flat_map(|series| &series.points);
    let high = points().map(|point| point.1).fold(0.0, f64::max);
    let x = Range::covering(points().map(|point| point.0), Scale::Logarithmic);
    match (x, Range::new(0.0, high, Scale::Linear)) {
        (Some(x), Some(y)) if size.1 > 0 => chart::lines(&series, (x, y), size, (&short, &short), view.theme),
        _ => Vec::new(),
    }
}
