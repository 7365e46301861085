// Cloudflare Access for the tests: a local server with its public keys, and the assertions that it would sign.
import { generateKeyPairSync, sign } from "node:crypto";
import { startService } from "./counterpart.mjs";

const AUDIENCE = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
const SIGNERS = {
  RS256: { ...generateKeyPairSync("rsa", { modulusLength: 2048 }), hash: "sha256" },
  ES256: { ...generateKeyPairSync("ec", { namedCurve: "P-256" }), hash: "sha256" },
  EdDSA: { ...generateKeyPairSync("ed25519"), hash: null },
};
export const ALGORITHMS = Object.keys(SIGNERS);

export const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

// - `vars(roles)`: the variables of a Keyfob that trusts it
// - `token(alg, claims, header)`: an assertion about ann@example.com, valid unless something is changed
// - `outage`: while it is true, nobody gets its keys
// - `stop()`
export async function startAccess() {
  const access = { outage: false };
  const service = await startService((request, response) => {
    response.statusCode = access.outage || request.url !== "/cdn-cgi/access/certs" ? 503 : 200;
    const keys = Object.entries(SIGNERS).map(([alg, { publicKey }]) => ({ ...publicKey.export({ format: "jwk" }), kid: alg, alg, use: "sig" }));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ keys, public_certs: [] }));
  });
  return Object.assign(access, {
    vars: (roles) => ({ ACCESS_TEAM_DOMAIN: service.origin, ACCESS_AUDIENCE: AUDIENCE, ACCESS_ROLES: JSON.stringify(roles) }),
    token(alg, changes = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: service.origin, aud: [AUDIENCE], email: "ann@example.com", iat: now, nbf: now, exp: now + 600, type: "app" };
      const signed = `${encoded({ alg, kid: alg, typ: "JWT", ...header })}.${encoded({ ...claims, ...changes })}`;
      const { privateKey, hash } = SIGNERS[alg];
      const signature = sign(hash, Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${signed}.${signature.toString("base64url")}`;
    },
    stop: service.stop,
  });
}
