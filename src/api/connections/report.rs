//! `POST /v1/connections/{id}/reports`: a workflow engine tells that a credential was refused.
//!
//! A report decides nothing. It starts a test, and the test decides; where no test exists, repeated reports make the
//! connection `unknown` / `reported`.

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::claim::Claim;
use crate::api::error::ApiError;
use crate::api::extract::{Body, InPath, Parsed};
use crate::api::limits;
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::domain::connection::{Basis, Kind};
use crate::domain::health::{Source, Verdict};
use crate::domain::id::ConnectionId;
use crate::domain::reason::Reason;
use crate::domain::scope::Scope;
use crate::probe::Finding;
use crate::store::connections;
use crate::store::sources::{self, Sources};

use super::effective::{Purpose, to_test};
use super::layers::Edits;
use super::tested::Tested;
use super::tokens::{self, Renew};
use super::view::HealthView;

/// So many reports of one revision within a day are believed where no test can decide.
const REPEATED: u64 = 3;

/// What was refused.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The revision that was used.
    revision: u64,
    /// The revision of the template whose values were used; null where there is none.
    template_revision: Option<u64>,
    /// The generation of the tokens that were used; null where there are none.
    token_generation: Option<u64>,
}

/// What a report led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The values were changed since: nothing was done.
    Superseded,
    /// The connection was tested, and the test decided.
    Tested,
    /// A report was tested a moment ago: nothing was done.
    RateLimited,
    /// There is no test that could decide: the report was counted.
    Counted,
}

/// What a report led to, and what is known of the connection now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reported {
    /// What it led to.
    outcome: Outcome,
    /// What is known now.
    health: HealthView,
}

/// POST /v1/connections/{id}/reports
///
/// Reports that the provider refused a credential. A report of an older revision is ignored.
#[utoipa::path(
    post, path = "/v1/connections/{id}/reports", tag = "Credentials", request_body = Report,
    params(("id" = ConnectionId, Path)),
    responses((status = 200, description = "What it led to", body = Reported), ChangeProblems)
)]
pub async fn report_refusal(
    app: App,
    claim: Claim,
    id: Parsed<InPath<ConnectionId>>,
    body: Parsed<Body<Report>>,
) -> Result<Response, ApiError> {
    let InPath(id) = claim.accept(&app, id).await?;
    let Body { value: report, .. } = claim.accept(&app, body).await?;
    let (who, found) = claim.load(&app, sources::find(&id)).await?;
    let sources = who.authorize(Scope::CredentialsUse, found)?;
    check(&report, &sources)?;
    let Basis { revision, template_revision, .. } = sources.basis();
    let generation = sources.tokens.as_ref().map(|tokens| tokens.held.generation);
    let is_older = report.token_generation.is_some_and(|reported| generation.is_some_and(|now| reported < now));
    let outcome = if is_older
        || (report.revision, report.template_revision.or(template_revision)) < (revision, template_revision)
    {
        Outcome::Superseded
    } else if limits::may_report_test(&app, id.as_str()).await? {
        decide(&app, &sources, report.token_generation).await?
    } else {
        Outcome::RateLimited
    };
    let now = connections::find_connection(&id).run(&*app.database).await?.unwrap_or(sources.connection);
    Ok(answer::json(StatusCode::OK, &Reported { outcome, health: (&now.health).into() }))
}

fn check(report: &Report, sources: &Sources) -> Result<(), ApiError> {
    let error = |pointer, detail| Err(ApiError::invalid(pointer, detail));
    if sources.connection.owner.kind == Kind::Template {
        return Err(ApiError::NotFound);
    }
    let Basis { revision, template_revision, .. } = sources.basis();
    if report
        .template_revision
        .is_some_and(|reported| reported == 0 || template_revision.is_none_or(|now| reported > now))
    {
        return error("/template_revision", "There is no such revision: send the one that the credentials came with.");
    }
    if report.revision == 0 || report.revision > revision {
        return error("/revision", "There is no such revision: send the one that the credentials came with.");
    }
    let generation = sources.tokens.as_ref().map(|tokens| tokens.held.generation);
    match (report.token_generation, generation) {
        (Some(_), None) => return error("/token_generation", "This connection has no tokens: leave it out."),
        (Some(reported), Some(now)) if reported == 0 || reported > now => {
            return error("/token_generation", "There are no such tokens: send what the credentials came with.");
        }
        _ => {}
    }
    Ok(())
}

async fn decide(app: &App, sources: &Sources, refused: Option<u64>) -> Result<Outcome, ApiError> {
    let (id, basis, ring) = (&sources.connection.id, sources.basis(), app.ring()?);
    let mut draft = to_test(app, ring, sources, (Purpose::Run, Edits::default())).await?;
    match limits::count_test(app, id.as_str(), draft.hosts()).await {
        Ok(()) => {}
        Err(ApiError::RateLimited(_)) => return Ok(Outcome::RateLimited),
        Err(error) => return Err(error),
    }
    // Tokens that the provider refuses before their time are renewed, and the new ones tested.
    tokens::renew(app, ring, sources, &mut draft, refused.map_or(Renew::Due, Renew::Refused)).await?;
    let mut tested = Tested::run(app, &draft, basis, Source::Report).await;
    let outcome = if tested.finding.reason == Some(Reason::NoTest) {
        if limits::count_reports(app, id.as_str(), basis.revision).await? < REPEATED {
            return Ok(Outcome::Counted);
        }
        let finding = Finding { reason: Some(Reason::Reported), verdict: Verdict::Unknown, ..tested.finding };
        tested = Tested::record(app, finding, basis, Source::Report, tested.test.at);
        Outcome::Counted
    } else {
        Outcome::Tested
    };
    tested.keep(app, id).await?;
    Ok(outcome)
}
