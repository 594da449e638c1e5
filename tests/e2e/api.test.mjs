// SPDX-License-Identifier: Apache-2.0
// The programs of docs/protect-an-api.md, each as it stands there, on tokens of every kind.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { post, startProvider } from "./apps.mjs";
import * as e2e from "./lib.mjs";

const page = "protect-an-api.md", api = "https://api.example.com";
const here = fileURLToPath(new URL(".", import.meta.url));

// How to make a program of the text, and how it is run. The Node one finds its library from here.
const languages = {
  python: (file) => ["/usr/bin/python3", [file(".py")]],
  javascript: (file) => ["node", [file(".mjs", here)]],
  go: (file) => {
    execFileSync("go", ["build", "-o", file(""), file(".go")], { env: { GOCACHE: `${file("")}.cache`, GOPATH: `${file("")}.path`, GOFLAGS: "-mod=mod", ...process.env } });
    return [file(""), []];
  },
  c: (file) => {
    execFileSync("cc", ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-g",
      "-o", file(""), file(".c"), "-lcurl", "-ljansson", "-lcrypto"]);
    return [file(""), []];
  },
};

describe("examples of an API", () => {
  let provider, usher, secrets;
  const tokens = {}, made = [];

  async function token(app, scope, more = {}) {
    const answer = await post(usher, secrets, app, "token", { grant_type: "client_credentials", scope, ...more });
    assert.equal(answer.status, 200);
    return (await answer.json()).access_token;
  }

  before(async () => {
    const [, reporter, serving] = e2e.fromManual(page, "ini");
    const wide = reporter.replace("reports:read", "reports:read reports:readers other").replace(api, `${api} https://other.example.com`);
    provider = await startProvider("api", {
      reporter, api: serving, wide, opaque: `${wide}token_format = opaque\n`, brief: `${wide}access_lifetime = 10s\n`,
      home: "grants = client_credentials\nscopes = reports:read\n",
    });
    ({ usher, secrets } = provider);
    tokens.old = await token("brief", "reports:read");
    const expired = Date.now() + 11000;
    tokens.good = await token("reporter", "reports:read");
    tokens.opaque = await token("opaque", "reports:read");
    tokens.scopes = await token("wide", "reports:readers other");
    tokens.elsewhere = await token("wide", "reports:read", { resource: "https://other.example.com" });
    tokens.home = await token("home", "reports:read");
    tokens.ended = await token("opaque", "reports:read");
    await post(usher, secrets, "opaque", "revoke", { token: tokens.ended });
    const [head, body, signature] = tokens.good.split(".");
    const other = (text, change) => Buffer.from(JSON.stringify(change(JSON.parse(Buffer.from(text, "base64url"))))).toString("base64url");
    tokens.unsigned = `${other(head, (h) => ({ ...h, alg: "none" }))}.${body}.`;
    tokens.type = `${other(head, (h) => ({ ...h, typ: "JWT" }))}.${body}.${signature}`;
    tokens.altered = `${head}.${other(body, (c) => ({ ...c, sub: "admin" }))}.${signature}`;
    tokens.cut = `${head}.${body}`;
    await new Promise((r) => setTimeout(r, Math.max(0, expired - Date.now())));
  });
  after(async () => {
    made.forEach((f) => fs.rmSync(f, { force: true }));
    await provider?.stop();
  });

  for (const [language, make] of Object.entries(languages)) {
    it(`answers as it should: ${language}`, () => {
      const texts = e2e.fromManual(page, language);
      assert.equal(texts.length, 1);
      const file = (ending, dir = provider.dir) => {
        const name = path.join(dir, `example-${process.pid}${ending}`);
        if (ending) { fs.writeFileSync(name, texts[0]); made.push(name); }
        return name;
      };
      const [command, args] = make(file);
      const env = { ...process.env, ISSUER: usher.url, AUDIENCE: api, CLIENT_ID: "api", CLIENT_SECRET: secrets.api };
      const check = (how, input, scope = "reports:read") =>
        execFileSync(command, [...args, how, scope], { env, input: `${input}\n`, encoding: "utf8" }).trim();
      for (const how of ["key", "ask"]) {
        assert.equal(check(how, tokens.good), "200 reporter", how);
        assert.equal(check(how, tokens.scopes), "403", how);
        assert.equal(check(how, tokens.good, "reports"), "403", how);
        for (const bad of ["elsewhere", "home", "old", "unsigned", "type", "altered", "cut", "ended"])
          assert.equal(check(how, tokens[bad]), "401", `${how} ${bad}`);
      }
      assert.equal(check("ask", tokens.opaque), "200 opaque");
      assert.equal(check("key", tokens.opaque), "401");
    });
  }
});
