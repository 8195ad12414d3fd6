//! Records into numbers.
