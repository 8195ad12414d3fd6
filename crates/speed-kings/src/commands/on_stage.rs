//! Commands whose screens, or whose runs, fall apart while they are watched. Each runs in a process of its own, in a terminal.

use std::process::Command;

use clap::Parser as _;
use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use runner::Stop;
use schema::manifest::Status;
use schema::progress::Progress;
use store::Run;
use tempfile::TempDir;
use tui::{Reaction, Screen, View};

use super::prepare::prepare;
use super::{Context, benchmark};
use crate::args::Globals;
use crate::args::run::{RunArgs, Way};
use crate::args::screen::ScreenArgs;
use crate::environment::Environment;
use crate::stage::Stage;
use crate::terminal::Terminal;

#[path = "../../tests/it/pty.rs"]
mod pty;

use pty::{Life, Pty};

/// Tells the process in the terminal what falls apart there.
const PART: &str = "SPEED_KINGS_TEST_PART";

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    globals: Globals,
    #[command(flatten)]
    screen: ScreenArgs,
    #[command(flatten)]
    run: RunArgs,
}

/// A screen that panics where it is told to.
struct Brittle {
    part: String,
    drawn: u32,
}

impl Brittle {
    fn fall_apart(&self, part: &str) {
        assert!(self.part != part, "fell apart in {part}");
    }
}

impl Screen for Brittle {
    fn fold(&mut self, _: &Progress) {
        self.fall_apart("fold");
    }

    fn draw(&mut self, frame: &mut Frame<'_>, _: &View<'_>) {
        self.drawn += 1;
        if self.drawn > 3 {
            self.fall_apart("draw");
        }
        frame.render_widget("press a key", frame.area());
    }

    fn press(&mut self, _: KeyEvent) -> Reaction {
        self.fall_apart("press");
        Reaction::Stay
    }
}

#[test]
#[ignore = "what the tests beside it run in a terminal"]
fn in_a_terminal() {
    let Ok(part) = std::env::var(PART) else { return };
    // Another one is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let flags = Flags::parse_from(["it", "--mock=vllm", "--requests=8", "--max-tokens=40", "--warmup=0"]);
    let environment = Environment::of_this_process();
    let context = Context::new(Terminal::new(&flags.globals, &environment), environment, flags.globals.output);
    let prepared = prepare(&flags.run, &Way::BENCHMARK, &context).unwrap();
    let mut job = benchmark::job(&prepared, None);
    if part == "pages" {
        job.pages = Box::new(|_, _| panic!("fell apart in pages"));
    }
    let mut stage = Stage::open(&flags.screen, &context).unwrap();
    context.terminal.note("said meanwhile");
    assert!(part != "command", "fell apart in command");
    let mut screen = Brittle { part: part.clone(), drawn: 0 };
    let finished = stage.perform(job, &Stop::new(), &mut screen);
    drop(stage);
    assert_eq!(finished.is_err(), part == "pages");
}

/// Something falls apart: the terminal is given back before that is told, and the process ends like that.
#[track_caller]
fn check_falls_apart(part: &str, life: Life) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "commands::on_stage::in_a_terminal", "--ignored", "--nocapture"]);
    command.current_dir(folder.path()).env("TERM", "xterm").env("HOME", folder.path()).env(PART, part);
    command.env_remove("NO_COLOR").env("RUST_BACKTRACE", if part == "draw" { "1" } else { "0" });
    let pty = Pty::run(command, 80, 24);
    if part == "press" {
        pty.wait_for("press a key");
        pty.keys("x");
    }
    assert_eq!(pty.end(), life, "{}", pty.screen());
    pty.check_sane();
    let sent = String::from_utf8_lossy(&pty.sent()).into_owned();
    let (on_screen, after) = sent.rsplit_once("\u{1b}[?1049l").expect("a screen was shown and left");
    for told in ["panicked at", file!(), &format!("fell apart in {part}"), "said meanwhile"] {
        assert!(after.contains(told) && !on_screen.contains(told), "{told}: {sent:?}");
    }
    assert_eq!(after.contains("stack backtrace"), part == "draw", "as RUST_BACKTRACE says: {sent:?}");
    folder
}

fn sealed(folder: &TempDir) -> Run {
    Run::open(&store::find(&folder.path().join("results"), "latest").unwrap()).unwrap()
}

#[test]
fn a_run_goes_on_and_is_sealed_when_its_screen_panics() {
    for part in ["fold", "draw", "press"] {
        let folder = check_falls_apart(part, Life::Ended(0));
        let run = sealed(&folder);
        assert_eq!(run.manifest.status, Status::Complete, "{part}");
        assert!(store::verify(&run).is_empty());
        assert_eq!(run.manifest.requests, Some(8), "{part}");
    }
}

#[test]
fn a_panic_of_the_command_leaves_the_terminal_in_order() {
    check_falls_apart("command", Life::Ended(101));
}

#[test]
fn a_panic_of_the_runs_thread_is_told_when_the_screen_is_left() {
    let folder = check_falls_apart("pages", Life::Ended(0));
    assert_eq!(sealed(&folder).records(&"vllm-sim".parse().unwrap()).unwrap().count(), 8, "all records are on disk");
}
