//! Lists and facets: filters, sorts, cursors, search, counts.

mod due;
pub(crate) mod model;
mod search;

use std::collections::{BTreeMap, BTreeSet};

use keyfob::domain::connection::{Connection, Kind};
use keyfob::domain::id::ConnectionId;
use keyfob::domain::text::fold;
use keyfob::domain::time::Timestamp;
use keyfob::ports::Database;
use keyfob::store::connections::{insert, touch_last_used};
use serde_json::{Value, json};

use crate::support::{Keyfob, bearer, path_of};
use model::{Dice, FILTERS, Question, connection, due, idle, tally, word};

const LIST: &str = "/v1/connections?environment=development";
const FACETS: &str = "/v1/connections/facets?environment=development";
const SORTS: [&str; 10] = [
    "name",
    "-name",
    "created_at",
    "-created_at",
    "modified_at",
    "-modified_at",
    "due_at",
    "-due_at",
    "last_used_at",
    "-last_used_at",
];

/// Stores some hundred connections of every sort, as the code stores them.
async fn populate(keyfob: &Keyfob, dice: &mut Dice, count: u64) -> Vec<Connection> {
    let mut all: Vec<Connection> = Vec::new();
    for number in 0..count {
        let templates: Vec<ConnectionId> =
            all.iter().filter(|one| one.owner.kind == Kind::Template).map(|one| one.id.clone()).collect();
        let mut one = connection(dice, number, &templates);
        // A customer has one connection under a template.
        if all.iter().any(|other| other.owner.template.is_some() && other.owner == one.owner) {
            one.owner.template = None;
        }
        let used = one.usage.last_used_at.map(|at| touch_last_used(&one.id, at));
        let statements = [insert(&one)].into_iter().chain(used).collect();
        keyfob.database.batch(statements).await.unwrap();
        // What its customers use, a template is used by.
        let template = all.iter_mut().find(|other| Some(&other.id) == one.owner.template.as_ref());
        if let (Some(template), Some(at)) = (template, one.usage.last_used_at) {
            template.usage.last_used_at = Some(at);
        }
        all.push(one);
    }
    all
}

/// The ids of all pages.
async fn walk(keyfob: &Keyfob, query: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = keyfob.get(&format!("/v1/connections?{query}&limit={limit}{cursor}")).await.expect(200).json();
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        ids.extend(data.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return ids };
        cursor = format!("&cursor={next}");
    }
}

/// The ids that a list must have, in their order.
fn expected(all: &[Connection], question: &Question, sort: &str) -> Vec<String> {
    let mut rows: Vec<(usize, &Connection)> = all.iter().enumerate().filter(|(_, one)| question.fits(one)).collect();
    if sort.ends_with("due_at") {
        rows.retain(|(_, one)| due(one).is_some());
    }
    rows.sort_by_key(|(row, one)| {
        let key = match sort.trim_start_matches('-') {
            "name" => (0, fold(one.label.name.as_str())),
            "created_at" => (one.history.created_at.millis(), String::new()),
            "due_at" => (due(one).map_or(0, Timestamp::millis), String::new()),
            "last_used_at" => (idle(one).millis(), String::new()),
            _ => (one.history.modified_at.millis(), String::new()),
        };
        (key, *row)
    });
    if sort.starts_with('-') {
        rows.reverse();
    }
    rows.into_iter().map(|(_, one)| one.id.to_string()).collect()
}

/// The facets that there must be, each under every filter but its own.
fn expected_facets(all: &[Connection], question: &Question) -> [BTreeMap<String, u64>; 3] {
    let Question { providers, tags, .. } = question;
    let open = [
        Question { providers: BTreeSet::new(), ..question.clone() },
        Question { tags: BTreeSet::new(), ..question.clone() },
        Question { status: None, ..question.clone() },
    ];
    let under = |question: Question| all.iter().filter(move |one| question.fits(one));
    let [by_provider, by_tag, by_status] = open.map(under);
    let mut counts = [
        tally(by_provider.map(|one| one.provider.clone())),
        tally(by_tag.flat_map(|one| one.label.tags.iter().map(ToString::to_string))),
        tally(by_status.map(|one| word(one.status()))),
    ];
    for provider in providers {
        counts[0].entry(provider.clone()).or_default();
    }
    for tag in tags {
        counts[1].entry(tag.to_string()).or_default();
    }
    for status in ["active", "not_active"] {
        counts[2].entry(status.to_owned()).or_default();
    }
    counts
}

async fn facets(keyfob: &Keyfob, query: &str) -> [BTreeMap<String, u64>; 3] {
    let facets = keyfob.get(&format!("/v1/connections/facets?{query}")).await.expect(200).json();
    ["providers", "tags", "statuses"].map(|facet| {
        let values = facets[facet].as_array().unwrap();
        assert!(values.iter().all(|value| value["exact"] == true), "{facets}");
        assert!(values.is_sorted_by_key(|value| std::cmp::Reverse(value["count"].as_u64())), "{facets}");
        let counts: BTreeMap<_, _> = values
            .iter()
            .map(|one| (one["value"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap()))
            .collect();
        assert_eq!(counts.len(), values.len(), "no value stands twice: {facets}");
        counts
    })
}

#[tokio::test]
async fn every_filter_alone_lists_and_counts_what_it_says_under_every_sort() {
    let (keyfob, mut dice) = (Keyfob::start().await, Dice(1));
    let all = populate(&keyfob, &mut dice, 300).await;
    for filter in 0..=FILTERS {
        for sort in SORTS {
            let mut question = Question::default();
            if filter < FILTERS {
                question.narrow(filter, &mut dice, &all);
            }
            let query = question.query();
            let limit = 1 + usize::try_from(dice.roll(100)).unwrap();
            let ids = walk(&keyfob, &format!("{query}&sort={sort}"), limit).await;
            assert_eq!(ids, expected(&all, &question, sort), "{query} {sort}");
            assert_eq!(facets(&keyfob, &query).await, expected_facets(&all, &question), "{query}");
        }
    }
}

#[tokio::test]
async fn filters_combine() {
    let (keyfob, mut dice) = (Keyfob::start().await, Dice(2));
    let all = populate(&keyfob, &mut dice, 400).await;
    let mut found = 0;
    for _ in 0..400 {
        let mut question = Question::default();
        for _ in 0..2 + dice.roll(3) {
            let filter = usize::try_from(dice.roll(FILTERS as u64)).unwrap();
            question.narrow(filter, &mut dice, &all);
        }
        let (query, sort) = (question.query(), *dice.pick(&SORTS));
        let limit = 1 + usize::try_from(dice.roll(20)).unwrap();
        let ids = walk(&keyfob, &format!("{query}&sort={sort}"), limit).await;
        assert_eq!(ids, expected(&all, &question, sort), "{query} {sort}");
        assert_eq!(facets(&keyfob, &query).await, expected_facets(&all, &question), "{query}");
        found += ids.len();
    }
    assert!(found > 1_000, "the questions have answers: {found}");
}

#[tokio::test]
async fn without_a_limit_a_page_has_50() {
    let (keyfob, mut dice) = (Keyfob::start().await, Dice(3));
    populate(&keyfob, &mut dice, 120).await;
    let page = keyfob.get(LIST).await.expect(200).json();
    assert_eq!(page["data"].as_array().unwrap().len(), 50);
    assert!(page["next_cursor"].is_string());
}

async fn named(keyfob: &Keyfob, name: &str) -> String {
    // With a date, so that it is in every list.
    let mut body = bearer(name);
    body["rotate_by"] = "2027-01-01T00:00:00Z".into();
    let created = keyfob.post("/v1/connections?test=false", &body).await.expect(201).json();
    created["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_cursor_survives_inserts_and_deletes() {
    for sort in SORTS {
        let keyfob = Keyfob::start().await;
        let mut stay = Vec::new();
        for number in 0..12 {
            keyfob.advance(std::time::Duration::from_secs(1));
            stay.push(named(&keyfob, &format!("n {number:02}")).await);
        }
        let mut seen = Vec::new();
        let mut cursor = String::new();
        for round in 0.. {
            let page = keyfob.get(&format!("{LIST}&sort={sort}&limit=3{cursor}")).await.expect(200).json();
            seen.extend(page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
            // The last one of the page, which the cursor names, disappears; others come before and after.
            let last = seen.last().unwrap().clone();
            if stay.contains(&last) && round < 3 {
                keyfob.delete(&format!("/v1/connections/{last}"), 1).await.expect(204);
                named(&keyfob, &format!("a {round}")).await;
                named(&keyfob, &format!("z {round}")).await;
            }
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let unique: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "{sort}: none comes twice");
        assert!(stay.iter().all(|id| unique.contains(id)), "{sort}: none is left out");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_sort() {
    let keyfob = Keyfob::start().await;
    named(&keyfob, "a").await;
    named(&keyfob, "b").await;
    for sort in SORTS {
        let page = keyfob.get(&format!("{LIST}&sort={sort}&limit=1")).await.json();
        let cursor = page["next_cursor"].as_str().unwrap();
        for other in SORTS {
            let answer = keyfob.get(&format!("{LIST}&sort={other}&cursor={cursor}")).await;
            if other == sort {
                answer.expect(200);
            } else {
                assert_eq!(answer.problem(), (400, "invalid_cursor".to_owned()), "{sort} as {other}");
            }
        }
    }
}

/// Stores many connections at once, all alike but for their names: `bulk 00001` and so on.
async fn bulk(keyfob: &Keyfob, count: u32) {
    named(keyfob, "sample").await;
    let rows = format!(
        "with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < {count}) \
         insert into connections (id, environment, provider, connection_type, kind, name, name_key, description, \
         stable_key, tags, settings, secret_fields, enabled, embedded, version, revision, verdict, reason, created_at, \
         created_by, modified_at, modified_by, search_text, search_scope) \
         select substr(id, 1, 20) || printf('%010d', n), environment, provider, connection_type, kind, \
         printf('bulk %05d', n), printf('bulk %05d', n), '', printf('bulk-%05d', n), tags, settings, '[]', 1, 0, 1, 1, \
         verdict, reason, created_at + n, created_by, modified_at + n, modified_by, printf('bulk %05d', n), search_scope \
         from numbers cross join connections where name = 'sample'"
    );
    keyfob.database.execute(&rows).unwrap();
}

#[tokio::test]
async fn beyond_5000_candidates_a_page_is_short_and_has_a_cursor() {
    let keyfob = Keyfob::start().await;
    bulk(&keyfob, 6_000).await;
    let rare = "update connections set reason = 'rejected', verdict = 'invalid' \
                where name in ('bulk 00010', 'bulk 04999', 'bulk 05000', 'bulk 05001', 'bulk 05990')";
    keyfob.database.execute(rare).unwrap();
    for (filter, sort) in
        [("reason=rejected", "name"), ("reason=rejected", "-created_at"), ("provider=http&reason=rejected", "-name")]
    {
        let page = keyfob.get(&format!("{LIST}&{filter}&sort={sort}")).await.expect(200).json();
        let found = page["data"].as_array().unwrap().len();
        assert!(found < 5 && page["next_cursor"].is_string(), "{filter} {sort}: {found}");
        let ids = walk(&keyfob, &format!("environment=development&{filter}&sort={sort}"), 50).await;
        assert_eq!(ids.len(), 5, "{filter} {sort}");
    }
    // A filter with a walk of its own needs no such bound.
    let page = keyfob.get(&format!("{LIST}&verdict=invalid")).await.expect(200).json();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["next_cursor"]), (5, &json!(null)));
}

#[tokio::test]
async fn a_search_considers_the_1000_newest_and_counts_beyond_the_bound_are_not_exact() {
    let keyfob = Keyfob::start().await;
    bulk(&keyfob, 10_000).await;
    let ids = walk(&keyfob, "environment=development&search=bulk", 100).await;
    assert_eq!(ids.len(), 1_000);
    let first = keyfob.get(&format!("{LIST}&search=bulk&limit=1")).await.json();
    assert_eq!(first["data"][0]["name"], "bulk 09001");
    let statuses = |facets: Value| facets["statuses"][0].clone();
    let not_active = |count: u32, exact: bool| json!({ "value": "not_active", "count": count, "exact": exact });
    assert_eq!(statuses(keyfob.get(FACETS).await.json()), not_active(10_001, true));
    assert_eq!(statuses(keyfob.get(&format!("{FACETS}&provider=http")).await.json()), not_active(10_000, false));
    assert_eq!(statuses(keyfob.get(&format!("{FACETS}&search=bulk")).await.json()), not_active(1_000, false));
    assert_eq!(statuses(keyfob.get(&format!("{FACETS}&search=sample")).await.json()), not_active(1, true));
}

#[tokio::test]
async fn what_is_selected_stays_at_0() {
    let keyfob = Keyfob::start().await;
    named(&keyfob, "a").await;
    let facets = keyfob.get(&format!("{FACETS}&provider=slack&provider=nope&tag=gone")).await.expect(200).json();
    let zero = |value: &str| json!({ "value": value, "count": 0, "exact": true });
    assert_eq!(
        facets,
        json!({
            "providers": [zero("slack"), zero("nope")], "tags": [zero("gone")],
            "statuses": [zero("active"), zero("not_active")],
        })
    );
}

#[tokio::test]
async fn the_counters_follow_every_change() {
    let keyfob = Keyfob::working().await;
    let mut body = bearer("Acme");
    body["tags"] = json!(["a", "b"]);
    let path = path_of(&keyfob.create(&body).await);
    let counts = async |providers: Value, tags: Value, statuses: Value| {
        let facets = keyfob.get(FACETS).await.expect(200).json();
        let plain = |facet: &str| {
            let values = facets[facet].as_array().unwrap().iter();
            values.map(|one| (one["value"].as_str().unwrap().to_owned(), one["count"].clone())).collect::<Value>()
        };
        assert_eq!([plain("providers"), plain("tags"), plain("statuses")], [providers, tags, statuses]);
    };
    let (http, on, off) =
        (json!({ "http": 1 }), json!({ "active": 1, "not_active": 0 }), json!({ "active": 0, "not_active": 1 }));
    counts(http.clone(), json!({ "a": 1, "b": 1 }), on.clone()).await;
    keyfob.patch(&path, 1, &json!({ "tags": ["b", "c"], "enabled": false })).await.expect(200);
    counts(http.clone(), json!({ "b": 1, "c": 1 }), off).await;
    keyfob.patch(&path, 2, &json!({ "enabled": true, "tags": [] })).await.expect(200);
    counts(http, json!({}), on).await;
    keyfob.delete(&path, 3).await.expect(204);
    counts(json!({}), json!({}), json!({ "active": 0, "not_active": 0 })).await;
}
