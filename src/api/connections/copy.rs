//! `POST /v1/connections/{id}/copy`: the definition of a connection, once more in another environment.

use axum::response::Response;
use http::header;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::claim::Claim;
use crate::api::error::{ApiError, ValueError};
use crate::api::extract::{Body, InPath, Parsed};
use crate::api::idempotency::{Created, Idempotency};
use crate::api::openapi::ChangeProblems;
use crate::api::transfer::apply::statements;
use crate::api::transfer::document::Given;
use crate::api::transfer::plan::{Step, step};
use crate::app::App;
use crate::domain::connection::{Connection, Kind};
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::text::{Name, StableKey};
use crate::store::connections;

use super::record;
use super::values::{check_key, find_key_check};
use super::view::{ConnectionView, with_version};

const WRITE: Scope = Scope::ConnectionsWrite;

/// Where to copy a connection to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyConnection {
    /// The environment of the copy.
    environment: Environment,
    /// The stable key of the copy. Left out: the same, so that workflows find it as they find this one.
    stable_key: Option<StableKey>,
    /// The name of the copy; the same, where left out.
    name: Option<Name>,
}

/// POST /v1/connections/{id}/copy
///
/// Copies the definition of a connection or template: everything but its credentials and what became of them. A copy that needs secrets is
/// not active, `missing`, until they are entered there.
#[utoipa::path(
    post, path = "/v1/connections/{id}/copy", tag = "Transfer", request_body = CopyConnection,
    params(
        ("id" = ConnectionId, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe."),
    ),
    responses((status = 201, description = "The copy", body = ConnectionView), ChangeProblems)
)]
pub async fn copy_connection(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CopyConnection>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let wanted = connections::find_connection(&id).and(idempotency.find(&claim)).and(find_key_check(&app));
    let (who, ((found, answered), key_check)) = claim.load(&app, wanted).await?;
    let original = who.authorize(WRITE, found)?;
    who.authorize_in(WRITE, body.environment)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(placed(response));
    }
    if original.owner.kind == Kind::Customer {
        let detail = "A customer's connection is nothing but its credentials: copy the template that it stands under.";
        return Err(ApiError::InvalidBody(vec![ValueError::new("", "not_of_this_kind", detail)]));
    }
    check_key(ring, ring.primary_id(), key_check.as_deref())?;
    let environment = body.environment;
    let planned = step(&app, (&who, environment), (definition(original, body), None), None).await;
    let planned: Step = planned.map_err(|error| match error {
        // What is wrong was not sent, but stored.
        ApiError::InvalidBody(errors) => ApiError::RevisionIncompatible(errors),
        error => error,
    })?;
    let copy = &planned.after;
    let mut commit = record::begin((&app, &who), EventType::Created, (None, copy), Some(1))?;
    commit.extend(statements(&app, &planned, None));
    let body = serde_json::to_string(&ConnectionView::new(copy, app.radar())).unwrap_or_default();
    let created = Created { id: copy.id.to_string(), body, shows_secret: false };
    Ok(placed(idempotency.commit((&app, &claim, ring), &bytes, commit, created).await?))
}

/// What of a connection its copy has.
fn definition(original: Connection, asked: CopyConnection) -> Given {
    let Connection { label, values, switches, owner, definition, .. } = original;
    Given {
        stable_key: asked.stable_key.unwrap_or(label.stable_key),
        kind: owner.kind,
        customer: None,
        template: None,
        provider: original.provider,
        connection_type: original.connection_type,
        supplied_by: owner.supplied_by,
        customer_fields: definition.map(|definition| definition.customer_fields),
        name: asked.name.unwrap_or(label.name),
        description: Some(label.description),
        tags: Some(label.tags),
        settings: Some(values.settings),
        secret_fields: None,
        secrets: None,
        enabled: switches.enabled,
        embedded: switches.embedded,
    }
}

/// The answer with where the copy is found, and its version.
fn placed(response: Response) -> Response {
    let mut response = with_version(response, 1);
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let id = location.and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let location = format!("/v1/connections/{id}");
    answer::set(&mut response, header::LOCATION, &location);
    response
}
