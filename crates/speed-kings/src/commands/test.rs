//! `test`: one quick request to each target.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use futures_util::future::join_all;
use miette::Report;
use report::{Align, Cell, Column, Listing};
use schema::record::{Outcome, Phase, Record};
use schema::target::Credentialed;
use transport::{Client, Clock, Connector, Order};
use wire::{Message, RequestSpec, Role};

use crate::args::run::RunArgs;
use crate::commands::Context;
use crate::commands::prepare::prepare;
use crate::outcome::{Exit, Failure};

/// Send one quick request to each target and say what came back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings test --providers all
  speed-kings test --url http://localhost:8000/v1 --model qwen3
  speed-kings test --mock")]
pub(crate) struct Args {
    #[command(flatten)]
    run: RunArgs,
}

/// Output tokens asked for: enough to see a stream.
const TOKENS: u32 = 8;

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let prepared = prepare(&args.run, context)?;
    let lacking = prepared.is_lacking();
    let resolved = &prepared.resolved;
    let clock = Clock::start();
    let connector = Connector::new(&resolved.plan.transport, prepared.proxy.clone(), clock).map_err(Report::from)?;
    let never = Arc::new(AtomicBool::new(false));
    let clients = resolved.targets.iter().map(|who| Client::new(connector.clone(), who, Arc::clone(&never)));
    let clients = clients.collect::<Result<Vec<_>, _>>().map_err(Report::from)?;
    let sent = clients
        .iter()
        .zip(&resolved.targets)
        .map(|(client, who)| async { client.send(order(who, resolved.plan.workload.stream, clock), &mut ()).await });
    let records = super::small_runtime()?.block_on(join_all(sent));
    context.print_listing(&listing(&resolved.targets, &records))?;
    prepared.stop_simulated();
    let well = records.iter().all(|record| record.outcome.is_complete());
    Ok(if well && !lacking { Exit::Done } else { Exit::Failed })
}

fn order(who: &Credentialed, stream: bool, clock: Clock) -> Order {
    let spec = RequestSpec {
        model: &who.target.model,
        messages: &[Message { role: Role::User, content: "Count from one to five." }],
        max_tokens: TOKENS,
        force_length: false,
        temperature_milli: 0,
        seed: None,
        stream,
        nonce: None,
    };
    Order {
        index: 0,
        phase: Phase::Measured,
        block: 0,
        prompt: 0,
        max_tokens: TOKENS,
        forced_length: false,
        scheduled: clock.now(),
        body: Bytes::from(wire::encode(who.target.dialect, &who.target.encoding, &spec)),
        stream,
        keep_text: true,
    }
}

fn listing(targets: &[Credentialed], records: &[Record]) -> Listing {
    let column = |key, heading, align| Column { key, heading, align };
    let rows = targets.iter().zip(records).map(|(who, record)| {
        let mark = if who.target.simulated { " (SIMULATED)" } else { "" };
        let ttft = record
            .start_ns
            .zip(record.events.content().next())
            .map(|(start, first)| (first.arrival - start).to_string());
        let connect = record.connect.map(|times| times.total().to_string());
        let text =
            record.output.as_ref().map(|pieces| pieces.iter().map(schema::text::Untrusted::raw).collect::<String>());
        let said = match &record.outcome {
            Outcome::Complete { .. } => schema::text::Untrusted::bounded(text.unwrap_or_default(), 60).to_string(),
            Outcome::Failed(failure) => format!("{}: {}", failure.class, failure.message),
            other => format!("{other:?}"),
        };
        let state = if record.outcome.is_complete() { "ok" } else { "failed" };
        let unknown = || "–".to_owned();
        [
            format!("{}{mark}", who.target.name),
            who.target.model.clone(),
            state.to_owned(),
            connect.unwrap_or_else(unknown),
            ttft.unwrap_or_else(unknown),
            said,
        ]
        .into_iter()
        .map(Cell::Text)
        .collect()
    });
    Listing {
        title: String::new(),
        columns: vec![
            column("target", "Target", Align::Left),
            column("model", "Model", Align::Left),
            column("state", "State", Align::Left),
            column("connect", "Connect", Align::Right),
            column("ttft", "TTFT", Align::Right),
            column("answer", "Answer", Align::Left),
        ],
        rows: rows.collect(),
    }
}
