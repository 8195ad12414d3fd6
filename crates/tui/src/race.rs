//! A race: every target's stream in a lane of its own, begun at one instant; after the first heats, how they spread.
//!
//! ```text
//! Progress ─▶ heat (a track per lane: stages, pieces, record) ─▶ order ─▶ lanes, ranking, photo finish
//!         └─▶ tally (TTFT and E2E of every measured heat) ──────────────▶ distributions
//! ```
//!
//! What a lane shows while it runs comes from the same instants that its record will hold; once the record is there,
//! its figures are shown in their place.

mod doubt;
mod header;
mod heat;
mod lane;
mod layout;
mod names;
mod order;
mod rhythm;
mod scene;
mod spread;
mod strip;
mod tally;
mod track;
mod transcript;
mod words;

#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::style::Modifier;
use ratatui::text::Line;
use schema::progress::Progress;
use schema::record::{Phase, Record};
use schema::target::TargetName;
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};

use crate::pages::Page;
use crate::screen::{Reaction, Screen, View};
use crate::text::{self, Flow};
use crate::theme::Theme;

use heat::{Heat, HeatId};
use layout::{Lanes, Places};
use names::Names;
use scene::Scene;
use tally::Tally;

pub use order::{PhotoFinish, Standing};
pub use track::{Amount, State};

/// Heats that are shown lane by lane; from then on their distributions are.
pub const LIVE_HEATS: u32 = 3;

/// One target of a race, with what is known of it before the start.
#[derive(Debug, Clone)]
pub struct Lane {
    /// What it is called.
    pub name: TargetName,
    /// Whether it is a simulated engine.
    pub simulated: bool,
    /// Where it listens, as a person would write it.
    pub endpoint: String,
    /// The model's id.
    pub model: String,
    /// The engine's real configuration, as it was fetched from it: names and values, in the order to be shown.
    pub about: Vec<(String, Untrusted)>,
}

/// What is known before the start.
#[derive(Debug, Clone)]
pub struct RaceSetup {
    /// The prompt.
    pub prompt: Untrusted,
    /// Who races, in the plan's order.
    pub targets: Vec<Lane>,
    /// Measured heats: the blocks of the plan.
    pub runs: u32,
    /// Output limit of a request, as planned; its record may say another.
    pub max_tokens: u32,
    /// For a blind race: which of `targets` is shown as A, as B, and so on. Names, models, configuration, round trips
    /// and notes are hidden then. Targets that it leaves out follow in the plan's order.
    pub blind: Option<Vec<usize>>,
}

/// What a measured heat asks, by its number from 0, where that is known.
type Prompts = Box<dyn Fn(u32) -> Option<Untrusted> + Send>;

/// The screen of a race. A heat is one block of the plan: the same request to every target at one instant.
///
/// Keys: Enter, q and Esc leave once it is [finished](Race::finished); until then q and Esc give it up
/// ([`Reaction::Abort`]). s stops after the present heat, c shows the engines' configuration, Tab changes between lanes and
/// distributions.
pub struct Race {
    setup: RaceSetup,
    names: Names,
    /// What is shown as asked.
    prompt: Flow,
    /// What each measured heat asks, where that is known.
    prompts: Prompts,
    /// Whether the prompt that is shown is the present heat's own.
    is_own_prompt: bool,
    heat: Heat,
    round_trips: Vec<Option<Nanos>>,
    tallies: Vec<Tally>,
    note: Option<Untrusted>,
    over: bool,
    /// Whether the person wants the other view than the one that is usual now.
    other_view: bool,
    configuration: Option<Page>,
}

impl Race {
    /// A race that has not begun.
    pub fn new(setup: RaceSetup) -> Self {
        let lanes = setup.targets.len();
        Self {
            prompt: flow(&setup.prompt),
            prompts: Box::new(|_| None),
            is_own_prompt: false,
            names: Names::new(&setup),
            heat: Heat::new(lanes),
            round_trips: vec![None; lanes],
            tallies: vec![Tally::default(); lanes],
            note: None,
            over: false,
            other_view: false,
            configuration: None,
            setup,
        }
    }

    /// With what each measured heat asks, by its number from 0. A heat whose prompt is not known is not said to ask the
    /// first one's.
    #[must_use]
    pub fn with_prompts(mut self, prompts: impl Fn(u32) -> Option<Untrusted> + Send + 'static) -> Self {
        self.prompts = Box::new(prompts);
        self
    }

    /// Says that the run is over: nothing more will come.
    pub fn close(&mut self) {
        self.over = true;
    }

    /// Whether there is nothing more to watch: every lane of the last heat has its record, or the run is over.
    pub fn finished(&self) -> bool {
        let is_last = |id: HeatId| id.phase == Phase::Measured && id.block + 1 >= self.setup.runs;
        self.over || (self.heat.id.is_some_and(is_last) && self.heat.is_over())
    }

    /// How the lanes of the present heat stand at `now`, best first.
    pub fn standings(&self, now: Moment) -> Vec<Standing> {
        order::standings(&self.heat, now)
    }

    /// The photo finish of the present heat, if it came to one.
    pub fn photo_finish(&self) -> Option<PhotoFinish> {
        order::photo_finish(&self.standings(Moment::EPOCH)).filter(|_| self.heat.is_over())
    }

    /// The record of `target`'s part in the present heat, once it is there.
    pub fn record(&self, target: usize) -> Option<&Record> {
        self.heat.tracks.get(target)?.record.as_deref()
    }

    /// What `target` is called on this screen: its name, or its letter.
    pub fn name(&self, target: usize) -> &str {
        self.names.of(target)
    }

    fn target(&self, name: &TargetName) -> Option<usize> {
        self.setup.targets.iter().position(|lane| lane.name == *name)
    }

    /// Before the heat `id` takes its place, the present one is put to the winner's account.
    fn turn_to(&mut self, id: HeatId) {
        if let Some(winner) = self.winner().filter(|_| self.heat.is_before(id)) {
            self.tallies[winner].won += 1;
        }
        if self.heat.is_before(id) && id.phase == Phase::Measured {
            let own = (self.prompts)(id.block);
            self.is_own_prompt = own.is_some();
            self.prompt = flow(own.as_ref().unwrap_or(&self.setup.prompt));
        }
        self.heat.turn_to(id);
    }

    /// What stands before the prompt: whose it is.
    fn prompt_label(&self) -> &'static str {
        match self.heat.id {
            Some(HeatId { phase: Phase::Warmup, .. }) => "Prompt to come  ",
            Some(HeatId { block, .. }) if block > 0 && !self.is_own_prompt => "Prompt of heat 1  ",
            _ => "Prompt  ",
        }
    }

    /// Who won the present heat alone.
    fn winner(&self) -> Option<usize> {
        let standings = self.standings(Moment::EPOCH);
        let mut first = standings.iter().filter(|standing| standing.place == Some(1) && standing.e2e.is_some());
        let winner = first.next()?.target;
        (self.heat.is_over() && first.next().is_none()).then_some(winner)
    }

    /// Whether distributions are shown and not lanes.
    fn shows_spread(&self) -> bool {
        let late = |id: HeatId| id.phase == Phase::Measured && id.block >= LIVE_HEATS;
        let usual = self.heat.id.is_some_and(late);
        self.setup.runs > 1 && usual != self.other_view
    }

    /// Which heat it is, and its time.
    fn heat_in_words(&self, now: Moment) -> String {
        let which = match self.heat.id {
            None => "not begun".to_owned(),
            Some(HeatId { phase: Phase::Warmup, .. }) => "warm-up".to_owned(),
            Some(_) if self.setup.runs <= 1 => if self.finished() { "finished" } else { "under way" }.to_owned(),
            Some(id) => format!("heat {} of {}", id.block + 1, self.setup.runs),
        };
        let time = self.heat.elapsed(now).map(|time| format!("  {}", words::clock(time))).unwrap_or_default();
        let finished = if self.setup.runs > 1 && self.finished() { "  finished" } else { "" };
        which + &time + finished
    }

    /// What there is to be said about this heat: a note of the run, or that its answers cannot be compared by E2E alone.
    fn remark(&self, standings: &[Standing]) -> Option<String> {
        let note = self.note.as_ref().filter(|_| !self.names.are_hidden());
        note.map(Untrusted::for_terminal).or_else(|| unlike_lengths(standings))
    }

    fn keys(&self) -> String {
        let mut keys = vec![match self.finished() {
            false => "q gives up",
            // Behind it are the answers, whatever it is left by.
            true if self.names.are_hidden() => "Enter goes on",
            true => "Enter goes on · q leaves",
        }];
        if self.setup.runs > 1 {
            if !self.finished() {
                keys.push("s stops after this heat");
            }
            keys.push(if self.shows_spread() { "Tab lanes" } else { "Tab distributions" });
        }
        if !self.names.are_hidden() {
            keys.push("c configuration");
        }
        if self.finished() && self.setup.runs == 1 && !self.names.are_hidden() {
            keys.push("one heat may be luck: --runs tells");
        }
        keys.join(" · ")
    }

    fn draw_lanes(heat: &mut Heat, frame: &mut Frame<'_>, scene: &Scene<'_>, lanes: Lanes) {
        let order = scene.names.order();
        match lanes {
            Lanes::Framed { lanes, free } => {
                for (&target, area) in order.iter().zip(lanes) {
                    lane::framed(frame, area, scene, target, &mut heat.tracks[target]);
                }
                if let Some(area) = free {
                    header::ranking_framed(frame, area, scene);
                }
            }
            Lanes::Rows(lanes) => {
                for (&target, area) in order.iter().zip(lanes) {
                    lane::unframed(frame, area, scene, target, &mut heat.tracks[target]);
                }
            }
        }
    }

    /// The longest that a lane has been at it.
    fn longest(&self, now: Moment) -> Nanos {
        let lasted = |track: &track::Track| {
            let end = match &track.record {
                Some(record) => record.end_ns,
                None if self.over => track.rhythm.last(),
                None => Some(now),
            };
            Some(end? - track.start()?)
        };
        self.heat.tracks.iter().filter_map(lasted).max().unwrap_or_default()
    }
}

impl Screen for Race {
    fn fold(&mut self, progress: &Progress) {
        match progress {
            Progress::Block { phase, block, .. } => self.turn_to(HeatId { phase: *phase, block: *block }),
            Progress::Warmed { target, opened } => {
                if let Some(target) = self.target(target) {
                    let known = &mut self.round_trips[target];
                    *known = opened.iter().map(|times| times.tcp_ns).chain(*known).min();
                }
            }
            Progress::Moved { ticket, at, stage } => {
                if let Some(target) = self.target(&ticket.target) {
                    self.turn_to(HeatId { phase: ticket.phase, block: ticket.block });
                    self.heat.step(target, ticket, *at, stage);
                }
            }
            Progress::Recorded(record) => {
                if let Some(target) = self.target(&record.target) {
                    self.turn_to(HeatId { phase: record.phase, block: record.block });
                    self.heat.settle(target, record);
                    if record.phase == Phase::Measured {
                        self.tallies[target].add(record);
                    }
                }
            }
            Progress::Note(note) => self.note = Some(Untrusted::from(note.as_str())),
            Progress::Began { .. } | Progress::Step { .. } | Progress::Pulse { .. } | Progress::Sampled(..) => {}
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>, view: &View<'_>) {
        if let Some(page) = &mut self.configuration {
            return page.draw(frame, view);
        }
        let standings = self.standings(view.now);
        let lanes = u16::try_from(self.setup.targets.len()).unwrap_or(u16::MAX);
        let spread = self.shows_spread();
        let area = frame.area();
        let label = self.prompt_label();
        let prompt = self.prompt.count(usize::from(area.width).saturating_sub(label.len()));
        let prompt = u16::try_from(prompt).unwrap_or(u16::MAX);
        let Places { title, prompt, about, ranking, lanes, foot } =
            layout::places(area, lanes, prompt, !self.names.are_hidden());
        let limits: Vec<_> =
            self.heat.tracks.iter().map(|track| track.limit().unwrap_or(self.setup.max_tokens)).collect();
        let scene = Scene {
            setup: &self.setup,
            names: &self.names,
            theme: view.theme,
            now: view.now,
            standings: &standings,
            round_trips: &self.round_trips,
            limits: &limits,
            axis: strip::axis(self.longest(view.now)),
            over: self.over,
            warmup: self.heat.is_warmup(),
            tells_about: about.height > 0,
        };
        let (heat, remark) = (self.heat_in_words(view.now), self.remark(&standings));
        header::title(frame, title, &scene, (&heat, remark.as_deref()));
        header::prompt(frame, prompt, (label, &mut self.prompt), view.theme);
        header::about(frame, about, &scene);
        header::foot(frame, foot, &scene, (&self.keys(), view.missed));
        if spread {
            let body = ranking.union(area_of(&lanes));
            spread::draw(frame, body, &scene, (&self.tallies, self.winner()));
        } else {
            header::ranking(frame, ranking, &scene, self.photo_finish());
            Self::draw_lanes(&mut self.heat, frame, &scene, lanes);
        }
    }

    fn is_covered(&self) -> bool {
        self.configuration.is_some()
    }

    fn press(&mut self, key: KeyEvent) -> Reaction {
        if let Some(page) = &mut self.configuration {
            if key.code == KeyCode::Char('c') || page.press(key) != Reaction::Stay {
                self.configuration = None;
            }
            return Reaction::Stay;
        }
        match key.code {
            // There is nothing left that could be given up.
            KeyCode::Enter | KeyCode::Esc | KeyCode::Char('q') if self.finished() => return Reaction::Leave,
            KeyCode::Esc | KeyCode::Char('q') => return Reaction::Abort,
            KeyCode::Char('s') if self.setup.runs > 1 && !self.finished() => return Reaction::Stop,
            KeyCode::Char('c') if !self.names.are_hidden() => self.configuration = Some(configuration(&self.setup)),
            KeyCode::Tab if self.setup.runs > 1 => self.other_view = !self.other_view,
            _ => {}
        }
        Reaction::Stay
    }
}

fn flow(text: &Untrusted) -> Flow {
    let mut flow = Flow::default();
    flow.push(text);
    flow
}

/// All that the lanes cover.
fn area_of(lanes: &Lanes) -> ratatui::layout::Rect {
    let (Lanes::Framed { lanes, .. } | Lanes::Rows(lanes)) = lanes;
    lanes.iter().copied().reduce(ratatui::layout::Rect::union).unwrap_or_default()
}

/// That finished answers are of different lengths, if they are.
fn unlike_lengths(standings: &[Standing]) -> Option<String> {
    let finished = || standings.iter().filter(|standing| matches!(standing.state, State::Finished(_)));
    if standings.iter().any(|standing| !standing.state.is_over()) {
        return None;
    }
    let counts = || finished().map(|standing| standing.amount.count);
    let (least, most) = (counts().min()?, counts().max()?);
    let unit = words::unit(finished().next()?.amount.source);
    (least * 10 < most * 9).then(|| format!("answers of {least} to {most} {unit}: E2E favours the short"))
}

/// A page with all that is known of each engine.
fn configuration(setup: &RaceSetup) -> Page {
    let targets = setup.targets.clone();
    let page = Page::new("Configuration, as the engines told it", move |width, theme| {
        targets.iter().enumerate().flat_map(|(lane, target)| told(lane, target, width.into(), theme)).collect()
    });
    page.with_hint("↑↓ PgUp PgDn scroll · c back to the race")
}

fn told(lane: usize, target: &Lane, columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let mark = if target.simulated { " SIMULATED" } else { "" };
    let name = Line::styled(format!("{}{mark}", target.name), theme.lane(lane).add_modifier(Modifier::BOLD));
    let ours = |key: &str, value: &str| (key.to_owned(), Untrusted::from(value));
    let pairs = [ours("model", &target.model), ours("endpoint", &target.endpoint)].into_iter();
    let pairs = pairs.chain(target.about.iter().cloned()).flat_map(|(key, value)| {
        let pair = Untrusted::bounded(format!("  {key}: {}", value.raw()), 16 << 10);
        text::wrap(&pair, columns.max(1)).into_iter().map(|line| Line::styled(line, theme.text))
    });
    let unknown = target.about.is_empty().then(|| Line::styled("  configuration not known", theme.dim));
    std::iter::once(name).chain(pairs).chain(unknown).chain([Line::default()]).collect()
}
