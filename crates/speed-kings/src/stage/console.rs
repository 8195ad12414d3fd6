//! The terminal, taken and given back.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};
use std::sync::Once;

use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::style::ResetColor;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{Command, cursor, queue};

use crate::terminal::Curtain;

/// Text is shown in the order of its cells: terminals that would reorder right-to-left text would reorder lanes with it.
const IN_ORDER: &[u8] = b"\x1b[8l";
/// As terminals have it by default.
const REORDERED: &[u8] = b"\x1b[8h";

/// Takes the terminal: keys come one by one, and there is a page of our own. What others say waits behind it.
///
/// # Errors
/// It cannot be had; then it is as it was.
pub(super) fn take() -> io::Result<()> {
    give_back_before_panics_are_told();
    enable_raw_mode()?;
    Curtain::close();
    let taken = enter();
    if taken.is_err() {
        give_back();
    }
    taken
}

fn enter() -> io::Result<()> {
    let mut bytes = Vec::new();
    add(&mut bytes, EnterAlternateScreen);
    bytes.extend_from_slice(IN_ORDER);
    add(&mut bytes, cursor::Hide);
    add(&mut bytes, EnableBracketedPaste);
    add(&mut bytes, Clear(ClearType::All));
    send(&bytes)
}

/// Takes the terminal anew, after others have had it.
///
/// # Errors
/// It is gone.
pub(super) fn retake() -> io::Result<()> {
    // Whoever had it may have set its modes, and one mode is not set twice.
    disable_raw_mode()?;
    enable_raw_mode()?;
    Curtain::close();
    enter()
}

/// Gives the terminal back, once however often it is called, and tells what waited. A terminal that is gone needs nothing.
pub(super) fn give_back() {
    if !Curtain::is_closed() {
        return;
    }
    let mut bytes = Vec::new();
    add(&mut bytes, ResetColor);
    // Terminals without a second page have only this one to leave tidy.
    add(&mut bytes, Clear(ClearType::All));
    add(&mut bytes, cursor::MoveTo(0, 0));
    bytes.extend_from_slice(REORDERED);
    add(&mut bytes, DisableBracketedPaste);
    add(&mut bytes, LeaveAlternateScreen);
    add(&mut bytes, cursor::Show);
    drop(send(&bytes));
    drop(disable_raw_mode());
    Curtain::open();
}

/// Sends the terminal what was drawn.
///
/// # Errors
/// It is gone.
pub(super) fn send(bytes: &[u8]) -> io::Result<()> {
    let mut terminal = io::stderr().lock();
    terminal.write_all(bytes)?;
    terminal.flush()
}

fn add(bytes: &mut Vec<u8>, command: impl Command) {
    queue!(bytes, command).expect("bytes can be added to");
}

/// A panic of the thread that draws is told on a terminal that can be read; one of another thread waits for that.
fn give_back_before_panics_are_told() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if Curtain::is_closed() && !Curtain::is_this_threads() {
                Curtain::hold(&in_words(panicked));
            } else {
                give_back();
                tell(panicked);
            }
        }));
    });
}

/// Which thread panicked, where and why, and how it came there where `RUST_BACKTRACE` asks for that.
fn in_words(panicked: &PanicHookInfo<'_>) -> String {
    let thread = std::thread::current();
    let told = format!("thread '{}' {panicked}", thread.name().unwrap_or("<unnamed>"));
    let backtrace = Backtrace::capture();
    match backtrace.status() {
        BacktraceStatus::Captured => format!("{told}\nstack backtrace:\n{backtrace}"),
        _ => told,
    }
}
