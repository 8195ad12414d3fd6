//! What was said in a lane, by kind, as lines of any width.

use schema::event::EventKind;
use schema::text::Untrusted;

use crate::text::Flow;

/// What is kept of one lane for the screen, in bytes of text and of its parts. The record keeps what it keeps.
const MOST: usize = 1 << 20;

/// What was said, in parts of one kind.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    parts: Vec<(EventKind, Flow)>,
    bytes: usize,
    missing: bool,
}

/// A line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// What follows is of this kind.
    Turn(EventKind),
    /// Said.
    Said(EventKind, String),
}

impl Transcript {
    /// `text` of that kind was said.
    pub(super) fn add(&mut self, kind: EventKind, text: &Untrusted) {
        let goes_on = self.parts.last().is_some_and(|(same, _)| *same == kind);
        let bytes = text.raw().len() + if goes_on { 0 } else { size_of::<(EventKind, Flow)>() };
        if self.bytes + bytes > MOST {
            self.missing = true;
            return;
        }
        self.bytes += bytes;
        if !goes_on {
            self.parts.push((kind, Flow::default()));
        }
        if let Some((_, flow)) = self.parts.last_mut() {
            flow.push(text);
        }
    }

    /// Something was said that is not known here.
    pub(super) const fn miss(&mut self) {
        self.missing = true;
    }

    /// Whether there is something that is not known here.
    pub(super) const fn is_missing(&self) -> bool {
        self.missing
    }

    /// The last `rows` lines at that width, each at most so many columns wide.
    pub(super) fn tail(&mut self, columns: usize, rows: usize) -> Vec<Row> {
        let labelled = self.parts.iter().any(|(kind, _)| *kind != EventKind::Text);
        let mut tail = Vec::new();
        for (kind, flow) in self.parts.iter_mut().rev() {
            if tail.len() >= rows {
                break;
            }
            let lines = flow.last(rows - tail.len(), columns).rev();
            tail.extend(lines.map(|line| Row::Said(*kind, line.to_owned())));
            if labelled && tail.len() < rows {
                tail.push(Row::Turn(*kind));
            }
        }
        tail.reverse();
        tail
    }
}
