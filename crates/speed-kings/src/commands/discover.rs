//! `discover`: finds engines on this machine.

use discover::Found;
use report::{Align, Cell, Column, Listing};
use schema::plan::{TimeLimits, TransportPlan};
use schema::text::Untrusted;
use schema::units::Nanos;
use transport::{Clock, Connector};

use crate::commands::{Context, small_runtime};
use crate::outcome::{Exit, Failure};

/// How long one port may take to answer.
const PATIENCE: Nanos = Nanos::from_secs(2);

/// Models of one engine that are named.
const MODELS_SHOWN: usize = 3;

/// Find engines on this machine: at their usual ports, and others you name.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings discover
  speed-kings discover --port 9000,9001
  speed-kings discover --output json")]
pub(crate) struct Args {
    /// Further ports to look at.
    #[arg(long = "port", value_name = "PORTS", value_delimiter = ',')]
    ports: Vec<u16>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let limits = TimeLimits { connect_ns: PATIENCE, first_token_ns: PATIENCE, gap_ns: PATIENCE, total_ns: PATIENCE };
    // Plain connections to this machine alone: no root certificates are needed, so none are looked for.
    let plan = TransportPlan { limits, bundled_roots: true, ..TransportPlan::default() };
    let connector = Connector::new(&plan, None, Clock::start()).map_err(miette::Report::new)?;
    let found = small_runtime()?.block_on(discover::local(&connector, &args.ports));
    context.print_listing(&listing(&found))?;
    match found.first() {
        None => context
            .terminal
            .note("nothing found; `speed-kings sim` starts a simulated engine, `--port` looks elsewhere"),
        Some(first) => context.terminal.note(&format!("measure one with\n  {}", command_for(first))),
    }
    Ok(Exit::Done)
}

fn command_for(found: &Found) -> String {
    let model = found.models.first().map(|model| format!(",model={model}")).unwrap_or_default();
    format!("speed-kings benchmark --target {}@{}{model}", found.provider, found.base_url)
}

fn listing(found: &[Found]) -> Listing {
    let left = |key, heading| Column { key, heading, align: Align::Left };
    Listing {
        title: String::new(),
        columns: vec![
            left("provider", "Provider"),
            left("url", "URL"),
            left("version", "Version"),
            left("models", "Models"),
            left("needs_key", "Needs key"),
            left("simulated", "Simulated"),
        ],
        rows: found.iter().map(row).collect(),
    }
}

fn row(found: &Found) -> Vec<Cell> {
    vec![
        Cell::Text(found.provider.to_owned()),
        Cell::Text(found.base_url.to_string()),
        found.version.as_ref().map_or(Cell::Empty, |version| Cell::Text(version.raw().to_owned())),
        Cell::Text(models_in_words(&found.models)),
        Cell::Flag(found.needs_key),
        Cell::Flag(found.simulated),
    ]
}

fn models_in_words(models: &[Untrusted]) -> String {
    let shown = models.iter().take(MODELS_SHOWN).map(Untrusted::raw).collect::<Vec<_>>().join(", ");
    match models.len().saturating_sub(MODELS_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
