use super::*;

const MS: u64 = 1_000_000;

/// An engine whose step takes 10 ms and 1 ms a sequence, and 1 ms a prompt token, without jitter.
fn model() -> EngineModel {
    EngineModel {
        overhead: Nanos::ZERO,
        prefill_base: Nanos::ZERO,
        prefill_per_token: Nanos::from_millis(1),
        prefill_chunk: u32::MAX,
        decode_base: Nanos::from_millis(10),
        decode_per_sequence: Nanos::from_millis(1),
        max_batch: 8,
        queue_limit: 100,
        kv_tokens: 10_000,
        context: 1_000,
        jitter: 0.0,
        tokens_per_event: 1,
    }
}

fn arrival(id: u64, prompt: u32, output: u32, at: Moment) -> Arrival {
    Arrival { id, prompt, cached: 0, output, at }
}

fn batch(model: EngineModel, requests: &[(u64, u32, u32)]) -> Batch {
    let mut batch = Batch::new(model, 1);
    for &(id, prompt, output) in requests {
        batch.submit(arrival(id, prompt, output, Moment::EPOCH)).unwrap();
    }
    batch
}

/// Advances by virtual time until idle: `(milliseconds, id)` of every token.
fn run(batch: &mut Batch) -> Vec<(u64, u64)> {
    let mut tokens = Vec::new();
    let mut emissions = Vec::new();
    for _ in 0..100_000 {
        let Some(now) = batch.next_at() else { return tokens };
        batch.advance(now, &mut emissions);
        tokens.extend(emissions.drain(..).map(|e| (now.0 / MS, e.id)));
    }
    panic!("the engine never became idle");
}

#[track_caller]
fn check(model: EngineModel, requests: &[(u64, u32, u32)], expected: &[(u64, u64)]) {
    assert_eq!(run(&mut batch(model, requests)), expected);
}

#[test]
fn a_lone_request_pays_its_prompt_once_and_a_step_a_token() {
    check(model(), &[(1, 20, 3)], &[(31, 1), (42, 1), (53, 1)]);
}

#[test]
fn overhead_comes_before_the_first_step() {
    check(EngineModel { overhead: Nanos::from_millis(5), ..model() }, &[(1, 20, 1)], &[(36, 1)]);
}

#[test]
fn a_step_is_longer_the_more_sequences_run() {
    check(model(), &[(1, 5, 2), (2, 5, 2), (3, 5, 2)], &[(28, 1), (28, 2), (28, 3), (41, 1), (41, 2), (41, 3)]);
}

#[test]
fn beyond_the_batch_limit_requests_wait_for_a_place() {
    let model = EngineModel { max_batch: 1, ..model() };
    check(model, &[(1, 4, 2), (2, 4, 1), (3, 4, 1)], &[(15, 1), (26, 1), (41, 2), (56, 3)]);
}

#[test]
fn a_request_that_arrives_in_mid_step_joins_the_next() {
    let mut batch = batch(model(), &[(1, 4, 3)]);
    let mut emissions = Vec::new();
    batch.advance(Moment::EPOCH, &mut emissions);
    batch.submit(arrival(2, 10, 1, Moment(3 * MS))).unwrap();
    assert_eq!(run(&mut batch), [(15, 1), (37, 1), (37, 2), (48, 1)]);
}

#[test]
fn a_long_prompt_read_whole_makes_the_others_wait() {
    let mut batch = batch(model(), &[(1, 1, 4)]);
    let mut emissions = Vec::new();
    batch.advance(Moment::EPOCH, &mut emissions);
    batch.submit(arrival(2, 500, 1, Moment(MS))).unwrap();
    assert_eq!(run(&mut batch), [(12, 1), (524, 1), (524, 2), (535, 1), (546, 1)]);
}

#[test]
fn a_long_prompt_read_in_chunks_lets_the_others_go_on() {
    let mut batch = batch(EngineModel { prefill_chunk: 250, ..model() }, &[(1, 1, 4)]);
    let mut emissions = Vec::new();
    batch.advance(Moment::EPOCH, &mut emissions);
    batch.submit(arrival(2, 500, 1, Moment(MS))).unwrap();
    assert_eq!(run(&mut batch), [(12, 1), (274, 1), (536, 1), (536, 2), (547, 1)]);
}

#[test]
fn what_is_cached_need_not_be_read() {
    let mut batch = Batch::new(model(), 1);
    batch.submit(Arrival { cached: 16, ..arrival(1, 20, 2, Moment::EPOCH) }).unwrap();
    assert_eq!(run(&mut batch), [(15, 1), (26, 1)]);
}

#[test]
fn after_a_stall_steps_end_as_much_later() {
    let mut batch = batch(model(), &[(1, 1, 2)]);
    batch.advance(Moment::EPOCH, &mut Vec::new());
    batch.stalled(Nanos::from_secs(1));
    assert_eq!(run(&mut batch), [(1_012, 1), (1_023, 1)]);
}

#[test]
fn a_full_queue_refuses() {
    let mut batch = batch(EngineModel { max_batch: 2, queue_limit: 1, ..model() }, &[(1, 1, 1), (2, 1, 1), (3, 1, 1)]);
    assert_eq!(batch.submit(arrival(4, 1, 1, Moment::EPOCH)), Err(QueueFull));
    run(&mut batch);
    assert_eq!(batch.submit(arrival(4, 1, 1, Moment::EPOCH)), Ok(()));
}

#[test]
fn a_prompt_without_room_in_the_cache_waits_though_the_batch_has_places() {
    let model = EngineModel { kv_tokens: 100, context: 100, ..model() };
    check(model, &[(1, 60, 2), (2, 60, 1)], &[(71, 1), (82, 1), (153, 2)]);
}

#[test]
fn when_the_cache_fills_up_the_last_comer_is_put_back_and_reads_anew() {
    let model = EngineModel { kv_tokens: 24, context: 20, ..model() };
    let mut batch = batch(model, &[(1, 10, 4), (2, 10, 4)]);
    let tokens = run(&mut batch);
    // Two steps together fill 24 places; then 2 waits until 1 is done, and reads 10 + 2 tokens again.
    assert_eq!(tokens, [(32, 1), (32, 2), (44, 1), (44, 2), (55, 1), (66, 1), (89, 2), (100, 2)]);
    assert_eq!(batch.preemptions, 1);
    assert_eq!(batch.held, 0);
}

#[test]
fn a_request_longer_than_the_cache_still_ends() {
    let model = EngineModel { kv_tokens: 30, context: 30, ..model() };
    let mut batch = batch(model, &[(1, 500, 50), (2, 20, 50)]);
    assert_eq!(run(&mut batch).len(), 100);
}

#[test]
fn a_cancelled_request_frees_its_place_and_its_cache() {
    let mut batch = batch(EngineModel { max_batch: 1, ..model() }, &[(1, 50, 100), (2, 4, 1), (3, 4, 1)]);
    let mut emissions = Vec::new();
    batch.advance(Moment::EPOCH, &mut emissions);
    assert_eq!((batch.running.len(), batch.waiting.len(), batch.held), (1, 2, 50));
    batch.cancel(1, Moment::EPOCH);
    batch.cancel(2, Moment::EPOCH);
    assert_eq!((batch.running.len(), batch.waiting.len(), batch.held), (0, 1, 0));
    assert_eq!(run(&mut batch), [(76, 3)]);
}

#[test]
fn a_rush_degrades_everyones_steps_and_the_last_ones_wait() {
    let gap = |requests: u64| {
        let all: Vec<_> = (0..requests).map(|id| (id, 10, 20)).collect();
        let tokens = run(&mut batch(model(), &all));
        let of_first: Vec<_> = tokens.iter().filter(|(_, id)| *id == 0).collect();
        let last_begins = tokens.iter().find(|(_, id)| *id == requests - 1).unwrap().0;
        (of_first[11].0 - of_first[10].0, last_begins)
    };
    assert_eq!(gap(1), (11, 21));
    assert_eq!(gap(8), (18, 98));
    assert_eq!(gap(16).0, 18);
    assert!(gap(16).1 > 4 * gap(8).1);
}

#[test]
fn a_timers_lateness_does_not_add_up_but_a_long_pause_is_not_caught_up() {
    let mut batch = batch(model(), &[(1, 1, 100)]);
    let mut emissions = Vec::new();
    batch.advance(Moment::EPOCH, &mut emissions);
    batch.advance(Moment(13 * MS), &mut emissions);
    assert_eq!(batch.next_at(), Some(Moment(23 * MS)));
    batch.advance(Moment(500 * MS), &mut emissions);
    assert_eq!(batch.next_at(), Some(Moment(511 * MS)));
    assert_eq!(emissions.len(), 2);
}

#[test]
fn one_seed_gives_one_timing_and_another_gives_another() {
    let timing = |seed| {
        let mut batch = Batch::new(EngineModel { jitter: 0.3, ..model() }, seed);
        batch.submit(arrival(1, 10, 50, Moment::EPOCH)).unwrap();
        run(&mut batch)
    };
    assert_eq!(timing(1), timing(1));
    assert_ne!(timing(1), timing(2));
}

proptest::proptest! {
    #[test]
    fn everyone_gets_all_tokens_in_order_and_the_limits_hold(
        requests in proptest::collection::vec((1..40_u32, 1..30_u32), 1..40),
        max_batch in 1..10_usize,
        kv_tokens in 50..300_u64,
        prefill_chunk in 1..50_u32,
    ) {
        let mut batch = Batch::new(EngineModel { max_batch, kv_tokens, prefill_chunk, context: 50, jitter: 0.2, ..model() }, 7);
        for (id, &(prompt, output)) in (0..).zip(&requests) {
            batch.submit(arrival(id, prompt, output, Moment::EPOCH)).unwrap();
        }
        let mut seen = vec![0; requests.len()];
        let mut emissions = Vec::new();
        let mut last = Moment::EPOCH;
        while let Some(now) = batch.next_at() {
            proptest::prop_assert!(now >= last);
            last = now;
            batch.advance(now, &mut emissions);
            proptest::prop_assert!(batch.running.len() <= max_batch && batch.held <= kv_tokens);
            for emission in emissions.drain(..) {
                let count = &mut seen[usize::try_from(emission.id).unwrap()];
                *count += 1;
                proptest::prop_assert_eq!(*count, emission.generated);
            }
        }
        proptest::prop_assert_eq!(seen, requests.iter().map(|r| r.1).collect::<Vec<_>>());
        proptest::prop_assert_eq!(batch.held, 0);
    }
}
