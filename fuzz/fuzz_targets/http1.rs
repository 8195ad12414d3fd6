//! Answers over HTTP/1.1, in whatever portions their bytes come.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| transport::check_answer(input));
