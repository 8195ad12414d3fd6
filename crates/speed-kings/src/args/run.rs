//! The flags of commands that need to know a run's settings.

use std::path::Path;

use clap::Args;

use crate::commands::Context;
use crate::config::layer::{Layered, gather};
use crate::config::problem::Problems;
use crate::config::settings::Settings;
use crate::config::verb::{BENCHMARK, Verb};

/// Settings as flags, and the configurations they are laid over.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RunArgs {
    /// A preset (quick, standard, stress) or a YAML file; given more than once, later ones win.
    #[arg(long, value_name = "PRESET|FILE", value_delimiter = ',', help_heading = "Configuration")]
    pub(crate) config: Vec<String>,

    #[command(flatten)]
    settings: Settings,

    /// Ask for whole answers, not for streams.
    #[arg(long, help_heading = "Workload", conflicts_with = "stream")]
    no_stream: bool,

    /// Let answers end by themselves.
    #[arg(long, help_heading = "Workload", conflicts_with = "force_length")]
    no_force_length: bool,
}

/// Who asks for settings, and what that command has settled itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way<'a> {
    /// The command.
    pub(crate) verb: &'a Verb,
    /// What it has settled, over everything that people say: YAML.
    pub(crate) settled: &'a str,
}

impl Way<'_> {
    /// Every setting as it is said.
    pub(crate) const BENCHMARK: Self = Self { verb: &BENCHMARK, settled: "" };
}

impl RunArgs {
    /// What `--replay` says, for commands to whom it means something of their own.
    pub(crate) fn replay(&self) -> Option<&Path> {
        self.settings.replay.as_deref()
    }

    /// What `--replay-speed` says, likewise.
    pub(crate) const fn replay_speed(&self) -> Option<f64> {
        self.settings.replay_speed
    }

    /// The keys of all flags that were given.
    pub(crate) fn given(&self) -> Vec<String> {
        let lone = [
            (self.no_stream, "no_stream"),
            (self.no_force_length, "no_force_length"),
            (!self.config.is_empty(), "config"),
        ];
        let lone = lone.into_iter().filter(|(given, _)| *given).map(|(_, key)| key.to_owned());
        let settings = serde_json::to_value(&self.settings).expect("settings are plain data");
        let set = settings.as_object().into_iter().flat_map(|set| set.keys().cloned());
        set.chain(lone).collect()
    }

    /// All layers of configuration, these flags on top.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub(crate) fn layered(&self, context: &Context, way: &Way<'_>) -> Result<Layered, Problems> {
        let mut flags = self.settings.clone();
        if self.no_stream {
            flags.stream = Some(false);
        }
        if self.no_force_length {
            flags.force_length = Some(false);
        }
        gather(way.verb, way.settled, &self.config, &flags, &context.environment)
    }
}
