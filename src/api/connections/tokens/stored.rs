//! New tokens are sealed and stored, under the number after those that they replace.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::api::connections::effective;
use crate::api::connections::values;
use crate::api::error::ApiError;
use crate::catalog::destinations::destinations;
use crate::catalog::file::Grant;
use crate::domain::origin::Origin;
use crate::domain::time::Timestamp;
use crate::domain::tokens::HeldTokens;
use crate::domain::values::Secrets;
use crate::oauth::{self, Tokens};
use crate::ports::{DatabaseError, Statement};
use crate::store::tokens::TokensRow;
use crate::store::{secrets, tokens, vault_entries};
use crate::vault::{Context, Purpose, Sealed};

use super::{Fresh, LOOK, Subject, copy};

/// Tokens are renewed so long before they end, or a fifth of their life where that is less.
const MARGIN: Duration = Duration::from_mins(5);
/// How often storing new tokens is tried: what they replaced may be spent.
const STORING: u32 = 5;

impl Subject<'_> {
    /// Stores new tokens, and what goes with them; none where somebody else stored some under this number.
    ///
    /// # Errors
    /// When the storage failed, or the connection is deleted.
    pub async fn store(
        &self,
        obtained: &Tokens,
        (generation, previous_until): (u64, Option<Timestamp>),
        along: Vec<Statement>,
    ) -> Result<Option<Fresh>, ApiError> {
        let (app, owner) = (self.app, self.owner());
        let destinations = self.destinations_of(&obtained.secrets)?;
        let held = HeldTokens { previous_until, ..self.held(obtained, generation) };
        let context = Context {
            environment: self.connection().environment,
            owner_id: owner.clone(),
            purpose: Purpose::Tokens,
            number: generation,
            destinations: destinations.clone(),
        };
        let sealed = self.seal(context, &obtained.secrets).await?;
        for attempt in 1..=STORING {
            let mut statements = vec![vault_entries::insert(&sealed, app.now()), vault_entries::check_key(self.ring)];
            statements.push(tokens::put(&owner, &self.connection().id, &held));
            statements.extend(tokens::forget_before(&owner, generation, secrets::garbage_due(app.now())));
            statements.extend(along.clone());
            let Err(error) = app.database.batch(statements).await else { break };
            // Its answer may have been lost, and then our own row is there.
            let found = tokens::find(&owner).run(&*app.database).await;
            let is_ours = |row: &TokensRow| row.entry.as_ref().is_some_and(|it| it.vault_ref == sealed.vault_ref);
            match (found, error) {
                (Ok(Some(row)), _) if is_ours(&row) => break,
                (Ok(Some(row)), DatabaseError::Unique(_)) if row.held.generation >= generation => {
                    values::leave_blob(app, Some(&sealed)).await;
                    return Ok(None);
                }
                (_, DatabaseError::Failed(message)) if message.contains(tokens::DELETED) => {
                    values::leave_blob(app, Some(&sealed)).await;
                    return Err(ApiError::NotFound);
                }
                (_, error) if attempt == STORING => {
                    values::leave_blob(app, Some(&sealed)).await;
                    return Err(ApiError::StorageUnavailable(error.to_string()));
                }
                _ => app.clock.sleep(LOOK * (1 << attempt)).await,
            }
        }
        Ok(Some(Fresh { secrets: copy(&obtained.secrets), destinations, held }))
    }

    /// Seals tokens, and stores the blob: more than once if need be, for what they replaced may be spent.
    async fn seal(&self, context: Context, secrets: &Secrets) -> Result<Sealed, ApiError> {
        let mut sealed = values::seal(self.app, self.ring, context.clone(), secrets).await;
        for attempt in 1..STORING {
            if !matches!(sealed, Err(ApiError::StorageUnavailable(_))) {
                break;
            }
            self.app.clock.sleep(LOOK * (1 << attempt)).await;
            sealed = values::seal(self.app, self.ring, context.clone(), secrets).await;
        }
        sealed
    }

    /// Where requests with these tokens go.
    fn destinations_of(&self, tokens: &Secrets) -> Result<BTreeSet<Origin>, ApiError> {
        let own = self.secrets.0.iter().chain(&tokens.0).map(|(name, secret)| (name.clone(), secret.copy()));
        let all: Secrets = own.collect();
        let found = destinations(self.connection_type, self.settings, &all).map_err(|_| effective::INCOMPLETE)?;
        values::check_destinations(self.app, self.connection_type, &found).map_err(ApiError::InvalidBody)?;
        Ok(found)
    }

    fn held(&self, obtained: &Tokens, generation: u64) -> HeldTokens {
        let now = self.app.now();
        let granted = obtained.scopes.clone().unwrap_or_else(|| self.client.scopes.clone());
        let is_code = self.file.grant == Grant::AuthorizationCode;
        let due = |lifetime: Duration| now + lifetime.saturating_sub((lifetime / 5).min(MARGIN));
        let is_renewable = obtained.is_renewable() || !is_code;
        HeldTokens {
            generation,
            basis: self.basis.clone(),
            token_type: obtained.token_type.clone(),
            missing_scopes: oauth::missing_scopes(&self.client, &granted),
            granted_scopes: granted,
            is_renewable,
            obtained_at: now,
            expires_at: obtained.lifetime.map(|lifetime| now + lifetime),
            renew_at: obtained.lifetime.filter(|_| is_renewable).map(due),
            ..HeldTokens::default()
        }
    }
}
