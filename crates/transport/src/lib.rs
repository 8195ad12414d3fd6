//! One request timed: the stopwatch.
