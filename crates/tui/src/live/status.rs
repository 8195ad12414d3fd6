//! What is worth knowing beside the figures: who leads, whether the client keeps up, what failed, what it costs, what
//! the servers say of themselves.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use rust_decimal::prelude::ToPrimitive as _;
use schema::counted;
use schema::server::Counter;
use schema::target::TargetName;
use schema::text::Untrusted;
use stats::live::{Forming, Light, TargetSeen};

use super::{LiveView, letter};
use crate::chart::bar;
use crate::panel::Panel;
use crate::screen::View;
use crate::text::fit;

/// `A ` and what is said, on one line.
fn said(live: &LiveView, view: &View<'_>, place: usize, what: &str, style: Style) -> Line<'static> {
    let mark = if live.board.targets().len() > 1 { format!("{} ", letter(place)) } else { String::new() };
    Line::from(vec![Span::styled(mark, view.theme.lane(place)), Span::styled(what.to_owned(), style)])
}

/// Who leads by what, and whether that is certain yet.
pub(super) fn verdict<'a>(live: &'a LiveView, view: &'a View<'a>) -> Option<Panel<'a>> {
    if live.board.targets().len() < 2 || live.board.plan().search.is_some() {
        return None;
    }
    let mut lines: Vec<Line> = live.forming().iter().map(|forming| leads(live, forming, view)).collect();
    if lines.is_empty() {
        lines.push(Line::styled("too few answers to tell who leads", view.theme.dim));
    } else if let Some(part) = live.board.weighs_a_part() {
        lines.push(Line::styled(format!("of the first {} of each", counted(part, "request")), view.theme.dim));
    }
    Some(Panel::of("Verdict forming (the end may tell more)", 2, lines))
}

fn leads(live: &LiveView, forming: &Forming, view: &View<'_>) -> Line<'static> {
    let Forming { criterion, leader, close, tie, blocks, margin, more } = forming;
    let place = |name: &TargetName| live.board.targets().iter().position(|seen| seen.name() == name);
    let mark = |name: &TargetName| place(name).map_or('?', letter).to_string();
    let by = margin.map(|margin| format!(" by {:.0} %", margin.value * 100.0)).unwrap_or_default();
    let others = close.iter().map(mark).collect::<Vec<_>>().join(" ");
    let leader = format!("{} {leader}", mark(leader));
    let (words, style) = match (close.is_empty(), *tie) {
        (true, _) => (format!("{leader} leads{by}: certain"), view.theme.good),
        (false, true) => (format!("{leader} and {others}: no difference that matters"), view.theme.text),
        (false, false) if *blocks < 2 => {
            (format!("{leader} ahead{by}; one block cannot tell how surely"), view.theme.text)
        }
        (false, false) => {
            let more = more.map(|more| format!(", about {} more", counted(more, "request"))).unwrap_or_default();
            (format!("{leader} ahead{by} of {others}: not certain{more}"), view.theme.warn)
        }
    };
    Line::from(vec![Span::styled(format!("{criterion}: "), view.theme.dim), Span::styled(words, style)])
}

/// Whether the client keeps up.
pub(super) fn client<'a>(live: &'a LiveView, view: &'a View<'a>) -> Panel<'a> {
    let mut lines = Vec::new();
    let lit = |(place, seen)| (place, live.board.lights(seen));
    let mut all: Vec<_> = live.board.targets().iter().enumerate().map(lit).collect();
    // Where there is no room for all, the worst are told.
    all.sort_by_key(|(_, lights)| std::cmp::Reverse(lights.light));
    for (place, lights) in all {
        let (mark, style) = match lights.light {
            Light::NotKnown => ('?', view.theme.dim),
            Light::Good => ('●', view.theme.good),
            Light::Warn => ('▲', view.theme.warn),
            Light::Bad => ('■', view.theme.bad),
        };
        let p99 = |what: &str, lag: Option<schema::units::Nanos>| lag.map(|lag| format!("{what} lag p99 {lag}"));
        let known = [p99("client", lights.client_lag_p99), p99("schedule", lights.schedule_lag_p99)];
        let known = known.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let words = format!("{mark} {}  {known}", lights.light.in_words());
        lines.push(said(live, view, place, &words, style));
        lines.extend(lights.why.iter().map(|why| said(live, view, place, why, style)));
    }
    Panel::of("Client", 3, lines)
}

/// What failed, by class, where anything did.
pub(super) fn failures<'a>(live: &'a LiveView, view: &'a View<'a>) -> Option<Panel<'a>> {
    let lines = failed(live, view);
    (!lines.is_empty()).then(|| Panel::of(of_what(live), 2, lines))
}

/// The same, where nothing did too.
pub(super) fn failures_or_none<'a>(live: &'a LiveView, view: &'a View<'a>) -> Panel<'a> {
    let mut lines = failed(live, view);
    if lines.is_empty() {
        lines.push(Line::styled("none", view.theme.good));
    }
    Panel::of(of_what(live), 2, lines)
}

/// At the end a request counts by its last attempt; here each attempt does.
const fn of_what(live: &LiveView) -> &'static str {
    if live.board.plan().retry.is_some() { "Errors, of every attempt" } else { "Errors" }
}

fn failed(live: &LiveView, view: &View<'_>) -> Vec<Line<'static>> {
    let of_target = |(place, seen): (usize, &TargetSeen)| {
        let mut known: Vec<String> =
            seen.failures().iter().map(|(class, count)| format!("{count} {}", class.in_words())).collect();
        let also = [(seen.not_sent(), "found no place"), (seen.cancelled(), "given up")];
        known.extend(also.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        (!known.is_empty()).then(|| said(live, view, place, &known.join(", "), view.theme.bad))
    };
    live.board.targets().iter().enumerate().filter_map(of_target).collect()
}

/// What was spent, beside the budget.
pub(super) fn cost<'a>(live: &'a LiveView, view: &'a View<'a>) -> Option<Panel<'a>> {
    let (spent, budget) = live.board.spent()?;
    let meter = match budget {
        None => Line::styled(format!("{spent} spent, no budget"), view.theme.text),
        Some(budget) => {
            let share = spent.0.to_f64().zip(budget.0.to_f64()).map_or(0.0, |(spent, budget)| spent / budget);
            let style = if share < 0.8 { view.theme.good } else { view.theme.warn };
            Line::from(vec![
                Span::styled(bar(share, 20).replace(' ', "░"), style),
                Span::styled(format!(" {spent} of {budget} spent"), view.theme.text),
            ])
        }
    };
    Some(Panel::of("Cost", 4, vec![meter]))
}

/// What the servers say of themselves, where they are asked.
pub(super) fn servers<'a>(live: &'a LiveView, view: &'a View<'a>) -> Option<Panel<'a>> {
    let of_target = |(place, seen): (usize, &TargetSeen)| {
        let sample = seen.sample()?;
        if let Some(failed) = &sample.failed {
            let why = format!("its metrics cannot be read: {}", fit(failed, 60));
            return Some(said(live, view, place, &why, view.theme.warn));
        }
        let gauge = |value: Option<f64>, what: &str| value.map(|value| format!("{value:.0} {what}"));
        let known = [
            gauge(sample.running, "running"),
            gauge(sample.waiting, "waiting"),
            sample.kv_usage.map(|share| format!("KV cache {:.0} %", share * 100.0)),
            seen.growth(Counter::GeneratedTokens).map(|rate| format!("{rate:.0} tokens/s generated")),
            seen.growth(Counter::PromptTokens).map(|rate| format!("{rate:.0} prompt tokens/s")),
        ];
        let known: Vec<String> = known.into_iter().flatten().collect();
        let engine = fit(&Untrusted::from(sample.engine.as_str()), 12);
        let words = if known.is_empty() { "nothing we know".to_owned() } else { known.join(", ") };
        Some(said(live, view, place, &format!("{engine}: {words}"), view.theme.text))
    };
    let lines: Vec<Line> = live.board.targets().iter().enumerate().filter_map(of_target).collect();
    (!lines.is_empty()).then(|| Panel::of("By the servers' own account", 5, lines))
}

/// The latest notes.
pub(super) fn notes<'a>(live: &'a LiveView, view: &'a View<'a>) -> Option<Panel<'a>> {
    let count = live.board.notes().len();
    (count > 0).then(|| {
        Panel::new("Notes", 5, (1, count), move |columns, rows| {
            let latest = live.board.notes().rev().take(rows);
            let mut lines: Vec<Line> =
                latest.map(|note| Line::styled(fit(&Untrusted::from(note), columns), view.theme.text)).collect();
            lines.reverse();
            lines
        })
    })
}
