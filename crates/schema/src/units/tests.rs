use super::*;

#[track_caller]
fn check<T: FromStr<Err = UnitError> + fmt::Display>(text: &str, expected: Option<&str>) {
    let got = text.parse::<T>().ok().map(|v| v.to_string());
    assert_eq!(got.as_deref(), expected, "parsing `{text}`");
}

#[test]
fn times_need_a_unit_and_print_three_figures() {
    check::<Nanos>("30s", Some("30.0 s"));
    check::<Nanos>("200ms", Some("200 ms"));
    check::<Nanos>("1.5 ms", Some("1.50 ms"));
    check::<Nanos>("2m", Some("120 s"));
    check::<Nanos>("12", None);
    check::<Nanos>("-3s", None);
    check::<Nanos>("9e99s", None);
    check::<Nanos>("12parsecs", None);
    check::<Nanos>("", None);
}

#[test]
fn rates_are_per_something_and_positive() {
    check::<Rate>("5/s", Some("5/s"));
    check::<Rate>("90/min", Some("1.5/s"));
    check::<Rate>("0/s", None);
    check::<Rate>("5", None);
}

#[test]
fn money_is_decimal() {
    check::<Usd>("2usd", Some("$2.00"));
    check::<Usd>("$0.5", Some("$0.50"));
    check::<Usd>("20cents", Some("$0.20"));
    check::<Usd>("0.0012345usd", Some("$0.00123"));
    check::<Usd>("1.058usd", Some("$1.06"));
    check::<Usd>("0.9996usd", Some("$1.00"));
    check::<Usd>("2", None);
    check::<Usd>("-2usd", None);
    let third: Usd = "0.1usd".parse().unwrap();
    assert_eq!(third + third + third, "0.3usd".parse().unwrap());
}

#[test]
fn percentiles_stay_inside() {
    check::<Quantile>("p95", Some("p95"));
    check::<Quantile>("p99.9", Some("p99.9"));
    check::<Quantile>("p100", None);
    check::<Quantile>("95", None);
}

#[test]
fn moments_subtract_to_spans_and_never_underflow() {
    assert_eq!(Moment(5) - Moment(3), Nanos(2));
    assert_eq!(Moment(3) - Moment(5), Nanos(0));
}

#[test]
fn an_error_names_the_right_spelling() {
    let error = "12".parse::<Nanos>().unwrap_err();
    assert_eq!(error.to_string(), "`12` is not a time with its unit");
}
