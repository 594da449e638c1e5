# SPDX-License-Identifier: Apache-2.0
"""What the OpenID Foundation's conformance suite asks of a provider, each module by its name: the
Basic and Form Post plans. The suite itself needs MongoDB and a public name; the questions are the
same."""
import base64
import contextlib
import json
import secrets
import sqlite3
import time
import unittest

from harness import PATIENCE, Case, write_private
from oauth import secret_for
from relying_party import CALLBACK, RelyingParty, form_of, pkce

SCOPES = "openid profile email address phone offline_access"
PROFILE = ["preferred_username", "picture", "locale"]
APP = """label = %s
client_type = confidential
redirect_uris = https://rp.example.com/callback https://rp.example.com/other?fixed=1
post_logout_redirect_uris = https://rp.example.com/logged-out
grants = authorization_code refresh_token
scopes = openid profile email address phone offline_access groups
require_pkce = no
"""


class Plan(Case):
    """Two clients that certify: confidential, PKCE optional, no consent asked."""

    mode = None  # response_mode

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.folder / "apps.d"
        folder.mkdir(exist_ok=True)
        for name in ("rp", "rp2"):
            write_private(folder / (name + ".conf"), APP % name)
        cls.usher.stop()
        cls.secrets = [secret_for(cls.usher, name) for name in ("rp", "rp2")]
        cls.usher.start()

    def setUp(self):
        super().setUp()
        self.rp = RelyingParty(self.usher, "rp", self.secrets[0])
        self.other = RelyingParty(self.usher, "rp2", self.secrets[1])

    def authorize(self, browser=None, **more):
        state = secrets.token_urlsafe(96)  # 128 letters, as long as the suite's longest
        answer = self.rp.authorize(browser or self.browser, response_mode=self.mode, **{"state": state, **more})
        if isinstance(answer, dict) and "state" not in more:
            self.assertEqual(answer["state"], state)
        return answer

    def sign_in(self, browser=None, **more):
        return self.rp.sign_in(browser or self.browser, response_mode=self.mode, **more)

    def assert_error(self, answer, *errors):
        self.assertIsInstance(answer, dict, answer if isinstance(answer, dict) else answer.summary())
        self.assertIn(answer.get("error"), errors, answer)
        self.assertEqual(answer["iss"], self.rp.metadata["issuer"])
        self.assertRegex(answer["error_description"], r"^[ !#-\[\]-~]+$")  # RFC 6749 4.1.2.1
        self.assertLessEqual(set(answer), {"error", "error_description", "state", "iss", "fixed"})

    def assert_dead(self, access_token):
        """Whoever is asked says so: userinfo, which looks into the store, and introspection, which does not."""
        self.assertEqual(self.rp.userinfo(access_token).status, 401)
        said = self.rp.post("introspection_endpoint", {"token": access_token})
        self.assertEqual(said.json(), {"active": False})

    def assert_page(self, answer, status=400):
        """An error page of ours: never a redirect."""
        self.assertNotIsInstance(answer, dict, answer)
        self.assertEqual(answer.status, status, answer.summary())
        self.assertIsNone(answer.location)


class Basic(Plan):
    """oidcc-basic-certification-test-plan"""

    def sign_in(self, browser=None, **more):
        """Every module goes on to userinfo."""
        tokens, claims = super().sign_in(browser, **more)
        self.rp.info(tokens, claims)
        return tokens, claims

    def test_oidcc_server(self):
        tokens, claims = self.sign_in(scope=SCOPES)
        self.assertEqual(self.rp.header(tokens["id_token"])["alg"], "RS256")
        self.assertLessEqual({"sub", "name", "email", "email_verified"}, set(self.rp.info(tokens, claims)))

    def test_oidcc_response_type_missing(self):
        self.assert_error(self.authorize(response_type=None), "invalid_request", "unsupported_response_type")

    def test_oidcc_idtoken_signature(self):
        tokens, _ = self.sign_in()
        header = self.rp.header(tokens["id_token"])
        self.assertEqual(header["alg"], "RS256")
        self.assertIn(header["kid"], [k["kid"] for k in self.rp.keys()["keys"]])

    def test_oidcc_idtoken_unsigned(self):
        self.assertNotIn("none", self.rp.metadata["id_token_signing_alg_values_supported"])

    def test_oidcc_userinfo_get(self):
        self.userinfo("header")

    def test_oidcc_userinfo_post_header(self):
        self.userinfo("post")

    def test_oidcc_userinfo_post_body(self):
        self.userinfo("body")

    def userinfo(self, how):
        tokens, claims = self.sign_in()
        self.rp.info(tokens, claims, how)

    def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(self):
        _, claims = self.sign_in(nonce=None)
        self.assertNotIn("nonce", claims)

    def scope(self, scope, present, also=()):
        """Those claims, by userinfo and not by the ID token; no others than these."""
        tokens, claims = self.sign_in(scope=scope)
        info = set(self.rp.info(tokens, claims))
        self.assertLessEqual({"sub", *present}, info)
        self.assertLessEqual(info, {"sub", *present, *also})
        self.assertFalse({*present, *also} & set(claims), claims)

    def test_oidcc_scope_profile(self):
        self.scope("openid profile", ["name", "updated_at"], PROFILE)

    def test_oidcc_scope_email(self):
        self.scope("openid email", ["email", "email_verified"])

    def test_oidcc_scope_address(self):
        # Skipped by the suite, because the metadata does not list it; an app may ask all the same.
        self.assertNotIn("address", self.rp.metadata["scopes_supported"])
        self.scope("openid address", [])

    def test_oidcc_scope_phone(self):
        self.assertNotIn("phone", self.rp.metadata["scopes_supported"])
        self.scope("openid phone", [])

    def test_oidcc_scope_all(self):
        self.scope("openid profile email address phone", ["name", "updated_at", "email", "email_verified"], PROFILE)

    def test_oidcc_alternate_happy_flow(self):
        query = self.rp.request(scope="email openid", response_mode=self.mode)
        tokens, claims = self.rp.sign_in(self.browser, **dict(reversed(list(query.items()))))
        self.assertIn("email", self.rp.info(tokens, claims))

    def test_oidcc_display_page(self):
        self.sign_in(display="page")

    def test_oidcc_display_popup(self):
        self.sign_in(display="popup")

    def assert_asked_again(self, first, second):
        self.assertEqual(self.fake.counts().get("/oidc/authorize"), 1, "nobody was asked upstream")
        self.assertEqual(second["sub"], first["sub"])
        self.assertGreater(second["auth_time"], first["auth_time"])
        self.assertLess(abs(time.time() - second["auth_time"]), 60)

    def assert_same(self, first, second):
        self.assertNotIn("/oidc/authorize", self.fake.counts())
        self.assertEqual((first["sub"], first["auth_time"]), (second["sub"], second["auth_time"]))

    def test_oidcc_prompt_login(self):
        _, first = self.sign_in()
        time.sleep(1.1)
        self.fake.reset()
        _, second = self.sign_in(prompt="login")
        self.assert_asked_again(first, second)

    def test_oidcc_prompt_none_not_logged_in(self):
        self.assert_error(self.authorize(prompt="none"), "login_required")

    def test_oidcc_prompt_none_logged_in(self):
        _, first = self.sign_in()
        self.fake.reset()
        _, second = self.sign_in(prompt="none")
        self.assert_same(first, second)

    def test_oidcc_max_age_1(self):
        _, first = self.sign_in()
        time.sleep(2.1)
        self.fake.reset()
        _, second = self.sign_in(max_age=1)
        self.assert_asked_again(first, second)

    def test_oidcc_max_age_10000(self):
        _, first = self.sign_in(max_age=15000)
        self.fake.reset()
        _, second = self.sign_in(max_age=10000)
        self.assert_same(first, second)

    def test_oidcc_ensure_request_with_unknown_parameter_succeeds(self):
        self.sign_in(extra="foobar")

    def test_oidcc_id_token_hint(self):
        tokens, first = self.sign_in()
        self.fake.reset()
        _, second = self.sign_in(prompt="none", id_token_hint=tokens["id_token"])
        self.assert_same(first, second)

    def test_oidcc_login_hint(self):
        self.sign_in(login_hint="ada")

    def test_oidcc_ui_locales(self):
        self.sign_in(ui_locales="se en")

    def test_oidcc_claims_locales(self):
        self.sign_in(claims_locales="se")

    def test_oidcc_ensure_request_with_acr_values_succeeds(self):
        # No class is advertised, so the suite asks for these two, and is content with none.
        self.assertNotIn("acr_values_supported", self.rp.metadata)
        _, claims = self.sign_in(acr_values="1 2")
        self.assertNotIn("acr", claims)

    def test_oidcc_codereuse(self):
        self.code_reuse(0)

    def test_oidcc_codereuse_30seconds(self):
        self.code_reuse(30)

    def code_reuse(self, seconds):
        """Used again so many seconds later, as the store has it."""
        response = self.authorize()
        tokens = self.rp.tokens_of(self.rp.redeem(response))
        with contextlib.closing(sqlite3.connect(self.usher.database, timeout=PATIENCE)) as db, db:
            moved = db.execute("UPDATE authorization_code SET used = used - ?, expires = expires - ? "
                               "WHERE used IS NOT NULL", (seconds, seconds))
            self.assertGreaterEqual(moved.rowcount, 1)
        again = self.rp.redeem(response)
        self.assertEqual((again.status, again.json()["error"]), (400, "invalid_grant"))
        self.assertEqual(again.headers["Content-Type"], "application/json")
        self.assertRegex(again.json()["error_description"], r"^[ !#-\[\]-~]+$")  # RFC 6749 5.2
        self.assert_dead(tokens["access_token"])

    def test_oidcc_ensure_registered_redirect_uri(self):
        self.assert_page(self.rp.begin(self.browser, redirect_uri=CALLBACK + "/evil"))

    def test_oidcc_ensure_post_request_succeeds(self):
        self.sign_in(method="POST")

    def test_oidcc_server_client_secret_post(self):
        self.sign_in(auth="post")

    # What is in a request object is, but for what OAuth wants, nowhere else, the state included. Such an
    # answer is therefore the only one that comes without.

    def by_object(self, name, value, **more):
        return self.authorize(state=None, nonce=None, **{name: value}, **more)

    def unsigned(self, **more):
        claims = {**self.rp.request(response_mode=self.mode), "iss": "rp", "aud": self.rp.metadata["issuer"], **more}
        parts = [json.dumps(x).encode() for x in ({"alg": "none"}, claims)]
        return ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts) + "."

    def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(self):
        self.assertIs(self.rp.metadata["request_uri_parameter_supported"], False)
        answer = self.by_object("request_uri", "https://rp.example.com/request.jwt")
        self.assert_error(answer, "request_uri_not_supported")

    def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(self):
        self.assertIs(self.rp.metadata["request_parameter_supported"], False)
        self.assert_error(self.by_object("request", self.unsigned()), "request_not_supported")

    def test_oidcc_ensure_request_object_with_redirect_uri(self):
        # An address outside that is not registered is a page, whatever is inside; the one inside is
        # never gone to, not even with an error.
        self.assert_page(self.by_object("request", self.unsigned(), redirect_uri=CALLBACK + "/evil"))
        inside = self.unsigned(redirect_uri="https://rp.example.com/other?fixed=1")
        self.assert_error(self.by_object("request", inside), "request_not_supported")

    def test_oidcc_claims_essential(self):
        tokens, claims = self.sign_in(claims=json.dumps({"userinfo": {"name": {"essential": True}}}))
        self.assertTrue(self.rp.info(tokens, claims)["name"])
        self.assertNotIn("name", claims)

    def test_oidcc_refresh_token(self):
        scope = "openid offline_access"
        tokens, claims = self.sign_in(scope=scope, prompt="consent")
        time.sleep(1.1)
        fresh = self.rp.tokens_of(self.rp.refresh(tokens["refresh_token"], scope=scope))
        self.assertNotEqual(fresh["access_token"], tokens["access_token"])
        again = self.rp.claims(fresh["id_token"], access_token=fresh["access_token"])  # Core 12.2: no nonce
        for name in ("iss", "sub", "aud", "auth_time", "azp"):
            self.assertEqual(again.get(name), claims.get(name), name)
        self.assertGreater(again["iat"], claims["iat"])
        self.rp.info(fresh, claims)
        theirs, _ = self.other.sign_in(self.browser, scope=scope, prompt="consent", response_mode=self.mode)
        stolen = self.rp.refresh(theirs["refresh_token"], scope=scope)
        self.assertEqual((stolen.status, stolen.json()["error"]), (400, "invalid_grant"))

    def test_oidcc_ensure_request_with_valid_pkce_succeeds(self):
        verifier, challenge = pkce()
        response = self.authorize(code_challenge=challenge, code_challenge_method="S256")
        self.rp.tokens_of(self.rp.redeem(response, verifier=verifier))
        response = self.authorize(code_challenge=challenge, code_challenge_method="S256")
        self.assertEqual(self.rp.redeem(response, verifier=verifier[:-1] + "!").json()["error"], "invalid_grant")


class FormPost(Basic):
    """oidcc-formpost-basic-certification-test-plan: the same, answered by a page that posts."""

    mode = "form_post"

    def test_the_page(self):
        # OP-54: escaped, a button for those without scripts, posts to the client and nobody else
        query = self.rp.request(response_mode="form_post", state='"><script>alert(1)</script>')
        self.sign_in()
        answer = self.rp.begin(self.browser, **query)
        self.assertEqual(answer.status, 200, answer.summary())
        self.assertNotIn("<script>alert", answer.text)
        action, fields = form_of(answer.text)
        self.assertEqual((action, fields["state"]), (CALLBACK, query["state"]))
        self.assertIn("form-action https://rp.example.com", answer.headers["Content-Security-Policy"])
        self.assertIn("<button", answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")


if __name__ == "__main__":
    unittest.main()
