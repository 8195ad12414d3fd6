//! Commands that settle part of a run themselves: what they suggest, and which settings they have no use for.

use std::ops::RangeInclusive;
use std::path::Path;

use super::layer::{Layer, Origin, from_yaml};
use super::problem::{Problem, Problems};
use super::settings::flag_of;

/// A command that measures in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verb {
    /// Its name.
    pub(crate) name: &'static str,
    /// What holds unless somebody says otherwise: settings as YAML, over the defaults.
    pub(crate) suggests: &'static str,
    /// Settings that it settles itself or has no use for: their flags are refused and not shown, and what files and the
    /// environment say of them does not count.
    without: &'static [&'static [&'static str]],
    /// Flags of those that mean something of their own to it.
    pub(crate) own: &'static [Own],
    /// How few and how many targets it can measure.
    targets: RangeInclusive<usize>,
}

/// `benchmark`, and whatever takes every setting as it is.
pub(crate) const BENCHMARK: Verb = Verb { name: "benchmark", suggests: "", without: &[], own: &[], targets: ANY };

/// All that are not [`BENCHMARK`].
pub(crate) const VERBS: &[Verb] = &[TEST, RACE, TRY_IT, DEMO, CONVERSATION, INSPECT, RUSH];

/// `test`: one small request to each target, always the same.
pub(crate) const TEST: Verb = Verb {
    name: "test",
    suggests: "",
    without: &[HOW_MUCH, LOADS, WAVES, SEARCHES, MEMORY, RUNS, PROMPTS, ASKED],
    own: &[],
    targets: ANY,
};

/// `race`: one request to each target at one instant, so many times.
pub(crate) const RACE: Verb = Verb {
    name: "race",
    suggests: "name: race\nwarmup: 1\nwarmup_max_tokens: 8\nsize: short\nmax_tokens: 256\nforce_length: false\n",
    without: &[HOW_MUCH, LOADS, WAVES, SEARCHES, MEMORY, SHOWN],
    own: RACE_OWN,
    targets: 2..=6,
};

/// `try-it`: a race on what a person types.
pub(crate) const TRY_IT: Verb = Verb {
    name: "try-it",
    suggests: "name: try-it\nwarmup: 1\nwarmup_max_tokens: 8\nmax_tokens: 256\nforce_length: false\n",
    without: &[HOW_MUCH, LOADS, WAVES, SEARCHES, MEMORY, SHOWN, PROMPTS, &["scenario"]],
    own: &[],
    targets: 2..=6,
};

/// `demo`: a scene, played with all targets at once.
pub(crate) const DEMO: Verb = Verb {
    name: "demo",
    suggests: "name: demo\nwarmup: 1\nwarmup_max_tokens: 8\nmax_tokens: 160\nforce_length: false\n",
    without: &[HOW_MUCH, LOADS, WAVES, SEARCHES, MEMORY, SHOWN, PROMPTS, &["prompt"]],
    own: &[],
    targets: 1..=6,
};

/// `conversation`: one conversation with each target.
pub(crate) const CONVERSATION: Verb = Verb {
    name: "conversation",
    suggests: "name: conversation\nwarmup: 1\nmax_tokens: 128\nforce_length: false\nturns: 12\n",
    without: &[
        HOW_MUCH,
        LOADS,
        WAVES,
        SEARCHES,
        PROMPTS,
        &["prompt", "scenario", "output_tokens", "embeddings", "keep_text"],
    ],
    own: &[],
    targets: ANY,
};

/// `inspect`: single requests, looked at closely.
pub(crate) const INSPECT: Verb = Verb {
    name: "inspect",
    suggests: "size: short\nmax_tokens: 64\nforce_length: false\n",
    without: &[HOW_MUCH, LOADS, WAVES, SEARCHES, MEMORY, RUNS, &["side_by_side", "turns", "keep_text"]],
    own: &[],
    targets: ANY,
};

/// `rush`: a crowd at each target.
pub(crate) const RUSH: Verb = Verb {
    name: "rush",
    suggests: "name: rush\nwarmup: 1\nsize: short\nmax_tokens: 64\nduration: 10s\ndefeat_cache: true\n",
    without: &[&["requests"], LOADS, SEARCHES, MEMORY, &["side_by_side", "turns", "embeddings"]],
    own: &[],
    targets: ANY,
};

/// A flag that means something of its own to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Own {
    /// The setting whose flag it is.
    pub(crate) key: &'static str,
    /// What its value is called.
    pub(crate) value_name: &'static str,
    /// What it means there.
    pub(crate) help: &'static str,
}

/// Races of stored runs.
const RACE_OWN: &[Own] = &[
    Own { key: "replay", value_name: "RUN", help: "Race a stored run again: `latest`, its folder or its name" },
    Own { key: "replay_speed", value_name: "2", help: "Replay: times faster than it was" },
];

/// Any number of targets.
const ANY: RangeInclusive<usize> = 0..=usize::MAX;

/// How much is asked.
const HOW_MUCH: &[&str] = &["requests", "duration"];

/// When it is asked.
const LOADS: &[&str] = &[
    "concurrency",
    "rate",
    "arrival",
    "max_concurrency",
    "when_full",
    "stages",
    "users",
    "think",
    "session_requests",
    "session_pause",
    "arrive_over",
    "crowd",
    "replay",
    "replay_speed",
    "blocks",
];

/// Crowds in waves.
const WAVES: &[&str] = &["waves", "wave_every"];

/// Levels of load, and going on until something is known.
const SEARCHES: &[&str] = &[
    "sweep",
    "find_max",
    "step",
    "steps",
    "search_from",
    "search_to",
    "tolerance",
    "until_precise",
    "until_decided",
    "calibrate",
];

/// Facts told early and asked for later.
const MEMORY: &[&str] = &["facts", "passage"];

/// Prompts that are neither one of one's own nor a scene's.
const PROMPTS: &[&str] = &[
    "size",
    "prompt_file",
    "columns",
    "input_tokens",
    "prefix_groups",
    "prefix_tokens",
    "prefix_share",
    "images",
    "image_size",
    "answer",
];

/// What is asked where that is always the same.
const ASKED: &[&str] = &[
    "prompt",
    "scenario",
    "output_tokens",
    "max_tokens",
    "force_length",
    "defeat_cache",
    "temperature",
    "tokenizer",
    "seed",
    "side_by_side",
    "turns",
    "keep_text",
];

/// What belongs to runs: an exchange that is only looked at is none.
const RUNS: &[&str] = &[
    "warmup",
    "warmup_max_tokens",
    "grace",
    "tie",
    "weights",
    "slo",
    "budget",
    "retries",
    "retry_after",
    "retry_most",
    "respect_limits",
    "drop_after",
    "scrape",
    "metrics_url",
    "gpu_metrics",
    "name",
    "tag",
    "out",
];

/// What is settled where single answers are shown as they come.
const SHOWN: &[&str] = &["side_by_side", "turns", "embeddings", "keep_text"];

impl Verb {
    /// What it suggests, as the layer above the defaults.
    pub(crate) fn suggested(&self) -> Result<Layer, Problems> {
        from_yaml(Path::new(self.name), self.suggests, &|_| Origin::Preset(self.name))
    }

    /// What it settles, as the layer above all.
    pub(crate) fn settled(&self, settled: &str) -> Result<Layer, Problems> {
        from_yaml(Path::new(self.name), settled, &|_| Origin::Preset(self.name))
    }

    /// `layer` without what this command has no use for.
    pub(crate) fn useful(&self, mut layer: Layer) -> Layer {
        layer.retain(|key, _| !self.is_without(key));
        layer
    }

    /// What files and the environment say in `layer` that does not count here, each with where it is said.
    pub(crate) fn useless(&self, layer: &Layer) -> Vec<String> {
        let said = |origin: &Origin| matches!(origin, Origin::File(..) | Origin::Variable(_));
        let useless = layer.iter().filter(|(key, (_, origin))| said(origin) && self.is_without(key));
        useless.map(|(key, (_, origin))| format!("`{key}` ({origin})")).collect()
    }

    /// Whether it settles this setting itself or has no use for it.
    pub(crate) fn is_without(&self, key: &str) -> bool {
        self.without.iter().any(|keys| keys.contains(&key))
    }

    /// Why it cannot be done with so many targets.
    pub(crate) fn refuse_targets(&self, count: usize) -> Option<Problem> {
        let range = &self.targets;
        if count < *range.start() {
            let problem =
                Problem::new(format!("`{}` needs {} targets, and there is {count}", self.name, range.start()));
            return Some(problem.help(
                "name another with `--target NAME=PROVIDER@URL,model=M` or `--providers`; `--mock` brings three simulated ones",
            ));
        }
        (count > *range.end()).then(|| {
            let room = range.end();
            let problem = Problem::new(format!("`{}` has room for {room} targets, and there are {count}", self.name));
            problem.help("leave some out; `speed-kings benchmark` measures any number")
        })
    }

    /// Refuses flags that this command has no use for.
    pub(crate) fn refuse(&self, flags: &Layer) -> Result<(), Problems> {
        let is_own = |key: &str| self.own.iter().any(|own| own.key == key);
        let refused = flags.keys().filter(|key| self.is_without(key) && !is_own(key));
        let problems = refused.map(|key| {
            Problem::new(format!("`{}` has no use for `{}`", self.name, flag_of(key))).help(format!(
                "leave it out, or use it with `speed-kings benchmark`; `speed-kings {} --help` shows what can be set",
                self.name
            ))
        });
        Problems(problems.collect()).or(())
    }
}
