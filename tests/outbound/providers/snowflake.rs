//! The SQL API of Snowflake, as its documentation describes it:
//! - <https://docs.snowflake.com/en/developer-guide/sql-api/authenticating>
//! - <https://docs.snowflake.com/en/developer-guide/sql-api/reference>
//! - <https://docs.snowflake.com/en/developer-guide/sql-api/handling-responses>
//! - <https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting>
//!
//! Read 2026-11-27.

use std::process::{Command, Stdio};

use serde_json::json;

use super::*;
use crate::counterpart::Received;
use crate::keys::{fingerprint, known, other, verified};
use crate::stub::{self, Effect};

const PAT: &str = "plantedPlantedPlanted.Planted-planted_1";
const RESTRICTED: &str = "restrictedRestricted.Restricted-1";

fn service(request: &Received) -> Effect {
    let accounts = ["acme-my-account", "xy12345.eu-central-1", "acme-xy12345.global"];
    let called = stub::call(request);
    let account = accounts
        .iter()
        .find(|account| called == format!("POST https://{account}.snowflakecomputing.com/api/v2/statements"));
    let cn = called == "POST https://xy12345.cn-northwest-1.snowflakecomputing.cn/api/v2/statements";
    let Some(account) = account.or(cn.then_some(&"xy12345.cn")) else { return Effect::Unlisted };
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    // A constant, which needs no warehouse: nothing is paid for.
    assert_eq!(body["statement"], "select current_user(), current_role()");
    assert!(body["timeout"].as_u64() < Some(10));
    let listed = ["role", "statement", "timeout", "warehouse"];
    assert!(body.as_object().unwrap().keys().all(|member| listed.contains(&&**member)), "{body}");
    // Names are told apart by their letters.
    let is_there = |member: &str, name: &str| body.get(member).is_none_or(|named| named == name);
    let context = is_there("role", "LOADER") && is_there("warehouse", "LOADING");
    assert_eq!(request.header("accept"), Some("application/json"));
    assert!(request.header("user-agent").is_some_and(|agent| !agent.is_empty()));
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")).unwrap();
    match request.header("x-snowflake-authorization-token-type") {
        Some("KEYPAIR_JWT") => key_pair(account, token, context),
        Some("PROGRAMMATIC_ACCESS_TOKEN") if token == PAT && !context => stub::json(422, &failed()),
        Some("PROGRAMMATIC_ACCESS_TOKEN") if token == PAT => rows(),
        Some("PROGRAMMATIC_ACCESS_TOKEN") if token == RESTRICTED => stub::json(422, &failed()),
        Some("PROGRAMMATIC_ACCESS_TOKEN") => stub::json(401, &json!({ "code": "390101", "message": "m" })),
        _ => Effect::Unlisted,
    }
}

fn rows() -> Effect {
    let rows = json!({ "code": "090001", "statementHandle": "01b", "data": [["WORKFLOWS", "LOADER"]] });
    stub::json(200, &rows)
}

fn failed() -> Value {
    json!({ "code": "002043", "message": "SQL compilation error", "sqlState": "02000", "statementHandle": "01b" })
}

fn key_pair(account: &str, token: &str, context: bool) -> Effect {
    let refused = || stub::json(401, &json!({ "code": "390144", "message": "JWT token is invalid." }));
    let Some((header, claims)) = verified(token) else { return refused() };
    assert_eq!(header["alg"], "RS256");
    // Underscores stay in the name of the account; of a locator the region is cut.
    let account = match account {
        "acme-my-account" => "ACME-MY_ACCOUNT",
        "acme-xy12345.global" => "ACME",
        _ => "XY12345",
    };
    let user = claims["sub"].as_str().unwrap().rsplit('.').next().unwrap();
    assert_eq!(claims["sub"], format!("{account}.{user}"));
    assert_eq!(claims["iss"], format!("{account}.{user}.SHA256:{}", fingerprint()));
    let (iat, exp) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    assert!(iat < exp && exp <= iat + 3600, "{claims}");
    match user {
        "WORKFLOWS" if context => rows(),
        "WORKFLOWS" | "ROLELESS" => stub::json(422, &failed()),
        _ => refused(),
    }
}

fn answers() -> Vec<Documented> {
    vec![
        says(200, r#"{"code":"090001","data":[["A","B"]]}"#, VALID),
        says(200, r#"{"code":"090001","data":[]}"#, ODD),
        says(200, "<html>a login page of a proxy</html>", ODD),
        says(
            202,
            r#"{"code":"333334","statementHandle":"01b","message":"Asynchronous execution in progress."}"#,
            VALID,
        ),
        says(401, r#"{"code":"390144","message":"JWT token is invalid."}"#, REJECTED),
        says(401, r#"{"code":"390303","message":"Invalid OAuth access token."}"#, REJECTED),
        says(403, r#"{"code":"390403","message":"m"}"#, LIMITED),
        says(408, r#"{"code":"000630","message":"Statement reached its statement or warehouse timeout."}"#, TIMEOUT),
        says(422, r#"{"code":"002043","message":"SQL compilation error"}"#, LIMITED),
        says(429, "{}", PAUSE),
        says(503, "{}", DOWN),
    ]
}

const TIMEOUT: [&str; 3] = ["unknown", "timeout", "retry"];

fn accounts() -> Vec<(&'static str, &'static str, Result<&'static str, &'static str>)> {
    vec![
        ("account", " https://ACME-My_Account.snowflakecomputing.com/console ", Ok("acme-my_account")),
        ("account", "xy12345.eu-central-1", Ok("xy12345.eu-central-1")),
        ("account", "acme-my_account/", Ok("acme-my_account")),
        ("account", "https://app.snowflake.com/acme/my_account", Err("refused")),
        ("account", "evil.example/x", Err("pattern")),
        ("account", "evil.example#", Err("pattern")),
    ]
}

fn of_user(account: &str, user: &str, key: &str) -> Values {
    (json!({ "account": account, "user": user }), json!({ "private_key": key }))
}

fn of_token(token: &str) -> Values {
    (json!({ "account": "acme-my_account" }), json!({ "token": token }))
}

pub(super) fn described() -> Vec<Described> {
    let leak = |text: String| -> &'static str { text.leak() };
    let (pem, kept) = (known(), leak(known().trim().to_owned()));
    let told = json!({ "facts": { "user": "WORKFLOWS", "role": "LOADER" }, "granted_scopes": [], "expires_at": null });
    let keys = vec![
        ("private_key", leak(format!("\n {pem}\n\n")), Ok(kept)),
        ("private_key", leak(pem.replace('\n', "\\n")), Ok(kept)),
        ("private_key", leak(pem.replace('\n', "\r\n")), Ok(kept)),
        ("private_key", "hunter2", Err("unfit")),
        ("private_key", leak(pem.replace("PRIVATE", "PUBLIC")), Err("unfit")),
        ("private_key", leak(pem.replace("MII", "NII")), Err("unfit")),
        ("private_key", leak(pem[..800].to_owned()), Err("unfit")),
        ("passphrase", "superfluous", Err("unfit")),
        ("user", "a b", Err("pattern")),
        ("role", "\"LOADER\"", Err("pattern")),
    ];
    vec![
        Described {
            provider: "snowflake",
            connection_type: "key_pair",
            service,
            good: of_user("acme-my_account", "workflows", &known()),
            told: told.clone(),
            wrong: of_user("acme-my_account", "workflows", &other()),
            limited: Some(of_user("acme-my_account", "roleless", &known())),
            answers: answers(),
            door: accounts().into_iter().chain(keys).collect(),
        },
        Described {
            provider: "snowflake",
            connection_type: "programmatic_access_token",
            service,
            good: of_token(PAT),
            told,
            wrong: of_token("wrongWrongWrongWrongWrong"),
            limited: Some(of_token(RESTRICTED)),
            answers: answers(),
            door: accounts().into_iter().chain([("token", "short", Err("pattern"))]).collect(),
        },
    ]
}

claims!();

fn key_pairs() -> Described {
    described().remove(0)
}

#[tokio::test]
async fn accounts_are_named_as_the_vendor_names_them() {
    for account in ["xy12345.eu-central-1", "acme-xy12345.global", "xy12345.cn-northwest-1"] {
        let stub = Stub::start(service).await;
        let values = of_user(account, "Workflows", &known());
        assert_eq!(meaning(&test(&key_pairs(), stub.network(), &values).await), VALID, "{account}");
    }
}

#[tokio::test]
async fn a_role_or_a_warehouse_that_is_not_there_is_limited() {
    for (of, (settings, secrets)) in
        described().iter().zip([of_user("acme-my_account", "workflows", &known()), of_token(PAT)])
    {
        for (field, name, expected) in [
            ("role", " LOADER ", VALID),
            ("warehouse", "LOADING", VALID),
            ("role", "loader", LIMITED),
            ("warehouse", "ABSENT", LIMITED),
        ] {
            let mut settings = settings.clone();
            settings[field] = json!(name);
            let stub = Stub::start(service).await;
            assert_eq!(
                meaning(&test(of, stub.network(), &(settings, secrets.clone())).await),
                expected,
                "{field} {name}"
            );
        }
    }
}

/// What openssl makes of its standard input.
fn openssl(arguments: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn with_passphrase(key: &str, passphrase: Option<&str>) -> Values {
    let mut values = of_user("acme-my_account", "workflows", key);
    if let Some(passphrase) = passphrase {
        values.1["passphrase"] = json!(passphrase);
    }
    values
}

#[tokio::test]
async fn an_encrypted_key_signs_with_its_passphrase_and_no_other() {
    for cipher in ["des3", "aes-128-cbc", "aes-256-cbc"] {
        let key = openssl(&["pkcs8", "-topk8", "-v2", cipher, "-passout", "pass:planted"], &known());
        let refused = |passphrase| checked(&key_pairs(), &with_passphrase(&key, passphrase)).err().unwrap();
        assert_eq!(refused(None), ["/secrets/passphrase unfit"]);
        assert_eq!(refused(Some("wrong")), ["/secrets/passphrase unfit"]);
        let stub = Stub::start(service).await;
        let values = with_passphrase(&key, Some("planted"));
        assert_eq!(meaning(&test(&key_pairs(), stub.network(), &values).await), VALID, "{cipher}");
    }
}

#[test]
fn what_takes_too_long_to_decrypt_is_refused() {
    for more in [&["-iter", "2000000"][..], &["-scrypt"]] {
        let arguments = [&["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:planted"][..], more].concat();
        let key = openssl(&arguments, &known());
        let refused = checked(&key_pairs(), &with_passphrase(&key, Some("planted"))).err();
        assert_eq!(refused, Some(vec!["/secrets/private_key unfit".to_owned()]), "{more:?}");
    }
}

#[tokio::test]
async fn a_key_in_pkcs1_signs_and_a_short_one_or_another_kind_is_refused() {
    let traditional = openssl(&["rsa", "-traditional"], &known());
    assert!(traditional.contains("BEGIN RSA PRIVATE KEY"));
    let stub = Stub::start(service).await;
    assert_eq!(meaning(&test(&key_pairs(), stub.network(), &with_passphrase(&traditional, None)).await), VALID);
    let short = openssl(&["genrsa", "1024"], "");
    let ec = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "");
    for key in [short, ec] {
        let refused = checked(&key_pairs(), &with_passphrase(&key, None)).err();
        assert_eq!(refused, Some(vec!["/secrets/private_key unfit".to_owned()]), "{key}");
    }
}
