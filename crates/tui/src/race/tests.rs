mod script;

use ratatui::crossterm::event::KeyCode;
use schema::event::EventKind;
use schema::metric::Metric;
use schema::progress::{Progress, Stage};
use schema::record::{FailureClass, FinishReason, Outcome, Phase};
use schema::text::Untrusted;
use schema::units::{Moment, Nanos};

use super::State;
use crate::testing::SIZES;
use crate::text::width;
use crate::{Reaction, Screen as _};
use script::{START, Script, ms, setup};

/// Frames of `script` at `at` in all sizes, kept under `name`.
#[track_caller]
fn check(name: &str, script: &mut Script, at: u64) {
    for size in SIZES {
        insta::assert_snapshot!(format!("{name}_{}x{}", size.0, size.1), script.drawn(at, size));
    }
}

/// In the middle of a race: each slower than the one before.
fn under_way(lanes: usize) -> Script {
    let mut script = Script::of(lanes);
    script.sent();
    for target in 0..lanes {
        let (first, every) = (START + 45 + 30 * target as u64, 20 + 4 * target as u64);
        let words = usize::try_from((START + 1_830 - first) / every).unwrap();
        script.says(target, words, (first, every));
    }
    script
}

#[test]
fn before_the_start() {
    check("before_the_start", &mut Script::of(3), 0);
}

#[test]
fn lanes_connect_and_wait() {
    let mut script = Script::of(3);
    script.warmed(0, 120);
    script.stage(0, START, Stage::Sent);
    script.stage(1, START, Stage::Connecting);
    check("waiting", &mut script, START + 1_300);
}

#[test]
fn two_lanes_under_way() {
    check("two_under_way", &mut under_way(2), START + 1_840);
}

#[test]
fn three_lanes_under_way() {
    check("three_under_way", &mut under_way(3), START + 1_840);
}

#[test]
fn six_lanes_under_way() {
    check("six_under_way", &mut under_way(6), START + 1_840);
}

#[test]
fn one_lane_has_failed() {
    let mut script = under_way(3);
    script.fails(1, START + 1_700, FailureClass::RateLimited, "too many requests: 30 a minute are allowed");
    check("one_failed", &mut script, START + 1_840);
}

#[test]
fn one_lane_is_stalled() {
    let mut script = under_way(3);
    script.says(1, 20, (START + 2_600, 20));
    script.says(0, 80, (START + 1_840, 20));
    script.says(2, 8, (START + 1_840, 28));
    check("one_stalled", &mut script, START + 3_420);
}

#[test]
fn a_photo_finish() {
    let mut script = Script::of(3);
    script.sent();
    for target in 0..3 {
        script.says(target, 60, (START + 45, 20 + 5 * (target as u64 / 2)));
    }
    script.completes(0, START + 2_000);
    script.completes(2, START + 2_000);
    let mut record = script.record(1, START + 2_000, Outcome::Complete { finish: FinishReason::Stop });
    let mut events: Vec<_> = record.events.iter().collect();
    events[59].arrival = events[59].arrival + Nanos(12_000);
    record.events = events.into();
    script.recorded(record);
    check("photo_finish", &mut script, START + 2_100);
    let photo = script.race.photo_finish().unwrap();
    assert_eq!((photo.first, photo.second, photo.difference), (0, 1, Nanos(12_000)));
    assert_eq!(photo.doubt, Nanos(2 * (40_000 + 30_000)), "two client lags and two send lags");
}

#[test]
fn what_is_surely_apart_is_no_photo_finish() {
    let mut script = Script::of(2);
    script.sent();
    script.says(0, 60, (START + 45, 20));
    script.says(1, 60, (START + 46, 20));
    script.completes(0, START + 2_000);
    script.completes(1, START + 2_000);
    assert_eq!(script.race.photo_finish(), None);
    let places: Vec<_> = script.race.standings(ms(START + 2_000)).iter().map(|standing| standing.place).collect();
    assert_eq!(places, [Some(1), Some(2)]);
}

#[test]
fn all_have_finished() {
    let mut script = under_way(6);
    for target in 0..5 {
        script.completes(target, START + 2_000);
    }
    script.fails(5, START + 2_000, FailureClass::Truncated, "the stream broke off");
    check("finished", &mut script, START + 9_000);
}

/// A race of `heats` heats, all but one of them complete in all lanes.
fn many_heats(lanes: usize, heats: u32) -> Script {
    let mut script = Script::new(setup(lanes, 40));
    for block in 0..heats {
        script.heat(Phase::Measured, block);
        script.sent();
        for target in 0..lanes {
            let first = START + 40 + 12 * target as u64 + u64::from(block * 7 % 11) * 3;
            script.says(target, 40, (first, 10 + target as u64));
            if block == 2 && target == 1 {
                script.fails(target, START + 900, FailureClass::Overloaded, "no capacity");
            } else {
                script.completes(target, START + 900);
            }
        }
    }
    script
}

#[test]
fn distributions_build_up() {
    check("distributions", &mut many_heats(3, 12), START + 900);
    check("distributions_of_six", &mut many_heats(6, 12), START + 900);
    check("distributions_of_few", &mut many_heats(2, 4), START + 900);
}

#[test]
fn names_are_hidden_in_a_blind_race() {
    let mut script = Script::new(super::RaceSetup { blind: Some(vec![2, 0]), ..setup(3, 1) });
    script.sent();
    script.says(0, 40, (START + 50, 20));
    script.fails(1, START + 60, FailureClass::Unauthorized, "groq does not know this key");
    script.race.fold(&Progress::Note("`vllm-l40s` is gone".to_owned()));
    check("blind", &mut script, START + 900);
    for size in SIZES {
        let drawn = script.drawn(START + 900, size);
        for betrayal in ["groq", "vllm", "smollm2", "SIMULATED", "example", "RTT"] {
            assert!(!drawn.contains(betrayal), "{betrayal} in\n{drawn}");
        }
    }
    assert_eq!([0, 1, 2].map(|target| script.race.name(target).to_owned()), ["B", "C", "A"]);
    script.press(KeyCode::Char('c'));
    assert!(!script.drawn(START + 900, SIZES[0]).contains("0.32.1"), "the configuration stays hidden");
}

#[test]
fn a_blind_race_among_simulated_engines_says_simulated() {
    let mut setup = setup(3, 1);
    setup.targets.iter_mut().for_each(|lane| lane.simulated = true);
    setup.blind = Some(vec![1, 2, 0]);
    let drawn = Script::new(setup).drawn(0, SIZES[0]);
    assert_eq!(drawn.matches("SIMULATED").count(), 3, "{drawn}");
}

#[test]
fn a_warm_up_is_shown_as_such_and_not_ranked() {
    let mut script = Script::new(setup(3, 10));
    script.heat(Phase::Warmup, 0);
    script.sent();
    script.says(0, 40, (START + 50, 20));
    script.completes(0, START + 900);
    check("warmup", &mut script, START + 950);
    assert!(script.race.standings(ms(START + 950)).iter().all(|standing| standing.place.is_none()));
    assert!(script.race.tallies.iter().all(|tally| tally.over() == 0));
    script.heat(Phase::Measured, 0);
    assert!(script.race.record(0).is_none(), "what counts begins anew");
}

#[test]
fn reasoning_is_labelled_and_apart() {
    let mut script = Script::of(2);
    script.sent();
    script.heard(0, START + 40, EventKind::Reasoning, 2, "The user wants plain words.\nSo no jargon.");
    script.heard(0, START + 60, EventKind::Text, 3, "A lease is a promise.");
    script.heard(1, START + 50, EventKind::ToolCall, 1, "look_up(\"lease\")");
    check("reasoning", &mut script, START + 500);
}

const HOSTILE: [&str; 8] = [
    "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}\r\u{8}\u{8}",
    "\u{202e}sdrawkcab\u{2066}isolated\u{2069}\u{200f}",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "👩‍👩‍👧‍👦👍🏽🇩🇪🏳️‍🌈1️⃣❤️",
    "漢字かな交じり文を長く続けて端まで届かせる",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "zero\u{200b}width\u{200d}joiner\u{feff}\u{ad}",
    "\tTabs\u{85}\u{2028}and\u{2029}separators\u{9b}31m",
];

#[test]
fn hostile_text_leaves_every_border_where_it_is() {
    for lanes in [2, 3, 6] {
        let mut calm = Script::of(lanes);
        let mut hostile = Script::of(lanes);
        for script in [&mut calm, &mut hostile] {
            script.sent();
        }
        for target in 0..lanes {
            for (number, text) in HOSTILE.iter().cycle().take(60 + target).enumerate() {
                let at = START + 40 + 10 * number as u64;
                calm.heard(target, at, EventKind::Text, 0, "calm ");
                hostile.heard(target, at, EventKind::Text, 0, text);
            }
        }
        for size in SIZES {
            let (calm, hostile) = (calm.rows(START + 900, size), hostile.rows(START + 900, size));
            for (calm, hostile) in calm.iter().zip(&hostile) {
                assert_eq!(width(hostile), usize::from(size.0), "{hostile}");
                assert_eq!(borders(hostile), borders(calm), "{hostile}");
                assert!(!hostile.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)));
            }
        }
    }
}

/// Columns of a row with an upright border.
fn borders(row: &str) -> Vec<usize> {
    row.char_indices().filter(|(_, c)| *c == '│').map(|(byte, _)| width(&row[..byte])).collect()
}

#[test]
fn hostile_text_in_every_other_place() {
    let mut setup = setup(2, 1);
    setup.prompt = Untrusted::from(HOSTILE.concat().as_str());
    setup.targets[0].model = HOSTILE[3].to_owned();
    setup.targets[0].endpoint = HOSTILE[0].to_owned();
    setup.targets[1].about = vec![("template".to_owned(), Untrusted::from(HOSTILE.concat().as_str()))];
    let mut script = Script::new(setup);
    script.sent();
    script.race.fold(&Progress::Note(HOSTILE.concat()));
    script.fails(1, START + 10, FailureClass::ServerError, &HOSTILE.concat());
    for key in [None, Some(KeyCode::Char('c'))] {
        key.map(|key| script.press(key));
        for size in SIZES {
            for row in script.rows(START + 50, size) {
                assert_eq!(width(&row), usize::from(size.0), "{row}");
                assert!(!row.contains(char::is_control), "{row:?}");
            }
        }
    }
}

#[test]
fn any_size_is_drawn_and_a_resize_in_mid_race_loses_nothing() {
    let mut script = under_way(6);
    let before = script.drawn(START + 1_840, (80, 24));
    for size in [(1, 1), (2, 3), (10, 4), (20, 5), (36, 8), (40, 60), (79, 9), (300, 5), (250, 70)] {
        script.drawn(START + 1_840, size);
    }
    assert_eq!(script.drawn(START + 1_840, (80, 24)), before);
}

#[test]
fn small_screens_show_every_lane() {
    insta::assert_snapshot!("six_under_way_80x12", under_way(6).drawn(START + 1_840, (80, 12)));
    insta::assert_snapshot!("six_under_way_60x20", under_way(6).drawn(START + 1_840, (60, 20)));
    for size in [(80, 12), (60, 20), (40, 24), (30, 14)] {
        let drawn = under_way(6).drawn(START + 1_840, size);
        for name in ["groq", "vllm", "llama", "ollama", "tgi", "cerebr"] {
            assert!(drawn.contains(name), "{name} at {size:?} in\n{drawn}");
        }
    }
}

#[test]
fn a_prompt_is_shown_in_the_heat_that_asks_it() {
    let shown = |script: &mut Script| script.drawn(START, SIZES[0]).lines().nth(1).unwrap().to_owned();
    let mut script = Script::new(setup(2, 3));
    script.heat(Phase::Warmup, 0);
    assert!(shown(&mut script).starts_with("Prompt to come  Explain"));
    script.heat(Phase::Measured, 0);
    assert!(shown(&mut script).starts_with("Prompt  Explain"));
    script.heat(Phase::Measured, 1);
    assert!(shown(&mut script).starts_with("Prompt of heat 1  Explain"), "what this one asks is not known");
    let mut script = Script::new(setup(2, 3));
    script.race = script.race.with_prompts(|block| Some(Untrusted::from(*["one", "two"].get(block as usize)?)));
    script.heat(Phase::Measured, 1);
    assert_eq!(shown(&mut script), "Prompt  two");
    script.heat(Phase::Measured, 2);
    assert!(shown(&mut script).starts_with("Prompt of heat 1  Explain"));
}

#[test]
fn figures_while_it_runs_are_those_of_the_record() {
    let mut script = Script::of(2);
    script.sent();
    script.says(0, 50, (START + 37, 13));
    let live = script.race.standings(ms(START + 700)).remove(0);
    let record = script.record(0, START + 700, Outcome::Complete { finish: FinishReason::Stop });
    let of = |metric| stats::metric_values(&record, metric).next().unwrap();
    let (ttft, e2e, speed) = (of(Metric::Ttft), of(Metric::E2e), of(Metric::OutputSpeed));
    script.recorded(record);
    let kept = script.race.standings(ms(START + 700)).remove(0);
    let same = |shown: Option<Nanos>, defined: f64| (shown.unwrap().0 as f64 - defined).abs() < 0.5;
    assert!(same(live.ttft, ttft) && same(kept.ttft, ttft) && same(kept.e2e, e2e), "{live:?} {kept:?}");
    assert!([live.speed, kept.speed].map(Option::unwrap).iter().all(|shown| (shown - speed).abs() < 1e-9));
}

#[test]
fn a_viewer_that_missed_pieces_has_all_of_them_from_the_record() {
    let mut told = Script::of(2);
    told.sent();
    told.says(0, 50, (START + 37, 13));
    let mut record = told.record(0, START + 700, Outcome::Cancelled);
    record.output = Some((0..50).map(|number| Untrusted::from(format!("piece{number} ").as_str())).collect());
    let mut deaf = Script::of(2);
    deaf.sent();
    deaf.says(0, 3, (START + 37, 13));
    deaf.recorded(record.clone());
    assert!(deaf.drawn(START + 700, SIZES[1]).contains("piece49"));
    let standings = deaf.race.standings(ms(START + 700));
    let own = standings.iter().find(|standing| standing.target == 0).unwrap();
    assert_eq!((own.ttft, own.amount.count), (Some(Nanos::from_millis(37)), 50));
    record.output = None;
    let mut deaf = Script::of(2);
    deaf.recorded(record);
    assert!(deaf.drawn(START + 700, SIZES[1]).contains("not all of the text is here"));
}

#[test]
fn of_a_piece_that_was_told_in_part_the_record_has_the_rest() {
    let mut script = Script::of(2);
    script.sent();
    script.says(0, 50, (START + 37, 13));
    let mut record = script.record(0, START + 700, Outcome::Cancelled);
    let piece = |number| if number < 49 { format!("piece{number} ") } else { "unabridged".to_owned() };
    record.output = Some((0..50).map(|number| Untrusted::from(piece(number).as_str())).collect());
    script.recorded(record);
    assert!(script.drawn(START + 700, SIZES[1]).contains("unabridged"));
}

#[test]
fn lanes_are_ranked_by_e2e_and_then_by_tokens() {
    let mut script = under_way(6);
    script.completes(3, START + 1_900);
    script.fails(0, START + 1_900, FailureClass::Truncated, "");
    let order: Vec<_> =
        script.race.standings(ms(START + 1_900)).iter().map(|standing| (standing.target, standing.place)).collect();
    let places = [(3, Some(1)), (1, Some(2)), (2, Some(3)), (4, Some(4)), (5, Some(5)), (0, None)];
    assert_eq!(order, places);
}

#[test]
fn a_stamp_of_user_space_is_as_good_as_the_sending_was_punctual() {
    let mut script = Script::of(2);
    script.sent();
    script.says(0, 5, (START + 37, 13));
    let mut record = script.record(0, START + 700, Outcome::Cancelled);
    record.scheduled_ns = ms(START - 2);
    let doubt = |record: &schema::record::Record| super::doubt::of(record).unwrap();
    assert_eq!(doubt(&record), Nanos(70_000));
    let mut events: Vec<_> = record.events.iter().collect();
    events[4].stamp = schema::event::Stamp::User;
    record.events = events.clone().into();
    assert_eq!(doubt(&record), Nanos(2_030_000));
    events[4].shared_read = true;
    record.events = events.into();
    assert_eq!(doubt(&record), Nanos(15_030_000), "and the 13 ms since the read before");
    record.events = Vec::new().into();
    assert_eq!(super::doubt::of(&record), None);
}

#[test]
fn a_pause_is_a_stall_beside_what_is_usual() {
    let mut script = Script::of(2);
    script.sent();
    script.says(0, 20, (START + 40, 20));
    script.says(1, 20, (START + 40, 100));
    let at = |script: &Script, at: u64| {
        let mut standings = script.race.standings(ms(at));
        standings.sort_by_key(|standing| standing.target);
        standings.into_iter().map(|standing| standing.state).collect::<Vec<_>>()
    };
    let (quick, slow) = (START + 40 + 19 * 20, START + 40 + 19 * 100);
    assert_eq!(at(&script, quick + 240)[0], State::Generating, "too short to be seen");
    assert_eq!(at(&script, quick + 260)[0], State::Stalled { since: ms(quick) });
    assert_eq!(at(&script, slow + 700)[1], State::Generating, "seven times what is usual");
    assert_eq!(at(&script, slow + 800)[1], State::Stalled { since: ms(slow) });
    let mut script = Script::of(1);
    script.sent();
    script.says(0, 3, (START + 40, 20));
    let last = START + 80;
    assert_eq!(at(&script, last + 1_999)[0], State::Generating, "what is usual is not known yet");
    assert_eq!(at(&script, last + 2_000)[0], State::Stalled { since: ms(last) });
}

#[test]
fn a_further_attempt_begins_anew_and_says_so() {
    let mut script = under_way(2);
    script.fails(0, START + 1_900, FailureClass::Overloaded, "no capacity");
    let mut ticket = schema::progress::Ticket {
        target: "groq".parse().unwrap(),
        phase: Phase::Measured,
        block: 0,
        index: 0,
        attempt: 1,
        stream: 0,
    };
    script.race.fold(&Progress::Moved { ticket: ticket.clone(), at: ms(START + 2_500), stage: Stage::Sent });
    assert!(script.drawn(START + 2_600, SIZES[0]).contains("attempt 2: waiting 0.1 s"));
    ticket.attempt = 0;
    script.race.fold(&Progress::Moved { ticket, at: ms(START + 2_500), stage: Stage::Connecting });
    assert!(script.drawn(START + 2_600, SIZES[0]).contains("attempt 2: waiting"), "what is over does not come back");
}

#[test]
fn heats_are_put_to_the_account_of_who_won_alone() {
    let script = many_heats(3, 12);
    let tallies = &script.race.tallies;
    let won: Vec<_> = tallies.iter().map(|tally| tally.won).collect();
    assert_eq!((won, script.race.winner()), (vec![11, 0, 0], Some(0)), "the last heat is not put to an account yet");
    assert_eq!(tallies[1].failures(), (1, Some(FailureClass::Overloaded)));
    assert_eq!(tallies[1].over(), 12);
}

#[test]
fn enter_goes_on_only_when_there_is_nothing_more_to_watch() {
    let mut script = Script::new(setup(2, 2));
    for block in 0..2 {
        script.heat(Phase::Measured, block);
        script.sent();
        assert_eq!(script.press(KeyCode::Enter), Reaction::Stay);
        assert_eq!(script.press(KeyCode::Char('s')), Reaction::Stop);
        assert_eq!(script.press(KeyCode::Char('q')), Reaction::Abort);
        for target in 0..2 {
            script.completes(target, START + 10);
        }
        assert_eq!(script.race.finished(), block == 1);
    }
    assert_eq!(script.press(KeyCode::Char('s')), Reaction::Stay, "nothing is left to be stopped");
    assert_eq!(script.press(KeyCode::Enter), Reaction::Leave);
    assert_eq!(script.press(KeyCode::Char('q')), Reaction::Leave, "nor to be given up");
    let mut broken = Script::of(2);
    broken.race.close();
    assert_eq!(broken.press(KeyCode::Enter), Reaction::Leave);
}

#[test]
fn tab_changes_between_lanes_and_distributions() {
    let mut script = many_heats(2, 12);
    assert!(script.drawn(START + 900, SIZES[0]).contains("median"));
    script.press(KeyCode::Tab);
    assert!(!script.drawn(START + 900, SIZES[0]).contains("median"));
    let mut single = under_way(2);
    single.press(KeyCode::Tab);
    assert!(!single.drawn(START + 900, SIZES[0]).contains("median"), "one heat has no distribution");
}

#[test]
fn the_configuration_is_a_page_of_its_own() {
    let mut script = Script::of(2);
    script.press(KeyCode::Char('c'));
    insta::assert_snapshot!("configuration_80x24", script.drawn(0, SIZES[0]));
    assert_eq!(script.press(KeyCode::Esc), Reaction::Stay, "back to the race, not out of it");
    assert!(script.drawn(0, SIZES[0]).contains("RACE"));
}

#[test]
fn a_race_that_nobody_is_in_is_drawn_too() {
    let mut script = Script::of(0);
    for size in SIZES {
        script.drawn(0, size);
    }
    assert_eq!(script.race.standings(Moment::EPOCH), []);
}
