# SPDX-License-Identifier: Apache-2.0
"""What survives when usherd is killed, and how it stops when it is asked to."""
import http.client
import signal
import sqlite3
import threading
import time

from faults import DISCORD_TOKEN, SANITIZED
from harness import Browser, Case, wait_for

ROUNDS = 2 if SANITIZED else 5


class Restarting(Case):
    def setUp(self):
        super().setUp()
        if not self.usher.alive():  # a failed test left it so
            self.usher.start()


class Killed(Restarting):
    def load(self, stop, made, unexpected):
        """Sign in again and again; remember what was answered as made."""
        people = ("ada", "grace", "noor", "konrad", "lin")
        while not stop.is_set():
            browser = Browser(self.usher)
            provider = ("discord", "google", "oidc")[len(made) % 3]
            try:
                answer = browser.get(browser.to_callback(provider, people[len(made) % 5]))
            except (OSError, http.client.HTTPException, AssertionError):
                continue  # it was killed meanwhile
            if answer.status == 303 and browser.session():
                made.append(browser.session())
            else:
                unexpected.append(answer.summary())

    def test_what_was_answered_as_made_is_there_after_kill_9(self):
        all_made, unexpected = [], []
        for n in range(ROUNDS):
            stop, made = threading.Event(), []
            threads = [threading.Thread(target=self.load, args=(stop, made, unexpected)) for _ in range(6)]
            for t in threads:
                t.start()
            wait_for("some sign-ins", lambda: len(made) >= 12)
            time.sleep(0.05 * n)
            self.assertTrue(self.usher.alive())
            self.usher.child.kill()
            self.usher.child.wait()
            stop.set()
            for t in threads:
                t.join()
            self.usher.log_file.close()
            with sqlite3.connect(self.usher.database) as db:
                self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
                self.assertEqual(db.execute("PRAGMA foreign_key_check").fetchall(), [])
            db.close()
            self.usher.start()
            self.assertEqual(unexpected, [])
            all_made += made
            accounts = set()
            for token in all_made:
                answer = Browser(self.usher).get("/api/v1/me", Cookie="usher=" + token)
                self.assertEqual(answer.status, 200, "a session that was answered as made is gone")
                accounts.add(answer.json()["id"])
            # one account for each of at most 15 pairs of provider and person, never two for one
            self.assertLessEqual(len(accounts), 15)
            self.assertEqual(self.usher.rows("SELECT count(*) FROM identity")[0][0],
                             self.usher.rows("SELECT count(DISTINCT provider || ' ' || subject) FROM identity")[0][0])
        self.assertGreaterEqual(len(all_made), 12 * ROUNDS)

    def test_state_06_a_used_flow_is_used_after_kill_9(self):
        # STATE-06
        target = self.browser.to_callback()
        self.assertEqual(self.browser.get(target).status, 303)
        self.usher.child.kill()
        self.usher.stop()
        self.usher.start()
        stranger = Browser(self.usher)
        stranger.cookies = {k: {"usher-bind": v["usher-bind"]} for k, v in self.browser.cookies.items() if "usher-bind" in v}
        self.assert_local_400(stranger.get(target))
        self.assertEqual(self.fake.counts()[DISCORD_TOKEN], 1)

    def test_a_login_begun_before_the_kill_ends_after_it(self):
        target = self.browser.to_callback("oidc")
        self.usher.child.kill()
        self.usher.stop()
        self.usher.start()
        self.assertEqual(self.browser.get(target).status, 303)
        self.assertIsNotNone(self.browser.me())


class Stopped(Restarting):
    def begin(self, target, browser):
        """The callback, held open by a slow upstream."""
        result = []
        thread = threading.Thread(target=lambda: result.append(browser.get(target)))
        before = self.fake.counts().get(DISCORD_TOKEN, 0)
        thread.start()
        wait_for("the token request", lambda: self.fake.counts().get(DISCORD_TOKEN, 0) > before)
        return thread, result

    def test_idle_it_stops_at_once(self):
        self.browser.sign_in()
        said, cut = (len(self.usher.events(name)) for name in ("daemon.stopped", "daemon.cut"))
        self.assertEqual(self.usher.stop(signal.SIGTERM), 0)
        self.assertEqual(len(self.usher.events("daemon.stopped")), said + 1)
        self.usher.start()
        self.assertIsNotNone(self.browser.me())
        self.assertEqual(self.usher.stop(signal.SIGINT), 0)
        self.assertEqual(len(self.usher.events("daemon.cut")), cut)  # nothing was waited for in vain
        self.usher.start()

    def test_accepted_requests_finish(self):
        target = self.browser.to_callback()
        self.fake.fault(DISCORD_TOKEN, "held")
        thread, result = self.begin(target, self.browser)
        stopping = len(self.usher.events("daemon.stopping"))
        self.usher.child.send_signal(signal.SIGTERM)
        line = self.usher.told("daemon.stopping", stopping + 1)[-1]
        self.assertEqual(line["logins"], 1)  # it is under way
        self.fake.release()
        self.assertEqual(self.usher.stop(), 0)
        thread.join()
        self.assertEqual(result[0].status, 303)
        self.usher.start()
        self.assertIsNotNone(self.browser.me())  # and what it answered is kept

    def test_nobody_new_is_let_in_while_it_stops(self):
        target = self.browser.to_callback()
        self.fake.fault(DISCORD_TOKEN, "held")
        thread, result = self.begin(target, self.browser)
        self.usher.child.send_signal(signal.SIGTERM)
        wait_for("the end of listening", self.refuses)
        self.fake.release()
        self.assertEqual(self.usher.stop(signal.SIGTERM), 0)
        thread.join()
        self.assertEqual(result[0].status, 303)
        self.usher.start()

    def refuses(self):
        try:
            return Browser(self.usher).get("/healthz").status == 503
        except OSError:
            return True

    def test_a_hanging_upstream_does_not_keep_it(self):
        target = self.browser.to_callback()
        self.fake.fault(DISCORD_TOKEN, "hang")
        failed = []

        def callback():
            try:
                failed.append(self.browser.get(target).status)
            except (OSError, http.client.HTTPException):
                failed.append(None)  # cut

        thread = threading.Thread(target=callback)
        thread.start()
        wait_for("the token request", lambda: self.fake.counts().get(DISCORD_TOKEN, 0) == 1)
        self.assertEqual(self.usher.stop(signal.SIGTERM), 0)
        thread.join()
        self.assertIn(failed[0], (None, 502))
        self.usher.start()
        self.assert_signed_out()
