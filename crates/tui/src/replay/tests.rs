use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent};
use schema::event::EventKind;
use schema::progress::{Progress, Stage};
use schema::record::Record;
use schema::units::{Moment, Nanos};

use super::fixture::{answered, failed, live, ms, names, race, setup};
use super::{Replay, again, measured, script};
use crate::race::Race;
use crate::testing::SIZES;
use crate::{Reaction, Screen, Theme, ThemeName, View};

/// What `screen` draws at `now`, without its last row: that is the keys' place.
fn drawn(screen: &mut dyn Screen, now: Moment, (columns, rows): (u16, u16)) -> String {
    let theme = Theme::of(ThemeName::Dark);
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| screen.draw(frame, &View { now, theme: &theme, missed: 0 })).unwrap();
    let all = terminal.backend().to_string();
    all.lines().take(usize::from(rows) - 1).collect::<Vec<_>>().join("\n")
}

fn replay(records: &[Record], speed: f64) -> Replay<Race> {
    Replay::new(script(records), speed, || Race::new(setup(2)))
}

fn press(screen: &mut dyn Screen, codes: &[KeyCode]) -> Reaction {
    codes.iter().fold(Reaction::Stay, |_, code| screen.press(KeyEvent::from(*code)))
}

/// `records` as they are seen while they happen, up to `until`.
fn seen_live(records: &[Record], until: Moment) -> Race {
    let mut race = Race::new(setup(2));
    live(records).iter().filter(|(at, _)| *at <= until).for_each(|(_, progress)| race.fold(progress));
    race
}

#[test]
fn the_end_of_a_replay_looks_like_the_end_of_the_race_it_replays() {
    let records = race();
    for size in SIZES {
        let live = drawn(&mut seen_live(&records, ms(60_000)), ms(60_000), size);
        let mut replay = replay(&records, 1.0);
        press(&mut replay, &[KeyCode::End]);
        assert!(replay.is_over());
        assert_eq!(drawn(&mut replay, ms(60_000), size), live);
        assert!(live.contains("truncated"), "{live}");
    }
}

#[test]
fn a_replay_is_at_every_moment_where_the_race_was() {
    let records = race();
    for at in [1_049, 1_051, 1_400, 2_900, 4_300, 4_900] {
        let now = Moment(ms(at).0 + 500_000);
        let mut replay = replay(&records, 1.0);
        replay.jump_to(now);
        press(&mut replay, &[KeyCode::Char(' ')]);
        assert_eq!(
            drawn(&mut replay, now, SIZES[0]),
            drawn(&mut seen_live(&records, now), now, SIZES[0]),
            "at {at} ms"
        );
    }
}

#[test]
fn a_replay_shows_what_it_says_at_three_sizes() {
    for (columns, rows) in SIZES {
        let mut replay = replay(&race(), 2.0);
        replay.jump_to(ms(1_500));
        let theme = Theme::of(ThemeName::Dark);
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let view = View { now: ms(0), theme: &theme, missed: 0 };
        terminal.draw(|frame| replay.draw(frame, &view)).unwrap();
        insta::assert_snapshot!(format!("replay_{columns}x{rows}"), terminal.backend().to_string());
    }
}

#[test]
fn time_passes_as_fast_as_it_is_told_to() {
    for (speed, expected) in [(1.0, 2_000), (0.5, 1_500), (3.0, 4_000)] {
        let mut replay = replay(&race(), speed);
        replay.jump_to(ms(1_000));
        for now in [7_000, 7_400, 8_000] {
            drawn(&mut replay, ms(now), SIZES[0]);
        }
        assert_eq!(replay.position(), ms(expected), "×{speed}");
    }
}

#[test]
fn a_paused_replay_stands_still_and_steps_from_event_to_event() {
    let mut replay = replay(&race(), 1.0);
    replay.jump_to(ms(1_000));
    press(&mut replay, &[KeyCode::Char(' ')]);
    drawn(&mut replay, ms(0), SIZES[0]);
    drawn(&mut replay, ms(500), SIZES[0]);
    assert_eq!(replay.position(), ms(1_000));
    press(&mut replay, &[KeyCode::Char('.'), KeyCode::Char('.')]);
    assert_eq!(replay.position(), ms(1_060), "head and first word at 50 ms, second word at 60 ms");
    press(&mut replay, &[KeyCode::Char(',')]);
    assert_eq!(replay.position(), ms(1_050));
    press(&mut replay, &[KeyCode::Char(',')]);
    assert_eq!(replay.position(), ms(1_000));
}

#[test]
fn a_replay_jumps_by_seconds_and_heats_and_stays_within_itself() {
    let mut replay = replay(&race(), 1.0);
    press(&mut replay, &[KeyCode::Left]);
    assert_eq!(replay.position(), ms(0));
    press(&mut replay, &[KeyCode::Right, KeyCode::Right]);
    assert_eq!(replay.position(), ms(2_000));
    press(&mut replay, &[KeyCode::PageDown]);
    assert_eq!(replay.position(), ms(4_000), "the second heat");
    press(&mut replay, &[KeyCode::Right, KeyCode::PageUp]);
    assert_eq!(replay.position(), ms(1_000), "a heat that has just begun gives way to the one before");
    press(&mut replay, &[KeyCode::End, KeyCode::Right, KeyCode::Char('.')]);
    assert!(replay.is_over());
    assert_eq!(press(&mut replay, &[KeyCode::Enter]), Reaction::Leave);
    press(&mut replay, &[KeyCode::Home]);
    assert!(!replay.is_over());
    assert_eq!(press(&mut replay, &[KeyCode::Enter]), Reaction::Stay, "there is something to be seen yet");
}

#[test]
fn a_step_is_told_for_all_that_a_record_holds() {
    let record = answered(0, 0, 1_000, (3, 50, 10));
    let steps = script(std::slice::from_ref(&record));
    let told: Vec<_> = steps
        .iter()
        .map(|step| match &step.progress {
            Progress::Began { requests, .. } => format!("{} began {requests:?}", step.at.0 / 1_000_000),
            Progress::Block { block, .. } => format!("block {block}"),
            Progress::Moved { stage: Stage::Heard { kind, tokens, text }, at, .. } => {
                assert_eq!(*at, step.at);
                let kind = if *kind == EventKind::Text { "text" } else { "other" };
                format!("{} {kind} {tokens} {}", step.at.0 / 1_000_000, text.as_ref().unwrap())
            }
            Progress::Moved { stage, .. } => format!("{} {stage:?}", step.at.0 / 1_000_000),
            Progress::Recorded(recorded) => {
                assert_eq!(**recorded, record);
                format!("{} recorded", step.at.0 / 1_000_000)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn texts_that_were_not_kept_are_not_invented() {
    let record = Record { output: None, ..answered(0, 0, 1_000, (3, 50, 10)) };
    let heard = script(&[record]).into_iter().filter_map(|step| match step.progress {
        Progress::Moved { stage: Stage::Heard { text, .. }, .. } => Some(text),
        _ => None,
    });
    assert_eq!(heard.collect::<Vec<_>>(), [None, None, None]);
}

#[test]
fn requests_that_were_sent_together_stay_where_they_are_to_each_other() {
    let raced = again(&race(), &names(), true, u64::MAX);
    assert_eq!(raced.len(), 6);
    assert!(raced.iter().all(|record| record.start_ns == Some(ms(u64::from(record.block) * 3_000))));
}

#[test]
fn requests_that_were_sent_apart_begin_together_heat_by_heat() {
    let apart = [
        answered(0, 0, 1_000, (10, 50, 10)),
        answered(0, 0, 2_000, (10, 60, 10)),
        answered(1, 7, 9_000, (10, 100, 100)),
        failed(2, 9, 30_000, (2, 10, 10)),
    ];
    let apart = apart.map(|record| Record { index: record.start_ns.unwrap().0, ..record });
    let raced = again(&apart, &names(), false, u64::MAX);
    let begun: Vec<_> = raced.iter().map(|r| (r.target.as_str(), r.block, r.index, r.start_ns.unwrap())).collect();
    let second = ms(100 + 900 + 1 + 1_000);
    assert_eq!(
        begun,
        [("groq", 0, 0, ms(0)), ("vllm-sim", 0, 0, ms(0)), ("llamacpp", 0, 0, ms(0)), ("groq", 1, 1, second)]
    );
    let ttft = |record: &Record| record.events.first().unwrap().arrival - record.start_ns.unwrap();
    assert_eq!(raced.iter().map(ttft).collect::<Vec<_>>(), [50, 100, 10, 60].map(Nanos::from_millis));
    assert_eq!(again(&apart, &names(), false, 1).len(), 3, "one heat was wanted");
    assert_eq!(again(&[], &names(), false, 1), []);
}

#[test]
fn a_request_counts_by_its_last_attempt() {
    let first = failed(0, 0, 1_000, (2, 50, 10));
    let second = Record { attempt: 1, ..answered(0, 0, 2_000, (4, 50, 10)) };
    let records = [second.clone(), first, answered(1, 0, 1_000, (4, 50, 10))];
    assert_eq!(measured(&records, &names()[0]), [&second]);
}

#[test]
fn a_page_over_a_replay_has_its_own_keys_and_hints() {
    let records = race();
    let mut replay = Replay::new(script(&records), 1.0, || Race::new(setup(2)));
    let last_row = |replay: &mut Replay<Race>| {
        let drawn = crate::testing::rows(replay, 0, (80, 24));
        drawn.last().unwrap().clone()
    };
    press(&mut replay, &[KeyCode::End, KeyCode::Char('c')]);
    let at = replay.position();
    assert!(last_row(&mut replay).contains("c back to the race"));
    press(&mut replay, &[KeyCode::PageUp, KeyCode::Home, KeyCode::Left]);
    assert_eq!(replay.position(), at);
    assert_eq!(press(&mut replay, &[KeyCode::Char('q')]), Reaction::Stay, "it puts the page away");
    assert!(last_row(&mut replay).starts_with("REPLAY"));
}
