//! MariaDB, a real one; and MySQL 8 as its documentation describes it (`mysql8`).

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::mysql8::{Account, Cache, Mysql8};
use super::{IMPATIENT, Lines, REJECTED, Server, VALID, absent, door, test, words};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start("mariadb.sh", &["on"]));
static WITHOUT_TLS: LazyLock<Server> = LazyLock::new(|| Server::start("mariadb.sh", &["off"]));

async fn ask_of(server: &Server, mut replaced: Value) -> (&'static str, &'static str) {
    let values = replaced.as_object_mut().unwrap();
    values.entry("user").or_insert(json!("native"));
    server.ask("mysql", &replaced).await
}

async fn ask(replaced: Value) -> (&'static str, &'static str) {
    ask_of(&SERVER, replaced).await
}

#[tokio::test]
async fn a_wrong_password_is_rejected() {
    for ssl_mode in ["VERIFY_IDENTITY", "DISABLED"] {
        assert_eq!(ask(json!({ "password": "wrong", "ssl_mode": ssl_mode })).await, REJECTED, "{ssl_mode}");
        assert_eq!(ask(json!({ "user": "nobody", "ssl_mode": ssl_mode })).await, REJECTED, "{ssl_mode}");
    }
}

#[tokio::test]
async fn a_locked_account_is_rejected_and_an_expired_password_has_expired() {
    assert_eq!(ask(json!({ "user": "locked" })).await, REJECTED);
    assert_eq!(ask(json!({ "user": "expired" })).await, ("invalid", "expired"));
}

#[tokio::test]
async fn a_server_that_wants_tls_refuses_who_comes_without() {
    assert_eq!(ask(json!({ "user": "tls", "ssl_mode": "DISABLED" })).await, REJECTED);
    assert_eq!(ask(json!({ "user": "tls" })).await, VALID);
}

#[tokio::test]
async fn a_server_without_tls_or_with_a_certificate_of_nobody_known_gets_no_password() {
    assert_eq!(ask_of(&WITHOUT_TLS, json!({})).await, ("unknown", "tls_failed"));
    let stranger = test("mysql", Lines::trusting(&WITHOUT_TLS.ca), SERVER.port, &json!({}), IMPATIENT).await;
    assert_eq!(words(&stranger), ("unknown", "tls_failed"));
    // The certificate is made out to localhost.
    assert_eq!(ask(json!({ "host": "127.0.0.1" })).await, ("unknown", "tls_failed"));
}

#[tokio::test]
async fn a_database_that_is_not_there_or_not_theirs_is_not_the_credentials_fault() {
    assert_eq!(ask(json!({ "user": "outsider" })).await, ("invalid", "target_not_found"));
    assert_eq!(ask(json!({ "user": "native", "database": "nowhere" })).await, ("invalid", "target_not_found"));
}

#[tokio::test]
async fn too_many_connections_tell_nothing() {
    assert_eq!(ask(json!({ "user": "full" })).await, ("unknown", "rate_limited"));
}

#[tokio::test]
async fn a_way_to_sign_in_that_is_not_spoken_here_tells_nothing() {
    assert_eq!(ask(json!({ "user": "modern" })).await, ("unknown", "unexpected_answer"));
}

#[tokio::test]
async fn an_absent_host_tells_nothing() {
    absent("mysql").await;
}

#[tokio::test]
async fn a_good_password_is_valid_and_the_version_is_kept() {
    assert_eq!(ask(json!({})).await, VALID);
    assert_eq!(ask(json!({ "ssl_mode": "DISABLED" })).await, VALID);
    assert_eq!(ask_of(&WITHOUT_TLS, json!({ "ssl_mode": "DISABLED" })).await, VALID);
    let finding = SERVER.find("mysql", &json!({ "user": "native" })).await;
    assert!(finding.facts["server_version"].contains("MariaDB"), "{:?}", finding.facts);
    assert!(!finding.facts["server_version"].starts_with("5.5.5-"), "{:?}", finding.facts);
}

#[test]
fn values_are_checked_at_the_door() {
    door(
        "mysql",
        &[
            ("host", json!(" DB.Acme.dev "), Ok(json!("db.acme.dev"))),
            ("host", json!("mysql://ann:right@db.acme.dev:3306/app"), Err("refused")),
            ("host", json!("db.acme.dev:3306"), Err("refused")),
            ("host", json!("/var/run/mysqld/mysqld.sock"), Err("refused")),
            ("user", json!("ann@%"), Err("refused")),
            ("user", json!("ann@'localhost'"), Err("refused")),
            ("user", json!("ann@acme"), Ok(json!("ann@acme"))),
            ("ssl_mode", json!("REQUIRED"), Err("refused")),
            ("ssl_mode", json!("verify_ca"), Err("refused")),
            ("ssl_mode", json!("PREFERRED"), Err("refused")),
            ("ssl_mode", json!("verify-full"), Err("enum")),
            ("ssl_mode", json!("DISABLED"), Ok(json!("DISABLED"))),
            ("ca_certificate", json!("-----BEGIN CERTIFICATE-----"), Err("unavailable")),
            ("client_certificate", json!("x"), Err("unavailable")),
            ("ssh_tunnel", json!(true), Err("unavailable")),
        ],
    );
}

/// What a MySQL 8 with this account finds, and what it heard that it must not hear.
async fn ask_mysql8(account: Account, replaced: Value) -> (&'static str, &'static str) {
    let server = Mysql8::start(account).await;
    let mut values = json!({ "user": "ann", "password": "right", "port": server.port });
    values.as_object_mut().unwrap().extend(replaced.as_object().unwrap().clone());
    let found = test("mysql", Lines::trusting(&server.ca), server.port, &values, IMPATIENT).await;
    server.done().await;
    words(&found)
}

fn account(cache: Cache) -> Account {
    Account { cache, ..Account::default() }
}

fn plain() -> Value {
    json!({ "ssl_mode": "DISABLED" })
}

#[tokio::test]
async fn a_wrong_password_is_rejected_by_mysql_8() {
    for cache in [Cache::Warm, Cache::Cold] {
        assert_eq!(ask_mysql8(account(cache), json!({ "password": "wrong" })).await, REJECTED, "{cache:?}");
    }
}

#[tokio::test]
async fn a_password_that_mysql_8_does_not_have_in_its_cache_is_sent_under_tls_only() {
    assert_eq!(ask_mysql8(account(Cache::Cold), json!({})).await, VALID);
    assert_eq!(ask_mysql8(account(Cache::Cold), plain()).await, ("unknown", "tls_required"));
}

#[tokio::test]
async fn a_password_in_the_cache_of_mysql_8_is_proved_with_and_without_tls() {
    assert_eq!(ask_mysql8(account(Cache::Warm), json!({})).await, VALID);
    assert_eq!(ask_mysql8(account(Cache::Warm), plain()).await, VALID);
}

#[tokio::test]
async fn mysql_8_may_ask_for_another_way() {
    for plugin in ["mysql_native_password", "caching_sha2_password"] {
        let switching = Account { switch_to: Some(plugin), ..account(Cache::Warm) };
        assert_eq!(ask_mysql8(switching, json!({})).await, VALID, "{plugin}");
        assert_eq!(
            ask_mysql8(switching, json!({ "password": "wrong", "ssl_mode": "DISABLED" })).await,
            REJECTED,
            "{plugin}"
        );
    }
    for plugin in ["mysql_clear_password", "sha256_password"] {
        let switching = Account { switch_to: Some(plugin), ..account(Cache::Warm) };
        assert_eq!(ask_mysql8(switching, json!({})).await, VALID, "{plugin}");
        assert_eq!(ask_mysql8(switching, plain()).await, ("unknown", "tls_required"), "{plugin}");
    }
    let strange = Account { switch_to: Some("authentication_kerberos_client"), ..account(Cache::Warm) };
    assert_eq!(ask_mysql8(strange, json!({})).await, ("unknown", "unexpected_answer"));
}

#[tokio::test]
async fn errors_in_the_place_of_a_greeting_have_their_verdicts() {
    for (code, meaning) in [
        (1040, ("unknown", "rate_limited")),
        (1129, ("unknown", "unreachable")),
        (1130, REJECTED),
        (1043, ("unknown", "unexpected_answer")),
    ] {
        let refusing = Account { refuses: Some(code), ..account(Cache::Warm) };
        assert_eq!(ask_mysql8(refusing, json!({})).await, meaning, "{code}");
    }
}
