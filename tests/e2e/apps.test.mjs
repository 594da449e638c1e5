// SPDX-License-Identifier: Apache-2.0
// The pages of apps in a real browser: one app, its secrets, and why somebody may or not; in light
// and dark, narrow, without JavaScript, and under axe-core.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import * as e2e from "./lib.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describe("apps in Chromium", () => {
  let dir, fake, usher, browser, ada;
  before(async () => {
    dir = e2e.folder("apps");
    fake = await e2e.startFake(dir);
    fs.mkdirSync(path.join(dir, "apps.d"));
    fs.writeFileSync(path.join(dir, "apps.d/notes.conf"), "label = Notes\nhosts = notes.example.com\nrequire = signed_in\n[/admin/*]\nrequire = role:admin and not network:10.0.0.0/8\n", { mode: 0o600 });
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake), settings: { apps: `dir = ${dir}/apps.d\n` } });
    browser = await e2e.startBrowser();
    ada = await visit();
    await signIn(ada.page, "Ada Lovelace");
    ada.account = (await (await ada.context.request.get(`${usher.url}/api/v1/me`)).json()).id;
    usher.ctl("admin", "grant", ada.account);
    usher.ctl("app", "add", "wiki", "--set", "label=Wiki", "--set", "hosts=wiki.example.com", "--set", "redirect_uris=https://wiki.example.com/callback");
  });
  after(async () => {
    await browser?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
  });

  const visit = (options) => e2e.openPage(browser, usher, options);
  const signIn = async (page, person) => {
    await page.goto(usher.url + "/login");
    await page.getByRole("link", { name: "Continue with Google" }).click();
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await page.getByRole("button", { name: person }).first().click();
    await page.waitForURL((u) => u.href.startsWith(usher.url));
  };
  const go = (page, where) => page.goto(usher.url + where);
  const press = (page, name) => page.getByRole("button", { name }).click();
  const notice = (page) => page.locator(".notice.good").textContent();
  const heading = (page) => page.textContent("h1");
  const ask = async (page, question) => {
    for (const [label, value] of Object.entries(question)) await page.getByLabel(label, { exact: true }).fill(value);
    await press(page, "Explain");
    return page.locator("section:has(#h-explain)").textContent();
  };

  it("shows an app of a file, which is changed where it is", async () => {
    const { page } = ada;
    await go(page, "/admin/apps");
    await page.getByRole("link", { name: "Notes" }).click();
    assert.equal(await heading(page), "Notes");
    const main = await page.textContent("main");
    assert.match(main, /Read only here[\s\S]*apps\.d\/notes\.conf/);
    assert.match(main, /notes\.example\.com/);
    assert.match(main, /\/admin\/\*[\s\S]*role:admin and not network/);
    assert.equal(await page.getByRole("link", { name: /^Delete|^Change/ }).count(), 0);
    assert.equal(await page.getByRole("button", { name: /^Disable/ }).count(), 0);
    assert.equal((await go(page, "/admin/apps/nothing")).status(), 404);
    assert.deepEqual(page.complaints, []);
  });

  it("explains who may, and why not", async () => {
    const { page } = ada;
    await go(page, "/admin/apps/notes");
    assert.match(await ask(page, { Path: "/admin/x" }), /signed out has to sign in/);
    const may = await ask(page, { Account: ada.account, Path: "/admin/x", Method: "GET", "From address": "192.0.2.7" });
    assert.match(may, new RegExp(`${ada.account} may\\.`));
    assert.match(may, /role:admin\s+yes/);
    assert.match(may, /network:10\.0\.0\.0\/8\s+no/);
    assert.match(await ask(page, { "From address": "10.1.2.3" }), new RegExp(`${ada.account} may not\\.`));
    assert.equal(await page.getByLabel("Account", { exact: true }).inputValue(), ada.account); // the question stays
    await ask(page, { Path: "no-slash" });
    assert.match(await page.getByRole("alert").textContent(), /begins with/);
    await ask(page, { Account: "nobody", Path: "/" });
    assert.match(await page.getByRole("alert").textContent(), /no such account/);
    assert.deepEqual(page.complaints, []);
  });

  it("makes a secret, shows it once, of two at a time, and ends it", async () => {
    const { page } = ada;
    await go(page, "/admin/apps/wiki");
    await page.getByLabel(/^Ends/).fill("2001-01-01");
    await press(page, "Make a secret");
    assert.equal(await page.getByRole("alert").count(), 1); // a day that is over
    await page.getByLabel(/^Ends/).fill("");
    await press(page, "Make a secret");
    const secret = await page.getByLabel("The new secret").inputValue();
    assert.ok(secret.length > 30);
    const token = () => fetch(`${usher.url}/oauth2/introspect`, {
      method: "POST", body: new URLSearchParams({ token: "x" }),
      headers: { Authorization: "Basic " + Buffer.from(`wiki:${secret}`).toString("base64") } });
    assert.equal((await token()).status, 200);
    await press(page, "Copy");
    await page.getByRole("button", { name: "Copied" }).waitFor();
    await e2e.shot(page, "admin-app-secret-1280");
    await go(page, "/admin/apps/wiki");
    assert.ok(!(await page.content()).includes(secret));
    await press(page, "Make a secret");
    await press(page, "Make a secret");
    assert.match(await page.getByRole("alert").textContent(), /2 secrets/);
    for (let left = 2; left > 0; left--) {
      await page.getByRole("button", { name: /^End/ }).first().click();
      assert.match(await notice(page), /refused from now on/);
    }
    assert.equal((await token()).status, 401);
    assert.equal(await page.getByRole("button", { name: /^End/ }).count(), 0);
    assert.deepEqual(page.complaints, []);
  });

  it("adds an app, changes it, gives it rules, switches it off and deletes it", async () => {
    const { page } = ada;
    await go(page, "/admin/apps");
    await page.getByRole("link", { name: "Add an app" }).click();
    await page.getByLabel("ID", { exact: true }).fill("Not An Id");
    await page.getByLabel(/^Hosts/).fill("shop.example.com");
    await press(page, "Add the app");
    assert.match(await page.getByRole("alert").textContent(), /ID.*a-z/);
    assert.equal(await page.getByLabel(/^Hosts/).inputValue(), "shop.example.com"); // what was typed stays
    await page.getByLabel("ID", { exact: true }).fill("shop");
    await press(page, "Add the app");
    assert.equal(await heading(page), "shop");
    assert.deepEqual(usher.ctl("app", "show", "shop").settings, { hosts: "shop.example.com" });

    await page.getByRole("link", { name: "Change settings" }).click();
    await page.getByLabel(/^Label/).fill("Shop");
    await page.getByLabel(/^Require /).first().fill("role:");
    await press(page, "Save settings");
    assert.match(await page.getByRole("alert").textContent(), /Require/);
    await page.getByLabel(/^Require /).first().fill("role:buyer");
    const late = await ada.context.newPage();
    await go(late, "/admin/apps/shop/settings");
    await press(page, "Save settings");
    assert.equal(await heading(page), "Shop");
    await late.getByLabel(/^Label/).fill("Late shop");
    await press(late, "Save settings");
    const told = await late.getByRole("alert").textContent();
    assert.match(told, /Somebody else changed this app meanwhile/);
    assert.match(told, /Label\s*Shop/); // what is set where something else was typed
    assert.match(told, /Require\s*role:buyer/);
    assert.doesNotMatch(told, /shop\.example\.com/);
    assert.equal(await late.getByLabel(/^Label/).inputValue(), "Late shop"); // what was typed stays
    assert.equal(usher.ctl("app", "show", "shop").settings.label, "Shop");
    await late.getByLabel(/^Require /).first().fill("role:buyer");
    await press(late, "Save settings"); // now they know
    assert.equal(await heading(late), "Late shop");
    await go(late, "/admin/apps/shop/settings");
    await late.getByLabel(/^Require /).first().fill("role:");
    await press(late, "Save settings");
    usher.ctl("app", "set", "shop", "--set", "label=Shop"); // while they look at what is wrong
    await late.getByLabel(/^Require /).first().fill("role:seller");
    await press(late, "Save settings");
    assert.match(await late.getByRole("alert").textContent(), /Somebody else changed this app meanwhile/);
    await late.getByRole("link", { name: "start from what is set now" }).click();
    assert.equal(await late.getByLabel(/^Label/).inputValue(), "Shop");
    await late.close();
    await page.reload();

    await page.getByRole("link", { name: "Change rules" }).click();
    await page.getByLabel("Path of rule 1").fill("/open/*");
    await press(page, "Save the rules");
    assert.equal(await page.getByRole("alert").count(), 1); // a rule needs to say who
    assert.equal(await page.getByLabel("Path of rule 1").inputValue(), "/open/*");
    await page.getByLabel("Who may by rule 1").fill("anyone");
    await press(page, "Save the rules");
    assert.deepEqual(usher.ctl("app", "show", "shop").settings.rules, [{ path: "/open/*", require: "anyone" }]);
    assert.match(await ask(page, { Path: "/open/x" }), /signed out may\./);
    await page.getByRole("link", { name: "Change rules" }).click();
    assert.equal(await page.getByLabel(/^Path of rule/).count(), 2); // one to add
    await page.getByLabel("Path of rule 1").fill("");
    await page.getByLabel("Who may by rule 1").fill("");
    await press(page, "Save the rules");
    assert.deepEqual(usher.ctl("app", "show", "shop").settings, { hosts: "shop.example.com", label: "Shop", require: "role:buyer" });

    // As many as are wanted, without a script; and somebody else's are seen before they are replaced.
    const [many, other] = [await ada.context.newPage(), await ada.context.newPage()];
    await go(many, "/admin/apps/shop/rules");
    await go(other, "/admin/apps/shop/rules");
    for (let n = 1; n <= 23; n++) {
      if (await many.getByLabel(`Path of rule ${n}`, { exact: true }).count() === 0) await press(many, "Add 5 more rows");
      await many.getByLabel(`Path of rule ${n}`, { exact: true }).fill(`/part-${n}/*`);
      await many.getByLabel(`Who may by rule ${n}`, { exact: true }).fill(`role:r${n}`);
    }
    assert.equal(usher.ctl("app", "show", "shop").settings.rules, undefined); // rows are added, nothing is saved
    await press(many, "Save the rules");
    assert.equal(usher.ctl("app", "show", "shop").settings.rules.length, 23);
    await other.getByLabel("Path of rule 1").fill("/mine/*");
    await other.getByLabel("Who may by rule 1").fill("signed_in");
    await press(other, "Save the rules");
    assert.match(await other.getByRole("alert").textContent(), /Somebody else changed this app meanwhile.*\/part-23\/\*.*role:r23/s);
    assert.equal(await other.getByLabel("Path of rule 1").inputValue(), "/mine/*");
    assert.equal(usher.ctl("app", "show", "shop").settings.rules.length, 23);
    await press(other, "Save the rules");
    assert.deepEqual(usher.ctl("app", "show", "shop").settings.rules, [{ path: "/mine/*", require: "signed_in" }]);
    await many.close();
    await other.close();
    await page.reload();

    await press(page, "Disable");
    assert.equal(usher.ctl("app", "show", "shop").enabled, false);
    await press(page, "Enable");
    assert.equal(usher.ctl("app", "show", "shop").enabled, true);
    await page.getByRole("link", { name: /^Delete/ }).click();
    await press(page, "Delete the app");
    assert.match(await notice(page), /deleted/);
    assert.equal((await go(page, "/admin/apps/shop")).status(), 404);
    assert.deepEqual(page.complaints, []);
  });

  const looks = [["1280", {}], ["320-dark", { viewport: { width: 320, height: 800 }, colorScheme: "dark" }]];
  const pages = () => [["apps", "/admin/apps"], ["app", "/admin/apps/wiki"], ["app-file", "/admin/apps/notes"], ["app-none", "/admin/apps/nothing"],
    ["app-new", "/admin/new-app"], ["app-settings", "/admin/apps/wiki/settings"], ["app-rules", "/admin/apps/wiki/rules"], ["app-delete", "/admin/apps/wiki/delete"],
    ["app-explain", `/admin/apps/notes?explain=yes&user=${ada.account}&path=/admin/x&client=10.1.2.3`],
    ["app-explain-odd", "/admin/apps/notes?explain=yes&path=x"]];
  for (const [name, options] of looks) {
    it(`has nothing for axe-core to find, and fits: ${name}`, async () => {
      usher.ctl("app", "add-secret", "wiki");
      const { context, page } = await visit({ ...options, storageState: await ada.context.storageState() });
      for (const [what, where] of pages()) {
        await go(page, where);
        await e2e.shot(page, `admin-${what}-${name}`);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${what} scrolls sideways`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run(document));
        assert.deepEqual(violations.map((v) => [what, v.id, v.nodes.map((n) => n.html)]), []);
      }
      await context.close();
    });
  }

  it("works without JavaScript", async () => {
    const { context, page } = await visit({ javaScriptEnabled: false, storageState: await ada.context.storageState() });
    await go(page, "/admin/apps/wiki");
    assert.match(await ask(page, { Account: ada.account, Path: "/" }), /may\./);
    await page.getByRole("button", { name: /^End/ }).first().click();
    assert.match(await notice(page), /refused from now on/);
    await context.close();
  });
});
