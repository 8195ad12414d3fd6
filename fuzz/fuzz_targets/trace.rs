//! Traces to replay.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(trace) = workload::read_trace("t", input) else { return };
    let offsets = trace.offsets();
    assert!(offsets.is_sorted() && offsets[0] == schema::units::Nanos::ZERO);
    assert!(trace.entries().iter().all(|entry| entry.input_tokens != Some(0) && entry.output_tokens != Some(0)));
});
