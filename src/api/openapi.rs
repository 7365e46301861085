//! The OpenAPI document, made from the types and handlers; `docs/openapi.json` is its committed copy.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{IntoResponses, Modify, OpenApi};

use super::claim::SESSION_COOKIE;
use super::connections::{
    authorize, bulk, copy, create, credentials, delete, history, list, plan, replace, report, reveal, test,
    test_credentials, update,
};
use super::embedded::{
    authorize as embedded_authorize, builder, connections, drafts, exchange, origins, own, page,
    providers as embedded_providers, redemptions, session as embedded_session, sessions,
};
use super::error::Problem;
use super::oauth::{callback, start};
use super::transfer::{export, import};
use super::{
    api_keys, audit_events, audit_verification, connect_links, customers, keys, observe, providers, session,
    signing_keys, usages, webhooks,
};

/// The whole API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Keyfob",
        description = "Keeps the connections of an integration platform: credentials and settings, encrypted, tested, at the edge.",
    ),
    paths(
        providers::list_providers, providers::find_provider,
        list::list_connections, list::count_facets, create::create_connection,
        plan::plan_connection, bulk::change_connections, list::find_connection, update::update_connection, delete::delete_connection,
        test_credentials::update_test_credentials, test_credentials::delete_test_credentials,
        authorize::create_authorization, authorize::find_authorization,
        start::start_authorization, callback::finish_authorization,
        test::test_draft, test::list_tests, test::create_test,
        history::list_revisions, history::find_revision, history::restore_revision, history::list_events,
        reveal::reveal_secrets, credentials::resolve_credentials, credentials::resolve_credentials_by_key,
        report::report_refusal,
        usages::list_usages, usages::list_connection_usages, usages::put_usage, usages::delete_usage,
        replace::replace_usages,
        customers::list_customers, customers::find_customer, customers::delete_customer,
        copy::copy_connection, export::export_definitions, import::import_definitions,
        api_keys::list_api_keys, api_keys::create_api_key, api_keys::revoke_api_key,
        session::find_dashboard_session, session::create_dashboard_session, session::delete_dashboard_session,
        sessions::create_session, sessions::end_sessions, exchange::exchange_token,
        signing_keys::list_signing_keys, signing_keys::create_signing_key, signing_keys::delete_signing_key,
        connect_links::list_connect_links, connect_links::create_connect_link, connect_links::delete_connect_link,
        redemptions::redeem_link,
        origins::list_origins, origins::create_origin, origins::delete_origin,
        embedded_providers::list_providers, embedded_providers::find_provider, connections::list_connections,
        own::create_connection, own::find_connection, own::update_connection, own::delete_connection, own::create_test,
        drafts::test_draft, builder::update_test_credentials, builder::delete_test_credentials, builder::replace_usages,
        embedded_authorize::create_authorization, embedded_authorize::find_authorization,
        embedded_session::find_session, page::show_picker,
        keys::list_keys, keys::rewrap_keys,
        webhooks::list_webhooks, webhooks::create_webhook, webhooks::delete_webhook, webhooks::list_deliveries,
        audit_events::list_audit_events, audit_verification::verify_audit_events,
        observe::health,
    ),
    modifiers(&Keys, &Summaries),
    security(("key" = []), ("session" = [])),
    tags(
        (name = "Providers", description = "The catalogue: what can be connected, and how."),
        (name = "Connections", description = "Connections, their lists and facets."),
        (name = "Authorization", description = "What a person's browser asks while it authorizes a connection: pages."),
        (name = "Tests", description = "Tests harm nothing. A failed test is a result, not an error."),
        (name = "History", description = "Revisions of values, and events."),
        (name = "Credentials", description = "What workflows resolve, and what people reveal."),
        (name = "Usages", description = "Which steps of workflows use which connection, and giving them another one."),
        (name = "Customers", description = "The customers that have connections."),
        (name = "Transfer", description = "Definitions between environments and deployments, and moving in."),
        (name = "API keys", description = "Who may do what, where."),
        (name = "People", description = "Who is signed in to the dashboard."),
        (name = "Embedded", description = "Sessions and origins, which servers manage, and what pages read."),
        (name = "Master keys", description = "What rests under which master key, and how to rotate them."),
        (name = "Webhooks", description = "Endpoints that are told when a status changes or a date comes near."),
        (name = "Audit log", description = "Who did what to which resource, when."),
        (name = "Operation", description = "For those who run it."),
    )
)]
pub struct Document;

/// How callers authenticate.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key (`kf_…`), or the token of an embedded session (`ks_…`)."))
            .build();
        let cookie = ApiKeyValue::with_description(
            SESSION_COOKIE,
            "A session of the dashboard. A request that changes something has to come from a page of this Keyfob (`Origin`).",
        );
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// The comment of a handler begins with its method and path, which the document says already: the first sentence that
/// follows is what a list of operations shows.
struct Summaries;

impl Modify for Summaries {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let description = operation.description.clone().unwrap_or_default();
                let sentence = description.split_inclusive('.').next().unwrap_or_default();
                operation.summary = Some(sentence.trim_end_matches('.').to_owned());
            }
        }
    }
}

/// What any request may be answered with.
#[derive(IntoResponses)]
pub enum Problems {
    /// A parameter or header is wrong (`invalid_query`, `invalid_cursor`, `invalid_header`, `invalid_json`).
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No valid key (`unauthorized`).
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The key may not do this (`missing_scope`, `environment_not_allowed`, `key_required`, `session_required`,
    /// `builder_required`, `not_own`, `foreign_origin`).
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is nothing here that the caller may see (`not_found`); where credentials are resolved by a name, what is missing
    /// (`stable_key_not_found`, `step_not_found`, `customer_not_connected`).
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// Too often (`rate_limited`, `too_many_failures`); `Retry-After` tells when.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(Problem),
    /// A fault of Keyfob (`internal`).
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Try again (`storage_unavailable`, `secret_pending`, `access_unavailable`) or call the operator (`key_unavailable`, `misconfigured`).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What a request that changes something may be answered with, beside [`Problems`].
#[derive(IntoResponses)]
pub enum ChangeProblems {
    /// A parameter or header is wrong (`invalid_query`, `invalid_cursor`, `invalid_header`, `invalid_json`).
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// No valid key (`unauthorized`).
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The key may not do this (`missing_scope`, `environment_not_allowed`, `key_required`, `grant_exceeded`,
    /// `foreign_origin`).
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is nothing here that the caller may see (`not_found`).
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// It stands against something that exists (`stable_key_taken`, `already_created`, `revision_incompatible` …).
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// Somebody else changed it since it was read (`version_mismatch`).
    #[response(status = 412, content_type = "application/problem+json")]
    PreconditionFailed(Problem),
    /// The body is over 1 MiB (`body_too_large`).
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not announced as JSON (`unsupported_media_type`).
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem),
    /// Values are wrong, each with a pointer (`invalid_body`), or `idempotency_key_reused`.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// The change needs `If-Match` (`if_match_required`).
    #[response(status = 428, content_type = "application/problem+json")]
    PreconditionRequired(Problem),
    /// Too often (`rate_limited`, `too_many_failures`); `Retry-After` tells when.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(Problem),
    /// A fault of Keyfob (`internal`).
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Try again (`storage_unavailable`, `secret_pending`, `access_unavailable`) or call the operator (`key_unavailable`, `misconfigured`).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What a page that anybody may open is answered with where it is not shown.
#[derive(IntoResponses)]
pub enum PageProblems {
    /// A fault of Keyfob (`internal`).
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Try again (`storage_unavailable`).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What a request that proves itself by what stands in its body may be answered with.
#[derive(IntoResponses)]
pub enum ExchangeProblems {
    /// The body is not JSON (`invalid_json`).
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// It does not hold, for whatever reason (`unauthorized`); the log of this Keyfob says why.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The page is of an origin that is not registered (`origin_not_registered`).
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// It was exchanged before (`token_used`).
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// The body is over 1 MiB (`body_too_large`).
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not announced as JSON (`unsupported_media_type`).
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem),
    /// It holds, and says what it must not (`invalid_body`).
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
    /// Too many that did not hold (`too_many_failures`); `Retry-After` tells when.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyRequests(Problem),
    /// A fault of Keyfob (`internal`).
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// Try again (`storage_unavailable`) or call the operator (`key_unavailable`).
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}
