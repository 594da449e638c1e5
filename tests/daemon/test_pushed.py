# SPDX-License-Identifier: Apache-2.0
"""Pushed authorization requests (RFC 9126): OP-33, OP-34."""
import sqlite3

from harness import Api, Browser
from test_conformance import Plan


class Pushed(Plan):
    def push(self, rp=None, auth="basic", **more):
        rp = rp or self.rp
        query = rp.request(**more)
        query.pop("client_id")
        return rp.post("pushed_authorization_request_endpoint", query, auth), query

    def use(self, uri, client="rp", **more):
        query = {"response_type": None, "scope": None, "redirect_uri": None, "state": None, "nonce": None, **more}
        return self.rp.arrive(self.browser, self.rp.begin(self.browser, **query, client_id=client, request_uri=uri))

    def test_a_pushed_request_is_good_once_and_all_that_counts(self):
        # OP-33
        answer, query = self.push()
        self.assertEqual(answer.status, 201, answer.text)
        self.assertIn("no-store", answer.headers["Cache-Control"])
        pushed = answer.json()
        self.assertEqual(pushed["expires_in"], 60)
        response = self.use(pushed["request_uri"], state="another", scope="openid email", nonce="another")
        self.assertEqual(response["state"], query["state"])
        tokens = self.rp.redeem(response).json()
        self.assertEqual(tokens["scope"], "openid")
        self.rp.claims(tokens["id_token"], query["nonce"])
        again = self.use(pushed["request_uri"])
        self.assert_page(again)

    def test_by_another_app_or_nobody(self):
        # OP-33
        answer, _ = self.push()
        uri = answer.json()["request_uri"]
        self.assert_page(self.use(uri, client="rp2"))
        self.assertIn("code", self.use(uri))  # it is still there for its own
        self.assert_page(self.use(uri[:-1] + "A"))
        answer, _ = self.push(auth="none")
        self.assertEqual((answer.status, answer.json()["error"]), (401, "invalid_client"))

    def test_too_late(self):
        # OP-33
        answer, _ = self.push()
        with sqlite3.connect(self.usher.database) as db:
            db.execute("UPDATE authorization_request SET expires = created - 1")
        db.close()
        self.assert_page(self.use(answer.json()["request_uri"]))

    def test_errors_are_answered_to_the_app(self):
        for more, error in (({"redirect_uri": "https://evil.example/"}, "invalid_request"),
                            ({"scope": "nothing"}, "invalid_scope"), ({"request": "x"}, "request_not_supported"),
                            ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request")):
            answer, _ = self.push(**more)
            self.assertEqual((answer.status, answer.json()["error"]), (400, error))

    def test_op_34_an_app_that_must_push(self):
        # OP-34
        path = self.folder / "apps.d" / "rp2.conf"
        path.write_text(path.read_text() + "require_pushed = yes\n")
        Api(self.usher).ask("POST", "/api/v1/config/reload", {})
        self.assert_error(self.other.authorize(Browser(self.usher)), "invalid_request")
