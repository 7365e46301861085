//! `GET` and `POST /v1/embedded/origins`, `DELETE /v1/embedded/origins/{id}`: which pages may embed.

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answer::{self, Page};
use crate::api::audited;
use crate::api::claim::Claim;
use crate::api::error::ApiError;
use crate::api::extract::{Body, InPath, Parsed};
use crate::api::idempotency::{Created, Idempotency};
use crate::api::openapi::{ChangeProblems, Problems};
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::id::OriginId;
use crate::domain::origin::Origin;
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::store::access::{self, EmbeddedOrigin, MAX_ORIGINS};
use crate::store::commit::{CommitError, Conflict};

const MANAGE: Scope = Scope::EmbeddedManage;

/// A new origin.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrigin {
    /// The origin: `https` (`http` on localhost only), host, port; no path.
    #[schema(example = "https://app.example.com")]
    origin: Origin,
}

/// A registered origin.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EmbeddedOrigin)]
pub struct OriginView {
    /// Its id.
    id: OriginId,
    /// The origin.
    origin: Origin,
    /// When it was registered.
    created_at: Timestamp,
    /// Who registered it.
    created_by: Actor,
}

impl From<EmbeddedOrigin> for OriginView {
    fn from(origin: EmbeddedOrigin) -> Self {
        Self { id: origin.id, origin: origin.origin, created_at: origin.created_at, created_by: origin.created_by }
    }
}

/// GET /v1/embedded/origins
///
/// Lists the registered origins, whole.
#[utoipa::path(
    get, path = "/v1/embedded/origins", tag = "Embedded",
    responses((status = 200, description = "The origins", body = Page<OriginView>), Problems)
)]
pub async fn list_origins(app: App, claim: Claim) -> Result<Response, ApiError> {
    let (who, origins) = claim.load(&app, access::list_origins()).await?;
    who.require(MANAGE)?;
    let data = origins.into_iter().map(OriginView::from).collect();
    Ok(answer::json(StatusCode::OK, &Page { data, next_cursor: None }))
}

/// POST /v1/embedded/origins
///
/// Registers an origin: pages of it may call the embedded API from a browser.
#[utoipa::path(
    post, path = "/v1/embedded/origins", tag = "Embedded", request_body = CreateOrigin,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The origin", body = OriginView), ChangeProblems)
)]
pub async fn create_origin(
    app: App,
    claim: Claim,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateOrigin>>,
) -> Result<Response, ApiError> {
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let (who, (answered, count)) = claim.load(&app, idempotency.find(&claim).and(access::count_origins())).await?;
    who.require(MANAGE)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(response);
    }
    check(&body.origin, count)?;
    let origin = EmbeddedOrigin {
        id: OriginId::new(app.now(), app.random()),
        origin: body.origin,
        created_at: app.now(),
        created_by: who.actor.clone(),
    };
    let entry = audited::Entry {
        environment: None,
        action: AuditAction::OriginCreated,
        resource_id: origin.id.to_string(),
        detail: json!({ "origin": origin.origin }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(access::insert_origin(&origin));
    let id = origin.id.to_string();
    let body = serde_json::to_string(&OriginView::from(origin)).unwrap_or_default();
    idempotency.commit((&app, &claim, ring), &bytes, commit, Created { id, body, shows_secret: false }).await
}

fn check(origin: &Origin, count: u64) -> Result<(), ApiError> {
    let error = |detail| Err(ApiError::invalid("/origin", detail));
    if !origin.is_secure() {
        return error("Expected an https origin, or http on localhost.");
    }
    if count >= MAX_ORIGINS {
        return Err(CommitError::Conflict(Conflict::Origins).into());
    }
    Ok(())
}

/// DELETE /v1/embedded/origins/{id}
///
/// Removes an origin: its pages may call nothing at the next request.
#[utoipa::path(
    delete, path = "/v1/embedded/origins/{id}", tag = "Embedded", params(("id" = OriginId, Path)),
    responses((status = 204, description = "Removed"), ChangeProblems)
)]
pub async fn delete_origin(app: App, claim: Claim, id: Parsed<InPath<OriginId>>) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, found) = claim.load(&app, access::find_origin(&id)).await?;
    who.require(MANAGE)?;
    let origin = found.ok_or(ApiError::NotFound)?;
    let entry = audited::Entry {
        environment: None,
        action: AuditAction::OriginDeleted,
        resource_id: id.to_string(),
        detail: json!({ "origin": origin.origin }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.push(access::delete_origin(&id));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}
