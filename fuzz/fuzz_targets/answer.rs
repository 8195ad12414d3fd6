//! Whole answers of every dialect, and model lists.
#![no_main]

use libfuzzer_sys::fuzz_target;
use schema::target::Dialect;

fuzz_target!(|input: &[u8]| {
    for dialect in Dialect::ALL {
        let _answer = wire::decode_answer(dialect, input);
    }
    let _models = wire::decode_models(input);
});
