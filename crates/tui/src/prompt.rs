//! Typing a prompt.

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout};
use ratatui::text::{Line, Text};
use ratatui::widgets::{Block, BorderType, Borders};
use ratatui_textarea::{TextArea, WrapMode};
use schema::progress::Progress;
use schema::text::Untrusted;

use crate::screen::{Reaction, Screen, View};
use crate::text;

/// Bytes of a prompt at most.
pub const LONGEST_PROMPT: usize = 16 << 10;

/// Steps that can be undone.
const STEPS_BACK: usize = 200;

/// A prompt as it is typed, over several lines and with pasted text.
///
/// Keys: Enter leaves with what was typed, Alt-Enter or Ctrl-J begins a new line, Esc gets out of it
/// ([`Reaction::Abort`]); the others edit as they do in a shell.
pub struct PromptEntry {
    title: String,
    about: Vec<String>,
    area: TextArea<'static>,
    is_full: bool,
}

impl PromptEntry {
    /// Nothing typed yet; `about` are sentences above the field.
    pub fn new(title: impl Into<String>, about: Vec<String>) -> Self {
        let mut area = TextArea::default();
        area.set_wrap_mode(WrapMode::WordOrGlyph);
        area.set_max_histories(STEPS_BACK);
        area.set_placeholder_text("Ask something that all of them can answer");
        Self { title: title.into(), about, area, is_full: false }
    }

    /// What was typed, without blank space around it; `None` while there is nothing.
    pub fn text(&self) -> Option<String> {
        let text = self.area.lines().join("\n");
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn bytes(&self) -> usize {
        self.area.lines().iter().map(|line| line.len() + 1).sum::<usize>() - 1
    }

    /// What changes the text is taken back where it made it too long.
    fn edit(&mut self, change: impl FnOnce(&mut TextArea<'static>)) {
        change(&mut self.area);
        self.is_full = self.bytes() > LONGEST_PROMPT;
        if self.is_full {
            self.area.undo();
        }
    }

    fn foot(&self) -> String {
        if self.is_full {
            return format!("no room for more: a prompt has {} KiB at most", LONGEST_PROMPT >> 10);
        }
        "Enter asks · Alt-Enter new line · Ctrl-U undo · Esc ends".to_owned()
    }
}

/// Whether it can stand in a prompt: no control character, nothing that is invisible or turns text round.
fn is_plain(c: char) -> bool {
    let cleaned = Untrusted::bounded(c, usize::MAX).for_terminal();
    cleaned.starts_with(c) && !matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{AD}')
}

/// Pasted text with line feeds, and nothing that is not plain.
fn plain(text: &str) -> String {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
    lines.chars().filter(|c| *c == '\n' || is_plain(*c)).collect()
}

/// The beginning of `text` that has at most so many bytes.
fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

impl Screen for PromptEntry {
    fn fold(&mut self, _: &Progress) {}

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        let theme = view.theme;
        let columns = usize::from(frame.area().width);
        let about: Vec<String> =
            self.about.iter().flat_map(|line| text::wrap(&Untrusted::from(line.as_str()), columns)).collect();
        let most = frame.area().height / 3;
        let about_rows = u16::try_from(about.len()).unwrap_or(u16::MAX).min(most);
        let rows = [Constraint::Length(1), Constraint::Length(about_rows), Constraint::Fill(1), Constraint::Length(1)];
        let [head, above, field, foot] = Layout::vertical(rows).areas(frame.area());
        frame.render_widget(Line::styled(self.title.as_str(), theme.accent), head);
        frame.render_widget(Text::from_iter(about).style(theme.dim), above);
        let count = format!(" {} of {} bytes ", self.bytes(), LONGEST_PROMPT);
        let block = Block::new()
            .borders(Borders::ALL)
            .border_type(BorderType::Rounded)
            .border_style(theme.border)
            .title_top(Line::styled(" Your prompt ", theme.accent))
            .title_bottom(Line::styled(count, theme.dim).right_aligned());
        self.area.set_block(block);
        self.area.set_style(theme.text);
        self.area.set_cursor_line_style(theme.text);
        self.area.set_placeholder_style(theme.dim);
        frame.render_widget(&self.area, field);
        let style = if self.is_full { theme.warn } else { theme.dim };
        frame.render_widget(Line::styled(self.foot(), style), foot);
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        let is_new_line =
            key.code == KeyCode::Enter && !key.modifiers.is_empty() || key.code == KeyCode::Char('j') && with_control;
        match key.code {
            _ if is_new_line => self.edit(TextArea::insert_newline),
            KeyCode::Esc => return Reaction::Abort,
            KeyCode::Char('d') if with_control && self.area.is_empty() => return Reaction::Abort,
            KeyCode::Enter if self.text().is_some() => return Reaction::Leave,
            KeyCode::Enter => {}
            KeyCode::Char(c) if !with_control && !is_plain(c) => {}
            _ => self.edit(|area| {
                area.input(key);
            }),
        }
        Reaction::Stay
    }

    fn paste(&mut self, text: &str) -> Reaction {
        let text = plain(text);
        let room = LONGEST_PROMPT.saturating_sub(self.bytes());
        let fitting = beginning(&text, room);
        self.edit(|area| {
            area.insert_str(fitting);
        });
        self.is_full |= fitting.len() < text.len();
        Reaction::Stay
    }
}

#[cfg(test)]
mod tests;
