//! What is said, target by target: the user's words of the turn at hand, and the answer as it comes.

use std::collections::VecDeque;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use schema::record::Outcome;
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};

use super::seat::{Seat, Table};
use crate::panel::columns;
use crate::screen::View;
use crate::text;
use crate::theme::Theme;

/// Columns that a chat is worth having from.
const NARROWEST: u16 = 36;

/// Bytes of an earlier turn's text that are looked at.
const LONGEST_EARLIER: usize = 4 << 10;

/// Lines of the user's words: of those that are too many, the first and the last.
const MOST_ASKED: usize = 6;

/// Draws as many chats side by side as there is room for, those where something happened last.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, table: &mut Table, view: &View<'_>) {
    let room = usize::from((area.width / NARROWEST).max(1));
    let turns = table.turns();
    let mut order: Vec<usize> = (0..table.seats().len()).collect();
    if order.len() > room {
        order.sort_by_key(|place| std::cmp::Reverse(table.seats()[*place].moved));
        order.truncate(room);
        order.sort_unstable();
    }
    let count = u16::try_from(order.len()).unwrap_or(1);
    for (place, area) in order.into_iter().zip(columns(area, count)) {
        let at = where_at(table, &table.seats()[place], turns, area.width.into());
        one(frame, area, (place, &mut table.seats_mut()[place]), at, view);
    }
}

fn one(frame: &mut Frame<'_>, area: Rect, (place, seat): (usize, &mut Seat), at: String, view: &View<'_>) {
    let (wide, high) = (usize::from(area.width), usize::from(area.height));
    let (theme, inner) = (view.theme, wide.saturating_sub(2));
    let asked = seat.asked().map(|asked| text::wrap(&asked, inner)).unwrap_or_default();
    let asked = shortened(asked, MOST_ASKED.min(high.saturating_sub(5).max(1)));
    let room = high.saturating_sub(3 + asked.len());
    let said: Vec<String> = if seat.turn.said.is_empty() {
        Vec::new()
    } else {
        seat.turn.said.last(room, inner).map(str::to_owned).collect()
    };
    let mut lines = vec![name(place, seat, wide, view), Line::styled(at, theme.dim)];
    lines.extend(earlier(seat, inner, room - said.len(), theme));
    lines.extend(asked.into_iter().map(|line| bubble("▌ ", theme.accent, line, theme.text)));
    let (state, is_bad) = state(seat, view.now);
    lines.push(Line::styled(text::fit(&state.as_str().into(), wide), if is_bad { theme.bad } else { theme.dim }));
    lines.extend(said.into_iter().map(|line| bubble("▐ ", theme.lane(place), line, theme.text)));
    for (row, line) in (0..area.height).zip(lines) {
        frame.render_widget(line, Rect { y: area.y + row, height: 1, ..area });
    }
}

fn bubble(edge: &'static str, side: Style, line: String, text: Style) -> Line<'static> {
    Line::from(vec![Span::styled(edge, side), Span::styled(line, text)])
}

/// What was said in the turns before, as far back as `rows` lines reach: of each the beginning.
fn earlier(seat: &Seat, columns: usize, rows: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = VecDeque::new();
    for (asked, answer) in seat.before() {
        let part = |text: &Untrusted, edge, most| {
            let wrapped = text::wrap(&Untrusted::bounded(text.raw().trim(), LONGEST_EARLIER), columns);
            shortened(wrapped, most).into_iter().map(move |line| bubble(edge, theme.dim, line, theme.dim)).collect()
        };
        let turn: [Vec<Line<'static>>; 2] = [part(&asked, "▌ ", 2), part(&answer, "▐ ", 3)];
        for line in turn.into_iter().flatten().rev() {
            if lines.len() == rows {
                return lines.into();
            }
            lines.push_front(line);
        }
    }
    lines.into()
}

fn name(place: usize, seat: &Seat, wide: usize, view: &View<'_>) -> Line<'static> {
    let mark = if seat.target.simulated { " SIMULATED" } else { "" };
    let room = wide.saturating_sub(mark.len());
    let name = text::fit(&seat.target.name.as_str().into(), room);
    Line::from(vec![Span::styled(name, view.theme.lane(place)), Span::styled(mark, view.theme.simulated)])
}

/// `conversation 1 of 3 · turn 5 of 12 asks`, without its last word where there is no room for that.
fn where_at(table: &Table, seat: &Seat, turns: u32, columns: usize) -> String {
    let Some(number) = seat.turn.number else { return "not begun".to_owned() };
    if seat.turn.warming {
        return "warming up, which does not count".to_owned();
    }
    // Once a conversation's last turn is over, the next one is meant.
    let over = seat.turn.end.is_some() && seat.next_turn() == 0;
    let conversation = seat.conversation().saturating_sub(u64::from(over));
    let purpose = seat.script.as_ref().and_then(|script| script.lines.get(number as usize));
    let purpose = purpose.map_or("", |line| line.purpose.in_words());
    let talk = table.conversation_in_words(conversation);
    let place = format!("{talk} · turn {} of {turns}", number + 1);
    let all = format!("{place} {purpose}");
    if text::width(&all) <= columns { all } else { text::fit(&place.as_str().into(), columns) }
}

/// The first lines of too many, and the last one.
fn shortened(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most && most >= 3 {
        let last = lines.pop();
        lines.truncate(most - 2);
        lines.push("…".to_owned());
        lines.extend(last);
    }
    lines.truncate(most);
    lines
}

/// How far the answer is, and whether that is bad.
fn state(seat: &Seat, now: Moment) -> (String, bool) {
    let turn = &seat.turn;
    let ttft = turn.start.zip(turn.first).map(|(start, first)| first - start);
    match (&turn.end, turn.start, ttft) {
        (Some(Outcome::Failed(failure)), ..) => (format!("failed: {}: {}", failure.class, failure.message), true),
        (Some(Outcome::Cancelled), ..) => ("given up".to_owned(), true),
        (Some(_), _, Some(ttft)) => (format!("TTFT {ttft}, done"), false),
        (Some(_), ..) => ("done".to_owned(), false),
        (None, _, Some(ttft)) if turn.pieces == 1 => (format!("TTFT {ttft}, one piece"), false),
        (None, _, Some(ttft)) => (format!("TTFT {ttft}, {} pieces", turn.pieces), false),
        (None, Some(start), None) => (format!("waits for {}", to_tenths(now.since(start))), false),
        (None, None, None) => (String::new(), false),
    }
}

/// A wait that is still on, so that its last digits do not flicker.
fn to_tenths(span: Nanos) -> String {
    format!("{:.1} s", span.0 as f64 / 1e9)
}
