# SPDX-License-Identifier: Apache-2.0
"""The way back from the upstream, and upstreams that answer badly: CB cases."""
import concurrent.futures
import time
import urllib.parse

from faults import DISCORD_TOKEN, DISCORD_USER, GOOGLE, OIDC, Faults, at_once, parameter, with_query
from harness import PATIENCE, Browser, wait_for

HTML = '<script>alert("x")</script>\r\n\u202e<a href="https://evil.example">' + "A" * 1500


class Response(Faults):
    """What the browser brings back."""

    def refuse(self, bad, good=None, token=OIDC["token"]):
        answer = self.browser.get(bad)
        if answer.status not in (414, 431):  # longer than any request may be
            self.assert_local_400(answer)
        self.assert_signed_out()
        self.assertEqual(self.asked(token), 0)
        if good:  # nothing was used up
            self.assertEqual(self.browser.get(good).status, 303)

    def test_cb_01_03_an_issuer_that_is_not_the_one_asked(self):
        # CB-01, CB-03
        good = self.browser.to_callback("oidc")
        iss = parameter(good, "iss")
        for odd in (self.fake.url + "/google", "", iss + "/", iss.upper(), iss[:-1], iss + "x" * 5000, iss + "x" * 10240,
                    " " + iss, "https://accounts.google.com", None):
            with self.subTest(iss=odd and odd[:60]):
                self.refuse(with_query(good, iss=odd))
        self.refuse(good + "&" + urllib.parse.urlencode({"iss": iss}), good)

    def test_cb_01_an_issuer_nobody_announced_is_still_checked(self):
        # CB-01
        good = self.browser.to_callback("google")
        self.refuse(with_query(good, iss=self.fake.url + "/oidc"), good, GOOGLE["token"])

    def test_cb_05_the_person_says_no(self):
        # CB-05
        for provider in ("discord", "google", "oidc"):
            with self.subTest(provider=provider):
                browser = Browser(self.usher)
                before = len(self.failures())
                good = browser.to_callback(provider)
                denied = with_query(good, code=None, error="access_denied")
                answer = browser.get(denied)
                self.assertEqual(answer.status, 403, answer.summary())
                self.assertIn("cancelled", answer.text)
                self.assert_signed_out(browser)
                self.assertEqual([e["kind"] for e in self.failures()[before:]], ["denied"])
                self.assert_local_400(browser.get(good))  # used up
        self.assertEqual([p for p in self.fake.counts() if p.endswith("/token")], [])

    def test_cb_06_errors_without_our_state_use_nothing_up(self):
        # CB-06
        good = self.browser.to_callback()
        self.refuse(with_query(good, code=None, error="access_denied", state=None))
        other = Browser(self.usher).to_callback()
        self.refuse(with_query(other, code=None, error="access_denied"), good, DISCORD_USER)
        self.assertEqual(self.asked(DISCORD_TOKEN), 1)

    def test_cb_07_08_code_and_error_or_neither(self):
        # CB-07, CB-08
        good = self.browser.to_callback("oidc")
        self.refuse(with_query(good, error="access_denied"))
        self.refuse(with_query(good, code=None))
        self.refuse(with_query(good, code=""))
        self.assertEqual(self.browser.get(with_query(good, code=None, error="")).status, 502)  # an error, if an odd one
        self.assert_signed_out()

    def test_cb_09_descriptions_are_not_shown(self):
        # CB-09
        good = self.browser.to_callback()
        answer = self.browser.get(with_query(good, code=None, error="server_error", error_description=HTML,
                                             error_uri="https://evil.example/help"))
        self.assertEqual(answer.status, 502)
        for part in ("alert(", "evil.example", "AAAA", "\u202e"):
            self.assertNotIn(part, answer.text)
        self.assertEqual(len(self.failures()), 1)
        self.assert_log_tells_nothing()

    def test_cb_10_unknown_errors(self):
        # CB-10
        for error in ("brand_new", "\u00e4\u00f6\u202e", "<script>alert(1)</script>", "x" * 3000, "a\r\nSet-Cookie: usher=1"):
            with self.subTest(error=error[:30]):
                browser = Browser(self.usher)
                answer = browser.get(with_query(browser.to_callback(), code=None, error=error))
                self.assertIn(answer.status, (400, 502), answer.summary())
                self.assertNotIn("usher=", answer.headers.get("Set-Cookie", ""))
                self.assertNotIn("alert(1)", answer.text)
                self.assert_signed_out(browser)
        self.assert_log_tells_nothing()

    def test_cb_11_nothing_comes_twice(self):
        # CB-11
        good = self.browser.to_callback("oidc")
        for name in ("code", "state", "iss"):
            for value in (parameter(good, name), "other"):
                self.refuse(good + "&" + urllib.parse.urlencode({name: value}))
                self.refuse(good.replace("?", "?" + urllib.parse.urlencode({name: value}) + "&"))
        self.refuse(good + "&error=a&error=b")
        self.assertEqual(self.browser.get(good).status, 303)

    def test_cb_12_odd_codes(self):
        # CB-12
        good = self.browser.to_callback()
        for code in ("x" * 16384, "x" * 4097, "a\r\nb", "a\0b", "caf\u00e9", " "):
            self.refuse(with_query(good, code=code), None, DISCORD_TOKEN)
        odd = "a&b=c%20d+e%"  # encoded exactly once on its way to the token endpoint
        answer = self.browser.get(with_query(good, code=odd))
        self.assertEqual(answer.status, 400)  # the upstream says invalid_grant: that sign-in is over
        body = [r["body"] for r in self.last() if r["path"] == DISCORD_TOKEN]
        self.assertEqual(len(body), 1)
        self.assertIn("code=a%26b%3Dc%2520d%2Be%25&", body[0] + "&")
        self.assertEqual(urllib.parse.parse_qs(body[0])["code"], [odd])

    def test_cb_31_reload_of_a_slow_callback(self):
        # CB-31
        good = self.browser.to_callback()
        self.fake.fault(DISCORD_TOKEN, "held")
        copy = Browser(self.usher)
        copy.cookies = {k: dict(v) for k, v in self.browser.cookies.items()}

        def reload():
            wait_for("the token request", lambda: self.asked(DISCORD_TOKEN) == 1)
            answer = copy.get(good)
            self.fake.release()
            return answer

        first, second = at_once(lambda: self.browser.get(good), reload)
        self.assertEqual((first.status, second.status), (303, 400))
        self.assertEqual(self.asked(DISCORD_TOKEN), 1)

    def test_cb_32_the_code_does_not_leak(self):
        # CB-32
        good = self.browser.to_callback()
        bad = self.browser.get(with_query(good, state="x"))
        for answer in (bad, self.browser.get(good)):
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertNotIn(parameter(good, "code"), bad.text)
        self.assertNotIn("http://", bad.text.replace(self.usher.url, "").replace("http://www.w3.org/", ""))


def bend(kind, **more):
    return (kind, more)


# Every endpoint answers like this, and no login comes of it.
NEVER = {
    "CB-14 html": bend("html"), "CB-14 html-500": bend("html", status=500),
    "CB-16 deep": bend("deep"), "CB-16 array": bend("body", value="[]"), "CB-16 string": bend("body", value='"x"'),
    "CB-16 number": bend("body", value="1"), "CB-16 null": bend("body", value="null"), "empty": bend("body", value=" "),
    "CB-17 huge": bend("huge"), "CB-17 endless": bend("endless"), "CB-17 gzip-bomb": bend("gzip-bomb"),
    "CB-21 close": bend("close"), "CB-21 reset": bend("reset"), "CB-21 truncated": bend("truncated"),
    "CB-21 half-json": bend("half-json"), "bom": bend("bom"), "trailing": bend("trailing"),
    "CB-26 duplicate-keys": bend("duplicate-keys"), "CB-27 text": bend("type", value="text/plain"), "CB-27 none": bend("type"),
    "CB-27 utf-16": bend("type", value="application/json; charset=utf-16"), "CB-36 form": bend("form"),
    "CB-34 401": bend("http401"), "CB-34 403": bend("http403"), "CB-34 500": bend("http500"),
    "CB-34 503": bend("http503", retry_after=2), "CB-34 429": bend("http429", retry_after=2),
    "302": bend("redirect", value="/fake/requests"), "307": bend("redirect", status=307), "404": bend("http404"),
    "204": bend("http204"), "304": bend("http304"), "CB-40 many-headers": bend("many-headers"),
    "CB-40 long-header": bend("long-header"), "CB-40 1xx-flood": bend("1xx-flood"), "http09": bend("http09"),
}
STALLS = {"CB-19 silent": bend("silent"), "CB-19 hang": bend("hang"), "CB-19 drip": bend("drip", ms=100),
          "CB-19 slow": bend("slow", ms=1000 * PATIENCE)}
HARMLESS = {"CB-40 set-cookie": bend("set-cookie"), "CB-40 continue": bend("continue"), "slow": bend("slow", ms=200),
            "no-length": bend("no-length"), "utf-8": bend("type", value="application/json; charset=UTF-8")}


class Endpoints(Faults):
    """Each fault at the token, userinfo, key and metadata endpoints at once, by a provider each."""

    targets = (DISCORD_TOKEN, OIDC["userinfo"], GOOGLE["keys"], GOOGLE["discovery"])

    def prepare(self):
        """Four logins, each up to the request that will go wrong: calls to make."""
        ready = []
        for plugin in ("discord", "oidc", "google"):
            browser, provider = Browser(self.usher), self.spare(plugin)
            url = browser.to_callback(provider)
            ready.append((browser, provider, url, (lambda b=browser, u=url: b.get(u))))
        browser, provider = Browser(self.usher), self.spare("google")
        ready.append((browser, provider, None, lambda: browser.start(provider)))
        return ready

    def assert_failed(self, ready, answers, allowed=(502,)):
        for (browser, _, url, _), answer in zip(ready, answers):
            self.assertIn(answer.status, allowed, answer.summary())
            for text in ("told to fail", "terms of this network", "rate limited", "fake_fault", "evil.example"):
                self.assertNotIn(text, answer.text)
            self.assertNotIn("usher=", answer.headers.get("Set-Cookie", ""))
            self.assert_signed_out(browser)
            if url:
                self.assert_local_400(browser.get(url))  # used up

    def assert_told(self, ready, before):
        """One line each."""
        failed = [e for e in self.failures()[before:] if e["kind"] != "expired"]
        self.assertEqual(sorted(e["provider"] for e in failed), sorted(provider for _, provider, _, _ in ready))
        return failed


class Answers(Endpoints):
    spares = {"discord": 50, "google": 100, "oidc": 50}
    every = {"timeout": "60s"}  # no test of these is about it

    def all_fail(self, kind, more, allowed=(502,)):
        # A kept connection that ends before any answer is as good as one that was closed meanwhile: libcurl
        # sends the request again on another one, five times at most.
        cut = kind in ("close", "reset")
        ready = self.prepare()
        sessions, before = self.sessions(), len(self.failures())
        counts = self.fake.counts()
        for path in self.targets:
            self.fake.fault(path, kind, times=0 if cut else 1, **more)
        answers = at_once(*[call for _, _, _, call in ready])
        for path in self.targets:  # no retry storm
            self.assertIn(self.asked(path) - counts.get(path, 0), range(1, 7 if cut else 2), "%s: asked again" % path)
        if cut:
            self.fake.reset()
        self.assert_failed(ready, answers, allowed)
        self.assertEqual(self.sessions(), sessions)
        self.assert_told(ready, before)

    def test_cb_14_to_40_bad_answers(self):
        # CB-14, CB-16, CB-17, CB-21, CB-26, CB-27, CB-34, CB-36, CB-40
        warm = Browser(self.usher)
        warm.sign_in("google")
        self.all_fail("http500", {})
        descriptors, memory = self.descriptors(), self.memory()
        for name, (kind, more) in NEVER.items():
            with self.subTest(name):
                # A refusal of our client, or metadata that is not there, is ours to mend.
                ours = kind in ("http401", "http403", "http404")
                self.all_fail(kind, more, allowed=(500, 502) if ours else (502,))
        self.usher.alive_and_well()
        # kept-alive connections, one a provider at most, may rest
        self.assert_back_to(descriptors + 4 * len(NEVER), memory)
        self.assertIsNotNone(warm.me())

    def test_what_harms_nobody(self):
        for name, (kind, more) in HARMLESS.items():
            with self.subTest(name):
                ready = self.prepare()
                for path in self.targets:
                    self.fake.fault(path, kind, times=1, **more)
                answers = at_once(*[call for _, _, _, call in ready])
                self.assertEqual([a.status for a in answers], [303] * 4)
                for browser, provider, url, _ in ready[:3]:
                    self.assertEqual(browser.me()["provider"], provider)
                    self.assertNotIn("stolen", str(browser.cookies))
                for request in self.last():
                    if not request["path"].endswith("/authorize"):
                        self.assertNotIn("cookie", {k.lower() for k in request["headers"]}, request["path"])


class Stalls(Endpoints):
    spares = {"discord": len(STALLS), "google": 2 * len(STALLS), "oidc": len(STALLS)}
    every = {"timeout": "25s"}  # in which others sign in

    def test_cb_19_stalls_end_in_time_and_hold_up_nobody(self):
        # CB-19
        """Others sign in, and /auth answers, while the upstream keeps still."""
        Browser(self.usher).sign_in("google")  # has its metadata and keys now
        ready = [self.prepare() for _ in STALLS]
        counts, calls = self.fake.counts(), []
        with concurrent.futures.ThreadPoolExecutor(len(self.targets) * len(STALLS)) as pool:
            for n, (kind, more) in enumerate(STALLS.values()):
                for path in self.targets:
                    self.fake.fault(path, kind, times=1, **more)
                calls += [pool.submit(call) for _, _, _, call in ready[n]]
                wait_for("the upstream to be asked", lambda: all(
                    self.asked(path) == counts.get(path, 0) + n + 1 for path in self.targets))
            known = Browser(self.usher)
            self.assertEqual(known.sign_in("google").status, 303)
            self.assertEqual(known.get("/auth").status, 200)
            self.assertEqual([c for c in calls if c.done()], [])
            answers = [c.result() for c in calls]
        ready = sum(ready, [])
        self.assert_failed(ready, answers)
        self.assertEqual({e["kind"] for e in self.assert_told(ready, 0)}, {"upstream_down"})
        for path in self.targets:  # nor again
            self.assertEqual(self.asked(path), counts.get(path, 0) + len(STALLS), path)


class Tokens(Faults):
    """Members of token answers, of userinfo, of metadata."""

    spares = {"discord": 10, "google": 4, "oidc": 60}

    def one(self, path, kind, plugin="oidc", **more):
        browser = Browser(self.usher)
        provider = self.spare(plugin)
        url = browser.to_callback(provider)
        self.fake.fault(path, kind, times=1, **more)
        return browser, browser.get(url)

    def refused(self, path, kind, plugin="oidc", **more):
        with self.subTest(path=path, kind=kind, **more):
            before = self.sessions()
            browser, answer = self.one(path, kind, plugin, **more)
            self.assertEqual(answer.status, 502, answer.summary())
            self.assert_signed_out(browser)
            self.assertEqual(self.sessions(), before)

    def test_cb_25_26_token_answers(self):
        # CB-25, CB-26
        token = OIDC["token"]
        for value in ('"mac"', '""', "null", "1", '["Bearer"]', '"bearer "'):
            self.refused(token, "set", name="/token_type", value=value)
        self.refused(token, "remove", name="/token_type")
        self.refused(token, "remove", name="/access_token")
        for value in ("1", "null", '""', "{}", '"a b"', '"a\\r\\nX: y"'):
            self.refused(token, "set", name="/access_token", value=value)
        self.refused(token, "nul", name="/access_token")
        self.refused(token, "bad-utf8", name="/access_token")
        self.refused(token, "nul", name="/scope")
        self.refused(token, "remove", name="/id_token")
        self.refused(token, "set", name="/id_token", value="7")
        self.refused(token, "deep", name="/scope", n=100000)

    def test_cb_25_odd_expiries_are_ignored(self):
        # CB-25
        self.refused(OIDC["token"], "set", name="/expires_in", value="9223372036854775808")  # no JSON we can read
        for value in ("-1", '"3600"', "1e300", "0", "9223372036854775807", "null", "[]"):
            with self.subTest(expires_in=value):
                browser, answer = self.one(OIDC["token"], "set", name="/expires_in", value=value)
                self.assertEqual(answer.status, 303, answer.summary())
                self.assertIsNotNone(browser.me())

    def test_cb_23_24_userinfo_of_somebody_else(self):
        # CB-23, CB-24
        user = OIDC["userinfo"]
        for value in ('"somebody"', '""', "7", "null", "{}", '"%s"' % ("a" * 300)):
            self.refused(user, "set", name="/sub", value=value)
        self.refused(user, "remove", name="/sub")
        self.refused(user, "nul", name="/sub")
        self.refused(user, "bad-utf8", name="/name")
        for value in ('"x"', "null", '"../1"', '"123456789012345678901"', "{}"):
            self.refused(DISCORD_USER, "set", "discord", name="/id", value=value)

    def test_cb_29_pkce_and_nonce_are_sent(self):
        # CB-29
        self.browser.to_callback("oidc")
        answer = Browser(self.usher).start("oidc")
        self.assertEqual(parameter(answer.location, "code_challenge_method"), "S256")
        self.fake.fault(OIDC["token"], "jwt", variant="JWT-18")
        self.assertEqual(self.browser.get(self.browser.to_callback("oidc")).status, 502)

    def test_cb_37_38_39_metadata(self):
        # CB-37, CB-38, CB-39
        for variant in ("issuer-slash", "issuer-case", "issuer-host", "no-issuer", "no-token", "http", "http-jwks",
                        "userinfo-in-url", "private", "metadata", "file", "javascript", "relative"):
            with self.subTest(variant):
                self.fake.reset()
                self.fake.fault(OIDC["discovery"], "discovery", variant=variant)
                browser, provider = Browser(self.usher), self.spare("oidc")
                answer = browser.start(provider)
                if answer.status == 303:  # found out when the address is used
                    url = answer.location
                    self.assertTrue(url.startswith(self.fake.url + "/oidc/authorize?"), url)
                    target = browser.follow(browser.get(url), until=self.usher.url + "/callback/")
                    answer = browser.get(target)
                self.assertIn(answer.status, (500, 502), answer.summary())
                self.assertNotIn("evil", answer.text)
                self.assert_signed_out(browser)

    def test_cb_39_no_secret_goes_to_another_host(self):
        # CB-39
        """Metadata may put endpoints elsewhere, but over https only, and nobody is there."""
        self.fake.fault(OIDC["discovery"], "discovery", variant="other-host")
        provider = self.spare("oidc")
        answer = self.browser.start(provider)
        if answer.status == 303 and answer.location.startswith(self.fake.url):
            answer = self.browser.get(self.browser.follow(self.browser.get(answer.location), until=self.usher.url))
            self.assertIn(answer.status, (500, 502))
        self.assert_signed_out()

    def test_cb_03_no_iss_is_fine_where_none_is_announced(self):
        # CB-03
        self.fake.fault(OIDC["discovery"], "discovery", variant="no-iss")
        url = with_query(self.browser.to_callback(self.spare("oidc")), iss=None)
        self.assertEqual(self.browser.get(url).status, 303)

    def test_cb_34_a_pause_that_was_asked_for_is_kept(self):
        # CB-34
        provider, brief = self.spare("discord"), self.spare("discord")
        urls = [(b, b.to_callback(provider)) for b in (Browser(self.usher) for _ in range(10))]
        self.fake.fault(DISCORD_TOKEN, "http429", retry_after=600, times=1)
        answers = [urls[0][0].get(urls[0][1])] + at_once(*[(lambda b=b, u=u: b.get(u)) for b, u in urls[1:]])
        self.assertEqual({a.status for a in answers}, {502})
        self.assertEqual(self.asked(DISCORD_TOKEN), 1)
        self.assertEqual(Browser(self.usher).sign_in("discord").status, 303)  # another provider is not held back

        def status():
            browser = Browser(self.usher)
            return browser.get(browser.to_callback(brief)).status
        self.fake.fault(DISCORD_TOKEN, "http429", retry_after=2, times=1)
        began = time.monotonic()
        self.assertEqual(status(), 502)
        wait_for("the end of the pause", lambda: status() == 303)
        self.assertGreaterEqual(time.monotonic() - began, 2)
