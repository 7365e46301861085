//! What a change of values has for consequences beside the connection itself: for the customers under a template, and for test
//! credentials.

use std::time::Duration;

use crate::api::error::ApiError;
use crate::app::App;
use crate::catalog::destinations::destination_fields_changed;
use crate::catalog::provider::ConnectionType;
use crate::domain::connection::Connection;
use crate::domain::id::ConnectionId;
use crate::domain::values::Settings;
use crate::ports::Statement;
use crate::store::sources::test_owner;
use crate::store::{connections, secrets, templates, vault_entries};

/// The tests of connections that a template made stale are spread over so long for each of them, so that their provider, which
/// has a limit of its own, is not overrun.
const APART: Duration = Duration::from_secs(2);
/// The shortest and the longest span of them.
const SPAN: (Duration, Duration) = (Duration::from_mins(10), Duration::from_hours(24));

/// What follows from new values.
#[derive(Clone, Copy, Default)]
pub struct Consequence {
    /// Secrets go elsewhere: customers and test credentials have theirs entered again.
    is_elsewhere: bool,
    /// Nobody agreed that customers may be affected.
    is_unforced: bool,
}

impl Consequence {
    /// Finds out what follows from new values.
    ///
    /// # Errors
    /// 409 with the number of customers that would have to enter their secrets again, unless that is forced.
    pub fn of(
        connection: &Connection,
        (of, settings): (&ConnectionType, &Settings),
        is_forced: bool,
    ) -> Result<Self, ApiError> {
        let is_elsewhere = destination_fields_changed(of, &connection.values.settings, settings);
        let customers = connection.definition.as_ref().map_or(0, |definition| definition.customer_count);
        if is_elsewhere && customers > 0 && !is_forced {
            return Err(ApiError::CustomersAffected(customers));
        }
        Ok(Self { is_elsewhere, is_unforced: !is_forced })
    }

    /// Whether secrets go elsewhere.
    #[must_use]
    pub const fn is_elsewhere(self) -> bool {
        self.is_elsewhere
    }

    /// Whether there are test credentials, and they stay.
    #[must_use]
    pub const fn keeps_test_credentials(self, before: &Connection) -> bool {
        before.test_credentials.is_some() && !self.is_elsewhere
    }

    /// Takes away what was entered for elsewhere.
    pub fn apply(self, after: &mut Connection) {
        if self.is_elsewhere {
            after.test_credentials = None;
        }
    }

    /// The statements that go with the change of a connection, given the template that it stands under and the revision of it
    /// that its values go with. They come before the change itself, which they may abort.
    #[must_use]
    pub fn statements(
        self,
        app: &App,
        connection: &Connection,
        template: Option<(&ConnectionId, u64)>,
    ) -> Vec<Statement> {
        let now = app.now();
        let mut statements = Vec::new();
        if let Some((template, revision)) = template {
            statements.push(templates::expect_revision(template, revision));
        }
        if let Some(definition) = &connection.definition {
            if self.is_elsewhere && self.is_unforced {
                statements.push(templates::expect_no_customer(&connection.id));
            }
            if self.is_elsewhere {
                statements.push(templates::require_reentry(&connection.id, now));
            }
            statements.push(templates::mark_stale(&connection.id, now, retest_span(definition.customer_count)));
        }
        if self.is_elsewhere && connection.test_credentials.is_some() {
            statements.push(connections::clear_test_credentials(&connection.id));
            statements.extend(vault_entries::delete_values(&test_owner(&connection.id), secrets::garbage_due(now)));
        }
        statements
    }
}

/// Over how long the tests of so many connections that a template made stale are spread.
#[must_use]
pub fn retest_span(customers: u64) -> Duration {
    let count = u32::try_from(customers).unwrap_or(u32::MAX);
    APART.saturating_mul(count).clamp(SPAN.0, SPAN.1)
}
