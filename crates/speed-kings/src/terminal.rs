//! What is printed, and how: results on stdout, everything else on stderr.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use miette::MietteHandlerOpts;
use schema::counted;
use schema::text::Untrusted;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::{ColorChoice, Globals};
use crate::config::problem::Problem;
use crate::environment::Environment;
use crate::outcome::Failure;

/// Bytes of one line of a note at most.
const LONGEST_LINE: usize = 16 << 10;

/// Columns of text that goes to no terminal.
const PIPED_WIDTH: u16 = 120;

/// How this process talks.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is settled by itself")]
pub(crate) struct Terminal {
    color_out: bool,
    color_err: bool,
    can_show: bool,
    quiet: bool,
    verbose: u8,
}

impl Terminal {
    /// Settles colours and loudness, and draws errors accordingly from now on.
    pub(crate) fn new(globals: &Globals, environment: &Environment) -> Self {
        // Windows has no `TERM`; elsewhere a terminal that does not say what it is can do nothing.
        let is_dumb = environment.get("TERM").map_or(cfg!(unix), |it| it == "dumb");
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal();
        let plain = environment.get("NO_COLOR").is_some() || environment.get("TERM") == Some("dumb");
        let colored = |is_terminal: bool| match globals.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !plain,
        };
        let terminal = Self {
            color_out: colored(io::stdout().is_terminal()),
            color_err: colored(io::stderr().is_terminal()),
            can_show: is_terminal && !is_dumb && !globals.quiet,
            quiet: globals.quiet,
            verbose: globals.verbose,
        };
        terminal.draw_errors();
        terminal
    }

    fn draw_errors(self) {
        let color = self.color_err;
        let options = move || {
            let options = MietteHandlerOpts::new().color(color).terminal_links(false).break_words(false);
            if io::stderr().is_terminal() { options } else { options.width(usize::from(PIPED_WIDTH)) }
        };
        // Only a second hook is refused, and there is none.
        drop(miette::set_hook(Box::new(move |_| Box::new(options().build()))));
    }

    /// Sends what the rooms log to stderr: warnings, and more with each `-v`, or as `SPEED_KINGS_LOG` says.
    pub(crate) fn start_logging(self, environment: &Environment) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => "error",
            (false, 0) => "warn",
            (false, 1) => "info",
            (false, 2) => "debug",
            (false, _) => "trace",
        };
        let wanted = environment.get("SPEED_KINGS_LOG").unwrap_or(level);
        let filter = wanted.parse().unwrap_or_else(|_| Targets::new().with_default(LevelFilter::WARN));
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(|| Log)
            .with_ansi(false)
            .with_target(false)
            .log_internal_errors(false);
        tracing_subscriber::registry().with(lines).with(filter).init();
    }

    /// Prints a result. A reader that has gone away, as `head` does, is no failure.
    #[expect(clippy::unused_self, reason = "whoever prints has to have been handed the terminal")]
    pub(crate) fn print(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        match out.write_all(text.as_bytes()).and_then(|()| out.write_all(newline.as_bytes())).and_then(|()| out.flush())
        {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(miette::miette!("the result cannot be written to stdout: {error}").into())
            }
            _ => Ok(()),
        }
    }

    /// Says something that is no result, unless asked to be quiet.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            // Notes quote servers and paths, so they are cleaned here, once; line breaks are ours.
            let lines = text.split('\n').map(|line| Untrusted::bounded(line, LONGEST_LINE).for_terminal());
            say(&lines.collect::<Vec<_>>().join("\n"));
        }
    }

    /// Says several things that are no result.
    pub(crate) fn note_all(self, notes: &[String]) {
        for note in notes {
            self.note(note);
        }
    }

    /// Asks whether something that cannot be undone shall be done; `yes` answers for everyone.
    ///
    /// # Errors
    /// There is nobody to ask.
    #[expect(clippy::unused_self, reason = "whoever asks has to have been handed the terminal")]
    pub(crate) fn confirm(self, question: &str, yes: bool) -> Result<bool, Failure> {
        if yes {
            return Ok(true);
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Problem::new("nobody is here to be asked").help("`--yes` does it without asking").into());
        }
        let lines = question.split('\n').map(|line| Untrusted::bounded(line, LONGEST_LINE).for_terminal());
        drop(write!(io::stderr(), "{} [y/N] ", lines.collect::<Vec<_>>().join("\n")));
        let mut answer = String::new();
        let heard = io::stdin().lock().take(100).read_line(&mut answer);
        Ok(heard.is_ok() && matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Shows why the command could not go on.
    #[expect(clippy::unused_self, reason = "whoever prints has to have been handed the terminal")]
    pub(crate) fn complain(self, report: &miette::Report) {
        // The code of another room's error says nothing to the one who reads it here.
        match report.code() {
            Some(_) => say(&format!("{:?}", miette::Report::new(Problem::from_diagnostic(report.as_ref())))),
            None => say(&format!("{report:?}")),
        }
    }

    /// Whether someone watches stderr: then progress may be drawn there.
    pub(crate) fn is_watched(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Whether a screen can be shown: someone sits before a terminal that can move its cursor, and wants to be told.
    pub(crate) fn can_show(self) -> bool {
        self.can_show
    }

    /// Whether stderr, and so a screen, may have colours.
    pub(crate) fn has_color(self) -> bool {
        self.color_err
    }

    /// How tables for stdout are laid out.
    pub(crate) fn style(self) -> report::Style {
        report::Style { width: stdout_width(), color: self.color_out }
    }
}

/// Writes a line to stderr, or keeps it until the screen that is up is left. That nobody may be listening there is no failure.
fn say(line: &str) {
    if !Curtain::hold(line) {
        drop(writeln!(io::stderr(), "{line}"));
    }
}

/// What stands between a screen and all that is said while it is up.
pub(crate) struct Curtain {
    /// Whoever draws.
    owner: ThreadId,
    lines: Vec<String>,
    dropped: usize,
}

/// Lines that wait for the end of a screen at most.
const MOST_HELD: usize = 1_000;

/// One process has one terminal.
static CURTAIN: Mutex<Option<Curtain>> = Mutex::new(None);

impl Curtain {
    fn get() -> MutexGuard<'static, Option<Self>> {
        CURTAIN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A screen goes up, drawn by this thread: what is said from now on waits.
    pub(crate) fn close() {
        Self::get().get_or_insert_with(|| Self { owner: std::thread::current().id(), lines: Vec::new(), dropped: 0 });
    }

    /// The screen was left: says what waited.
    pub(crate) fn open() {
        let Some(Self { lines, dropped, .. }) = Self::get().take() else { return };
        for line in &lines {
            say(line);
        }
        if dropped > 0 {
            say(&format!("and {}", counted(dropped, "more line")));
        }
    }

    /// Whether a screen is up.
    pub(crate) fn is_closed() -> bool {
        Self::get().is_some()
    }

    /// Whether this thread draws it.
    pub(crate) fn is_this_threads() -> bool {
        Self::get().as_ref().is_some_and(|curtain| curtain.owner == std::thread::current().id())
    }

    /// Keeps `line` until the screen is left; `false` if none is up.
    pub(crate) fn hold(line: &str) -> bool {
        let mut curtain = Self::get();
        let Some(curtain) = curtain.as_mut() else { return false };
        if curtain.lines.len() < MOST_HELD {
            curtain.lines.push(line.to_owned());
        } else {
            curtain.dropped += 1;
        }
        true
    }
}

/// Where lines of the log go.
struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !Curtain::hold(String::from_utf8_lossy(line).trim_end()) {
            io::stderr().write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Columns of the terminal behind stdout.
fn stdout_width() -> u16 {
    if !io::stdout().is_terminal() {
        return PIPED_WIDTH;
    }
    terminal_size::terminal_size().map_or(PIPED_WIDTH, |(width, _)| width.0)
}
