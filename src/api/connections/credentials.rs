//! `GET /v1/connections/{id}/credentials` and `GET /v1/credentials`: what a workflow engine needs at run time.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::answer;
use crate::api::claim::{Claim, Identity};
use crate::api::error::ApiError;
use crate::api::extract::{InPath, InQuery, Parsed};
use crate::api::openapi::Problems;
use crate::app::App;
use crate::catalog::reach::Reach;
use crate::catalog::request::{self, Request};
use crate::catalog::server::{self, Server};
use crate::domain::actor::Actor;
use crate::domain::connection::Connection;
use crate::domain::environment::Environment;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::text::{StableKey, Step, Workflow};
use crate::domain::time::Timestamp;
use crate::domain::usage::Place;
use crate::domain::values::{Secrets, Settings};
use crate::store::{connections, resolves, vault_entries};
use crate::vault::Entry;

use super::values::{self, type_of};
use super::view::HealthView;

/// What the credentials are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A run of a workflow.
    #[default]
    Run,
    /// A test run of the builder. A connection without test credentials uses its own values.
    Test,
}

/// What the connection must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// Its status must be `active`.
    Active,
}

/// How to resolve.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResolveQuery {
    /// What the credentials are for.
    #[serde(default)]
    #[param(inline)]
    #[expect(dead_code, reason = "an organization's connection answers both purposes with its own values")]
    purpose: Purpose,
    /// What the connection must be; without it, a verdict never refuses.
    #[param(inline)]
    require: Option<Require>,
}

/// Which connection to resolve, and how: by `stable_key`, or by `workflow` and `step`.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResolveByKeyQuery {
    /// The environment.
    environment: Environment,
    /// The stable key of the connection.
    stable_key: Option<StableKey>,
    /// The workflow whose step uses the connection.
    workflow: Option<Workflow>,
    /// The step that uses it.
    step: Option<Step>,
    /// What the credentials are for.
    #[serde(default)]
    #[param(inline)]
    #[expect(dead_code, reason = "an organization's connection answers both purposes with its own values")]
    purpose: Purpose,
    /// What the connection must be; without it, a verdict never refuses.
    #[param(inline)]
    require: Option<Require>,
}

/// The credentials of a connection.
#[derive(Serialize, ToSchema)]
pub struct Credentials<'a> {
    /// The connection.
    connection_id: &'a ConnectionId,
    /// The revision of its values; a report names it.
    revision: u64,
    /// The generation of its tokens; null where it has none.
    token_generation: Option<u64>,
    /// The key of its provider.
    provider: &'a str,
    /// The key of its connection type.
    connection_type: &'a str,
    /// Its settings.
    #[schema(value_type = Object)]
    settings: &'a Settings,
    /// Its secrets, by field.
    secrets: BTreeMap<&'a str, &'a str>,
    /// When the credential expires.
    expires_at: Option<Timestamp>,
    /// What is known of it.
    health: HealthView,
    /// How to call the provider with it; null where it is reached as a server.
    request: Option<Request>,
    /// How to connect to the server with it; null where the provider is called by HTTP.
    server: Option<Server>,
}

/// GET /v1/connections/{id}/credentials
///
/// Resolves the credentials of a connection. Refused with the reason for a disabled or expired one, not for a verdict.
#[utoipa::path(
    get, path = "/v1/connections/{id}/credentials", tag = "Credentials",
    params(("id" = ConnectionId, Path), ResolveQuery),
    responses(
        (status = 200, description = "The credentials", body = Credentials),
        (status = 409, description = "Not resolvable (`connection_disabled`, `connection_expired`, `connection_incomplete`, `connection_not_active`)",
         body = crate::api::error::Problem, content_type = "application/problem+json"),
        Problems
    )
)]
pub async fn resolve_credentials(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<ResolveQuery>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let wanted = connections::find_connection(&id).and(vault_entries::find_current(&id));
    let (who, (found, entry)) = claim.load(&app, wanted).await?;
    let connection = who.authorize(Scope::CredentialsUse, found)?;
    answer(&app, &who, &connection, entry, query.require).await
}

/// GET /v1/credentials
///
/// Resolves the credentials of the organization's connection with a stable key, or of the one that a step uses.
#[utoipa::path(
    get, path = "/v1/credentials", tag = "Credentials", params(ResolveByKeyQuery),
    responses(
        (status = 200, description = "The credentials", body = Credentials),
        (status = 409, description = "Not resolvable (`connection_disabled`, `connection_expired`, `connection_incomplete`, `connection_not_active`)",
         body = crate::api::error::Problem, content_type = "application/problem+json"),
        Problems
    )
)]
pub async fn resolve_credentials_by_key(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<ResolveByKeyQuery>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let (environment, require) = (query.environment, query.require);
    let wanted = match (query.stable_key, query.workflow, query.step) {
        (Some(key), None, None) => connections::find_connection_by_stable_key(environment, &key)
            .and(vault_entries::find_current_by_stable_key(environment, &key)),
        (None, Some(workflow), Some(step)) => {
            let place = Place { workflow, step };
            connections::find_connection_by_step(environment, &place)
                .and(vault_entries::find_current_by_step(environment, &place))
        }
        _ => {
            let detail = "Name the connection by `stable_key`, or by `workflow` and `step`.";
            return claim.accept(&app, Err(ApiError::invalid_query("/stable_key", detail))).await;
        }
    };
    let (who, (found, entry)) = claim.load(&app, wanted).await?;
    let connection = who.authorize(Scope::CredentialsUse, found)?;
    answer(&app, &who, &connection, entry, require).await
}

async fn answer(
    app: &App,
    who: &Identity,
    connection: &Connection,
    entry: Option<Entry>,
    require: Option<Require>,
) -> Result<Response, ApiError> {
    refuse_unusable(connection, require, app.now())?;
    // Without a secret there is nothing to open, and a missing master key is no reason to refuse.
    let sealed = connection.values.secrets_revision;
    let secrets = match sealed {
        Some(_) => values::open(app, app.ring()?, sealed, entry).await?.secrets,
        None => Secrets::default(),
    };
    let settings = &connection.values.settings;
    let rendered = match &type_of(connection)?.reach {
        Reach::Request(template) => request::render(template, settings, &secrets).map(|request| (Some(request), None)),
        Reach::Server(template) => server::render(template, settings, &secrets).map(|server| (None, Some(server))),
    };
    let (request, server) = rendered
        .map_err(|_| ApiError::NotResolvable("connection_incomplete", "A required value is missing: enter it."))?;
    let credentials = Credentials {
        connection_id: &connection.id,
        revision: connection.history.revision,
        token_generation: None,
        provider: &connection.provider,
        connection_type: &connection.connection_type,
        settings: &connection.values.settings,
        secrets: secrets.0.iter().map(|(field, secret)| (field.as_str(), secret.expose_secret())).collect(),
        expires_at: connection.dates.expires_at,
        health: (&connection.health).into(),
        request,
        server,
    };
    note_use(app, connection, &who.actor);
    Ok(answer::json(StatusCode::OK, &credentials))
}

fn refuse_unusable(connection: &Connection, require: Option<Require>, now: Timestamp) -> Result<(), ApiError> {
    let refuse = |code, detail| Err(ApiError::NotResolvable(code, detail));
    if !connection.switches.enabled {
        return refuse("connection_disabled", "The connection is disabled: enable it to use it.");
    }
    if connection.dates.expires_at.is_some_and(|end| end <= now) {
        return refuse("connection_expired", "The credential has expired: enter a new one.");
    }
    if require == Some(Require::Active) && connection.status() != Status::Active {
        return refuse("connection_not_active", "The connection is not active: its health tells why.");
    }
    Ok(())
}

/// Counts the use. What is to be written of it is written after the answer: the credentials are what matters.
fn note_use(app: &App, connection: &Connection, actor: &Actor) {
    let due = app.uses.note((&connection.id, connection.environment), actor, app.now());
    if due.counts.is_empty() {
        return;
    }
    let (database, uses, now) = (Arc::clone(&app.database), Arc::clone(&app.uses), app.now());
    app.deferred.push(async move {
        let touch = due.first_used.iter().map(|id| connections::touch_last_used(id, now));
        let counts = due.counts.iter().map(|counts| resolves::put(&uses.isolate, counts));
        // What was not written is counted on, and written with what comes next.
        if database.batch(counts.chain(touch).collect()).await.is_ok() {
            uses.written(&due.counts);
        }
    });
}
