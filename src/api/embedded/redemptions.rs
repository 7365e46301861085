//! `POST /v1/embedded/connect-links/redemptions`: the page behind a connect link has its token, and gets a session for it, once.
//!
//! Nobody learns whether a link that is not redeemed was used, ran out, was revoked or never was: the answer is the same 401.
//! Only pages of this Keyfob ask: another page that came to know a link cannot redeem it in somebody's browser.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::audited;
use crate::api::claim::Claim;
use crate::api::error::ApiError;
use crate::api::extract::{Body, Parsed};
use crate::api::openapi::ExchangeProblems;
use crate::app::App;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::caller::SessionCaller;
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectionId, SessionId};
use crate::domain::text::Customer;
use crate::domain::time::Timestamp;
use crate::store::access::{self, Voucher};
use crate::store::connect_links::{self, ConnectLink};
use crate::token::Token;

use super::sessions::MAX_SECONDS;

/// A connect link to redeem.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeemLink {
    /// The token that stands in the fragment of its URL.
    #[schema(example = "kl_…")]
    token: String,
}

/// The session that a connect link was redeemed for, with its token, shown this once; and what it may use.
#[derive(Serialize, ToSchema)]
pub struct RedeemedSession {
    /// Its id.
    id: SessionId,
    /// What the page sends as `Authorization: Bearer …`; shown this once.
    token: String,
    /// When it ends.
    expires_at: Timestamp,
    /// Its environment.
    environment: Environment,
    /// Its customer.
    #[schema(value_type = String)]
    customer: Customer,
    /// The provider that it is limited to.
    providers: [String; 1],
    /// The connection type that it is limited to.
    connection_types: [String; 1],
    /// The template that it is limited to, where the link names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    templates: Option<[ConnectionId; 1]>,
    /// The connection that it is limited to, where the link names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection: Option<ConnectionId>,
}

/// POST /v1/embedded/connect-links/redemptions
///
/// Redeems a connect link for an embedded session of half an hour, which may do what the link is for and nothing else: under its
/// template, with its connection, or with what the customer has and connects of its connection type. It needs no key, and
/// answers pages of this Keyfob. A link is good for once.
#[utoipa::path(
    post, path = "/v1/embedded/connect-links/redemptions", tag = "Embedded", request_body = RedeemLink, security(()),
    operation_id = "redeem_connect_link",
    responses((status = 201, description = "The session with its token", body = RedeemedSession), ExchangeProblems)
)]
pub async fn redeem_link(app: App, claim: Claim, body: Parsed<Body<RedeemLink>>) -> Result<Response, ApiError> {
    claim.refuse_foreign(true)?;
    let Body { value: RedeemLink { token }, .. } = body?;
    let Some(Token::Link(hash)) = Token::parse(&token) else { return Err(claim.refused(&app).await) };
    let found = connect_links::find_by_token(hash.as_str(), app.now()).run(&*app.database).await?;
    let link = found.filter(|found| hash.matches(&found.token_hash)).map(|found| found.caller);
    let Some(link) = link.filter(|link| link.used_at.is_none()) else { return Err(claim.refused(&app).await) };
    match mint(&app, link).await {
        Err(ApiError::Unauthorized) => Err(claim.refused(&app).await),
        answer => answer,
    }
}

async fn mint(app: &App, link: ConnectLink) -> Result<Response, ApiError> {
    let now = app.now();
    let session = SessionCaller {
        id: SessionId::new(now, app.random()),
        environment: link.environment,
        customer: Some(link.customer.clone()),
        providers: Some(BTreeSet::from([link.provider.clone()])),
        connection_types: Some(BTreeSet::from([link.connection_type.clone()])),
        templates: link.template.clone().map(|id| BTreeSet::from([id])),
        connection: link.connection.clone(),
        expires_at: now + Duration::from_secs(MAX_SECONDS.into()),
    };
    let actor = Actor { id: link.id.to_string(), name: link.customer.to_string(), claimed: None };
    let _ = app.trace.caller.set(actor.id.clone());
    let token = Token::new_session(&*app.random);
    let entry = audited::Entry {
        environment: Some(session.environment),
        action: AuditAction::SessionCreated,
        resource_id: session.id.to_string(),
        detail: json!({ "customer": session.customer, "providers": session.providers, "connect_link": link.id }),
    };
    let mut commit = audited::begin(app, &actor, entry)?;
    commit.push(connect_links::insert_used(&link.id, now));
    let voucher = Some(Voucher::ConnectLink(&link.id));
    commit.push(access::insert_session(&session, token.hash.as_str(), (now, &actor), voucher));
    commit.run(&*app.database).await?;
    let redeemed = RedeemedSession {
        id: session.id,
        token: token.token.as_str().to_owned(),
        expires_at: session.expires_at,
        environment: link.environment,
        customer: link.customer,
        providers: [link.provider],
        connection_types: [link.connection_type],
        templates: link.template.map(|id| [id]),
        connection: link.connection,
    };
    Ok(answer::json(StatusCode::CREATED, &redeemed))
}
