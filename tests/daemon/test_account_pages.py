# SPDX-License-Identifier: Apache-2.0
"""What a person sees of their account, and does with it: ACCT, SESS and PRIV cases by page."""
import base64
import concurrent.futures
import hashlib
import html
import re
import sqlite3

from harness import Api, Browser, Case, fake_providers


def age(usher, browser, seconds):
    """As if this browser had signed in so long ago."""
    digest = hashlib.sha256(browser.session().encode()).digest()
    usher.stop()
    with sqlite3.connect(usher.database) as db:
        db.execute("UPDATE session SET created = created - ? WHERE hash = ?", (seconds, digest))
    usher.start()


class Chooser(Case):
    def test_the_provider_used_last_is_said(self):
        self.assertNotIn("last time", self.browser.get("/login").text)
        answer = self.browser.sign_in("google")
        cookie = [c for c in answer.headers.get_all("Set-Cookie") if c.startswith("usher-last=")]
        self.assertEqual(cookie, ["usher-last=google; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"])
        self.browser.post("/logout", {})
        page = self.browser.get("/login").text
        self.assertIn("You used Google last time", page)
        self.assertEqual(page.count("last time"), 1)
        self.browser.sign_in("discord")
        self.browser.post("/logout", {})
        self.assertIn("You used Discord last time", self.browser.get("/login").text)

    def test_what_else_the_cookie_may_say_is_nothing(self):
        for odd in ("nobody", "", "google; usher-last=google", "<b>google</b>", "Google", "google%00", "A" * 4000):
            page = self.browser.get("/login", Cookie="usher-last=" + odd)
            self.assertEqual(page.status, 200)
            self.assertNotIn("last time", page.text)
            self.assertNotIn("<b>", page.text)

    def test_a_login_that_failed_is_none(self):
        self.fake.fault("/google/token", "http503")
        self.assertEqual(self.browser.get(self.browser.to_callback("google")).status, 502)
        self.assertNotIn("last time", self.browser.get("/login").text)


class OneProvider(Case):
    @staticmethod
    def providers(fake):
        return {"google": fake_providers(fake)["google"]}

    def test_one_choice_is_no_news(self):
        self.browser.sign_in("google")
        self.browser.post("/logout", {})
        self.assertNotIn("last time", self.browser.get("/login").text)


class Account(Case):
    def browsers(self, n, person="ada"):
        made = []
        for _ in range(n):
            made.append(Browser(self.usher))
            made[-1].sign_in(person=person)
        return made

    def ids(self, browser):
        """Sessions that the page offers to end."""
        return re.findall(r'action="/account/sessions/([A-Za-z0-9_-]{22})/end"', browser.get("/account").text)

    def test_the_page_is_for_those_signed_in(self):
        answer = self.browser.get("/account")
        self.assertEqual((answer.status, answer.location), (303, "/login?return_to=%2Faccount"))
        answer = self.browser.sign_in(return_to="/account")
        self.assertEqual(answer.location, "/account")
        page = self.browser.get("/account", User_Agent="x")
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.assertIn("this browser", page.text)
        self.assertNotIn(self.browser.session(), page.text)

    def test_sess_13_a_session_ended_elsewhere(self):
        # SESS-13
        mine, other, third = self.browsers(3, "lin")
        ids = self.ids(mine)
        self.assertEqual(len(ids), 2)
        answer = mine.post("/account/sessions/%s/end" % ids[0], {})
        self.assertEqual((answer.status, answer.location), (303, "/account?did=ended"))
        self.assertEqual(sorted(b.me() is not None for b in (other, third)), [False, True])
        self.assertIn("That session is over.", mine.get(answer.location).text)
        self.assertEqual(self.ids(mine), ids[1:])
        again = mine.post("/account/sessions/%s/end" % ids[0], {})
        self.assertEqual(again.location, "/account?did=gone")
        answer = mine.post("/account/sessions/end-others", {})
        self.assertEqual(answer.location, "/account?did=ended-others")
        self.assertEqual([b.me() is not None for b in (mine, other, third)], [True, False, False])
        for b in (other, third):
            self.assertEqual(b.get("/auth").status, 401)
        account = mine.me()["id"]
        self.assertEqual(self.usher.rows("SELECT count(*) FROM session WHERE account = ?", account), [(1,)])
        audit = self.usher.rows("SELECT action, object, actor_kind, outcome, actor_name FROM audit WHERE actor = ? AND action LIKE 'session.%' ORDER BY n",
                                account)
        self.assertEqual(audit, [("session.end", ids[0], "account", "done", None),
                                 ("session.end_others", account, "account", "done", None)])

    def test_acct_16_sessions_of_others_and_of_ones_own(self):
        # ACCT-16
        (mine,), (victim,) = self.browsers(1, "tom"), self.browsers(1, "grace")
        theirs = victim.me()["session"]["id"]
        self.assertNotIn(theirs, mine.get("/account").text)
        answer = mine.post("/account/sessions/%s/end" % theirs, {})
        self.assertEqual(answer.location, "/account?did=gone")
        own = mine.me()["session"]["id"]
        self.assertEqual(mine.post("/account/sessions/%s/end" % own, {}).status, 409)
        for odd in ("x", "'", "%27%20OR%201=1", "%00", "A" * 500):
            self.assertIn(mine.post("/account/sessions/%s/end" % odd, {}).status, (303, 400, 404))
        self.assertIsNotNone(victim.me())
        self.assertIsNotNone(mine.me())

    def test_acct_16_no_form_of_another_site(self):
        # ACCT-16, STATE-21, STATE-22
        mine, other = self.browsers(2, "konrad")
        (theirs,) = self.ids(mine)
        for path in ("/account/sessions/%s/end" % theirs, "/account/sessions/end-others"):
            for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}, {},
                            {"Sec_Fetch_Site": "same-site", "Origin": self.usher.url + "."}):
                with self.subTest(path=path, headers=headers):
                    self.assertEqual(mine.post(path, {}, same_origin=False, **headers).status, 403)
            self.assertEqual(mine.get(path).status, 405)
        self.assertIsNotNone(other.me())

    def test_a_change_takes_a_recent_sign_in(self):
        mine, other = self.browsers(2, "legion")
        (theirs,) = self.ids(mine)
        age(self.usher, mine, 31 * 60)
        page = mine.get("/account")
        self.assertIn('<a href="/login?return_to=%2Faccount">sign in again</a>', page.text)
        self.assertEqual(self.ids(mine), [])
        for path in ("/account/sessions/%s/end" % theirs, "/account/sessions/end-others"):
            answer = mine.post(path, {})
            self.assertEqual(answer.status, 403)
            self.assertIn("Sign in again with Discord", answer.text)
            self.assertIn('href="/login/discord?return_to=%2Faccount"', answer.text)
        self.assertIsNotNone(other.me())
        mine.sign_in(person="legion", return_to="/account")
        self.assertEqual(mine.post("/account/sessions/end-others", {}).status, 303)
        self.assertIsNone(other.me())

    def test_acct_21_names_are_text(self):
        # ACCT-21
        self.browser.sign_in(person="bobby")
        page = self.browser.get("/account", User_Agent="<script>alert(2)</script>")
        self.assertNotIn("<script", page.text)
        self.assertNotIn("<img src=x", page.text)
        self.assertIn("&lt;img src=x", page.text)


def link_url(test, browser, provider, person):
    """From the button on the account's page to the callback's URL, not opened yet."""
    answer = browser.post("/account/link/" + provider, {})
    test.assertEqual(answer.status, 200, answer.summary())
    url = html.unescape(re.search(r'<a class="button" href="([^"]+)">Go on', answer.text)[1])
    test.assertEqual(answer.headers["Refresh"], "0; url=" + url)
    target = browser.follow(browser.get(url + "&login_hint=" + person), until=test.usher.url + "/callback/")
    test.assertIsInstance(target, str)
    return target


def link_page(test, browser, provider, person):
    """All the way to the question: its path."""
    answer = browser.get(link_url(test, browser, provider, person))
    test.assertEqual(answer.status, 303, answer.summary())
    test.assertRegex(answer.location, r"^/account/join/[A-Za-z0-9_-]{22}$")
    return answer.location


class Owner(Case):
    """What somebody does with the account itself."""

    @staticmethod
    def providers(fake):
        return fake_providers(fake, link="ask")

    def person(self, name, provider="discord"):
        browser = Browser(self.usher)
        browser.sign_in(provider, name)
        return browser

    def handles(self, browser):
        return re.findall(r'action="/account/identities/([A-Za-z0-9_-]{22})/unlink"', browser.get("/account").text)

    @staticmethod
    def handle(provider, subject):
        digest = hashlib.sha256(provider.encode() + b"\0" + subject.encode()).digest()
        return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")

    def test_acct_16_the_last_way_in_stays(self):
        # ACCT-16
        mine = self.person("konrad")
        (subject,) = self.usher.rows("SELECT subject FROM identity WHERE account = ?", mine.me()["id"])[0]
        self.assertEqual(self.handles(mine), [])
        self.assertIn("only way you have to sign in", mine.get("/account").text)
        answer = mine.post("/account/identities/%s/unlink" % self.handle("discord", subject), {})
        self.assertEqual(answer.status, 409)
        self.assertIn("It is the only way you have to sign in.", answer.text)
        self.assertEqual(self.person("konrad").me()["id"], mine.me()["id"])

    def test_acct_16_unlinking(self):
        # ACCT-16
        mine, victim = self.person("lin"), self.person("tom")
        account = mine.me()["id"]
        mine.post(link_page(self, mine, "google", "lin"), {"answer": "accept"})
        other = self.person("lin", "google")
        self.assertEqual(other.me()["id"], account)
        subjects = dict(self.usher.rows("SELECT provider, subject FROM identity WHERE account = ?", account))
        subject, discord = subjects["google"], subjects["discord"]
        theirs = self.usher.rows("SELECT subject FROM identity WHERE account = ?", victim.me()["id"])[0][0]
        self.assertEqual(sorted(self.handles(mine)), sorted([self.handle("google", subject), self.handle("discord", discord)]))
        for path in ("google:" + subject, self.handle("discord", theirs), "x", "%00"):
            with self.subTest(path=path):
                self.assertEqual(mine.post("/account/identities/%s/unlink" % path, {}).status, 404)
        path = "/account/identities/%s/unlink" % self.handle("google", subject)
        for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {}):
            self.assertEqual(mine.post(path, {}, same_origin=False, **headers).status, 403)
        self.assertIsNotNone(other.me())
        answer = mine.post(path, {})
        self.assertEqual(answer.location, "/account?did=unlinked")
        self.assertIn("Unlinked.", mine.get(answer.location).text)
        self.assertIsNone(other.me())  # it came through it
        self.assertIsNotNone(mine.me())
        self.assertEqual(mine.post(path, {}).status, 404)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM audit WHERE actor = ? AND action = 'identity.unlink'", account),
                         [(1,)])
        self.assertEqual(self.usher.rows("SELECT count(*) FROM identity WHERE account = ?", account), [(1,)])

    def test_data_is_all_of_it_and_ones_own(self):
        mine, other = self.person("grace"), self.person("noor")
        self.person("grace")
        mine.post("/account/sessions/end-others", {})
        answer = mine.get("/account/data", User_Agent="agent")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual(answer.headers["Content-Disposition"], 'attachment; filename="my-account.json"')
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        data = answer.json()
        self.assertEqual(data["site"], self.usher.url)
        self.assertEqual(data["account"]["id"], mine.me()["id"])
        self.assertEqual([(i["provider"], i["email"], i["email_evidence"]) for i in data["identities"]],
                         [("discord", "grace@navy.example", "provider_asserted")])
        self.assertEqual([s["id"] for s in data["sessions"]], [mine.me()["session"]["id"]])
        self.assertEqual(data["sessions"][0]["ip"], "127.0.0.1")
        self.assertEqual(data["history"][0]["action"], "session.end_others")  # the newest comes first
        for never in (mine.session(), hashlib.sha256(mine.session().encode()).hexdigest(), other.me()["id"], "noor"):
            self.assertNotIn(never, answer.text)
        anonymous = self.browser.get("/account/data")
        self.assertEqual((anonymous.status, anonymous.location), (303, "/login?return_to=%2Faccount%2Fdata"))

    def test_acct_18_a_deleted_account(self):
        # ACCT-18
        mine, elsewhere, other = self.person("bobby"), self.person("bobby"), self.person("konrad", "google")
        account = mine.me()["id"]
        self.assertEqual(mine.get("/account/delete").status, 200)
        for form in ({}, {"sure": "no"}, {"sure": ""}):
            answer = mine.post("/account/delete", form)
            self.assertEqual(answer.status, 422)
            self.assertIn("Tick the box", answer.text)
        for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {}):
            self.assertEqual(mine.post("/account/delete", {"sure": "yes"}, same_origin=False, **headers).status, 403)
        self.assertIsNotNone(mine.me())
        token = mine.session()
        answer = mine.post("/account/delete", {"sure": "yes"})
        self.assertEqual(answer.status, 200)
        self.assertIn("Your account is deleted", answer.text)
        self.assertIsNone(mine.session())
        self.assertNotIn("usher-last", mine.cookies["127.0.0.1:%d" % self.usher.port])
        for cookie in (token, elsewhere.session()):
            self.assertEqual(Browser(self.usher).get("/auth", Cookie="usher=" + cookie).status, 401)
        for table in ("identity", "session", "account_role"):
            self.assertEqual(self.usher.rows("SELECT count(*) FROM %s WHERE account = ?" % table, account), [(0,)], table)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM account WHERE id = ?", account), [(0,)])
        self.assertEqual(self.usher.rows("SELECT action, actor, actor_name FROM audit WHERE object = ?", account),
                         [("account.delete", account, None)])
        self.assertIsNotNone(other.me())
        self.assertNotEqual(self.person("bobby").me()["id"], account)  # a new one, with nothing of the old

    def test_the_last_admin_stays(self):
        mine = self.person("ada", "google")
        Api(self.usher).ask("PUT", "/api/v1/roles/admin/" + mine.me()["id"])
        answer = mine.post("/account/delete", {"sure": "yes"})
        self.assertEqual(answer.status, 409)
        self.assertIn("Nobody else is an admin here.", answer.text)
        self.assertIsNotNone(mine.me())


class Join(Case):
    """The page that asks before anything is linked."""

    @staticmethod
    def providers(fake):
        return fake_providers(fake, link="ask")

    def person(self, name, provider="discord"):
        browser = Browser(self.usher)
        browser.sign_in(provider, name)
        return browser

    def test_acct_27_both_sides_are_named(self):
        # ACCT-27, ACCT-08
        mine = self.person("konrad")
        path = link_page(self, mine, "google", "grace")
        page = mine.get(path)
        self.assertEqual(page.status, 200)
        for named in ("Link this to your account?", "Google", "Grace Hopper", "grace@navy.example", "z3", mine.me()["id"]):
            self.assertIn(named, page.text)
        # what the form says of it does not count
        answer = mine.post(path, {"answer": "accept", "email": "other@navy.example", "provider": "oidc", "subject": "1",
                                  "account": "x"}, User_Agent="Linking/1.0")
        self.assertEqual((answer.status, answer.location), (303, "/account?did=linked"))
        row = Api(self.usher).ask("GET", "/api/v1/audit?action=identity.link&account=" + mine.me()["id"])["audit"][0]
        self.assertEqual((row["user_agent"], row["ip"]), ("Linking/1.0", "127.0.0.1"))
        self.assertTrue(row["request_id"])
        rows = self.usher.rows("SELECT provider, email FROM identity WHERE account = ? ORDER BY provider", mine.me()["id"])
        self.assertEqual(rows, [("discord", None), ("google", "grace@navy.example")])
        self.assertEqual(self.person("grace", "google").me()["id"], mine.me()["id"])

    def test_acct_09_a_question_is_one_browsers_and_answered_once(self):
        # ACCT-09
        mine, other = self.person("guest-7"), self.person("guest-8")
        path = link_page(self, mine, "google", "guest-9")
        again = self.person("guest-7")  # the same account in another browser is another session
        for browser in (other, again, Browser(self.usher)):
            self.assertEqual(browser.get(path).status, 410)
            self.assertEqual(browser.post(path, {"answer": "accept"}).status, 410)
        for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {}):
            self.assertEqual(mine.post(path, {"answer": "accept"}, same_origin=False, **headers).status, 403)
        for form in ({}, {"answer": ""}, {"answer": "new"}, {"answer": "yes"}):
            self.assertEqual(mine.post(path, form).status, 400)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM identity WHERE account = ?", mine.me()["id"]), [(1,)])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jar = mine.cookies

            def answer(_):
                browser = Browser(self.usher)
                browser.cookies = {k: dict(v) for k, v in jar.items()}
                return browser.post(path, {"answer": "accept"}).status

            statuses = sorted(pool.map(answer, range(8)))
        self.assertEqual(statuses, [303] + [410] * 7)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM identity WHERE account = ?", mine.me()["id"]), [(2,)])
        for odd in ("x", "A" * 22, "%00", "A" * 500):
            self.assertIn(mine.get("/account/join/" + odd).status, (404, 410))

    def test_linking_takes_somebody_signed_in(self):
        answer = self.browser.post("/account/link/google", {})
        self.assertEqual((answer.status, answer.location), (303, "/login?return_to=%2Faccount"))
        mine = self.person("guest-10")
        for headers in ({"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {}):
            self.assertEqual(mine.post("/account/link/google", {}, same_origin=False, **headers).status, 403)
        self.assertEqual(mine.post("/account/link/nobody", {}).status, 404)
        self.assertEqual(mine.get("/account/link/google").status, 405)
        # signed out meanwhile: what comes back joins nothing
        target = link_url(self, mine, "google", "guest-11")
        account = mine.me()["id"]
        mine.post("/logout", {})
        answer = mine.get(target)
        self.assertGreaterEqual(answer.status, 400, answer.summary())
        self.assertIsNone(mine.session())
        self.assertEqual(self.usher.rows("SELECT count(*) FROM identity WHERE account = ?", account), [(1,)])

    def test_acct_26_ask_tells_nothing_and_opens_nothing(self):
        # ACCT-01, ACCT-26
        victim = self.person("ada", "google")
        account = victim.me()["id"]
        answer = self.browser.get(self.browser.to_callback("discord", "ada", "/?x=1"))
        self.assertRegex(answer.location, r"^/account/join/")
        self.assertNotIn("usher=", answer.headers.get("Set-Cookie", "").replace("usher-bind=", ""))
        path = answer.location
        page = self.browser.get(path)
        self.assertEqual(page.status, 200)
        self.assertIn("Have you been here before?", page.text)
        self.assertNotIn(account, page.text)
        self.assertEqual(self.browser.post(path, {"answer": "accept"}).status, 400)
        self.assert_signed_out()
        self.assertEqual(self.usher.rows("SELECT count(*) FROM identity WHERE provider = 'discord' AND email = 'ada.lovelace@gmail.com'"), [(0,)])
        answer = self.browser.post(path, {"answer": "new"})
        self.assertEqual((answer.status, answer.location), (303, "/?x=1"))
        self.assertIn("usher-last=discord;", "".join(answer.headers.get_all("Set-Cookie")))
        self.assertNotEqual(self.browser.me()["id"], account)
        self.assertIsNotNone(victim.me())

    def test_sess_04_somebody_else_is_signed_in_meanwhile(self):
        # SESS-04
        self.person("guest-1", "google")
        mine = self.person("guest-2")
        account, token = mine.me()["id"], mine.session()
        age(self.usher, mine, 3600)  # an old session is no reason to ask for it again
        path = mine.get(mine.to_callback("discord", "guest-1")).location
        self.assertEqual(mine.me()["id"], account)  # until something is decided
        self.assertIn("Have you been here before?", mine.get(path).text)
        answer = mine.post(path, {"answer": "new"})
        self.assertEqual(answer.status, 303, answer.summary())
        self.assertNotIn(mine.me()["id"], (None, account))
        self.assertEqual(Browser(self.usher).get("/auth", Cookie="usher=" + token).status, 401)

    def test_acct_27_linking_takes_a_recent_sign_in(self):
        # ACCT-27
        mine = self.person("guest-3")
        path = link_page(self, mine, "google", "guest-4")
        age(self.usher, mine, 3600)  # which ends joins, too: they are in memory
        self.assertEqual(mine.post(path, {"answer": "accept"}).status, 410)
        self.assertEqual(mine.post("/account/link/google", {}).status, 403)

    def test_a_provider_that_fails_leads_back_to_the_account(self):
        mine = self.person("guest-5")
        self.fake.fault("/google/token", "http503")
        answer = mine.get(link_url(self, mine, "google", "guest-5"))
        self.assertEqual(answer.status, 502)
        self.assertIn('href="/account"', answer.text)
        self.assertIsNotNone(mine.me())

    def test_who_leaves_it_is_not_signed_in(self):
        self.person("guest-6", "google")
        path = self.browser.get(self.browser.to_callback("discord", "guest-6")).location
        answer = self.browser.post(path, {"answer": "drop"})
        self.assertEqual((answer.status, answer.location), (303, "/login"))
        self.assert_signed_out()
        self.assertEqual(self.browser.get(path).status, 410)


class Down(Case):
    """An usherd that has not asked Google for anything yet."""

    @staticmethod
    def providers(fake):
        return fake_providers(fake, link="ask")

    def test_a_provider_that_is_down_is_on_record_with_who_asked(self):
        self.browser.sign_in("discord", "guest-7")
        self.fake.fault("/google/.well-known/openid-configuration", "http503")
        answer = self.browser.post("/account/link/google", {}, User_Agent="Odd/1.0")
        self.assertEqual(answer.status, 502, answer.summary())
        self.usher.stop()  # so that all of it is written
        rows = self.usher.rows("SELECT ip, user_agent, request_id FROM audit WHERE action = 'login.failed'")
        self.assertEqual(rows, [("127.0.0.1", "Odd/1.0", answer.headers["X-Request-Id"])])


class Never(Case):
    def test_what_does_not_link_is_not_offered(self):
        self.browser.sign_in("discord", "konrad")
        page = self.browser.get("/account").text
        self.assertNotIn("/account/link/", page)
        answer = self.browser.post("/account/link/google", {})
        self.assertEqual(answer.status, 409)
        self.assertIn("not linked here", answer.text)


class Verified(Case):
    @staticmethod
    def providers(fake):
        google = fake_providers(fake, link="verified")["google"]
        return {"google": google, "work": {**google, "plugin": "google", "label": "Work"}}

    def test_what_was_linked_by_its_address_is_told(self):
        first = Browser(self.usher)
        first.sign_in("google", "ada")
        account = first.me()["id"]
        answer = self.browser.get(self.browser.to_callback("work", "ada", "/?x=1"))
        self.assertRegex(answer.location, "^/account/join/")
        self.assertEqual(self.browser.me()["id"], account)
        page = self.browser.get(answer.location)
        self.assertIn("This was linked to your account", page.text)
        for named in (account, "Work", "Google", "ada.lovelace@gmail.com"):
            self.assertIn(named, page.text)
        self.assertEqual(first.get(answer.location).status, 410)
        self.assertEqual(self.browser.post(answer.location, {"answer": "accept"}).location, "/?x=1")
        self.assertEqual(self.browser.get(answer.location).status, 410)
        again = Browser(self.usher)
        self.assertEqual(again.sign_in("work", "ada").location, "/")
        self.assertEqual(again.me()["id"], account)


class Apps(Case):
    apps = {
        "wiki": "label = The <wiki>\nhosts = .below.example.com wiki.example.com\nrequire = signed_in\n",
        "box": "label = Admin box\nhosts = box.example.com\nrequire = role:admin\n",
        "open": "label = Open house\nhosts = .open.example.com\n[/*]\nrequire = provider:discord\n",
        "bad": "label = Broken\nhosts = bad.example.com\nrequire = nonsense(\n",
    }

    def shown(self, person, provider):
        browser = Browser(self.usher)
        browser.sign_in(provider, person)
        page = browser.get("/account").text
        return page[page.index("Apps with access"):page.index("Your data")]

    def test_apps_that_let_one_in(self):
        shown = self.shown("ada", "discord")
        self.assertIn('<a href="https://wiki.example.com/">The &lt;wiki&gt;</a>', shown)
        self.assertIn("<li>Open house</li>", shown)
        for never in ("Admin box", "Broken", "None at present"):
            self.assertNotIn(never, shown)
        self.assertNotIn("Open house", self.shown("ada", "google"))

    def test_a_role_opens_another(self):
        browser = Browser(self.usher)
        browser.sign_in("discord", "konrad")
        Api(self.usher).ask("PUT", "/api/v1/roles/admin/" + browser.me()["id"])
        self.assertIn('href="https://box.example.com/"', browser.get("/account").text)
