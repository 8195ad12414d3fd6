//! `benchmark`: measures targets and shows what came of it.

use crate::args::run::RunArgs;
use crate::commands::Context;
use crate::config::resolve::{price_book, resolve};
use crate::outcome::{Exit, Failure};

/// Measure targets and compare them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings benchmark --mock
  speed-kings benchmark --providers groq,cerebras --model gpt-oss-120b --config standard
  speed-kings benchmark --url http://localhost:8000/v1 --model qwen3 --rate 5/s --duration 1m
  speed-kings benchmark --target a=vllm@http://a:8000 --target b=vllm@http://b:8000 --slo 'ttft_p95<200ms'
  speed-kings benchmark --providers all --budget 2usd --dry-run

Every flag is also a key of the YAML file, with `_` for `-`, and an environment variable:
--max-tokens 64, `max_tokens: 64`, SPEED_KINGS_MAX_TOKENS=64.")]
pub(crate) struct Args {
    /// Print the plan and what it would cost, and send nothing.
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    run: RunArgs,
}

/// Runs it.
pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let layered = args.run.layered(context)?;
    let settings = layered.settings();
    let prices = price_book(settings.prices.as_ref())?;
    let resolved = resolve(&settings, context.surroundings(&prices))?;
    let plan = serde_json::to_string_pretty(&resolved.plan).expect("a plan is plain data");
    context.terminal.print(&plan)?;
    Ok(if args.dry_run { Exit::Done } else { Exit::Failed })
}
