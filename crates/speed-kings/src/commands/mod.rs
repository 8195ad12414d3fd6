//! The verbs, one file each: its flags, and what it does.

mod assumed;
mod baseline;
pub(crate) mod benchmark;
mod calibrate;
mod capacity;
mod cleanup;
mod compare;
mod completions;
mod config;
mod conversation;
mod demo;
mod discover;
mod found;
mod gate;
pub(crate) mod heat;
mod impact;
mod init;
mod inspect;
pub(crate) mod interrupt;
mod list;
mod migrate;
#[cfg(test)]
mod on_stage;
pub(crate) mod prepare;
mod pricing;
mod progress;
mod race;
mod reprocess;
mod results;
mod rush;
mod sim;
mod sources;
mod stored;
mod story;
mod test;
mod trend;
mod try_it;

use clap::Subcommand;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use providers::PriceBook;
use report::Listing;
use schema::manifest::Manifest;
use schema::plan::Plan;
use schema::projection::Projected;
use schema::summary::Summary;

use crate::args::Output;
use crate::config::resolve::Surroundings;
use crate::environment::Environment;
use crate::outcome::{Exit, Failure};
use crate::terminal::Terminal;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Benchmark(benchmark::Args),
    List(list::Args),
    Pricing(pricing::Args),
    Discover(discover::Args),
    Test(test::Args),
    Race(race::Args),
    TryIt(try_it::Args),
    Demo(demo::Args),
    Conversation(conversation::Args),
    Inspect(inspect::Args),
    Rush(rush::Args),
    Sim(sim::Args),
    Results(results::Args),
    Compare(compare::Args),
    Cleanup(cleanup::Args),
    Migrate(migrate::Args),
    Reprocess(reprocess::Args),
    Trend(trend::Args),
    Baseline(baseline::Args),
    Gate(gate::Args),
    Capacity(capacity::Args),
    Impact(impact::Args),
    Story(story::Args),
    Config(config::Args),
    Init(init::Args),
    Completions(completions::Args),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// Why it could not be done.
    pub(crate) fn run(&self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Benchmark(args) => benchmark::run(args, context),
            Self::List(args) => list::run(args, context),
            Self::Pricing(args) => pricing::run(args, context),
            Self::Discover(args) => discover::run(args, context),
            Self::Test(args) => test::run(args, context),
            Self::Race(args) => race::run(args, context),
            Self::TryIt(args) => try_it::run(args, context),
            Self::Demo(args) => demo::run(args, context),
            Self::Conversation(args) => conversation::run(args, context),
            Self::Inspect(args) => inspect::run(args, context),
            Self::Rush(args) => rush::run(args, context),
            Self::Sim(args) => sim::run(args, context),
            Self::Results(args) => results::run(args, context),
            Self::Compare(args) => compare::run(args, context),
            Self::Cleanup(args) => cleanup::run(args, context),
            Self::Migrate(args) => migrate::run(args, context),
            Self::Reprocess(args) => reprocess::run(args, context),
            Self::Trend(args) => trend::run(args, context),
            Self::Baseline(args) => baseline::run(args, context),
            Self::Gate(args) => gate::run(args, context),
            Self::Capacity(args) => capacity::run(args, context),
            Self::Impact(args) => impact::run(args, context),
            Self::Story(args) => story::run(args, context),
            Self::Config(args) => config::run(args, context),
            Self::Init(args) => init::run(args, context),
            Self::Completions(args) => completions::run(args, context),
        }
    }
}

/// What every command may use of the world around it.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Where to talk.
    pub(crate) terminal: Terminal,
    /// The environment.
    pub(crate) environment: Environment,
    /// The form of the results.
    pub(crate) output: Output,
    /// The day, in UTC, as price lists count it.
    pub(crate) today: Date,
    /// A seed for a run that names none.
    pub(crate) fresh_seed: u64,
}

impl Context {
    /// The context of this process.
    pub(crate) fn new(terminal: Terminal, environment: Environment, output: Output) -> Self {
        let now = Timestamp::now();
        let today = now.to_zoned(TimeZone::UTC).date();
        // Six digits at the end: easy to type again, and different every time.
        let fresh_seed = now.as_microsecond().unsigned_abs() % 1_000_000;
        Self { terminal, environment, output, today, fresh_seed }
    }

    /// What settings are resolved against.
    pub(crate) fn surroundings<'a>(&'a self, prices: &'a PriceBook) -> Surroundings<'a> {
        Surroundings { environment: &self.environment, prices, today: self.today, fresh_seed: self.fresh_seed }
    }

    /// Prints a run's numbers in the form that was asked for.
    ///
    /// # Errors
    /// Stdout cannot be written to.
    pub(crate) fn print_summary(&self, summary: &Summary, plan: &Plan) -> Result<(), Failure> {
        self.terminal.print(&match self.output {
            Output::Table => report::table(summary, plan, self.terminal.style()),
            Output::Json => report::json(summary),
            Output::Markdown => report::markdown(summary, plan),
            Output::Csv => report::csv(summary),
        })
    }

    /// Prints a run's numbers, and for people what was found of its targets before they were measured: the same when it
    /// ends and whenever it is shown.
    ///
    /// # Errors
    /// Stdout cannot be written to.
    pub(crate) fn print_run(&self, summary: &Summary, manifest: &Manifest) -> Result<(), Failure> {
        self.print_summary(summary, &manifest.plan)?;
        let Some(found) = found::found(manifest) else { return Ok(()) };
        match self.output {
            Output::Table => self.terminal.print(&format!("\n{}", found.table(self.terminal.style()))),
            Output::Markdown => self.terminal.print(&format!("\n{}", found.markdown())),
            // Numbers alone; the manifest has it.
            Output::Json | Output::Csv => Ok(()),
        }
    }

    /// Prints what was projected in the form that was asked for.
    ///
    /// # Errors
    /// Stdout cannot be written to.
    fn print_projected(&self, projected: &Projected) -> Result<(), Failure> {
        self.terminal.print(&match self.output {
            Output::Table => report::projections_text(projected, self.terminal.style()),
            Output::Json => report::projections(projected).json(),
            Output::Markdown => report::projections_markdown(projected),
            Output::Csv => report::projections(projected).csv(),
        })
    }

    /// Prints rows in the form that was asked for.
    ///
    /// # Errors
    /// Stdout cannot be written to.
    pub(crate) fn print_listing(&self, listing: &Listing) -> Result<(), Failure> {
        self.terminal.print(&match self.output {
            Output::Table => listing.table(self.terminal.style()),
            Output::Json => listing.json(),
            Output::Markdown => listing.markdown(),
            Output::Csv => listing.csv(),
        })
    }
}

/// A runtime of this thread's own, for the little that commands do over the network themselves.
///
/// # Errors
/// The system gives none.
fn small_runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| miette::miette!("the network cannot be used: {error}").into())
}
