//! `POST /v1/embedded/connections`, `GET`, `PATCH` and `DELETE /v1/embedded/connections/{id}`, and its tests: what customers do
//! with connections of their own, in the organization's product.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::claim::{Claim, Identity};
use crate::api::connections::create::{self, CreateConnection, Made, SaveQuery};
use crate::api::connections::delete::{deleted, gone};
use crate::api::connections::effective::Purpose;
use crate::api::connections::record;
use crate::api::connections::revoke::{self, RevokeQuery};
use crate::api::connections::test::{Mode, StoredTest, TestResult, test_stored};
use crate::api::connections::update::{self, ChangeQuery, UpdateConnection};
use crate::api::connections::values::{check_key, find_key_check};
use crate::api::error::ApiError;
use crate::api::extract::{Body, IfMatch, InPath, InQuery, Parsed};
use crate::api::idempotency::Idempotency;
use crate::api::openapi::{ChangeProblems, Problems};
use crate::app::App;
use crate::domain::caller::SessionCaller;
use crate::domain::connection::{Connection, Kind, SuppliedBy};
use crate::domain::event::EventType;
use crate::domain::id::ConnectionId;
use crate::domain::text::{Description, Name};
use crate::domain::values::{Secret, Secrets, Settings};
use crate::store::nothing;
use crate::store::sources::{self, Sources};

use super::view::{self, EmbeddedConnection};

/// A new connection of the session's customer; for a builder session, of the organization.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOwn {
    /// The exposed template that it stands under, one for each customer; without it the connection stands alone.
    template: Option<ConnectionId>,
    /// The key of its provider; may be left out under a template.
    #[schema(example = "slack")]
    provider: Option<String>,
    /// The key of its connection type; may be left out under a template.
    #[schema(example = "incoming_webhook")]
    connection_type: Option<String>,
    /// Its name; that of the template where left out under one.
    name: Option<Name>,
    /// Its description.
    description: Option<Description>,
    /// Its settings, by field.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Settings,
    /// Its secrets, by field. They are never shown again.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    secrets: Secrets,
}

/// What to change of an own connection. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateOwn {
    /// Its name.
    name: Option<Name>,
    /// Its description.
    description: Option<Description>,
    /// Settings by field; null clears one.
    #[schema(value_type = Option<Object>)]
    settings: Option<BTreeMap<String, Option<Value>>>,
    /// Secrets by field; null clears one, what is left out is kept.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>, write_only)]
    secrets: Option<BTreeMap<String, Option<Secret>>>,
}

/// Unsaved edits to test an own connection with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestOwn {
    /// Settings by field; null clears one.
    #[schema(value_type = Option<Object>)]
    settings: Option<BTreeMap<String, Option<Value>>>,
    /// Secrets by field; null clears one, what is left out is as stored.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>, write_only)]
    secrets: Option<BTreeMap<String, Option<Secret>>>,
}

/// POST /v1/embedded/connections
///
/// Creates a connection of the session's customer: under a template that is exposed, or alone. Its values are tested first.
#[utoipa::path(
    post, path = "/v1/embedded/connections", tag = "Embedded", request_body = CreateOwn,
    operation_id = "create_embedded_connection",
    params(SaveQuery, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The connection", body = EmbeddedConnection), ChangeProblems)
)]
pub async fn create_connection(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<SaveQuery>>,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateOwn>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let template = body.template.as_ref().map_or_else(|| nothing().map(|()| None), sources::find);
    let wanted = idempotency.find(&claim).and(find_key_check(&app)).and(template);
    let (who, ((answered, key_check), template)) = claim.load(&app, wanted).await?;
    let session = who.session()?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(crate::api::connections::view::with_version(response, 1));
    }
    check_key(ring, ring.primary_id(), key_check.as_deref())?;
    let template = template.filter(|found| is_offered(&found.connection) && session.allows(&found.connection));
    let asked = Asked {
        template: (body.template.is_some(), template.as_ref()),
        provider: body.provider.as_deref(),
        connection_type: body.connection_type.as_deref(),
    };
    check(session, &asked)?;
    let made = Made {
        template: template.as_ref(),
        is_taken: false,
        test: query.test,
        body: &|connection| serde_json::to_string(&EmbeddedConnection::new(connection, session)).unwrap_or_default(),
    };
    let body = whole(session, body);
    create::make((&app, &claim, ring, &who), body, made, (&idempotency, &bytes)).await
}

/// Whether a template is offered to customers.
#[must_use]
pub fn is_offered(template: &Connection) -> bool {
    template.switches.enabled
        && template.switches.embedded
        && template.definition.is_some()
        && template.owner.supplied_by == Some(SuppliedBy::Customer)
}

/// What a connection is to be made of, as far as a session's limits are about it.
pub struct Asked<'a> {
    /// Whether a template is named, and the template if it is offered.
    pub template: (bool, Option<&'a Sources>),
    /// The key of a provider.
    pub provider: Option<&'a str>,
    /// The key of a connection type.
    pub connection_type: Option<&'a str>,
}

/// Refuses what the session may not create. A template that is not offered looks like one that is not there.
///
/// # Errors
/// 422 with a pointer to what it may not.
pub fn check(session: &SessionCaller, asked: &Asked<'_>) -> Result<(), ApiError> {
    let (names_template, template) = asked.template;
    let refuse = |pointer, detail| Err(ApiError::invalid(pointer, detail));
    if names_template && session.is_builder() {
        return refuse("/template", "A builder session connects no customer: leave it out.");
    }
    if names_template && template.is_none() {
        return refuse("/template", "There is no such template in this environment.");
    }
    if session.connection.is_some() {
        return refuse("/template", "This session is for a connection that the customer has: change that one.");
    }
    if !names_template && session.templates.is_some() {
        return refuse("/template", "This session may connect to its templates alone: name one.");
    }
    if asked.provider.is_some_and(|provider| !session.allows_provider(provider)) {
        return refuse("/provider", "This session may not use this provider.");
    }
    if asked.connection_type.is_some_and(|key| !session.allows_type(key)) {
        return refuse("/connection_type", "This session may not use this connection type.");
    }
    Ok(())
}

/// What is created, as a server of the organization would say it.
fn whole(session: &SessionCaller, body: CreateOwn) -> CreateConnection {
    CreateConnection {
        environment: session.environment,
        kind: if session.is_builder() { Kind::Organization } else { Kind::Customer },
        provider: body.provider,
        connection_type: body.connection_type,
        template: body.template,
        customer: session.customer.clone(),
        supplied_by: None,
        customer_fields: None,
        name: body.name,
        description: body.description,
        stable_key: None,
        tags: BTreeSet::new(),
        settings: body.settings,
        secrets: body.secrets,
        enabled: true,
        embedded: false,
        expires_at: None,
        rotate_by: None,
        note: None,
    }
}

/// GET /v1/embedded/connections/{id}
///
/// Finds a connection that the session may see.
#[utoipa::path(
    get, path = "/v1/embedded/connections/{id}", tag = "Embedded", operation_id = "find_embedded_connection",
    params(("id" = ConnectionId, Path)),
    responses((status = 200, description = "The connection", body = EmbeddedConnection), Problems)
)]
pub async fn find_connection(app: App, claim: Claim, id: Parsed<InPath<ConnectionId>>) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, found) = claim.load(&app, sources::find(&id)).await?;
    let session = who.session()?;
    let sources = found.filter(|found| sees(session, &found.connection)).ok_or(ApiError::NotFound)?;
    Ok(view::answer(&sources.connection, sources.template.as_ref(), session))
}

/// PATCH /v1/embedded/connections/{id}
///
/// Changes an own connection: renames it, or enters values anew. What is not sent is kept.
#[utoipa::path(
    patch, path = "/v1/embedded/connections/{id}", tag = "Embedded", request_body = UpdateOwn,
    operation_id = "update_embedded_connection",
    params(("id" = ConnectionId, Path), SaveQuery, ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 200, description = "The connection", body = EmbeddedConnection), ChangeProblems)
)]
pub async fn update_connection(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<SaveQuery>>,
    if_match: IfMatch,
    body: Parsed<Body<UpdateOwn>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(SaveQuery { test }) = claim.accept(&app, query).await?;
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let (who, (found, key_check)) = claim.load(&app, sources::find(&id).and(find_key_check(&app))).await?;
    let (session, sources) = own(&who, found)?;
    if_match.check(sources.connection.history.version)?;
    let ring = app.ring()?;
    check_key(ring, ring.primary_id(), key_check.as_deref())?;
    let body = UpdateConnection {
        name: body.name,
        description: body.description,
        settings: body.settings,
        secrets: body.secrets,
        ..UpdateConnection::default()
    };
    let query = ChangeQuery { test, force: false };
    let shown = |after: &Connection| view::answer(after, sources.template.as_ref(), session);
    update::change(&app, &who, ring, &sources, (body, query), &shown).await
}

/// DELETE /v1/embedded/connections/{id}
///
/// Disconnects: deletes an own connection. Its secrets are unreadable at once; nothing is deleted at the provider,
/// but its tokens are revoked there where that is asked for.
#[utoipa::path(
    delete, path = "/v1/embedded/connections/{id}", tag = "Embedded", operation_id = "delete_embedded_connection",
    params(("id" = ConnectionId, Path), RevokeQuery, ("If-Match" = String, Header, description = "The ETag that you read.")),
    responses((status = 204, description = "Deleted"), ChangeProblems)
)]
pub async fn delete_connection(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<RevokeQuery>>,
    if_match: IfMatch,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(RevokeQuery { revoke }) = claim.accept(&app, query).await?;
    let (who, found) = claim.load(&app, sources::find(&id)).await?;
    let (_, sources) = own(&who, found)?;
    let before = &sources.connection;
    if_match.check(before.history.version)?;
    if revoke {
        revoke::revoke(&app, &sources).await?;
    }
    let after = deleted(&app, before);
    let mut commit = record::begin((&app, &who), EventType::Deleted, (Some(before), &after), None)?;
    commit.extend(gone(&after));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}

/// POST /v1/embedded/connections/{id}/tests
///
/// Tests an own connection. With edits laid over it nothing is stored; without, its health keeps the result.
#[utoipa::path(
    post, path = "/v1/embedded/connections/{id}/tests", tag = "Embedded", request_body = TestOwn,
    operation_id = "create_embedded_test", params(("id" = ConnectionId, Path)),
    responses(
        (status = 200, description = "What the test of the edits found", body = TestResult),
        (status = 201, description = "What the test found", body = TestResult),
        ChangeProblems
    )
)]
pub async fn create_test(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    body: Parsed<Body<TestOwn>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let Body { value: TestOwn { settings, secrets }, .. } = claim.accept(&app, body).await?;
    let (who, found) = claim.load(&app, sources::find(&id)).await?;
    let (_, sources) = own(&who, found)?;
    let body = StoredTest { settings, secrets, purpose: Purpose::Run, mode: Mode::Silent };
    test_stored(&app, &who, &sources, body).await
}

/// Whether a session sees a connection: the customer's own in any state, the organization's where it is exposed and enabled; a
/// builder session all of the organization's.
#[must_use]
pub fn sees(session: &SessionCaller, connection: &Connection) -> bool {
    let is_organizations = connection.owner.customer.is_none();
    let is_exposed = is_organizations && connection.switches.embedded && connection.switches.enabled;
    session.allows(connection) && (session.owns(connection) || is_exposed || (is_organizations && session.is_builder()))
}

/// The connection, if it is the customer's own to change.
///
/// # Errors
/// 404 where the session does not see it; 403 where it sees it and may not change it.
pub(super) fn own(who: &Identity, found: Option<Sources>) -> Result<(&SessionCaller, Sources), ApiError> {
    let session = who.session()?;
    let sources = found.filter(|found| sees(session, &found.connection)).ok_or(ApiError::NotFound)?;
    let is_entered_by_organization = sources.connection.owner.supplied_by == Some(SuppliedBy::Organization);
    if session.owns(&sources.connection) && !is_entered_by_organization {
        return Ok((session, sources));
    }
    Err(ApiError::NotOwn)
}
