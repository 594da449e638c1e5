# SPDX-License-Identifier: Apache-2.0
"""Who becomes whom at a first sign-in: the rules of docs/accounts.md, with a real usherd. What the pages
say and ask is in test_account_pages."""
import sqlite3
import threading
import time

from harness import Browser, Case, fake_providers

DAY = 86400


def providers(fake, **more):
    """Google vouches for its own mailboxes, Discord for none. `corp` is Google's likeness again: the same
    people with the same addresses, by another provider."""
    known = fake_providers(fake, link="ask")
    known["corp"] = {**known["google"], "plugin": "google", "label": "Corp", "link": "verified"}
    known["discord"] = {**known["discord"], "link": "verified"}
    known["own"] = {**known["google"], "plugin": "google", "label": "Own", "link": "never"}
    return known


class Rules(Case):
    providers = staticmethod(providers)

    def setUp(self):
        super().setUp()
        with self.stopped() as db:
            for table in ("account", "barred_identity", "spent"):
                db.execute("DELETE FROM " + table)

    def stopped(self):
        """The database while nobody uses it."""
        test = self

        class Stopped:
            def __enter__(self):
                test.usher.stop()
                self.db = sqlite3.connect(test.usher.database)
                self.db.execute("PRAGMA foreign_keys = ON")
                return self.db

            def __exit__(self, *what):
                self.db.commit()
                self.db.close()
                test.usher.start()

        return Stopped()

    def count(self, what, *values):
        return self.usher.rows("SELECT count(*) FROM " + what, *values)[0][0]

    def comes(self, provider, person):
        """A first visit: the browser, and where it is sent."""
        browser = Browser(self.usher)
        return browser, browser.sign_in(provider, person, "/?from=test").location

    def test_both_sides_verified_is_one_account(self):
        first, to = self.comes("google", "ada")
        self.assertEqual(to, "/?from=test")
        second, to = self.comes("corp", "ada")
        self.assertRegex(to, "^/account/join/[A-Za-z0-9_-]{22}$")  # to be told, already signed in
        self.assertEqual(second.me()["id"], first.me()["id"])
        self.assertEqual(self.count("account"), 1)
        self.assertEqual(self.count("identity WHERE provider = 'corp' AND linked IS NOT NULL"), 1)
        rows = self.usher.rows("SELECT actor, object, became FROM audit WHERE action = 'identity.link'")
        self.assertEqual([(r[0], r[1]) for r in rows][-1], (first.me()["id"], first.me()["id"]))
        for word in ("ada", "Lovelace", "@", "110169484474386276334"):  # PRIV-11
            self.assertNotIn(word, rows[-1][2])
        self.usher.told("account.linked", account=first.me()["id"], how="address")
        # From then on it is a sign-in like any other.
        third, to = self.comes("corp", "ada")
        self.assertEqual(to, "/?from=test")
        self.assertEqual(third.me()["id"], first.me()["id"])

    def test_acct_03_weak_evidence_asks(self):
        # ACCT-03: Discord may say what it likes, and `verified` does not help it
        first, _ = self.comes("google", "ada")
        second, to = self.comes("discord", "ada")
        self.assertRegex(to, "^/account/join/")
        self.assertIsNone(second.me())
        self.assertIsNone(second.session())
        self.assertEqual((self.count("account"), self.count("identity"), self.count("session")), (1, 1, 1))
        self.assertIsNotNone(first.me())

    def test_acct_03_a_weak_account_is_no_reason_to_join_it(self):
        # Pre-hijacking: somebody was here first with the address, weakly; the owner comes and does not
        # walk into that account.
        self.comes("discord", "ada")
        owner, to = self.comes("corp", "ada")
        self.assertRegex(to, "^/account/join/")
        self.assertIsNone(owner.me())
        self.assertEqual(self.count("identity"), 1)

    def test_an_address_not_seen_for_long_asks(self):
        # E-mail recycling
        self.comes("google", "ada")
        for days, joined in ((91, False), (89, True)):
            with self.stopped() as db:
                db.execute("UPDATE identity SET last_seen = ?", (int(time.time()) - days * DAY,))
            browser, _ = self.comes("corp", "ada")
            self.assertEqual(browser.me() is not None, joined, days)

    def test_a_second_subject_of_one_provider_asks(self):
        # Provider re-creation: within Corp the address has moved from one subject to another.
        self.comes("google", "ada")
        self.comes("corp", "ada")
        with self.stopped() as db:
            db.execute("UPDATE identity SET subject = 'the one before' WHERE provider = 'corp'")
        browser, to = self.comes("corp", "ada")
        self.assertRegex(to, "^/account/join/")
        self.assertIsNone(browser.me())
        self.assertEqual(self.count("identity"), 2)

    def test_never_is_an_account_of_its_own(self):
        first, _ = self.comes("google", "ada")
        second, to = self.comes("own", "ada")
        self.assertEqual(to, "/?from=test")
        self.assertNotEqual(first.me()["id"], second.me()["id"])  # ACCT-05: one subject, two issuers
        # Nor does who came by it link something of a provider that links.
        self.assertEqual(second.post("/account/link/google", {}).status, 409)
        self.assertEqual(first.post("/account/link/own", {}).status, 409)
        self.assertEqual(first.post("/account/link/google", {}).status, 200)

    def test_acct_01_acct_22_without_evidence_nothing_is_told(self):
        # ACCT-01, ACCT-22, ACCT-26: Noor's address is unverified, Konrad has none. Whether somebody has
        # Noor's or not, she sees the same.
        for person in ("noor", "konrad"):
            for provider in ("google", "corp", "discord"):
                browser, to = self.comes(provider, person)
                self.assertEqual(to, "/?from=test", (person, provider))
                self.assertIsNotNone(browser.me())
        self.assertEqual(self.count("account"), 6)
        self.assertEqual(self.count("identity WHERE email = ''"), 0)

    def test_acct_06_a_new_name_is_nobody_else(self):
        first, _ = self.comes("discord", "ada")
        with self.stopped() as db:
            db.execute("UPDATE identity SET username = 'grace', name = 'Grace', email = 'grace@navy.example'")
        again, _ = self.comes("discord", "ada")
        other, _ = self.comes("discord", "grace")
        self.assertEqual(again.me()["id"], first.me()["id"])
        self.assertNotEqual(other.me()["id"], first.me()["id"])

    def test_acct_10_another_case_is_another_address(self):
        self.comes("google", "ada")
        with self.stopped() as db:
            db.execute("UPDATE identity SET email = 'Ada.Lovelace@gmail.com'")
        browser, to = self.comes("corp", "ada")
        self.assertEqual(to, "/?from=test")
        self.assertEqual(self.count("account"), 2)
        self.assertIsNotNone(browser.me())

    def test_acct_17_first_visits_at_once(self):
        browsers = [Browser(self.usher) for _ in range(12)]
        targets = [b.to_callback("corp", "grace") for b in browsers]
        threads = [threading.Thread(target=b.get, args=(t,)) for b, t in zip(browsers, targets)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual((self.count("account"), self.count("identity")), (1, 1))
        self.assertEqual({b.me()["id"] for b in browsers}, {self.usher.rows("SELECT id FROM account")[0][0]})

    def test_acct_18_no_way_around_a_closed_door(self):
        first, _ = self.comes("google", "ada")
        account = first.me()["id"]
        with self.stopped() as db:
            db.execute("UPDATE account SET disabled_since = 1, disabled_reason = 'spam'")
        for provider in ("google", "corp"):
            browser = Browser(self.usher)
            answer = browser.get(browser.to_callback(provider, "ada"))
            self.assertEqual(answer.status, 403, provider)
            self.assertNotIn("spam", answer.text)
            self.assertNotIn(account, answer.text)
            self.assertIsNone(browser.me())
        self.assertEqual(self.count("account WHERE disabled_since = 1"), 1)
        self.assertEqual(self.count("identity"), 1)

    def test_acct_14_a_deleted_account_is_not_found_again(self):
        first, _ = self.comes("google", "ada")
        account = first.me()["id"]
        with self.stopped() as db:
            db.execute("DELETE FROM account")
        again, to = self.comes("corp", "ada")
        self.assertEqual(to, "/?from=test")
        self.assertNotEqual(again.me()["id"], account)
        self.assertIsNone(first.me())

    def test_acct_19_no_right_comes_from_upstream(self):
        # ACCT-19: groups are told under the provider's name; roles, ids and flags are ours.
        browser, _ = self.comes("google", "ada")
        me = browser.me()
        self.assertEqual(len(me["id"]), 22)
        self.assertEqual(self.count("account_role"), 0)
        for group in me.get("groups") or []:
            self.assertTrue(group.startswith("google:"), group)
