//! Writers that really run at the same time, each a task on one of several threads.

use super::*;

async fn at_once(
    keyfob: &Arc<Keyfob>,
    method: &'static str,
    path: &str,
    headers: [(&'static str, &'static str); 1],
    body: &Value,
) -> Vec<Answer> {
    let send = |_| {
        let (keyfob, path, body) = (Arc::clone(keyfob), path.to_owned(), body.clone());
        tokio::spawn(async move { keyfob.request(method, &path, ROOT, &headers, &body).await })
    };
    join_all((0..32).map(send)).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_32_writers_on_threads_with_one_etag_one_wins() {
    for change in [json!({ "name": "New" }), json!({ "secrets": { "token": "planted-secret-2" } })] {
        let keyfob = Arc::new(Keyfob::working().await);
        let path = path_of(&keyfob.create(&bearer("Acme")).await);
        let answers = at_once(&keyfob, "PATCH", &format!("{path}?test=false"), [("if-match", "\"1\"")], &change).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((won.len(), lost.len()), (1, 31));
        assert!(lost.iter().all(|answer| answer.problem() == (412, "version_mismatch".to_owned())));
        let rows = keyfob.database.counts();
        assert_eq!((rows["events"], rows["audit_events"]), (2, 2));
        expect_no_stray_blob(&keyfob);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_key_from_32_clients_on_threads_makes_one_connection_and_one_answer() {
    let keyfob = Arc::new(Keyfob::working().await);
    let path = "/v1/connections?test=false";
    let answers = at_once(&keyfob, "POST", path, [("idempotency-key", "once")], &bearer("Acme")).await;
    let told: BTreeSet<String> = answers.into_iter().map(|answer| answer.expect(201).text).collect();
    let rows = keyfob.database.counts();
    assert_eq!((told.len(), rows["connections"], rows["audit_events"], rows["vault_entries"]), (1, 1, 1, 1));
    expect_no_stray_blob(&keyfob);
}
