//! `inspect`: single requests, looked at closely.

mod capture;
mod file;
mod order;
mod probe;
mod secrets;
mod shown;
mod text;
mod theatre;
mod verdict;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use miette::Report;
use schema::exchange::{EXCHANGE_FORMAT, Exchange, Exchanges};
use schema::progress::Progress;
use schema::record::TokenSource;
use schema::target::{Credentialed, Target};
use schema::text::Untrusted;
use transport::{Client, Clock, Connector};
use tui::inspect::{Carried, Filter};

use crate::args::Output;
use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::commands::prepare::{Prepared, prepare};
use crate::config::problem::Problem;
use crate::config::settings::flag_of;
use crate::config::verb::INSPECT;
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

use capture::{Capture, Taken};
use text::Form;

/// Look at single requests and answers as they went over the wire.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings inspect --mock=vllm
  speed-kings inspect --providers groq,cerebras --model gpt-oss-120b --prompt 'Why is the sky blue?'
  speed-kings inspect --url http://localhost:8000/v1 --model qwen3 --no-stream --no-tui
  speed-kings inspect --mock --save exchange.json
  speed-kings inspect --open exchange.json --kind other --raw
  speed-kings inspect --url http://localhost:8000/v1 --errors

One request goes to each target, one target after another, on a connection of its own. It is no run: what is to be kept
goes into the file of `--save`, or where the key `s` puts it. Keys, cookies and whatever else is secret are `***` in all
of it.")]
pub(crate) struct Args {
    /// Keep the exchanges in this file.
    #[arg(long, value_name = "FILE.json")]
    save: Option<PathBuf>,

    /// Look at exchanges that were kept, and send nothing.
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["save", "errors"])]
    open: Option<PathBuf>,

    /// Show how each target answers requests that are wrong or at the edge of what it can do.
    #[arg(long, conflicts_with_all = ["save", "kind", "find", "raw", "record"])]
    errors: bool,

    /// Of the timeline, show only this: text, reasoning, tool, vectors, other, or pieces of whole answers.
    #[arg(long, value_name = "KIND", value_parser = carried)]
    kind: Option<Carried>,

    /// Of the timeline, show only what holds this text.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    find: String,

    /// Show events as they came, too.
    #[arg(long)]
    raw: bool,

    #[command(flatten)]
    screen: ScreenArgs,

    #[command(flatten)]
    run: RunArgs,
}

fn carried(text: &str) -> Result<Carried, String> {
    let names = || Carried::ALL.map(Carried::in_words).join(", ");
    let found = Carried::ALL.into_iter().find(|carried| carried.in_words() == text);
    found.ok_or_else(|| format!("use one of {}", names()))
}

impl Args {
    fn filter(&self) -> Filter {
        Filter { carried: self.kind, holding: self.find.clone() }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.errors {
        return theatre::run(&args.run, context);
    }
    let wanted = Stage::wanted(&args.screen, context)?;
    if !wanted && context.output == Output::Json && !args.filter().is_open() {
        let problem = Problem::new("`--output json` has all of an exchange, and no use for `--kind` and `--find`");
        return Err(problem.help("leave them out, or use another form: `--output csv` has the events alone").into());
    }
    let (exchanges, lacking) = match &args.open {
        Some(path) => {
            refuse_settings(args)?;
            let kept = file::open(path)?;
            if wanted {
                shown::show(kept.exchanges.clone(), args, context)?;
            }
            (kept, false)
        }
        None => asked(args, wanted, context)?,
    };
    let saved = args.save.as_ref().map(|path| file::save(path, &exchanges).map(|()| path));
    let form = Form { filter: args.filter(), raw: args.raw, was_seen: wanted };
    // Where they cannot be kept they are shown all the same: they cannot be had again.
    text::print(&exchanges, &form, context)?;
    if let Some(path) = saved.transpose()? {
        context.terminal.note(&format!("kept in {}", path.display()));
    }
    let all = &exchanges.exchanges;
    let well = !lacking && !all.is_empty() && all.iter().all(|exchange| exchange.record.outcome.is_complete());
    Ok(if well || args.open.is_some() { Exit::Done } else { Exit::Failed })
}

/// Settings are about asking, and nobody is asked.
fn refuse_settings(args: &Args) -> Result<(), Failure> {
    let Some(key) = args.run.given().into_iter().next() else { return Ok(()) };
    let problem = Problem::new(format!("`--open` asks nobody, and has no use for `{}`", flag_of(&key)));
    Err(problem.help("leave it out; `--kind`, `--find` and `--raw` are heeded").into())
}

/// Sends a request to each target, on the screen where one is wanted. Also whether a target was left out.
fn asked(args: &Args, wanted: bool, context: &Context) -> Result<(Exchanges, bool), Failure> {
    let prepared = prepare(&args.run, &Way { verb: &INSPECT, settled: "" }, context)?;
    let lacking = prepared.is_lacking();
    let round = Round::new(prepared)?;
    let exchanges =
        if wanted { shown::carry_out(round, args, context)? } else { round.carry_out(&mut |_| {}, &mut |_, _| {})? };
    Ok((bound(exchanges), lacking))
}

/// Exchanges as a file has them.
fn bound(exchanges: Vec<Exchange>) -> Exchanges {
    let program_version = env!("CARGO_PKG_VERSION").to_owned();
    Exchanges { format_version: EXCHANGE_FORMAT, program_version, exchanges }
}

/// One request to each target, ready to be sent.
struct Round {
    prepared: Prepared,
    clock: Clock,
    cancel: Arc<AtomicBool>,
    connector: Connector,
}

impl Round {
    fn new(prepared: Prepared) -> Result<Self, Failure> {
        let clock = Clock::start();
        let plan = &prepared.resolved.plan.transport;
        let connector = Connector::new(plan, prepared.proxy.clone(), clock).map_err(Report::from)?;
        let round = Self { prepared, clock, cancel: Arc::new(AtomicBool::new(false)), connector };
        // What no client can be had for is told before anybody is asked.
        for who in &round.prepared.resolved.targets {
            round.client(who)?;
        }
        Ok(round)
    }

    /// A client stays on the thread that made it.
    fn client(&self, who: &Credentialed) -> Result<Client, Failure> {
        Ok(Client::new(self.connector.clone(), who, Arc::clone(&self.cancel)).map_err(Report::from)?)
    }

    fn targets(&self) -> Vec<Target> {
        self.prepared.resolved.targets.iter().map(|who| who.target.clone()).collect()
    }

    /// Sends them one after another, so that none disturbs another's timing. `told` hears how far each comes, `over` what
    /// became of it.
    fn carry_out(
        self,
        told: &mut dyn FnMut(Progress),
        over: &mut dyn FnMut(usize, &Exchange),
    ) -> Result<Vec<Exchange>, Failure> {
        let _stamps = transport::hold_stamps_on();
        let runtime = super::small_runtime()?;
        let redactor = self.prepared.redactor();
        let mut exchanges = Vec::new();
        for (index, who) in self.prepared.resolved.targets.iter().enumerate() {
            if self.cancel.load(Ordering::Relaxed) {
                break;
            }
            let client = self.client(who)?;
            let taken = runtime.block_on(self.send(&client, told));
            let exchange = secrets::without(taken.exchange(client.target()), &redactor)?;
            over(index, &exchange);
            exchanges.push(exchange);
        }
        self.prepared.stop_simulated();
        Ok(exchanges)
    }

    async fn send(&self, client: &Client, told: &mut dyn FnMut(Progress)) -> Taken {
        let resolved = &self.prepared.resolved;
        let at = jiff::Timestamp::now();
        let order = order::of(&self.prepared, client.target(), self.clock.now());
        let mut capture = Capture::new(client.target(), self.clock, told);
        let mut record = *client.send(&order, &mut capture).await;
        self.count_tokens(&mut record);
        let limit = resolved.plan.transport.sizes.event_bytes as usize;
        Taken { at, letterhead: client.letterhead(&order), order, noted: capture.noted(), record, limit }
    }

    /// Counts generated tokens where the server did not.
    fn count_tokens(&self, record: &mut schema::record::Record) {
        let output = record.output.take();
        if let (Some(tokenizer), Some(tokens), Some(output)) =
            (self.prepared.asked.prompts.tokenizer(), &mut record.tokens, output)
            && tokens.source == TokenSource::ContentEvents
        {
            let text: String = output.iter().map(Untrusted::raw).collect();
            tokens.output = tokenizer.count(&text) as u64;
            tokens.source = TokenSource::LocalTokenizer;
        }
    }
}
