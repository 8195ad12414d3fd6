//! Text that grows at its end, as lines.

use std::ops::Range;

use schema::text::Untrusted;

use super::glyph::{self, Glyph};

/// A line of fewer columns holds nothing: some glyphs are that wide.
const NARROWEST: usize = glyph::WIDEST;

/// Bytes at the end that the next piece may still change; of longer clusters the rest begins a new one.
const LONGEST_CLUSTER: usize = 256;

/// Text that grows at its end, as lines of at most so many columns, made fit for cells.
///
/// A piece costs what it is long, however much came before it; another width breaks everything anew, once. However the
/// text is cut into pieces, the lines are the same.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    /// As it came.
    raw: String,
    /// Where its last cluster begins, to which the next piece may add: an accent, say.
    open: usize,
    /// As it is shown.
    fit: String,
    /// The lines before the one that grows.
    lines: Vec<Range<usize>>,
    /// The line that grows.
    end: End,
    /// The same, before the last cluster was added.
    settled: End,
    columns: usize,
}

/// How far breaking has come.
#[derive(Debug, Clone, Copy, Default)]
struct End {
    /// Bytes that are broken into lines.
    upto: usize,
    /// Lines that are complete.
    lines: usize,
    /// Where the line begins.
    start: usize,
    /// Its columns.
    used: usize,
    /// Where its last word begins, which may move to the next line.
    word: usize,
    /// Columns before that word.
    before_word: usize,
    /// Where the spaces before that word begin.
    gap: usize,
    /// It goes on with what did not fit the line before it, and so does not begin with spaces.
    goes_on: bool,
}

impl Flow {
    /// Adds a piece at the end.
    pub fn push(&mut self, piece: &Untrusted) {
        self.raw.push_str(piece.raw());
        self.grow();
    }

    /// Whether nothing was added yet.
    pub const fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// How many lines it makes at that width: at least one, unless no line can be so narrow.
    pub fn count(&mut self, columns: usize) -> usize {
        if columns < NARROWEST {
            return 0;
        }
        if std::mem::replace(&mut self.columns, columns) != columns {
            self.fit.clear();
            self.lines.clear();
            (self.open, self.end, self.settled) = (0, End::default(), End::default());
            self.grow();
        }
        self.lines.len() + 1
    }

    /// The last `count` lines, each at most `columns` columns wide.
    pub fn last(&mut self, count: usize, columns: usize) -> impl DoubleEndedIterator<Item = &str> {
        let all = self.count(columns);
        self.lines(all.saturating_sub(count)..all, columns)
    }

    /// Those lines, each at most `columns` columns wide. Lines that are not there are left out.
    pub fn lines(&mut self, wanted: Range<usize>, columns: usize) -> impl DoubleEndedIterator<Item = &str> {
        let count = self.count(columns);
        let (fit, lines, growing) = (&self.fit, &self.lines, self.end.start);
        (wanted.start.min(count)..wanted.end.min(count)).map(move |index| {
            let line = lines.get(index).cloned().unwrap_or(growing..fit.len());
            &fit[line]
        })
    }

    /// Makes lines of what was not open before, and of the last cluster, which stays open.
    fn grow(&mut self) {
        if self.columns < NARROWEST {
            return;
        }
        self.end = self.settled;
        self.fit.truncate(self.end.upto);
        self.lines.truncate(self.end.lines);
        let raw = std::mem::take(&mut self.raw);
        let mut rest = &raw[self.open..];
        while let Some((cluster, after)) = glyph::split(rest) {
            if after.is_empty() && cluster.len() <= LONGEST_CLUSTER {
                self.open = raw.len() - cluster.len();
                self.settled = self.end;
            }
            self.add(cluster);
            rest = after;
        }
        if raw.len() - self.open > LONGEST_CLUSTER {
            self.open = raw.len();
            self.settled = self.end;
        }
        self.raw = raw;
    }

    fn add(&mut self, cluster: &str) {
        let Self { fit, lines, end, columns, .. } = self;
        glyph::of_cluster(cluster, &mut |glyph| {
            let glyph = glyph.put(fit);
            end.take(glyph, fit.len(), *columns, lines);
        });
    }
}

impl End {
    /// Takes a glyph in that ends at `upto`.
    fn take(&mut self, glyph: Glyph<'_>, upto: usize, columns: usize, lines: &mut Vec<Range<usize>>) {
        let at = std::mem::replace(&mut self.upto, upto);
        let fits = self.used + glyph.width <= columns;
        if glyph.is_break() {
            self.finish(at, upto, lines);
            self.goes_on = false;
        } else if glyph.is_space() {
            if !fits || (self.goes_on && self.used == 0) {
                // The break stands for it.
                if !fits {
                    self.finish(at, upto, lines);
                }
                (self.start, self.used, self.goes_on) = (upto, 0, true);
            } else {
                self.used += glyph.width;
            }
            let gap = if self.word == at { self.gap } else { at };
            (self.word, self.before_word, self.gap) = (upto, self.used, gap.max(self.start));
        } else {
            if !fits {
                self.make_room(at, glyph.width, columns, lines);
            }
            self.used += glyph.width;
            if glyph.width > 1 {
                // Scripts of wide letters have no spaces: lines break anywhere.
                (self.word, self.before_word, self.gap) = (upto, self.used, upto);
            }
        }
    }

    /// Begins a line for what stands `at`: with the word that it is part of, if that leaves room.
    fn make_room(&mut self, at: usize, width: usize, columns: usize, lines: &mut Vec<Range<usize>>) {
        let moved = self.used - self.before_word;
        if width == 1 && self.gap > self.start && moved + width <= columns {
            let (gap, word) = (self.gap, self.word);
            self.finish(gap, word, lines);
            self.used = moved;
        } else {
            self.finish(at, at, lines);
        }
        self.goes_on = true;
    }

    /// Ends the line `at`, and begins one at `next`.
    fn finish(&mut self, at: usize, next: usize, lines: &mut Vec<Range<usize>>) {
        lines.push(self.start..at);
        self.lines = lines.len();
        (self.start, self.used) = (next, 0);
        (self.word, self.before_word, self.gap) = (next, 0, next);
    }
}
