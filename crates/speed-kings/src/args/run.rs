//! The flags of commands that need to know a run's settings.

use clap::Args;

use crate::commands::Context;
use crate::config::layer::{Layered, gather};
use crate::config::problem::Problems;
use crate::config::settings::Settings;

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

impl RunArgs {
    /// All layers of configuration, these flags on top.
    ///
    /// # Errors
    /// Everything that is wrong in any of them.
    pub(crate) fn layered(&self, context: &Context) -> Result<Layered, Problems> {
        let mut flags = self.settings.clone();
        if self.no_stream {
            flags.stream = Some(false);
        }
        if self.no_force_length {
            flags.force_length = Some(false);
        }
        gather(&self.config, &flags, &context.environment)
    }
}
