# SPDX-License-Identifier: Apache-2.0
"""Floods, crowds and pauses: DOS cases, CB-35, SESS-22."""
import concurrent.futures
import http.client
import select
import socket

from faults import CLIENT, DISCORD_TOKEN, DISCORD_USER, OIDC, SANITIZED, Faults, at_once, parameter, with_query
from harness import PATIENCE, Browser, receive, wait_for

STARTS = 2000 if SANITIZED else 20000
EACH = 10 if SANITIZED else 70  # sessions of each of 15 accounts; 100 is the limit of one
CROWD = 150 if SANITIZED else 500


def kept(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)


class Floods(Faults):
    spares = {"discord": 4, "google": 2, "oidc": 4}

    def ask(self, connection, path, cookie=None):
        connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        answer.read()
        return answer

    def test_dos_01_login_starts_cost_no_memory(self):
        # DOS-01
        Browser(self.usher).start()
        c = kept(self.usher.port)
        for _ in range(300):
            self.ask(c, "/login/discord")
        memory, descriptors, disk = self.memory(), self.descriptors(), self.usher.database.stat().st_size
        for i in range(STARTS):
            answer = self.ask(c, "/login/%s?return_to=/%s" % (("discord", "google", "oidc")[i % 3], "x" * (i % 500)))
            if answer.status != 303:
                self.fail(answer.status)
        c.close()
        self.assert_back_to(descriptors, memory, 8 * 1024)
        self.assertEqual(self.usher.database.stat().st_size, disk)
        self.assertEqual(Browser(self.usher).sign_in().status, 303)  # genuine ones still work

    def test_dos_02_large_parameters_cost_no_memory(self):
        # DOS-02
        Browser(self.usher).start()
        c = kept(self.usher.port)
        for _ in range(300):
            self.ask(c, "/login/discord?return_to=/" + "x" * 1000)
        memory, descriptors, disk = self.memory(), self.descriptors(), self.usher.database.stat().st_size
        statuses = set()
        for i in range(STARTS // 10):
            large = "x" * (7600 + i % 900)  # up to more than a request line may have
            query = ("return_to=/" + large, "login_hint=" + large, "prompt=" + large, "unknown=" + large,
                     "&".join("p%d=x" % n for n in range(63)), "&".join("p%d=x" % n for n in range(200)))[i % 6]
            statuses.add(self.ask(c, "/login/discord?" + query).status)
        c.close()
        self.assertEqual(statuses - {303, 400, 414, 431}, set())
        self.assertIn(303, statuses)
        self.assert_back_to(descriptors, memory, 8 * 1024)
        self.assertEqual(self.usher.database.stat().st_size, disk)
        self.assertEqual(Browser(self.usher).sign_in().status, 303)

    def test_dos_04_a_wrong_secret_costs_no_work(self):
        # DOS-04: secrets of programs are random, so their check is one fast hash, not a slow one
        n = 500
        c = kept(self.usher.port)

        def cost(token):
            before = self.processor_ms()
            for i in range(n):
                c.request("GET", "/api/v1/status", headers={"Authorization": "Bearer %s%043d" % (token, i)})
                answer = c.getresponse()
                answer.read()
                self.assertEqual(answer.status, 401)
            return (self.processor_ms() - before) / n

        cost("")
        self.assertLess(cost(""), 20 if SANITIZED else 4)
        c.close()

    def test_dos_11_no_redirects_in_circles(self):
        # DOS-11: every round needs a click: a browser that keeps no cookie ends at a page
        page = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
        asked = {**page, "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "http",
                 "X-Forwarded-Host": "127.0.0.1:%d" % self.usher.port, "X-Forwarded-Uri": "/app"}
        forgetful = Browser(self.usher)
        answer = forgetful.request("GET", "/auth", headers=asked)
        hops = 0
        while answer.status in (302, 303):
            forgetful.cookies = {}
            answer = forgetful.request("GET", answer.location, headers=page)
            hops += 1
        self.assertEqual((answer.status, hops), (200, 1))  # the chooser
        self.assertIsNone(answer.headers.get("Refresh"))
        target = self.browser.to_callback()
        answer = Browser(self.usher).get(target)  # without the cookie that ties it to a browser
        self.assert_local_400(answer)
        self.assertIsNone(answer.headers.get("Refresh"))
        # A provider that says no at once, as prompt=none does, is a page as well.
        for error in ("login_required", "interaction_required", "access_denied"):
            answer = self.browser.get(with_query(self.browser.to_callback(), code=None, error=error))
            self.assertGreaterEqual(answer.status, 400)
            self.assertIsNone(answer.location)
            self.assertIsNone(answer.headers.get("Refresh"))

    def test_cb_35_bogus_callbacks_reach_no_upstream(self):
        # CB-35
        target = self.browser.to_callback()
        cookie = "usher-bind=" + self.browser.cookies["127.0.0.1:%d" % self.usher.port]["usher-bind"]
        state = parameter(target, "state")
        before = self.fake.counts()
        c = kept(self.usher.port)
        for i in range(1500):
            odd = ("x" * (i % 900), state[:-1 - i % 50], state + "A" * (1 + i % 9), state[i % 40 + 1:] + state[:1])[i % 4]
            path = "/callback/discord?code=c%d&state=%s" % (i, odd)
            answer = self.ask(c, path, cookie if i % 2 else None)
            if answer.status != 400:
                self.fail((answer.status, path))
        c.close()
        self.assertEqual(self.fake.counts(), before)
        self.assertEqual(self.browser.get(target).status, 303)
        # What they cost in the log: bounded lines, none with what they sent
        self.assertNotIn(state, self.usher.log())

    def test_cb_35_one_genuine_state_buys_one_request(self):
        # CB-35
        target = self.browser.to_callback()
        answers = [self.browser.get(with_query(target, code="invented-%d" % i)).status for i in range(30)]
        self.assertEqual(set(answers), {400})
        self.assertEqual(self.fake.counts().get(DISCORD_TOKEN, 0), 1)
        self.assertEqual(self.fake.counts().get(DISCORD_USER, 0), 0)

    def test_dos_07_hostile_values_do_not_break_log_lines(self):
        # DOS-07
        mark = "inj\u001b[31m\r\n{\"event\":\"forged\"}"
        target = self.browser.to_callback()
        self.browser.get(with_query(target, code=None, error=mark))
        Browser(self.usher).get("/login/discord?return_to=%0d%0a%7b%22event%22:%22forged%22%7d")
        Browser(self.usher).get("/auth", User_Agent="a\tb \u00ff {\"event\":\"forged\"}", X_Forwarded_Host="x\"y")
        self.usher.alive_and_well()
        self.settle()
        self.assertEqual(self.usher.events("forged"), [])
        self.assertNotIn("\u001b", self.usher.log())
        for line in self.usher.log().splitlines():
            self.assertLess(len(line), 4096)

    def test_sess_22_many_sessions(self):
        # SESS-22
        """All of them are good, and each can be ended."""
        tokens = []

        def some(provider, person):
            for _ in range(EACH):
                browser = Browser(self.usher)
                browser.sign_in(provider, person)
                tokens.append(browser.session())

        memory = self.memory()
        at_once(*[(lambda p=p, w=w: some(p, w)) for p in ("discord", "google", "oidc")
                  for w in ("ada", "grace", "noor", "konrad", "lin")])
        self.assertEqual(len(set(tokens)), 15 * EACH)
        if not SANITIZED:
            self.assertLess(self.memory() - memory, 16 * 1024)
        c = kept(self.usher.port)
        for token in tokens:
            self.assertEqual(self.ask(c, "/auth", "usher=" + token).status, 200)
        c.close()
        page = Browser(self.usher)
        page.cookies = {"127.0.0.1:%d" % self.usher.port: {"usher": tokens[0]}}
        self.assertEqual(page.post("/logout", {}).status, 200)
        c = kept(self.usher.port)
        self.assertEqual(self.ask(c, "/auth", "usher=" + tokens[0]).status, 401)
        self.assertEqual(self.ask(c, "/auth", "usher=" + tokens[1]).status, 200)
        c.close()

    def test_sess_22_one_person_holds_only_so_many(self):
        # SESS-22
        provider, tokens = self.spare("discord"), []
        for _ in range(104):
            browser = Browser(self.usher)
            browser.sign_in(provider)
            tokens.append(browser.session())
        c = kept(self.usher.port)
        good = [self.ask(c, "/auth", "usher=" + token).status == 200 for token in tokens]
        c.close()
        self.assertEqual(sum(good), 100)
        self.assertTrue(good[-1])  # never the new one
        wait_for("rows of live sessions only", lambda: self.usher.rows(
            "SELECT count(*) FROM session WHERE provider = ?", provider)[0][0] == 100)
        self.assertEqual(len(self.usher.told("session.made_way", 4)), 4)


class Full(Faults):
    spares = {"discord": 0, "google": 0, "oidc": 0}
    settings = {"session": {"max": "16"}}

    def test_a_full_table_ends_nobody(self):
        """Who does not fit into memory is in the store alone, and nobody notices, a restart neither."""
        browsers = [Browser(self.usher) for _ in range(40)]
        for browser in browsers:
            browser.sign_in()
        for _ in range(2):
            self.assertTrue(all(browser.me() for browser in browsers))
        self.assertEqual(self.sessions(), 40)
        self.assertEqual(self.usher.stop(), 0)
        self.usher.start()
        self.assertTrue(all(browser.me() for browser in browsers))
        browsers[0].post("/logout", {})
        self.assertEqual([browser.me() is not None for browser in browsers], [False] + 39 * [True])
        self.assertEqual(self.sessions(), 39)


class Busy(Faults):
    spares = {"discord": 0, "google": 0, "oidc": 0}
    settings = {"login": {"max_in_flight": "4"}}

    def test_more_logins_than_allowed_are_told_to_wait(self):
        waiting = [(b, b.to_callback("oidc")) for b in (Browser(self.usher) for _ in range(10))]
        self.fake.fault(OIDC["token"], "held", times=4)
        with concurrent.futures.ThreadPoolExecutor(len(waiting)) as pool:
            asked = [pool.submit(b.get, u) for b, u in waiting]
            try:
                wait_for("the refusals", lambda: sum(f.done() for f in asked) >= 6)
                wait_for("the others", lambda: self.asked(OIDC["token"]) >= 4)
            finally:
                self.fake.release()
            answers = [f.result() for f in asked]
        self.assertEqual(sorted(a.status for a in answers), [303] * 4 + [503] * 6)
        for (browser, url), answer in zip(waiting, answers):
            if answer.status == 503:
                self.assertIsNotNone(answer.headers.get("Retry-After"))
                # not used up: the same address works now that there is room
                self.assertEqual(browser.get(url).status, 303)


class Crowd(Faults):
    spares = {"discord": 2, "google": 2, "oidc": 2}
    every = {"timeout": "60s"}

    def test_dos_05_a_crowd_at_a_hanging_upstream(self):
        # DOS-05
        """Everybody else signs in and is checked meanwhile; the crowd gets its page; nothing is left."""
        known = Browser(self.usher)
        known.sign_in("google")
        provider = self.spare("discord")
        host = "127.0.0.1:%d" % self.usher.port
        crowd = []
        for _ in range(CROWD):
            browser = Browser(self.usher)
            url = browser.to_callback(provider)
            crowd.append((url[len(self.usher.url):], browser.cookies[host]["usher-bind"]))
        descriptors, memory = self.descriptors(), self.memory()
        self.fake.fault(DISCORD_TOKEN, "held")
        self.fake.fault(DISCORD_TOKEN, "truncated")
        sockets = []
        for path, bind in crowd:
            s = socket.create_connection(("127.0.0.1", self.usher.port))
            s.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nCookie: usher-bind=%s\r\nConnection: close\r\n\r\n"
                       % (path, host, bind)).encode())
            sockets.append(s)
        wait_for("the crowd to wait", lambda: self.fake.counts().get(DISCORD_TOKEN, 0) > CROWD // 3)
        for _ in range(20):
            self.assertEqual(known.get("/auth").status, 200)
        other = Browser(self.usher)
        self.assertEqual(other.sign_in("google").status, 303)
        self.assertIsNotNone(other.me())
        self.assertEqual(select.select(sockets, [], [], 0)[0], [])  # all of that while the crowd waits
        self.fake.release()
        answers = [receive(s, PATIENCE) for s in sockets]
        for s in sockets:
            s.close()
        statuses = {a[9:12] for a in answers}
        self.assertLessEqual(statuses, {b"502", b"503"}, statuses)
        self.assertTrue(all(b"Set-Cookie: usher=" not in a for a in answers))
        self.fake.reset()
        self.assert_back_to(descriptors + 8, memory, 48 * 1024)
        self.assertEqual(Browser(self.usher).sign_in(provider).status, 303)  # and it recovers


class Secret(Faults):
    spares = {"discord": 0, "google": 0, "oidc": 0}

    def test_a_client_secret_switched_in_mid_run(self):
        """Clean errors, no storm, nobody signed in out; and well again once it is put back."""
        known = Browser(self.usher)
        known.sign_in("discord")
        self.fake.fault("*", "secret-switch", value="another-secret")
        for provider in ("discord", "google", "oidc"):
            with self.subTest(provider):
                before = self.fake.counts()
                browser = Browser(self.usher)
                url = browser.to_callback(provider)
                answer = browser.get(url)
                self.assertEqual(answer.status, 500, answer.summary())
                self.assertIn("not set up right", answer.text)
                self.assert_signed_out(browser)
                tokens = {p: n - before.get(p, 0) for p, n in self.fake.counts().items() if p.endswith("/token")}
                self.assertEqual(sum(tokens.values()), 1)
        failures = self.failures()
        self.assertEqual([e["kind"] for e in failures], ["misconfigured"] * 3)
        self.assertEqual({e["level"] for e in failures}, {"error"})
        self.assert_log_tells_nothing()
        self.assertIsNotNone(known.me())
        self.fake.fault("*", "secret-switch", value=CLIENT["client_secret"])
        for provider in ("discord", "google", "oidc"):
            self.assertEqual(Browser(self.usher).sign_in(provider).status, 303)
