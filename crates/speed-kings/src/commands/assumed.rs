//! What projections take for granted: a file of it, and flags over the file.

use std::path::{Path, PathBuf};

use miette::miette;
use schema::projection::{Assumed, Assumptions};

use crate::config::layer::text_of;
use crate::config::problem::{Problem, Problems};
use crate::config::yaml;
use crate::outcome::Failure;

/// The file of assumptions.
#[derive(Debug, clap::Args)]
pub(crate) struct File {
    /// Assumptions from a YAML file, `users: 500` or `users: {value: 500, low: 400, high: 700, source: payroll}` a line;
    /// flags come before it.
    #[arg(long, value_name = "FILE")]
    assumptions: Option<PathBuf>,
}

impl File {
    /// The file's assumptions, and those of `flags` over them.
    ///
    /// # Errors
    /// What is wrong with the file or a number.
    pub(crate) fn under(&self, flags: Assumptions) -> Result<Assumptions, Failure> {
        let kept = self.assumptions.as_deref().map(read).transpose()?.unwrap_or_default();
        let all = kept.overlaid(flags);
        let unsound = all.numbers().into_iter().filter(|(_, _, given)| given.is_some_and(|given| !given.is_sound()));
        let complaint = |(name, ..): (&str, &str, Option<&Assumed>)| {
            Problem::new(format!("`{name}` is no number that can be planned with"))
                .help("it must be finite and not negative, its `low` no higher and its `high` no lower than its value")
        };
        Problems(unsound.map(complaint).collect()).or(all).map_err(Failure::from)
    }
}

fn read(path: &Path) -> Result<Assumptions, Failure> {
    let text = text_of(path).map_err(|error| {
        Failure::usage(miette!(
            help = "name a YAML file of assumptions",
            "`{}` cannot be read: {error}",
            path.display()
        ))
    })?;
    Ok(yaml::read_whole(&path.display().to_string(), &text)?)
}

/// A number from a flag.
pub(crate) fn given(flag: Option<f64>) -> Option<Assumed> {
    flag.map(Assumed::given)
}
