//! Searching: every word, any case or accent, and no operator.

use serde_json::json;

use super::{FACETS, LIST, named};
use crate::support::{Keyfob, bearer, path_of};

#[tokio::test]
async fn a_renamed_or_retagged_connection_is_found_by_what_it_is_now() {
    let keyfob = Keyfob::working().await;
    let path = path_of(&keyfob.create(&bearer("Oldname")).await);
    keyfob
        .patch(&path, 1, &json!({ "name": "Newname", "tags": ["fresh"], "description": "Für Zürich" }))
        .await
        .expect(200);
    for (search, count) in
        [("oldname", 0), ("old", 0), ("newname", 1), ("fresh", 1), ("zurich", 1), ("NE", 1), ("HTTP", 1)]
    {
        let page = keyfob.get(&format!("{LIST}&search={search}")).await.expect(200).json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{search}");
    }
    for (tag, count) in [("fresh", 1), ("stale", 0)] {
        let page = keyfob.get(&format!("{LIST}&tag={tag}&sort=-modified_at")).await.expect(200).json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{tag}");
    }
}

#[tokio::test]
async fn no_search_is_an_operator() {
    let keyfob = Keyfob::start().await;
    let names = ["say \"hi\" now", "a*b star", "NEAR(x y)", "minus -5 col:umn", "100% under_score", "Ünïcode fin"];
    for name in names {
        named(&keyfob, name).await;
    }
    let mut elsewhere = bearer("elsewhere");
    elsewhere["environment"] = json!("staging");
    keyfob.post("/v1/connections?test=false", &elsewhere).await.expect(201);
    let [say, star, near, minus, under, unicode] = names;
    let all: &[&str] = &names;
    for (search, found) in [
        ("", all),
        (" ", all),
        ("\"", all),
        ("\"\"", all),
        ("*", all),
        ("-", all),
        ("^ + ( ) { } : ; ' %", all),
        ("\"hi\"", &[say]),
        ("say \"hi", &[say]),
        ("say\"", &[]),
        ("a*b", &[star]),
        ("st*", &[]),
        ("NEAR(", &[near]),
        ("NEAR(x y)", &[near]),
        ("near(x, 5)", &[]),
        ("-5", &[minus]),
        ("NOT minus", &[]),
        ("say OR star", &[]),
        ("say AND now", &[]),
        ("col:umn", &[minus]),
        ("search_text:say", &[]),
        ("search_scope : sto", &[]),
        ("\") OR search_scope : (\"sto", &[]),
        ("elsewhere", &[]),
        ("deo", &[]),
        ("100%", &[under]),
        ("r_s", &[under]),
        ("r%s", &[]),
        ("UNICODE", &[unicode]),
        ("unico FIN", &[unicode]),
        ("fi", &[unicode]),
        ("in", &[]),
        ("x", &[near]),
        ("say say say", &[say]),
        ("bearer", &[]),
    ] {
        let query = serde_html_form::to_string([("search", search), ("sort", "created_at")]).unwrap();
        let page = keyfob.get(&format!("{LIST}&{query}")).await.expect(200).json();
        let listed: Vec<&str> =
            page["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(listed, found, "{search:?}");
        keyfob
            .get(&format!("{FACETS}&{}", serde_html_form::to_string([("search", search)]).unwrap()))
            .await
            .expect(200);
    }
}

#[tokio::test]
async fn any_text_may_be_searched_for() {
    let keyfob = Keyfob::start().await;
    named(&keyfob, "abc").await;
    let many_short = "a ".repeat(100);
    let many_long = "abc ".repeat(50);
    for search in
        ["%00", "a%00bc", "abc%00", "ab%00", "%22%00abc", "%FF%FEabc", "%F0%9F%92%B3", "\u{301}", "%0Aabc%0D", "abc\\"]
    {
        let search: String =
            search.chars().map(|c| if c.is_ascii() { c.to_string() } else { "%CC%81".to_owned() }).collect();
        keyfob.get(&format!("{LIST}&search={}", search.replace('\\', "%5C"))).await.expect(200);
    }
    for search in [many_short.trim(), many_long.trim(), &"\"".repeat(200), &"x".repeat(200)] {
        let query = serde_html_form::to_string([("search", search)]).unwrap();
        keyfob.get(&format!("{LIST}&{query}")).await.expect(200);
    }
}
