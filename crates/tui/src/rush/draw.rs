//! A part of the screen for each target.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use schema::counted;
use schema::record::Phase;
use schema::summary::Estimate;
use schema::units::Nanos;
use stats::live::TargetSeen;
use stats::{Change, ChangedFigure, ChangedValue};

use super::crowd::{Crowd, Doing};
use super::{Act, Rush};
use crate::chart::{Series, bar, exactly, sparkline};
use crate::live::{letter, nanos, of_all, seconds, tall, timed};
use crate::panel::{Panel, columns, row, stack};
use crate::screen::View;
use crate::text::width;
use crate::theme::Theme;

/// A target's part is at least so wide.
const NARROWEST: u16 = 38;

pub(super) fn all(frame: &mut Frame<'_>, rush: &Rush, view: &View<'_>) {
    let [top, body, legend, foot] =
        Layout::vertical([Constraint::Length(3), Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)])
            .areas(frame.area());
    head(frame, top, rush, view);
    let count = u16::try_from(rush.board.targets().len()).unwrap_or(u16::MAX).max(1);
    let across = ((body.width + 2) / (NARROWEST + 2)).clamp(1, count);
    let rows = Layout::vertical(vec![Constraint::Fill(1); usize::from(count.div_ceil(across))]).split(body);
    let places = rows.iter().flat_map(|row| columns(*row, across));
    for (place, area) in places.enumerate().take(usize::from(count)) {
        of_target(frame, area, rush, view, place);
    }
    frame.render_widget(states(usize::from(legend.width), view.theme), legend);
    frame.render_widget(keys(rush, view, usize::from(foot.width)), foot);
}

fn head(frame: &mut Frame<'_>, area: Rect, rush: &Rush, view: &View<'_>) {
    let wide = usize::from(area.width);
    let plan = rush.board.plan();
    let mark = if plan.targets.iter().any(|target| target.simulated) && wide > 24 { "SIMULATED" } else { "" };
    let title = Line::from(vec![
        Span::styled(exactly("SPEED KINGS · rush", wide.saturating_sub(width(mark))), view.theme.accent),
        Span::styled(mark, view.theme.simulated),
    ]);
    let how = if plan.side_by_side { "all targets at the same time" } else { "one target after the other" };
    let what = format!("{} at once at each target, {how}", counted(rush.size, "user"));
    let what = Line::styled(exactly(&what, wide), view.theme.dim);
    frame.render_widget(Text::from(vec![title, what, far(rush, view, wide)]), area);
}

/// How far it has come.
fn far(rush: &Rush, view: &View<'_>, columns: usize) -> Line<'static> {
    let (over, all) = rush.board.requests();
    let elapsed = seconds(rush.board.elapsed(view.now));
    let words = match (rush.act, rush.board.left(view.now)) {
        (Act::Over, _) => {
            return Line::styled(exactly("over: this is what the crowd made of it", columns), view.theme.accent);
        }
        (Act::Alone, _) => {
            format!("first, one user alone: {}, {elapsed} gone", of_all(over, all))
        }
        (Act::Crowd, Some(Nanos::ZERO)) => {
            format!("the crowd: {}, the last answers are awaited", counted(over, "request"))
        }
        (Act::Crowd, left) => {
            let left =
                left.map_or_else(|| "time left not known".to_owned(), |left| format!("about {} left", seconds(left)));
            format!("the crowd: {}, {elapsed} gone, {left}", counted(over, "request"))
        }
    };
    let room = columns.saturating_sub(width(&words) + 1).min(24);
    Line::from(vec![
        Span::styled(bar(rush.board.share(view.now).unwrap_or(0.0), room).replace(' ', "░"), view.theme.accent),
        Span::styled(exactly(&format!(" {words}"), columns.saturating_sub(room)), view.theme.text),
    ])
}

/// How a cell is drawn.
fn style(doing: Doing, theme: &Theme) -> Style {
    match doing {
        Doing::Idle => theme.dim,
        Doing::Connecting => theme.text,
        Doing::Waiting => theme.warn,
        Doing::Generating => theme.good.add_modifier(Modifier::REVERSED),
        Doing::Finished => theme.accent,
        Doing::Failed => theme.bad.add_modifier(Modifier::REVERSED),
    }
}

/// What the letters mean.
fn states(columns: usize, theme: &Theme) -> Line<'static> {
    let mut spans = Vec::new();
    let mut used = 0;
    for doing in Doing::ALL {
        let words = format!(" {}  ", doing.in_words());
        used += width(&words) + 1;
        if used > columns {
            break;
        }
        spans.push(Span::styled(doing.letter().to_string(), style(doing, theme)));
        spans.push(Span::styled(words, theme.dim));
    }
    Line::from(spans)
}

fn keys(rush: &Rush, view: &View<'_>, columns: usize) -> Line<'static> {
    let keys = match (rush.act, rush.stopping) {
        (Act::Over, _) => "Enter leaves: the figures are printed then",
        (_, true) => "stopping: requests in flight may finish · q again gives them up",
        (_, false) => "q stops; what was measured until then is kept",
    };
    let missed = if view.missed > 0 {
        format!(" · {} not drawn: everything is recorded", counted(view.missed, "step"))
    } else {
        String::new()
    };
    Line::styled(exactly(&format!("{keys}{missed}"), columns), view.theme.dim)
}

fn of_target(frame: &mut Frame<'_>, area: Rect, rush: &Rush, view: &View<'_>, place: usize) {
    let (seen, crowd) = (&rush.board.targets()[place], &rush.crowds[place]);
    let mut panels = vec![map(seen, crowd, place, usize::from(area.width), view)];
    if rush.act == Act::Over && !rush.changes.is_empty() {
        panels.push(changes(rush, seen, view));
    } else {
        panels.push(ttft(rush, seen, place, view));
    }
    panels.push(queue(crowd, place, view));
    panels.push(throughput(rush, seen, place, view));
    panels.extend(errors(seen, view));
    stack(frame, area, panels, view.theme);
}

/// A cell for each user, and how many are in each state.
fn map<'a>(seen: &'a TargetSeen, crowd: &'a Crowd, place: usize, columns: usize, view: &'a View<'a>) -> Panel<'a> {
    let mark = if seen.is_simulated() { " SIMULATED" } else { "" };
    let heading = exactly_or_less(&format!("{} {}{mark}", letter(place), seen.name()), columns.saturating_sub(4));
    let count = crowd.users().len();
    let wide = move |cell: usize| count.div_ceil((columns / cell).max(1)).max(1);
    Panel::new(heading, 0, (2, wide(2) + 1), move |columns, rows| {
        let room = rows.saturating_sub(1).max(1);
        let cell = if wide(2) <= room { 2 } else { 1 };
        let across = (columns / cell).max(1);
        let shown = count.min(across * room);
        let cells: Vec<Doing> = crowd.users().take(shown).collect();
        let mut lines: Vec<Line> = cells
            .chunks(across)
            .map(|users| {
                let cells = users.iter().flat_map(|doing| {
                    let gap = (cell == 2).then(|| Span::raw(" "));
                    std::iter::once(Span::styled(doing.letter().to_string(), style(*doing, view.theme))).chain(gap)
                });
                Line::from(cells.collect::<Vec<_>>())
            })
            .collect();
        let hidden = if shown < count { format!("and {} more  ", count - shown) } else { String::new() };
        let counts = Doing::ALL.iter().map(|doing| (crowd.count(*doing), doing.in_words())).filter(|(n, _)| *n > 0);
        let counts = counts.map(|(n, what)| format!("{n} {what}")).collect::<Vec<_>>().join(", ");
        lines.push(Line::styled(exactly(&format!("{hidden}{}{counts}", at(seen)), columns), view.theme.text));
        lines
    })
}

/// What the target is at, where that is not the crowd.
fn at(seen: &TargetSeen) -> &'static str {
    match seen.turn() {
        Some(turn) if turn.phase == Phase::Warmup => "warming up: ",
        None if seen.done() == 0 => "to come: ",
        Some(_) | None => "",
    }
}

fn exactly_or_less(text: &str, columns: usize) -> String {
    if width(text) <= columns { text.to_owned() } else { exactly(text, columns).trim_end().to_owned() }
}

/// TTFT beside that of one alone, and as it went.
fn ttft<'a>(rush: &'a Rush, seen: &'a TargetSeen, place: usize, view: &'a View<'a>) -> Panel<'a> {
    Panel::new("TTFT", 1, (2, 12), move |columns, rows| {
        let alone = rush.alone_at(place);
        let line = |name: &str, q: f64| {
            let Some(value) = seen.ttft().supported(q) else {
                return Line::styled(exactly(&format!("{name} too few answers yet"), columns), view.theme.text);
            };
            let times = alone.filter(|alone| *alone > Nanos::ZERO).map(|alone| {
                let times = value.0 as f64 / alone.0 as f64;
                let whose = if q > 0.5 { "alone's p50".to_owned() } else { format!("alone's {alone}") };
                format!(", ×{times:.1} {whose}")
            });
            Line::styled(exactly(&format!("{name} {value}{}", times.unwrap_or_default()), columns), view.theme.text)
        };
        let mut lines = vec![line("p50", 0.5), line("p95", 0.95)];
        if rows >= 6 {
            let points = |q: f64| {
                let (timeline, each) = (seen.timeline(), seen.timeline().each().as_secs_f64());
                let from = timeline.from().0 as f64 / 1e9;
                let each_of = timeline.stretches().iter().enumerate();
                each_of
                    .filter_map(|(n, stretch)| {
                        Some((from + (n as f64 + 0.5) * each, stretch.ttft.quantile(q)?.0 as f64))
                    })
                    .collect()
            };
            let series = |name: &str, mark, style, q| Series { name: name.to_owned(), mark, style, points: points(q) };
            let series = [series("p95", '×', view.theme.warn, 0.95), series("p50", '•', view.theme.lane(place), 0.5)];
            lines.extend(timed(&series, (columns, rows - 2), view));
        }
        lines
    })
}

/// How many wait, over time.
fn queue<'a>(crowd: &'a Crowd, place: usize, view: &'a View<'a>) -> Panel<'a> {
    let heading = if crowd.is_in_waves() { "Queue: requests waiting" } else { "Queue: users waiting" };
    Panel::new(heading, 2, (1, 6), move |columns, rows| {
        let all: Vec<Option<f64>> = crowd.waiting().iter().map(|n| Some(f64::from(*n))).collect();
        let now = crowd.queued();
        let most = crowd.waiting().iter().copied().fold(now, u32::max);
        let words = format!("{now} now, {most} at most ");
        beside(&words, &all, (columns, rows), (view.theme.lane(place), view.theme.text))
    })
}

/// Words, and a figure over time: after them where there is one line, below them where there are more.
fn beside(
    words: &str,
    values: &[Option<f64>],
    (columns, rows): (usize, usize),
    (drawn, written): (Style, Style),
) -> Vec<Line<'static>> {
    if rows > 1 {
        let chart = tall(&fitted(values, columns), "", (columns, rows - 1), (drawn, written));
        return std::iter::once(Line::styled(exactly(words, columns), written)).chain(chart).collect();
    }
    let room = columns.saturating_sub(width(words));
    let fitted = fitted(values, room);
    let most = fitted.iter().flatten().copied().fold(0.0, f64::max);
    let chart = sparkline(&fitted, most, room.min(fitted.len()));
    vec![Line::from(vec![Span::styled(exactly(words, columns.min(width(words))), written), Span::styled(chart, drawn)])]
}

/// The same in at most so many columns: the most of each stretch.
fn fitted(values: &[Option<f64>], columns: usize) -> Vec<Option<f64>> {
    if columns == 0 || values.len() <= columns {
        return values.to_vec();
    }
    let most = |part: &[Option<f64>]| part.iter().flatten().copied().reduce(f64::max);
    values.chunks(values.len().div_ceil(columns)).map(most).collect()
}

/// What comes out.
fn throughput<'a>(rush: &'a Rush, seen: &'a TargetSeen, place: usize, view: &'a View<'a>) -> Panel<'a> {
    Panel::new("Throughput of all users", 3, (1, 5), move |columns, rows| {
        let now = seen.rates(view.now).filter(|_| rush.act != Act::Over);
        let now = now.map(|(requests, tokens)| format!("{tokens:.0} tokens/s, {requests:.1} requests/s, "));
        let words = format!("{}{} done ", now.unwrap_or_default(), seen.completed());
        let each = seen.timeline().each().as_secs_f64();
        let stretches = seen.timeline().stretches();
        // Tokens are known when their request is over: of those in flight, nothing is drawn yet.
        let unknown = seen.e2e().quantile(0.95).filter(|_| rush.act != Act::Over).unwrap_or_default();
        let over = seen.timeline().over_by(view.now - unknown);
        let tokens: Vec<_> = stretches[..over].iter().map(|stretch| Some(stretch.tokens as f64 / each)).collect();
        beside(&words, &tokens, (columns, rows), (view.theme.lane(place), view.theme.text))
    })
}

/// What failed, where anything did.
fn errors<'a>(seen: &TargetSeen, view: &View<'_>) -> Option<Panel<'a>> {
    let known: Vec<String> =
        seen.failures().iter().map(|(class, count)| format!("{count} {}", class.in_words())).collect();
    (!known.is_empty()).then(|| Panel::of("Errors", 1, vec![Line::styled(known.join(", "), view.theme.bad)]))
}

/// What the crowd made of the figures.
fn changes<'a>(rush: &'a Rush, seen: &'a TargetSeen, view: &'a View<'a>) -> Panel<'a> {
    let own: Vec<&Change> = rush.changes.iter().filter(|change| change.target == *seen.name()).collect();
    Panel::new("One alone, one of the crowd", 0, (own.len() + 1, own.len() + 1), move |columns, _| {
        let wide = columns >= 56;
        let (name, value, times) = if wide { (14, 9, 21) } else { (13, 8, 7) };
        let (dim, text) = (view.theme.dim, view.theme.text);
        let head = [("", name, false), ("alone", value, true), ("crowd", value, true), ("×", times, true)];
        let mut lines = vec![row(head.map(|(what, wide, right)| (what.to_owned(), wide, right, dim)).into())];
        lines.extend(own.iter().map(|change| {
            let cells = [
                (short(change.figure).to_owned(), name, false, dim),
                (shown(change, &change.alone), value, true, text),
                (shown(change, &change.crowd), value, true, text),
                (
                    change.times.map_or_else(|| "–".to_owned(), |estimate| ratio(&estimate, wide)),
                    times,
                    true,
                    view.theme.accent,
                ),
            ];
            row(cells.into())
        }));
        lines
    })
}

/// A figure's name where there is little room.
const fn short(figure: ChangedFigure) -> &'static str {
    match figure {
        ChangedFigure::OutputSpeedP50 => "tokens/s each",
        ChangedFigure::OutputTokensPerS => "tokens/s all",
        ChangedFigure::RequestsPerS => "requests/s",
        figure => figure.heading(),
    }
}

fn shown(change: &Change, value: &ChangedValue) -> String {
    match value {
        ChangedValue::Nothing => "–".to_owned(),
        ChangedValue::TooFew(_) => "too few".to_owned(),
        ChangedValue::Known(known) if change.figure.is_time() => nanos(known.value),
        ChangedValue::Known(known) if change.figure.is_share() => format!("{:.1} %", known.value * 100.0),
        ChangedValue::Known(known) => number(known.value),
    }
}

/// `8.3 (7.1 to 9.6)`
fn ratio(times: &Estimate, with_interval: bool) -> String {
    let ends = times.low.zip(times.high).filter(|_| with_interval);
    let ends = ends.map(|(low, high)| format!(" ({} to {})", number(low), number(high))).unwrap_or_default();
    format!("{}{ends}", number(times.value))
}

fn number(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else if value < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}
