# SPDX-License-Identifier: Apache-2.0
"""Answers that are given again, and that nobody can tell: whatever ends a token, a secret, an app or
a session is known to the next question, in the same second or not. OP-48, OP-49."""
import time

from harness import Api, Browser, Case, write_private
from oauth import Client, basic
from relying_party import RelyingParty

API = "https://api.example.com"
APPS = {
    "machine": "grants = client_credentials\nscopes = read\ntoken_format = opaque\nresources = %s\n" % API,
    "signed": "grants = client_credentials\nscopes = read\ntoken_alg = ES256\nresources = %s\n" % API,
    "api": "grants = client_credentials\nserves = %s\n" % API,
    "stranger": "grants = client_credentials\n",
    "rp": "redirect_uris = https://rp.example.com/callback\nscopes = openid profile email roles\n"
          "token_format = opaque\nrequire_pkce = no\ngrants = authorization_code refresh_token\n",
}
FORM = "application/x-www-form-urlencoded"


class Again(Case):
    apps = APPS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api = Api(cls.usher)
        cls.secret = {app: cls.new_secret(app)[0] for app in APPS}

    @classmethod
    def new_secret(cls, app):
        made = cls.api.ask("POST", "/api/v1/apps/%s/secrets" % app, {}, 201)
        return made["secret"], made["id"]

    def client(self, app):
        return Client(self.usher, app, self.secret[app])

    def introspect(self, app, token, secret=None, **headers):
        return Browser(self.usher).request("POST", "/oauth2/introspect", body="token=" + token, headers={
            "Authorization": basic(app, secret or self.secret[app]), "Content-Type": FORM, **headers})

    def userinfo(self, token, **headers):
        return Browser(self.usher).request("GET", "/oauth2/userinfo",
                                           headers={"Authorization": "Bearer " + token, **headers})

    def repeated(self, endpoint):
        text = Browser(self.usher).get("/metrics", Authorization="Bearer metrics-token-for-tests").text
        line = 'usher_oauth_calls_total{endpoint="%s",grant="",outcome="again"} ' % endpoint
        return sum(int(x[len(line):]) for x in text.splitlines() if x.startswith(line))

    def ask_until_repeated(self, endpoint, ask):
        """The same question until its answer was one that had been made before, and then at once
        the caller's: its second has just begun."""
        for _ in range(20):
            time.sleep(1 - time.time() % 1)
            before = self.repeated(endpoint)
            first, second = ask(), ask()
            if self.repeated(endpoint) > before:
                self.assertEqual((first.status, first.body), (second.status, second.body))
                self.assertEqual(sorted(h for h in first.headers.items() if h[0] != "Date"),
                                 sorted(h for h in second.headers.items() if h[0] != "Date"))
                self.assertEqual(second.headers["Cache-Control"], "no-store")
                return second
        raise AssertionError("no answer came again")

    def sign_in(self, **more):
        browser = Browser(self.usher)
        rp = RelyingParty(self.usher, "rp", self.secret["rp"])
        tokens, claims = rp.sign_in(browser, scope="openid profile email roles", **more)
        return browser, tokens, claims["sub"]


class Introspection(Again):
    def setUp(self):
        super().setUp()
        self.token = self.client("machine").token().json()["access_token"]

    def active(self, app="machine", token=None, **more):
        answer = self.introspect(app, token or self.token, **more)
        return answer.json()["active"] if answer.status == 200 else answer.status

    def again(self, app="machine", token=None, **more):
        answer = self.ask_until_repeated("introspect", lambda: self.introspect(app, token or self.token, **more))
        self.assertIs(answer.json()["active"], True)

    def test_a_token_given_back(self):
        for app in ("machine", "signed"):  # of a JWT there was nothing in memory until then
            token = self.client(app).token().json()["access_token"]
            self.again(app, token)
            self.again("api", token)
            self.assertEqual(self.client(app).revoke(token).status, 200)
            self.assertIs(self.active(app, token), False)
            self.assertIs(self.active("api", token), False)

    def test_op_48_a_secret_that_is_deleted(self):
        secret, which = self.new_secret("api")
        self.again("api", secret=secret)
        self.api.ask("DELETE", "/api/v1/apps/api/secrets/" + which)
        self.assertEqual(self.active("api", secret=secret), 401)
        self.assertIs(self.active("api"), True)

    def test_an_app_that_is_switched_off(self):
        self.again()
        self.again("api")
        path = self.usher.folder / "apps.d" / "machine.conf"
        write_private(path, APPS["machine"] + "enabled = no\n")
        self.api.ask("POST", "/api/v1/config/reload", {})
        self.assertEqual(self.active(), 401)
        self.assertIs(self.active("api"), False)
        write_private(path, APPS["machine"])
        self.api.ask("POST", "/api/v1/config/reload", {})
        self.assertIs(self.active(), True)

    def test_only_for_whoever_asks_the_same(self):
        self.again("api")
        self.assertIs(self.active("stranger"), False)
        self.assertEqual(self.active("api", secret=self.secret["machine"]), 401)
        self.assertEqual(self.active("api", secret=self.secret["api"] + "x"), 401)
        self.assertEqual(self.active("api", token=self.token + "&token=" + self.token), 400)
        self.assertEqual(self.active("api", token=self.token + "&client_id=stranger"), 400)
        self.assertIs(self.active("api", token=self.token[:-1] + ("A" if self.token[-1] != "A" else "B")), False)
        answer = Browser(self.usher).request("POST", "/oauth2/introspect?x=y", body="token=" + self.token, headers={
            "Authorization": basic("api", self.secret["api"]), "Content-Type": FORM})
        self.assertEqual(answer.status, 400)
        answer = Browser(self.usher).request("POST", "/oauth2/introspect", body="token=" + self.token,
                                             headers={"Content-Type": FORM})
        self.assertEqual(answer.status, 401)

    def test_what_is_not_known_yet_is_not_kept(self):
        before = self.repeated("introspect")
        for _ in range(5):
            self.assertIs(self.active(token="uat_" + "A" * 43), False)
            self.assertEqual(self.active(secret="uas_" + "A" * 43), 401)
        self.assertEqual(self.repeated("introspect"), before)

    def test_pages_are_answered_for_themselves(self):
        before = self.repeated("introspect")
        for _ in range(5):
            self.assertEqual(self.introspect("api", self.token, Origin="https://page.example.com").status, 200)
        self.assertEqual(self.repeated("introspect"), before)


class Userinfo(Again):
    def again(self, token):
        return self.ask_until_repeated("userinfo", lambda: self.userinfo(token)).json()

    def test_somebody_who_signs_out(self):
        browser, tokens, _ = self.sign_in()
        self.again(tokens["access_token"])
        self.assertIn(browser.post("/logout", {}).status, (200, 303))
        self.assertEqual(self.userinfo(tokens["access_token"]).status, 401)

    def test_an_account_that_is_disabled(self):
        _, tokens, account = self.sign_in(person="grace")
        self.again(tokens["access_token"])
        self.api.ask("POST", "/api/v1/users/%s/disable" % account, {"reason": "left us"})
        self.assertEqual(self.userinfo(tokens["access_token"]).status, 401)
        self.api.ask("POST", "/api/v1/users/%s/enable" % account, {})

    def test_a_role_that_is_given_and_taken(self):
        _, tokens, account = self.sign_in()
        self.api.ask("PUT", "/api/v1/roles/editor", {"permissions": ["posts.write"]}, status=201)
        self.assertNotIn("editor", self.again(tokens["access_token"]).get("roles", []))
        self.api.ask("PUT", "/api/v1/roles/editor/" + account, {})
        self.assertIn("editor", self.userinfo(tokens["access_token"]).json()["roles"])
        self.again(tokens["access_token"])
        self.api.ask("DELETE", "/api/v1/roles/editor/" + account)
        self.assertNotIn("editor", self.userinfo(tokens["access_token"]).json().get("roles", []))

    def test_a_token_given_back(self):
        _, tokens, _ = self.sign_in()
        self.again(tokens["access_token"])
        self.assertEqual(self.client("rp").revoke(tokens["refresh_token"]).status, 200)
        self.assertEqual(self.userinfo(tokens["access_token"]).status, 401)

    def test_an_app_that_may_no_longer_know(self):
        _, tokens, _ = self.sign_in()
        self.assertIn("email", self.again(tokens["access_token"]))
        path = self.usher.folder / "apps.d" / "rp.conf"
        write_private(path, APPS["rp"] + "enabled = no\n")
        self.api.ask("POST", "/api/v1/config/reload", {})
        self.assertEqual(self.userinfo(tokens["access_token"]).status, 401)
        write_private(path, APPS["rp"])
        self.api.ask("POST", "/api/v1/config/reload", {})

    def test_who_asks_for_the_head_gets_it(self):
        _, tokens, _ = self.sign_in()
        answer = self.ask_until_repeated("userinfo", lambda: Browser(self.usher).request(
            "HEAD", "/oauth2/userinfo", headers={"Authorization": "Bearer " + tokens["access_token"]}))
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertIn("sub", self.userinfo(tokens["access_token"]).json())


class Known(Again):
    """Questions that no answer was made for yet, about somebody the store was asked about before."""
    asked = 0

    def ask(self, token):
        Known.asked += 1
        return Browser(self.usher).request("POST", "/oauth2/userinfo", body="n=%d" % self.asked, headers={
            "Authorization": "Bearer " + token, "Content-Type": FORM})

    def known(self, person=None, **more):
        before = self.repeated("userinfo")
        browser, tokens, account = self.sign_in(**({"person": person} if person else {}), **more)
        first, second = (self.ask(tokens["access_token"]) for _ in range(2))
        self.assertEqual((first.status, first.body), (200, second.body))
        self.assertEqual(self.repeated("userinfo"), before)
        return browser, tokens, account

    def test_somebody_who_signs_out(self):
        browser, tokens, _ = self.known()
        self.assertIn(browser.post("/logout", {}).status, (200, 303))
        self.assertEqual(self.ask(tokens["access_token"]).status, 401)

    def test_an_account_that_is_disabled(self):
        _, tokens, account = self.known(person="grace")
        self.api.ask("POST", "/api/v1/users/%s/disable" % account, {"reason": "left us"})
        self.assertEqual(self.ask(tokens["access_token"]).status, 401)
        self.api.ask("POST", "/api/v1/users/%s/enable" % account, {})

    def test_a_role_that_is_given_changed_and_taken(self):
        _, tokens, account = self.known()
        self.api.ask("PUT", "/api/v1/roles/author", {"permissions": ["posts.write"]}, status=201)
        self.api.ask("PUT", "/api/v1/roles/author/" + account, {})
        self.assertEqual(self.ask(tokens["access_token"]).json()["permissions"], ["posts.write"])
        tag = self.api.request("GET", "/api/v1/roles/author").headers["ETag"]
        self.api.ask("PUT", "/api/v1/roles/author", {"permissions": ["posts.read"]}, If_Match=tag)
        self.assertEqual(self.ask(tokens["access_token"]).json()["permissions"], ["posts.read"])
        self.api.ask("DELETE", "/api/v1/roles/author/" + account)
        self.assertNotIn("author", self.ask(tokens["access_token"]).json().get("roles", []))

    def test_two_people_and_what_each_is_asked_for(self):
        _, ada, first = self.known()
        _, grace, second = self.known(person="grace")
        self.assertNotEqual(first, second)
        for _ in range(2):
            self.assertEqual(self.ask(ada["access_token"]).json()["sub"], first)
            self.assertEqual(self.ask(grace["access_token"]).json()["sub"], second)

    def test_an_app_that_may_know_less_from_now_on(self):
        _, tokens, _ = self.known()
        path = self.usher.folder / "apps.d" / "rp.conf"
        write_private(path, APPS["rp"] + "enabled = no\n")
        self.api.ask("POST", "/api/v1/config/reload", {})
        self.assertEqual(self.ask(tokens["access_token"]).status, 401)
        write_private(path, APPS["rp"])
        self.api.ask("POST", "/api/v1/config/reload", {})
