# SPDX-License-Identifier: Apache-2.0
"""Providers asked again about people who are signed in: groups follow, and who may not stay goes.
The shortest period is a minute, so what is to be due is made older while usherd is down."""
import signal
import sqlite3
import time

from faults import DISCORD_TOKEN
from harness import Api, Browser, Case, fake_providers, wait_for

GUILD = "41771983423143937"
STAFF, EDITORS = "41771983423143936", "41771983423143940"
MEMBER = "/discord/api/v10/users/@me/guilds/%s/member" % GUILD
WIKI = """\
hosts = wiki.example.com
require = signed_in
[/staff/*]
require = group:discord:%s
[/editors/*]
require = group:discord:%s
""" % (STAFF, EDITORS)


def asked_again(fake):
    discord = fake_providers(fake)["discord"]
    return {"discord": {**discord, "guild": GUILD, "keep_tokens": "yes", "recheck": "60s"}}


class Recheck(Case):
    providers = staticmethod(asked_again)
    apps = {"wiki": WIKI}

    def auth(self, path, browser=None):
        return (browser or self.browser).request("GET", "/auth", headers={
            "X-Original-URL": "https://wiki.example.com" + path, "X-Original-Method": "GET"})

    def groups(self):
        return self.auth("/").headers["X-Usher-Groups"].strip()

    def sign_in(self, person):
        self.browser.sign_in("discord", person)
        self.account = self.browser.me()["id"]
        (self.subject,), = self.usher.rows("SELECT subject FROM identity WHERE account = ?", self.account)
        (self.sessions,), = self.usher.rows("SELECT count(*) FROM session WHERE account = ?", self.account)

    def ask_again(self, **change):
        """Of everybody, this person alone is due at the next start."""
        self.assertEqual(self.usher.stop(), 0)
        with sqlite3.connect(self.usher.database) as db:
            db.execute("UPDATE upstream_token SET busy = 0, asked = CASE WHEN subject = ? THEN 1 ELSE ? END",
                       (self.subject, int(time.time())))
            for column, value in change.items():
                db.execute("UPDATE upstream_token SET %s = ? WHERE subject = ?" % column, (value, self.subject))
        self.seen = len(self.usher.events())
        self.usher.start()

    def told(self, event):
        """Since ask_again."""
        return self.usher.told(event, since=self.seen)[0]

    def rows(self, action):
        return Api(self.usher).ask("GET", "/api/v1/audit?action=%s&account=%s" % (action, self.account))["audit"]

    def test_a_role_that_is_lost(self):
        # FWD-21: within the provider's `recheck`
        self.sign_in("ada")
        self.assertEqual(self.groups(), "discord:%s,discord:%s" % (STAFF, EDITORS))
        self.assertEqual((self.auth("/staff/x").status, self.auth("/editors/x").status), (200, 200))
        self.fake.fault(MEMBER, "set", name="/roles", value='["%s"]' % EDITORS)
        self.ask_again()
        self.assertEqual(self.told("recheck.groups")["account"], self.account)
        self.assertEqual(self.groups(), "discord:" + EDITORS)
        self.assertEqual((self.auth("/staff/x").status, self.auth("/editors/x").status), (403, 200))
        self.assertEqual(self.browser.me()["groups"], ["discord:" + EDITORS])
        row = self.rows("session.recheck_groups")[0]
        self.assertEqual((row["actor_kind"], row["provider"], row["outcome"], row["after"]),
                         ("system", "discord", "done", {"sessions": self.sessions}))
        # and it lasts: what is in memory is in the store
        self.usher.stop()
        self.usher.start()
        self.assertEqual(self.groups(), "discord:" + EDITORS)

    def ended(self):
        self.told("recheck.ended")
        self.assertEqual(self.auth("/").status, 401)
        self.assertIsNone(self.browser.me())
        self.assertEqual(self.usher.rows("SELECT count(*) FROM session WHERE account = ?", self.account), [(0,)])
        self.assertEqual(self.usher.rows("SELECT count(*) FROM upstream_token WHERE subject = ?", self.subject),
                         [(0,)])
        row = self.rows("session.recheck_end")[0]
        self.assertEqual((row["actor_kind"], row["object"], row["after"]), ("system", self.account, {"sessions": self.sessions}))

    def test_who_left_the_server_is_signed_out(self):
        self.sign_in("grace")
        other = Browser(self.usher)
        other.sign_in("discord", "ada")
        self.fake.fault(MEMBER, "http", status=404, value='{"code":10007}', times=1)
        self.ask_again()
        self.ended()
        self.assertIsNotNone(other.me())  # and nobody else

    def test_a_revoked_token_ends_the_session(self):
        self.sign_in("ada")
        self.fake.reset()  # nothing that was granted counts any more
        self.ask_again()
        self.ended()

    def test_an_upstream_that_is_down_ends_nobody(self):
        self.sign_in("legion")
        self.fake.fault("/discord/*", "http503")
        self.ask_again()
        self.assertEqual(self.told("recheck.failed")["provider"], "discord")
        self.assertEqual(self.groups(), "discord:" + STAFF)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM upstream_token WHERE subject = ?", self.subject),
                         [(1,)])
        self.fake.reset()

    def test_a_token_that_ran_out_is_renewed_first(self):
        self.sign_in("legion")
        self.ask_again(expires=1)
        checked = "SELECT checked FROM identity WHERE subject = ? AND checked IS NOT NULL"
        wait_for("the answer", lambda: self.usher.rows(checked, self.subject))
        self.assertIsNotNone(self.browser.me())
        self.assertGreaterEqual(self.usher.rows("SELECT expires FROM upstream_token WHERE subject = ?",
                                                self.subject)[0][0], time.time())

    def asked_and_told_to_stop(self, person, fault):
        """usherd is stopping, and waits for new tokens of somebody whom nobody is waiting for."""
        self.sign_in(person)
        before = self.fake.counts()[DISCORD_TOKEN]
        self.fake.fault(DISCORD_TOKEN, fault, times=1)
        self.ask_again(expires=1)
        wait_for("the question", lambda: self.fake.counts()[DISCORD_TOKEN] > before)
        self.usher.child.send_signal(signal.SIGTERM)
        self.told("daemon.stopping")

    def test_new_tokens_are_kept_while_usherd_stops(self):
        # Discord's refresh tokens work once: what came for this one must not be lost.
        self.asked_and_told_to_stop("ada", "held")
        self.fake.release()
        self.assertEqual(self.usher.stop(), 0)
        (expires,), = self.usher.rows("SELECT expires FROM upstream_token WHERE subject = ?", self.subject)
        self.assertGreater(expires, time.time())
        self.usher.start()
        self.ask_again(expires=1)
        self.told("session.loaded")
        wait_for("the answer", lambda: self.usher.rows(
            "SELECT 1 FROM upstream_token WHERE subject = ? AND expires > 1 AND busy = 0", self.subject))
        self.assertIsNotNone(self.browser.me())

    def test_a_provider_that_hangs_is_not_waited_for_long(self):
        self.asked_and_told_to_stop("grace", "hang")
        self.assertEqual(self.usher.stop(), 0)
        self.usher.start()
        self.assertIsNotNone(self.browser.me())
