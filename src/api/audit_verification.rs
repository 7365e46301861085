//! `GET /v1/audit-events/verification`.

use axum::response::Response;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::domain::audit::{Break, Fault, SealedLog};
use crate::domain::scope::Scope;
use crate::store::chain::{self, Place};
use crate::store::checkpoints::{self, BEYOND, Extent, PART, Part};
use crate::vault::{Digest, KeyRing};

use super::answer;
use super::claim::Claim;
use super::cursor;
use super::error::ApiError;
use super::extract::{InQuery, Parsed};
use super::openapi::Problems;

/// Parts that one call verifies.
const PARTS: usize = 10;

/// Where to go on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VerificationQuery {
    /// `next_cursor` of the call before.
    cursor: Option<String>,
}

/// What a call verified.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verification {
    /// The first place where a log is not what was written; null where this call found none.
    broken: Option<Break>,
    /// How many rows this call verified.
    rows_verified: i64,
    /// How far each log is sealed.
    logs: Vec<LogView>,
    /// Pass it as `cursor` to go on; null where everything has been verified.
    next_cursor: Option<String>,
}

/// How far a log is sealed.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogView {
    /// The log.
    log: SealedLog,
    /// The last row that is sealed; 0 for none.
    sealed_up_to: i64,
    /// How many rows are not sealed yet: each shows that it is what was written, their order and the last of them do not.
    unsealed: i64,
    /// How many checkpoints there are.
    checkpoints: i64,
    /// The hash of the newest checkpoint: it vouches for every row up to there.
    head: Option<String>,
}

impl LogView {
    fn new(log: SealedLog, extent: Extent) -> Self {
        let Extent { head, newest } = extent;
        let (checkpoints, sealed_up_to) = head.as_ref().map_or((0, 0), |head| (head.number, head.last_seq));
        let unsealed = newest.saturating_sub(sealed_up_to).max(0);
        Self { log, sealed_up_to, unsealed, checkpoints, head: head.map(|head| head.hash) }
    }
}

/// A cursor: the log, and the place in it.
type Cursor = (SealedLog, i64, Digest, i64, Option<i64>);

/// GET /v1/audit-events/verification
///
/// Verifies a part of the audit log, and of the events of all connections after it: that no sealed row was changed, deleted,
/// inserted or moved. Names the first one that was, and goes on with the other log.
#[utoipa::path(
    get, path = "/v1/audit-events/verification", tag = "Audit log", params(VerificationQuery),
    responses((status = 200, description = "What was verified", body = Verification), Problems)
)]
pub async fn verify_audit_events(
    app: App,
    claim: Claim,
    query: Parsed<InQuery<VerificationQuery>>,
) -> Result<Response, ApiError> {
    let InQuery(query) = claim.accept(&app, query).await?;
    let begin: Option<Cursor> = claim.accept(&app, query.cursor.as_deref().map(cursor::decode).transpose()).await?;
    let extents = checkpoints::find_extent(SealedLog::AuditEvents).and(checkpoints::find_extent(SealedLog::Events));
    let (who, (audit, events)) = claim.load(&app, extents).await?;
    who.require(Scope::AuditRead)?;
    let mut walk = Walk::from(begin);
    let broken = walk.verify(&app, app.ring()?).await?;
    let verification = Verification {
        broken,
        rows_verified: walk.rows_verified,
        logs: vec![LogView::new(SealedLog::AuditEvents, audit), LogView::new(SealedLog::Events, events)],
        next_cursor: walk.at.map(|(log, at)| {
            let position: Cursor = (log, at.number, at.hash, at.next_seq, at.unproved);
            cursor::encode(&position)
        }),
    };
    Ok(answer::json(StatusCode::OK, &verification))
}

/// How far a call has come; nowhere to go on where everything is verified.
struct Walk {
    at: Option<(SealedLog, Place)>,
    rows_verified: i64,
}

impl Walk {
    fn from(cursor: Option<Cursor>) -> Self {
        let start = (SealedLog::AuditEvents, Place::START);
        let at = cursor
            .map_or(start, |(log, number, hash, next_seq, unproved)| (log, Place { number, hash, next_seq, unproved }));
        Self { at: Some(at), rows_verified: 0 }
    }

    async fn verify(&mut self, app: &App, ring: &KeyRing) -> Result<Option<Break>, ApiError> {
        for _ in 0..PARTS {
            let Some((log, place)) = self.at else { break };
            let part = checkpoints::find_part(log, place.number, place.next_seq).run(&*app.database).await?;
            match verify_part((ring, log), place, &part) {
                Ok(next) => {
                    let last = || i64::try_from(part.rows.len()).unwrap_or(0);
                    let rows = next.map_or_else(last, |next| next.next_seq.saturating_sub(place.next_seq));
                    self.rows_verified = self.rows_verified.saturating_add(rows);
                    self.at = next.map(|place| (log, place)).or_else(|| next_log(log));
                }
                Err(broken) => {
                    self.at = next_log(log);
                    return Ok(Some(broken));
                }
            }
        }
        Ok(None)
    }
}

const fn next_log(log: SealedLog) -> Option<(SealedLog, Place)> {
    match log {
        SealedLog::AuditEvents => Some((SealedLog::Events, Place::START)),
        SealedLog::Events => None,
    }
}

/// Verifies a part of a log: the place behind it, or none at the end of the log.
fn verify_part((ring, log): (&KeyRing, SealedLog), place: Place, part: &Part) -> Result<Option<Place>, Break> {
    let Part { checkpoints, rows, newest_ever } = part;
    let is_cut = rows.len() == PART;
    if !checkpoints.is_empty() {
        // Of a checkpoint whose rows were not read to the last, the next part begins with the first.
        let read = rows.last().filter(|_| is_cut).map_or(i64::MAX, |row| row.seq);
        let whole = checkpoints.iter().take_while(|checkpoint| checkpoint.last_seq <= read).count().max(1);
        return chain::check((ring, log), place, checkpoints.iter().take(whole), rows).map(Some);
    }
    if let Some(seq) = place.unproved {
        return Err(Break { log, seq, fault: Fault::UnknownKey });
    }
    let next_seq = chain::check_tail((ring, log), place.next_seq, rows.iter())?;
    if is_cut {
        return Ok(Some(Place { number: BEYOND, next_seq, ..place }));
    }
    if next_seq <= *newest_ever { Err(Break { log, seq: next_seq, fault: Fault::RowMissing }) } else { Ok(None) }
}
