// SPDX-License-Identifier: Apache-2.0
// A person in a real browser: clicks, tabs, the back button, reload, sign-out, without a mouse,
// without JavaScript, on a phone, in the dark.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import * as e2e from "./lib.mjs";

describe("a person in Chromium", () => {
  let dir, fake, usher, browser;
  before(async () => {
    dir = e2e.folder("browser");
    fake = await e2e.startFake(dir);
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake) });
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
  });

  const visit = async (options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (m) => { if (m.type() === "error" && m.location().url.startsWith(usher.url)) complaints.push(m.text()); });
    page.on("pageerror", (e) => complaints.push(String(e)));
    return { context, page, complaints };
  };

  const signIn = async (page, provider, person = "Ada Lovelace") => {
    await page.getByRole("link", { name: `Continue with ${provider}` }).click();
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await page.getByRole("button", { name: person }).click();
    await page.waitForURL((u) => u.href.startsWith(usher.url) && !u.pathname.startsWith("/callback"));
  };

  it("signs in by clicking and lands where the visit began", async () => {
    const { context, page, complaints } = await visit();
    await page.goto(usher.url);
    await e2e.shot(page, "chooser-1280");
    assert.match(await page.textContent("body"), /look-alike/);
    await signIn(page, "Discord");
    assert.equal(new URL(page.url()).pathname, "/");
    assert.equal(await page.textContent("h1"), "Ada Lovelace");
    const facts = await page.textContent("dl");
    assert.match(facts, /@/);
    assert.match(facts, /Discord/);
    assert.ok(await page.locator("img.avatar").evaluate((i) => i.complete && i.naturalWidth > 0), "the avatar is shown");
    await e2e.shot(page, "home-1280");
    assert.deepEqual(complaints, []);
    await context.close();
  });

  it("signs in with Google too", async () => {
    const { context, page } = await visit();
    await page.goto(`${usher.url}/login?return_to=${encodeURIComponent("/?began=here")}`);
    await signIn(page, "Google");
    assert.equal(new URL(page.url()).search, "?began=here");
    await context.close();
  });

  it("works in two tabs at once, finished in the other order", async () => {
    const { context, page: one } = await visit();
    const two = await context.newPage();
    for (const [page, tab] of [[one, 1], [two, 2]]) {
      await page.goto(`${usher.url}/login?return_to=${encodeURIComponent(`/?tab=${tab}`)}`);
      await page.getByRole("link", { name: "Continue with Discord" }).click();
      await page.waitForURL((u) => u.href.startsWith(fake.url));
    }
    for (const [page, tab] of [[two, 2], [one, 1]]) {
      await page.getByRole("button", { name: "Ada Lovelace" }).click();
      await page.waitForURL(`${usher.url}/?tab=${tab}`);
      assert.equal(await page.textContent("h1"), "Ada Lovelace");
    }
    await context.close();
  });

  it("survives the back button and a reload of the callback (STATE-06)", async () => {
    const { context, page } = await visit();
    let callback;
    page.on("request", (r) => { if (r.url().includes("/callback/discord")) callback = r.url(); });
    await page.goto(usher.url);
    await signIn(page, "Discord");
    await page.goBack();
    await page.goForward();
    assert.equal(await page.textContent("h1"), "Ada Lovelace");
    await page.goto(callback); // what a reload of the callback does
    assert.equal(new URL(page.url()).pathname, "/");
    assert.equal(await page.textContent("h1"), "Ada Lovelace");
    await context.close();
  });

  it("shows a friendly page when the person says no (CB-05)", async () => {
    const { context, page } = await visit();
    await page.goto(usher.url);
    await page.getByRole("link", { name: "Continue with Discord" }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.waitForURL((u) => u.href.startsWith(usher.url));
    assert.equal(await page.textContent("h1"), "Sign-in cancelled");
    await e2e.shot(page, "error-denied-1280");
    await page.getByRole("link", { name: "Try Discord again" }).click();
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await context.close();
  });

  it("signs out, and back does not show what was there (PRIV-05)", async () => {
    const { context, page } = await visit();
    await page.goto(usher.url);
    await signIn(page, "Discord");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForSelector("text=Signed out");
    await e2e.shot(page, "signed-out-1280");
    await page.goBack();
    assert.doesNotMatch(await page.textContent("body"), /Ada Lovelace/);
    assert.equal((await context.request.get(`${usher.url}/api/v1/me`)).status(), 401);
    await context.close();
  });

  it("works with a keyboard alone, with a visible focus", async () => {
    const { context, page } = await visit();
    await page.goto(usher.url);
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const s = getComputedStyle(document.activeElement);
      return { href: document.activeElement.getAttribute("href"), outline: s.outlineStyle };
    });
    assert.match(focus.href, /^\/login\//);
    assert.notEqual(focus.outline, "none");
    await page.keyboard.press("Enter");
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await context.close();
  });

  it("works without JavaScript", async () => {
    const { context, page } = await visit({ javaScriptEnabled: false });
    await page.goto(usher.url);
    await signIn(page, "Discord");
    assert.match(await page.content(), /Ada Lovelace/);
    await page.getByRole("button", { name: "Sign out" }).click();
    assert.match(await page.content(), /Signed out/);
    await context.close();
  });

  for (const [name, options] of [
    ["320", { viewport: { width: 320, height: 640 } }],
    ["dark", { colorScheme: "dark" }],
    ["320-dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" }],
  ]) {
    it(`fits and reads well: ${name}`, async () => {
      const { context, page } = await visit(options);
      await page.goto(usher.url);
      await e2e.shot(page, `chooser-${name}`);
      const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
      assert.ok(await fits(), "no sideways scrolling on the chooser");
      await signIn(page, "Discord");
      await e2e.shot(page, `home-${name}`);
      assert.ok(await fits(), "no sideways scrolling at home");
      await page.goto(`${usher.url}/callback/discord?code=x&state=y`);
      await e2e.shot(page, `error-${name}`);
      assert.ok(await fits(), "no sideways scrolling on an error");
      await context.close();
    });
  }
});
