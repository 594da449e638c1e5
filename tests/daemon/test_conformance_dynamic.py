# SPDX-License-Identifier: Apache-2.0
"""What the OpenID Foundation's conformance suite asks of a provider that apps register with: the 23
modules of the Dynamic plan by their names, with private_key_jwt as it asks. Modules for what the
metadata does not offer (unsigned ID tokens, sectors) are skipped by the suite; here it is shown that
usher refuses, instead of ignoring, what such an app would rely on. Of a Dynamic OP the suite also wants
the implicit flow and request_uri, which usher has not: three of these modules would fail there."""
import http.server
import json
import secrets
import threading
import time
import unittest

from harness import Browser, wait_for
from oauth import Key, b64url, read_jwt, verify
from relying_party import CALLBACK, RelyingParty, query_of
from test_registration import Registering

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class KeySet:
    """An app's jwks_uri, whose keys it changes as it likes."""

    def __init__(self):
        keys = self.keys = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({"keys": keys}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/jwks" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Party(RelyingParty):
    """An app that registered itself, and proves who it is by its key."""

    def __init__(self, usher, made, key, kid):
        super().__init__(usher, made["client_id"], redirect_uri=made["redirect_uris"][0])
        self.made, self.key, self.kid = made, key, kid

    def assertion(self, **more):
        now = int(time.time())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": self.metadata["token_endpoint"], "iat": now,
                  "exp": now + 60, "jti": secrets.token_urlsafe(12), **more}
        return self.key.sign(claims, **({"kid": self.kid} if self.kid else {}))

    def post(self, endpoint, form, auth="key", secret=None, **headers):
        if auth in ("key", "basic"):  # whoever asks for basic here means "as it is registered"
            form = {"client_assertion_type": ASSERTION, "client_assertion": self.assertion(), **form}
            auth = "key"
        return super().post(endpoint, form, auth, secret, **headers)


class Dynamic(Registering):
    """oidcc-dynamic-certification-test-plan"""

    def party(self, key=None, kid="k1", **more):
        key = key or Key(self.usher.folder)
        if "jwks_uri" not in more:
            more["jwks"] = {"keys": [{**key.jwk(), **({"kid": kid} if kid else {}), "use": "sig"}]}
        asked = {"grant_types": ["authorization_code"], "response_types": ["code"],
                 "contacts": ["certification@rp.example.com"], "token_endpoint_auth_method": "private_key_jwt", **more}
        made = self.register(**asked)
        self.assertTrue(made["client_id"])
        self.assertNotIn("client_secret", made)
        for name in set(asked) - {"request_object_signing_alg", "request_uris"}:  # which leave nothing
            self.assertEqual(made[name], asked[name])
        self.addCleanup(lambda: self.assertEqual(self.own("DELETE", made).status, 204))
        return Party(self.usher, made, key, kid)

    def refused_metadata(self, error="invalid_client_metadata", **more):
        return self.refused(self.ask("POST", "/oauth2/register", self.initial(), self.metadata(**more)), 400, error)

    def assert_page(self, answer):
        self.assertEqual(answer.status, 400, answer.summary())
        self.assertIsNone(answer.location)

    @property
    def offered(self):
        return Browser(self.usher).get("/.well-known/openid-configuration").json()

    def test_oidcc_server(self):
        # the suite's key has no kid
        rp = self.party(Key(self.usher.folder, "RSA"), kid=None)
        tokens, claims = rp.sign_in(self.browser, scope="openid profile email")
        self.assertIn("email", rp.info(tokens, claims))

    def test_oidcc_discovery_endpoint_verification(self):
        # What test_conformance_config says, and registration. That there are no other response types than
        # code, and no implicit grant, is where the suite's module says no.
        m = self.offered
        self.assertEqual(m["issuer"], self.usher.url)
        self.assertEqual(m["response_types_supported"], ["code"])
        self.assertNotIn("implicit", m["grant_types_supported"])
        self.assertEqual(m["registration_endpoint"], self.usher.url + "/oauth2/register")
        self.assertIn("private_key_jwt", m["token_endpoint_auth_methods_supported"])
        for name in ("id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported",
                     "token_endpoint_auth_signing_alg_values_supported"):
            self.assertIn("RS256", m[name])
            self.assertNotIn("none", m[name])

    def test_oidcc_idtoken_rs256(self):
        rp = self.party(id_token_signed_response_alg="RS256")
        tokens, _ = rp.sign_in(self.browser)
        self.assertEqual(rp.header(tokens["id_token"])["alg"], "RS256")

    def test_oidcc_idtoken_es256(self):
        # no module of the plan, but what else is offered
        rp = self.party(id_token_signed_response_alg="ES256")
        tokens, _ = rp.sign_in(self.browser)
        self.assertEqual(rp.header(tokens["id_token"])["alg"], "ES256")

    def test_oidcc_idtoken_unsigned(self):
        # OP-38: skipped by the suite, because the metadata does not list it
        self.assertNotIn("none", self.offered["id_token_signing_alg_values_supported"])
        self.refused_metadata(id_token_signed_response_alg="none")

    def test_oidcc_userinfo_rs256(self):
        rp = self.party(userinfo_signed_response_alg="RS256")
        tokens, claims = rp.sign_in(self.browser, scope="openid email")
        info = rp.userinfo(tokens["access_token"])
        self.assertEqual((info.status, info.headers["Content-Type"]), (200, "application/jwt"))
        head, said, _ = read_jwt(info.text)
        key = [k for k in rp.keys()["keys"] if k["kid"] == head["kid"]][0]
        self.assertEqual(head["alg"], "RS256")
        self.assertTrue(verify(self.usher.folder, info.text, key))
        self.assertEqual((said["iss"], said["aud"], said["sub"]),
                         (rp.metadata["issuer"], rp.client_id, claims["sub"]))
        self.assertIn("email", said)

    def test_oidcc_ensure_redirect_uri_in_authorization_request(self):
        # OP-01: two are registered, so none is the default
        rp = self.party(redirect_uris=[CALLBACK, CALLBACK + "/two"])
        self.assert_page(rp.begin(self.browser, redirect_uri=None))

    def test_oidcc_redirect_uri_query_OK(self):
        rp = self.party(redirect_uris=[CALLBACK + "?foo=bar"])
        response = rp.authorize(self.browser)
        self.assertEqual(response["foo"], "bar")
        self.assertEqual(rp.redeem(response).status, 200)

    def test_oidcc_redirect_uri_query_mismatch(self):
        rp = self.party(redirect_uris=[CALLBACK + "?foo=bar"])
        self.assert_page(rp.begin(self.browser, redirect_uri=CALLBACK + "?foo=baz"))

    def test_oidcc_redirect_uri_query_added(self):
        rp = self.party()
        self.assert_page(rp.begin(self.browser, redirect_uri=CALLBACK + "?foo=bar"))

    def test_oidcc_redirect_uri_regfrag(self):
        # OP-07
        self.refused_metadata("invalid_redirect_uri", redirect_uris=[CALLBACK + "#foo"])

    def shown(self, **more):
        """The page a person decides on has the link, and loads nothing from there."""
        rp = self.party(**more)
        sign_in = rp.begin(self.browser)
        while sign_in.location:
            sign_in = self.browser.get(sign_in.location)
        self.assertIn("/login", sign_in.url)
        for page in (sign_in, rp.authorize(self.browser, consent=False)):
            self.assertEqual(page.status, 200, page.summary())
            for url in more.values():
                self.assertIn('href="%s"' % url, page.text)
                self.assertNotIn('src="%s"' % url, page.text)

    def test_oidcc_registration_logo_uri(self):
        # OP-56: a picture would tell its host who signs in where, so it is a link
        self.shown(logo_uri="https://rp.example.com/logo.png")

    def test_oidcc_registration_policy_uri(self):
        self.shown(policy_uri="https://rp.example.com/policy")

    def test_oidcc_registration_tos_uri(self):
        self.shown(tos_uri="https://rp.example.com/terms")

    def test_oidcc_registration_jwks_uri(self):
        keys, key = KeySet(), Key(self.usher.folder, "RSA")
        try:
            keys.keys.append({**key.jwk(), "kid": "k1", "use": "sig"})
            self.party(key=key, jwks_uri=keys.url).sign_in(self.browser)
        finally:
            keys.close()

    def test_oidcc_registration_sector_uri(self):
        # Subjects are public: there are no sectors, and saying so is better than ignoring it.
        self.assertEqual(self.offered["subject_types_supported"], ["public"])
        self.refused_metadata(sector_identifier_uri="https://rp.example.com/sector")
        self.refused_metadata(subject_type="pairwise")

    def test_oidcc_registration_sector_bad(self):
        # OP-56
        self.refused_metadata(subject_type="pairwise", sector_identifier_uri="https://rp.example.com/nothing")

    def test_oidcc_server_rotate_keys(self):
        # OP-63
        rp = self.party()
        tokens, claims = rp.sign_in(self.browser)
        before = {k["kid"] for k in rp.keys()["keys"]}
        self.api.ask("POST", "/api/v1/signing-keys/rotate", {})
        wait_for("new keys", lambda: {k["kid"] for k in rp.keys()["keys"]} - before)
        self.assertEqual(rp.claims(tokens["id_token"], claims["nonce"])["sub"], claims["sub"])
        _, again = rp.sign_in(self.browser)
        self.assertEqual(again["sub"], claims["sub"])

    def test_oidcc_refresh_token(self):
        rp = self.party(grant_types=["authorization_code", "refresh_token"], scope="openid offline_access")
        other = self.party(grant_types=["authorization_code", "refresh_token"], scope="openid offline_access")
        tokens, claims = rp.sign_in(self.browser, scope="openid offline_access", prompt="consent")
        time.sleep(1.1)
        fresh = rp.tokens_of(rp.refresh(tokens["refresh_token"], scope="openid offline_access"))
        said = rp.claims(fresh["id_token"], access_token=fresh["access_token"])
        for name in ("iss", "sub", "aud", "auth_time", "azp"):
            self.assertEqual(said.get(name), claims.get(name), name)
        self.assertGreater(said["iat"], claims["iat"])
        rp.info(fresh, claims)
        theirs, _ = other.sign_in(self.browser, scope="openid offline_access", prompt="consent")
        stolen = rp.refresh(theirs["refresh_token"])
        self.assertEqual((stolen.status, stolen.json()["error"]), (400, "invalid_grant"))
        plain = self.party().refresh(fresh["refresh_token"])  # one that has no refresh tokens at all
        self.assertEqual((plain.status, plain.json()["error"]), (400, "unauthorized_client"))

    def test_oidcc_refresh_token_rp_key_rotation(self):
        keys, old, new = KeySet(), Key(self.usher.folder), Key(self.usher.folder)
        try:
            keys.keys.append({**old.jwk(), "kid": "old", "use": "sig"})
            rp = self.party(key=old, kid="old", jwks_uri=keys.url,
                            grant_types=["authorization_code", "refresh_token"], scope="openid offline_access")
            tokens, _ = rp.sign_in(self.browser, scope="openid offline_access")
            keys.keys[:] = [{**new.jwk(), "kid": "new", "use": "sig"}]
            rp.key, rp.kid = new, "new"
            fresh = rp.tokens_of(rp.refresh(tokens["refresh_token"]))
            rp.info(fresh, rp.claims(fresh["id_token"]))
            # The key that is gone from there is of no use any more.
            rp.key, rp.kid = old, "old"
            answer = rp.refresh(fresh["refresh_token"])
            self.assertEqual((answer.status, answer.json()["error"]), (401, "invalid_client"))
        finally:
            keys.close()

    def request_object(self, rp, key=None):
        claims = {**rp.request(), "iss": rp.client_id, "aud": rp.metadata["issuer"]}
        if key:
            return key.sign(claims, kid=rp.kid)
        return "%s.%s." % (b64url(json.dumps({"alg": "none"}).encode()), b64url(json.dumps(claims).encode()))

    def refused_request(self, rp, error, **more):
        """Said to the app, and the person stays where they are."""
        answer = rp.begin(self.browser, state=None, nonce=None, **more)
        query = query_of(answer.location or "")
        self.assertEqual((query.get("error"), query["iss"]), (error, self.usher.url), answer.summary())
        self.assertTrue(answer.location.startswith(rp.redirect_uri + "?"), answer.location)

    def test_oidcc_request_uri_unsigned(self):
        # OP-10: skipped by the suite; nothing is fetched from there
        rp = self.party(request_object_signing_alg="none", request_uris=["https://rp.example.com/request"])
        self.assertIs(self.offered["request_uri_parameter_supported"], False)
        self.refused_request(rp, "request_uri_not_supported", request_uri="https://rp.example.com/request")

    def test_oidcc_request_uri_signed_rs256(self):
        self.refused_metadata(request_object_signing_alg="RS256", request_uris=["https://rp.example.com/request"])
        self.refused_request(self.party(), "request_uri_not_supported", request_uri="https://rp.example.com/request")

    def test_oidcc_ensure_request_object_with_redirect_uri(self):
        rp = self.party()
        self.assertIs(self.offered["request_parameter_supported"], False)
        self.refused_request(rp, "request_not_supported", request=self.request_object(rp))
        self.refused_request(rp, "request_not_supported", request=self.request_object(rp, rp.key))
        # One that is elsewhere does not move the answer there.
        answer = rp.begin(self.browser, redirect_uri="https://evil.example/", request=self.request_object(rp))
        self.assert_page(answer)

    def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(self):
        # OP-29: the issuer is as good an audience as the endpoint
        rp = self.party()
        response = rp.authorize(self.browser)
        answer = rp.redeem(response, client_assertion=rp.assertion(aud=rp.metadata["issuer"]))
        self.assertEqual(answer.status, 200, answer.text)


if __name__ == "__main__":
    unittest.main()
