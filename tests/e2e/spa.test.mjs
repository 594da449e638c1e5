// SPDX-License-Identifier: Apache-2.0
// An app that is nothing but a page on an origin of its own: code and PKCE by fetch(), in a real
// browser that keeps what usher does not allow from the page (OP-53).
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { signIn, startProvider } from "./apps.mjs";
import * as e2e from "./lib.mjs";

// What the page does. Everything it learns it writes into #said.
function app(issuer) {
  const b64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const here = location.origin + location.pathname;
  const form = (values) => ({ method: "POST", body: new URLSearchParams(values) });
  const tell = (said) => { document.querySelector("#said").textContent = JSON.stringify(said); };
  // The status and the body, or that the browser did not let us have them.
  const ask = async (url, options) => {
    try {
      const answer = await fetch(url, options);
      return { status: answer.status, body: await answer.json().catch(() => null), challenge: answer.headers.get("www-authenticate") };
    } catch (e) {
      return { kept: e.name };
    }
  };
  return (async () => {
    const metadata = (await ask(`${issuer}/.well-known/openid-configuration`)).body;
    const query = new URLSearchParams(location.search);
    if (!query.has("code")) {
      const verifier = b64url(crypto.getRandomValues(new Uint8Array(32)));
      sessionStorage.setItem("verifier", verifier);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));
      location.assign(`${metadata.authorization_endpoint}?${new URLSearchParams({
        client_id: "spa", response_type: "code", scope: "openid profile", redirect_uri: here,
        code_challenge: b64url(digest), code_challenge_method: "S256" })}`);
      return;
    }
    const keys = await ask(metadata.jwks_uri);
    const token = await ask(metadata.token_endpoint, form({
      grant_type: "authorization_code", client_id: "spa", code: query.get("code"), redirect_uri: here,
      code_verifier: sessionStorage.getItem("verifier") }));
    const bearer = { headers: { Authorization: `Bearer ${token.body?.access_token ?? "none"}` } };
    const userinfo = await ask(metadata.userinfo_endpoint, bearer);
    const revoked = await ask(metadata.revocation_endpoint, form({ client_id: "spa", token: token.body?.access_token ?? "none" }));
    const after = await ask(metadata.userinfo_endpoint, bearer);
    const cookies = await ask(metadata.userinfo_endpoint, { ...bearer, credentials: "include" });
    const authorize = await ask(metadata.authorization_endpoint);
    const me = await ask(`${issuer}/api/v1/me`, { credentials: "include" });
    tell({ keys, token, userinfo, revoked, after, cookies, authorize, me });
  })();
}

async function serve(port, issuer) {
  const server = http.createServer((rq, rs) => {
    rs.setHeader("Content-Type", "text/html");
    rs.end(`<!doctype html><title>spa</title><pre id="said"></pre><script>(${app})(${JSON.stringify(issuer)});</script>`);
  });
  await new Promise((r) => server.listen(port, "127.0.0.1", r));
  return { stop: () => new Promise((r) => { server.closeAllConnections(); server.close(r); }) };
}

describe("an app that is a page", () => {
  let provider, browser, ports;
  const pages = [];
  before(async () => {
    ports = [await e2e.freePort(), await e2e.freePort()];
    const origin = (i) => `http://127.0.0.1:${ports[i]}`;
    provider = await startProvider("spa", {
      // The second page is sent codes, too, but is not among the origins.
      spa: `client_type = public\nscopes = openid profile\nredirect_uris = ${origin(0)}/ ${origin(1)}/\norigins = ${origin(0)}\n`,
    });
    for (const port of ports) pages.push(await serve(port, provider.usher.url));
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    for (const page of pages) await page.stop();
    await provider?.stop();
  });

  async function said(port) {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      await signIn(page, provider.usher);
      await page.waitForURL((u) => u.port === String(port));
      return JSON.parse(await e2e.until("what the page learnt", () => page.textContent("#said")));
    } finally {
      await context.close();
    }
  }

  it("redeems its code by fetch() and reads tokens and userinfo", async () => {
    const { keys, token, userinfo, revoked, after: then, cookies, authorize, me } = await said(ports[0]);
    assert.ok(keys.body.keys.length > 0);
    assert.equal(token.status, 200);
    assert.equal(token.body.id_token.split(".").length, 3);
    assert.deepEqual([userinfo.status, userinfo.body.name], [200, "Ada Lovelace"]);
    assert.equal(revoked.status, 200);
    assert.equal(then.status, 401);
    assert.match(then.challenge, /invalid_token/);
    // Nothing by cookie, and nothing that is not for pages.
    assert.deepEqual([cookies, authorize, me], Array(3).fill({ kept: "TypeError" }));
  });

  it("reads nothing where it is on another origin, but what is public", async () => {
    const { keys, token, userinfo, revoked, after: then, cookies, authorize, me } = await said(ports[1]);
    assert.ok(keys.body.keys.length > 0);
    assert.deepEqual([token, userinfo, revoked, then, cookies, authorize, me], Array(7).fill({ kept: "TypeError" }));
  });
});
