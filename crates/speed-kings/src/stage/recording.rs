//! What was on the screen, kept in a file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tui::svg::Film;
use tui::{Theme, cast};

use crate::config::problem::Problem;
use crate::outcome::Failure;

/// What a player shows above the recording.
const TITLE: &str = "speed-kings";

/// Refuses a file whose name does not tell what to make of the recording.
pub(super) fn check(path: &Path) -> Result<(), Problem> {
    match path.extension().and_then(|it| it.to_str()) {
        Some("cast" | "svg") => Ok(()),
        _ => Err(Problem::new(format!("`{}` is no kind of recording", path.display()))
            .help("end the name in `.cast` for an asciicast, or in `.svg` for a moving picture")),
    }
}

/// A recording that goes on.
pub(super) struct Recording {
    path: PathBuf,
    file: BufWriter<File>,
    begun: Instant,
    medium: Medium,
    /// What kept it from being written.
    trouble: Option<io::Error>,
}

enum Medium {
    /// The bytes that the terminal is sent, as they are sent; and how large it was then.
    Cast { area: Option<Rect> },
    /// The frames, drawn into one picture at the end.
    Svg(Box<Film>),
}

impl Recording {
    /// Makes the file, which is what its name's ending says.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn begin(path: &Path, theme: &Theme) -> Result<Self, Failure> {
        check(path)?;
        let file = File::create(path).map_err(|error| {
            Problem::new(format!("`{}` cannot be recorded into: {error}", path.display()))
                .help("name a file in a folder that exists and can be written to")
        })?;
        let medium = if path.extension().is_some_and(|it| it == "svg") {
            Medium::Svg(Box::new(Film::new(TITLE, theme)))
        } else {
            Medium::Cast { area: None }
        };
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), begun: Instant::now(), medium, trouble: None })
    }

    /// The screen is this now, by these bytes. Trouble is told at the end: the run does not suffer by it.
    pub(super) fn take(&mut self, screen: &Buffer, bytes: &[u8]) {
        let at = self.begun.elapsed();
        match &mut self.medium {
            Medium::Svg(film) => film.take(at, screen),
            Medium::Cast { area } => {
                let before = area.replace(screen.area);
                let lines = cast_lines(at, before, screen.area, &String::from_utf8_lossy(bytes));
                if self.trouble.is_none() {
                    self.trouble = self.file.write_all(lines.as_bytes()).err();
                }
            }
        }
    }

    /// Completes the file, and tells which it is.
    ///
    /// # Errors
    /// It could not be written.
    pub(super) fn finish(mut self) -> io::Result<PathBuf> {
        if let Some(error) = self.trouble {
            return Err(error);
        }
        if let Medium::Svg(film) = self.medium {
            self.file.write_all(film.develop().as_bytes())?;
        }
        self.file.flush()?;
        Ok(self.path)
    }
}

fn cast_lines(at: Duration, before: Option<Rect>, now: Rect, text: &str) -> String {
    let output = cast::output(at, text);
    match before {
        None => cast::header(now.width, now.height, TITLE) + &cast::output(at, "\u{1b}[?25l") + &output,
        Some(before) if before != now => cast::resized(at, now.width, now.height) + &output,
        Some(_) => output,
    }
}
