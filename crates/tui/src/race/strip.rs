//! An answer over time: columns as high as what came in their share of it, gaps where nothing came.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use schema::units::{Moment, Nanos};

use super::track::Track;
use crate::chart::sparkline;
use crate::theme::Theme;

/// Nothing was generated yet.
const BEFORE: char = '·';

/// A stall.
const STALL: char = '┄';

/// A span that is easily read and holds `elapsed`: 1, 2 or 5 times a power of ten, from 100 ms.
pub(super) fn axis(elapsed: Nanos) -> Nanos {
    let mut power = 100_000_000_u64;
    loop {
        for span in [1, 2, 5].map(|times| power.saturating_mul(times)) {
            if span >= elapsed.0 {
                return Nanos(span);
            }
        }
        power = power.saturating_mul(10);
    }
}

/// `track` from its start over `span`, in so many columns.
pub(super) fn strip(
    track: &Track,
    span: Nanos,
    columns: usize,
    (now, style, theme): (Moment, Style, &Theme),
) -> Line<'static> {
    let Some(start) = track.start().filter(|_| columns > 0) else { return Line::raw(" ".repeat(columns)) };
    let column = |at: Moment| place(at - start, span, columns);
    let before = |column: usize| match column {
        all if all == columns => track.rhythm.before(Moment(u64::MAX)),
        column => track.rhythm.before(start + begin(column, span, columns)),
    };
    let amounts: Vec<_> = (0..columns).map(|column| before(column + 1).saturating_sub(before(column))).collect();
    let most = amounts.iter().copied().max().unwrap_or(0);
    let values: Vec<_> = amounts.iter().map(|&amount| (amount > 0).then_some(amount as f64)).collect();
    let mut cells: Vec<(char, Style)> = sparkline(&values, most as f64, columns).chars().map(|c| (c, style)).collect();
    let quiet = |cells: &mut [(char, Style)], (from, to): (usize, usize), mark: (char, Style)| {
        let columns = cells.iter_mut().zip(&amounts).take(to + 1).skip(from);
        columns.filter(|(_, amount)| **amount == 0).for_each(|(cell, _)| *cell = mark);
    };
    let end = track.record.as_ref().map_or(Some(now), |record| record.end_ns).unwrap_or(start);
    quiet(&mut cells, (0, column(track.rhythm.first().unwrap_or(end))), (BEFORE, theme.dim));
    let open = track.rhythm.last().filter(|_| track.record.is_none()).map(|last| (last, now));
    let open = open.filter(|(from, to)| track.rhythm.is_long(*to - *from));
    for (from, to) in track.rhythm.stalls().iter().copied().chain(open) {
        quiet(&mut cells, (column(from), column(to)), (STALL, theme.warn));
    }
    Line::from(cells.into_iter().map(|(cell, style)| Span::styled(cell.to_string(), style)).collect::<Vec<_>>())
}

/// When a column begins.
fn begin(column: usize, span: Nanos, columns: usize) -> Nanos {
    let nanos = (column as u128 * u128::from(span.0)).div_ceil(columns as u128);
    Nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The column of `time`, the last one for what lies behind the span.
fn place(time: Nanos, span: Nanos, columns: usize) -> usize {
    let column = u128::from(time.0) * columns as u128 / u128::from(span.0.max(1));
    usize::try_from(column).unwrap_or(usize::MAX).min(columns - 1)
}
