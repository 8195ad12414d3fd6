//! The error theatre: each target is asked wrongly in every way we know, and what it says to that is shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use miette::Report;
use report::{Align, Cell, Column, Listing};
use schema::event::Event;
use schema::plan::{AnswerForm, TransportPlan};
use schema::record::{Outcome, Record};
use schema::target::{Credentialed, Target};
use schema::text::Untrusted;
use schema::units::Nanos;
use store::Redactor;
use transport::{Client, Clock, Connector, Order, Watch};
use wire::{Frame, Message, RequestSpec, Role};

use super::order;
use super::probe::{Probe, few_tokens, probes};
use super::verdict::judge;
use crate::args::Output;
use crate::args::run::{RunArgs, Way};
use crate::commands::Context;
use crate::commands::prepare::{Prepared, prepare};
use crate::config::verb::INSPECT;
use crate::outcome::{Exit, Failure};

/// How long a server may take over a request that is wrong.
const PATIENCE: Nanos = Nanos::from_secs(60);

/// Content events after which an answer to a wrong request is cut off: it was accepted.
const ENOUGH: u32 = 16;

/// Of what a server says, in bytes.
const WORDS: usize = 400;

/// Words of a prompt that is longer than the context of a server that does not say how long that is.
const LONG: u64 = 200_000;

/// Words of a prompt at most.
const LONGEST: u64 = 4_000_000;

pub(super) fn run(args: &RunArgs, context: &Context) -> Result<Exit, Failure> {
    let prepared = prepare(args, &Way { verb: &INSPECT, settled: "" }, context)?;
    let lacking = prepared.is_lacking();
    let theatre = Theatre::new(&prepared)?;
    let runtime = super::super::small_runtime()?;
    let mut acts = Vec::new();
    for who in &prepared.resolved.targets {
        acts.extend(runtime.block_on(theatre.play(who, context))?);
    }
    let is_data = matches!(context.output, Output::Json | Output::Csv);
    context.print_listing(&if is_data { data(&acts) } else { listing(&acts) })?;
    let unanswered = prepared.resolved.targets.iter().any(|who| {
        let mut own = acts.iter().filter(|act| act.target.name == who.target.name);
        own.all(|act| act.record.status.is_none())
    });
    prepared.stop_simulated();
    Ok(if lacking || unanswered { Exit::Failed } else { Exit::Done })
}

/// What all of it is played with.
struct Theatre<'a> {
    prepared: &'a Prepared,
    redactor: Redactor,
    connector: Connector,
    clock: Clock,
}

/// One wrong request and what was said to it.
struct Act {
    target: Target,
    name: &'static str,
    what: &'static str,
    naming: Vec<String>,
    record: Record,
    /// The server's words, without keys.
    said: String,
}

impl<'a> Theatre<'a> {
    fn new(prepared: &'a Prepared) -> Result<Self, Failure> {
        let mut plan: TransportPlan = prepared.resolved.plan.transport.clone();
        let limits = &mut plan.limits;
        for limit in [&mut limits.first_token_ns, &mut limits.gap_ns, &mut limits.total_ns] {
            *limit = (*limit).min(PATIENCE);
        }
        let clock = Clock::start();
        let connector = Connector::new(&plan, prepared.proxy.clone(), clock).map_err(Report::from)?;
        Ok(Self { prepared, redactor: prepared.redactor(), connector, clock })
    }

    async fn play(&self, who: &Credentialed, context: &Context) -> Result<Vec<Act>, Failure> {
        let about = discover::about(&self.connector, who).await;
        let context_length = about.context_length.or(about.max_input).map(|told| told.value);
        // A word is a token at least.
        let long = context_length.map_or(LONG, |tokens| tokens + tokens / 4 + 64).min(LONGEST);
        let note = match (context_length, who.target.price.as_ref()) {
            (None, Some(price)) => format!(
                "`{}` does not say how long a prompt may be: it is sent one of {long} words, which may cost {} if it takes it",
                who.target.name,
                price.of_tokens(long, 0, u64::from(few_tokens()))
            ),
            _ => format!("asking `{}` wrongly", who.target.name),
        };
        context.terminal.note(&note);
        let sound = sound(who, self.prepared.resolved.plan.workload.stream);
        let mut acts = Vec::new();
        for probe in probes(who, &sound, usize::try_from(long).unwrap_or(usize::MAX)) {
            acts.push(self.send(probe).await?);
        }
        Ok(acts)
    }

    /// Each goes over a connection of its own: what one does to it is of no interest to the next.
    async fn send(&self, probe: Probe) -> Result<Act, Failure> {
        let enough = Arc::new(AtomicBool::new(false));
        let client = Client::new(self.connector.clone(), &probe.who, Arc::clone(&enough)).map_err(Report::from)?;
        let client = if probe.by_get { client.by_get() } else { client };
        let order =
            Order { keep_text: true, ..order::plain(&self.prepared.resolved.plan, probe.body, self.clock.now()) };
        let record = *client.send(&order, &mut Taste { events: 0, enough }).await;
        let said = match &record.outcome {
            Outcome::Failed(failure) => failure.message.raw().to_owned(),
            _ => record.output.iter().flatten().map(Untrusted::raw).collect(),
        };
        let said = self.redactor.text(&said);
        Ok(Act { target: probe.who.target, name: probe.name, what: probe.what, naming: probe.naming, record, said })
    }
}

/// Cuts an answer off that nobody should have given.
struct Taste {
    events: u32,
    enough: Arc<AtomicBool>,
}

impl Watch for Taste {
    fn frame(&mut self, event: &Event, _: &Frame<'_>) {
        self.events += u32::from(event.kind.is_content());
        if self.events >= ENOUGH {
            self.enough.store(true, Ordering::Relaxed);
        }
    }
}

/// A request that nothing is wrong with.
fn sound(who: &Credentialed, stream: bool) -> Bytes {
    let spec = RequestSpec {
        model: &who.target.model,
        messages: &[Message::text(Role::User, "Say hello.")],
        max_tokens: few_tokens(),
        force_length: false,
        temperature_milli: 0,
        seed: None,
        stream,
        nonce: None,
        answer: AnswerForm::Text,
    };
    wire::encode(who.target.dialect, &who.target.encoding, &spec).into()
}

/// For people: what was wrong, and what was said to it.
fn listing(acts: &[Act]) -> Listing {
    Listing {
        title: String::new(),
        columns: vec![
            column("target", "Target", Align::Left),
            column("wrong", "What is wrong", Align::Left),
            column("status", "Status", Align::Right),
            column("class", "Class", Align::Left),
            column("time_ns", "Time", Align::Right),
            column("verdict", "Answer", Align::Left),
            column("said", "In its words", Align::Left),
        ],
        rows: acts
            .iter()
            .map(|act| {
                let verdict = judge(&act.record, &act.naming).verdict.in_words();
                vec![act.name(), words(act.what), act.status(), act.class(), act.time(), words(verdict), act.words()]
            })
            .collect(),
    }
}

/// For programs.
fn data(acts: &[Act]) -> Listing {
    Listing {
        title: String::new(),
        columns: vec![
            column("target", "Target", Align::Left),
            column("simulated", "Simulated", Align::Left),
            column("request", "Request", Align::Left),
            column("wrong", "What is wrong", Align::Left),
            column("status", "Status", Align::Right),
            column("class", "Class", Align::Left),
            column("time_ns", "Time", Align::Right),
            column("says_what", "Says what", Align::Left),
            column("says_how", "Says how", Align::Left),
            column("verdict", "Verdict", Align::Left),
            column("said", "Said", Align::Left),
        ],
        rows: acts
            .iter()
            .map(|act| {
                let judged = judge(&act.record, &act.naming);
                vec![
                    words(act.target.name.as_str()),
                    Cell::Flag(act.target.simulated),
                    words(act.name),
                    words(act.what),
                    act.status(),
                    act.class(),
                    act.time(),
                    judged.says_what.map_or(Cell::Empty, Cell::Flag),
                    judged.says_how.map_or(Cell::Empty, Cell::Flag),
                    words(judged.verdict.in_words()),
                    act.words(),
                ]
            })
            .collect(),
    }
}

impl Act {
    fn name(&self) -> Cell {
        let mark = if self.target.simulated { " (SIMULATED)" } else { "" };
        words(&format!("{}{mark}", self.target.name))
    }

    fn status(&self) -> Cell {
        let number = |status: u16| Cell::Number { shown: status.to_string(), value: status.into() };
        self.record.status.map_or(Cell::Empty, number)
    }

    fn class(&self) -> Cell {
        words(match &self.record.outcome {
            Outcome::Failed(failure) => failure.class.in_words(),
            Outcome::Cancelled => "cut off by us",
            _ => "answered",
        })
    }

    /// From its first byte to the end of the answer.
    fn time(&self) -> Cell {
        let time = self.record.start_ns.zip(self.record.end_ns).map(|(start, end)| end - start);
        time.map_or(Cell::Empty, |time| Cell::Number { shown: time.to_string(), value: time.0 as f64 })
    }

    fn words(&self) -> Cell {
        words(Untrusted::bounded(self.said.as_str(), WORDS).raw())
    }
}

const fn column(key: &'static str, heading: &'static str, align: Align) -> Column {
    Column { key, heading, align }
}

fn words(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}
