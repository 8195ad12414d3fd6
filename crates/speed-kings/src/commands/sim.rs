//! `sim`: runs a simulated engine as a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use schema::units::Nanos;
use sim::{Config, Engine, EngineModel, FaultPlan, Pace, Sim};

use crate::args::quantity::Quantity;
use crate::commands::{Context, interrupt};
use crate::config::settings::MockEngine;
use crate::outcome::{Exit, Failure};

/// Run a simulated engine as a server, until interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings sim --engine vllm --port 8000
  speed-kings sim --engine ollama --port 11434 --fault rate_limit:0.1 --fault stall:0.01
  speed-kings sim --ttft 50ms --itl 10ms --log truth.jsonl

What is measured from it is shown as SIMULATED wherever it is shown.")]
pub(crate) struct Args {
    /// Whose wire format and manners to imitate.
    #[arg(long, value_enum, default_value = "vllm")]
    engine: MockEngine,

    /// Port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// Address to listen on. Anything but this machine's own opens it to others.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// The model's name, as it is served.
    #[arg(long)]
    model: Option<String>,

    /// Fixed time to the first token, in place of the engine's own.
    #[arg(long, value_name = "50ms")]
    ttft: Option<Quantity<Nanos>>,

    /// Fixed time between tokens, in place of the engine's own.
    #[arg(long, value_name = "10ms")]
    itl: Option<Quantity<Nanos>>,

    /// Something that goes wrong, for a share of the requests: `reset`, `rate_limit:0.1`. Any number of times.
    #[arg(long, value_name = "FAULT[:SHARE]", value_parser = parse_fault)]
    fault: Vec<FaultPlan>,

    /// Decides texts, lengths, jitter and who meets a fault.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// File for the log of what was written when: one JSON object a write.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Threads that serve connections.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = config(args);
    let model = config.model.clone();
    let engine = args.engine;
    let sim = Sim::start(config).map_err(miette::Report::new)?;
    context.terminal.print(&sim.url())?;
    context.terminal.note(&format!(
        "a simulated {engine} serves `{model}`; measure it with\n  \
         speed-kings benchmark --target {provider}@{url},model={model}\n\
         Ctrl-C stops it",
        engine = engine.engine(),
        provider = engine.provider(),
        url = sim.url(),
    ));
    interrupt::wait()?;
    sim.shutdown();
    Ok(Exit::Done)
}

fn config(args: &Args) -> Config {
    let engine = args.engine.engine();
    let usual = Config::new(engine);
    Config {
        listen: SocketAddr::from((args.host, args.port)),
        model: args.model.clone().unwrap_or(usual.model),
        pace: pace(args, engine),
        faults: args.fault.clone(),
        seed: args.seed,
        threads: usize::from(args.threads),
        log: args.log.clone(),
        ..Config::new(engine)
    }
}

/// The engine's own pace, unless a fixed one was asked for; then what was left out is 50 and 10 ms.
fn pace(args: &Args, engine: Engine) -> Pace {
    if args.ttft.is_none() && args.itl.is_none() {
        return Pace::Model(EngineModel::of(engine));
    }
    let span = |written: Option<&Quantity<Nanos>>, usual| written.map_or(Nanos::from_millis(usual), |w| w.value);
    Pace::Fixed { ttft: span(args.ttft.as_ref(), 50), itl: span(args.itl.as_ref(), 10) }
}

fn parse_fault(text: &str) -> Result<FaultPlan, String> {
    text.parse().map_err(|error: sim::FaultError| match miette::Diagnostic::help(&error) {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    })
}
