# SPDX-License-Identifier: Apache-2.0
"""Sessions and cookies as a browser meets them: SESS cases."""
import concurrent.futures
import hashlib
import signal
import sqlite3
import time

from harness import Browser, Case


class Sessions(Case):
    def test_sess_01_cookie_attributes(self):
        # SESS-01
        start = self.browser.start()
        cookies = [start.headers["Set-Cookie"], self.browser.sign_in().headers["Set-Cookie"]]
        for cookie in cookies:
            self.assertIn("HttpOnly", cookie)
            self.assertIn("SameSite=Lax", cookie)
            self.assertIn("Path=/", cookie)
            self.assertNotIn("Domain", cookie)

    def test_sess_05_r13_any_changed_byte_is_no_session(self):
        # SESS-05
        self.browser.sign_in()
        token = self.browser.session()
        self.assertEqual(len(token), 43)
        for i in range(len(token)):
            other = token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:]
            answer = Browser(self.usher).get("/api/v1/me", Cookie="usher=" + other)
            self.assertEqual(answer.status, 401, i)
        for odd in ("", "A", token + "A", token[:-1], "%00" + token, '"%s"' % token, "A" * 5000):
            self.assertEqual(Browser(self.usher).get("/auth", Cookie="usher=" + odd).status, 401)

    def test_sess_08_two_session_cookies_are_none(self):
        # SESS-08
        self.browser.sign_in()
        token = self.browser.session()
        answer = Browser(self.usher).get("/auth", Cookie="usher=%s; usher=%s" % (token, token))
        self.assertEqual(answer.status, 401)

    def test_sess_09_only_the_hash_is_stored(self):
        # SESS-09
        self.browser.sign_in()
        token = self.browser.session().encode()
        for path in self.usher.folder.glob("usher.db*"):
            self.assertNotIn(token, path.read_bytes())
        self.assertNotIn(token.decode(), self.usher.log())

    def test_sess_10_12_signing_out(self):
        # SESS-10, SESS-12
        self.browser.sign_in()
        token = self.browser.session()
        self.assertEqual(self.browser.get("/logout").status, 200)
        self.assertIsNotNone(self.browser.me())  # SESS-12: a GET only asks
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {},
                        {"Sec_Fetch_Site": "same-site"}, {"Origin": self.usher.url + "."}):
            with self.subTest(headers=headers):  # STATE-21, STATE-22
                self.assertEqual(self.browser.post("/logout", {}, same_origin=False, **headers).status, 403)
                self.assertIsNotNone(self.browser.me())
        answer = self.browser.post("/logout", {})
        self.assertEqual(answer.status, 200)
        self.assertIsNone(self.browser.session())
        for path in ("/auth", "/api/v1/me"):
            self.assertEqual(Browser(self.usher).get(path, Cookie="usher=" + token).status, 401)

    def test_sess_10_a_planted_second_cookie_saves_nobody(self):
        # SESS-10
        # a sibling host may set the same name for a longer path, so that both are sent
        self.browser.sign_in()
        token = self.browser.session()
        for planted in ("x", "A" * 43):
            answer = self.browser.post("/logout", {}, Cookie="usher=%s; usher=%s" % (planted, token))
            self.assertEqual(answer.status, 200)
            self.assertEqual(Browser(self.usher).get("/auth", Cookie="usher=" + token).status, 401)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM session WHERE hash = ?",
                                         hashlib.sha256(token.encode()).digest()), [(0,)])

    def test_sess_13_after_the_answer_no_new_200(self):
        # SESS-13
        self.browser.sign_in()
        token = self.browser.session()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            stop = []

            def poll(_):
                late = 0
                while not stop:
                    ended = bool(gone)
                    status = Browser(self.usher).get("/auth", Cookie="usher=" + token).status
                    late += ended and status == 200
                return late

            gone = []
            polls = [pool.submit(poll, i) for i in range(4)]
            time.sleep(0.1)
            self.browser.post("/logout", {})
            gone.append(True)
            time.sleep(0.2)
            stop.append(True)
            self.assertEqual(sum(p.result() for p in polls), 0)

    def test_priv_03_05_nothing_personal_is_cached(self):
        # PRIV-03, PRIV-05
        self.browser.sign_in()
        for path in ("/", "/api/v1/me", "/auth", "/login", "/logout"):
            answer = self.browser.get(path)
            self.assertEqual(answer.headers["Cache-Control"], "no-store", path)
        for path in ("/", "/api/v1/me"):
            self.assertEqual(self.browser.get(path).headers["X-Content-Type-Options"], "nosniff")

    def test_sess_26_another_address_or_agent_does_not_end_it(self):
        # SESS-26
        self.browser.sign_in()
        self.assertEqual(self.browser.get("/auth", User_Agent="other", X_Forwarded_For="192.0.2.7").status, 200)

    def test_sess_15_cookies_come_whole_or_not_at_all(self):
        # SESS-15
        self.browser.sign_in()
        token = self.browser.session()
        for cookies in ("usher=" + token[:20] + "; usher_1=" + token[20:], "usher_count=1000000000; usher_0=" + token,
                        "usher=%s%s" % (token, token), "usher=" + "A" * 6000, "usher_count=-1; usher=",
                        "; ".join("usher_%d=%s" % (i, token) for i in range(100)),
                        "usher=2; usher_1=%s; usher_2=%s" % (token, "A" * 43)):
            self.assertEqual(Browser(self.usher).get("/auth", Cookie=cookies).status, 401, cookies[:80])
        self.usher.alive_and_well()
        self.assertIsNotNone(self.browser.me())

    def test_sess_24_an_id_of_a_session_ends_nothing(self):
        # SESS-24: there is no address that ends a session for whoever knows its id
        self.browser.sign_in()
        sid = self.browser.me()["session"]["id"]
        for who in (Browser(self.usher), self.browser):
            for path in ("/logout?sid=%s", "/logout?iss=%s&sid=%%s" % self.usher.url, "/logout/%s", "/frontchannel_logout?sid=%s",
                         "/oauth2/logout?sid=%s"):
                self.assertLess(who.get(path % sid).status, 500)
        for path in ("/logout", "/account/sessions/%s/end" % sid):
            Browser(self.usher).post(path, {"sid": sid})
        self.assertIsNotNone(self.browser.me())

    def test_sess_22_one_person_holds_only_so_many_sessions(self):
        # SESS-22
        browsers = []
        for _ in range(103):
            browser = Browser(self.usher)
            browser.sign_in("google", "grace")
            browsers.append(browser)
        alive = [b for b in browsers if b.me()]
        self.assertEqual(len(alive), 100)
        self.assertIsNotNone(browsers[-1].me())
        self.usher.stop()
        self.usher.start()
        self.assertEqual(len([b for b in browsers if b.me()]), 100)

    def test_a_session_survives_a_restart(self):
        self.browser.sign_in()
        self.assertEqual(self.usher.stop(signal.SIGTERM), 0)
        self.usher.start()
        self.assertIsNotNone(self.browser.me())


class BrokenStore(Case):
    def test_a_locked_database_lets_nobody_in(self):
        # FWD-25, SESS-28, DB-10: memory goes on answering for those it knows; nothing is promised
        # that cannot be kept
        self.browser.sign_in()
        waiting = Browser(self.usher)
        target = waiting.to_callback("discord", "grace")
        with sqlite3.connect(self.usher.database, isolation_level=None) as lock:
            lock.execute("BEGIN IMMEDIATE")
            answer = waiting.get(target)
            self.assertIn(answer.status, (500, 503), answer.summary())
            self.assertIsNone(waiting.session())
            self.assertIsNone(waiting.me())
            self.assertEqual(self.browser.get("/auth").status, 200)
            self.assertEqual(Browser(self.usher).get("/auth").status, 401)
            answer = self.browser.post("/logout", {})
            self.assertIn(answer.status, (500, 503))  # not "signed out", for a restart would undo it
            self.assertEqual(self.browser.get("/auth").status, 401)
            lock.execute("ROLLBACK")
        self.assertEqual(self.browser.post("/logout", {}).status, 200)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM session"), [(0,)])
        waiting.sign_in("discord", "grace")
        self.assertIsNotNone(waiting.me())


class ShortSessions(Case):
    settings = {"session": {"idle": "60s", "absolute": "60s"}}

    def test_sess_16_17_the_limits_are_stored_and_shown(self):
        # SESS-16, SESS-17
        self.browser.sign_in()
        session = self.browser.me()["session"]
        self.assertEqual(session["ends"] - session["created"], 60)


class FewSessions(Case):
    settings = {"session": {"max": "17"}}

    def test_more_are_stored_than_fit(self):
        # the rest is in the store alone, and nobody notices
        browsers = [Browser(self.usher) for _ in range(40)]
        for browser in browsers:
            browser.sign_in()
        self.assertTrue(all(browser.me() for browser in browsers))
        self.assertEqual(self.usher.stop(signal.SIGTERM), 0)
        self.usher.start()
        self.assertTrue(all(browser.me() for browser in browsers))
        self.assertEqual([event["complete"] for event in self.usher.told("session.loaded", 2)], [True, False])
        self.assertEqual(self.usher.rows("SELECT count(*) FROM session"), [(40,)])
        browsers[0].post("/logout", {})
        self.assertIsNone(browsers[0].me())
        self.assertEqual(sum(browser.me() is not None for browser in browsers), 39)
