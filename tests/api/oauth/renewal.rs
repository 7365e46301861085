//! Renewal: exactly once, and what an outage or a withdrawn consent makes of it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use super::*;
use crate::support::shown;

#[tokio::test]
async fn a_withdrawn_consent_ends_it_after_one_call() {
    let (keyfob, server, connection) = authorized().await;
    server.withdraw();
    keyfob.advance(HOUR);
    let before = keyfob.counterpart.received().len();
    for _ in 0..3 {
        assert_eq!(resolve(&keyfob, &connection).await.problem(), (409, "connection_unauthorized".to_owned()));
    }
    assert_eq!(keyfob.counterpart.received().len() - before, 1);
    assert_eq!(health(&keyfob, &connection).await, ("invalid".to_owned(), json!("authorization_ended")));
    let now = keyfob.get(&path_of(&connection)).await.expect(200).json();
    assert_eq!((&now["health"]["action"], &now["status"]), (&json!("reauthorize"), &json!("not_active")));
    authorize(&keyfob, &server, &connection).await;
    assert_eq!(health(&keyfob, &connection).await.0, "valid");
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
}

#[tokio::test]
async fn an_outage_marks_nothing_and_passes() {
    let (keyfob, server, connection) = authorized().await;
    for status in [500, 503, 429, 404] {
        server.break_with(status);
        // While the old token lives it is handed out.
        keyfob.advance(Duration::from_mins(56));
        let old = token(&keyfob, &connection).await;
        keyfob.advance(HOUR);
        let answer = resolve(&keyfob, &connection).await;
        assert_eq!(answer.problem(), (503, "tokens_unavailable".to_owned()), "{status}");
        assert_eq!(answer.header("retry-after"), "5");
        assert_eq!(health(&keyfob, &connection).await.0, "valid", "{status}");
        server.break_with(0);
        keyfob.advance(Duration::from_mins(5));
        assert_ne!(token(&keyfob, &connection).await, old, "{status}");
    }
}

#[tokio::test]
async fn during_an_outage_the_provider_is_asked_ever_less() {
    let (keyfob, server, connection) = authorized().await;
    server.break_with(503);
    keyfob.advance(HOUR);
    let before = keyfob.counterpart.received().len();
    for _ in 0..60 {
        resolve(&keyfob, &connection).await.expect(503);
        keyfob.advance(Duration::from_secs(1));
    }
    // After 2, 4, 8, 16, 32 seconds.
    assert_eq!(keyfob.counterpart.received().len() - before, 5);
}

#[tokio::test]
async fn tokens_are_renewed_a_little_before_they_end_and_not_earlier() {
    let (keyfob, server, connection) = authorized().await;
    keyfob.advance(Duration::from_mins(54));
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
    keyfob.advance(Duration::from_mins(1));
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
    server.live_for(10);
    keyfob.advance(HOUR);
    assert_eq!(token(&keyfob, &connection).await, "planted-access-3");
    keyfob.advance(Duration::from_secs(7));
    assert_eq!(token(&keyfob, &connection).await, "planted-access-3");
    keyfob.advance(Duration::from_secs(1));
    assert_eq!(token(&keyfob, &connection).await, "planted-access-4");
}

#[tokio::test]
async fn a_hundred_that_ask_at_once_make_one_call_and_all_get_the_new_token() {
    let (keyfob, server, connection) = authorized().await;
    let keyfob = Arc::new(keyfob);
    for round in 2..=6 {
        keyfob.advance(HOUR);
        let tokens = join_all((0..100).map(|_| token(&keyfob, &connection))).await;
        assert!(tokens.iter().all(|token| *token == format!("planted-access-{round}")), "{tokens:?}");
        assert_eq!(server.calls(), round);
    }
}

#[tokio::test]
async fn while_somebody_renews_the_others_go_on_with_the_old_token() {
    let (keyfob, server, connection) = authorized().await;
    keyfob.advance(Duration::from_mins(56));
    // Somebody took the lease and is still at it.
    let lease = "update oauth_tokens set lease = 'other', leased_until = 1 << 52";
    keyfob.database.execute(lease).unwrap();
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn a_lease_of_somebody_who_died_is_taken_over() {
    let (keyfob, server, connection) = authorized().await;
    keyfob.clock.hurry(Duration::from_millis(1));
    keyfob.advance(HOUR);
    let until = keyfob.clock_now().millis() + 30_000;
    keyfob.database.execute(&format!("update oauth_tokens set lease = 'dead', leased_until = {until}")).unwrap();
    assert_eq!(resolve(&keyfob, &connection).await.problem(), (503, "tokens_unavailable".to_owned()));
    keyfob.advance(Duration::from_secs(30));
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn dying_between_the_answer_and_the_commit_ends_in_reauthorize_and_in_no_loop() {
    let (keyfob, server, connection) = authorized().await;
    keyfob.advance(HOUR);
    // Somebody spent the refresh token and died before the new ones were stored.
    *server.0.refresh.lock().unwrap() = Some("planted-refresh-lost".to_owned());
    let until = keyfob.clock_now().millis() - 1;
    keyfob.database.execute(&format!("update oauth_tokens set lease = 'dead', leased_until = {until}")).unwrap();
    for _ in 0..5 {
        assert_eq!(resolve(&keyfob, &connection).await.problem(), (409, "connection_unauthorized".to_owned()));
        keyfob.advance(HOUR);
        keyfob.tick().await;
    }
    assert_eq!(health(&keyfob, &connection).await, ("invalid".to_owned(), json!("authorization_ended")));
    let refreshes = keyfob.counterpart.received().iter().filter(|it| it.target == "/token").count();
    assert_eq!(refreshes, 2, "one for the code, one for the refresh that was refused");
}

#[tokio::test]
async fn a_refusal_is_not_believed_when_somebody_else_renewed_meanwhile() {
    let (keyfob, server, connection) = authorized().await;
    keyfob.advance(HOUR);
    // The lease was lost to somebody slow, who stores just after we are refused.
    let keyfob = Arc::new(keyfob);
    let tokens = join_all((0..2).map(|_| token(&keyfob, &connection))).await;
    assert_eq!(tokens, ["planted-access-2", "planted-access-2"]);
    assert_eq!(health(&keyfob, &connection).await.0, "valid");
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn a_refresh_answer_without_a_refresh_token_keeps_the_old_one() {
    let (keyfob, server, connection) = authorized().await;
    server.say(json!({ "refresh_token": null }));
    let kept = server.0.refresh.lock().unwrap().clone();
    for round in 2..=4 {
        keyfob.advance(HOUR);
        assert_eq!(token(&keyfob, &connection).await, format!("planted-access-{round}"));
        server.0.refresh.lock().unwrap().clone_from(&kept);
    }
}

#[tokio::test]
async fn without_a_refresh_token_the_end_of_the_token_is_the_end() {
    let (keyfob, server, connection) = waiting().await;
    server.say(json!({ "refresh_token": null }));
    authorize(&keyfob, &server, &connection).await;
    keyfob.advance(Duration::from_mins(59));
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
    keyfob.advance(Duration::from_mins(1));
    assert_eq!(resolve(&keyfob, &connection).await.problem(), (409, "connection_unauthorized".to_owned()));
    let tested = keyfob.post(&format!("{}/tests", path_of(&connection)), &json!({})).await.expect(201).json();
    assert_eq!(shown(&tested, ["verdict", "reason"]), json!({ "verdict": "invalid", "reason": "authorization_ended" }));
}

#[tokio::test]
async fn tokens_of_another_client_or_destination_are_of_no_use() {
    let (keyfob, server, connection) = authorized().await;
    let path = path_of(&connection);
    let secret = json!({ "client_secret": CLIENT_SECRET });
    let elsewhere = json!({ "settings": { "base_url": "https://other.acme.dev" }, "secrets": secret });
    keyfob.patch(&path, 1, &elsewhere).await.expect(200);
    assert_eq!(resolve(&keyfob, &connection).await.problem(), (409, "connection_unauthorized".to_owned()));
    assert_eq!(health(&keyfob, &connection).await, ("invalid".to_owned(), json!("not_authorized")));
    let back = json!({ "settings": { "base_url": "https://api.acme.dev" }, "secrets": secret });
    keyfob.patch(&path, 2, &back).await.expect(200);
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
    keyfob.patch(&path, 3, &json!({ "settings": { "client_id": "client-2" } })).await.expect(200);
    assert_eq!(resolve(&keyfob, &connection).await.problem(), (409, "connection_unauthorized".to_owned()));
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn a_new_client_secret_keeps_the_tokens() {
    let (keyfob, server, connection) = authorized().await;
    let change = json!({ "secrets": { "client_secret": "planted-other" } });
    keyfob.patch(&path_of(&connection), 1, &change).await.expect(200);
    assert_eq!(token(&keyfob, &connection).await, "planted-access-1");
    keyfob.advance(HOUR);
    let calls = keyfob.counterpart.received().len();
    for _ in 0..3 {
        assert_eq!(resolve(&keyfob, &connection).await.problem(), (409, "client_refused".to_owned()));
    }
    assert_eq!(keyfob.counterpart.received().len(), calls + 1, "while nobody asks again, the answer stays");
    // A wrong client is no end of the consent: corrected, it goes on at once.
    let change = json!({ "secrets": { "client_secret": CLIENT_SECRET } });
    let saved = keyfob.patch(&path_of(&connection), 2, &change).await.expect(200).json();
    // Nobody asked the provider about the new one yet: what it said of the old one is no verdict.
    assert_eq!(
        shown(&saved["health"], ["verdict", "reason"]),
        json!({ "verdict": "unknown", "reason": "unreachable" })
    );
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn a_report_of_the_current_tokens_renews_them_and_one_of_older_ones_does_nothing() {
    let (keyfob, server, connection) = authorized().await;
    let target = format!("{}/reports", path_of(&connection));
    let report = |generation: u64| json!({ "revision": 1, "token_generation": generation });
    let answer = keyfob.post(&target, &report(2)).await.expect(422);
    assert_eq!(answer.errors(), [("/token_generation".to_owned(), "invalid".to_owned())]);
    server.0.access.lock().unwrap().clear();
    let answer = keyfob.post(&target, &report(1)).await.expect(200).json();
    assert_eq!((&answer["outcome"], &answer["health"]["verdict"]), (&json!("tested"), &json!("valid")));
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
    let answer = keyfob.post(&target, &report(1)).await.expect(200).json();
    assert_eq!(answer["outcome"], "superseded");
    assert_eq!(server.calls(), 2);
}

#[tokio::test]
async fn the_schedule_renews_what_is_about_to_end() {
    let (keyfob, server, connection) = authorized().await;
    keyfob.tick().await;
    assert_eq!(server.calls(), 1);
    keyfob.advance(Duration::from_mins(55));
    keyfob.tick().await;
    assert_eq!(keyfob.log.of_job("renew_tokens")["renewed"], 1);
    assert_eq!(server.calls(), 2);
    keyfob.patch(&path_of(&connection), 1, &json!({ "enabled": false })).await.expect(200);
    keyfob.advance(HOUR);
    keyfob.tick().await;
    assert_eq!(server.calls(), 2, "what is disabled is left alone");
}

#[tokio::test]
async fn where_new_tokens_are_not_visible_yet_the_old_ones_do_for_a_moment() {
    let (keyfob, _, connection) = authorized().await;
    keyfob.advance(Duration::from_mins(56));
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
    let newest: String =
        keyfob.database.value("select vault_ref from vault_entries where purpose = 'tokens' and number = 2");
    let blob = keyfob.blobs.stored.lock().unwrap().remove(&newest).unwrap();
    let resolved = resolve(&keyfob, &connection).await.expect(200).json();
    assert_eq!(resolved["secrets"]["access_token"], "planted-access-1");
    assert_eq!(resolved["token_generation"], 1);
    // Those before end now: nothing stands in for what is not visible.
    keyfob.advance(Duration::from_secs(211));
    assert_eq!(resolve(&keyfob, &connection).await.problem(), (503, "secret_pending".to_owned()));
    keyfob.blobs.stored.lock().unwrap().insert(newest, blob);
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
}

#[tokio::test]
async fn older_generations_are_forgotten() {
    let (keyfob, _, connection) = authorized().await;
    for _ in 0..5 {
        keyfob.advance(HOUR);
        token(&keyfob, &connection).await;
    }
    let entries = "select group_concat(number) from vault_entries where purpose = 'tokens'";
    assert_eq!(keyfob.database.value::<String>(entries), "5,6");
    assert_eq!(keyfob.database.value::<i64>("select count(*) from garbage"), 4);
}

#[tokio::test]
async fn a_refresh_that_tells_no_scopes_leaves_them_as_they_were() {
    let (keyfob, server, connection) = waiting().await;
    server.say(json!({ "scope": "read" }));
    authorize(&keyfob, &server, &connection).await;
    server.say(json!({}));
    keyfob.advance(HOUR);
    token(&keyfob, &connection).await;
    let tested = keyfob.post(&format!("{}/tests", path_of(&connection)), &json!({})).await.expect(201).json();
    assert_eq!(shown(&tested, ["verdict", "reason"]), json!({ "verdict": "limited", "reason": "insufficient_scope" }));
}

#[tokio::test]
async fn what_cannot_be_renewed_does_not_stand_before_what_can() {
    let (keyfob, server, connection) = authorized().await;
    // Tokens of another client, due for ever so long: more than a tick takes.
    for _ in 0..3 {
        let other = keyfob.create(&code_connection("Other")).await;
        authorize(&keyfob, &server, &other).await;
    }
    keyfob.database.execute("update oauth_tokens set basis = 'other', renew_at = 1 where generation = 1").unwrap();
    let own = connection["id"].as_str().unwrap();
    let basis = "(select basis from authorizations limit 1)";
    keyfob.database.execute(&format!("update oauth_tokens set basis = {basis} where owner_id = '{own}'")).unwrap();
    keyfob.tick().await;
    let waiting: i64 = keyfob.database.value("select count(*) from oauth_tokens where renew_at = 1");
    assert_eq!(waiting, 0, "each was looked at once, and waits a day");
    let asked = keyfob.counterpart.received().iter().filter(|it| it.target == "/token").count();
    assert_eq!(asked, 5, "four consents, and the one that could be renewed");
}

#[tokio::test]
async fn under_a_wrong_master_key_nothing_is_spent() {
    let (keyfob, server, connection) = authorized().await;
    keyfob.advance(HOUR);
    let check = "insert into key_checks (key_id, check_value) values (2, 'of another key')";
    keyfob.database.execute(check).unwrap();
    let both = r#"{"primary":2,"keys":{"1":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        "2":"CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg="}}"#;
    let mistyped = keyfob.restarted(&[("MASTER_KEYS", both)]);
    assert_eq!(resolve(&mistyped, &connection).await.problem(), (503, "key_unavailable".to_owned()));
    mistyped.tick().await;
    assert_eq!(server.calls(), 1);
    keyfob.advance(HOUR);
    assert_eq!(token(&keyfob, &connection).await, "planted-access-2");
}

#[tokio::test]
async fn a_secret_goes_where_it_was_sealed_for_whatever_the_row_says() {
    let (keyfob, server, connection) = authorized().await;
    keyfob.advance(HOUR);
    let evil = "update connections set settings = json_set(settings, '$.token_url', 'https://login.evil.dev/token')";
    keyfob.database.execute(evil).unwrap();
    keyfob.database.execute("update oauth_tokens set renew_at = 1").unwrap();
    let answer = resolve(&keyfob, &connection).await;
    assert_eq!(answer.status.as_u16(), 409, "{}", answer.text);
    keyfob.tick().await;
    let hosts: Vec<String> =
        keyfob.counterpart.received().iter().filter_map(|it| it.header("host").map(str::to_owned)).collect();
    assert!(!hosts.iter().any(|host| host.contains("evil")), "{hosts:?}");
    assert_eq!(server.calls(), 1);
}

#[tokio::test]
async fn other_test_credentials_leave_the_tokens_of_a_template() {
    let server = Server::default();
    let keyfob = Keyfob::with(server.rule()).await;
    let mut template = code_connection("Template");
    (template["kind"], template["customer_fields"]) = (json!("template"), json!(["scopes"]));
    template["settings"].as_object_mut().unwrap().remove("scopes");
    let template = keyfob.create(&template).await;
    let credentials = format!("{}/test-credentials", path_of(&template));
    keyfob.patch(&credentials, 1, &json!({ "settings": { "scopes": "read" } })).await.expect(200);
    authorize(&keyfob, &server, &template).await;
    let resolve = format!("{}/credentials?purpose=test", path_of(&template));
    keyfob.get(&resolve).await.expect(200);
    keyfob.patch(&credentials, 2, &json!({ "settings": { "scopes": "write" } })).await.expect(200);
    let resolved = keyfob.get(&resolve).await.expect(200).json();
    assert_eq!(resolved["secrets"], json!({ "access_token": "planted-access-1" }));
}
