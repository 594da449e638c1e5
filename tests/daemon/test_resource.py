# SPDX-License-Identifier: Apache-2.0
"""Which APIs a token is for: RFC 8707 at the authorization, device and token endpoints, OP-39."""
import concurrent.futures
import json
import sqlite3

from harness import Api, Browser, Case, write_private
from oauth import Client, read_jwt, secret_for
from relying_party import RelyingParty, form_of

A, B, C = "https://a.example.com", "https://b.example.com/v1", "urn:example:c"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
RP = """label = RP
redirect_uris = https://rp.example.com/callback
grants = authorization_code refresh_token
scopes = openid email offline_access read
resources = %s %s %s
require_pkce = no
""" % (A, B, C)
APPS = {
    "rp": RP,
    "opaque": RP + "token_format = opaque\n",
    "plain": RP.replace("resources", "#"),
    "tv": "label = TV\nclient_type = public\nscopes = openid read\ngrants = device_code refresh_token\n"
          "resources = %s %s\n" % (A, B),
}


def error_of(answer):
    return (answer.status, answer.json().get("error"))


WRONG = (400, "invalid_target")


class Resource(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, text in APPS.items():
            write_private(cls.folder / "apps.d" / (name + ".conf"), text)
        cls.usher.stop()
        cls.secrets = {name: secret_for(cls.usher, name) for name in ("rp", "opaque", "plain")}
        cls.usher.start()

    def setUp(self):
        super().setUp()
        self.browser = Browser(self.usher)
        self.rp = self.party("rp")
        self.me = self.rp.metadata["issuer"]

    def party(self, name):
        return RelyingParty(self.usher, name, self.secrets[name])

    def code(self, rp=None, **more):
        answer = (rp or self.rp).authorize(self.browser, **more)
        self.assertIn("code", answer)
        return answer

    def good(self, answer):
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json()

    def aud(self, tokens, rp=None):
        """Who a token is for, as it says and as usher says."""
        said = (rp or self.rp).post("introspection_endpoint", {"token": tokens["access_token"]}).json()
        self.assertTrue(said["active"])
        if "." in tokens["access_token"]:
            aud = read_jwt(tokens["access_token"])[1]["aud"]
            self.assertEqual([aud] if isinstance(aud, str) else aud, said["aud"])
        return said["aud"]

    def refresh(self, token, resources):
        pairs = [("grant_type", "refresh_token"), ("refresh_token", token), *(("resource", r) for r in resources)]
        return Client(self.usher, "rp", self.secrets["rp"]).post("/oauth2/token", pairs)

    def test_op_39_a_code_for_less(self):
        tokens = self.good(self.rp.redeem(self.code(resource=[A, B]), resource=B))
        self.assertEqual(self.aud(tokens), [B])
        # for that API alone: usher is no less another one
        self.assertEqual(self.rp.userinfo(tokens["access_token"]).status, 401)
        # and the grant is as it was
        fresh = self.good(self.rp.refresh(tokens["refresh_token"]))
        self.assertEqual(self.aud(fresh), [A, B, self.me])
        self.assertEqual(self.rp.userinfo(fresh["access_token"]).status, 200)

    def test_op_39_never_for_more(self):
        # what the app may have is not yet what was granted
        for wrong in (C, "https://evil.example", "https://a.example.com/", "a", A + "#x", " "):
            code = self.code(resource=[A, B])
            self.assertEqual(error_of(self.rp.redeem(code, resource=wrong)), WRONG, wrong)
            tokens = self.good(self.rp.redeem(code, resource=A))  # a slip costs no code
            self.assertEqual(self.aud(tokens), [A])
            self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"], resource=wrong)), WRONG, wrong)
            self.assertEqual(error_of(self.refresh(tokens["refresh_token"], [A, wrong])), WRONG, wrong)
            self.assertEqual(self.aud(self.good(self.rp.refresh(tokens["refresh_token"], resource=B))), [B])

    def test_one_after_the_other(self):
        tokens = self.good(self.rp.redeem(self.code(resource=[A, B, C])))
        self.assertEqual(self.aud(tokens), [A, B, C, self.me])
        for wanted in ([A], [B], [C], [self.me], [C, A], [A, A]):
            tokens = self.good(self.refresh(tokens["refresh_token"], wanted))
            self.assertEqual(self.aud(tokens), wanted if wanted != [A, A] else [A])
        self.assertEqual(self.aud(self.good(self.rp.refresh(tokens["refresh_token"]))), [A, B, C, self.me])

    def test_two_at_once(self):
        # What came second is no copy of what came first, where it asked for something else; but there is one
        # successor, however often the same token is used while its answer may have been lost.
        first = self.good(self.rp.redeem(self.code(resource=[A, B], scope="openid read")))["refresh_token"]
        got = {}
        for wanted in ([A], [B], [], [B, A], [A], [B]):
            got.setdefault(tuple(wanted), []).append(self.good(self.refresh(first, wanted)))
        for wanted, answers in got.items():
            for answer in answers:
                self.assertEqual(self.aud(answer), list(wanted) or [A, B, self.me])
        self.assertEqual(got[(A,)][0], got[(A,)][1], "the answer that was lost")
        every = [a for answers in got.values() for a in answers]
        self.assertEqual(len({a["refresh_token"] for a in every}), 1)
        self.assertEqual(error_of(self.rp.refresh(first, resource=C)), WRONG)
        self.assertEqual(error_of(self.rp.refresh(first, scope="email")), (400, "invalid_scope"))
        narrow = self.good(self.rp.refresh(first, scope="read", resource=B))
        self.assertEqual((narrow["scope"], self.aud(narrow)), ("read", [B]))
        self.good(self.rp.refresh(every[0]["refresh_token"]))
        # all of it is one family
        self.assertEqual(error_of(self.party("opaque").refresh(first)), (400, "invalid_grant"))
        for token in [a["access_token"] for a in every] + [narrow["access_token"]]:
            self.assertFalse(self.rp.post("introspection_endpoint", {"token": token}).json()["active"])

    def test_a_hundred_at_once(self):
        first = self.good(self.rp.redeem(self.code(resource=[A, B])))["refresh_token"]
        def ask(i):
            return i, self.rp.refresh(first, resource=[A, B][i % 2])
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(ask, range(20)))
            self.usher.change("UPDATE refresh_token SET used = used + 3600")  # ten seconds are little for the rest
            answers += pool.map(ask, range(20, 100))
        for i, answer in answers:
            self.assertEqual(self.aud(self.good(answer)), [[A, B][i % 2]])
        self.assertEqual(len({a.json()["refresh_token"] for _, a in answers}), 1)
        self.good(self.rp.refresh(answers[0][1].json()["refresh_token"]))

    def test_usher_is_for_userinfo(self):
        # where openid is left out there is nothing that usher has to be asked with
        tokens = self.good(self.rp.redeem(self.code(resource=A, scope="openid read")))
        narrow = self.good(self.rp.refresh(tokens["refresh_token"], resource=self.me))
        self.assertEqual(self.aud(narrow), [self.me])
        self.assertEqual(self.rp.userinfo(narrow["access_token"]).status, 200)
        self.assertEqual(error_of(self.rp.refresh(narrow["refresh_token"], resource=self.me, scope="read")), WRONG)
        tokens = self.good(self.rp.redeem(self.code(resource=A, scope="read")))
        self.assertEqual(self.aud(tokens), [A])
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"], resource=self.me)), WRONG)

    def test_nothing_was_named(self):
        # the app's first, then, and no other
        tokens = self.good(self.rp.redeem(self.code()))
        self.assertEqual(self.aud(tokens), [A, self.me])
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"], resource=B)), WRONG)
        self.assertEqual(self.aud(self.good(self.rp.refresh(tokens["refresh_token"], resource=A))), [A])
        plain = self.party("plain")
        tokens = self.good(plain.redeem(self.code(plain)))
        self.assertEqual(self.aud(tokens, plain), [self.me])
        self.assertEqual(error_of(plain.refresh(tokens["refresh_token"], resource=A)), WRONG)

    def test_opaque_tokens(self):
        opaque = self.party("opaque")
        tokens = self.good(opaque.redeem(self.code(opaque, resource=[A, B]), resource=A))
        self.assertEqual(self.aud(tokens, opaque), [A])
        self.assertEqual(opaque.userinfo(tokens["access_token"]).status, 401)

    def test_what_the_app_may_no_longer_have(self):
        path = self.folder / "apps.d" / "rp.conf"
        self.addCleanup(lambda: (write_private(path, RP), Api(self.usher).ask("POST", "/api/v1/config/reload", {})))
        tokens = self.good(self.rp.redeem(self.code(resource=[A, B])))
        only = self.good(self.rp.redeem(self.code(resource=B, scope="read")))
        write_private(path, RP.replace(" " + B, ""))
        Api(self.usher).ask("POST", "/api/v1/config/reload", {})
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"], resource=B)), WRONG)
        self.assertEqual(self.aud(self.good(self.rp.refresh(tokens["refresh_token"]))), [A, self.me])
        self.assertEqual(error_of(self.rp.refresh(only["refresh_token"])), (400, "invalid_grant"))

    def test_scopes_the_app_may_no_longer_have(self):
        path = self.folder / "apps.d" / "rp.conf"
        self.addCleanup(lambda: (write_private(path, RP), Api(self.usher).ask("POST", "/api/v1/config/reload", {})))
        tokens = self.good(self.rp.redeem(self.code(resource=A, scope="openid email read")))
        only = self.good(self.rp.redeem(self.code(resource=A, scope="read")))
        code = self.code(resource=A, scope="openid email read")
        write_private(path, RP.replace("openid email offline_access read", "openid email offline_access"))
        Api(self.usher).ask("POST", "/api/v1/config/reload", {})
        self.assertEqual(self.good(self.rp.redeem(code))["scope"], "openid email")
        self.assertEqual(error_of(self.rp.refresh(tokens["refresh_token"], scope="read")), (400, "invalid_grant"))
        fresh = self.good(self.rp.refresh(tokens["refresh_token"]))
        self.assertEqual(fresh["scope"], "openid email")
        self.assertEqual(read_jwt(fresh["access_token"])[1]["scope"], "openid email")
        self.assertEqual(error_of(self.rp.refresh(only["refresh_token"])), (400, "invalid_grant"))

    def test_a_device(self):
        tv = RelyingParty(self.usher, "tv")
        self.browser.sign_in("oidc", "ada")
        form = [("scope", "openid read"), ("client_id", "tv"), ("resource", A), ("resource", B)]
        codes = Browser(self.usher).request("POST", "/oauth2/device_authorization", form=form).json()
        action, fields = form_of(self.browser.get("/device?user_code=" + codes["user_code"]).text)
        self.assertEqual(self.browser.post(action, {**fields, "answer": "allow"}).status, 200)

        def poll(**more):
            with sqlite3.connect(self.usher.database) as db:
                db.execute("UPDATE device_code SET last_poll = 1")
            db.close()
            return tv.post("token_endpoint", {"grant_type": DEVICE, "device_code": codes["device_code"], **more},
                           "none")

        self.assertEqual(error_of(poll(resource=C)), WRONG)
        tokens = self.good(poll(resource=B))
        self.assertEqual(read_jwt(tokens["access_token"])[1]["aud"], B)
        fresh = self.good(tv.refresh(tokens["refresh_token"], "none"))
        self.assertEqual(read_jwt(fresh["access_token"])[1]["aud"], [A, B, self.me])
        self.assertEqual(error_of(tv.refresh(fresh["refresh_token"], "none", resource=C)), WRONG)
        self.assertNotIn(C, json.dumps(self.usher.rows("SELECT resource FROM access_token WHERE app = 'tv'")))
