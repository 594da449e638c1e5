// SPDX-License-Identifier: Apache-2.0
// Prometheus scrapes usher's /metrics with an access token that it gets from usher itself, by the
// configuration of docs/protect-an-api.md.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { startProvider } from "./apps.mjs";
import * as e2e from "./lib.mjs";

describe("Prometheus", () => {
  let provider, usher;

  before(async () => {
    provider = await startProvider("prometheus", {
      prometheus: e2e.fromManual("protect-an-api.md", "ini")[0],
      stranger: "grants = client_credentials\nscopes = other\n",
    });
    ({ usher } = provider);
  });
  after(() => provider?.stop());

  async function scrape(app) {
    const { dir, secrets } = provider;
    const port = await e2e.freePort();
    const secret = path.join(dir, `${app}.secret`), conf = path.join(dir, `${app}.yml`);
    fs.writeFileSync(secret, secrets[app], { mode: 0o600 });
    fs.writeFileSync(conf, e2e.fromManual("protect-an-api.md", "yaml")[0]
      .replaceAll("https://login.example.com", usher.url)
      .replace("scheme: https", "scheme: http")
      .replace("login.example.com:443", `127.0.0.1:${usher.port}`)
      .replace("/etc/prometheus/usher.secret", secret)
      .replace("client_id: prometheus", `client_id: ${app}`)
      .replace("scopes: [metrics]", app === "prometheus" ? "scopes: [metrics]" : "scopes: [other]")
      .replace("scrape_interval: 30s", "scrape_interval: 10s"));
    const p = e2e.launch("prometheus", [`--config.file=${conf}`, `--storage.tsdb.path=${dir}/${app}.tsdb`,
      `--web.listen-address=127.0.0.1:${port}`]);
    try {
      await e2e.listening(port, p);
      const ask = async (what) => (await fetch(`http://127.0.0.1:${port}/api/v1/${what}`)).json();
      await e2e.until("Prometheus", async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).status === 200);
      const target = await e2e.until("a scrape", async () => {
        const { data } = await ask("targets");
        return data?.activeTargets.find((t) => t.health !== "unknown");
      });
      return { target, ups: (await ask("query?query=usher_sessions")).data.result, text: p.text };
    } finally {
      await p.stop();
    }
  }

  it("scrapes usher by client credentials", async () => {
    const { target, text } = await scrape("prometheus");
    assert.equal(target.health, "up", `${target.lastError}\n${text}`);
    assert.equal(target.lastError, "");
  });

  it("is refused where its app has not the scope", async () => {
    const { target, ups } = await scrape("stranger");
    assert.equal(target.health, "down");
    assert.match(target.lastError, /403/);
    assert.deepEqual(ups, []);
  });
});
