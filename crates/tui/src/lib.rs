//! Screens: what a person watches while a run is carried out, and after it.
//!
//! ```text
//! Progress ─▶ Screen::fold ─▶ what is known ─▶ Screen::draw ─▶ ratatui's buffer ─▶ whoever owns the terminal
//! keys ─────▶ Screen::press ─▶ Reaction ─▶ whoever owns the run
//! ```
//!
//! Invariants:
//! - No terminal, no clock and no thread here: frames are drawn into a buffer, at a moment that the caller names.
//! - A screen sees [`schema::progress::Progress`] and records, and cannot tell a live run from one that is replayed.
//! - What a model or a server said reaches a cell only through [`text`]: it cannot move the cursor, colour anything, or
//!   push its neighbours out of line.
//! - Any size will do: what has no room is left out, never drawn over something else.

mod bubbles;
pub mod cast;
pub mod chart;
pub mod conversation;
pub mod inspect;
pub mod json;
mod live;
mod pages;
mod panel;
mod plain;
mod prompt;
pub mod race;
pub mod replay;
mod rush;
mod scenario;
mod screen;
pub mod svg;
#[cfg(test)]
mod testing;
pub mod text;
mod theme;
mod vote;

pub use bubbles::Bubbles;
pub use live::{LiveView, Occasion};
pub use pages::{Answer, Answers, Page, Pages};
pub use plain::Plain;
pub use prompt::{LONGEST_PROMPT, PromptEntry};
pub use rush::Rush;
pub use scenario::{Scene, SceneMenu};
pub use screen::{Reaction, Screen, View};
pub use theme::{Theme, ThemeError, ThemeName};
pub use vote::{Ballot, Revealed, Voting, letter, tally_page, tally_text};
