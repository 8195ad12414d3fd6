//! What a run looks like from outside while it goes on: a bar with live figures where someone watches,
//! notes otherwise.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use runner::{Finished, Job, Stop};
use schema::plan::Plan;
use schema::progress::Progress;
use schema::units::Moment;
use stats::live::Live;

use crate::outcome::Failure;
use crate::terminal::Terminal;

/// What can be told of a run in sentences while it goes on.
pub(crate) trait Told: Send + 'static {
    /// Takes one step of the run in.
    fn fold(&mut self, progress: &Progress);

    /// How it stands.
    fn in_words(&mut self, now: Moment) -> Vec<String>;
}

impl Told for tui::LiveView {
    fn fold(&mut self, progress: &Progress) {
        tui::Screen::fold(self, progress);
    }

    fn in_words(&mut self, now: Moment) -> Vec<String> {
        tui::LiveView::in_words(self, now)
    }
}

/// How often a run tells how it stands.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Steps that may wait to be told. A listener that falls behind misses some.
const FEED: usize = 65_536;

/// Carries `job` out and tells every few seconds how it stands, a sentence a line.
///
/// # Errors
/// As [`runner::run`].
pub(crate) fn in_sentences(
    job: Job,
    stop: &Stop,
    mut told: impl Told,
    terminal: Terminal,
) -> Result<Finished, Failure> {
    let clock = job.clock;
    let (sender, feed) = sync_channel(FEED);
    let tell = move || tell(&mut told, &feed, terminal, || clock.now());
    let teller = std::thread::Builder::new().name("words".into()).spawn(tell);
    let teller = teller.map_err(|error| miette::miette!("no thread to tell how it goes: {error}"))?;
    // Who listens may miss some of it; the run does not wait.
    let finished = runner::run(job, stop, move |progress| drop(sender.try_send(progress)));
    drop(teller.join());
    Ok(finished.map_err(miette::Report::from)?)
}

fn tell(told: &mut impl Told, feed: &Receiver<Progress>, terminal: Terminal, now: impl Fn() -> Moment) {
    let mut next = Instant::now() + TOLD_EVERY;
    loop {
        match feed.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(progress) => {
                if let Progress::Note(note) = &progress {
                    terminal.note(note);
                }
                told.fold(&progress);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if Instant::now() >= next {
            next = Instant::now() + TOLD_EVERY;
            terminal.note_all(&told.in_words(now()));
        }
    }
    terminal.note_all(&told.in_words(now()));
}

/// Folds progress into a bar on stderr.
#[derive(Clone)]
pub(crate) struct Display {
    bar: ProgressBar,
    terminal: Terminal,
    state: Arc<Mutex<State>>,
}

struct State {
    live: Live,
    by_time: bool,
    /// Requests that are over, warm-up included.
    done: u64,
}

impl Display {
    /// A display for a run of `plan`.
    pub(crate) fn new(plan: &Plan, terminal: Terminal) -> Self {
        let target =
            if terminal.is_watched() { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let state = State { live: Live::new(&plan.targets), by_time: false, done: 0 };
        Self { bar, terminal, state: Arc::new(Mutex::new(state)) }
    }

    /// Takes one step of the run in.
    pub(crate) fn fold(&mut self, progress: Progress) {
        if !self.terminal.is_watched() {
            // A bar that nobody sees says nothing.
            if let Progress::Note(note) = progress {
                self.terminal.note(&note);
            }
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Began { requests, duration } => {
                state.by_time = requests.is_none();
                let seconds = duration.map(|length| Duration::from(length).as_secs());
                self.bar.set_style(style(state.by_time));
                self.bar.set_length(requests.or(seconds).unwrap_or(0));
            }
            Progress::Block { target, phase, block } => {
                let phase = match phase {
                    schema::record::Phase::Warmup => "warming up".to_owned(),
                    schema::record::Phase::Measured => format!("block {}", block + 1),
                };
                self.bar.set_prefix(format!("{target}, {phase}"));
            }
            Progress::Step { target, step, axis, level } => {
                self.bar.set_prefix(format!("{target}, step {}: {} {level:.3}", step + 1, axis.in_words()));
            }
            Progress::Recorded(record) => {
                state.live.record(&record);
                // A further attempt belongs to a request that was counted already.
                state.done += u64::from(record.attempt == 0);
            }
            // Comes as often as eyes see, whatever the load. There is no bar before it is known how long it is.
            Progress::Pulse { .. } if self.bar.length().is_some() => {
                self.bar.set_position(if state.by_time { self.bar.elapsed().as_secs() } else { state.done });
                self.bar.set_message(figures(&state.live));
            }
            Progress::Note(note) => self.bar.println(note),
            Progress::Sampled(..) | Progress::Warmed { .. } | Progress::Moved { .. } | Progress::Pulse { .. } => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(by_time: bool) -> ProgressStyle {
    let unit = if by_time { "s" } else { "" };
    let template = format!("{{bar:24}} {{pos}}/{{len}}{unit}  ETA {{eta}}  {{prefix}}\n{{msg}}");
    ProgressStyle::with_template(&template).expect("the template is well-formed")
}

/// One line a target: what is known so far.
fn figures(live: &Live) -> String {
    let targets = live.snapshot().targets.into_iter().map(|target| {
        let simulated = if target.simulated { " SIMULATED" } else { "" };
        let count = |n: u64, what: &str| (n > 0).then(|| format!("{n} {what}"));
        let known = [
            Some(format!("{} done", target.done)),
            count(target.failed, "failed"),
            count(target.throttled, "throttled"),
            target.ttft_p50.map(|ttft| format!("TTFT p50 {ttft}")),
            target.output_tokens_per_s.map(|speed| format!("{speed:.0} tokens/s")),
            target.cost.map(|cost| cost.to_string()),
        ];
        let known: Vec<_> = known.into_iter().flatten().collect();
        format!("  {}{simulated}: {}", target.target, known.join(", "))
    });
    targets.collect::<Vec<_>>().join("\n")
}
