//! AWS as `moto` plays it (`PyPI`, installed by `make test-native`): it verifies signatures and policies. Stopped by its id.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::ports::Rerouted;

/// A running moto with a user, a role and buckets.
struct Moto {
    process: Child,
    url: Url,
    /// Keys that may list one bucket and assume the role.
    good: (String, String),
    /// Keys that may nothing.
    powerless: (String, String),
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const ROLE: &str = "arn:aws:iam::123456789012:role/workflows";

impl Moto {
    async fn start() -> Self {
        let tools = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".tools/venv/bin/moto_server");
        let program = std::env::var_os("MOTO_SERVER").map_or(tools, PathBuf::from);
        assert!(program.exists(), "moto is not installed: run `make test-native`, or set MOTO_SERVER");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = Url::parse(&format!("http://127.0.0.1:{port}/")).unwrap();
        let mut moto = Self { process, url, good: Default::default(), powerless: Default::default() };
        moto.wait().await;
        moto.fill().await;
        moto
    }

    async fn wait(&self) {
        for _ in 0..300 {
            if self.send("moto-api", "", "GET", "moto-api/data.json").await.is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("moto does not answer");
    }

    /// Asks a service, unsigned: moto believes everything until it is told to verify.
    async fn send(&self, service: &str, body: &str, method: &str, path: &str) -> Option<String> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.request(method.parse().unwrap(), self.url.join(path).unwrap());
        // It knows the service by what a signature names, not by the host.
        let scope = format!("AWS4-HMAC-SHA256 Credential=setup/20260101/us-east-1/{service}/aws4_request, Signature=0");
        let content_type = if service == "iam" { "application/x-www-form-urlencoded" } else { "text/plain" };
        let request = request.header("authorization", scope).header("content-type", content_type).body(body.to_owned());
        request.send().await.ok()?.error_for_status().ok()?.text().await.ok()
    }

    async fn iam(&self, parameters: &[(&str, &str)]) -> String {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs([("Version", "2010-05-08")]).extend_pairs(parameters);
        self.send("iam", &form.finish(), "POST", "").await.unwrap()
    }

    async fn user(&self, name: &str, policy: Option<&Value>) -> (String, String) {
        self.iam(&[("Action", "CreateUser"), ("UserName", name)]).await;
        if let Some(policy) = policy {
            let document = policy.to_string();
            let parameters = [("Action", "PutUserPolicy"), ("UserName", name), ("PolicyName", "p")];
            self.iam(&[&parameters[..], &[("PolicyDocument", &*document)]].concat()).await;
        }
        let answer = self.iam(&[("Action", "CreateAccessKey"), ("UserName", name)]).await;
        let text = |name: &str| {
            let rest = answer.split_once(&format!("<{name}>")).unwrap().1;
            rest.split_once("</").unwrap().0.to_owned()
        };
        (text("AccessKeyId"), text("SecretAccessKey"))
    }

    async fn fill(&mut self) {
        let allow = |statements: Value| json!({ "Version": "2012-10-17", "Statement": statements });
        let policy = allow(json!([
            { "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "arn:aws:s3:::planted" },
            { "Effect": "Allow", "Action": ["s3:ListAllMyBuckets"], "Resource": "*" },
            { "Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ROLE },
        ]));
        self.good = self.user("planted", Some(&policy)).await;
        self.powerless = self.user("powerless", None).await;
        let trust = allow(json!([{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": "*" } }]));
        let trust = trust.to_string();
        let role = [("Action", "CreateRole"), ("RoleName", "workflows"), ("Path", "/")];
        self.iam(&[&role[..], &[("AssumeRolePolicyDocument", &*trust)]].concat()).await;
        self.send("s3", "", "PUT", "planted").await.unwrap();
        // From here on it verifies.
        self.send("moto-api", "0", "POST", "moto-api/reset-auth").await.unwrap();
    }

    async fn test(&self, provider: &str, settings: Value, (id, secret): (&str, &str)) -> Finding {
        let [of] = &described_as(provider)[..] else { panic!("one type") };
        let mut settings = settings;
        settings["access_key_id"] = json!(id);
        let values = (settings, json!({ "secret_access_key": secret }));
        test(of, Rerouted::to(self.url.clone()), &values).await
    }
}

/// Enough of a description to name the type.
fn described_as(provider: &str) -> Vec<Described> {
    let all = all().into_iter();
    all.filter(|of| of.provider == provider && of.connection_type == "access_keys").collect()
}

#[tokio::test]
async fn moto_verifies_what_is_signed() {
    let moto = Moto::start().await;
    let (good, powerless) = ((&*moto.good.0, &*moto.good.1), (&*moto.powerless.0, &*moto.powerless.1));
    let swapped = (good.0, powerless.1);
    let unknown = ("AKIAUNKNOWN000000000", good.1);
    let bucket = |name: &str| json!({ "bucket": name });
    let role = json!({ "role_arn": ROLE, "external_id": "acme" });
    for (provider, settings, keys, expected) in [
        ("aws", json!({}), good, VALID),
        ("aws", json!({}), powerless, VALID),
        ("aws", json!({}), swapped, REJECTED),
        ("aws", json!({}), unknown, REJECTED),
        ("aws", role.clone(), good, VALID),
        ("aws", role.clone(), powerless, LIMITED),
        ("aws", role, swapped, REJECTED),
        ("s3", bucket("planted"), good, VALID),
        ("s3", bucket("planted"), powerless, LIMITED),
        ("s3", bucket("planted"), swapped, REJECTED),
        ("s3", bucket("planted"), unknown, REJECTED),
        ("s3", bucket("other"), good, LIMITED),
        ("s3", json!({}), good, VALID),
        ("s3", json!({}), powerless, LIMITED),
        ("s3", json!({}), swapped, REJECTED),
    ] {
        let finding = moto.test(provider, settings.clone(), keys).await;
        assert_eq!(meaning(&finding), expected, "{provider} {settings} {}", keys.0 == powerless.0);
    }
}
