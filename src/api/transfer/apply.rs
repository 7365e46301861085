//! A planned import, done: blobs first, then one batch for all connections, a handful of statements whatever their number.

use futures_util::{StreamExt, stream};
use serde_json::json;

use crate::api::audited;
use crate::api::claim::Identity;
use crate::api::connections::record;
use crate::api::connections::tokens::resumed;
use crate::api::connections::values::{self, check_key};
use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::audit::AuditAction;
use crate::domain::environment::Environment;
use crate::domain::event::EventType;
use crate::ports::Statement;
use crate::store::connections::DatesChanged;
use crate::store::many::many;
use crate::store::{connections, history, templates, vault_entries};
use crate::vault::{KeyRing, Sealed};

use super::plan::{Action, Step};

/// So many blobs at once: the platform waits for six answers.
const AT_ONCE: usize = 6;

/// Does what was planned, all or nothing.
///
/// # Errors
/// 412 or 409 when something was changed meanwhile; when the master key is missing, or the storage failed.
pub async fn apply(
    app: &App,
    who: &Identity,
    (environment, part): (Environment, usize),
    key_check: Option<&str>,
    steps: &[Step],
) -> Result<(), ApiError> {
    let steps: Vec<&Step> =
        steps.iter().filter(|step| matches!(step.action, Action::Create | Action::Change)).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let ring = app.ring()?;
    check_key(ring, ring.primary_id(), key_check)?;
    let (sealed, failed) = seal(app, ring, &steps).await;
    let committed = match failed {
        Some(error) => Err(error),
        None => commit(app, who, (environment, part), (&steps, &sealed)).await,
    };
    if committed.is_err() {
        values::leave_blobs(app, sealed.iter().flatten()).await;
    }
    committed
}

/// Seals the secrets of each step that brings some, and stores their blobs.
async fn seal(app: &App, ring: &KeyRing, steps: &[&Step]) -> (Vec<Option<Sealed>>, Option<ApiError>) {
    let work = steps.iter().map(|step| async move {
        let after = &step.after;
        match &step.draft {
            Some(draft) => draft.seal(app, ring, (after.id.as_str(), after.environment, after.history.revision)).await,
            None => Ok(None),
        }
    });
    let outcomes: Vec<_> = stream::iter(work.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    let mut failed = None;
    let sealed = outcomes.into_iter().map(|outcome| {
        outcome.unwrap_or_else(|error| {
            failed = Some(error);
            None
        })
    });
    (sealed.collect(), failed)
}

async fn commit(
    app: &App,
    who: &Identity,
    (environment, part): (Environment, usize),
    (steps, sealed): (&[&Step], &[Option<Sealed>]),
) -> Result<(), ApiError> {
    let is = |action| steps.iter().filter(|step| step.action == action).count();
    let whole = audited::Entry {
        environment: Some(environment),
        action: AuditAction::DefinitionsImported,
        resource_id: environment.as_str().to_owned(),
        detail: json!({ "part": part, "created": is(Action::Create), "changed": is(Action::Change) }),
    };
    let changes = steps.iter().map(|step| {
        let event_type = if step.before.is_some() { EventType::Updated } else { EventType::Created };
        let number = step.is_revalued().then_some(step.after.history.revision);
        (event_type, (step.before.as_ref(), &step.after), number)
    });
    let mut commit = record::begin_all((app, who), Some(whole), changes)?;
    let rows = steps.iter().zip(sealed).flat_map(|(step, sealed)| statements(app, step, sealed.as_ref()));
    commit.extend(many(rows));
    commit.extend(resumed(steps.iter().filter(|step| step.is_revalued()).filter_map(|step| step.before.as_ref())));
    Ok(commit.run(&*app.database).await?)
}

/// The rows of one connection.
#[must_use]
pub fn statements(app: &App, step: &Step, sealed: Option<&Sealed>) -> Vec<Statement> {
    let mut after = step.after.clone();
    if let Some(sealed) = sealed {
        after.values.secrets_revision = Some(sealed.context.number);
    } else if step.draft.is_some() {
        after.values.secrets_revision = None;
    }
    if !step.is_revalued() {
        return vec![connections::update_label(&after, DatesChanged::default())];
    }
    // An expiry that was of other secrets goes with them; a definition says none.
    let dates = DatesChanged { expires_at: values::is_any_changed(&step.secret_changes), rotate_by: false };
    let row = if step.before.is_some() { connections::update(&after, dates) } else { connections::insert(&after) };
    let revision = values::revision(&after, step.secret_changes.clone(), None, None);
    let revision = history::insert_revision(&after.id, &revision);
    let entry = sealed.map(|sealed| vault_entries::insert(sealed, app.now()));
    guards(app, step).into_iter().chain([row, revision]).chain(entry).collect()
}

/// What comes before the rows of a connection, and may abort them: what its values go with, and what follows from them.
fn guards(app: &App, step: &Step) -> Vec<Statement> {
    let template = step.template.as_ref().map(|(id, revision)| (id, *revision));
    match &step.before {
        Some(before) => step.consequence.statements(app, before, template),
        None => template.map(|(id, revision)| templates::expect_revision(id, revision)).into_iter().collect(),
    }
}
