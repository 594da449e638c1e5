# SPDX-License-Identifier: Apache-2.0
"""How the sign-in page of an app looks: its own name, links, picture and colour; and that an app of
others gets links only."""
from harness import Case, wait_for, write_private

LINKS = """\
home_uri = https://%(id)s.example.com/
logo_uri = https://%(id)s.example.com/logo.svg
policy_uri = https://%(id)s.example.com/privacy
tos_uri = https://%(id)s.example.com/terms
redirect_uris = https://%(id)s.example.com/cb
"""


class Brand(Case):
    apps = {"wiki": "label = The <wiki>\naccent = 3355Aa\n" + LINKS % {"id": "wiki"},
            "shop": "label = Shop\nconsent = yes\naccent = ffff00\n" + LINKS % {"id": "shop"},
            "plain": "label = Plain\nredirect_uris = https://plain.example.com/cb\n"}

    def chooser(self, app):
        answer = self.browser.get("/login?app=" + app)
        self.assertEqual(answer.status, 200)
        return answer.text

    def test_an_app_of_ones_own(self):
        page = self.chooser("wiki")
        self.assertIn("Sign in to The &lt;wiki&gt;", page)
        self.assertIn('<img src="https://wiki.example.com/logo.svg" alt=""', page)
        for link in ("", "privacy", "terms"):
            self.assertIn('<a href="https://wiki.example.com/%s" rel="noreferrer">' % link, page)
        self.assertIn('<link rel="stylesheet" href="/assets/apps/wiki.css?3355Aa">', page)
        css = self.browser.get("/assets/apps/wiki.css?3355Aa")
        self.assertEqual((css.status, css.text), (200, ":root { --brand: #3355Aa; --brand-ink: #ffffff; }\n"))
        self.assertEqual(css.headers["Content-Type"], "text/css; charset=utf-8")

    def test_an_app_of_others_shows_links_and_loads_nothing(self):
        page = self.chooser("shop")
        self.assertIn("Sign in to Shop", page)
        self.assertIn('<a href="https://shop.example.com/logo.svg" rel="noreferrer">', page)
        self.assertNotIn('src="https://', page)
        self.assertNotIn("/assets/apps/", page)
        self.assertEqual(self.browser.get("/assets/apps/shop.css").status, 404)

    def test_nothing_where_nothing_is_said(self):
        for app in ("plain", "none"):
            page = self.chooser(app)
            self.assertNotIn("/assets/apps/", page)
            self.assertIn('<img src="/assets/usher.svg?', page)
        for path in ("plain.css", "none.css", ".css", "wiki", "wiki.css/x"):
            self.assertEqual(self.browser.get("/assets/apps/" + path).status, 404, path)

    def test_a_colour_that_is_none(self):
        path = self.folder / "apps.d" / "wrong.conf"
        write_private(path, "redirect_uris = https://wrong.example.com/cb\naccent = red; }\n")
        self.addCleanup(path.unlink)
        said = wait_for("the warning", lambda: [e for e in self.usher.events() if "is no colour;" in str(e)])
        self.assertEqual((said[0]["file"], said[0]["line"]), (str(path), 2))
        self.assertNotIn("/assets/apps/", self.chooser("wrong"))
        self.assertEqual(self.browser.get("/assets/apps/wrong.css").status, 404)
