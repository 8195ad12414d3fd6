//! From a plan to something that can be sent: simulated engines started, models known, prompts read.
//! Shared by every command that sends requests.

use discover::Served;
use futures_util::future::join_all;
use schema::plan::{Load, Plan, Stop};
use schema::record::{Failure as RequestFailure, FailureClass, Usage};
use schema::target::{Credentialed, Target};
use schema::text::Untrusted;
use schema::units::{Nanos, Usd};
use sim::{Config, Engine, Sim};
use store::Redactor;
use transport::{Clock, Connector, Proxy};

use crate::args::run::{RunArgs, Way};
use crate::commands::Context;
use crate::commands::sources::{self, Asked};
use crate::config::problem::{Problem, Problems};
use crate::config::proxy::proxy;
use crate::config::resolve::{Resolved, most_offered, price_book, resolve};
use crate::config::settings::MockEngine;
use crate::outcome::{Exit, Failure};

/// A plan that can be carried out.
pub(crate) struct Prepared {
    /// The plan, its targets and their keys.
    pub(crate) resolved: Resolved,
    /// What is asked.
    pub(crate) asked: Asked,
    /// The proxy, with its credentials.
    pub(crate) proxy: Option<Proxy>,
    /// Simulated engines; they stop when this is dropped.
    sims: Vec<Sim>,
}

/// How long a target may take to list its models before the run goes on without its list.
const LISTING_LIMIT: Nanos = Nanos::from_secs(10);

/// Resolves what was asked for and reads its prompts; sends nothing yet.
///
/// # Errors
/// Everything that stands against it.
pub(crate) fn resolved(args: &RunArgs, way: &Way<'_>, context: &Context) -> Result<(Resolved, Asked), Failure> {
    let layered = args.layered(context, way)?;
    let settings = layered.settings();
    let prices = price_book(settings.prices.as_ref())?;
    let mut resolved = resolve(&settings, context.surroundings(&prices))?;
    resolved.notes.splice(0..0, layered.notes_on(&resolved.plan));
    if let Some(problem) = way.verb.refuse_targets(resolved.targets.len() + resolved.mock.len()) {
        return Err(Problems(resolved.skipped.into_iter().chain([problem]).collect()).into());
    }
    // Nobody to take turns with: a schedule that pauses between blocks would wait for answers.
    if resolved.plan.load.is_open() && resolved.targets.len() + resolved.mock.len() == 1 && !layered.is_chosen("blocks")
    {
        resolved.plan.blocks = 1;
    }
    let asked = sources::read(&mut resolved.plan)?;
    resolved.notes.extend(asked.prompts.notes().iter().cloned());
    resolved.notes.extend(asked.trace.iter().flat_map(|trace| trace.notes().iter().cloned()));
    refuse_misfits(&resolved.plan, &asked)?;
    Ok((resolved, asked))
}

/// [`resolved`], then: simulated engines are started, and endpoints are asked which models they serve.
/// A target whose model is not served is skipped with the nearest names, unless it is the only one.
///
/// # Errors
/// As [`resolved`]; and when no target is left, what stands against each. That is no wrong usage: it took
/// asking to find out.
pub(crate) fn prepare(args: &RunArgs, way: &Way<'_>, context: &Context) -> Result<Prepared, Failure> {
    let (mut resolved, asked) = resolved(args, way, context)?;
    let proxy = proxy(&context.environment)?;
    check_models(&mut resolved, proxy.as_ref())?;
    let sims = start_simulated(&mut resolved)?;
    let too_few = way.verb.refuse_targets(resolved.plan.targets.len());
    if resolved.plan.targets.is_empty() || too_few.is_some() {
        let report = Problems(resolved.skipped.into_iter().chain(too_few).collect()).into();
        return Err(Failure { report, exit: Exit::Failed });
    }
    refuse_misfits(&resolved.plan, &asked)?;
    tell(&resolved, context);
    Ok(Prepared { resolved, asked, proxy, sims })
}

/// Refuses what a target's protocol has no words for: left out, it would measure something else.
fn refuse_misfits(plan: &Plan, asked: &Asked) -> Result<(), Failure> {
    let images = asked.have_images(plan);
    let misfits = plan.targets.iter().flat_map(|target| {
        let misfits = target.dialect.misfits(&plan.workload, images).into_iter();
        misfits.map(|misfit| {
            let problem = Problem::new(format!("`{}` cannot be asked that: {misfit}", target.name));
            problem.help("leave that target out, or choose another `dialect=` for it")
        })
    });
    Problems(misfits.collect()).or(()).map_err(Failure::from)
}

/// Tells what a user should hear of, and what is not measured.
pub(crate) fn tell(resolved: &Resolved, context: &Context) {
    context.terminal.note_all(&resolved.notes);
    for problem in &resolved.skipped {
        context.terminal.complain(&problem.clone().into());
    }
}

impl Prepared {
    /// Whether something asked for by name is not measured.
    pub(crate) fn is_lacking(&self) -> bool {
        !self.resolved.skipped.is_empty()
    }

    /// Takes the keys out of what servers say.
    pub(crate) fn redactor(&self) -> Redactor {
        redactor(&self.resolved)
    }

    /// Stops the simulated engines.
    pub(crate) fn stop_simulated(self) {
        drop(self.sims);
    }
}

fn start_simulated(resolved: &mut Resolved) -> Result<Vec<Sim>, Failure> {
    let mut sims = Vec::new();
    for mock in std::mem::take(&mut resolved.mock) {
        let engine = match mock {
            MockEngine::Vllm => Engine::Vllm,
            MockEngine::Tgi => Engine::Tgi,
            MockEngine::Ollama => Engine::Ollama,
            MockEngine::Openai => Engine::OpenAi,
        };
        let model = resolved.simulated_model().to_owned();
        let config = Config { model, seed: resolved.plan.seed, ..Config::new(engine) };
        let sim = Sim::start(config).map_err(miette::Report::from)?;
        resolved.add_simulated(mock, &sim.url()).map_err(miette::Report::from)?;
        sims.push(sim);
    }
    Ok(sims)
}

/// Asks every endpoint what it serves. One that does not say is believed.
fn check_models(resolved: &mut Resolved, proxy: Option<&Proxy>) -> Result<(), Failure> {
    if resolved.targets.is_empty() {
        return Ok(());
    }
    let mut plan = resolved.plan.transport.clone();
    plan.limits.connect_ns = plan.limits.connect_ns.min(LISTING_LIMIT);
    plan.limits.first_token_ns = plan.limits.first_token_ns.min(LISTING_LIMIT);
    let connector = Connector::new(&plan, proxy.cloned(), Clock::start()).map_err(miette::Report::from)?;
    let runtime = super::small_runtime()?;
    let asked = resolved.targets.iter().map(|target| discover::models(&connector, target));
    let answers = runtime.block_on(join_all(asked));
    let redactor = redactor(resolved);
    let mut given_up = Vec::new();
    for (index, answer) in answers.into_iter().enumerate() {
        let unnamed = resolved.unnamed_models.contains(&index);
        if answer.as_ref().is_ok_and(|served| served.simulated) {
            resolved.mark_simulated(index);
        }
        match judge(&resolved.targets[index], without_keys(answer, &redactor), unnamed) {
            Judgement::Fine => {}
            Judgement::Named(model) => resolved.name_model(index, &model),
            Judgement::Doubtful(note) => resolved.notes.push(note),
            Judgement::Skip(problem) => {
                resolved.skipped.push(problem);
                given_up.push(index);
            }
        }
    }
    for index in given_up.into_iter().rev() {
        resolved.plan.targets.remove(index);
        resolved.targets.remove(index);
    }
    Ok(())
}

fn redactor(resolved: &Resolved) -> Redactor {
    let keys: Vec<_> = resolved.targets.iter().filter_map(|who| who.key.clone()).collect();
    Redactor::new(&keys, &resolved.plan.targets)
}

/// What an endpoint said, without the keys it was asked with.
pub(crate) fn without_keys(
    answer: Result<Served, RequestFailure>,
    redactor: &Redactor,
) -> Result<Served, RequestFailure> {
    match answer {
        Ok(served) => Ok(Served { models: served.models.iter().map(|id| redactor.text(id)).collect(), ..served }),
        Err(failure) => {
            let message = Untrusted::from(redactor.text(failure.message.raw()).as_str());
            Err(RequestFailure { message, ..failure })
        }
    }
}

/// What a target's list of models means for it.
#[derive(Debug)]
enum Judgement {
    /// It serves the model, or does not say what it serves.
    Fine,
    /// It serves one model, and that is the one.
    Named(String),
    /// It may be wrong, and the engine is known not to mind.
    Doubtful(String),
    /// It cannot be measured.
    Skip(Problem),
}

fn judge(who: &Credentialed, answer: Result<Served, RequestFailure>, unnamed: bool) -> Judgement {
    let Target { name, model, provider, .. } = &who.target;
    let served = match answer {
        Ok(served) => served.models,
        Err(failure) if unnamed => {
            let why =
                format!("`{name}` could not be asked which model it serves: {}: {}", failure.class, failure.message);
            return Judgement::Skip(
                Problem::new(why).help("start the server, check the URL, or name the model with `--model`"),
            );
        }
        Err(failure) if failure.class.is_unreachable() => {
            let why =
                format!("`{name}` cannot be reached at {}: {}: {}", who.target.url, failure.class, failure.message);
            return Judgement::Skip(Problem::new(why).help(
                "check that it is running and that the URL is right; `speed-kings discover` finds local engines",
            ));
        }
        Err(failure) if failure.class == FailureClass::Unauthorized => {
            let variable = who.target.key_variable.as_deref().unwrap_or("the key's variable");
            let why = format!("`{name}` refuses the key: {}", failure.message);
            return Judgement::Skip(Problem::new(why).help(format!("check the value of {variable}")));
        }
        Err(_) => return Judgement::Fine,
    };
    if unnamed {
        return match served.as_slice() {
            [only] => Judgement::Named(only.clone()),
            [] => Judgement::Skip(
                Problem::new(format!("`{name}` lists no models")).help("load one, or name it with `--model`"),
            ),
            many => Judgement::Skip(
                Problem::new(format!("`{name}` serves {} models", many.len()))
                    .help(format!("choose one with `--model`, such as `{}`", some(many))),
            ),
        };
    }
    if served.is_empty() || served.iter().any(|id| same_model(id, model)) {
        return Judgement::Fine;
    }
    let near = providers::nearest_models(model, &served);
    let message = format!("`{name}` does not list the model `{model}`");
    // llama.cpp and TGI serve what they have loaded, whatever is asked for.
    if ["llamacpp", "tgi"].contains(&provider.as_str()) {
        return Judgement::Doubtful(format!("{message}; it serves `{}` whatever is asked", some(&served)));
    }
    let help = if near.is_empty() {
        format!("it serves `{}`", some(&served))
    } else {
        format!("did you mean `{}`?", some(&near))
    };
    Judgement::Skip(Problem::new(message).help(help))
}

/// Names that a server chose, the first of them, for a sentence.
fn some(models: &[String]) -> String {
    const NAMED: usize = 5;
    let named = models.iter().take(NAMED).map(|id| Untrusted::from(id.as_str()).to_string());
    named.collect::<Vec<_>>().join("`, `")
}

/// Ollama may leave out the tag `latest`.
fn same_model(listed: &str, wanted: &str) -> bool {
    listed == wanted || listed.strip_suffix(":latest") == Some(wanted) || listed.strip_prefix("models/") == Some(wanted)
}

/// What measuring a target can cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Estimate {
    /// This, if every answer is as long as allowed.
    UpTo(Usd),
    /// As much as the target answers in its time.
    ByTime,
    /// Nobody knows.
    NoPrice,
}

/// What `plan` can cost at one of its targets.
pub(crate) fn estimate(target: &Target, plan: &Plan, asked: &Asked) -> Estimate {
    let Some(price) = target.price.as_ref() else { return Estimate::NoPrice };
    let requests = match (plan.stop, &plan.load) {
        _ if plan.search.is_some() => return Estimate::ByTime,
        (Stop::Requests(requests), _) => requests,
        (Stop::DurationNs(length), Load::Open { rate_per_s, .. }) => most_offered(length, *rate_per_s),
        (Stop::DurationNs(_), _) => return Estimate::ByTime,
    };
    let mut tokens = (0, 0);
    for picked in asked.sample(plan) {
        tokens.0 += workload::estimate_prompt_tokens(&picked.prompt);
        tokens.1 += u64::from(picked.max_tokens);
    }
    let usage = Usage {
        input_tokens: Some(tokens.0.div_ceil(asked.sampled())),
        output_tokens: Some(tokens.1.div_ceil(asked.sampled())),
        ..Usage::default()
    };
    let attempts = 1 + plan.retry.map_or(0, |retry| u64::from(retry.attempts));
    Estimate::UpTo(providers::cost(price, &usage) * requests.saturating_add(plan.warmup).saturating_mul(attempts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(provider: &str, model: &str) -> Credentialed {
        let ask = providers::Ask {
            provider,
            url: Some("http://127.0.0.1:1"),
            model: Some(model),
            ..providers::Ask::default()
        };
        let book = providers::PriceBook::embedded();
        providers::resolve(&ask, &|_| None, &book, jiff::civil::date(2026, 11, 22)).unwrap()
    }

    #[track_caller]
    fn check(provider: &str, model: &str, served: &[&str], unnamed: bool, expected: &str) {
        let models = served.iter().map(|id| (*id).to_owned()).collect();
        let served = Served { models, simulated: false };
        let judgement = format!("{:?}", judge(&who(provider, model), Ok(served), unnamed));
        assert!(judgement.contains(expected), "{judgement}");
    }

    #[test]
    fn a_model_that_is_not_served_is_answered_with_the_nearest_name() {
        check("vllm", "qwen3-8b", &["qwen3-8b"], false, "Fine");
        check("ollama", "llama3.2", &["llama3.2:latest"], false, "Fine");
        check("vllm", "qwen3-8", &["qwen3-8b", "other"], false, "did you mean `qwen3-8b");
        check("vllm", "other", &["qwen3-8b", "llama"], false, "it serves `qwen3-8b`, `llama`");
        check("llamacpp", "what", &["smollm2"], false, "`what`; it serves `smollm2`");
        check("vllm", "anything", &[], false, "Fine");
    }

    #[test]
    fn an_endpoint_that_serves_one_model_names_it() {
        check("openai-compatible", "auto", &["only"], true, "Named(\"only\")");
        check("openai-compatible", "auto", &["a", "b"], true, "choose one with `--model`, such as `a`, `b`");
        check("openai-compatible", "auto", &[], true, "lists no models");
    }
}
