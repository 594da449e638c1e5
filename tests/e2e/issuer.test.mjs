// SPDX-License-Identifier: Apache-2.0
// People sign in to apps through usher, by client libraries nobody here wrote: openid-client,
// passport-openidconnect and Authlib. Each goes the whole way: an upstream, a person who clicks,
// the ID token, userinfo, renewal, the end of the tokens, and signing out.
import assert from "node:assert/strict";
import http from "node:http";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import express from "express";
import session from "express-session";
import * as client from "openid-client";
import passport from "passport";
import OpenIDConnectStrategy from "passport-openidconnect";
import { agree, assertEnded, assertSignedIn, assertSignedOut, post, signIn, startProvider } from "./apps.mjs";
import * as e2e from "./lib.mjs";

const scopes = "openid profile email offline_access";
const ports = {};
let provider, usher, secrets, browser;

before(async () => {
  for (const app of ["shop", "native", "forum", "notes"]) ports[app] = await e2e.freePort();
  const at = (app, path) => `http://127.0.0.1:${ports[app]}${path}`;
  const common = (app) => `label = ${app}\nredirect_uris = ${at(app, "/callback")}\nscopes = ${scopes}\n`
    + `post_logout_redirect_uris = ${at(app, "/left")}\n`;
  provider = await startProvider("issuer", {
    shop: `${common("shop")}consent = yes\n`,
    // Programs on people's machines: no secret, and whatever port is free (RFC 8252 7.3).
    native: common("native").replace(`:${ports.native}`, "") + "client_type = public\ntoken_format = opaque\n",
    forum: `${common("forum")}require_pkce = no\n`,
    notes: `${common("notes")}id_token_alg = ES256\n`,
  });
  ({ usher, secrets } = provider);
  browser = await e2e.startBrowser();
});

after(async () => {
  await browser?.close();
  await provider?.stop();
});

// A page of its own for one person; what it did goes with it.
async function inBrowser(act) {
  const context = await browser.newContext();
  try { return await act(await context.newPage(), context); } finally { await context.close(); }
}

// Where a program waits for one answer.
async function waitForAnswer(port, path = "/callback") {
  let server;
  const arrived = new Promise((resolve) => {
    server = http.createServer((rq, rs) => {
      rs.setHeader("Content-Type", "text/plain");
      rs.end("You may close this page.");
      if (rq.url.startsWith(path)) resolve(new URL(rq.url, `http://127.0.0.1:${port}`));
    });
  });
  await new Promise((r) => server.listen(port, "127.0.0.1", r));
  return { arrived, stop: () => new Promise((r) => { server.closeAllConnections(); server.close(r); }) };
}

describe("openid-client", () => {
  const execute = [client.allowInsecureRequests];

  async function whole(page, config, redirect_uri, { consent, pushed } = {}) {
    const verifier = client.randomPKCECodeVerifier();
    const expected = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
    const parameters = {
      redirect_uri, scope: scopes, state: expected.expectedState, nonce: expected.expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    };
    const at = await waitForAnswer(new URL(redirect_uri).port);
    try {
      const url = pushed
        ? await client.buildAuthorizationUrlWithPAR(config, parameters)
        : client.buildAuthorizationUrl(config, parameters);
      await page.goto(url.href);
      await signIn(page, usher);
      if (consent) await agree(page, usher);
      // Checks state and iss, redeems the code, checks the ID token with its signature and nonce.
      return await client.authorizationCodeGrant(config, await at.arrived, { ...expected, idTokenExpected: true });
    } finally {
      await at.stop();
    }
  }

  async function useAndEnd(config, tokens, app) {
    const { sub, name } = tokens.claims();
    const info = await client.fetchUserInfo(config, tokens.access_token, sub);
    assert.equal(info.sub, sub);
    assert.equal(info.name, "Ada Lovelace");
    assert.ok(name === undefined || name === info.name);
    const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(fresh.access_token, tokens.access_token);
    assert.notEqual(fresh.refresh_token, tokens.refresh_token);
    assert.equal((await client.fetchUserInfo(config, fresh.access_token, sub)).sub, sub);
    await client.tokenRevocation(config, fresh.access_token);
    await assert.rejects(client.fetchUserInfo(config, fresh.access_token, sub), (e) => e.status === 401);
    if (app) await assertEnded(usher, secrets, app, { access_token: fresh.access_token });
    return fresh;
  }

  // The library makes the address; the person's browser goes there and comes back with the state.
  async function leave(page, config, tokens, redirect_uri) {
    const app = config.clientMetadata().client_id, state = client.randomState();
    const uri = `http://127.0.0.1:${ports[app]}/left`, at = await waitForAnswer(ports[app], "/left");
    try {
      await assertSignedIn(page.context(), usher, app, redirect_uri);
      const url = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: uri, state });
      assert.ok(url.href.startsWith(`${usher.url}/oauth2/logout?`), url.href);
      await page.goto(url.href);
      assert.equal(page.url(), `${uri}?state=${state}`);
      assert.equal((await at.arrived).href, page.url());
      await assertSignedOut(page.context(), usher, app, redirect_uri);
    } finally {
      await at.stop();
    }
  }

  for (const pushed of [false, true]) {
    it(`signs a person in to a third party's app${pushed ? ", the request pushed" : ""}`, async () => {
      const config = await client.discovery(new URL(usher.url), "shop", {}, client.ClientSecretBasic(secrets.shop), { execute });
      await inBrowser(async (page) => {
        // What was agreed to once is not asked again.
        const tokens = await whole(page, config, `http://127.0.0.1:${ports.shop}/callback`, { consent: !pushed, pushed });
        assert.equal(tokens.scope.split(" ").sort().join(" "), scopes.split(" ").sort().join(" "));
        const said = await client.tokenIntrospection(config, tokens.access_token);
        assert.deepEqual([said.active, said.client_id, said.sub], [true, "shop", tokens.claims().sub]);
        const fresh = await useAndEnd(config, tokens, "shop");
        await leave(page, config, tokens, `http://127.0.0.1:${ports.shop}/callback`);
        // What was asked for while away stays: offline_access.
        const again = await client.refreshTokenGrant(config, fresh.refresh_token);
        assert.equal((await client.fetchUserInfo(config, again.access_token, tokens.claims().sub)).name, "Ada Lovelace");
        await client.tokenRevocation(config, again.refresh_token);
        await assertEnded(usher, secrets, "shop", again);
      });
    });
  }

  it("signs a person in to a program on their machine, which has no secret", async () => {
    const config = await client.discovery(new URL(usher.url), "native", {}, client.None(), { execute });
    await inBrowser(async (page) => {
      const uri = `http://127.0.0.1:${await e2e.freePort()}/callback`, tokens = await whole(page, config, uri);
      assert.match(tokens.access_token, /^uat_/);
      await useAndEnd(config, tokens);
      await leave(page, config, tokens, uri);
    });
  });

  it("tells an app that a person said no", async () => {
    const config = await client.discovery(new URL(usher.url), "shop", {}, client.ClientSecretPost(secrets.shop), { execute });
    const state = client.randomState(), verifier = client.randomPKCECodeVerifier();
    const at = await waitForAnswer(ports.shop);
    try {
      await inBrowser(async (page) => {
        await page.goto(client.buildAuthorizationUrl(config, {
          redirect_uri: `http://127.0.0.1:${ports.shop}/callback`, scope: "openid email", state, prompt: "consent",
          code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
        }).href);
        await signIn(page, usher);
        await page.getByRole("button", { name: "No", exact: true }).click();
        await assert.rejects(
          client.authorizationCodeGrant(config, await at.arrived, { expectedState: state, pkceCodeVerifier: verifier }),
          (e) => e.error === "access_denied");
      });
    } finally {
      await at.stop();
    }
  });

  it("refuses a request without PKCE where the app must send it", async () => {
    const config = await client.discovery(new URL(usher.url), "shop", {}, client.ClientSecretBasic(secrets.shop), { execute });
    const at = await waitForAnswer(ports.shop);
    try {
      await inBrowser(async (page) => {
        await page.goto(client.buildAuthorizationUrl(config, { redirect_uri: `http://127.0.0.1:${ports.shop}/callback`, scope: "openid" }).href);
        await assert.rejects(client.authorizationCodeGrant(config, await at.arrived, {}), (e) => e.error === "invalid_request");
      });
    } finally {
      await at.stop();
    }
  });
});

describe("passport-openidconnect", () => {
  let server, seen;

  before(async () => {
    const site = express();
    const own = new passport.Passport();
    own.use(new OpenIDConnectStrategy({
      issuer: usher.url, authorizationURL: `${usher.url}/oauth2/authorize`, tokenURL: `${usher.url}/oauth2/token`,
      userInfoURL: `${usher.url}/oauth2/userinfo`, clientID: "forum", clientSecret: secrets.forum,
      callbackURL: `http://127.0.0.1:${ports.forum}/callback`, scope: ["profile", "email", "offline_access"],
      skipUserProfile: false,
    }, (issuer, profile, context, idToken, accessToken, refreshToken, done) => {
      seen = { issuer, profile, id_token: idToken, access_token: accessToken, refresh_token: refreshToken };
      done(null, { id: profile.id, name: profile.displayName });
    }));
    own.serializeUser((user, done) => done(null, user));
    own.deserializeUser((user, done) => done(null, user));
    site.use(session({ secret: "of this test only", resave: false, saveUninitialized: false }));
    site.use(own.session());
    site.get("/callback", own.authenticate("openidconnect", { successRedirect: "/", failWithError: true }));
    // It ends its own session; usher's is for the app to end, as the specification says.
    site.get("/logout", (rq, rs, next) => rq.logout((e) => (e ? next(e) : rs.redirect(`${usher.url}/oauth2/logout?${new URLSearchParams({
      id_token_hint: seen.id_token, post_logout_redirect_uri: `http://127.0.0.1:${ports.forum}/left` })}`))));
    site.get("/left", (rq, rs) => rs.type("text").send(rq.user ? "Still here" : "Good bye"));
    site.get("/", (rq, rs, next) => (rq.user ? rs.type("text").send(`Hello ${rq.user.name}`) : next()),
      own.authenticate("openidconnect"));
    server = await new Promise((resolve) => { const s = site.listen(ports.forum, "127.0.0.1", () => resolve(s)); });
  });
  after(() => new Promise((r) => { server.closeAllConnections(); server.close(r); }));

  it("signs a person in, renews, ends and signs out", async () => {
    await inBrowser(async (page) => {
      await page.goto(`http://127.0.0.1:${ports.forum}/`);
      await signIn(page, usher);
      await page.waitForURL(`http://127.0.0.1:${ports.forum}/`);
      assert.equal(await page.textContent("body"), "Hello Ada Lovelace");
      assert.equal(seen.issuer, usher.url);
      assert.equal(seen.profile.displayName, "Ada Lovelace"); // from userinfo
      // Renewal and revocation are not in its repertoire; its tokens are as good as any.
      const answer = await post(usher, secrets, "forum", "token", { grant_type: "refresh_token", refresh_token: seen.refresh_token });
      const fresh = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(fresh));
      assert.equal((await post(usher, secrets, "forum", "revoke", { token: fresh.refresh_token })).status, 200);
      await assertEnded(usher, secrets, "forum", fresh);

      const callback = `http://127.0.0.1:${ports.forum}/callback`;
      await assertSignedIn(page.context(), usher, "forum", callback);
      await page.goto(`http://127.0.0.1:${ports.forum}/logout`);
      assert.equal(page.url(), `http://127.0.0.1:${ports.forum}/left`);
      assert.equal(await page.textContent("body"), "Good bye");
      await assertSignedOut(page.context(), usher, "forum", callback);
      await page.goto(`http://127.0.0.1:${ports.forum}/`);
      assert.ok(page.url().startsWith(`${usher.url}/login`), page.url()); // asked again
    });
  });
});

describe("Authlib", () => {
  it("signs a person in, renews, ends and signs out", async () => {
    const program = e2e.launch("/usr/bin/python3", [fileURLToPath(new URL("authlib_app.py", import.meta.url)),
      usher.url, "notes", `${ports.notes}`], { env: { ...process.env, CLIENT_SECRET: secrets.notes } });
    await e2e.listening(ports.notes, program);
    await inBrowser(async (page) => {
      await page.goto(`http://127.0.0.1:${ports.notes}/`);
      await signIn(page, usher);
      await page.waitForURL((u) => u.pathname === "/callback");
      const said = JSON.parse(await page.textContent("body"));
      assert.equal(said.error, undefined, program.text);
      assert.equal(said.alg, "ES256");
      assert.equal(said.claims.iss, usher.url);
      assert.equal(said.userinfo.sub, said.claims.sub);
      assert.equal(said.userinfo.name, "Ada Lovelace");
      assert.equal(said.renewed.sub, said.claims.sub);
      assert.deepEqual(said.ended, { revoked: 200, userinfo: 401 });

      const callback = `http://127.0.0.1:${ports.notes}/callback`;
      await assertSignedIn(page.context(), usher, "notes", callback);
      await page.goto(`http://127.0.0.1:${ports.notes}/logout`);
      assert.equal(new URL(page.url()).pathname, "/left");
      assert.deepEqual(JSON.parse(await page.textContent("body")), { left: true });
      await assertSignedOut(page.context(), usher, "notes", callback);
    });
    assert.equal(await program.stop("SIGINT"), 0, program.text);
  });
});
