# SPDX-License-Identifier: Apache-2.0
"""usherd is told to stop at any moment, whatever it is doing: it ends by itself with status 0, and what it
answered as done is there when it is started again. USHER_STOPS: how often (a soak; 3 unless told), and
USHER_SEED: which moments."""
import http.client
import os
import random
import signal
import sqlite3
import threading
import time
import urllib.parse

from harness import PATIENCE, Api, Browser, Case, fake_providers, wait_for, write_private
from oauth import read_jwt, secret_for
from relying_party import CALLBACK, RelyingParty, pkce
from test_backchannel import Ears

STOPS = int(os.environ.get("USHER_STOPS", "3"))
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
PEOPLE = ("ada", "grace", "noor", "konrad", "lin")
APP = """label = App
client_type = confidential
redirect_uris = %s
scopes = openid email offline_access read
grants = authorization_code refresh_token client_credentials device_code
require_pkce = no
token_alg = %s
"""


class Stopping(Case):
    """Some people and apps each, doing one thing after the other. Whatever was answered well leaves a
    question behind that is asked after the next start."""

    settings = {"limits": dict.fromkeys(("token", "login", "callback", "api", "account", "device", "provider"), 0)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ears = Ears()
        cls.usher.stop()
        for name, alg, more in (("plain", "RS256", ""), ("heard", "ES256", "backchannel_logout_uri = %sheard\n" % cls.ears.url)):
            write_private(cls.folder / "apps.d" / (name + ".conf"), APP % (CALLBACK, alg) + more)
        secrets = {name: secret_for(cls.usher, name) for name in ("plain", "heard")}
        cls.usher.start()
        cls.rp = {name: RelyingParty(cls.usher, name, secret) for name, secret in secrets.items()}

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        cls.ears.close()

    def setUp(self):
        super().setUp()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.number, self.account = 0, None
        seed = os.environ.get("USHER_SEED") or str(time.time_ns())
        self.chance = random.Random(seed)
        self.seed = "USHER_SEED=" + seed

    def next(self):
        with self.lock:
            self.number += 1
            return self.number

    def ask_later(self, question, *arguments):
        """Asked after the next start; the arguments are what was answered before."""
        with self.lock:
            self.questions.append((question, arguments))

    # ---- what they do

    def people(self):
        n = self.next()
        browser = Browser(self.usher)
        browser.sign_in(("discord", "google", "oidc")[n % 3], PEOPLE[n % 5])
        self.ask_later(self.is_signed_in, browser.session())
        leaver = Browser(self.usher)
        leaver.sign_in("oidc", PEOPLE[n % 5])
        token = leaver.session()
        answer = leaver.post("/logout", {})
        if answer.status == 200:
            self.ask_later(self.is_signed_out, token)

    def kept_connection(self):
        """As a proxy asks, again and again: who is it, may he; and what programs read."""
        browser = Browser(self.usher)
        browser.sign_in("google", "ada")
        cookie = {"Cookie": "usher=" + browser.session()}
        kept = http.client.HTTPConnection("127.0.0.1", self.usher.port, timeout=PATIENCE)
        try:
            for path in ("/auth", "/api/v1/me", "/.well-known/openid-configuration", "/oauth2/jwks", "/healthz") * 8:
                kept.request("GET", path, headers=cookie)
                answer = kept.getresponse()
                answer.read()
                self.expect(answer.status in (200, 204), (path, answer.status))
                if answer.headers["Connection"] == "close":
                    kept.close()
        finally:
            kept.close()

    def tokens_of_apps(self):
        answer = self.rp["plain"].post("token_endpoint", {"grant_type": "client_credentials", "scope": "read"})
        if self.expect(answer.status == 200, answer.text):
            self.ask_later(self.is_active, "plain", answer.json()["access_token"])

    def granted(self, rp, browser, **more):
        """What the signature is worth is asked elsewhere: here several would be judged at once."""
        answer = rp.authorize(browser, person=PEOPLE[self.next() % 5], **more)
        return rp.tokens_of(rp.redeem(answer))

    def tokens_of_people(self):
        rp = self.rp["plain"]
        tokens = self.granted(rp, Browser(self.usher), scope="openid offline_access")
        for _ in range(2):
            refreshed = rp.refresh(tokens["refresh_token"])
            if not self.expect(refreshed.status == 200, refreshed.text):
                return
            tokens = refreshed.json()
        self.ask_later(self.is_active, "plain", tokens["access_token"])
        self.ask_later(self.is_refreshed, tokens["refresh_token"])

    def devices(self):
        answer = self.rp["plain"].post("device_authorization_endpoint", {"scope": "openid"})
        if self.expect(answer.status == 200, answer.text):
            self.ask_later(self.is_pending, answer.json()["device_code"])

    def pushed(self):
        rp = self.rp["plain"]
        verifier, challenge = pkce()
        query = rp.request(code_challenge=challenge, code_challenge_method="S256")
        del query["client_id"]
        answer = rp.post("pushed_authorization_request_endpoint", query)
        if self.expect(answer.status == 201, answer.text):
            self.ask_later(self.is_waiting, answer.json()["request_uri"], verifier)

    def logouts(self):
        """Somebody leaves usher; the app hears of it, and takes its time to say so."""
        browser = Browser(self.usher)
        claims = read_jwt(self.granted(self.rp["heard"], browser)["id_token"])[1]
        if browser.post("/logout", {}).status == 200:
            self.ask_later(self.is_told, claims["sid"])

    def admins(self):
        api, n = Api(self.usher), self.next()
        settings = {"plugin": "discord", **fake_providers(self.fake)["discord"]}
        app = {"label": "App %d" % n, "client_type": "public"}
        for name, method, path, body in (("providers/p%d" % n, "POST", "providers", {"id": "p%d" % n, "settings": settings}),
                                         ("apps/a%d" % n, "POST", "apps", {"id": "a%d" % n, "settings": app}),
                                         ("roles/r%d" % n, "PUT", "roles/r%d" % n, {"permissions": ["wiki.read"]})):
            answer = api.request(method, "/api/v1/" + path, body)
            if self.expect(answer.status == 201, (path, answer.text)):
                self.ask_later(self.is_made, "/api/v1/" + name)
        answer = api.request("POST", "/api/v1/providers/p%d/rotate" % n, {"secret": "next-%d" % n})
        if self.expect(answer.status == 200, answer.text):
            self.ask_later(self.is_rotated, "/api/v1/providers/p%d" % n)
        seen = api.get("/api/v1/providers/p%d" % n)
        self.drop_questions("/api/v1/providers/p%d" % n)
        answer = api.request("DELETE", "/api/v1/providers/p%d" % n, {}, {"If-Match": seen.headers["ETag"] or ""})
        if self.expect(answer.status == 200, answer.text):
            self.ask_later(self.is_gone, "/api/v1/providers/p%d" % n)

    def accounts(self):
        api, browser = Api(self.usher), Browser(self.usher)
        if self.account:  # an earlier round may have left it disabled
            api.request("POST", "/api/v1/users/%s/enable" % self.account, {})
        browser.sign_in("discord", "legion")
        self.account = account = browser.me()["id"]
        for what, body, question in (("disable", {"reason": "a test"}, self.is_disabled), ("enable", {}, self.is_enabled)):
            self.drop_questions(account)
            answer = api.request("POST", "/api/v1/users/%s/%s" % (account, what), body)
            if self.expect(answer.status == 200, answer.text):
                self.ask_later(question, account)

    def keys(self):
        """New signing keys, new keys that seal, the configuration read again: each by whoever may."""
        api = Api(self.usher)
        for path, body in (("signing-keys/rotate", {}), ("config/reload", {}), ("keys/rotate", {})):
            answer = api.request("POST", "/api/v1/" + path, body)
            self.expect(answer.status in (200, 201, 409, 429), (path, answer.text))
        self.usher.child.send_signal(signal.SIGHUP)
        path = self.folder / "apps.d" / "plain.conf"
        write_private(path, path.read_text())  # whoever watches the folder notices

    def trials(self):
        """Providers and drafts of one tried out, and a reading of what a reload would change."""
        api = Api(self.usher)
        draft = {"id": "draft", "settings": {"plugin": "discord", **fake_providers(self.fake)["discord"]}}
        for method, path, body in (("POST", "providers/oidc/test", {}), ("POST", "provider-tests", draft),
                                   ("GET", "config/diff", None)):
            answer = api.request(method, "/api/v1/" + path, body)
            self.expect(answer.status == 200, (path, answer.text))

    def export(self):
        """The audit as it is taken elsewhere, and proven."""
        api, before = Api(self.usher), None
        for _ in range(3):
            path = "/api/v1/audit?limit=200" + ("&before=%s" % before if before else "")
            answer = api.request("GET", path)
            if not self.expect(answer.status == 200, answer.text) or not answer.json()["audit"]:
                break
            before = answer.json()["audit"][-1]["n"]
        answer = api.request("GET", "/api/v1/audit/verify")
        if self.expect(answer.status == 200, answer.text):
            self.expect(answer.json()["good"], answer.text)
            self.ask_later(self.is_whole, answer.json()["head"])

    # ---- what is asked afterwards

    def is_signed_in(self, token):
        self.assertEqual(Browser(self.usher).get("/api/v1/me", Cookie="usher=" + token).status, 200)

    def is_signed_out(self, token):
        self.assertEqual(Browser(self.usher).get("/api/v1/me", Cookie="usher=" + token).status, 401)

    def is_active(self, app, token):
        self.assertTrue(self.rp[app].post("introspection_endpoint", {"token": token}).json()["active"])

    def is_refreshed(self, token):
        answer = self.rp["plain"].refresh(token)
        self.assertEqual(answer.status, 200, answer.text)

    def is_pending(self, code):
        answer = self.rp["plain"].post("token_endpoint", {"grant_type": DEVICE, "device_code": code})
        self.assertIn(answer.json()["error"], ("authorization_pending", "slow_down"))

    def is_waiting(self, uri, verifier):
        rp, browser = self.rp["plain"], self.visitor
        answer = rp.arrive(browser, browser.get("/oauth2/authorize?" + urllib.parse.urlencode(
            {"client_id": rp.client_id, "request_uri": uri})))
        self.assertIn("code", answer)
        self.assertEqual(rp.redeem(answer, verifier=verifier).status, 200)

    def is_told(self, sid):
        wait_for("the logout token", lambda: sid in [claims["sid"] for _, _, claims in self.ears.heard])

    def is_made(self, path):
        self.assertEqual(Api(self.usher).get(path).status, 200, path)

    def is_rotated(self, path):
        self.assertIsNotNone(Api(self.usher).ask("GET", path)["secrets"]["client_secret"]["next"])

    def is_gone(self, path):
        self.assertEqual(Api(self.usher).get(path).status, 404, path)

    def is_disabled(self, account):
        self.assertTrue(Api(self.usher).ask("GET", "/api/v1/users/" + account)["disabled"])

    def is_enabled(self, account):
        self.assertFalse(Api(self.usher).ask("GET", "/api/v1/users/" + account)["disabled"])

    def is_whole(self, head):
        said = Api(self.usher).ask("GET", "/api/v1/audit/verify?head=" + head)
        self.assertTrue(said["good"] and said["head_met"], said)

    # ---- all of it

    def drop_questions(self, about):
        with self.lock:
            self.questions = [q for q in self.questions if q[1][0] != about]

    def expect(self, good, what):
        """While it stops, anything may be refused."""
        if not good and not self.stopping.is_set():
            raise AssertionError(what)
        return good

    def again_and_again(self, work):
        done = 0
        try:
            while not self.stopping.is_set():
                work()
                done += 1
                self.did[work.__name__] = done
        except (OSError, http.client.HTTPException, AssertionError, KeyError, TypeError, ValueError) as e:
            if not self.stopping.is_set():  # else the answer to something half done was not the usual one
                self.wrong.append("%s: %r" % (work.__name__, e))
                self.stopping.set()

    def one_round(self, works):
        self.questions, self.wrong, self.did = [], [], {}
        self.stopping.clear()
        threads = [threading.Thread(target=self.again_and_again, args=(work,)) for work in works]
        for t in threads:
            t.start()
        wait_for("each to have done something", lambda: len(self.did) == len(set(works)) or self.wrong)
        time.sleep(self.chance.random() * 0.3)
        self.stopping.set()
        for sig in self.chance.choice(((), (signal.SIGHUP,), (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP))):
            self.usher.child.send_signal(sig)
        status = self.usher.stop()
        for t in threads:
            t.join()
        self.assertEqual(self.wrong, [], self.seed)
        self.assertEqual(status, 0, self.usher.log()[-6000:])
        with sqlite3.connect(self.usher.database) as db:
            self.assertEqual(db.execute("PRAGMA foreign_key_check").fetchall(), [])
        db.close()
        self.assertNotIn("Sanitizer", self.usher.log())
        self.usher.start()
        self.visitor = Browser(self.usher)  # one for all: a hundred sessions would crowd out those asked about
        for question, arguments in self.questions:
            question(*arguments)

    def test_under_load(self):
        works = (self.people, self.people, self.kept_connection, self.tokens_of_apps, self.tokens_of_people, self.devices,
                 self.pushed, self.logouts, self.admins, self.accounts, self.keys, self.trials,
                 self.export)
        for _ in range(STOPS):
            self.one_round(works)
