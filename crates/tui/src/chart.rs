//! Charts made of text: a bar, a row of columns, a histogram, lines over time. Each is exactly as wide as it was asked
//! to be, and can be read without colour: what differs, differs in shape, letter or place.
//!
//! ```text
//! values ─▶ Range (from, to, linear or logarithmic) ─▶ Buckets ─▶ histogram, sparkline
//! points ─▶ Series, each with its own mark ────────────────────▶ lines
//! ```

mod histogram;
mod lines;
mod range;
mod row;

pub use histogram::{Buckets, histogram, ladder};
pub use lines::{Series, lines};
pub use range::{Range, Scale};
pub use row::{bar, exactly, sparkline};

/// How a value is written beside a chart.
pub type Label<'a> = &'a dyn Fn(f64) -> String;

#[cfg(test)]
mod tests;
