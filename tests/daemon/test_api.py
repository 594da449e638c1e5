# SPDX-License-Identifier: Apache-2.0
"""The administration's API from outside: against docs/openapi.yaml, and the ADM cases by id."""
import json
import re
import time

import contract
from harness import Api, Browser, Case, wait_for


def admin_of(usher, browser):
    """Whoever is signed in there is an admin from now on."""
    account = browser.me()["id"]
    Api(usher).ask("PUT", "/api/v1/roles/admin/" + account)
    return account


def token_of(usher, scopes="read write secrets metrics", **more):
    return Api(usher).ask("POST", "/api/v1/tokens", {"name": "test", "scopes": scopes, **more}, status=201)


def concrete(path):
    """A path of the route table, with something for each star."""
    return path.replace("*", "discord")


class Contract(Case):
    def test_every_route_is_described_and_every_description_has_a_route(self):
        routed = {(m, re.sub(r"\*", "{}", p)) for m, p in contract.routed()}
        described = {(m, re.sub(r"\{[a-z]+\}", "{}", p)) for m, p in contract.described()}
        self.assertEqual(routed - described, set(), "routes that docs/openapi.yaml does not know")
        self.assertEqual(described - routed, set(), "descriptions without a route")
        self.assertGreater(len(routed), 10)

    def test_the_description_is_sound(self):
        ids = set()
        for path, item in contract.DOCUMENT["paths"].items():
            for method, op in item.items():
                names = set(re.findall(r"\{([a-z]+)\}", path))
                given = {p["name"] for p in map(contract.resolve, op.get("parameters", [])) if p["in"] == "path"}
                self.assertEqual(names, given, path)
                self.assertIn("summary", op)
                for response in op["responses"].values():
                    for media in contract.resolve(response).get("content", {}).values():
                        contract.schema_errors(media["schema"], {})  # every reference leads somewhere
                ids.add((method, path))
        for name, schema in contract.DOCUMENT["components"]["schemas"].items():
            contract.jsonschema.Draft202012Validator.check_schema(schema)
            if schema.get("type") == "object" and "properties" in schema and name not in ("SettingRow",):
                self.assertIs(schema.get("additionalProperties"), False, name)

    def test_every_get_answers_as_described(self):
        api = Api(self.usher)
        for method, path in sorted(contract.routed()):
            if method == "GET" and not path.startswith("/api/v1/me"):
                api.get(path.replace("*", "discord"))
        self.assertGreater(len([h for h in api.heard if h[2] == 200]), 5)

    def test_me(self):
        for answer in (self.browser.get("/api/v1/me"), self.browser.sign_in() and self.browser.get("/api/v1/me")):
            self.assertEqual(contract.complaints("GET", "/api/v1/me", answer), [])


class Access(Case):
    """ADM-01, ADM-09: the route table, every method, everybody who may not."""

    METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

    def walk(self, headers, statuses, same_origin=True):
        """Each route with each method: refused, and as JSON, before anything is looked at."""
        seen = 0
        for _, path in sorted(contract.routed()):
            if path.startswith("/api/v1/me"):
                continue
            local = not self.at_public_address(path)
            for method in self.METHODS:
                given = dict(headers)
                if same_origin and method not in ("GET", "HEAD"):
                    given.update({"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin"})
                body = None if method in ("GET", "HEAD", "OPTIONS") else "{}"
                if body:
                    given["Content-Type"] = "application/json"
                answer = self.browser.request(method, concrete(path), headers=given, body=body)
                known = (method if method != "HEAD" else "GET", path) in contract.routed()
                expected = (404,) if local else statuses if known else (405, 413)
                self.assertIn(answer.status, expected, (method, path, answer.text))
                if method != "HEAD":
                    self.assertEqual(contract.errors_of(answer), [], (method, path))
                seen += known and not local
        self.assertGreater(seen, 10)

    @staticmethod
    def at_public_address(path):
        return all("OP_LOCAL" not in rest for (_, p), rest in contract.routed().items() if p == path)

    def test_adm_01_nobody(self):
        self.walk({}, (401,))

    def test_adm_01_a_session_that_ended(self):
        self.browser.sign_in()
        cookie = "usher=" + self.browser.session()
        admin_of(self.usher, self.browser)
        self.assertEqual(self.browser.get("/api/v1/tokens").status, 200)
        self.assertEqual(self.browser.post("/logout", {}).status, 200)
        self.walk({"Cookie": cookie}, (401,))
        account = self.usher.rows("SELECT account FROM account_role")[0][0]
        Api(self.usher).ask("DELETE", "/api/v1/roles/admin/" + account, {"force": True})

    def test_adm_01_a_plain_user(self):
        self.browser.sign_in(person="grace")
        self.walk({}, (403,))

    def test_adm_01_a_token_that_ended(self):
        token = token_of(self.usher)
        Api(self.usher).ask("DELETE", "/api/v1/tokens/" + token["id"])
        self.walk({"Authorization": "Bearer " + token["token"]}, (401,), same_origin=False)
        soon = token_of(self.usher, expires=int(time.time()) + 15)  # as long as making it may take
        wait_for("the token to expire", lambda: Api(self.usher, soon["token"]).get("/api/v1/tokens").status == 401)

    def test_adm_09_a_low_scope(self):
        self.walk({"Authorization": "Bearer " + token_of(self.usher, "metrics")["token"]}, (403,), same_origin=False)
        reader = Api(self.usher, token_of(self.usher, "read")["token"])
        changes = 0
        for method, path in sorted(contract.routed()):
            if method != "GET" and self.at_public_address(path):
                self.assertEqual(reader.request(method, concrete(path), {}).status, 403, (method, path))
                changes += 1
        self.assertGreater(changes, 3)
        self.assertEqual(reader.get("/api/v1/tokens").status, 200)

    def test_adm_09_nobody_gives_what_he_has_not(self):
        api = Api(self.usher, token_of(self.usher, "secrets")["token"])
        for scopes in ("read", "write", "secrets write", "read write secrets metrics"):
            self.assertEqual(api.request("POST", "/api/v1/tokens", {"name": "x", "scopes": scopes}).status, 403, scopes)
        self.assertEqual(api.request("POST", "/api/v1/tokens", {"name": "x", "scopes": "secrets"}).status, 201)

    def test_adm_01_nothing_is_done_on_the_way(self):
        before = self.usher.rows("SELECT count(*) FROM audit")
        self.walk({}, (401,))
        self.assertEqual(self.usher.rows("SELECT count(*) FROM audit"), before)


class Bodies(Case):
    """ADM-04, ADM-11, ADM-13."""

    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)

    def raw(self, text, kind="application/json", method="POST", path="/api/v1/tokens", **headers):
        return self.api.request(method, path, raw=text, headers={"Content-Type": kind, **headers})

    def test_adm_04_other_types_than_json(self):
        good = json.dumps({"name": "x", "scopes": "read"})
        for kind in ("text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded",
                     "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/json;charset=latin1",
                     "text/json", "application/jsonp", ""):
            self.assertEqual(self.raw(good, kind).status, 415, kind)
        self.assertEqual(self.raw(good.encode("utf-16")).status, 400)
        self.assertEqual(self.raw("name=x&scopes=read", "application/x-www-form-urlencoded").status, 415)
        self.assertEqual(self.raw(good, "application/json; charset=UTF-8").status, 201)

    def test_adm_04_method_overrides(self):
        token = token_of(self.usher)
        path = "/api/v1/tokens/" + token["id"]
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
            self.assertEqual(self.api.request("POST", path, {}, {name: "DELETE"}).status, 405)
            self.assertEqual(self.api.request("GET", path, None, {name: "DELETE"}).status, 405)
        for query in ("?_method=DELETE", "?method=DELETE"):
            self.assertEqual(self.api.get(path + query).status, 405)
        self.assertEqual(Api(self.usher, token["token"]).get("/api/v1/tokens").status, 200)

    def test_adm_04_no_get_changes_anything(self):
        before = self.usher.rows("SELECT count(*) FROM audit")
        for method, path in sorted(contract.routed()):
            if method == "GET":
                for query in ("", "?force=true", "?name=x&scopes=read"):
                    self.api.get(concrete(path) + query)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM audit"), before)

    def test_adm_11_unknown_and_duplicate_members(self):
        for body in ('{"name":"x","scopes":"read","id":"mine"}', '{"name":"x","scopes":"read","created":1}',
                     '{"name":"x","scopes":"read","hash":"00"}', '{"name":"x","scopes":"read","__proto__":{}}',
                     '{"name":"x","name":"y","scopes":"read"}', '{"scopes":"read","name":"x","scopes":"write"}',
                     '{"name":["x"],"scopes":"read"}', '{"name":"x","scopes":{"$ne":""}}', '{"name":"x","scopes":1}',
                     '[{"name":"x","scopes":"read"}]', 'null', '"x"', "{", "", " ", '{"name":"x"}',
                     '{"name":"x","scopes":"read","expires":"tomorrow"}', '{"name":"x","scopes":"read","expires":1e400}',
                     '{"name":"x","scopes":"read","expires":-1}', '{"name":"a\\u0000b","scopes":"read"}',
                     '{"name":"a\\nb","scopes":"read"}'):
            self.assertEqual(self.raw(body).status, 400, body)
        names = {t["name"] for t in self.api.ask("GET", "/api/v1/tokens")["tokens"]}
        self.assertEqual(names & {"x", "y"}, names & {"x"})  # only what other tests made

    def test_adm_11_fields_are_named(self):
        answer = self.raw('{"name":"x","scopes":"read","id":"mine"}')
        self.assertEqual([f["field"] for f in answer.json()["error"]["fields"]], ["id"])

    def test_too_large_and_too_deep(self):
        self.assertEqual(self.raw(json.dumps({"name": "x" * 70000, "scopes": "read"})).status, 413)
        self.assertEqual(self.raw("[" * 5000 + "]" * 5000).status, 400)
        self.assertEqual(self.raw(json.dumps({"name": "x" * 1000, "scopes": "read"})).status, 400)
        self.assertEqual(self.raw("{}", path="/api/v1/keys/rotate", kind="text/plain").status, 415)

    def test_adm_13_nothing_is_echoed(self):
        canary = "c4n4ry-in-a-body"
        for body in ('{"name":"%s\\n","scopes":"read"}', '{"name":"x","scopes":"%s"}', '{"name":"x","scopes":"read","expires":"%s"}',
                     '{"%s', '%s', '["%s"]', '{"name":"%s","name":"%s"}'):
            answer = self.raw(body.replace("%s", canary))
            self.assertEqual(answer.status, 400, body)
            self.assertNotIn(canary, answer.text, body)

    def test_adm_08_no_token_in_a_query(self):
        token = token_of(self.usher)["token"]
        for name in ("token", "access_token", "bearer", "authorization", "api_key"):
            self.assertEqual(self.browser.get("/api/v1/tokens?%s=%s" % (name, token)).status, 401)
        for form in ({"access_token": token},):
            self.assertIn(self.browser.post("/api/v1/tokens", form).status, (401, 415))

    def test_adm_08_cut_tokens(self):
        token = token_of(self.usher)["token"]
        for wrong in (token[:-1], token[1:], token + "A", token + "=", token.lower(), token.upper(), "", token + " " + token):
            answer = Api(self.usher, wrong).get("/api/v1/tokens")
            self.assertEqual(answer.status, 401, wrong)
        self.assertEqual(Api(self.usher, token).get("/api/v1/tokens").status, 200)

    def test_adm_05_wrong_tokens_lock_nobody_out(self):
        token = token_of(self.usher)["token"]
        answers = {Api(self.usher, "%043d" % i).get("/api/v1/tokens").status for i in range(300)}
        self.assertEqual(answers, {401})
        self.assertEqual(Api(self.usher, token).get("/api/v1/tokens").status, 200)

    def test_adm_06_equal_answers(self):
        token = token_of(self.usher)["token"]
        strip = lambda text: re.sub(r'"request_id":"[^"]*"', "", text)
        wrong = {strip(Api(self.usher, t).get("/api/v1/tokens").text)
                 for t in (token[:42] + ("A" if token[42] != "A" else "E"), "A" * 43, token[:20], "x")}
        self.assertEqual(len(wrong), 1)


class Browsers(Case):
    """ADM-03, ADM-04, ADM-25, ADM-26."""

    def setUp(self):
        super().setUp()
        self.browser.sign_in()
        account = self.browser.me()["id"]
        Api(self.usher).request("PUT", "/api/v1/roles/admin/" + account, {})

    def post(self, body='{"name":"x","scopes":"read"}', **headers):
        return self.browser.request("POST", "/api/v1/tokens", body=body,
                                    headers={"Content-Type": "application/json", **headers})

    def test_adm_04_only_our_own_pages_may_ask(self):
        ours = {"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin"}
        for headers in ({}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}, {"Origin": "http://app.example.com"},
                        {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"},
                        {"Referer": self.usher.url + "/admin"}, {**ours, "Sec-Fetch-Site": "same-site"},
                        {**ours, "Origin": "http://evil.example"}):
            self.assertEqual(self.post(**headers).status, 403, headers)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM api_token"), [(0,)])
        self.assertEqual(self.post(**ours).status, 201)

    def test_adm_26_no_cors(self):
        for origin in ("http://evil.example", "null", self.usher.url, "http://app.example.com"):
            for method in ("GET", "OPTIONS", "POST"):
                answer = self.browser.request(method, "/api/v1/tokens", headers={
                    "Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"})
                for name in answer.headers:
                    self.assertFalse(name.lower().startswith("access-control-"), (name, origin))

    def test_adm_25_headers(self):
        for answer in (self.browser.get("/api/v1/tokens"), Browser(self.usher).get("/api/v1/tokens"), self.browser.get("/api/v1/nothing")):
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])

    def test_adm_27_no_table_for_a_spreadsheet(self):
        """What people called themselves is never a cell: lists are JSON, whatever is asked for."""
        for path in ("/api/v1/users", "/api/v1/audit", "/api/v1/roles", "/account/data"):
            for query in ("", "?format=csv"):
                answer = self.browser.get(path + query, Accept="text/csv, application/vnd.ms-excel")
                self.assertIn(answer.status, (200, 400) if query else (200,), path)
                self.assertEqual(answer.headers["Content-Type"], "application/json", path)
                self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff", path)

    def test_adm_03_hosts(self):
        for host in ("usher", "localhost", "evil.example", "unix", "127.0.0.1"):
            answer = self.browser.request("GET", "/api/v1/tokens", headers={"Host": host})
            self.assertEqual(answer.status, 421, host)
        for name in ("X-Forwarded-Host", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-For", "X-Usher-User", "X-Forwarded-User"):
            answer = Browser(self.usher).request("GET", "/api/v1/tokens", headers={name: "/api/v1/tokens"})
            self.assertEqual(answer.status, 401, name)

    def test_adm_10_the_session_says_who(self):
        """Whatever a body or a query says about who asks is unknown."""
        other = Browser(self.usher)
        other.sign_in(person="grace")
        admin = self.browser.me()["id"]
        self.assertEqual(other.get("/api/v1/tokens?account=%s&actor=%s" % (admin, admin)).status, 403)
        answer = self.post('{"name":"x","scopes":"read","actor":"%s"}' % admin,
                           **{"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin"})
        self.assertEqual(answer.status, 400)


class Roles(Case):
    def test_adm_15_the_last_admin_stays(self):
        api = Api(self.usher)
        self.browser.sign_in()
        account = admin_of(self.usher, self.browser)
        self.assertEqual(api.request("DELETE", "/api/v1/roles/admin/" + account).status, 409)
        self.assertEqual(self.browser.get("/api/v1/tokens").status, 200)
        other = Browser(self.usher)
        other.sign_in(person="grace")
        second = admin_of(self.usher, other)
        api.ask("DELETE", "/api/v1/roles/admin/" + account)
        self.assertEqual(self.browser.get("/api/v1/tokens").status, 403)  # at once
        self.assertEqual(other.get("/api/v1/tokens").status, 200)
        api.ask("DELETE", "/api/v1/roles/admin/" + second, {"force": True})
        self.assertEqual(api.ask("GET", "/api/v1/roles/admin")["accounts"], [])

    def test_adm_08_tokens_end_with_their_makers_role(self):
        for person in ("ada", "grace"):
            browser = self.browser if person == "ada" else Browser(self.usher)
            browser.sign_in(person=person)
            account = browser.me()["id"]
            Api(self.usher).ask("PUT", "/api/v1/roles/admin/" + account)
        ours = {"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        made = browser.request("POST", "/api/v1/tokens", headers=ours, body='{"name":"mine","scopes":"read secrets"}').json()
        self.assertEqual(made["owner"], account)
        token = Api(self.usher, made["token"])
        child = Api(self.usher, token.ask("POST", "/api/v1/tokens", {"name": "child", "scopes": "read"}, status=201)["token"])
        self.assertEqual((token.get("/api/v1/tokens").status, child.get("/api/v1/tokens").status), (200, 200))
        Api(self.usher).ask("DELETE", "/api/v1/roles/admin/" + account)
        self.assertEqual((token.get("/api/v1/tokens").status, child.get("/api/v1/tokens").status), (401, 401))
        Api(self.usher).ask("DELETE", "/api/v1/roles/admin/" + self.browser.me()["id"], {"force": True})

    def test_adm_16_every_change_is_in_the_audit(self):
        api = Api(self.usher)
        token = token_of(self.usher)
        api.ask("DELETE", "/api/v1/tokens/" + token["id"])
        page = api.ask("GET", "/api/v1/audit?limit=2")
        self.assertEqual([e["action"] for e in page["audit"]], ["token.delete", "token.add"])
        for entry in page["audit"]:
            self.assertEqual(entry["actor_kind"], "socket")
            self.assertEqual(entry["outcome"], "done")
            self.assertNotIn(token["token"], json.dumps(entry))
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            self.assertEqual(api.request(method, "/api/v1/audit", {}).status, 405)
            self.assertEqual(api.request(method, "/api/v1/audit/1", {}).status, 404)

    def test_adm_24_filters_and_pages(self):
        # ADM-24, DB-02: places in a list are numbers, and nothing else
        api = Api(self.usher)
        for _ in range(5):
            token_of(self.usher)
        first = api.ask("GET", "/api/v1/audit?limit=2")
        second = api.ask("GET", "/api/v1/audit?limit=2&before=%d" % first["next"])
        self.assertEqual(len({e["n"] for e in first["audit"] + second["audit"]}), 4)
        for query in ("limit=0", "limit=-1", "limit=1000000000", "limit=x", "limit=1e3", "before=x", "before=-1", "limit=1&limit=2",
                      "sort=n", "order=desc", "limit=99999999999999999999", "before=0%20OR%201=1"):
            self.assertEqual(api.get("/api/v1/audit?" + query).status, 400, query)
        for value in ("'", "%27%20OR%201=1--", "%25", "_", "%25%25%25%25", "token.add%00", "%F0%9F%92%A5", ";drop%20table%20audit"):
            for name in ("actor", "action", "object"):
                answer = api.get("/api/v1/audit?%s=%s" % (name, value))
                if answer.status == 200:
                    self.assertEqual(answer.json()["audit"], [], (name, value))
                else:
                    self.assertEqual(answer.status, 400)
