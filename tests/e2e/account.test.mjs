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
    Object.assign(v, await e2e.openPage(browser, usher, options));
    v.complaints = v.page.complaints;
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
    assert.match(await v.page.locator(".providers a").first().textContent(), /Google/); // before all others
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

describe("accounts that are joined", () => {
  let dir, fake, usher, browser;
  before(async () => {
    dir = e2e.folder("account-join");
    fake = await e2e.startFake(dir);
    // A second provider that vouches for addresses, and links by them.
    const work = `plugin = google\nlabel = Work\n${e2e.fakeProviders(fake, "verified").google}`;
    usher = await e2e.startUsher(dir, { providers: { ...e2e.fakeProviders(fake, "ask"), work } });
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
  });
  const visitor = (options) => Visitor.open(browser, usher, fake, options);
  const post = (path, form) => fetch(fake.url + path, { method: "POST", body: new URLSearchParams(form) });
  const account = async (provider, person) => {
    const v = await visitor();
    await v.signIn(provider, person);
    const me = await v.me();
    await v.close();
    return me?.id;
  };
  // From the account's page by way of the provider to the question.
  const link = async (v, provider, person) => {
    await v.go("/account");
    await v.press(`Link ${provider}`);
    await v.choose(person);
    assert.match(v.path, /^\/account\/join\//);
  };

  it("links a second way in, and unlinks it again, but never the last (ACCT-16, ACCT-27)", async () => {
    const v = await visitor();
    await v.signIn("Discord", "Konrad Zuse");
    const { id } = await v.me();
    await v.go("/account");
    assert.equal(await v.page.getByRole("button", { name: /^Unlink/ }).count(), 0);
    await link(v, "Google", "Konrad Zuse");
    assert.equal(await v.heading(), "Link this to your account?");
    const text = await v.main();
    for (const named of ["Google", "Discord", "Konrad Zuse", "z3", id]) assert.ok(text.includes(named), named);
    assert.equal((await v.me()).id, id); // nothing has happened yet
    await v.press("Link it");
    assert.match(await v.page.getByRole("status").textContent(), /Linked/);
    const other = await visitor();
    await other.signIn("Google", "Konrad Zuse");
    assert.equal((await other.me()).id, id);
    await v.press(/^Unlink Google/);
    assert.match(await v.page.getByRole("status").textContent(), /Unlinked/);
    assert.equal(await other.me(), null);
    assert.equal((await v.me()).id, id);
    assert.equal(await v.page.getByRole("button", { name: /^Unlink/ }).count(), 0);
    assert.notEqual(await account("Google", "Konrad Zuse"), id);
    await other.close();
    await v.close();
  });

  it("links nothing when the person leaves it as it is", async () => {
    const v = await visitor();
    await v.signIn("Discord", "Noor");
    const { id } = await v.me();
    await link(v, "Google", "Tom Timeout");
    const url = v.page.url();
    await v.press("Leave it as it is");
    assert.match(await v.page.getByRole("status").textContent(), /Nothing was linked/);
    assert.equal((await v.page.goto(url)).status(), 410);
    assert.equal(await v.heading(), "That is over");
    assert.notEqual(await account("Google", "Tom Timeout"), id);
    await v.close();
  });

  it("shows a question to nobody but the browser it is put to (ACCT-09)", async () => {
    const v = await visitor(), thief = await visitor();
    await v.signIn("Discord", "Noor");
    await thief.signIn("Discord", "Robert");
    await link(v, "Google", "Lin Pending");
    assert.equal((await thief.page.goto(v.page.url())).status(), 410);
    const answer = await thief.context.request.post(v.page.url(), { headers: { Origin: usher.url, "Sec-Fetch-Site": "same-origin" }, form: { answer: "accept" } });
    assert.equal(answer.status(), 410);
    const elsewhere = await v.context.request.post(v.page.url(), { headers: { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" }, form: { answer: "accept" } });
    assert.equal(elsewhere.status(), 403);
    await v.press("Leave it as it is");
    await thief.close();
    await v.close();
  });

  it("merges two accounts that were both proven", async () => {
    const one = await visitor(), two = await visitor();
    await one.signIn("Discord", "Robert");
    await two.signIn("Google", "Legion");
    const { id } = await one.me(), gone = (await two.me()).id;
    assert.notEqual(id, gone);
    await link(one, "Google", "Legion");
    assert.equal(await one.heading(), "Make two accounts one?");
    const text = await one.main();
    for (const named of [id, gone, "Google", "Discord", "Legion", "legion@mail.example"]) assert.ok(text.includes(named), named);
    assert.equal((await two.me()).id, gone);
    await one.press("Make them one account");
    assert.match(await one.page.getByRole("status").textContent(), /one now/);
    assert.equal(await two.me(), null);
    assert.equal((await one.me()).id, id);
    await two.signIn("Google", "Legion");
    assert.equal((await two.me()).id, id);
    await two.close();
    await one.close();
  });

  it("asks who has an address that somebody has, and links after both were proven", async () => {
    const id = await account("Google", "Ada Lovelace");
    const v = await visitor();
    await v.signIn("Discord", "Ada Lovelace", "/login?return_to=/%3Fbegan=here");
    assert.equal(await v.heading(), "Have you been here before?");
    assert.equal(await v.me(), null);
    assert.ok(!(await v.page.content()).includes(id)); // nobody has proven anything of it
    await v.page.getByRole("link", { name: "Continue with Google" }).click();
    await v.choose("Ada Lovelace");
    assert.equal(await v.heading(), "Link this to your account?");
    const text = await v.main();
    for (const named of [id, "Google", "Discord", "Ada Lovelace"]) assert.ok(text.includes(named), named);
    await v.press("Link it");
    assert.equal(v.page.url(), `${usher.url}/?began=here`);
    assert.equal((await v.me()).id, id);
    assert.equal(await account("Discord", "Ada Lovelace"), id);
    await v.close();
  });

  it("lets a hostile provider's word reach no account but its own (ACCT-01, ACCT-03, ACCT-26)", async () => {
    const victim = await account("Google", "Grace Hopper");
    // Discord, gone bad, says that Tom has Grace's address.
    await post("/fake/faults", { path: "/discord/api/v10/users/@me", fault: "set", name: "/email", value: '"grace@navy.example"' });
    const evil = await visitor();
    await evil.signIn("Discord", "Tom Timeout");
    assert.equal(await evil.heading(), "Have you been here before?");
    assert.equal(await evil.me(), null);
    const page = await evil.page.content(), url = evil.page.url();
    for (const never of [victim, "Grace", "Hopper"]) assert.ok(!page.includes(never), never);
    const headers = { Origin: usher.url, "Sec-Fetch-Site": "same-origin" };
    for (const form of [{ answer: "accept" }, { answer: "accept", account: victim, email: "grace@navy.example" }, { answer: "" }, {}]) {
      assert.equal((await evil.context.request.post(url, { headers, form })).status(), 400);
      assert.equal(await evil.me(), null);
    }
    // He proves an account: his own. That is what he may link to, and nobody else's.
    const his = await account("Google", "Tom Timeout");
    await evil.page.getByRole("link", { name: "Continue with Google" }).click();
    await evil.choose("Tom Timeout");
    assert.equal(await evil.heading(), "Link this to your account?");
    const text = await evil.main();
    assert.ok(text.includes(his) && !text.includes(victim));
    await evil.press("Link it");
    assert.equal((await evil.me()).id, his);
    await post("/fake/reset", {});
    assert.equal(await account("Google", "Grace Hopper"), victim);
    await evil.close();
  });

  it("makes an account of its own for somebody else with the same address", async () => {
    await post("/fake/faults", { path: "/discord/api/v10/users/@me", fault: "set", name: "/email", value: '"grace@navy.example"' });
    const victim = await account("Google", "Grace Hopper");
    const v = await visitor({ javaScriptEnabled: false });
    await v.signIn("Discord", "Lin Pending");
    assert.equal(await v.heading(), "Have you been here before?");
    const url = v.page.url();
    await v.press("Make a new account");
    const me = await v.me();
    assert.ok(me && me.id !== victim);
    assert.equal(me.provider, "discord");
    assert.equal((await v.page.goto(url)).status(), 410); // once
    await post("/fake/reset", {});
    await v.close();
  });

  for (const [name, options] of looks) {
    it(`asks in pages that read well, fit, and pass axe-core: ${name}`, async () => {
      assert.ok(await account("Google", "Grace Hopper") && await account("Google", "Legion"));
      const v = await visitor(options);
      await v.signIn("Google", "Konrad Zuse", "/login?return_to=/account");
      await v.examine(`ways-${name}`);
      await v.page.route(`${fake.url}/**`, (r) => r.fulfill({ status: 204 })); // so that we stay and look
      await v.press("Link Discord");
      await v.examine(`leave-${name}`);
      await v.page.unroute(`${fake.url}/**`);
      await v.page.getByRole("link", { name: "Go on to Discord" }).click();
      await v.choose("Grace Hopper");
      await v.examine(`join-link-${name}`);
      await v.press("Leave it as it is");
      await link(v, "Google", "Legion");
      await v.examine(`join-merge-${name}`);
      await v.press("Leave it as it is");
      await v.context.clearCookies();
      await v.signIn("Discord", "Grace Hopper");
      await v.examine(`join-ask-${name}`);
      await v.page.getByRole("link", { name: "Continue with Discord" }).click();
      await v.choose("Legion");
      assert.match(await v.page.getByRole("status").textContent(), /leads to no account here either/);
      await v.examine(`join-ask-tried-${name}`);
      await v.press("Do not sign in");
      assert.equal(v.path, "/login");
      assert.equal(await v.me(), null);
      // Linked by the address, and told.
      assert.ok(await account("Google", "Ada Lovelace"));
      await v.signIn("Work", "Ada Lovelace");
      assert.equal(await v.heading(), "This was linked to your account");
      await v.examine(`join-linked-${name}`);
      await v.press("Go on");
      assert.equal(v.path, "/");
      await v.go("/account");
      await v.press(/^Unlink Work/);
      await v.close();
    });
  }
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
    fs.mkdirSync(`${dir}/apps.d`);
    fs.writeFileSync(`${dir}/apps.d/wiki.conf`, `label = The wiki\nhosts = 127.0.0.1:${port}\nrequire = signed_in\n`);
    fs.writeFileSync(`${dir}/apps.d/box.conf`, "label = Admin box\nhosts = box.example.com\nrequire = role:admin\n");
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake), settings: { apps: `dir = ${dir}/apps.d\n` } });
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
    await owner.examine("apps-1280");
    const apps = owner.page.getByRole("region", { name: "Apps with access" });
    assert.doesNotMatch(await apps.textContent(), /Admin box/);
    assert.equal(await apps.getByRole("link", { name: "The wiki" }).getAttribute("href"), `${app}/`);
    await owner.press(/^End Chrome/);
    await inside.page.goto(`${app}/more`);
    assert.ok(inside.page.url().startsWith(`${usher.url}/login?return_to=`), inside.page.url());
    assert.equal((await fetch(`${app}/work`, { redirect: "manual", headers: { cookie: (await inside.context.cookies()).map((c) => `${c.name}=${c.value}`).join("; ") } })).status, 401);
    await inside.close();
    await owner.close();
  });
});
