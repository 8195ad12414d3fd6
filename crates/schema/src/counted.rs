//! Things with their number, in words.

use std::fmt::Display;

/// `1 request`, `2 requests`, for any whole number.
pub fn counted<N: Copy + Display + PartialEq + From<u8>>(number: N, one: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {one}{ending}")
}

/// `once`, `2 times`.
pub fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{number} times") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!([0_u64, 1, 2].map(|n| counted(n, "request")), ["0 requests", "1 request", "2 requests"]);
        assert_eq!([0, 1, 2].map(times), ["0 times", "once", "2 times"]);
    }
}
