//! `POST /v1/embedded/tests`: values are tested before they are saved, by whom they are entered.

use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::claim::Claim;
use crate::api::connections::effective::entered;
use crate::api::connections::test::{Mode, TestResult, test_unsaved};
use crate::api::connections::values::{find_type, type_of};
use crate::api::error::ApiError;
use crate::api::extract::{Body, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::id::ConnectionId;
use crate::domain::values::{Secrets, Settings};
use crate::store::{nothing, sources};

use super::own::{Asked, check, is_offered};

/// Values to test, as a connection would be created with them; nothing of them is stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestDraft {
    /// The exposed template that the connection would stand under; its global values are used as they are.
    template: Option<ConnectionId>,
    /// The key of its provider; left out under a template.
    #[schema(example = "slack")]
    provider: Option<String>,
    /// The key of its connection type; left out under a template.
    #[schema(example = "incoming_webhook")]
    connection_type: Option<String>,
    /// The settings, by field.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Settings,
    /// The secrets, by field.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>, write_only)]
    secrets: Secrets,
}

/// POST /v1/embedded/tests
///
/// Tests values before they are saved: of a connection that stands alone, or of a customer's under an exposed template. Nothing is
/// stored.
#[utoipa::path(
    post, path = "/v1/embedded/tests", tag = "Embedded", request_body = TestDraft,
    operation_id = "test_embedded_draft",
    responses((status = 200, description = "What the test found", body = TestResult), ChangeProblems)
)]
pub async fn test_draft(app: App, claim: Claim, body: Parsed<Body<TestDraft>>) -> Result<Response, ApiError> {
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let TestDraft { template: named, provider, connection_type, settings, secrets } = body;
    let wanted = named.as_ref().map_or_else(|| nothing().map(|()| None), sources::find);
    let (who, template) = claim.load(&app, wanted).await?;
    let session = who.session()?;
    let template = template.filter(|found| is_offered(&found.connection) && session.allows(&found.connection));
    let asked = Asked {
        template: (named.is_some(), template.as_ref()),
        provider: provider.as_deref(),
        connection_type: connection_type.as_deref(),
    };
    check(session, &asked)?;
    let of = match &template {
        Some(_) if provider.is_some() || connection_type.is_some() => {
            return Err(ApiError::invalid("/provider", "The template says it: leave it out."));
        }
        Some(template) => type_of(&template.connection)?,
        None => find_type(provider.as_deref().unwrap_or_default(), connection_type.as_deref().unwrap_or_default())?,
    };
    let draft = entered(&app, of, template.as_ref(), (settings, secrets)).await?;
    test_unsaved(&app, &who, session.environment, (&draft, Mode::Silent)).await
}
