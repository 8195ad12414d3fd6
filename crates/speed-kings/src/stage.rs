//! The terminal as a stage: raw, on a page of its own, and given back whatever happens.
//!
//! ```text
//! runner's thread ──Progress──▶ bounded queue (full: missed) ──▶ screen's thread: fold, draw, keys ──▶ Stop
//! keys ──▶ their thread ──▶ screen's thread
//! signals ──▶ their thread ──▶ Stop; what concerns the screen is asked for frame by frame
//! ```
//!
//! Invariants:
//! - A run that was begun is waited for until it is sealed, whatever becomes of the screen: one that panics is left, and the
//!   run goes on without it; a terminal that is closed gives the run up.
//! - While the screen is up nothing else is written to it: notes, logs and other threads' panics wait until it is left.
//! - While a run goes on, drawing gets what processor time is left over, a fifth of one processor at most; a frame
//!   that differs in nothing sends nothing.

mod console;
mod keyboard;
mod paper;
mod priority;
mod recording;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ratatui::Terminal as Canvas;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::text::Line;
use runner::{Finished, Job, Stop};
use schema::progress::Progress;
use transport::Clock;
use tui::{Reaction, Screen, Theme, ThemeName, View};

use crate::args::screen::ScreenArgs;
use crate::commands::Context;
use crate::commands::interrupt::{self, Heard};
use crate::config::problem::Problem;
use crate::outcome::Failure;
use crate::terminal::Terminal;

use keyboard::Keyboard;
use paper::{Ink, Paper};
use recording::Recording;

/// A frame at most this often; eyes see no more, and the processor is the run's.
const FRAME: Duration = Duration::from_millis(40);

/// After a frame drawing rests this many times as long as the frame took.
const REST: u32 = 4;

/// A screen that is only shown, and on which nothing has changed for so many frames, is looked at less often.
const STILL: u32 = 25;
const STILL_FRAME: Duration = Duration::from_millis(200);

/// Steps that may wait to be drawn. A viewer that falls behind misses some.
const FEED: usize = 65_536;

/// The terminal while it is ours.
pub(crate) struct Stage {
    canvas: Canvas<Paper>,
    ink: Ink,
    theme: Theme,
    heard: &'static Heard,
    terminal: Terminal,
    recording: Option<Recording>,
    /// `None` once nobody reads it any more.
    keyboard: Option<Keyboard>,
    /// Frames since one that differed from the one before.
    still: u32,
    /// Nothing is drawn any more.
    is_left: bool,
}

/// What a run's screen shows at its lower edge, beside what it shows itself.
#[derive(Clone, Copy)]
enum Banner {
    Stopping,
    GivingUp,
    Leaving,
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

    /// Takes the terminal. From here on signals stop what is performed, and end what is shown.
    ///
    /// # Errors
    /// It cannot be had.
    pub(crate) fn open(args: &ScreenArgs, context: &Context) -> Result<Self, Failure> {
        let unavailable = |error: io::Error| Failure::from(miette::miette!("the terminal cannot be drawn on: {error}"));
        let theme = if context.terminal.has_color() { args.theme.unwrap_or_default() } else { ThemeName::Mono };
        let theme = Theme::of(theme);
        let recording = args.record.as_deref().map(|path| Recording::begin(path, &theme)).transpose()?;
        let heard = interrupt::heed(context.terminal)?;
        let ink = Ink::default();
        let canvas = Canvas::new(Paper::new(ink.clone())).map_err(unavailable)?;
        console::take().map_err(unavailable)?;
        let keyboard = Keyboard::open().inspect_err(|_| console::give_back()).map_err(unavailable)?;
        Ok(Self {
            canvas,
            ink,
            theme,
            heard,
            terminal: context.terminal,
            recording,
            keyboard: Some(keyboard),
            still: 0,
            is_left: false,
        })
    }

    /// Carries `job` out on a thread of its own while `screen` shows it, until it is over and sealed.
    ///
    /// # Errors
    /// As [`runner::run`].
    pub(crate) fn perform(&mut self, job: Job, stop: &Stop, screen: &mut dyn Screen) -> Result<Finished, Failure> {
        let clock = job.clock;
        let missed = Arc::new(AtomicU64::new(0));
        let (sender, mut feed) = sync_channel(FEED);
        interrupt::listen(stop, self.terminal)?;
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
        let drawn = std::thread::scope(|scope| {
            let (stage, screen, running, feed, missed) = (&mut *self, &mut *screen, &running, &mut feed, &missed);
            let draw = move || {
                priority::step_back();
                stage.watch(screen, running, (feed, missed), clock, stop);
            };
            // Joined where the scope ends; it has caught its panics.
            std::thread::Builder::new().name("screen".into()).spawn_scoped(scope, draw).is_ok()
        });
        if !drawn {
            self.fail();
        }
        let finished = running.join();
        self.heard.forget();
        let finished = finished.map_err(|_| miette::miette!("the run's thread has panicked"))?;
        self.guarded(|_| {
            for progress in feed.try_iter() {
                screen.fold(&progress);
            }
            Ok(Reaction::Stay)
        });
        Ok(finished.map_err(miette::Report::from)?)
    }

    /// Draws until the run is over, or the stage is left.
    fn watch<T>(
        &mut self,
        screen: &mut dyn Screen,
        running: &JoinHandle<T>,
        (feed, missed): (&Receiver<Progress>, &AtomicU64),
        clock: Clock,
        stop: &Stop,
    ) {
        let mut is_leaving = false;
        while !running.is_finished() && !self.is_left {
            let banner = banner(stop, is_leaving);
            match self.frame(screen, Some(feed), clock, missed.load(Ordering::Relaxed), banner) {
                Reaction::Stay => {}
                Reaction::Leave => is_leaving = true,
                Reaction::Stop if stop.is_asked() => stop.waiting(),
                Reaction::Stop => stop.sending(),
                Reaction::Abort => stop.waiting(),
            }
        }
    }

    /// Shows `screen` until it is left, or the process is asked to end; at once if the terminal is no longer ours.
    ///
    /// # Errors
    /// None so far: a terminal that is gone is one that was left.
    #[expect(clippy::unnecessary_wraps, reason = "who shows something is ready for a terminal that cannot")]
    pub(crate) fn show(&mut self, screen: &mut dyn Screen, clock: Clock) -> Result<Reaction, Failure> {
        while !self.is_left {
            if self.heard.is_asked_to_leave() {
                return Ok(Reaction::Stop);
            }
            match self.frame(screen, None, clock, 0, None) {
                Reaction::Stay => {}
                reaction => return Ok(reaction),
            }
        }
        Ok(Reaction::Abort)
    }

    /// One frame, and the keys until the next. Where that cannot be, the stage is left.
    fn frame(
        &mut self,
        screen: &mut dyn Screen,
        feed: Option<&Receiver<Progress>>,
        clock: Clock,
        missed: u64,
        banner: Option<Banner>,
    ) -> Reaction {
        self.guarded(|stage| {
            stage.heed()?;
            if let Some(feed) = feed {
                feed.try_iter().take(FEED).for_each(|progress| screen.fold(&progress));
            }
            let begun = Instant::now();
            stage.draw(screen, clock, missed, banner)?;
            let rest = FRAME.max(begun.elapsed() * REST);
            let pause = if feed.is_none() && stage.still >= STILL { rest.max(STILL_FRAME) } else { rest };
            stage.keys(screen, begun + pause, rest)
        })
    }

    /// Does `work`; if that cannot be done, or panics, the stage is left.
    fn guarded(&mut self, work: impl FnOnce(&mut Self) -> io::Result<Reaction>) -> Reaction {
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(Ok(reaction)) => reaction,
            // The terminal is gone.
            Ok(Err(_)) => {
                self.leave();
                Reaction::Abort
            }
            // The screen has panicked, which was told.
            Err(_) => {
                self.fail();
                Reaction::Stay
            }
        }
    }

    /// Gives the terminal back, and says why.
    fn fail(&mut self) {
        self.leave();
        self.terminal.note("the screen has failed; what is measured goes on without it, and Ctrl-C stops it");
    }

    /// Does what signals have asked for.
    fn heed(&mut self) -> io::Result<()> {
        if self.heard.is_hung_up() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if self.heard.is_asked_to_pause() {
            console::give_back();
            interrupt::pause();
            self.heard.resumes();
        }
        if self.heard.has_resumed() {
            console::retake()?;
            self.canvas.clear()?;
        }
        Ok(())
    }

    fn draw(&mut self, screen: &mut dyn Screen, clock: Clock, missed: u64, banner: Option<Banner>) -> io::Result<()> {
        let theme = &self.theme;
        let view = View { now: clock.now(), theme, missed };
        let drawn = self.canvas.draw(|frame| {
            screen.draw(frame, &view);
            if let Some(banner) = banner {
                let area = frame.area();
                let row = Rect { y: area.bottom().saturating_sub(1), height: area.height.min(1), ..area };
                frame.render_widget(Line::styled(banner.text(), theme.warn), row);
            }
            theme.paint(frame.buffer_mut());
        })?;
        let bytes = self.ink.take();
        if bytes.is_empty() {
            self.still = self.still.saturating_add(1);
            return Ok(());
        }
        self.still = 0;
        if let Some(recording) = &mut self.recording {
            recording.take(drawn.buffer, &bytes);
        }
        console::send(&bytes)
    }

    /// What is typed until `next`; what it changes is drawn after no more than `rest`.
    fn keys(&mut self, screen: &mut dyn Screen, mut next: Instant, rest: Duration) -> io::Result<Reaction> {
        while let Some(event) = self.keyboard.as_ref().map_or(Ok(None), |keyboard| keyboard.next(next))? {
            let reaction = match event {
                Event::Key(key) if key.kind == KeyEventKind::Release => Reaction::Stay,
                Event::Key(key) => match with_control(key) {
                    // Raw terminals send no signals.
                    Some('c') => Reaction::Stop,
                    Some('\\' | '4') => Reaction::Abort,
                    Some('z') => {
                        interrupt::pause_all();
                        Reaction::Stay
                    }
                    _ => screen.press(key),
                },
                Event::Paste(text) => screen.paste(&text),
                _ => Reaction::Stay,
            };
            if reaction != Reaction::Stay || self.heard.is_anything() {
                return Ok(reaction);
            }
            self.still = 0;
            next = next.min(Instant::now() + rest);
        }
        Ok(Reaction::Stay)
    }

    /// Gives the terminal back.
    fn leave(&mut self) {
        self.is_left = true;
        drop(self.keyboard.take());
        console::give_back();
        if let Some(recording) = self.recording.take() {
            match recording.finish() {
                Ok(path) => self.terminal.note(&format!("recorded in {}", path.display())),
                Err(error) => self.terminal.note(&format!("the recording could not be kept: {error}")),
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Banner {
    const fn text(self) -> &'static str {
        match self {
            Self::Stopping => " stopping: requests in flight may finish; Ctrl-C gives them up ",
            Self::GivingUp => " giving up what is in flight, and keeping the run ",
            Self::Leaving => " waiting for the run's end; Ctrl-C stops it ",
        }
    }
}

/// What there is to say about how a run is about to end.
fn banner(stop: &Stop, is_leaving: bool) -> Option<Banner> {
    if stop.is_given_up() {
        Some(Banner::GivingUp)
    } else if stop.is_asked() {
        Some(Banner::Stopping)
    } else {
        is_leaving.then_some(Banner::Leaving)
    }
}

/// The key that was pressed together with Control.
fn with_control(key: KeyEvent) -> Option<char> {
    match key.code {
        KeyCode::Char(it) if key.modifiers.contains(KeyModifiers::CONTROL) => Some(it),
        _ => None,
    }
}
