// SPDX-License-Identifier: Apache-2.0
// A protected page behind Apache, whose mod_auth_openidc signs people in by usher.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { assertEnded, assertSignedIn, assertSignedOut, post, signIn, startProvider } from "./apps.mjs";
import * as e2e from "./lib.mjs";

describe("Apache with mod_auth_openidc", () => {
  let port, provider, usher, secrets, site, apache, browser;
  const at = (path) => `http://127.0.0.1:${port}${path}`;

  async function startApache() {
    const { dir } = provider;
    const block = e2e.fromManual("openid-connect.md", "apache")[0]
      .replaceAll("https://login.example.com", usher.url)
      .replaceAll("https://wiki.example.com", `http://127.0.0.1:${port}`)
      .replace("the secret of the app", secrets.wiki)
      .replace("127.0.0.1:3000", `127.0.0.1:${site.port}`);
    const modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "auth_openidc"]
      .map((m) => `LoadModule ${m}_module /usr/lib/apache2/modules/mod_${m}.so`).join("\n");
    const user = process.getuid() === 0 ? "User www-data\nGroup www-data" : "";
    fs.chmodSync(dir, 0o755);
    const conf = path.join(dir, "httpd.conf");
    fs.writeFileSync(conf, `${modules}\nServerName http://127.0.0.1:${port}\nServerRoot ${dir}\nPidFile ${dir}/apache.pid
Mutex file:${dir} default\nListen 127.0.0.1:${port}\n${user}\nErrorLog ${dir}/apache.log\n${block}\n`, { mode: 0o600 });
    const p = e2e.launch("/usr/sbin/apache2", ["-f", conf, "-DFOREGROUND"]);
    await e2e.listening(port, p);
    return p;
  }

  before(async () => {
    port = await e2e.freePort();
    provider = await startProvider("apache-openidc", {
      wiki: `label = Wiki\nredirect_uris = ${at("/signed-in")}\nscopes = openid profile email offline_access\n`
        + e2e.fromManual("openid-connect.md", "ini")[1].replaceAll("https://wiki.example.com", at("")),
    });
    ({ usher, secrets } = provider);
    site = await e2e.startSite();
    apache = await startApache();
    browser = await e2e.startBrowser();
  });
  after(async () => {
    await browser?.close();
    await apache?.stop();
    await site?.stop();
    await provider?.stop();
  });

  it("signs a person in, renews, and ends with usher's tokens", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const seen = async () => JSON.parse(await page.textContent("pre")).headers;
    await page.goto(at("/deep/page?x=1"));
    await signIn(page, usher);
    await page.waitForURL(at("/deep/page?x=1"));
    const first = await seen();
    assert.equal(first.oidc_claim_iss, usher.url);
    assert.equal(first.oidc_claim_name, "Ada Lovelace"); // from userinfo
    assert.ok(first.oidc_claim_sub && first.oidc_access_token);

    // Its own hook renews the tokens, and brings the person back.
    await page.goto(`http://127.0.0.1:${port}/signed-in?refresh=${encodeURIComponent(at("/again"))}&access_token=${encodeURIComponent(first.oidc_access_token)}`);
    assert.equal(page.url(), at("/again"));
    const second = await seen();
    assert.notEqual(second.oidc_access_token, first.oidc_access_token);
    assert.equal(second.oidc_claim_sub, first.oidc_claim_sub);

    assert.equal((await post(usher, secrets, "wiki", "revoke", { token: second.oidc_access_token })).status, 200);
    await assertEnded(usher, secrets, "wiki", { access_token: second.oidc_access_token });
    await context.close();
  });

  // Signed in to the page, and what the site behind it saw.
  async function signedIn(context) {
    const page = await context.newPage();
    await page.goto(at("/page"));
    await signIn(page, usher);
    await page.waitForURL(at("/page"));
    return { page, seen: JSON.parse(await page.textContent("pre")).headers };
  }

  it("signs a person out at usher, and comes back", async () => {
    const context = await browser.newContext();
    const { page, seen } = await signedIn(context);
    await assertSignedIn(context, usher, "wiki", at("/signed-in"));
    // Its own hook: it knows end_session_endpoint from discovery, and sends the ID token as the hint.
    const [away] = await Promise.all([
      page.waitForRequest((rq) => rq.url().startsWith(`${usher.url}/oauth2/logout?`)),
      page.goto(at(`/signed-in?logout=${encodeURIComponent(at("/left"))}`)),
    ]);
    assert.ok(new URL(away.url()).searchParams.get("id_token_hint"));
    await assertSignedOut(context, usher, "wiki", at("/signed-in"));
    assert.equal(page.url(), at("/left"));
    assert.equal(JSON.parse(await page.textContent("pre")).headers.oidc_claim_sub, undefined);
    await page.goto(at("/page"));
    assert.ok(page.url().startsWith(`${usher.url}/login`), page.url());
    // What it holds with offline_access ends when it says so.
    assert.equal((await post(usher, secrets, "wiki", "revoke", { token: seen.oidc_access_token })).status, 200);
    await assertEnded(usher, secrets, "wiki", { access_token: seen.oidc_access_token });
    await context.close();
  });

  it("learns from usher that a session is over", async () => {
    const context = await browser.newContext(), other = await browser.newContext();
    const { page } = await signedIn(context), bystander = (await signedIn(other)).page;
    await page.goto(at("/page"));
    assert.equal(page.url(), at("/page"));
    await page.goto(usher.url);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForSelector("text=Signed out");
    await e2e.until("Apache to know", async () => {
      await page.goto(at("/page"));
      return page.url() !== at("/page");
    });
    assert.ok(page.url().startsWith(`${usher.url}/login`), page.url());
    // and of no other session
    await bystander.goto(at("/page"));
    assert.equal(bystander.url(), at("/page"));
    await context.close();
    await other.close();
  });

  it("lets nobody in with an identity of their own making", async () => {
    const forged = { oidc_claim_sub: "admin", "oidc-claim-sub": "admin", "oidc-claim-name": "admin" };
    const plain = await fetch(at("/deep/page"), { redirect: "manual", headers: forged });
    assert.equal(plain.status, 401);
    const open = await fetch(at("/left"), { redirect: "manual", headers: forged });
    assert.equal(open.status, 200);
    assert.ok(!(await open.text()).includes("admin"));
    const context = await browser.newContext({ extraHTTPHeaders: forged });
    const page = await context.newPage();
    await page.goto(at("/deep/page"));
    assert.ok(page.url().startsWith(`${usher.url}/login`), page.url());
    await signIn(page, usher);
    await page.waitForURL(at("/deep/page"));
    assert.ok(!(await page.textContent("pre")).includes("admin"));
    await context.close();
  });
});
