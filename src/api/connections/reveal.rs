//! `POST /v1/connections/{id}/reveal`.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::audited;
use crate::api::claim::Claim;
use crate::api::error::{ApiError, ValueError};
use crate::api::extract::{Body, InPath, Parsed};
use crate::api::limits;
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::text::Note;
use crate::domain::values::Secrets;
use crate::store::sources::{self, Sources};
use crate::store::{history, nothing, vault_entries};

use super::values;

/// Which secrets to reveal, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// The fields, at least one.
    #[schema(min_items = 1)]
    fields: Vec<String>,
    /// Why: kept in the audit log.
    #[schema(example = "The webhook moves to another workspace.")]
    reason: Note,
    /// The revision; the current one where left out.
    revision: Option<u64>,
}

/// Revealed secrets.
#[derive(Serialize, ToSchema)]
pub struct Revealed<'a> {
    /// The revision that they are of.
    revision: u64,
    /// The secrets by field.
    secrets: BTreeMap<&'a str, &'a str>,
}

/// POST /v1/connections/{id}/reveal
///
/// Reveals chosen secrets to a person. Audited, with the reason, before it answers.
#[utoipa::path(
    post, path = "/v1/connections/{id}/reveal", tag = "Credentials", request_body = Reveal,
    params(("id" = ConnectionId, Path)),
    responses((status = 200, description = "The secrets", body = Revealed), ChangeProblems)
)]
pub async fn reveal_secrets(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    body: Parsed<Body<Reveal>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let old = body.revision.map_or_else(
        || nothing().map(|()| (None, None)),
        |number| history::find_revision(&id, number).and(vault_entries::find_of_revision(&id, number)),
    );
    let (who, (found, (revision, old_entry))) = claim.load(&app, sources::find(&id).and(old)).await?;
    let Sources { connection, entry, .. } = who.authorize(Scope::CredentialsReveal, found)?;
    let (number, sealed, entry) = match body.revision {
        None => (connection.history.revision, connection.values.secrets_revision, entry),
        Some(number) => (number, revision.ok_or(ApiError::NotFound)?.secrets_revision, old_entry),
    };
    limits::count_reveal(&app, &who.actor.id).await?;
    let ring = app.ring()?;
    let opened = values::open(&app, ring, sealed, entry.as_ref()).await?;
    check_fields(&body.fields, &opened.secrets)?;
    let entry = audited::Entry {
        environment: Some(connection.environment),
        action: AuditAction::SecretsRevealed,
        resource_id: id.to_string(),
        detail: json!({ "fields": body.fields, "revision": number, "reason": body.reason }),
    };
    audited::begin(&app, &who.actor, entry)?.run(&*app.database).await?;
    let wanted = opened.secrets.0.iter().filter(|(field, _)| body.fields.contains(*field));
    let secrets = wanted.map(|(field, secret)| (field.as_str(), secret.expose_secret())).collect();
    Ok(answer::json(StatusCode::OK, &Revealed { revision: number, secrets }))
}

/// The most fields that one request reveals: their names stay in the audit log.
const MAX_FIELDS: usize = 100;

fn check_fields(fields: &[String], secrets: &Secrets) -> Result<(), ApiError> {
    let error = |pointer: String, detail: &str| ValueError::new(pointer, "not_set", detail);
    if fields.len() > MAX_FIELDS {
        return ApiError::refuse(vec![error("/fields".to_owned(), "Name at most 100 fields.")]);
    }
    if fields.is_empty() {
        return ApiError::refuse(vec![error("/fields".to_owned(), "Name at least one field.")]);
    }
    let missing = fields.iter().enumerate().filter(|(_, field)| !secrets.0.contains_key(*field));
    ApiError::refuse(
        missing.map(|(index, _)| error(format!("/fields/{index}"), "This revision has no such secret.")).collect(),
    )
}
