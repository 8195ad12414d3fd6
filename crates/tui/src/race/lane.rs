//! One lane, drawn.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders};
use schema::event::EventKind;
use schema::record::Failure;
use schema::text::Untrusted;
use schema::units::Nanos;

use super::order::Standing;
use super::scene::Scene;
use super::track::{State, Track, label};
use super::transcript::Row;
use super::{strip, words};
use crate::chart::exactly;
use crate::text;

/// How long the flag of the first content waves.
const FLAG: Nanos = Nanos::from_millis(700);

/// The part of a row that is left to a bar at least: one in so many columns.
const BAR: usize = 3;

/// Where the next piece will be.
const CURSOR: &str = "▌";

/// Rows of a failure's message at most.
const MESSAGE: usize = 4;

/// Draws `target`'s lane in a frame.
pub(super) fn framed(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, target: usize, track: &mut Track) {
    let theme = scene.theme;
    let standing = scene.standing(target);
    let leads = standing.place == Some(1);
    let border = if leads { scene.lane_style(target) } else { theme.border };
    let mut block = Block::new().borders(Borders::ALL).border_style(border);
    let inside = block.inner(area);
    let columns = usize::from(inside.width);
    let mark = if scene.names.marks(target) { " SIMULATED " } else { "" };
    let place = words::place(standing, scene.standings);
    let room = columns.saturating_sub(mark.len() + place.len() + 3);
    block = block.title_top(Line::from(vec![
        Span::styled(format!(" {place} "), if leads { theme.good } else { theme.dim }),
        Span::styled(text::fit(&Untrusted::from(scene.names.of(target)), room), scene.name_style(target)),
        Span::raw(" "),
    ]));
    if !mark.is_empty() {
        block = block.title_top(Line::styled(mark, theme.simulated).right_aligned());
    }
    if let Some(time) = scene.round_trips[target].filter(|_| !scene.names.are_hidden()) {
        block = block.title_bottom(Line::styled(format!(" RTT {time} "), theme.dim).right_aligned());
    }
    frame.render_widget(block, area);
    frame.render_widget(Text::from(lines(scene, target, track, (columns, inside.height.into()))), inside);
}

/// Draws `target`'s lane in one row, or two where there are two.
pub(super) fn unframed(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, target: usize, track: &mut Track) {
    let columns = usize::from(area.width);
    let theme = scene.theme;
    let standing = scene.standing(target);
    let named = scene.names.width().min(columns / 4);
    let name = text::fit(&Untrusted::from(scene.names.of(target)), named);
    let mut left = vec![
        Span::styled(format!("{:<3}", words::place(standing, scene.standings)), theme.accent),
        Span::styled(exactly(&name, named), scene.name_style(target)),
        Span::raw(" "),
    ];
    if scene.names.marks(target) {
        left.push(Span::styled("SIMULATED ", theme.simulated));
    }
    left.push(Span::styled(words::state(track, &standing.state, scene), words::style(&standing.state, theme)));
    let free = columns.saturating_sub(left.iter().map(Span::width).sum::<usize>() + 1);
    let mut right: Vec<_> = flag(scene, track).into_iter().chain([Span::raw("  ")]).collect();
    let counts = |columns: usize| counted(standing, scene, columns);
    let taken = right.iter().map(Span::width).sum::<usize>();
    let both = counts(free.saturating_sub(taken).min(columns / 4));
    if taken + both.width() <= free {
        right.push(both);
    } else {
        right = vec![counts(free)];
    }
    let mut lines = vec![words::ends(left, right, columns)];
    lines.extend(said(scene, standing, track, (columns, usize::from(area.height).saturating_sub(1))));
    frame.render_widget(Text::from(lines), area);
}

/// All rows of a lane, the most important first; what is left is text.
fn lines(scene: &Scene<'_>, target: usize, track: &mut Track, (columns, rows): (usize, usize)) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let standing = scene.standing(target);
    let mut lines = vec![state(scene, target, track, columns), figures(scene, standing, track, columns)];
    if rows >= 8 && !scene.tells_about && !scene.names.are_hidden() {
        let lane = &scene.setup.targets[target];
        let who = Untrusted::from(format!("{} at {}", lane.model, lane.endpoint).as_str());
        lines.insert(0, Line::styled(text::fit(&who, columns), theme.dim));
    }
    lines.push(progress(scene, target, standing, columns));
    if rows >= 6 {
        let label = format!(" {}", scene.axis);
        let width = columns.saturating_sub(label.len());
        let mut strip = strip::strip(track, scene.axis, width, (scene.now, scene.lane_style(target), theme));
        strip.push_span(Span::styled(label, theme.dim));
        lines.push(strip);
    }
    if rows >= 12 {
        let told = pauses(track);
        lines.push(Line::styled(exactly(words::fitting(&told, columns), columns), theme.dim));
    }
    lines.truncate(rows);
    let left = rows - lines.len();
    lines.extend(said(scene, standing, track, (columns, left)));
    lines
}

fn state(scene: &Scene<'_>, target: usize, track: &Track, columns: usize) -> Line<'static> {
    let standing = scene.standing(target);
    let style = words::style(&standing.state, scene.theme);
    Line::styled(exactly(&words::state(track, &standing.state, scene), columns), style)
}

/// The flag of the first content, and the speed since.
fn figures(scene: &Scene<'_>, standing: &Standing, track: &Track, columns: usize) -> Line<'static> {
    let speed = standing.speed.map(|speed| words::speed(speed, standing.amount.source));
    let right = speed.map(|speed| Span::styled(speed, scene.theme.text));
    words::ends(flag(scene, track).into_iter().collect(), right.into_iter().collect(), columns)
}

fn flag(scene: &Scene<'_>, track: &Track) -> Option<Span<'static>> {
    let waves = !track.is_over() && track.rhythm.first().is_some_and(|first| scene.now - first < FLAG);
    let style = if waves { scene.theme.good.add_modifier(Modifier::REVERSED) } else { scene.theme.good };
    track.ttft().map(|ttft| Span::styled(format!("⚑ TTFT {ttft}"), style))
}

/// How much there is, as far as `columns` go.
fn counted(standing: &Standing, scene: &Scene<'_>, columns: usize) -> Span<'static> {
    let limit = scene.limit(standing.target);
    let told = words::amount(standing.amount, limit);
    Span::styled(words::fitting(&told, columns).to_owned(), scene.theme.text)
}

fn progress(scene: &Scene<'_>, target: usize, standing: &Standing, columns: usize) -> Line<'static> {
    let told = counted(standing, scene, columns.saturating_sub(columns / BAR + 1));
    let room = columns.saturating_sub(told.width() + 1);
    let share = standing.amount.count as f64 / f64::from(scene.limit(target).max(1));
    let gauge = words::gauge(share, room, (scene.lane_style(target), scene.theme.border));
    gauge.into_iter().chain([Span::raw(" "), told]).collect()
}

/// The worst of what was between two pieces, and what is usual, longest wording first.
fn pauses(track: &Track) -> [String; 2] {
    let rhythm = &track.rhythm;
    let stalls = rhythm.stalls().len();
    let stalls = if stalls == 0 { String::new() } else { format!("{}, ", schema::counted(stalls, "stall")) };
    let longest = rhythm.longest().map(|longest| format!("{stalls}longest gap {longest}")).unwrap_or_default();
    let usual = rhythm.usual().map(|usual| format!(", usually {usual}")).unwrap_or_default();
    [format!("{longest}{usual}"), longest]
}

/// The end of what was said, and of what went wrong.
fn said(
    scene: &Scene<'_>,
    standing: &Standing,
    track: &mut Track,
    (columns, rows): (usize, usize),
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    let trouble = match &standing.state {
        State::Failed(failure) => trouble(failure, scene.names.are_hidden(), columns),
        _ => Vec::new(),
    };
    let trouble = &trouble[..trouble.len().min(rows).min(MESSAGE)];
    let missing = track.transcript.is_missing().then_some("not all of the text is here");
    let room = rows - trouble.len();
    let notes = missing.filter(|_| room > 1).map(|note| Line::styled(exactly(note, columns), theme.dim));
    let rows = track.transcript.tail(columns, room - notes.iter().len());
    let mut lines: Vec<_> = rows
        .into_iter()
        .map(|row| match row {
            Row::Turn(kind) => Line::styled(exactly(&format!("[{}]", label(kind)), columns), theme.dim),
            Row::Said(kind, line) => Line::styled(line, voice(kind, scene)),
        })
        .collect();
    if let Some(last) = lines.last_mut().filter(|last| !track.is_over() && last.width() < columns) {
        last.push_span(Span::styled(CURSOR, scene.lane_style(standing.target)));
    }
    let trouble = trouble.iter().map(|line| Line::styled(line.clone(), theme.bad));
    lines.into_iter().chain(notes).chain(trouble).collect()
}

fn voice(kind: EventKind, scene: &Scene<'_>) -> Style {
    match kind {
        EventKind::Text | EventKind::Other => scene.theme.text,
        EventKind::Reasoning => scene.theme.dim.add_modifier(Modifier::ITALIC),
        EventKind::ToolCall | EventKind::Embedding => scene.theme.dim,
    }
}

/// What the server or the system said about a failure. While names are hidden it may betray one.
fn trouble(failure: &Failure, hidden: bool, columns: usize) -> Vec<String> {
    let mut lines = if hidden { Vec::new() } else { text::wrap(&failure.message, columns) };
    if let Some(wait) = failure.retry_after_ns {
        lines.push(exactly(&format!("asks to wait {wait}"), columns));
    }
    lines
}
