//! What was remembered: a mark a question, the share of right ones with its interval, and the last verdict in words.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use schema::conversation::{Evidence, Recall, Retention};

use super::chart::mark;
use super::seat::{Seat, Table};
use super::under;
use crate::chart::exactly;
use crate::screen::View;
use crate::text;
use crate::theme::Theme;

const LEGEND: &str =
    "✓ right  ½ partial  ↔ confused  ✗ wrong  ? does not know  R refused  – no answer  · not yet asked";

/// Lines that it has a use for, with its heading.
pub(super) const fn lines(targets: usize) -> usize {
    2 + 2 * targets
}

/// Draws it; nothing where there is no room. Without room for both lines of each target, the verdicts in words go.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, table: &Table, view: &View<'_>) {
    let Some(area) = under(frame, area, "Memory", view) else { return };
    let (wide, high) = (usize::from(area.width), usize::from(area.height));
    let seats = table.seats();
    let in_words = high >= 2 * seats.len();
    let mut drawn = Vec::new();
    for (place, seat) in seats.iter().enumerate() {
        drawn.push(marks(place, seat, wide, view.theme));
        if in_words {
            drawn.push(latest(seat, wide, view.theme));
        }
    }
    if drawn.len() < high {
        drawn.push(Line::styled(text::fit(&LEGEND.into(), wide), view.theme.dim));
    }
    for (row, line) in (0..area.height).zip(drawn) {
        frame.render_widget(line, Rect { y: area.y + row, height: 1, ..area });
    }
}

/// `a vllm-sim      A  6 of 6 (61–100 %)  ✓✓✓✓✓✓ ✓✓····`.
fn marks(place: usize, seat: &Seat, wide: usize, theme: &Theme) -> Line<'static> {
    const NAME: usize = 18;
    const SHARE: usize = 24;
    let name = text::fit(&seat.target.name.as_str().into(), NAME);
    let gap = " ".repeat(NAME - text::width(&name).min(NAME));
    let told = seat.came_to.as_ref().map_or_else(|| "nothing asked yet".to_owned(), |all| share(&all.retention));
    let mut spans = vec![
        Span::styled(format!("{} {name}{gap} ", mark(place)), theme.lane(place)),
        Span::styled(format!("{}  ", exactly(&told, SHARE)), theme.accent),
    ];
    let used: usize = spans.iter().map(|span| text::width(&span.content)).sum();
    let all = all_marks(seat);
    // Of too many the latest.
    let first = all.len().saturating_sub(wide.saturating_sub(used));
    for (mark, recall) in all.into_iter().skip(first) {
        spans.push(Span::styled(mark.to_string(), style(recall, theme)));
    }
    Line::from(spans)
}

/// `A  6 of 6 (61–100 %)`.
fn share(retention: &Retention) -> String {
    let Some(share) = retention.share else { return "nothing asked yet".to_owned() };
    let grade = retention.grade.map_or_else(|| "–".to_owned(), |grade| grade.to_string());
    let ends = share.low.zip(share.high);
    let ends = ends.map(|(low, high)| format!(" ({:.0}–{:.0} %)", low * 100.0, high * 100.0)).unwrap_or_default();
    format!("{grade}  {} of {}{ends}", retention.right, retention.asked)
}

/// A mark a question, conversations apart, those of the one at hand that are not yet asked included.
fn all_marks(seat: &Seat) -> Vec<(char, Option<Recall>)> {
    let mut marks = Vec::new();
    let mut before = None;
    for one in seat.evidence() {
        if before.is_some_and(|before| before != one.conversation) {
            marks.push((' ', None));
        }
        before = Some(one.conversation);
        marks.push((sign(one.recall), Some(one.recall)));
    }
    let (Some(script), false) = (&seat.script, seat.next_turn() == 0 && before.is_some()) else { return marks };
    let begun = before == Some(seat.conversation());
    if before.is_some() && !begun {
        marks.push((' ', None));
    }
    let asked =
        if begun { seat.evidence().iter().filter(|one| one.conversation == seat.conversation()).count() } else { 0 };
    let questions = script.lines.iter().filter(|line| line.asks.is_some()).count();
    marks.extend((asked..questions).map(|_| ('·', None)));
    marks
}

const fn sign(recall: Recall) -> char {
    match recall {
        Recall::Right => '✓',
        Recall::Partial => '½',
        Recall::Confused => '↔',
        Recall::Wrong => '✗',
        Recall::Unknown => '?',
        Recall::Refused => 'R',
        Recall::Unanswered => '–',
    }
}

const fn style(recall: Option<Recall>, theme: &Theme) -> ratatui::style::Style {
    match recall {
        Some(Recall::Right) => theme.good,
        Some(Recall::Partial | Recall::Unanswered) => theme.warn,
        Some(Recall::Confused | Recall::Wrong | Recall::Unknown | Recall::Refused) => theme.bad,
        None => theme.dim,
    }
}

/// `  the code of the bicycle shed, told 4 turns before: KT-4821. Right: “It is KT-4821.”`
fn latest(seat: &Seat, wide: usize, theme: &Theme) -> Line<'static> {
    let told = |one: &Evidence| format!("  {}", in_words(one));
    let line = seat.evidence().last().map(told).unwrap_or_default();
    Line::styled(text::fit(&line.as_str().into(), wide), theme.dim)
}

/// One verdict in a sentence.
pub(super) fn in_words(one: &Evidence) -> String {
    let turns = one.distance_turns();
    let before = if turns == 1 { "one turn".to_owned() } else { format!("{turns} turns") };
    let excerpt = one.excerpt.for_terminal();
    let said = if excerpt.is_empty() { ".".to_owned() } else { format!(": “{excerpt}”") };
    format!("{}, told {before} before as {}: {}{said}", one.subject, one.value, one.recall)
}
