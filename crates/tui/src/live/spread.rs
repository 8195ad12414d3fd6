//! How times are spread: a distribution a target, all over the same axis.

use ratatui::text::{Line, Span};
use stats::live::{Spread, TargetSeen};

use super::load::nanos;
use super::{LiveView, letter};
use crate::chart::{Buckets, Range, Scale, exactly, histogram};
use crate::panel::Panel;
use crate::screen::View;

/// TTFT and ITL; of a search nothing, as what is true of one level is not of the next.
pub(super) fn both<'a>(live: &'a LiveView, view: &'a View<'a>) -> Vec<Panel<'a>> {
    if live.board.plan().search.is_some() {
        return Vec::new();
    }
    vec![panel("TTFT", 3, live, view, TargetSeen::ttft), panel("ITL", 4, live, view, TargetSeen::itl)]
}

fn panel<'a>(
    heading: &'static str,
    rank: u8,
    live: &'a LiveView,
    view: &'a View<'a>,
    of: fn(&TargetSeen) -> &Spread,
) -> Panel<'a> {
    let count = live.board.targets().len();
    Panel::new(heading, rank, (count + 1, count * 7), move |columns, rows| {
        let spreads: Vec<&Spread> = live.board.targets().iter().map(of).collect();
        let Some(range) = Range::covering(spreads.iter().flat_map(|spread| ends(spread)), Scale::Logarithmic) else {
            return vec![Line::styled("no answer yet", view.theme.dim)];
        };
        draw(&spreads, range, (columns, rows), view)
    })
}

/// From the median outwards, so many times is as far as is shown.
const FAR: f64 = 100.0;

/// Where a spread begins and ends; what lies very far from its median counts in the last column on that side.
fn ends(spread: &Spread) -> Vec<f64> {
    let known = [0.0, 0.5, 1.0].map(|q| spread.quantile(q).map(|value| value.0 as f64));
    let [Some(low), Some(median), Some(high)] = known else { return Vec::new() };
    vec![low.max(median / FAR), high.min(median * FAR)]
}

/// Columns beside a distribution: its letter and its median.
const NAMED: usize = 13;

fn draw(spreads: &[&Spread], range: Range, (columns, rows): (usize, usize), view: &View<'_>) -> Vec<Line<'static>> {
    let room = columns.saturating_sub(NAMED);
    let tall = ((rows.saturating_sub(1)) / spreads.len()).clamp(1, 6);
    let mut lines = Vec::new();
    let mut axis = Line::default();
    for (place, spread) in spreads.iter().enumerate() {
        let mut buckets = Buckets::new(range, room);
        spread.values().for_each(|(value, times)| buckets.add(value, times));
        let style = view.theme.lane(place);
        let mut drawn = histogram(&buckets, buckets.most(), (room, tall + 1), &nanos, (style, view.theme));
        axis = drawn.pop().unwrap_or_default();
        let median = spread.quantile(0.5).map_or_else(|| "no answer".to_owned(), |p50| p50.to_string());
        for (number, line) in drawn.into_iter().enumerate() {
            let name = if number + 1 == tall { format!("{} {median}", letter(place)) } else { String::new() };
            let mut spans = vec![Span::styled(exactly(&name, NAMED), style)];
            spans.extend(line.spans.into_iter().map(|span| span.style(style)));
            lines.push(Line::from(spans));
        }
    }
    lines.truncate(rows.saturating_sub(1));
    let mut below = vec![Span::styled(exactly("p50", NAMED), view.theme.dim)];
    below.extend(axis.spans.into_iter().map(|span| span.style(view.theme.dim)));
    lines.push(Line::from(below));
    lines
}
