//! Colours by what they say, in several themes.

use std::fmt;
use std::str::FromStr;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// Which theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeName {
    /// For dark terminals.
    #[default]
    Dark,
    /// For light terminals.
    Light,
    /// Strong contrast, for projectors and tired eyes.
    Contrast,
    /// Colours that people who see fewer of them can tell apart (Okabe and Ito's palette).
    ColorBlind,
    /// No colour at all: weight and words alone.
    Mono,
}

/// A theme's name that there is none of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeError(String);

impl fmt::Display for ThemeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no theme: use dark, light, contrast, color-blind or mono", self.0)
    }
}

impl std::error::Error for ThemeError {}

impl FromStr for ThemeName {
    type Err = ThemeError;
    fn from_str(text: &str) -> Result<Self, ThemeError> {
        match text {
            "dark" => Ok(Self::Dark),
            "light" => Ok(Self::Light),
            "contrast" => Ok(Self::Contrast),
            "color-blind" => Ok(Self::ColorBlind),
            "mono" => Ok(Self::Mono),
            _ => Err(ThemeError(text.chars().take(40).collect())),
        }
    }
}

/// Lanes, and so targets that have a colour of their own.
const LANES: usize = 6;

/// What is drawn how, by meaning. Nothing is told by colour alone.
///
/// A theme brings its background along, and all its colours are of the 240 that terminals agree on, so that they can be
/// told from it whatever the terminal's own colours are: by 4.5 to 1 at least, as WCAG 2.2 asks of text (7 to 1 in
/// [`ThemeName::Contrast`]). [`ThemeName::Mono`] leaves all colours to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// What matters less: labels, units, hints.
    pub dim: Style,
    /// Titles and what is chosen.
    pub accent: Style,
    /// Well.
    pub good: Style,
    /// Worth a look.
    pub warn: Style,
    /// Failed.
    pub bad: Style,
    /// Frames around things.
    pub border: Style,
    /// The SIMULATED mark.
    pub simulated: Style,
    lanes: [Style; LANES],
}

/// A theme's colours by their numbers among the 256 of a terminal.
struct Palette {
    background: u8,
    text: u8,
    dim: u8,
    accent: u8,
    good: u8,
    warn: u8,
    bad: u8,
    simulated: u8,
    lanes: [u8; LANES],
}

const DARK: Palette = Palette {
    background: 233,
    text: 252,
    dim: 246,
    accent: 80,
    good: 114,
    warn: 221,
    bad: 210,
    simulated: 213,
    lanes: [80, 221, 213, 114, 111, 209],
};

const LIGHT: Palette = Palette {
    background: 231,
    text: 235,
    dim: 240,
    accent: 24,
    good: 28,
    warn: 94,
    bad: 160,
    simulated: 127,
    lanes: [24, 94, 127, 28, 57, 160],
};

const CONTRAST: Palette = Palette {
    background: 16,
    text: 231,
    dim: 252,
    accent: 51,
    good: 46,
    warn: 226,
    bad: 210,
    simulated: 213,
    lanes: [51, 226, 213, 46, 117, 215],
};

/// After Okabe and Ito; their blue is too dark to be read on black.
const COLOR_BLIND: Palette = Palette {
    background: 233,
    text: 252,
    dim: 246,
    accent: 231,
    good: 74,
    warn: 227,
    bad: 202,
    simulated: 175,
    lanes: [74, 214, 36, 227, 175, 202],
};

impl Theme {
    /// The theme of that name.
    pub const fn of(name: ThemeName) -> Self {
        match name {
            ThemeName::Dark => Self::painted(&DARK),
            ThemeName::Light => Self::painted(&LIGHT),
            ThemeName::Contrast => Self::painted(&CONTRAST),
            ThemeName::ColorBlind => Self::painted(&COLOR_BLIND),
            ThemeName::Mono => Self::plain(),
        }
    }

    const fn painted(palette: &Palette) -> Self {
        let Palette { background, text, dim, accent, good, warn, bad, simulated, lanes } = *palette;
        Self {
            text: ink(text).bg(Color::Indexed(background)),
            dim: ink(dim),
            accent: ink(accent).add_modifier(Modifier::BOLD),
            good: ink(good),
            warn: ink(warn),
            bad: ink(bad),
            border: ink(dim),
            simulated: ink(simulated).add_modifier(Modifier::BOLD),
            lanes: [ink(lanes[0]), ink(lanes[1]), ink(lanes[2]), ink(lanes[3]), ink(lanes[4]), ink(lanes[5])],
        }
    }

    const fn plain() -> Self {
        let (plain, bold) = (Style::new(), Style::new().add_modifier(Modifier::BOLD));
        Self {
            text: plain,
            dim: plain,
            accent: bold,
            good: plain,
            warn: bold,
            bad: bold.add_modifier(Modifier::UNDERLINED),
            border: plain,
            simulated: Style::new().add_modifier(Modifier::REVERSED),
            lanes: [plain; LANES],
        }
    }

    /// The style of the lane at `index`; they repeat after six.
    pub const fn lane(&self, index: usize) -> Style {
        self.lanes[index % LANES]
    }

    /// Gives every cell that was left to the terminal the theme's colours: once a frame, when all else is drawn.
    pub fn paint(&self, buffer: &mut Buffer) {
        for cell in &mut buffer.content {
            if let (Color::Reset, Some(color)) = (cell.fg, self.text.fg) {
                cell.fg = color;
            }
            if let (Color::Reset, Some(color)) = (cell.bg, self.text.bg) {
                cell.bg = color;
            }
        }
    }
}

const fn ink(color: u8) -> Style {
    Style::new().fg(Color::Indexed(color))
}

/// Red, green and blue of a colour; `None` where that is left to the terminal.
pub(crate) const fn rgb(color: Color) -> Option<[u8; 3]> {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match color {
        Color::Rgb(red, green, blue) => Some([red, green, blue]),
        Color::Indexed(gray @ 232..) => Some([8 + 10 * (gray - 232); 3]),
        Color::Indexed(color @ 16..) => {
            let cube = (color - 16) as usize;
            Some([STEPS[cube / 36], STEPS[cube / 6 % 6], STEPS[cube % 6]])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
