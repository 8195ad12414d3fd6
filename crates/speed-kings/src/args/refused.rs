//! What clap refuses, and why, in our words.

use std::error::Error as _;
use std::ffi::OsString;
use std::num::{IntErrorKind, ParseFloatError, ParseIntError};

use clap::error::{ContextKind, ErrorKind};

/// The command line with `--rate -1` as `--rate=-1`: no flag begins with a digit, so what does is a value, to be refused
/// by whatever reads it.
pub(super) fn join_negative(mut args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    for arg in args.by_ref() {
        if arg == "--" {
            joined.push(arg);
            break;
        }
        match joined.last_mut() {
            Some(flag) if is_negative(&arg) && is_bare_flag(flag) => {
                flag.push("=");
                flag.push(arg);
            }
            _ => joined.push(arg),
        }
    }
    joined.extend(args);
    joined
}

/// Whether it is `-1`, `-5s`, `-.5` or the like.
fn is_negative(arg: &OsString) -> bool {
    matches!(arg.as_encoded_bytes(), [b'-', first, ..] if first.is_ascii_digit() || *first == b'.')
}

/// Whether it is a flag in full without its value.
fn is_bare_flag(arg: &OsString) -> bool {
    let bytes = arg.as_encoded_bytes();
    bytes.len() > 2 && bytes.starts_with(b"--") && !bytes.contains(&b'=')
}

/// The same refusal, where clap tells it in the words of a programming language.
pub(super) fn retell(refusal: clap::Error, command: &clap::Command) -> clap::Error {
    let context = |kind| refusal.get(kind).map(ToString::to_string);
    match (reason(&refusal), context(ContextKind::InvalidArg), context(ContextKind::InvalidValue)) {
        (Some(reason), Some(flag), Some(value)) => {
            let message =
                format!("invalid value '{value}' for '{flag}': {reason}\n\nFor more information, try '--help'.\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        }
        _ => refusal,
    }
}

/// Why a value was refused that is no number; `None` where something else is the matter, or clap tells it well.
pub(crate) fn reason(refusal: &clap::Error) -> Option<String> {
    let source = refusal.source().filter(|_| refusal.kind() == ErrorKind::ValueValidation)?;
    if source.is::<ParseFloatError>() {
        return Some("use a number, such as 2.5".to_owned());
    }
    let is_too_large = match source.downcast_ref::<ParseIntError>() {
        Some(error) => *error.kind() == IntErrorKind::PosOverflow,
        // Any that fits into four bytes would do.
        None => !source.to_string().strip_suffix(&format!(" is not in 0..={}", u32::MAX))?.starts_with('-'),
    };
    let told = if is_too_large { "it is larger than any there may be" } else { "use a whole number, such as 8" };
    Some(told.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_joined(args: &[&str], joined: &[&str]) {
        assert_eq!(join_negative(args.iter().map(OsString::from)), joined);
    }

    #[test]
    fn a_negative_number_belongs_to_the_flag_before_it() {
        check_joined(&["x", "--rate", "-1", "--mock"], &["x", "--rate=-1", "--mock"]);
        check_joined(&["x", "--think", "-.5s", "-3"], &["x", "--think=-.5s", "-3"]);
        check_joined(&["x", "--a", "-v", "-5"], &["x", "--a", "-v", "-5"]);
        check_joined(&["x", "run", "-1"], &["x", "run", "-1"]);
        check_joined(&["x", "--", "--rate", "-1"], &["x", "--", "--rate", "-1"]);
    }

    /// What is said of `value` for a flag that takes a number of so many bytes.
    #[track_caller]
    fn check_told(bytes: u32, value: &str, told: &str) {
        let flag = clap::Arg::new("n").long("n").value_name("N");
        let flag = if bytes == 4 {
            flag.value_parser(clap::value_parser!(u32))
        } else {
            flag.value_parser(clap::value_parser!(u64))
        };
        let command = clap::Command::new("x").arg(flag);
        let refusal = command.clone().try_get_matches_from(["x", &format!("--n={value}")]).unwrap_err();
        let refusal = retell(refusal, &command);
        assert_eq!(refusal.exit_code(), 2);
        assert!(
            refusal.to_string().starts_with(&format!("error: invalid value '{value}' for '--n <N>': {told}")),
            "{refusal}"
        );
    }

    #[test]
    fn a_number_that_is_none_is_told_in_plain_words() {
        for (bytes, value) in [(4, "-1"), (8, "-1"), (4, "many"), (8, "1.5")] {
            check_told(bytes, value, "use a whole number, such as 8");
        }
        let number = clap::Arg::new("n").long("n").value_name("N").value_parser(clap::value_parser!(f64));
        let command = clap::Command::new("x").arg(number);
        let refusal = command.clone().try_get_matches_from(["x", "--n=x"]).unwrap_err();
        assert_eq!(reason(&refusal).as_deref(), Some("use a number, such as 2.5"));
        for (bytes, value) in [(4, "9999999999"), (4, "99999999999999999999"), (8, "99999999999999999999")] {
            check_told(bytes, value, "it is larger than any there may be");
        }
    }
}
