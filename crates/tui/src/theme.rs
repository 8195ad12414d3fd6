//! Colours by what they say, in several themes.

use std::fmt;
use std::str::FromStr;

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
pub const LANES: usize = 6;

/// What is drawn how, by meaning. Nothing is told by colour alone.
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

impl Theme {
    /// The theme of that name.
    pub fn of(name: ThemeName) -> Self {
        let color = |color: Color| Style::new().fg(color);
        match name {
            ThemeName::Dark | ThemeName::Light | ThemeName::Contrast | ThemeName::ColorBlind | ThemeName::Mono => {
                Self {
                    text: Style::new(),
                    dim: color(Color::DarkGray),
                    accent: color(Color::Cyan).add_modifier(Modifier::BOLD),
                    good: color(Color::Green),
                    warn: color(Color::Yellow),
                    bad: color(Color::Red),
                    border: color(Color::DarkGray),
                    simulated: color(Color::Magenta).add_modifier(Modifier::BOLD),
                    lanes: [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green, Color::Blue, Color::Red]
                        .map(color),
                }
            }
        }
    }

    /// The style of the lane at `index`; they repeat after [`LANES`].
    pub const fn lane(&self, index: usize) -> Style {
        self.lanes[index % LANES]
    }
}
