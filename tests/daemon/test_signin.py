# SPDX-License-Identifier: Apache-2.0
"""The main job, and what may not happen on the way: LOGIN and STATE cases."""
import concurrent.futures
import urllib.parse

from harness import Browser, Case


def query_of(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def with_query(url, **changes):
    parts = urllib.parse.urlsplit(url)
    query = [(k, v) for k, v in urllib.parse.parse_qsl(parts.query, keep_blank_values=True) if k not in changes]
    query += [(k, v) for k, v in changes.items() if v is not None]
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


class MainJob(Case):
    def test_each_provider_signs_in(self):
        for provider in ("discord", "google", "oidc"):
            browser = Browser(self.usher)
            answer = browser.sign_in(provider, return_to="/?from=test")
            self.assertEqual(answer.location, "/?from=test")
            me = browser.me()
            self.assertEqual(me["provider"], provider)
            self.assertTrue(me["name"])
            self.assertIn("@", me["email"])
            page = browser.get("/")
            self.assertIn("Sign out", page.text)

    def test_the_same_person_is_the_same_account(self):
        first, second = Browser(self.usher), Browser(self.usher)
        first.sign_in("discord")
        second.sign_in("discord")
        self.assertEqual(first.me()["id"], second.me()["id"])
        self.assertNotEqual(first.me()["session"]["id"], second.me()["session"]["id"])

    def test_acct_05_the_same_mail_from_two_providers_is_two_accounts(self):
        # ACCT-05
        first, second = Browser(self.usher), Browser(self.usher)
        first.sign_in("discord")
        second.sign_in("google")
        self.assertNotEqual(first.me()["id"], second.me()["id"])

    def test_acct_22_no_mail_is_no_obstacle(self):
        # ACCT-22
        self.browser.sign_in("discord", "konrad")
        self.assertIsNone(self.browser.me()["email"])

    def test_login_33_state_14_two_tabs_finish_in_either_order(self):
        # LOGIN-33, STATE-14
        first = self.browser.to_callback("discord", return_to="/?tab=1")
        second = self.browser.to_callback("google", return_to="/?tab=2")
        self.assertEqual(self.browser.get(second).location, "/?tab=2")
        self.assertEqual(self.browser.get(first).location, "/?tab=1")

    def test_state_24_two_hundred_starts_leave_one_cookie(self):
        # STATE-24
        for _ in range(200):
            self.browser.start()
        jar = self.browser.cookies["127.0.0.1:%d" % self.usher.port]
        self.assertEqual(list(jar), ["usher-bind"])

    def test_login_29_nothing_repeats(self):
        # LOGIN-29
        seen = set()
        for _ in range(300):
            q = query_of(self.browser.start("google").location)
            for name in ("state", "nonce", "code_challenge"):
                self.assertGreaterEqual(len(q[name]), 43)
                self.assertNotIn(q[name], seen)
                seen.add(q[name])


class Start(Case):
    def test_login_01_to_16_hostile_return_to_goes_nowhere(self):
        # LOGIN-01, LOGIN-02, LOGIN-03, LOGIN-05, LOGIN-06, LOGIN-07, LOGIN-08, LOGIN-09,
        # LOGIN-11, LOGIN-12, LOGIN-14, LOGIN-15, LOGIN-16
        hostile = [
            "//evil.example", "///evil.example", "////evil.example/%2f..", "/\\evil.example", "\\\\evil", "/\\/evil",
            "\\/\\/evil", "https:evil.example", "https:/evil", "https:///evil", "/\t/evil", "/\n\\evil", " //evil.example",
            "\x01https://evil", "/a\r\nSet-Cookie:x=1", "javascript:alert(1)", "data:text/html,x", "vbscript:x", "blob:x",
            "https://app.example.com@evil.example/", "//app.example.com:pw@evil", "/\u202e", "/\ufeffx",
            "https://evil-app.example.com.evil.example/", "https://app.example.com.evil.example/",
            "https://xapp.example.com/", "https://.app.example.com/", "https://app.example.com./",
            "https://app.example.com:0/", "https://app.example.com:99999/", "https://app.example.com:8443/",
            "http://app.example.com:443/", "https://2130706433/", "https://0x7f.1/", "https://[::]/",
            "/./\\evil", "/x/../../\\evil", "/..//evil", "/logout", "/login/discord", "/callback/discord",
        ]
        for target in hostile:
            with self.subTest(return_to=target):
                answer = Browser(self.usher).get("/login/discord?return_to=" + urllib.parse.quote(target, safe=""))
                self.assert_local_400(answer)
                self.assertNotIn("evil", answer.text)
        self.assertEqual(self.fake.counts(), {})

    def test_login_03_a_local_path_stays_local(self):
        # LOGIN-03
        self.assertEqual(self.browser.sign_in(return_to="/https://evil").location, "/https://evil")

    def test_login_11_allowed_hosts_are_allowed(self):
        # LOGIN-11
        for target in ("https://app.example.com/x?y=1", "https://deep.wild.example.com/", "https://APP.example.com/"):
            browser = Browser(self.usher)
            self.assertEqual(browser.sign_in(return_to=target).location.lower(), target.lower())

    def test_login_17_nothing_is_added_to_the_target(self):
        # CB-32: a code in the URL leaks no further
        # LOGIN-17
        answer = self.browser.sign_in(return_to="https://app.example.com/r?u=1")
        self.assertEqual(answer.location, "https://app.example.com/r?u=1")
        self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")

    def test_login_18_length_limits(self):
        # LOGIN-18
        self.assertEqual(self.browser.start(return_to="/" + "a" * 2047).status, 303)
        self.assert_local_400(self.browser.start(return_to="/" + "a" * 2048))
        self.assertIn(self.browser.get("/login/discord?return_to=/" + "a" * 65536).status, (400, 414, 431))
        self.usher.alive_and_well()

    def test_login_19_two_targets(self):
        # LOGIN-19
        self.assert_local_400(self.browser.get("/login/discord?return_to=/a&return_to=//evil"))

    def test_login_20_initiated_elsewhere_with_a_hostile_target(self):
        # LOGIN-20
        answer = self.browser.get("/login/discord?iss=https://evil&target_link_uri=https://evil/")
        self.assertNotIn("evil", query_of(answer.location).get("redirect_uri", ""))
        self.assertNotIn("target_link_uri", answer.location)

    def test_login_22_unknown_providers(self):
        # LOGIN-22
        for name in ("nosuch", "..%2f..", "Discord", "DISCORD", "discord%00", "a" * 200, "discord/x", "<script>"):
            answer = self.browser.get("/login/" + urllib.parse.quote(name, safe="%/"))
            self.assertEqual(answer.status, 404, name)
            self.assertNotIn("<script>x", answer.text)
        self.assertIn(self.browser.get("/login/" + "a" * 9000).status, (400, 404, 414, 431))

    def test_login_23_only_listed_hints_reach_the_upstream(self):
        # LOGIN-23
        answer = self.browser.get("/login/discord?scope=admin&client_id=evil&redirect_uri=https://evil/&prompt=evil"
                                  "&response_type=token&claims=x&login_hint=ada")
        pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.location).query)
        names = [k for k, _ in pairs]
        self.assertEqual(len(names), len(set(names)))
        values = dict(pairs)
        self.assertEqual(values["client_id"], "usher-dev")
        self.assertEqual(values["redirect_uri"], self.usher.url + "/callback/discord")
        self.assertEqual(values["response_type"], "code")
        self.assertEqual(values["scope"], "identify email")
        self.assertNotIn("claims", values)
        self.assertNotEqual(values.get("prompt"), "evil")

    def test_login_26_heads_and_prefetches_begin_nothing(self):
        # LOGIN-26
        for answer in (self.browser.request("HEAD", "/login/discord"),
                       self.browser.get("/login/discord", Sec_Purpose="prefetch;prerender")):
            self.assertLess(answer.status, 300)
            self.assertIsNone(answer.location)
            self.assertIsNone(answer.headers.get("Set-Cookie"))

    def test_login_27_no_frames(self):
        # LOGIN-27
        for path in ("/", "/login", "/logout", "/nope", "/login/nosuch"):
            answer = self.browser.get(path)
            self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"], path)
            self.assertEqual(answer.headers["X-Frame-Options"], "DENY")

    def test_login_28_redirects_are_303(self):
        # LOGIN-28
        self.assertEqual(self.browser.start().status, 303)
        self.assertEqual(self.browser.sign_in().status, 303)

    def test_login_32_starting_again_keeps_the_session_until_success(self):
        # LOGIN-32
        self.browser.sign_in("discord", "ada")
        old, account = self.browser.session(), self.browser.me()["id"]
        target = self.browser.to_callback("google", "ada")
        self.assertEqual(self.browser.me()["id"], account)
        self.browser.get(target)
        self.assertNotEqual(self.browser.me()["id"], account)
        stale = Browser(self.usher).get("/api/v1/me", Cookie="usher=" + old)
        self.assertEqual(stale.status, 401)  # SESS-04: the old session is not reachable any more


class Privacy(Case):
    def test_priv_02_no_code_or_token_in_an_address_of_ours(self):
        # PRIV-02
        addresses = []

        class Watching(Browser):
            def request(self, *args, **more):
                answer = super().request(*args, **more)
                if answer.url.startswith(self.usher.url) and answer.location:
                    addresses.append(answer.location)
                return answer

        for provider in ("discord", "google", "oidc"):
            browser = Watching(self.usher)
            target = browser.to_callback(provider, return_to="/after?x=1")
            query = query_of(target)
            self.assertEqual(browser.get(target).location.split("://")[-1].partition("/")[2], "after?x=1")
            browser.get(target)  # once more: sent on, with nothing added
            browser.request("GET", "/auth", headers={"Accept": "text/html"})
            secrets = [query["code"], browser.session()]
            jar = browser.cookies["127.0.0.1:%d" % self.usher.port]
            secrets.append(jar["usher-bind"])
            for address in addresses:
                for secret in secrets:
                    self.assertNotIn(secret, address)
                self.assertNotIn("access_token", address)
                self.assertNotIn("#", address)

    def test_priv_12_no_more_is_asked_for_than_needed(self):
        # PRIV-12: what each provider is asked for unless an admin says otherwise
        for provider, scope in (("discord", "identify email"), ("google", "openid email profile"),
                                ("oidc", "openid email profile")):
            self.assertEqual(query_of(self.browser.start(provider).location)["scope"], scope, provider)


class State(Case):
    def test_state_01_to_05_states_that_are_not_ours(self):
        # STATE-01, STATE-02, STATE-03, STATE-04, STATE-05
        target = self.browser.to_callback()
        state = query_of(target)["state"]
        swapped = state[:30].swapcase() + state[30:]
        for bad in (None, "", " ", "A" * len(state), state[:-1], state + "A", state + "%00x", state[1:], swapped,
                    "0" + state, state.lower(), "x" * 5000):
            with self.subTest(state=bad):
                self.assert_local_400(self.browser.get(with_query(target, state=bad)))
        self.assertEqual(self.fake.counts().get("/discord/api/v10/oauth2/token", 0), 0)
        self.assertEqual(self.browser.get(target).status, 303)

    def test_state_06_replay_after_success(self):
        # STATE-06
        target = self.browser.to_callback(return_to="/?again")
        self.browser.get(target)
        again = self.browser.get(target)
        self.assertEqual((again.status, again.location), (303, "/?again"))
        stranger = Browser(self.usher)
        stranger.cookies = {k: {"usher-bind": v["usher-bind"]} for k, v in self.browser.cookies.items() if "usher-bind" in v}
        self.assert_local_400(stranger.get(target))
        self.assertEqual(self.fake.counts()["/discord/api/v10/oauth2/token"], 1)

    def test_state_07_replay_after_a_failed_exchange(self):
        # STATE-07
        target = self.browser.to_callback()
        self.fake.fault("/discord/api/v10/oauth2/token", "http500", times=1)
        self.assertEqual(self.browser.get(target).status, 502)
        self.assert_local_400(self.browser.get(target))
        self.assertEqual(self.fake.counts()["/discord/api/v10/oauth2/token"], 1)

    def test_state_09_12_an_attackers_state_in_a_victims_browser(self):
        # STATE-09, STATE-12
        target = self.browser.to_callback()
        victim = Browser(self.usher)
        self.assert_local_400(victim.get(target))
        victim.start()  # now with a binding cookie of its own
        self.assert_local_400(victim.get(target))
        self.assert_signed_out(victim)
        self.assertEqual(self.fake.counts().get("/discord/api/v10/oauth2/token", 0), 0)

    def test_state_13_16_odd_binding_cookies(self):
        # STATE-13, STATE-16
        target = self.browser.to_callback()
        good = self.browser.cookies["127.0.0.1:%d" % self.usher.port]["usher-bind"]
        for cookie in ("usher-bind", "usher-bind=", "usher-bind=%%%", "usher-bind=" + good[:-1], "usher-bind=" + good + "A",
                       "usher-bind=%s; usher-bind=%s" % (good, good), 'usher-bind="%s"' % good, "usher-bind=" + "A" * 4000,
                       "x-usher-bind=" + good):
            with self.subTest(cookie=cookie[:40]):
                self.assert_local_400(Browser(self.usher).get(target, Cookie=cookie))
        self.assertEqual(Browser(self.usher).get(target, Cookie="usher-bind=" + good).status, 303)
        self.usher.alive_and_well()

    def test_state_23_form_post_without_cookies_is_posted_again_from_our_page(self):
        # STATE-23
        target = self.browser.to_callback("oidc")
        form = query_of(target)
        path = urllib.parse.urlsplit(target).path
        page = Browser(self.usher).post(path, form, same_origin=False, Origin="https://appleid.example", Sec_Fetch_Site="cross-site")
        self.assertEqual(page.status, 200)
        self.assertIn('name="usher_repost"', page.text)
        self.assertIn("script-src 'self'", page.headers["Content-Security-Policy"])
        # CB-33: values stay values
        odd = Browser(self.usher).post(path, {"state": '"><script>x</script>\u2028'}, same_origin=False)
        self.assertNotIn("<script>x", odd.text)
        # still without the cookie: refused, not shown again
        self.assert_local_400(Browser(self.usher).post(path, {**form, "usher_repost": "1"}))
        done = self.browser.post(path, {**form, "usher_repost": "1"})
        self.assertEqual(done.status, 303)
        self.assertIsNotNone(self.browser.me())

    def test_cb_30_state_18_a_race_makes_one_token_request(self):
        # CB-30, STATE-18
        target = self.browser.to_callback()
        self.fake.fault("/discord/api/v10/oauth2/token", "slow", ms=300)
        copies = []
        for _ in range(12):
            copy = Browser(self.usher)
            copy.cookies = {k: dict(v) for k, v in self.browser.cookies.items()}
            copies.append(copy)
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            statuses = sorted(a.status for a in pool.map(lambda b: b.get(target), copies))
        self.assertEqual(statuses, [303] + [400] * 11)
        self.assertEqual(self.fake.counts()["/discord/api/v10/oauth2/token"], 1)

    def test_cb_04_a_state_of_another_provider(self):
        # CB-04
        target = self.browser.to_callback("google")
        self.assert_local_400(self.browser.get(target.replace("/callback/google", "/callback/discord")))
        self.assertEqual(self.fake.counts().get("/discord/api/v10/oauth2/token", 0), 0)
