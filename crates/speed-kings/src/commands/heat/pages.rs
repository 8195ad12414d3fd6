//! What is read after a race: answers in full, who is ahead, every statistic, and what the differences mean.

use std::sync::Arc;

use ratatui::text::Line;
use report::{Align, Cell, Column, Listing, Style};
use schema::counted;
use schema::event::EventKind;
use schema::metric::Metric;
use schema::plan::Plan;
use schema::projection::Assumptions;
use schema::record::{FinishReason, Outcome, Record};
use schema::summary::Summary;
use schema::target::Target;
use schema::text::Untrusted;
use schema::units::Nanos;
use stats::metric_values;
use tui::race::LIVE_HEATS;
use tui::replay::measured;
use tui::{Answer, Answers, Page, Pages, Screen, Theme, text};

/// A run that is told: what pages are made of.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Its numbers.
    pub(crate) summary: Summary,
    /// What was asked for.
    pub(crate) plan: Plan,
    /// Its records; the n-th measured request of each target is the n-th heat.
    pub(crate) records: Vec<Record>,
}

/// From so many heats on there is something to be said of all of them.
const ENOUGH: u64 = 5;

/// What the keys of a page do.
const KEYS: &str = "↑↓ PgUp PgDn scroll · ← back · Enter goes on · q leaves";

/// Behind `first`: answers of the first heats, the ranking, statistics, and what it all means.
pub(crate) fn pages(first: Box<dyn Screen>, told: Told) -> Pages {
    let told = Arc::new(told);
    let heats = told.heats().min(LIVE_HEATS as usize);
    let answers = (0..heats).map(|heat| {
        let title = format!("Answers{}", told.heat_in_words(heat));
        Answers::new(title, told.answers(heat)).with_hint(format!("Tab chooses one · {KEYS}"))
    });
    let pages = answers.fold(Pages::new(first), Pages::then);
    let page = |title: &str, text: fn(&Told, Style) -> String| {
        let told = Arc::clone(&told);
        Page::new(title, move |width, theme| lines(&text(&told, Style { width, color: false }), theme)).with_hint(KEYS)
    };
    pages
        .then(page("Ranking", Told::ranking))
        .then(page("Statistics", |told, style| report::statistics_text(&told.summary, style)))
        .then(page("What it means", Told::meaning))
}

/// Text that has been laid out, with its rules as faint as the edges of boxes.
fn lines(text: &str, theme: &Theme) -> Vec<Line<'static>> {
    let line = |line: &str| {
        let style = if line.starts_with('─') { theme.border } else { theme.text };
        Line::styled(line.to_owned(), style)
    };
    text.lines().map(line).collect()
}

impl Told {
    /// Heats that there were.
    fn heats(&self) -> usize {
        self.plan.targets.iter().map(|target| measured(&self.records, &target.name).len()).max().unwrap_or(0)
    }

    /// `, heat 2 of 5`, where there are several.
    fn heat_in_words(&self, heat: usize) -> String {
        let heats = self.heats();
        if heats > 1 { format!(", heat {} of {heats}", heat + 1) } else { String::new() }
    }

    /// What each target answered in one heat.
    pub(crate) fn answers(&self, heat: usize) -> Vec<Answer> {
        let of = |target: &Target| {
            let records = measured(&self.records, &target.name);
            answer(target, records.get(heat).copied())
        };
        self.plan.targets.iter().map(of).collect()
    }

    /// Who is ahead over all heats, and each of the first; of few heats those alone.
    fn ranking(&self, style: Style) -> String {
        let first = self.first_heats(style);
        match self.too_few() {
            Some(remark) => {
                let lines = text::wrap(&Untrusted::bounded(remark, usize::MAX), style.width.into());
                format!("{first}\n{}", lines.join("\n"))
            }
            None => format!("{}\n{first}", report::ranking_text(&self.summary, &self.plan, style)),
        }
    }

    /// What to do about a run of so few heats that nearly nothing can be said of all of them.
    pub(crate) fn too_few(&self) -> Option<String> {
        let heats = self.summary.targets.iter().map(|target| target.attempted).max().unwrap_or(0);
        let why = match heats {
            0 => "No heat was run".to_owned(),
            1 => "One heat may be luck".to_owned(),
            few if few < ENOUGH => format!("{few} heats may be luck"),
            _ => return None,
        };
        Some(format!("{why}: `--runs 10` gives figures with intervals."))
    }

    /// Each of the first heats, a table each.
    pub(crate) fn first_heats(&self, style: Style) -> String {
        let heats = (0..self.heats().min(LIVE_HEATS as usize)).map(|heat| self.heat(heat).table(style));
        heats.collect::<Vec<_>>().join("\n")
    }

    /// One heat, whoever was first above.
    fn heat(&self, heat: usize) -> Listing {
        let mut raced: Vec<_> = self
            .plan
            .targets
            .iter()
            .map(|target| (target, measured(&self.records, &target.name).get(heat).copied()))
            .collect();
        let e2e = |record: Option<&Record>| record.and_then(|record| value(record, Metric::E2e));
        raced.sort_by(|(_, one), (_, other)| {
            let key = |record| e2e(record).unwrap_or(f64::INFINITY);
            key(*one).total_cmp(&key(*other))
        });
        let column = |key, heading, align| Column { key, heading, align };
        Listing {
            title: format!("In the order of finishing{}", self.heat_in_words(heat)),
            columns: vec![
                column("target", "target", Align::Left),
                column("ttft_ns", "TTFT", Align::Right),
                column("e2e_ns", "E2E", Align::Right),
                column("output_tokens", "tokens", Align::Right),
                column("output_speed", "tokens/s", Align::Right),
                column("outcome", "outcome", Align::Left),
            ],
            rows: raced.into_iter().map(|(target, record)| row(target, record)).collect(),
        }
    }

    /// What the differences mean to people, with the assumptions under it.
    fn meaning(&self, style: Style) -> String {
        let projected = stats::impact(&self.plan, &self.summary, &self.records, &Assumptions::default());
        let figures = report::projections_text(&projected, style);
        match report::story(&self.summary, &projected, None) {
            Some(story) => format!("{figures}\n{}", report::story_text(&story, style)),
            None => figures,
        }
    }

    /// The answers of the first heats in full, for those who read lines.
    pub(crate) fn answers_in_full(&self) -> String {
        let heats = (0..self.heats().min(LIVE_HEATS as usize)).map(|heat| {
            let answers: String = self.answers(heat).iter().map(in_full).collect();
            format!("Answers{}\n\n{answers}", self.heat_in_words(heat))
        });
        heats.collect()
    }
}

/// One answer as lines of text, its author's lines kept and nothing else of what they could do to a terminal.
pub(crate) fn in_full(answer: &Answer) -> String {
    let clean = |text: &Untrusted| {
        let lines = text.raw().split('\n').map(|line| Untrusted::bounded(line, usize::MAX).for_terminal());
        lines.map(|line| line.trim_end().to_owned() + "\n").collect::<String>()
    };
    let mark = if answer.simulated { " (SIMULATED)" } else { "" };
    let reasoning = answer.reasoning.iter().map(|text| format!("[reasoning]\n{}[answer]\n", clean(text)));
    let said = Some(&answer.text).filter(|text| !text.raw().is_empty()).map(clean);
    let trouble = answer.trouble.iter().map(|trouble| format!("[{}]\n", trouble.for_terminal()));
    let body: String = reasoning.chain(said).chain(trouble).collect();
    format!("{}{mark}: {}\n{body}\n", answer.name, answer.figures.join(", "))
}

fn value(record: &Record, metric: Metric) -> Option<f64> {
    metric_values(record, metric).next()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds, as they were recorded")]
fn time(record: &Record, metric: Metric) -> Option<Nanos> {
    value(record, metric).map(|ns| Nanos(ns as u64))
}

fn row(target: &Target, record: Option<&Record>) -> Vec<Cell> {
    let mark = if target.simulated { " (SIMULATED)" } else { "" };
    let cell = |shown: Option<String>, value: Option<f64>| {
        shown.zip(value).map_or(Cell::Empty, |(shown, value)| Cell::Number { shown, value })
    };
    let span = |metric| {
        let span = record.and_then(|record| time(record, metric));
        cell(span.map(|span| span.to_string()), span.map(|span| span.0 as f64))
    };
    let number = |metric, places: usize| {
        let value = record.and_then(|record| value(record, metric));
        cell(value.map(|value| format!("{value:.places$}")), value)
    };
    vec![
        Cell::Text(format!("{}{mark}", target.name)),
        span(Metric::Ttft),
        span(Metric::E2e),
        number(Metric::OutputTokens, 0),
        number(Metric::OutputSpeed, 1),
        Cell::Text(record.map_or_else(|| "not measured".to_owned(), outcome)),
    ]
}

/// How a request ended, in words.
fn outcome(record: &Record) -> String {
    match &record.outcome {
        Outcome::Complete { finish: FinishReason::Length } => {
            format!("finished, cut at {}", counted(record.max_tokens, "token"))
        }
        Outcome::Complete { .. } => "finished".to_owned(),
        Outcome::Failed(failure) => format!("failed: {}: {}", failure.class, failure.message),
        Outcome::NotSent => "not sent".to_owned(),
        Outcome::Cancelled | Outcome::Interrupted => "given up".to_owned(),
    }
}

/// What one target answered in one heat.
fn answer(target: &Target, record: Option<&Record>) -> Answer {
    let mut answer = Answer {
        name: target.name.to_string(),
        simulated: target.simulated,
        figures: vec![target.model.clone()],
        text: Untrusted::default(),
        reasoning: None,
        trouble: None,
    };
    let Some(record) = record else {
        answer.trouble = Some("it was not asked".into());
        return answer;
    };
    let times = [Metric::Ttft, Metric::E2e]
        .into_iter()
        .filter_map(|metric| Some(format!("{} {}", metric.heading(), time(record, metric)?)));
    answer.figures.extend(times);
    answer
        .figures
        .extend(record.tokens.map(|tokens| format!("{} by {}", counted(tokens.output, "token"), tokens.source)));
    answer.figures.extend(value(record, Metric::OutputSpeed).map(|speed| format!("{speed:.1} tokens/s")));
    let pieces = record.output.as_deref().unwrap_or_default();
    let said = |is_wanted: fn(EventKind) -> bool| -> Untrusted {
        let kinds = record.events.iter().map(|event| event.kind).chain(std::iter::repeat(EventKind::Text));
        let wanted = pieces.iter().zip(kinds).filter(|(_, kind)| is_wanted(*kind));
        Untrusted::bounded(wanted.map(|(piece, _)| piece.raw()).collect::<String>(), usize::MAX)
    };
    answer.text = said(|kind| kind != EventKind::Reasoning);
    answer.reasoning = Some(said(|kind| kind == EventKind::Reasoning)).filter(|text| !text.raw().is_empty());
    let ended = match &record.outcome {
        Outcome::Complete { finish: FinishReason::Stop | FinishReason::Unsaid } => None,
        _ => Some(outcome(record)),
    };
    let unkept = record.output.is_none().then(|| "its text was not kept with the run".to_owned());
    let trouble: Vec<_> = unkept.into_iter().chain(ended).collect();
    answer.trouble = (!trouble.is_empty()).then(|| Untrusted::bounded(trouble.join("; "), usize::MAX));
    answer
}
