# SPDX-License-Identifier: Apache-2.0
"""How often apps may register, and what becomes of those that nobody uses."""
import sqlite3
import unittest

from harness import wait_for
from test_registration import CALLBACK, ENDPOINT, Registering


class Limited(Registering):
    settings = {"issuer": {"registration": "token"}, "limits": {"registration": 1, "registration_burst": 5}}

    def test_come_back_later(self):
        mine, another = {"X-Forwarded-For": "198.51.100.7"}, {"X-Forwarded-For": "198.51.100.8"}
        answers = [self.ask("POST", ENDPOINT, "x", {}, **mine) for _ in range(8)]
        self.assertEqual([a.status for a in answers], 5 * [401] + 3 * [429])
        self.assertGreaterEqual(int(answers[-1].headers["Retry-After"]), 1)
        self.assertIn("error", answers[-1].json())
        self.assertEqual(self.ask("GET", ENDPOINT + "/dcr-x", "x", **mine).status, 429)
        self.assertEqual(self.ask("POST", ENDPOINT, "x", {}, **another).status, 401)


class Unused(Registering):
    """Nobody ever let them in."""

    def grown_old(self, *apps):
        """As if they had registered long ago; usherd is down meanwhile."""
        self.usher.stop()
        with sqlite3.connect(self.usher.database) as db:
            for made in apps:
                db.execute("UPDATE registration SET created = created - 91 * 86400 WHERE app = ?",
                           (made["client_id"],))
        db.close()
        self.usher.start()

    def there(self):
        return {a["id"] for a in self.api.ask("GET", "/api/v1/apps")["apps"]}

    def test_one_that_an_admin_vouches_for_changes_nothing_itself(self):
        made = self.register()
        path = "/api/v1/apps/" + made["client_id"]
        change = {"client_id": made["client_id"], "redirect_uris": ["https://elsewhere.example.com/cb"]}
        self.api.ask("PATCH", path, {"settings": {"consent": False}},
                     If_Match='"%d"' % self.api.ask("GET", path)["version"])
        self.refused(self.own("PUT", made, change), 400, "invalid_client_metadata")
        self.assertEqual(self.own("GET", made).json()["redirect_uris"], made["redirect_uris"])
        self.api.ask("PATCH", path, {"settings": {"consent": True}},
                     If_Match='"%d"' % self.api.ask("GET", path)["version"])
        self.assertEqual(self.own("PUT", made, change).json()["redirect_uris"], change["redirect_uris"])

    def test_they_go(self):
        old, used, shown, young = (self.register() for _ in range(4))
        vouched = self.register(token_endpoint_auth_method="none", grant_types=["authorization_code"])
        path = "/api/v1/apps/" + vouched["client_id"]
        self.api.ask("PATCH", path, {"settings": {"consent": False}},
                     If_Match='"%d"' % self.api.ask("GET", path)["version"])
        self.party(used).sign_in(self.browser)
        pushed = self.party(shown).post("pushed_authorization_request_endpoint",
                                        {"response_type": "code", "scope": "openid", "redirect_uri": CALLBACK})
        self.assertEqual(pushed.status, 201, pushed.text)
        wait_for("the use of its secret", lambda: self.usher.rows(
            "SELECT count(*) FROM app_secret WHERE app = ? AND last_used IS NOT NULL", shown["client_id"])[0][0], 90)
        self.grown_old(old, used, shown, vouched)
        wait_for("the unused one to go", lambda: old["client_id"] not in self.there())
        self.initial()  # waits behind whatever else was to go
        # of `vouched` nothing says whether people use it: they are not asked, and a grant that is over is gone
        self.assertLessEqual({m["client_id"] for m in (used, shown, young, vouched)}, self.there())
        self.refused(self.own("GET", old), 401, "invalid_token")
        self.assertEqual(self.own("GET", young).status, 200)
        self.assertEqual(self.usher.rows("SELECT actor_kind, outcome FROM audit WHERE action = 'app.delete' AND "
                                         "object = ?", old["client_id"]), [("system", "done")])
        self.assertEqual(self.usher.rows("SELECT count(*) FROM app_secret WHERE app = ?", old["client_id"]), [(0,)])


if __name__ == "__main__":
    unittest.main()
