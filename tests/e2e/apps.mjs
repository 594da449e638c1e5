// SPDX-License-Identifier: Apache-2.0
// usher with apps as clients, their secrets made by usherctl, and a person who signs in.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import * as e2e from "./lib.mjs";

// apps: text of settings by id, or a function of usher's URL. secrets: of those that have one.
export async function startProvider(name, apps, settings = {}) {
  const dir = e2e.folder(name);
  const fake = await e2e.startFake(dir);
  const port = await e2e.freePort();
  fs.mkdirSync(path.join(dir, "apps.d"));
  for (const [id, text] of Object.entries(apps))
    fs.writeFileSync(path.join(dir, "apps.d", `${id}.conf`), text, { mode: 0o600 });
  const usher = await e2e.startUsher(dir, {
    port,
    providers: e2e.fakeProviders(fake),
    settings: { ...settings, apps: `dir = ${dir}/apps.d\n` },
  });
  const secrets = {};
  for (const [id, text] of Object.entries(apps))
    if (!/client_type = public/.test(text)) secrets[id] = usher.ctl("app", "add-secret", id).secret;
  const stop = async () => {
    await usher.stop();
    await fake.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  };
  return { dir, fake, usher, secrets, stop };
}

// A person who was sent to usher: chooses an upstream and is Ada there.
export async function signIn(page, usher) {
  await page.waitForURL((u) => u.href.startsWith(usher.url));
  await page.getByRole("link", { name: "Continue with Discord" }).click();
  await page.getByRole("button", { name: "Ada Lovelace" }).click();
}

// Third parties are allowed nothing before the person said so.
export async function agree(page, usher) {
  await page.waitForURL((u) => u.href.startsWith(`${usher.url}/oauth2/`));
  await page.getByRole("button", { name: "Agree" }).click();
}

// What the browser's session is worth to an app that asks for no page: "code", or an error.
async function silently(context, usher, client_id, redirect_uri) {
  const query = new URLSearchParams({ client_id, redirect_uri, response_type: "code", scope: "openid", prompt: "none",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256" });
  const answer = await context.request.get(`${usher.url}/oauth2/authorize?${query}`, { maxRedirects: 0 });
  assert.equal(answer.status(), 303, await answer.text());
  const said = new URL(answer.headers().location).searchParams;
  return said.has("code") ? "code" : said.get("error");
}

export async function assertSignedIn(context, usher, app, redirect_uri) {
  assert.equal(await silently(context, usher, app, redirect_uri), "code");
}

export async function assertSignedOut(context, usher, app, redirect_uri) {
  assert.equal(await silently(context, usher, app, redirect_uri), "login_required");
}

// What a program that speaks for a client gets at an endpoint of usher.
export async function post(usher, secrets, app, endpoint, form) {
  return fetch(`${usher.url}/oauth2/${endpoint}`, {
    method: "POST",
    headers: { authorization: `Basic ${Buffer.from(`${app}:${secrets[app]}`).toString("base64")}` },
    body: new URLSearchParams(form),
  });
}

// Ended everywhere: for userinfo, and for renewal.
export async function assertEnded(usher, secrets, app, { access_token, refresh_token }) {
  if (access_token) {
    const info = await fetch(`${usher.url}/oauth2/userinfo`, { headers: { authorization: `Bearer ${access_token}` } });
    assert.equal(info.status, 401);
  }
  if (refresh_token) {
    const again = await post(usher, secrets, app, "token", { grant_type: "refresh_token", refresh_token });
    assert.equal(again.status, 400);
    assert.equal((await again.json()).error, "invalid_grant");
  }
}
