//! `init`: writes a configuration file with every setting in it, explained.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::commands::Context;
use crate::config::layer::{LOCAL_FILE, defaults};
use crate::config::problem::Problem;
use crate::config::settings::Settings;
use crate::outcome::{Exit, Failure};

/// Write a configuration file with every setting explained, ready to be changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  speed-kings init
  speed-kings init my-plan.yaml && speed-kings benchmark --config my-plan.yaml")]
pub(crate) struct Args {
    /// The file to write.
    #[arg(default_value = LOCAL_FILE)]
    file: PathBuf,

    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    write(&args.file, &template(), args.force)?;
    context.terminal.note(&format!(
        "wrote `{}`; `speed-kings config check` checks it, `speed-kings benchmark` uses it",
        args.file.display()
    ));
    Ok(Exit::Done)
}

fn write(file: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).truncate(true).create(force).create_new(!force).open(file);
    match opened.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let problem = Problem::new(format!("`{}` is there already", file.display()));
            Err(problem.help("name another file, or replace it with `--force`").into())
        }
        Err(error) => Err(miette::miette!("`{}` cannot be written: {error}", file.display()).into()),
    }
}

/// What stands for settings that have no default.
const EXAMPLES: &[(&str, &str)] = &[
    ("providers", "groq, cerebras"),
    ("url", "http://localhost:8000/v1"),
    ("model", "gpt-oss-120b"),
    ("target", "[\"mine=vllm@http://localhost:8000/v1,model=qwen3\"]"),
    ("prices", "my-prices.json"),
    ("duration", "30s"),
    ("rate", "5/s"),
    ("seed", "42"),
    ("prompt", "Why is the sky blue?"),
    ("prompt_file", "prompts.jsonl"),
    ("slo", "ttft_p95<200ms, tpot_p99<30ms"),
    ("budget", "2usd"),
    ("when_full", "wait"),
    ("stages", "warm=2/s@10s, 2/s..20/s@1m"),
    ("users", "20"),
    ("think", "exponential:2s"),
    ("session_requests", "5"),
    ("session_pause", "30s"),
    ("arrive_over", "10s"),
    ("crowd", "100"),
    ("waves", "3"),
    ("wave_every", "30s"),
    ("replay", "trace.csv"),
    ("replay_speed", "10"),
    ("sweep", "concurrency"),
    ("find_max", "rate"),
    ("step", "10s"),
    ("steps", "12"),
    ("search_from", "1"),
    ("search_to", "100"),
    ("tolerance", "0.05"),
    ("until_precise", "2%"),
    ("until_decided", "ttft_p50"),
    ("tie", "3%"),
    ("weights", "latency=3,cost=1"),
    ("calibrate", "true"),
    ("columns", "prompt=question"),
    ("input_tokens", "uniform:50..200"),
    ("output_tokens", "lognormal:100,0.5"),
    ("tokenizer", "tokenizer.json"),
    ("turns", "3"),
    ("facts", "2"),
    ("passage", "200"),
    ("scenario", "customer-support"),
    ("side_by_side", "true"),
    ("warmup_max_tokens", "8"),
    ("prefix_groups", "4"),
    ("prefix_tokens", "512"),
    ("prefix_share", "0.8"),
    ("images", "1"),
    ("image_size", "512x512"),
    ("answer", "json"),
    ("embeddings", "true"),
    ("retries", "3"),
    ("retry_after", "500ms"),
    ("retry_most", "30s"),
    ("respect_limits", "true"),
    ("drop_after", "20"),
    ("scrape", "1s"),
    ("metrics_url", "http://gpu:8000/metrics"),
    ("tag", "nightly"),
    ("gpu_metrics", "http://gpu:9400/metrics"),
];

/// The file: every setting with its explanation, all but `mock` commented out.
fn template() -> String {
    let mut text = String::from(
        "# What `speed-kings benchmark` does in this folder.\n\
         # Every setting is here with its default, or an example where it has none; take the `#` away to\n\
         # set it. Flags and SPEED_KINGS_… variables win over this file; `speed-kings config show` tells\n\
         # what holds and why.\n",
    );
    let command = <Settings as clap::Args>::augment_args(clap::Command::new(""));
    let mut heading = None;
    for argument in command.get_arguments() {
        if argument.get_help_heading() != heading {
            heading = argument.get_help_heading();
            let _infallible = write!(text, "\n# --- {} ---\n", heading.unwrap_or_default());
        }
        let key = argument.get_id().as_str();
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let _infallible = write!(text, "\n# {help}\n{}\n", line(key));
    }
    text
}

/// The line of one setting.
fn line(key: &str) -> String {
    if key == "mock" {
        return "mock: [vllm, tgi, ollama]".to_owned();
    }
    let example = EXAMPLES.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
    let value = example.or_else(|| default_of(key)).expect("every setting has a default or an example");
    format!("# {key}: {value}")
}

fn default_of(key: &str) -> Option<String> {
    let mut layers = defaults().into_iter().rev().flatten();
    layers.find_map(|mut layer| layer.remove(key)).map(|(value, _)| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::yaml;

    #[test]
    fn the_file_is_fine_as_it_is() {
        let entries = yaml::read("init", &template()).unwrap();
        assert_eq!(entries.len(), 1);
    }

    #[test]
    fn every_setting_is_there_and_fine_once_its_mark_is_taken_away() {
        let text = template();
        for key in Settings::keys() {
            let mark = format!("# {key}: ");
            let line = text.lines().find(|line| line.starts_with(&mark) || line.starts_with(&mark[2..]));
            let line = line.unwrap_or_else(|| panic!("`{key}` is missing"));
            let read = yaml::read("line", line.trim_start_matches("# ")).unwrap();
            assert_eq!(read.len(), 1, "{line}");
        }
    }
}
