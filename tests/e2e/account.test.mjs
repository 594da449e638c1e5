// SPDX-License-Identifier: Apache-2.0
// A person and their account in real browsers, several of them: sessions seen and ended, and every
// page in light and dark, narrow, without JavaScript, and under axe-core.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
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

// Everything a test needs of a browser that is somebody's.
class Visitor {
  static async open(browser, usher, fake, options = {}) {
    const v = new Visitor();
    v.usher = usher;
    v.fake = fake;
    v.context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    v.page = await v.context.newPage();
    v.page.setDefaultTimeout(10000);
    v.complaints = [];
    v.page.on("console", (m) => { if (m.type() === "error" && /Content Security/.test(m.text()) && v.page.url().startsWith(usher.url)) v.complaints.push(m.text()); });
    v.page.on("pageerror", (e) => v.complaints.push(String(e)));
    v.page.on("dialog", (d) => { v.complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
    return v;
  }
  go(path) { return this.page.goto(this.usher.url + path); }
  press(name) { return this.page.getByRole("button", { name }).click(); }
  heading() { return this.page.textContent("h1"); }
  main() { return this.page.textContent("main"); }
  get path() { return new URL(this.page.url()).pathname; }
  async choose(person) {
    await this.page.waitForURL((u) => u.href.startsWith(this.fake.url));
    const more = this.page.getByText("More people");
    if (!await this.page.getByRole("button", { name: person }).first().isVisible()) await more.click();
    await this.page.getByRole("button", { name: person }).first().click();
    await this.page.waitForURL((u) => u.href.startsWith(this.usher.url) && !u.pathname.startsWith("/callback"));
  }
  async signIn(provider, person, path = "/login") {
    await this.go(path);
    await this.page.getByRole("link", { name: `Continue with ${provider}` }).click();
    await this.choose(person);
  }
  async me() {
    const answer = await this.context.request.get(`${this.usher.url}/api/v1/me`);
    return answer.status() === 200 ? answer.json() : null;
  }
  // A picture for whoever looks, no sideways scrolling, nothing for axe-core to find.
  async examine(name) {
    await e2e.shot(this.page, `account-${name}`);
    assert.ok(await this.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${name} scrolls sideways`);
    await this.page.evaluate(axe);
    const { violations } = await this.page.evaluate(() => globalThis.axe.run(document));
    assert.deepEqual(violations.map((v) => [name, v.id, v.nodes.map((n) => n.html)]), []);
  }
  async close() {
    assert.deepEqual(this.complaints, []);
    await this.context.close();
  }
}

describe("a person and their account in Chromium", () => {
  let dir, fake, usher, browser;
  before(async () => {
    dir = e2e.folder("account");
    fake = await e2e.startFake(dir);
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake) });
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
  });
  const visitor = (options) => Visitor.open(browser, usher, fake, options);

  it("says on the chooser what was used last time", async () => {
    const v = await visitor();
    await v.go("/login");
    assert.doesNotMatch(await v.main(), /last/);
    await v.signIn("Google", "Ada Lovelace");
    await v.press("Sign out");
    await v.go("/login");
    assert.match(await v.page.getByRole("link", { name: "Continue with Google" }).textContent(), /You used Google last time/);
    await v.examine("chooser-last-1280");
    await v.close();
  });

  it("ends a session in another browser, by the keyboard alone", async () => {
    const here = await visitor(), there = await visitor({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1" });
    await there.signIn("Discord", "Grace Hopper");
    await here.signIn("Discord", "Grace Hopper");
    await here.page.getByRole("link", { name: "Your account" }).click();
    assert.match(await here.main(), /Chrome on Linux.*this browser/);
    const row = here.page.getByRole("row", { name: /Safari on iPhone/ });
    assert.match(await row.textContent(), /127\.0\.0\.1/);
    await row.getByRole("button", { name: /^End Safari on iPhone at 127\.0\.0\.1$/ }).focus();
    await here.page.keyboard.press("Enter");
    assert.match(await here.page.getByRole("status").textContent(), /That session is over/);
    assert.equal(await here.page.getByRole("row", { name: /Safari on iPhone/ }).count(), 0);
    await there.page.reload();
    assert.equal(await there.heading(), "Sign in");
    assert.equal(await there.me(), null);
    assert.ok(await here.me());
    await here.close();
    await there.close();
  });

  it("ends all others at once", async () => {
    const all = [await visitor(), await visitor(), await visitor()];
    for (const v of all) await v.signIn("Discord", "Noor");
    await all[0].go("/account");
    await all[0].press("End all other sessions");
    assert.match(await all[0].page.getByRole("status").textContent(), /Only this browser/);
    assert.deepEqual(await Promise.all(all.map(async (v) => await v.me() !== null)), [true, false, false]);
    for (const v of all) await v.close();
  });

  for (const [name, options] of looks) {
    it(`reads well, fits, and has nothing for axe-core to find: ${name}`, async () => {
      const other = await visitor({ userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0" });
      await other.signIn("Google", "Robert");
      const v = await visitor(options);
      await v.signIn("Google", "Robert", "/login?return_to=/account");
      assert.equal(v.path, "/account");
      await v.examine(`overview-${name}`);
      await v.page.getByRole("link", { name: "Delete my account" }).click();
      await v.examine(`delete-${name}`);
      await v.press("Delete my account");
      assert.match(await v.page.getByRole("alert").textContent(), /Tick the box/);
      await v.examine(`delete-unsure-${name}`);
      await v.page.getByRole("link", { name: "Keep it" }).click();
      assert.equal(v.path, "/account");
      await v.close();
      await other.close();
    });
  }

  it("hands out one's data", async () => {
    const v = await visitor();
    await v.signIn("Discord", "Tom Timeout", "/login?return_to=/account");
    const [download] = await Promise.all([v.page.waitForEvent("download"), v.page.getByRole("link", { name: "Download my data" }).click()]);
    assert.equal(download.suggestedFilename(), "my-account.json");
    const data = JSON.parse(fs.readFileSync(await download.path(), "utf8"));
    assert.equal(data.account.id, (await v.me()).id);
    assert.equal(data.identities[0].name, "tom");
    await v.close();
  });

  it("deletes an account, everywhere at once", async () => {
    const v = await visitor(), elsewhere = await visitor();
    await elsewhere.signIn("Discord", "Lin Pending");
    await v.signIn("Discord", "Lin Pending", "/login?return_to=/account/delete");
    const before = (await v.me()).id;
    await v.page.getByLabel("I am sure").check();
    await v.press("Delete my account");
    assert.equal(await v.heading(), "Your account is deleted");
    await v.examine("deleted-1280");
    assert.deepEqual((await v.context.cookies(usher.url)).map((c) => c.name), ["usher-bind"]);
    await elsewhere.page.reload();
    assert.equal(await elsewhere.heading(), "Sign in");
    await v.page.goBack(); // nothing of it was kept
    assert.equal(v.path, "/login");
    await v.signIn("Discord", "Lin Pending");
    assert.notEqual((await v.me()).id, before);
    await elsewhere.close();
    await v.close();
  });

  it("works without JavaScript, behind the strictest headers", async () => {
    const other = await visitor(), v = await visitor({ javaScriptEnabled: false });
    await other.signIn("Google", "Konrad");
    await v.signIn("Google", "Konrad");
    const answer = await v.go("/account");
    assert.match(answer.headers()["content-security-policy"], /default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/);
    assert.equal(answer.headers()["cache-control"], "no-store");
    assert.doesNotMatch(await v.page.content(), /<script| style=| on[a-z]+=|javascript:/i);
    await v.press(/^End Chrome/);
    assert.equal(await other.me(), null);
    await other.close();
    await v.close();
  });
});

describe("somebody who signed in long ago", () => {
  let dir, fake, usher, browser;
  before(async () => {
    dir = e2e.folder("account-again");
    fake = await e2e.startFake(dir);
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake) });
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
  });

  // As if everybody had signed in an hour ago.
  const age = async () => {
    assert.equal(await usher.stop(), 0);
    execFileSync("python3", ["-c", "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('UPDATE session SET created = created - 3600'); db.commit()", `${dir}/usher.db`]);
    fs.rmSync(`${dir}/usher.ready`);
    usher = await e2e.startUsher(dir, { port: usher.port, providers: e2e.fakeProviders(fake) });
  };

  for (const [name, options] of looks) {
    it(`is asked to sign in again before anything changes: ${name}`, async () => {
      const v = await Visitor.open(browser, usher, fake, options), other = await Visitor.open(browser, usher, fake);
      await other.signIn("Google", "Ada Lovelace");
      await v.signIn("Google", "Ada Lovelace", "/login?return_to=/account");
      await age();
      await v.press("End all other sessions");
      assert.equal(await v.heading(), "Sign in again first");
      await v.examine(`again-${name}`);
      assert.ok(await other.me());
      await v.page.getByRole("link", { name: "Leave it as it is" }).click();
      assert.equal(await v.page.getByRole("button", { name: /^End/ }).count(), 0);
      await v.examine(`overview-stale-${name}`);
      await v.page.getByRole("link", { name: "sign in again" }).click();
      await v.page.getByRole("link", { name: "Continue with Google" }).click();
      await v.choose("Ada Lovelace");
      assert.equal(v.path, "/account");
      await v.press("End all other sessions");
      assert.equal(await other.me(), null);
      await other.close();
      await v.close();
    });
  }
});

describe("an app behind nginx", () => {
  let dir, fake, usher, site, proxy, browser, app;
  before(async () => {
    dir = e2e.folder("account-nginx");
    fake = await e2e.startFake(dir);
    site = await e2e.startSite();
    const port = await e2e.freePort();
    app = `http://127.0.0.1:${port}`;
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake), settings: { login: `return_hosts = 127.0.0.1:${port}\n` } });
    proxy = await e2e.startNginx(dir, usher, site, port);
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    await proxy?.stop();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
    await site?.stop();
  });

  it("throws a session out on the next click after it was ended elsewhere", async () => {
    const inside = await Visitor.open(browser, usher, fake), owner = await Visitor.open(browser, usher, fake);
    await inside.page.goto(`${app}/work`);
    await inside.page.getByRole("link", { name: "Continue with Discord" }).click();
    await inside.page.getByRole("button", { name: "Ada Lovelace" }).click();
    await inside.page.waitForURL(`${app}/work`);
    await inside.page.reload();
    assert.equal(inside.page.url(), `${app}/work`);
    await owner.signIn("Discord", "Ada Lovelace", "/login?return_to=/account");
    await owner.press(/^End Chrome/);
    await inside.page.goto(`${app}/more`);
    assert.ok(inside.page.url().startsWith(`${usher.url}/login?return_to=`), inside.page.url());
    assert.equal((await fetch(`${app}/work`, { redirect: "manual", headers: { cookie: (await inside.context.cookies()).map((c) => `${c.name}=${c.value}`).join("; ") } })).status, 401);
    await inside.close();
    await owner.close();
  });
});
