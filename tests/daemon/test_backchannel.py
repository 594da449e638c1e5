# SPDX-License-Identifier: Apache-2.0
"""Apps that are to hear that a session is over: when grants are long gone, when apps are down, slow or
many, and over restarts (OP-59). What the tokens say is in test_conformance_logout.py."""
import http.server
import socket
import sqlite3
import threading
import time
import urllib.parse

from harness import PATIENCE, Browser, Case, free_port, wait_for, write_private
from oauth import read_jwt, secret_for
from relying_party import CALLBACK, RelyingParty

APPS = 40
SLOW = "app-20"
APP = "redirect_uris = %s\nrequire_pkce = no\nscopes = openid\ngrants = authorization_code\n" % CALLBACK


class Ears:
    """The back-channel endpoints of many apps, one path each; some of them never answer."""

    def __init__(self, port=0, deaf=()):
        self.heard, self.left = [], {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                app = self.path.strip("/")
                outer.heard.append((time.monotonic(), app, read_jwt(body["logout_token"][0])[1]))
                if app in deaf:
                    self.connection.settimeout(PATIENCE)
                    self.connection.recv(1)  # until usher gives up
                    outer.left[app] = time.monotonic()
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.request_queue_size = 128
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d/" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def apps(self):
        return [app for _, app, _ in self.heard]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class BackChannel(Case):
    def begin(self, uris):
        """These apps, each with the address it hears at (None: it does not want to)."""
        self.usher.stop()
        for old in (self.folder / "apps.d").glob("*.conf"):
            old.unlink()
        for name, uri in uris.items():
            write_private(self.folder / "apps.d" / (name + ".conf"), APP + ("backchannel_logout_uri = %s\n" % uri if uri else ""))
        secrets = {name: secret_for(self.usher, name) for name in uris}
        self.sql("DELETE FROM logout_delivery", "DELETE FROM session_app")
        self.usher.start()
        self.rps = {name: RelyingParty(self.usher, name, secret) for name, secret in secrets.items()}

    def sql(self, *statements):
        """While usherd is down."""
        with sqlite3.connect(self.usher.database) as db:
            for statement in statements:
                db.execute(statement)
        db.close()

    def restart(self, *statements):
        self.usher.stop()
        self.sql(*statements)
        self.usher.start()

    def ears(self, **more):
        ears = Ears(**more)
        self.addCleanup(ears.close)
        return ears

    def deliveries(self):
        return self.usher.rows("SELECT app, attempts FROM logout_delivery ORDER BY app")

    def untold(self, lines):
        """Which of these lines say that an app was not told."""
        return [i for i, e in enumerate(lines) if e["event"] == "issuer.logout_untold"]

    def sign_out(self, browser=None):
        self.assertEqual((browser or self.browser).post("/logout", {}).status, 200)

    def test_a_grant_that_is_long_over(self):
        ears = self.ears()
        self.begin({"rp": ears.url + "rp", "deaf": None})
        _, claims = self.rps["rp"].sign_in(self.browser)
        self.rps["deaf"].sign_in(self.browser)
        self.assertEqual([row[0] for row in self.usher.rows("SELECT app FROM session_app")], ["rp"])
        # What the sweep does when access tokens have run out and there is no refresh token.
        self.restart("DELETE FROM oauth_grant")
        self.sign_out()
        wait_for("the logout token", lambda: ears.heard)
        self.assertEqual((ears.heard[0][2]["sid"], ears.heard[0][2]["sub"]), (claims["sid"], claims["sub"]))
        wait_for("no more to tell", lambda: not self.deliveries())
        self.assertEqual(ears.apps(), ["rp"])
        self.assertEqual(self.usher.rows("SELECT count(*) FROM session_app"), [(0,)])

    def test_a_session_that_was_renewed_meanwhile(self):
        ears = self.ears()
        self.begin({"rp": ears.url + "rp"})
        _, first = self.rps["rp"].sign_in(self.browser)
        self.browser.sign_in("oidc")  # another session, the same person in the same browser
        self.restart("DELETE FROM oauth_grant")
        _, second = self.rps["rp"].sign_in(self.browser)
        self.assertNotEqual(first["sid"], second["sid"])
        self.assertEqual(ears.heard, [])  # nothing is over yet
        self.sign_out()
        wait_for("both names of the session", lambda: len(ears.heard) == 2)
        self.assertEqual({said["sid"] for _, _, said in ears.heard}, {first["sid"], second["sid"]})

    def test_op_59_down_for_three_tries_and_a_restart(self):
        port = free_port()
        self.begin({"rp": "http://127.0.0.1:%d/rp" % port})
        _, claims = self.rps["rp"].sign_in(self.browser)
        self.sign_out()
        wait_for("three tries", lambda: self.deliveries() == [("rp", 3)])
        wait_for("three lines", lambda: [
            e["attempts"] for e in self.usher.events("issuer.logout_untold")][-3:] == [1, 2, 3])
        (due,), = self.usher.rows("SELECT next FROM logout_delivery")
        self.assertGreater(due, time.time() + 30)  # longer each time
        ears = self.ears(port=port)
        self.restart("UPDATE logout_delivery SET next = 0")
        wait_for("the logout token", lambda: ears.heard)
        self.assertEqual(ears.heard[0][2]["sid"], claims["sid"])
        wait_for("no more to tell", lambda: not self.deliveries())

    def test_op_59_what_is_new_waits_behind_what_is_old(self):
        # An app that is down is not asked once for each session that ends.
        port = free_port()
        self.begin({"rp": "http://127.0.0.1:%d/rp" % port})
        before, sids = len(self.usher.events("issuer.logout_untold")), []
        for _ in range(3):
            browser = Browser(self.usher)
            sids.append(self.rps["rp"].sign_in(browser)[1]["sid"])
            second = int(time.time())
            self.sign_out(browser)
            wait_for("the next second", lambda: int(time.time()) > second + 1)
            wait_for("a try", lambda: self.deliveries() and self.deliveries()[0][1] > 0)
        self.assertLessEqual(len(self.usher.events("issuer.logout_untold")) - before, 3)
        ears = self.ears(port=port)
        self.restart("UPDATE logout_delivery SET next = 0")
        wait_for("all of them", lambda: len(ears.heard) == 3)
        self.assertEqual([said["sid"] for _, _, said in ears.heard], sids)

    def test_op_59_one_of_forty_apps_is_dead_and_slow(self):
        ears = self.ears(deaf={SLOW})
        names = ["app-%d" % n for n in range(APPS)]
        self.begin({name: ears.url + name for name in names})
        for name in names:
            self.rps[name].sign_in(self.browser)
        since = len(self.usher.events())
        self.sign_out()
        wait_for("all apps that live", lambda: len(set(ears.apps()) - {SLOW}) == APPS - 1)
        wait_for("the slow one alone is left", lambda: self.deliveries() == [(SLOW, 1)])
        self.assertEqual(sorted(a for a in ears.apps() if a != SLOW), sorted(set(names) - {SLOW}))  # each once
        wait_for("the end of the call", lambda: SLOW in ears.left)
        began = next(at for at, app, _ in ears.heard if app == SLOW)
        self.assertTrue([app for at, app, _ in ears.heard if began < at < ears.left[SLOW]])  # told meanwhile
        # Whoever left was answered while the slow one still had its five seconds.
        self.usher.told("issuer.logout_untold", since=since, app=SLOW)
        said = self.usher.events()[since:]
        self.assertLess([e.get("path") for e in said].index("/logout"), self.untold(said)[0])
        # Stopping does not wait for it either.
        self.restart("UPDATE logout_delivery SET next = 0")
        wait_for("it to be told again", lambda: ears.apps().count(SLOW) == 2)
        self.usher.stop()
        self.assertEqual(self.deliveries(), [(SLOW, 1)])  # left for the next start
        self.usher.start()

    def test_op_59_thirty_nine_dead_apps_hold_nobody_up(self):
        silent = socket.create_server(("127.0.0.1", 0), backlog=256)  # takes connections, says nothing
        self.addCleanup(silent.close)
        deaf = {"zebra"}
        ears = self.ears(deaf=deaf)
        names = ["app-%02d" % n for n in range(APPS - 1)]
        dead = "http://127.0.0.1:%d/" % silent.getsockname()[1]
        self.begin({**{name: dead + name for name in names}, "zebra": ears.url + "zebra"})
        for name in names:
            self.rps[name].sign_in(self.browser)
        self.sign_out()
        other = Browser(self.usher)
        self.rps["zebra"].sign_in(other)
        self.sign_out(other)
        wait_for("the one that lives to be called", lambda: ears.heard)
        self.usher.stop()
        deaf.clear()
        # All are due at once, and all but the last did not hear the last time.
        since = len(self.usher.events())
        self.sql("UPDATE logout_delivery SET next = 0, created = created + (app = 'zebra'), attempts = app <> 'zebra'")
        self.assertEqual(len(self.deliveries()), APPS)
        self.usher.start()
        self.usher.told("issuer.logout_told", since=since, app="zebra")
        self.usher.told("issuer.logout_untold", since=since)
        said = self.usher.events()[since:]
        self.assertLess([e["event"] for e in said].index("issuer.logout_told"), self.untold(said)[0])
