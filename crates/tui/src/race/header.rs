//! What stands above and below the lanes: title, prompt, engines, ranking, keys.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Borders};
use schema::counted;
use schema::text::Untrusted;
use schema::units::Nanos;

use super::order::{PhotoFinish, Standing};
use super::scene::Scene;
use super::track::State;
use super::words;
use crate::chart::exactly;
use crate::text::{self, Flow};
use crate::theme::Theme;

/// How lanes are ranked, in words.
const ORDER: &str = "finished by E2E, then by tokens so far";

/// Why nobody has a rank in a warm-up.
const WARMUP: &str = "Warm-up: it makes connections and engines ready, and is not ranked";

/// The first line: which heat, how long, and what there is to know about all of it.
pub(super) fn title(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, (heat, remark): (&str, Option<&str>)) {
    let theme = scene.theme;
    let mut left = vec![Span::styled("RACE ", theme.accent), Span::styled(heat.to_owned(), theme.text)];
    if scene.names.hides_marks() {
        left.push(Span::styled("  some of these are simulated", theme.simulated));
    }
    let columns = usize::from(area.width);
    let room = columns.saturating_sub(left.iter().map(Span::width).sum::<usize>() + 3);
    let remark = remark.filter(|_| room > 10).map(|remark| text::fit(&Untrusted::bounded(remark, 1024), room));
    let right = remark.map(|remark| Span::styled(remark, theme.warn));
    frame.render_widget(words::ends(left, right.into_iter().collect(), columns), area);
}

/// The beginning of the prompt after its `label`, over as many rows as there are.
pub(super) fn prompt(frame: &mut Frame<'_>, area: Rect, (label, flow): (&str, &mut Flow), theme: &Theme) {
    let columns = usize::from(area.width).saturating_sub(label.len());
    let rows = usize::from(area.height);
    let more = flow.count(columns) > rows;
    let line = |(row, line): (usize, &str)| {
        let label = if row == 0 { label.to_owned() } else { " ".repeat(label.len()) };
        let cut = if more && row + 1 == rows {
            exactly(&format!("{}…", line.trim_end()), columns)
        } else {
            line.to_owned()
        };
        Line::from(vec![Span::styled(label, theme.dim), Span::styled(cut, theme.text)])
    };
    let lines: Text<'_> = flow.lines(0..rows, columns).enumerate().map(line).collect();
    frame.render_widget(lines, area);
}

/// A line for each engine: its model, where it is, and its configuration as it was fetched.
pub(super) fn about(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let columns = usize::from(area.width);
    let named = scene.names.width().min(columns / 4);
    let line = |&target: &usize| {
        let lane = scene.lane(target);
        let name = exactly(&text::fit(&Untrusted::from(scene.names.of(target)), named), named);
        let known = lane.about.iter().map(|(key, value)| format!("{key} {}", value.raw()));
        let who = format!("{} at {}", lane.model, lane.endpoint);
        let all = std::iter::once(who).chain(known).collect::<Vec<_>>().join(" · ");
        let room = columns.saturating_sub(named + 2);
        Line::from(vec![
            Span::styled(name, scene.name_style(target)),
            Span::raw("  "),
            Span::styled(text::fit(&Untrusted::bounded(all, 4096), room), scene.theme.dim),
        ])
    };
    frame.render_widget(scene.names.order().iter().map(line).collect::<Text<'_>>(), area);
}

/// The ranking as a line, or as a table where there are rows for one.
pub(super) fn ranking(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, photo: Option<PhotoFinish>) {
    let theme = scene.theme;
    let columns = usize::from(area.width);
    let head = if scene.warmup {
        Line::styled(WARMUP, theme.warn)
    } else if let Some(photo) = photo {
        photo_line(photo, scene)
    } else if area.height > 1 {
        Line::from(vec![Span::styled("Ranking ", theme.accent), Span::styled(ORDER, theme.dim)])
    } else {
        one_line(scene, columns)
    };
    let rows = if area.height > 1 { table(scene, columns) } else { Vec::new() };
    frame.render_widget(std::iter::once(head).chain(rows).collect::<Text<'_>>(), area);
}

/// The ranking in a place of its own.
pub(super) fn ranking_framed(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>) {
    let block = Block::new().borders(Borders::ALL).border_style(scene.theme.border).title_top(" Ranking ");
    let inside = block.inner(area);
    let columns = usize::from(inside.width);
    let order = if scene.warmup { "not ranked" } else { ORDER };
    let order = Line::styled(exactly(order, columns), scene.theme.dim);
    let rows = scene.standings.iter().map(|standing| {
        let value = value(standing);
        let room = columns.saturating_sub(value.len() + 5);
        let mut left = ranked_name(scene, standing, room);
        left[0] = Span::styled(format!("{:<3}", words::place(standing, scene.standings)), scene.theme.accent);
        words::ends(left, vec![Span::styled(value, scene.theme.text)], columns)
    });
    frame.render_widget(block, area);
    frame.render_widget(std::iter::once(order).chain(rows).collect::<Text<'_>>(), inside);
}

fn photo_line(photo: PhotoFinish, scene: &Scene<'_>) -> Line<'static> {
    let (first, second) = (scene.names.of(photo.first), scene.names.of(photo.second));
    let told = format!(" {first} and {second} are {} apart, ± {}: too close to call", photo.difference, photo.doubt);
    Line::from(vec![Span::styled("PHOTO FINISH", scene.theme.accent), Span::styled(told, scene.theme.text)])
}

fn one_line(scene: &Scene<'_>, columns: usize) -> Line<'static> {
    let theme = scene.theme;
    let ranked: Vec<_> = scene.standings.iter().filter(|standing| standing.place.is_some()).collect();
    if ranked.is_empty() {
        let told = format!("Ranking  nobody yet ({ORDER})");
        return Line::styled(exactly(&told, columns), theme.dim);
    }
    let line = |room: usize, value: fn(&Standing) -> String| {
        let mut line = Line::styled("Ranking", theme.dim);
        for standing in &ranked {
            line.push_span(Span::raw("  "));
            line.spans.extend(ranked_name(scene, standing, room));
            line.push_span(Span::styled(value(standing), theme.text));
        }
        line
    };
    let whole = |standing: &Standing| format!(" {}", value(standing));
    let wordings = [usize::MAX, 24, 12].map(|room| line(room, whole));
    let shorter = [12, 8, 5].map(|room| line(room, brief));
    let mut wordings = wordings.into_iter().chain(shorter).chain([line(3, |_| String::new())]);
    let last = wordings.next_back().unwrap_or_default();
    let mut best = wordings.find(|line| line.width() <= columns).unwrap_or(last);
    let order = format!("  ({ORDER})");
    if best.width() + order.len() <= columns {
        best.push_span(Span::styled(order, theme.dim));
    }
    best
}

/// Place and name in at most `room` columns.
fn ranked_name(scene: &Scene<'_>, standing: &Standing, room: usize) -> Vec<Span<'static>> {
    let name = text::fit(&Untrusted::from(scene.names.of(standing.target)), room);
    vec![
        Span::styled(format!("{} ", words::place(standing, scene.standings)), scene.theme.accent),
        Span::styled(name, scene.name_style(standing.target)),
    ]
}

/// What a lane is ranked by, or why it has no rank.
fn value(standing: &Standing) -> String {
    match (&standing.state, standing.e2e) {
        (State::Finished(_), Some(e2e)) => e2e.to_string(),
        (State::Failed(_), _) => "failed".to_owned(),
        (State::Cancelled, _) => "cancelled".to_owned(),
        (State::NotSent, _) => "not sent".to_owned(),
        (State::Waiting, _) => "waiting".to_owned(),
        (State::Ready | State::Connecting, _) => "–".to_owned(),
        _ => words::counted(standing.amount),
    }
}

/// The same in fewer columns: of what is counted only how many.
fn brief(standing: &Standing) -> String {
    let counts = matches!(standing.state, State::Generating | State::Stalled { .. });
    if counts { format!(" {}", standing.amount.count) } else { format!(" {}", value(standing)) }
}

/// A line a lane, best first: everything that is known of it.
fn table(scene: &Scene<'_>, columns: usize) -> Vec<Line<'static>> {
    let named = scene.names.width().clamp(8, 32);
    let best = scene.standings.first().and_then(|first| first.e2e);
    let row = |standing: &Standing| {
        let told = |value: Option<String>, width: usize| exactly(&value.unwrap_or_default(), width);
        let marked = if scene.names.marks(standing.target) { "SIMULATED" } else { "" };
        let e2e = standing.e2e.map(|e2e| match standing.doubt {
            Some(doubt) => format!("E2E {e2e} ± {doubt}"),
            None => format!("E2E {e2e}"),
        });
        let behind =
            standing.e2e.zip(best).map(|(e2e, best)| e2e.saturating_sub(best)).filter(|behind| *behind > Nanos::ZERO);
        let amount = words::amount(standing.amount, scene.limit(standing.target));
        let plain = |text: String, style: Style| Span::styled(text, style);
        let spans = vec![
            plain(format!("{:<4}", words::place(standing, scene.standings)), scene.theme.accent),
            plain(
                exactly(&text::fit(&Untrusted::from(scene.names.of(standing.target)), named), named),
                scene.name_style(standing.target),
            ),
            plain(format!(" {marked:<10}"), scene.theme.simulated),
            plain(told(standing.ttft.map(|ttft| format!("TTFT {ttft}")), 16), scene.theme.text),
            plain(told(e2e, 26), scene.theme.text),
            plain(told(behind.map(|behind| format!("+{behind}")), 12), scene.theme.dim),
            plain(told(standing.speed.map(|speed| words::speed(speed, standing.amount.source)), 18), scene.theme.text),
            plain(amount[0].clone(), scene.theme.dim),
        ];
        cut(spans, columns)
    };
    scene.standings.iter().map(row).collect()
}

/// As many of `spans` as fit whole.
fn cut(spans: Vec<Span<'static>>, columns: usize) -> Line<'static> {
    let mut used = 0;
    let fits = |span: &Span<'_>| {
        used += span.width();
        used <= columns
    };
    Line::from(spans.into_iter().take_while(fits).collect::<Vec<_>>())
}

/// The last line: what keys do, and what this screen has missed.
pub(super) fn foot(frame: &mut Frame<'_>, area: Rect, scene: &Scene<'_>, (keys, missed): (&str, u64)) {
    let columns = usize::from(area.width);
    let told = if missed > 0 { format!("{} not drawn, all kept", counted(missed, "step")) } else { String::new() };
    let left = vec![Span::styled(exactly(keys, columns).trim_end().to_owned(), scene.theme.dim)];
    frame.render_widget(words::ends(left, vec![Span::styled(told, scene.theme.warn)], columns), area);
}
