//! A scene as a chat with several engines at once: what the person says, and every engine's answer in a bubble of its
//! own, typed as it arrives.
//!
//! ```text
//! Progress ─▶ turns × engines ─▶ bubble (what was heard, when; in the end its record) ─▶ what the wait means
//! ```
//!
//! A turn is one block of the run. Figures come from the record once it is there.

mod bubble;
mod layout;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, BorderType, Borders};
use schema::counted;
use schema::progress::{Progress, Stage};
use schema::record::Phase;
use schema::target::TargetName;
use schema::text::Untrusted;

use crate::race::Lane;
use crate::scenario::Scene;
use crate::screen::{Reaction, Screen, View};
use crate::text;
use crate::theme::Theme;

use bubble::{Bubble, Seat};
use layout::Places;

/// The screen of a scene.
///
/// Keys: ← and → look at other turns; Enter, q and Esc leave once it is over, until then q and Esc give it up
/// ([`Reaction::Abort`]).
pub struct Bubbles {
    scene: Scene,
    lanes: Vec<Lane>,
    /// Turn by turn, one a lane.
    turns: Vec<Vec<Bubble>>,
    /// The turn that was begun last; `None`: only the warm-up so far.
    present: Option<usize>,
    /// The turn that is looked at, where that is another.
    looked_at: Option<usize>,
    note: Option<Untrusted>,
    over: bool,
}

impl Bubbles {
    /// A scene that has not begun, asked of `lanes`.
    pub fn new(scene: Scene, lanes: Vec<Lane>) -> Self {
        let turn = || lanes.iter().map(|_| Bubble::default()).collect();
        let turns = scene.messages.iter().map(|_| turn()).collect();
        Self { scene, lanes, turns, present: None, looked_at: None, note: None, over: false }
    }

    /// Says that the run is over: nothing more will come.
    pub fn close(&mut self) {
        self.over = true;
    }

    /// Whether nothing more will come.
    pub fn is_over(&self) -> bool {
        self.over || self.turns.last().is_some_and(|last| last.iter().all(Bubble::is_over))
    }

    fn lane(&self, name: &TargetName) -> Option<usize> {
        self.lanes.iter().position(|lane| lane.name == *name)
    }

    /// The bubble of a measured request, and that its turn has begun.
    fn bubble(&mut self, target: &TargetName, phase: Phase, block: u32) -> Option<&mut Bubble> {
        let (lane, turn) = (self.lane(target)?, usize::try_from(block).ok()?);
        if phase != Phase::Measured || turn >= self.turns.len() {
            return None;
        }
        self.present = self.present.max(Some(turn));
        self.turns[turn].get_mut(lane)
    }

    /// The message that `lane` is really asked in this turn: a conversation ends with a message that got no answer, and
    /// the person begins anew.
    fn asked(&self, lane: usize, turn: usize) -> usize {
        let told = self.turns[turn][lane].asked();
        told.unwrap_or_else(|| self.turns[..turn].iter().rev().take_while(|turn| !turn[lane].has_failed()).count())
    }

    /// That message's number, from 1, where it is not the one of the turn.
    fn anew(&self, lane: usize, turn: usize) -> Option<usize> {
        Some(self.asked(lane, turn)).filter(|asked| *asked != turn).map(|asked| asked + 1)
    }

    fn shown(&self) -> usize {
        self.looked_at.or(self.present).unwrap_or(0)
    }

    fn look(&mut self, step: isize) {
        let last = self.present.unwrap_or(0);
        let turn = self.shown().saturating_add_signed(step).min(last);
        self.looked_at = (turn != last).then_some(turn);
    }

    fn keys(&self) -> String {
        let mut keys = vec![if self.is_over() { "Enter goes on" } else { "q gives up" }];
        if self.present.unwrap_or(0) > 0 {
            keys.push("← → turns");
        }
        keys.join(" · ")
    }

    fn title(&self) -> String {
        let turn = match self.present {
            None => "before the first message".to_owned(),
            Some(_) => format!("message {} of {}", self.shown() + 1, self.turns.len()),
        };
        format!("{} · {turn}", self.scene.title)
    }

    /// What every wait so far means, engine by engine.
    fn meanings(&self, turn: usize, columns: usize, brief: bool) -> Vec<(usize, Vec<String>)> {
        let of = |(lane, bubble): (usize, &Bubble)| {
            let meaning = bubble.meaning(&self.scene, brief)?;
            let mark = if self.lanes[lane].simulated { " (SIMULATED)" } else { "" };
            let anew = self.anew(lane, turn).map(|number| format!(", message {number} again")).unwrap_or_default();
            let sentence = format!("{}{mark}{anew}: {meaning}", self.lanes[lane].name);
            Some((lane, text::wrap(&Untrusted::bounded(sentence, usize::MAX), columns)))
        };
        self.turns[turn].iter().enumerate().filter_map(of).collect()
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect, view: &View<'_>) {
        let theme = view.theme;
        let mark = if self.lanes.iter().any(|lane| lane.simulated) { " SIMULATED " } else { "" };
        let mut spans = vec![Span::styled(self.title(), theme.accent)];
        if view.missed > 0 {
            spans.push(Span::styled(
                format!("  drawing missed {}; nothing is lost", counted(view.missed, "step")),
                theme.warn,
            ));
        }
        frame.render_widget(Line::from(spans), area);
        frame.render_widget(Line::styled(mark, theme.simulated).right_aligned(), area);
    }

    /// What the person says, to the right.
    fn draw_message(&self, frame: &mut Frame<'_>, area: Rect, theme: &Theme) {
        let message = Untrusted::bounded(self.scene.messages[self.shown()].as_str(), usize::MAX);
        let title = format!(" {} ", self.scene.person);
        said(frame, area, &Said { title: Line::styled(title, theme.accent), message: &message, theme });
    }

    fn draw_bubbles(&mut self, frame: &mut Frame<'_>, areas: &[Rect], view: &View<'_>) {
        let turn = self.shown();
        let begun = self.present.is_some();
        let anew: Vec<_> = (0..self.lanes.len()).map(|lane| self.anew(lane, turn)).collect();
        for ((place, bubble), area) in self.turns[turn].iter_mut().enumerate().zip(areas) {
            let seat = Seat { lane: &self.lanes[place], place, begun, anew: anew[place] };
            bubble.draw(frame, *area, &seat, view);
        }
    }
}

/// A message and how it is headed.
struct Said<'a> {
    title: Line<'a>,
    message: &'a Untrusted,
    theme: &'a Theme,
}

/// A message in a bubble, from its beginning; what has no room is left out, and that is told.
fn said(frame: &mut Frame<'_>, area: Rect, said: &Said<'_>) {
    let mut block = Block::new()
        .borders(Borders::ALL)
        .border_type(BorderType::Rounded)
        .border_style(said.theme.border)
        .title_top(said.title.clone().right_aligned());
    let inside = block.inner(area);
    let lines = text::wrap(said.message, inside.width.into());
    let room = usize::from(inside.height);
    if lines.len() > room {
        let more = lines.len() - room;
        let more = format!(" {} ", counted(more, "more line"));
        block = block.title_bottom(Line::styled(more, said.theme.dim).right_aligned());
    }
    frame.render_widget(block, area);
    let shown = lines.into_iter().take(room).map(|line| Line::styled(line, said.theme.text));
    frame.render_widget(shown.collect::<Text<'_>>(), inside);
}

impl Screen for Bubbles {
    fn fold(&mut self, progress: &Progress) {
        match progress {
            Progress::Moved { ticket, at, stage } => {
                let (attempt, clock) = (ticket.attempt, *at);
                let Some(bubble) = self.bubble(&ticket.target, ticket.phase, ticket.block) else { return };
                bubble.turn_to(attempt);
                match stage {
                    Stage::Connecting | Stage::Sent => bubble.begins(clock),
                    Stage::Answering { start, .. } => bubble.begins(*start),
                    Stage::Heard { kind, text, .. } => bubble.hears(*kind, clock, text.as_ref()),
                }
            }
            Progress::Recorded(record) => {
                if let Some(bubble) = self.bubble(&record.target, record.phase, record.block) {
                    bubble.settles(record);
                }
            }
            Progress::Note(note) => self.note = Some(Untrusted::from(note.as_str())),
            Progress::Began { .. }
            | Progress::Block { .. }
            | Progress::Step { .. }
            | Progress::Warmed { .. }
            | Progress::Pulse { .. }
            | Progress::Sampled(..) => {}
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        let (theme, area, turn) = (view.theme, frame.area(), self.shown());
        let columns = usize::from(area.width);
        let brief = layout::is_tight(area);
        let meanings = self.meanings(turn, columns, brief);
        let message = Untrusted::bounded(self.scene.messages[turn].as_str(), usize::MAX);
        let message_rows = text::wrap(&message, layout::message_columns(area)).len();
        let meaning_rows: usize = meanings.iter().map(|(_, lines)| lines.len()).sum();
        // As many rows as there will be in the end, so that nothing moves when the first answer is there.
        let meaning_rows = meaning_rows.max(self.lanes.len() * if brief { 1 } else { 2 });
        let Places { head, setting, message, bubbles, meaning, foot } =
            layout::places(area, self.lanes.len(), (message_rows, meaning_rows));
        self.draw_head(frame, head, view);
        let told = text::wrap(&Untrusted::from(self.scene.setting.as_str()), columns);
        frame.render_widget(Text::from_iter(told).style(theme.dim), setting);
        self.draw_message(frame, message, theme);
        self.draw_bubbles(frame, &bubbles, view);
        let lines = meanings
            .into_iter()
            .flat_map(|(lane, lines)| lines.into_iter().map(move |line| Line::styled(line, theme.lane(lane))));
        frame.render_widget(lines.collect::<Text<'_>>(), meaning);
        let keys = self.keys();
        let room = columns.saturating_sub(text::width(&keys) + 3);
        let note = self.note.as_ref().map(|note| format!(" · {}", text::fit(note, room))).unwrap_or_default();
        frame.render_widget(Line::styled(keys + &note, theme.dim), foot);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        match key.code {
            // There is nothing left that could be given up.
            KeyCode::Enter | KeyCode::Esc | KeyCode::Char('q') if self.is_over() => return Reaction::Leave,
            KeyCode::Esc | KeyCode::Char('q') => return Reaction::Abort,
            KeyCode::Left => self.look(-1),
            KeyCode::Right => self.look(1),
            _ => {}
        }
        Reaction::Stay
    }
}

#[cfg(test)]
mod tests;
