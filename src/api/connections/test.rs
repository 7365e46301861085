//! Tests: `POST /v1/tests` of a draft, `GET` and `POST /v1/connections/{id}/tests` of a stored connection.
//!
//! A failed test is a result, not an error.

use std::collections::BTreeMap;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::answer::{self, Page};
use crate::api::claim::{Claim, Identity};
use crate::api::cursor::{self, PageQuery};
use crate::api::error::ApiError;
use crate::api::extract::{Body, InPath, InQuery, Parsed};
use crate::api::openapi::{ChangeProblems, Problems};
use crate::api::{audited, limits};
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::connection::{Basis, Kind};
use crate::domain::environment::Environment;
use crate::domain::health::{Facts, Source, Verdict};
use crate::domain::id::{ConnectionId, TestId};
use crate::domain::reason::{self, Reason};
use crate::domain::scope::Scope;
use crate::domain::time::Timestamp;
use crate::domain::values::{Secret, Secrets, Settings};
use crate::store::connections;
use crate::store::nothing;
use crate::store::sources::{self, Sources};
use crate::store::tests::{self, Test};

use super::effective::{self, Purpose, entered};
use super::layers::Edits;
use super::tested::Tested;
use super::tokens::{self, Renew};
use super::values::Draft;
use super::whose::Whose;

/// How to test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Harming nothing, seen by nobody.
    #[default]
    Silent,
    /// By sending one fixed, labelled message that people see.
    SendMessage,
}

/// Values to test; nothing of them is stored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftTest {
    /// The environment for which they are meant.
    environment: Environment,
    /// The template that a customer's connection would stand under; its global values are used as they are.
    template: Option<ConnectionId>,
    /// The key of the provider; may be left out under a template.
    #[schema(example = "http")]
    provider: Option<String>,
    /// The key of the connection type; may be left out under a template.
    #[schema(example = "bearer")]
    connection_type: Option<String>,
    /// The settings, by field.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: Settings,
    /// The secrets, by field.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, write_only)]
    secrets: Secrets,
    /// How to test.
    #[serde(default)]
    mode: Mode,
}

/// How to test a stored connection, with which unsaved edits laid over it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredTest {
    /// Settings by field; null clears one.
    #[schema(value_type = Option<Object>)]
    pub settings: Option<BTreeMap<String, Option<Value>>>,
    /// Secrets by field; null clears one, what is left out is as stored.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>, write_only)]
    pub secrets: Option<BTreeMap<String, Option<Secret>>>,
    /// With which values: `test` lays the test credentials over those of the organization's connection. A template is always
    /// tested with them, a customer's connection never.
    #[serde(default)]
    pub purpose: Purpose,
    /// How to test.
    #[serde(default)]
    pub mode: Mode,
}

/// What a test found.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestResult {
    /// Its id, where it was a test of the stored values and is kept in their history.
    pub id: Option<TestId>,
    /// The revision that was tested, likewise.
    pub revision: Option<u64>,
    /// What was found.
    pub verdict: Verdict,
    /// Why, unless the verdict is `valid`.
    pub reason: Option<Reason>,
    /// What a person can do about it.
    pub action: reason::Action,
    /// One sentence for the person who looks at it.
    pub message: Option<&'static str>,
    /// Who asked.
    pub source: Source,
    /// When it ended.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What it learned for free: account, team, channel …
    #[schema(value_type = BTreeMap<String, String>)]
    pub facts: Facts,
}

impl TestResult {
    fn new(test: Test, facts: Facts) -> Self {
        Self {
            id: Some(test.id),
            revision: Some(test.revision),
            verdict: test.verdict,
            reason: test.reason,
            action: test.reason.map_or(reason::Action::None, Reason::action),
            message: test.reason.map(Reason::sentence),
            source: test.source,
            at: test.at,
            duration_ms: test.duration_ms,
            facts,
        }
    }

    /// The result of a test that is kept nowhere.
    fn of_draft(tested: Tested) -> Self {
        Self { id: None, revision: None, ..Self::new(tested.test, tested.finding.facts) }
    }
}

/// POST /v1/tests
///
/// Tests values before they are saved: of a connection that stands alone, or of a customer's under a template. Nothing is stored.
#[utoipa::path(
    post, path = "/v1/tests", tag = "Tests", request_body = DraftTest,
    responses((status = 200, description = "What the test found", body = TestResult), ChangeProblems)
)]
pub async fn test_draft(app: App, claim: Claim, body: Parsed<Body<DraftTest>>) -> Result<Response, ApiError> {
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let DraftTest { environment, template, provider, connection_type, settings, secrets, mode } = body;
    let wanted = template.as_ref().map_or_else(|| nothing().map(|()| None), sources::find);
    let (who, found) = claim.load(&app, wanted).await?;
    who.authorize_in(Scope::ConnectionsTest, environment)?;
    let kind = if template.is_some() { Kind::Customer } else { Kind::Organization };
    let (customer, supplied_by, customer_fields) = (None, None, None);
    let whose =
        Whose { environment, kind, provider, connection_type, template, customer, supplied_by, customer_fields };
    let settled = whose.settle(found.as_ref().map(|found| &found.connection))?;
    let draft = entered(&app, settled.connection_type, found.as_ref(), (settings, secrets)).await?;
    test_unsaved(&app, &who, environment, (&draft, mode)).await
}

/// Tests values that are not saved, for a caller who may.
///
/// # Errors
/// When there were too many tests, or the storage failed.
pub async fn test_unsaved(
    app: &App,
    who: &Identity,
    environment: Environment,
    (draft, mode): (&Draft, Mode),
) -> Result<Response, ApiError> {
    let subject = Subject { environment, id: "draft".to_owned(), bucket: format!("draft:{}", who.actor.id) };
    let nothing = Basis { revision: 0, template_revision: None, test_version: None };
    let tested = test(app, who, &subject, draft, (mode, nothing)).await?;
    Ok(answer::json(StatusCode::OK, &TestResult::of_draft(tested)))
}

/// POST /v1/connections/{id}/tests
///
/// Tests a stored connection. With edits laid over it nothing is stored; without, health and history keep the result.
#[utoipa::path(
    post, path = "/v1/connections/{id}/tests", tag = "Tests", request_body = StoredTest,
    params(("id" = ConnectionId, Path)),
    responses(
        (status = 200, description = "What the test of the edits found", body = TestResult),
        (status = 201, description = "What the test found, kept in the history", body = TestResult),
        ChangeProblems
    )
)]
pub async fn create_test(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    body: Parsed<Body<StoredTest>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let (who, found) = claim.load(&app, sources::find(&id)).await?;
    let sources = who.authorize(Scope::ConnectionsTest, found)?;
    test_stored(&app, &who, &sources, body).await
}

/// Tests a stored connection for a caller who may.
///
/// # Errors
/// When the values do not fit, there were too many tests, or the storage failed.
pub async fn test_stored(app: &App, who: &Identity, sources: &Sources, body: StoredTest) -> Result<Response, ApiError> {
    let id = &sources.connection.id;
    let kind = sources.connection.owner.kind;
    if kind == Kind::Customer && body.purpose == Purpose::Test {
        return Err(ApiError::invalid("/purpose", "A customer's connection has no test credentials: leave it out."));
    }
    // The verdict of a connection of the organization is about the values that workflows get.
    let is_of_others = kind == Kind::Organization && body.purpose == Purpose::Test;
    let is_edited = body.settings.is_some() || body.secrets.is_some();
    let edits = Edits { settings: body.settings.unwrap_or_default(), secrets: body.secrets.unwrap_or_default() };
    let ring = app.ring()?;
    let mut draft = effective::to_test(app, ring, sources, (body.purpose, edits)).await?;
    if !is_edited {
        tokens::attach(app, ring, sources, &mut draft).await?;
    } else if draft.waits_for_consent() {
        tokens::renew(app, ring, sources, &mut draft, Renew::Never).await?;
    }
    let environment = sources.connection.environment;
    let subject = Subject { environment, id: id.to_string(), bucket: id.to_string() };
    let tested = test(app, who, &subject, &draft, (body.mode, sources.basis())).await?;
    if is_edited || is_of_others {
        return Ok(answer::json(StatusCode::OK, &TestResult::of_draft(tested)));
    }
    tested.keep(app, id).await?;
    Ok(answer::json(StatusCode::CREATED, &TestResult::new(tested.test, tested.finding.facts)))
}

/// What is tested, as limits and audit name it.
struct Subject {
    environment: Environment,
    id: String,
    bucket: String,
}

async fn test(
    app: &App,
    who: &Identity,
    subject: &Subject,
    draft: &Draft,
    (mode, basis): (Mode, Basis),
) -> Result<Tested, ApiError> {
    limits::count_test(app, &subject.bucket, draft.hosts()).await?;
    if mode == Mode::Silent {
        return Ok(Tested::run(app, draft, basis, Source::Test).await);
    }
    if draft.connection_type.message.is_none() {
        return Err(ApiError::NoMessage);
    }
    limits::count_message(app, &subject.bucket).await?;
    let entry = audited::Entry {
        environment: Some(subject.environment),
        action: AuditAction::MessageSent,
        resource_id: subject.id.clone(),
        detail: json!({ "connection_type": draft.connection_type.key }),
    };
    // Audited before it is sent: what people see without a trace would be worse than a trace of nothing.
    audited::begin(app, &who.actor, entry)?.run(&*app.database).await?;
    let began = app.now();
    let finding = draft.send_message(app).await.ok_or(ApiError::NoMessage)?;
    Ok(Tested::record(app, finding, basis, Source::Message, began))
}

/// GET /v1/connections/{id}/tests
///
/// Lists the tests of a connection, the newest first.
#[utoipa::path(
    get, path = "/v1/connections/{id}/tests", tag = "Tests", params(("id" = ConnectionId, Path), PageQuery),
    responses((status = 200, description = "A page", body = Page<TestResult>), Problems)
)]
pub async fn list_tests(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    query: Parsed<InQuery<PageQuery>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let InQuery(query) = claim.accept(&app, query).await?;
    let (below, limit) = claim.accept(&app, query.parse::<(i64, TestId)>()).await?;
    let below = below.map(|(at, id)| (Timestamp::from_millis(at), id));
    let rows = u64::try_from(limit).unwrap_or(0) + 1;
    let wanted = connections::find_connection(&id).and(tests::list(&id, below.as_ref(), rows));
    let (who, (found, tests)) = claim.load(&app, wanted).await?;
    who.authorize(Scope::ConnectionsRead, found)?;
    let position = |test: &Test| cursor::encode(&(test.at.millis(), &test.id));
    let page = Page::cut(tests, limit, position, |test| TestResult::new(test, Facts::new()));
    Ok(answer::json(StatusCode::OK, &page))
}
