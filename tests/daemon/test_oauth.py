# SPDX-License-Identifier: Apache-2.0
"""usher as a provider, seen by programs: metadata, keys, tokens of machines, what they are worth,
and their end. OP-… are cases of the catalogue."""
import base64
import http.server
import json
import pathlib
import shutil
import tempfile
import threading
import time
import unittest

from harness import Browser, Usher, wait_for
from oauth import Client, Key, b64url, basic, read_jwt, secret_for, verify

API = "https://api.example.com"
OTHER_API = "https://other.example.com"
REPORTER = """
grants = client_credentials
scopes = openid email reports:read reports:write
resources = %s %s
""" % (API, OTHER_API)
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def make_apps(key):
    return {
        "reporter": REPORTER,
        "quick": REPORTER + "token_alg = ES256\naccess_lifetime = 10s\n",
        "opaque": REPORTER + "token_format = opaque\n",
        "prometheus": "grants = client_credentials\nscopes = metrics other\n",
        "opaque-prometheus": "grants = client_credentials\nscopes = metrics other\ntoken_format = opaque\n",
        "watcher": "grants = client_credentials\nscopes = metrics other\nresources = %s\n" % API,
        "plain": "grants = client_credentials\nscopes = a b\n",
        "poster": "grants = client_credentials\nauth_method = post\n",
        "basic": "grants = client_credentials\nauth_method = basic\n",
        "web": "redirect_uris = https://web.example.com/cb\n",
        "spa": "client_type = public\nredirect_uris = https://spa.example.com/cb\n",
        "off": REPORTER + "enabled = no\n",
        "api": "grants = client_credentials\nserves = %s\n" % API,
        "signer": "grants = client_credentials\nauth_method = private_key_jwt\njwks = %s\n"
                  % json.dumps({"keys": [key.jwk()]}),
    }


class KeyServer:
    """Where an app publishes its keys."""

    def __init__(self):
        outer = self
        self.asked, self.body = 0, b"{}"

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *arguments):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/keys" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def publish(self, *keys):
        self.body = json.dumps({"keys": keys}).encode()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class OAuth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.key = Key(cls.folder)
        cls.usher = Usher(cls.folder, apps=make_apps(cls.key), settings={"limits": {"token": "0"}})
        cls.usher.stop()
        cls.clients = {}
        for app in make_apps(cls.key):
            secret = None if app in ("spa", "signer") else secret_for(cls.usher, app)
            cls.clients[app] = Client(cls.usher, app, secret)
        cls.usher.start()

    @classmethod
    def tearDownClass(cls):
        cls.usher.stop()
        shutil.rmtree(cls.folder)

    def restart(self):
        self.assertEqual(self.usher.stop(), 0)
        self.usher.start()

    def good(self, answer):
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")  # OP-62
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        return answer.json()

    def refused(self, answer, error, status=400):
        self.assertEqual((answer.status, answer.json()["error"]), (status, error), answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertNotIn("access_token", answer.json())
        return answer.json()

    def inactive(self, client, token):
        self.assertEqual(self.good(client.introspect(token)), {"active": False})

    def jwks(self):
        return Browser(self.usher).get("/oauth2/jwks").json()["keys"]

    # ---- what others may know

    def test_metadata(self):
        """OP-52; oidcc-discovery-endpoint-verification, as far as it reaches by now"""
        answers = [Browser(self.usher).get("/.well-known/" + name)
                   for name in ("openid-configuration", "oauth-authorization-server")]
        for answer in answers:
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.headers["Content-Type"], "application/json")
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "*")  # OP-53
            self.assertIsNone(answer.headers["Access-Control-Allow-Credentials"])
            self.assertIsNone(answer.headers["Set-Cookie"])
        said = answers[0].json()
        self.assertEqual(said, answers[1].json())
        self.assertEqual(said["issuer"], self.usher.url)
        for name, value in said.items():
            if name.endswith("_endpoint") or name.endswith("_uri"):
                self.assertTrue(value.startswith(self.usher.url + "/oauth2/"), (name, value))
        self.assertIn("client_credentials", said["grant_types_supported"])
        for grant in ("password", "implicit"):
            self.assertNotIn(grant, said["grant_types_supported"])
        self.assertEqual(said["response_types_supported"], ["code"])
        self.assertEqual(said["id_token_signing_alg_values_supported"], ["RS256", "ES256"])
        self.assertNotIn("none", json.dumps(said["id_token_signing_alg_values_supported"]))
        for method in said["token_endpoint_auth_methods_supported"]:
            self.assertIn(method, ("client_secret_basic", "client_secret_post", "private_key_jwt", "none"))
        for name, path in said.items():
            if name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
                self.assertEqual(Browser(self.usher).get(path).status, 405)
        head = Browser(self.usher).request("HEAD", "/.well-known/openid-configuration")
        self.assertEqual((head.status, head.body), (200, b""))

    def test_keys(self):
        """OP-63; oidcc-idtoken-signature: kid, alg and use, and nothing private"""
        keys = self.jwks()
        self.assertEqual({k["alg"] for k in keys}, {"RS256", "ES256"})
        for key in keys:
            self.assertEqual(key["use"], "sig")
            self.assertTrue(key["kid"])
            self.assertFalse(set(key) & {"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
        self.restart()
        self.assertEqual(self.jwks(), keys)
        for (sealed,) in self.usher.rows("SELECT sealed FROM signing_key"):
            self.assertNotIn(b"PRIVATE", sealed)

    def test_cors(self):
        """OP-53: a page of another site learns nothing from the endpoints for programs"""
        for path in ("/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"):
            answer = Browser(self.usher).request("POST", path, form={}, headers={"Origin": "https://evil.example"})
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"], path)

    # ---- tokens of machines

    def test_a_jwt_that_an_api_can_check(self):
        """RFC 9068; the answer of RFC 6749 5.1"""
        for app, alg in (("reporter", "RS256"), ("quick", "ES256")):
            began = int(time.time())
            said = self.good(self.clients[app].token(scope="reports:read", resource=API))
            self.assertEqual(set(said), {"access_token", "token_type", "expires_in", "scope"})
            self.assertEqual((said["token_type"], said["scope"]), ("Bearer", "reports:read"))
            head, payload, _ = read_jwt(said["access_token"])
            self.assertEqual((head["typ"], head["alg"]), ("at+jwt", alg))
            key, = [k for k in self.jwks() if k["kid"] == head["kid"]]
            self.assertEqual(key["alg"], alg)
            self.assertTrue(verify(self.folder, said["access_token"], key))
            self.assertEqual(payload["iss"], self.usher.url)
            self.assertEqual((payload["sub"], payload["client_id"]), (app, app))  # OP-49
            self.assertEqual((payload["aud"], payload["scope"]), (API, "reports:read"))
            self.assertEqual(payload["exp"] - payload["iat"], said["expires_in"])
            self.assertTrue(began <= payload["iat"] <= time.time(), payload)
            again = read_jwt(self.good(self.clients[app].token(scope="reports:read"))["access_token"])[1]
            self.assertNotEqual(again["jti"], payload["jti"])

    def test_scopes(self):
        """OP-38, OP-60: nothing but what the app may have, and nothing of people"""
        c = self.clients["reporter"]
        self.assertEqual(self.good(c.token())["scope"], "reports:read reports:write")
        self.assertEqual(self.good(c.token(scope="reports:write  reports:read reports:write"))["scope"],
                         "reports:write reports:read")
        for scope in ("openid", "email", "offline_access", "reports:read admin", "reports:*", "Reports:read",
                      "reports:read\"", "a\\b", "reports:read\tx", "é", "x" * 5000):
            self.refused(c.token(scope=scope), "invalid_scope")
        self.assertNotIn("scope", self.good(self.clients["poster"].post(
            "/oauth2/token", {"grant_type": "client_credentials", "client_id": "poster",
                              "client_secret": self.clients["poster"].secret}, auth=False)))

    def test_resources(self):
        """OP-39"""
        c = self.clients["reporter"]
        aud = lambda **form: read_jwt(self.good(c.token(**form))["access_token"])[1]["aud"]
        self.assertEqual(aud(), API)
        self.assertEqual(aud(resource=OTHER_API), OTHER_API)
        both = c.post("/oauth2/token", [("grant_type", "client_credentials"), ("resource", API),
                                        ("resource", OTHER_API)])
        self.assertEqual(read_jwt(self.good(both)["access_token"])[1]["aud"], [API, OTHER_API])
        for bad in ("https://evil.example", API + "/", API + "#x", "api", API + "/../x", API.upper(), "https://api"):
            self.refused(c.token(resource=bad), "invalid_target")
        self.refused(self.clients["plain"].token(resource=API), "invalid_target")
        plain = self.good(self.clients["plain"].token())["access_token"]
        self.assertEqual(read_jwt(plain)[1]["aud"], self.usher.url)

    def test_opaque(self):
        said = self.good(self.clients["opaque"].token())
        self.assertRegex(said["access_token"], r"^uat_[A-Za-z0-9_-]{43}$")
        for column in self.usher.rows("SELECT * FROM access_token"):
            self.assertNotIn(said["access_token"], repr(column))
        token = self.good(self.clients["opaque"].introspect(said["access_token"]))
        self.assertEqual((token["active"], token["client_id"], token["sub"]), (True, "opaque", "opaque"))
        self.restart()
        self.assertEqual(self.good(self.clients["opaque"].introspect(said["access_token"])), token)

    def test_grants(self):
        """OP-36, OP-37, OP-60"""
        c = self.clients["reporter"]
        self.refused(c.post("/oauth2/token", {}), "invalid_request")
        self.refused(c.post("/oauth2/token", {"grant_type": ""}), "invalid_request")
        for grant in ("password", "implicit", "CLIENT_CREDENTIALS", "client_credentials ", "x" * 3000):
            self.refused(c.token(grant_type=grant), "unsupported_grant_type")
        twice = [("grant_type", "client_credentials"), ("grant_type", "client_credentials")]
        self.refused(c.post("/oauth2/token", twice), "invalid_request")
        self.refused(self.clients["web"].token(), "unauthorized_client")
        self.refused(self.clients["spa"].token(client_id="spa"), "unauthorized_client")
        self.assertNotIn("refresh_token", self.good(c.token()))
        self.assertNotIn("id_token", self.good(c.token()))

    # ---- who asks

    def test_who_asks(self):
        """OP-27, OP-45: one way at a time, the one that was agreed on"""
        c = self.clients["reporter"]
        post = lambda app, secret: Client(self.usher, app).token(client_id=app, client_secret=secret)
        self.good(post("reporter", c.secret))
        self.good(post("poster", self.clients["poster"].secret))
        self.good(self.clients["basic"].token())
        self.refused(self.clients["poster"].token(), "invalid_client", 401)
        self.refused(post("basic", self.clients["basic"].secret), "invalid_client", 401)
        for app, secret in (("reporter", c.secret[:-1]), ("reporter", c.secret + "x"), ("reporter", c.secret.upper()),
                            ("reporter", self.clients["plain"].secret), ("nobody", c.secret), ("reporter", "uas_"),
                            ("off", self.clients["off"].secret), ("reporter\n", c.secret), ("REPORTER", c.secret)):
            self.refused(post(app, secret), "invalid_client", 401)
            answer = Client(self.usher, app, secret).token()
            self.refused(answer, "invalid_client", 401)
            self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Basic "))
        self.refused(Client(self.usher, "reporter").token(client_id="reporter"), "invalid_client", 401)
        self.refused(Client(self.usher, "x").token(), "invalid_client", 401)
        self.refused(c.token(client_secret=c.secret), "invalid_request")
        self.refused(c.token(client_id="plain"), "invalid_request")
        self.good(c.token(client_id="reporter"))
        # a public client has nothing to prove, so it must not try; an empty secret is none (RFC 6749 2.3.1)
        self.refused(post("spa", "x"), "invalid_client", 401)
        named = Client(self.usher, "spa").revoke("x", client_id="spa", client_secret="")
        basic_ = Client(self.usher, "spa").post("/oauth2/revoke", {"token": "x"}, Authorization=basic("spa", ""))
        self.assertEqual((named.status, basic_.status), (200, 200))
        for app in ("reporter", "signer", "nobody"):
            self.refused(Client(self.usher, app).token(client_id=app, client_secret=""), "invalid_client", 401)
            self.refused(Client(self.usher, app).post("/oauth2/token", {"grant_type": "client_credentials"},
                                                      Authorization=basic(app, "")), "invalid_client", 401)

    def test_basic_as_it_is_written(self):
        """RFC 6749 2.3.1: both halves are form-encoded first"""
        secret = self.clients["reporter"].secret
        ask = lambda value: Browser(self.usher).request(
            "POST", "/oauth2/token", form={"grant_type": "client_credentials"}, headers={"Authorization": value})
        code = lambda text: base64.b64encode(text.encode()).decode()
        encoded = "".join("%%%02x" % ord(c) for c in secret)
        for good in ("Basic " + code("reporter:" + secret), "basic " + code("reporter:" + secret),
                     "Basic " + code("%72eporter:" + encoded), "Basic " + code("reporter:" + secret).rstrip("=")):
            self.good(ask(good))
        for bad in ("Basic", "Basic ", "Basic !!!", "Basic " + code("reporter"), "Basic " + code("reporter%:" + secret),
                    "Basic " + code("reporter:" + secret + "%00"), "Bearer " + secret, "Basic " + code(":" + secret),
                    "Basic " + code("reporter: " + secret), "Basic " + code("reporter+:" + secret),
                    "Basic " + code("reporter:" + secret) + "=", "Basic " + "A" * 5000,
                    "Basic " + code("reporter:" + secret)[:-4] + "===="):
            self.refused(ask(bad), "invalid_client", 401)

    def test_two_secrets_and_their_ends(self):
        self.usher.stop()
        second = secret_for(self.usher, "plain", expires=int(time.time()) + 3600)
        soon = secret_for(self.usher, "opaque", expires=int(time.time()) + 3)
        over = secret_for(self.usher, "web", expires=int(time.time()) - 1)
        self.usher.start()
        self.good(self.clients["plain"].token())
        self.good(Client(self.usher, "plain", second).token())
        self.refused(Client(self.usher, "web", over).introspect("x"), "invalid_client", 401)
        wait_for("the end of a secret", lambda: Client(self.usher, "opaque", soon).token().status == 401)
        self.good(self.clients["opaque"].token())
        self.good(self.clients["plain"].token())
        wait_for("the note of its use", lambda: self.usher.rows(
            "SELECT 1 FROM app_secret WHERE app = 'plain' AND last_used IS NOT NULL"))

    def assert_by(self, key=None, head=None, **claims):
        """A token request by private_key_jwt."""
        now = int(time.time())
        said = {"iss": "signer", "sub": "signer", "aud": self.usher.url, "exp": now + 60, "iat": now,
                "jti": b64url(Key.__name__.encode()) + str(time.monotonic_ns()), **claims}
        said = {k: v for k, v in said.items() if v is not None}
        assertion = (key or self.key).sign(said, **(head or {}))
        return Client(self.usher, "signer").token(client_assertion_type=ASSERTION, client_assertion=assertion)

    def test_private_key_jwt(self):
        """OP-29; oidcc-ensure-client-assertion-with-iss-aud-succeeds"""
        now = int(time.time())
        self.good(self.assert_by())
        self.good(self.assert_by(aud=[self.usher.url + "/oauth2/token", "https://x.example"]))
        self.good(self.assert_by(iat=None))
        self.good(self.assert_by(jti="once", exp=now + 60))
        self.refused(self.assert_by(jti="once", exp=now + 60), "invalid_client", 401)
        for bad in ({"exp": None}, {"exp": now - 1}, {"exp": now + 86400}, {"exp": "soon"}, {"jti": None}, {"jti": ""},
                    {"jti": "x" * 300}, {"jti": 7}, {"aud": "https://other.example"}, {"aud": None}, {"aud": []},
                    {"aud": self.usher.url + "/"}, {"aud": self.usher.url + ".evil.example"}, {"iss": "reporter"},
                    {"sub": "reporter"}, {"iss": "reporter", "sub": "reporter"}, {"iss": None}, {"sub": None},
                    {"nbf": now + 600}, {"iat": now + 600}):
            self.refused(self.assert_by(**bad), "invalid_client", 401)
        self.refused(self.assert_by(key=Key(self.folder)), "invalid_client", 401)
        self.refused(self.assert_by(head={"alg": "none"}), "invalid_client", 401)
        self.refused(self.assert_by(head={"alg": "HS256"}), "invalid_client", 401)
        self.refused(self.assert_by(head={"crit": ["exp"], "exp": 1}), "invalid_client", 401)
        c = Client(self.usher, "signer")
        self.refused(c.token(client_assertion_type=ASSERTION), "invalid_client", 401)
        self.refused(c.token(client_assertion="x.y.z"), "invalid_client", 401)
        self.refused(c.token(client_assertion_type="saml", client_assertion="x"), "invalid_client", 401)
        self.refused(c.token(client_assertion_type=ASSERTION, client_assertion="x"), "invalid_client", 401)
        self.refused(c.token(client_id="signer"), "invalid_client", 401)

    def test_keys_that_an_app_publishes(self):
        """OP-29: jwks_uri, and a key that is new there"""
        keys = KeyServer()
        self.addCleanup(keys.stop)
        (self.folder / "apps.d" / "remote.conf").write_text(
            "grants = client_credentials\nauth_method = private_key_jwt\njwks_uri = %s\n" % keys.url)
        first, second = Key(self.folder), Key(self.folder, "RSA")
        keys.publish({**first.jwk(), "kid": "1"})
        claims = {"iss": "remote", "sub": "remote"}
        ask = lambda key, kid: self.assert_by(key=key, head={"kid": kid}, **claims)
        wait_for("the reload", lambda: ask(first, "1").status == 200)
        self.assertEqual(self.good(ask(first, "1"))["token_type"], "Bearer")
        self.assertEqual(keys.asked, 1)
        keys.publish({**second.jwk(), "kid": "2"})
        self.good(ask(second, "2"))
        self.assertEqual(keys.asked, 2)
        self.refused(ask(first, "1"), "invalid_client", 401)  # gone from there
        self.refused(ask(Key(self.folder), "3"), "invalid_client", 401)
        self.assertEqual(keys.asked, 2)  # not as often as strangers like
        keys.stop()
        self.good(ask(second, "2"))

    def test_an_assertion_counts_once_across_a_restart(self):
        """OP-29"""
        exp = int(time.time()) + 300
        self.good(self.assert_by(jti="kept", exp=exp))
        self.restart()
        self.refused(self.assert_by(jti="kept", exp=exp), "invalid_client", 401)

    # ---- what a token is worth

    def test_introspection(self):
        """OP-45, OP-47"""
        mine, api = self.clients["reporter"], self.clients["api"]
        for app in ("reporter", "opaque"):
            c = self.clients[app]
            token = self.good(c.token(scope="reports:read", resource=API))["access_token"]
            said = self.good(c.introspect(token))
            self.assertEqual(said, self.good(api.introspect(token, token_type_hint="refresh_token")))
            self.assertEqual((said["active"], said["client_id"], said["sub"], said["scope"]),
                             (True, app, app, "reports:read"))
            self.assertEqual((said["aud"], said["iss"], said["token_type"]), ([API], self.usher.url, "Bearer"))
            self.assertEqual(said["exp"] - said["iat"], 1800)
            self.inactive(self.clients["plain"], token)
            other = self.good(c.token(resource=OTHER_API))["access_token"]
            self.inactive(api, other)
            for wrong in (token[:-1], token + "x", token.swapcase(), token.replace("uat_", "urt_"), "x", "a.b.c",
                          token + "." + token, "uat_", mine.secret, token[4:], "x" * 60000):
                if wrong != token:
                    self.inactive(c, wrong)  # OP-43
        self.refused(Client(self.usher, "x").introspect("x"), "invalid_client", 401)
        self.refused(Client(self.usher, "spa").introspect("x", client_id="spa"), "invalid_client", 401)
        self.refused(mine.post("/oauth2/introspect", {}), "invalid_request")
        self.refused(mine.post("/oauth2/introspect", [("token", "a"), ("token", "b")]), "invalid_request")

    def test_forged_tokens(self):
        """OP-46, OP-47: our key and our issuer, and the type of an access token"""
        token = self.good(self.clients["reporter"].token())["access_token"]
        head, payload, _ = read_jwt(token)
        own = Key(self.folder, "RSA")
        for bad in (own.sign(payload, **head), own.sign(payload, **{**head, "kid": "x"}),
                    own.sign(payload, **{**head, "alg": "none"}),
                    own.sign(payload, **{**head, "jwk": own.jwk()}),
                    ".".join([token.split(".")[0], b64url(json.dumps({**payload, "scope": "admin"}).encode()),
                              token.split(".")[2]])):
            self.inactive(self.clients["reporter"], bad)

    def test_a_token_expires(self):
        """OP-48"""
        c = self.clients["quick"]
        token = self.good(c.token())["access_token"]
        self.assertTrue(self.good(c.introspect(token))["active"])
        wait_for("the end of a token", lambda: not c.introspect(token).json()["active"])

    def test_an_app_that_is_gone(self):
        """OP-42, OP-46: its tokens go with it, at the next reload"""
        path = self.folder / "apps.d" / "plain.conf"
        text = path.read_text()
        token = self.good(self.clients["plain"].token())["access_token"]
        self.assertTrue(self.good(self.clients["plain"].introspect(token))["active"])
        path.write_text(text + "enabled = no\n")
        wait_for("the reload", lambda: self.clients["plain"].token().status == 401)
        path.write_text(text)
        wait_for("the reload", lambda: self.clients["plain"].token().status == 200)
        self.assertTrue(self.good(self.clients["plain"].introspect(token))["active"])

    # ---- the end

    def test_revocation(self):
        """OP-44, OP-46"""
        for app in ("reporter", "opaque"):
            c = self.clients[app]
            token, kept = (self.good(c.token())["access_token"] for _ in range(2))
            foreign = self.clients["plain"].revoke(token)
            self.assertEqual((foreign.status, foreign.body), (200, b""))
            self.assertTrue(self.good(c.introspect(token))["active"])
            answer = c.revoke(token, token_type_hint="refresh_token")
            self.assertEqual((answer.status, answer.body), (200, b""))
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            self.inactive(c, token)
            self.assertEqual(c.revoke(token).status, 200)
            self.restart()
            self.inactive(c, token)
            self.assertTrue(self.good(c.introspect(kept))["active"])
        for token in ("x", "a.b.c", "uat_" + "x" * 43, "uat_"):
            self.assertEqual(self.clients["reporter"].revoke(token).status, 200)
        self.refused(self.clients["reporter"].post("/oauth2/revoke", {}), "invalid_request")
        self.refused(Client(self.usher, "x").revoke("x"), "invalid_client", 401)
        self.assertEqual(Client(self.usher, "spa").revoke("x", client_id="spa").status, 200)

    # ---- how it is asked

    def test_the_form_of_a_request(self):
        """OP-61, OP-62"""
        secret = self.clients["reporter"].secret
        auth = {"Authorization": basic("reporter", secret)}
        form = "application/x-www-form-urlencoded"
        body = "grant_type=client_credentials"

        def ask(method="POST", path="/oauth2/token", body=body, **headers):
            headers = {k.replace("_", "-"): v for k, v in headers.items()}
            return Browser(self.usher).request(method, path, body=body, headers={**auth, **headers})
        self.good(ask(Content_Type=form))
        self.good(ask(Content_Type=form + "; charset=UTF-8"))
        self.good(ask(Content_Type=form, body=iter([b"grant_type=client_", b"credentials"])))  # chunked
        self.refused(ask("GET", body=None), "invalid_request", 405)
        self.refused(ask("PUT", Content_Type=form), "invalid_request", 405)
        self.refused(ask(body='{"grant_type":"client_credentials"}', Content_Type="application/json"),
                     "invalid_request", 415)
        self.refused(ask(), "invalid_request", 415)
        head = ("POST /oauth2/token HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
                % (self.usher.port, form, 1 << 20))
        said = self.usher.raw(head.encode())
        self.assertTrue(said.startswith(b"HTTP/1.1 413 ") and b'"invalid_request"' in said, said)
        self.refused(ask(path="/oauth2/token?grant_type=client_credentials", body="", Content_Type=form),
                     "invalid_request")
        self.refused(ask(path="/oauth2/token?x=1", Content_Type=form), "invalid_request")
        self.refused(ask(body="grant_type=client_credentials&x=%zz", Content_Type=form), "invalid_request")
        self.refused(ask(body="grant_type=client_credentials&scope=%ff", Content_Type=form), "invalid_request")
        self.refused(ask(body="grant_type=client_credentials&scope=a%00b", Content_Type=form), "invalid_request")
        self.refused(ask(body=body + "&scope=a&scope=a", Content_Type=form), "invalid_request")
        self.good(ask(body=body + "&unknown=1&unknown=2", Content_Type=form))  # RFC 6749 3.2
        self.usher.alive_and_well()

    def test_nothing_of_it_is_in_the_log(self):
        c = self.clients["opaque"]
        token = self.good(c.token())["access_token"]
        c.introspect(token)
        c.revoke(token)
        Client(self.usher, "reporter", "uas_canary-secret").token()
        self.usher.told("issuer.token", app="opaque", grant="client_credentials")
        self.usher.told("issuer.refused", endpoint="token", app="", error="invalid_client")
        log = self.usher.log()
        for secret in (token, c.secret, "canary-secret"):
            self.assertNotIn(secret, log)
        metrics = Browser(self.usher).get("/metrics", Authorization="Bearer metrics-token-for-tests").text
        self.assertIn('usher_oauth_calls_total{endpoint="token",grant="client_credentials",outcome="done"}', metrics)

    def test_metrics_by_an_access_token(self):
        def watch(token):
            answer = Browser(self.usher).get("/metrics", Authorization="Bearer " + token)
            return answer.status, answer.headers.get("WWW-Authenticate", "")

        # A token of the app `prometheus`, which names no resource, is for usher itself.
        for name in ("prometheus", "opaque-prometheus"):
            c = self.clients[name]
            token = self.good(c.token(scope="metrics"))["access_token"]
            self.assertEqual(watch(token)[0], 200, name)
            status, challenge = watch(self.good(c.token(scope="other"))["access_token"])
            self.assertEqual(status, 403, name)
            self.assertIn('error="insufficient_scope"', challenge)
            self.assertIn('scope="metrics"', challenge)
            self.assertEqual(watch(token[:-4] + "AAAA")[0], 401, name)
            c.revoke(token)
            self.assertEqual(watch(token)[0], 401, name)
        # One for another API is none here, whatever its scopes.
        self.assertEqual(watch(self.good(self.clients["watcher"].token(scope="metrics"))["access_token"])[0], 401)


if __name__ == "__main__":
    unittest.main()
