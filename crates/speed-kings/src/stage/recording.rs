//! What was on the screen, kept in a file.

use std::io;
use std::path::{Path, PathBuf};

use ratatui::buffer::Buffer;

use crate::config::problem::Problem;
use crate::outcome::Failure;

/// Refuses a file whose name does not tell what to make of the recording.
pub(super) fn check(path: &Path) -> Result<(), Problem> {
    match path.extension().and_then(|it| it.to_str()) {
        Some("cast" | "svg") => Ok(()),
        _ => Err(Problem::new(format!("`{}` is no kind of recording", path.display()))
            .help("end the name in `.cast` for an asciicast, or in `.svg` for a moving picture")),
    }
}

pub(super) struct Recording(PathBuf);

impl Recording {
    pub(super) fn begin(path: &Path) -> Result<Self, Failure> {
        Ok(Self(path.to_owned()))
    }
    pub(super) fn take(&mut self, _: &Buffer, _: &[u8]) {}
    pub(super) fn finish(self) -> io::Result<PathBuf> {
        Ok(self.0)
    }
}
