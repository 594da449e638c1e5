# SPDX-License-Identifier: Apache-2.0
"""ID tokens that must not be believed, through the oidc and google plugins: JWT cases."""
import time

from faults import GOOGLE, OIDC, Faults, at_once
from harness import Browser


def letters(case, last=""):
    """JWT-01, JWT-01b … JWT-01<last>."""
    return [case] + ["%s%c" % (case, c) for c in range(ord("b"), ord(last or "a") + 1)]


REFUSED = [v for case, last in {
    "JWT-01": "e", "JWT-02": "", "JWT-03": "f", "JWT-04": "", "JWT-05": "e", "JWT-06": "e", "JWT-07": "b", "JWT-08": "b",
    "JWT-09": "d", "JWT-13": "e", "JWT-14": "c", "JWT-15": "", "JWT-16": "f", "JWT-18": "d", "JWT-19": "h", "JWT-20": "c",
    "JWT-21": "c", "JWT-22": "i", "JWT-23": "", "JWT-26": "", "JWT-29": "d", "JWT-30": "d", "JWT-32": "g", "JWT-33": "b",
    "JWT-34": "", "JWT-35": "", "JWT-37": "e", "JWT-38": "c", "JWT-40": "", "JWT-43": "e", "JWT-44": "c", "JWT-46": "",
}.items() for v in letters(case, last) if v != "JWT-22c"]
# A missing kid where one key fits, a fraction, odd but valid ECDSA, and what nobody asked about: auth_time
# without max_age, a tenant without a template. (JWT-43e, 5,000 groups, is over the size of a token.)
ACCEPTED = ["JWT-11", "JWT-22c", "JWT-24", "JWT-24b", "JWT-29e", "JWT-30e", "JWT-47"]


class Case(Faults):
    def attempt(self, provider, variant=None, path=OIDC["token"]):
        """One login, the ID token bent."""
        browser = Browser(self.usher)
        url = browser.to_callback(provider)
        if variant:
            self.fake.fault(path, "jwt", variant=variant, times=1)
        return browser, browser.get(url)

    def assert_refused(self, browser, answer):
        self.assertEqual(answer.status, 502, answer.summary())
        self.assertNotIn("usher=", answer.headers.get("Set-Cookie", ""))
        self.assert_signed_out(browser)


class Variants(Case):
    def test_every_bad_token_is_refused(self):
        Browser(self.usher).sign_in("oidc")
        sessions, began = self.sessions(), time.monotonic()
        for n, variant in enumerate(REFUSED, 1):
            with self.subTest(variant):
                self.assert_refused(*self.attempt("oidc", variant))
                self.assertEqual(len(self.failures()), n)  # one line
        self.assertEqual(self.sessions(), sessions)
        self.assertEqual({e["kind"] for e in self.failures()}, {"upstream_bad"})
        self.assertEqual(self.asked("/fake/evil-keys"), 0)  # JWT-08: nobody goes where the token says
        # JWT-05, DOS-06: unknown keys asked for the set once in 30 s, not once each
        self.assertLessEqual(self.asked(OIDC["keys"]), 2 + (time.monotonic() - began) // 30)
        self.assert_log_tells_nothing()
        self.usher.alive_and_well()

    def test_what_is_only_odd_is_accepted(self):
        for variant in ACCEPTED:
            with self.subTest(variant):
                browser, answer = self.attempt("oidc", variant)
                self.assertEqual(answer.status, 303, answer.summary())
                self.assertIsNotNone(browser.me())

    def test_algorithms_that_are_and_are_not_in_the_list(self):
        for alg, status in {"RS256": 303, "ES256": 303, "EdDSA": 303, "ES384": 502, "ES512": 502}.items():
            with self.subTest(alg):
                browser = Browser(self.usher)
                url = browser.to_callback("oidc")
                self.fake.fault(OIDC["token"], "alg", value=alg, times=1)
                self.assertEqual(browser.get(url).status, status)

    def test_jwt_38_a_flipped_bit_in_each_part_for_other_algorithms(self):
        for alg in ("ES256", "EdDSA"):
            for variant in letters("JWT-38", "c"):
                with self.subTest(alg=alg, variant=variant):
                    self.fake.fault(OIDC["token"], "alg", value=alg, times=1)
                    self.assert_refused(*self.attempt("oidc", variant))

    def test_jwt_12_google_has_two_keys_and_the_token_names_none(self):
        """Each key that fits is tried."""
        browser, answer = self.attempt("google", "JWT-12", GOOGLE["token"])
        self.assertEqual(answer.status, 303, answer.summary())
        for variant in ("JWT-38c", "JWT-07", "JWT-01"):
            self.assert_refused(*self.attempt("google", variant, GOOGLE["token"]))

    def test_jwt_46_only_the_spellings_of_this_issuer(self):
        """accounts.google.com without a scheme is no spelling of the look-alike's issuer."""
        self.assert_refused(*self.attempt("google", "JWT-46", GOOGLE["token"]))


class Keys(Case):
    spares = {"google": 6, "oidc": 30}

    def keys_asked(self, provider, variant=None, status=502):
        before = self.asked(OIDC["keys"])
        browser, answer = self.attempt(provider, variant)
        self.assertEqual(answer.status, status, answer.summary())
        return self.asked(OIDC["keys"]) - before

    def test_jwt_05_dos_06_one_refresh_for_many_unknown_keys(self):
        # JWT-05, DOS-06
        provider = self.spare("oidc")
        self.assertEqual(self.keys_asked(provider, None, 303), 1)
        self.assertEqual(self.keys_asked(provider, "JWT-05"), 1)
        for variant in ("JWT-05", "JWT-05", "JWT-06", "JWT-06b", "JWT-40"):
            self.assertEqual(self.keys_asked(provider, variant), 0)
        self.assertEqual(self.keys_asked(provider, None, 303), 0)

    def test_jwt_05_many_at_once_share_one_request(self):
        # JWT-05
        provider = self.spare("oidc")
        Browser(self.usher).sign_in(provider)
        waiting = [(b, b.to_callback(provider)) for b in (Browser(self.usher) for _ in range(16))]
        before = self.asked(OIDC["keys"])
        self.fake.fault(OIDC["token"], "jwt", variant="JWT-05", times=16)
        self.fake.fault(OIDC["keys"], "slow", ms=200, times=1)
        answers = at_once(*[(lambda b=b, u=u: b.get(u)) for b, u in waiting])
        self.assertEqual({a.status for a in answers}, {502})
        self.assertEqual(self.asked(OIDC["keys"]) - before, 1)

    def test_jwt_40_rotation(self):
        # JWT-40
        provider = self.spare("oidc")
        Browser(self.usher).sign_in(provider)
        self.fake.fault("*", "rotate")
        self.assertEqual(self.keys_asked(provider, None, 303), 1)  # one refetch, then success
        self.assertEqual(self.keys_asked(provider, None, 303), 0)
        self.fake.reset()  # the old key signs again, and is not in the set we have: refused
        self.assertEqual(self.keys_asked(provider), 0)

    def test_jwt_41_the_last_good_set_is_kept(self):
        # JWT-41
        for kind, more in (("http500", {}), ("html", {}), ("jwks", {"variant": "no-keys"}), ("half-json", {})):
            with self.subTest(kind):
                provider = self.spare("oidc")
                Browser(self.usher).sign_in(provider)
                self.fake.fault(OIDC["keys"], kind, **more)
                self.fake.fault("*", "rotate")
                self.assertEqual(self.keys_asked(provider), 1)
                self.fake.reset()  # back to the first key
                self.assertEqual(self.keys_asked(provider, None, 303), 0)

    def test_jwt_41_an_empty_set_does_not_erase(self):
        # JWT-41
        provider = self.spare("oidc")
        Browser(self.usher).sign_in(provider)
        self.fake.fault(OIDC["keys"], "jwks", variant="empty")
        self.assertEqual(self.keys_asked(provider, "JWT-05"), 1)
        self.assertEqual(self.keys_asked(provider, None, 303), 0)

    def test_jwt_31_41_a_bad_key_among_good_ones_is_skipped(self):
        # JWT-31, JWT-41
        for variant in ("off-curve", "infinity", "short-coordinate", "rsa-512", "rsa-e1", "oct", "unknown-kty", "no-kty",
                        "not-object", "no-alg"):
            with self.subTest(variant):
                provider = self.spare("oidc")
                self.fake.fault(OIDC["keys"], "jwks", variant=variant)
                self.assertEqual(self.keys_asked(provider, None, 303), 1)
                self.fake.reset()

    def test_jwt_10_keys_for_something_else_are_not_used(self):
        # JWT-10
        for variant in ("use-enc", "alg-ps512", "no-kid", "empty", "no-keys"):
            with self.subTest(variant):
                provider = self.spare("oidc")
                browser = Browser(self.usher)
                url = browser.to_callback(provider)
                self.fake.fault(OIDC["keys"], "jwks", variant=variant)
                self.assert_refused(browser, browser.get(url))
                self.fake.reset()
