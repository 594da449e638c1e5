// SPDX-License-Identifier: Apache-2.0
// Letting a device in (RFC 8628) in a real browser: the code, the question, the answers; with a mouse,
// by keyboard alone, without JavaScript, narrow and dark, and under axe-core. The device is a program
// that asks and waits, as openid-client does it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import * as client from "openid-client";
import { startProvider } from "./apps.mjs";
import * as e2e from "./lib.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const looks = [
  ["1280", {}],
  ["dark", { colorScheme: "dark" }],
  ["320", { viewport: { width: 320, height: 640 } }],
  ["320-dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" }],
];

describe("a device in Chromium", () => {
  let provider, usher, browser, tv;
  before(async () => {
    provider = await startProvider("device", {
      tv: "label = Living room TV\nclient_type = public\nscopes = openid profile email offline_access\nconsent = yes\n"
        + "grants = device_code refresh_token\npolicy_uri = https://tv.example.com/privacy\ntos_uri = https://tv.example.com/terms\n",
    }, { limits: "device = 0\n" });
    ({ usher } = provider);
    tv = await client.discovery(new URL(usher.url), "tv", {}, client.None(), { execute: [client.allowInsecureRequests] });
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    await provider?.stop();
  });

  const begin = () => client.initiateDeviceAuthorization(tv, { scope: "openid profile email offline_access" });
  // The interval is for devices; this one knows when the person has answered.
  const poll = (codes) => client.pollDeviceAuthorizationGrant(tv, { ...codes, interval: 0.1 });

  function expire(code) {
    execFileSync("python3", ["-c", `
import hashlib, sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30)
done = db.execute("UPDATE device_code SET expires = created - 1 WHERE hash = ?", (hashlib.sha256(sys.argv[2].encode()).digest(),))
assert done.rowcount == 1
db.commit()`, `${provider.dir}/usher.db`, code]);
  }

  async function open(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10000);
    page.complaints = [];
    page.on("console", (m) => { if (m.type() === "error" && /Content Security/.test(m.text()) && page.url().startsWith(usher.url)) page.complaints.push(m.text()); });
    page.on("pageerror", (e) => page.complaints.push(String(e)));
    return page;
  }

  async function examine(page, name) {
    await e2e.shot(page, `device-${name}`);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${name} scrolls sideways`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document));
    assert.deepEqual(violations.map((v) => [name, v.id, v.nodes.map((n) => n.html)]), []);
  }

  const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
  const heading = (page) => page.textContent("h1");
  async function type(page, code) {
    await page.goto(`${usher.url}/device`);
    await page.getByLabel("Code").fill(code);
    await press(page, "Go on");
  }
  async function signIn(page) {
    await page.getByRole("link", { name: "Continue with Discord" }).click();
    await page.getByRole("button", { name: "Ada Lovelace" }).click();
  }
  async function close(page) {
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }

  for (const [look, options] of looks) {
    it(`is let in, refused, and looked for in vain (${look})`, async () => {
      const page = await open(options);
      const codes = await begin();
      assert.equal(codes.verification_uri, `${usher.url}/device`);
      await page.goto(codes.verification_uri);
      await examine(page, `code-${look}`);

      await type(page, "BCDF-GHJK");
      const field = page.getByLabel("Code");
      assert.equal(await field.inputValue(), "BCDF-GHJK"); // to be corrected, not typed again
      assert.equal(await field.getAttribute("aria-invalid"), "true");
      assert.match(await page.locator(`#${await field.getAttribute("aria-describedby")}`).textContent(), /No device waits with this code/);
      await examine(page, `wrong-${look}`);

      // As it is typed on a telephone.
      await field.fill(` ${codes.user_code.toLowerCase().replace("-", " ")}`);
      await press(page, "Go on");
      await signIn(page);
      await page.waitForURL((u) => u.href.startsWith(`${usher.url}/device?`));
      assert.match(await heading(page), /Let Living room TV on a device know who you are\?/);
      const main = await page.textContent("main");
      for (const said of ["Ada Lovelace", codes.user_code, "127.0.0.1", "your e-mail address"]) assert.ok(main.includes(said), said);
      await examine(page, `ask-${look}`);
      await press(page, "Allow");
      assert.equal(await heading(page), "The device is connected");
      await examine(page, `allowed-${look}`);
      const tokens = await poll(codes);
      const { sub } = tokens.claims();
      assert.equal((await client.fetchUserInfo(tv, tokens.access_token, sub)).name, "Ada Lovelace");
      assert.equal((await client.refreshTokenGrant(tv, tokens.refresh_token)).claims().sub, sub);

      const unwanted = await begin();
      await page.goto(unwanted.verification_uri_complete);
      await press(page, "No");
      assert.equal(await heading(page), "The device was refused");
      await examine(page, `refused-${look}`);
      await assert.rejects(poll(unwanted), (e) => e.error === "access_denied");

      const late = await begin();
      await page.goto(late.verification_uri_complete);
      expire(late.device_code);
      await press(page, "Allow");
      assert.match(await page.textContent("main"), /No device waits with this code, or not any more/);
      await examine(page, `late-${look}`);
      await assert.rejects(poll(late), (e) => e.error === "expired_token");
      await close(page);
    });
  }

  for (const answer of ["Allow", "No"]) {
    it(`takes a ${answer} by keyboard alone`, async () => {
      const page = await open(), codes = await begin();
      // Tab until something has the focus, which has to be seen.
      const to = async (name) => {
        for (let i = 0; i < 30; i++) {
          await page.keyboard.press("Tab");
          const at = await page.evaluate(() => {
            const e = document.activeElement, s = getComputedStyle(e);
            return { text: (e.innerText || e.labels?.[0]?.innerText || "").trim(), seen: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 };
          });
          if (name.test(at.text)) return assert.ok(at.seen, `nobody sees that ${at.text} has the focus`);
        }
        assert.fail(`${name} is not reached`);
      };
      await page.goto(`${usher.url}/device`);
      await to(/^Code/);
      await page.keyboard.type(codes.user_code);
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/login/);
      await to(/Continue with Discord/);
      await page.keyboard.press("Enter");
      await page.waitForURL((u) => u.href.startsWith(provider.fake.url));
      await page.getByRole("button", { name: "Ada Lovelace" }).press("Enter");
      await page.waitForURL((u) => u.href.startsWith(`${usher.url}/device?`));
      await to(new RegExp(`^${answer}$`));
      await page.keyboard.press(answer === "No" ? "Space" : "Enter");
      await page.waitForURL(`${usher.url}/device`);
      assert.equal(await heading(page), answer === "No" ? "The device was refused" : "The device is connected");
      await close(page);
    });
  }

  it("works without JavaScript", async () => {
    const page = await open({ javaScriptEnabled: false });
    const codes = await begin();
    await type(page, "nonsense");
    assert.match(await page.textContent("main"), /No device waits with this code/);
    await type(page, codes.user_code);
    await signIn(page);
    await page.waitForURL((u) => u.href.startsWith(`${usher.url}/device?`));
    await press(page, "Allow");
    assert.equal(await heading(page), "The device is connected");
    assert.ok((await poll(codes)).access_token);
    await close(page);
  });

  it("lets a person come as somebody else", async () => {
    const page = await open(), codes = await begin();
    await page.goto(codes.verification_uri_complete);
    await signIn(page);
    await page.waitForURL((u) => u.href.startsWith(`${usher.url}/device?`));
    await page.getByRole("link", { name: "Use another account" }).click();
    await page.getByRole("link", { name: "Continue with Google" }).click();
    await page.getByRole("button", { name: "Grace Hopper" }).click();
    await page.waitForURL((u) => u.href.startsWith(`${usher.url}/device?`));
    assert.match(await page.textContent("main"), /signed in as Grace Hopper/);
    await press(page, "Allow");
    const tokens = await poll(codes);
    assert.equal((await client.fetchUserInfo(tv, tokens.access_token, tokens.claims().sub)).name, "Grace Hopper");
    await close(page);
  });
});
