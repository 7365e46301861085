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
use crate::domain::connection::{Connection, Kind};
use crate::domain::environment::Environment;
use crate::domain::health::Status;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::domain::text::{Customer, StableKey, Step, Workflow};
use crate::domain::time::Timestamp;
use crate::domain::tokens::HeldTokens;
use crate::domain::usage::Place;
use crate::domain::values::{Secrets, Settings};
use crate::store::sources::{self, Sources};
use crate::store::{connections, resolves};

use super::effective::{self, Purpose};
use super::tokens::{Renew, Subject};
use super::trial::hand_over;
use super::values::type_of;
use super::view::HealthView;

/// What the connection must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// Its status must be `active`.
    Active,
}

/// How to resolve.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResolveQuery {
    /// The customer for whom a workflow runs: a template is resolved to theirs under it.
    customer: Option<Customer>,
    /// What the credentials are for; `test` goes without a customer.
    #[serde(default)]
    #[param(inline)]
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
    /// The customer for whom a workflow runs: their own connection with the stable key comes first, then theirs under the
    /// template that is meant, then the organization's connection.
    customer: Option<Customer>,
    /// What the credentials are for; `test` goes without a customer.
    #[serde(default)]
    #[param(inline)]
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
    /// The template that some of the values come from; null where there is none.
    template: Option<&'a ConnectionId>,
    /// The revision of the template's values; a report names it.
    template_revision: Option<u64>,
    /// The generation of its tokens, which a report names; null where it has none.
    token_generation: Option<u64>,
    /// The type of its access token, which is the secret `access_token`; null where it has none.
    token_type: Option<&'a str>,
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
        (status = 409, description = "Not resolvable (`connection_disabled`, `connection_expired`, `connection_incomplete`, `connection_not_active`, `destination_changed`, `customer_required`, `test_credentials_missing`, `connection_unauthorized`, `client_refused`, `scope_refused`)",
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
    let InQuery(ResolveQuery { customer, purpose, require }) = claim.accept(&app, query).await?;
    let use_as = claim.accept(&app, Use::new(customer, purpose, require)).await?;
    let wanted =
        use_as.customer.as_ref().map_or_else(|| sources::find(&id), |customer| sources::find_for(&id, customer));
    let (who, found) = claim.load(&app, wanted).await?;
    let sources = who.authorize(Scope::CredentialsUse, found)?;
    answer(&app, &who, &sources, &use_as).await
}

/// GET /v1/credentials
///
/// Resolves the credentials of what a stable key means, for a customer where one is named; or of what a step uses.
#[utoipa::path(
    get, path = "/v1/credentials", tag = "Credentials", params(ResolveByKeyQuery),
    responses(
        (status = 200, description = "The credentials", body = Credentials),
        (status = 409, description = "Not resolvable (`connection_disabled`, `connection_expired`, `connection_incomplete`, `connection_not_active`, `destination_changed`, `customer_required`, `test_credentials_missing`, `connection_unauthorized`, `client_refused`, `scope_refused`)",
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
    let ResolveByKeyQuery { environment, stable_key, workflow, step, customer, purpose, require } = query;
    let use_as = claim.accept(&app, Use::new(customer, purpose, require)).await?;
    let (wanted, missing) = match (stable_key, workflow, step, &use_as.customer) {
        (Some(key), None, None, None) => (sources::find_by_stable_key(environment, &key), ApiError::StableKeyUnknown),
        (Some(key), None, None, Some(customer)) => {
            (sources::find_by_stable_key_for(environment, &key, customer), ApiError::StableKeyUnknown)
        }
        (None, Some(workflow), Some(step), customer) => {
            let place = Place { workflow, step };
            let wanted = match customer {
                None => sources::find_by_step(environment, &place),
                Some(customer) => sources::find_by_step_for(environment, &place, customer),
            };
            (wanted, ApiError::StepUnknown)
        }
        _ => {
            let detail = "Name the connection by `stable_key`, or by `workflow` and `step`.";
            return claim.accept(&app, Err(ApiError::invalid_query("/stable_key", detail))).await;
        }
    };
    let (who, found) = claim.load(&app, wanted).await?;
    // What an environment holds is asked by its name, so that a missing part may be named, too.
    who.authorize_in(Scope::CredentialsUse, environment)?;
    answer(&app, &who, &found.ok_or(missing)?, &use_as).await
}

/// What credentials are for.
struct Use {
    customer: Option<Customer>,
    purpose: Purpose,
    require: Option<Require>,
}

impl Use {
    fn new(customer: Option<Customer>, purpose: Purpose, require: Option<Require>) -> Result<Self, ApiError> {
        if purpose == Purpose::Test && customer.is_some() {
            let detail = "Test credentials are never used for a customer: leave out `customer`, or `purpose=test`.";
            return Err(ApiError::invalid_query("/customer", detail));
        }
        Ok(Self { customer, purpose, require })
    }
}

async fn answer(app: &App, who: &Identity, sources: &Sources, use_as: &Use) -> Result<Response, ApiError> {
    refuse_other(sources, use_as)?;
    refuse_unusable(sources, use_as.require, app.now())?;
    let connection = &sources.connection;
    let (settings, secrets) = effective::resolved(app, sources, use_as.purpose).await?;
    let (settings, secrets, held) = with_tokens(app, sources, (settings, secrets)).await?;
    let rendered = match &type_of(connection)?.reach {
        Reach::Request(template) => request::render(template, &settings, &secrets).map(|request| (Some(request), None)),
        Reach::Server(template) => server::render(template, &settings, &secrets).map(|server| (None, Some(server))),
    };
    let (request, server) = rendered.map_err(|_| effective::INCOMPLETE)?;
    let credentials = Credentials {
        connection_id: &connection.id,
        revision: connection.history.revision,
        template: connection.owner.template.as_ref(),
        template_revision: sources.basis().template_revision,
        token_generation: held.as_ref().map(|held| held.generation),
        token_type: held.as_ref().map(|held| held.token_type.as_str()),
        provider: &connection.provider,
        connection_type: &connection.connection_type,
        settings: &settings,
        secrets: secrets.0.iter().map(|(field, secret)| (field.as_str(), secret.expose_secret())).collect(),
        expires_at: [expires_at(sources), held.as_ref().and_then(|held| held.expires_at)].into_iter().flatten().min(),
        health: (&connection.health).into(),
        request,
        server,
    };
    note_use(app, connection, &who.actor);
    Ok(answer::json(StatusCode::OK, &credentials))
}

/// The values with fresh tokens, where the type uses OAuth, and without what the authorization server alone sees.
async fn with_tokens(
    app: &App,
    sources: &Sources,
    (settings, secrets): (Settings, Secrets),
) -> Result<(Settings, Secrets, Option<HeldTokens>), ApiError> {
    let Some(file) = &type_of(&sources.connection)?.oauth else { return Ok((settings, secrets, None)) };
    let subject = Subject::new((app, app.ring()?), sources, (&settings, &secrets))?.ok_or(effective::INCOMPLETE)?;
    let fresh = subject.fresh(Renew::Due).await??;
    let (settings, secrets) = hand_over(file, (&settings, &secrets), &fresh.secrets);
    Ok((settings, secrets, Some(fresh.held)))
}

/// Refuses what is there, but not what is asked for: another customer's, or a template where a customer's would be.
fn refuse_other(sources: &Sources, use_as: &Use) -> Result<(), ApiError> {
    let owner = &sources.connection.owner;
    match (owner.kind, &use_as.customer) {
        (Kind::Template, Some(_)) => Err(ApiError::CustomerNotConnected),
        (Kind::Template, None) if use_as.purpose == Purpose::Run => Err(ApiError::NotResolvable(
            "customer_required",
            "A template has no credentials of its own: name the customer, or pass `purpose=test`.",
        )),
        (Kind::Customer, Some(customer)) if owner.customer.as_ref() != Some(customer) => Err(ApiError::NotFound),
        (Kind::Customer, None) if use_as.purpose == Purpose::Test => Err(ApiError::NotResolvable(
            "customer_connection",
            "A customer's connection is no test connection: leave out `purpose=test`.",
        )),
        _ => Ok(()),
    }
}

/// When the credentials end: as soon as a part of them does.
fn expires_at(sources: &Sources) -> Option<Timestamp> {
    let template = sources.template.as_ref().and_then(|template| template.dates.expires_at);
    [sources.connection.dates.expires_at, template].into_iter().flatten().min()
}

fn refuse_unusable(sources: &Sources, require: Option<Require>, now: Timestamp) -> Result<(), ApiError> {
    let refuse = |code, detail| Err(ApiError::NotResolvable(code, detail));
    if !sources.connection.switches.enabled {
        return refuse("connection_disabled", "The connection is disabled: enable it to use it.");
    }
    if sources.template.as_ref().is_some_and(|template| !template.switches.enabled) {
        return refuse("connection_disabled", "The template is disabled for all customers: enable it to use it.");
    }
    if expires_at(sources).is_some_and(|end| end <= now) {
        return refuse("connection_expired", "The credential has expired: enter a new one.");
    }
    if require == Some(Require::Active) && sources.connection.status() != Status::Active {
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
