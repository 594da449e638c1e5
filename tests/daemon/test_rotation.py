# SPDX-License-Identifier: Apache-2.0
"""A client secret is replaced at the upstream while people sign in: nobody notices, whoever of the two
sides goes first."""
import concurrent.futures
import http.client
import itertools
import threading

from faults import DISCORD_TOKEN
from harness import CLIENT, PATIENCE, Api, Browser, Case, fake_providers, wait_for

OLD, NEW, THIRD = CLIENT["client_secret"], "canary-next-9b1f7c", "canary-third-77e0aa"
LOGINS = 60


class Switching(Case):
    @classmethod
    def providers(cls, fake):
        usual = fake_providers(fake)
        return {name: {**settings, "client_secret_next": NEW} for name, settings in usual.items()}

    def setUp(self):
        super().setUp()
        for provider in ("discord", "google", "oidc"):  # whatever a test left behind: back to the first secret
            Browser(self.usher).sign_in(provider)
        self.fake.reset()
        self.look_from_here()
        self.fell_over_before = self.metric("discord")

    def switch(self, secret):
        self.fake.call("POST", "/fake/faults", {"fault": "secret-switch", "value": secret})

    def look_from_here(self):
        self.usher.settle()
        self.log_from = len(self.usher.events())

    def logged(self, name):
        """Events of that name since we look."""
        self.usher.settle()
        return [e for e in self.usher.events()[self.log_from:] if e["event"] == name]

    def fell_over(self):
        return [(e["provider"], e["from"], e["to"]) for e in self.logged("credentials.fell_over")]

    def metric(self, provider):
        page = Browser(self.usher).get("/metrics", Authorization="Bearer metrics-token-for-tests").text
        head = 'usher_credential_fallovers_total{provider="%s"} ' % provider
        return sum(int(line[len(head):]) for line in page.splitlines() if line.startswith(head))

    def under_load(self, provider, *switches):
        """LOGINS logins, eight at a time; after each equal part of them the upstream switches. The
        statuses of the callbacks, and whether each browser was signed in."""
        done = threading.Semaphore(0)

        def one(_):
            browser = Browser(self.usher)
            try:
                status = browser.get(browser.to_callback(provider)).status
                return status, browser.session() is not None
            finally:
                done.release()

        part = LOGINS // (len(switches) + 1)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            running = [pool.submit(one, i) for i in range(LOGINS)]
            for secret in switches:
                for _ in range(part):
                    done.acquire()
                self.switch(secret)
            return [f.result() for f in running]


class Files(Switching):
    def test_upstream_switches_under_load_and_back(self):
        # Zero failed logins in either direction, one fall-over for each.
        for provider in ("discord", "google", "oidc"):
            with self.subTest(provider=provider):
                self.look_from_here()
                self.assertEqual(self.under_load(provider, NEW), [(303, True)] * LOGINS)
                self.assertEqual(self.fell_over(), [(provider, "active", "next")])
                self.assertEqual(self.under_load(provider, OLD), [(303, True)] * LOGINS)
                self.assertEqual(self.fell_over()[1:], [(provider, "next", "active")])
        self.assertEqual(self.metric("discord") - self.fell_over_before, 2)

    def test_to_and_fro_in_one_run(self):
        self.assertEqual(self.under_load("discord", NEW, OLD), [(303, True)] * LOGINS)
        self.assertEqual(self.fell_over(), [("discord", "active", "next"), ("discord", "next", "active")])

    def test_what_was_learnt_is_remembered(self):
        self.switch(NEW)
        self.browser.sign_in("discord")
        self.assertEqual(self.fake.counts()[DISCORD_TOKEN], 2)
        for _ in range(3):
            Browser(self.usher).sign_in("discord")
        self.assertEqual(self.fake.counts()[DISCORD_TOKEN], 5)
        self.assertEqual(self.fell_over(), [("discord", "active", "next")])

    def test_a_third_secret_that_nobody_has(self):
        self.switch(THIRD)
        answer = self.browser.get(self.browser.to_callback("discord"))
        self.assertEqual(answer.status, 500, answer.summary())
        self.assertIsNone(self.browser.me())
        self.assertEqual(self.fake.counts()[DISCORD_TOKEN], 2)
        failed = self.logged("login.failed")
        self.assertEqual([e["kind"] for e in failed], ["misconfigured"])
        self.assertIn("each of its client secrets: active next", failed[0]["text"])
        self.assertEqual(self.fell_over(), [])
        self.fake.reset()
        Browser(self.usher).sign_in("discord")
        self.assertEqual(self.fell_over(), [])

    def test_a_callback_url_nobody_registered(self):
        # R17: at the way back and at the token endpoint, with the exact URL for the log.
        url = self.usher.url + "/callback/discord"
        back = self.browser.to_callback("discord").partition("?")[2]
        state = [p for p in back.split("&") if p.startswith("state=")][0]
        self.assertEqual(self.browser.get("/callback/discord?error=redirect_uri_mismatch&" + state).status, 500)
        self.fake.fault(DISCORD_TOKEN, "http", status=400, value='{"error":"redirect_uri_mismatch"}', times=1)
        self.fake.fault(DISCORD_TOKEN, "type", value="application/json", times=1)
        self.assertEqual(self.browser.get(self.browser.to_callback("discord")).status, 500)
        failed = self.logged("login.failed")
        self.assertEqual([e["kind"] for e in failed], ["misconfigured"] * 2)
        for e in failed:
            self.assertIn("register exactly %s there" % url, e["text"])

    def test_secrets_are_nowhere(self):
        self.switch(NEW)
        pages = [self.browser.get(self.browser.to_callback("google")).text]
        self.switch(THIRD)
        pages.append(self.browser.get(self.browser.to_callback("google")).text)
        pages.append(Browser(self.usher).get("/metrics", Authorization="Bearer metrics-token-for-tests").text)
        for secret in (OLD, NEW, THIRD):
            for text in [*pages, self.usher.log()]:
                self.assertNotIn(secret, text)
            for path in self.folder.glob("usher.db*"):
                self.assertNotIn(secret.encode(), path.read_bytes())


class Rows(Switching):
    """The same for a provider that is kept as a row: what the logins find out is kept, too. Each test has
    its own: what usher learnt of secrets it remembers by the provider's name."""

    rows = itertools.count()

    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)
        self.row = "row-%d" % next(self.rows)
        self.path = "/api/v1/providers/" + self.row
        settings = {"plugin": "discord", **fake_providers(self.fake)["discord"]}
        self.api.ask("POST", "/api/v1/providers", {"id": self.row, "settings": settings, "adopt": True}, status=201)
        self.api.ask("POST", self.path + "/rotate", {"secret": NEW})
        self.addCleanup(self.drop)

    def drop(self):
        def gone():  # a promotion may still be on its way, which is a change by somebody else
            p = self.api.ask("GET", self.path)
            answer = self.api.request("DELETE", self.path, {"force": True}, {"If-Match": '"%d"' % p["version"]})
            return answer.status in (200, 204)
        wait_for("the row to be gone", gone)

    def slots(self):
        return {slot: kept is not None for slot, kept in
                self.api.ask("GET", self.path)["secrets"]["client_secret"].items() if slot != "using"}

    def acts(self):
        return [(e["action"], e["actor_kind"]) for e in self.api.ask("GET", "/api/v1/audit?object=" + self.row)["audit"]
                if e["action"] in ("provider.promote", "provider.demote")]

    def test_the_next_secret_is_promoted_by_the_logins_that_need_it(self):
        before = len(self.acts())
        self.assertEqual(self.slots(), {"active": True, "next": True, "retiring": False})
        self.assertEqual(self.under_load(self.row, NEW), [(303, True)] * LOGINS)
        self.assertEqual(self.fell_over(), [(self.row, "active", "next")])
        wait_for("the promotion", lambda: self.slots() == {"active": True, "next": False, "retiring": True})
        self.assertEqual(self.under_load(self.row, OLD), [(303, True)] * LOGINS)
        self.assertEqual(self.fell_over()[1:], [(self.row, "active", "retiring")])
        wait_for("the way back", lambda: self.slots() == {"active": True, "next": True, "retiring": False})
        self.assertEqual(len(self.acts()) - before, 2)
        self.assertEqual({kind for _, kind in self.acts()}, {"system"})

    def test_to_and_fro_while_rows_move(self):
        # The way back may come before the promotion is in force: both registries have both secrets.
        self.assertEqual(self.under_load(self.row, NEW, OLD), [(303, True)] * LOGINS)
        self.switch(NEW)
        Browser(self.usher).sign_in(self.row)

    def test_promoted_for_good(self):
        self.switch(NEW)
        Browser(self.usher).sign_in(self.row)
        wait_for("the promotion", lambda: self.slots()["retiring"])
        self.usher.stop()
        self.usher.start()
        before = self.fake.counts()[DISCORD_TOKEN]
        Browser(self.usher).sign_in(self.row)
        self.assertEqual(self.fake.counts()[DISCORD_TOKEN], before + 1)  # the right one at once


class Stopping(Case):
    """usherd is told to stop while the promotion that a login called for is still being put in force. It
    belongs to no request, so nobody waits for it; building hundreds of providers takes its time."""

    @classmethod
    def providers(cls, fake):
        usual = fake_providers(fake)
        return {**usual, **{"more%d" % i: {**usual["discord"], "plugin": "discord"} for i in range(250)}}

    def ask_on(self, statuses):
        """The same question on one connection until it is closed."""
        kept = http.client.HTTPConnection("127.0.0.1", self.usher.port, timeout=PATIENCE)
        try:
            while True:
                kept.request("GET", "/login/google")
                answer = kept.getresponse()
                answer.read()
                statuses.append(answer.status)
        except (http.client.HTTPException, OSError):
            kept.close()

    def test_in_the_middle_of_a_promotion(self):
        api = Api(self.usher)
        settings = {"plugin": "discord", **fake_providers(self.fake)["discord"]}
        api.ask("POST", "/api/v1/providers", {"id": "row", "settings": settings, "adopt": True}, status=201)
        api.ask("POST", "/api/v1/providers/row/rotate", {"secret": NEW})
        self.fake.call("POST", "/fake/faults", {"fault": "secret-switch", "value": NEW})
        statuses = []
        visitors = [threading.Thread(target=self.ask_on, args=(statuses,)) for _ in range(4)]
        Browser(self.usher).sign_in("row")
        for visitor in visitors:
            visitor.start()
        self.assertEqual(self.usher.stop(), 0)
        for visitor in visitors:
            visitor.join()
        self.assertLessEqual(set(statuses), {303, 503})
        self.usher.start()
        slots = api.ask("GET", "/api/v1/providers/row")["secrets"]["client_secret"]
        self.assertIsNone(slots["next"])  # what was begun is finished
