//! `test`: one quick request to each target.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use futures_util::future::join_all;
use miette::Report;
use report::{Align, Cell, Column, Listing};
use schema::record::{Outcome, Phase, Record};
use schema::target::Credentialed;
use schema::text::Untrusted;
use store::Redactor;
use transport::{Client, Clock, Connector, Order};
use wire::{Message, RequestSpec, Role};

use crate::args::run::{RunArgs, Way};
use crate::commands::Context;
use crate::commands::prepare::prepare;
use crate::config::verb::TEST;
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

/// Of an answer, its beginning is enough.
const ANSWER_BYTES: usize = 60;

/// Why there is none is told at length.
const FAILURE_BYTES: usize = 400;

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let prepared = prepare(&args.run, &Way { verb: &TEST, settled: "" }, context)?;
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
        .map(|(client, who)| async { *client.send(&order(who, resolved.plan.workload.stream, clock), &mut ()).await });
    let records = super::small_runtime()?.block_on(join_all(sent));
    context.print_listing(&listing(&resolved.targets, &records, &prepared.redactor()))?;
    prepared.stop_simulated();
    let well = records.iter().all(|record| record.outcome.is_complete());
    Ok(if well && !lacking { Exit::Done } else { Exit::Failed })
}

fn order(who: &Credentialed, stream: bool, clock: Clock) -> Order {
    let spec = RequestSpec {
        model: &who.target.model,
        messages: &[Message { role: Role::User, content: "Count from one to five.", images: &[] }],
        max_tokens: TOKENS,
        force_length: false,
        temperature_milli: 0,
        seed: None,
        stream,
        nonce: None,
        answer: schema::plan::AnswerForm::Text,
    };
    Order {
        index: 0,
        phase: Phase::Measured,
        block: 0,
        step: 0,
        attempt: 0,
        prompt_tokens: None,
        conversation: None,
        prompt: 0,
        max_tokens: TOKENS,
        forced_length: false,
        scheduled: clock.now(),
        body: Bytes::from(wire::encode(who.target.dialect, &who.target.encoding, &spec)),
        stream,
        keep_text: true,
    }
}

/// What came back, in words: the answer, or why there is none.
fn said(record: &Record, redactor: &Redactor) -> Untrusted {
    let text = match &record.outcome {
        Outcome::Complete { .. } => record.output.iter().flatten().map(Untrusted::raw).collect(),
        Outcome::Failed(failure) => format!("{}: {}", failure.class, failure.message.raw()),
        other => format!("{other:?}"),
    };
    let limit = if record.outcome.is_complete() { ANSWER_BYTES } else { FAILURE_BYTES };
    Untrusted::bounded(redactor.text(&text), limit)
}

fn listing(targets: &[Credentialed], records: &[Record], redactor: &Redactor) -> Listing {
    let column = |key, heading, align| Column { key, heading, align };
    let rows = targets.iter().zip(records).map(|(who, record)| {
        let mark = if who.target.simulated { " (SIMULATED)" } else { "" };
        let ttft = record
            .start_ns
            .zip(record.events.content().next())
            .map(|(start, first)| (first.arrival - start).to_string());
        let connect = record.connect.map(|times| times.total().to_string());
        let state = if record.outcome.is_complete() { "ok" } else { "failed" };
        let unknown = || "–".to_owned();
        [
            format!("{}{mark}", who.target.name),
            who.target.model.clone(),
            state.to_owned(),
            connect.unwrap_or_else(unknown),
            ttft.unwrap_or_else(unknown),
            said(record, redactor).to_string(),
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
