//! Where everything goes, for any size.

use ratatui::layout::{Constraint, Layout, Rect};

/// Columns that a lane needs, frame included, to stand beside another.
const NARROWEST: u16 = 36;

/// Rows, frame included, that a lane needs to show its figures.
const LOWEST: u16 = 4;

/// Rows of a lane that are worth more than what is told above the lanes.
const COMFORTABLE: u16 = 10;

/// Rows of a screen on which the ranking is a table.
const TALL: u16 = 44;

/// The places of a frame. What has no room has no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) title: Rect,
    pub(super) prompt: Rect,
    pub(super) about: Rect,
    pub(super) ranking: Rect,
    pub(super) lanes: Lanes,
    pub(super) foot: Rect,
}

/// The places of the lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lanes {
    /// Each in a frame of its own, side by side as far as that goes; perhaps with a place left over.
    Framed { lanes: Vec<Rect>, free: Option<Rect> },
    /// A row or two each, without frames: there is no room for more.
    Rows(Vec<Rect>),
}

/// Divides `area` among so many lanes. `prompt`: rows that the whole prompt takes; `about`: whether there is something to
/// be told about each engine.
pub(super) fn places(area: Rect, lanes: u16, prompt: u16, about: bool) -> Places {
    let height = area.height;
    let fits = |least: u16, rows: u16| if height >= least { rows } else { 0 };
    let prompt = prompt.min(fits(12, 1).max(fits(36, 3)).max(fits(60, 6)));
    let ranking = fits(8, 1).max(fits(TALL, lanes + 1));
    let (title, foot) = (fits(4, 1), fits(6, 1));
    let left = height - (title + prompt + ranking + foot);
    let about = if about && left.saturating_sub(lanes) / grid(area.width, lanes).1 >= COMFORTABLE { lanes } else { 0 };
    let rows = [title, prompt, about, ranking].map(Constraint::Length);
    let [title, prompt, about, ranking, body, foot] =
        Layout::vertical(rows.into_iter().chain([Constraint::Fill(1), Constraint::Length(foot)])).areas(area);
    Places { title, prompt, about, ranking, lanes: divide(body, lanes), foot }
}

/// Columns and rows of lanes: as many side by side as can be read, and no more columns than the rows need.
fn grid(width: u16, lanes: u16) -> (u16, u16) {
    let lanes = lanes.max(1);
    let beside = (width / NARROWEST).clamp(1, lanes);
    let rows = lanes.div_ceil(beside);
    (lanes.div_ceil(rows), rows)
}

fn divide(body: Rect, lanes: u16) -> Lanes {
    let (columns, rows) = grid(body.width, lanes);
    if body.height / rows < LOWEST || body.width < NARROWEST / 2 {
        let each = (body.height / lanes.max(1)).clamp(1, 2);
        let rows = Layout::vertical((0..lanes).map(|_| Constraint::Length(each))).split(body);
        return Lanes::Rows(rows.to_vec());
    }
    let bands = Layout::vertical((0..rows).map(|_| Constraint::Fill(1))).split(body);
    let cells = bands.iter().flat_map(|band| {
        let cells = Layout::horizontal((0..columns).map(|_| Constraint::Fill(1))).split(*band);
        cells.to_vec()
    });
    let mut lanes_and_free: Vec<_> = cells.collect();
    let free = lanes_and_free.split_off(usize::from(lanes).min(lanes_and_free.len())).into_iter().next();
    Lanes::Framed { lanes: lanes_and_free, free }
}
