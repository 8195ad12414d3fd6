use schema::summary::Estimate;

use super::*;

const MS: f64 = 1e6;

fn ttft(n: u64) -> Distribution {
    let bare = |value| Estimate { value, low: None, high: None };
    let from = |needed: u64| {
        if n < needed { Percentile::Withheld { needs_more: needed - n } } else { Percentile::Known(bare(100.0 * MS)) }
    };
    Distribution {
        n,
        mean: bare(100.0 * MS),
        sd: None,
        min: 0.0,
        p50: from(6),
        p90: from(36),
        p95: from(72),
        p99: from(368),
        max: 0.0,
    }
}

/// A TTFT of 100 ms and gaps of 20 ms, kernel-stamped, by a client that is never late.
fn sound(ttft: &Distribution) -> Evidence<'_> {
    Evidence {
        first: Metric::Ttft,
        lateness: Lateness::OfTheClient,
        requests_per_s: 10.0,
        calibration: None,
        ttft: Some(ttft),
        ttft_p50: Some(100.0 * MS),
        itl_p50: Some(20.0 * MS),
        client_lag_p99: Some(0.05 * MS),
        shared_reads: 0.0,
        schedule_lag_p99: Some(0.05 * MS),
        kernel_stamped: 1.0,
        starved_slos: 0,
        not_offered: None,
    }
}

#[track_caller]
fn check(evidence: &Evidence<'_>, trust: Trust, reason: &str) {
    let quality = of_target(evidence);
    assert_eq!(quality.trust, trust, "{:?}", quality.reasons);
    assert!(quality.reasons.join("; ").contains(reason), "{:?}", quality.reasons);
}

#[test]
fn a_sound_run_is_trustworthy_without_a_word() {
    let quality = of_target(&sound(&ttft(400)));
    assert_eq!(quality, Quality { trust: Trust::Trustworthy, reasons: Vec::new() });
}

#[test]
fn withheld_percentiles_are_told_and_too_few_values_are_a_verdict() {
    check(&sound(&ttft(40)), Trust::Trustworthy, "TTFT p95 takes 32 more requests, p99 328");
    check(&sound(&ttft(20)), Trust::TooFewSamples, "20 completed requests, where a p90 needs 36");
    check(&sound(&ttft(20)), Trust::TooFewSamples, "TTFT p90 takes 16 more requests, p95 52, p99 348");
    let ttft = ttft(400);
    check(&Evidence { starved_slos: 2, ..sound(&ttft) }, Trust::TooFewSamples, "2 SLOs undecided for want of requests");
}

#[test]
fn a_load_that_was_not_offered_is_the_clients_doing() {
    let ttft = ttft(400);
    let not_offered = Some("9 of 10 requests were not sent".to_owned());
    check(&Evidence { not_offered, ..sound(&ttft) }, Trust::ClientLimited, "9 of 10 requests");
}

#[test]
fn reading_late_counts_only_where_events_share_reads() {
    let ttft = ttft(400);
    let reading = |lag: f64, itl: Option<f64>, shared: f64| Evidence {
        client_lag_p99: Some(lag * MS),
        itl_p50: itl,
        shared_reads: shared,
        ..sound(&ttft)
    };
    // A tenth of TTFT is 10 ms, less than a gap of 20 ms.
    check(&reading(9.9, Some(20.0 * MS), 0.5), Trust::Trustworthy, "");
    check(
        &reading(10.1, Some(20.0 * MS), 0.5),
        Trust::ClientLimited,
        "client lag p99 at least 10.1 ms, and 50 % of the events",
    );
    check(&reading(10.1, Some(20.0 * MS), 0.01), Trust::Trustworthy, "kernel stamps keep that out of the figures");
    check(&reading(4.0, Some(3.0 * MS), 0.06), Trust::ClientLimited, "client lag p99 at least 4.00 ms");
    check(&reading(9.0, None, 0.5), Trust::Trustworthy, "");
    // Events that come in bursts have gaps of nothing.
    check(&reading(0.9, Some(0.0), 1.0), Trust::Trustworthy, "");
}

#[test]
fn sending_late_is_never_hidden_behind_a_slow_server() {
    let ttft = ttft(400);
    let sending =
        |lag: f64, p50: f64| Evidence { schedule_lag_p99: Some(lag * MS), ttft_p50: Some(p50 * MS), ..sound(&ttft) };
    check(&sending(2.0, 50.0), Trust::Trustworthy, "");
    check(
        &sending(6.0, 50.0),
        Trust::ClientLimited,
        "schedule lag p99 at least 6.00 ms, where 5.00 ms begins to distort",
    );
    check(&sending(11.0, 5_000.0), Trust::ClientLimited, "10.0 ms begins to distort");
    check(&sending(0.9, 1.0), Trust::Trustworthy, "");
}

#[test]
fn arrivals_without_a_kernel_stamp_are_told() {
    let ttft = ttft(400);
    let evidence = Evidence { kernel_stamped: 0.0, client_lag_p99: None, ..sound(&ttft) };
    check(&evidence, Trust::Trustworthy, "0 % of arrivals are kernel-stamped");
}

#[test]
fn nothing_completed_is_no_data() {
    let ttft = ttft(400);
    check(&Evidence { ttft: None, ..sound(&ttft) }, Trust::NoData, "no request completed");
}

#[test]
fn a_run_is_as_good_as_its_worst_target() {
    let quality = |trust, reason: &str| Quality { trust, reasons: vec![reason.to_owned()] };
    let (a, b): (TargetName, TargetName) = ("a".parse().unwrap(), "b".parse().unwrap());
    let (good, bad) = (quality(Trust::TooFewSamples, "few"), quality(Trust::ClientLimited, "late"));
    let worst_of = worst([(&a, &good), (&b, &bad)].into_iter());
    assert_eq!(worst_of, Quality { trust: Trust::ClientLimited, reasons: vec!["a: few".into(), "b: late".into()] });
    assert_eq!(worst(std::iter::empty()).trust, Trust::NoData);
}

#[test]
fn requests_held_back_on_purpose_are_not_late() {
    let ttft = ttft(400);
    let late = |lateness| Evidence { schedule_lag_p99: Some(90.0 * MS), lateness, ..sound(&ttft) };
    check(&late(Lateness::OfTheClient), Trust::ClientLimited, "the client sent late");
    let on_purpose = Lateness::OnPurpose("requests waited for a place");
    check(
        &late(on_purpose),
        Trust::Trustworthy,
        "p99 of at least 90.0 ms is no fault of the client: requests waited for a place",
    );
}

#[test]
fn a_crowd_may_take_its_time_to_leave_but_not_a_notable_share_of_ttft() {
    let ttft = ttft(400);
    let crowd = |lag: f64, p50: f64| Evidence {
        schedule_lag_p99: Some(lag * MS),
        ttft_p50: Some(p50 * MS),
        lateness: Lateness::OfTheCrowd,
        ..sound(&ttft)
    };
    check(&crowd(9.0, 20.0), Trust::Trustworthy, "");
    check(&crowd(90.0, 1_000.0), Trust::Trustworthy, "");
    check(&crowd(110.0, 1_000.0), Trust::ClientLimited, "where 100 ms begins to distort");
}

#[track_caller]
fn check_floor(calibration: &Calibration, ttft: &Distribution, trust: Trust, reason: &str) {
    check(&Evidence { calibration: Some(calibration), ..sound(ttft) }, trust, reason);
}

#[test]
fn a_floor_that_is_a_notable_share_is_told_and_one_that_dominates_is_a_verdict() {
    let ttft = ttft(400);
    let calibration = |floor: f64, error: f64, most: f64| Calibration {
        load: "closed loop, 8 at once".into(),
        requests: 400,
        ttft_p50_ns: floor * MS,
        ttft_p99_ns: None,
        itl_error_p50_ns: None,
        itl_error_p99_ns: Some(error * MS),
        most_requests_per_s: most,
        most_events_per_s: most * 64.0,
    };
    let sound_floor = calibration(1.0, 0.1, 1_000.0);
    let quality = of_target(&Evidence { calibration: Some(&sound_floor), ..sound(&ttft) });
    assert_eq!(quality, Quality { trust: Trust::Trustworthy, reasons: Vec::new() });
    check_floor(
        &calibration(11.0, 0.1, 1e3),
        &ttft,
        Trust::Trustworthy,
        "own floor is 11.0 ms of the TTFT p50 of 100 ms",
    );
    check_floor(
        &calibration(51.0, 0.1, 1e3),
        &ttft,
        Trust::ClientLimited,
        "own floor is 51.0 ms of the TTFT p50 of 100 ms",
    );
    check_floor(&calibration(1.0, 3.0, 1e3), &ttft, Trust::Trustworthy, "ITL error is 3.00 ms at p99");
    check_floor(&calibration(1.0, 11.0, 1e3), &ttft, Trust::ClientLimited, "ITL error is 11.0 ms at p99");
    check_floor(
        &calibration(1.0, 0.1, 15.0),
        &ttft,
        Trust::Trustworthy,
        "10.0 requests/s, where this machine can carry 15.0/s",
    );
    check_floor(&calibration(1.0, 0.1, 11.0), &ttft, Trust::ClientLimited, "can carry 11.0/s in this shape");
}
