// SPDX-License-Identifier: Apache-2.0
// A certified OpenID provider from npm as the upstream, through the oidc plugin.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import Provider from "oidc-provider";
import * as e2e from "./lib.mjs";

async function startProvider(port, callback, client = {}) {
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: "usher", client_secret: "a-secret-of-some-length", redirect_uris: [callback], ...client }],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, name: `Person ${id}`, email: `${id}@example.org`, email_verified: true }),
    }),
    features: { devInteractions: { enabled: true } },
    pkce: { required: () => true, methods: ["S256"] },
    cookies: { keys: ["for-tests-only"] },
  });
  const server = http.createServer(provider.callback());
  await new Promise((r) => server.listen(port, "127.0.0.1", r));
  return { issuer, stop: () => new Promise((r) => { server.closeAllConnections(); server.close(r); }) };
}

for (const method of ["client_secret_basic", "client_secret_post"]) {
  describe(`oidc-provider as upstream, ${method}`, () => {
    let dir, upstream, usher, browser;
    before(async () => {
      dir = e2e.folder("oidc");
      const [upstreamPort, port] = [await e2e.freePort(), await e2e.freePort()];
      upstream = await startProvider(upstreamPort, `http://127.0.0.1:${port}/callback/corp`, { token_endpoint_auth_method: method });
      const auth = method === "client_secret_post" ? "client_auth = post\n" : "";
      usher = await e2e.startUsher(dir, {
        port,
        providers: {
          corp: `plugin = oidc\nlabel = Corp\nissuer = ${upstream.issuer}\nclient_id = usher\nclient_secret = a-secret-of-some-length\n${auth}`,
        },
      });
      browser = await e2e.startBrowser();
    });
    after(async () => {
      await browser?.close();
      assert.equal(await usher?.stop(), 0);
      await upstream?.stop();
    });

    it("signs in through discovery, PKCE, ID token and userinfo", async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${usher.url}/login?return_to=%2F%3Fok`);
      await page.getByRole("link", { name: "Continue with Corp" }).click();
      await page.fill("input[name=login]", "grace");
      await page.fill("input[name=password]", "anything");
      await page.click("button[type=submit]");
      await page.click("button[type=submit]"); // consent
      await page.waitForURL(`${usher.url}/?ok`);
      assert.equal(await page.textContent("h1"), "Person grace");
      const me = await (await context.request.get(`${usher.url}/api/v1/me`)).json();
      assert.equal(me.email, "grace@example.org");
      assert.equal(me.email_evidence, "provider_asserted");
      await context.close();
    });

    it("takes no for an answer", async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${usher.url}/login/corp`);
      await page.click("text=Cancel");
      await page.waitForURL((u) => u.href.startsWith(usher.url));
      assert.equal(await page.textContent("h1"), "Sign-in cancelled");
      await context.close();
    });
  });
}
