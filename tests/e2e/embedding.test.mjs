// A page exchanges a token that a server signed, verified by the platform's own WebCrypto, and reads with the session.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { startKeyfob } from "./keyfob.mjs";

const PAGE = "https://app.example.com";
const SIGNERS = {
  RS256: { ...generateKeyPairSync("rsa", { modulusLength: 2048 }), hash: "sha256" },
  ES256: { ...generateKeyPairSync("ec", { namedCurve: "P-256" }), hash: "sha256" },
  EdDSA: { ...generateKeyPairSync("ed25519"), hash: null },
};

let keyfob;
before(async () => {
  keyfob = await startKeyfob();
  const answer = await keyfob.request("POST", "/v1/embedded/origins", { body: { origin: PAGE } });
  assert.equal(answer.status, 201, answer.text);
});
after(() => keyfob?.stop());

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(alg, kid, changes = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: keyfob.url, sub: "acme", jti: randomUUID(), iat: now, exp: now + 300, ...changes };
  const signed = `${part({ alg, kid })}.${part(claims)}`;
  const { privateKey, hash } = SIGNERS[alg];
  return `${signed}.${sign(hash, Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

const exchange = (jwt) =>
  keyfob.request("POST", "/v1/embedded/sessions/exchange", { key: null, body: { jwt }, headers: { origin: PAGE } });

for (const [alg, { publicKey }] of Object.entries(SIGNERS)) {
  for (const form of ["PEM", "JWK"]) {
    test(`a token by ${alg}, whose key was registered as ${form}, becomes a session once`, async () => {
      const given = form === "PEM" ? publicKey.export({ format: "pem", type: "spki" }) : publicKey.export({ format: "jwk" });
      const body = { environment: "production", name: alg, public_key: given };
      const key = await keyfob.request("POST", "/v1/signing-keys", { body });
      assert.deepEqual([key.status, key.json.algorithm], [201, alg], key.text);
      const jwt = token(alg, key.json.id);
      const session = await exchange(jwt);
      assert.equal(session.status, 201, session.text);
      assert.equal(session.headers["access-control-allow-origin"], PAGE);
      const list = await keyfob.request("GET", "/v1/embedded/connections", { key: session.json.token });
      assert.equal(list.status, 200, list.text);

      const again = await exchange(jwt);
      assert.deepEqual([again.status, again.json.code], [409, "token_used"]);
      // Once an algorithm: ten that fail within a minute are all that one address may send.
      if (form === "JWK") return;
      const forged = await exchange(token(alg, key.json.id).replace(/.{8}$/, "AAAAAAAA"));
      assert.deepEqual([forged.status, forged.json.code], [401, "unauthorized"]);
      const elsewhere = await exchange(token(alg, key.json.id, { aud: "https://keyfob.example.com" }));
      assert.equal(elsewhere.status, 401);
    });
  }
}

test("a browser may ask before it sends the token", async () => {
  const headers = { origin: PAGE, "access-control-request-method": "POST", "access-control-request-headers": "content-type" };
  const answer = await keyfob.request("OPTIONS", "/v1/embedded/sessions/exchange", { key: null, headers });
  assert.equal(answer.status, 204);
  assert.match(answer.headers["access-control-allow-methods"], /POST/);
});
