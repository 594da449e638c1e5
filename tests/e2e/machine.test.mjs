// SPDX-License-Identifier: Apache-2.0
// Machines that ask usher for tokens, by a certified client library: openid-client, and its
// oauth4webapi in the part of an API that checks what it is shown.
import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as client from "openid-client";
import * as oauth from "oauth4webapi";
import { folder, freePort, startUsher } from "./lib.mjs";

const api = "https://api.example.com";
const dir = folder("machine");
const secrets = {};
let usher, keys;

// As usherctl would have made it; the daemon is down.
function addSecret(app) {
  secrets[app] = execFileSync("python3", ["-c", `
import hashlib, os, sqlite3, sys, time, base64
secret = "uas_" + base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
db = sqlite3.connect(sys.argv[1])
db.execute("INSERT INTO app_secret (id, app, hash, created) VALUES (?, ?, ?, ?)",
           (sys.argv[2], sys.argv[2], hashlib.sha256(secret.encode()).digest(), int(time.time())))
db.commit()
print(secret)`, path.join(dir, "usher.db"), app], { encoding: "utf8" }).trim();
}

before(async () => {
  keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const common = `grants = client_credentials\nscopes = reports:read reports:write\nresources = ${api}\n`;
  const apps = {
    reporter: common,
    quick: `${common}token_alg = ES256\n`,
    opaque: `${common}token_format = opaque\n`,
    signer: `${common}auth_method = private_key_jwt\njwks = ${JSON.stringify({ keys: [{ kty, crv, x, y }] })}\n`,
    api: `grants = client_credentials\nserves = ${api}\n`,
  };
  fs.mkdirSync(path.join(dir, "apps.d"));
  for (const [id, text] of Object.entries(apps)) fs.writeFileSync(path.join(dir, "apps.d", `${id}.conf`), text, { mode: 0o600 });
  const options = { port: await freePort(), settings: { apps: `dir = ${dir}/apps.d\n` } };
  await (await startUsher(dir, options)).stop();
  fs.unlinkSync(path.join(dir, "usher.ready"));
  for (const app of ["reporter", "quick", "opaque", "api"]) addSecret(app);
  usher = await startUsher(dir, options);
});

after(async () => {
  await usher?.stop();
  fs.rmSync(dir, { recursive: true, force: true });
});

async function configured(app, auth) {
  return client.discovery(new URL(usher.url), app, {}, auth, { execute: [client.allowInsecureRequests] });
}

const ways = {
  "client_secret_basic": () => ["reporter", client.ClientSecretBasic(secrets.reporter)],
  "client_secret_post": () => ["reporter", client.ClientSecretPost(secrets.reporter)],
  "private_key_jwt": () => ["signer", client.PrivateKeyJwt(keys.privateKey)],
  "opaque": () => ["opaque", client.ClientSecretBasic(secrets.opaque)],
  "ES256": () => ["quick", client.ClientSecretBasic(secrets.quick)],
};

for (const [name, way] of Object.entries(ways)) {
  test(`a machine gets a token, shows it and gives it back: ${name}`, async () => {
    const [app, auth] = way();
    const config = await configured(app, auth);
    const tokens = await client.clientCredentialsGrant(config, { scope: "reports:read", resource: api });
    assert.equal(tokens.token_type, "bearer");
    assert.equal(tokens.scope, "reports:read");
    assert.equal(tokens.expires_in, 1800);
    assert.equal(tokens.refresh_token, undefined);
    assert.equal(tokens.id_token, undefined);

    // The API asks usher.
    const asking = await configured("api", client.ClientSecretBasic(secrets.api));
    const said = await client.tokenIntrospection(asking, tokens.access_token);
    assert.equal(said.active, true);
    assert.equal(said.client_id, app);
    assert.equal(said.scope, "reports:read");

    // The API checks by itself.
    if (name !== "opaque") {
      const as = config.serverMetadata();
      const request = new Request("https://api.example.com/", { headers: { authorization: `Bearer ${tokens.access_token}` } });
      const claims = await oauth.validateJwtAccessToken(as, request, api, { [oauth.allowInsecureRequests]: true });
      assert.equal(claims.client_id, app);
      await assert.rejects(oauth.validateJwtAccessToken(as, request, "https://other.example.com",
        { [oauth.allowInsecureRequests]: true }));
    }

    await client.tokenRevocation(config, tokens.access_token);
    assert.deepEqual(await client.tokenIntrospection(asking, tokens.access_token), { active: false });
  });
}

test("what is refused is refused in the words the library knows", async () => {
  const wrong = await configured("reporter", client.ClientSecretBasic("uas_nobody"));
  await assert.rejects(client.clientCredentialsGrant(wrong), (e) => e.status === 401);
  const config = await configured("reporter", client.ClientSecretBasic(secrets.reporter));
  await assert.rejects(client.clientCredentialsGrant(config, { scope: "openid" }), (e) => e.error === "invalid_scope");
  await assert.rejects(client.clientCredentialsGrant(config, { resource: "https://evil.example" }),
    (e) => e.error === "invalid_target");
  await assert.rejects(client.genericGrantRequest(config, "password", { username: "a", password: "b" }),
    (e) => e.error === "unsupported_grant_type");
});
