//! The room as its callers use it.

mod baseline;
mod crash;
mod full;
mod hostile;
mod listing;
mod old;
mod published;
mod round_trip;
mod sample;
mod seal;
mod secrets;
mod series;
mod table;
