//! What projections take for granted: a file of it, and flags over the file.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use miette::miette;
use schema::projection::{Assumed, Assumptions, WaitsFor};

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

/// What is known of the people who wait, and of what it costs.
#[derive(Debug, clap::Args)]
pub(crate) struct People {
    /// People who use it.
    #[arg(long, value_name = "N")]
    users: Option<f64>,

    /// Answers that one of them waits for in a day.
    #[arg(long, value_name = "N")]
    interactions_per_user_per_day: Option<f64>,

    /// Days of the year on which they do.
    #[arg(long, value_name = "N")]
    days_per_year: Option<f64>,

    /// What an hour of one of them costs, in US dollars.
    #[arg(long, value_name = "USD")]
    user_usd_per_hour: Option<f64>,

    /// What people wait for.
    #[arg(long, value_enum, value_name = "WHAT")]
    waits_for: Option<Wait>,

    /// What one replica of a self-hosted option costs an hour, in US dollars.
    #[arg(long, value_name = "USD")]
    replica_usd_per_hour: Option<f64>,

    /// Replicas of that option.
    #[arg(long, value_name = "N")]
    replicas: Option<f64>,

    #[command(flatten)]
    file: File,
}

impl People {
    /// What the flags say, over the file.
    ///
    /// # Errors
    /// What is wrong with the file or a number.
    pub(crate) fn assumptions(&self) -> Result<Assumptions, Failure> {
        self.file.under(Assumptions {
            users: given(self.users),
            interactions_per_user_per_day: given(self.interactions_per_user_per_day),
            days_per_year: given(self.days_per_year),
            user_usd_per_hour: given(self.user_usd_per_hour),
            replica_usd_per_hour: given(self.replica_usd_per_hour),
            replicas: given(self.replicas),
            waits_for: self.waits_for.map(WaitsFor::from),
            ..Assumptions::default()
        })
    }
}

/// What people wait for.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wait {
    /// The whole answer: E2E.
    WholeAnswer,
    /// The first words: TTFT visible.
    FirstWords,
    /// The first words, and what comes slower than it is read.
    BeyondReading,
}

impl From<Wait> for WaitsFor {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::WholeAnswer => Self::WholeAnswer,
            Wait::FirstWords => Self::FirstWords,
            Wait::BeyondReading => Self::BeyondReading,
        }
    }
}
