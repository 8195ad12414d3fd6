//! Screens in a real terminal: however they end, the terminal is as it was and the run is sealed.

use nix::sys::signal::Signal;
use schema::manifest::Status;
use sim::{Engine, Sim};

use crate::command::Desk;
use crate::e2e_run::{latest, slow_engine, start, target, wait_until};
use crate::pty::{CTRL_BACKSLASH, CTRL_C, CTRL_Z, ENTER, Life, Pty};

/// A race that goes on for longer than anybody waits, between engines that talk all the time.
struct Endless {
    desk: Desk,
    _sims: [Sim; 2],
    arguments: Vec<String>,
}

impl Endless {
    fn new() -> Self {
        let sims = [1, 2].map(|ttft| start(slow_engine(Engine::OpenAi, ttft, 20)));
        let mut arguments = vec!["race".to_owned(), target("hare", &sims[0]), target("hedgehog", &sims[1])];
        arguments.extend(["--max-tokens=100000", "--warmup=0"].map(str::to_owned));
        Self { desk: Desk::new(), _sims: sims, arguments }
    }

    fn pty(&self, columns: u16, rows: u16) -> Pty {
        Pty::spawn(&self.desk, &self.arguments(&[]), columns, rows)
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect()
    }

    /// Asserts that the run was sealed in that state, with all of its files as they were then.
    #[track_caller]
    fn check_sealed(&self, status: Status) {
        let run = latest(&self.desk);
        assert_eq!(run.manifest.status, status);
        assert_eq!(run.missing, [""; 0]);
        assert!(store::verify(&run).is_empty());
    }
}

/// A race is going on, then this happens: it is over, the run is kept, and the terminal is as it was.
#[track_caller]
fn check_ends(what: impl FnOnce(&Pty)) {
    let race = Endless::new();
    let pty = race.pty(100, 30);
    pty.wait_for("generating");
    what(&pty);
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    race.check_sealed(Status::Interrupted);
    assert!(pty.screen().contains("run kept in"), "{}", pty.screen());
}

#[test]
fn pressed_once_ctrl_c_stops_sending_and_pressed_twice_it_gives_up() {
    check_ends(|pty| {
        pty.keys(CTRL_C);
        pty.wait_for("Ctrl-C gives them up");
        pty.keys(CTRL_C);
    });
}

#[test]
fn keys_that_give_up_do_so_at_once() {
    check_ends(|pty| pty.keys("q"));
    check_ends(|pty| pty.keys(CTRL_BACKSLASH));
}

#[test]
fn signals_end_a_run_in_order() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        check_ends(|pty| {
            pty.signal(signal);
            pty.wait_for("Ctrl-C gives them up");
            pty.signal(signal);
        });
    }
    check_ends(|pty| pty.signal(Signal::SIGQUIT));
    check_ends(|pty| pty.signal(Signal::SIGHUP));
}

#[test]
fn a_run_that_is_quit_before_it_has_begun_leaves_the_terminal_as_it_was() {
    for keys in ["q", CTRL_C, "\u{3}\u{3}", "\u{3}\u{3}\u{3}\u{3}"] {
        let race = Endless::new();
        let pty = race.pty(80, 24);
        pty.wait_until("the screen is up", vt100::Screen::alternate_screen);
        pty.keys(keys);
        if keys == CTRL_C {
            pty.wait_for("Ctrl-C gives them up");
            pty.keys(CTRL_C);
        }
        assert_eq!(pty.end(), Life::Ended(130));
        pty.check_sane();
        race.check_sealed(Status::Interrupted);
    }
}

#[test]
fn a_terminal_that_is_closed_gives_the_run_up_and_the_run_is_kept() {
    let race = Endless::new();
    let mut pty = race.pty(100, 30);
    pty.wait_for("generating");
    pty.hang_up();
    assert!(matches!(pty.end(), Life::Ended(_)));
    race.check_sealed(Status::Interrupted);
}

#[test]
fn put_aside_and_taken_up_again_a_screen_is_as_it_was_and_the_terminal_was_free_meanwhile() {
    let race = Endless::new();
    let pty = Pty::spawn_in_shell(&race.desk, &race.arguments(&[]), 100, 30);
    pty.wait_for("generating");
    pty.keys(CTRL_Z);
    pty.wait_for("[aside]");
    pty.check_sane();
    pty.keys(ENTER);
    pty.wait_for("generating");
    pty.wait_until("the screen is up again", |screen| screen.alternate_screen() && screen.hide_cursor());
    pty.keys("q");
    assert_eq!(pty.end(), Life::Ended(130));
    pty.check_sane();
    race.check_sealed(Status::Interrupted);
}

#[test]
fn without_anybody_who_could_take_it_up_again_nothing_is_put_aside() {
    // The first process of a terminal: nobody has job control over it.
    check_ends(|pty| {
        pty.keys(CTRL_Z);
        pty.wait_for("generating");
        pty.keys("q");
    });
}

#[test]
fn stopped_and_continued_from_outside_a_screen_is_drawn_anew() {
    check_ends(|pty| {
        pty.signal(Signal::SIGSTOP);
        pty.wait_for_life(Life::Stopped);
        let before = pty.sent().len();
        pty.signal(Signal::SIGCONT);
        let clears = |pty: &Pty| pty.sent()[before..].windows(4).any(|bytes| bytes == b"\x1b[2J");
        wait_until("the page is drawn anew", || clears(pty));
        pty.wait_for("generating");
        pty.keys("q");
    });
}

#[test]
fn a_terminal_may_change_its_size_at_any_time() {
    check_ends(|pty| {
        for (columns, rows) in [(250, 70), (20, 5), (1, 1), (40, 100), (100, 30)] {
            pty.resize(columns, rows);
            let bytes = pty.sent().len();
            wait_until("it is drawn", || pty.sent().len() > bytes);
        }
        pty.wait_for("generating");
        pty.keys("q");
    });
}

#[test]
fn nothing_is_drawn_where_no_screen_is_wanted() {
    for (more, term) in [(&["--no-tui"][..], "xterm"), (&["--plain"], "xterm"), (&["--quiet"], "xterm"), (&[], "dumb")]
    {
        let race = Endless::new();
        let pty = Pty::spawn_as(&race.desk, term, &race.arguments(more), 80, 24);
        wait_until("the run has begun", || store::find(&race.desk.path().join("results"), "latest").is_ok());
        pty.keys("\u{3}\u{3}");
        assert_eq!(pty.end(), Life::Ended(130), "{more:?} {term}");
        assert!(!pty.sent().windows(8).any(|bytes| bytes == b"\x1b[?1049h"), "{more:?} {term}");
        pty.check_sane();
    }
}

#[track_caller]
fn check_refused(more: &[&str], expected: &str) {
    let race = Endless::new();
    let pty = Pty::spawn(&race.desk, &race.arguments(more), 100, 24);
    assert_eq!(pty.end(), Life::Ended(2));
    assert!(pty.screen().contains(expected), "{}", pty.screen());
    assert!(!race.desk.path().join("results").exists(), "nothing was measured");
}

#[test]
fn recordings_that_cannot_be_are_refused_before_anything_is_measured() {
    check_refused(&["--record=race.gif"], "end the name in `.cast`");
    check_refused(&["--record=race"], "end the name in `.cast`");
    check_refused(&["--record=race.cast", "--no-tui"], "there is no screen to record");
}
