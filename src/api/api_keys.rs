//! API keys: `GET` and `POST /v1/api-keys`, `DELETE /v1/api-keys/{id}`.

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::environment::Environment;
use crate::domain::grants::Grants;
use crate::domain::id::ApiKeyId;
use crate::domain::scope::Scope;
use crate::domain::text::Name;
use crate::domain::time::Timestamp;
use crate::store::access::{self, ApiKey};
use crate::token::Token;

use super::answer::{self, Page};
use super::audited;
use super::claim::Claim;
use super::cursor::{self, PageQuery};
use super::error::{ApiError, ValueError};
use super::extract::{Body, InPath, InQuery, Parsed};
use super::idempotency::{Created, Idempotency};
use super::openapi::{ChangeProblems, Problems};

/// A new API key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKey {
    /// Its name.
    #[schema(example = "Workflow engine")]
    name: Name,
    /// What it may do; at most what the caller may do.
    #[schema(min_items = 1)]
    scopes: BTreeSet<Scope>,
    /// Where; at most where the caller may.
    #[schema(min_items = 1)]
    environments: BTreeSet<Environment>,
    /// When it ends; never, where left out.
    #[serde(default, deserialize_with = "super::extract::time")]
    expires_at: Option<Timestamp>,
}

/// An API key without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// Its id.
    id: ApiKeyId,
    /// Its name.
    name: Name,
    /// What it may do.
    scopes: BTreeSet<Scope>,
    /// Where.
    environments: BTreeSet<Environment>,
    /// When it was created.
    created_at: Timestamp,
    /// Who created it.
    created_by: Actor,
    /// When it ends.
    expires_at: Option<Timestamp>,
}

/// A new API key with its secret, shown this once.
#[derive(Serialize, ToSchema)]
pub struct CreatedApiKey {
    /// The key.
    #[serde(flatten)]
    api_key: ApiKeyView,
    /// What to send as `Authorization: Bearer …`; shown this once.
    secret: String,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            scopes: key.scopes,
            environments: key.environments,
            created_at: key.created_at,
            created_by: key.created_by,
            expires_at: key.expires_at,
        }
    }
}

const MANAGE: Scope = Scope::ApiKeysManage;

/// GET /v1/api-keys
///
/// Lists the API keys that are not revoked, the newest first: those that may do no more than the caller. The key in
/// `ROOT_API_KEY` is not among them.
#[utoipa::path(
    get, path = "/v1/api-keys", tag = "API keys", params(PageQuery),
    responses((status = 200, description = "A page", body = Page<ApiKeyView>), Problems)
)]
pub async fn list_api_keys(app: App, claim: Claim, query: Parsed<InQuery<PageQuery>>) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let (below, limit) = claim.accept(&app, query.parse::<(i64, ApiKeyId)>()).await?;
    let below = below.map(|(at, id)| (Timestamp::from_millis(at), id));
    let rows = u64::try_from(limit).unwrap_or(0) + 1;
    let (who, keys) = claim.load(&app, access::list_keys(below.as_ref(), rows)).await?;
    let grants = who.require(MANAGE)?;
    let mut page = Page::cut(keys, limit, |key| cursor::encode(&(key.created_at.millis(), &key.id)), ApiKeyView::from);
    page.data.retain(|key| grants.covers(&key.scopes, &key.environments));
    Ok(answer::json(StatusCode::OK, &page))
}

/// POST /v1/api-keys
///
/// Creates an API key. Its secret is shown this once; nobody grants what they lack.
#[utoipa::path(
    post, path = "/v1/api-keys", tag = "API keys", request_body = CreateApiKey,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The key with its secret", body = CreatedApiKey), ChangeProblems)
)]
pub async fn create_api_key(
    app: App,
    claim: Claim,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateApiKey>>,
) -> Result<Response, ApiError> {
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let (who, answered) = claim.load(&app, idempotency.find(&claim)).await?;
    who.require(MANAGE)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(response);
    }
    check(who.grants()?, &body, app.now())?;
    let key = ApiKey {
        id: ApiKeyId::new(app.now(), app.random()),
        name: body.name,
        scopes: body.scopes,
        environments: body.environments,
        created_at: app.now(),
        created_by: who.actor.clone(),
        expires_at: body.expires_at,
    };
    let token = Token::new_api_key(&*app.random);
    let entry = audited::Entry {
        environment: None,
        action: AuditAction::ApiKeyCreated,
        resource_id: key.id.to_string(),
        detail: json!({ "name": key.name, "scopes": key.scopes, "environments": key.environments }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(access::insert_key(&key, token.hash.as_str()));
    let id = key.id.to_string();
    let created = CreatedApiKey { api_key: key.into(), secret: token.token.as_str().to_owned() };
    let body = serde_json::to_string(&created).unwrap_or_default();
    idempotency.commit((&app, &claim, ring), &bytes, commit, Created { id, body, shows_secret: true }).await
}

fn check(granter: &Grants, body: &CreateApiKey, now: Timestamp) -> Result<(), ApiError> {
    let error = |pointer, detail| ValueError::new(pointer, "invalid", detail);
    let mut errors = Vec::new();
    if body.scopes.is_empty() {
        errors.push(error("/scopes", "Expected at least one scope."));
    }
    if body.environments.is_empty() {
        errors.push(error("/environments", "Expected at least one environment."));
    }
    if body.expires_at.is_some_and(|end| end <= now) {
        errors.push(error("/expires_at", "Expected a time that is yet to come."));
    }
    ApiError::refuse(errors)?;
    let grants = granter.covers(&body.scopes, &body.environments) && granter.outlive(body.expires_at);
    if grants { Ok(()) } else { Err(ApiError::GrantExceeded) }
}

/// DELETE /v1/api-keys/{id}
///
/// Revokes an API key that may do no more than the caller: it works nowhere at the next request.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", tag = "API keys", params(("id" = ApiKeyId, Path)),
    responses((status = 204, description = "Revoked"), ChangeProblems)
)]
pub async fn revoke_api_key(app: App, claim: Claim, id: Parsed<InPath<ApiKeyId>>) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, found) = claim.load(&app, access::find_key(&id)).await?;
    let grants = who.require(MANAGE)?;
    let key = found.filter(|key| grants.covers(&key.scopes, &key.environments)).ok_or(ApiError::NotFound)?;
    let entry = audited::Entry {
        environment: None,
        action: AuditAction::ApiKeyRevoked,
        resource_id: id.to_string(),
        detail: json!({ "name": key.name }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(access::revoke_key(&id, app.now()));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}
