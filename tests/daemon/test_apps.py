# SPDX-License-Identifier: Apache-2.0
"""Apps and their rules, as a proxy meets them: FWD cases with a whole daemon behind them."""
import re
import urllib.parse

from harness import Api, Browser, Case, wait_for, write_private

PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
WIKI = """\
label = The wiki
hosts = wiki.example.com
require = signed_in
# words for staff
[/staff/*]
require = group:discord:100000000000000002 or role:editor
[/admin/*]
require = role:admin
methods = GET
[/public/*]
require = anyone
[/house/*]
require = network:192.0.2.0/24
"""


def nginx(path, method="GET", host="wiki.example.com"):
    return {"X-Original-URL": "https://%s%s" % (host, path), "X-Original-Method": method}


class Clients(Case):
    """An app without hosts is none that a proxy asks about."""

    apps = {"spa": "redirect_uris = https://spa.example.com/cb\nclient_type = public\n"}

    def test_a_proxy_that_names_no_address_is_answered(self):
        self.assertEqual(self.browser.request("GET", "/auth").status, 401)
        self.browser.sign_in("discord", "ada")
        self.assertEqual(self.browser.request("GET", "/auth").status, 200)


class Apps(Case):
    apps = {"wiki": WIKI, "docs": "hosts = docs.wild.example.com\n"}
    settings = {"login": {"return_hosts": "127.0.0.1:1 app.example.com .wild.example.com .wild.example.com:8443"}}

    def auth(self, path, browser=None, **more):
        headers = {**nginx(path), **{k.replace("_", "-"): v for k, v in more.items()}}
        return (browser or self.browser).request("GET", "/auth", headers=headers)

    def test_rules_decide(self):
        nobody = Browser(self.usher)
        self.assertEqual(self.auth("/public/x", nobody).status, 200)
        self.assertEqual(self.auth("/public/x", nobody).headers["X-Usher-User"].strip(), "")
        self.assertEqual(self.auth("/", nobody).status, 401)
        self.assertEqual(self.auth("/admin/x", nobody).status, 401)
        self.browser.sign_in("discord", "ada")
        self.assertEqual(self.auth("/").status, 200)
        self.assertEqual(self.auth("/public/x").headers["X-Usher-User"], self.browser.me()["id"])
        self.assertEqual(self.auth("/admin/x").status, 403)
        self.assertEqual(self.auth("/staff/x").status, 403)

    def test_another_port_is_no_way_around_the_rules(self):
        # FWD-17: a proxy may pass on the port a client writes into Host
        self.browser.sign_in("discord", "ada")
        for host, status in (("docs.wild.example.com", 200), ("docs.wild.example.com:8443", 403)):
            headers = nginx("/admin/x", host=host)
            self.assertEqual(self.browser.request("GET", "/auth", headers=headers).status, status, host)

    def test_fwd_19_anchored_and_whole_segments(self):
        # FWD-19
        nobody = Browser(self.usher)
        for path in ("/x/public/y", "/publicity", "/PUBLIC/x"):
            self.assertEqual(self.auth(path, nobody).status, 401, path)

    def test_fwd_14_16_paths_are_read_one_way(self):
        # FWD-14, FWD-15, FWD-16
        self.browser.sign_in("discord", "ada")
        self.assertEqual(self.auth("/admin/x?y=/public/").status, 403)
        for path in ("/public/%2e%2e/admin/x", "/public/..;/admin", "/public//x", "/public/a%2fb", "/public/%5c..",
                     "/public/%00", "/public/%252e%252e/admin", "/public/%c0%ae", "/./admin", "/public;/x"):
            self.assertEqual(self.auth(path).status, 400, path)

    def test_fwd_08_network_by_trusted_proxies_only(self):
        # FWD-07, FWD-08
        nobody = Browser(self.usher)
        self.assertEqual(self.auth("/house/x", nobody, X_Forwarded_For="192.0.2.7").status, 200)
        self.assertEqual(self.auth("/house/x", nobody, X_Forwarded_For="192.0.2.7, 198.51.100.1").status, 403)
        for odd in ("unknown", "192.0.2.7:99999", "192.0.2", ","):
            self.assertIn(self.auth("/house/x", nobody, X_Forwarded_For=odd).status, (401, 403), odd)

    def test_a_person_is_told(self):
        self.browser.sign_in("discord", "ada")
        answer = self.auth("/admin/x?a=1", **PAGE)
        self.assertEqual(answer.status, 403)
        page = self.browser.get(answer.headers["X-Usher-Location"])
        self.assertEqual(page.status, 403)
        self.assertIn("The wiki is not open to you", page.text)
        self.assertRegex(page.text, r"Reference <code>[A-Za-z0-9_-]+</code>")
        link = re.search(r'href="(/login\?prompt=select_account&amp;[^"]*)"', page.text)[1].replace("&amp;", "&")
        chooser = self.browser.get(link)
        start = re.search(r'href="(/login/discord\?[^"]*)"', chooser.text)[1].replace("&amp;", "&")
        hop = self.browser.get(start)
        self.assertEqual(hop.status, 303)
        self.usher.told("app.denied", app="wiki", account=self.browser.me()["id"])

    def refusals(self, **query):
        query = {"action": "app.access", "app": "wiki", "ip": "198.51.100.9", **query}
        return Api(self.usher).ask("GET", "/api/v1/audit?" + urllib.parse.urlencode(query))["audit"]

    def test_whom_an_app_refuses_is_on_record(self):
        self.browser.sign_in("discord", "ada")
        me = self.browser.me()["id"]
        more = {"X_Forwarded_For": "198.51.100.9", "User_Agent": "Odd/2.0"}
        self.assertEqual(self.auth("/", **more).status, 200)
        self.assertEqual(self.refusals(account=me), [])
        self.assertEqual(self.auth("/admin/secret-path?token=x", **more).status, 403)
        row = wait_for("the record", lambda: self.refusals(account=me))[0]
        self.assertEqual((row["actor_kind"], row["object"], row["provider"], row["ip"], row["user_agent"],
                          row["outcome"], row["reason"]),
                         ("account", "wiki", "discord", "198.51.100.9", "Odd/2.0",
                          "refused", "not_allowed: what is required is not there"))
        self.assertTrue(row["request_id"])
        self.assertNotIn("secret-path", str(row))
        self.assertEqual(self.auth("/public/../admin", **more).status, 400)
        wait_for("the other one", lambda: [r for r in self.refusals(account=me) if r["reason"].startswith("invalid: ")])
        # what strangers are refused is counted in memory, and no row each
        for _ in range(100):
            self.assertEqual(self.auth("/house/x", Browser(self.usher), **more).status, 403)
            self.assertEqual(self.auth("/public//x", Browser(self.usher), **more).status, 400)
        self.assertEqual(self.refusals(actor="nobody"), [])

    def test_proxies_that_do_not_say_what_for_are_refused(self):
        self.browser.sign_in("discord", "ada")
        self.assertEqual(self.browser.request("GET", "/auth").status, 403)
        # another host of [login] return_hosts is nobody's app: signed in is enough
        self.assertEqual(self.auth("/x", X_Original_URL="https://app.example.com/admin/x").status, 200)

    def test_people_come_back_to_an_apps_host(self):
        answer = self.browser.sign_in("discord", "ada", "https://wiki.example.com/staff/")
        self.assertEqual(answer.location, "https://wiki.example.com/staff/")


class Files(Case):
    """Changes of files, while the daemon runs."""
    apps = {"wiki": WIKI}

    def asked(self, path="/"):
        return Browser(self.usher).request("GET", "/auth", headers=nginx(path)).status

    def test_changes_count_and_broken_files_do_not(self):
        path = self.usher.folder / "apps.d" / "wiki.conf"
        self.assertEqual(self.asked(), 401)
        write_private(path, WIKI.replace("require = signed_in", "require = anyone"))
        wait_for("the change", lambda: self.asked() == 200)
        write_private(path, WIKI.replace("require = anyone", "require = anyon"))  # what was in force stays
        self.usher.told("live.refused")
        wait_for("the reason", lambda: "did you mean" in self.usher.log())
        self.assertEqual(self.asked(), 200)
        write_private(path, WIKI)
        wait_for("the change back", lambda: self.asked() == 401)
        path.unlink()
        wait_for("the end", lambda: self.asked() == 403)
        self.usher.told("app.removed")
        write_private(path, WIKI)
        wait_for("its return", lambda: self.asked() == 401)


class Broken(Case):
    """An app that was wrong from the beginning lets nobody in, and everything else works."""
    apps = {"wiki": WIKI + "[/x]\nrequire = anyon\n"}

    def test_nobody_gets_in(self):
        self.browser.sign_in("discord", "ada")
        for path in ("/", "/public/x", "/x"):
            answer = self.browser.request("GET", "/auth", headers=nginx(path))
            self.assertEqual(answer.status, 403, path)
        told = self.usher.told("app.unusable")[0]
        self.assertIn("wiki.conf:15: require: column 1", told["reason"])


class Administered(Case):
    """Apps as rows, by the API."""
    apps = {"files": "hosts = files.example.com\n[/x]\nrequire = role:admin\n"}

    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)

    def status(self, path, host, browser=None):
        return (browser or Browser(self.usher)).request("GET", "/auth", headers=nginx(path, host=host)).status

    def test_life_of_an_app(self):
        made = self.api.ask("POST", "/api/v1/apps", {"id": "shop", "settings": {
            "label": "Shop", "hosts": ["shop.example.com"], "require": "signed_in",
            "rules": [{"path": "/free/*", "require": "anyone"},
                      {"path": "/till/*", "methods": ["GET", "POST"], "require": "role:clerk"}]}}, 201)
        self.assertTrue(made["usable"], made)
        self.assertEqual(made["settings"]["rules"][1]["methods"], "GET POST")
        self.assertEqual(self.status("/free/x", "shop.example.com"), 200)
        self.assertEqual(self.status("/till", "shop.example.com"), 401)
        again = self.api.request("POST", "/api/v1/apps", {"id": "shop", "settings": {}})
        self.assertEqual(again.status, 409)
        shown = self.api.get("/api/v1/apps/shop")
        tag = shown.headers["ETag"]
        self.assertEqual(self.api.request("PATCH", "/api/v1/apps/shop", {"settings": {}}).status, 428)
        self.api.ask("PATCH", "/api/v1/apps/shop", {"settings": {"require": "anyone", "rules": None}}, If_Match=tag)
        self.assertEqual(self.status("/till", "shop.example.com"), 200)
        stale = self.api.request("PUT", "/api/v1/apps/shop", {"settings": {}}, headers={"If-Match": tag})
        self.assertEqual(stale.status, 412)
        tag = self.api.get("/api/v1/apps/shop").headers["ETag"]
        self.api.ask("DELETE", "/api/v1/apps/shop", If_Match=tag)
        self.assertEqual(self.status("/free/x", "shop.example.com"), 403)
        self.assertEqual(self.api.get("/api/v1/apps/shop").status, 404)
        actions = [e["action"] for e in self.api.ask("GET", "/api/v1/audit?object=shop")["audit"]]
        self.assertEqual(sorted(set(actions)), ["app.add", "app.delete", "app.edit"])

    def test_what_is_wrong_is_told_by_field(self):
        for settings, field, text in (
                ({"require": "rolle:x"}, "require", "did you mean"),
                ({"hosts": "files.example.com"}, "hosts", "is app files's already"),
                ({"hots": "x"}, "hots", "unknown key"),
                ({"id_token_alg": "EdDSA"}, "id_token_alg", "not among algs of [issuer]"),
                ({"token_alg": "EdDSA"}, "token_alg", "not among algs of [issuer]"),
                ({"origins": ["https://spa.example.com/"]}, "origins", "write it as https://spa.example.com"),
                ({"rules": [{"path": "/x"}]}, "rules", "require is required"),
                ({"rules": [{"path": "x", "require": "anyone"}]}, "rules", "begins with"),
                ({"rules": 1}, "rules", "must be a list")):
            answer = self.api.request("POST", "/api/v1/apps", {"id": "wrong", "settings": settings})
            self.assertEqual(answer.status, 422 if text != "must be a list" else 400, answer.text)
            fields = answer.json()["error"]["fields"]
            self.assertTrue(any(f["field"] == field and text in f["text"] for f in fields), fields)
        self.assertEqual(self.api.get("/api/v1/apps/wrong").status, 404)

    def test_an_algorithm_that_went_stops_the_app_alone(self):
        self.api.ask("POST", "/api/v1/apps", {"id": "curve", "settings": {
            "redirect_uris": "https://curve.example.com/cb", "id_token_alg": "ES256"}}, 201)
        before = self.usher.config.read_text()
        try:
            self.usher.stop()
            write_private(self.usher.config, before + "[issuer]\nalgs = RS256\n")
            self.usher.start()
            shown = self.api.ask("GET", "/api/v1/apps/curve")
            self.assertFalse(shown["usable"])
            self.assertIn("ES256 is not among algs of [issuer]", shown["reason"])
            answer = self.browser.get("/oauth2/authorize?client_id=curve&response_type=code&scope=openid"
                                      "&redirect_uri=https%3A%2F%2Fcurve.example.com%2Fcb")
            self.assertEqual(answer.status, 400, answer.summary())
            self.assertEqual(self.status("/x", "files.example.com"), 401)  # others go on
        finally:
            self.usher.stop()
            write_private(self.usher.config, before)
            self.usher.start()
        shown = self.api.get("/api/v1/apps/curve")
        self.assertTrue(shown.json()["usable"])
        self.api.ask("DELETE", "/api/v1/apps/curve", If_Match=shown.headers["ETag"])

    def test_files_are_read_only(self):
        shown = self.api.ask("GET", "/api/v1/apps/files")
        self.assertEqual((shown["read_only"], shown["source"]["kind"]), (True, "file"))
        self.assertEqual(shown["settings"]["rules"], [{"path": "/x", "require": "role:admin"}])
        answer = self.api.request("PUT", "/api/v1/apps/files", {"settings": {}}, headers={"If-Match": '"1"'})
        self.assertEqual(answer.status, 409)
        self.assertIn("files.conf: edit that file", answer.json()["error"]["text"])

    def test_explained(self):
        self.browser.sign_in("discord", "ada")
        user = self.browser.me()["id"]
        e = self.api.ask("GET", "/api/v1/apps/files/explain?user=%s&path=/x" % user)
        self.assertEqual((e["verdict"], e["path"], e["provider"]), ("deny", "/x", "discord"))
        self.assertEqual(e["terms"], [{"term": "role:admin", "result": "no", "why": None}])
        self.assertEqual(self.api.ask("GET", "/api/v1/apps/files/explain?path=/x")["verdict"], "sign_in")
        self.assertEqual(self.api.ask("GET", "/api/v1/apps/files/explain?path=/..")["verdict"], "bad_path")
        self.api.ask("PUT", "/api/v1/roles/admin/" + user, {})
        e = self.api.ask("GET", "/api/v1/apps/files/explain?user=%s&path=/x" % user)
        self.assertEqual(e["verdict"], "allow")
        for query in ("user=nobody", "user=%s&provider=google" % user):
            self.assertEqual(self.api.get("/api/v1/apps/files/explain?" + query).status, 404)
        self.assertEqual(self.api.get("/api/v1/apps/none/explain").status, 404)

    def test_the_page_of_apps(self):
        self.browser.sign_in("discord", "ada")
        user = self.browser.me()["id"]
        self.assertNotEqual(Browser(self.usher).get("/admin/apps").status, 200)
        self.api.ask("PUT", "/api/v1/roles/admin/" + user, {})
        page = self.browser.get("/admin/apps")
        self.assertEqual(page.status, 200, page.summary())
        for text in ("files.example.com", "paths of their own: 1", "in force"):
            self.assertIn(text, page.text)
        page = self.browser.get("/admin/apps/files")
        for text in ("/x", "role:admin", "files.conf"):
            self.assertIn(text, page.text)
        self.api.ask("DELETE", "/api/v1/roles/admin/" + user, {"force": True})

    def test_secrets_are_told_once(self):
        made = self.api.ask("POST", "/api/v1/apps/files/secrets", {}, 201)
        self.assertRegex(made["secret"], r"^uas_[A-Za-z0-9_-]{43}$")
        other = self.api.ask("POST", "/api/v1/apps/files/secrets", {}, 201)
        self.assertEqual(self.api.request("POST", "/api/v1/apps/files/secrets", {}).status, 409)
        shown = self.api.get("/api/v1/apps/files")
        self.assertNotIn(made["secret"], shown.text)
        self.assertEqual({s["id"] for s in shown.json()["secrets"]}, {made["id"], other["id"]})
        for one in (made, other):
            self.api.ask("DELETE", "/api/v1/apps/files/secrets/" + one["id"])
        self.assertEqual(self.api.request("DELETE", "/api/v1/apps/files/secrets/" + made["id"]).status, 404)
        self.assertNotIn(made["secret"], self.usher.log())
        audit = self.api.get("/api/v1/audit?object=files")
        self.assertNotIn(made["secret"], audit.text)
        self.assertIn("app.secret_add", audit.text)
