# SPDX-License-Identifier: Apache-2.0
"""Providers tried out through the API: tests without a person, rehearsals in a browser. What they find
out is told in words; they create nothing, and no secret comes out."""
import json

from faults import DISCORD_TOKEN, with_query
from harness import CLIENT, Api, Browser, Case, fake_providers, wait_for

SECRET = CLIENT["client_secret"]
TABLES = ("account", "identity", "session", "spent", "provider")


class Trials(Case):
    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)
        self.admin = Browser(self.usher)
        self.admin.sign_in("discord")
        self.api.ask("PUT", "/api/v1/roles/admin/" + self.admin.me()["id"])
        self.fake.reset()
        # What was already there when the test began: tests and rehearsals add nothing.
        wait_for("quiet", lambda: self.counted() == self.counted())
        self.before = self.counted()
        self.log_from = len(self.usher.log())
        self.said = []

    def tearDown(self):
        for text in [*self.said, self.usher.log()[self.log_from:]]:
            self.assertNotIn(SECRET, text)
        # Nor what the look-alike was given or gave.
        for asked in json.loads(self.fake.call("GET", "/fake/requests"))["last"]:
            bearer = asked["headers"].get("authorization", "")
            for text in [*self.said, self.usher.log()[self.log_from:]]:
                if bearer:
                    self.assertNotIn(bearer.split(" ", 1)[1], text)

    def counted(self):
        return {table: self.usher.rows("SELECT count(*) FROM " + table)[0][0] for table in TABLES}

    def draft(self, plugin="oidc", **more):
        return {"id": "draft", "settings": {"plugin": plugin, **fake_providers(self.fake)[plugin], **more}}

    def heard(self, answer, status):
        self.said.append(answer.text)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json()

    def findings(self, answer):
        report = self.heard(answer, 200)
        return report["ok"], {f["check"]: f["result"] for f in report["findings"]}, report

    def by_browser(self, browser, method, path, body=None):
        return browser.request(method, path, body=json.dumps(body or {}),
                               headers={"Content-Type": "application/json", "Origin": self.usher.url,
                                        "Sec-Fetch-Site": "same-origin"})

    def rehearse(self, path="/api/v1/providers/discord/rehearsals", body=None, browser=None):
        begun = self.heard(self.by_browser(browser or self.admin, "POST", path, body), 201)
        self.assertTrue(begun["url"].startswith(self.fake.url), begun)
        return begun

    def report(self, id, browser=None, status=200):
        return self.heard((browser or self.admin).get("/api/v1/rehearsals/" + id), status)

    def go(self, begun, browser=None):
        """The browser's way to the upstream, up to its callback, which is not opened yet."""
        browser = browser or self.admin
        answer = browser.get(begun["url"] + "&fake_person=ada")
        return browser.follow(answer, until=self.usher.url + "/callback/")


class Tests(Trials):
    def test_saved_providers_and_drafts(self):
        for id in ("discord", "google", "oidc"):
            ok, found, report = self.findings(self.api.request("POST", "/api/v1/providers/%s/test" % id, {}))
            self.assertTrue(ok, report)
            self.assertEqual(found["token"], "ok")
        ok, found, _ = self.findings(self.api.request("POST", "/api/v1/provider-tests", self.draft()))
        self.assertTrue(ok)
        ok, found, report = self.findings(
            self.api.request("POST", "/api/v1/provider-tests", self.draft(client_secret="not-the-right-one")))
        self.assertFalse(ok)
        self.assertEqual(found["token"], "fail")
        self.assertNotIn("not-the-right-one", json.dumps(report))
        self.assertEqual(self.counted(), self.before)

    def test_adm_21_nothing_of_the_upstream_is_said(self):
        # ADM-21: neither what it answered nor how, whatever that is.
        self.fake.fault("/oidc/token", "http", status=418, value='{"error":"canary-of-theirs"}')
        self.fake.fault("/oidc/jwks", "html")
        ok, found, report = self.findings(self.api.request("POST", "/api/v1/providers/oidc/test", {}))
        self.assertFalse(ok)
        text = json.dumps(report)
        for part in ("canary-of-theirs", "418", "Wi-Fi", '"ms"', '"status"'):
            self.assertNotIn(part, text)


class Limits(Trials):  # a daemon of its own: nobody can test there for a minute
    def test_adm_21_so_many_a_minute(self):
        # ADM-21
        statuses = {self.api.request("POST", "/api/v1/providers/discord/test", {}).status for _ in range(25)}
        self.assertEqual(statuses, {200, 429})


class Rehearsals(Trials):
    apps = {"wiki": "hosts = wiki.example.com\nrequire = email_domain:example.org\n",
            "shop": "label = The shop\nhosts = shop.example.com\nrequire = provider:discord\n"}

    def test_shows_all_and_creates_nothing(self):
        begun = self.rehearse()
        self.assertEqual(self.report(begun["id"])["state"], "waiting")
        back = self.admin.get(self.go(begun))
        self.assertEqual((back.status, back.headers.get("Refresh")), (200, "0; url=/admin/rehearsals/" + begun["id"]), back.summary())
        self.assertIsNone(back.headers.get("Set-Cookie"))
        report = self.report(begun["id"])
        self.assertEqual(report["state"], "done")
        self.assertEqual(report["identity"]["name"], "Ada Lovelace", report["identity"])
        self.assertEqual(report["email_evidence"]["value"], "provider_asserted")
        self.assertEqual([(r["app"], r["label"], r["verdict"]) for r in report["rules"]],
                         [("shop", "The shop", "allow"), ("wiki", "wiki", "deny")])
        self.assertEqual(report["rules"][1]["terms"], [{"term": "email_domain:example.org", "result": "unknown",
                                                        "why": "too little proof that the address is theirs"}])
        self.assertEqual(report["linking"]["decision"], "existing")
        self.assertIn("users/@me", json.dumps(report["claims"]))
        self.assertEqual(self.counted(), self.before)

    def test_a_draft_is_rehearsed_and_forgotten(self):
        begun = self.rehearse("/api/v1/rehearsals", self.draft())
        self.assertEqual(self.admin.get(self.go(begun)).status, 200)
        report = self.report(begun["id"])
        self.assertEqual((report["state"], report["linking"]["decision"]), ("done", "new"))
        self.assertEqual(self.admin.get("/login/draft").status, 404)
        self.assertEqual(self.counted(), self.before)

    def test_its_state_is_for_nothing_else(self):
        begun = self.rehearse()
        target = self.go(begun)
        self.assert_local_400(Browser(self.usher).get(target))  # another browser
        self.assert_local_400(self.admin.get(target.replace("/callback/discord", "/callback/oidc")))
        self.assertEqual(self.report(begun["id"])["state"], "waiting")
        visitor = Browser(self.usher)
        visitor.sign_in("discord", "grace")  # a login meanwhile is a login
        self.assertIsNotNone(visitor.me())
        self.assertEqual(self.report(begun["id"])["state"], "waiting")
        denied = self.admin.get(with_query(target, code=None, error="access_denied"))
        self.assertEqual(denied.status, 200)
        report = self.report(begun["id"])
        self.assertEqual((report["state"], report["failure"]["kind"]), ("failed", "denied"))

    def test_only_its_owner_sees_it(self):
        begun = self.rehearse()
        other = Browser(self.usher)
        other.sign_in("google", "konrad")
        self.api.ask("PUT", "/api/v1/roles/admin/" + other.me()["id"])
        self.report(begun["id"], other, 404)
        self.assertEqual(self.api.request("GET", "/api/v1/rehearsals/" + begun["id"]).status, 404)

    def test_a_mismatch_names_the_url(self):
        begun = self.rehearse()
        self.fake.fault(DISCORD_TOKEN, "http", status=400, value='{"error":"redirect_uri_mismatch"}')
        self.admin.get(self.go(begun))
        self.assertIn("register exactly %s/callback/discord there" % self.usher.url,
                      self.report(begun["id"])["failure"]["text"])
