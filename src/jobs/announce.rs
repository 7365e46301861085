//! Writes the messages of coming expiries and rotations into the outbox: once for each connection and date, as soon as the date
//! lies within the horizon and an endpoint of the environment asks for it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::error::ApiError;
use crate::app::App;
use crate::domain::environment::Environment;
use crate::domain::webhook::{Occasion, Webhook};
use crate::store::webhooks::{self, Span};

use super::Done;

/// A date that passed longer ago is not told any more: whoever registers an endpoint wants news.
const STALE: Duration = Duration::from_hours(24);

/// Announces a hundred of each kind and environment at most; the next tick goes on.
///
/// # Errors
/// When the storage failed.
pub(super) async fn run(app: &App) -> Result<Done, ApiError> {
    let listening = webhooks::list_enabled().run(&*app.database).await?;
    let span = Span { since: app.now() - STALE, until: app.now() + app.config.horizon };
    let (mut expiries, mut rotations) = (0, 0);
    for environment in environments(&listening, Occasion::Expiring) {
        expiries += webhooks::announce_expiries(environment, span, app.now()).run(&*app.database).await?.len();
    }
    for environment in environments(&listening, Occasion::RotationDue) {
        rotations += webhooks::announce_rotations(environment, span, app.now()).run(&*app.database).await?.len();
    }
    Ok(Done::from_iter([("expiring".to_owned(), expiries.into()), ("rotation_due".to_owned(), rotations.into())]))
}

/// The environments in which somebody wants to be told of it.
fn environments(listening: &[Webhook], of: Occasion) -> BTreeSet<Environment> {
    listening.iter().filter(|webhook| webhook.event_types.contains(&of)).map(|webhook| webhook.environment).collect()
}
