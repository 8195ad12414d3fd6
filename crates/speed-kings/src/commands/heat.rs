//! One run that people watch, from flags to records: shared by the commands that race.
//!
//! ```text
//! line_up(args, way) ─▶ Field ─▶ Field::setup ─▶ tui::race::Race (or whatever screen)
//!                         └──▶ Field::carry_out(Show, stop) ─▶ Heat { finished, records }
//! ```
//!
//! A command calls [`line_up`] before it takes the terminal (it tells of targets that are left out), makes its screen of
//! [`Field::setup`], opens the stage where [`Stage::wanted`](crate::stage::Stage::wanted), and then carries the field
//! out, before the stage or in sentences on stderr. One field is one run; for another prompt line up again. What is read
//! afterwards is in [`pages()`].

mod pages;
mod seen;

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use futures_util::future::join_all;
use runner::{Finished, Job, Stop};
use schema::manifest::{Found, Said, Status};
use schema::progress::{Follow, Progress};
use schema::record::Record;
use schema::target::Target;
use schema::text::Untrusted;
use store::Run;
use transport::{Clock, Connector};
use tui::Screen;
use tui::race::{Lane, RaceSetup};
use url::Url;
use workload::Prompts;

use crate::args::run::{RunArgs, Way};
use crate::commands::prepare::{Prepared, prepare};
use crate::commands::{Context, benchmark, small_runtime};
use crate::outcome::{Exit, Failure};
use crate::stage::Stage;

pub(crate) use pages::{Told, in_full, pages};
pub(crate) use seen::Seen;

/// Targets that are ready to be asked, and what is known of them.
pub(crate) struct Field {
    /// The plan, its targets and what is asked.
    pub(crate) prepared: Prepared,
    /// The targets as a screen shows them, in the plan's order: configuration as their engines told it.
    pub(crate) lanes: Vec<Lane>,
    /// What their engines told, as it is kept with the run.
    found: Vec<Found>,
    /// What the first measured request asks.
    pub(crate) prompt: Untrusted,
    /// The run's clock.
    pub(crate) clock: Clock,
}

/// A run that was watched, and is over and sealed.
pub(crate) struct Heat {
    /// Its folder, its manifest, its numbers.
    pub(crate) finished: Finished,
    /// All its records as they are on disk, target by target, warm-up included.
    pub(crate) records: Vec<Record>,
    /// What could not be read back.
    unread: Vec<String>,
    /// Whether something asked for was not measured at all.
    lacking: bool,
}

/// Before whom a run is carried out.
pub(crate) enum Show<'a> {
    /// A person at a terminal, with a screen.
    Screen(&'a mut Stage, &'a mut dyn Screen),
    /// Whoever reads lines: each step of the run as sentences.
    Lines(&'a mut dyn FnMut(&Progress) -> Vec<String>),
}

/// Prepares what `args` asks for, as `way` has it: simulated engines are started, models known, engines asked how they are
/// configured. Nothing is measured yet.
///
/// # Errors
/// As [`prepare`]; and when fewer targets are left than the command needs.
pub(crate) fn line_up(args: &RunArgs, way: &Way<'_>, context: &Context) -> Result<Field, Failure> {
    let prepared = prepare(args, way, context)?;
    let plan = &prepared.resolved.plan;
    let prompt = question(&prepared.asked.prompts, plan.seed, 0);
    let found = about(&prepared)?;
    let lanes = plan.targets.iter().map(|target| lane(target, &found)).collect();
    Ok(Field { lanes, found, prompt, clock: Clock::start(), prepared })
}

/// What the request of this number asks.
pub(crate) fn question(prompts: &Prompts, seed: u64, index: u64) -> Untrusted {
    Untrusted::bounded(prompts.pick(seed, index).prompt.user.as_str(), usize::MAX)
}

/// What the plan says of a target, and its engine of itself where that was `found`.
pub(crate) fn lane(target: &Target, found: &[Found]) -> Lane {
    let said = found.iter().filter(|found| found.target == target.name).flat_map(|found| &found.about);
    Lane {
        name: target.name.clone(),
        simulated: target.simulated,
        endpoint: place(&target.url),
        model: target.model.clone(),
        about: said.map(|said| (said.name.clone(), said.value.clone())).collect(),
    }
}

/// Where an engine listens, as a person would write it: its host, and its port where that is not the usual one.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What the targets say of themselves, in the plan's order; without keys, should one be said.
fn about(prepared: &Prepared) -> Result<Vec<Found>, Failure> {
    let resolved = &prepared.resolved;
    let connector = Connector::new(&resolved.plan.transport, prepared.proxy.clone(), Clock::start());
    let connector = connector.map_err(miette::Report::from)?;
    let asked = resolved.targets.iter().map(|target| discover::about(&connector, target));
    let told = small_runtime()?.block_on(join_all(asked));
    let redactor = prepared.redactor();
    let said = |line: discover::Line| Said {
        name: line.name.to_owned(),
        value: Untrusted::bounded(redactor.text(line.value.raw()), usize::MAX),
        source: line.source.to_owned(),
    };
    let found = |(target, about): (&Target, discover::About)| Found {
        target: target.name.clone(),
        about: about.lines().into_iter().map(said).collect(),
        round_trip_ns: None,
    };
    Ok(resolved.plan.targets.iter().zip(told).map(found).collect())
}

/// Steps that may wait to be said. One who reads slowly misses some; the run waits for nobody.
const FEED: usize = 65_536;

impl Field {
    /// What a race's screen is made of, for so many measured heats; names are shown.
    pub(crate) fn setup(&self, runs: u32) -> RaceSetup {
        RaceSetup {
            prompt: self.prompt.clone(),
            targets: self.lanes.clone(),
            runs,
            max_tokens: self.prepared.resolved.plan.workload.max_tokens,
            blind: None,
        }
    }

    /// What each measured heat asks, by its number from 0.
    pub(crate) fn prompts(&self) -> impl Fn(u32) -> Option<Untrusted> + use<> {
        let (prompts, seed) = (self.prepared.asked.prompts.clone(), self.prepared.resolved.plan.seed);
        move |heat| Some(question(&prompts, seed, u64::from(heat)))
    }

    /// Carries the run out, text by text before `show`, until it is over and sealed. Simulated engines end with it.
    ///
    /// # Errors
    /// As [`runner::run`], and when the run's records cannot be read back.
    pub(crate) fn carry_out(self, show: Show<'_>, stop: &Stop, context: &Context) -> Result<Heat, Failure> {
        let lacking = self.prepared.is_lacking();
        let job =
            Job { clock: self.clock, follow: Follow::Text, found: self.found, ..benchmark::job(&self.prepared, None) };
        let finished = match show {
            Show::Screen(stage, screen) => stage.perform(job, stop, screen),
            Show::Lines(say) => tell(job, stop, say, context),
        };
        self.prepared.stop_simulated();
        let finished = finished?;
        let run = Run::open(&finished.path).map_err(miette::Report::new)?;
        let mut heat = Heat { records: Vec::new(), unread: Vec::new(), finished, lacking };
        for target in run.targets() {
            for record in run.records(target).map_err(miette::Report::new)? {
                match record {
                    Ok(record) => heat.records.push(record),
                    Err(error) => heat.unread.push(error.to_string()),
                }
            }
        }
        Ok(heat)
    }
}

/// Carries `job` out on a thread of its own, and says on this one what happens.
fn tell(
    job: Job,
    stop: &Stop,
    say: &mut dyn FnMut(&Progress) -> Vec<String>,
    context: &Context,
) -> Result<Finished, Failure> {
    let (sender, feed) = sync_channel(FEED);
    let stop = stop.clone();
    let watch = move |progress: Progress| drop(sender.try_send(progress));
    let running = std::thread::Builder::new().name("run".into()).spawn(move || runner::run(job, &stop, watch));
    let running = running.map_err(|error| miette::miette!("no thread for the run: {error}"))?;
    loop {
        match feed.recv_timeout(Duration::from_millis(100)) {
            Ok(progress) => context.terminal.note_all(&say(&progress)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let finished = running.join().map_err(|_| miette::miette!("the run's thread has panicked"))?;
    Ok(finished.map_err(miette::Report::from)?)
}

impl Heat {
    /// Prints the run's numbers in the form that was asked for, and where it is kept.
    ///
    /// # Errors
    /// Stdout cannot be written to.
    pub(crate) fn tell(&self, context: &Context) -> Result<(), Failure> {
        context.print_run(&self.finished.summary, &self.finished.manifest)?;
        self.notes(context);
        Ok(())
    }

    /// Says what is to be said of it beside its numbers, and where it is kept.
    pub(crate) fn notes(&self, context: &Context) {
        benchmark::notes(&self.finished, context);
        context.terminal.note_all(&self.unread);
    }

    /// What its pages are made of.
    pub(crate) fn told(&self) -> Told {
        let Finished { summary, manifest, .. } = &self.finished;
        let (summary, plan) = (summary.clone(), manifest.plan.clone());
        Told { summary, plan, records: self.records.clone() }
    }

    /// The exit status: 130 interrupted, 1 when something asked for could not be measured or any request failed, 3 when
    /// an SLO was not met.
    pub(crate) fn exit(&self) -> Exit {
        let failed = self.finished.summary.targets.iter().any(|target| target.completed < target.attempted);
        match benchmark::exit(&self.finished, self.lacking) {
            Exit::Interrupted => Exit::Interrupted,
            _ if failed => Exit::Failed,
            exit => exit,
        }
    }

    /// Whether the person, or a signal, ended it before its time.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.finished.manifest.status == Status::Interrupted
    }
}
