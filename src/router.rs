//! The whole API, one line a route, grouped by resource.

use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, options, patch, post, put};
use axum::{Router, middleware};

use crate::api::connections::{
    authorize, bulk, copy, create, credentials, history, list, plan, replace, report, reveal, test, test_credentials,
    update,
};
use crate::api::embedded::{builder, cors, drafts, exchange, origins, own, page, redemptions, sessions};
use crate::api::transfer::{export, import};
use crate::api::{
    api_keys, audit_events, audit_verification, connect_links, connections, customers, embedded, keys, oauth, observe,
    providers, session, signing_keys, usages, webhooks,
};
use crate::app::App;

/// The largest body that is read: 1 MiB.
pub const MAX_BODY: usize = 1 << 20;

/// Makes the router of an isolate.
pub fn router(app: App) -> Router {
    Router::new()
        // Providers
        .route("/v1/providers", get(providers::list_providers))
        .route("/v1/providers/{provider}", get(providers::find_provider))
        // Connections
        .route("/v1/connections", get(list::list_connections).post(create::create_connection))
        .route("/v1/connections/facets", get(list::count_facets))
        .route("/v1/connections/plan", post(plan::plan_connection))
        .route("/v1/connections/bulk", post(bulk::change_connections))
        .route(
            "/v1/connections/{id}",
            get(list::find_connection).patch(update::update_connection).delete(connections::delete::delete_connection),
        )
        .route(
            "/v1/connections/{id}/test-credentials",
            patch(test_credentials::update_test_credentials).delete(test_credentials::delete_test_credentials),
        )
        .merge(authorizations())
        // Tests
        .route("/v1/tests", post(test::test_draft))
        .route("/v1/connections/{id}/tests", get(test::list_tests).post(test::create_test))
        // History
        .route("/v1/connections/{id}/revisions", get(history::list_revisions))
        .route("/v1/connections/{id}/revisions/{number}", get(history::find_revision))
        .route("/v1/connections/{id}/revisions/{number}/restore", post(history::restore_revision))
        .route("/v1/connections/{id}/events", get(history::list_events))
        // Credentials
        .route("/v1/connections/{id}/reveal", post(reveal::reveal_secrets))
        .route("/v1/connections/{id}/credentials", get(credentials::resolve_credentials))
        .route("/v1/credentials", get(credentials::resolve_credentials_by_key))
        .route("/v1/connections/{id}/reports", post(report::report_refusal))
        // Usages
        .route("/v1/usages", get(usages::list_usages))
        .route("/v1/connections/{id}/usages", get(usages::list_connection_usages))
        .route("/v1/connections/{id}/usages/{workflow}/{step}", put(usages::put_usage).delete(usages::delete_usage))
        .route("/v1/connections/{id}/replace", post(replace::replace_usages))
        // Customers
        .route("/v1/customers", get(customers::list_customers))
        .route("/v1/customers/{customer}", get(customers::find_customer).delete(customers::delete_customer))
        // Export and import
        .route("/v1/connections/{id}/copy", post(copy::copy_connection))
        .route("/v1/export", get(export::export_definitions))
        .route("/v1/import", post(import::import_definitions))
        // API keys
        .route("/v1/api-keys", get(api_keys::list_api_keys).post(api_keys::create_api_key))
        .route("/v1/api-keys/{id}", delete(api_keys::revoke_api_key))
        // People
        .route(
            "/v1/session",
            get(session::find_dashboard_session)
                .post(session::create_dashboard_session)
                .delete(session::delete_dashboard_session),
        )
        .merge(webhook_routes())
        .merge(embedded_servers())
        .merge(embedded_pages())
        .route("/embed/", get(page::show_picker))
        // Master keys
        .route("/v1/keys", get(keys::list_keys))
        .route("/v1/keys/rewrap", post(keys::rewrap_keys))
        // Audit log
        .route("/v1/audit-events", get(audit_events::list_audit_events))
        .route("/v1/audit-events/verification", get(audit_verification::verify_audit_events))
        // Operation
        .route("/healthz", get(observe::health))
        .fallback(observe::not_found)
        .method_not_allowed_fallback(observe::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .route_layer(middleware::from_fn(observe::note_route))
        .layer(middleware::from_fn_with_state(app, observe::observe))
}

/// Webhooks.
fn webhook_routes() -> Router {
    Router::new()
        .route("/v1/webhooks", get(webhooks::list_webhooks).post(webhooks::create_webhook))
        .route("/v1/webhooks/{id}", delete(webhooks::delete_webhook))
        .route("/v1/webhooks/{id}/deliveries", get(webhooks::list_deliveries))
}

/// Authorizations, and what a person's browser asks meanwhile.
fn authorizations() -> Router {
    Router::new()
        .route("/v1/connections/{id}/authorizations", post(authorize::create_authorization))
        .route("/v1/connections/{id}/authorizations/{authorization}", get(authorize::find_authorization))
        .route("/oauth/start/{ticket}", get(oauth::start::start_authorization))
        .route("/oauth/callback", get(oauth::callback::finish_authorization))
}

/// Embedded: what servers manage, and what the page behind a connect link redeems.
fn embedded_servers() -> Router {
    Router::new()
        .route("/v1/embedded/sessions", post(sessions::create_session).delete(sessions::end_sessions))
        .route("/v1/embedded/origins", get(origins::list_origins).post(origins::create_origin))
        .route("/v1/embedded/origins/{id}", delete(origins::delete_origin))
        .route("/v1/signing-keys", get(signing_keys::list_signing_keys).post(signing_keys::create_signing_key))
        .route("/v1/signing-keys/{id}", delete(signing_keys::delete_signing_key))
        // Connect links
        .route("/v1/connect-links", get(connect_links::list_connect_links).post(connect_links::create_connect_link))
        .route("/v1/connect-links/{id}", delete(connect_links::delete_connect_link))
        .route("/v1/embedded/connect-links/redemptions", post(redemptions::redeem_link))
}

/// Embedded: what pages of registered origins ask.
fn embedded_pages() -> Router {
    Router::new()
        .route("/v1/embedded/session", get(embedded::session::find_session).options(cors::preflight))
        .route("/v1/embedded/providers", get(embedded::providers::list_providers))
        .route("/v1/embedded/providers/{provider}", get(embedded::providers::find_provider))
        .route(
            "/v1/embedded/connections",
            get(embedded::connections::list_connections).post(own::create_connection).options(cors::preflight),
        )
        .route(
            "/v1/embedded/connections/{id}",
            get(own::find_connection)
                .patch(own::update_connection)
                .delete(own::delete_connection)
                .options(cors::preflight),
        )
        .route("/v1/embedded/tests", post(drafts::test_draft).options(cors::preflight))
        .route("/v1/embedded/connections/{id}/tests", post(own::create_test).options(cors::preflight))
        .route(
            "/v1/embedded/connections/{id}/test-credentials",
            patch(builder::update_test_credentials).delete(builder::delete_test_credentials).options(cors::preflight),
        )
        .route("/v1/embedded/connections/{id}/replace", post(builder::replace_usages).options(cors::preflight))
        .route(
            "/v1/embedded/connections/{id}/authorizations",
            post(embedded::authorize::create_authorization).options(cors::preflight),
        )
        .route(
            "/v1/embedded/connections/{id}/authorizations/{authorization}",
            get(embedded::authorize::find_authorization).options(cors::preflight),
        )
        .route("/v1/embedded/providers", options(cors::preflight))
        .route("/v1/embedded/providers/{provider}", options(cors::preflight))
        .route("/v1/embedded/sessions/exchange", post(exchange::exchange_token).options(cors::preflight))
        .route_layer(middleware::from_fn(cors::allow_registered))
}
