//! Layers of configuration, lowest first, and what comes of laying them over each other.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue};
use etcetera::BaseStrategy as _;
use schema::counted;
use schema::plan::{Load, Plan};
use serde_json::Value;

use super::nearest::nearest;
use super::preset::{self, PRESETS};
use super::problem::{Problem, Problems};
use super::settings::{PREFIX, RIVALS, Settings, WHO_KEYS, flag_of, variable_of};
use super::verb::Verb;
use super::yaml::{self, OutOfBounds, check_bounds};
use crate::args::refused;
use crate::environment::Environment;

/// The file for a whole machine.
const SYSTEM_FILE: &str = "/etc/speed-kings/config.yaml";

/// The file of a folder.
pub(crate) const LOCAL_FILE: &str = "speed-kings.yaml";

/// Variables of ours that are no settings.
const OTHER_VARIABLES: [&str; 2] = ["SPEED_KINGS_CONFIG", "SPEED_KINGS_LOG"];

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody said anything.
    Default,
    /// A preset, by its name.
    Preset(&'static str),
    /// A line of a file.
    File(PathBuf, u64),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Preset(name) => write!(f, "preset {name}"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "${name}"),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// One source of settings: values by key, each with its origin.
pub(crate) type Layer = BTreeMap<String, (Value, Origin)>;

/// All layers laid over each other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layered {
    /// What holds, by key, with where it came from.
    pub(crate) values: Layer,
    /// What a user should hear of.
    pub(crate) notes: Vec<String>,
}

impl Layered {
    /// The settings that hold.
    ///
    /// # Panics
    /// Never: each value was read as its setting before.
    pub(crate) fn settings(&self) -> Settings {
        let holds = |key: &String| !self.is_silenced(key);
        let values = self.values.iter().filter(|(key, _)| holds(key));
        let object = values.map(|(key, (value, _))| (key.clone(), value.clone())).collect();
        serde_json::from_value(Value::Object(object)).expect("each value was read as its setting when its layer was")
    }

    /// Whether someone chose this value: it is neither a default nor part of a preset.
    pub(crate) fn is_chosen(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(|(_, origin)| !matches!(origin, Origin::Default | Origin::Preset(_)))
    }

    /// Whether a value that nobody chose has no say, because of something that is set beside it: how much is enough
    /// when a precision or a verdict says so, and what a trace tells itself.
    fn is_silenced(&self, key: &str) -> bool {
        const ENOUGH: [&str; 2] = ["requests", "duration"];
        const TOLD_BY_TRACES: [&str; 4] = ["requests", "duration", "size", "max_tokens"];
        let goes_on = ["until_precise", "until_decided"].iter().any(|until| self.values.contains_key(*until));
        let by_precision = ENOUGH.contains(&key) && goes_on;
        let by_trace = TOLD_BY_TRACES.contains(&key) && self.values.contains_key("replay");
        (by_precision || by_trace) && !self.is_chosen(key)
    }

    /// What a user should hear of, that of settings which count for nothing in `plan` included.
    pub(crate) fn notes_on(&self, plan: &Plan) -> Vec<String> {
        let idle = idle_keys(plan).into_iter().filter(|(key, _)| self.is_chosen(key));
        let idle = idle.map(|(key, why)| format!("`{key}` counts for nothing {why}"));
        let lonely = WITHOUT.iter().filter(|(key, other)| self.is_chosen(key) && !self.values.contains_key(*other));
        let lonely = lonely.map(|(key, other)| format!("`{key}` counts for nothing without `{other}`"));
        self.notes.iter().cloned().chain(idle).chain(lonely).collect()
    }

    /// Lays `layer` on top. What it says silences rivals below: `duration` a lower `requests`, for one.
    fn lay(&mut self, layer: Layer) {
        for rivals in RIVALS.iter().copied().chain([&WHO_KEYS[..]]) {
            if rivals.iter().any(|key| layer.contains_key(*key)) {
                self.values.retain(|key, _| !rivals.contains(&key.as_str()));
            }
        }
        self.values.extend(layer);
    }
}

/// Settings that say how another is meant.
const WITHOUT: [(&str, &str); 14] = [
    ("think", "users"),
    ("session_requests", "users"),
    ("session_pause", "users"),
    ("arrive_over", "users"),
    ("waves", "crowd"),
    ("wave_every", "crowd"),
    ("replay_speed", "replay"),
    ("search_from", "find_max"),
    ("tolerance", "find_max"),
    ("retry_after", "retries"),
    ("retry_most", "retries"),
    ("image_size", "images"),
    ("passage", "facts"),
    ("metrics_url", "url"),
];

/// Settings that this plan has no use for, and why.
fn idle_keys(plan: &Plan) -> Vec<(&'static str, &'static str)> {
    let mut idle = Vec::new();
    let mut all = |keys: &[&'static str], why| idle.extend(keys.iter().map(|key| (*key, why)));
    if !plan.load.is_open() {
        all(&["arrival", "max_concurrency", "when_full"], "in a closed loop");
    }
    match plan.load {
        Load::Crowd { .. } => {
            all(&["arrival", "max_concurrency", "when_full", "requests", "duration", "blocks"], "with `crowd`");
        }
        Load::Replay { .. } => all(&["arrival", "blocks"], "with `replay`"),
        Load::RateStages { .. } | Load::StreamStages { .. } => {
            all(&["requests", "duration", "blocks"], "with `stages`");
        }
        _ => {}
    }
    if plan.search.is_some() {
        all(&["requests", "duration", "blocks", "concurrency", "rate"], "in a search: `step` says how long each lasts");
    } else {
        all(&["step", "steps", "search_to"], "without `sweep` or `find_max`");
    }
    if plan.until.is_some() {
        all(&["blocks"], "with `until_precise`");
    }
    if !plan.judging.until_decided.is_empty() {
        all(&["blocks"], "with `until_decided`");
    }
    if plan.workload.turns > 1 {
        all(&["session_requests"], "with `turns`: a session is a conversation");
    }
    idle
}

/// Gathers defaults, files, presets, environment and flags, lowest first. What `verb` suggests lies just over the
/// defaults; what it has settled, YAML, over everything.
///
/// # Errors
/// Everything that is wrong in any of them, and flags that `verb` has no use for.
pub(crate) fn gather(
    verb: &Verb,
    settled: &str,
    config: &[String],
    flags: &Settings,
    environment: &Environment,
) -> Result<Layered, Problems> {
    let mut layered = Layered::default();
    let mut problems = Problems::default();
    let mut layers = defaults();
    layers.push(verb.suggested());
    for path in standard_files(environment) {
        layers.extend(read_file(&path).transpose());
    }
    layers.extend(named(config, environment));
    layers.push(from_environment(environment, &mut layered.notes));
    layers.push(from_flags(flags).and_then(|flags| verb.refuse(&flags).map(|()| flags)));
    let mut useless = Vec::new();
    for layer in layers {
        match layer.and_then(without_rivals) {
            Ok(layer) => {
                useless.extend(verb.useless(&layer));
                layered.lay(verb.useful(layer));
            }
            Err(wrong) => problems.0.extend(wrong.0),
        }
    }
    if !useless.is_empty() {
        let (name, useless) = (verb.name, useless.join(", "));
        layered
            .notes
            .push(format!("`{name}` settles itself, or has no use for, {useless}: what is said there does not count"));
    }
    match verb.settled(settled) {
        Ok(layer) => layered.lay(layer),
        Err(wrong) => problems.0.extend(wrong.0),
    }
    problems.or(layered)
}

/// Which files are read without being named, lowest first; they need not exist.
pub(crate) fn standard_files(environment: &Environment) -> Vec<PathBuf> {
    let own = etcetera::base_strategy::Xdg::new().ok().map(|dirs| dirs.config_dir());
    let own = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute()).or(own);
    let own = own.map(|dir| dir.join("speed-kings").join("config.yaml"));
    [Some(PathBuf::from(SYSTEM_FILE)), own, Some(PathBuf::from(LOCAL_FILE))].into_iter().flatten().collect()
}

/// The lowest layers.
pub(crate) fn defaults() -> Vec<Result<Layer, Problems>> {
    let layer = |(name, text)| from_yaml(Path::new(name), text, &|_| Origin::Default);
    preset::defaults().map(layer).into()
}

/// The layers that `--config`, or else `SPEED_KINGS_CONFIG`, names.
fn named(config: &[String], environment: &Environment) -> Vec<Result<Layer, Problems>> {
    let from_variable = environment.get("SPEED_KINGS_CONFIG");
    let names: Vec<&str> = match from_variable.filter(|_| config.is_empty()) {
        Some(names) => names.split(',').collect(),
        None => config.iter().map(String::as_str).collect(),
    };
    names.into_iter().map(|name| named_layer(name.trim())).collect()
}

/// The layer that a preset's name or a path stands for.
fn named_layer(name: &str) -> Result<Layer, Problems> {
    if let Some(preset) = preset::find(name) {
        return from_yaml(Path::new(name), preset.yaml, &|_| Origin::Preset(preset.name));
    }
    read_file(Path::new(name))?.ok_or_else(|| no_such_config(name).into())
}

fn no_such_config(name: &str) -> Problem {
    let presets = PRESETS.map(|preset| preset.name);
    let problem = Problem::new(format!("`{name}` is neither a preset nor a file"));
    match nearest(name, presets) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help(format!("use {}, or the path of a YAML file", presets.join(", "))),
    }
}

/// The layer a file holds; `None` where there is no file.
///
/// # Errors
/// It cannot be read, or everything that is wrong in it.
pub(crate) fn read_file(path: &Path) -> Result<Option<Layer>, Problems> {
    let text = match text_of(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let problem = Problem::new(format!("`{}` cannot be read: {error}", path.display()));
            return Err(problem.help("check that it is a readable text file").into());
        }
    };
    let layer = from_yaml(path, &text, &|line| Origin::File(path.to_owned(), line))?;
    tracing::info!("read {} from `{}`", counted(layer.len(), "setting"), path.display());
    Ok(Some(layer))
}

/// Larger than any configuration or price table; a bound against being fed something else.
const MOST_BYTES: u64 = 4 << 20;

/// The text of a file that people write.
///
/// # Errors
/// It cannot be read, is not UTF-8, or is too large.
pub(crate) fn text_of(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(text)
}

pub(super) fn from_yaml(path: &Path, text: &str, origin: &dyn Fn(u64) -> Origin) -> Result<Layer, Problems> {
    let entries = yaml::read(&path.display().to_string(), text)?;
    let values = entries.into_iter().flat_map(|entry| {
        let origin = origin(entry.line);
        values_of(&entry.settings).into_iter().map(move |(key, value)| (key, (value, origin.clone())))
    });
    Ok(values.collect())
}

/// The values that are set, by key.
fn values_of(settings: &Settings) -> serde_json::Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(values)) => values,
        other => unreachable!("settings are an object, not {other:?}"),
    }
}

/// The settings the environment holds. What looks like one but is none is only noted: other programs,
/// Kubernetes among them, set variables that begin like ours.
fn from_environment(environment: &Environment, notes: &mut Vec<String>) -> Result<Layer, Problems> {
    let keys = Settings::keys();
    let variables: BTreeMap<String, &str> = keys.iter().map(|key| (variable_of(key), key.as_str())).collect();
    let mut problems = Problems::default();
    let mut layer = Layer::new();
    for (name, text) in environment.beginning_with(PREFIX) {
        if let Some(key) = variables.get(name) {
            match from_text(key, text) {
                Ok(values) => {
                    let origin = |value| (value, Origin::Variable(name.to_owned()));
                    layer.extend(values.into_iter().map(|(key, value)| (key, origin(value))));
                }
                Err(why) => problems.0.push(Problem::new(format!("`{name}`: {why}"))),
            }
        } else if !OTHER_VARIABLES.contains(&name)
            && let Some(near) = nearest(&name[PREFIX.len()..], keys.iter().map(String::as_str))
        {
            let near = variable_of(near);
            notes.push(format!("`{name}` is not a setting and counts for nothing; did you mean `{near}`?"));
        }
    }
    problems.or(layer)
}

/// Reads one setting as its flag would.
fn from_text(key: &str, text: &str) -> Result<serde_json::Map<String, Value>, String> {
    let command = <Settings as clap::Args>::augment_args(clap::Command::new("environment"));
    let argument = format!("{}={text}", flag_of(key));
    let matches = command.try_get_matches_from(["environment", &argument]).map_err(|error| reason(&error))?;
    let settings = Settings::from_arg_matches(&matches).map_err(|error| reason(&error))?;
    check_bounds(&settings).map_err(|OutOfBounds { why, help }| format!("{why}; {help}"))?;
    Ok(values_of(&settings))
}

/// Why clap refused a value, without its talk of flags.
fn reason(error: &clap::Error) -> String {
    if let Some(reason) = refused::reason(error) {
        return reason;
    }
    if let Some(cause) = std::error::Error::source(error) {
        return cause.to_string();
    }
    match (error.get(ContextKind::InvalidValue), error.get(ContextKind::ValidValue)) {
        (Some(ContextValue::String(value)), Some(ContextValue::Strings(right))) if !right.is_empty() => {
            format!("`{value}` is not one of {}", right.join(", "))
        }
        (Some(ContextValue::String(value)), _) => format!("`{value}` will not do"),
        _ => "the value will not do".to_owned(),
    }
}

fn from_flags(flags: &Settings) -> Result<Layer, Problems> {
    let mut problems = Problems::default();
    let mut layer = Layer::new();
    for (key, value) in values_of(flags) {
        let alone = Value::Object([(key.clone(), value.clone())].into_iter().collect());
        let alone: Settings = serde_json::from_value(alone).expect("it was read as a setting before");
        if let Err(OutOfBounds { why, help }) = check_bounds(&alone) {
            problems.0.push(Problem::new(format!("`{}`: {why}", flag_of(&key))).help(help));
        }
        let origin = Origin::Flag(flag_of(&key));
        layer.insert(key, (value, origin));
    }
    problems.or(layer)
}

/// Refuses a layer that says two things of which one at most can hold.
fn without_rivals(layer: Layer) -> Result<Layer, Problems> {
    let mut problems = Problems::default();
    for rivals in RIVALS {
        let said: Vec<&Origin> = rivals.iter().filter_map(|key| layer.get(*key).map(|(_, origin)| origin)).collect();
        if let [one, other, ..] = said.as_slice() {
            let named: Vec<&str> = rivals.iter().copied().filter(|key| layer.contains_key(*key)).collect();
            let message = format!("`{}` and `{}` exclude each other ({one}, {other})", named[0], named[1]);
            problems.0.push(Problem::new(message).help("keep one of them"));
        }
    }
    problems.or(layer)
}
