# SPDX-License-Identifier: Apache-2.0
"""Whoever an app would not let in by now gets no tokens for it either, however far they had come."""
import sqlite3
import urllib.parse

from harness import Api, Browser, wait_for
from relying_party import pkce, say
from test_conformance import Plan
from test_device import Device
from test_op_grants import GONE, error_of

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.1"


class From(Browser):
    """A browser behind the proxy, which tells usher where it is."""

    def __init__(self, usher, address=HERE):
        super().__init__(usher)
        self.address = address

    def request(self, method, url, form=None, headers=None, body=None):
        headers = dict(headers or {})
        if urllib.parse.urljoin(self.usher.url, url).startswith(self.usher.url):
            headers["X-Forwarded-For"] = self.address
        return super().request(method, url, form, headers, body)


class Judged(Plan):
    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)
        self.path = self.folder / "apps.d" / "rp.conf"
        self.text = self.path.read_text()
        self.addCleanup(self.settings_are, "")

    def settings_are(self, more):
        self.path.write_text(self.text + more)
        self.api.ask("POST", "/api/v1/config/reload", {})

    def role(self, method, person):
        self.api.request("PUT", "/api/v1/roles/staff", {"permissions": ["rp.use"]})
        return self.api.request(method, "/api/v1/roles/staff/" + person)

    def refresh(self, tokens, address=None):
        more = {"X-Forwarded-For": address} if address else {}
        return self.rp.post("token_endpoint", {"grant_type": "refresh_token",
                                               "refresh_token": tokens["refresh_token"]}, **more)

    def test_networks_of_a_refresh(self):
        for rule in ("network:192.0.2.0/24", "not network:198.51.100.0/24", "network:192.0.2.0/24 and signed_in"):
            self.settings_are("require = %s\n" % rule)
            tokens, _ = self.sign_in(From(self.usher))
            for _ in range(2):
                answer = self.refresh(tokens, HERE)
                self.assertEqual(answer.status, 200, (rule, answer.text))
                tokens = answer.json()
            self.assertEqual(error_of(self.refresh(tokens, ELSEWHERE)), GONE, rule)
            self.assertEqual(error_of(self.refresh(tokens)), GONE, "it is not known from where: " + rule)
            # What was refused is not used up.
            self.assertEqual(self.refresh(tokens, HERE).status, 200, rule)

    def test_codes_without_pkce(self):
        # RFC 7636 4.4.1: what has to be proven counts as of now, and a code that was refused is used up
        verifier, challenge = pkce()
        for asked in ({}, {"code_challenge": challenge, "code_challenge_method": "S256"}):
            response = self.authorize(**asked)
            self.path.write_text(self.text.replace("require_pkce = no", "require_pkce = yes"))
            self.api.ask("POST", "/api/v1/config/reload", {})
            answer = self.rp.redeem(response, verifier=verifier if asked else None)
            self.settings_are("")
            if asked:
                self.assertEqual(answer.status, 200, answer.text)
            else:
                self.assertEqual(error_of(answer), GONE)
                self.assertEqual(error_of(self.rp.redeem(response)), GONE)

    def test_codes(self):
        person = self.sign_in()[1]["sub"]

        def disable():
            self.api.ask("POST", "/api/v1/users/%s/disable" % person, {"reason": "a test"})

        def enable():
            self.api.ask("POST", "/api/v1/users/%s/enable" % person, {})

        changes = (("", disable, enable),
                   ("require = role:staff\n", lambda: self.role("DELETE", person), lambda: self.role("PUT", person)),
                   ("", lambda: self.settings_are("require = nobody\n"), lambda: self.settings_are("")),
                   ("", lambda: self.settings_are("providers = google\n"), lambda: self.settings_are("")),
                   ("", lambda: self.settings_are("enabled = no\n"), lambda: self.settings_are("")))
        for n, (settings, spoil, mend) in enumerate(changes):
            self.settings_are(settings)
            self.role("PUT", person)
            self.assertEqual(self.rp.redeem(self.authorize()).status, 200, n)
            response = self.authorize()
            spoil()
            answer = self.rp.redeem(response)
            self.assertIn(error_of(answer), (GONE, (401, "invalid_client")), (n, answer.text))
            mend()
            if answer.status == 400:
                self.assertEqual(error_of(self.rp.redeem(response)), GONE, (n, "it was used up"))

    def test_codes_go_by_where_the_person_is(self):
        self.settings_are("require = network:192.0.2.0/24\n")
        browser = From(self.usher)
        response = self.authorize(browser)
        answer = self.rp.redeem(response)  # the app's own server is nowhere near
        self.assertEqual(answer.status, 200, answer.text)
        browser.address = ELSEWHERE
        self.assertEqual(self.authorize(browser).get("error"), "access_denied")
        self.assertEqual(self.authorize(self.browser).get("error"), "access_denied")

    def test_refusals_are_on_record(self):
        self.settings_are("require = network:192.0.2.0/24\nconsent = yes\n")
        browser = From(self.usher)
        tokens, claims = self.sign_in(browser)
        browser.address = ELSEWHERE
        self.assert_error(self.authorize(browser), "access_denied")
        self.assertEqual(error_of(self.refresh(tokens, ELSEWHERE)), GONE)
        browser.address = HERE
        page = self.rp.arrive(browser, self.rp.begin(browser, prompt="consent"), consent=False)
        self.assert_error(self.rp.arrive(browser, say(browser, page, "deny")), "access_denied")
        person, fields = claims["sub"], ("action", "actor_kind", "actor", "object", "app", "ip", "outcome")

        def told():
            rows = self.api.ask("GET", "/api/v1/audit?app=rp&limit=20")["audit"]
            return [tuple(r[f] for f in fields) for r in rows if r["action"] in ("app.access", "grant.deny")]
        wanted = [("grant.deny", "account", person, "rp", "rp", HERE, "done"),
                  ("app.access", "app", "rp", person, "rp", ELSEWHERE, "refused"),
                  ("app.access", "account", person, "rp", "rp", ELSEWHERE, "refused")]
        wait_for("the records", lambda: told()[:3] == wanted)
        self.usher.told("app.denied", account=person, app="rp")

    def test_requests_that_wait(self):
        self.settings_are("require = role:staff\nconsent = yes\n")
        browser = Browser(self.usher)
        browser.sign_in("oidc", "noor")
        person = browser.me()["id"]
        for more, spoil, expected in (
                ("", lambda: self.role("DELETE", person), "access_denied"),
                ("", lambda: self.settings_are("require = role:other\nconsent = yes\n"), "access_denied"),
                ("", lambda: self.settings_are("require = role:staff\nconsent = yes\nproviders = google\n"), None)):
            self.settings_are("require = role:staff\nconsent = yes\n" + more)
            self.role("PUT", person)
            page = self.rp.arrive(browser, self.rp.begin(browser, prompt="consent"), consent=False)
            spoil()
            said = say(browser, page, "allow", ["openid"])
            if expected:
                self.assert_error(self.rp.arrive(browser, said), expected)
            else:
                self.assertEqual(said.status, 303)
                self.assertTrue(said.location.startswith("/login"), said.location)
            grants = self.usher.rows("SELECT count(*) FROM oauth_grant WHERE account = ? AND ended IS NULL", person)
            self.assertEqual(grants, [(0,)])

    def test_a_session_that_ends_meanwhile(self):
        # As when it ends between the judgement and the transaction: the store knows, memory does not yet.
        for scope in ("openid", "openid offline_access"):
            browser = Browser(self.usher)
            browser.sign_in("oidc", "lin")
            self.assertIn("code", self.authorize(browser, scope=scope))
            with sqlite3.connect(self.usher.database) as db:
                db.execute("DELETE FROM session WHERE account = ?", (browser.me()["id"],))
            db.close()
            answer = self.authorize(browser, scope=scope)
            self.assertNotIsInstance(answer, dict, "a code for nobody")
            self.assertEqual(answer.status, 400, answer.summary())

    def test_of_two_identities_the_one_that_came(self):
        # One account with two identities of one provider: tokens speak of the one that signed in.
        self.sign_in(Browser(self.usher), person="grace")
        person = self.sign_in(Browser(self.usher))[1]["sub"]
        self.usher.stop()
        with sqlite3.connect(self.usher.database) as db:
            db.execute("UPDATE identity SET account = ? WHERE provider = 'oidc' AND name = 'Grace Hopper'", (person,))
        db.close()
        self.usher.start()
        grace, claims = self.sign_in(Browser(self.usher), person="grace", scope="openid profile")
        self.assertEqual(claims["sub"], person)
        ada, claims = self.sign_in(Browser(self.usher), scope="openid profile")
        self.assertEqual(claims["sub"], person)
        for _ in range(2):
            for tokens, name in ((grace, "Grace Hopper"), (ada, "Ada Lovelace")):
                self.assertEqual(self.rp.userinfo(tokens["access_token"]).json()["name"], name)
            self.sign_in(Browser(self.usher), person="grace")  # whoever was seen last


class Devices(Device):
    def test_whoever_may_not_by_now(self):
        api = Api(self.usher)
        path = self.folder / "apps.d" / "tv.conf"
        text = path.read_text()

        def settings_are(more):
            path.write_text(text + more)
            api.ask("POST", "/api/v1/config/reload", {})

        self.addCleanup(settings_are, "")
        for more in ("require = role:nobody-has-it\n", "providers = google\n"):
            codes = self.codes()
            self.allow(codes, self.signed_in())
            settings_are(more)
            self.assert_poll("access_denied", codes)
            settings_are("")
        settings_are("require = network:192.0.2.0/24\n")
        browser = From(self.usher)
        browser.sign_in("oidc", "ada")
        codes = self.codes()
        self.allow(codes, browser)
        self.assertEqual(self.poll(codes).status, 200)
