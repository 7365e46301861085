//! Why a connection is as it is: one closed list, each reason with one action and one sentence.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a person can do about a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Correct the values.
    Edit,
    /// Go through the provider's consent again.
    Reauthorize,
    /// Test again, now or later.
    Retry,
    /// Nothing.
    None,
}

/// Defines the reasons: variant, word, action, sentence.
macro_rules! reasons {
    ($($name:ident $word:literal $action:ident $sentence:literal;)+) => {
        /// Why a test came out as it did, or why there is no verdict.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {$(
            #[doc = $sentence]
            $name,
        )+}

        impl Reason {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word that the API, the provider files and the database use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// What a person can do about it.
            #[must_use]
            pub const fn action(self) -> Action {
                match self { $(Self::$name => Action::$action),+ }
            }

            /// One sentence for the person who looks at the connection.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence),+ }
            }
        }
    };
}

reasons! {
    Missing "missing" Edit "A required value has not been entered.";
    Expired "expired" Edit "The credential has expired: enter a new one.";
    Rejected "rejected" Edit "The provider does not accept the credential: check it or enter a new one.";
    InsufficientScope "insufficient_scope" Edit "The credential works but lacks a permission: grant it at the provider.";
    TargetNotFound "target_not_found" Edit "The credential is not the problem: what it should reach does not exist there.";
    Unreachable "unreachable" Retry "The provider could not be reached or did not answer usefully: try again later.";
    Timeout "timeout" Retry "The provider did not answer in time: try again later.";
    TlsFailed "tls_failed" Edit "No encrypted line came about: the server offers no TLS, or no certificate that a public authority issued for this host name: check the host and the TLS setting.";
    TlsRequired "tls_required" Edit "The server asks for the password in a way that is safe under TLS only, so it was not sent: switch TLS on.";
    RateLimited "rate_limited" Retry "The provider asks for a pause: try again later.";
    UnexpectedAnswer "unexpected_answer" Retry "The provider answered something that tells nothing about the credential: try again later.";
    NeverTested "never_tested" Retry "These values have not been tested yet.";
    NoTest "no_test" None "This type of connection has no test that harms nothing.";
    CredentialNotChecked "credential_not_checked" Edit "The address answers the same without the credential: choose a test path that needs it.";
    NotAuthorized "not_authorized" Reauthorize "The provider's consent has not been given yet.";
    AuthorizationEnded "authorization_ended" Reauthorize "The provider's consent has ended or was withdrawn: authorize it again.";
    TemplateChanged "template_changed" Retry "A global value of the template changed since the last test.";
    DestinationChanged "destination_changed" Edit "The address where the secrets go changed: enter the secrets again.";
    Reported "reported" Edit "A workflow reported that the provider refused the credential.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_in_the_code_is_the_word_in_json() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }
}
