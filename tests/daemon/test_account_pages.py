# SPDX-License-Identifier: Apache-2.0
"""What a person sees of their account, and does with it: ACCT, SESS and PRIV cases by page."""
from harness import Case, fake_providers


class Chooser(Case):
    def test_the_provider_used_last_is_said(self):
        self.assertNotIn("last time", self.browser.get("/login").text)
        answer = self.browser.sign_in("google")
        cookie = [c for c in answer.headers.get_all("Set-Cookie") if c.startswith("usher-last=")]
        self.assertEqual(cookie, ["usher-last=google; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"])
        self.browser.post("/logout", {})
        page = self.browser.get("/login").text
        self.assertIn("You used <strong>Google</strong> last time.", page)
        self.assertEqual(page.count("last used"), 1)
        self.browser.sign_in("discord")
        self.browser.post("/logout", {})
        self.assertIn("You used <strong>Discord</strong> last time.", self.browser.get("/login").text)

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
        page = self.browser.get("/login").text
        self.assertNotIn("last time", page)
        self.assertNotIn("last used", page)
