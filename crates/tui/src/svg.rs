//! Recordings of a screen as moving pictures: SVG that any browser plays, in a page or a README, with no script in it.
//!
//! ```text
//! frames ─▶ runs: text of one style at one place ─▶ shots: runs that come and go together ─▶ groups with an animation
//! ```
//!
//! What stands still is drawn once, and text is written once however often it moves. A film too long for its bounds loses
//! every other frame until it fits. Whoever asked for less motion, or cannot play it, sees the last frame.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::time::Duration;

use ratatui::buffer::{Buffer, Cell, CellWidth as _};
use ratatui::style::{Color, Modifier};

use crate::theme::{Theme, rgb};

/// Pixels of a cell.
const CELL: (usize, usize) = (8, 16);
/// Pixels from the top of a cell to the line that letters stand on.
const BASE: usize = 12;
/// Pixels around the screen.
const MARGIN: usize = 12;
/// Frames are at least this far apart: ten a second.
const APART: Duration = Duration::from_millis(100);
/// How long the last frame stays before it all begins again.
const REST: Duration = Duration::from_secs(4);
/// Frames that are kept at most.
const MOST_FRAMES: usize = 4_096;
/// Looks that may be kept beside those of the frames: of frames that are there no more.
const MOST_LOOKS: usize = 16_384;
/// Bytes of a film, unless one frame alone takes more.
const MOST_BYTES: usize = 280_000;
/// Spaces that may stand within a run; more of them end it.
const GAP: usize = 2;

/// Frames, on their way to a picture.
#[derive(Debug)]
pub struct Film {
    title: String,
    /// Where cells have no colour of their own: that of letters, and what is behind them.
    colors: Ink,
    looks: Vec<Look>,
    numbers: HashMap<Look, u32>,
    /// So many looks there may be until those that no frame has are forgotten.
    room: usize,
    frames: Vec<Frame>,
    apart: Duration,
    size: (u16, u16),
}

/// The two colours of a cell, and how its letters are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Ink {
    text: [u8; 3],
    behind: [u8; 3],
    modifier: Modifier,
}

/// Text of one style.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Look {
    text: String,
    cells: u16,
    ink: Ink,
}

/// A look at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Run {
    x: u16,
    y: u16,
    look: u32,
}

#[derive(Debug)]
struct Frame {
    at: Duration,
    runs: Vec<Run>,
}

impl Film {
    /// An empty film of a screen in that theme.
    pub fn new(title: &str, theme: &Theme) -> Self {
        let text = theme.text.fg.and_then(rgb).unwrap_or([0xd0; 3]);
        let behind = theme.text.bg.and_then(rgb).unwrap_or([0x12; 3]);
        Self {
            title: title.to_owned(),
            colors: Ink { text, behind, modifier: Modifier::empty() },
            looks: Vec::new(),
            numbers: HashMap::new(),
            room: MOST_LOOKS,
            frames: Vec::new(),
            apart: APART,
            size: (1, 1),
        }
    }

    /// The screen so long after the beginning. Of frames that follow each other closely the last is kept.
    pub fn take(&mut self, at: Duration, screen: &Buffer) {
        self.size = (self.size.0.max(screen.area.width), self.size.1.max(screen.area.height));
        let runs = self.runs(screen);
        if self.frames.last().is_some_and(|last| last.runs == runs) {
            return;
        }
        let close = match &self.frames[..] {
            [.., before, last] => last.at.saturating_sub(before.at) < self.apart && at < before.at + self.apart,
            _ => false,
        };
        if close {
            self.frames.pop();
        }
        self.frames.push(Frame { at, runs });
        if self.frames.len() > MOST_FRAMES {
            self.thin_out();
        }
        if self.looks.len() > self.room {
            self.forget();
        }
    }

    /// Forgets looks that no frame has any more.
    fn forget(&mut self) {
        let all = std::mem::take(&mut self.looks);
        self.numbers.clear();
        for run in self.frames.iter_mut().flat_map(|frame| &mut frame.runs) {
            let look = all[run.look as usize].clone();
            run.look = number_of(look, &mut self.looks, &mut self.numbers);
        }
        self.room = self.looks.len() + MOST_LOOKS;
    }

    /// The picture: SVG, as text.
    pub fn develop(mut self) -> String {
        loop {
            let svg = self.print();
            if svg.len() <= MOST_BYTES || self.frames.len() < 2 {
                return svg;
            }
            self.thin_out();
        }
    }

    /// Every other frame goes, but never the first and the last.
    fn thin_out(&mut self) {
        self.apart *= 2;
        let last = self.frames.len() - 1;
        let mut index = 0;
        self.frames.retain(|_| {
            let kept = index % 2 == 0 || index == last;
            index += 1;
            kept
        });
        if self.frames.len() == 2 {
            self.frames.remove(0);
        }
    }

    /// What stands on the screen, from top left to bottom right.
    fn runs(&mut self, screen: &Buffer) -> Vec<Run> {
        let mut runs = Vec::new();
        for (y, row) in (0u16..).zip(screen.content.chunks(usize::from(screen.area.width.max(1)))) {
            let mut x = 0;
            let mut open: Option<(u16, Look)> = None;
            while let Some(cell) = row.get(usize::from(x)) {
                let width = cell.symbol().cell_width().max(1);
                let ink = self.ink(cell);
                let is_blank = cell.symbol().trim().is_empty() && ink.is_plain(self.colors);
                match &mut open {
                    Some((_, look)) if look.ink == ink && !(is_blank && look.text.ends_with(&" ".repeat(GAP))) => {
                        look.text.push_str(cell.symbol());
                        look.cells += width;
                    }
                    _ => {
                        self.close(open.take(), y, &mut runs);
                        open = (!is_blank).then(|| (x, Look { text: cell.symbol().to_owned(), cells: width, ink }));
                    }
                }
                x += width;
            }
            self.close(open, y, &mut runs);
        }
        runs
    }

    /// Ends a run, without the spaces at its end that nobody sees.
    fn close(&mut self, open: Option<(u16, Look)>, y: u16, runs: &mut Vec<Run>) {
        let Some((x, mut look)) = open else { return };
        if look.ink.is_plain(self.colors) {
            let kept = look.text.trim_end_matches(' ').len();
            look.cells -= u16::try_from(look.text.len() - kept).unwrap_or(0);
            look.text.truncate(kept);
        }
        runs.push(Run { x, y, look: number_of(look, &mut self.looks, &mut self.numbers) });
    }

    fn ink(&self, cell: &Cell) -> Ink {
        let color = |color: Color, otherwise| rgb(color).unwrap_or(otherwise);
        let (text, behind) = (color(cell.fg, self.colors.text), color(cell.bg, self.colors.behind));
        let modifier = cell.modifier & (Modifier::BOLD | Modifier::ITALIC | Modifier::UNDERLINED | Modifier::DIM);
        if cell.modifier.contains(Modifier::REVERSED) {
            Ink { text: behind, behind: text, modifier }
        } else {
            Ink { text, behind, modifier }
        }
    }

    /// Runs by the frames in which they are there: from the first until before the second.
    fn shots(&self) -> BTreeMap<(usize, usize), Vec<Run>> {
        let mut shots: BTreeMap<_, Vec<Run>> = BTreeMap::new();
        let mut there: HashMap<Run, usize> = HashMap::new();
        for (index, frame) in self.frames.iter().enumerate() {
            let mut now: HashMap<Run, usize> = HashMap::with_capacity(frame.runs.len());
            for run in &frame.runs {
                now.insert(*run, there.remove(run).unwrap_or(index));
            }
            for (run, since) in std::mem::replace(&mut there, now) {
                shots.entry((since, index)).or_default().push(run);
            }
        }
        for (run, since) in there {
            shots.entry((since, self.frames.len())).or_default().push(run);
        }
        for runs in shots.values_mut() {
            runs.sort_unstable();
        }
        shots
    }

    fn print(&self) -> String {
        let shots = self.shots();
        let begin = self.frames.first().map_or(Duration::ZERO, |frame| frame.at);
        let end = self.frames.last().map_or(Duration::ZERO, |frame| frame.at) + REST;
        let length = end.saturating_sub(begin).as_secs_f64();
        let share = |index: usize| {
            let at = self.frames.get(index).map_or(end, |frame| frame.at);
            number(100.0 * at.saturating_sub(begin).as_secs_f64() / length)
        };
        let (columns, rows) = (usize::from(self.size.0), usize::from(self.size.1));
        let (width, height) = (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\"><title>{}</title><style>\
             text{{font:13.3px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;\
             white-space:pre;fill:{}}}.b{{font-weight:700}}.i{{font-style:italic}}.u{{text-decoration:underline}}\
             .d{{opacity:.7}}.s{{visibility:hidden;animation:{}s step-end infinite}}.e{{visibility:visible}}",
            escaped(&self.title),
            hex(self.colors.text),
            number(length),
        );
        let last = self.frames.len();
        for (name, (since, until)) in (0..).zip(shots.keys().filter(|shot| **shot != (0, last))) {
            put(&mut svg, format_args!(".s{name}{{animation-name:k{name}}}@keyframes k{name}{{"));
            if *since > 0 {
                put(&mut svg, format_args!("0%{{visibility:hidden}}"));
            }
            put(&mut svg, format_args!("{}%{{visibility:visible}}", share(*since)));
            if *until < last {
                put(&mut svg, format_args!("{}%{{visibility:hidden}}", share(*until)));
            } else {
                put(&mut svg, format_args!("to{{visibility:visible}}"));
            }
            svg.push('}');
        }
        put(
            &mut svg,
            format_args!(
                "@media(prefers-reduced-motion:reduce){{.s{{animation:none}}}}</style><defs>{}</defs>\
                 <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/><g transform=\"translate({MARGIN} {MARGIN})\">",
                self.looks_in(&shots),
                hex(self.colors.behind)
            ),
        );
        let mut name = 0;
        for ((since, until), runs) in &shots {
            if (*since, *until) == (0, last) {
                svg.push_str("<g>");
            } else {
                let end = if *until == last { " e" } else { "" };
                put(&mut svg, format_args!("<g class=\"s{end} s{name}\">"));
                name += 1;
            }
            for Run { x, y, look } in runs {
                let (x, y) = (usize::from(*x) * CELL.0, usize::from(*y) * CELL.1);
                put(&mut svg, format_args!("<use href=\"#t{look}\" x=\"{x}\" y=\"{y}\"/>"));
            }
            svg.push_str("</g>");
        }
        svg.push_str("</g></svg>\n");
        svg
    }

    /// What is used by any of `shots`, once.
    fn looks_in(&self, shots: &BTreeMap<(usize, usize), Vec<Run>>) -> String {
        let mut wanted: Vec<u32> = shots.values().flatten().map(|run| run.look).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let mut defs = String::new();
        for number in wanted {
            self.looks[number as usize].print(number, self.colors, &mut defs);
        }
        defs
    }
}

impl Ink {
    /// Whether spaces of it cannot be seen.
    fn is_plain(self, colors: Self) -> bool {
        self.behind == colors.behind && !self.modifier.contains(Modifier::UNDERLINED)
    }
}

impl Look {
    fn print(&self, number: u32, colors: Ink, svg: &mut String) {
        let width = usize::from(self.cells) * CELL.0;
        let has_back = self.ink.behind != colors.behind;
        if has_back {
            let (behind, height) = (hex(self.ink.behind), CELL.1);
            put(
                svg,
                format_args!("<g id=\"t{number}\"><rect width=\"{width}\" height=\"{height}\" fill=\"{behind}\"/>"),
            );
        }
        let id = if has_back { String::new() } else { format!(" id=\"t{number}\"") };
        let fill = if self.ink.text == colors.text {
            String::new()
        } else {
            format!(" style=\"fill:{}\"", hex(self.ink.text))
        };
        let classes =
            [(Modifier::BOLD, "b"), (Modifier::ITALIC, "i"), (Modifier::UNDERLINED, "u"), (Modifier::DIM, "d")];
        let classes = classes.into_iter().filter(|(modifier, _)| self.ink.modifier.contains(*modifier));
        let classes: Vec<_> = classes.map(|(_, class)| class).collect();
        let class = if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) };
        // Whatever the font, it is as wide as its cells.
        put(
            svg,
            format_args!(
                "<text{id}{class}{fill} y=\"{BASE}\" textLength=\"{width}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                escaped(&self.text)
            ),
        );
        if has_back {
            svg.push_str("</g>");
        }
    }
}

/// The number of a look, which gets one if it has none.
fn number_of(look: Look, looks: &mut Vec<Look>, numbers: &mut HashMap<Look, u32>) -> u32 {
    let next = u32::try_from(looks.len()).expect("unused ones are forgotten in time");
    *numbers.entry(look).or_insert_with_key(|look| {
        looks.push(look.clone());
        next
    })
}

fn put(svg: &mut String, text: std::fmt::Arguments<'_>) {
    svg.write_fmt(text).expect("text can be added to");
}

/// To the thousandth, without zeros at the end.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text as XML has it. What XML cannot carry is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ if character.is_control() || matches!(character, '\u{FFFE}' | '\u{FFFF}') => escaped.push('\u{FFFD}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
