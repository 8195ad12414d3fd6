//! Carries out one plan from start to finish.
