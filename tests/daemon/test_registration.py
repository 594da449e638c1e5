# SPDX-License-Identifier: Apache-2.0
"""Apps that register themselves (RFC 7591) and manage what they registered (RFC 7592): who may, what
of it counts, and what becomes of such an app."""
import json
import threading
import time
import unittest

from harness import Api, Browser, Case, wait_for
from oauth import Client, Key, basic, read_jwt
from relying_party import CALLBACK, RelyingParty, pkce

ENDPOINT = "/oauth2/register"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Registering(Case):
    """Open to whoever an admin gave an initial token."""

    settings = {"issuer": {"registration": "token"},
                "limits": {"token": 0, "login": 0, "callback": 0, "api": 0, "registration": 0}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.api = Api(cls.usher)

    def initial(self, **more):
        answer = self.api.ask("POST", "/api/v1/registration-tokens", {"name": "an app to come", **more}, 201)
        return answer["token"]

    def ask(self, method, path, token=None, body=None, raw=None, **headers):
        if token:
            headers["Authorization"] = "Bearer " + token
        if body is not None or raw is not None:
            headers["Content-Type"] = "application/json"
        raw = json.dumps(body) if raw is None and body is not None else raw
        return Browser(self.usher).request(method, path, body=raw, headers=headers)

    @staticmethod
    def metadata(**more):
        return {"client_name": "Guest", "redirect_uris": [CALLBACK], **more}

    def refused(self, answer, status=400, error="invalid_client_metadata"):
        self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(answer.json()["error"], error, answer.text)
        self.assertRegex(answer.json()["error_description"], r"^[ !#-\[\]-~]+$")  # RFC 6749 5.2
        return answer.json()["error_description"]

    def register(self, **more):
        answer = self.ask("POST", ENDPOINT, self.initial(), self.metadata(**more))
        self.assertEqual(answer.status, 201, answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        return answer.json()

    def own(self, method, made, body=None, token=None):
        path = made["registration_client_uri"][len(self.usher.url):]
        return self.ask(method, path, token or made["registration_access_token"], body)

    def party(self, made):
        return RelyingParty(self.usher, made["client_id"], made.get("client_secret"),
                            redirect_uri=made["redirect_uris"][0])


class Register(Registering):
    def test_all_of_it(self):
        made = self.register(scope="openid profile email roles")
        self.assertEqual(made["client_secret_expires_at"], 0)
        self.assertAlmostEqual(made["client_id_issued_at"], time.time(), delta=30)
        self.assertEqual(made["grant_types"], ["authorization_code"])
        self.assertEqual(made["response_types"], ["code"])
        self.assertEqual(made["token_endpoint_auth_method"], "client_secret_basic")
        self.assertEqual(made["scope"], "openid profile email")  # not what it may not have
        self.assertEqual(made["client_name"], "Guest")
        tokens, claims = self.party(made).sign_in(self.browser, scope="openid profile email")
        self.assertEqual(claims["aud"], made["client_id"])
        self.assertEqual(set(tokens["scope"].split()), {"openid", "profile", "email"})


if __name__ == "__main__":
    unittest.main()
