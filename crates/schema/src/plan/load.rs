//! How requests are timed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adapt::Axis;
use super::spread::Pause;
use crate::counted;
use crate::units::{Nanos, Rate};

/// How arrivals of an open loop are spaced: `constant`, `poisson` or `gamma:SHAPE`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum Arrival {
    /// Equal gaps.
    Constant,
    /// Exponential gaps, as from many independent users.
    #[default]
    Poisson,
    /// Gamma-distributed gaps of that shape: 1 is Poisson, below it bursts, above it more even.
    Gamma(f64),
}

/// Text that is no arrival process.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is not a way for requests to arrive")]
#[diagnostic(
    code(schema::arrival),
    help("use constant, poisson, or gamma:0.5 (below 1 bursts, 1 is poisson, above 1 more even)")
)]
pub struct ArrivalError(pub String);

impl FromStr for Arrival {
    type Err = ArrivalError;

    fn from_str(text: &str) -> Result<Self, ArrivalError> {
        let shape = |text: &str| text.parse().ok().filter(|shape: &f64| (0.01..=1e4).contains(shape));
        match text.trim() {
            "constant" => Some(Self::Constant),
            "poisson" => Some(Self::Poisson),
            text => text.strip_prefix("gamma:").and_then(shape).map(Self::Gamma),
        }
        .ok_or_else(|| ArrivalError(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant => f.pad("constant"),
            Self::Poisson => f.pad("poisson"),
            Self::Gamma(shape) => write!(f, "gamma:{shape}"),
        }
    }
}

impl TryFrom<String> for Arrival {
    type Error = ArrivalError;
    fn try_from(text: String) -> Result<Self, ArrivalError> {
        text.parse()
    }
}

impl From<Arrival> for String {
    fn from(arrival: Arrival) -> Self {
        arrival.to_string()
    }
}

/// What becomes of a request of an open loop that is due while all places are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenFull {
    /// It is recorded as not sent.
    #[default]
    #[serde(alias = "not-sent")]
    NotSent,
    /// It waits for a place; its schedule stays, so TTFT from schedule shows the wait and TTFT does not.
    Wait,
}

/// A stretch of time in which the load goes evenly from one level to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// What it is called.
    pub name: String,
    /// Level at its beginning: requests per second, or streams.
    pub from: f64,
    /// Level at its end.
    pub to: f64,
    /// How long it lasts.
    pub length_ns: Nanos,
}

/// A stage as a person writes it: `5/s@30s`, `ramp=5/s..50/s@1m`, or with streams in place of a rate `8..64@1m`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct StageSpec {
    /// What its levels are.
    pub axis: Axis,
    /// The stage; without a name of its own its name is empty.
    pub stage: Stage,
}

/// Text that is no stage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{0}` is not a stage of a load")]
#[diagnostic(
    code(schema::stage),
    help("write it like `5/s@30s`, `ramp=5/s..50/s@1m`, or with streams in place of a rate `8..64@1m`")
)]
pub struct StageError(pub String);

impl FromStr for StageSpec {
    type Err = StageError;

    fn from_str(text: &str) -> Result<Self, StageError> {
        read_stage(text.trim()).ok_or_else(|| StageError(text.chars().take(80).collect()))
    }
}

fn read_stage(text: &str) -> Option<StageSpec> {
    let (name, rest) = text.split_once('=').unwrap_or(("", text));
    let (levels, length) = rest.rsplit_once('@')?;
    let length_ns = length.trim().parse().ok().filter(|length| *length > Nanos::ZERO)?;
    let (from, to) = levels.split_once("..").unwrap_or((levels, levels));
    let ((axis, from), (other, to)) = (read_level(from.trim())?, read_level(to.trim())?);
    let name_fits = name.chars().count() <= 40 && !name.contains(char::is_control);
    let stage = Stage { name: name.trim().to_owned(), from, to, length_ns };
    (axis == other && name_fits).then_some(StageSpec { axis, stage })
}

/// `0/s` is a level too, though no rate to measure at.
fn read_level(text: &str) -> Option<(Axis, f64)> {
    if text == "0/s" {
        return Some((Axis::Rate, 0.0));
    }
    if let Ok(rate) = text.parse::<Rate>() {
        return Some((Axis::Rate, rate.get()));
    }
    text.parse::<u32>()
        .ok()
        .filter(|streams| *streams <= 100_000)
        .map(|streams| (Axis::Concurrency, f64::from(streams)))
}

impl fmt::Display for StageSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stage { name, from, to, length_ns } = &self.stage;
        let unit = if self.axis == Axis::Rate { "/s" } else { "" };
        if !name.is_empty() {
            write!(f, "{name}=")?;
        }
        write!(f, "{from}{unit}")?;
        if from.to_bits() != to.to_bits() {
            write!(f, "..{to}{unit}")?;
        }
        write!(f, "@{}ms", length_ns.as_millis_f64())
    }
}

impl TryFrom<String> for StageSpec {
    type Error = StageError;
    fn try_from(text: String) -> Result<Self, StageError> {
        text.parse()
    }
}

impl From<StageSpec> for String {
    fn from(spec: StageSpec) -> Self {
        spec.to_string()
    }
}

/// How requests are timed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// A new request when a slot is free.
    Closed {
        /// Slots.
        concurrency: u32,
    },
    /// Arrivals at a rate, whatever happens.
    Open {
        /// Offered requests per second, for each target.
        rate_per_s: Rate,
        /// Spacing.
        arrival: Arrival,
        /// Requests in flight at most.
        max_concurrency: u32,
        /// What becomes of a request that finds no place.
        #[serde(default)]
        when_full: WhenFull,
    },
    /// Arrivals at rates that change stage by stage, whatever happens. Over when the stages are.
    RateStages {
        /// In order; levels are requests per second.
        stages: Vec<Stage>,
        /// Spacing.
        arrival: Arrival,
        /// Requests in flight at most.
        max_concurrency: u32,
        /// What becomes of a request that finds no place.
        #[serde(default)]
        when_full: WhenFull,
    },
    /// A closed loop whose number of streams changes stage by stage. Over when the stages are.
    StreamStages {
        /// In order; levels are streams, rounded to the nearest.
        stages: Vec<Stage>,
    },
    /// People: each asks, reads and thinks, asks again, and after a session stays away for a while.
    Users {
        /// How many.
        users: u32,
        /// From the end of an answer to the next request of the session.
        think: Pause,
        /// Requests of a session; with conversations, a session is one conversation.
        session_requests: u32,
        /// From the end of a session to the next.
        session_pause: Pause,
        /// Time over which they arrive, evenly.
        arrive_over_ns: Nanos,
    },
    /// Everybody at one instant, once or in waves.
    Crowd {
        /// Requests of one wave.
        users: u32,
        /// Waves.
        waves: u32,
        /// From one wave to the next.
        every_ns: Nanos,
    },
    /// The arrivals of a trace or of an earlier run.
    Replay {
        /// Where they were read from.
        trace: PathBuf,
        /// Times faster than recorded.
        speed: f64,
        /// Requests in flight at most.
        max_concurrency: u32,
        /// What becomes of a request that finds no place.
        #[serde(default)]
        when_full: WhenFull,
    },
}

impl Load {
    /// Requests in flight at most.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "streams are at most 100,000")]
    pub fn places(&self) -> u32 {
        match self {
            Self::Closed { concurrency } => *concurrency,
            Self::Open { max_concurrency, .. }
            | Self::RateStages { max_concurrency, .. }
            | Self::Replay { max_concurrency, .. } => *max_concurrency,
            Self::StreamStages { stages } => {
                stages.iter().map(|stage| stage.from.max(stage.to).round() as u32).max().unwrap_or(0)
            }
            Self::Users { users, .. } => *users,
            // A wave may meet the one before.
            Self::Crowd { users, waves, .. } => users.saturating_mul(*waves).min(100_000).max(*users),
        }
    }

    /// Whether requests leave by a schedule that no answer can change.
    pub const fn is_open(&self) -> bool {
        match self {
            Self::Open { .. } | Self::RateStages { .. } | Self::Crowd { .. } | Self::Replay { .. } => true,
            Self::Closed { .. } | Self::StreamStages { .. } | Self::Users { .. } => false,
        }
    }

    /// What becomes of a request that finds no place.
    pub const fn when_full(&self) -> WhenFull {
        match self {
            Self::Open { when_full, .. } | Self::RateStages { when_full, .. } | Self::Replay { when_full, .. } => {
                *when_full
            }
            _ => WhenFull::NotSent,
        }
    }

    /// This load at one level of a search: an open loop at that rate, or a closed loop with so many streams.
    /// Spacing and places are kept where this is an open loop. `None` for a rate of zero.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a plan may hold")]
    pub fn at(&self, axis: Axis, level: f64) -> Option<Self> {
        match axis {
            Axis::Concurrency => Some(Self::Closed { concurrency: level.round().clamp(1.0, 1e5) as u32 }),
            Axis::Rate => {
                let rate_per_s = Rate::per_second(level)?;
                let (arrival, max_concurrency, when_full) = match *self {
                    Self::Open { arrival, max_concurrency, when_full, .. } => (arrival, max_concurrency, when_full),
                    _ => (Arrival::Poisson, 1000, WhenFull::NotSent),
                };
                Some(Self::Open { rate_per_s, arrival, max_concurrency, when_full })
            }
        }
    }
}

/// What is done, in one line: `open loop, 5/s (poisson), at most 100 at once`.
impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = |when_full: &WhenFull| if *when_full == WhenFull::Wait { ", the rest waiting" } else { "" };
        let names = |stages: &[Stage], unit: &str| {
            let one = |stage: &Stage| {
                let name = if stage.name.is_empty() { String::new() } else { format!("{} ", stage.name) };
                format!("{name}{}→{}{unit} in {}", stage.from, stage.to, stage.length_ns)
            };
            stages.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Closed { concurrency } => write!(f, "closed loop, {concurrency} at once"),
            Self::Open { rate_per_s, arrival, max_concurrency, when_full } => {
                let full = full(when_full);
                write!(f, "open loop, {rate_per_s} ({arrival}), at most {max_concurrency} at once{full}")
            }
            Self::RateStages { stages, arrival, max_concurrency, when_full } => {
                let (stages, full) = (names(stages, "/s"), full(when_full));
                write!(f, "open loop in stages, {stages} ({arrival}), at most {max_concurrency} at once{full}")
            }
            Self::StreamStages { stages } => write!(f, "closed loop in stages, {}", names(stages, " at once")),
            Self::Users { users, think, session_requests: u32::MAX, session_pause, .. } => {
                let users = counted(*users, "user");
                write!(f, "{users}, thinking {think}, {session_pause} between sessions")
            }
            Self::Users { users, think, session_requests, session_pause, .. } => {
                let (users, requests) = (counted(*users, "user"), counted(*session_requests, "request"));
                write!(f, "{users}, thinking {think}, {requests} a session, {session_pause} between")
            }
            Self::Crowd { users, waves: 1, .. } => write!(f, "a crowd of {users} at one instant"),
            Self::Crowd { users, waves, every_ns } => write!(f, "{waves} waves of {users}, one each {every_ns}"),
            Self::Replay { trace, speed, max_concurrency, when_full } => {
                let (trace, full) = (trace.display(), full(when_full));
                write!(f, "replay of {trace} at {speed} times its speed, at most {max_concurrency} at once{full}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_process_is_read_as_it_is_written() {
        for text in ["constant", "poisson", "gamma:0.5"] {
            assert_eq!(text.parse::<Arrival>().unwrap().to_string(), text);
        }
        for wrong in ["gamma", "gamma:0", "gamma:-1", "gamma:nan", "uniform"] {
            assert!(wrong.parse::<Arrival>().is_err(), "{wrong}");
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(Axis, f64, f64, &str)>) {
        let spec = text.parse::<StageSpec>().ok();
        assert_eq!(spec.as_ref().map(|s| (s.axis, s.stage.from, s.stage.to, s.stage.name.as_str())), expected);
        if let Some(spec) = spec {
            assert_eq!(spec.to_string().parse::<StageSpec>().unwrap(), spec);
        }
    }

    #[test]
    fn a_stage_has_levels_a_length_and_perhaps_a_name() {
        check("5/s@30s", Some((Axis::Rate, 5.0, 5.0, "")));
        check("ramp=0/s..50/s@1m", Some((Axis::Rate, 0.0, 50.0, "ramp")));
        check("0/s@30s", Some((Axis::Rate, 0.0, 0.0, "")));
        check("8..64@1m", Some((Axis::Concurrency, 8.0, 64.0, "")));
        for wrong in ["5/s", "5@", "5/s..8@1s", "5/s@0s", "-5@1s", "a@1s", ""] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_step_of_a_search_keeps_spacing_and_places() {
        let load = Load::Open {
            rate_per_s: "1/s".parse().unwrap(),
            arrival: Arrival::Constant,
            max_concurrency: 7,
            when_full: WhenFull::Wait,
        };
        let Some(Load::Open { rate_per_s, arrival, max_concurrency, .. }) = load.at(Axis::Rate, 30.0) else { panic!() };
        assert!((rate_per_s.get() - 30.0).abs() < 1e-9 && arrival == Arrival::Constant && max_concurrency == 7);
        assert_eq!(load.at(Axis::Concurrency, 4.4), Some(Load::Closed { concurrency: 4 }));
        assert_eq!(load.at(Axis::Rate, 0.0), None);
    }
}
