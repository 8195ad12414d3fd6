//! The parts a comparison is made of.
