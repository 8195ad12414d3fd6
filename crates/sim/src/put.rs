//! Appending to bytes piece by piece: what answers are made of is text and whole numbers, and formatting costs several
//! times as much.

use std::fmt;
use std::io::Write as _;

/// Something that can be appended.
pub(crate) trait Put {
    fn put(&self, out: &mut Vec<u8>);
}

impl Put for [u8] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
}

impl Put for str {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_bytes().put(out);
    }
}

impl Put for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().put(out);
    }
}

impl Put for bool {
    fn put(&self, out: &mut Vec<u8>) {
        (if *self { "true" } else { "false" }).put(out);
    }
}

/// What needs formatting after all.
impl Put for fmt::Arguments<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        out.write_fmt(*self).expect("a buffer takes every write");
    }
}

impl<T: Put + ?Sized> Put for &T {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Put for $number {
            fn put(&self, out: &mut Vec<u8>) {
                itoa::Buffer::new().format(*self).put(out);
            }
        })*
    };
}

numbers!(u16, u32, u64, usize, i64);

/// Appends pieces, one after another: `put!(out, "count: ", 3, ".")`.
macro_rules! put {
    ($out:expr, $($piece:expr),+ $(,)?) => {{
        let out: &mut Vec<u8> = $out;
        $($crate::put::Put::put(&$piece, out);)+
    }};
}
pub(crate) use put;

#[cfg(test)]
mod tests {
    #[test]
    fn pieces_stand_as_they_would_be_printed() {
        let mut out = Vec::new();
        put!(&mut out, "a", String::from("b"), b"c"[..], 0_u32, -7_i64, u64::MAX, true, format_args!("{:.2}", 1.5));
        assert_eq!(out, b"abc0-718446744073709551615true1.50");
    }
}
