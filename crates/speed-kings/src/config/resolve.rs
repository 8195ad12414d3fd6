//! From settings to a plan: everything looked up, nothing left open but what only a server can tell.

mod load;
mod workload;

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::civil::Date;
use providers::{Ask, Kind, PriceBook, ProviderError, Readiness};
use schema::manifest::Tag;
use schema::plan::{HttpChoice, Judging, Plan, Retry, SizeLimits, TimeLimits, TransportPlan};
use schema::target::{Credentialed, Dialect, TargetName};
use schema::units::Nanos;
use url::Url;

use super::layer::text_of;
use super::problem::{Problem, Problems};
use super::proxy::{proxy, shown};
use super::settings::{MockEngine, Settings};
use crate::args::quantity::Quantity;
use crate::args::target::TargetSpec;
use crate::environment::Environment;

pub(crate) use load::most_offered;

/// What settings are resolved against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Keys and addresses are here.
    pub(crate) environment: &'a Environment,
    /// What models cost.
    pub(crate) prices: &'a PriceBook,
    /// Prices and retired models depend on the day.
    pub(crate) today: Date,
    /// The seed of a run that names none.
    pub(crate) fresh_seed: u64,
}

/// A plan and what goes with it but must not be in it.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// What is to be done. The simulated engines are not yet among its targets.
    pub(crate) plan: Plan,
    /// The plan's targets, in its order, with their keys.
    pub(crate) targets: Vec<Credentialed>,
    /// Indexes of the targets whose endpoint has to be asked which model it serves. Their model is `auto`
    /// until [`Resolved::name_model`].
    pub(crate) unnamed_models: Vec<usize>,
    /// Simulated engines that are to be started and [added](Resolved::add_simulated).
    pub(crate) mock: Vec<MockEngine>,
    /// The model that simulated engines claim to serve, if one was named.
    simulated_model: Option<String>,
    /// Whether vectors are asked for.
    embeddings: bool,
    /// Whether this machine's own floor is measured first.
    pub(crate) calibrate: bool,
    /// Words to put on the run.
    pub(crate) tags: Vec<Tag>,
    /// Providers asked for by name that cannot be measured while others can: the run goes on without them
    /// and counts as failed.
    pub(crate) skipped: Vec<Problem>,
    /// What a user should hear of.
    pub(crate) notes: Vec<String>,
}

/// What simulated engines serve unless `model` says otherwise.
const SIMULATED_MODEL: &str = "simulated-8b";

/// Stands for a model until its endpoint has been asked.
const UNNAMED: &str = "auto";

impl Resolved {
    /// Adds a simulated engine that now listens at `url` (its root) as a target like any other, stamped as
    /// simulated.
    ///
    /// # Errors
    /// The provider refused the URL, which a listening engine's never is.
    pub(crate) fn add_simulated(&mut self, engine: MockEngine, url: &str) -> Result<(), ProviderError> {
        let name = self.free_name(&engine.target_name());
        let ask = Ask {
            provider: engine.provider(),
            name: Some(name),
            url: Some(url),
            model: Some(self.simulated_model()),
            dialect: embedding_dialect(self.embeddings, engine.provider()),
        };
        let nothing = |_: &str| None;
        let mut credentialed = providers::resolve(&ask, &nothing, &PriceBook::embedded(), Date::ZERO)?;
        credentialed.target.simulated = true;
        credentialed.target.price = None;
        self.push(credentialed);
        Ok(())
    }

    /// The model that simulated engines claim to serve.
    pub(crate) fn simulated_model(&self) -> &str {
        self.simulated_model.as_deref().unwrap_or(SIMULATED_MODEL)
    }

    /// Names the model of the target at `index` as its endpoint told it.
    pub(crate) fn name_model(&mut self, index: usize, model: &str) {
        for target in [&mut self.targets[index].target, &mut self.plan.targets[index]] {
            model.clone_into(&mut target.model);
        }
        self.unnamed_models.retain(|unnamed| *unnamed != index);
    }

    /// The target at `index` has said that it is simulated: all that comes from it will say so, and it costs nothing.
    pub(crate) fn mark_simulated(&mut self, index: usize) {
        for target in [&mut self.targets[index].target, &mut self.plan.targets[index]] {
            target.simulated = true;
            target.price = None;
        }
    }

    fn push(&mut self, credentialed: Credentialed) {
        self.plan.targets.push(credentialed.target.clone());
        self.targets.push(credentialed);
    }

    /// `wanted`, or `wanted-2` and so on if there is one of that name.
    fn free_name(&self, wanted: &TargetName) -> TargetName {
        let taken: HashSet<&TargetName> = self.plan.targets.iter().map(|target| &target.name).collect();
        std::iter::once(wanted.clone())
            .chain((2..u32::MAX).filter_map(|n| numbered(wanted, n)))
            .find(|name| !taken.contains(name))
            .expect("there are more numbers than targets")
    }
}

/// `name-2`, shortened so that it remains a name.
fn numbered(name: &TargetName, number: u32) -> Option<TargetName> {
    let suffix = format!("-{number}");
    let stem = &name.as_str()[..name.as_str().len().min(64 - suffix.len())];
    format!("{stem}{suffix}").parse().ok()
}

/// The price table with the user's own prices over it.
///
/// # Errors
/// The user's file cannot be read or is not a price table.
pub(crate) fn price_book(file: Option<&PathBuf>) -> Result<PriceBook, Problems> {
    let book = PriceBook::embedded();
    let Some(file) = file else { return Ok(book) };
    let text = text_of(file).map_err(|error| {
        Problem::new(format!("the prices in `{}` cannot be read: {error}", file.display()))
            .help("check the path given as `prices`")
    })?;
    book.with_overrides(&text).map_err(|error| Problem::from_diagnostic(&error).into())
}

/// Turns settings into a plan.
///
/// # Errors
/// Everything that stands against it, at once.
pub(crate) fn resolve(settings: &Settings, surroundings: Surroundings<'_>) -> Result<Resolved, Problems> {
    let mut problems = Problems::default();
    let plan = plan_without_targets(settings, surroundings, &mut problems);
    let mut resolved = Resolved {
        plan,
        targets: Vec::new(),
        unnamed_models: Vec::new(),
        mock: settings.mock.clone().unwrap_or_default(),
        simulated_model: settings.model.clone(),
        embeddings: settings.embeddings.unwrap_or(false),
        calibrate: settings.calibrate.unwrap_or(false),
        tags: settings.tag.clone().unwrap_or_default(),
        skipped: Vec::new(),
        notes: Vec::new(),
    };
    let asked = asked_for(settings, surroundings.environment, &mut resolved.notes);
    if asked.is_empty() && resolved.mock.is_empty() && resolved.notes.is_empty() {
        problems.0.push(nothing_to_measure());
    }
    for asked in asked {
        add(&mut resolved, &asked, surroundings, &mut problems);
    }
    if resolved.targets.is_empty() && resolved.mock.is_empty() {
        problems.0.append(&mut resolved.skipped);
    }
    if problems.0.is_empty() && resolved.targets.is_empty() && resolved.mock.is_empty() {
        problems.0.push(none_ready(&resolved.notes));
    }
    let alone = resolved.targets.len() + resolved.mock.len() == 1;
    if problems.0.is_empty() && alone && !resolved.plan.judging.until_decided.is_empty() {
        let problem = Problem::new("`until_decided` compares targets, and there is one");
        problems.0.push(problem.help("name another, or go on `--until-precise 2%`"));
    }
    problems.or(resolved)
}

fn nothing_to_measure() -> Problem {
    Problem::new("nothing was named to measure").help(
        "`--mock` measures simulated engines with nothing installed; `--providers groq,cerebras` and \
         `--url URL --model MODEL` measure real ones; `speed-kings list` shows what is ready",
    )
}

fn none_ready(notes: &[String]) -> Problem {
    Problem::new(format!("no provider is ready: {}", notes.join("; ")))
        .help("set a provider's key, or name what to measure; `speed-kings list` shows what each needs")
}

/// One target as it was asked for.
struct Asked {
    spec: TargetSpec,
    /// As part of `all`: then it may be missing without anyone being surprised.
    as_part_of_all: bool,
}

fn asked_for(settings: &Settings, environment: &Environment, notes: &mut Vec<String>) -> Vec<Asked> {
    let model = settings.model.as_ref();
    let spec = |provider: &str| TargetSpec::of_provider(provider, model.cloned());
    let mut asked = Vec::new();
    for name in settings.providers.iter().flatten() {
        if name == "all" {
            let ready = ready_providers(environment, notes);
            asked.extend(ready.into_iter().map(|id| Asked { spec: spec(id), as_part_of_all: true }));
        } else {
            asked.push(Asked { spec: spec(name), as_part_of_all: false });
        }
    }
    if let Some(url) = &settings.url {
        let metrics = settings.metrics_url.clone();
        let spec = TargetSpec { address: Some(url.clone()), metrics, ..spec("openai-compatible") };
        asked.push(Asked { spec, as_part_of_all: false });
    }
    for target in settings.target.iter().flatten() {
        let model = target.model.as_ref().or(model).cloned();
        asked.push(Asked { spec: TargetSpec { model, ..target.clone() }, as_part_of_all: false });
    }
    asked
}

/// Hosted providers whose key is set, and engines whose address is.
fn ready_providers(environment: &Environment, notes: &mut Vec<String>) -> Vec<&'static str> {
    let mut ready = Vec::new();
    let mut keyless = Vec::new();
    for provider in providers::registry() {
        let address_set = provider.url_variables.iter().any(|variable| environment.get(variable).is_some());
        match providers::readiness(provider, &environment.lookup()) {
            Readiness::Ready if provider.kind == Kind::Hosted || address_set => ready.push(provider.id),
            Readiness::MissingKey { .. } => keyless.push(provider.id),
            Readiness::Ready | Readiness::NeedsUrl => {}
        }
    }
    if !keyless.is_empty() {
        notes.push(format!("left out for want of a key: {}", keyless.join(", ")));
    }
    ready
}

fn add(resolved: &mut Resolved, asked: &Asked, surroundings: Surroundings<'_>, problems: &mut Problems) {
    let spec = &asked.spec;
    let ask = Ask {
        provider: &spec.provider,
        name: spec.name.clone(),
        url: spec.address.as_deref(),
        model: spec.model.as_deref(),
        dialect: spec.dialect.or_else(|| embedding_dialect(resolved.embeddings, &spec.provider)),
    };
    let variables = surroundings.environment.lookup();
    let look_up = |ask: &Ask<'_>| providers::resolve(ask, &variables, surroundings.prices, surroundings.today);
    let (outcome, unnamed) = match look_up(&ask) {
        Err(ProviderError::NoModel { .. }) => (look_up(&Ask { model: Some(UNNAMED), ..ask }), true),
        outcome => (outcome, false),
    };
    match outcome {
        Ok(mut credentialed) => {
            credentialed.target.name = resolved.free_name(&credentialed.target.name);
            if let Some(metrics) = &spec.metrics {
                credentialed.target.metrics_url = address("metrics_url", metrics, problems);
            }
            if unnamed {
                resolved.unnamed_models.push(resolved.targets.len());
            }
            resolved.push(credentialed);
        }
        Err(error) if asked.as_part_of_all => resolved.notes.push(format!("left out: {error}")),
        Err(error @ ProviderError::MissingKey { .. }) => resolved.skipped.push(Problem::from_diagnostic(&error)),
        Err(error) => problems.0.push(Problem::from_diagnostic(&error)),
    }
}

/// The protocol for vectors, where vectors are asked for.
fn embedding_dialect(wanted: bool, provider: &str) -> Option<Dialect> {
    wanted.then(|| if provider == "ollama" { Dialect::OllamaEmbed } else { Dialect::OpenaiEmbeddings })
}

fn plan_without_targets(settings: &Settings, surroundings: Surroundings<'_>, problems: &mut Problems) -> Plan {
    let transport = transport_plan(settings, surroundings.environment, problems);
    let timed = load::timed(settings, problems);
    let places = timed.load.places();
    Plan {
        name: settings.name.clone().unwrap_or_else(|| "benchmark".to_owned()),
        targets: Vec::new(),
        workload: workload::workload(settings, timed.load.is_open(), problems),
        grace_ns: settings.grace.as_ref().map_or(Nanos::from_secs(30), |grace| grace.value),
        warmup: settings.warmup.unwrap_or(0),
        blocks: timed.blocks,
        seed: settings.seed.unwrap_or(surroundings.fresh_seed),
        slos: settings.slo.clone().unwrap_or_default(),
        budget_usd: settings.budget.as_ref().map(|budget| budget.value),
        transport,
        // What was remembered is read off the answers.
        keep_text: settings.keep_text.unwrap_or(false) || settings.facts.is_some(),
        out: settings.out.clone().unwrap_or_else(|| PathBuf::from("results")),
        search: timed.search,
        until: settings.until_precise,
        retry: retry(settings),
        respect_limits: settings.respect_limits.unwrap_or(false),
        drop_after: settings.drop_after.unwrap_or_else(|| places.saturating_mul(2).max(FEWEST_BEFORE_DROPPED)),
        scrape_ns: scrape(settings),
        gpu_metrics: settings.gpu_metrics.as_deref().and_then(|text| address("gpu_metrics", text, problems)),
        judging: judging(settings),
        side_by_side: settings.side_by_side.unwrap_or(false),
        load: timed.load,
        stop: timed.stop,
    }
}

/// How winners are told.
fn judging(settings: &Settings) -> Judging {
    let usual = Judging::default();
    Judging {
        tie: settings.tie.map_or(usual.tie, |tie| tie.0),
        weights: settings.weights.clone().map_or(usual.weights, |weights| weights.0),
        until_decided: settings.until_decided.clone().unwrap_or_default(),
    }
}

/// Failures in a row before a target is dropped, unless told.
const FEWEST_BEFORE_DROPPED: u32 = 20;

fn retry(settings: &Settings) -> Option<Retry> {
    let attempts = settings.retries.filter(|attempts| *attempts > 0)?;
    let first_ns = settings.retry_after.as_ref().map_or(Nanos::from_millis(500), |span| span.value);
    let most_ns = settings.retry_most.as_ref().map_or(Nanos::from_secs(30), |span| span.value);
    Some(Retry { attempts, first_ns, most_ns })
}

/// How often metrics are read: once a second unless told, and never when told `0s`.
fn scrape(settings: &Settings) -> Option<Nanos> {
    let every = settings.scrape.as_ref().map_or(Nanos::from_secs(1), |span| span.value);
    (every > Nanos::ZERO).then_some(every)
}

/// An address that was written down.
fn address(key: &str, text: &str, problems: &mut Problems) -> Option<Url> {
    let shown = crate::args::mask_user_info(text);
    // What is asked of a page may hold another's address.
    let several = text.split('?').next().is_some_and(|place| place.match_indices("://").count() > 1);
    let (wrong, help) = match Url::parse(text) {
        _ if several => ("is one alone", "write one; each target may name its own: `metrics=URL` within `target`"),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => ("begins with `http://` or `https://`", LIKE_THIS),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => (
            "holds no user name and no password",
            "leave them out: the key of a target goes to pages of its own origin",
        ),
        Ok(url) => return Some(url),
        Err(_) => ("begins with `http://` or `https://` and names a host", LIKE_THIS),
    };
    problems.0.push(Problem::new(format!("`{key}` is `{shown}`, and the address of a page {wrong}")).help(help));
    None
}

/// What the address of a page looks like.
const LIKE_THIS: &str = "write it like `http://gpu:9400/metrics`";

fn transport_plan(settings: &Settings, environment: &Environment, problems: &mut Problems) -> TransportPlan {
    let usual = TimeLimits::default();
    let mut limit = |key: &str, written: Option<&Quantity<Nanos>>, usual: Nanos| {
        written.map_or(usual, |written| above_zero(key, written, problems))
    };
    let limits = TimeLimits {
        connect_ns: limit("connect_timeout", settings.connect_timeout.as_ref(), usual.connect_ns),
        first_token_ns: limit("first_token_timeout", settings.first_token_timeout.as_ref(), usual.first_token_ns),
        gap_ns: limit("gap_timeout", settings.gap_timeout.as_ref(), usual.gap_ns),
        total_ns: limit("total_timeout", settings.total_timeout.as_ref(), usual.total_ns),
    };
    let proxy = proxy(environment).unwrap_or_else(|problem| {
        problems.0.push(problem);
        None
    });
    TransportPlan {
        http: settings.http.unwrap_or(HttpChoice::Http1),
        limits,
        sizes: SizeLimits::default(),
        insecure: settings.insecure.unwrap_or(false),
        bundled_roots: settings.bundled_roots.unwrap_or(false),
        proxy: proxy.as_ref().map(shown),
        user_space_stamps: settings.user_space_stamps.unwrap_or(false),
    }
}

fn above_zero(key: &str, written: &Quantity<Nanos>, problems: &mut Problems) -> Nanos {
    if written.value == Nanos::ZERO {
        problems.0.push(Problem::new(format!("`{key}` is `{written}`, no time at all")).help("write it like `30s`"));
    }
    written.value
}

#[cfg(test)]
mod tests;
