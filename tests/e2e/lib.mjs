// SPDX-License-Identifier: Apache-2.0
// What the end-to-end tests stand on: processes started and stopped by pid, folders that go away,
// and a headless Chromium with a fresh profile.
import { spawn, execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

export const root = path.resolve(process.env.USHER_ROOT ?? "build/root");
export const shots = process.env.USHER_SHOTS; // a folder for screenshots, or nothing

const patience = 60000; // of whoever waits for something that has to come

export function folder(name) {
  return fs.mkdtempSync(path.join(os.tmpdir(), `usher-e2e-${name}-`));
}

// A port for a program that starts later: below those the kernel picks for connections and for port
// 0, or a browser's connection may have it first.
export async function freePort() {
  for (;;) {
    const port = 10000 + Math.floor(Math.random() * 22768);
    const free = await new Promise((resolve) => {
      const s = net.createServer().once("error", () => resolve(false)).listen(port, "127.0.0.1", () => s.close(() => resolve(true)));
    });
    if (free && !given.has(port)) {
      given.add(port);
      return port;
    }
  }
}
const given = new Set();

export async function until(what, condition, ms = patience) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((r) => setTimeout(r, 20));
  }
}

const running = new Set();
process.on("exit", () => running.forEach((p) => p.kill("SIGKILL")));

export function launch(command, args, options = {}) {
  const p = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  p.text = "";
  p.stdout.on("data", (d) => (p.text += d));
  p.stderr.on("data", (d) => (p.text += d));
  p.ended = new Promise((resolve) => p.on("close", (code) => { running.delete(p); p.code = code; resolve(code); }));
  running.add(p);
  p.stop = async (signal = "SIGTERM") => { if (p.exitCode === null) p.kill(signal); return p.ended; };
  return p;
}

export async function listening(port, p) {
  await until(`port ${port}`, () => new Promise((resolve) => {
    if (p && p.exitCode !== null) throw new Error(p.text);
    const s = net.connect(port, "127.0.0.1", () => { s.destroy(); resolve(true); }).on("error", () => resolve(false));
  }));
}

export async function startFake(dir, ...args) {
  const ready = path.join(dir, "fake.ready");
  const p = launch(path.join(root, "bin/usher-fake"), ["--listen", "127.0.0.1:0", "--ready-file", ready, ...args]);
  const url = await until("usher-fake", () => fs.existsSync(ready) && fs.readFileSync(ready, "utf8").trim());
  return { url, stop: () => p.stop(), process: p };
}

const client = "client_id = usher-dev\nclient_secret = usher-dev-secret\n";

// The same people come by both; what follows from that is for the tests that ask for it.
export function fakeProviders(fake, link = "never") {
  return {
    discord: `${client}link = ${link}\nauthorize_url = ${fake.url}/discord/oauth2/authorize\napi_url = ${fake.url}/discord/api/v10\ncdn_url = ${fake.url}/discord/cdn\n`,
    google: `${client}link = ${link}\nissuer = ${fake.url}/google\n`,
  };
}

// settings: text of further lines by section; providers: text by id
export async function startUsher(dir, { port, settings = {}, providers = {} } = {}) {
  port ??= await freePort();
  const url = `http://127.0.0.1:${port}`;
  const text = {
    server: `listen = 127.0.0.1:${port}\npublic_url = ${url}\nsite_name = Harbour Tools\n`,
    store: `url = sqlite:${dir}/usher.db\nkey_file = ${dir}/usher.key\n`,
    providers: `dir = ${dir}/providers.d\nplugin_dir = ${root}/lib/usher/providers\nallow_http_loopback = yes\n`,
    log: "format = json\nlevel = debug\n",
    admin: `socket = ${dir}/run/admin.sock\n`,
  };
  for (const [section, more] of Object.entries(settings)) text[section] = (text[section] ?? "") + more;
  const conf = path.join(dir, "usher.conf");
  const write = (file, body) => fs.writeFileSync(file, body, { mode: 0o600 });
  write(conf, Object.entries(text).map(([k, v]) => `[${k}]\n${v}`).join("\n"));
  fs.mkdirSync(path.join(dir, "providers.d"), { recursive: true });
  for (const [id, body] of Object.entries(providers)) write(path.join(dir, "providers.d", `${id}.conf`), body);
  const ready = path.join(dir, "usher.ready");
  const p = launch(path.join(root, "sbin/usherd"), ["--config", conf, "--ready-file", ready]);
  await until("usherd", () => { if (p.exitCode !== null) throw new Error(p.text); return fs.existsSync(ready); });
  // usherctl on the admin socket of this usherd; its answer.
  const ctl = (...args) => {
    const text = execFileSync(path.join(root, "bin/usherctl"), [...args, "--json", "--socket", path.join(dir, "run/admin.sock")]);
    return text.length ? JSON.parse(text) : null;
  };
  return { url, port, process: p, stop: () => p.stop(), log: () => p.text, ctl };
}

export async function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

// A page in a profile of its own, with what goes wrong on it: scripts that fail, dialogs, and what
// the policy of our own pages stops.
export async function openPage(browser, usher, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.complaints = [];
  page.on("console", (m) => { if (m.type() === "error" && /Content Security/.test(m.text()) && page.url().startsWith(usher.url)) page.complaints.push(m.text()); });
  page.on("pageerror", (e) => page.complaints.push(String(e)));
  page.on("dialog", (d) => { page.complaints.push(`dialog: ${d.message()}`); d.dismiss(); });
  return { context, page };
}

export async function shot(page, name) {
  if (!shots) return;
  fs.mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
}

// A site that shows what reached it.
export async function startSite() {
  const server = http.createServer(async (rq, rs) => {
    let body = "";
    for await (const part of rq) body += part;
    rs.setHeader("Content-Type", "text/plain");
    rs.end(JSON.stringify({ method: rq.method, url: rq.url, headers: rq.headers, raw: rq.rawHeaders, body }));
  });
  const port = await freePort();
  await new Promise((r) => server.listen(port, "127.0.0.1", r));
  return { port, stop: () => new Promise((r) => { server.closeAllConnections(); server.close(r); }) };
}

// The fenced block of a language from a page of the manual.
export function fromManual(page, language) {
  const text = fs.readFileSync(new URL(`../../docs/${page}`, import.meta.url), "utf8");
  return [...text.matchAll(new RegExp("```" + language + "\\n([\\s\\S]*?)```", "g"))].map((m) => m[1]);
}

export function has(program) {
  try { execFileSync("which", [program], { stdio: "ignore" }); return true; } catch { return false; }
}

// nginx in front of a site.
export async function startNginx(dir, usher, site, port) {
  // The manual's first nginx block, with this test's ports and no TLS.
  const server = fromManual("forward-auth.md", "nginx")[0]
    .replace("listen 443 ssl;", `listen 127.0.0.1:${port};`)
    .replace("server_name app.example.com;", "server_name 127.0.0.1;")
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${usher.port}`)
    .replaceAll("127.0.0.1:3000", `127.0.0.1:${site.port}`);
  const conf = path.join(dir, "nginx.conf");
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((n) => `${n}_temp_path ${dir}/nginx-${n};`).join("\n");
  fs.writeFileSync(conf, `daemon off; pid ${dir}/nginx.pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temp}\n${server}\n}\n`);
  const p = launch(has("nginx") ? "nginx" : "/usr/sbin/nginx", ["-p", dir, "-c", conf, "-e", "stderr"]);
  await listening(port, p);
  return p;
}
