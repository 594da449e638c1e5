# SPDX-License-Identifier: Apache-2.0
"""Users and roles from outside: what an admin does counts with the next request, and stays."""
import json
import time

import test_usherctl
from harness import Api, Browser, Case, wait_for

CONFLICT, REFUSED, USAGE = test_usherctl.CONFLICT, test_usherctl.REFUSED, test_usherctl.USAGE


class People(Case):
    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)

    def person(self, name):
        """(browser, account) of somebody who is signed in."""
        browser = Browser(self.usher)
        browser.sign_in(person=name)
        return browser, browser.me()["id"]

    def refused(self, name):
        """The page for somebody who may not sign in."""
        browser = Browser(self.usher)
        answer = browser.get(browser.to_callback(person=name))
        self.assertEqual(answer.status, 403, answer.summary())
        return answer

    def gate(self, browser):
        answer = browser.get("/auth")
        headers = {k: (answer.headers.get("X-Usher-" + k) or "").strip() for k in ("User", "Roles", "Permissions")}
        return answer.status, headers["Roles"], headers["Permissions"]

    def tearDown(self):
        for role in self.api.ask("GET", "/api/v1/roles")["roles"]:
            if not role["built_in"]:
                self.api.ask("DELETE", "/api/v1/roles/" + role["name"], {"force": True})
        super().tearDown()


class Roles(People):
    def test_a_role_counts_with_the_next_request(self):
        ada, account = self.person("ada")
        grace, _ = self.person("grace")
        self.assertEqual(self.gate(ada), (200, "", ""))
        self.api.ask("PUT", "/api/v1/roles/wiki", {"permissions": ["wiki.read"]}, status=201)
        self.api.ask("PUT", "/api/v1/roles/wiki/" + account)
        for _ in range(3):  # the answer is kept, and so is the next one
            self.assertEqual(self.gate(ada), (200, "wiki", "wiki.read"))
        self.api.ask("PUT", "/api/v1/roles/wiki", {"permissions": ["wiki.read", "wiki.edit"]})
        self.assertEqual(self.gate(ada), (200, "wiki", "wiki.edit,wiki.read"))
        me = ada.me()
        self.assertEqual((me["roles"], me["permissions"]), (["wiki"], ["wiki.edit", "wiki.read"]))
        self.api.ask("PUT", "/api/v1/roles/ops", {"permissions": ["deploy"]}, status=201)
        self.api.ask("PUT", "/api/v1/roles/ops/" + account)
        self.assertEqual(self.gate(ada), (200, "ops,wiki", "deploy,wiki.edit,wiki.read"))
        self.api.ask("DELETE", "/api/v1/roles/wiki/" + account)
        self.assertEqual(self.gate(ada), (200, "ops", "deploy"))
        self.assertEqual(self.gate(grace), (200, "", ""))
        self.assertEqual(self.api.request("DELETE", "/api/v1/roles/ops").status, 409)
        self.api.ask("DELETE", "/api/v1/roles/ops", {"force": True})
        self.assertEqual(self.gate(ada), (200, "", ""))

    def test_roles_are_there_after_signing_in_and_after_a_restart(self):
        ada, account = self.person("ada")
        self.api.ask("PUT", "/api/v1/roles/wiki", {"permissions": ["wiki.read"]}, status=201)
        self.api.ask("PUT", "/api/v1/roles/wiki/" + account)
        again, _ = self.person("ada")
        self.assertEqual(self.gate(again), (200, "wiki", "wiki.read"))
        self.usher.stop()
        self.usher.start()
        wait_for("the sessions", lambda: self.gate(ada)[0] == 200)
        self.assertEqual(self.gate(ada), (200, "wiki", "wiki.read"))
        self.assertEqual(self.gate(again), (200, "wiki", "wiki.read"))
        self.api.ask("PUT", "/api/v1/roles/wiki", {"permissions": []})
        self.assertEqual(self.gate(ada), (200, "wiki", ""))

    def test_versions(self):
        self.api.ask("PUT", "/api/v1/roles/wiki", {"permissions": []}, status=201)
        etag = self.api.get("/api/v1/roles/wiki").headers["ETag"]
        self.api.ask("PUT", "/api/v1/roles/wiki", {"permissions": ["a"]}, If_Match=etag)
        late = self.api.request("PUT", "/api/v1/roles/wiki", {"permissions": ["b"]}, {"If-Match": etag})
        self.assertEqual((late.status, late.json()["error"]["kind"]), (412, "stale"))
        self.assertEqual(self.api.ask("GET", "/api/v1/roles/wiki")["permissions"], ["a"])

    def test_names(self):
        for name in ("Wiki", "a%20b", "a%2Cb", "%C3%A4", "x" * 65, "a%0Ab"):
            self.assertIn(self.api.request("PUT", "/api/v1/roles/" + name, {"permissions": []}).status, (400, 404), name)
        for permission in ("", "No", "a b", "a,b", "a\nb", 7, None):
            wrong = self.api.request("PUT", "/api/v1/roles/wiki", {"permissions": [permission]})
            self.assertEqual((wrong.status, wrong.json()["error"]["fields"][0]["field"]), (400, "permissions"))
        self.assertEqual(self.api.get("/api/v1/roles/wiki").status, 404)
        _, account = self.person("ada")
        self.assertEqual(self.api.request("PUT", "/api/v1/roles/wiki/" + account).status, 404)


class Users(People):
    def test_found_and_shown(self):
        _, ada = self.person("ada")
        _, grace = self.person("grace")
        ids = [u["id"] for u in self.api.ask("GET", "/api/v1/users")["users"]]
        self.assertEqual(ids, sorted(ids))
        self.assertLessEqual({ada, grace}, set(ids))
        first = self.api.ask("GET", "/api/v1/users?limit=1")
        rest = self.api.ask("GET", "/api/v1/users?limit=200&after=" + first["next"])
        self.assertEqual([u["id"] for u in first["users"] + rest["users"]], ids)
        found = self.api.ask("GET", "/api/v1/users?search=LOVELACE")["users"]
        self.assertEqual([u["id"] for u in found], [ada])
        self.assertEqual(self.api.ask("GET", "/api/v1/users?search=%25")["users"], [])
        self.assertEqual(self.api.ask("GET", "/api/v1/users?provider=nothing")["users"], [])
        shown = self.api.ask("GET", "/api/v1/users/" + ada)
        self.assertEqual(shown["identities"][0]["provider"], "discord")
        self.assertGreaterEqual(len(shown["sessions"]), 1)
        self.assertEqual(self.api.get("/api/v1/users/nobody").status, 404)
        for query in ("limit=0", "limit=x", "disabled=maybe", "search=a&search=b", "sort=name"):
            self.assertEqual(self.api.get("/api/v1/users?" + query).status, 400, query)

    def test_acct_18_disabled_at_once_and_until_enabled(self):
        # ACCT-18, FWD-21: with the next request
        ada, account = self.person("ada")
        elsewhere, _ = self.person("ada")
        self.assertEqual(self.gate(ada)[0], 200)
        shown = self.api.ask("POST", "/api/v1/users/%s/disable" % account, {"reason": "left us"})
        self.assertEqual((shown["disabled"], shown["disabled_until"], shown["sessions"]), (True, None, []))
        for browser in (ada, elsewhere):
            self.assertEqual(self.gate(browser)[0], 401)
            self.assertEqual(browser.get("/api/v1/me").status, 401)
        self.assertNotIn("left us", self.refused("ada").text)  # for admins
        self.assertEqual(self.usher.rows("SELECT count(*) FROM session WHERE account = ?", account), [(0,)])
        self.api.ask("POST", "/api/v1/users/%s/enable" % account)
        self.assertEqual(self.gate(ada)[0], 401)  # what ended does not come back
        self.assertEqual(self.gate(self.person("ada")[0])[0], 200)
        self.assertEqual(self.api.request("POST", "/api/v1/users/%s/enable" % account).status, 409)

    def test_disabled_for_a_while(self):
        _, account = self.person("ada")
        until = int(time.time()) + 3600
        shown = self.api.ask("POST", "/api/v1/users/%s/disable" % account, {"reason": "a pause", "until": until})
        self.assertEqual((shown["disabled"], shown["disabled_until"]), (True, until))
        self.refused("ada")
        self.usher.change("UPDATE account SET disabled_until = ? WHERE id = ?", int(time.time()), account)
        self.assertFalse(self.api.ask("GET", "/api/v1/users/" + account)["disabled"])
        self.assertEqual(self.gate(self.person("ada")[0])[0], 200)

    def test_sessions_end(self):
        one, account = self.person("ada")
        two, _ = self.person("ada")
        first = one.me()["session"]["id"]
        path = "/api/v1/users/%s/end-sessions" % account
        self.assertEqual(self.api.ask("POST", path, {"session": first}), {"ended": 1})
        self.assertEqual((self.gate(one)[0], self.gate(two)[0]), (401, 200))
        self.assertEqual(self.api.request("POST", path, {"session": first}).status, 404)
        _, grace = self.person("grace")
        wrong = self.api.request("POST", "/api/v1/users/%s/end-sessions" % grace, {"session": two.me()["session"]["id"]})
        self.assertEqual((wrong.status, self.gate(two)[0]), (404, 200))
        self.assertGreaterEqual(self.api.ask("POST", path)["ended"], 1)
        self.assertEqual(self.gate(two)[0], 401)

    def test_deleted(self):
        konrad, account = self.person("konrad")
        self.api.ask("DELETE", "/api/v1/users/" + account)
        self.assertEqual(self.gate(konrad)[0], 401)
        again, other = self.person("konrad")
        self.assertNotEqual(other, account)
        self.api.ask("DELETE", "/api/v1/users/" + other, {"bar": True})
        self.assertEqual(self.gate(again)[0], 401)
        self.refused("konrad")

    def test_adm_15_the_last_admin_is_not_locked_out(self):
        ada, account = self.person("ada")
        self.api.ask("PUT", "/api/v1/roles/admin/" + account)
        for method, path, body in (("POST", "/disable", {"reason": "x"}), ("DELETE", "", {})):
            refused = self.api.request(method, "/api/v1/users/" + account + path, body)
            self.assertEqual(refused.status, 409, path)
        self.assertEqual(self.gate(ada)[0], 200)
        writer = Api(self.usher, self.api.ask("POST", "/api/v1/tokens", {"name": "w", "scopes": "write"}, status=201)["token"])
        for path, body in (("/disable", {"reason": "x", "force": True}), ("/end-sessions", {}), ("/enable", {})):
            self.assertEqual(writer.request("POST", "/api/v1/users/" + account + path, body).status, 403, path)
        self.api.ask("DELETE", "/api/v1/roles/admin/" + account, {"force": True})

    def test_adm_16_priv_11_the_audit_knows_accounts_by_id(self):
        _, account = self.person("ada")
        self.api.ask("POST", "/api/v1/users/%s/end-sessions" % account)
        page = self.api.ask("GET", "/api/v1/audit?action=user.&account=" + account)["audit"]
        self.assertEqual((page[0]["action"], page[0]["object"]), ("user.end_sessions", account))
        self.assertNotIn("Lovelace", json.dumps(self.usher.rows("SELECT was, became, actor_name FROM audit")))


class CommandLine(test_usherctl.Ctl):
    providers = Case.providers
    tearDown = Case.tearDown

    def test_users(self):
        self.browser.sign_in()
        account = self.browser.me()["id"]
        out = self.run_ctl("user", "list")[0]
        self.assertRegex(out, account + r" +Ada Lovelace")
        self.assertEqual([u["id"] for u in self.json_of("user", "list", "--search", "ada")["users"]], [account])
        self.assertIn("Nobody.", self.run_ctl("user", "list", "--disabled")[0])
        self.run_ctl("user", "list", "--disabled", "--enabled", status=USAGE)
        self.run_ctl("user", "list", "--limit", "0", status=REFUSED)
        self.assertRegex(self.run_ctl("user", "list", "--limit", "1")[0], r"(?s)^ACCOUNT[^\n]*\n[^\n]+\n(There may be more.*)?$")
        shown = self.run_ctl("user", "show", account)[0]
        for part in ("discord", "127.0.0.1", "80351110224678912"):
            self.assertIn(part, shown)
        self.run_ctl("user", "disable", account, status=USAGE)
        self.run_ctl("user", "disable", account, "--reason", "x", "--until", "2001-01-01", status=USAGE)
        self.run_ctl("user", "disable", account, "--reason", "on leave", "--until", "12h")
        self.assertEqual(self.browser.get("/auth").status, 401)
        shown = self.run_ctl("user", "show", account)[0]
        self.assertRegex(shown, r"(?m)^because +on leave")
        self.assertIn("user.disable", shown)
        self.run_ctl("user", "enable", account)
        self.run_ctl("user", "enable", account, status=CONFLICT)
        self.browser.sign_in()
        self.run_ctl("user", "end-sessions", account, "--session", "nothing", status=REFUSED)
        self.run_ctl("user", "end-sessions", account, "--session", self.browser.me()["session"]["id"])
        self.assertEqual(self.browser.get("/auth").status, 401)
        self.run_ctl("user", "delete", account, status=USAGE)
        self.run_ctl("user", "delete", account, "--yes")
        self.run_ctl("user", "show", account, status=REFUSED)

    def test_roles(self):
        self.browser.sign_in(person="grace")
        account = self.browser.me()["id"]
        self.run_ctl("role", "set", "wiki", "--allow", "wiki.read", "--allow", "wiki.edit", "--description", "The wiki")
        self.assertRegex(self.run_ctl("role", "list")[0], r"wiki +0 +The wiki +wiki\.edit wiki\.read")
        self.run_ctl("role", "set", "wiki", "--description", "Our wiki")
        self.assertEqual(self.json_of("role", "show", "wiki")["permissions"], ["wiki.edit", "wiki.read"])
        self.run_ctl("role", "set", "wiki", "--allow", "wiki.read")
        shown = self.json_of("role", "show", "wiki")
        self.assertEqual((shown["permissions"], shown["description"]), (["wiki.read"], "Our wiki"))
        self.run_ctl("role", "set", "wiki", "--allow", "x", "--allow-nothing", status=USAGE)
        self.run_ctl("role", "set", "Wiki", status=REFUSED)
        self.run_ctl("role", "grant", "wiki", account)
        self.run_ctl("role", "grant", "nothing", account, status=REFUSED)
        self.assertEqual(self.browser.me()["permissions"], ["wiki.read"])
        self.assertIn(account, self.run_ctl("role", "show", "wiki")[0])
        self.run_ctl("role", "delete", "wiki", "--yes", status=CONFLICT)
        self.run_ctl("role", "take", "wiki", account)
        self.run_ctl("role", "take", "wiki", account, status=REFUSED)
        self.run_ctl("role", "set", "wiki", "--allow-nothing")
        self.assertEqual(self.json_of("role", "show", "wiki")["permissions"], [])
        self.run_ctl("role", "delete", "wiki", status=USAGE)
        self.run_ctl("role", "delete", "wiki", "--yes")
        self.run_ctl("role", "show", "wiki", status=REFUSED)
