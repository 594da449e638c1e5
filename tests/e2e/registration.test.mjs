// SPDX-License-Identifier: Apache-2.0
// An app that registers itself, in a real browser: the admin who makes a token for it, the person who
// is told that nobody has verified it, and the admin who sees it and switches it off. And openid-client,
// which registers and signs somebody in, as it does with any provider.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import * as client from "openid-client";
import * as e2e from "./lib.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const evil = "<img src=x onerror=alert(1)>";

describe("an app that registers itself in Chromium", () => {
  let dir, fake, usher, browser, admin, made;
  const elsewhere = [];
  before(async () => {
    dir = e2e.folder("registration");
    fake = await e2e.startFake(dir);
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake), settings: { issuer: "registration = token\n" } });
    browser = await e2e.startBrowser();
    admin = await open();
    await admin.goto(usher.ctl("setup-link").url);
    await press(admin, "Begin");
  });
  after(async () => {
    await browser?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  async function open(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10000);
    page.on("request", (r) => { if (![usher.url, fake.url].some((url) => r.url().startsWith(url))) elsewhere.push(r.url()); });
    page.on("dialog", () => elsewhere.push("a script ran"));
    return page;
  }

  const press = async (page, name) => { await page.getByRole("button", { name }).click(); await page.waitForLoadState(); };
  const go = (page, path) => page.goto(usher.url + path);

  async function examine(page, name) {
    await e2e.shot(page, `registration-${name}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${name} scrolls sideways`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    assert.deepEqual(violations.map((v) => [name, v.id, v.nodes.map((n) => n.html)]), []);
  }

  const register = (token, more = {}) => fetch(`${usher.url}/oauth2/register`, {
    method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ client_name: evil, redirect_uris: ["https://guest.example.com/cb"],
      logo_uri: "https://guest.example.com/logo.svg", policy_uri: "https://guest.example.com/privacy", ...more }) });

  it("comes in by a token from the admin's page, once", async () => {
    await go(admin, "/admin/apps");
    await admin.getByRole("link", { name: "Registration" }).click();
    await examine(admin, "empty");
    await admin.getByLabel("For which app").fill(evil);
    await press(admin, "Make the token");
    const token = await admin.getByLabel("The new token").inputValue();
    await examine(admin, "made");
    const answer = await register(token);
    assert.equal(answer.status, 201);
    made = await answer.json();
    assert.equal((await register(token)).status, 401);
    await go(admin, "/admin/registration");
    assert.ok(!(await admin.content()).includes(token));
    assert.ok((await admin.textContent("table")).includes(evil));
    assert.doesNotMatch(await admin.textContent("table"), /not yet/);
  });

  it("tokens are deleted, and refused when they make no sense", async () => {
    await admin.getByLabel("For which app").fill("another");
    await admin.getByLabel(/^Ends/).fill("2001-01-01");
    await press(admin, "Make the token");
    assert.match(await admin.getByRole("alert").textContent(), /expires/);
    assert.equal(await admin.getByLabel("For which app").inputValue(), "another");
    await admin.getByLabel(/^Ends/).fill("");
    await press(admin, "Make the token");
    const token = await admin.getByLabel("The new token").inputValue();
    await press(admin, /Delete another/);
    assert.match(await admin.textContent("main"), /refused from now on/);
    assert.equal((await register(token)).status, 401);
  });

  for (const [look, options] of [["1280", {}], ["320-dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" }]]) {
    it(`is shown to people as what it is: unverified (${look})`, async () => {
      const page = await open(options);
      await page.goto(`${usher.url}/oauth2/authorize?${new URLSearchParams({ client_id: made.client_id, response_type: "code",
        redirect_uri: "https://guest.example.com/cb", scope: "openid profile", state: "s", nonce: "n" })}`);
      await examine(page, `chooser-${look}`);
      assert.match(await page.textContent("main"), /Nobody has verified/);
      await page.getByRole("link", { name: /Continue with Discord/ }).click();
      await page.waitForURL((u) => u.href.startsWith(fake.url));
      await page.getByRole("button", { name: "Ada" }).first().click();
      await page.waitForURL(/\/oauth2\/continue\//);
      await examine(page, `consent-${look}`);
      assert.match(await page.textContent("main"), /registered itself here\. Nobody has verified/);
      assert.ok((await page.textContent("h1")).includes(evil));
      assert.equal(await page.locator('a[href="https://guest.example.com/logo.svg"]').count(), 1);
      assert.equal(await page.locator("main img[src*='guest']").count(), 0);
      assert.deepEqual(elsewhere, []);
      await page.context().close();
    });
  }

  it("is openid-client, from its registration to signed userinfo", async () => {
    await go(admin, "/admin/registration");
    await admin.getByLabel("For which app").fill("a certified client");
    await press(admin, "Make the token");
    const initialAccessToken = await admin.getByLabel("The new token").inputValue();
    const redirect_uri = `http://127.0.0.1:${await e2e.freePort()}/cb`;
    const config = await client.dynamicClientRegistration(new URL(usher.url), { client_name: "Certified", redirect_uris: [redirect_uri],
      grant_types: ["authorization_code", "refresh_token"], scope: "openid profile offline_access",
      token_endpoint_auth_method: "client_secret_post", id_token_signed_response_alg: "ES256", userinfo_signed_response_alg: "RS256" },
    undefined, { initialAccessToken, execute: [client.allowInsecureRequests] });
    client.enableNonRepudiationChecks(config); // it checks the signatures
    const pkceCodeVerifier = client.randomPKCECodeVerifier(), expectedState = client.randomState(), expectedNonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(config, { redirect_uri, scope: "openid profile offline_access", state: expectedState,
      nonce: expectedNonce, code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256" });
    const page = await open(), arrived = page.waitForRequest((r) => r.url().startsWith(redirect_uri));
    await page.goto(url.href);
    await page.getByRole("link", { name: /Continue with Discord/ }).click();
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await page.getByRole("button", { name: "Ada" }).first().click();
    await page.waitForURL(/\/oauth2\/continue\//);
    await page.getByRole("button", { name: "Agree" }).click().catch(() => {}); // nobody listens there
    const back = new URL((await arrived).url());
    const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true });
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).name, "Ada Lovelace");
    assert.ok((await client.refreshTokenGrant(config, tokens.refresh_token)).refresh_token);
    elsewhere.length = 0; // the app itself
    await page.context().close();
  });

  it("is seen, switched off and deleted by an admin", async () => {
    await go(admin, "/admin/apps");
    assert.match(await admin.textContent("table"), /registered itself/);
    await admin.getByRole("link", { name: evil }).click();
    assert.match(await admin.textContent("main"), /It registered itself\./);
    await examine(admin, "app");
    await press(admin, "Disable");
    const own = (method) => fetch(made.registration_client_uri, { method, headers: { Authorization: `Bearer ${made.registration_access_token}` } });
    assert.equal((await own("GET")).status, 403);
    await press(admin, "Enable");
    assert.equal((await own("GET")).status, 200);
    assert.equal((await own("DELETE")).status, 204);
    assert.equal((await go(admin, `/admin/apps/${made.client_id}`)).status(), 404);
    assert.deepEqual(elsewhere, []);
  });
});
