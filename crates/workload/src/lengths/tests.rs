use std::io::Cursor;

use proptest::prelude::*;

use super::*;
use crate::random::Purpose;

fn drawn(text: &str) -> Drawn {
    Drawn::prepare(&text.parse().unwrap(), None).unwrap()
}

fn draws(drawn: &Drawn) -> Vec<u32> {
    (0..4000).map(|index| drawn.draw(&mut Stream::of(1, Purpose::InputLength, index))).collect()
}

/// Mean and standard deviation within 5 % of those of the distribution, rounded to whole tokens.
#[track_caller]
fn check(text: &str, mean: f64, sd: f64) {
    let draws = draws(&drawn(text));
    let count = draws.len() as f64;
    let seen = draws.iter().map(|n| f64::from(*n)).sum::<f64>() / count;
    let spread = (draws.iter().map(|n| (f64::from(*n) - seen).powi(2)).sum::<f64>() / count).sqrt();
    assert!((seen - mean).abs() <= mean * 0.05, "{text}: mean {seen}");
    assert!((spread - sd).abs() <= mean * 0.05, "{text}: standard deviation {spread}");
}

#[test]
fn lengths_have_the_distribution_asked_for() {
    check("128", 128.0, 0.0);
    check("uniform:50..200", 125.0, 43.3);
    check("normal:200,30", 200.0, 30.0);
    check("lognormal:200,0.5", 226.6, 120.8);
    check("exponential:90", 90.0, 90.0);
}

#[test]
fn a_length_is_a_whole_number_of_one_or_more() {
    assert!(draws(&drawn("normal:2,5")).contains(&1));
    assert_eq!(drawn("0").fixed(), Some(1));
    assert_eq!(drawn("2.5").fixed(), Some(3));
    assert_eq!(drawn("uniform:3..3").fixed(), None);
}

fn read(file: impl AsRef<[u8]>) -> Result<Vec<u32>, String> {
    super::read("l.txt", Cursor::new(file)).map_err(|error| error.to_string())
}

#[test]
fn lengths_from_a_file_are_drawn_alike() {
    assert_eq!(read("\u{FEFF}5\r\n\n 70 \n5"), Ok(vec![5, 70, 5]));
    let lengths = "file:l.txt".parse().unwrap();
    let file: Box<dyn BufRead> = Box::new(Cursor::new("1\n2\n3\n4\n"));
    let drawn = draws(&Drawn::prepare(&lengths, Some(file)).unwrap());
    for length in 1..=4 {
        let count = drawn.iter().filter(|n| **n == length).count();
        assert!((900..1100).contains(&count), "{length}: {count}");
    }
    let error = Drawn::prepare(&lengths, None).unwrap_err();
    assert_eq!(error.to_string(), "`l.txt` was not handed over");
}

#[test]
fn what_is_no_length_is_named_by_its_line() {
    for (file, what) in [
        ("5\nNaN", "line 2 of `l.txt` is no length in tokens: `NaN`"),
        ("0", "line 1 of `l.txt` is no length in tokens: `0`"),
        ("-1", "line 1 of `l.txt` is no length in tokens: `-1`"),
        ("1.5", "line 1 of `l.txt` is no length in tokens: `1.5`"),
        ("10000001", "line 1 of `l.txt` is no length in tokens: `10000001`"),
        ("99999999999999999999", "line 1 of `l.txt` is no length in tokens: `99999999999999999999`"),
        ("\n \n", "`l.txt` holds no length"),
    ] {
        assert_eq!(read(file), Err(what.to_owned()));
    }
    assert_eq!(read("1".repeat(5000)), Err("line 1 of `l.txt` is longer than 4 KiB".to_owned()));
}

proptest! {
    #[test]
    fn no_spread_gives_a_length_out_of_bounds(a: f64, b: f64, seed: u64) {
        for spread in [
            Spread::Fixed(a),
            Spread::Uniform { low: a, high: b },
            Spread::Normal { mean: a, sd: b },
            Spread::LogNormal { median: a, sigma: b },
            Spread::Exponential { mean: a },
        ] {
            let length = Drawn::Spread(spread).draw(&mut Stream::of(seed, Purpose::InputLength, 0));
            prop_assert!((1..=MAX_LENGTH).contains(&length));
        }
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        if let Ok(lengths) = read(&bytes) {
            prop_assert!(!lengths.is_empty());
        }
    }
}
