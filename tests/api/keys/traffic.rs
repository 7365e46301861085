//! A rotation under load: 10,000 entries are wrapped anew while clients of both rings read and write, and nobody notices.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{crowd, keys, rewrap, ring, with_ring};
use crate::support::{Keyfob, bearer, path_of};

const ENTRIES: usize = 10_000;
const CLIENTS: usize = 8;

/// What one client knows of its connections: the version and the secret of each, by path.
type Known = BTreeMap<String, (u64, String)>;

/// A client that reads, changes, creates and deletes its own share of the connections, until it is told to stop.
struct Client {
    number: usize,
    keyfob: Arc<Keyfob>,
    known: Known,
    /// What it did.
    done: Arc<AtomicUsize>,
}

impl Client {
    async fn run(mut self, stop: Arc<AtomicBool>) -> Self {
        let mut round = 0;
        while !stop.load(Ordering::SeqCst) {
            self.step(round).await;
            self.done.fetch_add(1, Ordering::SeqCst);
            round += 1;
        }
        self
    }

    /// One request; whatever is refused fails the test.
    async fn step(&mut self, round: usize) {
        // Jumps through its share, so that it meets entries of before, at, and behind the place of the rewrap.
        let at = round.wrapping_mul(7_919) % self.known.len();
        let (path, (version, token)) =
            self.known.iter().nth(at).map(|(path, known)| (path.clone(), known.clone())).unwrap();
        match round % 8 {
            0 => {
                let token = format!("planted-secret-{}-{round}", self.number);
                let body = json!({ "secrets": { "token": token } });
                self.keyfob.patch(&format!("{path}?test=false"), version, &body).await.expect(200);
                self.known.insert(path, (version + 1, token));
            }
            1 => {
                let name = format!("Client {} round {round}", self.number);
                let created = self.keyfob.post("/v1/connections?test=false", &bearer(&name)).await.expect(201).json();
                self.known.insert(path_of(&created), (1, "planted-secret-1".to_owned()));
            }
            2 => {
                self.keyfob.delete(&path, version).await.expect(204);
                self.known.remove(&path);
            }
            3 => {
                let reveal = json!({ "fields": ["token"], "reason": "why" });
                let shown = self.keyfob.post(&format!("{path}/reveal"), &reveal).await.expect(200).json();
                assert_eq!(shown["secrets"]["token"], token);
            }
            _ => crowd::expect_token(&self.keyfob, &path, &token).await,
        }
    }
}

/// So many clients, each with its share of the connections and one of the rings.
fn clients(rings: &[Arc<Keyfob>], done: &Arc<AtomicUsize>) -> Vec<Client> {
    let share = |client: usize| {
        (client..ENTRIES).step_by(CLIENTS).map(|number| (crowd::path(number), (1, crowd::token(number)))).collect()
    };
    let client = |number: usize| Client {
        number,
        keyfob: Arc::clone(&rings[number % rings.len()]),
        known: share(number),
        done: Arc::clone(done),
    };
    (0..CLIENTS).map(client).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_entries_are_wrapped_anew_under_traffic_without_one_failure() {
    let limits = ("RATE_LIMITS", r#"{"reveals_per_hour":1000000}"#);
    let keyfob = Keyfob::start().await;
    crowd::add(&keyfob, ENTRIES).await;
    let [before, after] = [ring(1, &[1, 2]), ring(2, &[1, 2])]
        .map(|ring| Arc::new(keyfob.restarted(&[("MASTER_KEYS", ring.as_str()), limits])));
    let (done, both_stop, stop) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (old, new): (Vec<Client>, Vec<Client>) = clients(&[Arc::clone(&before), Arc::clone(&after)], &done)
        .into_iter()
        .partition(|client| client.number % 2 == 0);
    let spawn = |client: Client, stop: &Arc<AtomicBool>| tokio::spawn(client.run(Arc::clone(stop)));
    let old: Vec<_> = old.into_iter().map(|client| spawn(client, &both_stop)).collect();
    let new: Vec<_> = new.into_iter().map(|client| spawn(client, &stop)).collect();

    // Both rings are deployed: the operator and the job begin, while the ring before still seals under key 1.
    for _ in 0..6 {
        rewrap(&after).await;
    }
    after.tick().await;
    // The ring before is gone; what it sealed until then is wrapped anew with the rest.
    both_stop.store(true, Ordering::SeqCst);
    let mut known = Known::new();
    for client in old {
        known.extend(client.await.unwrap().known);
    }
    while keys(&after).await["rewrap"]["done"] == json!(false) {
        tokio::join!(rewrap(&after), after.tick());
    }
    let during = done.load(Ordering::SeqCst);
    stop.store(true, Ordering::SeqCst);
    for client in new {
        known.extend(client.await.unwrap().known);
    }
    assert!(during > 500, "{during} requests met the rewrap");
    expect_all_read_under_key_2(&keyfob, &known).await;
}

/// With key 1 out of the ring, every connection has the secret that its client wrote last.
async fn expect_all_read_under_key_2(keyfob: &Keyfob, known: &Known) {
    let alone = with_ring(keyfob, &ring(2, &[2]));
    let told = keys(&alone).await;
    assert_eq!((&told["rewrap"]["done"], &told["rewrap"]["unopenable"]), (&Value::from(true), &Value::from(0)));
    for (path, (_, token)) in known {
        crowd::expect_token(&alone, path, token).await;
    }
    let listed: i64 = keyfob.database.value("select count(*) from connections where deleted_at is null");
    assert_eq!(usize::try_from(listed).unwrap(), known.len());
}
