// SPDX-License-Identifier: Apache-2.0
// The admin's pages in a real browser: from the setup link to a provider that was added, tested,
// corrected, used, renewed and switched off; and every page in light and dark, narrow, without
// JavaScript, and under axe-core.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import * as e2e from "./lib.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const evil = `"><script>alert(1)</script>`;

describe("an admin in Chromium", () => {
  let dir, fake, usher, browser, ada;
  before(async () => {
    dir = e2e.folder("admin");
    fake = await e2e.startFake(dir);
    usher = await e2e.startUsher(dir, { providers: { google: e2e.fakeProviders(fake).google } });
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
  });

  const visit = (options) => e2e.openPage(browser, usher, options);
  const go = (page, path) => page.goto(usher.url + path);
  const press = (page, name) => page.getByRole("button", { name }).click();
  const heading = (page) => page.textContent("h1");
  const pathOf = (page) => new URL(page.url()).pathname;

  const signIn = async (page, provider, person) => {
    await page.getByRole("link", { name: `Continue with ${provider}` }).click();
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await page.getByRole("button", { name: person }).first().click();
    await page.waitForURL((u) => u.href.startsWith(usher.url) && !u.pathname.startsWith("/callback"));
  };

  it("asks for a sign-in, and tells a plain user no (ADM-01)", async () => {
    const { context, page } = await visit();
    await go(page, "/admin/tokens");
    assert.equal(pathOf(page), "/login");
    await signIn(page, "Google", "Grace Hopper");
    assert.equal(pathOf(page), "/admin/tokens");
    assert.equal(await heading(page), "This is for admins");
    assert.equal((await page.reload()).status(), 403);
    await context.close();
  });

  it("lets the first visitor in by a link that works once (ADM-02)", async () => {
    const { url } = usher.ctl("setup-link");
    const { context, page } = await visit();
    await page.goto(url); // what a preview of the link does, too
    await page.goto(url);
    const late = await visit(); // has the page open before, and uses it after
    await late.page.goto(url);
    await e2e.shot(page, "admin-setup-1280");
    await press(page, "Begin");
    assert.equal(pathOf(page), "/admin");
    assert.match(await page.textContent(".who"), /Operator/);

    ada = await visit();
    await go(ada.page, "/login");
    await signIn(ada.page, "Google", "Ada Lovelace");
    const account = await ada.page.locator("dt:has-text('Account') + dd").textContent();
    await go(page, "/admin/roles/admin");
    await page.getByLabel("Account", { exact: true }).fill(account.trim());
    await press(page, "Make them an admin");
    assert.match(await page.textContent("main"), /Ada Lovelace/);
    await context.close();

    await press(late.page, "Begin");
    assert.equal(await heading(late.page), "This link is over");
    await late.page.goto(url);
    assert.equal(await heading(late.page), "This link is over");
    assert.match(await late.page.textContent("main"), /usherctl setup-link/);
    await late.context.close();
    assert.doesNotMatch(usher.log(), new RegExp(new URL(url).pathname.split("/").pop()));
  });

  it("makes a token, shows it once, and ends it", async () => {
    const { page } = ada;
    await go(page, "/admin/tokens");
    await page.getByLabel("What it is for").fill(evil);
    await press(page, "Make the token");
    const field = page.getByLabel("The new token");
    const token = await field.inputValue();
    const spacing = await field.evaluate((i) => parseFloat(getComputedStyle(i).lineHeight) / parseFloat(getComputedStyle(i).fontSize));
    assert.ok(spacing >= 1.4, "a line this low hides the underscores of a secret");
    const ask = () => fetch(`${usher.url}/api/v1/tokens`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal((await ask()).status, 200);
    await press(page, "Copy");
    await page.getByRole("button", { name: "Copied" }).waitFor();
    await e2e.shot(page, "admin-tokens-1280");
    await go(page, "/admin/tokens");
    assert.ok(!(await page.content()).includes(token));
    assert.ok((await page.textContent("table")).includes(evil)); // as text (ADM-17)
    await press(page, /^Delete/);
    assert.match(await page.textContent("main"), /refused from now on/);
    assert.equal((await ask()).status, 401);
    assert.deepEqual(page.complaints, []);
  });

  it("keeps what was typed when a token is refused", async () => {
    const { page } = ada;
    await go(page, "/admin/tokens");
    await page.getByLabel("What it is for").fill("nothing");
    await page.getByLabel(/^Read/).uncheck();
    await press(page, "Make the token");
    assert.match(await page.getByRole("alert").textContent(), /scopes/);
    assert.equal(await page.getByLabel("What it is for").inputValue(), "nothing");
  });

  // What the form of Discord is filled with so that it speaks to usher-fake.
  const fillDiscord = async (page, secret) => {
    await page.getByLabel("Client ID").fill("usher-dev");
    await page.getByLabel("Client secret").fill(secret);
    if (!await page.locator("details.more").evaluate((d) => d.open)) await page.getByText("Advanced settings").click();
    await page.getByLabel("Authorization endpoint").fill(`${fake.url}/discord/oauth2/authorize`);
    await page.locator("#f-api_url").fill(`${fake.url}/discord/api/v10`);
    await page.getByLabel("Pictures").fill(`${fake.url}/discord/cdn`);
  };

  it("shows where to click at the provider, with the callback URL", async () => {
    const { page } = ada;
    await go(page, "/admin/providers");
    await page.getByRole("link", { name: "Add a provider" }).click();
    await page.getByRole("link", { name: "Discord" }).click();
    const callback = page.getByLabel("Redirect URI");
    assert.equal(await callback.inputValue(), `${usher.url}/callback/discord`);
    assert.match(await page.textContent("ol.steps"), new RegExp(`Add Redirect, enter ${usher.url}/callback/discord`));
    await go(page, "/admin/add/keycloak");
    assert.match(await page.locator("#f-issuer").inputValue(), /keycloak/);
    assert.deepEqual(page.complaints, []);
  });

  it("says beside the field what is wrong, keeps the rest, and never shows a secret again (ADM-13)", async () => {
    const { page } = ada;
    await go(page, "/admin/add/discord");
    await fillDiscord(page, "canary-secret-1");
    await page.getByLabel("ID", { exact: true }).fill("discord");
    await page.getByLabel("Label").fill(evil);
    await page.locator("#f-api_url").fill("javascript:alert(1)"); // ADM-18
    await press(page, "Add Discord");
    assert.equal(await page.getByRole("alert").count(), 1);
    assert.ok(await page.locator("#f-api_url").evaluate((f) => f.getAttribute("aria-invalid") === "true" &&
      document.getElementById(f.getAttribute("aria-describedby").split(" ")[0]).className === "error"));
    assert.ok(await page.locator("details.more").evaluate((d) => d.open), "what is wrong is not folded away");
    assert.equal(await page.getByLabel("Label").inputValue(), evil);
    assert.equal(await page.getByLabel("Client secret").inputValue(), "");
    assert.ok(!(await page.content()).includes("canary-secret-1"));
    assert.ok(!(await page.content()).includes('href="javascript:'));
    await e2e.shot(page, "admin-add-wrong-1280");
  });

  it("adds a provider by form, for people on the very next page", async () => {
    const { page } = ada;
    await go(page, "/admin/add/discord");
    await fillDiscord(page, "wrong-secret");
    await page.getByLabel("Label").fill(evil);
    await press(page, "Add Discord");
    assert.equal(pathOf(page), "/admin/providers/discord");
    assert.ok((await heading(page)).includes(evil)); // ADM-17
    await e2e.shot(page, "admin-provider-1280");
    const other = await visit();
    await go(other.page, "/login");
    assert.ok((await other.page.textContent("ul.providers")).includes(`Continue with ${evil}`));
    assert.deepEqual(other.page.complaints, []);
    await other.context.close();
    for (const path of ["/admin", "/admin/providers", "/admin/audit"]) await go(page, path);
    assert.deepEqual(page.complaints, []);
  });

  it("says in words what a test without a person found", async () => {
    const { page } = ada;
    await go(page, "/admin/providers/discord");
    await press(page, "Test");
    assert.equal(await page.textContent("h2"), "The test failed");
    assert.match(await page.locator(".findings li", { hasText: "Wrong" }).textContent(), /secret/i);
    await e2e.shot(page, "admin-test-failed-1280");
    // The same of a draft, which is still one afterwards.
    await go(page, "/admin/add/discord");
    await fillDiscord(page, "canary-secret-2");
    await press(page, "Test without saving");
    assert.equal(await page.getByRole("heading", { name: "The test failed" }).count(), 1);
    assert.equal(await page.getByLabel("ID", { exact: true }).inputValue(), "discord-2");
    await fillDiscord(page, "usher-dev-secret");
    await press(page, "Test without saving");
    await page.getByRole("heading", { name: "The test passed" }).waitFor();
    assert.ok(!(await page.content()).includes("usher-dev-secret"));
    assert.equal((await go(page, "/admin/providers/discord-2")).status(), 404);
  });

  it("shows that a test goes on, and begins one", async () => {
    const { page } = ada;
    await go(page, "/admin/providers/discord");
    await page.evaluate(() => { // so that we stay and look
      globalThis.sent = 0;
      document.querySelector("form[action$='/test']").addEventListener("submit", (e) => {
        globalThis.sent += e.defaultPrevented ? 0 : 1;
        e.preventDefault();
      });
    });
    await press(page, "Test");
    assert.equal(await page.getByRole("progressbar", { name: "Testing …" }).count(), 1);
    assert.equal(await page.locator("form[aria-busy] [role=status]").textContent(), "Testing …"); // for who cannot see it
    await press(page, "Testing …");
    assert.equal(await page.evaluate(() => globalThis.sent), 1);
    assert.deepEqual(page.complaints, []);
  });

  it("changes settings, and puts them back to their default", async () => {
    const { page } = ada;
    await go(page, "/admin/providers/discord/settings");
    assert.equal(await page.getByLabel("Client ID").inputValue(), "usher-dev");
    assert.equal(await page.getByLabel("Client secret").count(), 0);
    await page.getByLabel("Label").fill("");
    await press(page, "Save settings");
    assert.equal(await heading(page), "Discord");
    assert.match(await page.getByRole("status").first().textContent(), /Saved/);
  });

  it("loses nothing when two admins change the same provider (ADM-14)", async () => {
    const { page: one, context } = ada;
    const two = await context.newPage();
    await go(one, "/admin/providers/discord/settings");
    await go(two, "/admin/providers/discord/settings");
    await one.getByLabel("Label").fill("First");
    await press(one, "Save settings");
    await two.getByLabel("Label").fill("Second");
    await press(two, "Save settings");
    assert.match(await two.getByRole("alert").textContent(), /Somebody else changed/);
    assert.match(await two.getByRole("alert").textContent(), /First/);
    assert.equal(await two.getByLabel("Label").inputValue(), "Second");
    await e2e.shot(two, "admin-settings-stale-1280");
    await press(two, "Save settings"); // now knowing
    assert.equal(await heading(two), "Second");
    await two.close();
    // A page from before that disables is told the same.
    await go(one, "/admin/providers/discord");
    usher.ctl("provider", "edit", "discord", "--unset", "label");
    await press(one, "Disable");
    assert.match(await one.getByRole("alert").textContent(), /changed/);
  });

  it("renews the secret without an outage", async () => {
    const { page } = ada;
    await go(page, "/admin/providers/discord");
    await press(page, "Save the new secret");
    assert.match(await page.locator("#f-secret-error").textContent(), /nothing/);
    await page.getByLabel("New secret").fill("usher-dev-secret");
    await page.getByLabel("Expires").fill("2030-01-31");
    await press(page, "Save the new secret");
    assert.match(await page.getByRole("status").first().textContent(), /new secret is saved/);
    await e2e.shot(page, "admin-provider-next-1280");
    const other = await visit();
    await go(other.page, "/login");
    await signIn(other.page, "Discord", "Noor"); // the active one is wrong: it falls over
    assert.match(await other.page.textContent("h1"), /Noor/);
    await other.context.close();
    await e2e.until("the slots to be moved", async () => {
      await go(page, "/admin/providers/discord");
      return /Retiring[\s\S]*just now/.test(await page.locator("table").first().textContent());
    });
    await press(page, /^Remove/);
    assert.match(await page.getByRole("status").first().textContent(), /removed/);
    await press(page, "Test");
    assert.equal(await page.textContent("h2"), "The test passed");
    // The other way round: the new one is used too early, and the one before still works.
    await go(page, "/admin/providers/discord");
    await page.getByLabel("New secret").fill("too-early");
    await press(page, "Save the new secret");
    await press(page, "Use it now");
    assert.match(await page.getByRole("status").first().textContent(), /in use now/);
    const third = await visit();
    await go(third.page, "/login");
    await signIn(third.page, "Discord", "Noor");
    assert.match(await third.page.textContent("h1"), /Noor/);
    await third.context.close();
    assert.ok(!(await page.content()).includes("too-early"));
  });

  // From a provider's page or a draft's form to the report.
  const rehearse = async (page, button, person) => {
    await press(page, button);
    await page.getByRole("link", { name: /^Go to/ }).click();
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    await page.getByRole("button", { name: person }).first().click();
    await page.waitForURL((u) => u.pathname.startsWith("/admin/rehearsals/"));
  };

  it("rehearses a sign-in that creates nothing", async () => {
    const { context, page } = ada;
    await go(page, "/admin/providers/discord");
    await rehearse(page, "Rehearse", "Grace Hopper");
    const report = await page.textContent("main");
    assert.match(report, /It would have worked/);
    assert.match(report, /Grace Hopper/);
    assert.doesNotMatch(report, /usher-dev-secret|too-early/);
    await e2e.shot(page, "admin-rehearsal-1280");
    assert.equal((await (await context.request.get(`${usher.url}/api/v1/me`)).json()).name, "Ada Lovelace");
    const url = page.url();
    const plain = await visit();
    await plain.page.goto(url);
    assert.equal(pathOf(plain.page), "/login");
    await plain.context.close();
    // A draft, by an operator, whose cookie stays behind when another site sends the browser.
    const operator = await visit();
    await operator.page.goto(usher.ctl("setup-link").url);
    await press(operator.page, "Begin");
    await operator.page.goto(url);
    assert.equal(await heading(operator.page), "There is no such thing"); // somebody else's
    await go(operator.page, "/admin/add/discord");
    await fillDiscord(operator.page, "usher-dev-secret");
    await operator.page.getByLabel("ID", { exact: true }).fill("draft");
    await rehearse(operator.page, "Rehearse without saving", "Grace Hopper");
    assert.match(await operator.page.textContent("main"), /It would have worked/);
    await operator.context.close();
  });

  it("switches a provider off and on, at the next request", async () => {
    const { page } = ada;
    const choices = async () => (await (await fetch(`${usher.url}/login`)).text()).includes("Continue with Discord");
    await go(page, "/admin/providers/discord");
    assert.ok(await choices());
    await press(page, "Disable");
    assert.ok(!await choices());
    assert.equal((await fetch(`${usher.url}/login/discord`)).status, 404);
    await press(page, "Enable");
    assert.ok(await choices());
  });

  // Every page there is by now, as somebody may come to it.
  const pages = () => ["/admin", "/admin/providers", "/admin/providers/discord", "/admin/providers/google",
    "/admin/providers/nothing", "/admin/providers/discord/settings", "/admin/providers/discord/delete",
    "/admin/add", "/admin/add/discord", "/admin/add/keycloak", "/admin/add/nothing", "/admin/status",
    "/admin/status/signing-keys", "/admin/status/signing-keys/at-once", "/admin/tokens", "/admin/registration", "/admin/audit",
    "/admin/audit?actor=Ada&object=x", "/admin/audit?before=evil", "/admin/setup/not-a-link"];
  const nameOf = (path) => path.slice(1).replace(/[^a-z0-9]+/g, "-");

  for (const [name, options] of [
    ["1280", {}],
    ["dark", { colorScheme: "dark" }],
    ["320", { viewport: { width: 320, height: 640 } }],
    ["320-dark", { viewport: { width: 320, height: 640 }, colorScheme: "dark" }],
  ]) {
    it(`has nothing for axe-core to find, and fits: ${name}`, async () => {
      const { context, page } = await visit({ ...options, storageState: await ada.context.storageState() });
      const examine = async (what) => {
        await e2e.shot(page, `${what}-${name}`);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${what} scrolls sideways`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => globalThis.axe.run(document));
        assert.deepEqual(violations.map((v) => [what, v.id, v.nodes.map((n) => n.html)]), []);
      };
      for (const path of pages()) {
        await go(page, path);
        await examine(nameOf(path));
      }
      // What comes of forms.
      await go(page, "/admin/add/discord");
      await press(page, "Test without saving");
      await examine("admin-add-wrong");
      await go(page, "/admin/providers/discord");
      await press(page, "Test");
      await examine("admin-test");
      await go(page, "/admin/providers/discord");
      await press(page, "Rehearse");
      await examine("admin-rehearse");
      await page.goBack();
      await rehearse(page, "Rehearse", "Grace Hopper");
      await page.locator("details").first().evaluate((d) => { d.open = true; });
      await examine("admin-rehearsal");
      assert.deepEqual(page.complaints, []);
      await context.close();
    });
  }

  it("works without JavaScript, behind the strictest headers (ADM-25, ADM-26)", async () => {
    const { context, page } = await visit({ javaScriptEnabled: false, storageState: await ada.context.storageState() });
    for (const path of pages()) {
      const answer = await go(page, path);
      const h = answer.headers();
      assert.match(h["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/, path);
      assert.doesNotMatch(h["content-security-policy"], /unsafe/, path);
      assert.equal(h["x-frame-options"], "DENY");
      assert.equal(h["x-content-type-options"], "nosniff");
      assert.equal(h["cache-control"], "no-store");
      assert.equal(h["access-control-allow-origin"], undefined);
      const html = await page.content();
      assert.match(html, /<h1>/, path);
      assert.doesNotMatch(html, /<script(?! src="\/assets\/admin\.js\?[0-9-]+" defer="">)| style=| on[a-z]+=|javascript:/i, path);
    }
    await context.close();
  });

  it("can do all of it without JavaScript", async () => {
    const { context, page } = await visit({ javaScriptEnabled: false, storageState: await ada.context.storageState() });
    await go(page, "/");
    await page.getByRole("link", { name: "Administration" }).click();
    await page.getByRole("link", { name: "Add a provider" }).click();
    await page.getByRole("link", { name: "GitHub" }).click();
    await press(page, /^Add/);
    assert.match(await page.locator(".error").first().textContent(), /client_id/);
    await page.getByLabel("Client ID").fill("x");
    await page.getByLabel("Client secret").fill("y");
    await press(page, /^Add/);
    assert.equal(pathOf(page), "/admin/providers/github");
    await page.getByRole("link", { name: "Change settings" }).click();
    await page.getByLabel("Label").fill("Octopus");
    await press(page, "Save settings");
    assert.equal(await heading(page), "Octopus");
    await press(page, "Disable");
    await press(page, "Enable");
    await page.getByRole("link", { name: /^Delete/ }).click();
    await press(page, /^Delete/);
    assert.match(await page.getByRole("status").textContent(), /deleted/);
    assert.equal((await go(page, "/admin/providers/github")).status(), 404);
    assert.equal(await page.textContent(".lead"), "There is no such provider.");
    await go(page, "/admin/status");
    await press(page, "Reload the configuration");
    assert.match(await page.getByRole("status").textContent(), /read again/);
    await go(page, "/admin/audit?object=github");
    assert.match(await page.textContent("main"), /provider\.delete/);
    await context.close();
  });

  it("says that a bad file is not in force, and what is wrong with it (CONF-09)", async () => {
    const { page } = ada;
    const file = `${dir}/providers.d/google.conf`, good = fs.readFileSync(file, "utf8");
    fs.writeFileSync(file, `${good}nonsense = yes\n`);
    await e2e.until("the file to be read", async () => {
      await go(page, "/admin");
      return /not in force/.test(await page.textContent("main"));
    });
    assert.match(await page.textContent("main"), /2 of 2/); // the one before goes on
    await page.getByRole("link", { name: "What is wrong" }).click();
    assert.match(await page.locator(".problems").textContent(), /google\.conf.*nonsense/);
    assert.doesNotMatch(await page.textContent("main"), /what is on disk is in force/);
    await e2e.shot(page, "admin-status-problem-1280");
    await press(page, "Reload the configuration");
    assert.match(await page.getByRole("alert").textContent(), /nonsense/);
    fs.writeFileSync(file, good);
    await e2e.until("the file to be read again", async () => {
      await go(page, "/admin");
      return !/not in force/.test(await page.textContent("main"));
    });
  });

  it("asks twice before the last way in is gone (ADM-15)", async () => {
    const { page } = ada;
    const account = (await (await ada.context.request.get(`${usher.url}/api/v1/me`)).json()).id;
    await go(page, `/admin/roles/admin/${account}/take`);
    await press(page, "Take the role away");
    assert.match(await page.getByRole("alert").textContent(), /last admin/);
    assert.ok(await page.getByLabel("Do it all the same").isVisible());
    await go(page, "/admin/roles/admin");
    assert.match(await page.textContent("main"), /Ada Lovelace/);
  });

  it("makes new keys to sign tokens with (OP-63)", async () => {
    const { page } = ada;
    const published = async () => (await (await fetch(`${usher.url}/oauth2/jwks`)).json()).keys.map((k) => k.kid);
    const before = await published();
    await go(page, "/admin/status");
    await page.getByRole("link", { name: "See them, or make new ones" }).click();
    await press(page, "Publish new keys");
    assert.match(await page.getByRole("status").textContent(), /sign from tomorrow on/);
    const day = await published();
    assert.equal(day.length, 2 * before.length);
    await press(page, "Publish new keys");
    assert.match(await page.getByRole("alert").textContent(), /already/);
    await page.getByRole("link", { name: "sign with new keys at once" }).click();
    assert.match(await page.textContent("main"), /leaked/);
    assert.deepEqual(await published(), day); // asking is not doing
    await press(page, "Sign with new keys now");
    assert.match(await page.getByRole("status").textContent(), /from now on/);
    const now = await published();
    assert.ok(before.every((kid) => now.includes(kid)) && now.length === day.length);
    assert.ok(day.every((kid) => before.includes(kid) || !now.includes(kid)), "what did not sign yet is gone");
    assert.equal(await page.getByText("signs", { exact: true }).count(), before.length);
  });

  it("takes no form from another site (ADM-04)", async () => {
    const { context } = await visit({ storageState: await ada.context.storageState() });
    for (const headers of [{ "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }, { "Sec-Fetch-Site": "same-site", Origin: "https://other.example" }, {}]) {
      for (const path of ["/admin/tokens", "/admin/roles", "/admin/roles/x", "/admin/roles/x/grant", "/admin/roles/x/delete", "/admin/roles/admin/x/take", "/admin/tokens/x/delete",
        ...["disable", "enable", "end-sessions", "grant", "delete"].map((w) => `/admin/users/x/${w}`), "/admin/add/discord",
        ...["settings", "enable", "disable", "delete", "rotate", "promote", "drop", "test", "rehearse"].map((w) => `/admin/providers/discord/${w}`),
        "/admin/status/reload", "/admin/status/rotate-key", "/admin/status/signing-keys", "/admin/status/signing-keys/at-once", "/admin/registration", "/admin/registration/x/delete"]) {
        const answer = await context.request.post(usher.url + path, { headers, form: { name: "evil", read: "yes", account: "x" } });
        assert.equal(answer.status(), 403, path);
      }
    }
    assert.doesNotMatch(await (await context.request.get(`${usher.url}/admin/tokens`)).text(), />evil/);
    await context.close();
  });

  it("works with a keyboard alone", async () => {
    const { context, page } = await visit({ storageState: await ada.context.storageState() });
    await go(page, "/admin/tokens");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
    await page.keyboard.press("Enter");
    for (let n = 0; n < 40; n++) {
      await page.keyboard.press("Tab");
      const focus = await page.evaluate(() => {
        const s = getComputedStyle(document.activeElement);
        return { id: document.activeElement.id, ring: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 };
      });
      assert.ok(focus.ring, "the focus can be seen");
      if (focus.id === "f-name") break;
      assert.ok(n < 39, "the form is reached");
    }
    await page.keyboard.type("by keyboard");
    await page.keyboard.press("Enter");
    await page.getByLabel("The new token").waitFor();
    await context.close();
  });
});
