//! What a target serves.

use providers::Access;
use schema::record::{Failure, FailureClass};
use schema::target::{AuthScheme, Credentialed, Dialect};
use schema::text::Untrusted;
use secrecy::{ExposeSecret, SecretString};
use transport::Connector;
use url::Url;

/// Bytes of a model list at most; the longest known, OpenRouter's, has about one MiB.
const LIST_BYTES: usize = 16 << 20;

/// What a server said when asked for its models.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// Ids of the models it lists.
    pub models: Vec<String>,
    /// Whether it is a simulated engine of ours.
    pub simulated: bool,
}

/// The models that a target's server lists. [`providers::nearest_models`] finds the one meant.
///
/// # Errors
/// The failure of the request, or [`FailureClass::Malformed`] when the answer is no list of models.
pub async fn models(connector: &Connector, target: &Credentialed) -> Result<Served, Failure> {
    let Credentialed { target, key } = target;
    list(connector, &target.url, target.dialect, signed(target.headers.clone(), target.auth, key.as_ref())).await
}

/// The models listed where `access` leads: for when no model is chosen yet.
///
/// # Errors
/// As [`models`].
pub async fn models_at(connector: &Connector, access: &Access) -> Result<Served, Failure> {
    list(connector, &access.url, access.dialect, signed(access.headers(), access.auth(), access.key.as_ref())).await
}

async fn list(
    connector: &Connector,
    endpoint: &Url,
    dialect: Dialect,
    headers: Vec<(String, String)>,
) -> Result<Served, Failure> {
    let url = providers::models_url(endpoint, dialect);
    let fetched = transport::fetch(connector, &url, &headers, LIST_BYTES).await?;
    if fetched.status != 200 {
        let error = wire::decode_error(fetched.status, &fetched.body);
        let class = wire::classify_status(fetched.status, &error);
        return Err(Failure { class, message: error.message, retry_after_ns: None });
    }
    let simulated = crate::probe::is_simulated(&fetched);
    let models = wire::decode_models(&fetched.body).map_err(|error| Failure {
        class: FailureClass::Malformed,
        message: Untrusted::from(format!("{url} did not answer with a list of models: {error}").as_str()),
        retry_after_ns: None,
    })?;
    Ok(Served { models, simulated })
}

/// `headers` with the key among them, as `auth` presents it.
pub(crate) fn signed(
    mut headers: Vec<(String, String)>,
    auth: AuthScheme,
    key: Option<&SecretString>,
) -> Vec<(String, String)> {
    let Some(key) = key.map(ExposeSecret::expose_secret) else { return headers };
    match auth {
        AuthScheme::None => {}
        AuthScheme::Bearer => headers.push(("authorization".to_owned(), format!("Bearer {key}"))),
        AuthScheme::XApiKey => headers.push(("x-api-key".to_owned(), key.to_owned())),
    }
    headers
}

#[cfg(test)]
pub(crate) mod tests;
