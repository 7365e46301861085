//! Whatever a template and a customer hold, what is resolved is the customer's laid over the template's.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{credentials_of, under};
use crate::support::{Keyfob, path_of};

/// The optional and required settings of an HTTP connection with a user name.
const SETTINGS: [&str; 3] = ["username", "test_path", "test_expect"];

fn value(field: &str, number: u8) -> Value {
    match field {
        "username" => format!("user{number}").into(),
        "test_path" => format!("/path/{number}").into(),
        _ => format!("200, 20{}", number % 9 + 1).into(),
    }
}

#[derive(Debug, Clone)]
struct Case {
    /// Which settings are each customer's.
    specific: [bool; 3],
    is_password_global: bool,
    of_template: [Option<u8>; 3],
    of_customer: [Option<u8>; 3],
    later: [Option<u8>; 3],
}

fn case() -> impl Strategy<Value = Case> {
    let values = || prop::array::uniform3(prop::option::of(0..9_u8));
    (any::<[bool; 3]>(), any::<bool>(), values(), values(), values()).prop_map(
        |(specific, is_password_global, of_template, of_customer, later)| Case {
            specific,
            is_password_global,
            of_template,
            of_customer,
            later,
        },
    )
}

/// The settings that one side may hold; a user name is always there.
fn settings(case: &Case, of: [Option<u8>; 3], specific: bool) -> BTreeMap<String, Value> {
    let own = SETTINGS.iter().zip(of).zip(&case.specific).filter(|(_, is_specific)| **is_specific == specific);
    own.filter_map(|((field, number), _)| {
        let number = if *field == "username" { number.or(Some(0)) } else { number };
        number.map(|number| ((*field).to_owned(), value(field, number)))
    })
    .collect()
}

async fn check(case: &Case) {
    let keyfob = Keyfob::working().await;
    let mut specific: Vec<&str> =
        SETTINGS.iter().zip(&case.specific).filter(|(_, specific)| **specific).map(|(field, _)| *field).collect();
    let secret =
        |global: bool| if global == case.is_password_global { json!({ "password": "planted" }) } else { json!({}) };
    if !case.is_password_global {
        specific.push("password");
    }
    let mut of_template = settings(case, case.of_template, false);
    of_template.insert("base_url".to_owned(), "https://api.acme.dev".into());
    let template = json!({
        "environment": "development", "kind": "template", "provider": "http", "connection_type": "basic", "name": "T",
        "customer_fields": specific, "settings": of_template, "secrets": secret(true),
    });
    let template = keyfob.post("/v1/connections?test=false", &template).await.expect(201).json();
    let of_customer = settings(case, case.of_customer, true);
    let mut body = under(&template, "c1");
    (body["settings"], body["secrets"]) = (json!(of_customer), secret(false));
    let customer = keyfob.post("/v1/connections?test=false", &body).await.expect(201).json();
    let later = settings(case, case.later, false);
    for change in [None, Some(&later)] {
        if let Some(later) = change {
            let path = format!("{}?test=false", path_of(&template));
            keyfob.patch(&path, 1, &json!({ "settings": later })).await.expect(200);
            of_template.extend(later.clone());
        }
        let resolved = credentials_of(&keyfob, &customer, "").await.expect(200).json();
        let mut expected =
            BTreeMap::from([("test_method".to_owned(), json!("GET")), ("test_expect".to_owned(), json!("200-299"))]);
        expected.extend(of_template.clone());
        expected.extend(of_customer.clone());
        expected.insert("base_url".to_owned(), "https://api.acme.dev".into());
        assert_eq!(resolved["settings"], json!(expected), "{case:?}");
        assert_eq!(resolved["secrets"], json!({ "password": "planted" }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_resolved_is_the_customers_values_over_the_templates(case in case()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&case));
    }
}
