//! The key file of a Google service account, pasted whole. Only what signs is taken from it: where the signature goes is
//! not for a pasted file to say.

use serde::Deserialize;

use super::rsa_key::{self, RsaKey};
use crate::domain::values::Secret;

/// What signs.
pub struct ServiceAccount {
    /// The address of the account.
    pub email: String,
    /// The id of the key.
    pub key_id: Option<String>,
    /// The key.
    pub key: RsaKey,
}

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "type")]
    kind: String,
    client_email: Option<String>,
    private_key_id: Option<String>,
    private_key: Option<Secret>,
}

const NO_FILE: &str = "must be the whole JSON file that Google made, from { to }";
const NO_ACCOUNT: &str =
    "is not the key file of a service account: its type is another. Create a key of type JSON for one";
const NO_KEY: &str = "has no private_key or client_email in it: paste the whole file";
const BAD_KEY: &str = "has a private_key that is none: paste the file as Google made it";

/// The project that a key file names.
pub(super) fn project(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Project {
        project_id: String,
    }
    serde_json::from_str(json).ok().map(|project: Project| project.project_id)
}

/// Reads a key file.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn parse(json: &str) -> Result<ServiceAccount, &'static str> {
    let file: Written = serde_json::from_str(json).map_err(|_| NO_FILE)?;
    if file.kind != "service_account" {
        return Err(NO_ACCOUNT);
    }
    let (Some(email), Some(key)) = (file.client_email, file.private_key) else { return Err(NO_KEY) };
    let key = rsa_key::parse(key.expose_secret(), None).map_err(|_| BAD_KEY)?;
    Ok(ServiceAccount { email, key_id: file.private_key_id, key })
}
