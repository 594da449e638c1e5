# SPDX-License-Identifier: Apache-2.0
"""Codes, refresh tokens and what ends them: OP cases that need a person."""
import concurrent.futures
import contextlib
import re
import sqlite3
import time

from harness import PATIENCE, Api, Browser, wait_for, write_private
from relying_party import RelyingParty, form_of, pkce, say
from test_conformance import Plan


def error_of(answer):
    return (answer.status, answer.json().get("error"))


GONE = (400, "invalid_grant")


class Codes(Plan):
    def test_op_17_another_app_another_address(self):
        # OP-16, OP-17: the code is burnt by whoever tried
        for spoil in ({"redirect_uri": "https://rp.example.com/other?fixed=1"}, {"redirect_uri": None}):
            response = self.authorize()
            self.assertEqual(error_of(self.rp.redeem(response, **spoil)), GONE, spoil)
            self.assertEqual(error_of(self.rp.redeem(response)), GONE, spoil)
        response = self.authorize()
        self.assertEqual(error_of(self.other.redeem(response)), GONE)
        self.assertEqual(error_of(self.rp.redeem(response)), GONE)

    def test_op_12_verifiers(self):
        # OP-12
        for wrong in (None, "", "short", "x" * 129, pkce()[0]):
            verifier, challenge = pkce()
            response = self.authorize(code_challenge=challenge, code_challenge_method="S256")
            self.assertEqual(error_of(self.rp.redeem(response, verifier=wrong)), GONE, wrong)
        response = self.authorize()
        self.assertEqual(error_of(self.rp.redeem(response, verifier=pkce()[0])), GONE, "a downgrade")
        self.assertEqual(self.rp.redeem(self.authorize(), verifier="").status, 200, "sent empty is not sent")

    def test_op_43_codes_are_exact(self):
        # OP-43
        code = self.authorize()["code"]
        for wrong in (code[:-1], code + "A", code.swapcase(), "urt_" + code[4:], code[4:], "uac_"):
            self.assertEqual(error_of(self.rp.redeem({"code": wrong})), GONE, wrong)
        self.assertEqual(self.rp.redeem({"code": code}).status, 200)

    def test_a_hundred_at_once_get_one_answer(self):
        response = self.authorize()
        answers = self.rp.race(100, grant_type="authorization_code", code=response["code"],
                               redirect_uri=self.rp.redirect_uri)
        good = [a for a in answers if a.status == 200]
        self.assertEqual(len(good), 1)
        self.assertEqual({error_of(a) for a in answers if a.status != 200}, {GONE})
        # A second use ends what the first one got (OP-19).
        self.assert_dead(good[0].json()["access_token"])
        self.assertEqual(error_of(self.rp.refresh(good[0].json()["refresh_token"])), GONE)

    def test_a_restart_in_between(self):
        # A request that waits for a person, a code, a refresh token: all of them outlive the process.
        begun = self.rp.begin(self.browser)
        response = self.authorize(browser=Browser(self.usher))
        tokens, _ = self.sign_in(browser=Browser(self.usher))
        self.usher.stop()
        self.usher.start()
        self.assertIn("code", self.rp.arrive(self.browser, begun))
        self.assertEqual(self.rp.redeem(response).status, 200)
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 200)
        self.assertEqual(self.rp.refresh(tokens["refresh_token"]).status, 200)

    def test_a_request_waits_for_its_own_browser(self):
        # OP-14, OP-16: the handle is worth nothing elsewhere, and is used up by its answer
        begun = self.rp.begin(self.browser)
        stranger = Browser(self.usher)
        stranger.sign_in("oidc", "grace")
        handle = begun.location.split("continue%2F")[1].split("&")[0]
        answer = stranger.get("/oauth2/continue/" + handle)
        self.assertEqual((answer.status, answer.location), (400, None), answer.summary())
        self.assertIn("code", self.rp.arrive(self.browser, begun))
        answer = self.browser.get("/oauth2/continue/" + handle)
        self.assertEqual((answer.status, answer.location), (400, None), answer.summary())


class Refreshing(Plan):
    def test_op_40_another_app(self):
        # OP-40: and then it is worth nothing to anybody
        tokens, _ = self.sign_in()
        self.assertEqual(error_of(self.other.refresh(tokens["refresh_token"])), GONE)
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), GONE)
        self.assert_dead(tokens["access_token"])
        tokens, _ = self.sign_in()
        answer = self.rp.post("token_endpoint", {"grant_type": "refresh_token",
                                                 "refresh_token": tokens["refresh_token"]}, auth="none")
        self.assertEqual(error_of(answer), (401, "invalid_client"))

    def test_op_38_never_more(self):
        # OP-38
        tokens, _ = self.sign_in(scope="openid email")
        for wider in ("openid email profile", "openid admin", "offline_access"):
            self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"], scope=wider)),
                             (400, "invalid_scope"), wider)
        fresh = self.rp.refresh(tokens["refresh_token"], scope="openid  openid ").json()
        self.assertEqual(fresh["scope"], "openid")
        self.assertNotIn("email", self.rp.userinfo(fresh["access_token"]).json())
        again = self.rp.refresh(fresh["refresh_token"]).json()
        self.assertEqual(again["scope"], "openid email")

    def test_a_lost_answer_comes_again(self):
        tokens, _ = self.sign_in()
        answers = self.rp.race(20, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        self.usher.change("UPDATE refresh_token SET used = used + 3600")  # ten seconds are little for the rest
        answers += self.rp.race(80, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
        self.assertEqual({a.status for a in answers}, {200})
        self.assertEqual(len({a.text for a in answers}), 1, "one answer for all of them")
        self.usher.stop()
        self.usher.start()
        self.assertEqual(self.rp.refresh(tokens["refresh_token"]).text, answers[0].text)
        self.assertEqual(self.rp.userinfo(answers[0].json()["access_token"]).status, 200)

    def test_reuse_ends_the_family(self):
        tokens, _ = self.sign_in()
        fresh = self.rp.refresh(tokens["refresh_token"]).json()
        self.usher.change("UPDATE refresh_token SET used = used - 11")  # the grace window is ten seconds
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), GONE)
        self.assertEqual(error_of(self.rp.refresh(fresh["refresh_token"])), GONE)
        self.assert_dead(fresh["access_token"])
        # R53: uses and misuses are on record, with the address and the program that asked
        told = [(r["action"], r["outcome"], r["ip"]) for r in
                Api(self.usher).ask("GET", "/api/v1/audit?app=rp&limit=2")["audit"]]
        self.assertEqual(told, [("grant.reuse", "refused", "127.0.0.1"), ("grant.refresh", "done", "127.0.0.1")])


    def test_op_44_an_app_gives_it_back(self):
        # OP-44: with everything that hangs on it; what others give back is not touched
        tokens, _ = self.sign_in()
        fresh = self.rp.refresh(tokens["refresh_token"]).json()
        form = {"token": fresh["refresh_token"], "token_type_hint": "access_token"}
        self.assertEqual(self.other.post("revocation_endpoint", form).status, 200)
        self.assertEqual(self.rp.userinfo(fresh["access_token"]).status, 200)
        answer = self.rp.post("revocation_endpoint", form)
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(error_of(self.rp.refresh(fresh["refresh_token"])), GONE)
        self.assertEqual(self.rp.userinfo(fresh["access_token"]).status, 401)
        active = self.rp.post("introspection_endpoint", {"token": fresh["access_token"]}).json()
        self.assertEqual(active, {"active": False})
        self.assertEqual(self.rp.post("revocation_endpoint", form).status, 200)
        told = Api(self.usher).ask("GET", "/api/v1/audit?action=grant.revoke")["audit"]
        self.assertEqual([(r["actor_kind"], r["actor"], r["outcome"]) for r in told],
                         [("app", "rp", "done")])


class Ends(Plan):
    """OP-42, OP-46: what ends a session or a person ends what apps hold of it."""

    def granted(self, browser=None, **more):
        tokens, claims = self.sign_in(browser, **more)
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 200)
        return tokens, claims

    def assert_over(self, tokens):
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), GONE)
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 401)

    def assert_stands(self, tokens):
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 200)
        self.assertEqual(self.rp.refresh(tokens["refresh_token"]).status, 200)

    def test_sign_out(self):
        bound, _ = self.granted()
        offline, _ = self.granted(scope="openid offline_access")
        self.browser.post("/logout", {})
        self.assert_over(bound)
        self.assert_stands(offline)

    def test_a_session_the_store_has_no_more(self):
        # As when it ran out, and nobody has said so yet.
        bound, claims = self.granted()
        offline, _ = self.granted(scope="openid offline_access")
        with contextlib.closing(sqlite3.connect(self.usher.database, timeout=PATIENCE)) as db, db:
            self.assertGreaterEqual(db.execute("UPDATE session SET ends = 1 WHERE account = ?",
                                               (claims["sub"],)).rowcount, 1)
        self.assert_over(bound)
        self.assert_stands(offline)

    def test_signing_in_again_is_no_end(self):
        tokens, first = self.granted()
        time.sleep(1.1)
        _, second = self.granted(prompt="login")
        self.assertNotEqual(first["sid"], second["sid"])
        self.assert_stands(tokens)
        self.browser.post("/logout", {})
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 401)

    def test_somebody_else_in_the_same_browser(self):
        tokens, _ = self.granted()
        self.browser.sign_in("oidc", "grace")
        self.assert_over(tokens)

    def test_a_rule_that_says_no_by_now(self):
        # Whoever lost the role an app wants gets no tokens any more, even while they are away.
        api = Api(self.usher)
        path = self.folder / "apps.d" / "rp.conf"
        text = path.read_text()
        self.addCleanup(lambda: (path.write_text(text), self.usher.stop(), self.usher.start()))
        _, claims = self.granted()
        role = "/api/v1/roles/staff/" + claims["sub"]
        api.ask("PUT", "/api/v1/roles/staff", {"permissions": ["rp.use"]}, status=201)
        api.ask("PUT", role)
        path.write_text(text.replace("scopes = ", "scopes = roles ") +
                        "require = permission:rp.use and (role:staff or network:192.0.2.0/24)\n")
        self.usher.stop()
        self.usher.start()
        tokens, _ = self.granted(scope="openid roles offline_access")
        said = self.rp.userinfo(tokens["access_token"]).json()
        self.assertEqual((said["roles"], said["permissions"]), (["staff"], ["rp.use"]))
        tokens = self.rp.refresh(tokens["refresh_token"]).json()
        api.ask("DELETE", role)
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), GONE)
        api.ask("PUT", role)
        self.assert_stands(tokens)

    def test_nothing_slips_through(self):
        # What is being signed while all of a person's sessions are ended is worth nothing either.
        api = Api(self.usher)

        def renew(tokens, got):
            while True:
                answer = self.rp.refresh(tokens["refresh_token"])
                if answer.status != 200:
                    self.assertEqual(error_of(answer), GONE)
                    return
                tokens = answer.json()
                got.append(tokens["access_token"])

        for _ in range(3):
            granted = [self.granted(Browser(self.usher), person="noor") for _ in range(6)]
            made = [[] for _ in granted]
            with concurrent.futures.ThreadPoolExecutor(6) as pool:
                under_way = [pool.submit(renew, tokens, got) for (tokens, _), got in zip(granted, made)]
                try:
                    wait_for("some of each", lambda: all(len(got) > 1 for got in made))
                finally:  # which ends them
                    api.ask("POST", "/api/v1/users/%s/end-sessions" % granted[0][1]["sub"], {})
                for u in under_way:
                    u.result()
            for got in made:
                answer = self.rp.post("introspection_endpoint", {"token": got[-1]})
                self.assertEqual(answer.json(), {"active": False})

    def test_admins(self):
        api = Api(self.usher)
        for path, body in (("end-sessions", {}), ("disable", {"reason": "a test"})):
            tokens, claims = self.granted(Browser(self.usher), person="noor")
            offline, _ = self.granted(Browser(self.usher), person="noor", scope="openid offline_access")
            api.ask("POST", "/api/v1/users/%s/%s" % (claims["sub"], path), body)
            self.assert_over(tokens)
            self.assert_over(offline)
        api.ask("POST", "/api/v1/users/%s/enable" % claims["sub"], {})
        tokens, claims = self.granted(Browser(self.usher), person="noor")
        api.ask("DELETE", "/api/v1/users/" + claims["sub"], {})
        self.assert_over(tokens)


class Room(Plan):
    """A table of access tokens that is full: nothing is used up for tokens that nobody could use."""

    settings = {"issuer": {"max_tokens": 16}}

    def fill(self, tokens):
        made = [tokens["access_token"]]
        while True:
            answer = self.rp.refresh(tokens["refresh_token"])
            if answer.status != 200:
                self.assertEqual(error_of(answer), (503, "temporarily_unavailable"))
                self.assertIn("Retry-After", answer.headers)
                return made, tokens
            tokens = answer.json()
            made.append(tokens["access_token"])

    def test_a_code_or_a_refresh_token_waits_for_room(self):
        theirs, _ = self.sign_in(Browser(self.usher), person="grace")
        theirs = self.rp.refresh(theirs["refresh_token"]).json()
        tokens, _ = self.sign_in()
        response = self.authorize()
        made, last = self.fill(tokens)
        self.assertEqual(len(made), 11)  # with theirs four fifths: the rest is for other apps
        for _ in range(2):
            self.assertEqual(self.rp.refresh(last["refresh_token"]).status, 503)
            self.assertEqual(self.rp.redeem(response).status, 503)
        self.rp.post("revocation_endpoint", {"token": theirs["refresh_token"]})  # makes room for two
        for answer in (self.rp.refresh(last["refresh_token"]), self.rp.redeem(response)):
            self.assertEqual(answer.status, 200, answer.text)
            self.assertEqual(self.rp.userinfo(answer.json()["access_token"]).status, 200)
        for token in made:
            self.assertEqual(self.rp.userinfo(token).status, 200, "nobody had to make way")
        other, _ = self.other.sign_in(Browser(self.usher), person="grace")  # for whom there is room
        self.assertEqual(self.other.userinfo(other["access_token"]).status, 200)
        said = self.usher.told("issuer.failed")[-1]["error"]
        self.assertIn("app rp has 13 of 16 access tokens in memory", said)
        self.assertIn("max_tokens", said)


class Beyond(Plan):
    """More access tokens than fit into memory at a start: the store is asked, and a good token is good."""

    def restart(self, room):
        self.usher.stop()
        write_private(self.usher.config, re.sub(r"(?m)^max_tokens.*\n", "", self.usher.config.read_text())
                      .replace("[issuer]\n", "").rstrip("\n") + "\n[issuer]\nmax_tokens = %d\n" % room)
        self.usher.start()

    def test_tokens_beyond_the_table(self):
        browsers, made = [Browser(self.usher), Browser(self.usher)], []
        for browser, person in zip(browsers, ("ada", "grace")):
            tokens, _ = self.sign_in(browser, person=person)
            made.append([tokens["access_token"]])
            for _ in range(14):
                tokens = self.rp.refresh(tokens["refresh_token"]).json()
                made[-1].append(tokens["access_token"])
        self.restart(16)
        left_out = self.usher.told("issuer.tokens_left_out")[-1]
        self.assertGreaterEqual(left_out["n"], 30 - 16)
        for token in made[0] + made[1]:
            self.assertEqual(self.rp.userinfo(token).status, 200)
            self.assertTrue(self.rp.post("introspection_endpoint", {"token": token}).json()["active"])
        # What ends has ended, wherever it lay.
        for token in made[0][:4]:
            self.assertEqual(self.rp.post("revocation_endpoint", {"token": token}).status, 200)
        browsers[1].post("/logout", {})
        wait_for("the grant's end", lambda: self.rp.userinfo(made[1][0]).status == 401)
        for token in made[0][:4] + made[1]:
            self.assertEqual(self.rp.userinfo(token).status, 401)
            self.assertFalse(self.rp.post("introspection_endpoint", {"token": token}).json()["active"])
        for token in made[0][4:]:
            self.assertEqual(self.rp.userinfo(token).status, 200)
        for guess in ("uat_" + "A" * 43, made[0][5][:-4] + "AAAA", "nonsense"):
            self.assertEqual(self.rp.userinfo(guess).status, 401)
        self.restart(2000)
        for token in made[0][:4] + made[1]:
            self.assertEqual(self.rp.userinfo(token).status, 401)

class Consent(Plan):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in ("rp", "rp2"):
            path = cls.folder / "apps.d" / (name + ".conf")
            path.write_text(path.read_text() + "consent = yes\n")
        Api(cls.usher).ask("POST", "/api/v1/config/reload", {})

    def test_no(self):
        answer = self.rp.arrive(self.browser, self.rp.begin(self.browser, scope="openid email"), consent=False)
        self.assertEqual(answer.status, 200, answer.summary())
        self.assertIn("your e-mail address", answer.text)
        action, fields = form_of(answer.text)
        cross = self.browser.post(action, {**fields, "answer": "allow"}, same_origin=False,
                                  Origin="https://evil.example")
        self.assertEqual(cross.status, 400)
        self.assert_error(self.rp.arrive(self.browser, say(self.browser, answer, "deny")), "access_denied")

    def test_op_16_an_answer_is_that_of_whom_the_page_asked(self):
        # OP-14, OP-16: somebody else who signed in meanwhile is asked, for all of it, and only they
        page = self.rp.arrive(self.browser, self.rp.begin(self.browser, scope="openid email"), "noor", consent=False)
        self.assertIn("Noor", page.text)
        self.browser.sign_in("oidc", "tom")
        tom = self.browser.me()["id"]
        asked = say(self.browser, page, "allow", ["openid"])
        self.assertEqual(asked.status, 200, asked.summary())
        self.assertIn("your e-mail address", asked.text)
        self.assertEqual(form_of(asked.text)[1]["account"], tom)
        for table in ("consent", "oauth_grant"):
            self.assertEqual(self.usher.rows("SELECT count(*) FROM %s WHERE account = ? AND app = 'rp'" % table, tom), [(0,)])
        response = self.rp.arrive(self.browser, say(self.browser, asked, "allow", ["openid", "email"]))
        tokens = self.rp.tokens_of(self.rp.redeem(response))
        self.assertEqual((tokens["scope"], self.rp.userinfo(tokens["access_token"]).json()["sub"]), ("openid email", tom))

    def test_what_an_app_may_no_longer_ask(self):
        # OP-01, OP-38: an answer goes where the app may have it now, and says what it may have now
        path, new = self.folder / "apps.d" / "rp.conf", "https://rp.example.com/soon-gone"
        text, api = path.read_text(), Api(self.usher)

        def settings_are(settings):
            path.write_text(settings)
            api.ask("POST", "/api/v1/config/reload", {})

        self.addCleanup(settings_are, text)
        with_new = text.replace("redirect_uris = ", "redirect_uris = %s " % new, 1)
        for before, after, asked in ((with_new, text, {"redirect_uri": new}),
                                     (text, text.replace(" email ", " "), {"scope": "openid email"}),
                                     (text, text.replace("authorization_code ", ""), {})):
            for answered in (True, False):
                settings_are(before)
                browser = Browser(self.usher)
                waiting = self.rp.begin(browser, **asked)
                if answered:
                    waiting = self.rp.arrive(browser, waiting, consent=False)
                self.assertNotIsInstance(waiting, dict)
                settings_are(after)
                self.assert_page(say(browser, waiting, "allow", ["openid", "email"]) if answered else
                                 self.rp.arrive(browser, waiting))

    def test_op_21_silence_needs_an_earlier_yes(self):
        # OP-21
        self.browser.sign_in("oidc", "konrad")
        self.assert_error(self.authorize(prompt="none"), "consent_required")
        self.sign_in(person="konrad")
        self.sign_in(prompt="none")
        self.assert_error(self.authorize(prompt="none", scope="openid email"), "consent_required")

    def test_op_42_a_yes_is_taken_back(self):
        # OP-42, R63: seen and taken back on the account's page
        tokens, _ = self.sign_in(scope="openid email offline_access", person="grace")
        kept, _ = self.other.sign_in(self.browser, person="grace")
        page = self.browser.get("/account").text
        self.assertIn("your e-mail address", page)
        self.assertIn("also while you are away", page)
        held = {a["app"]: a for a in self.browser.get("/account/data").json()["apps"]}
        self.assertEqual(set(held), {"rp", self.other.client_id})
        self.assertEqual(sorted(held["rp"]["scopes"].split()), ["email", "offline_access", "openid"])
        self.assertEqual((held["rp"]["offline"], held["rp"]["remembered_yes"]), (True, True))
        cross = self.browser.post("/account/apps/rp/revoke", {}, same_origin=False, Origin="https://evil.example")
        self.assertEqual(cross.status, 403)
        self.assertEqual(self.browser.post("/account/apps/rp/revoke", {}).status, 303)
        self.assertNotIn("also while you are away", self.browser.get("/account").text)
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), GONE)
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 401)
        self.assertEqual(self.rp.userinfo(kept["access_token"]).status, 200)
        self.assert_error(self.authorize(prompt="none"), "consent_required")

    def naming(self, text):
        """The tables of the store that hold it somewhere."""
        found = set()
        for table, in self.usher.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
            for column, in self.usher.rows("SELECT name FROM pragma_table_info(?)", table):
                if self.usher.rows('SELECT 1 FROM "%s" WHERE "%s" = ? LIMIT 1' % (table, column), text):
                    found.add(table)
        return found

    def test_priv_11_a_deleted_account_is_an_id_in_the_audit(self):
        # PRIV-11
        tokens, _ = self.sign_in(scope="openid email offline_access", person="noor")
        account = self.browser.me()["id"]
        self.assertLessEqual({"account", "identity", "session", "consent", "oauth_grant"}, self.naming(account))
        self.assertEqual(self.browser.post("/account/delete", {"sure": "yes"}).status, 200)
        self.assertEqual(self.naming(account) - {"logout_delivery"}, {"audit"})  # apps are told, then it goes
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 401)
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"])), GONE)

    def test_op_14_less_than_was_asked_for_and_never_more(self):
        # OP-14
        query = self.rp.request(scope="openid email profile")
        page = self.rp.arrive(self.browser, self.rp.begin(self.browser, **query), "lin", consent=False)
        said = say(self.browser, page, "allow", ["openid", "email", "offline_access"])
        tokens = self.rp.redeem(self.rp.arrive(self.browser, said)).json()
        self.assertEqual(tokens["scope"], "openid email")
        info = self.rp.userinfo(tokens["access_token"]).json()
        self.assertNotIn("name", info)

    def test_op_67_an_app_that_changed_asks_again(self):
        # OP-67
        path = self.folder / "apps.d" / "rp2.conf"
        browser = Browser(self.usher)
        self.other.sign_in(browser, person="tom")
        self.other.sign_in(browser, prompt="none")
        path.write_text(path.read_text().replace("/callback ", "/callback https://rp.example.com/new "))
        Api(self.usher).ask("POST", "/api/v1/config/reload", {})
        self.assert_error(self.other.authorize(browser, prompt="none"), "consent_required")
