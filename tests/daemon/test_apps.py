# SPDX-License-Identifier: Apache-2.0
"""Apps and their rules, as a proxy meets them: FWD cases with a whole daemon behind them."""
import re

from harness import Browser, Case, Usher, wait_for, write_private

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


class Apps(Case):
    apps = {"wiki": WIKI}

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
        events = [e for e in self.usher.events("app.denied") if e["app"] == "wiki"]
        self.assertTrue(any(e["account"] == self.browser.me()["id"] for e in events))

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
        wait_for("the refusal", lambda: self.usher.events("live.refused"))
        self.assertIn('did you mean \\"anyone\\"', self.usher.log())
        self.assertEqual(self.asked(), 200)
        write_private(path, WIKI)
        wait_for("the change back", lambda: self.asked() == 401)
        path.unlink()
        wait_for("the end", lambda: self.asked() == 403)
        self.assertTrue(self.usher.events("app.removed"))
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
        told = self.usher.events("app.unusable")[0]
        self.assertIn("wiki.conf:15: require: column 1", told["reason"])
