//! Tests of connections against counterparts that check what they receive.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use keyfob::catalog::Catalog;
use keyfob::catalog::file::{Place, SideEffect};
use keyfob::catalog::provider::ConnectionType;
use keyfob::domain::origin::Origin;
use keyfob::domain::reason::Reason;
use keyfob::domain::time::Timestamp;
use keyfob::domain::values::{Secret, Secrets, Settings};
use keyfob::domain::verdict::Verdict;
use keyfob::egress::{Egress, Policy};
use keyfob::ports::Network;
use keyfob::probe::{self, Finding, Means};
use serde_json::{Value, json};

use crate::counterpart::{Counterpart, Received, Reply, answer};
use crate::ports::{Parrots, RealNetwork, SeededRandom, SetClock, Tables};
use crate::providers::{DISCORD_URL, SLACK_URL, discord_webhook, slack_webhook};
use crate::signing::Ring;
use crate::stub::Stub;

/// How long a test may wait, where it does not wait in vain: the whole ten seconds.
pub(crate) const PATIENT: Duration = Duration::MAX;

/// How long a test waits in vain.
pub(crate) const IMPATIENT: Duration = Duration::from_secs(1);

/// How long it waits where nothing is sent at all.
const HURRIED: Duration = Duration::from_millis(20);

pub(crate) fn egress(network: impl Network + 'static, policy: Policy, patience: Duration) -> Egress {
    let clock = SetClock::at(Timestamp::from_millis(0)).with_patience(patience);
    Egress::new((Arc::new(network), Arc::new(Parrots)), Arc::new(clock), policy)
}

/// What a test needs, with this egress.
pub(crate) fn means<'a>(egress: &'a Egress, random: &'a SeededRandom) -> Means<'a> {
    Means { egress, random, unicode: &Tables, sign: &Ring }
}

fn settings(values: &[(&str, &str)]) -> Settings {
    values.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect()
}

fn secrets(values: &[(&str, &str)]) -> Secrets {
    values.iter().map(|(key, value)| ((*key).to_owned(), Secret::new((*value).to_owned()))).collect()
}

fn found(finding: &Finding) -> (Verdict, Option<Reason>) {
    (finding.verdict, finding.reason)
}

const VALID: (Verdict, Option<Reason>) = (Verdict::Valid, None);
const REJECTED: (Verdict, Option<Reason>) = (Verdict::Invalid, Some(Reason::Rejected));

const fn unknown(reason: Reason) -> (Verdict, Option<Reason>) {
    (Verdict::Unknown, Some(reason))
}

mod slack {
    use super::*;

    fn slack() -> &'static ConnectionType {
        Catalog::embedded().connection_type("slack", "incoming_webhook").unwrap()
    }

    fn destinations() -> BTreeSet<Origin> {
        BTreeSet::from([Origin::try_from("https://hooks.slack.com".to_owned()).unwrap()])
    }

    async fn test(stub: &Stub, url: &str) -> Finding {
        test_for(PATIENT, stub, url).await
    }

    async fn test_for(patience: Duration, stub: &Stub, url: &str) -> Finding {
        let egress = egress(stub.network(), Policy::default(), patience);
        probe::test(
            means(&egress, &SeededRandom::default()),
            slack(),
            &Settings::new(),
            &secrets(&[("webhook_url", url)]),
            &destinations(),
        )
        .await
    }

    #[tokio::test]
    async fn a_revoked_webhook_is_invalid() {
        let stub = Stub::start(slack_webhook).await;
        for url in
            ["https://hooks.slack.com/services/T0PLANTED/B0PLANTED/revoked", "https://hooks.slack.com/services/T1/B1/x"]
        {
            assert_eq!(found(&test(&stub, url).await), REJECTED);
        }
    }

    #[tokio::test]
    async fn a_webhook_url_elsewhere_is_never_called() {
        let stub = Stub::start(slack_webhook).await;
        for url in [
            "https://evil.example.net/services/x",
            "http://hooks.slack.com/services/x",
            "https://u@hooks.slack.com/x",
            "https://127.0.0.1/services/x",
            "https://hooks.slack.com:8443/x",
        ] {
            assert_eq!(found(&test_for(HURRIED, &stub, url).await), unknown(Reason::Unreachable), "{url}");
        }
        assert!(stub.counterpart.received().is_empty());
    }

    #[tokio::test]
    async fn a_test_posts_nothing_and_finds_the_webhook_valid() {
        let stub = Stub::start(slack_webhook).await;
        assert_eq!(found(&test(&stub, SLACK_URL).await), VALID);
        let [received] = &stub.counterpart.received()[..] else { panic!("one request") };
        assert_eq!(received.header("user-agent"), Some(concat!("Keyfob/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(received.header("accept"), Some("application/json"));
        assert!(serde_json::from_slice::<Value>(&received.body).is_err());
    }

    #[tokio::test]
    async fn a_message_is_sent_only_when_it_is_asked_for() {
        let mut stub = Stub::start(slack_webhook).await;
        stub.announce_message();
        let egress = egress(stub.network(), Policy::default(), IMPATIENT);
        let send = |url: &'static str| {
            let egress = egress.clone();
            async move {
                probe::send_message(
                    means(&egress, &SeededRandom::default()),
                    slack(),
                    &Settings::new(),
                    &secrets(&[("webhook_url", url)]),
                    &destinations(),
                )
                .await
                .unwrap()
            }
        };
        assert_eq!(found(&send(SLACK_URL).await), VALID);
        assert_eq!(found(&send("https://hooks.slack.com/services/T0PLANTED/B0PLANTED/revoked").await), REJECTED);
        assert_eq!(found(&send("https://evil.example.net/services/x").await), unknown(Reason::Unreachable));
    }
}

mod discord {
    use super::*;

    fn discord() -> ConnectionType {
        Catalog::embedded().connection_type("discord", "webhook").unwrap().clone()
    }

    async fn test(stub: &Stub, connection_type: &ConnectionType, url: &str) -> Finding {
        let destinations = BTreeSet::from([Origin::try_from("https://discord.com".to_owned()).unwrap()]);
        let egress = egress(stub.network(), Policy::default(), PATIENT);
        let secrets = secrets(&[("webhook_url", url)]);
        probe::test(
            means(&egress, &SeededRandom::default()),
            connection_type,
            &Settings::new(),
            &secrets,
            &destinations,
        )
        .await
    }

    #[tokio::test]
    async fn an_unknown_webhook_and_a_wrong_token_are_invalid() {
        let stub = Stub::start(discord_webhook).await;
        for url in ["https://discord.com/api/webhooks/1/x", "https://discord.com/api/webhooks/223704706495545344/wrong"]
        {
            assert_eq!(found(&test(&stub, &discord(), url).await), REJECTED);
        }
    }

    #[tokio::test]
    async fn the_ids_are_kept_and_the_token_is_dropped_even_if_a_file_names_it() {
        let stub = Stub::start(discord_webhook).await;
        let mut careless = discord();
        let places = [("token", "/token"), ("url", "/url"), ("gone", "/gone"), ("webhook_id", "/id")];
        let places = places.map(|(name, place)| (name.to_owned(), Place::Body(place.to_owned())));
        careless.test.as_mut().unwrap().facts.extend(places);
        let finding = test(&stub, &careless, DISCORD_URL).await;
        assert_eq!(found(&finding), VALID);
        let facts: Vec<_> = finding.facts.iter().map(|(name, fact)| (name.as_str(), fact.as_str())).collect();
        let ids = [("channel_id", "199737254929760256"), ("guild_id", "199737254929760256"), ("name", "Alerts")];
        assert_eq!(facts, [&ids[..], &[("webhook_id", "223704706495545344")]].concat());
    }
}

mod generic {
    use super::*;

    async fn ask(counterpart: &Counterpart, scheme: &str, more: &[(&str, &str)], secret: &str) -> Finding {
        ask_for(PATIENT, counterpart, scheme, more, secret).await
    }

    /// Tests a connection with this secret, whatever the scheme calls it.
    async fn ask_for(
        patience: Duration,
        counterpart: &Counterpart,
        scheme: &str,
        more: &[(&str, &str)],
        secret: &str,
    ) -> Finding {
        let http = Catalog::embedded().connection_type("http", scheme).unwrap();
        let (url, names) =
            (counterpart.url("/v1"), [("username", "ann"), ("header_name", "X-Key"), ("query_name", "key")]);
        let place = [
            ("base_url", url.as_str()),
            ("test_method", "GET"),
            ("test_path", "/me?deep=1"),
            ("test_expect", "200-299"),
        ];
        let settings = settings(&[&place[..], &names, more].concat());
        let secrets = secrets(&["token", "password", "header_value", "query_value"].map(|field| (field, secret)));
        let egress = egress(RealNetwork::new(), Policy { allow_private_network: true }, patience);
        probe::test(
            means(&egress, &SeededRandom::default()),
            http,
            &settings,
            &secrets,
            &BTreeSet::from([counterpart.origin()]),
        )
        .await
    }

    /// A counterpart that answers one way with the right credential and another without.
    async fn service(
        carries: impl Fn(&Received) -> bool + Send + Sync + 'static,
        with: u16,
        without: u16,
    ) -> Counterpart {
        Counterpart::start(move |request| answer(if carries(request) { with } else { without }, &[], "{}")).await
    }

    fn has_bearer(request: &Received) -> bool {
        request.header("authorization") == Some("Bearer s3cret")
    }

    #[tokio::test]
    async fn each_scheme_carries_the_credential_once_and_once_not() {
        type Carries = fn(&Received) -> bool;
        let schemes: [(&str, Carries); 4] = [
            ("bearer", has_bearer),
            ("basic", |request| request.header("authorization") == Some("Basic YW5uOnMzY3JldA==")),
            ("header", |request| request.header("x-key") == Some("s3cret")),
            ("query", |request| request.target == "/v1/me?deep=1&key=s3cret"),
        ];
        for (scheme, carries) in schemes {
            let counterpart = service(carries, 200, 401).await;
            assert_eq!(found(&ask(&counterpart, scheme, &[], "s3cret").await), VALID, "{scheme}");
            let received = counterpart.received();
            assert_eq!(received.iter().map(carries).collect::<Vec<_>>(), [true, false], "{scheme}");
            assert!(
                received.iter().all(|request| request.method == "GET" && request.target.starts_with("/v1/me?deep=1"))
            );
            assert_eq!(found(&ask(&counterpart, scheme, &[], "wrong").await), REJECTED, "{scheme}");
        }
    }

    #[tokio::test]
    async fn an_address_that_needs_no_credential_is_asked_once() {
        let counterpart = service(|_| true, 200, 401).await;
        assert_eq!(found(&ask(&counterpart, "none", &[], "s3cret").await), VALID);
        let [received] = &counterpart.received()[..] else { panic!("one request") };
        assert_eq!((received.target.as_str(), received.header("authorization")), ("/v1/me?deep=1", None));
    }

    #[tokio::test]
    async fn a_wrong_credential_is_not_tried_without() {
        let counterpart = service(has_bearer, 200, 401).await;
        ask(&counterpart, "bearer", &[], "wrong").await;
        assert_eq!(counterpart.received().len(), 1);
    }

    #[tokio::test]
    async fn an_endpoint_that_needs_no_credential_proves_nothing() {
        for (with, without) in [(200, 200), (200, 204), (403, 403), (403, 200)] {
            let counterpart = service(has_bearer, with, without).await;
            let finding = ask(&counterpart, "bearer", &[], "s3cret").await;
            assert_eq!(found(&finding), unknown(Reason::CredentialNotChecked), "{with} {without}");
        }
        let counterpart = service(has_bearer, 404, 404).await;
        let finding = ask(&counterpart, "bearer", &[("test_expect", "200-299, 404")], "s3cret").await;
        assert_eq!(found(&finding), unknown(Reason::CredentialNotChecked));
    }

    #[tokio::test]
    async fn any_refusal_without_the_credential_proves_that_it_counts() {
        for without in [400, 401, 403, 404, 302] {
            let counterpart = service(has_bearer, 200, without).await;
            let finding = ask(&counterpart, "bearer", &[], "s3cret").await;
            assert_eq!(found(&finding), VALID, "{without}");
        }
        let counterpart = service(has_bearer, 403, 401).await;
        assert_eq!(
            found(&ask(&counterpart, "bearer", &[], "s3cret").await),
            (Verdict::Limited, Some(Reason::InsufficientScope))
        );
    }

    #[tokio::test]
    async fn no_useful_answer_without_the_credential_leaves_the_question_open() {
        for (without, reason) in [(429, Reason::RateLimited), (503, Reason::Unreachable)] {
            let counterpart = service(has_bearer, 200, without).await;
            assert_eq!(found(&ask(&counterpart, "bearer", &[], "s3cret").await), unknown(reason));
        }
        let silent =
            Counterpart::start(|request| if has_bearer(request) { answer(200, &[], "") } else { Reply::Silence }).await;
        assert_eq!(found(&ask_for(IMPATIENT, &silent, "bearer", &[], "s3cret").await), unknown(Reason::Unreachable));
    }

    #[tokio::test]
    async fn a_test_with_its_comparison_takes_no_longer_than_one_exchange() {
        let slow = Counterpart::start(|request| {
            let line = if has_bearer(request) { "HTTP/1.1 200 X" } else { "HTTP/1.1 401 X" };
            Reply::Late { pause: IMPATIENT * 6 / 10, bytes: format!("{line}\r\nContent-Length: 0\r\n\r\n").into() }
        })
        .await;
        assert_eq!(found(&ask(&slow, "bearer", &[], "s3cret").await), VALID);
        let finding = ask_for(IMPATIENT, &slow, "bearer", &[], "s3cret").await;
        assert_eq!(found(&finding), unknown(Reason::Unreachable));
    }

    #[tokio::test]
    async fn answers_that_tell_nothing_are_unknown() {
        for (status, reason) in [
            (302, Reason::UnexpectedAnswer),
            (404, Reason::UnexpectedAnswer),
            (429, Reason::RateLimited),
            (500, Reason::Unreachable),
            (503, Reason::Unreachable),
        ] {
            let counterpart = Counterpart::start(move |_| answer(status, &[], "")).await;
            assert_eq!(found(&ask(&counterpart, "bearer", &[], "s3cret").await), unknown(reason), "{status}");
        }
        let silent = Counterpart::start(|_| Reply::Silence).await;
        assert_eq!(found(&ask_for(IMPATIENT, &silent, "bearer", &[], "s3cret").await), unknown(Reason::Unreachable));
        let reset = Counterpart::start(|_| Reply::Reset).await;
        assert_eq!(found(&ask_for(IMPATIENT, &reset, "bearer", &[], "s3cret").await), unknown(Reason::Unreachable));
    }

    #[tokio::test]
    async fn a_redirect_carries_the_credential_nowhere() {
        let thief = Counterpart::start(|_| answer(200, &[], "")).await;
        let location = thief.url("/").to_string();
        let counterpart = Counterpart::start(move |_| answer(307, &[("Location", &location)], "")).await;
        assert_eq!(found(&ask(&counterpart, "bearer", &[], "s3cret").await), unknown(Reason::UnexpectedAnswer));
        assert!(thief.received().is_empty());
    }

    #[tokio::test]
    async fn without_a_test_path_nothing_is_sent() {
        let counterpart = service(has_bearer, 200, 401).await;
        let finding = ask(&counterpart, "bearer", &[("test_path", "")], "s3cret").await;
        assert_eq!(found(&finding), unknown(Reason::NoTest));
        assert!(counterpart.received().is_empty());
    }

    #[tokio::test]
    async fn values_that_make_no_request_are_missing_and_nothing_is_sent() {
        let counterpart = service(has_bearer, 200, 401).await;
        let missing = (Verdict::Invalid, Some(Reason::Missing));
        assert_eq!(found(&ask(&counterpart, "bearer", &[], "").await), missing);
        assert_eq!(found(&ask(&counterpart, "bearer", &[], "s3\r\ncret").await), missing);
        assert_eq!(found(&ask(&counterpart, "bearer", &[("test_expect", "fine")], "s3cret").await), missing);
        assert!(counterpart.received().is_empty());
    }

    #[tokio::test]
    async fn a_header_that_decides_about_the_connection_takes_no_credential() {
        let counterpart = service(has_bearer, 200, 401).await;
        let finding = ask_for(HURRIED, &counterpart, "header", &[("header_name", "Host")], "s3cret").await;
        assert_eq!(found(&finding), unknown(Reason::Unreachable));
        assert!(counterpart.received().is_empty());
    }

    #[tokio::test]
    async fn a_changed_base_url_gets_no_secret() {
        let (known, other) = (service(has_bearer, 200, 401).await, service(has_bearer, 200, 401).await);
        let elsewhere = other.url("/v1");
        let finding = ask_for(HURRIED, &known, "bearer", &[("base_url", elsewhere.as_str())], "s3cret").await;
        assert_eq!(found(&finding), unknown(Reason::Unreachable));
        assert!(known.received().is_empty() && other.received().is_empty());
    }

    #[tokio::test]
    async fn a_long_answer_is_judged_by_its_status_alone() {
        let counterpart = Counterpart::start(|request| {
            if has_bearer(request) { answer(200, &[], vec![b'x'; 100_000]) } else { answer(401, &[], "") }
        })
        .await;
        assert_eq!(found(&ask(&counterpart, "bearer", &[], "s3cret").await), VALID);
    }
}

#[tokio::test]
async fn a_type_without_a_harmless_test_is_not_tested() {
    let counterpart = Counterpart::start(|_| answer(200, &[], "")).await;
    let http = Catalog::embedded().connection_type("http", "none").unwrap();
    let (mut visible, mut none) = (http.clone(), http.clone());
    visible.test.as_mut().unwrap().side_effect = SideEffect::Visible;
    none.test = None;
    let egress = egress(RealNetwork::new(), Policy { allow_private_network: true }, PATIENT);
    let url = counterpart.url("/");
    let settings = settings(&[("base_url", url.as_str()), ("test_method", "GET"), ("test_path", "/")]);
    let (secrets, destinations) = (Secrets::default(), BTreeSet::from([counterpart.origin()]));
    for connection_type in [&visible, &none] {
        let finding =
            probe::test(means(&egress, &SeededRandom::default()), connection_type, &settings, &secrets, &destinations)
                .await;
        assert_eq!(found(&finding), unknown(Reason::NoTest));
        assert!(
            probe::send_message(
                means(&egress, &SeededRandom::default()),
                connection_type,
                &settings,
                &secrets,
                &destinations
            )
            .await
            .is_none()
        );
    }
    assert!(counterpart.received().is_empty());
}
