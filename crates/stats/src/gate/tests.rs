//! Verdicts on planted figures.

mod nulls;
mod verdicts;
mod worlds;
