// SPDX-License-Identifier: Apache-2.0
// "Calling the next API" of docs/protect-an-api.md: a person who clicks, the app of the manual, its
// command as it stands there, openid-client, and the manual's own programs as the next API.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import * as client from "openid-client";
import { signIn, startProvider } from "./apps.mjs";
import * as e2e from "./lib.mjs";

const page = "protect-an-api.md", orders = "https://orders.example.com", stock = "https://stock.example.com";
const grant = "urn:ietf:params:oauth:grant-type:token-exchange";
const type = "urn:ietf:params:oauth:token-type:access_token";

describe("calling the next API", () => {
  let provider, usher, secrets, browser, context, shop, token, sub;

  const asApp = (app) => client.discovery(new URL(usher.url), app, {}, client.ClientSecretBasic(secrets[app]),
    { execute: [client.allowInsecureRequests] });
  const exchange = async (app, more = {}) => client.genericGrantRequest(await asApp(app), grant,
    { subject_token: token, subject_token_type: type, ...more });

  before(async () => {
    const manual = e2e.fromManual(page, "ini").find((t) => t.includes("token_exchange"));
    let answered;
    const answer = new Promise((resolve) => { answered = resolve; });
    shop = http.createServer((rq, rs) => {
      rs.setHeader("Content-Type", "text/plain");
      rs.end("You may close this page.");
      if (rq.url.startsWith("/callback?")) answered(new URL(rq.url, redirect_uri));
    });
    await new Promise((r) => shop.listen(0, "127.0.0.1", r));
    const redirect_uri = `http://127.0.0.1:${shop.address().port}/callback`;
    provider = await startProvider("exchange", {
      shop: `redirect_uris = ${redirect_uri}\nrequire_pkce = no\nscopes = openid stock:read stock:write\nresources = ${orders}\n`,
      orders: manual,
      stock: `grants = token_exchange\nserves = ${stock}\n`,
    });
    ({ usher, secrets } = provider);
    browser = await e2e.startBrowser();
    context = await browser.newContext();
    const person = await context.newPage(), config = await asApp("shop"), state = client.randomState();
    await person.goto(client.buildAuthorizationUrl(config,
      { redirect_uri, state, scope: "openid stock:read stock:write", resource: orders }).href);
    await signIn(person, usher);
    const tokens = await client.authorizationCodeGrant(config, await answer, { expectedState: state, idTokenExpected: true });
    token = tokens.access_token;
    ({ sub } = tokens.claims());
  });
  after(async () => {
    await browser?.close();
    shop?.closeAllConnections();
    shop?.close();
    await provider?.stop();
  });

  // What the manual's program says as the API called stock.
  function check(how, input, scope) {
    const file = path.join(provider.dir, "stock.py");
    fs.writeFileSync(file, e2e.fromManual(page, "python")[0]);
    const env = { ...process.env, ISSUER: usher.url, AUDIENCE: stock, CLIENT_ID: "stock", CLIENT_SECRET: secrets.stock };
    return execFileSync("/usr/bin/python3", [file, how, scope], { env, input: `${input}\n`, encoding: "utf8" }).trim();
  }

  it("works by the command of the manual", () => {
    const command = e2e.fromManual(page, "sh").find((t) => t.includes("token-exchange"))
      .replace("orders:SECRET", "orders:$SECRET").replace("https://login.example.com", usher.url);
    const said = JSON.parse(execFileSync("sh", ["-c", command],
      { env: { ...process.env, TOKEN: token, SECRET: secrets.orders }, encoding: "utf8" }));
    assert.deepEqual([said.issued_token_type, said.token_type, said.scope], [type, "Bearer", "stock:read"]);
    const claims = JSON.parse(Buffer.from(said.access_token.split(".")[1], "base64url"));
    const told = JSON.parse(e2e.fromManual(page, "json").find((t) => t.includes('"act"')));
    assert.deepEqual({ ...told, sub }, Object.fromEntries(Object.keys(told).map((k) => [k, claims[k]])));
    for (const how of ["key", "ask"]) {
      assert.equal(check(how, said.access_token, "stock:read"), `200 ${sub}`);
      assert.equal(check(how, said.access_token, "stock:write"), "403");
      assert.equal(check(how, token, "stock:read"), "401", "the token orders was called with is not for stock");
    }
  });

  it("works with openid-client", async () => {
    const said = await exchange("orders", { resource: stock });
    assert.deepEqual([said.issued_token_type, said.scope, said.refresh_token], [type, "stock:read", undefined]);
    const seen = await client.tokenIntrospection(await asApp("stock"), said.access_token);
    assert.deepEqual([seen.active, seen.sub, seen.client_id, seen.act], [true, sub, "orders", { sub: "orders" }]);
    const refused = (error) => (e) => e.error === error && e.status === 400;
    await assert.rejects(exchange("orders", { scope: "stock:write" }), refused("invalid_scope"));
    await assert.rejects(exchange("orders", { resource: orders }), refused("invalid_target"));
    await assert.rejects(exchange("stock"), refused("invalid_request"));
    await assert.rejects(exchange("shop"), refused("unauthorized_client"));
  });

  it("ends when the person signs out", async () => {
    const said = await exchange("orders");
    assert.equal(check("ask", said.access_token, "stock:read"), `200 ${sub}`);
    const person = await context.newPage();
    await person.goto(usher.url);
    await person.getByRole("button", { name: "Sign out", exact: true }).click();
    await person.waitForLoadState();
    assert.equal(check("ask", said.access_token, "stock:read"), "401");
    await assert.rejects(exchange("orders"), (e) => e.error === "invalid_request");
  });
});
