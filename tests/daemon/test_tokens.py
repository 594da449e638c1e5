# SPDX-License-Identifier: Apache-2.0
"""Tokens of people at their providers, for apps that may have them: R78, R79, PRIV-01, DB-05."""
import base64
import concurrent.futures
import html
import re
import sqlite3

import contract
from harness import PATIENCE, Api, Browser, Case, fake_providers
from test_account_pages import link_page, link_url
from test_canary import spellings

PATH = "/api/v1/me/token/"
APP = """\
label = Mirror
hosts = mirror.example.com
upstream_tokens = discord google
"""


def keeping(fake):
    return {name: {**values, "keep_tokens": "no" if name == "oidc" else "yes",
                   **({"offline": "yes"} if name == "google" else {})}
            for name, values in fake_providers(fake).items()}


class Asking(Case):
    providers = staticmethod(keeping)
    apps = {"mirror": APP, "other": APP.replace("mirror", "other").replace("discord google", "google")}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        api = Api(cls.usher)
        cls.secret = {app: api.ask("POST", "/api/v1/apps/%s/secrets" % app, {}, 201)["secret"]
                      for app in ("mirror", "other")}

    def ask(self, provider="discord", app="mirror", secret=None, browser=None):
        pair = "%s:%s" % (app, self.secret.get(app, "") if secret is None else secret)
        headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        return (browser or self.browser).request("GET", PATH + provider, headers=headers)

    def given(self, **more):
        answer = self.ask(**more)
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(contract.complaints("GET", PATH + more.get("provider", "discord"), answer), [])
        return answer.json()

    def refused(self, status, kind, **more):
        answer = self.ask(**more)
        self.assertEqual((answer.status, answer.json()["error"]["kind"]), (status, kind))
        self.assertEqual(contract.complaints("GET", PATH + "discord", answer), [])
        return answer

    def kept(self, provider):
        return self.usher.rows("SELECT count(*) FROM upstream_token WHERE provider = ?", provider)[0][0]


class Tokens(Asking):
    def run_out(self):
        with sqlite3.connect(self.usher.database, timeout=PATIENCE) as db:
            db.execute("UPDATE upstream_token SET expires = 1")

    def renewals(self):
        return self.fake.counts().get("/discord/api/v10/oauth2/token", 0)

    def test_who_may_have_one(self):
        self.refused(401, "not_signed_in")
        self.browser.sign_in()
        self.refused(401, "unauthenticated", secret="uas_" + "A" * 43)
        self.refused(401, "unauthenticated", app="nobody", secret=self.secret["mirror"])
        self.refused(401, "unauthenticated", app="other", secret=self.secret["mirror"])
        self.refused(403, "not_allowed", app="other")
        self.refused(403, "not_allowed", provider="nothing")
        self.refused(404, "not_found", provider="google")
        answer = self.browser.get(PATH + "discord")
        self.assertEqual(answer.status, 401)
        self.assertIn("Basic", answer.headers["WWW-Authenticate"])

    def test_the_token_works_upstream_and_is_not_stored_by_anybody(self):
        self.browser.sign_in()
        answer = self.ask()
        token = answer.json()
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual((token["token_type"], token["scope"]), ("Bearer", "identify email"))
        self.assertGreater(token["expires_in"], 600000)
        me = Browser(self.usher).request("GET", self.fake.url + "/discord/api/v10/users/@me",
                                         headers={"Authorization": "Bearer " + token["access_token"],
                                                  "User-Agent": "DiscordBot (https://mirror.example.com, 1)"})
        self.assertEqual(me.status, 200)

    def test_it_is_renewed_once_for_a_hundred(self):
        self.browser.sign_in()
        first = self.given()["access_token"]
        for _ in range(2):  # Discord's refresh tokens work once: the second time needs the first one's
            self.run_out()
            before = self.renewals()
            with concurrent.futures.ThreadPoolExecutor(25) as pool:
                answers = list(pool.map(lambda _: self.ask(), range(100)))
            self.assertEqual({a.status for a in answers}, {200})
            tokens = {a.json()["access_token"] for a in answers}
            self.assertEqual(len(tokens), 1)
            self.assertNotIn(first, tokens)
            self.assertEqual(self.renewals() - before, 1)

    def test_a_refused_one_is_forgotten(self):
        self.browser.sign_in()
        self.given()
        self.run_out()
        self.fake.reset()  # nothing that was granted counts any more
        self.refused(404, "expired")
        self.refused(404, "not_found")
        self.assertEqual(len(self.usher.told("tokens.forgotten")), 1)
        audit = Api(self.usher).ask("GET", "/api/v1/audit?action=upstream_token.forget")["audit"]
        self.assertEqual(audit[0]["provider"], "discord")
        self.browser.sign_in()
        self.given()

    def test_none_is_kept_where_nobody_said_so(self):
        self.browser.sign_in("oidc")
        self.assertEqual(self.usher.rows("SELECT count(*) FROM upstream_token WHERE provider = 'oidc'"), [(0,)])

    def test_nothing_in_clear(self):
        self.browser.sign_in()
        pages = [self.browser.get(p).text for p in ("/", "/account", "/account/data", "/api/v1/me")]
        tokens = [self.given()["access_token"]]
        self.run_out()
        tokens.append(self.given()["access_token"])
        log = self.usher.log().encode()
        files = b"".join(p.read_bytes() for p in self.folder.glob("usher.db*"))
        audit = Api(self.usher).get("/api/v1/audit").text
        for token in tokens:
            for spelling in spellings(token):
                self.assertNotIn(spelling, log)
                self.assertNotIn(spelling, files)
                for page in (*pages, audit):
                    self.assertNotIn(spelling, page.encode())


def asking(fake):
    return {name: {**values, "link": "ask"} for name, values in keeping(fake).items()}


class Joined(Asking):
    """What was given when an identity was proven is kept once the person said yes."""
    providers = staticmethod(asking)

    def setUp(self):
        super().setUp()
        with sqlite3.connect(self.usher.database, timeout=PATIENCE) as db:
            db.execute("DELETE FROM upstream_token")

    def accept(self, path, answer="accept"):
        said = self.browser.post(path, {"answer": answer})
        self.assertEqual(said.status, 303, said.summary())

    def test_linked(self):
        self.browser.sign_in("discord", "konrad")
        path = link_page(self, self.browser, "google", "grace")
        self.refused(404, "not_found", provider="google")
        self.assertEqual(self.kept("google"), 0)
        self.accept(path)
        token = self.given(provider="google")
        self.assertIn("openid", token["scope"])
        self.assertNotIn(token["access_token"].encode(), self.usher.database.read_bytes())
        # proving it once more brings new ones
        answer = self.browser.get(link_url(self, self.browser, "google", "grace"))
        self.assertEqual((answer.status, answer.location), (303, "/account"))
        self.assertNotEqual(self.given(provider="google")["access_token"], token["access_token"])

    def test_merged(self):
        other = Browser(self.usher)
        other.sign_in("google", "guest-1")
        theirs = self.given(provider="google", browser=other)["access_token"]
        self.browser.sign_in("discord", "guest-2")
        self.accept(link_page(self, self.browser, "google", "guest-1"))
        self.assertIsNone(other.me())
        self.assertNotEqual(self.given(provider="google")["access_token"], theirs)

    def test_asked_and_somebody_new(self):
        Browser(self.usher).sign_in("google", "guest-3")
        path = self.browser.sign_in("discord", "guest-3").location
        self.assertEqual(self.kept("discord"), 0)
        self.accept(path, "new")
        self.assertEqual(self.given()["scope"], "identify email")

    def test_asked_and_proven(self):
        Browser(self.usher).sign_in("google", "guest-4")
        path = self.browser.sign_in("discord", "guest-4").location
        link = html.unescape(re.search(r'href="(/login/google\?[^"]*)"', self.browser.get(path).text)[1])
        target = self.browser.follow(self.browser.get(self.browser.get(link).location + "&login_hint=guest-4"),
                                     until=self.usher.url + "/callback/")
        answer = self.browser.get(target)
        self.assertEqual((answer.status, answer.location), (303, path))
        self.refused(404, "not_found")
        self.accept(path)
        self.given()

    def test_a_no_keeps_nothing(self):
        self.browser.sign_in("discord", "guest-5")
        self.accept(link_page(self, self.browser, "google", "guest-6"), "drop")
        self.assertEqual(self.kept("google"), 0)
