//! When requests leave.
