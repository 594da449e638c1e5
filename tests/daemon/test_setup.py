# SPDX-License-Identifier: Apache-2.0
"""The first visit: a link made on the machine itself, for one use, and the operator it makes: ADM-02,
ADM-07, ADM-08."""
import re
import urllib.parse

from harness import Api, Browser, Case, wait_for

PREVIEWS = ("GET", "HEAD")


class Visit(Case):
    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)

    def link(self):
        url = self.api.ask("POST", "/api/v1/setup-links", status=201)["url"]
        self.assertTrue(url.startswith(self.usher.url + "/admin/setup/"), url)
        return url

    def use(self, url, browser=None):
        return (browser or self.browser).post(url, {})

    def operator(self, browser=None):
        return (browser or self.browser).cookies["127.0.0.1:%d" % self.usher.port].get("usher-operator")


class Untouched(Visit):
    def test_adm_02_nothing_is_open_before(self):
        self.assertEqual(self.api.ask("GET", "/api/v1/tokens")["tokens"], [])
        self.assertEqual(self.api.ask("GET", "/api/v1/roles/admin")["accounts"], [])
        for path in ("/admin", "/admin/setup", "/admin/tokens", "/api/v1/status", "/setup", "/install"):
            answer = self.browser.get(path)
            self.assertIn(answer.status, (303, 401, 404), path)
            if answer.status == 303:
                self.assertTrue(answer.location.startswith("/login"), answer.location)
        for word in ("admin", "usher", "operator", "setup", "x" * 43):
            answer = self.use("/admin/setup/" + word)
            self.assertGreaterEqual(answer.status, 400, word)
            self.assertIsNone(self.operator())
        for user in ("admin:admin", "usher:usher", "root:"):
            self.assertEqual(self.browser.get("/api/v1/status", Authorization="Basic " + user).status, 401)


class Setup(Visit):
    def test_adm_02_looking_does_not_use_it_up_and_once_is_once(self):
        url = self.link()
        for _ in range(3):
            for method in PREVIEWS:
                answer = self.browser.request(method, url)
                self.assertEqual(answer.status, 200)
                self.assertIsNone(answer.headers.get("Set-Cookie"))
        self.assertEqual(self.browser.post(url, {}, same_origin=False).status, 403)
        self.assertEqual(self.browser.post(url, {}, Origin="http://evil.example").status, 403)
        self.assertIsNone(self.operator())
        self.assertEqual(self.use(url).status, 303)
        self.assertIsNotNone(self.operator())
        other = Browser(self.usher)
        self.assertGreaterEqual(self.use(url, other).status, 400)
        self.assertIsNone(self.operator(other))

    def test_a_link_that_is_over_says_so_and_offers_nothing(self):
        url = self.link()
        self.assertIn("Begin</button>", self.browser.get(url).text)
        self.use(url)
        over = [Browser(self.usher).get(url), self.browser.get(url), Browser(self.usher).get("/admin/setup/" + "x" * 43)]
        for answer in over:
            self.assertEqual(answer.status, 410)
            self.assertIn("This link is over", answer.text)
            self.assertIn("usherctl setup-link", answer.text)
            self.assertNotIn("<form", answer.text)
            self.assertNotIn("Sign in again", answer.text)
            self.assertIsNone(answer.headers.get("Set-Cookie"))
        self.assertEqual(Browser(self.usher).request("HEAD", url).status, 410)
        self.assertEqual(self.use(url).status, 410)

    def test_adm_07_the_cookie_and_what_it_may(self):
        answer = self.use(self.link())
        cookie = answer.headers["Set-Cookie"]
        name, *attributes = [part.strip() for part in cookie.split(";")]
        self.assertEqual(len(name.split("=", 1)[1]), 43)
        self.assertIn("HttpOnly", attributes)
        self.assertIn("SameSite=Strict", attributes)
        self.assertIn("Path=/", attributes)
        self.assertFalse([a for a in attributes if a.startswith("Domain")])
        age = [int(a.split("=")[1]) for a in attributes if a.startswith("Max-Age=")]
        self.assertTrue(age and 3500 <= age[0] <= 3600, age)
        self.assertEqual(self.browser.get("/api/v1/status").status, 200)
        ours = {"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        body = '{"name":"first","scopes":"read"}'
        self.assertEqual(self.browser.request("POST", "/api/v1/tokens", body=body, headers=ours).status, 201)
        for wrong in ({**ours, "Origin": "null"}, {**ours, "Sec-Fetch-Site": "same-site"}, {"Content-Type": "application/json"}):
            self.assertEqual(self.browser.request("POST", "/api/v1/tokens", body=body, headers=wrong).status, 403)
        self.assertEqual(self.browser.get("/api/v1/me").status, 401)  # nobody's account
        self.assertEqual(self.browser.get("/auth").status, 401)
        entry = self.api.ask("GET", "/api/v1/audit?action=token.add&limit=1")["audit"][0]
        self.assertEqual(entry["actor_kind"], "operator")
        used = self.api.ask("GET", "/api/v1/audit?action=setup.use&limit=1")["audit"][0]
        self.assertEqual(used["object"], entry["actor"])  # who came by which link

    def test_the_pages_that_add_and_look_up(self):
        """Services by the names people read, each on a page of that name, with what nobody needs to see folded
        away; the audit by its outcome."""
        self.use(self.link())
        page = self.browser.get("/admin/add").text
        labels = re.findall(r'<span class="what">(.*?)</span>', page)
        self.assertEqual(labels, sorted(labels, key=str.lower))
        self.assertIn("Amazon Cognito", labels)
        page = self.browser.get("/admin/add/github").text
        self.assertIn("<title>Add GitHub · ", page)
        self.assertIn('value="read:user user:email"', page)
        self.assertIn('<details class="more">', page)
        page = self.browser.get("/admin/audit?action=setup.&outcome=refused").text
        self.assertIn('<option value="refused" selected>', page)
        self.assertIn("No entry like that.", page)
        page = self.browser.get("/admin/audit?action=setup.&outcome=done").text
        self.assertIn('<option value="done" selected>', page)
        self.assertIn("setup.use", page)

    def test_adm_02_a_restart_ends_links_and_operators(self):
        self.use(self.link())
        url = self.link()
        self.usher.stop()
        self.usher.start()
        self.assertEqual(self.browser.get("/api/v1/status").status, 401)
        self.assertGreaterEqual(self.use(url, Browser(self.usher)).status, 400)

    def test_adm_02_the_log_never_has_it(self):
        """Whatever is done with the address, as long as it is that address."""
        secret = urllib.parse.urlsplit(self.link()).path.rsplit("/", 1)[1]
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "POST"):
            self.browser.request(method, "/admin/setup/" + secret)
        self.browser.get("/admin/setup/%s?x=y" % secret)
        self.use("/admin/setup/" + secret)
        self.usher.alive_and_well()
        wait_for("all of them in the log", lambda: len(
            [e for e in self.usher.events("http.request") if "setup" in e["path"]]) >= 8)
        self.assertNotIn(secret, self.usher.log())
        self.assertNotIn(self.operator(), self.usher.log())

    def test_adm_03_links_are_made_on_the_machine_only(self):
        token = self.api.ask("POST", "/api/v1/tokens", {"name": "all", "scopes": "read write secrets metrics"}, status=201)["token"]
        self.assertEqual(Api(self.usher, token).request("POST", "/api/v1/setup-links", {}).status, 404)
        self.use(self.link())
        answer = self.browser.post("/api/v1/setup-links", {})
        self.assertEqual(answer.status, 404)
