use super::*;

const MS: u64 = 1_000_000;

fn arrival(id: u64, output: u32, at: u64) -> Arrival {
    Arrival { id, prompt: 1, cached: 0, output, at: Moment(at * MS) }
}

fn servers(servers: u32, service: u64, spread: f64) -> Servers {
    Servers::new(servers, Nanos::from_millis(service), spread, 1)
}

/// Advances by virtual time until idle: `(microseconds, id)` of every token.
fn run(servers: &mut Servers) -> Vec<(u64, u64)> {
    let mut tokens = Vec::new();
    let mut emissions = Vec::new();
    while let Some(now) = servers.next_at() {
        servers.advance(now, &mut emissions);
        tokens.extend(emissions.drain(..).map(|e| (now.0 / 1_000, e.id)));
    }
    tokens
}

#[track_caller]
fn check(count: u32, requests: &[(u64, u32, u64)], expected: &[(u64, u64)]) {
    let mut servers = servers(count, 100, 0.0);
    for &(id, output, at) in requests {
        servers.submit(arrival(id, output, at)).unwrap();
    }
    let tokens: Vec<_> = run(&mut servers).into_iter().map(|(micros, id)| (micros.div_ceil(1_000), id)).collect();
    assert_eq!(tokens, expected);
}

#[test]
fn tokens_are_spread_evenly_over_the_service_time() {
    check(1, &[(1, 4, 10)], &[(35, 1), (60, 1), (85, 1), (110, 1)]);
}

#[test]
fn beyond_the_servers_requests_wait_in_order() {
    check(2, &[(1, 1, 0), (2, 1, 20), (3, 1, 30), (4, 1, 40)], &[(100, 1), (120, 2), (200, 3), (220, 4)]);
}

#[test]
fn a_late_look_at_the_clock_costs_no_capacity() {
    let mut servers = servers(1, 100, 0.0);
    for id in 0..10 {
        servers.submit(arrival(id, 1, 0)).unwrap();
    }
    let mut emissions = Vec::new();
    servers.advance(Moment(555 * MS), &mut emissions);
    assert_eq!(emissions.len(), 5);
    assert_eq!(servers.next_at().map(|at| at.0.div_ceil(MS)), Some(600));
}

#[test]
fn capacity_is_servers_over_mean_service_time_whatever_the_spread() {
    let mut servers = servers(8, 500, 0.7);
    let requests = 40_000;
    for id in 0..requests {
        servers.submit(arrival(id, 1, 0)).unwrap();
    }
    let (last, _) = run(&mut servers).pop().unwrap();
    let per_second = requests as f64 / (last as f64 / 1e6);
    assert!((per_second / 16.0 - 1.0).abs() < 0.01, "{per_second}");
}

#[test]
fn whoever_leaves_frees_a_server_for_the_next() {
    let mut servers = servers(1, 100, 0.0);
    for id in 1..=3 {
        servers.submit(arrival(id, 1, 0)).unwrap();
    }
    servers.cancel(2, Moment(10 * MS));
    servers.cancel(1, Moment(50 * MS));
    assert_eq!((servers.occupancy().running, servers.occupancy().waiting), (1, 0));
    let tokens = run(&mut servers);
    assert_eq!((tokens.len(), tokens[0].0.div_ceil(1_000), tokens[0].1), (1, 150, 3));
}

#[test]
fn a_stall_makes_what_is_under_way_end_as_much_later() {
    let mut servers = servers(1, 100, 0.0);
    servers.submit(arrival(1, 1, 0)).unwrap();
    servers.stalled(Nanos::from_secs(1));
    assert_eq!(run(&mut servers)[0].0.div_ceil(1_000), 1_100);
}
