//! `sim`: runs a simulated engine as a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use schema::units::Nanos;
use sim::{Config, Engine, EngineModel, FaultPlan, Limit, Limits, Pace, Sim, Stall};

use crate::args::quantity::Quantity;
use crate::commands::Context;
use crate::commands::interrupt::Interrupts;
use crate::config::settings::MockEngine;
use crate::outcome::{Exit, Failure};

/// Run a simulated engine as a server, until interrupted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings sim --engine vllm --port 8000
  speed-kings sim --engine ollama --port 11434 --fault rate_limit:0.1 --fault stall:0.01
  speed-kings sim --ttft 50ms --itl 10ms --log truth.jsonl
  speed-kings sim --pace servers:8,500ms        # 16 requests a second, never more
  speed-kings sim --pace law:2.0,0.05,0.002     # throughput that peaks and falls
  speed-kings sim --engine ollama --context 1024    # a server that forgets
  speed-kings sim --stall 2s@10s --limit-requests 60/min --limit-tokens 100000/min

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

    /// When tokens leave, in place of the engine's own numbers: `servers:8,500ms` (that many requests at once, each
    /// taking so long; a third number spreads it), `law:2.0,0.05,0.002` (the universal scalability law),
    /// `fixed:50ms,10ms` (time to the first token and between tokens) or `at-once`.
    #[arg(long, value_name = "PACE", value_parser = with_help::<Pace>, conflicts_with_all = ["ttft", "itl"])]
    pace: Option<Pace>,

    /// Tokens its context holds, prompt and answer together, in place of the engine's own: vLLM, TGI and hosted APIs refuse
    /// a longer prompt, Ollama cuts off its beginning and says nothing.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..), conflicts_with_all = ["ttft", "itl", "pace"])]
    context: Option<u32>,

    /// Let the whole engine stand still once, as a paused process does: how long, and when after the first request.
    #[arg(long, value_name = "2s@10s", value_parser = with_help::<Stall>)]
    stall: Option<Stall>,

    /// Requests its clients may send; told in `x-ratelimit` headers, beyond it 429 with `Retry-After`.
    #[arg(long, value_name = "60/min", value_parser = with_help::<Limit>)]
    limit_requests: Option<Limit>,

    /// Tokens its clients may use, of prompts and answers together; told and kept in the same way.
    #[arg(long, value_name = "100000/min", value_parser = with_help::<Limit>)]
    limit_tokens: Option<Limit>,

    /// Something that goes wrong, for a share of the requests: `reset`, `rate_limit:0.1`. Any number of times.
    #[arg(long, value_name = "FAULT[:SHARE]", value_parser = with_help::<FaultPlan>)]
    fault: Vec<FaultPlan>,

    /// Decides texts, lengths, jitter and who meets a fault.
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// File for the log of what was written when: one JSON object a write.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,

    /// Speak TLS, with a certificate made at start. Clients trust it with `--insecure`, or by the file below.
    #[arg(long)]
    tls: bool,

    /// File for that certificate, for clients that read whom to trust from one (`SSL_CERT_FILE`).
    #[arg(long, value_name = "FILE", requires = "tls")]
    certificate: Option<PathBuf>,

    /// Threads that serve connections.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let config = config(args);
    let model = config.model.clone();
    let engine = args.engine;
    let sim = Sim::start(config).map_err(miette::Report::new)?;
    if let (Some(path), Some(certificate)) = (&args.certificate, sim.certificate()) {
        std::fs::write(path, certificate).map_err(|error| {
            miette::miette!(
                help = "name a file in a folder that exists and that you may write to",
                "cannot write the certificate `{}`: {error}",
                path.display()
            )
        })?;
    }
    // Whoever reads the address may interrupt at once.
    let interrupts = Interrupts::listen()?;
    context.terminal.print(&sim.url())?;
    context.terminal.note(&format!(
        "a simulated {engine} serves `{model}`; measure it with\n  \
         speed-kings benchmark --target {provider}@{url},model={model}{trust}\n\
         Ctrl-C stops it",
        engine = engine.engine(),
        provider = engine.provider(),
        url = sim.url(),
        trust = if args.tls { " --insecure" } else { "" },
    ));
    interrupts.wait();
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
        stall: args.stall,
        limits: Limits { requests: args.limit_requests, tokens: args.limit_tokens },
        seed: args.seed,
        threads: usize::from(args.threads),
        log: args.log.clone(),
        tls: args.tls,
        ..Config::new(engine)
    }
}

/// The engine's own pace, unless a fixed one was asked for; then what was left out is 50 and 10 ms.
fn pace(args: &Args, engine: Engine) -> Pace {
    if let Some(pace) = &args.pace {
        return pace.clone();
    }
    if args.ttft.is_none() && args.itl.is_none() {
        let usual = EngineModel::of(engine);
        return Pace::Model(EngineModel { context: args.context.unwrap_or(usual.context), ..usual });
    }
    let span = |written: Option<&Quantity<Nanos>>, usual| written.map_or(Nanos::from_millis(usual), |w| w.value);
    Pace::Fixed { ttft: span(args.ttft.as_ref(), 50), itl: span(args.itl.as_ref(), 10) }
}

/// Reads a value; its error with its help.
fn with_help<T: FromStr<Err: miette::Diagnostic>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| match miette::Diagnostic::help(&error) {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    })
}
