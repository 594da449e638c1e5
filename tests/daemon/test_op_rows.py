# SPDX-License-Identifier: Apache-2.0
"""The rows of the OP catalogue word by word: what other files leave of them, each by its id."""
import base64
import contextlib
import hashlib
import json
import re
import secrets
import sqlite3
import time

import test_account_pages as pages
from harness import PATIENCE, Api, Browser, fake_providers, write_private
from oauth import b64url, read_jwt
from relying_party import CALLBACK, RelyingParty, form_of, query_of, say
from test_conformance import Plan
from test_oauth import KeyServer
from test_op_cases import GONE, error_of

API = "https://api.example.com"
APPS = {
    "once": "label = Once\nredirect_uris = %s\nscopes = openid offline_access\ngrants = authorization_code\n"
            "client_type = public\n" % CALLBACK,
    "reader": "label = Reader\nredirect_uris = %s\nscopes = openid email offline_access\nrequire_pkce = no\n"
              "resources = %s\n" % (CALLBACK, API),
    "asks": "label = Asks\nredirect_uris = %s\nscopes = openid email offline_access\nconsent = yes\nrequire_pkce = no\n"
            % CALLBACK,
    "machine": "label = Machine\ngrants = client_credentials\nscopes = reports\n",
}


class Rows(Plan):
    apps = APPS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        api = Api(cls.usher)
        cls.secret = {app: api.ask("POST", "/api/v1/apps/%s/secrets" % app, {}, 201)["secret"]
                      for app in APPS if app != "once"}

    def party(self, app):
        return RelyingParty(self.usher, app, self.secret.get(app))

    def sql(self, text, *values):
        with contextlib.closing(sqlite3.connect(self.usher.database, timeout=PATIENCE)) as db, db:
            db.execute(text, values)

    @contextlib.contextmanager
    def changed(self, app, old, new):
        path = self.folder / "apps.d" / (app + ".conf")
        text = path.read_text()
        self.assertIn(old, text)
        write_private(path, text.replace(old, new))
        Api(self.usher).ask("POST", "/api/v1/config/reload", {})
        try:
            yield
        finally:
            write_private(path, text)
            Api(self.usher).ask("POST", "/api/v1/config/reload", {})


class Requests(Rows):
    def test_op_06_op_09_addresses_that_are_odd_or_long(self):
        # OP-06, OP-09: a page
        for uri in (CALLBACK + "\0", CALLBACK + "%00", CALLBACK + "\r\nLocation: https://evil.example/", CALLBACK + "é",
                    CALLBACK + "/%2e%2e" * 250, CALLBACK + "/../a" * 390, CALLBACK + "?" + "a&" * 1000, "https://" + "a." * 900):
            self.assert_page(self.rp.begin(self.browser, redirect_uri=uri))

    def test_op_11_op_12_challenges(self):
        # OP-11, OP-12
        good = b64url(hashlib.sha256(b"x").digest())
        for method in ("plain", "S512", "s256", "S256 ", ["S256", "plain"]):
            self.assert_error(self.authorize(code_challenge=good, code_challenge_method=method), "invalid_request")
        for challenge in (good[:-1], good + "A", "A" * 129, good[:-1] + "+", good[:-1] + ".", good + "="):
            self.assert_error(self.authorize(code_challenge=challenge, code_challenge_method="S256"), "invalid_request")

    def test_op_12_verifiers_that_fit_and_are_none(self):
        # OP-12: RFC 7636 4.1 says what a verifier is, whatever its hash
        for verifier, good in (("x" * 42, False), ("x" * 43, True), ("x" * 128, True), ("x" * 129, False),
                               ("x" * 42 + "+", False), ("x" * 42 + "=", False), ("x" * 42 + " ", False),
                               ("x" * 42 + "é", False), ("a-._~Z9" * 7, True)):
            challenge = b64url(hashlib.sha256(verifier.encode()).digest())
            response = self.authorize(code_challenge=challenge, code_challenge_method="S256")
            answer = self.rp.redeem(response, verifier=verifier)
            if good:
                self.assertEqual(answer.status, 200, verifier)
            else:
                self.assertEqual(error_of(answer), GONE, verifier)
            wrong = verifier[:-1] + ("y" if verifier[-1] != "y" else "z")
            response = self.authorize(code_challenge=challenge, code_challenge_method="S256")
            self.assertEqual(error_of(self.rp.redeem(response, verifier=wrong)), GONE, wrong)

    def test_op_14_what_a_consent_form_says_besides(self):
        # OP-14: the record wins over everything in the form but which boxes are left
        rp, victim = self.party("asks"), Browser(self.usher)
        victim.sign_in("oidc", "grace")
        page = rp.arrive(self.browser, rp.begin(self.browser, scope="openid"), "lin", consent=False)
        action, fields = form_of(page.text, pairs=True)
        self.assertEqual(sorted(fields), [("account", self.browser.me()["id"]), ("scope", "openid")])
        other = ("account", victim.me()["id"])  # whom the page asked is compared, and nothing else
        self.assertEqual(self.browser.post(action, fields + [other, ("answer", "allow")]).status, 400)
        asked = self.browser.post(action, [other, ("scope", "openid"), ("answer", "allow")])
        self.assertEqual((asked.status, form_of(asked.text, pairs=True)), (200, (action, fields)))
        said = self.browser.post(action, fields + [
            ("answer", "allow"), ("redirect_uri", "https://evil.example/"), ("client_id", "rp"), ("state", "another"),
            ("sub", victim.me()["id"]), ("scope", "email"), ("nonce", "another")])
        self.assertTrue(said.location.startswith(CALLBACK + "?"), said.location)
        response = query_of(said.location)
        self.assertNotEqual(response["state"], "another")
        self.assertEqual(error_of(self.rp.redeem(response)), GONE)  # not rp's, whatever the form said
        response = rp.authorize(self.browser, scope="openid", nonce=None)
        tokens = rp.redeem(response).json()
        self.assertEqual(tokens["scope"], "openid")
        self.assertEqual(rp.claims(tokens["id_token"])["sub"], self.browser.me()["id"])

    def test_op_21_whose_hint_it_is(self):
        # OP-21: in silence only for whom the hint names, and never by a page
        elsewhere = Browser(self.usher)
        theirs, _ = self.sign_in(elsewhere, person="grace")
        mine, claims = self.sign_in()
        others = self.other.sign_in(self.browser)[0]["id_token"]
        head, payload, signature = mine["id_token"].split(".")
        for hint in (theirs["id_token"], others, "x", "a.b.c", head + "." + payload + ".", mine["access_token"]):
            self.assert_error(self.authorize(prompt="none", id_token_hint=hint), "login_required")
        _, again = self.sign_in(prompt="none", id_token_hint=mine["id_token"])
        self.assertEqual(again["sub"], claims["sub"])
        # and not in silence, the person is asked who they are
        answer = self.rp.begin(self.browser, id_token_hint=theirs["id_token"])
        self.assertTrue(answer.location.startswith("/login?"), answer.location)
        # once: who comes back as somebody else would be asked without end
        self.assert_error(self.rp.arrive(self.browser, answer, "ada"), "login_required")
        _, who = self.sign_in(id_token_hint=theirs["id_token"], person="grace")
        self.assertNotEqual(who["sub"], claims["sub"])
        # nor is anybody asked who could not be the right one
        for browser in (self.browser, Browser(self.usher)):
            self.assert_error(query_of(self.rp.begin(browser, "POST", prompt="none", id_token_hint="x" * 9000).location),
                              "invalid_request")  # longer than any of ours, and not left out of account for that
            for hint in (others, "x", head + "." + payload + "."):
                self.assert_error(query_of(self.rp.begin(browser, id_token_hint=hint).location), "login_required")

    def test_op_22_a_fresh_proof_and_no_more_than_that(self):
        # OP-22
        _, first = self.sign_in()
        self.assert_error(self.authorize(prompt="none", max_age=0), "login_required")  # however soon
        time.sleep(1.1)
        self.fake.reset()
        _, second = self.sign_in(max_age=0)
        self.assertEqual(self.fake.counts().get("/oidc/authorize"), 1)
        self.assertGreater(second["auth_time"], first["auth_time"])
        _, claims = self.sign_in(acr_values="urn:mace:incommon:iap:gold phr", claims=json.dumps(
            {"id_token": {"acr": {"essential": True, "values": ["phr"]}}}))
        self.assertNotIn("acr", claims)

    def test_op_25_twice(self):
        # OP-25
        for name in ("client_id", "redirect_uri"):
            value = {"client_id": "rp", "redirect_uri": CALLBACK}[name]
            for other in (value, "https://evil.example/"):
                self.assert_page(self.rp.begin(self.browser, **{name: [value, other]}))
        for name in ("state", "scope", "code_challenge", "response_type", "prompt", "nonce"):
            self.assert_error(self.authorize(**{name: ["openid", "openid"]}), "invalid_request")

    def test_op_26_states_come_back_byte_by_byte(self):
        # OP-26
        self.browser.sign_in("oidc", "ada")
        for mode in ("query", "form_post"):
            for state in ("\"'<>&", "</script><script>alert(1)</script>", "a\r\nSet-Cookie: b=c", "größe ☃ \U0001F9ED", " a+b%20 ",
                          "&state=other&code=x#f", "{{state}}", "x" * 4096):
                with self.subTest(mode=mode, state=state[:20]):
                    answer = self.rp.begin(self.browser, "POST", response_mode=mode, state=state)
                    said = self.rp.arrive(self.browser, answer)
                    self.assertEqual(said["state"].replace("\r\n", "\n"), state.replace("\r\n", "\n"))
                    self.assertNotIn("<script>alert", answer.text)
                    self.assertIsNone(answer.headers["Set-Cookie"])
            answer = self.rp.begin(self.browser, "POST", response_mode=mode, state="x" * 8192)
            said = self.rp.arrive(self.browser, answer)
            self.assertEqual((said["error"], said.get("state")), ("invalid_request", None))

    def test_what_is_sent_empty_is_not_sent(self):
        # RFC 6749 3.1, 3.2
        _, claims = self.sign_in(prompt="", max_age="", claims="", request="", id_token_hint="", resource="", scope="openid")
        self.assertEqual(claims["aud"], "rp")
        reader = self.party("reader")
        tokens = reader.redeem(reader.authorize(self.browser, scope="openid email offline_access", resource=""), resource="")
        again = reader.refresh(tokens.json()["refresh_token"], resource="", scope="").json()
        self.assertEqual(again["scope"], "openid email offline_access")
        self.assertIn(API, read_jwt(again["access_token"])[1]["aud"])
        pushed = self.rp.post("pushed_authorization_request_endpoint",
                              self.rp.request(request_uri="", request="", resource="", nonce=None))
        self.assertEqual(pushed.status, 201, pushed.text)
        said = self.rp.userinfo(tokens.json()["access_token"])
        both = Browser(self.usher).request("POST", self.rp.metadata["userinfo_endpoint"], form={"access_token": ""},
                                           headers={"Authorization": "Bearer   " + tokens.json()["access_token"]})
        self.assertEqual((both.status, both.text), (200, said.text))

    def test_a_page_that_is_late_says_what_to_do(self):
        answer = self.party("asks").begin(self.browser)
        self.assertIn("/login?", answer.location)
        late = Browser(self.usher).get("/oauth2/continue/" + re.search("uwr_[^&]*", answer.location)[0])
        self.assert_page(late)
        self.assertIn("Go back to the app and sign in there again", late.text)
        self.assertNotIn("Only the people who run that app", late.text)
        self.assertIn("longer than we read", self.rp.begin(self.browser, state="x" * 9000).text)

    def test_op_31_nothing_is_fetched(self):
        # OP-31
        server = KeyServer()
        self.addCleanup(server.stop)
        for uri in (server.url, server.url.replace("127.0.0.1", "localhost"), "http://169.254.169.254/latest", "file:///etc/passwd",
                    "https://rp.example.com/request.jwt", "urn:ietf:params:oauth:request_uri", "urn:other"):
            self.assert_error(self.authorize(request_uri=uri), "request_uri_not_supported")
            answer = self.rp.post("pushed_authorization_request_endpoint",
                                  {"response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "request_uri": uri})
            self.assertEqual(error_of(answer), (400, "invalid_request"))
        self.assert_page(self.rp.begin(self.browser, request_uri="urn:ietf:params:oauth:request_uri:"))
        self.assertEqual(server.asked, 0)

    def test_op_51_claims(self):
        # OP-51
        tokens, claims = self.sign_in(claims=json.dumps({"userinfo": {"birthdate": {"essential": True}, "x": None},
                                                         "id_token": {"nothing": {"essential": True}}}))
        self.assertNotIn("birthdate", self.rp.userinfo(tokens["access_token"]).json())
        self.assertNotIn("nothing", claims)
        for bad in ("{", "[]", "1", "{\"userinfo\": []}", "[" * 5000, "{\"a\":" * 100 + "1" + "}" * 100, "x" * 8193):
            answer = self.rp.begin(self.browser, "POST", claims=bad)
            self.assert_error(self.rp.arrive(self.browser, answer), "invalid_request")
        self.assert_page(self.rp.begin(self.browser, "POST", claims="x" * (1 << 20)), 413)
        wrong = json.dumps({"id_token": {"sub": {"value": "A" * 22}}})
        self.assert_error(self.authorize(prompt="none", claims=wrong), "login_required")

    def test_op_68_hints_are_hints(self):
        # OP-68
        html = "\"><script>alert(1)</script>"
        for name in ("login_hint", "ui_locales", "display", "claims_locales", "unknown", "acr_values"):
            for value in (html, "x" * 10000):
                browser = Browser(self.usher)
                answer = self.rp.begin(browser, "POST", **{name: value})
                while answer.status == 303 and answer.location.startswith("/"):
                    answer = browser.get(answer.location)
                self.assertEqual(answer.status, 200, (name, answer.summary()))
                self.assertNotIn("<script>alert", answer.text)
                self.assertIn("code", self.rp.arrive(browser, self.rp.begin(browser, "POST", **{name: value})))


class Tokens(Rows):
    def test_op_37_grants_that_an_app_has_not(self):
        # OP-37
        rp, verifier = self.party("once"), secrets.token_urlsafe(40)
        challenge = b64url(hashlib.sha256(verifier.encode()).digest())
        response = rp.authorize(self.browser, scope="openid offline_access", code_challenge=challenge,
                                code_challenge_method="S256")
        tokens = rp.redeem(response, "none", verifier).json()
        self.assertNotIn("refresh_token", tokens)
        theirs, _ = self.sign_in()
        self.assertEqual(error_of(rp.refresh(theirs["refresh_token"], "none")), (400, "unauthorized_client"))
        self.assertEqual(self.rp.refresh(theirs["refresh_token"]).status, 200)

    def test_op_38_no_openid_where_none_was(self):
        # OP-38
        rp = self.party("reader")
        tokens = rp.redeem(rp.authorize(self.browser, scope="email")).json()
        self.assertNotIn("id_token", tokens)
        for wider in ("openid", "email openid", "email offline_access", "email\x01", "email \"x", "email\\"):
            self.assertEqual(error_of(rp.refresh(tokens["refresh_token"], scope=wider)), (400, "invalid_scope"), wider)

    def test_op_38_offline_only_with_a_yes_to_it(self):
        # OP-38: whoever left that box out is signed out when they sign out
        rp, kept = self.party("asks"), {}
        self.browser.sign_in("oidc", "tom")
        for scopes in ("openid", "openid offline_access"):
            page = rp.arrive(self.browser, rp.begin(self.browser, scope="openid offline_access", prompt="consent"), consent=False)
            said = say(self.browser, page, "allow", scopes.split())
            tokens = rp.redeem(query_of(said.location)).json()
            self.assertEqual(tokens["scope"], scopes)
            kept[scopes] = tokens["refresh_token"]
        self.browser.post("/logout", {})
        self.assertEqual(error_of(rp.refresh(kept["openid"])), GONE)
        self.assertEqual(rp.refresh(kept["openid offline_access"]).status, 200)

    def test_op_42_an_app_that_may_no_longer(self):
        # OP-42: switched off, and without the grant
        tokens, _ = self.sign_in(scope="openid offline_access")
        with self.changed("rp", "label = rp", "label = rp\nenabled = no"):
            self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), (401, "invalid_client"))
            self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 401)
        with self.changed("rp", "authorization_code refresh_token", "authorization_code"):
            self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), (400, "unauthorized_client"))
        self.assertEqual(self.rp.refresh(tokens["refresh_token"]).status, 200)

    def test_op_42_the_last_day(self):
        # OP-42: the end of all that hangs on a sign-in, however often it was renewed
        tokens, claims = self.sign_in(scope="openid offline_access")
        tokens = self.rp.refresh(tokens["refresh_token"]).json()
        self.sql("UPDATE oauth_grant SET ends = ? WHERE account = ?", int(time.time()) - 1, claims["sub"])
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), GONE)

    def test_op_43_one_kind_for_another(self):
        # OP-43
        tokens, _ = self.sign_in()
        access, refresh, code = tokens["access_token"], tokens["refresh_token"], self.authorize()["code"]
        for wrong in (refresh, code, "uat_" + refresh[4:], tokens["id_token"], "uat_" + code[4:], refresh[:-1], ""):
            self.assertEqual(self.rp.userinfo(wrong).status, 401, wrong[:8])
        for wrong in (access, code, "urt_" + code[4:], refresh[:-1], refresh + "A", refresh.swapcase(), tokens["id_token"]):
            self.assertEqual(error_of(self.rp.refresh(wrong)), GONE, wrong[:8])
        for wrong in (access, refresh, "uac_" + refresh[4:], tokens["id_token"]):
            self.assertEqual(error_of(self.rp.redeem({"code": wrong})), GONE, wrong[:8])
        self.assertEqual(self.rp.redeem({"code": code}).status, 200)
        self.assertEqual(self.rp.refresh(refresh).status, 200)

    def test_op_47_op_50_what_userinfo_takes(self):
        # OP-47, OP-49, OP-50
        url = self.rp.metadata["userinfo_endpoint"]

        def ask(path=url, method="GET", form=None, **headers):
            return Browser(self.usher).request(method, path, form=form, headers=headers)
        tokens, _ = self.sign_in(scope="openid", claims=json.dumps({"userinfo": {"zoneinfo": {"essential": True}}}))
        bearer = "Bearer " + tokens["access_token"]
        self.assertEqual(set(ask(Authorization=bearer).json()), {"sub"})
        for answer in (ask(url + "?access_token=" + tokens["access_token"]),
                       ask(url + "?access_token=" + tokens["access_token"], Authorization=bearer),
                       ask(method="POST", form={"access_token": tokens["access_token"]}, Authorization=bearer),
                       ask(method="POST", form=[("access_token", tokens["access_token"])] * 2)):
            self.assertEqual(error_of(answer), (400, "invalid_request"))
        # What libraries write behind the address besides is not looked at.
        self.assertEqual(set(ask(url + "?schema=openid&x=1", Authorization=bearer).json()), {"sub"})
        for answer in (ask(url + "?schema=openid&access_token=x", Authorization=bearer), ask(url + "?%zz", Authorization=bearer)):
            self.assertEqual(error_of(answer), (400, "invalid_request"))
        refused = ask()
        self.assertEqual((refused.status, refused.headers["WWW-Authenticate"]), (401, "Bearer realm=\"usher\""))

        def challenged(token, status, error):
            answer = ask(Authorization="Bearer " + token)
            self.assertEqual((answer.status, answer.json()["error"]), (status, error))
            self.assertIn('error="%s"' % error, answer.headers["WWW-Authenticate"])
            self.assertIn("no-store", answer.headers["Cache-Control"])
        challenged(tokens["id_token"], 401, "invalid_token")
        reader = self.party("reader")
        theirs = reader.redeem(reader.authorize(self.browser, scope="email", resource=API)).json()["access_token"]
        challenged(theirs, 401, "invalid_token")  # for another API
        machine = self.party("machine").post("token_endpoint", {"grant_type": "client_credentials"}).json()["access_token"]
        challenged(machine, 403, "insufficient_scope")
        plain = self.rp.redeem(self.rp.authorize(self.browser, scope="email")).json()["access_token"]
        self.assertIn(ask(Authorization="Bearer " + plain).status, (401, 403))
        for token in (tokens["access_token"], tokens["id_token"], theirs, machine):  # nor at the admin API
            answer = Browser(self.usher).get("/api/v1/users", Authorization="Bearer " + token)
            self.assertEqual(answer.status, 401)


class Manual(Rows):
    """What docs/openid-connect.md says besides."""

    def test_another_account_is_asked_for(self):
        _, first = self.sign_in()
        self.sign_in(prompt="none")
        self.fake.reset()
        _, same = self.sign_in(prompt="select_account")
        self.assertEqual(same["sub"], first["sub"])
        self.assertEqual(self.fake.counts().get("/oidc/authorize"), 1, "nobody was asked")
        _, second = self.sign_in(prompt="select_account", person="grace")
        self.assertNotEqual(second["sub"], first["sub"])

    def test_to_go_on_as_one_is_leads_on_wherever_it_is_offered(self):
        _, first = self.sign_in()
        time.sleep(1.1)  # a session that began in the same second could pass for a new one

        def offered(**more):
            answer = self.rp.begin(self.browser, **more)
            page = self.browser.get(answer.location)
            self.assertIn("You are signed in as", page.text)
            return re.search(r'<a href="(/oauth2/continue/[^"]*)">Go on as you are</a>', page.text)

        response = query_of(self.browser.get(offered(prompt="select_account", nonce=None)[1]).location)
        self.assertEqual(self.rp.claims(self.rp.redeem(response).json()["id_token"])["sub"], first["sub"])
        for more in ({"prompt": "login"}, {"max_age": 0}, {"prompt": "login select_account"}):
            self.assertIsNone(offered(**more), more)
        with self.changed("rp", "label = rp", "label = rp\nproviders = google discord"):
            self.assertIsNone(offered())

    def test_what_is_not_known_is_not_said(self):
        # Discord signs nothing: neither when somebody proved who they are, nor how
        rp = RelyingParty(self.usher, "rp", self.secrets[0], provider="discord")
        _, claims = rp.sign_in(self.browser, scope="openid profile email")
        self.assertEqual({"auth_time", "amr", "acr"} & set(claims), set())
        for more in ({"prompt": "login"}, {"max_age": 0}, {"max_age": 10000}):
            self.fake.reset()
            self.assert_error(rp.authorize(self.browser, **more), "login_required")
            self.assertEqual(self.fake.counts().get("/discord/oauth2/authorize"), 1, "asked first, then told")
        rp.sign_in(self.browser, prompt="none")

    def test_apps_that_never_ask_userinfo(self):
        for settings, present in (("", False), ("\nid_token_claims = yes", True)):
            with self.changed("rp", "label = rp", "label = rp" + settings):
                tokens, claims = self.sign_in(scope="openid email offline_access")
                fresh = self.rp.refresh(tokens["refresh_token"]).json()
                info = self.rp.info(tokens, claims)
                for said in (claims, self.rp.claims(fresh["id_token"])):
                    self.assertNotIn("name", said)
                    self.assertEqual("email" in said and said["email"] == info["email"], present)
                    self.assertEqual("email_verified" in said, present)

    def test_confidential_apps_have_one_port(self):
        with self.changed("rp", "https://rp.example.com/other", "http://127.0.0.1/cb https://rp.example.com/other"):
            self.assert_page(self.rp.begin(self.browser, redirect_uri="http://127.0.0.1:5000/cb"))
            self.assertEqual(self.rp.begin(self.browser, redirect_uri="http://127.0.0.1/cb").status, 303)
        with self.changed("once", CALLBACK, CALLBACK + " http://127.0.0.1/cb"):
            rp = self.party("once")
            for uri, good in (("http://127.0.0.1:5000/cb", True), ("http://127.0.0.1/cb", True), ("http://localhost:5000/cb", False),
                              ("http://127.0.0.1:5000/cb/", False), ("http://[::1]:5000/cb", False)):
                answer = rp.begin(self.browser, redirect_uri=uri, scope="nothing")
                if good:
                    self.assertTrue(answer.location.startswith(uri + "?error=invalid_scope"), answer.location)
                else:
                    self.assert_page(answer)


class Unlinked(Rows):
    @staticmethod
    def providers(fake):
        return fake_providers(fake, link="ask")

    def test_op_42_a_way_in_that_is_gone(self):
        # OP-42: what came through an identity ends with it, also what was granted for the time away
        through, mine = Browser(self.usher), Browser(self.usher)
        mine.sign_in("discord", "guest-1")
        own, _ = self.rp.sign_in(mine, scope="openid offline_access")
        mine.post(pages.link_page(self, mine, "google", "guest-2"), {"answer": "accept"})
        through.sign_in("google", "guest-2")
        bound, _ = self.rp.sign_in(through)
        offline, _ = self.rp.sign_in(through, scope="openid offline_access")
        self.assertEqual(mine.me()["id"], through.me()["id"])
        (subject,), = self.usher.rows("SELECT subject FROM identity WHERE account = ? AND provider = 'google'", mine.me()["id"])
        mine.post("/account/identities/%s/unlink" % pages.Owner.handle("google", subject), {})
        for tokens in (bound, offline):
            self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), GONE)
            self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 401)
            said = self.rp.post("introspection_endpoint", {"token": tokens["access_token"]})
            self.assertEqual(said.json(), {"active": False})
        self.assertEqual(self.rp.refresh(own["refresh_token"]).status, 200)
