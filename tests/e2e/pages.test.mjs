// SPDX-License-Identifier: Apache-2.0
// Every page there is, with what people bring: names that are very long, read from right to left or
// say nothing, thirty providers, an app with a paragraph for a name. Wide and narrow, in light and
// dark, nothing scrolls sideways, nothing is too small to be touched (WCAG 2.2, 2.5.8), and axe-core
// finds nothing.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import * as e2e from "./lib.mjs";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const longest = "Wolfeschlegelsteinhausenbergerdorff-Wählerinnenvereinigungsvorsitzende "
  + "of the Most Excellent Order of Very Long Names, and Sons";
const narrow = { viewport: { width: 320, height: 640 } }, dark = { colorScheme: "dark" };
// All four for pictures; two of them meet every rule of the stylesheet.
const looks = [["1280", {}], ["320-dark", { ...narrow, ...dark }], ...(e2e.shots ? [["dark", dark], ["320", narrow]] : [])];

// Thirty of them: two by name, one with a long label, one in Hebrew, and a crowd.
function manyProviders(fake) {
  const one = (label, plugin = "google") => `plugin = ${plugin}\nlabel = ${label}\n${e2e.fakeProviders(fake).google}`;
  const all = { ...e2e.fakeProviders(fake, "ask"), long: one(longest.slice(0, 56)), hebrew: one("כניסה עם המשרד 🏢") };
  for (let n = 1; Object.keys(all).length < 30; n++) all[`tenant-${n}`] = one(`Tenant ${n}`);
  return all;
}

const client = "redirect_uris = https://app.example.com/cb\nscopes = openid profile email offline_access\nconsent = yes\nrequire_pkce = no\n";
const apps = {
  books: `label = Book club\n${client}policy_uri = https://books.example.com/privacy\ntos_uri = https://books.example.com/terms\n`,
  long: `label = ${longest.slice(0, 56)}\nhosts = ${"long.".repeat(20)}example.com\n${client}[/a/very/long/path/${"x".repeat(90)}/*]\nrequire = role:${"r".repeat(60)} and not network:10.0.0.0/8\n`,
  box: "label = Admin box\nhosts = box.example.com\nrequire = role:admin\n",
  tv: "label = Living room TV\nclient_type = public\nscopes = openid profile email offline_access\nconsent = yes\ngrants = device_code\n",
};

describe("every page, with what people bring", () => {
  let dir, fake, usher, browser, ada, made;
  before(async () => {
    dir = e2e.folder("pages");
    fs.mkdirSync(`${dir}/apps.d`);
    for (const [id, text] of Object.entries(apps)) fs.writeFileSync(`${dir}/apps.d/${id}.conf`, text, { mode: 0o600 });
    fake = await e2e.startFake(dir);
    usher = await e2e.startUsher(dir, { providers: manyProviders(fake), settings: { apps: `dir = ${dir}/apps.d\n`, limits: "device = 0\n" } });
    browser = await e2e.startBrowser();
    const people = {};
    for (const name of ["Noor", "Robert", "Konrad Zuse"]) people[name] = await someone("google", name);
    await fault({ path: "/discord/api/v10/users/@me", fault: "set", name: "/global_name", value: JSON.stringify(longest) });
    people.long = await someone("discord", "Lin Pending");
    ada = await visit();
    await signIn(ada.page, "google", "Ada Lovelace");
    ada.account = (await (await ada.context.request.get(`${usher.url}/api/v1/me`)).json()).id;
    usher.ctl("admin", "grant", ada.account);
    usher.ctl("role", "set", "r".repeat(60), "--description", longest);
    usher.ctl("role", "grant", "r".repeat(60), people.long);
    usher.ctl("app", "add-secret", "long");
    usher.ctl("app", "add", "shop", "--set", "hosts=shop.example.com");
    made = { people };
    usher.ctl("user", "disable", people.Robert, "--reason", longest);
  });
  after(async () => {
    await browser?.close();
    assert.equal(await usher?.stop(), 0);
    await fake?.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  const visit = (options) => e2e.openPage(browser, usher, options);
  const go = (page, path) => page.goto(usher.url + path);
  const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
  const fault = (form) => fetch(`${fake.url}/fake/faults`, { method: "POST", body: new URLSearchParams(form) });
  const choose = async (page, person) => {
    await page.waitForURL((u) => u.href.startsWith(fake.url));
    const button = page.getByRole("button", { name: person }).first();
    if (!await button.isVisible()) await page.getByText("More people").click();
    await button.click();
    await page.waitForURL((u) => u.href.startsWith(usher.url));
  };
  const signIn = async (page, provider, person) => {
    await go(page, "/login");
    await page.locator(`.providers a[href^="/login/${provider}"]`).click();
    await choose(page, person);
  };
  const someone = async (provider, person) => {
    const { context, page } = await visit();
    await signIn(page, provider, person);
    const me = await (await context.request.get(`${usher.url}/api/v1/me`)).json();
    await context.close();
    return me.id;
  };
  const authorize = `/oauth2/authorize?${new URLSearchParams({ client_id: "books", response_type: "code",
    redirect_uri: "https://app.example.com/cb", scope: "openid profile email offline_access", state: "s", nonce: "n" })}`;

  // What somebody sees who is nobody here yet.
  const strangers = {
    "chooser-30": (p) => go(p, "/login"),
    "chooser-app": (p) => go(p, authorize),
    "signed-out": (p) => go(p, "/logout"),
    "not-found": (p) => go(p, "/nothing"),
    "no-provider": (p) => go(p, "/login/nothing"),
    "stale-callback": (p) => go(p, "/callback/google?state=x&code=y"),
    "bad-client": (p) => go(p, "/oauth2/authorize?client_id=nobody"),
    "bad-redirect": (p) => go(p, authorize.replace("app.example", "evil.example")),
    "device-code": (p) => go(p, "/device"),
    "device-wrong": (p) => go(p, "/device?user_code=nonsense"),
    "setup-over": (p) => go(p, "/admin/setup/not-a-link"),
    setup: (p) => p.goto(usher.ctl("setup-link").url),
    cancelled: async (p) => {
      await go(p, "/login/google");
      await press(p, "Cancel");
    },
    upstream: async (p) => {
      await fault({ path: "/google/token", fault: "http", status: 500, times: 1 });
      await signIn(p, "google", "Noor");
    },
    disabled: (p) => signIn(p, "google", "Robert"),
  };
  // Somebody who signed in with a name that is hard to show, `who` being where.
  const guests = {
    home: (p) => go(p, "/"),
    "chooser-in": (p) => go(p, "/login"),
    logout: (p) => go(p, "/logout"),
    "oauth-logout": (p) => go(p, "/oauth2/logout?client_id=books"),
    account: (p) => go(p, "/account"),
    "account-delete": (p) => go(p, "/account/delete"),
    "not-admin": (p) => go(p, "/admin"),
    denied: (p) => go(p, "/denied?app=box"),
    consent: (p) => go(p, authorize),
    "consent-no-page": (p) => go(p, "/oauth2/continue/nothing"),
    device: async (p) => {
      const form = new URLSearchParams({ client_id: "tv", scope: "openid profile email offline_access" });
      const codes = await (await fetch(`${usher.url}/oauth2/device_authorization`, { method: "POST", body: form })).json();
      await p.goto(codes.verification_uri_complete);
    },
    link: async (p) => {
      await go(p, "/account");
      await press(p, "Link Google");
      await choose(p, "Legion");
    },
  };
  const inside = () => Object.fromEntries(["", "/providers", "/providers/google", "/add", "/add/discord", "/add/oidc", "/users", `/users/${made.people.long}`,
    `/users/${made.people.Noor}`, `/users/${made.people.Robert}`, `/users/${ada.account}`, `/users/${made.people.long}/delete`, "/users?search=nobody-like-that", "/apps", "/apps/long", "/apps/shop",
    "/apps/shop/settings", "/apps/shop/rules", "/apps/shop/delete", `/apps/box?explain=yes&user=${made.people.long}&path=/`, "/new-app", "/registration",
    "/roles", `/roles/${"r".repeat(60)}`, "/roles/admin", `/roles/${"r".repeat(60)}/delete`, "/tokens", "/status", "/status/signing-keys", "/status/signing-keys/at-once", "/audit",
    "/audit?object=nothing", "/providers/nothing"].map((path) => [`admin${path}`
    .replace(/acc_[a-z0-9]+|u_[a-z0-9]+/i, "").replaceAll("r".repeat(60), "long").replace(made.people.long, "long").replace(made.people.Noor, "noor")
    .replace(made.people.Robert, "robert").replace(ada.account, "self").replace(/[^a-z0-9]+/g, "-"), (p) => go(p, `/admin${path}`)]));

  // Adds what is wrong with a page to page.complaints, so that one run tells all of it.
  async function examine(page, what) {
    await e2e.shot(page, what);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) page.complaints.push(`${what} scrolls sideways by ${wide}`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { rules: { "target-size": { enabled: true } } }));
    page.complaints.push(...violations.map((v) => `${what}: ${v.id}: ${v.nodes.map((n) => n.html).join("; ")}`));
  }

  it("speaks of settings, addresses and roles in people's words", async () => {
    const { page } = ada, main = () => page.textContent("main");
    await go(page, "/admin/apps/books");
    assert.match(await main(), /PKCE required\s*no[\s\S]*Ask for consent\s*yes/);
    assert.doesNotMatch(await main(), /\b(true|false|0s)\b/);
    await go(page, `/admin/users/${made.people.long}`);
    assert.match(await main(), /lin@mail\.example · verified, says the provider/);
    await go(page, `/admin/apps/box?explain=yes&user=${made.people.long}&path=/`);
    assert.match(await main(), /may not\.\s+What is required is not there\./);
    const { context, page: noor } = await visit();
    await signIn(noor, "google", "Noor");
    await go(noor, "/admin");
    await noor.getByRole("link", { name: "Use another account" }).click();
    assert.equal(new URL(noor.url()).pathname, "/login");
    await context.close();
  });

  for (const [look, options] of looks) {
    it(`reads well and fits, for strangers (${look})`, async () => {
      for (const [name, open] of Object.entries(strangers)) {
        const { context, page } = await visit(options);
        await open(page);
        await examine(page, `${name}-${look}`);
        assert.deepEqual(page.complaints, []);
        await context.close();
      }
    });

    it(`reads well and fits, for people with long names (${look})`, async () => {
      const { context, page } = await visit(options);
      await signIn(page, "discord", "Lin Pending");
      for (const [name, open] of Object.entries(guests)) {
        await open(page);
        await examine(page, `${name}-${look}`);
      }
      await signIn(page, "google", "Noor");
      await go(page, "/");
      await examine(page, `home-noor-${look}`);
      await go(page, "/account");
      await examine(page, `account-noor-${look}`);
      assert.deepEqual(page.complaints, []);
      await context.close();
    });

    it(`reads well and fits, for admins (${look})`, async () => {
      const { context, page } = await visit({ ...options, storageState: await ada.context.storageState() });
      for (const [name, open] of Object.entries(inside())) {
        await open(page);
        await examine(page, `${name}-${look}`);
      }
      await go(page, "/admin/providers/google");
      await press(page, "Test");
      await examine(page, `admin-test-${look}`);
      assert.deepEqual(page.complaints, []);
      await context.close();
    });
  }
});
