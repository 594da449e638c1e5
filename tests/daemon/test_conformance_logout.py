# SPDX-License-Identifier: Apache-2.0
"""What the OpenID Foundation's conformance suite asks of logout, each module by its name: the
RP-Initiated and Back-Channel Logout plans; and the OP cases about it."""
import base64
import http.server
import signal
import threading
import time
import unittest
import urllib.parse

from harness import PATIENCE, Api, Browser, wait_for, write_private
from oauth import Key, read_jwt, verify
from relying_party import form_of, query_of
from test_conformance import Plan

LOGGED_OUT = "https://rp.example.com/logged-out"


class Leaving(Plan):
    def end(self, browser=None, method="GET", **query):
        query = {k: v for k, v in query.items() if v is not None}
        url, browser = self.rp.metadata["end_session_endpoint"], browser or self.browser
        if method == "GET":
            return browser.get(url + "?" + urllib.parse.urlencode(query))
        return browser.request("POST", url, form=query)

    def confirmed(self, answer, **more):
        """A page that asks; the person agrees; where that leads."""
        self.assertEqual(answer.status, 200, answer.summary())
        action, fields = form_of(answer.text)
        return self.browser.post(action, fields, **more)

    def signed_in(self, browser=None):
        answer = self.authorize(browser, prompt="none")
        if isinstance(answer, dict) and "code" in answer:
            return True
        self.assert_error(answer, "login_required")
        return False

    def assert_logged_out(self):
        self.assertFalse(self.signed_in())

    def assert_never_leads_away(self, answer):
        """A question; it ends the session, and leads nowhere."""
        self.assertTrue(self.signed_in(), "nobody was asked")
        answer = self.confirmed(answer)
        self.assertEqual(answer.status, 200, answer.summary())
        self.assertIsNone(answer.location)
        self.assert_logged_out()

    def assert_leads_back(self, answer, **query):
        self.assertEqual(answer.status, 303, answer.summary())
        self.assertEqual(answer.location.split("?")[0], LOGGED_OUT)
        self.assertEqual(query_of(answer.location), query)


class RpInitiatedLogout(Leaving):
    """oidcc-rp-initiated-logout-certification-test-plan"""

    def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(self):
        self.assertEqual(self.rp.metadata["end_session_endpoint"], self.rp.metadata["issuer"] + "/oauth2/logout")
        for name, url in self.rp.metadata.items():
            if name.endswith("_endpoint") or name == "jwks_uri":
                self.assertTrue(url.startswith(self.rp.metadata["issuer"] + "/"), name)

    def test_oidcc_rp_initiated_logout(self):
        tokens, _ = self.sign_in()
        state = "a b&c" + 123 * "s"  # 128 letters, as the suite's
        answer = self.end(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT, state=state)
        self.assert_leads_back(answer, state=state)
        self.assert_logged_out()

    def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(self):
        tokens, _ = self.sign_in()
        self.assert_never_leads_away(self.end(id_token_hint=tokens["id_token"],
                                              post_logout_redirect_uri=LOGGED_OUT + "/evil", state="x"))

    def test_oidcc_rp_initiated_logout_modified_id_token_hint(self):
        tokens, _ = self.sign_in()
        _, payload, _ = tokens["id_token"].split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        self.assert_never_leads_away(self.end(id_token_hint="%s.%s." % (none, payload),
                                              post_logout_redirect_uri=LOGGED_OUT, state="x"))

    def test_oidcc_rp_initiated_logout_no_id_token_hint(self):
        self.sign_in()
        self.assert_never_leads_away(self.end(post_logout_redirect_uri=LOGGED_OUT, state="x"))

    def test_oidcc_rp_initiated_logout_no_params(self):
        self.sign_in()
        self.assert_never_leads_away(self.end())

    def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(self):
        tokens, _ = self.sign_in()
        answer = self.end(id_token_hint=tokens["id_token"], state="x")
        self.assertEqual((answer.status, answer.location), (200, None))
        self.assert_logged_out()

    def test_oidcc_rp_initiated_logout_no_state(self):
        tokens, _ = self.sign_in()
        answer = self.end(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT)
        self.assertEqual((answer.status, answer.location), (303, LOGGED_OUT))
        self.assert_logged_out()

    def test_oidcc_rp_initiated_logout_only_state(self):
        self.sign_in()
        self.assert_never_leads_away(self.end(state="x"))

    def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(self):
        tokens, _ = self.sign_in()
        self.assert_never_leads_away(self.end(id_token_hint=tokens["id_token"],
                                              post_logout_redirect_uri=LOGGED_OUT + "?a=b", state="x"))

    def test_oidcc_rp_initiated_logout_bad_id_token_hint(self):
        tokens, _ = self.sign_in()
        head, payload, signature = tokens["id_token"].split(".")
        spoilt = signature[:-8] + ("A" * 8 if signature[-8:] != "A" * 8 else "B" * 8)
        header, claims, _ = read_jwt(tokens["id_token"])
        foreign = Key(self.folder, "RSA").sign(claims, **header)
        for hint in (".".join((head, payload, spoilt)), foreign):
            self.assert_never_leads_away(self.end(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT, state="x"))
            self.sign_in()


class EndSession(Leaving):
    """OP-57, OP-58"""

    def test_op_57_hint_of_another_client(self):
        self.sign_in()
        theirs = self.other.sign_in(self.browser)[0]["id_token"]
        self.assert_never_leads_away(self.end(id_token_hint=theirs, client_id="rp",
                                              post_logout_redirect_uri=LOGGED_OUT))

    def test_op_57_a_hint_is_an_id_token_and_nothing_else(self):
        # Userinfo, signed, names the same person and the same app; an access token is of the same key.
        path = self.folder / "apps.d" / "rp.conf"
        text = path.read_text()
        api = Api(self.usher)
        self.addCleanup(lambda: (path.write_text(text), api.ask("POST", "/api/v1/config/reload", {})))
        write_private(path, text + "userinfo_alg = RS256\n")
        api.ask("POST", "/api/v1/config/reload", {})
        tokens, _ = self.sign_in()
        info = self.rp.userinfo(tokens["access_token"]).text
        self.assertEqual(read_jwt(info)[1]["aud"], "rp")
        for hint in (info, tokens["access_token"]):
            self.assert_error(self.authorize(prompt="none", id_token_hint=hint), "login_required")
            self.assert_never_leads_away(self.end(id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT))
            self.sign_in()

    def test_op_57_hint_of_another_issuer_with_our_key(self):
        tokens, _ = self.sign_in()
        path = "/oauth2/logout?" + urllib.parse.urlencode({"id_token_hint": tokens["id_token"],
                                                           "post_logout_redirect_uri": LOGGED_OUT})
        self.assert_leads_back(Browser(self.usher).get(path))
        text, url = self.usher.config.read_text(), self.usher.url

        def settings_are(settings, public_url):
            self.usher.stop()
            write_private(self.usher.config, settings)
            self.usher.url = public_url
            self.usher.start()

        self.addCleanup(settings_are, text, url)
        settings_are(text.replace("public_url = http://127.0.0.1", "public_url = http://localhost"),
                     url.replace("127.0.0.1", "localhost"))
        answer = Browser(self.usher).get(path)
        self.assertEqual((answer.status, answer.location), (200, None), answer.summary())

    def test_op_57_hint_of_another_person(self):
        elsewhere = Browser(self.usher)
        tokens, _ = self.sign_in(elsewhere, person="grace")
        self.sign_in()
        answer = self.end(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT)
        self.assertEqual(answer.status, 200, "one person's token signed another out")
        self.assertTrue(self.signed_in())

    def test_op_57_hint_of_another_session(self):
        elsewhere = Browser(self.usher)
        tokens, _ = self.sign_in(elsewhere)
        self.sign_in()
        answer = self.end(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT)
        self.assertEqual(answer.status, 200, answer.summary())
        self.assertTrue(self.signed_in())
        self.assert_leads_back(self.confirmed(answer))
        self.assert_logged_out()
        self.assertTrue(self.signed_in(elsewhere))

    def test_op_57_session_that_was_renewed(self):
        tokens, first = self.sign_in()
        _, second = self.sign_in(prompt="login")
        self.assertNotEqual(first["sid"], second["sid"])
        answer = self.end(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT)
        self.assert_leads_back(answer)
        self.assert_logged_out()

    def test_op_57_client_id_alone(self):
        # the app that the person is signed in to may have them back, after a question
        self.sign_in()
        answer = self.end(client_id="rp", post_logout_redirect_uri=LOGGED_OUT, state="s")
        self.assertTrue(self.signed_in())
        self.assert_leads_back(self.confirmed(answer), state="s")
        self.assert_logged_out()

    def test_op_57_client_id_of_an_app_one_is_not_signed_in_to(self):
        self.sign_in()
        self.assert_never_leads_away(self.end(client_id="rp2", post_logout_redirect_uri=LOGGED_OUT))

    def test_op_57_state_with_line_breaks(self):
        tokens, _ = self.sign_in()
        answer = self.end(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT,
                          state="x\r\nSet-Cookie: a=b")
        self.assert_leads_back(answer, state="x\r\nSet-Cookie: a=b")
        self.assertNotIn("\r", answer.location)

    def test_op_57_post(self):
        tokens, _ = self.sign_in()
        answer = self.end(method="POST", id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT,
                          state="s")
        self.assert_leads_back(answer, state="s")
        self.assert_logged_out()

    def test_op_57_post_from_another_site_comes_without_cookies(self):
        tokens, _ = self.sign_in()
        answer = self.end(Browser(self.usher), "POST", id_token_hint=tokens["id_token"],
                          post_logout_redirect_uri=LOGGED_OUT, state="s")
        self.assertEqual(answer.status, 303, answer.summary())
        self.assertTrue(answer.location.startswith("/oauth2/logout?"), answer.location)
        self.assert_leads_back(self.browser.get(answer.location), state="s")
        self.assert_logged_out()

    def test_op_57_nobody_is_signed_in(self):
        tokens, _ = self.sign_in()
        nobody = Browser(self.usher)
        hint = tokens["id_token"]
        self.assert_leads_back(self.end(nobody, id_token_hint=hint, post_logout_redirect_uri=LOGGED_OUT))
        for query in ({"client_id": "rp"}, {"id_token_hint": hint + "x"}):
            self.assertEqual(self.end(nobody, post_logout_redirect_uri=LOGGED_OUT, **query).status, 200)

    def test_op_57_parameters_that_come_twice(self):
        self.sign_in()
        url = self.rp.metadata["end_session_endpoint"] + "?"
        for name in ("id_token_hint", "client_id", "post_logout_redirect_uri", "state"):
            with self.subTest(name):
                self.assertEqual(self.browser.get(url + "%s=a&%s=b" % (name, name)).status, 400)
        self.assertTrue(self.signed_in())

    def test_the_question_is_answered_on_our_page_alone(self):
        self.sign_in()
        answer = self.end()
        self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])
        for headers in ({"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"},
                        {"Origin": "null"}, {}):
            with self.subTest(headers):
                action, fields = form_of(answer.text)
                refused = self.browser.request("POST", action, form=fields, headers=headers)
                self.assertEqual(refused.status, 403, refused.summary())
        self.assertTrue(self.signed_in())

    def test_what_the_page_carries_is_judged_again(self):
        self.sign_in()
        action, fields = form_of(self.end(state="s").text)
        answer = self.browser.post(action, {**fields, "post_logout_redirect_uri": LOGGED_OUT})
        self.assertEqual((answer.status, answer.location), (200, None))

    def test_markup_stays_text(self):
        self.sign_in()
        page = self.end(state="\"><script>alert(1)</script>").text
        self.assertNotIn("<script>alert", page)

    def test_op_58_front_channel_logout_is_not_offered(self):
        offered = [k for k in self.rp.metadata if "frontchannel" in k or k == "check_session_iframe"]
        self.assertEqual(offered, [])


class Hearer:
    """An app's back-channel logout endpoint, which keeps still `silent` times, answers with `statuses`,
    then with 200."""

    def __init__(self, statuses=(), silent=0):
        heard, left = [], list(statuses)
        self.heard = heard

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((self.path, self.headers["Content-Type"], urllib.parse.parse_qs(body.decode())))
                if len(heard) <= silent:
                    self.connection.settimeout(PATIENCE)
                    self.connection.recv(1)  # until usher gives up
                    self.close_connection = True
                    return
                self.send_response(left.pop(0) if left else 200)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/logout" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def tokens(self):
        return [form["logout_token"][0] for _, _, form in self.heard]


class BackChannelLogout(Leaving):
    """oidcc-backchannel-rp-initiated-logout-certification-test-plan, and OP-59"""

    def hearer(self, *args, url=None, **more):
        """rp's from now on."""
        hearer = Hearer(*args, **more)
        self.addCleanup(hearer.close)
        self.listen_at(url or hearer.url)
        return hearer

    def listen_at(self, url):
        path = self.folder / "apps.d" / "rp.conf"
        lines = [x for x in path.read_text().splitlines() if not x.startswith("backchannel")]
        write_private(path, "\n".join(lines + ["backchannel_logout_uri = " + url, ""]))
        Api(self.usher).ask("POST", "/api/v1/config/reload", {})

    def told(self, hearer, n=1):
        wait_for("%d logout tokens" % n, lambda: len(hearer.heard) >= n)
        return hearer.tokens()

    def deliveries(self):
        return self.usher.rows("SELECT app, attempts FROM logout_delivery")

    def test_oidcc_backchannel_logout_discovery_endpoint_verification(self):
        self.assertIs(self.rp.metadata["backchannel_logout_supported"], True)
        self.assertIs(self.rp.metadata["backchannel_logout_session_supported"], True)

    def test_oidcc_backchannel_rp_initiated_logout(self):
        hearer = self.hearer()
        tokens, claims = self.sign_in()
        answer = self.end(id_token_hint=tokens["id_token"], post_logout_redirect_uri=LOGGED_OUT)
        self.assert_leads_back(answer)
        token = self.told(hearer)[0]
        self.assertEqual(hearer.heard[0][1], "application/x-www-form-urlencoded")
        self.assertEqual({name: len(values) for name, values in hearer.heard[0][2].items()}, {"logout_token": 1})
        self.assert_logged_out()
        header, said, _ = read_jwt(token)
        key = [k for k in self.rp.keys()["keys"] if k["kid"] == header["kid"]]
        self.assertTrue(verify(self.usher.folder, token, key[0]))
        self.assertEqual((header["typ"], header["alg"]), ("logout+jwt", "RS256"))
        self.assertEqual((said["iss"], said["aud"]), (self.rp.metadata["issuer"], "rp"))
        self.assertEqual((said["sub"], said["sid"]), (claims["sub"], claims["sid"]))
        self.assertEqual(said["events"], {"http://schemas.openid.net/event/backchannel-logout": {}})
        self.assertNotIn("nonce", said)
        self.assertTrue(said["jti"])
        self.assertTrue(said["iat"] <= time.time() + 1 < said["exp"] <= said["iat"] + 120, said)
        wait_for("no more to tell", lambda: not self.deliveries())
        self.assertEqual(len(hearer.heard), 1)
        # an ID token it is not
        self.assertEqual(self.end(Browser(self.usher), id_token_hint=token,
                                  post_logout_redirect_uri=LOGGED_OUT).status, 200)

    def test_op_59_it_is_tried_again(self):
        hearer = self.hearer([500, 503])
        _, claims = self.sign_in()
        self.browser.post("/logout", {})
        tokens = self.told(hearer, 3)
        said = [read_jwt(t)[1] for t in tokens]
        self.assertEqual({s["sid"] for s in said}, {claims["sid"]})
        self.assertEqual(len({s["jti"] for s in said}), 3)
        wait_for("no more to tell", lambda: not self.deliveries())

    def test_op_59_nobody_waits_for_a_slow_app(self):
        hearer = self.hearer(silent=1)
        self.sign_in()
        since = len(self.usher.events())
        self.browser.post("/logout", {})
        self.usher.told("issuer.logout_untold", since=since)
        said = [e.get("path", e["event"]) for e in self.usher.events()[since:]]
        self.assertLess(said.index("/logout"), said.index("issuer.logout_untold"))
        self.told(hearer, 2)
        wait_for("no more to tell", lambda: not self.deliveries())

    def test_op_59_redirects_are_not_followed(self):
        hearer = self.hearer([302])
        self.sign_in()
        self.browser.post("/logout", {})
        self.told(hearer, 2)
        self.assertEqual({path for path, _, _ in hearer.heard}, {"/logout"})

    def test_op_59_internal_addresses_are_not_asked(self):
        self.listen_at("https://10.255.255.1/logout")
        self.sign_in()
        since = len(self.usher.events())
        self.browser.post("/logout", {})
        line = self.usher.told("issuer.logout_untold", since=since)[0]
        self.assertEqual(line["app"], "rp")
        self.assertIn("address", line["text"])
        self.told(self.hearer())  # and it goes on once there is somewhere to go
        wait_for("no more to tell", lambda: not self.deliveries())

    def test_what_was_not_told_is_told_after_a_crash(self):
        hearer = self.hearer([500] * 1)
        self.sign_in()
        self.browser.post("/logout", {})
        self.told(hearer)
        self.usher.stop(signal.SIGKILL)
        self.usher.start()
        self.told(hearer, 2)
        wait_for("no more to tell", lambda: not self.deliveries())

    def test_account_that_is_disabled(self):
        hearer = self.hearer()
        _, claims = self.sign_in(person="grace")
        api = Api(self.usher)
        api.ask("POST", "/api/v1/users/%s/disable" % claims["sub"], {"reason": "for a test"})
        self.assertEqual(read_jwt(self.told(hearer)[0])[1]["sub"], claims["sub"])
        api.ask("POST", "/api/v1/users/%s/enable" % claims["sub"], {})


if __name__ == "__main__":
    unittest.main()
