//! The terminal as a stage: raw, on a page of its own, and given back whatever happens.
//!
//! ```text
//! runner's thread ──Progress──▶ bounded queue (full: missed) ──▶ this thread: fold, draw, keys ──▶ Stop
//! ```

mod recording;

use std::io::{self, Stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use ratatui::Terminal as Canvas;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::crossterm::{cursor, execute};
use runner::{Finished, Job, Stop};
use schema::progress::Progress;
use transport::Clock;
use tui::{Reaction, Screen, Theme, ThemeName, View};

use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::config::problem::Problem;
use crate::outcome::Failure;

/// A frame at most this often; eyes see no more, and the processor is the run's.
const FRAME: Duration = Duration::from_millis(40);

/// Steps that may wait to be drawn. A viewer that falls behind misses some.
const FEED: usize = 65_536;

/// The terminal while it is ours.
pub(crate) struct Stage {
    canvas: Canvas<CrosstermBackend<Stderr>>,
    theme: Theme,
}

impl Stage {
    /// Whether a screen is wanted and can be shown; if not, there are lines of text. Asked before anything is measured.
    ///
    /// # Errors
    /// What was asked of the screen cannot be: a recording of nothing, or into a file of an unknown kind.
    pub(crate) fn wanted(args: &ScreenArgs, context: &Context) -> Result<bool, Failure> {
        let wanted = !args.no_tui && !args.plain && context.terminal.can_show();
        if let Some(path) = &args.record {
            recording::check(path)?;
            if !wanted {
                return Err(Problem::new("there is no screen to record")
                    .help("`--record` needs a terminal, and neither `--no-tui` nor `--plain` nor `--quiet`")
                    .into());
            }
        }
        Ok(wanted)
    }

    /// Takes the terminal.
    ///
    /// # Errors
    /// It cannot be had.
    pub(crate) fn open(args: &ScreenArgs, context: &Context) -> Result<Self, Failure> {
        let unavailable = |error: io::Error| Failure::from(miette::miette!("the terminal cannot be drawn on: {error}"));
        enable_raw_mode().map_err(unavailable)?;
        execute!(io::stderr(), EnterAlternateScreen, cursor::Hide).map_err(unavailable)?;
        let canvas = Canvas::new(CrosstermBackend::new(io::stderr())).map_err(unavailable)?;
        let theme = if context.terminal.has_color() { args.theme.unwrap_or_default() } else { ThemeName::Mono };
        Ok(Self { canvas, theme: Theme::of(theme) })
    }

    /// Carries `job` out on a thread of its own while `screen` shows it, until it is over and sealed.
    ///
    /// # Errors
    /// As [`runner::run`].
    pub(crate) fn perform(&mut self, job: Job, stop: &Stop, screen: &mut dyn Screen) -> Result<Finished, Failure> {
        let clock = job.clock;
        let missed = Arc::new(AtomicU64::new(0));
        let (sender, feed) = sync_channel(FEED);
        let running = {
            let (stop, missed) = (stop.clone(), Arc::clone(&missed));
            let watch = move |progress: Progress| {
                if sender.try_send(progress).is_err() {
                    missed.fetch_add(1, Ordering::Relaxed);
                }
            };
            std::thread::Builder::new().name("run".into()).spawn(move || runner::run(job, &stop, watch))
        };
        let running = running.map_err(|error| miette::miette!("no thread for the run: {error}"))?;
        let mut drawn = Ok(());
        while !running.is_finished() && drawn.is_ok() {
            drawn =
                self.frame(screen, Some(&feed), clock, missed.load(Ordering::Relaxed)).map(|reaction| match reaction {
                    Reaction::Stay | Reaction::Leave => {}
                    Reaction::Stop if stop.is_asked() => stop.waiting(),
                    Reaction::Stop => stop.sending(),
                    Reaction::Abort => stop.waiting(),
                });
        }
        if drawn.is_err() {
            stop.waiting();
        }
        let finished = running.join().map_err(|_| miette::miette!("the run's thread has panicked"))?;
        feed.try_iter().for_each(|progress| screen.fold(&progress));
        Ok(finished.map_err(miette::Report::from)?)
    }

    /// Shows `screen` until it is left.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn show(&mut self, screen: &mut dyn Screen, clock: Clock) -> Result<Reaction, Failure> {
        loop {
            let reaction = self.frame(screen, None, clock, 0);
            match reaction.map_err(|error| miette::miette!("the terminal cannot be drawn on: {error}"))? {
                Reaction::Stay => {}
                reaction => return Ok(reaction),
            }
        }
    }

    /// One frame, and the keys until the next.
    fn frame(
        &mut self,
        screen: &mut dyn Screen,
        feed: Option<&Receiver<Progress>>,
        clock: Clock,
        missed: u64,
    ) -> io::Result<Reaction> {
        let next = Instant::now() + FRAME;
        if let Some(feed) = feed {
            feed.try_iter().take(FEED).for_each(|progress| screen.fold(&progress));
        }
        let view = View { now: clock.now(), theme: &self.theme, missed };
        self.canvas.draw(|frame| screen.draw(frame, &view))?;
        while event::poll(next.saturating_duration_since(Instant::now()))? {
            let Event::Key(key) = event::read()? else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let reaction = if is_interrupt(key) { Reaction::Stop } else { screen.press(key) };
            if reaction != Reaction::Stay {
                return Ok(reaction);
            }
        }
        Ok(Reaction::Stay)
    }
}

/// Raw terminals send no signal.
fn is_interrupt(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)
}

impl Drop for Stage {
    fn drop(&mut self) {
        // With the terminal gone there is nothing to give back.
        drop(execute!(io::stderr(), LeaveAlternateScreen, cursor::Show));
        drop(disable_raw_mode());
    }
}
