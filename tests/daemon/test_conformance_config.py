# SPDX-License-Identifier: Apache-2.0
"""The one module of the OpenID Foundation's Config plan, by its name: what the metadata says, and that
it is so."""
import unittest
import urllib.parse

from harness import Browser
from oauth import unb64url
from test_conformance import Plan

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


class Config(Plan):
    """oidcc-config-certification-test-plan"""

    def test_oidcc_discovery_endpoint_verification(self):
        # OP-52
        answer = Browser(self.usher).get("/.well-known/openid-configuration")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"))
        m = answer.json()
        self.assertEqual(m["issuer"], self.usher.url)
        self.assertEqual(urllib.parse.urlsplit(m["issuer"])[2:], ("", "", ""))
        endpoints = [name for name in m if name.endswith("_endpoint") or name == "jwks_uri"]
        for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
            self.assertIn(name, endpoints)
        self.assertNotIn("registration_endpoint", endpoints)  # closed
        for name in endpoints:  # each is there, and below the issuer
            self.assertTrue(m[name].startswith(self.usher.url + "/"), name)
            self.assertEqual(urllib.parse.urlsplit(m[name])[3:], ("", ""), name)
            self.assertNotIn(Browser(self.usher).get(m[name]).status, (404, 500, 503), name)
        self.assertIn("openid", m["scopes_supported"])
        for scope in m["scopes_supported"]:
            self.assertRegex(scope, r"^[!#-\[\]-~]+$")  # RFC 6749 3.3
        self.assertEqual(m["response_types_supported"], ["code"])
        self.assertEqual(set(m["response_modes_supported"]), {"query", "form_post"})
        self.assertEqual(m["subject_types_supported"], ["public"])
        for name in m:
            if "alg_values_supported" in name:
                self.assertIn("RS256", m[name], name)
                self.assertNotIn("none", m[name], name)
        self.assertIn("authorization_code", m["grant_types_supported"])
        self.assertFalse({"implicit", "password"} & set(m["grant_types_supported"]))
        self.assertEqual(m["code_challenge_methods_supported"], ["S256"])
        for name, value in m.items():  # RFC 8414 2: what would be empty is left out
            self.assertTrue(value if isinstance(value, (list, str)) else isinstance(value, bool), name)
        self.assertIn("sub", m["claims_supported"])
        self.assertIs(m["claims_parameter_supported"], True)
        self.assertIs(m["request_parameter_supported"], False)
        self.assertIs(m["request_uri_parameter_supported"], False)

    def test_oidcc_discovery_endpoint_verification_keys(self):
        keys = self.rp.keys()["keys"]
        self.assertEqual(len({k["kid"] for k in keys}), len(keys))
        self.assertLessEqual(set(self.rp.metadata["id_token_signing_alg_values_supported"]), {k["alg"] for k in keys})
        for key in keys:
            self.assertEqual(key["use"], "sig")
            self.assertFalse(PRIVATE & set(key), "a private member")
            for name in {"n", "e", "x", "y"} & set(key):
                self.assertRegex(key[name], r"^[A-Za-z0-9_-]+$")  # base64url, unpadded
            if key["kty"] == "RSA":
                self.assertGreaterEqual(len(unb64url(key["n"])), 256)
                self.assertNotEqual(unb64url(key["n"])[0], 0)  # RFC 7518 2: as few octets as can be
            else:
                self.assertEqual((key["kty"], key["crv"]), ("EC", "P-256"))
                self.assertEqual([len(unb64url(key[n])) for n in ("x", "y")], [32, 32])

    def test_oidcc_discovery_endpoint_verification_as_behaved(self):
        # OP-52: same values as behaviour
        also = Browser(self.usher).get("/.well-known/oauth-authorization-server").json()
        self.assertEqual(also, self.rp.metadata)
        for kind in ("token", "id_token", "code token", "code id_token", "none"):
            self.assert_error(self.authorize(response_type=kind), "unsupported_response_type")
        for grant in ("password", "implicit"):
            answer = self.rp.post("token_endpoint", {"grant_type": grant, "username": "a", "password": "b"})
            self.assertEqual((answer.status, answer.json()["error"]), (400, "unsupported_grant_type"))
        self.assertEqual(self.authorize()["iss"], self.rp.metadata["issuer"])


if __name__ == "__main__":
    unittest.main()
