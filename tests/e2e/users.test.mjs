// SPDX-License-Identifier: Apache-2.0
// Users and roles in a real browser: looked for, given a role, signed out, disabled behind nginx,
// deleted; the pages in light and dark, narrow, without JavaScript, and under axe-core.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import * as e2e from "./lib.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describe("users and roles in Chromium", () => {
  let dir, fake, usher, site, proxy, app, browser, ada, grace;
  before(async () => {
    dir = e2e.folder("users");
    fake = await e2e.startFake(dir);
    site = await e2e.startSite();
    const port = await e2e.freePort();
    app = `http://127.0.0.1:${port}`;
    usher = await e2e.startUsher(dir, { providers: e2e.fakeProviders(fake), settings: { login: `return_hosts = 127.0.0.1:${port}\n` } });
    proxy = await e2e.startNginx(dir, usher, site, port);
    browser = await e2e.startBrowser();
    ada = await someone("Ada Lovelace");
    grace = await someone("Grace Hopper");
    usher.ctl("admin", "grant", ada.account);
  });
  after(async () => {
    await browser?.close();
    await proxy?.stop();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
    await site?.stop();
  });

  const visit = (options) => e2e.openPage(browser, usher, options);
  const signIn = async (page, person) => {
    await page.goto(usher.url + "/login");
    await page.getByRole("link", { name: "Continue with Google" }).click();
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await page.getByRole("button", { name: person }).first().click();
    await page.waitForURL((u) => u.href.startsWith(usher.url));
  };
  const someone = async (person) => {
    const { context, page } = await visit();
    await signIn(page, person);
    const me = await (await context.request.get(`${usher.url}/api/v1/me`)).json();
    return { context, page, account: me.id };
  };
  const go = (page, path) => page.goto(usher.url + path);
  const press = (page, name) => page.getByRole("button", { name }).click();
  const notice = (page) => page.locator(".notice.good").textContent();
  const heading = (page) => page.textContent("h1");
  const behind = async () => (await grace.context.request.get(app + "/", { maxRedirects: 0 }));
  const told = async (name) => (await (await behind()).json()).headers[`x-usher-${name}`] ?? "";

  it("finds people, and shows one", async () => {
    const { page } = ada;
    await go(page, "/admin");
    await page.getByRole("link", { name: "Users" }).click();
    assert.match(await page.textContent("table"), /Ada Lovelace[\s\S]*Grace Hopper|Grace Hopper[\s\S]*Ada Lovelace/);
    await page.getByLabel("Name, e-mail or id").fill("hopp");
    await press(page, "Search");
    await page.waitForURL((u) => u.search.includes("search=hopp"));
    assert.doesNotMatch(await page.textContent("table"), /Ada Lovelace/);
    await page.getByRole("link", { name: "Grace Hopper" }).click();
    assert.equal(await heading(page), "Grace Hopper");
    const main = await page.textContent("main");
    assert.match(main, /navy\.example/);
    assert.match(main, /Chrom\w+ on Linux/);
    assert.doesNotMatch(main, /role.grant/); // that was somebody else
    await go(page, "/admin/users?search=nobody-like-that");
    assert.match(await page.textContent("main"), /Nobody like that/);
    assert.deepEqual(page.complaints, []);
  });

  it("makes a role, gives it and takes it, from the next click on", async () => {
    const { page } = ada;
    assert.equal(await told("roles"), "");
    await go(page, "/admin/roles");
    await page.getByLabel("Name", { exact: true }).fill("Wiki Editor");
    await page.getByLabel(/^Permissions/).fill("wiki.read\nwiki.edit");
    await press(page, "Make the role");
    assert.match(await page.getByRole("alert").textContent(), /a role's name/i);
    assert.equal(await page.getByLabel(/^Permissions/).inputValue(), "wiki.read\nwiki.edit"); // what was typed stays
    await page.getByLabel("Name", { exact: true }).fill("wiki");
    await page.getByLabel(/^What it is for/).fill("Writes the wiki");
    await press(page, "Make the role");
    assert.equal(await heading(page), "wiki");
    await go(page, "/admin/roles");
    await page.getByLabel("Name", { exact: true }).fill("wiki");
    await press(page, "Make the role");
    assert.match(await page.getByRole("alert").textContent(), /already/);

    await go(page, `/admin/users/${grace.account}`);
    await page.getByLabel("Give them another").selectOption("wiki");
    await press(page, "Give the role");
    assert.match(await notice(page), /has the role/);
    assert.equal(await told("roles"), "wiki");
    assert.equal(await told("permissions"), "wiki.edit,wiki.read");

    await go(page, "/admin/roles/wiki");
    await page.getByLabel(/^Permissions/).fill("wiki.read");
    await press(page, "Save");
    assert.match(await notice(page), /Saved/);
    assert.equal(await told("permissions"), "wiki.read");
    await page.getByRole("link", { name: /^Take the role away/ }).click();
    await press(page, "Take the role away");
    assert.match(await notice(page), /taken away/);
    assert.equal(await told("roles"), "");
    await page.getByLabel("Account", { exact: true }).fill(grace.account);
    await press(page, "Give the role");
    assert.equal(await told("roles"), "wiki");
    assert.deepEqual(page.complaints, []);
  });

  it("says when somebody else changed a role meanwhile", async () => {
    const { page } = ada;
    const late = await ada.context.newPage();
    await go(page, "/admin/roles/wiki");
    await go(late, "/admin/roles/wiki");
    await page.getByLabel(/^What it is for/).fill("First");
    await press(page, "Save");
    await late.getByLabel(/^What it is for/).fill("Second");
    await press(late, "Save");
    assert.equal(await heading(late), "Somebody else was here");
    await go(page, "/admin/roles/wiki");
    assert.equal(await page.getByLabel(/^What it is for/).inputValue(), "First");
    await late.close();
  });

  it("ends one session, and all of them", async () => {
    const { page } = ada;
    await signIn(grace.page, "Grace Hopper");
    await go(page, `/admin/users/${grace.account}`);
    await press(page, "End all sessions");
    assert.match(await notice(page), /Signed out/);
    assert.equal((await behind()).status(), 401);
    await signIn(grace.page, "Grace Hopper");
    assert.equal((await behind()).status(), 200);
    await page.reload();
    await page.getByRole("button", { name: /^End Chrom/ }).first().click();
    assert.equal((await behind()).status(), 401);
    await signIn(grace.page, "Grace Hopper");
  });

  it("throws a disabled user out of an app behind nginx on the next click (ACCT-18)", async () => {
    const { page } = ada;
    await grace.page.goto(app + "/");
    assert.match(await grace.page.textContent("body"), new RegExp(grace.account));
    await go(page, `/admin/users/${grace.account}`);
    await press(page, "Disable the account");
    assert.match(await page.getByRole("alert").textContent(), /reason/);
    await page.getByLabel("Reason").fill("left the company");
    await press(page, "Disable the account");
    assert.match(await notice(page), /disabled/);
    await grace.page.reload();
    assert.equal(new URL(grace.page.url()).origin, usher.url); // the sign-in page
    await grace.page.getByRole("link", { name: "Continue with Google" }).click();
    await grace.page.getByRole("button", { name: "Grace Hopper" }).first().click();
    await grace.page.waitForURL((u) => u.href.startsWith(usher.url));
    assert.match(await grace.page.textContent("main"), /may not sign in/);
    assert.doesNotMatch(await grace.page.textContent("main"), /left the company/);
    await e2e.shot(page, "admin-user-disabled-1280");
    assert.match(await page.textContent("main"), /left the company/);
    await press(page, "Let them sign in again");
    await grace.page.goto(app + "/");
    await signIn(grace.page, "Grace Hopper");
    assert.equal((await behind()).status(), 200);
    assert.deepEqual(page.complaints, []);
  });

  it("asks twice before the last admin is gone (ADM-15)", async () => {
    const { page } = ada;
    await go(page, `/admin/users/${ada.account}`);
    await page.getByLabel("Reason").fill("a mistake");
    await press(page, "Disable the account");
    assert.match(await page.getByRole("alert").textContent(), /your own account/);
    assert.ok(await page.getByLabel("Do it all the same").isVisible());
    await go(page, `/admin/users/${ada.account}/delete`);
    await press(page, "Delete the account");
    assert.ok(await page.getByLabel("Do it all the same").isVisible());
    await go(page, "/admin/users?role=admin");
    assert.match(await page.textContent("table"), /Ada Lovelace/);
  });

  for (const [name, options] of [
    ["1280", {}],
    ["dark", { colorScheme: "dark" }],
    ["320", { viewport: { width: 320, height: 640 } }],
    ["320-dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" }],
  ]) {
    it(`has nothing for axe-core to find, and fits: ${name}`, async () => {
      const { context, page } = await visit({ ...options, storageState: await ada.context.storageState() });
      for (const [what, path] of [["users", "/admin/users"], ["users-none", "/admin/users?search=x&disabled=true"],
        ["users-odd", "/admin/users?disabled=maybe"], ["user", `/admin/users/${grace.account}`], ["user-self", `/admin/users/${ada.account}`],
        ["user-nobody", "/admin/users/nobody"], ["user-delete", `/admin/users/${grace.account}/delete`], ["roles", "/admin/roles"],
        ["role", "/admin/roles/wiki"], ["role-admin", "/admin/roles/admin"], ["role-none", "/admin/roles/nothing"],
        ["role-delete", "/admin/roles/wiki/delete"], ["role-take", `/admin/roles/wiki/${grace.account}/take`]]) {
        await go(page, path);
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
    await go(page, "/admin/users?search=grace");
    await page.getByRole("link", { name: "Grace Hopper" }).click();
    await press(page, "End all sessions");
    assert.match(await notice(page), /Signed out/);
    assert.equal((await behind()).status(), 401);
    await context.close();
  });

  it("deletes a role that somebody has, and an account, when told twice", async () => {
    const { page } = ada;
    await go(page, "/admin/roles/wiki/delete");
    await press(page, "Delete the role");
    assert.match(await page.getByRole("alert").textContent(), /role: 1/);
    await page.getByLabel("Do it all the same").check();
    await press(page, "Delete the role");
    assert.match(await notice(page), /deleted/);
    await signIn(grace.page, "Grace Hopper");
    assert.equal(await told("roles"), "");
    await go(page, `/admin/users/${grace.account}/delete`);
    await press(page, "Delete the account");
    assert.match(await notice(page), /deleted/);
    assert.equal((await behind()).status(), 401);
    await signIn(grace.page, "Grace Hopper");
    const me = await (await grace.context.request.get(`${usher.url}/api/v1/me`)).json();
    assert.notEqual(me.id, grace.account);
    assert.deepEqual(page.complaints, []);
  });
});
