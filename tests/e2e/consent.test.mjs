// SPDX-License-Identifier: Apache-2.0
// Signing in to an app by OpenID Connect in a real browser: the chooser that names the app, the
// question of consent, the page that posts to the app, and what the account's page says afterwards.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import * as e2e from "./lib.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const looks = [
  ["1280", {}],
  ["dark", { colorScheme: "dark" }],
  ["320", { viewport: { width: 320, height: 640 } }],
  ["320-dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" }],
];

describe("an app by OpenID Connect in Chromium", () => {
  let dir, fake, usher, browser, rp, back;
  before(async () => {
    dir = e2e.folder("consent");
    const port = await e2e.freePort();
    back = [];
    rp = http.createServer((req, res) => {
      let body = "";
      req.on("data", (d) => { body += d; });
      req.on("end", () => { back.push({ method: req.method, url: req.url, body }); res.end("<h1>The app</h1>"); });
    }).listen(port, "127.0.0.1");
    rp.url = `http://127.0.0.1:${port}`;
    fs.mkdirSync(`${dir}/apps.d`);
    fs.writeFileSync(`${dir}/apps.d/books.conf`, `label = Book club\nredirect_uris = ${rp.url}/cb\nconsent = yes\nrequire_pkce = no\n`
      + "scopes = openid profile email offline_access\npolicy_uri = https://books.example.com/privacy\n", { mode: 0o600 });
    fake = await e2e.startFake(dir);
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake), settings: { apps: `dir = ${dir}/apps.d\n` } });
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    rp?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  const ask = (more = {}) => `${usher.url}/oauth2/authorize?${new URLSearchParams({
    client_id: "books", response_type: "code", redirect_uri: `${rp.url}/cb`, scope: "openid profile email offline_access",
    state: "s 1&2", nonce: "n", ...more })}`;

  async function open(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10000);
    page.complaints = [];
    page.on("console", (m) => { if (m.type() === "error" && /Content Security/.test(m.text()) && page.url().startsWith(usher.url)) page.complaints.push(m.text()); });
    return page;
  }

  async function examine(page, name) {
    await e2e.shot(page, `consent-${name}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${name} scrolls sideways`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    assert.deepEqual(violations.map((v) => [name, v.id, v.nodes.map((n) => n.html)]), []);
  }

  async function signIn(page) {
    await page.getByRole("link", { name: /Continue with Discord/ }).click();
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await page.getByRole("button", { name: "Ada" }).first().click();
  }

  for (const [look, options] of looks) {
    it(`asks once and is read by everybody (${look})`, async () => {
      const page = await open(options);
      await page.goto(ask());
      assert.match(await page.textContent("h1"), /Sign in to Book club/);
      await examine(page, `chooser-${look}`);
      await signIn(page);
      await page.waitForURL(/\/oauth2\/continue\//);
      assert.match(await page.textContent("h1"), /Book club would like to know who you are/);
      await examine(page, `ask-${look}`);
      await page.getByRole("checkbox", { name: /e-mail/ }).uncheck();
      await page.getByRole("button", { name: "Agree" }).click();
      await page.waitForURL((u) => u.href.startsWith(rp.url));
      const query = new URL(page.url()).searchParams;
      assert.equal(query.get("state"), "s 1&2");
      assert.equal(query.get("iss"), usher.url);
      assert.ok(query.get("code"));
      await page.goto(`${usher.url}/account`);
      assert.match(await page.textContent("main"), /Apps you signed in to[^]*Book club/);
      assert.doesNotMatch(await page.textContent("section[aria-labelledby=h-held]"), /e-mail/);
      await examine(page, `account-${look}`);
      await page.getByRole("button", { name: /Take back/ }).click();
      assert.match(await page.textContent("main"), /Taken back/);
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    });
  }

  for (const javaScriptEnabled of [true, false]) {
    it(`posts to the app ${javaScriptEnabled ? "by itself" : "by a button, without JavaScript"}`, async () => {
      const page = await open({ javaScriptEnabled });
      await page.goto(ask({ response_mode: "form_post", prompt: "consent" }));
      await signIn(page);
      await page.waitForURL(/\/oauth2\/continue\//);
      await page.getByRole("button", { name: "Agree" }).click();
      if (!javaScriptEnabled) await page.getByRole("button", { name: "Continue" }).click();
      await page.waitForURL((u) => u.href.startsWith(rp.url));
      const { method, body } = back.at(-1).url === "/favicon.ico" ? back.at(-2) : back.at(-1);
      assert.equal(method, "POST");
      assert.equal(new URLSearchParams(body).get("state"), "s 1&2");
      assert.ok(new URLSearchParams(body).get("code"));
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    });
  }

  it("goes back with a no", async () => {
    const page = await open();
    await page.goto(ask({ prompt: "consent" }));
    await signIn(page);
    await page.getByRole("button", { name: "No", exact: true }).click();
    await page.waitForURL((u) => u.href.startsWith(rp.url));
    assert.equal(new URL(page.url()).searchParams.get("error"), "access_denied");
    await page.context().close();
  });
});
