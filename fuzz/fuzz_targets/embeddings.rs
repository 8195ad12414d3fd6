//! One answer with vectors, OpenAI's or Ollama's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use schema::target::Dialect;

fuzz_target!(|input: &[u8]| {
    for dialect in [Dialect::OpenaiEmbeddings, Dialect::OllamaEmbed] {
        fuzz::check_event(dialect, input);
    }
});
