# SPDX-License-Identifier: Apache-2.0
"""Which pages' scripts may read what (OP-53): what is public any page's, what an app is told the pages
of that app, and nothing else by anybody; never with cookies."""
from harness import Browser, Case
from relying_party import RelyingParty, pkce

SPA, OTHER, EVIL = "https://spa.example.com", "https://other.example.com:8443", "https://evil.example.com"
APPS = {
    "spa": "client_type = public\nscopes = openid email\nredirect_uris = %s/cb https://spa.example.com:443/cb2"
           " http://127.0.0.1/cb com.example.spa:/cb\n" % SPA,
    "other": "client_type = public\nredirect_uris = https://elsewhere.example.com/cb\norigins = %s\n" % OTHER,
    "web": "redirect_uris = https://web.example.com/cb\n",
    "off": "client_type = public\nredirect_uris = https://off.example.com/cb\nenabled = no\n",
}
FOR_PAGES = {"/oauth2/token": "POST", "/oauth2/userinfo": "GET, POST", "/oauth2/revoke": "POST"}
STRANGERS = (EVIL, "null", "http://spa.example.com", SPA + ":444", SPA + ".evil.example", SPA + "/", "HTTPS://SPA.EXAMPLE.COM",
             "https://web.example.com", "https://off.example.com", "https://elsewhere.example.com", "http://127.0.0.1", "*", "")


class Cors(Case):
    settings = {"limits": {"token": "0"}}
    apps = APPS

    def setUp(self):
        super().setUp()
        self.rp = RelyingParty(self.usher, "spa", redirect_uri=SPA + "/cb")

    def cors(self, answer):
        return {k.lower(): v for k, v in answer.headers.items() if k.lower().startswith("access-control-")}

    def assert_unreadable(self, answer):
        self.assertEqual(self.cors(answer), {}, answer.summary())

    def assert_readable(self, answer, origin):
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], origin, answer.summary())
        self.assertEqual(answer.headers["Vary"], "Origin")
        self.assertNotIn("access-control-allow-credentials", self.cors(answer))

    def ask(self, method, path, origin, form=None, **headers):
        return Browser(self.usher).request(method, path, form=form, headers={"Origin": origin, **headers})

    def preflight(self, path, origin, method="POST", headers="authorization"):
        return self.ask("OPTIONS", path, origin, **{"Access-Control-Request-Method": method,
                                                    "Access-Control-Request-Headers": headers})

    def test_op_53_what_is_public_is_for_all_pages(self):
        for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/oauth2/jwks"):
            for origin in (SPA, EVIL, "null"):
                self.assertEqual(self.cors(self.ask("GET", path, origin)), {"access-control-allow-origin": "*"})

    def test_op_53_the_browser_asks_first(self):
        for path, methods in FOR_PAGES.items():
            for origin in (SPA, OTHER):
                answer = self.preflight(path, origin)
                self.assertEqual(answer.status, 204)
                self.assertEqual(answer.text, "")
                self.assert_readable(answer, origin)
                self.assertEqual(self.cors(answer), {
                    "access-control-allow-origin": origin, "access-control-allow-methods": methods,
                    "access-control-allow-headers": "Authorization, Content-Type", "access-control-max-age": "600"})
            for origin in STRANGERS:
                with self.subTest(path=path, origin=origin):
                    answer = self.preflight(path, origin)
                    self.assertEqual(answer.status, 403)
                    self.assert_unreadable(answer)
                    self.assertEqual(answer.headers["Vary"], "Origin")
            self.assertEqual(Browser(self.usher).request("OPTIONS", path).status, 403)  # no page at all

    def test_op_53_an_app_s_own_pages_read_what_it_is_told(self):
        verifier, challenge = pkce()
        answer = self.rp.authorize(self.browser, code_challenge=challenge, code_challenge_method="S256", nonce=None)
        tokens = self.rp.redeem(answer, "none", verifier)
        self.assertEqual(tokens.status, 200, tokens.text)
        self.assert_unreadable(tokens)  # nobody said it was a page
        self.assertEqual(tokens.headers["Vary"], "Origin")
        tokens = tokens.json()
        for origin in (SPA, OTHER, *STRANGERS):
            own = origin == SPA
            bearer = {"Authorization": "Bearer " + tokens["access_token"]}
            for answer in (self.ask("GET", "/oauth2/userinfo", origin, **bearer),
                           self.ask("POST", "/oauth2/userinfo", origin, {}, **bearer)):
                self.assertEqual(answer.status, 200)
                (self.assert_readable(answer, origin) if own else self.assert_unreadable(answer))
            form = {"client_id": "spa", "token": "uat_nonsense"}
            answer = self.ask("POST", "/oauth2/revoke", origin, form)
            (self.assert_readable(answer, origin) if own else self.assert_unreadable(answer))
            form = {"client_id": "spa", "grant_type": "authorization_code", "code": "uac_nonsense",
                    "redirect_uri": SPA + "/cb", "code_verifier": verifier}
            answer = self.ask("POST", "/oauth2/token", origin, form)
            self.assertEqual(answer.status, 400)
            (self.assert_readable(answer, origin) if own else self.assert_unreadable(answer))

    def test_refusals_can_be_read_by_pages_too(self):
        answer = self.ask("GET", "/oauth2/userinfo", OTHER, Authorization="Bearer nonsense")
        self.assertEqual(answer.status, 401)
        self.assert_readable(answer, OTHER)
        self.assertIn("WWW-Authenticate", answer.headers["Access-Control-Expose-Headers"])
        self.assert_readable(self.ask("POST", "/oauth2/token?x=1", OTHER, {}), OTHER)
        self.assert_readable(self.ask("POST", "/oauth2/token", OTHER, {"client_id": "nobody"}), OTHER)
        self.assert_unreadable(self.ask("POST", "/oauth2/token?x=1", EVIL, {}))

    def test_op_53_nothing_else_is_for_pages(self):
        self.browser.sign_in("oidc")
        for method, path in (("GET", "/oauth2/authorize?client_id=spa"), ("GET", "/admin"), ("GET", "/account"),
                             ("GET", "/api/v1/me"), ("GET", "/api/v1/users"), ("POST", "/api/v1/tokens"), ("GET", "/login"),
                             ("POST", "/oauth2/introspect"), ("POST", "/oauth2/par"), ("POST", "/oauth2/device_authorization"),
                             ("GET", "/oauth2/logout"), ("POST", "/logout"), ("GET", "/auth"), ("GET", "/device")):
            for origin in (SPA, EVIL, "null"):
                with self.subTest(method=method, path=path, origin=origin):
                    self.assert_unreadable(self.browser.request(method, path, headers={"Origin": origin},
                                                                form={} if method == "POST" else None))
                    answer = self.preflight(path.split("?")[0], origin, method)
                    self.assertIn(answer.status, (401, 403, 404, 405), answer.summary())
                    self.assert_unreadable(answer)

