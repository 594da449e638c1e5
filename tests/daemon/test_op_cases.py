# SPDX-License-Identifier: Apache-2.0
"""What a provider owes to those who trust its answers: OP cases that are about whom an answer is from
(OP-35), which request it belongs to (OP-20, OP-32, OP-66, OP-70), who it is about (OP-64), and what is
not offered (OP-69)."""
import contextlib
import json
import sqlite3
import urllib.parse

from harness import PATIENCE, Api, Browser, fake_providers, write_private
import test_account_pages as pages
from oauth import Key, read_jwt
from relying_party import CALLBACK, RelyingParty, form_of, query_of
from test_conformance import Plan

OTHER = "https://rp.example.com/other?fixed=1"
GONE = (400, "invalid_grant")


def error_of(answer):
    return (answer.status, answer.json().get("error"))


class Codes(Plan):
    def later(self, seconds):
        """As if that had passed since everything that waits here was made."""
        with contextlib.closing(sqlite3.connect(self.usher.database, timeout=PATIENCE)) as db, db:
            db.execute("UPDATE authorization_code SET expires = expires - ?", (seconds,))

    def test_op_20_a_code_is_good_for_a_minute(self):
        # OP-20
        for seconds in (61, 600):
            response = self.authorize()
            self.later(seconds)
            self.assertEqual(error_of(self.rp.redeem(response)), GONE, seconds)
            self.later(-seconds)
            self.assertEqual(error_of(self.rp.redeem(response)), GONE, "used up by the attempt")
        response = self.authorize()
        self.later(50)
        self.assertEqual(self.rp.redeem(response).status, 200)


class Answers(Plan):
    """OP-35: who an answer is from, whatever it says and however it travels (RFC 9207)."""

    apps = {
        "asks": "label = Asks\nredirect_uris = %s\nscopes = openid email\nconsent = yes\n"
                "require_pkce = no\n" % CALLBACK,
        "closed": "label = Closed\nredirect_uris = %s\nscopes = openid\nrequire_pkce = no\n"
                  "require = role:nobody-has-it\n" % CALLBACK,
        "machine": "label = Machine\nredirect_uris = %s\nscopes = openid\ngrants = client_credentials\n" % CALLBACK,
        "pushes": "label = Pushes\nredirect_uris = %s\nscopes = openid\nrequire_pkce = no\nrequire_pushed = yes\n"
                  % CALLBACK,
        "careful": "label = Careful\nredirect_uris = %s\nscopes = openid\n" % CALLBACK,
    }

    def answer_of(self, mode, app="rp", browser=None, say=None, **more):
        """Parameters of the answer as they came, in order; `say` is what the person says when asked."""
        browser, rp = browser or self.browser, RelyingParty(self.usher, app)
        query = rp.request(response_mode=mode, **more)
        answer = rp.begin(browser, **{**more, **query})  # what is None stays away
        if say:
            page = rp.arrive(browser, answer, consent=False)
            action, fields = form_of(page.text, pairs=True)
            answer = browser.post(action, fields + [("answer", say)])
        while not answer.location or not answer.location.startswith(CALLBACK):
            if answer.status == 200 and 'data-page="form_post"' in answer.text:
                action, fields = form_of(answer.text, pairs=True)
                self.assertEqual(action, CALLBACK)
                return query, fields
            self.assertEqual(answer.status, 303, answer.summary())
            answer = browser.get(answer.location)
        return query, urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.location).query, keep_blank_values=True)

    def assert_ours(self, mode, error=None, **how):
        query, answer = self.answer_of(mode, **how)
        said = dict(answer)
        self.assertEqual(len(said), len(answer), "a parameter came twice: %s" % answer)
        self.assertEqual(said["iss"], Browser(self.usher).get("/.well-known/openid-configuration").json()["issuer"])
        self.assertEqual(said.get("state"), query.get("state"))
        self.assertEqual(said.get("error"), error, answer)
        self.assertEqual("code" in said, error is None, answer)
        self.assertEqual(set(said) - {"code", "error", "error_description", "state", "iss"}, set())

    def each(self, error=None, **how):
        for mode in (None, "query", "form_post"):
            with self.subTest(error=error, mode=mode, **how):
                self.assert_ours(mode, error, **how)

    def test_op_35_errors_that_need_nobody(self):
        # OP-35: every code but access_denied, and temporarily_unavailable, which is a page of ours
        self.each("login_required", prompt="none")
        self.each("invalid_request", response_type=None)
        self.each("invalid_request", prompt="none login")
        self.each("invalid_request", max_age="-1")
        self.each("invalid_request", claims="[]")
        self.each("invalid_request", code_challenge_method="plain", code_challenge="x" * 43)
        self.each("invalid_request", nonce=["a", "b"])
        self.each("invalid_request", app="careful")  # without PKCE
        self.each("invalid_request", app="pushes")
        self.each("unsupported_response_type", response_type="token")
        self.each("unsupported_response_type", response_type="code id_token")
        self.each("unauthorized_client", app="machine")
        self.each("invalid_scope", scope="nothing")
        self.each("invalid_scope", scope=None)
        self.each("invalid_target", resource="https://api.example")
        self.each("request_not_supported", request="x.y.z")
        self.each("request_uri_not_supported", request_uri="https://rp.example.com/request")
        # An error about the way itself goes by the query, where everybody reads it.
        self.assert_ours("fragment", "invalid_request")
        self.assert_ours(["query", "form_post"], "invalid_request")

    def test_op_35_errors_about_a_person(self):
        # OP-35
        self.browser.sign_in("oidc", "ada")
        self.each("consent_required", app="asks", prompt="none")
        self.each("access_denied", app="asks", say="deny")
        self.each("access_denied", app="closed")
        self.each("login_required", prompt="none", claims=json.dumps({"id_token": {"sub": {"value": "somebody"}}}))

    def test_op_35_success(self):
        # OP-35; a state that did not come is not answered. Who says yes here is not asked again.
        self.browser.sign_in("oidc", "grace")
        self.each()
        self.each(state=None)
        self.each(app="asks", say="allow", prompt="consent")

    def test_op_35_an_address_with_a_query_of_its_own(self):
        # OP-35
        for error, more in (("invalid_scope", {"scope": "nothing"}), (None, {})):
            answer = self.rp.begin(self.browser, redirect_uri=OTHER, **more)
            if error is None:
                self.browser.sign_in("oidc", "ada")
                answer = self.rp.begin(self.browser, redirect_uri=OTHER)
            self.assertTrue(answer.location.startswith(OTHER + "&"), answer.location)
            self.assertEqual(query_of(answer.location)["iss"], self.usher.url)
            self.assertEqual(query_of(answer.location).get("error"), error)


class Requests(Plan):
    settings = {"issuer": {"algs": "RS256 ES256 EdDSA"}}

    def push(self, **more):
        query = self.rp.request(**more)
        query.pop("client_id")
        answer = self.rp.post("pushed_authorization_request_endpoint", query)
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json()["request_uri"]

    def test_op_32_an_address_inside_a_request_object(self):
        # OP-32: objects are not supported, signed or not, so the one inside is never gone to
        key = Key(self.folder)
        self.assertIs(self.rp.metadata["request_parameter_supported"], False)
        for inner in (OTHER, "https://evil.example/"):
            claims = {"iss": "rp", "aud": self.usher.url, "client_id": "rp", "response_type": "code",
                      "scope": "openid", "redirect_uri": inner}
            answer = self.rp.begin(self.browser, request=key.sign(claims))
            self.assertTrue(answer.location.startswith(CALLBACK + "?"), answer.location)
            self.assert_error(query_of(answer.location), "request_not_supported")
            # nor is it checked in the place of the one outside, or taken for it
            for outer in ("https://evil.example/", None):
                self.assert_page(self.rp.begin(self.browser, redirect_uri=outer, request=key.sign(claims)))

    def test_op_32_an_address_beside_a_pushed_one(self):
        # OP-32, OP-33: the inner one wins, also when the code is redeemed
        self.browser.sign_in("oidc", "ada")
        for outer in (CALLBACK, "https://evil.example/", "javascript:alert(1)"):
            answer = self.rp.begin(self.browser, request_uri=self.push(redirect_uri=OTHER), redirect_uri=outer)
            self.assertTrue(answer.location.startswith(OTHER + "&"), answer.location)
            self.assertEqual(error_of(self.rp.redeem(query_of(answer.location))), GONE)
            answer = self.rp.begin(self.browser, request_uri=self.push(redirect_uri=OTHER), redirect_uri=outer)
            redeemed = self.rp.redeem(query_of(answer.location), redirect_uri=OTHER)
            self.assertEqual(redeemed.status, 200, redeemed.text)

    def test_op_70_what_is_posted_counts_or_nothing(self):
        # OP-70; oidcc-ensure-post-request-succeeds
        url = self.rp.metadata["authorization_endpoint"]

        def ask(query, form):
            return self.browser.request("POST", url + ("?" + urllib.parse.urlencode(query) if query else ""), form=form)
        self.browser.sign_in("oidc", "ada")
        whole = self.rp.request()
        self.assertIn("code", query_of(ask({}, whole).location))
        for query, form in ((whole, {}), (whole, whole), ({"state": "another"}, whole), ({"scope": "email"}, whole),
                            ({"redirect_uri": OTHER}, whole), ({"prompt": "none"}, whole), ({"x": ""}, whole),
                            ({k: v for k, v in whole.items() if k != "client_id"}, {"client_id": "rp"})):
            self.assert_page(ask(query, form))
        self.assert_page(self.browser.request("POST", url, body=json.dumps(whole),
                                              headers={"Content-Type": "application/json"}), 415)
        # and of a GET there is no body
        answer = self.browser.request("GET", url + "?" + urllib.parse.urlencode(whole), body="scope=email",
                                      headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assert_page(answer, 413)

    def test_op_66_the_nonce_that_was_sent(self):
        # OP-66: byte by byte, and of its own request
        for nonce in ("n", "x" * 1024, "\"'<>&\\/", "größe ☃ \U0001F9ED", " a  b ", "%41+%2B", "null"):
            with self.subTest(nonce):
                _, claims = self.sign_in(nonce=nonce)
                self.assertEqual(claims["nonce"], nonce)
        response = self.authorize(nonce="")
        self.rp.claims(self.rp.redeem(response).json()["id_token"], None)
        self.assert_error(self.authorize(nonce="x" * 1025), "invalid_request")

    def test_op_66_the_nonce_of_another_request(self):
        # OP-66: two at once in one browser, of two apps, and one without
        self.browser.sign_in("oidc", "ada")
        said = [self.authorize(nonce=nonce) for nonce in ("first", "second", None)]
        theirs = self.other.authorize(self.browser, nonce="theirs")
        for response, nonce in zip(reversed(said), (None, "second", "first")):
            self.rp.claims(self.rp.redeem(response).json()["id_token"], nonce)
        self.other.claims(self.other.redeem(theirs).json()["id_token"], "theirs")
        # what is sent to the token endpoint does not count
        response = self.authorize(nonce="sent")
        self.rp.claims(self.rp.redeem(response, nonce="another").json()["id_token"], "sent")

    def test_op_66_at_hash(self):
        # OP-66: of the access token beside it, with each algorithm, at the first time and later
        path = self.folder / "apps.d" / "rp.conf"
        text = path.read_text()
        self.addCleanup(lambda: (path.write_text(text), Api(self.usher).ask("POST", "/api/v1/config/reload", {})))
        algs = self.rp.metadata["id_token_signing_alg_values_supported"]
        self.assertEqual(algs, ["RS256", "ES256", "EdDSA"])
        for alg in algs:
            write_private(path, text + "id_token_alg = %s\n" % alg)
            Api(self.usher).ask("POST", "/api/v1/config/reload", {})
            tokens, claims = self.sign_in(scope="openid offline_access")
            self.assertEqual(self.rp.header(tokens["id_token"])["alg"], alg)
            fresh = self.rp.refresh(tokens["refresh_token"]).json()
            again = self.rp.claims(fresh["id_token"], access_token=fresh["access_token"])
            self.assertNotEqual(again["at_hash"], claims["at_hash"])


class Subjects(Plan):
    """OP-64: a subject is one account's for ever, and that account's only name. What is merged takes the
    subject of the account it joins; the other one is never heard of again."""

    @staticmethod
    def providers(fake):
        return {**fake_providers(fake), "discord": {**fake_providers(fake, "ask")["discord"]},
                "google": {**fake_providers(fake, "ask")["google"]}}

    def come(self, browser, provider, person):
        """Signed in by one provider: the tokens, and whom they are about."""
        browser.sign_in(provider, person)
        tokens, claims = self.rp.sign_in(browser, scope="openid profile email offline_access")
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).json()["sub"], claims["sub"])
        return tokens, claims["sub"]

    def sub(self, provider, person):
        return self.come(Browser(self.usher), provider, person)[1]

    def unlink(self, browser, provider):
        (subject,), = self.usher.rows("SELECT subject FROM identity WHERE account = ? AND provider = ?",
                                      browser.me()["id"], provider)
        answer = browser.post("/account/identities/%s/unlink" % pages.Owner.handle(provider, subject), {})
        self.assertEqual(answer.location, "/account?did=unlinked", answer.summary())

    def test_op_64_another_name(self):
        # OP-64
        before = self.sub("discord", "konrad")
        for member, value in (("/username", "another"), ("/global_name", "Another Name"), ("/email", "other@example.com")):
            self.fake.fault("/discord/api/v10/users/@me", "set", name=member, value=json.dumps(value))
        tokens, sub = self.come(Browser(self.usher), "discord", "konrad")
        self.assertEqual(sub, before)
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).json()["name"], "Another Name")

    def test_op_64_linked_and_unlinked(self):
        # OP-64
        browser = Browser(self.usher)
        tokens, sub = self.come(browser, "discord", "guest-1")
        browser.post(pages.link_page(self, browser, "google", "guest-2"), {"answer": "accept"})
        self.assertEqual(self.sub("google", "guest-2"), sub)
        self.assertEqual(self.sub("discord", "guest-1"), sub)
        self.assertEqual(self.rp.refresh(tokens["refresh_token"]).status, 200)
        self.unlink(browser, "google")
        self.assertEqual(self.sub("discord", "guest-1"), sub)
        self.assertNotEqual(self.sub("google", "guest-2"), sub)  # somebody of their own from now on

    def test_op_64_merged(self):
        # OP-64: who confirmed stays who they are
        theirs, mine = Browser(self.usher), Browser(self.usher)
        lost_tokens, lost = self.come(theirs, "google", "guest-3")
        tokens, sub = self.come(mine, "discord", "guest-4")
        mine.post(pages.link_page(self, mine, "google", "guest-3"), {"answer": "accept"})
        self.assertIsNone(theirs.me())
        self.assertEqual(self.sub("google", "guest-3"), sub)
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).json()["sub"], sub)
        # what apps held of the other one is over: nobody is told two subjects for one person
        self.assertEqual(self.rp.userinfo(lost_tokens["access_token"]).status, 401)
        self.assertEqual(error_of(self.rp.refresh(lost_tokens["refresh_token"])), GONE)
        introspected = self.rp.post("introspection_endpoint", {"token": lost_tokens["access_token"]})
        self.assertEqual(introspected.json(), {"active": False})
        # apart again, it is a new one
        self.unlink(mine, "google")
        self.assertNotIn(self.sub("google", "guest-3"), (lost, sub))
        self.assertEqual(self.usher.rows("SELECT count(*) FROM account WHERE id = ?", lost), [(0,)])

    def test_op_64_deleted_and_back(self):
        # OP-64: never assigned again
        browser = Browser(self.usher)
        _, sub = self.come(browser, "discord", "guest-5")
        self.assertEqual(browser.post("/account/delete", {"sure": "yes"}).status, 200)
        self.assertNotEqual(self.sub("discord", "guest-5"), sub)

    def test_op_64_a_provider_that_was_away(self):
        # OP-64: by file, and through the API, under its old id
        api, path = Api(self.usher), self.folder / "providers.d" / "oidc.conf"
        sub, text = self.sub("oidc", "lin"), path.read_text()
        path.unlink()
        api.ask("POST", "/api/v1/config/reload", {})
        self.assertEqual(Browser(self.usher).get("/login/oidc").status, 404)
        write_private(path, text.replace("Example ID", "Another label"))
        api.ask("POST", "/api/v1/config/reload", {})
        self.assertEqual(self.sub("oidc", "lin"), sub)


class NoDpop(Plan):
    """OP-69: proof of possession (RFC 9449) is not offered, and nobody is led to believe it is."""

    def proof(self, method, url, **more):
        key = Key(self.folder)
        return key.sign({"jti": "x", "htm": method, "htu": url, "iat": 1, **more}, typ="dpop+jwt", jwk=key.jwk())

    def test_op_69_it_is_not_offered(self):
        # OP-69
        self.assertNotIn("dpop", json.dumps(self.rp.metadata).lower())
        for path in ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"):
            self.assertNotIn("dpop", Browser(self.usher).get(path).text.lower())

    def test_op_69_a_proof_changes_nothing(self):
        # OP-69
        url = self.rp.metadata["token_endpoint"]
        for proof in (self.proof("POST", url), "x", "a.b.c"):
            response = self.authorize(dpop_jkt="x" * 43)
            answer = self.rp.post("token_endpoint", {"grant_type": "authorization_code", "code": response["code"],
                                                     "redirect_uri": CALLBACK}, DPoP=proof)
            self.assertEqual(answer.status, 200, answer.text)
            self.assertIsNone(answer.headers["DPoP-Nonce"])
            tokens = answer.json()
            self.assertEqual(tokens["token_type"], "Bearer")
            self.assertNotIn("cnf", read_jwt(tokens["access_token"])[1])
            said = self.rp.post("introspection_endpoint", {"token": tokens["access_token"]}, DPoP=proof).json()
            self.assertEqual((said["token_type"], said.get("cnf")), ("Bearer", None))
            fresh = self.rp.post("token_endpoint", {"grant_type": "refresh_token",
                                                    "refresh_token": tokens["refresh_token"]}, DPoP=proof).json()
            self.assertEqual(fresh["token_type"], "Bearer")
            info = Browser(self.usher).request("GET", self.rp.metadata["userinfo_endpoint"], headers={
                "Authorization": "Bearer " + fresh["access_token"], "DPoP": proof})
            self.assertEqual(info.status, 200, info.text)

    def test_op_69_the_scheme_is_refused(self):
        # OP-69: a token shown that way is not taken, good as it may be
        tokens, _ = self.sign_in()
        url = self.rp.metadata["userinfo_endpoint"]
        for scheme in ("DPoP", "dpop", "Basic", "Bearer:", ""):
            headers = {"Authorization": ("%s %s" % (scheme, tokens["access_token"])).strip(),
                       "DPoP": self.proof("GET", url)}
            for method in ("GET", "POST"):
                answer = Browser(self.usher).request(method, url, headers=headers, form={} if method == "POST" else None)
                self.assertIn(answer.status, (400, 401), (scheme, answer.text))
                self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
                self.assertNotIn("DPoP", answer.headers["WWW-Authenticate"])
                self.assertNotIn("sub", answer.json())
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 200)
