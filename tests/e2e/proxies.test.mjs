// SPDX-License-Identifier: Apache-2.0
// Real proxies in front of a site, with the very configuration of docs/forward-auth.md.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
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

// A program that `./dev deps e2e` unpacked.
const unpacked = (name) => fileURLToPath(new URL(`../../build/e2e/${name}`, import.meta.url));

async function startTraefik(dir, usher, site, port) {
  const conf = path.join(dir, "traefik.yaml");
  fs.writeFileSync(conf, e2e.fromManual("forward-auth.md", "yaml")[0]
    .replace("app.example.com", "127.0.0.1")
    .replace("127.0.0.1:8080", `127.0.0.1:${usher.port}`)
    .replace("127.0.0.1:3000", `127.0.0.1:${site.port}`));
  const p = e2e.launch(unpacked("traefik"), [`--providers.file.filename=${conf}`, `--entrypoints.app.address=127.0.0.1:${port}`,
    "--global.checknewversion=false", "--global.sendanonymoususage=false"]);
  await e2e.listening(port, p);
  await e2e.until("Traefik's routes", async () => (await fetch(`http://127.0.0.1:${port}/`, { redirect: "manual" })).status !== 404);
  return p;
}

async function startEnvoy(dir, usher, site, port) {
  const conf = path.join(dir, "envoy.yaml");
  fs.writeFileSync(conf, e2e.fromManual("forward-auth.md", "yaml")[1]
    .replace("address: 0.0.0.0, port_value: 443", `address: 127.0.0.1, port_value: ${port}`)
    .replace("[app.example.com]", `["127.0.0.1:${port}"]`)
    .replace("127.0.0.1:8080", `127.0.0.1:${usher.port}`)
    .replace("127.0.0.1, port_value: 8080", `127.0.0.1, port_value: ${usher.port}`)
    .replace("127.0.0.1, port_value: 3000", `127.0.0.1, port_value: ${site.port}`));
  const p = e2e.launch(unpacked("envoy"), ["-c", conf, "--concurrency", "1", "--use-dynamic-base-id"]);
  await e2e.listening(port, p);
  return p;
}

// What the site got as Cookie when these header lines were sent, as one line.
function cookiesSeen(url, lines) {
  const headers = ["Host", new URL(url).host, "Accept", "application/json", ...lines.flatMap((line) => ["Cookie", line])];
  return new Promise((resolve, reject) => {
    http.get(url, { headers }, async (answer) => {
      let text = "";
      for await (const part of answer) text += part;
      if (answer.statusCode !== 200) return reject(new Error(`answered ${answer.statusCode}`));
      const { raw } = JSON.parse(text);
      const values = raw.filter((_, i) => i % 2 && raw[i - 1].toLowerCase() === "cookie");
      resolve(values.filter((v) => v !== "").join("; "));
    }).on("error", reject);
  });
}

// What is sent, line by line, with S for the session cookie, and what has to arrive.
const alike = "usher2=1; xusher=2; usher-=3; usher-bind2=4; Usher=5; __Host-usher-lastly=6; __Secure-usher-bind=7; my-usher=8";
const crowd = Array.from({ length: 180 }, (_, i) => `preference_of_a_page_${i}=0123456789ab`).join("; "); // as many as Chromium keeps
const jars = [
  [["S"], ""],
  [["S; a=1; b=2"], "a=1; b=2"],
  [["a=1; S; b=2"], "a=1; b=2"],
  [["a=1; b=2; S"], "a=1; b=2"],
  [["a=1;S;b=2"], "a=1;b=2"],
  [["a=1 ;\t S ;  b=2"], "a=1 ;  b=2"],
  [["S;;a=1;"], ";a=1;"],
  [[`a="x y"; S; b=%2C,=;c; d==\\`], `a="x y"; b=%2C,=;c; d==\\`],
  [[`${alike}; S`], alike],
  [[`S; ${alike}`], alike],
  [["a=usher=1; S; b=x usher=2"], "a=usher=1; b=x usher=2"],
  [["usher-bind=b; S; a=1; usher-last=l; usher-operator=o"], "a=1"],
  [["usher-bind=b; a=1; S; b=2; usher-last=l; c=3; usher-operator=o; d=4"], "a=1; b=2; c=3; d=4"],
  [["__Secure-usher=s; S; a=1; __Host-usher=h; __Host-usher-bind=b; __Host-usher-last=l; b=2; __Host-usher-operator=o"], "a=1; b=2"],
  [[`S; ${"usher-bind=b; ".repeat(500)}a=1`], "a=1"],
  [[`${crowd}; S`], crowd],
];

const rules = (port) => `label = Site
hosts = 127.0.0.1:${port}
require = signed_in

[/notes/*]
require = anyone
methods = GET

[/closed/*]
require = role:editor
`;

// What clients say of their own request. Only what the proxy says may count.
function claims(port, method, uri) {
  const said = { method, uri, url: `http://127.0.0.1:${port}${uri}` };
  const all = { "x-forwarded-method": said.method, "x-forwarded-uri": said.uri, "x-original-method": said.method,
    "x-original-url": said.url, "x-original-uri": said.uri, "x-http-method-override": said.method };
  const one = Object.entries(all).map(([name, value]) => ({ [name]: value }));
  const other = Object.fromEntries(Object.entries(all).map(([name, value]) => [name.replaceAll("-", "_"), value]));
  const dropped = { ...all, connection: `close, ${Object.keys(all).join(", ")}, x-forwarded-proto, x-forwarded-host` };
  return [{}, ...one, all, other, dropped, { ...all, "x-forwarded-proto": "http", "x-forwarded-host": `127.0.0.1:${port}` }];
}

const proxies = [["nginx", e2e.startNginx], ["caddy", startCaddy], ["haproxy", startHaproxy], ["apache", startApache],
  ["traefik", startTraefik], ["envoy", startEnvoy]];

for (const [name, start] of proxies) {
  describe(`${name} in front of a site`, () => {
    let dir, fake, usher, site, proxy, browser, app;
    before(async () => {
      dir = e2e.folder(name);
      fake = await e2e.startFake(dir);
      site = await e2e.startSite();
      const port = await e2e.freePort();
      app = `http://127.0.0.1:${port}`;
      fs.mkdirSync(path.join(dir, "apps.d"));
      fs.writeFileSync(path.join(dir, "apps.d", "site.conf"), rules(port), { mode: 0o600 });
      usher = await e2e.startUsher(dir, {
        providers: e2e.fakeProviders(fake),
        settings: { login: `return_hosts = 127.0.0.1:${port}\n`, apps: `dir = ${dir}/apps.d\n` },
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

    // Somebody who has signed in.
    const visit = async (person) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${usher.url}/login`);
      await page.getByRole("link", { name: "Continue with Discord" }).click();
      const button = page.getByRole("button", { name: person });
      if (!(await button.isVisible())) await page.getByText("More people").click();
      await button.click();
      await page.waitForURL(`${usher.url}/`);
      return { context, page };
    };

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

    it("goes by the request that was made, whatever the client says of it (FWD-10, FWD-26)", async () => {
      const port = new URL(app).port;
      const ask = (method, uri, headers) => new Promise((resolve, reject) => {
        http.request(app + uri, { method, headers: { ...headers, "content-length": "0" } }, (answer) => {
          answer.resume().on("end", () => resolve(answer.statusCode));
        }).on("error", reject).end();
      });
      for (const headers of claims(port, "GET", "/notes/1")) {
        const told = JSON.stringify(headers);
        const nominates = name === "envoy" && headers.connection; // it takes no such request
        assert.equal(await ask("GET", "/notes/1", headers), nominates ? 400 : 200, told);
        for (const method of ["POST", "PUT", "DELETE", "PATCH"])
          assert.ok([302, 303, 400, 401, 403].includes(await ask(method, "/notes/1", headers)), `${method} ${told}`);
        assert.ok([302, 303, 400, 401, 403].includes(await ask("GET", "/private", headers)), told);
      }
    });

    it("lets no identity header through from outside (FWD-01, FWD-02, FWD-10)", async () => {
      const { context } = await visit("Konrad Zuse");
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

    it("keeps usher's cookies from the app and leaves the others (PRIV-09)", async () => {
      const { context } = await visit("Ada Lovelace");
      const session = (await context.cookies()).find((c) => c.name === "usher");
      await context.close();
      const fill = (line) => line.replace(/\bS\b/, `usher=${session.value}`);
      const wrong = [];
      for (const [lines, expected] of jars) {
        const seen = await cookiesSeen(`${app}/`, lines.map(fill)).catch((e) => e.message);
        if (seen.replace(/^[ \t]+/, "") !== expected) wrong.push({ lines, seen, expected });
      }
      assert.deepEqual(wrong, []);
      // two headers: an app may get them as two or as one, but never what is usher's
      for (const lines of [["a=1", "usher-bind=b"], ["usher-bind=b", "a=1"], ["usher-bind=b; c=3", "a=1; usher-last=l"]]) {
        const seen = await cookiesSeen(`${app}/`, [fill(`S; ${lines[0]}`), lines[1]]);
        assert.ok(!/usher/.test(seen), seen);
        assert.ok(/(^|; |, ?)a=1($|[;,])/.test(seen), seen);
      }
      // more of them apart than any browser sends: perhaps nothing arrives, but nothing of usher's
      const many = await cookiesSeen(`${app}/`, [fill(`S; ${"a=1; usher-bind=b; ".repeat(40)}`)]);
      assert.ok(!/usher/.test(many), many);
    });

    it("lets what people send through, and throws out who was disabled at the next request", async () => {
      const { context, page } = await visit("Grace Hopper");
      const post = () => context.request.post(`${app}/new?x=1`, { form: { text: "a&b=ü" }, maxRedirects: 0 });
      const answer = await post();
      assert.equal(answer.status(), 200);
      const seen = await answer.json();
      assert.deepEqual([seen.method, seen.url, seen.body], ["POST", "/new?x=1", "text=a%26b%3D%C3%BC"]);
      assert.equal(decodeURIComponent(seen.headers["x-usher-name"]), "Grace Hopper");
      usher.ctl("user", "disable", seen.headers["x-usher-user"], "--reason", "a test");
      assert.equal((await post()).status(), 401);
      await page.goto(`${app}/mine`);
      assert.ok(page.url().startsWith(`${usher.url}/login`), page.url());
      await context.close();
    });

    it("shows people a page when an app is not for them", async () => {
      const { context, page } = await visit("Ada Lovelace");
      await page.goto(`${app}/closed/page`);
      assert.ok(page.url().startsWith(`${usher.url}/denied?app=site`), page.url());
      assert.match(await page.textContent("main"), /Site/);
      const script = await context.request.get(`${app}/closed/page`, { headers: { accept: "application/json" }, maxRedirects: 0 });
      assert.deepEqual([script.status(), script.headers().location], [403, undefined]);
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
