# SPDX-License-Identifier: Apache-2.0
"""What was granted counts for what it is worth now: whatever an app, an admin or a person took away
since opens nothing, at whichever endpoint it is shown."""
import concurrent.futures
import time

from faults import OIDC
from harness import Browser, wait_for
from oauth import read_jwt
from test_exchange import APPS, B, C, D, Exchange

NOBODY = "require = role:nobody-has-it\n"


class Standing(Exchange):
    def userinfo(self, token):
        return self.web.userinfo(token)

    def lost(self, answer):
        """RFC 6750 3.1"""
        self.assertEqual((answer.status, answer.json()["error"]), (401, "invalid_token"), answer.text)


class Userinfo(Standing):
    def test_scopes_that_the_app_may_no_longer_have(self):
        for party in ("web", "web-opaque"):
            token = self.person_token(self.party(party), scope="openid email read", resource=None)
            self.assertIn("email", self.userinfo(token).json())
            self.changed(party, APPS[party].replace("openid email", "openid"))
            self.assertEqual(set(self.userinfo(token).json()), {"sub"})
            self.changed(party, APPS[party].replace("openid email", "email"))
            self.assertEqual(self.userinfo(token).status, 403)
            self.changed(party, APPS[party])
            self.assertIn("email", self.userinfo(token).json())

    def test_people_whom_the_app_does_not_let_in_any_more(self):
        token = self.person_token(scope="openid email", resource=None)
        for more in (NOBODY, "providers = google\n", "require = network:192.0.2.0/24\n"):
            self.assertEqual(self.userinfo(token).status, 200)
            self.changed("web", APPS["web"] + more)
            self.lost(self.userinfo(token))
            self.changed("web", APPS["web"])
        self.assertEqual(self.userinfo(token).status, 200)

    def test_both_apps_of_an_exchanged_token(self):
        b = APPS["b"].replace(C, self.usher.url).replace("scopes = ", "scopes = openid email ")
        self.changed("b", b)
        token = self.exchange("b", self.person_token(scope="openid email"), resource=self.usher.url)
        self.assertIn("email", self.userinfo(token).json())
        for app, text, more in (("web", APPS["web"], NOBODY), ("web", APPS["web"], "enabled = no\n"), ("b", b, NOBODY),
                                ("b", b, "enabled = no\n")):
            self.changed(app, text + more)
            self.lost(self.userinfo(token))
            self.changed(app, text)
            self.assertEqual(self.userinfo(token).status, 200)


class Introspection(Standing):
    def test_scopes_that_the_app_may_no_longer_have(self):
        for party in ("web", "web-opaque"):
            token = self.person_token(self.party(party))
            self.assertEqual(self.said("b", token)["scope"], "openid read write")
            self.changed(party, APPS[party].replace(" read write", " read"))
            self.assertEqual(self.said("b", token)["scope"], "openid read")
            self.changed(party, APPS[party].replace("openid email offline_access read write", "email"))
            self.assert_over("b", token)
            self.changed(party, APPS[party])
            self.assertEqual(self.said("b", token)["scope"], "openid read write")

    def test_apis_that_the_app_may_no_longer_call(self):
        for party in ("web", "web-opaque"):
            token = self.person_token(self.party(party), scope="openid")
            self.assertEqual(self.said("b", token)["aud"], [B, self.usher.url])
            self.changed(party, APPS[party].replace(B + " ", ""))
            self.assert_over("b", token)
            self.assertEqual(self.said(party, token)["aud"], [self.usher.url])
            self.changed(party, APPS[party].replace("openid ", "").replace(B + " ", ""))
            self.assert_over(party, token)
            self.changed(party, APPS[party])
            self.assertTrue(self.said("b", token)["active"])

    def test_machines_that_are_none_any_more(self):
        for form in ("jwt", "opaque"):
            text = APPS["machine"] + "token_format = %s\n" % form
            self.changed("machine", text)
            token = self.client("machine").token().json()["access_token"]
            self.assertTrue(self.said("b", token)["active"])
            self.changed("machine", text.replace("client_credentials", "token_exchange"))
            self.assert_over("b", token)
            # What is given back meanwhile stays so.
            self.assertEqual(self.client("machine").revoke(token).status, 200)
            self.changed("machine", text)
            self.assert_over("b", token)


class Delegation(Standing):
    def test_scopes_that_the_first_app_may_no_longer_have(self):
        subject = self.person_token()
        self.changed("web", APPS["web"].replace(" read write", " read"))
        self.assertEqual(self.good(self.ask("b", subject))["scope"], "read")
        self.refused(self.ask("b", subject, scope="write"), "invalid_scope")
        self.changed("web", APPS["web"].replace(B + " ", ""))
        self.not_it("b", subject)

    def test_an_app_in_between(self):
        token = self.exchange("b", self.person_token(), resource=C)
        self.assertEqual(read_jwt(self.exchange("c", token, resource=D))[1]["aud"], D)
        self.changed("b", APPS["b"] + NOBODY)
        self.not_it("c", token)
        self.logged("c", "the person may not use the app any more")


class Crowded(Standing):
    """Sessions that memory has no room for end like any other, with what apps were granted by them."""
    settings = {"session": {"max": "16"}}

    def signed_in(self):
        """Somebody with a token, whose session is in the store alone by now."""
        browser = Browser(self.usher)
        token = self.person_token(self.party("web-opaque"), browser)
        mine = browser.me()["session"]["id"]
        self.crowd_out()
        self.assertIs(self.said("b", token)["active"], True)
        return mine, token

    def crowd_out(self):
        wait_for("another second", lambda s=int(time.time()): time.time() >= s + 1)
        for _ in range(16):
            other = Browser(self.usher)
            other.sign_in(person="bob")
            other.me()

    def ends(self, token):
        wait_for("the token's end", lambda: not self.said("b", token)["active"])

    def owner(self):
        browser = Browser(self.usher)
        browser.sign_in("oidc")
        return browser

    def test_one_that_its_owner_ends(self):
        mine, token = self.signed_in()
        self.assertEqual(self.owner().post("/account/sessions/%s/end" % mine, {}).location, "/account?did=ended")
        self.ends(token)

    def test_all_but_one(self):
        _, token = self.signed_in()
        self.assertEqual(self.owner().post("/account/sessions/end-others", {}).status, 303)
        self.ends(token)

    def test_one_that_an_admin_ends(self):
        mine, token = self.signed_in()
        account = self.owner().me()["id"]
        self.api.ask("POST", "/api/v1/users/%s/end-sessions" % account, {"session": mine})
        self.ends(token)

    def test_one_that_is_replaced(self):
        """Crowded out while its person signs in again."""
        browser, web = Browser(self.usher), self.party("web-opaque")
        tokens = self.person_token(web, browser, whole=True)
        callback = browser.to_callback("oidc")
        self.fake.fault(OIDC["token"], "held")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(browser.get, callback)
            wait_for("the token request", lambda: self.fake.counts().get(OIDC["token"], 0) >= 1)
            self.crowd_out()
            self.fake.release()
            self.assertEqual(answer.result().status, 303)
        self.good(web.refresh(tokens["refresh_token"]))
        self.assertEqual(browser.post("/logout", {}).status, 200)
        self.ends(tokens["access_token"])
