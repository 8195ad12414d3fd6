use super::*;

const PARAMETERS: Parameters = Parameters { lambda: 2.0, contention: 0.05, coherency: 0.002 };

fn arrival(id: u64, output: u32, at: f64) -> Arrival {
    Arrival { id, prompt: 1, cached: 0, output, at: Moment::EPOCH + Nanos::from_secs_f64(at) }
}

/// The law itself, requests a second.
fn throughput(n: f64) -> f64 {
    2.0 * n / (1.0 + 0.05 * (n - 1.0) + 0.002 * n * (n - 1.0))
}

/// Keeps `streams` requests in service until `requests` are done: requests a second.
fn closed_loop(streams: u64, requests: u64) -> f64 {
    let mut law = Law::new(PARAMETERS);
    // Begun apart, so that they do not all end at once.
    for id in 0..streams {
        law.submit(arrival(id, 3, id as f64 * 0.01)).unwrap();
    }
    let (mut done, mut id) = (0, streams);
    let mut emissions = Vec::new();
    let begun = law.at;
    while done < requests {
        let now = law.next_at().unwrap();
        law.advance(now, &mut emissions);
        for _ in emissions.drain(..).filter(|emission| emission.generated == 3) {
            law.submit(Arrival { at: now, ..arrival(id, 3, 0.0) }).unwrap();
            (done, id) = (done + 1, id + 1);
        }
    }
    requests as f64 / (law.at - begun).as_secs_f64()
}

#[test]
fn throughput_follows_the_law_at_every_number_in_service() {
    for streams in [1, 2, 5, 22, 64] {
        let (measured, expected) = (closed_loop(streams, 4_000), throughput(streams as f64));
        assert!((measured / expected - 1.0).abs() < 0.01, "{streams}: {measured} instead of {expected}");
    }
}

#[test]
fn tokens_of_a_lone_request_are_even() {
    let mut law = Law::new(PARAMETERS);
    law.submit(arrival(1, 4, 1.0)).unwrap();
    let mut times = Vec::new();
    let mut emissions = Vec::new();
    while let Some(now) = law.next_at() {
        law.advance(now, &mut emissions);
        times.push(now.0.div_ceil(1_000_000));
    }
    assert_eq!(times, [1_125, 1_250, 1_375, 1_500]);
}

#[test]
fn whoever_comes_slows_the_others_and_whoever_leaves_gives_it_back() {
    let done = |leaves: Option<f64>| {
        let mut law = Law::new(PARAMETERS);
        law.submit(arrival(1, 1, 0.0)).unwrap();
        law.submit(arrival(2, 1, 0.1)).unwrap();
        if let Some(at) = leaves {
            law.cancel(2, Moment::EPOCH + Nanos::from_secs_f64(at));
        }
        (law.next_at().unwrap() - Moment::EPOCH).as_secs_f64()
    };
    // Alone: 0.5 s. From 0.1 s on each gets X(2) ÷ 2 = 2 ÷ 1.054 a second.
    assert!((done(None) - (0.1 + 0.8 * 1.054 / 2.0)).abs() < 1e-6, "{}", done(None));
    let left = (1.0 - 0.2 - 0.2 / 1.054) / 2.0;
    assert!((done(Some(0.2)) - (0.2 + left)).abs() < 1e-6, "{}", done(Some(0.2)));
}

#[test]
fn a_stall_makes_what_is_under_way_end_as_much_later() {
    let mut law = Law::new(PARAMETERS);
    law.submit(arrival(1, 1, 0.0)).unwrap();
    law.stalled(Nanos::from_secs(1));
    assert_eq!(law.next_at(), Some(Moment::EPOCH + Nanos::from_millis(1_500)));
}
