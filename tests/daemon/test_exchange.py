# SPDX-License-Identifier: Apache-2.0
"""Token exchange (RFC 8693): an API goes on with a person's token, in its own name and with no more
than it was given."""
import concurrent.futures
import time

from harness import Api, Browser, Case, wait_for, write_private
from oauth import Client, read_jwt, secret_for, verify
from relying_party import RelyingParty

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
TYPE = "urn:ietf:params:oauth:token-type:"
ACCESS, JWT = TYPE + "access_token", TYPE + "jwt"
B, C, D, OTHER = ("https://%s.example.com" % name for name in ("b", "c", "d", "other"))

WEB = """redirect_uris = https://rp.example.com/callback
grants = authorization_code refresh_token
scopes = openid email offline_access read write
resources = %s %s
require_pkce = no
""" % (B, OTHER)
API = "grants = token_exchange client_credentials\nscopes = read write admin offline_access\nserves = %s\n" \
      "resources = %s\nexchange_from = %s\n"
APPS = {
    "web": WEB,
    "web-opaque": WEB + "token_format = opaque\n",
    "web-brief": WEB + "access_lifetime = 10m\n",
    "stranger": WEB,
    "b": API % (B, C + " " + D, "web web-opaque web-brief b c machine"),
    "b-opaque": API % (B, C, "web web-opaque") + "token_format = opaque\n",
    "b-reader": (API % (B, C, "web")).replace("read write admin", "read"),
    "b-home": (API % (B, "", "web")).replace("resources = \n", ""),
    "c": API % (C, D + " " + B, "b b-opaque b-reader"),
    "d": API % (D, B, "c"),
    "machine": "grants = client_credentials\nscopes = read\nresources = " + B + "\n",
    "no-grant": (API % (B, C, "web")).replace("token_exchange ", ""),
    "public": (API % (B, C, "web")).replace("client_credentials", "") + "client_type = public\n",
}
TOO_MANY = 10  # apps in a row; eight may act in one token


def chain_apps():
    for i in range(TOO_MANY):
        yield "link-%d" % i, API % (uri(i), uri(i + 1), "link-%d" % (i - 1) if i else "start")
    yield "start", WEB.replace(B, uri(0))


def uri(i):
    return "https://link.example.com/%d" % i


def acts(claims):
    """Who acts, the last one first."""
    act, found = claims.get("act"), []
    while act:
        found.append(act["sub"])
        assert set(act) <= {"sub", "act"}, act
        act = act.get("act")
    return found


class Exchange(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        apps = {**APPS, **dict(chain_apps())}
        for name, text in apps.items():
            cls.write(name, text)
        cls.usher.stop()
        cls.secrets = {name: secret_for(cls.usher, name) for name in apps}
        cls.usher.start()

    @classmethod
    def write(cls, name, text):
        path = cls.folder / "apps.d" / (name + ".conf")
        if text is None:
            path.unlink()
        else:
            write_private(path, "label = %s\n%s" % (name, text))

    def setUp(self):
        super().setUp()
        self.browser = Browser(self.usher)
        self.api = Api(self.usher)
        self.web = self.party("web")

    def party(self, name):
        return RelyingParty(self.usher, name, self.secrets[name])

    def client(self, name):
        return Client(self.usher, name, self.secrets[name])

    def person_token(self, rp=None, browser=None, person="ada", whole=False, **more):
        """What the API called b is called with."""
        rp = rp or self.web
        more = {"scope": "openid read write", "resource": B, **more}
        tokens, _ = rp.sign_in(browser or self.browser, person=person, **more)
        return tokens if whole else tokens["access_token"]

    def ask(self, app, token, **more):
        form = {"grant_type": GRANT, "subject_token": token, "subject_token_type": ACCESS, **more}
        pairs = [(k, one) for k, v in form.items() if v is not None for one in (v if isinstance(v, list) else [v])]
        return self.client(app).post("/oauth2/token", pairs, **{"User-Agent": "api/1"})

    def good(self, answer):
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json()

    def exchange(self, app, token, **more):
        return self.good(self.ask(app, token, **more))["access_token"]

    def refused(self, answer, error="invalid_request", status=400):
        self.assertEqual((answer.status, answer.json().get("error")), (status, error), answer.text)
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertNotIn("access_token", answer.text)
        return answer.json()["error_description"]

    def not_it(self, app, token, **more):
        """Whatever is the matter with the token, the app learns nothing more."""
        said = self.refused(self.ask(app, token, **more))
        self.assertEqual(said, "the subject token is not good, or this app may not exchange it")

    def logged(self, app, why):
        wait_for(why, lambda: {"app": app, "why": why} in [
            {k: e[k] for k in ("app", "why")} for e in self.usher.events("issuer.exchange_refused")[-1:]])

    def said(self, app, token):
        return self.client(app).introspect(token).json()

    def assert_over(self, app, token):
        self.assertEqual(self.said(app, token), {"active": False})

    def assert_good(self, app, token):
        self.assertTrue(self.said(app, token)["active"])

    def reload(self):
        self.api.ask("POST", "/api/v1/config/reload", {})

    def restarted(self, name, text):
        """With a file that a reload would not take."""
        self.usher.stop()
        self.write(name, text)
        self.usher.start()

    def changed(self, name, text):
        self.addCleanup(lambda: (self.write(name, APPS[name]), self.reload()))
        self.write(name, text)
        self.reload()


class Delegation(Exchange):
    def test_an_api_calls_the_next(self):
        self.assertIn(GRANT, self.web.metadata["grant_types_supported"])
        subject = self.person_token()
        answer = self.ask("b", subject, resource=C, scope="read")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        got = self.good(answer)
        self.assertEqual(set(got), {"access_token", "issued_token_type", "token_type", "expires_in", "scope"})
        self.assertEqual((got["issued_token_type"], got["token_type"], got["scope"]), (ACCESS, "Bearer", "read"))
        head, claims, _ = read_jwt(got["access_token"])
        before = read_jwt(subject)[1]
        self.assertEqual(head["typ"], "at+jwt")
        self.assertEqual({k: claims[k] for k in ("iss", "sub", "aud", "client_id", "scope", "act")},
                         {"iss": before["iss"], "sub": before["sub"], "aud": C, "client_id": "b", "scope": "read",
                          "act": {"sub": "b"}})
        self.assertNotEqual(claims["jti"], before["jti"])
        self.assertLessEqual(claims["exp"], before["exp"])
        key = next(k for k in self.web.keys()["keys"] if k["kid"] == head["kid"])
        self.assertTrue(verify(self.folder, got["access_token"], key))
        # RFC 7662, RFC 8693 4.1: the API it is for sees who acts
        said = self.said("c", got["access_token"])
        self.assertEqual((said["active"], said["sub"], said["client_id"], said["aud"], said["act"]),
                         (True, before["sub"], "b", [C], {"sub": "b"}))
        self.assertTrue(self.said("b", got["access_token"])["active"], "its own app may ask, too")
        self.assert_over("d", got["access_token"])
        self.assert_over("web", got["access_token"])
        # the one it was made of is as it was
        self.assertNotIn("act", self.said("b", subject))
        self.assertTrue(self.said("b", subject)["active"])

    def test_it_is_on_record(self):
        subject = self.person_token()
        self.exchange("b", subject, resource=C)
        row = self.api.ask("GET", "/api/v1/audit?action=grant.exchange&limit=1")["audit"][0]
        self.assertEqual((row["actor_kind"], row["actor"], row["object"], row["app"], row["outcome"], row["ip"],
                          row["user_agent"]),
                         ("app", "b", read_jwt(subject)[1]["sub"], "web", "done", "127.0.0.1", "api/1"))

    def test_down_a_chain(self):
        token = self.exchange("b", self.person_token(), resource=C)
        token = self.exchange("c", token, resource=D)
        claims = read_jwt(token)[1]
        self.assertEqual((acts(claims), claims["client_id"], claims["aud"]), (["c", "b"], "c", D))
        self.assertEqual(self.said("d", token)["act"], {"sub": "c", "act": {"sub": "b"}})

    def test_opaque_ones(self):
        for web, b in (("web-opaque", "b"), ("web", "b-opaque"), ("web-opaque", "b-opaque")):
            subject = self.person_token(self.party(web))
            token = self.exchange(b, subject, resource=C)
            self.assertEqual(token.startswith("uat_"), b == "b-opaque")
            said = self.said("c", token)
            self.assertEqual((said["active"], said["act"], said["aud"]), (True, {"sub": b}, [C]))
            # and on, whatever they look like, also after a restart
            self.usher.stop()
            self.usher.start()
            self.assertEqual(acts(read_jwt(self.exchange("c", token, resource=D))[1]), ["c", b])

    def test_types(self):
        subject = self.person_token()
        for asked, told in ((None, ACCESS), (ACCESS, ACCESS), (JWT, JWT), ("", ACCESS)):
            got = self.good(self.ask("b", subject, requested_token_type=asked))
            self.assertEqual((got["issued_token_type"], got["token_type"]), (told, "Bearer"))
        self.good(self.ask("b", subject, subject_token_type=JWT))
        for wrong in ("refresh_token", "id_token", "saml1", "saml2"):
            self.refused(self.ask("b", subject, requested_token_type=TYPE + wrong))
            self.refused(self.ask("b", subject, subject_token_type=TYPE + wrong))
        self.refused(self.ask("b", subject, requested_token_type="access_token"))
        self.refused(self.ask("b-opaque", subject, requested_token_type=JWT))
        opaque = self.person_token(self.party("web-opaque"))
        self.not_it("b", opaque, subject_token_type=JWT)
        self.logged("b", "it is no JWT")

    def test_the_request(self):
        # RFC 8693 2.1, RFC 6749 3.2
        subject = self.person_token()
        for missing in ("subject_token", "subject_token_type"):
            self.refused(self.ask("b", subject, **{missing: None}))
            self.refused(self.ask("b", subject, **{missing: ""}))
        for twice in ("subject_token", "subject_token_type", "scope", "requested_token_type", "actor_token"):
            value = {"subject_token": subject, "subject_token_type": ACCESS}.get(twice, "read")
            self.refused(self.ask("b", subject, **{twice: [value, value]}))
        # who acts is who asks: a token that says something else is not quietly left out
        actor = self.client("b").token(scope="read").json()["access_token"]
        self.refused(self.ask("b", subject, actor_token=actor, actor_token_type=ACCESS))
        self.refused(self.ask("b", subject, actor_token=actor))
        self.refused(self.ask("b", subject, actor_token_type=ACCESS))
        self.good(self.ask("b", subject, actor_token=""))

    def test_how_long(self):
        rp = self.party("web-brief")
        subject = self.person_token(rp)
        end = read_jwt(subject)[1]["exp"]
        got = self.good(self.ask("b", subject))  # half an hour by its own settings
        self.assertLessEqual(got["expires_in"], 600)
        self.assertLessEqual(read_jwt(got["access_token"])[1]["exp"], end)
        time.sleep(1.1)
        later = self.good(self.ask("b", subject))
        self.assertLess(later["expires_in"], 600)
        self.assertLessEqual(read_jwt(later["access_token"])[1]["exp"], end)
        # down a chain, too; and never beyond what the grant lasts
        last = self.exchange("c", later["access_token"], resource=D)
        self.assertLessEqual(read_jwt(last)[1]["exp"], end)
        self.usher.stop()
        self.sql("UPDATE oauth_grant SET ends = ? WHERE id = (SELECT grant_id FROM access_token ORDER BY created "
                 "DESC, expires LIMIT 1)", int(time.time()) + 120)
        self.usher.start()
        self.assertLessEqual(self.good(self.ask("b", subject))["expires_in"], 120)

    def sql(self, text, *values):
        import sqlite3
        with sqlite3.connect(self.usher.database) as db:
            db.execute(text, values)
        db.close()


class Limits(Exchange):
    """Nothing gets wider on its way."""

    def test_scopes(self):
        subject = self.person_token(scope="openid offline_access read write")
        self.assertEqual(self.good(self.ask("b", subject))["scope"], "read write")
        self.assertEqual(self.good(self.ask("b", subject, scope="write"))["scope"], "write")
        self.assertEqual(self.good(self.ask("b", subject, scope="write  write read"))["scope"], "write read")
        self.assertEqual(self.good(self.ask("b-reader", subject))["scope"], "read")
        # the app's, but not the token's; the token's, but not the app's; what cannot be passed on
        for app, wrong in (("b", "admin"), ("b", "read admin"), ("b-reader", "write"), ("b", "openid"),
                           ("b", "offline_access"), ("b", "rea"), ("b", "read\"")):
            self.refused(self.ask(app, subject, scope=wrong), "invalid_scope")
        self.refused(self.ask("b", subject, scope=" "), "invalid_scope")
        none = self.person_token(scope="openid email")
        self.refused(self.ask("b", none), "invalid_scope")
        # what was given up is gone
        narrow = self.exchange("b", subject, resource=C, scope="read")
        self.refused(self.ask("c", narrow, resource=D, scope="write"), "invalid_scope")
        self.assertEqual(self.good(self.ask("c", narrow, resource=D))["scope"], "read")

    def test_audience(self):
        subject = self.person_token()

        def aud(**more):
            return read_jwt(self.exchange("b", subject, **more))[1]["aud"]

        self.assertEqual(aud(), C)
        self.assertEqual(aud(resource=D), D)
        self.assertEqual(aud(audience=D), D)
        self.assertEqual(aud(resource=[D, C]), [D, C])
        self.assertEqual(aud(resource=D, audience=[C, D]), [D, C])
        for wrong in (B, OTHER, "https://c.example.com/", self.usher.url, "c", C + "#", "https://evil.example"):
            self.refused(self.ask("b", subject, resource=wrong), "invalid_target")
            self.refused(self.ask("b", subject, audience=wrong), "invalid_target")
            self.refused(self.ask("b", subject, resource=[C, wrong]), "invalid_target")
        # without resources there is no next API, and usher is none unless it is named
        self.refused(self.ask("b-home", subject), "invalid_target")
        self.refused(self.ask("b-home", subject, resource=self.usher.url), "invalid_target")

    def test_userinfo_is_an_api_like_others(self):
        self.changed("b", APPS["b"].replace(C, self.usher.url).replace("scopes = ", "scopes = openid email "))
        claims = '{"userinfo": {"email": {"essential": true}}}'
        token = self.exchange("b", self.person_token(claims=claims), resource=self.usher.url)
        info = self.web.userinfo(token)
        self.assertEqual(info.status, 200, info.text)
        self.assertEqual(set(info.json()), {"sub"}, "what another app asked for by name is not passed on")
        token = self.exchange("b", self.person_token(scope="openid email read"), resource=self.usher.url)
        self.assertIn("email", self.web.userinfo(token).json())
        token = self.exchange("b", self.person_token(scope="openid email read"), resource=self.usher.url, scope="read")
        self.assertEqual(self.web.userinfo(token).status, 403)
        token = self.exchange("b", self.person_token(), resource=D)
        self.assertEqual(self.web.userinfo(token).status, 401)

    def test_loops(self):
        subject = self.person_token()
        there = self.exchange("b", subject, resource=C)
        back = self.exchange("c", there, resource=B)  # b is called again, by c
        self.assertEqual(acts(self.said("b", back)), ["c", "b"])
        said = self.refused(self.ask("b", back, resource=C))
        self.assertEqual(said, "this app acts in this token already")
        # nor is there a way around: d would have to be let in by an app that acts for itself
        self.not_it("d", back)

    def test_a_chain_ends(self):
        token = self.person_token(self.party("start"), resource=uri(0))
        for i in range(8):
            token = self.exchange("link-%d" % i, token)
            self.assertEqual(acts(read_jwt(token)[1]), ["link-%d" % n for n in range(i, -1, -1)])
        said = self.refused(self.ask("link-8", token))
        self.assertEqual(said, "this token went through too many apps")
        self.not_it("link-9", token)


class Who(Exchange):
    """RFC 8693 5: nobody but whom an admin named, for what was meant for them."""

    def test_which_apps(self):
        subject = self.person_token()
        self.refused(self.ask("no-grant", subject), "unauthorized_client")
        self.refused(self.ask("web", subject), "unauthorized_client")
        self.refused(self.ask("public", subject), "invalid_client", 401)
        form = {"grant_type": GRANT, "subject_token": subject, "subject_token_type": ACCESS}
        for client in (Client(self.usher, "b"), Client(self.usher, "b", "wrong"), Client(self.usher, "nobody", "x")):
            self.refused(client.post("/oauth2/token", form), "invalid_client" if client.secret else "invalid_client", 401)
        named = Client(self.usher, "b").post("/oauth2/token", {**form, "client_id": "b"})
        self.refused(named, "invalid_client", 401)

    def test_a_confused_deputy(self):
        # a token that b got hold of, but that was never meant for it
        elsewhere = self.person_token(resource=OTHER)
        self.not_it("b", elsewhere)
        self.logged("b", "it is for another API")
        userinfo = self.person_token(resource=None, scope="openid")
        self.not_it("c", userinfo)
        # one for it, from an app that it does not work for
        foreign = self.person_token(self.party("stranger"))
        self.not_it("b", foreign)
        self.logged("b", "its app is none of exchange_from")
        # one that b may show to c, in the hands of others
        token = self.exchange("b", self.person_token(), resource=C)
        self.not_it("b", token)
        self.not_it("d", token)
        self.not_it("b-opaque", token)

    def test_an_app_goes_on_with_its_own_token(self):
        self.changed("web", WEB.replace("grants = ", "grants = token_exchange ")
                     + "serves = %s\nexchange_from = web\n" % B)
        subject = self.person_token(resource=[B, OTHER])
        got = self.exchange("web", subject, resource=OTHER, scope="read")
        self.assertEqual((acts(read_jwt(got)[1]), read_jwt(got)[1]["aud"]), (["web"], OTHER))

    def test_which_tokens(self):
        tokens = self.person_token(whole=True)
        good = tokens["access_token"]
        head, payload, signature = good.split(".")
        for token in (tokens["id_token"], tokens["refresh_token"], "x", "..", "uat_", "uat_" + "A" * 43, head,
                      "%s.%s." % (head, payload), good[:-4] + "AAAA", good + "x", self.browser.session(),
                      self.secrets["web"]):
            self.not_it("b", token)
        self.logged("b", "it is no access token of ours, or not good any more")
        self.not_it("b", tokens["id_token"], subject_token_type=JWT)
        # a machine's is about nobody
        machine = self.good(self.client("machine").token(scope="read"))["access_token"]
        self.assertTrue(self.said("b", machine)["active"])
        self.not_it("b", machine)
        self.logged("b", "it is about no person")
        self.good(self.ask("b", good))

    def test_another_issuer_with_our_key(self):
        subject = self.person_token()
        self.good(self.ask("b", subject))
        text = self.usher.config.read_text()
        url = self.usher.url

        def back():
            self.usher.stop()
            write_private(self.usher.config, text)
            self.usher.url = url
            self.usher.start()
        self.addCleanup(back)
        self.usher.stop()
        self.usher.url = url.replace("127.0.0.1", "localhost")
        write_private(self.usher.config, text.replace("public_url = http://127.0.0.1", "public_url = http://localhost"))
        self.usher.start()
        self.not_it("b", subject)
        self.not_it("b", subject, subject_token_type=JWT)
        self.logged("b", "it is no access token of ours, or not good any more")

    def test_rules(self):
        subject = self.person_token()
        me = read_jwt(subject)[1]["sub"]
        role = "/api/v1/roles/staff/" + me
        rule = "require = role:staff\n"
        self.api.ask("PUT", "/api/v1/roles/staff", {"permissions": ["x.y"]}, status=201)
        for app, answer in (("b", "invalid_request"), ("web", "invalid_request"), ("c", "invalid_target")):
            self.write(app, APPS[app] + rule)
            self.reload()
            self.refused(self.ask("b", subject, resource=C), answer)
            wait_for("the refusal by %s" % app, lambda: ("app", "b", me, "refused") in self.usher.rows(
                "SELECT actor_kind, actor, object, outcome FROM audit WHERE action = 'app.access' AND app = ?", app))
            self.api.ask("PUT", role)
            self.good(self.ask("b", subject, resource=C))
            self.api.ask("DELETE", role)
            self.refused(self.ask("b", subject, resource=[D, C]), answer)
            self.write(app, APPS[app])
            self.reload()
        self.good(self.ask("b", subject, resource=C))
        # an API that is switched off, or that something is wrong with, unless there is another that serves the same
        without = APPS["c"].replace("grants = token_exchange client_credentials\n", "")
        for wrong in ("enabled = no\n", "require = (role:\n", "grants = password\n"):
            self.restarted("c", without + wrong)
            self.refused(self.ask("b", subject, resource=C), "invalid_target")
            self.good(self.ask("b", subject, resource=D))
            self.restarted("d", APPS["d"].replace("serves = ", "serves = %s " % C))
            self.good(self.ask("b", subject, resource=C))
            self.restarted("d", APPS["d"])
        self.restarted("c", APPS["c"])

    def test_an_admin_says_no_from_now_on(self):
        subject = self.person_token()
        made = {"c": self.exchange("b", subject, resource=C), "b": subject}
        made["d"] = self.exchange("c", made["c"], resource=D)
        less = APPS["web"].replace("read write", "read")
        for name, text, over in (
                ("b", APPS["b"].replace("exchange_from = web", "exchange_from ="), "cd"),
                ("b", APPS["b"].replace("token_exchange ", ""), "cd"),
                ("b", APPS["b"] + "enabled = no\n", "cd"),
                ("c", APPS["c"].replace("exchange_from = b ", "exchange_from = "), "d"),
                ("c", APPS["c"].replace("token_exchange ", ""), "d"),
                ("web", APPS["web"] + "enabled = no\n", "bcd"),
                ("web", None, "bcd"),
                ("web", less.replace("read", ""), "cd")):
            with self.subTest(name, text=text):
                self.changed(name, text)
                for app in "cd":
                    if name != app:
                        (self.assert_over if app in over else self.assert_good)(app, made[app])
                if name == "web":
                    self.not_it("c", made["c"])
                self.changed(name, APPS[name])
                self.assert_good("d", made["d"])
        self.changed("web", less)
        self.assertEqual([self.said(app, made[app])["scope"] for app in "cd"], ["read", "read"])


class Ends(Exchange):
    """What was made of a token ends with the person's grant, whoever made it."""

    def granted(self, **more):
        tokens = self.person_token(whole=True, **more)
        made = [self.exchange("b", tokens["access_token"], resource=C)]
        made.append(self.exchange("c", made[0], resource=D))
        made.append(self.exchange("b-opaque", tokens["access_token"]))
        for app, token in zip("cdc", made):
            self.assertTrue(self.said(app, token)["active"])
        return tokens, made

    def assert_all_over(self, tokens, made):
        for app, token in zip("cdc", made):
            self.assert_over(app, token)
        self.not_it("b", tokens["access_token"])
        self.not_it("c", made[0])

    def test_sign_out(self):
        granted = self.granted()
        offline = self.granted(scope="openid offline_access read")
        self.browser.post("/logout", {})
        self.assert_all_over(*granted)
        for app, token in zip("cdc", offline[1]):
            self.assertTrue(self.said(app, token)["active"])
        self.good(self.ask("b", offline[0]["access_token"]))

    def test_the_family(self):
        # RFC 9700 4.14: a token that came again
        granted = self.granted()
        self.good(self.web.refresh(granted[0]["refresh_token"]))
        self.party("stranger").refresh(granted[0]["refresh_token"])
        self.assert_all_over(*granted)
        # RFC 7009 2.1: given back
        granted = self.granted()
        self.web.post("revocation_endpoint", {"token": granted[0]["refresh_token"]})
        self.assert_all_over(*granted)

    def test_one_that_was_given_back(self):
        tokens, made = self.granted()
        self.web.post("revocation_endpoint", {"token": tokens["access_token"]})
        self.not_it("b", tokens["access_token"])
        # an app gives back what is its own, and nothing else
        self.client("c").revoke(made[0])
        self.assertTrue(self.said("c", made[0])["active"])
        self.client("b").revoke(made[0])
        self.assert_over("c", made[0])
        self.not_it("c", made[0])

    def test_a_yes_that_is_taken_back(self):
        granted = self.granted(person="grace")
        self.assertEqual(self.browser.post("/account/apps/web/revoke", {}).status, 303)
        self.assert_all_over(*granted)

    def test_admins(self):
        for path, body in (("end-sessions", {}), ("disable", {"reason": "a test"})):
            tokens, made = self.granted(person="noor", browser=Browser(self.usher))
            me = read_jwt(tokens["access_token"])[1]["sub"]
            self.api.ask("POST", "/api/v1/users/%s/%s" % (me, path), body)
            self.assert_all_over(tokens, made)
        self.api.ask("POST", "/api/v1/users/%s/enable" % me, {})
        granted = self.granted(person="noor", browser=Browser(self.usher))
        self.api.ask("DELETE", "/api/v1/users/" + me, {})
        self.assert_all_over(*granted)

    def test_nothing_slips_through(self):
        # What is being signed while all of a person's sessions are ended is worth nothing either.
        def go_on(token, got):
            while True:
                answer = self.ask("b", token)
                if answer.status != 200:
                    self.assertEqual((answer.status, answer.json()["error"]), (400, "invalid_request"))
                    return
                got.append(answer.json()["access_token"])

        for _ in range(3):
            token = self.person_token(person="noor", browser=Browser(self.usher))
            made = [[] for _ in range(6)]
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                under_way = [pool.submit(go_on, token, got) for got in made]
                try:
                    wait_for("some of each", lambda: all(len(got) > 3 for got in made))
                finally:  # which ends them
                    self.api.ask("POST", "/api/v1/users/%s/end-sessions" % read_jwt(token)[1]["sub"], {})
                for u in under_way:
                    u.result()
            for got in made:
                for one in got[-3:]:
                    self.assert_over("c", one)
