// SPDX-License-Identifier: Apache-2.0
// A protected page behind Apache, whose mod_auth_openidc signs people in by usher.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { assertEnded, post, signIn, startProvider } from "./apps.mjs";
import * as e2e from "./lib.mjs";

describe("Apache with mod_auth_openidc", () => {
  let port, provider, usher, secrets, site, apache, browser;

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
      wiki: `label = Wiki\nredirect_uris = http://127.0.0.1:${port}/signed-in\nscopes = openid profile email offline_access\n`,
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
    await page.goto(`http://127.0.0.1:${port}/deep/page?x=1`);
    await signIn(page, usher);
    await page.waitForURL(`http://127.0.0.1:${port}/deep/page?x=1`);
    const first = await seen();
    assert.equal(first.oidc_claim_iss, usher.url);
    assert.equal(first.oidc_claim_name, "Ada Lovelace"); // from userinfo
    assert.ok(first.oidc_claim_sub && first.oidc_access_token);

    // Its own hook renews the tokens, and brings the person back.
    await page.goto(`http://127.0.0.1:${port}/signed-in?refresh=${encodeURIComponent(`http://127.0.0.1:${port}/again`)}&access_token=${encodeURIComponent(first.oidc_access_token)}`);
    assert.equal(page.url(), `http://127.0.0.1:${port}/again`);
    const second = await seen();
    assert.notEqual(second.oidc_access_token, first.oidc_access_token);
    assert.equal(second.oidc_claim_sub, first.oidc_claim_sub);

    assert.equal((await post(usher, secrets, "wiki", "revoke", { token: second.oidc_access_token })).status, 200);
    await assertEnded(usher, secrets, "wiki", { access_token: second.oidc_access_token });
    await context.close();
  });

  it("lets nobody in with an identity of their own making", async () => {
    const forged = { oidc_claim_sub: "admin", "oidc-claim-sub": "admin", "oidc-claim-name": "admin" };
    const plain = await fetch(`http://127.0.0.1:${port}/deep/page`, { redirect: "manual", headers: forged });
    assert.equal(plain.status, 401);
    const context = await browser.newContext({ extraHTTPHeaders: forged });
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${port}/deep/page`);
    assert.ok(page.url().startsWith(`${usher.url}/login`), page.url());
    await signIn(page, usher);
    await page.waitForURL(`http://127.0.0.1:${port}/deep/page`);
    assert.ok(!(await page.textContent("pre")).includes("admin"));
    await context.close();
  });
});
