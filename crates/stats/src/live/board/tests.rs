use std::sync::Arc;

use schema::metric::Metric;
use schema::plan::{Axis, Search};
use schema::record::{FailureClass, Outcome};
use schema::server::{Counter, ServerSample};
use schema::summary::Percentile;
use schema::target::Target;

use super::*;
use crate::fixture::{edit, failed, ms, plan, price, record, target};
use crate::metric_values;

fn board(change: impl FnOnce(&mut Plan)) -> Board {
    let mut plan = plan(vec![Target { price: Some(price()), ..target("a") }, target("b")]);
    change(&mut plan);
    Board::new(&plan)
}

fn block(board: &mut Board, name: &str, phase: Phase, number: u32) {
    board.fold(&Progress::Block { target: name.parse().unwrap(), phase, block: number });
}

fn pulse(board: &mut Board, at: u64, in_flight: &[u32]) {
    board.fold(&Progress::Pulse { at: ms(at), in_flight: in_flight.to_vec() });
}

fn recorded(board: &mut Board, record: Record) {
    board.fold(&Progress::Recorded(Arc::new(record)));
}

fn of(name: &str, record: Record) -> Record {
    Record { target: name.parse().unwrap(), ..record }
}

#[track_caller]
fn near(seen: Option<Nanos>, millis: f64) {
    let seen = seen.unwrap().as_millis_f64();
    assert!((seen / millis - 1.0).abs() < 0.03, "{seen} is not about {millis}");
}

#[test]
fn every_way_to_end_is_counted_where_it_belongs() {
    let mut board = board(|_| {});
    recorded(&mut board, Record { phase: Phase::Warmup, ..record(0, &[900]) });
    recorded(&mut board, record(0, &[100, 300]));
    recorded(&mut board, failed(0, FailureClass::Stalled));
    recorded(&mut board, Record { attempt: 1, ..failed(0, FailureClass::RateLimited) });
    recorded(&mut board, Record { outcome: Outcome::NotSent, ..record(0, &[]) });
    recorded(&mut board, Record { outcome: Outcome::Cancelled, ..record(0, &[]) });
    recorded(&mut board, of("c", record(0, &[1])));
    let seen = &board.targets()[0];
    assert_eq!((seen.done(), seen.completed(), seen.warmup()), (4, 1, 1));
    assert_eq!((seen.failed(), seen.throttled(), seen.not_sent(), seen.cancelled()), (1, 1, 1, 1));
    near(seen.ttft().quantile(0.5), 100.0);
    assert_eq!(seen.ttft().supported(0.5), None, "one value carries no median");
    near(seen.itl().quantile(0.5), 200.0);
    near(seen.e2e().quantile(0.5), 300.0);
    assert!(seen.cost().is_some_and(|cost| cost > Usd::ZERO));
    assert_eq!(board.spent(), Some((seen.cost().unwrap(), None)));
    assert_eq!(board.targets()[1].done(), 0);
}

#[test]
fn rates_are_those_of_the_last_seconds_of_its_own_turn() {
    let mut board = board(|_| {});
    pulse(&mut board, 10_000, &[0, 0]);
    block(&mut board, "a", Phase::Measured, 0);
    assert_eq!(board.targets()[0].rates(ms(10_100)), None, "too soon to tell");
    for end in 0..20 {
        recorded(&mut board, record(10_000 + end * 100, &[50, 100]));
    }
    let (requests, tokens) = board.targets()[0].rates(ms(12_000)).unwrap();
    assert!((requests - 10.0).abs() < 1e-9 && (tokens - 20.0).abs() < 1e-9, "{requests} {tokens}");
    let (later, _) = board.targets()[0].rates(ms(15_000)).unwrap();
    assert!((later - 4.0).abs() < 1e-9, "{later}");
    assert_eq!(board.targets()[0].rates(ms(40_000)).map(|rates| rates.0.to_bits()), Some(0.0f64.to_bits()));
    block(&mut board, "b", Phase::Measured, 0);
    assert_eq!(board.targets()[0].rates(ms(15_000)), None, "another has its turn");
}

#[test]
fn side_by_side_nobody_pauses_for_another() {
    let mut board = board(|plan| plan.side_by_side = true);
    block(&mut board, "a", Phase::Measured, 0);
    block(&mut board, "b", Phase::Measured, 0);
    assert!(board.targets().iter().all(|target| target.turn().is_some()));
}

#[test]
fn a_load_in_stages_asks_for_what_its_moment_says() {
    let stage = |name: &str, from, to| Stage { name: name.into(), from, to, length_ns: Nanos::from_secs(10) };
    let mut board = board(|plan| {
        let stages = vec![stage("warm", 2.0, 2.0), stage("ramp", 2.0, 12.0)];
        plan.load = Load::RateStages {
            stages,
            arrival: schema::plan::Arrival::Constant,
            max_concurrency: 100,
            when_full: schema::plan::WhenFull::NotSent,
        };
    });
    pulse(&mut board, 1_000, &[0, 0]);
    block(&mut board, "a", Phase::Measured, 0);
    let asked = |at: u64| {
        let target = &board.targets()[0];
        (board.asked(target, ms(at)), board.stage(target, ms(at)).unwrap())
    };
    assert_eq!(asked(1_000), (Asked::Rate(2.0), "warm"));
    assert_eq!(asked(16_000), (Asked::Rate(7.0), "ramp"));
    assert_eq!(asked(99_000), (Asked::Rate(12.0), "ramp"));
}

#[test]
fn the_end_is_foretold_by_requests_or_by_time() {
    let mut board = board(|_| {});
    assert_eq!((board.share(ms(5)), board.left(ms(5))), (None, None));
    board.fold(&Progress::Began { requests: Some(40), duration: None });
    pulse(&mut board, 1_000, &[0, 0]);
    block(&mut board, "a", Phase::Measured, 0);
    for _ in 0..10 {
        recorded(&mut board, record(1_000, &[100]));
    }
    assert_eq!(board.requests(), (10, Some(40)));
    assert_eq!(board.share(ms(11_000)), Some(0.25));
    assert_eq!(board.left(ms(11_000)), Some(Nanos::from_secs(30)));
    board.fold(&Progress::Began { requests: None, duration: Some(Nanos::from_secs(20)) });
    assert_eq!(board.left(ms(11_000)), Some(Nanos::from_secs(10)));
    assert_eq!(board.left(ms(99_000)), Some(Nanos::ZERO));
}

#[test]
fn steps_of_a_search_are_told_apart() {
    let mut board = board(|plan| plan.search = Some(Search::Sweep { axis: Axis::Rate, points: 5, highest: None }));
    let step = |number, level| Progress::Step { target: "a".parse().unwrap(), step: number, axis: Axis::Rate, level };
    board.fold(&step(0, 1.0));
    recorded(&mut board, record(0, &[100, 2_000]));
    board.fold(&step(1, 5.0));
    assert_eq!(board.asked(&board.targets()[0], ms(0)), Asked::Rate(5.0));
    recorded(&mut board, Record { step: 1, ..record(3_000, &[200, 500]) });
    recorded(&mut board, Record { step: 1, ..record(3_000, &[200, 1_000]) });
    recorded(&mut board, Record { step: 1, ..failed(3_000, FailureClass::Stalled) });
    let steps = board.targets()[0].steps();
    assert_eq!(steps.iter().map(|step| (step.completed, step.failed)).collect::<Vec<_>>(), [(1, 0), (2, 1)]);
    assert!((steps[1].requests_per_s().unwrap() - 2.0).abs() < 1e-9);
    near(steps[1].ttft.quantile(0.5), 200.0);
    assert!(board.forming().is_empty(), "levels are not compared");
}

#[test]
fn a_verdict_forms_block_by_block() {
    let mut board = board(|plan| plan.blocks = 8);
    assert!(board.forming().is_empty());
    for number in 0..8 {
        for request in 0..10u64 {
            let at = 1_000 * u64::from(number) + request;
            let wobble = (request + u64::from(number)) % 3;
            recorded(&mut board, Record { block: number, ..record(at, &[100 + wobble, 500]) });
            recorded(&mut board, of("b", Record { block: number, ..record(at, &[200 + wobble, 500]) }));
        }
    }
    let forming = board.forming();
    let ttft = forming.iter().find(|forming| forming.criterion == Criterion::TtftP50).unwrap();
    assert_eq!((ttft.leader.as_str(), ttft.close.len()), ("a", 0));
    assert!(ttft.margin.is_some_and(|margin| (margin.value - 1.0).abs() < 0.05), "{ttft:?}");
    let e2e = forming.iter().find(|forming| forming.criterion == Criterion::E2eP50).unwrap();
    assert!(e2e.tie && e2e.close.len() == 1, "{e2e:?}");
    assert_eq!(board.weighs_a_part(), None);
}

#[test]
fn a_block_that_is_not_over_says_nothing_beside_others() {
    let mut board = board(|plan| plan.blocks = 4);
    let mut requests = |number: u32, name: &str, ttft: u64| {
        for request in 0..8 {
            let at = 1_000 * u64::from(number) + request;
            recorded(&mut board, of(name, Record { block: number, ..record(at, &[ttft + request, 900]) }));
        }
        board.forming().first().map(|forming| (forming.leader.to_string(), forming.blocks))
    };
    let leads = |name: &str, blocks| Some((name.to_owned(), blocks));
    requests(0, "a", 100);
    assert_eq!(requests(0, "b", 200), leads("a", 1), "the first one is all there is");
    assert_eq!(requests(1, "a", 900), leads("a", 1));
    assert_eq!(requests(1, "b", 200), leads("a", 1));
    assert_eq!(requests(2, "b", 200).map(|(_, blocks)| blocks), Some(2));
}

#[test]
fn the_light_follows_the_bounds_of_the_verdict_on_quality() {
    let seen = |lag_ns: u32, shared: bool| {
        let mut board = board(|_| {});
        for number in 0..30 {
            let mut late = record(number * 1_000, &[20, 40, 60]);
            edit(&mut late, |events| events.iter_mut().for_each(|e| (e.lag_ns, e.shared_read) = (lag_ns, shared)));
            recorded(&mut board, late);
        }
        board.lights(&board.targets()[0]).light
    };
    assert_eq!(board(|_| {}).lights(&board(|_| {}).targets()[0]).light, Light::NotKnown);
    assert_eq!(seen(20_000, false), Light::Good);
    assert_eq!(seen(5_000_000, false), Light::Warn, "kernel stamps keep it out");
    assert_eq!(seen(5_000_000, true), Light::Bad);
}

#[test]
fn what_the_server_counts_grows_at_a_rate() {
    let mut board = board(|_| {});
    let sample = |at, tokens| {
        let counters = [(Counter::GeneratedTokens, tokens)].into();
        Progress::Sampled(
            "a".parse().unwrap(),
            Arc::new(ServerSample { at_ns: ms(at), counters, ..Default::default() }),
        )
    };
    board.fold(&sample(0, 100.0));
    assert_eq!(board.targets()[0].growth(Counter::GeneratedTokens), None);
    board.fold(&sample(2_000, 300.0));
    assert_eq!(board.targets()[0].growth(Counter::GeneratedTokens), Some(100.0));
    board.fold(&sample(4_000, 0.0));
    assert_eq!(board.targets()[0].growth(Counter::GeneratedTokens), None, "it was restarted");
}

#[test]
fn tokens_count_when_they_arrived() {
    let mut board = board(|_| {});
    let mut answer = record(0, &[100, 700, 1_200]);
    answer.tokens = answer.tokens.map(|tokens| schema::record::TokenCounts { output: 10, ..tokens });
    recorded(&mut board, answer);
    let stretches = board.targets()[0].timeline().stretches();
    let tokens: Vec<u64> = stretches.iter().map(|stretch| stretch.tokens).collect();
    assert_eq!(tokens, [3, 0, 3, 0, 4]);
}

#[test]
fn a_long_run_takes_no_more_room_than_a_short_one() {
    let mut timeline = Timeline::default();
    for second in 0..100_000 {
        let stretch = timeline.at(ms(5_000 + second * 1_000));
        stretch.completed += 1;
        stretch.ttft.add(Nanos::from_millis(100));
    }
    assert!(timeline.stretches().len() <= 256);
    assert_eq!(timeline.stretches().iter().map(|stretch| stretch.completed).sum::<u64>(), 100_000);
    assert_eq!(timeline.stretches().iter().map(|stretch| stretch.ttft.len()).sum::<u64>(), 100_000);
    assert!(timeline.each().0 * 256 >= Nanos::from_secs(100_000).0);
}

#[test]
fn a_sketch_tells_quantiles_to_within_a_few_percent() {
    let mut sketch = Sketch::default();
    assert_eq!(sketch.quantile(0.5), None);
    (1..=1_000).for_each(|millis| sketch.add(Nanos::from_millis(millis)));
    near(sketch.quantile(0.5), 500.0);
    near(sketch.quantile(0.95), 950.0);
    near(sketch.quantile(1.0), 1_000.0);
    sketch.add(Nanos(u64::MAX));
    sketch.add(Nanos::ZERO);
    assert_eq!(sketch.len(), 1_002);
}

#[test]
fn only_the_latest_notes_are_remembered() {
    let mut board = board(|_| {});
    (0..100).for_each(|number| board.fold(&Progress::Note(number.to_string())));
    assert_eq!(board.notes().len(), NOTES);
    assert_eq!(board.notes().next_back(), Some("99"));
}

#[test]
fn medians_of_blocks_show_drift() {
    let mut board = board(|_| {});
    for number in 0..3 {
        recorded(&mut board, Record { block: number, ..record(0, &[100 * (u64::from(number) + 1)]) });
    }
    let medians: Vec<f64> = board.targets()[0].block_medians().map(|(_, ttft)| ttft.as_millis_f64()).collect();
    assert!(medians.windows(2).all(|pair| pair[0] < pair[1]) && medians.len() == 3, "{medians:?}");
}

/// Records of a run in turns, with all that can happen to a request but a further attempt.
fn whole_run() -> Vec<Record> {
    let mut records = vec![Record { phase: Phase::Warmup, ..record(0, &[900, 950]) }];
    for block in 0..4u32 {
        for (name, slower) in [("a", 0), ("b", 80)] {
            for n in 0..100u64 {
                let start = u64::from(block) * 60_000 + slower * 400 + n * 250;
                let wobble = (n * 37 + u64::from(block) * 11) % 101;
                let ttft = 200 + slower + wobble;
                let mut one = match n % 25 {
                    7 => failed(start, FailureClass::Stalled),
                    13 => failed(start, FailureClass::RateLimited),
                    19 => Record { outcome: Outcome::NotSent, start_ns: None, end_ns: None, ..record(start, &[]) },
                    23 => Record { outcome: Outcome::Cancelled, ..record(start, &[ttft]) },
                    24 => Record { outcome: Outcome::Interrupted, ..record(start, &[ttft]) },
                    _ => record(start, &[ttft, ttft + 30 + wobble % 7, ttft + 60 + wobble]),
                };
                let lag = u32::try_from(20_000 + wobble * 1_000).unwrap();
                edit(&mut one, |events| events.iter_mut().for_each(|event| event.lag_ns = lag));
                (one.index, one.block) = (u64::from(block) * 100 + n, block);
                one.scheduled_ns = ms(start - (wobble % 5).min(start));
                records.push(of(name, one));
            }
        }
    }
    records
}

#[test]
fn what_is_seen_live_is_what_the_summary_says() {
    let records = whole_run();
    let priced = |name| Target { price: Some(price()), ..target(name) };
    let plan = Plan { blocks: 4, ..plan(vec![priced("a"), priced("b")]) };
    let mut board = Board::new(&plan);
    let mut line = crate::live::Live::new(&plan.targets);
    for record in &records {
        recorded(&mut board, record.clone());
        line.record(record);
    }
    let summary = crate::summarise(&plan, &crate::Measured::records(&records));
    for ((seen, line), told) in board.targets().iter().zip(line.snapshot().targets).zip(&summary.targets) {
        assert!(told.startup.is_none(), "all of it is steady");
        assert_eq!((seen.completed(), seen.not_sent()), (told.completed, told.not_sent));
        assert_eq!(seen.cancelled(), told.cancelled + told.interrupted);
        assert_eq!(seen.done(), told.attempted);
        assert_eq!((seen.failures(), seen.throttled()), (&told.failures, line.throttled));
        assert_eq!((seen.done(), seen.failed(), seen.warmup()), (line.done, line.failed, line.warmup));
        let cost = told.cost.as_ref().unwrap();
        assert_eq!(seen.cost(), Some(cost.total_usd + cost.warmup_usd));
        assert_eq!(line.cost, seen.cost());
        let exact = |metric, q| {
            let mut values: Vec<f64> = records
                .iter()
                .filter(|record| record.phase == Phase::Measured && record.target == *seen.name())
                .flat_map(|record| metric_values(record, metric))
                .collect();
            values.sort_by(f64::total_cmp);
            crate::quantile::quantile(&values, q)
        };
        for (metric, live) in [
            (Metric::Ttft, seen.ttft()),
            (Metric::Itl, seen.itl()),
            (Metric::E2e, seen.e2e()),
            (Metric::ClientLag, &seen.client_lag),
            (Metric::ScheduleLag, &seen.schedule_lag),
        ] {
            let told = &told.metrics[&metric];
            assert_eq!(live.len(), told.n, "{metric:?}");
            let at_end = [(0.5, told.p50), (0.95, told.p95), (0.99, told.p99)];
            for (q, percentile) in at_end {
                let (seen, exact) = (live.supported(q), exact(metric, q));
                match percentile {
                    Percentile::Known(told) => {
                        let off = (seen.unwrap().0 as f64 - told.value).abs() / exact.max(1.0);
                        assert!(off < 0.02, "{metric:?} {q}: {seen:?}, {told:?}");
                    }
                    // Values that lean on each other are worth less, which only the end knows.
                    Percentile::Withheld { .. } => {
                        let of_a_request = matches!(metric, Metric::Itl | Metric::ClientLag);
                        assert!(of_a_request || seen.is_none(), "{metric:?} {q}");
                    }
                }
            }
        }
        let rate = told.throughput.output_tokens_per_s.value;
        assert!((line.output_tokens_per_s.unwrap() / rate - 1.0).abs() < 1e-9, "{line:?} {rate}");
        let over_time = seen.timeline().stretches().iter();
        let sums = over_time.fold((0, 0, 0), |sum, s| (sum.0 + s.completed, sum.1 + s.failed, sum.2 + s.tokens));
        assert_eq!(sums, (told.completed, told.failures.values().sum(), told.output_tokens));
    }
    let comparison = summary.comparison.unwrap();
    let forming = board.forming();
    assert_eq!(forming.len(), 3);
    for forming in &forming {
        let ranking = comparison.rankings.iter().find(|ranking| ranking.criterion == forming.criterion).unwrap();
        for pair in &ranking.pairs {
            assert_eq!((&forming.leader, forming.blocks), (&pair.better, 3), "the last block is not over: {forming:?}");
            assert!(!forming.close.is_empty() || pair.is_certain(), "{forming:?}");
        }
    }
}

#[test]
fn each_target_has_its_part_of_what_is_weighed() {
    let mut board = board(|plan| plan.blocks = 2);
    for number in 0..2 {
        for name in ["a", "b"] {
            for request in 0..11_000u64 {
                let slower = if name == "a" { 0 } else { 100 };
                let at = u64::from(number) * 50_000 + request;
                recorded(
                    &mut board,
                    of(name, Record { block: number, ..record(at, &[100 + slower + request % 9, 500]) }),
                );
            }
        }
    }
    assert_eq!(board.weighs_a_part(), Some(20_000));
    assert_eq!(board.forming()[0].leader.as_str(), "a");
}

#[test]
fn many_gaps_of_few_requests_carry_no_percentile() {
    let mut board = board(|_| {});
    let pieces: Vec<u64> = (0..500).map(|piece| 100 + piece * 10).collect();
    for number in 0..35 {
        recorded(&mut board, record(number * 10_000, &pieces));
    }
    assert!(board.targets()[0].itl().supported(0.5).is_some());
    assert_eq!(board.targets()[0].itl().supported(0.95), None, "35 requests are too few for a habit of one in ten");
    recorded(&mut board, record(990_000, &pieces));
    near(board.targets()[0].itl().supported(0.95), 10.0);
}

#[test]
fn what_is_in_time_is_not_said_to_be_late() {
    let mut board = board(|_| {});
    for number in 0..30 {
        recorded(&mut board, record(number * 1_000, &[20, 40, 60]));
    }
    assert_eq!(board.lights(&board.targets()[0]).schedule_lag_p99, Some(Nanos::ZERO));
}
