// SPDX-License-Identifier: Apache-2.0
// Real proxies in front of a site, with the very configuration of docs/forward-auth.md.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import * as e2e from "./lib.mjs";

async function startCaddy(dir, usher, site, port) {
  const block = e2e.fromManual("forward-auth.md", "caddy")[0].split("\n\n")[0]
    .replace("app.example.com {", `http://127.0.0.1:${port} {\nbind 127.0.0.1`)
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${usher.port}`)
    .replaceAll("127.0.0.1:3000", `127.0.0.1:${site.port}`);
  const conf = path.join(dir, "Caddyfile");
  fs.writeFileSync(conf, `{\nadmin off\nauto_https off\n}\n${block}\n`);
  const env = { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
  const p = e2e.launch("caddy", ["run", "--config", conf, "--adapter", "caddyfile"], { env });
  await e2e.listening(port, p);
  return p;
}

async function startHaproxy(dir, usher, site, port) {
  const manual = (language) => e2e.fromManual("forward-auth.md", language)
    .map((text) => text.replaceAll("127.0.0.1:8080", `127.0.0.1:${usher.port}`).replaceAll("127.0.0.1:3000", `127.0.0.1:${site.port}`));
  const lua = path.join(dir, "usher.lua");
  fs.writeFileSync(lua, manual("lua")[0]);
  const conf = path.join(dir, "haproxy.cfg");
  fs.writeFileSync(conf, manual("haproxy")[0]
    .replace("/etc/haproxy/usher.lua", lua)
    .replace("bind :443 ssl crt /etc/haproxy/app.pem", `bind 127.0.0.1:${port}`)
    .replace("https://%[req.hdr(Host)]", "http://%[req.hdr(Host)]") +
    "\ndefaults\n    timeout client 10s\n    timeout server 10s\n    timeout connect 5s\n");
  const p = e2e.launch(e2e.has("haproxy") ? "haproxy" : "/usr/sbin/haproxy", ["-db", "-f", conf]);
  await e2e.listening(port, p);
  return p;
}

async function startApache(dir, usher, site, port) {
  const lua = path.join(dir, "usher.lua");
  fs.writeFileSync(lua, e2e.fromManual("forward-auth.md", "lua")[1].replace("127.0.0.1:8080", `127.0.0.1:${usher.port}`));
  const host = e2e.fromManual("forward-auth.md", "apache")[0]
    .replace("*:443", `127.0.0.1:${port}`)
    .replace("/etc/apache2/usher.lua", lua)
    .replace("127.0.0.1:3000", `127.0.0.1:${site.port}`);
  const modules = ["mpm_event", "authz_core", "lua", "proxy", "proxy_http"]
    .map((m) => `LoadModule ${m}_module /usr/lib/apache2/modules/mod_${m}.so`).join("\n");
  const user = process.getuid() === 0 ? "User www-data\nGroup www-data" : "";
  fs.chmodSync(dir, 0o755);
  const conf = path.join(dir, "httpd.conf");
  fs.writeFileSync(conf, `${modules}\nServerName 127.0.0.1\nServerRoot ${dir}\nPidFile ${dir}/apache.pid\nMutex file:${dir} default
Listen 127.0.0.1:${port}\n${user}\nErrorLog ${dir}/apache.log\n${host}\n`);
  const p = e2e.launch("/usr/sbin/apache2", ["-f", conf, "-DFOREGROUND"]);
  await e2e.listening(port, p);
  return p;
}

const proxies = [["nginx", e2e.startNginx], ["caddy", startCaddy], ["haproxy", startHaproxy], ["apache", startApache]];

for (const [name, start] of proxies) {
  describe(`${name} in front of a site`, () => {
    let dir, fake, usher, site, proxy, browser, app;
    before(async () => {
      dir = e2e.folder(name);
      fake = await e2e.startFake(dir);
      site = await e2e.startSite();
      const port = await e2e.freePort();
      app = `http://127.0.0.1:${port}`;
      usher = await e2e.startUsher(dir, {
        providers: e2e.fakeProviders(fake),
        settings: { login: `return_hosts = 127.0.0.1:${port}\n` },
      });
      proxy = await start(dir, usher, site, port);
      browser = await e2e.startBrowser();
    });
    after(async () => {
      await browser?.close();
      await proxy?.stop();
      await usher?.stop();
      await fake?.stop();
      await site?.stop();
    });

    const identity = ["x-usher-user", "x-usher-name", "x-usher-email", "x-usher-groups", "x-usher-roles",
      "x-usher-permissions", "x-usher-provider"];

    it("sends a person to sign in and back to where they wanted to go", async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${app}/deep/page?x=1&y=%2F`);
      assert.ok(page.url().startsWith(`${usher.url}/login`), page.url());
      await page.getByRole("link", { name: "Continue with Discord" }).click();
      await page.getByRole("button", { name: "Ada Lovelace" }).click();
      await page.waitForURL(`${app}/deep/page?x=1&y=%2F`);
      const seen = JSON.parse(await page.textContent("pre"));
      assert.equal(decodeURIComponent(seen.headers["x-usher-name"]), "Ada Lovelace");
      assert.equal(seen.headers["x-usher-provider"], "discord");
      assert.equal(seen.headers["x-usher-user"].length, 22);
      // signing out shows at the next click
      await page.goto(usher.url);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.waitForSelector("text=Signed out");
      await page.goto(`${app}/deep/page`);
      assert.ok(page.url().startsWith(`${usher.url}/login`));
      await context.close();
    });

    it("gives scripts a plain 401", async () => {
      const answer = await fetch(`${app}/api`, { redirect: "manual", headers: { accept: "application/json" } });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get("location"), null);
    });

    it("lets no identity header through from outside (FWD-01, FWD-02, FWD-10)", async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${usher.url}/login`);
      await page.getByRole("link", { name: "Continue with Discord" }).click();
      await page.getByText("More people").click();
      await page.getByRole("button", { name: "Konrad Zuse" }).click();
      await page.waitForURL(`${usher.url}/`);
      const cookie = (await context.cookies()).map((c) => `${c.name}=${c.value}`).join("; ");
      for (const spell of [(h) => h, (h) => h.replaceAll("-", "_"), (h) => h.toUpperCase(), (h) => h.replace("-", "_")]) {
        const headers = { cookie };
        for (const h of identity) headers[spell(h)] = "admin";
        const answer = await fetch(`${app}/`, { headers });
        assert.equal(answer.status, 200);
        const seen = await answer.json();
        for (const [key, value] of Object.entries(seen.headers))
          if (/^x.usher.(user|name|email|groups|provider)$/i.test(key)) assert.notEqual(value, "admin", key);
        assert.equal((seen.headers["x-usher-email"] ?? "").trim(), "");
      }
      const answer = await fetch(`${app}/`, { redirect: "manual", headers: { "x-usher-user": "admin" } });
      assert.equal(answer.status, 401);
      await context.close();
    });

    it("lets nobody in while usher is away", async () => {
      const [stopping, answered] = [usher, await fetch(`${app}/`, { redirect: "manual" })];
      usher = undefined;
      assert.notEqual(answered.status, 200);
      assert.equal(await stopping.stop(), 0);
      const answer = await fetch(`${app}/`, { redirect: "manual", headers: { accept: "text/html", "x-usher-user": "admin" } });
      assert.ok(answer.status >= 400, `${answer.status}`);
    });
  });
}
