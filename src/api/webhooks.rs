//! `GET` and `POST /v1/webhooks`, `DELETE /v1/webhooks/{id}`, `GET /v1/webhooks/{id}/deliveries`: who is told of changes.

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, DeliveryId, WebhookId};
use crate::domain::origin::Origin;
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::domain::values::Secrets;
use crate::domain::webhook::{Delivery, DeliveryState, Occasion, Webhook};
use crate::store::commit::{CommitError, Conflict};
use crate::store::webhooks::{self, MAX_WEBHOOKS};
use crate::store::{secrets, vault_entries};
use crate::vault::{Context, Purpose};
use crate::webhook::{SECRET, new_secret};

use super::answer::{self, Page};
use super::audited;
use super::claim::{Claim, Resource};
use super::connections::values::{check_key, find_key_check, leave_blob, seal};
use super::cursor::{self, PageQuery};
use super::error::{ApiError, ValueError};
use super::extract::{Body, InPath, InQuery, Parsed};
use super::idempotency::{Created, Idempotency};
use super::openapi::{ChangeProblems, Problems};

const MANAGE: Scope = Scope::WebhooksManage;
/// The longest address, in bytes.
const MAX_URL: usize = 2_000;

impl Resource for Webhook {
    fn environment(&self) -> Environment {
        self.environment
    }
}

/// Which webhooks.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WebhooksQuery {
    /// The environment. Required.
    environment: Environment,
}

/// A new webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// The environment whose events it is told.
    environment: Environment,
    /// Where it listens: an `https` address of a public host, without user and fragment.
    #[schema(example = "https://hooks.example.com/keyfob", max_length = 2000)]
    url: String,
    /// What it is told of, at least one.
    #[schema(min_items = 1)]
    event_types: BTreeSet<Occasion>,
}

/// A webhook without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookView {
    /// Its id.
    id: WebhookId,
    /// The environment whose events it is told.
    environment: Environment,
    /// Where it listens.
    url: String,
    /// What it is told of.
    event_types: BTreeSet<Occasion>,
    /// When it was registered.
    created_at: Timestamp,
    /// Who registered it.
    created_by: Actor,
    /// Since when it is told nothing, because it answered 410: delete it, or register it anew.
    disabled_at: Option<Timestamp>,
}

impl From<Webhook> for WebhookView {
    fn from(webhook: Webhook) -> Self {
        let Webhook { id, environment, url, event_types, created_at, created_by, disabled_at } = webhook;
        Self { id, environment, url, event_types, created_at, created_by, disabled_at }
    }
}

/// A new webhook with its secret, shown this once.
#[derive(Serialize, ToSchema)]
pub struct CreatedWebhook<'a> {
    /// The webhook.
    #[serde(flatten)]
    webhook: WebhookView,
    /// What its messages are signed with (Standard Webhooks); shown this once.
    #[schema(example = "whsec_…")]
    secret: &'a str,
}

/// A message to an endpoint, as the log has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// The id of the message: its `webhook-id`.
    id: DeliveryId,
    /// What it is about.
    event_type: Occasion,
    /// Which connection.
    connection_id: ConnectionId,
    /// When that happened.
    at: Timestamp,
    /// Where it stands.
    state: DeliveryState,
    /// How often it was tried, seven times at most.
    attempts: u64,
    /// What came of the last attempt: `2xx`, `3xx`, `4xx`, `5xx`, `timeout` or `unreachable`.
    outcome: Option<String>,
    /// When that was.
    attempted_at: Option<Timestamp>,
    /// When it is tried again.
    next_attempt_at: Option<Timestamp>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        let Delivery {
            id, event_type, connection_id, at, state, attempts, outcome, attempted_at, next_attempt_at, ..
        } = delivery;
        Self { id, event_type, connection_id, at, state, attempts, outcome, attempted_at, next_attempt_at }
    }
}

/// GET /v1/webhooks
///
/// Lists the webhooks of an environment, whole.
#[utoipa::path(
    get, path = "/v1/webhooks", tag = "Webhooks", params(WebhooksQuery),
    responses((status = 200, description = "The webhooks", body = Page<WebhookView>), Problems)
)]
pub async fn list_webhooks(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<WebhooksQuery>>,
) -> Result<Response, ApiError> {
    let InQuery(WebhooksQuery { environment }) = claim.accept(&app, query).await?;
    let (who, webhooks) = claim.load(&app, webhooks::list(environment)).await?;
    who.authorize_in(MANAGE, environment)?;
    let data = webhooks.into_iter().map(WebhookView::from).collect();
    Ok(answer::json(StatusCode::OK, &Page { data, next_cursor: None }))
}

/// POST /v1/webhooks
///
/// Registers an endpoint. Its secret is shown this once. What happens from now on is told to it; to change the secret, register
/// the address once more and delete the old webhook.
#[utoipa::path(
    post, path = "/v1/webhooks", tag = "Webhooks", request_body = CreateWebhook,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The webhook with its secret", body = CreatedWebhook), ChangeProblems)
)]
pub async fn create_webhook(
    app: App,
    claim: Claim,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateWebhook>>,
) -> Result<Response, ApiError> {
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let wanted = idempotency.find(&claim).and(webhooks::count(body.environment)).and(find_key_check(&app));
    let (who, ((answered, count), known)) = claim.load(&app, wanted).await?;
    who.authorize_in(MANAGE, body.environment)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(response);
    }
    check_key(ring, ring.primary_id(), known.as_deref())?;
    let url = check(&app, &body, count)?;
    let webhook = Webhook {
        id: WebhookId::new(app.now(), app.random()),
        environment: body.environment,
        url: url.to_string(),
        event_types: body.event_types,
        created_at: app.now(),
        created_by: who.actor.clone(),
        disabled_at: None,
    };
    let origin = Origin::of(&url).map_err(|error| ApiError::Internal(error.to_string()))?;
    let entry = audited::Entry {
        environment: Some(webhook.environment),
        action: AuditAction::WebhookCreated,
        resource_id: webhook.id.to_string(),
        // The path of an address may be a credential.
        detail: json!({ "origin": origin, "event_types": webhook.event_types }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    let secret = new_secret(&*app.random);
    let secrets = Secrets::from_iter([(SECRET.to_owned(), secret.copy())]);
    let sealed = seal(&app, ring, context(&webhook, origin), &secrets).await?;
    commit.push(webhooks::insert(&webhook));
    commit.push(vault_entries::insert(&sealed, app.now()));
    let id = webhook.id.to_string();
    let created = CreatedWebhook { webhook: webhook.into(), secret: secret.expose_secret() };
    let body = serde_json::to_string(&created).unwrap_or_default();
    let created = Created { id, body, shows_secret: true };
    let answer = idempotency.commit((&app, &claim, ring), &bytes, commit, created).await;
    if answer.is_err() {
        leave_blob(&app, Some(&sealed)).await;
    }
    answer
}

/// Where the secret of an endpoint belongs: it is sent, as a signature, to the origin of the endpoint alone.
fn context(webhook: &Webhook, origin: Origin) -> Context {
    Context {
        environment: webhook.environment,
        owner_id: webhook.id.to_string(),
        purpose: Purpose::Webhook,
        number: 1,
        destinations: BTreeSet::from([origin]),
    }
}

/// The address, if it may ever be called.
fn check(app: &App, body: &CreateWebhook, count: u64) -> Result<Url, ApiError> {
    let error = |pointer: &str, code: &str, detail: String| {
        let error = ValueError { pointer: pointer.to_owned(), code: code.to_owned(), detail };
        Err(ApiError::InvalidBody(vec![error]))
    };
    if body.event_types.is_empty() {
        return error("/event_types", "invalid", "Expected at least one event type.".to_owned());
    }
    let is_plain = |url: &Url| url.fragment().is_none() && !body.url.contains(|c: char| c.is_whitespace() || c == '\\');
    let Some(url) = Url::parse(&body.url).ok().filter(|url| body.url.len() <= MAX_URL && is_plain(url)) else {
        return error("/url", "invalid", "Expected an address such as https://hooks.example.com/keyfob.".to_owned());
    };
    if let Err(refused) = app.egress.check_address(&url) {
        return error("/url", "destination", format!("This address may not be called: {refused}."));
    }
    if count >= MAX_WEBHOOKS {
        return Err(CommitError::Conflict(Conflict::Webhooks).into());
    }
    Ok(url)
}

/// DELETE /v1/webhooks/{id}
///
/// Deletes a webhook: its secret is unreadable at once, and it is told nothing more.
#[utoipa::path(
    delete, path = "/v1/webhooks/{id}", tag = "Webhooks", params(("id" = WebhookId, Path)),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
pub async fn delete_webhook(app: App, claim: Claim, id: Parsed<InPath<WebhookId>>) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, found) = claim.load(&app, webhooks::find(&id)).await?;
    let webhook = who.authorize(MANAGE, found)?;
    let entry = audited::Entry {
        environment: Some(webhook.environment),
        action: AuditAction::WebhookDeleted,
        resource_id: id.to_string(),
        detail: json!({ "event_types": webhook.event_types }),
    };
    let mut commit = audited::begin(&app, &who.actor, entry)?;
    commit.extend(webhooks::delete(&id));
    commit.extend(vault_entries::delete_all(id.as_str(), secrets::garbage_due(app.now())));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}

/// GET /v1/webhooks/{id}/deliveries
///
/// Lists what a webhook was told and is to be told, the newest first; kept for 30 days.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries", tag = "Webhooks", params(("id" = WebhookId, Path), PageQuery),
    responses((status = 200, description = "A page", body = Page<DeliveryView>), Problems)
)]
pub async fn list_deliveries(
    app: App,
    claim: Claim,
    id: Parsed<InPath<WebhookId>>,
    query: Parsed<InQuery<PageQuery>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let (below, limit) = claim.accept(&app, query.parse::<u64>()).await?;
    let rows = u64::try_from(limit).unwrap_or(0) + 1;
    let wanted = webhooks::find(&id).and(webhooks::list_deliveries(&id, below, rows));
    let (who, (found, deliveries)) = claim.load(&app, wanted).await?;
    who.authorize(MANAGE, found)?;
    let page = Page::cut(deliveries, limit, |delivery| cursor::encode(&delivery.seq), DeliveryView::from);
    Ok(answer::json(StatusCode::OK, &page))
}
