//! The message that proves delivery, where nothing else does. It has a visible effect: whoever calls this asked for it.

use std::collections::BTreeSet;

use super::http::Subject;
use super::verdict::Evidence;
use super::{Finding, Means};
use crate::catalog::provider::ConnectionType;
use crate::catalog::request::Credential;
use crate::domain::origin::Origin;
use crate::domain::values::{Secrets, Settings};

/// Sends the one fixed message of a connection type; none where the type has no message.
pub async fn send_message(
    Means { egress, sign, .. }: Means<'_>,
    connection_type: &ConnectionType,
    settings: &Settings,
    secrets: &Secrets,
    destinations: &BTreeSet<Origin>,
) -> Option<Finding> {
    let message = connection_type.message.as_ref()?;
    let subject = Subject { egress, sign, connection_type, settings, secrets, destinations };
    let ruling = match subject.call(&message.call, Credential::Sent, &mut egress.deadline()).await {
        Ok(answer) => Evidence::new(&answer, &message.rules, None).judge(),
        Err(ruling) => ruling,
    };
    Some(ruling.into())
}
