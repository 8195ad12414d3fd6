//! What is said about lanes, in words that are ours.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use schema::record::{FinishReason, TokenSource};
use schema::units::Nanos;

use super::order::Standing;
use super::scene::Scene;
use super::track::{Amount, State, Track};
use crate::chart::bar;
use crate::text::width;
use crate::theme::Theme;

/// Running time: tenths of a second, then minutes.
pub(super) fn clock(time: Nanos) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = time.0 / 1_000_000_000;
    format!("{}:{:02} min", whole / 60, whole % 60)
}

/// What a lane does, and since when or in what time.
pub(super) fn state(track: &Track, state: &State, scene: &Scene<'_>) -> String {
    if scene.over && !track.is_over() {
        return if *state == State::Ready { "took no part" } else { "over; its end was not seen here" }.to_owned();
    }
    let since_start = || track.start().map(|start| clock(scene.now - start)).unwrap_or_default();
    let again = match track.attempt() {
        0 => String::new(),
        attempt => format!("attempt {}: ", attempt + 1),
    };
    let told = match state {
        State::Ready => "at the start".to_owned(),
        State::Connecting => "connecting".to_owned(),
        State::Waiting => format!("waiting {}", since_start()),
        State::Generating => format!("generating {}", since_start()),
        State::Stalled { since } => {
            let usual = track.rhythm.usual().map(|usual| format!(", usually {usual}")).unwrap_or_default();
            format!("stalled since {}{usual}", clock(scene.now - *since))
        }
        State::Finished(finish) => {
            let time = track.e2e().map(|e2e| format!(" in {e2e}")).unwrap_or_default();
            format!("finished{time}{}", finished(*finish))
        }
        State::Failed(failure) => format!("failed: {}", failure.class),
        State::Cancelled => "cancelled".to_owned(),
        State::NotSent => "never sent: no place was free".to_owned(),
    };
    again + &told
}

const fn finished(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop => "",
        FinishReason::Length => ", limit reached",
        FinishReason::ToolCalls => ", a tool is called",
        FinishReason::ContentFilter => ", withheld by a filter",
        FinishReason::Error => ", the server says it failed",
        FinishReason::Other => ", for a reason of its own",
        FinishReason::Unsaid => ", no reason given",
    }
}

/// The style of a state.
pub(super) const fn style(state: &State, theme: &Theme) -> Style {
    match state {
        State::Ready | State::Connecting => theme.dim,
        State::Waiting | State::Generating => theme.text,
        State::Finished(_) => theme.good,
        State::Failed(_) => theme.bad,
        State::Stalled { .. } | State::Cancelled | State::NotSent => theme.warn,
    }
}

/// The rank: `1`, or `1=` where it is shared.
pub(super) fn place(standing: &Standing, all: &[Standing]) -> String {
    let Some(place) = standing.place else { return "–".to_owned() };
    let shared = all.iter().filter(|other| other.place == Some(place)).count() > 1;
    format!("{place}{}", if shared { "=" } else { "" })
}

/// So many tokens, or events where nobody counted tokens.
pub(super) fn counted(amount: Amount) -> String {
    let Amount { count, source } = amount;
    schema::counted(count, unit(source).trim_end_matches('s'))
}

/// What is counted: `tokens`, or `events` where nobody counted tokens.
pub(super) const fn unit(source: TokenSource) -> &'static str {
    match source {
        TokenSource::ContentEvents => "events",
        TokenSource::ServerUsage | TokenSource::LocalTokenizer | TokenSource::TokenizeEndpoint => "tokens",
    }
}

/// How much was generated of what was asked for at most, longest wording first.
pub(super) fn amount(amount: Amount, limit: u32) -> [String; 3] {
    let Amount { count, source } = amount;
    let most = schema::counted(limit, "token");
    let counter = match source {
        _ if count == 0 => return [format!("at most {most}"), format!("limit {limit}"), String::new()],
        TokenSource::ContentEvents => {
            let events = counted(amount);
            return [format!("{events}, at most {most}"), format!("{events}, limit {limit}"), events];
        }
        TokenSource::ServerUsage => "counted by the server",
        TokenSource::LocalTokenizer => "counted by a local tokenizer",
        TokenSource::TokenizeEndpoint => "counted by the engine's tokenizer",
    };
    let short = format!("{count} of {most}");
    [format!("{short}, {counter}"), short, counted(amount)]
}

/// Tokens or events per second.
pub(super) fn speed(speed: f64, source: TokenSource) -> String {
    let digits = usize::from(speed < 100.0);
    format!("{speed:.digits$} {}/s", unit(source))
}

/// The first of `wordings` that fits; the last one when none does.
pub(super) fn fitting(wordings: &[String], columns: usize) -> &str {
    let fits = |wording: &&String| width(wording) <= columns;
    wordings.iter().find(fits).or(wordings.last()).map_or("", String::as_str)
}

/// A bar that fills `share` (0 to 1) of `columns`, and a line for the rest.
pub(super) fn gauge(share: f64, columns: usize, (filled, rest): (Style, Style)) -> [Span<'static>; 2] {
    let bar = bar(share, columns);
    let bar = bar.trim_end().to_owned();
    let left = columns - width(&bar);
    [Span::styled(bar, filled), Span::styled("─".repeat(left), rest)]
}

/// `left` and, where there is room for it, `right` at the other end of the line.
pub(super) fn ends(left: Vec<Span<'static>>, right: Vec<Span<'static>>, columns: usize) -> Line<'static> {
    let wide = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let (taken, wanted) = (wide(&left), wide(&right));
    let mut spans = left;
    if wanted > 0 && taken + wanted < columns {
        spans.push(Span::raw(" ".repeat(columns - taken - wanted)));
        spans.extend(right);
    }
    Line::from(spans)
}
