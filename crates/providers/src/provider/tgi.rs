//! Hugging Face text-generation-inference 3.3, by its OpenAI-compatible routes unless its own are asked for.

use super::{ENGINE, Encoding, Provider, openai_shape};
use schema::target::SeedField;

pub(super) static PROVIDER: Provider = Provider {
    id: "tgi",
    aliases: &["text-generation-inference"],
    name: "TGI",
    base_url: "http://127.0.0.1:3000/v1",
    url_variables: &["TGI_URL", "TGI_BASE_URL"],
    key_variables: &["TGI_API_KEY"],
    encoding,
    default_ports: &[3000, 80],
    note: "cannot be made to answer at an exact length",
    ..ENGINE
};

fn encoding() -> Encoding {
    Encoding { seed_field: SeedField::Seed, ..openai_shape() }
}
