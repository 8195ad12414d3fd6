//! Finds engines.
