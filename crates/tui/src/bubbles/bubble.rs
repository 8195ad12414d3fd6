//! One engine's answer to one message.

use std::sync::Arc;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, BorderType, Borders};
use schema::event::EventKind;
use schema::metric::Metric;
use schema::record::{FinishReason, Outcome, Record};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};
use stats::{metric_values, perception};

use crate::race::Lane;
use crate::scenario::Scene;
use crate::screen::View;
use crate::text::{self, Flow};

/// Text of one bubble that is kept for the screen, in bytes.
const MOST: usize = 1 << 20;

/// How long each of the dots of someone who is about to write stands.
const DOT: Nanos = Nanos::from_millis(300);

/// What was heard of one request, and in the end its record.
#[derive(Debug, Default)]
pub(super) struct Bubble {
    attempt: u32,
    start: Option<Moment>,
    first: Option<Moment>,
    thinks: bool,
    said: Flow,
    bytes: usize,
    /// Whether text was heard that is not shown.
    missing: bool,
    record: Option<Arc<Record>>,
}

/// Whose bubble it is.
pub(super) struct Seat<'a> {
    pub(super) lane: &'a Lane,
    /// Its place among the engines.
    pub(super) place: usize,
    /// Whether the scene has begun.
    pub(super) begun: bool,
    /// The number of the message that it is asked, where that is not the turn's.
    pub(super) anew: Option<usize>,
}

impl Bubble {
    /// What is told next is of this attempt; a further one begins anew.
    pub(super) fn turn_to(&mut self, attempt: u32) {
        if attempt > self.attempt {
            *self = Self { attempt, ..Self::default() };
        }
    }

    pub(super) fn begins(&mut self, at: Moment) {
        self.start = Some(at);
    }

    pub(super) fn hears(&mut self, kind: EventKind, at: Moment, text: Option<&Untrusted>) {
        if !kind.is_content() || self.record.is_some() {
            return;
        }
        self.thinks = kind != EventKind::Text;
        if self.thinks {
            return;
        }
        self.first.get_or_insert(at);
        match text.filter(|text| self.bytes + text.raw().len() <= MOST) {
            Some(text) => {
                self.bytes += text.raw().len();
                self.said.push(text);
            }
            None => self.missing = true,
        }
    }

    /// From now on its figures are the record's, and so is its text where that was kept.
    pub(super) fn settles(&mut self, record: &Arc<Record>) {
        self.turn_to(record.attempt);
        if record.attempt < self.attempt {
            return;
        }
        self.start = record.start_ns.or(self.start);
        if let Some(output) = &record.output {
            self.said = Flow::default();
            self.bytes = 0;
            self.missing = false;
            for (_, text) in record.events.iter().zip(output).filter(|(event, _)| event.kind == EventKind::Text) {
                self.bytes += text.raw().len();
                if self.bytes > MOST {
                    self.missing = true;
                    break;
                }
                self.said.push(text);
            }
        }
        self.record = Some(Arc::clone(record));
    }

    pub(super) const fn is_over(&self) -> bool {
        self.record.is_some()
    }

    /// Whether it got no answer, which ends its conversation.
    pub(super) fn has_failed(&self) -> bool {
        self.record.as_ref().is_some_and(|record| matches!(record.outcome, Outcome::Failed(_)))
    }

    /// Which message of its conversation it answers, from 0, once that is known.
    pub(super) fn asked(&self) -> Option<usize> {
        usize::try_from(self.record.as_ref()?.conversation?.turn).ok()
    }

    /// What the wait meant to the person in the scene, once there is an answer.
    pub(super) fn meaning(&self, scene: &Scene, brief: bool) -> Option<String> {
        let record = self.record.as_ref()?;
        match perception::felt(record, scene.waits_for) {
            Some(felt) if brief => Some(felt.wait_in_words(&scene.person)),
            Some(felt) => Some(felt.sentence(&scene.person)),
            None => Some(format!("{} got no answer: {}.", scene.person, trouble(record)?)),
        }
    }

    /// What it does, in the most words that fit so many columns.
    fn state(&self, (begun, now): (bool, Moment), columns: usize) -> String {
        let one = |record: &Record, metric| metric_values(record, metric).next();
        if let Some(record) = &self.record {
            let Some(whole) = one(record, Metric::E2e) else {
                return text::fit(&trouble(record).unwrap_or_default().as_str().into(), columns);
            };
            let whole = nanos(whole).to_string();
            let speed = one(record, Metric::OutputSpeed).map(|speed| format!("{speed:.0} tokens/s"));
            let cut = matches!(record.outcome, Outcome::Complete { finish: FinishReason::Length });
            let end = cut.then(|| "cut at its limit".to_owned());
            let parts: Vec<String> = [Some(whole), speed, end].into_iter().flatten().collect();
            let wordings = (1..=parts.len()).rev().map(|count| parts[..count].join(" · "));
            return wordings.into_iter().find(|words| text::width(words) <= columns).unwrap_or_default();
        }
        match (self.start, self.first) {
            (Some(start), None) if self.thinks => format!("thinks · {}", clock(now - start)),
            (Some(start), None) => format!("waiting · {}", clock(now - start)),
            (Some(start), Some(_)) => format!("writing · {}", clock(now - start)),
            (None, _) if begun => "not sent yet".to_owned(),
            (None, _) => "getting ready".to_owned(),
        }
    }

    /// In the upper part of `area`, as high as its text; of a long one the end.
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, seat: &Seat<'_>, view: &View<'_>) {
        let (theme, &Seat { lane, place, begun, anew }) = (view.theme, seat);
        let mut block = Block::new()
            .borders(Borders::ALL)
            .border_type(BorderType::Rounded)
            .border_style(theme.lane(place))
            .title_top(Line::styled(format!(" {} ", lane.name), theme.lane(place)));
        if lane.simulated {
            block = block.title_top(Line::styled(" SIMULATED ", theme.simulated).right_aligned());
        }
        let failed = self.record.as_ref().is_some_and(|record| !record.outcome.is_complete());
        let style = if failed { theme.bad } else { theme.text };
        let state = format!(" {} ", self.state((begun, view.now), usize::from(area.width).saturating_sub(4)));
        block = block.title_bottom(Line::styled(state, style));
        let inside = block.inner(area);
        let again = anew.map(|number| format!("message {number} again, it had no answer:"));
        let again: Vec<_> = again.iter().flat_map(|it| text::wrap(&it.as_str().into(), inside.width.into())).collect();
        let room = usize::from(inside.height).saturating_sub(again.len());
        let writing = !self.is_over() && self.start.is_some();
        let mut lines: Vec<Line<'_>> = if self.said.is_empty() {
            vec![Line::styled(if writing { self.dots(view.now) } else { String::new() }, theme.dim)]
        } else {
            self.said.last(room, inside.width.into()).map(|line| Line::styled(line.to_owned(), theme.text)).collect()
        };
        let cursor = writing && !self.said.is_empty();
        if let Some(last) = lines.last_mut().filter(|line| cursor && line.width() < inside.width.into()) {
            last.push_span(Span::styled("▌", theme.lane(place)));
        }
        lines.splice(0..0, again.into_iter().map(|line| Line::styled(line, theme.dim)));
        if self.missing {
            block = block.title_bottom(Line::styled(" not all of it is shown ", theme.warn).right_aligned());
        }
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).clamp(1, inside.height.max(1));
        let fitted = Rect { height: area.height.min(rows + 2), ..area };
        let text = Rect { height: inside.height.min(rows), ..inside };
        frame.render_widget(block, fitted);
        frame.render_widget(Text::from(lines), text);
    }

    /// One dot, two, three: something is awaited.
    fn dots(&self, now: Moment) -> String {
        let waited = self.start.map_or(Nanos::ZERO, |start| now - start);
        let count = usize::try_from(waited.0 / DOT.0 % 3).unwrap_or(0) + 1;
        "· ".repeat(count)
    }
}

/// Why there is no answer.
fn trouble(record: &Record) -> Option<String> {
    match &record.outcome {
        Outcome::Complete { .. } => None,
        Outcome::Failed(failure) => {
            let said = failure.message.for_terminal();
            let said = if said.is_empty() { String::new() } else { format!(" ({said})") };
            Some(format!("{}{said}", failure.class))
        }
        Outcome::Cancelled => Some("given up".to_owned()),
        Outcome::NotSent => Some("never sent".to_owned()),
        Outcome::Interrupted => Some("broken off when the program ended".to_owned()),
    }
}

/// A time that runs, to a tenth of a second.
fn clock(time: Nanos) -> String {
    format!("{:.1} s", time.0 as f64 / 1e9)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time that was measured")]
fn nanos(value: f64) -> Nanos {
    Nanos(value as u64)
}
