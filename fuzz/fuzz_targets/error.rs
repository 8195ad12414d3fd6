//! Error bodies, their headers, and the class they fall into.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let error = wire::decode_error(429, input);
    assert!(!error.message.raw().is_empty());
    assert!(error.message.raw().len() <= 4100);
    let _class = wire::classify_status(400, &error);
    let lines = input.split(|byte| *byte == b'\n');
    let pairs = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((std::str::from_utf8(&line[..colon]).ok()?, &line[colon + 1..]))
    });
    let _facts = wire::read_headers(pairs);
});
