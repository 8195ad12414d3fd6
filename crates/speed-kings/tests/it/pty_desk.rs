//! The binary in a terminal, in a folder of its own.

use std::process::Command;

use nix::sys::signal::Signal;

use crate::command::Desk;
use crate::pty::{CTRL_C, Life, Pty};

impl Pty {
    /// Runs the binary with `arguments` at `desk` in a terminal of `columns` × `rows`.
    pub(crate) fn spawn(desk: &Desk, arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::spawn_as(desk, "xterm-256color", arguments, columns, rows)
    }

    /// The same in a terminal that says to be a `term`.
    pub(crate) fn spawn_as(desk: &Desk, term: &str, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = desk.command(arguments);
        command.env("TERM", term);
        Self::run(command, columns, rows)
    }

    /// Runs the binary as a shell with job control runs it, so that it can be put aside and taken up again: when it is
    /// put aside the shell says `[aside]` and waits for a line.
    pub(crate) fn spawn_in_shell(desk: &Desk, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let binary = desk.command(arguments);
        let script = "\"$0\" \"$@\"; status=$?\n\
            while [ $status -gt 128 ] && [ -n \"$(jobs)\" ]; do echo \"[aside]\"; read _; fg >/dev/null; status=$?; done\n\
            exit $status";
        let mut shell = Command::new("bash");
        shell.args(["--norc", "-m", "-c", script]).arg(binary.get_program()).args(binary.get_args()).env_clear();
        shell.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env("TERM", "xterm-256color").current_dir(desk.path());
        Self::run(shell, columns, rows)
    }
}

#[test]
fn what_is_printed_stands_on_the_screen_and_the_terminal_is_as_it_was() {
    let pty = Pty::spawn(&Desk::new(), &["--version"], 80, 24);
    pty.wait_for("speed-kings 0");
    assert_eq!(pty.end(), Life::Ended(0));
    pty.check_sane();
}

#[test]
fn keys_reach_the_process_as_they_do_from_a_keyboard() {
    let desk = Desk::new();
    let pty = Pty::spawn(&desk, &["sim", "--engine", "vllm", "--model", "tiny"], 60, 20);
    pty.wait_for("http://127.0.0.1:");
    pty.resize(120, 40);
    pty.keys(CTRL_C);
    // It may not listen yet.
    assert!(matches!(pty.end(), Life::Ended(0) | Life::Killed(Signal::SIGINT)));
    pty.check_sane();
}

#[test]
fn a_terminal_that_is_closed_ends_what_runs_in_it() {
    let desk = Desk::new();
    let mut pty = Pty::spawn(&desk, &["sim", "--engine", "vllm", "--model", "tiny"], 60, 20);
    pty.wait_for("http://127.0.0.1:");
    pty.hang_up();
    assert_eq!(pty.end(), Life::Killed(Signal::SIGHUP));
}
