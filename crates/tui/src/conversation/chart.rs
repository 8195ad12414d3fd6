//! TTFT of every turn over the context it had.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use schema::conversation::{Conversations, TokenSlope};
use schema::units::Nanos;

use super::seat::Table;
use super::under;
use crate::chart::{Range, Scale, Series, lines};
use crate::screen::View;
use crate::text;

/// Draws it; nothing where there is no room.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, table: &Table, view: &View<'_>) {
    let Some(area) = under(frame, area, "TTFT over context", view) else { return };
    let (wide, high) = (usize::from(area.width), usize::from(area.height));
    let known =
        || table.seats().iter().enumerate().filter_map(|(place, seat)| Some((place, seat, seat.came_to.as_ref()?)));
    let series: Vec<Series> = known()
        .map(|(place, seat, came_to)| {
            let name = format!("{}{}", text::fit(&seat.target.name.as_str().into(), 16), slope(came_to));
            Series { name, mark: mark(place), style: view.theme.lane(place), points: points(came_to) }
        })
        .filter(|series| !series.points.is_empty())
        .collect();
    let all = || series.iter().flat_map(|series| &series.points);
    let x = Range::covering(all().map(|point| point.0), Scale::Linear);
    let most = all().map(|point| point.1).fold(0.0, f64::max);
    let drawn = match (x, Range::new(0.0, most, Scale::Linear)) {
        (Some(x), Some(y)) => lines(&series, (x, y), (wide, high), (&tokens, &nanos), view.theme),
        _ => vec![Line::styled("no turn is over yet", view.theme.dim)],
    };
    frame.render_widget(Text::from(drawn), area);
    let estimated = known().any(|(.., came_to)| came_to.turns.iter().any(|turn| turn.estimated));
    if estimated && high > 3 {
        let note = Line::styled("context partly estimated", view.theme.dim).right_aligned();
        frame.render_widget(note, Rect { y: area.y + 1, height: 1, ..area });
    }
}

/// The mark of the target at `place`: a letter, so that colour is not needed.
pub(super) fn mark(place: usize) -> char {
    char::from(b'a' + u8::try_from(place % 26).unwrap_or(0))
}

fn points(came_to: &Conversations) -> Vec<(f64, f64)> {
    let point = |turn: &schema::conversation::Turn| Some((turn.context_tokens? as f64, turn.ttft_ns?.0 as f64));
    came_to.turns.iter().filter_map(point).collect()
}

/// ` +12.1 ms/1k`, where a line can be told.
fn slope(came_to: &Conversations) -> String {
    let told = |slope: &TokenSlope| {
        let value = slope.per_1k_tokens_ns.value;
        format!(" {}{}/1k", if value < 0.0 { "−" } else { "+" }, nanos(value.abs()))
    };
    came_to.over_context.as_ref().map(told).unwrap_or_default()
}

fn tokens(value: f64) -> String {
    format!("{value:.0} tokens")
}

fn nanos(value: f64) -> String {
    if value <= 0.0 { "0".to_owned() } else { Nanos::from_secs_f64(value / 1e9).to_string() }
}
