//! One chat chunk.
#![no_main]

use libfuzzer_sys::fuzz_target;
use schema::target::Dialect;

fuzz_target!(|input: &[u8]| fuzz::check_event(Dialect::OpenaiChat, input));
