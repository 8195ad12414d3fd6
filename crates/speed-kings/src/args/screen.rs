//! The flags of commands that are watched.

use std::path::PathBuf;

use clap::Args;
use tui::ThemeName;

/// How a command is watched.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Screen")]
pub(crate) struct ScreenArgs {
    /// No screen: lines of text, as when stdout is no terminal.
    #[arg(long)]
    pub(crate) no_tui: bool,

    /// Plain sentences, one after another, for screen readers and logs.
    #[arg(long)]
    pub(crate) plain: bool,

    /// Colours of the screen: dark, light, contrast, color-blind or mono.
    #[arg(long, value_name = "THEME", env = "SPEED_KINGS_THEME")]
    pub(crate) theme: Option<ThemeName>,

    /// Record the screen: an asciicast for `.cast`, a moving picture for `.svg`.
    #[arg(long, value_name = "FILE.cast|FILE.svg")]
    pub(crate) record: Option<PathBuf>,
}
