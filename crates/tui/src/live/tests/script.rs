//! Runs made up for tests: what a runner would tell of them, in order.

use std::fmt::Write as _;
use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use schema::event::{Event, EventKind, Stamp};
use schema::plan::{Load, Plan, PromptSource, Size, Stop, Workload};
use schema::progress::Progress;
use schema::record::{Failure, FailureClass, FinishReason, Outcome, Phase, Record, TokenCounts, TokenSource};
use schema::target::{Target, TargetName};
use schema::units::{Moment, Nanos};

use crate::{Screen, Theme, ThemeName, View};

pub(crate) fn ms(millis: u64) -> Moment {
    Moment(millis * 1_000_000)
}

pub(crate) fn plan(targets: Vec<Target>, load: Load) -> Plan {
    Plan {
        grace_ns: Nanos::from_secs(30),
        seed: 1,
        out: "results".into(),
        ..Plan::plain(
            "evening",
            targets,
            Workload::plain(PromptSource::BuiltIn(Size::Short), 64),
            load,
            Stop::Requests(100),
        )
    }
}

/// A completed request: when it started, milliseconds to its first token, between tokens, and how many there were.
pub(crate) fn answered(target: &str, index: u64, start: u64, (ttft, gap, tokens): (u64, u64, u64)) -> Record {
    let content = (0..tokens).map(|token| Event {
        arrival: ms(start + ttft + gap * token),
        lag_ns: 40_000,
        bytes: 200,
        tokens: 1,
        kind: EventKind::Text,
        stamp: Stamp::Kernel,
        shared_read: false,
    });
    Record {
        max_tokens: 64,
        start_ns: Some(ms(start)),
        end_ns: Some(ms(start + ttft + gap * tokens.saturating_sub(1))),
        status: Some(200),
        request_bytes: 300,
        response_bytes: 4_000,
        reads: 1,
        events: content.collect(),
        tokens: Some(TokenCounts { input: Some(20), output: tokens, source: TokenSource::ServerUsage }),
        outcome: Outcome::Complete { finish: FinishReason::Stop },
        ..Record::not_sent(target.parse().unwrap(), index, ms(start))
    }
}

/// A request that failed so.
pub(crate) fn failed(target: &str, index: u64, start: u64, class: FailureClass) -> Record {
    let failure = Failure { class, message: "no".into(), retry_after_ns: None };
    Record { outcome: Outcome::Failed(failure), tokens: None, ..answered(target, index, start, (100, 0, 0)) }
}

pub(crate) fn recorded(record: Record) -> Progress {
    Progress::Recorded(Arc::new(record))
}

pub(crate) fn block(target: &str, phase: Phase, block: u32) -> Progress {
    Progress::Block { target: name(target), phase, block }
}

pub(crate) fn name(target: &str) -> TargetName {
    target.parse().unwrap()
}

/// The same number for the same place, and no two alike: 0 to 99.
pub(crate) const fn wobble(place: u64) -> u64 {
    (place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33) % 100
}

/// What a terminal of that size shows at that moment, a line each, their ends marked.
pub(crate) fn drawn(screen: &mut dyn Screen, at: u64, (columns, rows): (u16, u16)) -> String {
    let theme = Theme::of(ThemeName::Dark);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let view = View { now: ms(at), theme: &theme, missed: 0 };
    terminal.draw(|frame| screen.draw(frame, &view)).unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for row in 0..rows {
        let line: String = (0..columns).map(|column| buffer[(column, row)].symbol()).collect();
        writeln!(text, "{}|", line.trim_end()).unwrap();
    }
    text
}
