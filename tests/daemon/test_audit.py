# SPDX-License-Identifier: Apache-2.0
"""The audit of what people do: sign-ins, failed attempts, the chain, what is kept about whom."""
import json
import sqlite3
import urllib.parse

from harness import Api, Browser, Case, wait_for


def with_query(url, **changes):
    parts = urllib.parse.urlsplit(url)
    query = {**dict(urllib.parse.parse_qsl(parts.query)), **changes}
    return parts._replace(query=urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})).geturl()


class Trail(Case):
    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)

    def rows(self, **query):
        return self.api.ask("GET", "/api/v1/audit?" + urllib.parse.urlencode(query))["audit"]

    def test_a_sign_in_and_its_end(self):
        self.browser.sign_in()
        me = self.browser.me()["id"]
        row = self.rows(account=me, limit=1)[0]
        self.assertEqual((row["action"], row["outcome"], row["actor_kind"], row["actor"], row["provider"], row["ip"]),
                         ("login.done", "done", "account", me, "discord", "127.0.0.1"))
        self.assertTrue(row["request_id"])
        session = row["object"]
        self.assertEqual(self.browser.post("/logout", {}).status, 200)
        row = self.rows(account=me, limit=1)[0]
        self.assertEqual((row["action"], row["object"], row["outcome"]), ("session.end", session, "done"))

    def test_priv_11_accounts_by_id_alone(self):
        # PRIV-11
        self.browser.sign_in()
        me = self.browser.me()
        with sqlite3.connect(self.usher.database) as db:
            stored = json.dumps([[str(v) for v in row] for row in db.execute("SELECT * FROM audit")])
        for text in (me["name"], me["email"], me.get("username")):
            if text:
                self.assertNotIn(text, stored)
        shown = self.rows(account=me["id"], limit=1)[0]
        self.assertTrue(shown["actor_name"])  # looked up
        self.assertIn(shown["actor_name"], (me["name"], me.get("username")))

    def test_a_failed_attempt_and_whose_words_are_kept(self):
        # DOS-07
        callback = self.browser.to_callback()
        evil = "evil\r\nlogin.done \x1b[31m words"
        answer = self.browser.get(with_query(callback, code=None, error="access_denied", error_description=evil),
                                  User_Agent="Odd/1.0 <b>\xe2\x80\xae")
        self.assertEqual(answer.status, 403, answer.summary())
        row = wait_for("the record", lambda: self.rows(action="login.failed", outcome="failed", limit=1))[0]
        self.assertEqual((row["provider"], row["actor_kind"], row["actor"]), ("discord", "nobody", ""))
        self.assertTrue(row["reason"].startswith("denied: "), row)
        self.assertNotIn("evil", json.dumps(row))
        for text in row.values():
            if isinstance(text, str):
                self.assertTrue(text.isprintable() or not text, repr(text))

    def test_made_up_callbacks_write_nothing_at_once(self):
        # DOS-01: counted in memory, and no more
        newest = self.rows(limit=1)
        for _ in range(200):
            answer = Browser(self.usher).get("/callback/discord?state=AAAA&code=x", Cookie="usher-bind=" + "A" * 43)
            self.assertEqual(answer.status, 400)
        self.assertEqual(self.rows(limit=1), newest)

    def test_filters(self):
        self.browser.sign_in()
        me = self.browser.me()["id"]
        for query in ({"provider": "discord"}, {"outcome": "done"}, {"action": "login."}, {"actor": "account"},
                      {"ip": "127.0.0.1"}, {"since": 1}, {"until": 2**40}):
            self.assertIn(me, [r["actor"] for r in self.rows(**query)], query)
        for query in ({"provider": "nothing"}, {"outcome": "doneX"}, {"action": "login"}, {"app": "x"},
                      {"ip": "127.0.0.%"}, {"until": 1}, {"since": 2**40}):
            self.assertEqual(self.rows(**query), [], query)
        everything = self.rows(after=0, limit=500)
        self.assertEqual([r["n"] for r in everything], sorted(r["n"] for r in everything))
        for wrong in ("after=-1", "before=0", "after=1&before=2", "since=x", "nonsense=1", "limit=501"):
            self.assertEqual(self.api.request("GET", "/api/v1/audit?" + wrong).status, 400, wrong)


class Page(Case):
    def test_the_page_filters_as_the_api_does(self):
        self.browser.sign_in()
        me = self.browser.me()["id"]
        Api(self.usher).ask("PUT", "/api/v1/roles/admin/" + me)
        page = self.browser.get("/admin/audit?action=login.&provider=discord").text
        self.assertIn("login.done", page)
        self.assertIn(me, page)
        self.assertNotIn("role.grant", page)
        self.assertIn("No entry like that", self.browser.get("/admin/audit?ip=192.0.2.1").text)
        self.assertIn("role.grant", self.browser.get("/admin/audit?account=" + me).text)


class Tampered(Case):
    def test_a_change_behind_usher_is_named(self):
        api = Api(self.usher)
        for _ in range(4):
            Browser(self.usher).sign_in()
        good = api.ask("GET", "/api/v1/audit/verify")
        self.assertTrue(good["good"], good)
        self.assertEqual(good["rows"], int(good["head"].split(":")[0]))
        for change, bad in (("UPDATE audit SET actor = 'nobody else' WHERE n = 2", 2),
                            ("UPDATE audit SET ip = NULL WHERE n = 1", 1)):
            with sqlite3.connect(self.usher.database) as db:
                db.execute(change)
            verdict = api.ask("GET", "/api/v1/audit/verify")
            self.assertFalse(verdict["good"])
            self.assertEqual(verdict["bad"]["n"], bad)
            self.assertIsNone(verdict["head"])
        Browser(self.usher).sign_in()  # and nobody is kept out by that


class Short(Case):
    settings = {"audit": {"truncate_ips": "yes"}}

    def test_networks_in_place_of_addresses(self):
        self.browser.sign_in()
        ips = {r["ip"] for r in Api(self.usher).ask("GET", "/api/v1/audit?action=login.")["audit"]}
        self.assertEqual(ips, {"127.0.0.0/24"})

    def test_the_head_is_in_the_log(self):
        # At a start with nothing on record there is no head to tell.
        self.browser.sign_in()
        head = Api(self.usher).ask("GET", "/api/v1/audit/verify")["head"]
        self.assertEqual(self.usher.stop(), 0)
        self.usher.start()
        self.usher.told("audit.head", hash=head.split(":")[1])
