//! Where a person is sent to consent, for each connection type, as its provider's documentation has it.

use super::*;

type Consent = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const PKCE: (&str, &str) = ("code_challenge_method", "S256");

/// Provider, connection type, address, and the parameters besides those that every consent has.
const CONSENTS: [Consent; 13] = [
    (
        "atlassian",
        "oauth",
        "https://auth.atlassian.com/authorize",
        &[("audience", "api.atlassian.com"), ("prompt", "consent"), ("scope", "offline_access read:jira-work")],
    ),
    ("github", "github_app", "https://github.com/login/oauth/authorize", &[PKCE]),
    ("github", "oauth_app", "https://github.com/login/oauth/authorize", &[PKCE, ("scope", "read:user")]),
    (
        "google",
        "oauth",
        "https://accounts.google.com/o/oauth2/v2/auth",
        &[
            PKCE,
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("scope", "openid https://www.googleapis.com/auth/userinfo.email"),
        ],
    ),
    ("hubspot", "oauth", "https://app.hubspot.com/oauth/authorize", &[("scope", "oauth")]),
    ("linear", "oauth", "https://linear.app/oauth/authorize", &[PKCE, ("prompt", "consent"), ("scope", "read,write")]),
    (
        "microsoft",
        "oauth",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        &[PKCE, ("scope", "offline_access User.Read")],
    ),
    ("notion", "oauth", "https://api.notion.com/v1/oauth/authorize", &[("owner", "user")]),
    (
        "salesforce",
        "oauth",
        "https://login.salesforce.com/services/oauth2/authorize",
        &[PKCE, ("scope", "api id refresh_token")],
    ),
    ("slack", "oauth_bot", "https://slack.com/oauth/v2/authorize", &[("scope", "chat:write,users:read")]),
    ("slack", "oauth_user", "https://slack.com/oauth/v2/authorize", &[("user_scope", "users:read")]),
    ("slack", "oauth_webhook", "https://slack.com/oauth/v2/authorize", &[("scope", "incoming-webhook")]),
    ("zoom", "oauth", "https://zoom.us/oauth/authorize", &[PKCE]),
];

/// Scopes that show what stands between two.
const SCOPES: [(&str, &str, &str); 2] =
    [("linear", "oauth", "read write"), ("slack", "oauth_bot", "chat:write, users:read")];

#[test]
fn people_are_sent_where_the_documentation_says_with_what_it_asks_for() {
    let mut described = BTreeSet::new();
    for (provider, connection_type, at, expected) in CONSENTS {
        let of = documented(provider, connection_type);
        let (mut settings, secrets) = values(&of);
        let scopes = SCOPES.iter().find(|(key, kind, _)| (*key, *kind) == (provider, connection_type));
        settings.extend(scopes.map(|(.., scopes)| ("scopes".to_owned(), json!(scopes))));
        let client = client(super::connection_type(&of), &settings, &secrets).unwrap().unwrap();
        let (state, browser) = (Secret::new("state".to_owned()), Secret::new("browser".to_owned()));
        let back = "https://keyfob.example/oauth/callback";
        let url =
            oauth::authorize_url(&client, client.authorize_url.as_ref().unwrap(), back, (&state, &Pkce::of(&browser)));
        let mut found: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        assert_eq!(found.remove("code_challenge").is_some(), expected.contains(&PKCE), "{provider} {connection_type}");
        for (name, value) in
            [("response_type", "code"), ("client_id", "client-1"), ("redirect_uri", back), ("state", "state")]
        {
            assert_eq!(found.remove(name).as_deref(), Some(value), "{provider} {connection_type} {name}");
        }
        let expected = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        assert_eq!(found, expected.collect::<BTreeMap<_, _>>(), "{provider} {connection_type}");
        assert_eq!(url.as_str().split('?').next(), Some(at));
        assert!(!url.as_str().contains("planted-client-secret"));
        described.insert((provider, connection_type));
    }
    assert_eq!(described, all().iter().map(|of| (of.provider, of.connection_type)).collect::<BTreeSet<_>>());
}
