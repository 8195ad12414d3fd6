//! What a run looks like from outside while it goes on: a bar with live figures where someone watches,
//! notes otherwise.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use schema::plan::Plan;
use schema::progress::Progress;
use stats::live::Live;

use crate::terminal::Terminal;

/// Folds progress into a bar on stderr.
#[derive(Clone)]
pub(crate) struct Display {
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
}

struct State {
    live: Live,
    by_time: bool,
    drawn: Instant,
}

/// Figures change often; eyes do not.
const REDRAW_EVERY: Duration = Duration::from_millis(200);

impl Display {
    /// A display for a run of `plan`.
    pub(crate) fn new(plan: &Plan, terminal: Terminal) -> Self {
        let target =
            if terminal.is_watched() { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let state = State { live: Live::new(&plan.targets), by_time: false, drawn: Instant::now() };
        Self { bar, state: Arc::new(Mutex::new(state)) }
    }

    /// Takes one step of the run in.
    pub(crate) fn fold(&mut self, progress: Progress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Began { requests, duration } => {
                state.by_time = requests.is_none();
                let seconds = duration.map(|length| Duration::from(length).as_secs());
                self.bar.set_length(requests.or(seconds).unwrap_or(0));
                self.bar.set_style(style(state.by_time));
                self.bar.enable_steady_tick(REDRAW_EVERY);
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
            Progress::Sampled(..) | Progress::Warmed { .. } | Progress::Moved { .. } | Progress::Pulse { .. } => {}
            Progress::Recorded(record) => {
                state.live.record(&record);
                if !state.by_time {
                    self.bar.inc(1);
                }
            }
            Progress::Note(note) => self.bar.println(note),
        }
        if state.drawn.elapsed() >= REDRAW_EVERY {
            state.drawn = Instant::now();
            if state.by_time {
                self.bar.set_position(self.bar.elapsed().as_secs());
            }
            self.bar.set_message(figures(&state.live));
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
