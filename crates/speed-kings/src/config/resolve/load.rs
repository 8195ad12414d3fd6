//! From settings to when requests leave, for how long, and what is searched.

use schema::comparison::Criterion;
use schema::plan::{Arrival, Axis, Load, Pause, Search, Stage, Stop, WhenFull};
use schema::units::{Nanos, Rate};

use super::above_zero;
use crate::config::problem::{Problem, Problems};
use crate::config::settings::{MOST_REQUESTS, Settings};

/// When it is asked, for how long, and what is searched: a plan's `load`, `stop`, `search` and `blocks`.
pub(super) struct Timed {
    pub(super) load: Load,
    pub(super) stop: Stop,
    pub(super) search: Option<Search>,
    pub(super) blocks: u32,
}

/// How long a step of a search lasts unless told.
const STEP: Nanos = Nanos::from_secs(10);

/// Requests after which a run that goes on until it is precise or decided gives up, unless told.
const MOST_UNTIL_PRECISE: u64 = 10_000;

/// Blocks between two looks at how precise a figure is.
const LOOKS: u32 = 100;

/// Requests in a block of a run that goes on until it is decided, and times its places, whichever is more: what fills
/// and empties them is a small part of it then.
const REQUESTS_IN_A_BLOCK: u64 = 10;
const TIMES_ITS_PLACES: u64 = 2;

/// Blocks of such a run: fewer hardly tell anything, and more would not be looked at.
const BLOCKS_TO_DECIDE: std::ops::RangeInclusive<u64> = 8..=1_000;

/// Blocks of such a run that ends by time.
const TIMED_BLOCKS_TO_DECIDE: u32 = 50;

pub(super) fn timed(settings: &Settings, problems: &mut Problems) -> Timed {
    let load = load(settings, problems);
    let search = search(settings, problems);
    let stop = stop(settings, &load, search.is_some(), problems);
    if let (Stop::DurationNs(length), Some(rate)) = (stop, highest_rate(&load))
        && most_offered(length, rate) > MOST_REQUESTS
    {
        let problem = Problem::new(format!("`rate` and `duration` offer more than {MOST_REQUESTS} requests"));
        problems.0.push(problem.help("measure for a shorter time, or at a lower rate"));
    }
    decidable(settings, &load, problems);
    together(settings, problems);
    let blocks = blocks(settings, &load, stop, search.is_some());
    Timed { load, stop, search, blocks }
}

/// The highest rate an open loop will offer, where that is known beforehand.
fn highest_rate(load: &Load) -> Option<Rate> {
    match load {
        Load::Open { rate_per_s, .. } => Some(*rate_per_s),
        Load::RateStages { stages, .. } => {
            let highest = stages.iter().map(|stage| stage.from.max(stage.to)).fold(0.0, f64::max);
            Rate::per_second(highest)
        }
        _ => None,
    }
}

/// About how many requests an open loop offers a target in that time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
pub(crate) fn most_offered(length: Nanos, rate: Rate) -> u64 {
    (length.as_secs_f64() * rate.get()).ceil() as u64
}

fn load(settings: &Settings, problems: &mut Problems) -> Load {
    let arrival = settings.arrival.unwrap_or(Arrival::Poisson);
    let max_concurrency = settings.max_concurrency.unwrap_or(1000);
    let when_full = settings.when_full.unwrap_or(WhenFull::NotSent);
    if let Some(rate) = &settings.rate {
        return Load::Open { rate_per_s: rate.value, arrival, max_concurrency, when_full };
    }
    if let Some(specs) = &settings.stages {
        let stages: Vec<Stage> = specs.iter().map(|spec| spec.stage.clone()).collect();
        let axis = specs.first().map_or(Axis::Rate, |spec| spec.axis);
        if stages.is_empty() || specs.iter().any(|spec| spec.axis != axis) {
            let problem = Problem::new("`stages` mixes rates and streams, or holds none");
            problems.0.push(problem.help("write all of them like `5/s..50/s@1m`, or all like `8..64@1m`"));
        } else if stages.iter().all(|stage| stage.from <= 0.0 && stage.to <= 0.0) {
            let problem = Problem::new("no stage of `stages` sends anything");
            problems.0.push(problem.help("give at least one a level above zero"));
        }
        return match axis {
            Axis::Rate => Load::RateStages { stages, arrival, max_concurrency, when_full },
            Axis::Concurrency => Load::StreamStages { stages },
        };
    }
    if let Some(users) = settings.users {
        // Then a session is a conversation, however long that is.
        let talks = settings.turns.is_some_and(|turns| turns > 1);
        return Load::Users {
            users,
            think: settings.think.unwrap_or(Pause::NONE),
            session_requests: settings.session_requests.filter(|_| !talks).unwrap_or(u32::MAX),
            session_pause: settings.session_pause.unwrap_or(Pause::NONE),
            arrive_over_ns: settings.arrive_over.as_ref().map_or(Nanos::ZERO, |span| span.value),
        };
    }
    if let Some(users) = settings.crowd {
        let waves = settings.waves.unwrap_or(1);
        let every_ns = settings.wave_every.as_ref().map_or(Nanos::from_secs(30), |span| span.value);
        return Load::Crowd { users, waves, every_ns };
    }
    if let Some(trace) = &settings.replay {
        let speed = settings.replay_speed.unwrap_or(1.0);
        return Load::Replay { trace: trace.clone(), speed, max_concurrency, when_full };
    }
    // A search over rates takes its spacing and places from here, and no rate.
    if searched(settings) == Some(Axis::Rate) {
        let rate_per_s = Rate::per_second(settings.search_from.unwrap_or(1.0)).expect("its bounds are above zero");
        return Load::Open { rate_per_s, arrival, max_concurrency, when_full };
    }
    Load::Closed { concurrency: settings.concurrency.unwrap_or(1) }
}

fn searched(settings: &Settings) -> Option<Axis> {
    settings.sweep.or(settings.find_max)
}

fn search(settings: &Settings, problems: &mut Problems) -> Option<Search> {
    let said = ["stages", "users", "crowd", "replay"];
    let given =
        [settings.stages.is_some(), settings.users.is_some(), settings.crowd.is_some(), settings.replay.is_some()];
    if let (Some(_), Some((key, _))) = (searched(settings), said.iter().zip(given).find(|(_, given)| *given)) {
        let problem = Problem::new(format!("a search sets the load of each step itself, and `{key}` sets another"));
        problems.0.push(problem.help("leave one of them out"));
    }
    if let (Some(from), Some(to)) = (settings.search_from, settings.search_to)
        && from > to
    {
        problems.0.push(Problem::new("`search_from` is above `search_to`").help("begin below the end"));
    }
    let highest = settings.search_to;
    if let Some(axis) = settings.sweep {
        return Some(Search::Sweep { axis, points: settings.steps.unwrap_or(10), highest });
    }
    let axis = settings.find_max?;
    if settings.slo.as_ref().is_none_or(Vec::is_empty) {
        let problem = Problem::new("`find_max` seeks the highest load that meets `slo`, and there is none");
        problems.0.push(problem.help("add one, like `--slo 'ttft_p95<200ms,tpot_p95<30ms'`"));
    }
    Some(Search::FindMax {
        axis,
        first: settings.search_from.unwrap_or(1.0),
        highest,
        tolerance: settings.tolerance.unwrap_or(0.05),
        trials: settings.steps.unwrap_or(30),
    })
}

fn stop(settings: &Settings, load: &Load, searching: bool, problems: &mut Problems) -> Stop {
    if searching {
        let step = settings.step.as_ref().map(|step| above_zero("step", step, problems));
        return Stop::DurationNs(step.unwrap_or(STEP));
    }
    match load {
        Load::RateStages { stages, .. } | Load::StreamStages { stages } => {
            Stop::DurationNs(Nanos(stages.iter().map(|stage| stage.length_ns.0).sum()))
        }
        Load::Crowd { users, waves, .. } => Stop::Requests(u64::from(*users) * u64::from(*waves)),
        // How many there are is known when the trace has been read.
        Load::Replay { .. } => settings.duration.as_ref().map_or_else(
            || Stop::Requests(settings.requests.unwrap_or(MOST_REQUESTS)),
            |duration| Stop::DurationNs(above_zero("duration", duration, problems)),
        ),
        _ => match &settings.duration {
            Some(duration) => Stop::DurationNs(above_zero("duration", duration, problems)),
            None if settings.until_precise.is_some() || settings.until_decided.is_some() => {
                Stop::Requests(settings.requests.unwrap_or(MOST_UNTIL_PRECISE))
            }
            None => Stop::Requests(settings.requests.unwrap_or(1)),
        },
    }
}

/// Blocks of a run that goes on until it is decided, of so many requests at most.
fn blocks_to_decide(load: &Load, requests: u64) -> u32 {
    let places = if load.is_open() { 0 } else { u64::from(load.places()) };
    let size = REQUESTS_IN_A_BLOCK.max(places.saturating_mul(TIMES_ITS_PLACES));
    let blocks = (requests / size).clamp(*BLOCKS_TO_DECIDE.start(), *BLOCKS_TO_DECIDE.end());
    u32::try_from(blocks).unwrap_or(u32::MAX)
}

/// What goes on until it is decided takes turns in blocks, and has something to be decided by.
fn decidable(settings: &Settings, load: &Load, problems: &mut Problems) {
    let Some(criteria) = &settings.until_decided else { return };
    let shapes = [
        ("stages", settings.stages.is_some()),
        ("crowd", settings.crowd.is_some()),
        ("replay", settings.replay.is_some()),
    ];
    if let Some((key, _)) = shapes.iter().find(|(_, given)| *given) {
        let problem =
            Problem::new(format!("`until_decided` goes on block by block, and `{key}` is not cut into blocks"));
        problems.0.push(problem.help("leave one of them out"));
    }
    if load.is_open() && criteria.contains(&Criterion::OutputTokensPerS) {
        let problem =
            Problem::new("in an open loop targets carry what they are offered: `throughput` is never decided");
        problems.0.push(problem.help("decide by `ttft_p95` or `e2e_p50`, or measure in a closed loop"));
    }
}

/// Targets that are measured at the same time have the same blocks, however many each of them would need.
fn together(settings: &Settings, problems: &mut Problems) {
    let alone = [
        ("sweep", settings.sweep.is_some()),
        ("find_max", settings.find_max.is_some()),
        ("until_precise", settings.until_precise.is_some()),
        ("until_decided", settings.until_decided.is_some()),
    ];
    let alone = alone.iter().filter(|(_, given)| *given && settings.side_by_side == Some(true));
    problems.0.extend(alone.map(|(key, _)| {
        Problem::new(format!("`{key}` goes on as long as each target needs, and `side_by_side` measures all alike"))
            .help("leave one of them out")
    }));
}

/// A load with a shape of its own is not cut up, nor is a step of a search. A run that goes on until it is precise is
/// looked at after each block.
fn blocks(settings: &Settings, load: &Load, stop: Stop, searching: bool) -> u32 {
    let whole = searching
        || matches!(
            load,
            Load::RateStages { .. } | Load::StreamStages { .. } | Load::Crowd { .. } | Load::Replay { .. }
        );
    if whole {
        return 1;
    }
    let blocks = match stop {
        _ if settings.until_precise.is_some() => LOOKS,
        Stop::Requests(requests) if settings.until_decided.is_some() => blocks_to_decide(load, requests),
        Stop::DurationNs(_) if settings.until_decided.is_some() => TIMED_BLOCKS_TO_DECIDE,
        _ => settings.blocks.unwrap_or(1),
    };
    match stop {
        Stop::Requests(requests) => blocks.min(u32::try_from(requests).unwrap_or(u32::MAX)),
        Stop::DurationNs(_) => blocks,
    }
}
