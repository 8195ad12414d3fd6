//! DeepSeek: <https://api-docs.deepseek.com>.

use super::{Dialect, Encoding, HOSTED, Provider, openai_shape};
use schema::target::CacheDefeat;

pub(super) static PROVIDER: Provider = Provider {
    id: "deepseek",
    name: "DeepSeek",
    base_url: "https://api.deepseek.com/v1",
    url_variables: &["DEEPSEEK_BASE_URL"],
    key_variables: &["DEEPSEEK_API_KEY"],
    key_page: "https://platform.deepseek.com/api_keys",
    encoding,
    default_model: Some("deepseek-flash"),
    families: &[("deepseek-v4.1-flash", "deepseek-flash"), ("deepseek-v4-pro", "deepseek-v4-pro")],
    note: "costs half outside peak hours (01:00 to 04:00 and 06:00 to 10:00 UTC, Monday to Friday)",
    dialects: &[Dialect::OpenaiChat],
    ..HOSTED
};

/// Its context cache is on for everyone; a `user_id` of its own isolates a request from it.
fn encoding() -> Encoding {
    Encoding { cache_defeat: CacheDefeat::UserId, ..openai_shape() }
}
