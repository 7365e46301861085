//! `GET /v1/audit-events`.

use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::domain::audit::{AuditAction, RecordedEntry};
use crate::domain::environment::Environment;
use crate::domain::grants::Grants;
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::store::audit::{self, AuditFilter, AuditPosition};

use super::answer::{self, Page};
use super::claim::Claim;
use super::cursor;
use super::error::ApiError;
use super::extract::{InQuery, Parsed};
use super::openapi::Problems;

/// Which entries. Filters combine.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Of this environment.
    environment: Option<Environment>,
    /// Of this action.
    #[param(inline)]
    action: Option<AuditAction>,
    /// By the caller with this id.
    actor_id: Option<String>,
    /// Of the resource with this id.
    resource_id: Option<String>,
    /// From this time on (RFC 3339).
    #[serde(default, deserialize_with = "crate::api::extract::time")]
    from: Option<Timestamp>,
    /// Before this time (RFC 3339).
    #[serde(default, deserialize_with = "crate::api::extract::time")]
    to: Option<Timestamp>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most entries of a page; a page may be shorter.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u8>,
}

/// GET /v1/audit-events
///
/// Lists who did what, the newest first. A key sees the entries of its environments; those of the whole deployment only
/// when it has all environments.
#[utoipa::path(
    get, path = "/v1/audit-events", tag = "Audit log", params(AuditQuery),
    responses((status = 200, description = "A page", body = Page<RecordedEntry>), Problems)
)]
pub async fn list_audit_events(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<AuditQuery>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let limit = claim.accept(&app, cursor::limit(query.limit)).await?;
    let below: Option<AuditPosition> =
        claim.accept(&app, query.cursor.as_deref().map(cursor::decode).transpose()).await?;
    let environment = query.environment;
    let filter = AuditFilter {
        environment,
        action: query.action,
        actor_id: query.actor_id,
        resource_id: query.resource_id,
        from: query.from,
        to: query.to,
    };
    let (who, mut page) = claim.load(&app, audit::list(&filter, below, limit)).await?;
    let grants = who.require(Scope::AuditRead)?;
    if let Some(environment) = environment {
        who.authorize_in(Scope::AuditRead, environment)?;
    }
    page.entries.retain(|entry| sees(grants, entry));
    let page = Page { data: page.entries, next_cursor: page.next.map(|position| cursor::encode(&position)) };
    Ok(answer::json(StatusCode::OK, &page))
}

/// The environments of a caller are known only once the page is read: what it may not see is left out of the page, which is
/// then shorter.
fn sees(grants: &Grants, entry: &RecordedEntry) -> bool {
    match entry.environment {
        Some(environment) => grants.environments.contains(&environment),
        None => grants.environments.len() == Environment::ALL.len(),
    }
}
