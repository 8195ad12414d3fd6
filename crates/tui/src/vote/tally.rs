//! What all votes come to, on a page.

use ratatui::text::{Line, Span};
use schema::text::Untrusted;
use schema::vote::{Tally, Votes};

use crate::pages::Page;
use crate::text;
use crate::theme::{Theme, ThemeName};

/// Columns of an interval at most.
const WIDEST_STRIP: usize = 60;

/// Columns beside an interval that its numbers need.
const NUMBERS: usize = 24;

/// A page with all contenders, most preferred first, each with the interval of its chance to be preferred.
pub fn tally_page(tally: &Tally) -> Page {
    let title = format!("All votes so far: {}", tally.votes);
    let tally = tally.clone();
    Page::new(title, move |width, theme| lines(&tally, usize::from(width), theme)).with_hint("t or q goes back")
}

/// The same contenders as plain text of so many columns, made fit for a terminal.
pub fn tally_text(tally: &Tally, columns: u16) -> String {
    let theme = Theme::of(ThemeName::Mono);
    let heading = format!("Votes: {}; rounds without one: {}", tally.votes, tally.skipped);
    let lines = std::iter::once(heading.into()).chain(contenders(tally, columns.into(), &theme));
    let lines = lines.map(|line: Line<'_>| line.to_string().trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn lines(tally: &Tally, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let wrapped = |sentence: String| text::wrap(&Untrusted::bounded(sentence, usize::MAX), width);
    let sentences = stats::tally_in_words(tally).into_iter().flat_map(wrapped);
    sentences.map(|line| Line::styled(line, theme.text)).chain(contenders(tally, width, theme)).collect()
}

/// Two lines each, after an empty one.
fn contenders<'a>(tally: &'a Tally, width: usize, theme: &'a Theme) -> impl Iterator<Item = Line<'static>> + 'a {
    tally.contenders.iter().enumerate().flat_map(move |(place, votes)| {
        [Line::default(), name(place, votes, width, theme), chance(place, votes, width, theme)]
    })
}

fn name(place: usize, votes: &Votes, width: usize, theme: &Theme) -> Line<'static> {
    let contender = &votes.contender;
    let mark = if contender.simulated { " SIMULATED" } else { "" };
    let counts = format!("  preferred {} of {}, alike {}", votes.preferred, votes.shown, votes.alike);
    let room = width.saturating_sub(mark.len() + counts.len());
    let number = text::fit(&Untrusted::from(format!("{}. {}", place + 1, contender.target).as_str()), room);
    let room = room.saturating_sub(text::width(&number) + 2);
    let model = if room < 4 { String::new() } else { format!("  {}", text::fit(&contender.model, room)) };
    Line::from(vec![
        Span::styled(number, theme.lane(place)),
        Span::styled(mark, theme.simulated),
        Span::styled(model, theme.dim),
        Span::styled(counts, theme.text),
    ])
}

/// From never to always, with the interval on it; the middle is where none is preferred.
fn chance(place: usize, votes: &Votes, width: usize, theme: &Theme) -> Line<'static> {
    let columns = width.saturating_sub(NUMBERS).min(WIDEST_STRIP);
    let (value, low, high) = (votes.chance.value, votes.chance.low.unwrap_or(0.0), votes.chance.high.unwrap_or(1.0));
    let numbers = format!("  {} ({}–{})", percent(value), percent(low), percent(high));
    if columns < 10 {
        return Line::styled(numbers, theme.text);
    }
    let at = |share: f64| column(share, columns);
    let strip: String = (0..columns)
        .map(|column| match column {
            _ if column == at(value) => '●',
            _ if column == at(low) => '├',
            _ if column == at(high) => '┤',
            _ if at(low) < column && column < at(high) => '─',
            _ if column == columns / 2 => '┆',
            _ => '·',
        })
        .collect();
    Line::from(vec![Span::styled(strip, theme.lane(place)), Span::styled(numbers, theme.text)])
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a terminal's columns")]
fn column(share: f64, columns: usize) -> usize {
    ((share.clamp(0.0, 1.0) * columns as f64) as usize).min(columns - 1)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
