//! An exchange as lines: requests, answers, figures. All text of others is made fit here.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use schema::exchange::{Exchange, Header, Octets};
use schema::text::Untrusted;
use unicode_segmentation::UnicodeSegmentation as _;

use super::figures::{ending, figures, version};
use crate::json::{self, Row};
use crate::text;
use crate::theme::Theme;

/// Lines of one page at most; a saved exchange has all of it.
const MOST_LINES: usize = 20_000;

/// Bytes of one body or event that are laid out at most: every one of them may become a line.
const MOST_BYTES: usize = 1 << 20;

/// Columns of one step of indentation, and steps at most: what is nested deeper than anybody can follow is no reason for
/// pages of blanks.
const STEP: usize = 2;
const MOST_STEPS: usize = 40;

/// Bytes that one column may take: of blanks that are left out, of characters of several.
const BYTES_A_COLUMN: usize = 16;

/// Lines being written for a number of columns.
pub(super) struct Sheet<'a> {
    theme: &'a Theme,
    columns: usize,
    /// Lines at most.
    most: usize,
    lines: Vec<Line<'static>>,
    is_cut: bool,
}

impl<'a> Sheet<'a> {
    pub(super) const fn new(theme: &'a Theme, columns: u16) -> Self {
        let columns = if columns == 0 { 1 } else { columns as usize };
        Self { theme, columns, most: MOST_LINES, lines: Vec::new(), is_cut: false }
    }

    /// With no more lines than `rows`, and nothing said of those that are left out.
    pub(super) fn raw_within(mut self, raw: &Octets, rows: usize) -> Vec<Line<'static>> {
        self.most = rows.min(MOST_LINES);
        self.body(raw);
        self.lines
    }

    pub(super) fn done(mut self) -> Vec<Line<'static>> {
        if self.is_cut {
            self.lines.push(Line::styled("… more than can be shown: save it to have all of it", self.theme.dim));
        }
        self.lines
    }

    pub(super) fn request(mut self, exchange: &Exchange) -> Vec<Line<'static>> {
        let sent = &exchange.request;
        let first = format!("{} {} {}", sent.method, sent.target, version(exchange));
        self.put(0, &[(first.as_str(), self.theme.accent)]);
        self.headers(&sent.headers);
        self.blank();
        self.body(&sent.body);
        self.done()
    }

    pub(super) fn answer(mut self, exchange: &Exchange) -> Vec<Line<'static>> {
        let style = if exchange.record.outcome.is_complete() { self.theme.good } else { self.theme.bad };
        self.put(0, &[(ending(exchange).raw(), style)]);
        self.blank();
        let Some(answer) = &exchange.answer else { return self.done() };
        let reason = answer.reason.as_ref().map_or("", Untrusted::raw);
        let first = format!("{} {} {reason}", version(exchange), answer.status);
        self.put(0, &[(first.trim_end(), self.theme.accent)]);
        self.headers(&answer.headers);
        self.blank();
        if exchange.parts.len() > 1 {
            self.stream(exchange);
        } else {
            exchange.parts.iter().for_each(|part| self.body(&part.raw));
            self.body(&exchange.rest);
        }
        if exchange.left_out_bytes > 0 {
            let left_out = format!("… and {} bytes that were not kept", exchange.left_out_bytes);
            self.put(0, &[(left_out.as_str(), self.theme.warn)]);
        }
        self.done()
    }

    fn stream(&mut self, exchange: &Exchange) {
        let said: String = exchange.parts.iter().filter_map(|part| part.text.as_ref()).map(Untrusted::raw).collect();
        if !said.is_empty() {
            self.heading("Its text");
            for line in text::wrap(&Untrusted::bounded(said, usize::MAX), self.columns) {
                self.push(Line::styled(line, self.theme.text));
            }
            self.blank();
        }
        self.heading("Its body");
        exchange.parts.iter().map(|part| &part.raw).chain([&exchange.rest]).for_each(|raw| self.inline(raw));
    }

    pub(super) fn figures(mut self, exchange: &Exchange) -> Vec<Line<'static>> {
        for section in figures(exchange) {
            self.heading(section.heading);
            for (label, value) in section.rows {
                self.put(1, &[(&format!("{label:<28}"), self.theme.dim), (value.as_str(), self.theme.text)]);
            }
            self.blank();
        }
        self.done()
    }

    /// One event or body as it came, its JSON laid out.
    pub(super) fn raw(mut self, raw: &Octets) -> Vec<Line<'static>> {
        self.body(raw);
        self.done()
    }

    pub(super) fn heading(&mut self, text: &str) {
        self.put(0, &[(text, self.theme.accent)]);
    }

    fn blank(&mut self) {
        self.push(Line::default());
    }

    fn headers(&mut self, headers: &[Header]) {
        for header in headers {
            let name = format!("{}: ", header.name.raw());
            let value = header.value.as_ref().map(Octets::shown);
            let (value, style) =
                value.as_ref().map_or(("***", self.theme.warn), |value| (value.raw(), self.theme.text));
            self.put(0, &[(name.as_str(), self.theme.dim), (value, style)]);
        }
    }

    /// Bytes of which most is JSON: all of it, or what follows the field of an event on each line.
    fn body(&mut self, octets: &Octets) {
        // Where there is room for few lines, few bytes are worth a look: the rest is out of sight.
        let shown = self.head_of(octets, self.most.saturating_mul(self.columns).saturating_mul(BYTES_A_COLUMN));
        if json::is_likely(shown.raw()) {
            for row in json::rows(shown.raw()) {
                self.row(0, &row);
            }
            return;
        }
        for line in lines(shown.raw()) {
            match json::embedded(line) {
                Some(embedded) => {
                    self.put(0, &[(&line[..embedded.start], self.theme.dim)]);
                    for row in json::rows(&line[embedded]) {
                        self.row(1, &row);
                    }
                }
                None => self.put(0, &[(line, self.theme.text)]),
            }
        }
    }

    /// The same, with its own lines only.
    fn inline(&mut self, octets: &Octets) {
        let shown = self.head_of(octets, MOST_BYTES);
        for line in lines(shown.raw()) {
            let from = json::embedded(line).map_or(if json::is_likely(line) { 0 } else { line.len() }, |at| at.start);
            let (field, rest) = line.split_at(from);
            let pieces = json::pieces(rest);
            let styled = pieces.iter().map(|piece| (piece.text, piece.class.style(self.theme)));
            let styled: Vec<_> = [(field, self.theme.dim)].into_iter().chain(styled).collect();
            self.put(0, &styled);
        }
    }

    /// So many bytes from the beginning as text.
    fn head_of(&mut self, octets: &Octets, most: usize) -> Untrusted {
        let most = most.min(MOST_BYTES);
        if octets.len() <= most {
            return octets.shown();
        }
        self.is_cut = true;
        // A character that the cut goes through is none of those that are shown.
        let head = &octets.raw()[..most];
        let whole =
            std::str::from_utf8(head).map_or_else(|e| e.error_len().map_or(e.valid_up_to(), |_| most), str::len);
        Octets::from(&head[..whole]).shown()
    }

    fn row(&mut self, depth: usize, row: &Row<'_>) {
        let theme = self.theme;
        let pieces: Vec<_> = row.pieces.iter().map(|piece| (piece.text, piece.class.style(theme))).collect();
        self.put(row.depth + depth, &pieces);
    }

    /// Puts one line down, as many of the screen's as it takes.
    fn put(&mut self, depth: usize, pieces: &[(&str, Style)]) {
        if self.lines.len() >= self.most {
            self.is_cut = true;
            return;
        }
        // However deep it is, half of the width is for what stands there.
        let indent = (depth.min(MOST_STEPS) * STEP).min(self.columns / 2);
        let room = self.columns - indent;
        let mut spans = vec![Span::raw(" ".repeat(indent))];
        let mut used = 0;
        for (piece, style) in pieces {
            let fit = text::line(&Untrusted::bounded(*piece, usize::MAX));
            let mut kept = String::new();
            for cluster in fit.graphemes(true) {
                let width = text::width(cluster);
                if used + width > room && used > 0 {
                    spans.push(Span::styled(std::mem::take(&mut kept), *style));
                    self.push(Line::from(std::mem::replace(&mut spans, vec![Span::raw(" ".repeat(indent))])));
                    used = 0;
                }
                used += width;
                kept.push_str(cluster);
            }
            spans.push(Span::styled(kept, *style));
        }
        self.push(Line::from(spans));
    }

    fn push(&mut self, line: Line<'static>) {
        if self.lines.len() < self.most {
            self.lines.push(line);
        } else {
            self.is_cut = true;
        }
    }
}

/// Lines that are not blank, however they end.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r']).filter(|line| !line.is_empty())
}
