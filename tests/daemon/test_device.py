# SPDX-License-Identifier: Apache-2.0
"""Devices without a browser: RFC 8628, and OP-16 where it speaks of them."""
import html
import json
import re
import sqlite3

from harness import Api, Browser, Case, write_private
from oauth import secret_for
from relying_party import RelyingParty, form_of

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
APPS = {
    "tv": "label = Living room\nclient_type = public\nscopes = openid email offline_access\nconsent = yes\n"
          "grants = device_code refresh_token\n",
    "box": "label = Box\nclient_type = confidential\nscopes = openid email\ngrants = device_code\n",
    "web": "label = Web\nclient_type = confidential\nscopes = openid email\n"
           "redirect_uris = https://rp.example.com/callback\n",
    "closed": "label = Closed\nclient_type = public\nscopes = openid\ngrants = device_code\n"
              "require = role:nobody-has-it\n",
}


class Device(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.folder / "apps.d"
        folder.mkdir(exist_ok=True)
        for name, text in APPS.items():
            write_private(folder / (name + ".conf"), text)
        cls.usher.stop()
        cls.secrets = {name: secret_for(cls.usher, name) for name in ("box", "web")}
        cls.usher.start()

    def setUp(self):
        super().setUp()
        self.tv = RelyingParty(self.usher, "tv")
        self.box = RelyingParty(self.usher, "box", self.secrets["box"])

    # ---- the device

    def begin(self, rp=None, **more):
        rp = rp or self.tv
        answer = rp.post("device_authorization_endpoint", {"scope": "openid email", **more},
                         "basic" if rp.secret else "none", User_Agent="Smart-TV/1.0")
        return answer

    def codes(self, rp=None, **more):
        answer = self.begin(rp, **more)
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json()

    def poll(self, codes, rp=None, **more):
        rp = rp or self.tv
        return rp.post("token_endpoint", {"grant_type": GRANT, "device_code": codes["device_code"], **more},
                       "basic" if rp.secret else "none")

    def assert_poll(self, error, codes, rp=None, **more):
        answer = self.poll(codes, rp, **more)
        self.assertEqual((answer.status, answer.json().get("error")), (400, error), answer.text)
        self.assertIn("no-store", answer.headers["Cache-Control"])

    def sql(self, text, *values):
        with sqlite3.connect(self.usher.database) as db:
            rows = db.execute(text, values).fetchall()
        db.close()
        return rows

    def rested(self):
        """As if every device had waited long enough."""
        self.sql("UPDATE device_code SET last_poll = last_poll - 3600")

    # ---- the person

    def open(self, code, browser=None):
        return (browser or self.browser).get("/device?user_code=" + code)

    def say(self, answer, page, browser=None, **more):
        action, fields = form_of(page.text)
        return (browser or self.browser).post(action, {**fields, "answer": answer, **more})

    def signed_in(self, person="ada"):
        browser = Browser(self.usher)
        browser.sign_in("oidc", person)
        return browser

    def allow(self, codes, browser):
        page = self.open(codes["user_code"], browser)
        self.assertEqual(page.status, 200, page.summary())
        done = self.say("allow", page, browser)
        self.assertEqual(done.status, 200, done.summary())
        self.assertIn("is connected", done.text)


class Codes(Device):
    def test_what_a_device_gets(self):
        # RFC 8628 3.2, 6.1
        self.assertIn(GRANT, self.tv.metadata["grant_types_supported"])
        answer = self.begin()
        self.assertIn("no-store", answer.headers["Cache-Control"])
        codes = answer.json()
        self.assertRegex(codes["user_code"], r"^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$")
        self.assertEqual(codes["verification_uri"], self.usher.url + "/device")
        self.assertEqual(codes["verification_uri_complete"],
                         codes["verification_uri"] + "?user_code=" + codes["user_code"])
        self.assertEqual((codes["expires_in"], codes["interval"]), (600, 5))
        stored = json.dumps(self.sql("SELECT hex(hash), hex(user_code), app, scopes, state, ip FROM device_code"))
        self.assertNotIn(codes["device_code"], stored)
        self.assertNotIn(codes["user_code"], stored)

    def test_who_may_begin(self):
        # RFC 8628 3.1: authentication as at the token endpoint
        web = RelyingParty(self.usher, "web", self.secrets["web"])
        wrong = RelyingParty(self.usher, "box", "wrong")
        for rp, more, status, error in ((web, {}, 400, "unauthorized_client"),
                                        (wrong, {}, 401, "invalid_client"),
                                        (RelyingParty(self.usher, "nobody"), {}, 401, "invalid_client"),
                                        (self.tv, {"scope": "admin"}, 400, "invalid_scope"),
                                        (self.tv, {"scope": None}, 400, "invalid_scope"),
                                        (self.tv, {"resource": "https://api.example"}, 400, "invalid_target")):
            answer = self.begin(rp, **more)
            self.assertEqual((answer.status, answer.json()["error"]), (status, error), (rp.client_id, more))
        answer = self.box.post("device_authorization_endpoint", {"scope": "openid"}, "none")
        self.assertEqual((answer.status, answer.json()["error"]), (401, "invalid_client"))
        self.assertEqual(self.codes(self.box)["interval"], 5)


class Polling(Device):
    def test_authorization_pending(self):
        codes = self.codes()
        self.assert_poll("authorization_pending", codes)

    def test_slow_down(self):
        codes = self.codes()
        self.assert_poll("authorization_pending", codes)
        self.assert_poll("slow_down", codes)
        self.assert_poll("slow_down", codes)
        self.assertEqual(self.sql("SELECT max(poll_every) FROM device_code"), [(15,)])
        # For good: what was enough at first is not any more.
        self.sql("UPDATE device_code SET last_poll = last_poll - 7")
        self.assert_poll("slow_down", codes)
        self.sql("UPDATE device_code SET last_poll = last_poll - 20")
        self.assert_poll("authorization_pending", codes)

    def test_access_denied(self):
        codes, browser = self.codes(), self.signed_in()
        done = self.say("deny", self.open(codes["user_code"], browser), browser)
        self.assertIn("was refused", done.text)
        self.assert_poll("access_denied", codes)
        self.assertEqual(self.open(codes["user_code"], browser).status, 422)
        entries = Api(self.usher).ask("GET", "/api/v1/audit?action=grant.deny")
        self.assertIn("tv", json.dumps(entries))

    def test_expired_token(self):
        codes, browser = self.codes(), self.signed_in()
        page = self.open(codes["user_code"], browser)
        self.sql("UPDATE device_code SET expires = created - 1")
        self.assert_poll("expired_token", codes)
        self.assertEqual(self.say("allow", page, browser).status, 422)
        self.assert_poll("expired_token", codes)
        self.assertEqual(self.open(codes["user_code"], browser).status, 422)

    def test_allowed_and_then_too_late(self):
        codes, browser = self.codes(), self.signed_in()
        self.allow(codes, browser)
        self.sql("UPDATE device_code SET expires = created - 1")
        self.assert_poll("expired_token", codes)

    def test_codes_are_exact(self):
        codes, browser = self.codes(), self.signed_in()
        self.allow(codes, browser)
        code = codes["device_code"]
        for wrong in (code[:-1], code + "A", code.swapcase(), "uac_" + code[4:], codes["user_code"], "x"):
            self.assert_poll("invalid_grant", {"device_code": wrong})
        self.assert_poll("invalid_request", {"device_code": ""})
        self.assertEqual(self.poll(codes).status, 200)


class People(Device):
    def test_from_the_code_to_userinfo(self):
        codes, browser = self.codes(), Browser(self.usher)
        page = browser.get("/device")
        self.assertEqual(page.status, 200)
        self.assertIn('name="user_code"', page.text)
        # However it is typed; signed in on the way.
        answer = browser.get("/device?user_code=+" + codes["user_code"].lower().replace("-", "+"))
        self.assertEqual(answer.status, 303, answer.summary())
        page = self.tv.arrive(browser, answer)
        self.assertEqual(page.status, 200, page.summary())
        text = html.unescape(page.text)
        for said in ("Living room", "your e-mail address", codes["user_code"], "127.0.0.1"):
            self.assertIn(said, text)
        self.assert_poll("authorization_pending", codes)
        self.assertEqual(self.say("allow", page, browser).status, 200)
        answer = self.poll(codes)
        self.assertEqual(answer.status, 200, answer.text)
        tokens = answer.json()
        self.assertEqual(tokens["scope"], "openid email")
        claims = self.tv.claims(tokens["id_token"], None, tokens["access_token"])
        info = self.tv.userinfo(tokens["access_token"]).json()
        self.assertEqual(info["sub"], claims["sub"])
        self.assertIn("email", info)
        # It does not end with the browser's session.
        browser.post("/logout", {})
        self.assertIsNone(browser.me())
        self.assertEqual(self.tv.refresh(tokens["refresh_token"], "none").status, 200)
        # What was agreed to is remembered, and on record.
        self.assertEqual(self.sql("SELECT scopes FROM consent WHERE app = 'tv' AND account = ?", claims["sub"]),
                         [('["openid","email"]',)])
        entries = Api(self.usher).ask("GET", "/api/v1/audit?action=grant.issue&app=tv")
        self.assertIn(claims["sub"], json.dumps(entries))

    def test_each_code_is_good_once(self):
        codes, browser = self.codes(), self.signed_in()
        self.allow(codes, browser)
        tokens = self.poll(codes).json()
        self.assert_poll("invalid_grant", codes)
        # Whoever had it second may have stolen it, or the first: it ends for both.
        self.assertEqual(self.tv.userinfo(tokens["access_token"]).status, 401)
        answer = self.tv.refresh(tokens["refresh_token"], "none")
        self.assertEqual((answer.status, answer.json()["error"]), (400, "invalid_grant"))
        entries = Api(self.usher).ask("GET", "/api/v1/audit?action=grant.reuse&app=tv")
        self.assertIn("a device code came a second time", json.dumps(entries))

    def test_fifty_at_once_get_one_answer(self):
        codes, browser = self.codes(), self.signed_in()
        self.allow(codes, browser)
        answers = self.tv.race(50, "none", grant_type=GRANT, device_code=codes["device_code"])
        self.assertEqual(sorted(a.status for a in answers), [200] + [400] * 49)
        self.assertEqual({a.json()["error"] for a in answers if a.status == 400}, {"invalid_grant"})

    def test_op_16_a_yes_counts_for_one_device_of_one_app(self):
        # OP-16
        mine, theirs, box = self.codes(), self.codes(), self.codes(self.box)
        browser = self.signed_in()
        self.allow(mine, browser)
        self.assert_poll("authorization_pending", theirs)
        self.assert_poll("authorization_pending", box, self.box)
        self.assert_poll("invalid_grant", mine, self.box)  # another app's hands
        self.assert_poll("invalid_grant", box)
        self.assertEqual(self.poll(mine).status, 200)
        # A page that asks about one device answers for no other.
        page = self.open(theirs["user_code"], browser)
        self.assertEqual(self.say("allow", page, browser, user_code=mine["user_code"]).status, 422)
        self.rested()
        self.assert_poll("authorization_pending", theirs)

    def test_op_16_whoever_was_asked_must_be_who_answers(self):
        # OP-16
        codes, ada, grace = self.codes(), self.signed_in(), self.signed_in("grace")
        page = self.open(codes["user_code"], ada)
        again = self.say("allow", page, grace)
        self.assertEqual(again.status, 200)
        self.assertIn('value="allow"', again.text)  # asked, as herself
        self.assert_poll("authorization_pending", codes)
        signed_out = self.say("allow", page, Browser(self.usher))
        self.assertEqual(signed_out.status, 303)
        self.assertIn("/login", signed_out.location)
        self.rested()
        self.assert_poll("authorization_pending", codes)

    def test_only_our_own_page_may_answer(self):
        codes, browser = self.codes(), self.signed_in()
        action, fields = form_of(self.open(codes["user_code"], browser).text)
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            answer = browser.request("POST", action, form={**fields, "answer": "allow"}, headers=headers)
            self.assertEqual(answer.status, 400, headers)
        self.assert_poll("authorization_pending", codes)

    def test_whom_the_app_does_not_take(self):
        codes = self.codes(RelyingParty(self.usher, "closed"), scope="openid")
        answer = self.open(codes["user_code"], self.signed_in())
        self.assertEqual((answer.status, answer.location), (303, "/denied?app=closed"))

    def test_an_app_that_changed_meanwhile(self):
        codes, browser = self.codes(), self.signed_in()
        page = self.open(codes["user_code"], browser)
        path = self.folder / "apps.d" / "tv.conf"
        before = path.read_text()
        path.write_text(before.replace(" email", ""))
        Api(self.usher).ask("POST", "/api/v1/config/reload", {})
        try:
            self.assertEqual(self.say("allow", page, browser).status, 422)
            self.assert_poll("authorization_pending", codes)
        finally:
            path.write_text(before)
            Api(self.usher).ask("POST", "/api/v1/config/reload", {})

    def test_a_restart_in_between(self):
        codes, browser = self.codes(), self.signed_in()
        page = self.open(codes["user_code"], browser)
        self.usher.stop()
        self.usher.start()
        self.assertEqual(self.say("allow", page, browser).status, 200)
        self.usher.stop()
        self.usher.start()
        self.assertEqual(self.poll(codes).status, 200)

    def test_nonsense(self):
        for code in ("BCDF", "BCDF-GHJK", "%3Cscript%3E", "A" * 3000):
            page = self.browser.get("/device?user_code=" + code)
            self.assertEqual(page.status, 422, page.summary())
            self.assertNotIn("<script>", page.text)
        self.assertEqual(self.browser.get("/device?user_code=a&user_code=b").status, 400)
        self.assertIsNone(re.search("A" * 100, self.browser.get("/device?user_code=" + "A" * 3000).text))


class Guessing(Device):
    settings = {"limits": {"device": "1", "device_burst": "5", "login": "1", "login_burst": "3"}}

    def guess(self, address, codes):
        return [self.browser.get("/device?user_code=BCDF-GHJ" + ch, X_Forwarded_For=address).status for ch in codes]

    def test_guesses_are_counted(self):
        # RFC 8628 5.1
        mine, other = ({"X_Forwarded_For": "203.0.113.%d" % n} for n in (5, 6))
        self.assertEqual(self.guess("203.0.113.5", "BCDFGHJKLM"), [422] * 5 + [429] * 5)
        self.assertEqual(self.browser.post("/device", {}, **mine).status, 429)
        self.assertEqual(self.browser.get("/device", **mine).status, 429)
        self.assertEqual(self.browser.get("/device", **other).status, 200)
        self.usher.told("limit.reached", **{"class": "device"})
        # ... for themselves: whoever guesses keeps nobody there from signing in, and the other way round
        self.assertEqual([self.browser.get("/login/oidc", **mine).status for _ in range(4)], [303] * 3 + [429])
        self.assertEqual([self.browser.get("/login/oidc", **other).status for _ in range(4)], [303] * 3 + [429])
        self.assertEqual(self.browser.get("/device", **other).status, 200)


class GuessingAsInstalled(Guessing):
    settings = None

    def test_guesses_are_counted(self):
        # RFC 8628 5.1: nobody has to switch it on
        came = self.guess("203.0.113.5", "BCDFGHJKLMNPQRSTVWXZ" * 2)
        self.assertEqual((set(came[:30]), came[-1]), ({422}, 429))
