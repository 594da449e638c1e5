# SPDX-License-Identifier: Apache-2.0
"""Providers that live in the database: in force at once, their secrets through rotations, fall-overs and
kills, and what the overview says of logins."""
import threading
import time

from faults import DISCORD_TOKEN, SANITIZED
from harness import CLIENT, Api, Browser, Case, fake_providers, wait_for

OLD, NEW = CLIENT["client_secret"], "canary-next-51c0de"
MANY = 40 if SANITIZED else 150
KILLS = 3 if SANITIZED else 8


class Rows(Case):
    @classmethod
    def providers(cls, fake):
        return {}

    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)
        self.usual = fake_providers(self.fake)

    def add(self, id, like="discord", **more):
        settings = {"plugin": like, **self.usual[like], **more}
        return self.api.ask("POST", "/api/v1/providers", {"id": id, "settings": settings}, status=201)

    def drop(self, id):
        etag = self.api.get("/api/v1/providers/" + id).headers["ETag"]
        self.api.ask("DELETE", "/api/v1/providers/" + id, {"force": True}, If_Match=etag)

    def show(self, id):
        return self.api.ask("GET", "/api/v1/providers/" + id)

    def kill(self):
        self.usher.child.kill()
        self.usher.child.wait()
        self.usher.log_file.close()
        self.usher.start()


class Life(Rows):
    def test_added_used_disabled_deleted(self):
        self.assertEqual(self.browser.get("/login/later").status, 404)
        added = self.add("later")
        self.assertTrue(added["usable"], added)
        self.assertEqual(added["callback_url"], self.usher.url + "/callback/later")
        self.assertTrue(self.browser.sign_in("later"))
        self.add("other")
        etag = self.api.get("/api/v1/providers/later").headers["ETag"]
        self.api.ask("PATCH", "/api/v1/providers/later", {"settings": {"enabled": False}}, If_Match=etag)
        self.assertNotEqual(Browser(self.usher).get("/login/later").status, 303)
        self.assertIsNotNone(self.browser.me())  # who is signed in stays so
        self.drop("later")
        self.assertEqual(Browser(self.usher).get("/login/later").status, 404)
        answer = self.api.request("POST", "/api/v1/providers",
                                  {"id": "later", "settings": {"plugin": "discord", **self.usual["discord"]}})
        self.assertEqual(answer.status, 409, answer.text)  # accounts came through it
        self.drop("other")

    def test_the_overview_counts_logins(self):
        self.add("counted")
        self.assertTrue(self.browser.sign_in("counted"))
        self.fake.fault(DISCORD_TOKEN, "http", status=500)
        other = Browser(self.usher)
        self.assertNotEqual(other.get(other.to_callback("counted")).status, 303)
        health = self.show("counted")["health"]
        self.assertGreaterEqual(health["signed_in_today"], 1)
        self.assertIsNotNone(health["last_success"])
        self.assertEqual((health["state"], health["failed_today"]), ("failing", 1), health)
        self.assertIn(health["failures"][0]["kind"], ("upstream_down", "upstream_bad"))
        overview = self.api.ask("GET", "/api/v1/overview")
        self.assertGreaterEqual(overview["signed_in_today"], 1)
        one = [p for p in overview["providers"] if p["id"] == "counted"][0]
        self.assertEqual(one["secret_age_days"], 0)
        self.drop("counted")


class Secrets(Rows):
    def switch(self, secret):
        self.fake.call("POST", "/fake/faults", {"fault": "secret-switch", "value": secret})

    def audited(self):
        audit = self.api.ask("GET", "/api/v1/audit?object=shifting&limit=5")["audit"]
        return [(row["action"], row["actor_kind"]) for row in audit]

    def test_a_fall_over_moves_the_slots_for_good(self):
        self.add("shifting")
        self.api.ask("POST", "/api/v1/providers/shifting/rotate", {"secret": NEW})
        self.assertTrue(Browser(self.usher).sign_in("shifting"))
        self.switch(NEW)
        failures, threads = [], []

        def one():
            browser = Browser(self.usher)
            if browser.get(browser.to_callback("shifting")).status != 303 or not browser.session():
                failures.append(1)

        for _ in range(12):
            threads.append(threading.Thread(target=one))
            threads[-1].start()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])
        wait_for("the promotion", lambda: ("provider.promote", "system") in self.audited())
        slots = self.show("shifting")["secrets"]["client_secret"]
        self.assertIsNone(slots["next"])
        self.assertIsNotNone(slots["retiring"])
        self.assertEqual(slots["using"], "active")
        # after a kill the right one comes first: one token request for one login
        self.kill()
        before = self.fake.counts().get(DISCORD_TOKEN, 0)
        self.assertTrue(Browser(self.usher).sign_in("shifting"))
        self.assertEqual(self.fake.counts()[DISCORD_TOKEN], before + 1)
        self.drop("shifting")

    def test_kill_9_while_keys_rotate(self):
        for n in range(MANY):
            self.add("many-%d" % n)
        for n in range(KILLS):
            self.api.ask("POST", "/api/v1/keys/rotate")
            time.sleep(0.004 * n)
            self.kill()
            status = self.api.ask("GET", "/api/v1/status")
            self.assertEqual(status["providers"], {"total": MANY, "usable": MANY})
        wait_for("everything sealed again",
                 lambda: self.api.ask("GET", "/api/v1/status")["key_rotation"]["state"] == "waiting")
        keys = self.api.ask("GET", "/api/v1/keys")["keys"]
        self.assertEqual([k["sealed"] for k in keys if not k["current"]], [0] * (len(keys) - 1))
        signing = self.usher.rows("SELECT count(*) FROM signing_key")[0][0]
        self.assertGreater(signing, 0)  # usher's own are sealed, too
        self.assertEqual(keys[-1]["sealed"], MANY + signing)
        self.assertEqual(len(keys), KILLS + 1)
        self.assertTrue(Browser(self.usher).sign_in("many-7"))
        for n in range(MANY):
            self.drop("many-%d" % n)

    def tearDown(self):
        # ADM-13: neither in the database nor in the log nor in any answer
        for secret in (OLD, NEW):
            for path in self.usher.folder.glob("usher.*"):
                if path.suffix != ".conf":
                    self.assertNotIn(secret.encode(), path.read_bytes(), path)
            self.assertNotIn(secret, self.usher.log())
            for heard in self.api.heard:
                self.assertNotIn(secret, str(heard))
