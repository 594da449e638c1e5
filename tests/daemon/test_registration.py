# SPDX-License-Identifier: Apache-2.0
"""Apps that register themselves (RFC 7591) and manage what they registered (RFC 7592): who may, what
of it counts, and what becomes of such an app."""
import http.server
import json
import sqlite3
import subprocess
import threading
import time
import unittest

from harness import ROOT, Api, Browser, Case
from oauth import Client, Key, basic, read_jwt, verify
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


class Hearer:
    """Whoever fetches anything from here is noticed."""

    def __init__(self):
        heard = self.heard = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                heard.append(self.path)
                self.send_response(302)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Closed(Case):
    """As it comes: nobody registers."""

    def test_off_by_default(self):
        # OP-55: off by default
        api = Api(self.usher)
        self.assertNotIn("registration_endpoint", self.browser.get("/.well-known/openid-configuration").json())
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"redirect_uris": [CALLBACK]})
        answer = self.browser.request("POST", ENDPOINT, body=body, headers=headers)
        self.assertEqual((answer.status, answer.json()["error"]), (401, "invalid_token"))
        token = api.ask("POST", "/api/v1/registration-tokens", {"name": "too early"}, 201)["token"]
        headers["Authorization"] = "Bearer " + token
        answer = self.browser.request("POST", ENDPOINT, body=body, headers=headers)
        self.assertEqual((answer.status, answer.json()["error"]), (403, "access_denied"))
        self.assertEqual(self.usher.rows("SELECT count(*) FROM app"), [(0,)])
        # It opens without a restart, and the same token is good then.
        config = self.usher.config
        config.write_text(config.read_text() + "\n[issuer]\nregistration = token\n")
        api.ask("POST", "/api/v1/config/reload", {})
        self.assertEqual(self.browser.get("/.well-known/openid-configuration").json()["registration_endpoint"],
                         self.usher.url + ENDPOINT)
        self.assertEqual(self.browser.request("POST", ENDPOINT, body=body, headers=headers).status, 201)


class Tokens(Registering):
    """Who may register."""

    def test_a_token_lets_one_app_in(self):
        # OP-55: initial access token single-use; replayed at once and later
        token = self.initial()
        answers = []

        def knock():
            answers.append(self.ask("POST", ENDPOINT, token, self.metadata()))

        threads = [threading.Thread(target=knock) for _ in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(a.status for a in answers), [201] + 5 * [401])
        self.refused(self.ask("POST", ENDPOINT, token, self.metadata()), 401, "invalid_token")
        self.usher.stop()
        self.usher.start()
        self.refused(self.ask("POST", ENDPOINT, token, self.metadata()), 401, "invalid_token")

    def test_without_one_nothing_is_looked_at(self):
        # OP-55: open to all; by a low-privilege user
        self.browser.sign_in()
        anonymous = self.browser.request("POST", ENDPOINT, body="{", headers={"Content-Type": "application/json"})
        self.refused(anonymous, 401, "invalid_token")
        self.assertEqual(anonymous.headers["WWW-Authenticate"], 'Bearer realm="usher"')
        made = self.register()
        reader = self.api.ask("POST", "/api/v1/tokens", {"name": "all of it", "scopes": "read write secrets"}, 201)
        for token in ("nonsense", "uit_" + 43 * "A", made["registration_access_token"], made["client_secret"],
                      reader["token"]):
            answer = self.refuse_token(token)
            self.assertIn("invalid_token", answer.headers["WWW-Authenticate"])
        answer = self.browser.request("POST", ENDPOINT, body="{}", headers={
            "Content-Type": "application/json", "Authorization": basic(made["client_id"], made["client_secret"])})
        self.refused(answer, 401, "invalid_token")
        # Only who may change secrets makes such tokens.
        writer = self.api.ask("POST", "/api/v1/tokens", {"name": "some of it", "scopes": "read write"}, 201)
        refused = Api(self.usher, writer["token"]).request("POST", "/api/v1/registration-tokens", {"name": "x"})
        self.assertEqual(refused.status, 403)

    def refuse_token(self, token):
        answer = self.ask("POST", ENDPOINT, token, self.metadata())
        self.refused(answer, 401, "invalid_token")
        return answer

    def test_a_refused_app_may_try_again(self):
        token = self.initial()
        self.refused(self.ask("POST", ENDPOINT, token, self.metadata(redirect_uris=[])), 400, "invalid_redirect_uri")
        self.assertEqual(self.ask("POST", ENDPOINT, token, self.metadata()).status, 201)

    def test_tokens_end(self):
        made = self.api.ask("POST", "/api/v1/registration-tokens", {"name": "short"}, 201)
        self.assertAlmostEqual(made["expires"], time.time() + 86400, delta=60)
        listed = {t["id"]: t for t in self.api.ask("GET", "/api/v1/registration-tokens")["tokens"]}
        self.assertEqual(listed[made["id"]]["name"], "short")
        self.assertNotIn("token", listed[made["id"]])
        self.api.ask("DELETE", "/api/v1/registration-tokens/" + made["id"], {})
        self.refuse_token(made["token"])
        self.api.ask("DELETE", "/api/v1/registration-tokens/" + made["id"], {}, 404)
        for expires in (int(time.time()) - 5, int(time.time()) + 31 * 86400):
            self.api.ask("POST", "/api/v1/registration-tokens", {"name": "x", "expires": expires}, 400)
        over = self.api.ask("POST", "/api/v1/registration-tokens", {"name": "x", "expires": int(time.time()) + 3600}, 201)
        self.usher.change("UPDATE initial_token SET expires = ? WHERE id = ?", int(time.time()), over["id"])
        self.refuse_token(over["token"])

    def test_only_hashes_are_kept(self):
        token = self.initial()
        answer = self.ask("POST", ENDPOINT, token, self.metadata())
        made = answer.json()
        with sqlite3.connect(self.usher.database) as db:
            dump = "\n".join(db.iterdump())
        db.close()
        for secret in (token, made["client_secret"], made["registration_access_token"]):
            self.assertNotIn(secret, dump)
            self.assertNotIn(secret[4:], self.usher.log())

    def test_usherctl(self):
        def ctl(*words):
            return subprocess.run([str(ROOT / "bin/usherctl"), "--socket", str(self.usher.socket), "registration-token",
                                   *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True).stdout
        token = ctl("add", "a wiki", "--expires", "7d").strip()
        self.assertIn("a wiki", ctl("list"))
        self.assertEqual(self.ask("POST", ENDPOINT, token, self.metadata()).status, 201)
        made = self.api.ask("POST", "/api/v1/registration-tokens", {"name": "x"}, 201)
        self.assertIn("of no use", ctl("delete", made["id"]))
        self.refuse_token(made["token"])

    def test_it_is_on_record(self):
        made = self.register()
        self.own("PUT", made, self.metadata(client_id=made["client_id"], client_name="Changed"))
        self.own("DELETE", made)
        rows = self.usher.rows("SELECT actor_kind, action, actor, actor_name, outcome FROM audit WHERE object = ? "
                               "ORDER BY n", made["client_id"])
        self.assertEqual([(r[0], r[1], r[4]) for r in rows],
                         [("registration", a, "done") for a in ("app.register", "app.edit", "app.delete")])
        self.assertEqual(rows[0][3], "an app to come")
        self.assertEqual(rows[1][2], made["client_id"])
        self.assertEqual(self.usher.rows("SELECT count(*) FROM audit WHERE action = 'registration_token.add' AND "
                                         "object = ?", rows[0][2]), [(1,)])

    def test_as_many_as_may(self):
        api = self.api
        config = self.usher.config
        before = config.read_text()
        there = self.usher.rows("SELECT count(*) FROM registration")[0][0]
        config.write_text(before.replace("registration = token",
                                         "registration = token\nmax_registrations = %d" % (there + 1)))
        api.ask("POST", "/api/v1/config/reload", {})
        try:
            made, token = self.register(), self.initial()
            self.refused(self.ask("POST", ENDPOINT, token, self.metadata()), 403, "access_denied")
            self.assertEqual(self.own("DELETE", made).status, 204)
            self.assertEqual(self.ask("POST", ENDPOINT, token, self.metadata()).status, 201)
        finally:
            config.write_text(before)
            api.ask("POST", "/api/v1/config/reload", {})


class Register(Registering):
    """What may be registered."""

    def test_all_of_it(self):
        made = self.register(scope="openid profile email roles")
        self.assertEqual(made["client_secret_expires_at"], 0)
        self.assertAlmostEqual(made["client_id_issued_at"], time.time(), delta=30)
        self.assertEqual(made["grant_types"], ["authorization_code"])
        self.assertEqual(made["response_types"], ["code"])
        self.assertEqual(made["token_endpoint_auth_method"], "client_secret_basic")
        self.assertEqual(made["scope"], "openid profile email")  # not what it may not have
        self.assertEqual(made["client_name"], "Guest")
        tokens, claims = self.party(made).sign_in(self.browser, scope="openid profile email roles")
        self.assertEqual(claims["aud"], made["client_id"])
        self.assertEqual(set(tokens["scope"].split()), {"openid", "profile", "email"})

    def test_what_was_registered_is_told(self):
        key = Key(self.usher.folder).jwk()
        asked = {"client_name": "Ein Gästebuch", "redirect_uris": [CALLBACK, CALLBACK + "?a=b"],
                 "post_logout_redirect_uris": ["https://rp.example.com/out"], "application_type": "web",
                 "grant_types": ["authorization_code", "refresh_token", DEVICE], "response_types": ["code"],
                 "scope": "openid offline_access", "token_endpoint_auth_method": "private_key_jwt",
                 "jwks": {"keys": [key]}, "client_uri": "https://rp.example.com/",
                 "logo_uri": "https://rp.example.com/logo.svg", "policy_uri": "https://rp.example.com/p",
                 "tos_uri": "https://rp.example.com/t", "contacts": ["ada@rp.example.com", "+49-30-1"],
                 "software_id": "4NRB1-0XZABZI9E6-5SM3R", "software_version": "2.1", "subject_type": "public",
                 "id_token_signed_response_alg": "ES256", "userinfo_signed_response_alg": "RS256",
                 "require_pushed_authorization_requests": True, "default_max_age": 3600, "require_auth_time": True,
                 "initiate_login_uri": "https://rp.example.com/begin",
                 "backchannel_logout_uri": "https://rp.example.com/over", "backchannel_logout_session_required": True}
        made = self.register(**asked)
        for name, value in asked.items():
            self.assertEqual(made[name], value, name)
        for name in ("client_secret", "client_secret_expires_at"):
            self.assertNotIn(name, made)
        shown = self.own("GET", made).json()
        self.assertEqual(shown, made)  # nothing of it was told once only but what is not there

    def test_metadata_that_is_refused(self):
        # OP-08, OP-55: allow-listed metadata; arrays with holes; wrong types
        token = self.initial()
        key = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}
        uris = [None, "x", [], [None], [CALLBACK, None], [[CALLBACK]], [1], {}, [CALLBACK + "#x"], [""],
                ["javascript:alert(1)"], ["data:text/html,x"], ["com.example.app:/cb"], ["http://rp.example.com/"],
                ["/callback"], ["https://user@rp.example.com/"], [CALLBACK + " https://evil.example/"],
                [CALLBACK + ",https://evil.example/"], [CALLBACK + "\r\nX: y"], 21 * [CALLBACK],
                ["https://rp.example.com/" + 3000 * "x"], ["vbscript:x"], ["file:///etc/passwd"], ["https:"],
                ["https://*.example.com/"], ["https://rp.example.com\\@evil.example/"]]
        for value in uris:
            self.refused(self.ask("POST", ENDPOINT, token, self.metadata(redirect_uris=value)), 400,
                         "invalid_redirect_uri")
        bad = [("client_name", 5), ("client_name", ""), ("client_name", "x" * 61), ("client_name", "a\u202eb"),
               ("client_name", "a\nb"), ("grant_types", "authorization_code"), ("grant_types", []),
               ("grant_types", [None]), ("grant_types", ["client_credentials"]), ("grant_types", ["password"]),
               ("grant_types", ["implicit"]), ("grant_types", ["authorization_code", EXCHANGE]),
               ("grant_types", ["refresh_token", "client_credentials"]), ("response_types", ["token"]),
               ("response_types", ["code", None]), ("response_types", ["code id_token"]), ("response_types", "code"),
               ("scope", "roles"), ("scope", "metrics"), ("scope", ["openid"]), ("scope", "\""), ("scope", ""),
               ("token_endpoint_auth_method", "client_secret_jwt"), ("token_endpoint_auth_method", 1),
               ("token_endpoint_auth_method", "private_key_jwt"), ("token_endpoint_auth_method", "tls_client_auth"),
               ("token_endpoint_auth_signing_alg", "none"), ("token_endpoint_auth_signing_alg", "HS256"),
               ("jwks", {}), ("jwks", {"keys": []}), ("jwks", {"keys": [None]}), ("jwks", {"keys": [{**key, "d": "x"}]}),
               ("jwks", {"keys": [key, {**key, "kid": "2", "d": "x"}]}),
               ("jwks", {"keys": [{"kty": "oct", "k": "x"}]}), ("jwks", json.dumps({"keys": [key]})),
               ("jwks", {"keys": [{**key, "x5c": ["x" * 9000]}]}), ("jwks", {"keys": 21 * [key]}),
               ("jwks", {"keys": [key]}),
               ("jwks_uri", "http://rp.example.com/jwks"), ("jwks_uri", "file:///etc/passwd"), ("jwks_uri", 1),
               ("logo_uri", "javascript:alert(1)"), ("logo_uri", "data:image/svg+xml,<svg onload=alert(1)>"),
               ("policy_uri", "http://rp.example.com/p"), ("tos_uri", "x"), ("client_uri", "https://a b/"),
               ("contacts", "a@b.example"), ("contacts", ["a b"]), ("contacts", [None]), ("subject_type", "pairwise"),
               ("sector_identifier_uri", "https://rp.example.com/sector"), ("id_token_signed_response_alg", "none"),
               ("id_token_signed_response_alg", "HS256"), ("id_token_signed_response_alg", "EdDSA"),
               ("userinfo_signed_response_alg", "none"), ("userinfo_signed_response_alg", "PS256"),
               ("id_token_encrypted_response_alg", "RSA-OAEP"), ("userinfo_encrypted_response_alg", "RSA-OAEP"),
               ("request_object_signing_alg", "RS256"), ("request_object_encryption_alg", "RSA-OAEP"),
               ("require_pushed_authorization_requests", "yes"), ("default_max_age", -1), ("default_max_age", 1.5),
               ("default_max_age", "5"), ("default_max_age", 10 ** 18), ("require_auth_time", 1),
               ("initiate_login_uri", "http://127.0.0.1/begin"), ("backchannel_logout_uri", "http://rp.example.com/"),
               ("backchannel_logout_uri", "https://rp.example.com/#x"), ("backchannel_logout_session_required", "x"),
               ("application_type", "desktop"), ("software_id", ["x"]), ("software_version", "x" * 201)]
        for name, value in bad:
            description = self.refused(self.ask("POST", ENDPOINT, token, self.metadata(**{name: value})))
            if name != "token_endpoint_auth_method" or value != "private_key_jwt":
                self.assertTrue(description.startswith(name + ": "), (name, value, description))
        both = self.metadata(jwks={"keys": [Key(self.usher.folder).jwk()]}, jwks_uri="https://rp.example.com/jwks")
        self.assertIn("jwks_uri", self.refused(self.ask("POST", ENDPOINT, token, both)))
        for name in ("redirect_uris", "post_logout_redirect_uris"):
            body = self.metadata(**{name: ["com.example.app:/cb"]}, application_type="web",
                                 token_endpoint_auth_method="none")
            self.refused(self.ask("POST", ENDPOINT, token, body), 400, "invalid_redirect_uri")
        self.assertEqual(self.ask("POST", ENDPOINT, token, self.metadata()).status, 201)  # still good

    def test_bodies_that_make_no_sense(self):
        # OP-55: JSON null body, arrays with holes
        token = self.initial()
        for raw in ("null", "[]", "[1,,2]", "{", "", "5", "\"x\"", "{\"redirect_uris\":[,]}", "\0",
                    "{\"redirect_uris\":[],\"redirect_uris\":[]}", "[" * 5000, "{\"a\":" * 100 + "1" + "}" * 100,
                    "{\"client_name\":\"\\u0000\"}", "{\"client_name\":\"\xff\"}".encode("latin-1")):
            self.refused(self.ask("POST", ENDPOINT, token, raw=raw))
        form = Browser(self.usher).request("POST", ENDPOINT, form={"redirect_uris": CALLBACK},
                                           headers={"Authorization": "Bearer " + token})
        self.assertEqual((form.status, form.json()["error"]), (415, "invalid_request"))
        large = self.ask("POST", ENDPOINT, token, raw=json.dumps(self.metadata(x="y" * (1 << 20))))
        self.assertEqual((large.status, large.json()["error"]), (413, "invalid_request"))
        self.refused(self.ask("POST", ENDPOINT + "?redirect_uri=x", token, self.metadata()), 400, "invalid_request")
        self.assertEqual(self.ask("PUT", ENDPOINT, token, self.metadata()).status, 405)
        self.assertEqual(self.ask("POST", ENDPOINT, token, self.metadata()).status, 201)

    def test_what_nobody_knows_is_ignored(self):
        made = self.register(**{"client_name#de": "Gast", "tls_client_auth_subject_dn": "x", "nested": [{"a": [None]}],
                                "client_id": "mine", "enabled": True, "consent": False, "require": "nobody",
                                "label": "x", "hosts": ["evil.example"], "software_statement": "a.b.c",
                                "jwks_uri": None, "frontchannel_logout_uri": "https://rp.example.com/f"})
        self.assertNotEqual(made["client_id"], "mine")
        for name in ("consent", "hosts", "nested", "client_name#de", "jwks_uri", "frontchannel_logout_uri"):
            self.assertNotIn(name, made)
        settings = self.api.ask("GET", "/api/v1/apps/" + made["client_id"])["settings"]
        self.assertEqual(settings["consent"], "true")
        self.assertEqual(set(settings), {"label", "redirect_uris", "grants", "scopes", "auth_method", "client_type",
                                         "consent", "require_pkce"})

    def test_a_native_app(self):
        made = self.register(redirect_uris=["com.example.app:/callback", "http://127.0.0.1/callback"],
                             token_endpoint_auth_method="none", application_type="native")
        self.assertNotIn("client_secret", made)
        self.assertEqual(made["application_type"], "native")
        rp = RelyingParty(self.usher, made["client_id"], redirect_uri="http://127.0.0.1:5555/callback")
        verifier, challenge = pkce()
        answer = rp.begin(self.browser, code_challenge=None)
        self.assertIn("error=invalid_request", answer.location)  # PKCE is no choice of a public client
        response = rp.authorize(self.browser, code_challenge=challenge, code_challenge_method="S256")
        self.assertEqual(rp.redeem(response, "none", verifier).status, 200)

    def test_the_way_it_authenticates(self):
        made = self.register(token_endpoint_auth_method="client_secret_post")
        rp = self.party(made)
        response = rp.authorize(self.browser)
        wrong = rp.redeem({"code": "x"}, "basic")
        self.assertEqual((wrong.status, wrong.json()["error"]), (401, "invalid_client"))
        self.assertEqual(rp.redeem(response, "post").status, 200)

    def test_no_more_than_people_give(self):
        # OP-55, OP-60: grant escalation
        made = self.register(scope="openid roles metrics groups")
        client = Client(self.usher, made["client_id"], made["client_secret"])
        for grant in ("client_credentials", EXCHANGE, DEVICE, "refresh_token"):
            answer = client.token(grant_type=grant, subject_token="x", device_code="x", refresh_token="x",
                                  subject_token_type="urn:ietf:params:oauth:token-type:access_token")
            self.assertEqual(answer.status, 400, answer.text)
            self.assertIn(answer.json()["error"], ("unauthorized_client", "unsupported_grant_type"))
        self.assertEqual(made["scope"], "openid")
        claims = json.dumps({"userinfo": {"roles": None, "email": None, "permissions": None, "groups": None}})
        tokens, _ = self.party(made).sign_in(self.browser, scope="openid roles email groups", claims=claims)
        info = self.party(made).userinfo(tokens["access_token"]).json()
        self.assertEqual(set(info), {"sub"})

    def test_people_are_asked(self):
        made = self.register(client_name="<b>Bank</b>", policy_uri="https://rp.example.com/p?a=1&b=2",
                             logo_uri="https://rp.example.com/logo.svg", tos_uri="https://rp.example.com/t",
                             client_uri="https://rp.example.com/about")
        page = self.party(made).authorize(self.browser, consent=False)
        self.assertEqual(page.status, 200, page.summary())
        self.assertIn("data-unverified", page.text)
        self.assertIn("&lt;b&gt;Bank&lt;/b&gt;", page.text)
        self.assertNotIn("<b>Bank", page.text)
        # OP-56: links, and no picture; nothing of it can run
        self.assertIn('href="https://rp.example.com/p?a=1&amp;b=2" rel="noreferrer"', page.text)
        self.assertIn('href="https://rp.example.com/logo.svg"', page.text)
        self.assertNotIn('src="https://', page.text)
        self.assertNotIn("<script", page.text)
        self.assertIn("default-src 'none'", page.headers["Content-Security-Policy"])
        denied = self.party(made).begin(self.browser, prompt="none")
        self.assertIn("error=consent_required", denied.location)

    def test_a_new_name_is_asked_about_again(self):
        made = self.register()
        rp = self.party(made)
        rp.sign_in(self.browser)
        self.assertIn("code=", rp.begin(self.browser, prompt="none").location)
        self.own("PUT", made, self.metadata(client_id=made["client_id"], client_name="Your bank"))
        self.assertIn("error=consent_required", rp.begin(self.browser, prompt="none").location)

    def test_userinfo_is_signed(self):
        made = self.register(userinfo_signed_response_alg="ES256")
        rp = self.party(made)
        tokens, claims = rp.sign_in(self.browser)
        info = rp.userinfo(tokens["access_token"])
        self.assertEqual(info.headers["Content-Type"], "application/jwt")
        head, said, _ = read_jwt(info.text)
        self.assertEqual(head["alg"], "ES256")
        key = [k for k in rp.keys()["keys"] if k["kid"] == head["kid"]][0]
        self.assertTrue(verify(self.usher.folder, info.text, key))
        self.assertEqual((said["sub"], said["iss"], said["aud"]),
                         (claims["sub"], rp.metadata["issuer"], made["client_id"]))
        # It is no ID token: as a hint it says nothing.
        out = self.browser.get(rp.metadata["end_session_endpoint"] + "?id_token_hint=" + info.text)
        self.assertNotEqual(out.status, 303, out.summary())

    def test_how_long_ago_one_may_have_signed_in(self):
        made = self.register(default_max_age=1, require_auth_time=True)
        rp = self.party(made)
        _, claims = rp.sign_in(self.browser)
        self.assertIn("auth_time", claims)
        time.sleep(2.2)
        self.assertIn("error=login_required", rp.begin(self.browser, prompt="none").location)
        self.assertIn("code=", rp.begin(self.browser, prompt="none", max_age=600).location)

    def test_nothing_is_fetched(self):
        # OP-56: internal hosts, redirects, http, huge, SVG with script
        hearer = Hearer()
        try:
            made = self.register(**{name: hearer.url + "/" + name for name in (
                "logo_uri", "jwks_uri", "backchannel_logout_uri", "policy_uri", "tos_uri", "client_uri")},
                initiate_login_uri="https://127.0.0.1:%s/begin" % hearer.url.rsplit(":")[-1],
                token_endpoint_auth_method="private_key_jwt")
            self.party(made).authorize(self.browser, consent=False)
            self.own("GET", made)
            self.own("PUT", made, {k: v for k, v in made.items() if not k.startswith(("registration_", "client_id_"))})
            time.sleep(0.5)
            self.assertEqual(hearer.heard, [])
        finally:
            hearer.close()
        token = self.initial()
        for name in ("logo_uri", "jwks_uri", "initiate_login_uri", "backchannel_logout_uri"):
            for url in ("http://10.0.0.1/x", "http://169.254.169.254/latest/", "ftp://rp.example.com/",
                        "gopher://127.0.0.1/", "//127.0.0.1/", "https://rp.example.com/" + 3000 * "x",
                        "data:image/svg+xml;base64,PHN2Zz4="):
                self.refused(self.ask("POST", ENDPOINT, token, self.metadata(**{name: url})))


class Manage(Registering):
    """RFC 7592."""

    def update(self, made, **more):
        return self.own("PUT", made, {**self.metadata(client_id=made["client_id"]), **more})

    def test_shown(self):
        made = self.register()
        answer = self.own("GET", made)
        self.assertEqual((answer.status, answer.headers["Cache-Control"]), (200, "no-store"))
        shown = answer.json()
        self.assertEqual({k: v for k, v in made.items() if not k.startswith("client_secret")}, shown)
        self.usher.stop()
        self.usher.start()
        self.assertEqual(self.own("GET", made).json(), shown)

    def test_another_apps_token(self):
        # OP-55: with another client's registration token
        mine, other = self.register(), self.register()
        for method, body in (("GET", None), ("PUT", self.metadata(client_id=other["client_id"])), ("DELETE", None)):
            for token in (mine["registration_access_token"], self.initial(), "x", other["client_secret"]):
                self.refused(self.own(method, other, body, token), 401, "invalid_token")
            path = other["registration_client_uri"][len(self.usher.url):]
            self.refused(self.ask(method, path, None, body), 401, "invalid_token")
            self.refused(self.ask(method, ENDPOINT + "/dcr-none", mine["registration_access_token"], body), 401,
                         "invalid_token")
        self.assertEqual(self.own("GET", other).json()["client_name"], "Guest")

    def test_changed(self):
        made = self.register(policy_uri="https://rp.example.com/p", grant_types=["authorization_code", "refresh_token"])
        answer = self.update(made, client_secret=made["client_secret"], client_name="New", tos_uri="https://t.example/")
        self.assertEqual(answer.status, 200, answer.text)
        now = answer.json()
        self.assertEqual((now["client_name"], now["tos_uri"]), ("New", "https://t.example/"))
        self.assertNotIn("policy_uri", now)  # what is left out is taken back
        self.assertEqual(now["grant_types"], ["authorization_code"])
        self.assertEqual(now["registration_access_token"], made["registration_access_token"])
        self.assertEqual(now["client_id_issued_at"], made["client_id_issued_at"])
        self.assertNotIn("client_secret", now)
        self.party(made).sign_in(self.browser)  # by the secret it had

    def test_what_an_update_must_and_must_not_say(self):
        made = self.register()
        self.refused(self.own("PUT", made, self.metadata()))
        self.refused(self.update(made, client_id="another"))
        self.refused(self.update(made, client_secret="another"))
        for name in ("registration_access_token", "registration_client_uri", "client_secret_expires_at",
                     "client_id_issued_at"):
            self.refused(self.update(made, **{name: made[name]}))
        self.refused(self.update(made, grant_types=["client_credentials"]))
        self.refused(self.update(made, redirect_uris=["https://x.example/#y"]), 400, "invalid_redirect_uri")
        for raw in ("null", "[]", ""):
            path = made["registration_client_uri"][len(self.usher.url):]
            self.refused(self.ask("PUT", path, made["registration_access_token"], raw=raw))
        self.assertEqual(self.own("GET", made).json()["client_name"], "Guest")

    def test_a_secret_comes_when_it_is_needed(self):
        made = self.register(token_endpoint_auth_method="none")
        self.assertNotIn("client_secret", made)
        now = self.update(made).json()
        self.assertEqual(now["token_endpoint_auth_method"], "client_secret_basic")
        self.party({**made, **now}).sign_in(self.browser)

    def test_what_an_admin_decided_stays(self):
        made = self.register()
        path = "/api/v1/apps/" + made["client_id"]
        app = self.api.ask("GET", path)
        self.assertAlmostEqual(app["registered"], time.time(), delta=60)
        self.assertFalse(app["read_only"])
        self.api.ask("PATCH", path, {"settings": {"require": "role:nobody", "grants": ["authorization_code",
                                                  "client_credentials"], "scopes": ["openid", "reports"]}},
                     If_Match='"%d"' % app["version"])
        now = self.update(made, grant_types=["authorization_code", "client_credentials"], scope="openid reports").json()
        self.assertEqual((now["grant_types"], now["scope"]),
                         (["authorization_code", "client_credentials"], "openid reports"))
        settings = self.api.ask("GET", path)["settings"]
        self.assertEqual((settings["require"], settings["consent"]), ("role:nobody", "true"))
        answer = self.party(made).authorize(self.browser)
        self.assertFalse(isinstance(answer, dict) and "code" in answer, answer)

    def test_switched_off(self):
        made = self.register()
        path = "/api/v1/apps/" + made["client_id"]
        version = self.api.ask("GET", path)["version"]
        self.api.ask("PATCH", path, {"settings": {"enabled": False}}, If_Match='"%d"' % version)
        for method, body in (("GET", None), ("PUT", self.metadata(client_id=made["client_id"])), ("DELETE", None)):
            self.refused(self.own(method, made, body), 403, "access_denied")

    def test_an_admin_deletes_it(self):
        made = self.register()
        path = "/api/v1/apps/" + made["client_id"]
        version = self.api.ask("GET", path)["version"]
        self.api.ask("DELETE", path, {}, If_Match='"%d"' % version)
        self.refused(self.own("GET", made), 401, "invalid_token")
        self.assertEqual(self.usher.rows("SELECT count(*) FROM registration WHERE app = ?", made["client_id"]), [(0,)])

    def test_it_deletes_itself(self):
        made = self.register()
        rp = self.party(made)
        tokens, _ = rp.sign_in(self.browser)
        gone = self.own("DELETE", made)
        self.assertEqual((gone.status, gone.text, gone.headers["Cache-Control"]), (204, "", "no-store"))
        self.refused(self.own("GET", made), 401, "invalid_token")
        self.assertEqual(rp.userinfo(tokens["access_token"]).status, 401)
        self.assertEqual(rp.begin(self.browser).status, 400)
        self.assertEqual(self.api.request("GET", "/api/v1/apps/" + made["client_id"]).status, 404)


if __name__ == "__main__":
    unittest.main()
