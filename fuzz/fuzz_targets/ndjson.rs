//! Splits an NDJSON stream.
#![no_main]

use libfuzzer_sys::fuzz_target;
use schema::target::Dialect;

fuzz_target!(|input: &[u8]| fuzz::check_stream(Dialect::OllamaChat, input));
