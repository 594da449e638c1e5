# SPDX-License-Identifier: Apache-2.0
"""The keys that sign tokens: new ones by hand, a day ahead and at once (OP-63)."""
import subprocess
import time
import urllib.parse

import contract
from harness import Api, Browser, Case, ROOT, write_private
from oauth import read_jwt
from relying_party import RelyingParty

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
LOGGED_OUT = "https://rp.example.com/logged-out"
APP = """client_type = confidential
redirect_uris = https://rp.example.com/callback
post_logout_redirect_uris = %s
require_pkce = no
scopes = openid
""" % LOGGED_OUT
DAY = 24 * 3600


class SigningKeys(Case):
    def setUp(self):
        super().setUp()
        folder = self.folder / "apps.d"
        folder.mkdir(exist_ok=True)
        write_private(folder / "rp.conf", APP)
        self.usher.stop()
        for name in self.folder.glob("usher.db*"):  # each test begins with the first keys
            name.unlink()
        self.usher.start()
        self.api = Api(self.usher)
        secret = self.api.ask("POST", "/api/v1/apps/rp/secrets", {}, status=201)["secret"]
        self.rp = RelyingParty(self.usher, "rp", secret)

    def restart(self):
        self.usher.stop()
        self.usher.start()

    def keys(self, state=None):
        listed = self.api.ask("GET", "/api/v1/signing-keys")["signing_keys"]
        return [k for k in listed if state in (None, k["state"])]

    def kids(self, state=None):
        return {k["kid"] for k in self.keys(state)}

    def published(self):
        keys = self.rp.keys()["keys"]
        for key in keys:
            self.assertEqual(set(key) & PRIVATE, set())
        return {k["kid"] for k in keys}

    def rotate(self, status=200, **body):
        return self.api.ask("POST", "/api/v1/signing-keys/rotate", body, status=status)

    def sign_in(self, browser=None):
        """An ID token that holds, and the kid that signed it."""
        token = self.rp.sign_in(browser or Browser(self.usher))[0]["id_token"]
        return token, self.rp.header(token)["kid"]

    def assert_good_as_a_hint(self, browser, token):
        answer = browser.get("/oauth2/logout?" + urllib.parse.urlencode(
            {"id_token_hint": token, "post_logout_redirect_uri": LOGGED_OUT}))
        self.assertEqual(answer.location, LOGGED_OUT, answer.summary())
        self.assertIsNone(browser.me())

    def test_op_63_published_a_day_before_it_signs(self):
        _, old = self.sign_in()
        listed = self.rotate()["signing_keys"]
        n = len(listed) // 2  # one for each algorithm
        self.assertEqual([k["state"] for k in listed], ["active"] * n + ["next"] * n)
        for key in self.keys("next"):
            self.assertAlmostEqual(key["active_from"], time.time() + DAY, delta=60)
            self.assertIsNone(key["retired_at"])
        self.assertEqual(self.published(), self.kids())
        for _ in range(2):
            self.assertEqual(self.sign_in()[1], old)
            self.restart()
        self.assertEqual(self.published(), self.kids())
        self.assertEqual(len(self.kids("next")), len(self.kids("active")))
        self.assertIn("already", self.rotate(status=409)["error"]["text"])

    def test_op_63_at_once(self):
        browser, other = Browser(self.usher), Browser(self.usher)
        token, old = self.sign_in(browser)
        later, _ = self.sign_in(other)
        before = self.kids()
        self.rotate(at_once=True)
        for _ in range(3):  # as it is, and after two restarts
            fresh, new = self.sign_in()  # which checks it with what is published
            self.assertNotIn(new, before)
            self.assertEqual(self.published(), self.kids("active") | self.kids("retiring"))
            self.assertEqual(self.kids("retiring"), before)
            self.assertIn(old, self.published())
            self.restart()
        for key in self.keys("retiring"):
            self.assertAlmostEqual(key["retired_at"], time.time() + DAY, delta=120)
        self.rp.claims(token, read_jwt(token)[1].get("nonce"))  # and with it the old one still holds
        self.assert_good_as_a_hint(browser, token)
        self.assert_good_as_a_hint(other, later)

    def test_at_once_takes_along_what_did_not_sign_yet(self):
        self.rotate()
        waiting = self.kids("next")
        self.rotate(at_once=True)
        self.assertEqual(self.kids("next"), set())
        self.assertEqual(self.kids("retired"), waiting)
        self.assertEqual(self.published() & waiting, set())

    def test_on_record(self):
        before = self.keys("active")
        self.rotate(at_once=True)
        entry = self.api.ask("GET", "/api/v1/audit?action=signing_key.rotate")["audit"][0]
        self.assertEqual(entry["before"]["signs"], {k["alg"]: k["kid"] for k in before})
        self.assertEqual(entry["after"]["signs"], {k["alg"]: k["kid"] for k in self.keys("active")})
        self.assertIs(entry["after"]["at_once"], True)
        self.assertEqual((entry["actor_kind"], entry["outcome"]), ("socket", "done"))

    def test_scopes_and_bodies(self):
        for scopes, status in (("read", 403), ("read write", 403), ("read secrets", 200)):
            token = self.api.ask("POST", "/api/v1/tokens", {"name": "t", "scopes": scopes}, status=201)["token"]
            Api(self.usher, token).ask("GET", "/api/v1/signing-keys")
            Api(self.usher, token).ask("POST", "/api/v1/signing-keys/rotate", {}, status=status)
        for body in ({"at_once": "yes"}, {"at_once": 1}, {"now": True}):
            self.rotate(status=400, **body)
        self.assertEqual(contract.complaints("GET", "/api/v1/signing-keys", self.api.get("/api/v1/signing-keys")), [])

    def ctl(self, *words):
        return subprocess.run([str(ROOT / "bin/usherctl"), "--socket", str(self.usher.socket), *words],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)

    def test_usherctl(self):
        old = self.sign_in()[1]
        self.assertIn(old, self.ctl("signing-key", "list").stdout)
        asked = self.ctl("signing-key", "rotate", "--at-once")
        self.assertEqual(asked.returncode, 2, asked)
        self.assertIn("--yes", asked.stderr)
        self.assertEqual(self.sign_in()[1], old)
        done = self.ctl("signing-key", "rotate", "--at-once", "--yes")
        self.assertEqual(done.returncode, 0, done)
        self.assertNotEqual(self.sign_in()[1], old)
        done = self.ctl("signing-key", "rotate")
        self.assertIn("next", done.stdout)
        self.assertEqual(self.ctl("signing-key", "rotate").returncode, 5)

