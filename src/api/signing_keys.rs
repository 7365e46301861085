//! `GET` and `POST /v1/signing-keys`, `DELETE /v1/signing-keys/{id}`: public keys with which the organization's server signs
//! sessions for its own pages.

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::environment::Environment;
use crate::domain::id::SigningKeyId;
use crate::domain::scope::Scope;
use crate::domain::text::Name;
use crate::domain::time::Timestamp;
use crate::jwt;
use crate::ports::PublicKey;
use crate::store::commit::{CommitError, Conflict};
use crate::store::signing_keys::{self, MAX_SIGNING_KEYS, SigningKey};

use super::answer::{self, Page};
use super::audited;
use super::claim::{Claim, Resource};
use super::error::ApiError;
use super::extract::{Body, InPath, InQuery, Parsed};
use super::idempotency::{Created, Idempotency};
use super::openapi::{ChangeProblems, Problems};

const MANAGE: Scope = Scope::EmbeddedManage;

impl Resource for SigningKey {
    fn environment(&self) -> Environment {
        self.environment
    }
}

/// Which signing keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SigningKeysQuery {
    /// The environment. Required.
    environment: Environment,
}

/// A new signing key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSigningKey {
    /// The environment of the sessions that it signs for.
    environment: Environment,
    /// Its name.
    #[schema(example = "Backend, 2026")]
    name: Name,
    /// The public key, RSA of 2,048 to 8,192 bits (RS256), P-256 (ES256) or Ed25519 (EdDSA): a PEM text
    /// (`-----BEGIN PUBLIC KEY-----`), or a JWK object.
    #[schema(value_type = PublicKeyText)]
    public_key: Value,
}

/// A public key as PEM or as JWK.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = PublicKey)]
pub enum PublicKeyText {
    /// PEM.
    Pem(String),
    /// JWK (RFC 7517).
    #[schema(value_type = Object)]
    Jwk(Value),
}

/// A signing key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SigningKey)]
pub struct SigningKeyView {
    /// Its id: what tokens name as `kid`.
    id: SigningKeyId,
    /// The environment of the sessions that it signs for.
    environment: Environment,
    /// Its name.
    name: Name,
    /// The one algorithm that its tokens may have: `RS256`, `ES256` or `EdDSA`.
    #[schema(example = "ES256")]
    algorithm: String,
    /// The SHA-256 thumbprint of its JWK (RFC 7638), base64url.
    fingerprint: String,
    /// When it was registered.
    created_at: Timestamp,
    /// Who registered it.
    created_by: Actor,
}

impl From<SigningKey> for SigningKeyView {
    fn from(key: SigningKey) -> Self {
        let SigningKey { id, environment, name, algorithm, fingerprint, created_at, created_by, .. } = key;
        Self { id, environment, name, algorithm, fingerprint, created_at, created_by }
    }
}

/// GET /v1/signing-keys
///
/// Lists the signing keys of an environment, whole.
#[utoipa::path(
    get, path = "/v1/signing-keys", tag = "Embedded", params(SigningKeysQuery),
    responses((status = 200, description = "The signing keys", body = Page<SigningKeyView>), Problems)
)]
pub async fn list_signing_keys(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<SigningKeysQuery>>,
) -> Result<Response, ApiError> {
    let InQuery(SigningKeysQuery { environment }) = claim.accept(&app, query).await?;
    let (who, keys) = claim.load(&app, signing_keys::list(environment)).await?;
    who.authorize_in(MANAGE, environment)?;
    let data = keys.into_iter().map(SigningKeyView::from).collect();
    Ok(answer::json(StatusCode::OK, &Page { data, next_cursor: None }))
}

/// POST /v1/signing-keys
///
/// Registers a public key. What its owner signs is exchanged for sessions of this environment (`POST
/// /v1/embedded/sessions/exchange`); its algorithm is the key's, whatever a token says.
#[utoipa::path(
    post, path = "/v1/signing-keys", tag = "Embedded", request_body = CreateSigningKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The signing key", body = SigningKeyView), ChangeProblems)
)]
pub async fn create_signing_key(
    app: App,
    claim: Claim,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateSigningKey>>,
) -> Result<Response, ApiError> {
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let wanted = idempotency.find(&claim).and(signing_keys::count(body.environment));
    let (who, (answered, count)) = claim.load(&app, wanted).await?;
    who.authorize_in(MANAGE, body.environment)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(response);
    }
    let public_key = read(body.public_key).map_err(|detail| ApiError::invalid("/public_key", detail))?;
    if count >= MAX_SIGNING_KEYS {
        return Err(CommitError::Conflict(Conflict::SigningKeys).into());
    }
    let key = SigningKey {
        id: SigningKeyId::new(app.now(), app.random()),
        environment: body.environment,
        name: body.name,
        algorithm: public_key.algorithm().to_owned(),
        public_key: jwt::to_jwk(&public_key),
        fingerprint: jwt::thumbprint(&public_key),
        created_at: app.now(),
        created_by: who.actor.clone(),
    };
    let mut commit = audited::begin(&app, &who.actor, entry(AuditAction::SigningKeyCreated, &key))?;
    commit.push(signing_keys::insert(&key));
    let id = key.id.to_string();
    let body = serde_json::to_string(&SigningKeyView::from(key)).unwrap_or_default();
    idempotency.commit((&app, &claim, ring), &bytes, commit, Created { id, body, shows_secret: false }).await
}

/// The members of a JWK that only a private or a secret key has (RFC 7518, section 6).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

fn read(given: Value) -> Result<PublicKey, &'static str> {
    const NO_KEY: &str = "Expected the PEM of a public key (-----BEGIN PUBLIC KEY-----) or its JWK.";
    const WRONG_KIND: &str =
        "Expected an RSA key of 2,048 to 8,192 bits, a key on P-256, or an Ed25519 key, for signatures.";
    const SECRET: &str =
        "This is a private key. It belongs to your server alone: register its public key, and think of it as known.";
    match given {
        Value::String(pem) if pem.contains("PRIVATE KEY-----") => Err(SECRET),
        Value::String(pem) if !pem.contains("-----BEGIN PUBLIC KEY-----") => Err(NO_KEY),
        Value::String(pem) => jwt::from_pem(&pem).ok_or(WRONG_KIND),
        Value::Object(jwk) if PRIVATE.iter().any(|member| jwk.contains_key(*member)) => Err(SECRET),
        Value::Object(jwk) => jwt::from_jwk(jwk.into()).ok_or(WRONG_KIND),
        _ => Err(NO_KEY),
    }
}

fn entry(action: AuditAction, key: &SigningKey) -> audited::Entry {
    audited::Entry {
        environment: Some(key.environment),
        action,
        resource_id: key.id.to_string(),
        detail: json!({ "name": key.name, "algorithm": key.algorithm, "fingerprint": key.fingerprint }),
    }
}

/// DELETE /v1/signing-keys/{id}
///
/// Deletes a signing key: no token of it is exchanged any more, and the sessions that it signed for end at once.
#[utoipa::path(
    delete, path = "/v1/signing-keys/{id}", tag = "Embedded", params(("id" = SigningKeyId, Path)),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
pub async fn delete_signing_key(
    app: App,
    claim: Claim,
    id: Parsed<InPath<SigningKeyId>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, found) = claim.load(&app, signing_keys::find(&id)).await?;
    let key = who.authorize(MANAGE, found)?;
    let mut commit = audited::begin(&app, &who.actor, entry(AuditAction::SigningKeyDeleted, &key))?;
    commit.push(signing_keys::delete(&id));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}
