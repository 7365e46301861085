//! A person's consent: refusals first, then the whole way.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::support::{ROOT, shown};

#[tokio::test]
async fn a_ticket_that_is_none_opens_nothing() {
    let (keyfob, _, connection) = waiting().await;
    let begun = begin(&keyfob, &connection).await;
    let other = start_of(&begun).replace("ka_", "ks_");
    for target in
        ["/oauth/start/x", "/oauth/start/ka_00000000000000000000000000000000000000000002CZclj", other.as_str()]
    {
        let page = Browser::default().open(&keyfob, target).await.expect(410);
        assert!(page.header("content-type").starts_with("text/html"), "{target}");
        assert_eq!(page.header("set-cookie"), "", "{target}");
    }
}

#[tokio::test]
async fn a_ticket_opens_once_and_within_ten_minutes() {
    let (keyfob, _, connection) = waiting().await;
    let begun = begin(&keyfob, &connection).await;
    start(&keyfob, &mut Browser::default(), &begun).await;
    Browser::default().open(&keyfob, &start_of(&begun)).await.expect(410);
    let late = begin(&keyfob, &connection).await;
    keyfob.advance(Duration::from_mins(10));
    Browser::default().open(&keyfob, &start_of(&late)).await.expect(410);
    assert_eq!(attempt(&keyfob, &connection, &late).await["state"], "expired");
}

#[tokio::test]
async fn a_look_ahead_does_not_use_the_ticket_up() {
    let (keyfob, _, connection) = waiting().await;
    let begun = begin(&keyfob, &connection).await;
    for headers in [[("sec-purpose", "prefetch;prerender")], [("purpose", "prefetch")], [("sec-fetch-mode", "no-cors")]]
    {
        Browser::default().open_with(&keyfob, &start_of(&begun), &headers).await.expect(403);
    }
    let head = Request::head(format!("https://keyfob.example{}", start_of(&begun))).body(Body::empty()).unwrap();
    assert_eq!(keyfob.send(head).await.status, 403);
    start(&keyfob, &mut Browser::default(), &begun).await;
}

#[tokio::test]
async fn an_answer_in_another_browser_does_nothing_and_disturbs_nothing() {
    let (keyfob, server, connection) = waiting().await;
    let (mut own, mut other) = (Browser::default(), Browser::default());
    let begun = begin(&keyfob, &connection).await;
    let at = start(&keyfob, &mut own, &begun).await;
    // The other one is authorizing something, too: its cookie is of another attempt.
    start(&keyfob, &mut other, &begin(&keyfob, &connection).await).await;
    let back = callback(&at, &[("code", &server.consent(&at))]);
    for browser in [&mut Browser::default(), &mut other] {
        browser.open(&keyfob, &back).await.expect(403);
    }
    assert_eq!(server.calls(), 0);
    assert_eq!(attempt(&keyfob, &connection, &begun).await["state"], "pending");
    own.open(&keyfob, &back).await.expect(200);
    assert_eq!(attempt(&keyfob, &connection, &begun).await["state"], "succeeded");
}

#[tokio::test]
async fn the_states_of_two_attempts_cannot_be_swapped() {
    let (keyfob, server, connection) = waiting().await;
    let other = keyfob.create(&code_connection("Other")).await;
    let (mut one, mut two) = (Browser::default(), Browser::default());
    let at_one = start(&keyfob, &mut one, &begin(&keyfob, &connection).await).await;
    let at_two = start(&keyfob, &mut two, &begin(&keyfob, &other).await).await;
    let code = server.consent(&at_one);
    // The code of the first attempt under the state of the second: the verifier is another.
    two.open(&keyfob, &callback(&at_two, &[("code", &code)])).await.expect(409);
    one.open(&keyfob, &callback(&at_two, &[("code", &code)])).await.expect(403);
    assert_eq!((server.calls(), resolve(&keyfob, &other).await.status.as_u16()), (0, 409));
}

#[tokio::test]
async fn an_answer_is_taken_once() {
    let (keyfob, server, connection) = waiting().await;
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begin(&keyfob, &connection).await).await;
    let back = callback(&at, &[("code", &server.consent(&at))]);
    let mut again = browser.clone();
    browser.open(&keyfob, &back).await.expect(200);
    again.open(&keyfob, &back).await.expect(410);
    assert_eq!(server.calls(), 1);
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_not_taken() {
    let (keyfob, server, connection) = waiting().await;
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begin(&keyfob, &connection).await).await;
    keyfob.advance(Duration::from_mins(10));
    browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(410);
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn a_query_that_is_no_answer_is_refused() {
    let (keyfob, server, connection) = waiting().await;
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begin(&keyfob, &connection).await).await;
    let back = callback(&at, &[("code", &server.consent(&at))]);
    let twice = format!("{back}&code=other");
    for target in ["/oauth/callback", "/oauth/callback?code=x", "/oauth/callback?state=x&code=y", twice.as_str()] {
        browser.open(&keyfob, target).await.expect(410);
    }
    assert_eq!(server.calls(), 0);
}

#[tokio::test]
async fn a_consent_that_is_denied_tells_so_and_the_words_of_the_provider_are_text() {
    let (keyfob, server, connection) = waiting().await;
    let mut browser = Browser::default();
    let begun = begin(&keyfob, &connection).await;
    let at = start(&keyfob, &mut browser, &begun).await;
    let answer = [("error", "access_denied"), ("error_description", "<img src=x onerror=alert(1)>")];
    let page = browser.open(&keyfob, &callback(&at, &answer)).await.expect(409);
    assert!(page.text.contains("&lt;img src=x") && !page.text.contains("<img"), "{}", page.text);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let failed = attempt(&keyfob, &connection, &begun).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["error"]["code"], "access_denied");
    assert_eq!(failed["start_url"], Value::Null);
    assert_eq!(server.calls(), 0);
    assert_eq!(health(&keyfob, &connection).await, ("unknown".to_owned(), json!("not_authorized")));
}

#[tokio::test]
async fn what_a_provider_calls_an_error_is_a_word_of_ours() {
    let (keyfob, _, connection) = waiting().await;
    for (said, told) in [("unauthorized_client", "client_refused"), ("planted-secret-7", "provider_refused")] {
        let mut browser = Browser::default();
        let begun = begin(&keyfob, &connection).await;
        let at = start(&keyfob, &mut browser, &begun).await;
        browser.open(&keyfob, &callback(&at, &[("error", said)])).await.expect(409);
        assert_eq!(attempt(&keyfob, &connection, &begun).await["error"]["code"], told);
    }
}

#[tokio::test]
async fn the_answer_of_another_issuer_is_refused() {
    let server = Server::default();
    let keyfob = Keyfob::with(server.rule()).await;
    let mut body = code_connection("Acme");
    body["settings"]["issuer"] = json!("https://login.acme.dev");
    let connection = keyfob.create(&body).await;
    for (issuer, status) in [("https://login.evil.dev", 409), ("https://login.acme.dev", 200)] {
        let mut browser = Browser::default();
        let begun = begin(&keyfob, &connection).await;
        let at = start(&keyfob, &mut browser, &begun).await;
        let code = server.consent(&at);
        browser.open(&keyfob, &callback(&at, &[("code", &code), ("iss", issuer)])).await.expect(status);
        let code = attempt(&keyfob, &connection, &begun).await["error"]["code"].clone();
        assert_eq!(code, if status == 200 { Value::Null } else { json!("issuer_mismatch") });
    }
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn a_connection_that_changes_meanwhile_gets_no_tokens() {
    let (keyfob, server, connection) = waiting().await;
    let changes: [(&str, Value); 2] = [
        ("client_id", json!({ "settings": { "client_id": "client-2" } })),
        (
            "token_url",
            json!({
                "settings": { "token_url": "https://other.acme.dev/token" }, "secrets": { "client_secret": CLIENT_SECRET }
            }),
        ),
    ];
    for (version, (what, change)) in (1..).zip(changes) {
        let mut browser = Browser::default();
        let begun = begin(&keyfob, &connection).await;
        let at = start(&keyfob, &mut browser, &begun).await;
        keyfob.patch(&path_of(&connection), version, &change).await.expect(200);
        browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(409);
        assert_eq!(attempt(&keyfob, &connection, &begun).await["error"]["code"], "connection_changed", "{what}");
    }
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begin(&keyfob, &connection).await).await;
    keyfob.delete(&path_of(&connection), 3).await.expect(204);
    browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(410);
    assert_eq!(server.calls(), 0);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from oauth_tokens"), 0);
}

#[tokio::test]
async fn a_code_that_the_provider_does_not_take_leaves_the_connection_as_it_was() {
    let (keyfob, server, connection) = authorized().await;
    let mut browser = Browser::default();
    let begun = begin(&keyfob, &connection).await;
    let at = start(&keyfob, &mut browser, &begun).await;
    let page = browser.open(&keyfob, &callback(&at, &[("code", "stolen")])).await.expect(409);
    assert!(!page.text.contains("planted words"), "what a token endpoint says is nobody's to read");
    assert_eq!(attempt(&keyfob, &connection, &begun).await["error"]["code"], "grant_refused");
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn a_connection_of_another_type_is_not_authorized() {
    let keyfob = Keyfob::start().await;
    let connection = keyfob.create(&crate::support::bearer("Plain")).await;
    let answer =
        keyfob.post(&format!("https://keyfob.example{}/authorizations", path_of(&connection)), &json!({})).await;
    assert_eq!(answer.problem(), (409, "no_authorization".to_owned()));
}

#[tokio::test]
async fn a_person_is_sent_back_to_registered_pages_only() {
    let (keyfob, server, connection) = waiting().await;
    let target = format!("https://keyfob.example{}/authorizations", path_of(&connection));
    for page in
        ["https://evil.example/", "javascript:alert(1)", "//evil.example", "https://keyfob.example.evil.example/"]
    {
        let answer = keyfob.post(&target, &json!({ "return_to": page })).await.expect(422);
        assert_eq!(answer.errors(), [("/return_to".to_owned(), "invalid".to_owned())], "{page}");
    }
    keyfob.post("/v1/embedded/origins", &json!({ "origin": "https://app.acme.dev" })).await.expect(201);
    let body = json!({ "return_to": "https://app.acme.dev/a?b=\"c" });
    let begun = keyfob.post(&target, &body).await.expect(201).json();
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begun).await;
    let page = browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(200);
    assert!(page.text.contains("href=\"https://app.acme.dev/a?b=%22c\""), "{}", page.text);
}

#[tokio::test]
async fn whoever_may_not_write_authorizes_nothing() {
    let (keyfob, _, connection) = waiting().await;
    let key = keyfob.key(&["connections:read"], &["development"]).await;
    let target = format!("{}/authorizations", path_of(&connection));
    let answer = keyfob.request("POST", &target, &key, &[], &json!({})).await;
    assert_eq!(answer.problem(), (403, "missing_scope".to_owned()));
    let begun = begin(&keyfob, &connection).await;
    let other = keyfob.create(&code_connection("Other")).await;
    let path = format!("{}/authorizations/{}", path_of(&other), begun["id"].as_str().unwrap());
    assert_eq!(keyfob.get(&path).await.problem(), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn a_repeated_request_shows_no_second_ticket() {
    let (keyfob, _, connection) = waiting().await;
    let target = format!("https://keyfob.example{}/authorizations", path_of(&connection));
    let headers = [("idempotency-key", "once")];
    keyfob.request("POST", &target, ROOT, &headers, &json!({})).await.expect(201);
    let again = keyfob.request("POST", &target, ROOT, &headers, &json!({})).await;
    assert_eq!(again.problem(), (409, "already_created".to_owned()));
}

#[tokio::test]
async fn attempts_are_limited_for_each_connection() {
    let (keyfob, _, connection) = waiting().await;
    for _ in 0..6 {
        begin(&keyfob, &connection).await;
    }
    let target = format!("https://keyfob.example{}/authorizations", path_of(&connection));
    assert_eq!(keyfob.post(&target, &json!({})).await.problem(), (429, "rate_limited".to_owned()));
}

#[tokio::test]
async fn a_connection_waits_for_its_consent_and_then_works() {
    let (keyfob, server, connection) = waiting().await;
    assert_eq!(shown(&connection, ["status"]), json!({ "status": "not_active" }));
    assert_eq!(connection["health"]["reason"], "not_authorized");
    assert_eq!(connection["health"]["action"], "reauthorize");
    assert_eq!(resolve(&keyfob, &connection).await.problem(), (409, "connection_unauthorized".to_owned()));

    let begun = begin(&keyfob, &connection).await;
    assert_eq!(begun["state"], "pending");
    assert_eq!(begun["redirect_uri"], "https://keyfob.example/oauth/callback");
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begun).await;
    assert_eq!(at.origin().ascii_serialization(), "https://login.acme.dev");
    let query: BTreeMap<String, String> = at.query_pairs().into_owned().collect();
    assert_eq!((query["client_id"].as_str(), query["scope"].as_str()), ("client-1", "read write"));
    let page = browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(200);
    assert!(page.text.contains("Acme is connected"), "{}", page.text);
    assert!(!page.text.contains("planted"));
    assert_eq!(attempt(&keyfob, &connection, &begun).await["state"], "succeeded");

    let now = keyfob.get(&path_of(&connection)).await.expect(200).json();
    assert_eq!(
        shown(&now, ["status", "granted_scopes", "missing_scopes", "version", "revision"]),
        json!({
            "status": "active", "granted_scopes": ["read", "write"], "missing_scopes": [], "version": 1, "revision": 1,
        })
    );
    assert_eq!(now["health"]["source"], "authorization");
    let resolved = resolve(&keyfob, &connection).await.expect(200).json();
    assert_eq!(resolved["secrets"], json!({ "access_token": "planted-access-1" }));
    assert_eq!(
        shown(&resolved, ["token_generation", "token_type", "expires_at"]),
        json!({
            "token_generation": 1, "token_type": "Bearer", "expires_at": "2026-11-20T11:00:00.000Z",
        })
    );
    assert_eq!(resolved["request"]["headers"]["authorization"], "Bearer planted-access-1");
}

#[tokio::test]
async fn nothing_secret_is_logged_or_audited() {
    let (keyfob, _, _) = authorized().await;
    let audit = keyfob.get("/v1/audit-events").await.expect(200).text;
    let log = keyfob.log.all().join("\n");
    for text in [&audit, &log, &keyfob.database.dump()] {
        assert!(!text.contains("planted") && !text.contains("code-0") && !text.contains("ka_"), "{text}");
    }
    assert!(audit.contains("connection.authorization_started") && audit.contains("connection.authorized"));
}

#[tokio::test]
async fn a_scope_that_is_missing_makes_it_limited_by_name() {
    let (keyfob, server, connection) = waiting().await;
    server.say(json!({ "scope": "read" }));
    authorize(&keyfob, &server, &connection).await;
    let now = keyfob.get(&path_of(&connection)).await.expect(200).json();
    assert_eq!(
        shown(&now, ["status", "granted_scopes", "missing_scopes"]),
        json!({
            "status": "active", "granted_scopes": ["read"], "missing_scopes": ["write"],
        })
    );
    assert_eq!(health(&keyfob, &connection).await, ("limited".to_owned(), json!("insufficient_scope")));
    server.say(json!({ "scope": "write,read" }));
    authorize(&keyfob, &server, &connection).await;
    let now = keyfob.get(&path_of(&connection)).await.expect(200).json();
    assert_eq!(now["missing_scopes"], json!([]));
    assert_eq!(health(&keyfob, &connection).await, ("valid".to_owned(), Value::Null));
}

#[tokio::test]
async fn a_running_authorization_leaves_the_live_credential_alone() {
    let (keyfob, server, connection) = authorized().await;
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begin(&keyfob, &connection).await).await;
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
    assert_eq!(health(&keyfob, &connection).await.0, "valid");
    browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(200);
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
}

#[tokio::test]
async fn a_deleted_connection_leaves_no_token_that_opens() {
    let (keyfob, _, connection) = authorized().await;
    keyfob.delete(&path_of(&connection), 1).await.expect(204);
    for table in ["oauth_tokens", "authorizations", "vault_entries"] {
        assert_eq!(keyfob.database.value::<i64>(&format!("select count(*) from {table}")), 0, "{table}");
    }
}

#[tokio::test]
async fn tokens_are_revoked_before_the_connection_is_deleted_and_only_when_asked() {
    let server = Server::default();
    let keyfob = Keyfob::with(server.rule()).await;
    let mut body = code_connection("Acme");
    body["settings"]["revoke_url"] = json!("https://login.acme.dev/revoke");
    let connection = keyfob.create(&body).await;
    authorize(&keyfob, &server, &connection).await;
    let path = path_of(&connection);
    server.break_with(503);
    let answer = keyfob.delete(&format!("{path}?revoke=true"), 1).await;
    assert_eq!(answer.problem(), (502, "revocation_failed".to_owned()));
    keyfob.get(&path).await.expect(200);
    server.break_with(0);
    assert!(server.0.refresh.lock().unwrap().is_some());
    keyfob.delete(&format!("{path}?revoke=true"), 1).await.expect(204);
    assert!(server.0.refresh.lock().unwrap().is_none());
    keyfob.get(&path).await.expect(404);

    let connection = keyfob.create(&code_connection("Without a revocation URL")).await;
    authorize(&keyfob, &server, &connection).await;
    let path = path_of(&connection);
    let answer = keyfob.delete(&format!("{path}?revoke=true"), 1).await;
    assert_eq!(answer.problem(), (400, "invalid_query".to_owned()));
    let before = keyfob.counterpart.received().len();
    keyfob.delete(&path, 1).await.expect(204);
    assert_eq!(keyfob.counterpart.received().len(), before);
}

#[tokio::test]
async fn a_customer_authorizes_a_connection_of_their_own_under_a_template() {
    let server = Server::default();
    let keyfob = Keyfob::with(server.rule()).await;
    let mut template = code_connection("Template");
    (template["kind"], template["embedded"]) = (json!("template"), json!(true));
    let template = keyfob.create(&template).await;
    let session = |customer: &str| json!({ "environment": "development", "customer": customer });
    let minted = keyfob.post("/v1/embedded/sessions", &session("c1")).await.expect(201).json();
    let other = keyfob.post("/v1/embedded/sessions", &session("c2")).await.expect(201).json();
    let (own, other) = (minted["token"].as_str().unwrap(), other["token"].as_str().unwrap());
    let all = "https://keyfob.example/v1/embedded/connections";
    let created = json!({ "template": template["id"] });
    let connection = keyfob.request("POST", all, own, &[], &created).await.expect(201).json();
    let target = format!("{all}/{}/authorizations", connection["id"].as_str().unwrap());
    let answer = keyfob.request("POST", &target, other, &[], &json!({})).await;
    assert_eq!(answer.problem(), (404, "not_found".to_owned()));
    let begun = keyfob.request("POST", &target, own, &[], &json!({})).await.expect(201).json();
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begun).await;
    browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(200);
    let path = format!("{target}/{}", begun["id"].as_str().unwrap());
    assert_eq!(keyfob.request("GET", &path, other, &[], &Value::Null).await.status, 404);
    let ended = keyfob.request("GET", &path, own, &[], &Value::Null).await.expect(200).json();
    assert_eq!(ended["state"], "succeeded");
    let resolve = format!("{}/credentials?customer=c1", path_of(&template));
    let resolved = keyfob.get(&resolve).await.expect(200).json();
    assert_eq!(resolved["secrets"], json!({ "access_token": "planted-access-1" }));
    // Another client in the template: the tokens of the customer belong to the old one.
    let change = json!({ "settings": { "client_id": "client-2" } });
    keyfob.patch(&path_of(&template), 1, &change).await.expect(200);
    assert_eq!(keyfob.get(&resolve).await.problem(), (409, "connection_unauthorized".to_owned()));
}

#[tokio::test]
async fn tokens_of_another_server_are_not_shown_to_the_one_of_today() {
    let server = Server::default();
    let keyfob = Keyfob::with(server.rule()).await;
    let mut body = code_connection("Acme");
    body["settings"]["revoke_url"] = json!("https://login.acme.dev/revoke");
    let connection = keyfob.create(&body).await;
    authorize(&keyfob, &server, &connection).await;
    let elsewhere = json!({
        "settings": { "token_url": "https://login.other.dev/token", "revoke_url": "https://login.other.dev/revoke" },
        "secrets": { "client_secret": CLIENT_SECRET },
    });
    keyfob.patch(&path_of(&connection), 1, &elsewhere).await.expect(200);
    let answer = keyfob.delete(&format!("{}?revoke=true", path_of(&connection)), 2).await;
    assert_eq!(answer.problem(), (502, "revocation_failed".to_owned()));
    assert!(keyfob.counterpart.received().iter().all(|it| it.target != "/revoke"));
}

#[tokio::test]
async fn a_designer_authorizes_what_is_new_and_nothing_that_others_rely_on() {
    let (keyfob, server, connection) = waiting().await;
    let mut template = code_connection("Template");
    (template["kind"], template["customer_fields"]) = (json!("template"), json!([]));
    let template = keyfob.create(&template).await;
    let mint = async |limits: Value| {
        let session = keyfob.post("/v1/embedded/sessions", &limits).await.expect(201).json();
        session["token"].as_str().unwrap().to_owned()
    };
    let builder = mint(json!({ "environment": "development" })).await;
    let narrow = mint(json!({ "environment": "development", "providers": ["slack"] })).await;
    let elsewhere = mint(json!({ "environment": "staging" })).await;
    let path = |connection: &Value| {
        format!("https://keyfob.example/v1/embedded/connections/{}/authorizations", connection["id"].as_str().unwrap())
    };
    let ask = async |session: &str, connection: &Value| {
        keyfob.request("POST", &path(connection), session, &[], &json!({})).await
    };
    for (session, connection, status, code) in [
        (&narrow, &connection, 404, "not_found"),
        (&elsewhere, &connection, 404, "not_found"),
        (&builder, &template, 403, "not_own"),
    ] {
        assert_eq!(ask(session, connection).await.problem(), (status, code.to_owned()));
    }
    let begun = ask(&builder, &connection).await.expect(201).json();
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begun).await;
    browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(200);
    let attempt = format!("{}/{}", path(&connection), begun["id"].as_str().unwrap());
    let found = keyfob.request("GET", &attempt, &builder, &[], &Value::Null).await.expect(200).json();
    assert_eq!(found["state"], "succeeded");
    assert_eq!(keyfob.request("GET", &attempt, &narrow, &[], &Value::Null).await.problem().0, 404);
    assert_eq!(health(&keyfob, &connection).await.0, "valid");
    assert_eq!(ask(&builder, &connection).await.problem(), (403, "not_own".to_owned()));
}

#[tokio::test]
async fn a_designers_consent_that_comes_after_another_changes_nothing() {
    let (keyfob, server, connection) = waiting().await;
    let limits = json!({ "environment": "development" });
    let session = keyfob.post("/v1/embedded/sessions", &limits).await.expect(201).json();
    let path = format!("https://keyfob.example/v1/embedded/connections/{}", connection["id"].as_str().unwrap());
    let (session, path) = (session["token"].as_str().unwrap(), format!("{path}/authorizations"));
    let begun = keyfob.request("POST", &path, session, &[], &json!({})).await.expect(201).json();
    let mut browser = Browser::default();
    let at = start(&keyfob, &mut browser, &begun).await;
    authorize(&keyfob, &server, &connection).await;
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
    browser.open(&keyfob, &callback(&at, &[("code", &server.consent(&at))])).await.expect(409);
    assert_eq!(attempt(&keyfob, &connection, &begun).await["error"]["code"], "connection_changed");
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
}
