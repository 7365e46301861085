//! `GET` and `POST /v1/connect-links`, `DELETE /v1/connect-links/{id}`: links with which one customer connects one account,
//! without embedding. A link is redeemed once, for a session (`POST /v1/embedded/connect-links/redemptions`).

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::catalog::Catalog;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditAction;
use crate::domain::connection::{Connection, SuppliedBy};
use crate::domain::environment::Environment;
use crate::domain::id::{ConnectLinkId, ConnectionId};
use crate::domain::scope::Scope;
use crate::domain::text::Customer;
use crate::domain::time::Timestamp;
use crate::store::connect_links::{self, ConnectLink, LONGEST};
use crate::store::{nothing, sources};
use crate::token::Token;

use super::answer::{self, Page};
use super::audited;
use super::claim::{Claim, Resource};
use super::cursor;
use super::embedded::own::is_offered;
use super::error::{ApiError, ValueError};
use super::extract::{Body, InPath, InQuery, Parsed};
use super::idempotency::{Created, Idempotency};
use super::openapi::{ChangeProblems, Problems};

const MANAGE: Scope = Scope::EmbeddedManage;
const SHORTEST: Duration = Duration::from_mins(1);
const DEFAULT: Duration = Duration::from_hours(24);

impl Resource for ConnectLink {
    fn environment(&self) -> Environment {
        self.environment
    }
}

/// Which connect links.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConnectLinksQuery {
    /// The environment. Required.
    environment: Environment,
    /// Those of this customer.
    customer: Option<Customer>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// The most links of a page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u8>,
}

/// A new connect link. It names exactly one of: a template, a connection, or a provider with a connection type.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConnectLink {
    /// Its environment.
    environment: Environment,
    /// The customer that it is for.
    customer: Customer,
    /// The exposed template under which the customer connects, or changes what they connected.
    template: Option<ConnectionId>,
    /// A connection that the customer has, to enter its values again or to authorize it again.
    connection: Option<ConnectionId>,
    /// The provider of a connection that stands alone; with `connection_type`.
    #[schema(example = "slack")]
    provider: Option<String>,
    /// The connection type of a connection that stands alone; with `provider`.
    #[schema(example = "incoming_webhook")]
    connection_type: Option<String>,
    /// How long it can be redeemed, in seconds.
    #[schema(minimum = 60, maximum = 604_800, default = 86_400)]
    expires_in: Option<u32>,
}

/// A connect link, without what redeems it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectLink)]
pub struct ConnectLinkView {
    /// Its id.
    id: ConnectLinkId,
    /// Its environment.
    environment: Environment,
    /// The customer that it is for.
    #[schema(value_type = String)]
    customer: Customer,
    /// The provider of what it connects.
    provider: String,
    /// The connection type of what it connects.
    connection_type: String,
    /// The template that it connects under.
    template: Option<ConnectionId>,
    /// The connection of the customer that it is for.
    connection: Option<ConnectionId>,
    /// When it was created.
    created_at: Timestamp,
    /// Who created it.
    created_by: Actor,
    /// Until when it can be redeemed.
    expires_at: Timestamp,
    /// When it was redeemed; it is not a second time.
    used_at: Option<Timestamp>,
}

/// A connect link with its URL, shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedConnectLink {
    /// What the customer opens; shown this once. The token stands in the fragment, which browsers send to no server.
    #[schema(example = "https://keyfob.example.com/embed/#kl_…")]
    url: String,
    /// The link.
    #[serde(flatten)]
    link: ConnectLinkView,
}

impl From<ConnectLink> for ConnectLinkView {
    fn from(link: ConnectLink) -> Self {
        let ConnectLink { id, environment, customer, provider, connection_type, template, connection, .. } = link;
        let ConnectLink { created_at, created_by, expires_at, used_at, .. } = link;
        Self {
            id,
            environment,
            customer,
            provider,
            connection_type,
            template,
            connection,
            created_at,
            created_by,
            expires_at,
            used_at,
        }
    }
}

/// GET /v1/connect-links
///
/// Lists the connect links of an environment, newest first: those that can be redeemed, and for a month those that were or that
/// ran out.
#[utoipa::path(
    get, path = "/v1/connect-links", tag = "Embedded", params(ConnectLinksQuery),
    responses((status = 200, description = "A page", body = Page<ConnectLinkView>), Problems)
)]
pub async fn list_connect_links(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<ConnectLinksQuery>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let limit = claim.accept(&app, cursor::limit(query.limit)).await?;
    let below = claim.accept(&app, query.cursor.as_deref().map(cursor::decode::<ConnectLinkId>).transpose()).await?;
    let rows = u64::try_from(limit).unwrap_or(0) + 1;
    let wanted = connect_links::list((query.environment, query.customer.as_ref()), below.as_ref(), rows);
    let (who, found) = claim.load(&app, wanted).await?;
    who.authorize_in(MANAGE, query.environment)?;
    let page = Page::cut(found, limit, |link| cursor::encode(&link.id), ConnectLinkView::from);
    Ok(answer::json(StatusCode::OK, &page))
}

/// POST /v1/connect-links
///
/// Creates a link with which one customer connects one account, for an e-mail or a button of your product. Whoever opens it
/// first is the customer: send it to nobody else.
#[utoipa::path(
    post, path = "/v1/connect-links", tag = "Embedded", request_body = CreateConnectLink,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repeated request safe.")),
    responses((status = 201, description = "The link with its URL", body = CreatedConnectLink), ChangeProblems)
)]
pub async fn create_connect_link(
    app: App,
    claim: Claim,
    idempotency: Parsed<Idempotency>,
    body: Parsed<Body<CreateConnectLink>>,
) -> Result<Response, ApiError> {
    let idempotency = claim.accept(&app, idempotency).await?;
    let Body { value: body, bytes } = claim.accept(&app, body).await?;
    let named = body.template.as_ref().or(body.connection.as_ref());
    let named = named.map_or_else(|| nothing().map(|()| None), sources::find);
    let (who, (answered, named)) = claim.load(&app, idempotency.find(&claim).and(named)).await?;
    who.authorize_in(MANAGE, body.environment)?;
    let ring = app.ring()?;
    if let Some(response) = idempotency.replay(ring, &bytes, answered)? {
        return Ok(response);
    }
    let lives = lifetime(body.expires_in)?;
    let (provider, connection_type) = target(&body, named.map(|found| found.connection))?;
    let origin = claim.own_origin().ok_or_else(|| ApiError::Internal("the request names no host".to_owned()))?;
    let now = app.now();
    let link = ConnectLink {
        id: ConnectLinkId::new(now, app.random()),
        environment: body.environment,
        customer: body.customer,
        provider,
        connection_type,
        template: body.template,
        connection: body.connection,
        created_at: now,
        created_by: who.actor.clone(),
        expires_at: now + lives,
        used_at: None,
    };
    let token = Token::new_link(&*app.random);
    let mut commit = audited::begin(&app, &who.actor, entry(AuditAction::ConnectLinkCreated, &link))?;
    commit.push(connect_links::insert(&link, token.hash.as_str()));
    let id = link.id.to_string();
    let url = format!("{origin}/embed/#{}", token.token.as_str());
    let body = serde_json::to_string(&CreatedConnectLink { url, link: link.into() }).unwrap_or_default();
    idempotency.commit((&app, &claim, ring), &bytes, commit, Created { id, body, shows_secret: true }).await
}

fn lifetime(asked: Option<u32>) -> Result<Duration, ApiError> {
    let lives = asked.map_or(DEFAULT, |seconds| Duration::from_secs(seconds.into()));
    let fits = (SHORTEST..=LONGEST).contains(&lives);
    if fits { Ok(lives) } else { Err(ApiError::invalid("/expires_in", "Expected 60 to 604800 seconds: a week.")) }
}

/// The provider and connection type of what a link connects.
///
/// # Errors
/// 422 when it names none or several, or what is not offered to this customer.
fn target(body: &CreateConnectLink, named: Option<Connection>) -> Result<(String, String), ApiError> {
    let refuse = |pointer, detail| Err(ApiError::invalid(pointer, detail));
    let named = named.filter(|connection| connection.environment == body.environment);
    let of = |connection: Connection| (connection.provider, connection.connection_type);
    match (&body.template, &body.connection, &body.provider, &body.connection_type) {
        (Some(_), None, None, None) => match named.filter(is_offered) {
            Some(template) => Ok(of(template)),
            None => refuse(
                "/template",
                "There is no template of this environment that is enabled, exposed and for customers to fill.",
            ),
        },
        (None, Some(_), None, None) => match named.filter(|connection| is_theirs(connection, &body.customer)) {
            Some(connection) => Ok(of(connection)),
            None => refuse("/connection", "There is no connection of this customer that they may change."),
        },
        (None, None, Some(provider), Some(key)) => alone(provider, key),
        _ => refuse("", "Expected exactly one of `template`, `connection`, or `provider` with `connection_type`."),
    }
}

fn is_theirs(connection: &Connection, customer: &Customer) -> bool {
    connection.owner.customer.as_ref() == Some(customer)
        && connection.owner.supplied_by != Some(SuppliedBy::Organization)
}

fn alone(provider: &str, key: &str) -> Result<(String, String), ApiError> {
    let catalog = Catalog::embedded();
    let unknown = |pointer, detail: &str| Err(ApiError::InvalidBody(vec![ValueError::new(pointer, "unknown", detail)]));
    if catalog.provider(provider).is_none() {
        return unknown("/provider", "There is no such provider.");
    }
    if catalog.connection_type(provider, key).is_none() {
        return unknown("/connection_type", "This provider has no such type.");
    }
    Ok((provider.to_owned(), key.to_owned()))
}

fn entry(action: AuditAction, link: &ConnectLink) -> audited::Entry {
    audited::Entry {
        environment: Some(link.environment),
        action,
        resource_id: link.id.to_string(),
        detail: json!({
            "customer": link.customer, "provider": link.provider, "connection_type": link.connection_type,
            "template": link.template, "connection": link.connection,
        }),
    }
}

/// DELETE /v1/connect-links/{id}
///
/// Revokes a connect link: it is not redeemed any more, and the session that it was redeemed for ends at once.
#[utoipa::path(
    delete, path = "/v1/connect-links/{id}", tag = "Embedded", params(("id" = ConnectLinkId, Path)),
    responses((status = 204, description = "Revoked"), ChangeProblems)
)]
pub async fn delete_connect_link(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectLinkId>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let (who, found) = claim.load(&app, connect_links::find(&id)).await?;
    let link = who.authorize(MANAGE, found)?;
    let mut commit = audited::begin(&app, &who.actor, entry(AuditAction::ConnectLinkDeleted, &link))?;
    commit.push(connect_links::delete(&id));
    commit.run(&*app.database).await?;
    Ok(answer::no_content())
}
