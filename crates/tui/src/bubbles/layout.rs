//! Where everything stands, for any size.

use ratatui::layout::{Constraint, Layout, Rect};

/// Columns in which a bubble can be read with pleasure; where there are fewer, bubbles stand below each other.
const READABLE: u16 = 24;

/// Below so many columns or rows meanings are told in brief.
const ROOMY: (u16, u16) = (100, 30);

/// The areas of a scene.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) head: Rect,
    pub(super) setting: Rect,
    pub(super) message: Rect,
    /// One an engine.
    pub(super) bubbles: Vec<Rect>,
    pub(super) meaning: Rect,
    pub(super) foot: Rect,
}

/// Whether there is little room.
pub(super) const fn is_tight(area: Rect) -> bool {
    area.width < ROOMY.0 || area.height < ROOMY.1
}

/// Columns of text in the person's bubble.
pub(super) fn message_columns(area: Rect) -> usize {
    usize::from(message_width(area).saturating_sub(2)).max(1)
}

/// Three quarters of the width, and on a wide screen no more than can be read.
fn message_width(area: Rect) -> u16 {
    (area.width - area.width / 4).min(100)
}

/// For so many engines, a message of so many rows, and meanings of so many. What has no room is left out: first the
/// setting, then a part of the message, then a part of the meanings.
pub(super) fn places(area: Rect, engines: usize, (message_rows, meaning_rows): (usize, usize)) -> Places {
    let rows = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let setting = u16::from(area.height >= 20) * if area.width < 100 { 2 } else { 1 };
    let message = rows(message_rows).saturating_add(2).min(area.height / 3);
    let meaning = rows(meaning_rows).min(area.height / 3);
    let [head, setting, message, body, meaning, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(setting),
        Constraint::Length(message),
        Constraint::Fill(1),
        Constraint::Length(meaning),
        Constraint::Length(1),
    ])
    .areas(area);
    let width = message_width(area);
    let message = Rect { x: message.right().saturating_sub(width), width: width.min(message.width), ..message };
    Places { head, setting, message, bubbles: bubbles(body, engines), meaning, foot }
}

/// Side by side where each can be read, below each other otherwise.
fn bubbles(body: Rect, engines: usize) -> Vec<Rect> {
    let count = u16::try_from(engines).unwrap_or(u16::MAX).max(1);
    let parts = (0..engines).map(|_| Constraint::Fill(1));
    let layout = if body.width / count >= READABLE { Layout::horizontal(parts) } else { Layout::vertical(parts) };
    layout.split(body).to_vec()
}
