//! Loads with a shape of their own, traces, conversations and precision, on the real binary.

use std::collections::BTreeMap;

use schema::plan::Load;
use schema::record::{Outcome, Record};
use schema::units::{Moment, Nanos};
use sim::Engine;

use crate::command::{Desk, Outcome as Ended};
use crate::e2e_run::{latest, measured, prompt_engine, slow_engine, start, summary, target};

fn by_index(mut records: Vec<Record>) -> Vec<Record> {
    records.sort_by_key(|record| record.index);
    records
}

/// A benchmark of one target `it` that must end well.
#[track_caller]
fn benchmark(desk: &Desk, sim: &sim::Sim, load: &[&str]) -> Ended {
    let usual = ["--warmup=0", "--max-tokens=4", "--scrape=0s", "--seed=3"];
    let outcome = desk.run(&[&["benchmark", &target("it", sim)], &usual[..], load].concat());
    assert_eq!(outcome.status, Some(0), "{}", outcome.all());
    outcome
}

#[test]
fn stages_offer_what_their_levels_add_up_to() {
    let (sim, desk) = (start(prompt_engine(Engine::OpenAi)), Desk::new());
    benchmark(&desk, &sim, &["--stages=40/s@250ms,ramp=40/s..120/s@500ms", "--arrival=constant"]);
    let records = by_index(measured(&latest(&desk), "it"));
    // 40 × 0.25 and 80 × 0.5.
    assert!((49..=51).contains(&records.len()), "{}", records.len());
    let gaps: Vec<Nanos> = records.windows(2).map(|pair| pair[1].scheduled_ns - pair[0].scheduled_ns).collect();
    assert_eq!(gaps[0], Nanos::from_millis(25));
    assert!(gaps.last() < gaps.first(), "the ramp comes closer and closer");
}

#[test]
fn streams_come_in_stages_too() {
    let (sim, desk) = (start(slow_engine(Engine::OpenAi, 10, 0)), Desk::new());
    benchmark(&desk, &sim, &["--stages=1@200ms,4@200ms"]);
    let records = measured(&latest(&desk), "it");
    let begin = records.iter().map(|record| record.scheduled_ns).min().unwrap();
    let most_at_once = |from: u64, to: u64| {
        let during = |at: Moment| {
            records.iter().filter(|r| r.start_ns.is_some_and(|s| s <= at) && r.end_ns.is_some_and(|e| e > at)).count()
        };
        (from..to).map(|ms| during(begin + Nanos::from_millis(ms))).max().unwrap()
    };
    assert_eq!((most_at_once(0, 150), most_at_once(260, 380)), (1, 4));
}

#[test]
fn users_think_between_requests_and_pause_between_sessions() {
    let (sim, desk) = (start(prompt_engine(Engine::OpenAi)), Desk::new());
    let users =
        ["--users=2", "--think=20ms", "--session-requests=2", "--session-pause=100ms", "--requests=12", "--blocks=1"];
    benchmark(&desk, &sim, &users);
    let run = latest(&desk);
    assert!(matches!(run.manifest.plan.load, Load::Users { users: 2, .. }));
    let mut records = measured(&run, "it");
    assert_eq!(records.len(), 12);
    records.sort_by_key(|record| record.scheduled_ns);
    // Nobody sends again before the think time is over: in any 20 ms there are at most as many requests as users.
    for three in records.windows(3) {
        assert!(three[2].scheduled_ns - three[0].scheduled_ns >= Nanos::from_millis(20));
    }
}

#[test]
fn a_crowd_is_due_at_one_instant_and_waves_at_theirs() {
    let (sim, desk) = (start(prompt_engine(Engine::OpenAi)), Desk::new());
    benchmark(&desk, &sim, &["--crowd=15", "--waves=2", "--wave-every=300ms"]);
    let records = by_index(measured(&latest(&desk), "it"));
    let mut waves: BTreeMap<Moment, usize> = BTreeMap::new();
    for record in &records {
        *waves.entry(record.scheduled_ns).or_default() += 1;
    }
    assert_eq!(waves.values().copied().collect::<Vec<_>>(), [15, 15]);
    let instants: Vec<_> = waves.keys().collect();
    assert_eq!(*instants[1] - *instants[0], Nanos::from_millis(300));
}

#[test]
fn a_replayed_run_is_due_when_the_first_one_sent() {
    let (sim, desk) = (start(prompt_engine(Engine::OpenAi)), Desk::new());
    benchmark(&desk, &sim, &["--rate=100/s", "--arrival=gamma:0.3", "--requests=25", "--blocks=1", "--name=first"]);
    let first = latest(&desk);
    let mut sent: Vec<Moment> = measured(&first, "it").iter().map(|record| record.start_ns.unwrap()).collect();
    sent.sort_unstable();
    let path = first.path.display().to_string();
    benchmark(&desk, &sim, &["--replay", &path, "--replay-speed=2", "--name=second"]);
    let records = by_index(measured(&latest(&desk), "it"));
    assert_eq!(records.len(), 25);
    for (record, before) in records.iter().zip(&sent) {
        let (now, then) = ((record.scheduled_ns - records[0].scheduled_ns).0, (*before - sent[0]).0);
        assert!(now.abs_diff(then / 2) <= 1, "{now} is not half of {then}");
    }
}

#[test]
fn a_trace_sets_arrivals_and_lengths() {
    let (sim, desk) = (start(prompt_engine(Engine::OpenAi)), Desk::new());
    let desk = desk.with_file(
        "azure.csv",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2026-11-16 18:15:46.0000000,30,5\n\
         2026-11-16 18:15:46.1000000,60,7\n2026-11-16 18:15:46.1500000,10,2\n",
    );
    benchmark(&desk, &sim, &["--replay=azure.csv"]);
    let records = by_index(measured(&latest(&desk), "it"));
    assert_eq!(records[1].scheduled_ns - records[0].scheduled_ns, Nanos::from_millis(100));
    assert_eq!(records.len(), 3);
    assert!(records.iter().all(|record| record.outcome.is_complete()));
    let bytes: Vec<u64> = records.iter().map(|record| record.request_bytes).collect();
    assert!(bytes[1] > bytes[0] && bytes[0] > bytes[2], "{bytes:?}");
}

#[test]
fn waiting_for_a_place_is_said_and_shows_only_from_the_schedule() {
    let (sim, desk) = (start(slow_engine(Engine::OpenAi, 100, 0)), Desk::new());
    let load = ["--rate=100/s", "--arrival=constant", "--requests=8", "--blocks=1", "--max-concurrency=1"];
    let outcome = benchmark(&desk, &sim, &[&load[..], &["--when-full=wait"]].concat());
    let run = latest(&desk);
    let records = by_index(measured(&run, "it"));
    assert!(records.iter().all(|record| record.outcome.is_complete()), "nobody is turned away");
    let first = |record: &Record| record.events.content().next().unwrap().arrival;
    let last = &records[7];
    let (plain, felt) = (first(last) - last.start_ns.unwrap(), first(last) - last.scheduled_ns);
    assert!(felt.0 > 3 * plain.0, "{felt} from the schedule, {plain} from the start");
    assert!(summary(&run, "it").waited >= 6);
    assert!(outcome.all().contains("waited"), "{}", outcome.all());
}

#[test]
fn a_request_that_finds_no_place_is_not_sent_unless_asked() {
    let (sim, desk) = (start(slow_engine(Engine::OpenAi, 200, 0)), Desk::new());
    let load = ["--rate=100/s", "--arrival=constant", "--requests=8", "--blocks=1", "--max-concurrency=1"];
    benchmark(&desk, &sim, &load);
    let not_sent = |record: &&Record| record.outcome == Outcome::NotSent;
    assert_eq!(measured(&latest(&desk), "it").iter().filter(not_sent).count(), 7);
}

#[test]
fn a_conversation_carries_the_answers_it_was_given() {
    let (sim, desk) = (start(prompt_engine(Engine::OpenAi)), Desk::new());
    benchmark(&desk, &sim, &["--turns=3", "--concurrency=2", "--requests=12", "--blocks=1"]);
    let records = measured(&latest(&desk), "it");
    assert!(records.iter().all(|record| record.outcome.is_complete()));
    let mut conversations: BTreeMap<u64, Vec<&Record>> = BTreeMap::new();
    for record in &records {
        conversations.entry(record.conversation.unwrap().conversation).or_default().push(record);
    }
    assert!(conversations.len() >= 4);
    for turns in conversations.values_mut() {
        turns.sort_by_key(|record| record.conversation.unwrap().turn);
        for pair in turns.windows(2) {
            assert!(pair[1].request_bytes > pair[0].request_bytes, "a later turn says more");
            assert!(pair[1].start_ns > pair[0].end_ns, "and waits for the answer before");
        }
    }
    assert!(records.iter().all(|record| record.output.is_none()), "text is kept only when asked");
}

#[test]
fn a_run_goes_on_until_it_is_precise() {
    let (sim, desk) = (start(slow_engine(Engine::OpenAi, 20, 0)), Desk::new());
    let outcome = benchmark(&desk, &sim, &["--until-precise=30%", "--requests=2000", "--concurrency=4"]);
    let sent = measured(&latest(&desk), "it").len();
    assert!((20..2000).contains(&sent), "{sent} requests for a figure that hardly varies");
    assert!(outcome.err.contains("ttft_p50"), "{}", outcome.all());
}

#[test]
fn what_a_protocol_has_no_words_for_is_refused_before_anything_is_sent() {
    let (sim, desk) = (start(prompt_engine(Engine::OpenAi)), Desk::new());
    let completions = format!("--target=it=openai-compatible@{},model=m,dialect=openai-completions", sim.url());
    let refused = desk.run(&["benchmark", &completions, "--answer=tool"]);
    assert_eq!(refused.status, Some(2), "{}", refused.all());
    assert!(refused.err.contains("knows no tools"), "{}", refused.all());
    assert_eq!(sim.requests(), 0);
}
