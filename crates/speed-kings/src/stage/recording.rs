//! What was on the screen, kept in a file.

use std::path::Path;

use crate::config::problem::Problem;

/// Refuses a file whose name does not tell what to make of the recording.
pub(super) fn check(path: &Path) -> Result<(), Problem> {
    match path.extension().and_then(|it| it.to_str()) {
        Some("cast" | "svg") => Ok(()),
        _ => Err(Problem::new(format!("`{}` is no kind of recording", path.display()))
            .help("end the name in `.cast` for an asciicast, or in `.svg` for a moving picture")),
    }
}
