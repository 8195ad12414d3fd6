//! The three ready-made configurations, and what holds when nothing is said.
//!
//! | preset | for | a target gets |
//! | --- | --- | --- |
//! | `quick` | a first impression, in well under a minute | 10 requests, one at a time, 32 tokens each |
//! | `standard` | a comparison to act on: p95 with its interval | 200 requests, 4 at a time, 256 tokens each |
//! | `stress` | behaviour under a crowd: p99 with its interval | 1,000 requests, 64 at a time, 128 tokens each |

/// What holds when nothing else is said, `quick` aside.
const DEFAULTS: &str = "\
warmup: 1
arrival: poisson
max_concurrency: 1000
grace: 30s
force_length: true
defeat_cache: false
temperature: 0
stream: true
http: http1
connect_timeout: 10s
first_token_timeout: 2m
gap_timeout: 1m
total_timeout: 10m
insecure: false
bundled_roots: false
user_space_stamps: false
keep_text: false
out: results
";

/// A ready-made configuration: a layer like any other, written in the same words as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preset {
    /// What `--config` calls it.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// Its settings.
    pub(crate) yaml: &'static str,
}

/// All of them; the first is the default.
pub(crate) const PRESETS: [Preset; 3] = [
    Preset {
        name: "quick",
        purpose: "a first impression, in well under a minute",
        yaml: "name: quick\nrequests: 10\nwarmup: 1\nconcurrency: 1\nblocks: 5\nsize: short\nmax_tokens: 32\n",
    },
    Preset {
        name: "standard",
        purpose: "a comparison to act on: enough requests for p95 with its interval",
        yaml: "name: standard\nrequests: 200\nwarmup: 4\nconcurrency: 4\nblocks: 10\nsize: medium\nmax_tokens: 256\n",
    },
    Preset {
        name: "stress",
        purpose: "behaviour under a crowd: enough requests for p99 with its interval",
        yaml: "name: stress\nrequests: 1000\nwarmup: 64\nconcurrency: 64\nblocks: 5\nsize: medium\nmax_tokens: 128\n",
    },
];

/// The text of the lowest layer: the defaults with the first preset over them.
pub(crate) fn defaults() -> [(&'static str, &'static str); 2] {
    [("defaults", DEFAULTS), (PRESETS[0].name, PRESETS[0].yaml)]
}

/// The preset of that name.
pub(crate) fn find(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}
