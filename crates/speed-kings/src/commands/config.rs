//! `config`: shows, checks and describes the configuration.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use report::{Align, Cell, Column, Listing};
use schema::counted;
use schemars::schema_for;
use serde_json::Value;

use crate::args::mask_user_info;
use crate::args::run::{RunArgs, Way};
use crate::commands::Context;
use crate::config::layer::{self, Layered};
use crate::config::problem::Problem;
use crate::config::settings::Settings;
use crate::outcome::{Exit, Failure};

/// Show what is configured and where it came from, check a file, or print the JSON Schema.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings config show
  speed-kings config show --config standard --max-tokens 64
  speed-kings config check my-plan.yaml
  speed-kings config schema > speed-kings.schema.json

Layers, each over the one before it: defaults, /etc/speed-kings/config.yaml, the user's configuration
folder, ./speed-kings.yaml, --config, SPEED_KINGS_… variables, flags.")]
pub(crate) struct Args {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Print every setting, its value and where it came from.
    #[command(after_help = "\
Examples:
  speed-kings config show
  SPEED_KINGS_REQUESTS=50 speed-kings config show --config stress --output json")]
    Show(Box<RunArgs>),
    /// Check a file, or everything that is configured, and say all that is wrong.
    #[command(after_help = "\
Examples:
  speed-kings config check
  speed-kings config check my-plan.yaml")]
    Check {
        /// The YAML file; all layers if none is given.
        file: Option<PathBuf>,
    },
    /// Print the JSON Schema of the configuration, for editors.
    #[command(after_help = "\
Examples:
  speed-kings config schema > speed-kings.schema.json

Then begin a file with `# yaml-language-server: $schema=./speed-kings.schema.json`.")]
    Schema,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.job {
        Job::Show(run) => show(&run.layered(context, &Way::BENCHMARK)?, context)?,
        Job::Check { file: Some(file) } => check_file(file, context)?,
        Job::Check { file: None } => check_all(context)?,
        Job::Schema => {
            let schema = serde_json::to_string_pretty(&schema_for!(Settings)).expect("a schema is plain data");
            context.terminal.print(&schema)?;
        }
    }
    Ok(Exit::Done)
}

fn show(layered: &Layered, context: &Context) -> Result<(), Failure> {
    context.terminal.note_all(&layered.notes);
    let left = |key, heading| Column { key, heading, align: Align::Left };
    context.print_listing(&Listing {
        title: String::new(),
        columns: vec![left("setting", "Setting"), left("value", "Value"), left("origin", "From")],
        rows: Settings::keys().iter().map(|key| row(key, layered)).collect(),
    })
}

fn row(key: &str, layered: &Layered) -> Vec<Cell> {
    let (value, origin) = match layered.values.get(key) {
        Some((value, origin)) => (Cell::Text(mask_user_info(&in_words(value))), Cell::Text(origin.to_string())),
        None => (Cell::Empty, Cell::Text("not set".to_owned())),
    };
    vec![Cell::Text(key.to_owned()), value, origin]
}

/// A value as YAML would have it on one line, text without quotes.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn check_file(file: &Path, context: &Context) -> Result<(), Failure> {
    let missing =
        || Problem::new(format!("there is no file `{}`", file.display())).help("`speed-kings init` writes one");
    let layer = layer::read_file(file)?.ok_or_else(missing)?;
    context.terminal.print(&format!("{}: {}, all fine", file.display(), counted(layer.len(), "setting")))
}

fn check_all(context: &Context) -> Result<(), Failure> {
    let layered = RunArgs::default().layered(context, &Way::BENCHMARK)?;
    context.terminal.note_all(&layered.notes);
    let files = layer::standard_files(&context.environment);
    let found: Vec<String> =
        files.iter().filter(|file| file.is_file()).map(|file| file.display().to_string()).collect();
    let read = if found.is_empty() { "no file is there to be read".to_owned() } else { found.join(", ") };
    context.terminal.print(&format!("all fine ({read})"))
}
