//! Choosing a scene.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout};
use ratatui::text::{Line, Span, Text};
use schema::progress::Progress;
use schema::projection::WaitsFor;
use schema::text::Untrusted;

use crate::screen::{Reaction, Screen, View};
use crate::text;
use crate::theme::Theme;

/// A scene with a person in it who waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scene {
    /// Its title.
    pub title: String,
    /// Who waits, as a sentence begins with it.
    pub person: String,
    /// What goes on.
    pub setting: String,
    /// What that person waits for.
    pub waits_for: WaitsFor,
    /// What the person says, turn by turn.
    pub messages: Vec<String>,
}

/// A menu of scenes.
///
/// Keys: the arrows or a number choose, Enter leaves with the one chosen, q and Esc end ([`Reaction::Abort`]).
#[derive(Debug)]
pub struct SceneMenu {
    about: String,
    scenes: Vec<Scene>,
    chosen: usize,
}

impl SceneMenu {
    /// Of `scenes`, which is not empty, with the one at place `chosen` chosen; `about` tells who is asked.
    pub fn new(about: impl Into<String>, scenes: Vec<Scene>, chosen: usize) -> Self {
        Self { about: about.into(), chosen: chosen.min(scenes.len().saturating_sub(1)), scenes }
    }

    /// The place of the chosen one.
    pub const fn chosen(&self) -> usize {
        self.chosen
    }

    fn entry(&self, place: usize, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
        let scene = &self.scenes[place];
        let is_chosen = place == self.chosen;
        let (mark, style) = if is_chosen { ("▶ ", theme.accent) } else { ("  ", theme.text) };
        let waits = format!("   {} waits for {}", scene.person, scene.waits_for.in_words());
        let title = format!("{mark}{}  {}", place + 1, scene.title);
        let room = columns.saturating_sub(text::width(&title));
        let mut lines = vec![Line::from(vec![
            Span::styled(title, style),
            Span::styled(text::fit(&Untrusted::from(waits.as_str()), room), theme.dim),
        ])];
        let indent = 5;
        let setting = text::wrap(&Untrusted::from(scene.setting.as_str()), columns.saturating_sub(indent));
        let style = if is_chosen { theme.text } else { theme.dim };
        lines.extend(setting.into_iter().map(|line| Line::styled(format!("{:indent$}{line}", ""), style)));
        lines
    }
}

impl Screen for SceneMenu {
    fn fold(&mut self, _: &Progress) {}

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        let theme = view.theme;
        let rows = [1, 1, 1].map(Constraint::Length);
        let [head, about, _, body, foot] =
            Layout::vertical([rows[0], rows[1], rows[2], Constraint::Fill(1), Constraint::Length(1)])
                .areas(frame.area());
        let columns = usize::from(body.width);
        let entries: Vec<Vec<Line<'_>>> =
            (0..self.scenes.len()).map(|place| self.entry(place, columns, theme)).collect();
        let all: usize = entries.iter().map(Vec::len).sum();
        let roomy = all + entries.len() <= usize::from(body.height);
        // Where there is no room for all of them, those before the chosen one make room.
        let mut lines = Vec::new();
        for (place, entry) in entries.into_iter().enumerate() {
            if place == self.chosen {
                let over = (lines.len() + entry.len()).saturating_sub(body.height.into());
                lines.drain(..over.min(lines.len()));
            }
            lines.extend(entry);
            if roomy {
                lines.push(Line::default());
            }
        }
        frame.render_widget(Line::styled("What waiting means: five scenes", theme.accent), head);
        frame.render_widget(Line::styled(self.about.as_str(), theme.dim), about);
        frame.render_widget(Text::from(lines), body);
        frame.render_widget(Line::styled("↑↓ or a number chooses · Enter plays it · q ends", theme.dim), foot);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        let last = self.scenes.len().saturating_sub(1);
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.chosen = self.chosen.checked_sub(1).unwrap_or(last),
            KeyCode::Down | KeyCode::Char('j') => self.chosen = if self.chosen == last { 0 } else { self.chosen + 1 },
            KeyCode::Home => self.chosen = 0,
            KeyCode::End => self.chosen = last,
            KeyCode::Char(c @ '1'..='9') => {
                let place = usize::try_from(u32::from(c) - u32::from('1')).unwrap_or(last);
                if place <= last {
                    self.chosen = place;
                    return Reaction::Leave;
                }
            }
            KeyCode::Enter => return Reaction::Leave,
            KeyCode::Char('q') | KeyCode::Esc => return Reaction::Abort,
            _ => {}
        }
        Reaction::Stay
    }
}

#[cfg(test)]
mod tests;
