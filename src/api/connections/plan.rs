//! `POST /v1/connections/plan`: the dialogue that creates a connection, as an answer: which fields are asked of whom.

use std::collections::BTreeSet;

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::answer;
use crate::api::claim::Claim;
use crate::api::error::ApiError;
use crate::api::extract::{Body, Parsed};
use crate::api::openapi::ChangeProblems;
use crate::app::App;
use crate::catalog::file::VisibleWhen;
use crate::catalog::provider::Field;
use crate::domain::connection::{Connection, Kind, SuppliedBy};
use crate::domain::environment::Environment;
use crate::domain::id::ConnectionId;
use crate::domain::scope::Scope;
use crate::store::{connections, nothing};

use super::create::organization;
use super::whose::{Settled, Whose};

/// What is to be created.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanConnection {
    /// The environment that it will belong to.
    environment: Environment,
    /// Whose credentials it will hold.
    #[serde(default = "organization")]
    #[schema(default = "organization")]
    kind: Kind,
    /// The key of its provider; may be left out under a template.
    #[schema(example = "slack")]
    provider: Option<String>,
    /// The key of its connection type; may be left out under a template.
    #[schema(example = "incoming_webhook")]
    connection_type: Option<String>,
    /// The template that a customer's connection will stand under.
    template: Option<ConnectionId>,
    /// Of a template: who enters what each customer has of its own.
    supplied_by: Option<SuppliedBy>,
    /// Of a template: the fields of which each customer has values of its own.
    customer_fields: Option<BTreeSet<String>>,
}

/// Which fields are asked of whom.
#[derive(Serialize, ToSchema)]
pub struct Plan {
    /// Whose credentials it will hold.
    kind: Kind,
    /// The key of its provider.
    provider: String,
    /// The key of its connection type.
    connection_type: &'static str,
    /// Who enters what each customer has of its own; null where that is nothing.
    supplied_by: Option<SuppliedBy>,
    /// The fields, in the order of the form.
    fields: Vec<PlannedField>,
    /// Whether there may be test credentials.
    test_credentials: TestPlan,
}

/// A field, and who is asked for it.
#[derive(Serialize, ToSchema)]
pub struct PlannedField {
    /// Its key.
    key: &'static str,
    /// Its name for people.
    label: &'static str,
    /// Whether its value is a secret.
    secret: bool,
    /// Whether it is needed, while it is shown.
    required: bool,
    /// When it is shown at all; always, where null.
    visible_when: Option<&'static VisibleWhen>,
    /// Who is asked for it; nobody where the template has it.
    asked_of: Option<SuppliedBy>,
    /// When.
    asked: Asked,
}

/// When a field is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// When the connection is created.
    Now,
    /// For each customer that connects.
    ForEachCustomer,
    /// Never: the template has the value.
    Never,
}

/// Whether a connection may have test credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestPlan {
    /// It may not.
    None,
    /// It may; without them test runs use its own values.
    Optional,
    /// Test runs are refused without them.
    Needed,
}

/// POST /v1/connections/plan
///
/// Plans a connection: from its kind, provider and type follows which fields are asked of whom, and when. Nothing is stored.
#[utoipa::path(
    post, path = "/v1/connections/plan", tag = "Connections", request_body = PlanConnection,
    responses((status = 200, description = "The plan", body = Plan), ChangeProblems)
)]
pub async fn plan_connection(app: App, claim: Claim, body: Parsed<Body<PlanConnection>>) -> Result<Response, ApiError> {
    let Body { value: body, .. } = claim.accept(&app, body).await?;
    let template = body.template.as_ref().map_or_else(|| nothing().map(|()| None), connections::find_connection);
    let (who, template) = claim.load(&app, template).await?;
    who.authorize_in(Scope::ConnectionsRead, body.environment)?;
    let whose = Whose {
        environment: body.environment,
        kind: body.kind,
        provider: body.provider,
        connection_type: body.connection_type,
        template: body.template,
        customer: None,
        supplied_by: body.supplied_by,
        customer_fields: body.customer_fields,
    };
    let settled = whose.settle(template.as_ref())?;
    Ok(answer::json(StatusCode::OK, &Plan::new(settled, template.as_ref())))
}

impl Plan {
    fn new(settled: Settled, template: Option<&Connection>) -> Self {
        let Settled { connection_type, provider, owner, definition } = settled;
        let definition = definition.as_ref().or_else(|| template.and_then(|template| template.definition.as_ref()));
        let supplied_by = owner.supplied_by;
        let asked = |field: &Field| match (definition, owner.kind) {
            (Some(definition), kind) => match (definition.customer_fields.contains(&field.key), kind) {
                (true, Kind::Template) => (supplied_by, Asked::ForEachCustomer),
                (true, _) => (supplied_by, Asked::Now),
                (false, Kind::Template) => (Some(SuppliedBy::Organization), Asked::Now),
                (false, _) => (None, Asked::Never),
            },
            (None, _) => (Some(SuppliedBy::Organization), Asked::Now),
        };
        let fields = connection_type.fields.iter().map(|field| {
            let (asked_of, asked) = asked(field);
            PlannedField {
                key: &field.key,
                label: &field.label,
                secret: field.secret,
                required: field.required,
                visible_when: field.visible_when.as_ref(),
                asked_of,
                asked,
            }
        });
        Self {
            kind: owner.kind,
            provider,
            connection_type: &connection_type.key,
            supplied_by,
            fields: fields.collect(),
            test_credentials: match owner.kind {
                Kind::Organization => TestPlan::Optional,
                Kind::Template => TestPlan::Needed,
                Kind::Customer => TestPlan::None,
            },
        }
    }
}
