//! One prompt, asked of all targets at once, and what a person says of the answers.

use jiff::Timestamp;
use schema::plan::Plan;
use schema::text::Untrusted;
use schema::vote::{Contender, Preference, VOTE_VERSION, Vote};
use store::Redactor;
use tui::{Answer, Ballot, letter};

use crate::args::run::Way;
use crate::commands::Context;
use crate::commands::heat::{Field, Heat, line_up};
use crate::config::resolve::Resolved;
use crate::config::verb::TRY_IT;
use crate::outcome::Failure;

use super::Args;

/// Bytes of a prompt that are kept with a vote; the run has all of it.
const KEPT_PROMPT: usize = 2_000;

/// The word on every run of a round.
const TAG: &str = "try-it";

/// What makes a run one heat on `prompt`.
pub(super) fn settled(prompt: &str) -> String {
    // A string in JSON is one in YAML.
    let prompt = serde_json::Value::from(prompt);
    format!("prompt: {prompt}\nrequests: 1\nblocks: 1\nconcurrency: 1\nside_by_side: true\nkeep_text: true\n")
}

/// Who will be asked, for people: simulated engines by the names they will have.
pub(super) fn who(resolved: &Resolved) -> String {
    let real = resolved.plan.targets.iter().map(|target| target.name.to_string());
    let simulated = resolved.mock.iter().map(|mock| format!("{} (SIMULATED)", mock.target_name()));
    real.chain(simulated).collect::<Vec<_>>().join(", ")
}

/// A round that is lined up.
pub(super) struct Round {
    pub(super) field: Field,
    /// Which target is shown as A, as B, and so on.
    pub(super) order: Vec<usize>,
    guard: Redactor,
    prompt: String,
}

impl Round {
    /// The round of that number on `prompt`; the order of the answers is drawn from the plan's seed and the number.
    ///
    /// # Errors
    /// As [`line_up`].
    pub(super) fn line_up(args: &Args, number: u64, prompt: &str, context: &Context) -> Result<Self, Failure> {
        let mut field = line_up(&args.run, &Way { verb: &TRY_IT, settled: &settled(prompt) }, context)?;
        let resolved = &mut field.prepared.resolved;
        resolved.tags.push(TAG.parse().expect("it is a tag"));
        let (count, seed) = (resolved.plan.targets.len(), resolved.plan.seed);
        let place = |place: usize| workload::choose(count, seed, number * count as u64 + place as u64);
        let order = (0..count).map(place).collect();
        let guard = field.prepared.redactor();
        Ok(Self { field, order, guard, prompt: prompt.to_owned() })
    }

    /// Takes what is needed once the race is run.
    pub(super) fn part(self) -> (Field, Judged) {
        (self.field, Judged { order: self.order, guard: self.guard, prompt: self.prompt })
    }
}

/// What judging a round needs.
pub(super) struct Judged {
    pub(super) order: Vec<usize>,
    guard: Redactor,
    prompt: String,
}

impl Judged {
    /// The answers as A, B, C: nothing on them tells whose they are.
    pub(super) fn hidden(&self, heat: &Heat) -> Vec<Answer> {
        let blind = |(place, answer)| Answer { name: letter(place), simulated: false, figures: Vec::new(), ..answer };
        self.named(heat).into_iter().enumerate().map(blind).collect()
    }

    /// The same answers with names and figures beside their letters.
    pub(super) fn named(&self, heat: &Heat) -> Vec<Answer> {
        let answers = heat.told().answers(0);
        let shown = self.order.iter().filter_map(|target| answers.get(*target).cloned()).enumerate();
        shown.map(|(place, answer)| Answer { name: format!("{}: {}", letter(place), answer.name), ..answer }).collect()
    }

    /// How many of them no model wrote.
    pub(super) fn simulated(&self, heat: &Heat) -> usize {
        let targets = &heat.finished.manifest.plan.targets;
        self.order.iter().filter(|target| targets[**target].simulated).count()
    }

    /// Keeps what was said.
    ///
    /// # Errors
    /// The disk refuses.
    pub(super) fn keep(&self, heat: &Heat, ballot: Ballot) -> Result<(), Failure> {
        let manifest = &heat.finished.manifest;
        let shown: Vec<Contender> = self.order.iter().map(|target| contender(&manifest.plan, *target)).collect();
        let preference = match ballot {
            Ballot::One(place) => Preference::One(shown[place].target.clone()),
            Ballot::AllAlike => Preference::AllAlike,
            Ballot::Skipped => Preference::Skipped,
        };
        let vote = Vote {
            format_version: VOTE_VERSION,
            at: Timestamp::now(),
            run_id: manifest.run_id,
            run: heat.finished.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            prompt: Untrusted::bounded(self.prompt.as_str(), KEPT_PROMPT),
            shown,
            preference,
        };
        Ok(store::keep_vote(&manifest.plan.out, &vote, &self.guard).map_err(miette::Report::new)?)
    }

    /// What was said, with the name that was hidden.
    pub(super) fn in_words(&self, heat: &Heat, ballot: Ballot) -> String {
        match ballot {
            Ballot::One(place) => {
                let target = &heat.finished.manifest.plan.targets[self.order[place]];
                let mark = if target.simulated { " (SIMULATED)" } else { "" };
                format!("You preferred {}: {}{mark}", letter(place), target.name)
            }
            Ballot::AllAlike => "You found them alike".to_owned(),
            Ballot::Skipped => "You gave no vote".to_owned(),
        }
    }
}

/// Whether there are answers to be compared: two or more that say something.
pub(super) fn can_be_judged(answers: &[Answer]) -> bool {
    answers.iter().filter(|answer| !answer.text.raw().trim().is_empty()).count() >= 2
}

fn contender(plan: &Plan, target: usize) -> Contender {
    let target = &plan.targets[target];
    Contender {
        target: target.name.clone(),
        provider: target.provider.clone(),
        model: target.model.as_str().into(),
        simulated: target.simulated,
    }
}
