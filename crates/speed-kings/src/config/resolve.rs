//! From settings to a plan: everything looked up, nothing left open but what only a server can tell.

use std::collections::HashSet;
use std::path::PathBuf;

use jiff::civil::Date;
use providers::{Ask, Kind, PriceBook, ProviderError, Readiness};
use schema::plan::{
    Arrival, HttpChoice, Load, Plan, PromptSource, Size, SizeLimits, Stop, TimeLimits, TransportPlan, Workload,
};
use schema::target::{Credentialed, TargetName};
use schema::units::{Nanos, Rate};

use super::layer::text_of;
use super::problem::{Problem, Problems};
use super::proxy::{proxy, shown};
use super::settings::{MOST_REQUESTS, MockEngine, Settings};
use crate::args::quantity::Quantity;
use crate::args::target::TargetSpec;
use crate::environment::Environment;

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
    pub(crate) simulated_model: Option<String>,
    /// Providers asked for by name that cannot be measured while others can: the run goes on without them
    /// and counts as failed.
    pub(crate) skipped: Vec<Problem>,
    /// What a user should hear of.
    pub(crate) notes: Vec<String>,
}

/// What simulated engines serve unless `model` says otherwise.
pub(crate) const SIMULATED_MODEL: &str = "simulated-8b";

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
            model: self.simulated_model.as_deref().or(Some(SIMULATED_MODEL)),
            dialect: None,
        };
        let nothing = |_: &str| None;
        let mut credentialed = providers::resolve(&ask, &nothing, &PriceBook::embedded(), Date::ZERO)?;
        credentialed.target.simulated = true;
        credentialed.target.price = None;
        self.push(credentialed);
        Ok(())
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
        let spec = TargetSpec { address: Some(url.clone()), ..spec("openai-compatible") };
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
        dialect: spec.dialect,
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

fn plan_without_targets(settings: &Settings, surroundings: Surroundings<'_>, problems: &mut Problems) -> Plan {
    let transport = transport_plan(settings, surroundings.environment, problems);
    let (stop, load) = (stop(settings, problems), load(settings));
    if let (Stop::DurationNs(length), Load::Open { rate_per_s, .. }) = (stop, &load)
        && most_offered(length, *rate_per_s) > MOST_REQUESTS
    {
        let problem = Problem::new(format!("`rate` and `duration` offer more than {MOST_REQUESTS} requests"));
        problems.0.push(problem.help("measure for a shorter time, or at a lower rate"));
    }
    let blocks = settings.blocks.unwrap_or(1);
    Plan {
        name: settings.name.clone().unwrap_or_else(|| "benchmark".to_owned()),
        targets: Vec::new(),
        workload: workload(settings),
        load,
        stop,
        grace_ns: settings.grace.as_ref().map_or(Nanos::from_secs(30), |grace| grace.value),
        warmup: settings.warmup.unwrap_or(0),
        blocks: match stop {
            Stop::Requests(requests) => blocks.min(u32::try_from(requests).unwrap_or(u32::MAX)),
            Stop::DurationNs(_) => blocks,
        },
        seed: settings.seed.unwrap_or(surroundings.fresh_seed),
        slos: settings.slo.clone().unwrap_or_default(),
        budget_usd: settings.budget.as_ref().map(|budget| budget.value),
        transport,
        keep_text: settings.keep_text.unwrap_or(false),
        out: settings.out.clone().unwrap_or_else(|| PathBuf::from("results")),
        search: None,
        until: None,
        retry: None,
        respect_limits: false,
        drop_after: 0,
        scrape_ns: None,
        gpu_metrics: None,
    }
}

/// About how many requests an open loop offers a target in that time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturates")]
pub(crate) fn most_offered(length: Nanos, rate: Rate) -> u64 {
    (length.as_secs_f64() * rate.get()).ceil() as u64
}

fn stop(settings: &Settings, problems: &mut Problems) -> Stop {
    match &settings.duration {
        Some(duration) => Stop::DurationNs(above_zero("duration", duration, problems)),
        None => Stop::Requests(settings.requests.unwrap_or(1)),
    }
}

fn load(settings: &Settings) -> Load {
    match &settings.rate {
        Some(rate) => Load::Open {
            rate_per_s: rate.value,
            arrival: settings.arrival.unwrap_or(Arrival::Poisson),
            max_concurrency: settings.max_concurrency.unwrap_or(1000),
            when_full: schema::plan::WhenFull::NotSent,
        },
        None => Load::Closed { concurrency: settings.concurrency.unwrap_or(1) },
    }
}

fn workload(settings: &Settings) -> Workload {
    let prompts = match (&settings.prompt, &settings.prompt_file) {
        (Some(text), _) => PromptSource::Text(text.clone()),
        (None, Some(file)) => PromptSource::File(file.clone()),
        (None, None) => PromptSource::BuiltIn(settings.size.unwrap_or(Size::Short)),
    };
    Workload {
        prompts,
        max_tokens: settings.max_tokens.unwrap_or(32),
        force_length: settings.force_length.unwrap_or(true),
        defeat_cache: settings.defeat_cache.unwrap_or(false),
        temperature_milli: milli(settings.temperature.unwrap_or(0.0)),
        stream: settings.stream.unwrap_or(true),
        ..Workload::plain(PromptSource::BuiltIn(Size::Short), 1)
    }
}

/// Thousandths of a temperature, which is bounded to 0 to 5.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 5,000")]
fn milli(temperature: f64) -> u32 {
    (temperature.clamp(0.0, 5.0) * 1000.0).round() as u32
}

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
