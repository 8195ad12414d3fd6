//! The room as its callers use it.

mod adopt;
mod baseline;
mod crash;
mod filter;
mod full;
mod hostile;
mod listing;
mod merge;
mod old;
mod published;
mod quick;
mod removal;
mod reseal;
mod round_trip;
mod sample;
mod seal;
mod secrets;
mod series;
mod table;
mod tags;
mod votes;
