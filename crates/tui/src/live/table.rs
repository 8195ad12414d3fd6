//! A line a target.

use ratatui::text::Line;
use schema::record::Phase;
use schema::units::Nanos;
use stats::live::TargetSeen;

use super::{LiveView, letter};
use crate::panel::{Panel, row};
use crate::screen::View;

/// What a column says of a target.
type Says = fn(&TargetSeen, &View<'_>) -> String;

/// Columns in order of importance: heading, columns wide, what.
const COLUMNS: &[(&str, usize, Says)] = &[
    ("done", 7, |seen, _| seen.done().to_string()),
    ("failed", 6, |seen, _| seen.failed().to_string()),
    ("TTFT p50", 8, |seen, _| time(seen.ttft().supported(0.5))),
    ("TTFT p95", 8, |seen, _| time(seen.ttft().supported(0.95))),
    ("ITL p50", 8, |seen, _| time(seen.itl().supported(0.5))),
    ("tokens/s", 8, |seen, view| seen.rates(view.now).map_or_else(String::new, |(_, tokens)| format!("{tokens:.0}"))),
    ("throttled", 9, |seen, _| seen.throttled().to_string()),
    ("E2E p50", 8, |seen, _| time(seen.e2e().supported(0.5))),
    ("ITL p95", 8, |seen, _| time(seen.itl().supported(0.95))),
    ("TTFT p99", 8, |seen, _| time(seen.ttft().supported(0.99))),
    ("not sent", 8, |seen, _| seen.not_sent().to_string()),
    ("given up", 8, |seen, _| seen.cancelled().to_string()),
    ("cost", 10, |seen, _| seen.cost().map_or_else(|| "no price".to_owned(), |cost| cost.to_string())),
];

/// A name's columns, mark included.
const NAMED: usize = 18;
const SIMULATED: &str = "SIMULATED";

fn time(span: Option<Nanos>) -> String {
    span.map_or_else(|| "–".to_owned(), |span| span.to_string())
}

/// What a target is at.
fn at(seen: &TargetSeen) -> String {
    match seen.turn() {
        None if seen.done() + seen.warmup() == 0 => "to come".to_owned(),
        None => "waits".to_owned(),
        Some(turn) if turn.phase == Phase::Warmup => "warming".to_owned(),
        Some(_) if !seen.steps().is_empty() => format!("step {}", seen.steps().len()),
        Some(turn) => format!("block {}", turn.block + 1),
    }
}

pub(super) fn targets<'a>(live: &'a LiveView, view: &'a View<'a>) -> Panel<'a> {
    let targets = live.board.targets();
    // Over all levels of a search times say nothing.
    let searching = live.board.plan().search.is_some();
    let means =
        move |heading: &str| !searching || !["TTFT", "ITL", "E2E"].iter().any(|metric| heading.starts_with(metric));
    Panel::new("Targets", 0, ((targets.len() + 1).min(7), targets.len() + 1), move |columns, rows| {
        let any_simulated = targets.iter().any(TargetSeen::is_simulated);
        let longest = targets.iter().map(|seen| seen.name().as_str().len()).max().unwrap_or(0) + 2;
        let marked = if any_simulated { SIMULATED.len() + 1 } else { 0 };
        let named = longest.clamp(8, if columns >= 100 { 40 } else { NAMED });
        let mut room = columns.saturating_sub(named + marked + 9);
        let shown: Vec<_> = COLUMNS
            .iter()
            .filter(|(heading, ..)| means(heading))
            .take_while(|(_, wide, _)| {
                let fits = room > *wide;
                room = room.saturating_sub(wide + 1);
                fits
            })
            .collect();
        let (dim, text) = (view.theme.dim, view.theme.text);
        let mut head = vec![(String::new(), named, false, dim)];
        if any_simulated {
            head.push((String::new(), SIMULATED.len(), false, dim));
        }
        head.push(("at".to_owned(), 8, false, dim));
        head.extend(shown.iter().map(|(heading, wide, _)| ((*heading).to_owned(), *wide, true, dim)));
        let mut lines = vec![row(head)];
        for (place, seen) in targets.iter().enumerate() {
            let mut cells = vec![(format!("{} {}", letter(place), seen.name()), named, false, view.theme.lane(place))];
            if any_simulated {
                let mark = if seen.is_simulated() { SIMULATED } else { "" };
                cells.push((mark.to_owned(), SIMULATED.len(), false, view.theme.simulated));
            }
            cells.push((at(seen), 8, false, text));
            cells.extend(shown.iter().map(|(heading, wide, says)| {
                let said = says(seen, view);
                let alarming = *heading == "failed" && seen.failed() > 0;
                (said, *wide, true, if alarming { view.theme.bad } else { text })
            }));
            lines.push(row(cells));
        }
        if lines.len() > rows {
            let hidden = lines.len() - rows + 1;
            lines.truncate(rows.saturating_sub(1));
            lines.push(Line::styled(format!("and {hidden} more"), dim));
        }
        lines
    })
}
