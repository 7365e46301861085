//! What signs the requests of a connection, where its type does not send a credential but proves that it has one. It
//! knows the values; how each scheme signs is in `probe`.

use zeroize::Zeroizing;

use super::file::Auth;
use super::fill::{FillError, Values, unfit};
use super::key_file::{self, ServiceAccount};
use super::provider::ConnectionType;
use super::rsa_key::{self, KeyProblem, RsaKey};
use super::template::Template;
use crate::domain::values::{Secret, Secrets, Settings};

/// The values of a scheme that signs.
pub enum Signing {
    /// AWS Signature Version 4.
    AwsSigv4(AwsSigv4),
    /// A token of a Google service account.
    GoogleServiceAccount(GoogleServiceAccount),
    /// A token of a Snowflake user.
    SnowflakeKeyPair(SnowflakeKeyPair),
}

/// A Google service account, and what it asks for.
pub struct GoogleServiceAccount {
    /// The account and its key.
    pub account: ServiceAccount,
    /// The scopes, with spaces between them.
    pub scopes: String,
    /// The person as whom it acts.
    pub subject: Option<String>,
}

/// A Snowflake user and its key.
pub struct SnowflakeKeyPair {
    /// The account as tokens name it.
    pub account: String,
    /// The user, likewise.
    pub user: String,
    /// The key.
    pub key: RsaKey,
}

/// Access keys, and what they sign for.
pub struct AwsSigv4 {
    /// The keys.
    pub keys: AwsKeys,
    /// The region of the signature.
    pub region: String,
    /// The service of the signature.
    pub service: String,
    /// The role that is assumed first.
    pub role: Option<AwsRole>,
}

/// Access keys of AWS.
pub struct AwsKeys {
    /// The access key id, which is no secret.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token of temporary keys.
    pub session_token: Option<Secret>,
}

/// A role to assume.
pub struct AwsRole {
    /// Its ARN.
    pub arn: String,
    /// The external id, where its trust policy asks for one.
    pub external_id: Option<String>,
}

/// What signs with these values; none where the connection type does not sign.
///
/// # Errors
/// When a value that is needed is not there, or is not what the scheme signs with.
pub fn signing(
    connection_type: &ConnectionType,
    settings: &Settings,
    secrets: &Secrets,
) -> Result<Option<Signing>, FillError> {
    let Some(request) = connection_type.request() else { return Ok(None) };
    let values = Values { settings, secrets };
    let signing = match &request.auth {
        Auth::AwsSigv4 { access_key_id, secret_access_key, session_token, region, service, role_arn, external_id } => {
            let keys = AwsKeys {
                access_key_id: values.text(access_key_id)?,
                secret_access_key: Secret::new(values.text(secret_access_key)?),
                session_token: optional(values, session_token.as_ref())?.map(Secret::new),
            };
            let external_id = optional(values, external_id.as_ref())?;
            let role = optional(values, role_arn.as_ref())?.map(|arn| AwsRole { arn, external_id });
            Signing::AwsSigv4(AwsSigv4 { keys, region: values.text(region)?, service: service.clone(), role })
        }
        Auth::GoogleServiceAccount { credentials, scopes, subject } => {
            let account = Zeroizing::new(values.text(credentials)?);
            Signing::GoogleServiceAccount(GoogleServiceAccount {
                account: key_file::parse(&account).map_err(|sentence| unfit(credentials, sentence))?,
                scopes: values.text(scopes)?,
                subject: optional(values, subject.as_ref())?,
            })
        }
        Auth::SnowflakeKeyPair { account, user, private_key, passphrase } => {
            let pem = Zeroizing::new(values.text(private_key)?);
            let phrase = optional(values, passphrase.as_ref())?.map(Zeroizing::new);
            let key = rsa_key::parse(&pem, phrase.as_ref().map(|phrase| phrase.as_str()));
            let key = key.map_err(|problem| match problem {
                KeyProblem::Key(sentence) => unfit(private_key, sentence),
                KeyProblem::Passphrase(sentence) => unfit(passphrase.as_ref().unwrap_or(private_key), sentence),
            })?;
            let (account, user) = (snowflake_account(&values.text(account)?), values.text(user)?.to_uppercase());
            Signing::SnowflakeKeyPair(SnowflakeKeyPair { account, user, key })
        }
        _ => return Ok(None),
    };
    Ok(Some(signing))
}

/// The account as tokens name it: in capitals, and of a locator what stands before the region
/// (<https://docs.snowflake.com/en/developer-guide/sql-api/authenticating>).
fn snowflake_account(identifier: &str) -> String {
    let end = if identifier.contains(".global") { '-' } else { '.' };
    identifier.split(end).next().unwrap_or_default().to_uppercase()
}

fn optional(values: Values<'_>, template: Option<&Template>) -> Result<Option<String>, FillError> {
    match template.map(|template| values.text(template)) {
        None | Some(Err(FillError::Unset(_))) => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(unfit)) => Err(unfit),
    }
}
