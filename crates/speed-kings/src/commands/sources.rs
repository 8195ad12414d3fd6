//! Files that a plan names, opened for the rooms that open none: prompts, lengths, tokenizers and traces.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use schema::plan::{Lengths, Load, Plan, PromptSource, Stop};
use schema::record::{Phase, Record};
use schema::units::Moment;
use store::Run;
use workload::{Picked, Prompts, Sources, Tokenizer, Trace, TraceEntry};

use crate::config::problem::Problem;
use crate::outcome::Failure;

/// What is asked, and when where a trace says so.
pub(crate) struct Asked {
    pub(crate) prompts: Prompts,
    pub(crate) trace: Option<Arc<Trace>>,
}

/// Requests that stand for all of them in an estimate.
const SAMPLED: u64 = 200;

impl Asked {
    /// How many requests [`Asked::sample`] gives.
    pub(crate) fn sampled(&self) -> u64 {
        self.prompts.len().map_or(SAMPLED, u64::from).min(SAMPLED)
    }

    /// Requests that stand for all of them.
    pub(crate) fn sample(&self, plan: &Plan) -> impl Iterator<Item = Picked<'_>> {
        let seed = plan.seed;
        (0..self.sampled()).map(move |index| self.prompts.pick(seed, index))
    }

    /// Whether pictures go with the prompts.
    pub(crate) fn have_images(&self, plan: &Plan) -> bool {
        plan.workload.images.is_some() || self.sample(plan).any(|picked| !picked.prompt.images.is_empty())
    }
}

/// Reads all files that `plan` names. A replay now knows how many requests it has.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub(crate) fn read(plan: &mut Plan) -> Result<Asked, Failure> {
    let trace = match &plan.load {
        Load::Replay { trace, .. } => Some(Arc::new(read_trace(trace)?)),
        _ => None,
    };
    if let (Some(trace), Stop::Requests(most)) = (&trace, plan.stop) {
        plan.stop = Stop::Requests(most.min(trace.entries().len() as u64));
    }
    let prompts = read_prompts(plan, trace.clone())?;
    Ok(Asked { prompts, trace })
}

fn read_prompts(plan: &Plan, trace: Option<Arc<Trace>>) -> Result<Prompts, Failure> {
    let workload = &plan.workload;
    let lengths = |lengths: Option<&Lengths>| match lengths {
        Some(Lengths::Empirical(path)) => opened(path, "lengths").map(Some),
        _ => Ok(None),
    };
    let (file, input_lengths) = match &workload.prompts {
        PromptSource::File(path) => (Some(opened(path, "prompts")?), None),
        PromptSource::Synthetic(spread) => (None, lengths(Some(spread))?),
        PromptSource::BuiltIn(_)
        | PromptSource::Text(_)
        | PromptSource::Scenario(_)
        | PromptSource::Trace
        | PromptSource::Memory(_) => (None, None),
    };
    let output_lengths = lengths(workload.output_tokens.as_ref())?;
    let tokenizer = workload.tokenizer.as_deref().map(read_tokenizer).transpose()?;
    let sources = Sources { file, input_lengths, output_lengths, tokenizer, trace };
    workload::prepare(workload, plan.seed, sources).map_err(Failure::usage)
}

fn opened(path: &Path, what: &str) -> Result<Box<dyn BufRead>, Failure> {
    File::open(path)
        .map(|file| Box::new(BufReader::new(file)) as Box<dyn BufRead>)
        .map_err(|error| unreadable(path, what, &error))
}

fn unreadable(path: &Path, what: &str, error: &io::Error) -> Failure {
    let problem = Problem::new(format!("the {what} in `{}` cannot be read: {error}", path.display()));
    problem.help("check the path").into()
}

fn read_tokenizer(path: &Path) -> Result<Arc<Tokenizer>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(Tokenizer::MAX_BYTES + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(path, "tokenizer", &error))?;
    if bytes.len() as u64 > Tokenizer::MAX_BYTES {
        let problem = Problem::new(format!("`{}` is larger than any tokenizer", path.display()));
        return Err(problem.help("give the `tokenizer.json` that lies beside the model").into());
    }
    Tokenizer::from_json(&bytes).map(Arc::new).map_err(Failure::usage)
}

/// A trace by its file, or an earlier run by its folder.
fn read_trace(path: &Path) -> Result<Trace, Failure> {
    if path.is_dir() {
        return of_run(path);
    }
    workload::read_trace(&path.display().to_string(), opened(path, "trace")?).map_err(Failure::usage)
}

/// The arrivals of a run as they were: when each request of its first target was really sent, or else was due.
fn of_run(path: &Path) -> Result<Trace, Failure> {
    let run = Run::open(path).map_err(Failure::usage)?;
    let Some(target) = run.manifest.plan.targets.first() else {
        return Err(Problem::new(format!("the run in `{}` has no target", path.display())).into());
    };
    let mut entries = Vec::new();
    for record in run.records(&target.name).map_err(Failure::usage)? {
        let record = record.map_err(Failure::usage)?;
        if record.phase == Phase::Measured && record.attempt == 0 {
            entries.push(entry(&record));
        }
    }
    Trace::from_arrivals(&path.display().to_string(), entries).map_err(Failure::usage)
}

fn entry(record: &Record) -> TraceEntry {
    let narrow = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
    TraceEntry {
        at: record.start_ns.unwrap_or(record.scheduled_ns) - Moment::EPOCH,
        input_tokens: record.tokens.and_then(|tokens| tokens.input).map(narrow).or(record.prompt_tokens),
        output_tokens: Some(record.max_tokens),
        blocks: Vec::new(),
    }
}
