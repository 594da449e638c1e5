# SPDX-License-Identifier: Apache-2.0
"""Forward auth as a proxy asks for it: FWD cases."""
import urllib.parse

from harness import Api, Browser, Case

IDENTITY = ["X-Usher-User", "X-Usher-Name", "X-Usher-Email", "X-Usher-Groups", "X-Usher-Roles",
            "X-Usher-Permissions", "X-Usher-Provider"]
PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
NGINX = {"X-Original-URL": "https://app.example.com/a?b=1", "X-Original-Method": "GET"}
CADDY = {"X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "app.example.com",
         "X-Forwarded-Uri": "/a?b=1"}


class Forward(Case):
    def auth(self, *headers, browser=None):
        merged = {}
        for h in headers:
            merged.update(h)
        return (browser or self.browser).request("GET", "/auth", headers=merged)

    def test_fwd_01_03_09_every_identity_header_in_every_answer(self):
        # FWD-01, FWD-03, FWD-09
        self.browser.sign_in("discord", "konrad")
        answer = self.auth({h: "admin" for h in IDENTITY})
        self.assertEqual(answer.status, 200)
        for name in IDENTITY:
            values = answer.headers.get_all(name)
            self.assertEqual(len(values), 1, name)
            self.assertNotIn("admin", values[0])
        self.assertEqual(answer.headers["X-Usher-Email"].strip(), "")
        self.assertEqual(answer.headers["X-Usher-User"], self.browser.me()["id"])
        self.assertEqual(answer.headers["X-Usher-Provider"], "discord")
        # FWD-04: signed out they are there and empty
        for answer in (self.auth(browser=Browser(self.usher)), self.auth(NGINX, PAGE, browser=Browser(self.usher))):
            for name in IDENTITY:
                self.assertEqual(answer.headers[name].strip(), "", name)

    def test_fwd_11_values_are_header_safe(self):
        # FWD-11
        self.browser.sign_in("discord", "noor")
        for name in IDENTITY:
            value = self.auth().headers[name]
            self.assertTrue(value.isascii())
            self.assertNotRegex(value, r"[\x00-\x1f\x7f]")
        name = urllib.parse.unquote(self.auth().headers["X-Usher-Name"])
        self.assertEqual(name, self.browser.me()["name"])

    def test_fwd_23_signed_out_people_are_sent_to_sign_in(self):
        # FWD-23
        nobody = Browser(self.usher)
        expected = self.usher.url + "/login?return_to=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3D1"
        answer = self.auth(NGINX, PAGE, browser=nobody)
        self.assertEqual((answer.status, answer.headers["X-Usher-Location"]), (401, expected))
        answer = self.auth(CADDY, PAGE, browser=nobody)
        self.assertEqual((answer.status, answer.location), (303, expected))

    def test_fwd_23_scripts_get_401_and_no_redirect(self):
        # FWD-23
        for what in ({"Sec-Fetch-Mode": "cors"}, {"Accept": "application/json"}, {"X-Requested-With": "XMLHttpRequest",
                     "Accept": "text/html"}, {}):
            for dialect in (NGINX, CADDY):
                answer = self.auth(dialect, what, browser=Browser(self.usher))
                self.assertEqual(answer.status, 401)
                self.assertIsNone(answer.location)
                self.assertIsNone(answer.headers.get("X-Usher-Location"))
        post = self.auth({**CADDY, "X-Forwarded-Method": "POST"}, PAGE, browser=Browser(self.usher))
        self.assertEqual((post.status, post.location), (401, None))

    def test_fwd_24_bodies_are_empty(self):
        # FWD-24
        answer = self.auth(NGINX, PAGE, browser=Browser(self.usher))
        self.assertEqual(answer.body, b"")

    def test_fwd_29_17_unknown_and_odd_hosts_are_refused(self):
        # FWD-29, FWD-17
        self.browser.sign_in()
        for host in ("evil.example", "app.example.com.evil.example", "xapp.example.com", "app.example.com.", "app.example.com:99",
                     "a@app.example.com"):
            with self.subTest(host=host):
                answer = self.auth({**CADDY, "X-Forwarded-Host": host})
                self.assertIn(answer.status, (400, 403))
                self.assertEqual(answer.headers["X-Usher-User"].strip(), "")
        self.assertEqual(self.auth({**CADDY, "X-Forwarded-Host": "APP.example.com"}).status, 200)
        self.assertEqual(self.auth({**CADDY, "X-Forwarded-Host": "x.wild.example.com"}).status, 200)
        self.assertEqual(self.auth({**CADDY, "X-Forwarded-Proto": "http"}).status, 403)
        secret = "/reset?token=do-not-log-me"
        self.assertEqual(self.auth({**CADDY, "X-Forwarded-Host": "other.example.com", "X-Forwarded-Uri": secret}).status, 403)
        told = self.usher.told("forward.refused", host="other.example.com", status=403)
        self.assertIn("allow-list", told[0]["reason"])
        self.assertNotIn("do-not-log-me", self.usher.log())

    def test_fwd_15_16_odd_original_urls_are_refused(self):
        # FWD-15, FWD-16
        self.browser.sign_in()
        for uri in ("/secret#/public", "/a%00b", "/a%zz", "/a%4", "relative", "/a\x01b", "/a b"):
            with self.subTest(uri=uri):
                try:
                    answer = self.auth({**CADDY, "X-Forwarded-Uri": uri})
                except ValueError:
                    continue  # the client library itself will not send it
                self.assertEqual(answer.status, 400)
        self.assertEqual(self.auth({**CADDY, "X-Forwarded-Uri": "/secret%23/public"}).status, 200)
        self.assertEqual(self.auth({**CADDY, "X-Forwarded-Uri": "/" + "a" * 5000}).status, 200)

    def test_dialects_that_disagree_are_refused(self):
        self.browser.sign_in()
        self.assertEqual(self.auth(NGINX, CADDY).status, 200)
        self.assertEqual(self.auth(NGINX, {**CADDY, "X-Forwarded-Uri": "/public"}).status, 400)

    def test_fwd_02_10_18_26_28_nothing_else_decides(self):
        # FWD-02, FWD-03, FWD-10, FWD-18, FWD-26, FWD-28
        self.browser.sign_in()
        odd = [{"X_Usher_User": "admin"}, {"Connection": "X-Usher-User, Cookie"}, {"User-Agent": "kube-probe/1.2"},
               {"X-HTTP-Method-Override": "DELETE"}]
        for headers in odd:
            self.assertEqual(self.auth(headers).headers["X-Usher-User"], self.browser.me()["id"])
            self.assertEqual(self.auth(headers, browser=Browser(self.usher)).status, 401)
        for method in ("get", "FOO", "TRACE"):
            self.assertEqual(self.auth({**CADDY, "X-Forwarded-Method": method}).status, 403, method)
        # a token that is good elsewhere is nobody here, and adds nothing to a session
        token = Api(self.usher).ask("POST", "/api/v1/tokens", {"name": "probe", "scopes": "read write secrets"}, 201)["token"]
        self.assertEqual(Api(self.usher, token).get("/api/v1/users").status, 200)
        for value in (token, "whatever"):
            bearer = {"Authorization": "Bearer " + value}
            both, alone = self.auth(bearer), self.auth(bearer, browser=Browser(self.usher))
            self.assertEqual((both.status, alone.status), (200, 401))
            for name in IDENTITY:
                self.assertEqual(both.headers[name], self.auth().headers[name], name)
                self.assertEqual(alone.headers[name].strip(), "", name)

    def test_fwd_08_odd_forwarded_for(self):
        # FWD-08
        for value in ("", ",", "unknown", "1.2.3.4:99", "[::1]:80", ", ".join(["10.0.0.1"] * 900), "x" * 8000):
            self.browser.get("/healthz", X_Forwarded_For=value)
            answer = self.browser.get("/login", X_Forwarded_For=value)
            self.assertEqual(answer.status, 200)
        self.usher.alive_and_well()

    def test_fwd_27_only_headers_count(self):
        # FWD-27
        answer = self.usher.raw(b"GET /auth HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 401"), answer[:80])
        answer = self.usher.raw(b"GET /auth HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 413"), answer[:80])
        self.usher.alive_and_well()


class Untrusted(Case):
    settings = {"server": {"trusted_proxies": "192.0.2.1"}}

    def test_fwd_06_07_what_an_untrusted_peer_says_does_not_count(self):
        # FWD-06, FWD-07
        self.browser.sign_in()
        answer = self.browser.request("GET", "/auth", headers={**CADDY, **PAGE, "X-Forwarded-Host": "evil.example"})
        self.assertEqual(answer.status, 200)
        nobody = Browser(self.usher).request("GET", "/auth", headers={**CADDY, **PAGE})
        self.assertEqual(nobody.headers["X-Usher-Location"], self.usher.url + "/login")
        self.browser.get("/login", X_Forwarded_For="203.0.113.9")
        self.assertNotIn("203.0.113.9", self.usher.log())

