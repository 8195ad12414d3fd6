//! Commands that settle part of a run themselves: what they suggest, and which settings they have no use for.

use std::ops::RangeInclusive;
use std::path::Path;

use super::layer::{Layer, Origin, from_yaml};
use super::problem::{Problem, Problems};
use super::settings::flag_of;

/// A command that measures in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verb {
    /// Its name.
    pub(crate) name: &'static str,
    /// What holds unless somebody says otherwise: settings as YAML, over the defaults.
    pub(crate) suggests: &'static str,
    /// Settings that it settles itself or has no use for: their flags are refused and not shown, and what files and the
    /// environment say of them does not count.
    pub(crate) without: &'static [&'static str],
}

/// `benchmark`, and whatever takes every setting as it is.
pub(crate) const BENCHMARK: Verb = Verb { name: "benchmark", suggests: "", without: &[] };

/// All that are not [`BENCHMARK`].
pub(crate) const VERBS: &[Verb] = &[RACE, TRY_IT, DEMO, CONVERSATION, INSPECT, RUSH];

/// `race`: one request to each target at one instant, so many times.
pub(crate) const RACE: Verb = Verb {
    name: "race",
    suggests: "name: race\nwarmup: 1\nwarmup_max_tokens: 8\nsize: short\nmax_tokens: 256\nforce_length: false\n",
    without: SINGLE,
};

/// `try-it`: a race on what a person types.
pub(crate) const TRY_IT: Verb = Verb {
    name: "try-it",
    suggests: "name: try-it\nwarmup: 1\nwarmup_max_tokens: 8\nmax_tokens: 256\nforce_length: false\n",
    without: TYPED,
};

/// `demo`: a scene, played with all targets at once.
pub(crate) const DEMO: Verb = Verb {
    name: "demo",
    suggests: "name: demo\nwarmup: 1\nwarmup_max_tokens: 8\nmax_tokens: 160\nforce_length: false\n",
    without: PLAYED,
};

/// `conversation`: one conversation with each target.
pub(crate) const CONVERSATION: Verb = Verb {
    name: "conversation",
    suggests: "name: conversation\nwarmup: 1\nmax_tokens: 128\nforce_length: false\nturns: 12\n",
    without: CONVERSING,
};

/// `inspect`: single requests, looked at closely.
pub(crate) const INSPECT: Verb =
    Verb { name: "inspect", suggests: "size: short\nmax_tokens: 64\nforce_length: false\n", without: UNKEPT };

/// `rush`: a crowd at each target.
pub(crate) const RUSH: Verb = Verb {
    name: "rush",
    suggests: "name: rush\nwarmup: 1\nsize: short\nmax_tokens: 64\nduration: 10s\ndefeat_cache: true\n",
    without: RUSHING,
};

/// A flag that means something of its own to a command.
#[derive(Debug)]
pub(crate) struct Own {
    /// The command.
    verb: &'static str,
    /// The setting whose flag it is.
    pub(crate) key: &'static str,
    /// What its value is called.
    pub(crate) value_name: &'static str,
    /// What it means there.
    pub(crate) help: &'static str,
}

/// All flags that mean something of their own to a command; each is among the command's `without`.
const OWN: &[Own] = &[
    Own {
        verb: "race",
        key: "replay",
        value_name: "RUN",
        help: "Race a stored run again: `latest`, its folder or its name",
    },
    Own { verb: "race", key: "replay_speed", value_name: "2", help: "Replay: times faster than it was" },
];

/// How many targets commands can measure that cannot measure any number.
const TARGETS: &[(&str, RangeInclusive<usize>)] = &[("race", 2..=6), ("try-it", 2..=6), ("demo", 1..=6)];

/// What conversations, one at a time, have no use for.
const CONVERSING: &[&str] = &[
    "requests",
    "duration",
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
    "waves",
    "wave_every",
    "replay",
    "replay_speed",
    "blocks",
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
    "size",
    "prompt",
    "scenario",
    "prompt_file",
    "columns",
    "input_tokens",
    "output_tokens",
    "prefix_groups",
    "prefix_tokens",
    "prefix_share",
    "images",
    "image_size",
    "answer",
    "embeddings",
    "keep_text",
];

/// What a crowd has no use for: it is a load of its own, for a time or in waves.
const RUSHING: &[&str] = &[
    "facts",
    "passage",
    "requests",
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
    "side_by_side",
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
    "turns",
    "embeddings",
];

/// What prompts that people type have no use for.
const TYPED: &[&str] = &[
    "facts",
    "passage",
    "requests",
    "duration",
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
    "waves",
    "wave_every",
    "replay",
    "replay_speed",
    "blocks",
    "side_by_side",
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
    "turns",
    "embeddings",
    "keep_text",
    "size",
    "scenario",
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

/// What scenes have no use for.
const PLAYED: &[&str] = &[
    "facts",
    "passage",
    "requests",
    "duration",
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
    "waves",
    "wave_every",
    "replay",
    "replay_speed",
    "blocks",
    "side_by_side",
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
    "turns",
    "embeddings",
    "keep_text",
    "size",
    "prompt",
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

/// What single requests at a time have no use for.
const SINGLE: &[&str] = &[
    "facts",
    "passage",
    "requests",
    "duration",
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
    "waves",
    "wave_every",
    "replay",
    "replay_speed",
    "blocks",
    "side_by_side",
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
    "turns",
    "embeddings",
    "keep_text",
];

/// What requests that are looked at have no use for: they are no run, and nothing is made of more than one.
const UNKEPT: &[&str] = &[
    "facts",
    "passage",
    "requests",
    "duration",
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
    "waves",
    "wave_every",
    "replay",
    "replay_speed",
    "blocks",
    "side_by_side",
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
    "turns",
    "keep_text",
    "warmup",
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
        layer.retain(|key, _| !self.without.contains(&key.as_str()));
        layer
    }

    /// Flags that mean something of its own here, though the setting has no say: what a value is called, and the help.
    /// The command reads them itself.
    pub(crate) fn own(&self) -> impl Iterator<Item = &'static Own> {
        let name = self.name;
        OWN.iter().filter(move |own| own.verb == name)
    }

    /// How few and how many targets it can measure; absent: any number.
    fn targets(&self) -> Option<RangeInclusive<usize>> {
        TARGETS.iter().find(|(name, _)| *name == self.name).map(|(_, range)| range.clone())
    }

    /// Why it cannot be done with so many targets.
    pub(crate) fn refuse_targets(&self, count: usize) -> Option<Problem> {
        let range = self.targets()?;
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
        let is_own = |key: &str| self.own().any(|own| own.key == key);
        let refused = flags.keys().filter(|key| self.without.contains(&key.as_str()) && !is_own(key));
        let problems = refused.map(|key| {
            Problem::new(format!("`{}` has no use for `{}`", self.name, flag_of(key))).help(format!(
                "leave it out, or use it with `speed-kings benchmark`; `speed-kings {} --help` shows what can be set",
                self.name
            ))
        });
        Problems(problems.collect()).or(())
    }
}
