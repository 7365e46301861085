//! The same request twice creates one thing.

use super::*;

async fn create(keyfob: &Keyfob, path: &str, key: &str, body: &Value) -> Answer {
    keyfob.request("POST", path, ROOT, &[("idempotency-key", key)], body).await
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_creates_one() {
    let keyfob = Keyfob::working().await;
    let first = create(&keyfob, "/v1/connections", "k1", &bearer("Acme")).await.expect(201);
    let (rows, blobs) = (keyfob.database.counts(), keyfob.blobs.stored.lock().unwrap().len());
    keyfob.advance(Duration::from_hours(1));
    let second = create(&keyfob, "/v1/connections", "k1", &bearer("Acme")).await.expect(201);
    assert_eq!((&first.text, first.header("etag")), (&second.text, second.header("etag")));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!((first.header("idempotency-replayed"), second.header("idempotency-replayed")), ("", "true"));
    assert_eq!((keyfob.database.counts(), keyfob.blobs.stored.lock().unwrap().len()), (rows, blobs));
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let keyfob = Keyfob::working().await;
    create(&keyfob, "/v1/connections", "k1", &bearer("Acme")).await.expect(201);
    let rows = keyfob.database.counts();
    for (path, name) in [("/v1/connections", "Other"), ("/v1/connections?test=false", "Acme")] {
        let reused = create(&keyfob, path, "k1", &bearer(name)).await;
        assert_eq!(reused.problem(), (422, "idempotency_key_reused".to_owned()), "{path} {name}");
    }
    assert_eq!(keyfob.database.counts(), rows);
}

#[tokio::test]
async fn the_key_of_another_caller_is_another_key() {
    let keyfob = Keyfob::working().await;
    let other = keyfob.key(&["connections:write", "connections:read"], &["development"]).await;
    let first = create(&keyfob, "/v1/connections", "k1", &bearer("Acme")).await.expect(201).json();
    let headers = [("idempotency-key", "k1")];
    let second = keyfob.request("POST", "/v1/connections", &other, &headers, &bearer("Acme")).await.expect(201);
    assert_ne!(second.json()["id"], first["id"]);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let keyfob = Keyfob::working().await;
    let first = create(&keyfob, "/v1/connections", "k1", &bearer("Acme")).await.expect(201).json();
    keyfob.advance(Duration::from_hours(24) + Duration::from_millis(1));
    keyfob.tick().await;
    let second = create(&keyfob, "/v1/connections", "k1", &bearer("Acme")).await.expect(201).json();
    assert_ne!(second["id"], first["id"]);
}

#[tokio::test]
async fn parallel_clients_with_one_key_create_one_connection_and_get_one_answer() {
    let keyfob = Keyfob::working().await;
    let body = bearer("Acme");
    let all = (0..12).map(|_| create(&keyfob, "/v1/connections?test=false", "k1", &body));
    let answers: BTreeSet<String> = join_all(all).await.into_iter().map(|answer| answer.expect(201).text).collect();
    assert_eq!(answers.len(), 1);
    assert_eq!(keyfob.database.value::<i64>("select count(*) from connections"), 1);
    expect_no_stray_blob(&keyfob);
}
