//! The room as its callers use it.

mod crash;
mod hostile;
mod listing;
mod published;
mod round_trip;
mod sample;
mod seal;
mod secrets;
mod table;
