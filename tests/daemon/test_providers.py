# SPDX-License-Identifier: Apache-2.0
"""Providers administered on a running usherd: effect on the next request, lost updates, what is refused
and why: ADM cases by id, LOGIN-25."""
import concurrent.futures
import http.server
import json
import signal
import socket
import threading
import time

from harness import Api, Browser, Case, fake_providers, wait_for


def discord(fake, **more):
    return {"plugin": "discord", **fake_providers(fake)["discord"], **more}


class Providers(Case):
    """One provider by a file (oidc), the others by rows that each test makes and takes away."""

    @classmethod
    def providers(cls, fake):
        return {"oidc": fake_providers(fake)["oidc"]}

    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)
        self.addCleanup(self.clear)

    def clear(self):
        for p in self.api.ask("GET", "/api/v1/providers")["providers"]:
            if not p["read_only"]:
                self.api.ask("DELETE", "/api/v1/providers/" + p["id"], {"force": True}, If_Match='"%d"' % p["version"])

    def add(self, id="discord", settings=None, status=201, **more):
        body = {"id": id, "settings": settings or discord(self.fake), "adopt": True, **more}
        return self.api.ask("POST", "/api/v1/providers", body, status=status)

    def edit(self, settings, id="discord", status=200, etag=None, **more):
        etag = etag or self.etag(id)
        return self.api.ask("PATCH", "/api/v1/providers/" + id, {"settings": settings, **more}, status=status, If_Match=etag)

    def etag(self, id="discord"):
        return self.api.get("/api/v1/providers/" + id).headers["ETag"]

    def chooser(self):
        return Browser(self.usher).get("/login").text


class Effect(Providers):
    def test_added_changed_and_removed_for_the_next_request(self):
        self.assertEqual(self.browser.get("/login/discord").status, 404)
        made = self.add()
        self.assertEqual(made["callback_url"], self.usher.url + "/callback/discord")
        self.assertTrue(made["usable"])
        self.assertEqual(made["source"], {"kind": "row", "file": None})
        self.browser.sign_in("discord")
        self.assertEqual(self.browser.me()["provider"], "discord")
        self.edit({"label": "Our Discord"})
        self.assertIn("Our Discord", self.chooser())
        self.edit({"enabled": False})
        self.assertNotIn("Our Discord", self.chooser())
        self.assertEqual(Browser(self.usher).get("/login/discord").status, 404)
        self.edit({"enabled": True, "label": None})
        self.assertIn("Discord", self.chooser())
        self.assertNotIn("Our Discord", self.chooser())
        self.api.ask("DELETE", "/api/v1/providers/discord", If_Match=self.etag())
        self.assertEqual(Browser(self.usher).get("/login/discord").status, 404)
        self.assertIsNotNone(self.browser.me())  # sessions stay

    def test_it_survives_a_restart(self):
        self.add()
        self.usher.stop()
        self.usher.start()
        self.browser.sign_in("discord")

    def test_login_25_logins_under_way_end_on_the_old_settings(self):
        self.add()
        target = self.browser.to_callback("discord")
        self.fake.fault("/discord/api/v10/oauth2/token", "held", times=1)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self.browser.get, target)
            wait_for("the upstream to be asked", lambda: self.fake.counts().get("/discord/api/v10/oauth2/token"))
            try:
                self.edit({"client_secret": "another-secret", "api_url": self.fake.url + "/nothing"})
            finally:
                self.fake.release()
            self.assertEqual(answer.result().status, 303)
        self.assertIsNotNone(self.browser.me())

    def test_adm_14_deleted_while_somebody_signs_in(self):
        self.add()
        target = self.browser.to_callback("discord")
        self.api.ask("DELETE", "/api/v1/providers/discord", If_Match=self.etag())
        answer = self.browser.get(target)
        self.assertIn(answer.status, (400, 404))
        self.assertIn("<h1>", answer.text)
        self.assertIsNone(self.browser.me())

    def test_replacing_keeps_secrets_and_resets_the_rest(self):
        self.add(settings=discord(self.fake, label="Before", scopes="identify email"))
        whole = {k: v for k, v in discord(self.fake).items() if k != "client_secret"}
        now = self.api.ask("PUT", "/api/v1/providers/discord", {"settings": whole}, If_Match=self.etag())
        self.assertNotIn("label", now["settings"])
        self.assertIsNotNone(now["secrets"]["client_secret"]["active"])
        self.browser.sign_in("discord")
        self.assertNotIn("client_secret", now["settings"])

    def test_rotation_and_slots(self):
        self.add()
        after = self.api.ask("POST", "/api/v1/providers/discord/rotate", {"secret": "the-next-one", "expires": int(time.time()) + 86400})
        slots = after["secrets"]["client_secret"]
        self.assertEqual((slots["using"], bool(slots["next"]), slots["retiring"]), ("active", True, None))
        self.assertGreater(slots["next"]["expires"], time.time())
        self.fake.call("POST", "/fake/faults", {"fault": "secret-switch", "value": "the-next-one"})
        self.browser.sign_in("discord")  # not one failed login

        def moved():
            slots = self.api.ask("GET", "/api/v1/providers/discord")["secrets"]["client_secret"]
            return slots["next"] is None and slots["retiring"] and slots["active"]
        wait_for("next to become active", moved)
        entry = self.api.ask("GET", "/api/v1/audit?action=provider.promote")["audit"][0]
        self.assertEqual((entry["actor_kind"], entry["object"]), ("system", "discord"))
        self.api.ask("POST", "/api/v1/providers/discord/drop", {"slot": "retiring"})
        self.assertEqual(self.api.request("POST", "/api/v1/providers/discord/promote", {}).status, 409)
        self.assertEqual(self.api.request("POST", "/api/v1/providers/discord/drop", {"slot": "active"}).status, 409)


class Refusals(Providers):
    def test_files_are_read_only_and_named(self):
        shown = self.api.get("/api/v1/providers/oidc")
        self.assertIsNone(shown.headers.get("ETag"))
        self.assertTrue(shown.json()["read_only"])
        self.assertTrue(shown.json()["source"]["file"].endswith("/oidc.conf"))
        for method, path, body in (("PATCH", "", {"settings": {"label": "x"}}), ("PUT", "", {"settings": {}}), ("DELETE", "", {}),
                                   ("POST", "/rotate", {"secret": "new"}), ("POST", "/promote", {}), ("POST", "/drop", {"slot": "next"})):
            answer = self.api.request(method, "/api/v1/providers/oidc" + path, body, {"If-Match": '"1"'})
            self.assertEqual(answer.status, 409, (method, path, answer.text))
            self.assertIn("oidc.conf", answer.json()["error"]["text"])
        self.add("oidc", status=409)

    def test_fields_are_named(self):
        self.add()
        for settings, field, status in (({"client_id": None}, "client_id", 422), ({"api_url": "ftp://x"}, "api_url", 422),
                                        ({"nothing": "x"}, "nothing", 422), ({"enabled": "perhaps"}, "enabled", 422),
                                        ({"label": "a\nb"}, "label", 400)):
            error = self.edit(settings, status=status)["error"]
            self.assertEqual([f["field"] for f in error["fields"]], [field], error)

    def test_adm_11_protected_and_unknown_members(self):
        self.add()
        for body in ({"settings": {}, "version": 7}, {"settings": {}, "id": "other"}, {"settings": {}, "usable": True},
                     {"settings": {}, "source": {"kind": "file"}}, {"settings": []}, {"settings": "x"}, {}, {"settings": {}, "created": 1},
                     {"settings": {"scopes": {"a": 1}}}, {"settings": {"scopes": [1]}}, {"settings": {"client_id": ["a", "b\nc"]}}):
            for method in ("PATCH", "PUT"):
                answer = self.api.request(method, "/api/v1/providers/discord", body, {"If-Match": self.etag()})
                self.assertIn(answer.status, (400, 422), (method, body))
        self.assertEqual(self.api.request("PATCH", "/api/v1/providers/discord", None, {"If-Match": self.etag()}).status, 400)

    def test_adm_14_lost_updates(self):
        self.add()
        etag = self.etag()
        self.assertEqual(self.api.request("PATCH", "/api/v1/providers/discord", {"settings": {"label": "x"}}).status, 428)
        self.assertEqual(self.api.request("DELETE", "/api/v1/providers/discord").status, 428)
        self.edit({"label": "one"}, etag=etag)
        for method, body in (("PATCH", {"settings": {"label": "two"}}), ("PUT", {"settings": discord(self.fake)}), ("DELETE", {})):
            self.assertEqual(self.api.request(method, "/api/v1/providers/discord", body, {"If-Match": etag}).status, 412, method)
        for odd in ('"', "1", "*, " + etag, "W/" + self.etag(), '""', "x" * 4000):
            self.assertIn(self.api.request("PATCH", "/api/v1/providers/discord", {"settings": {"label": "x"}}, {"If-Match": odd}).status,
                          (400, 412), odd)
        self.assertEqual(self.api.ask("GET", "/api/v1/providers/discord")["label"], "one")

    def test_adm_14_many_at_once(self):
        self.add()
        for _ in range(3):
            etag = self.etag()

            def patch(i):
                return Api(self.usher).request("PATCH", "/api/v1/providers/discord", {"settings": {"label": "L%d" % i}}, {"If-Match": etag}).status
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                statuses = sorted(pool.map(patch, range(8)))
            self.assertEqual(statuses, [200] + [412] * 7)

    def test_adm_15_the_way_in_stays(self):
        self.add()
        self.browser.sign_in("discord")
        self.api.ask("PUT", "/api/v1/roles/admin/" + self.browser.me()["id"])
        mine = {"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json", "If-Match": self.etag()}
        answer = self.browser.request("DELETE", "/api/v1/providers/discord", headers=mine)
        self.assertEqual(answer.status, 409, answer.text)
        answer = self.browser.request("PATCH", "/api/v1/providers/discord", headers=mine, body='{"settings":{"enabled":false}}')
        self.assertEqual(answer.status, 409, answer.text)
        answer = self.browser.request("DELETE", "/api/v1/providers/discord", headers=mine, body='{"force":true}')
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(self.browser.get("/api/v1/providers").status, 200)  # and is an admin still

    def test_accounts_are_not_inherited_unasked(self):
        """Whoever controls the upstream of an id controls its accounts."""
        self.add("second", {**discord(self.fake)})
        Browser(self.usher).sign_in("second")
        self.api.ask("DELETE", "/api/v1/providers/second", If_Match=self.etag("second"))
        body = {"id": "second", "settings": {**discord(self.fake), "api_url": self.fake.url + "/oidc"}}
        self.assertEqual(self.api.request("POST", "/api/v1/providers", body).status, 409)
        self.api.ask("POST", "/api/v1/providers", {**body, "adopt": True}, status=201)

    def test_adm_16_the_audit_tells_without_secrets(self):
        self.add(settings=discord(self.fake, client_secret="c4n4ry-for-the-audit"))
        self.edit({"label": "New", "client_secret": "c4n4ry-again-for-it"})
        self.api.ask("DELETE", "/api/v1/providers/discord", {"force": True}, If_Match=self.etag())
        audit = self.api.ask("GET", "/api/v1/audit?object=discord&limit=3")
        self.assertNotIn("c4n4ry", json.dumps(audit))
        deleted, edited, added = audit["audit"]
        self.assertEqual([e["action"] for e in (added, edited, deleted)], ["provider.add", "provider.edit", "provider.delete"])
        self.assertEqual({e["outcome"] for e in (added, edited, deleted)}, {"done"})
        self.assertIsNone(deleted["after"])
        self.assertIsNone(added["before"])
        self.assertIn("New", json.dumps(edited["after"]))
        self.assertIn("changed", json.dumps(edited["after"]))

    def test_adm_17_names_are_escaped_where_they_are_shown(self):
        for label in ('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "{{7*7}}", "</title>x", "a&b<c"):
            self.add(settings=discord(self.fake, label=label))
            page = self.chooser()
            for evil in ("<script>alert", "<img src=x", "</title>x", "onerror=alert(1)>"):
                self.assertNotIn(evil, page, label)
            self.assertEqual(self.api.ask("GET", "/api/v1/providers/discord")["label"], label)
            self.clear()
        for label in ("a\u0000b", "a\u0007b", "a\nb"):
            self.assertIn(self.api.request("POST", "/api/v1/providers", {"id": "discord", "settings": discord(self.fake, label=label), "adopt": True}).status, (400, 422))

    def test_adm_18_19_urls_that_lead_nowhere_good(self):
        """What is wrong to write is refused at once; what only shows when it is asked is refused there."""
        for url in ("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "gopher://x", "//evil.example", "http://10.0.0.1/",
                    "http://169.254.169.254/latest", "https://user:pw@x.example/", "https://x.example/#f", "https:///x", "https://",
                    "https://x.example:99999/", "https://exa mple/", "http://example.com/"):
            for key in ("authorize_url", "api_url", "cdn_url"):
                answer = self.api.request("POST", "/api/v1/providers", {"id": "evil", "adopt": True, "settings": discord(self.fake, **{key: url})})
                self.assertEqual(answer.status, 422, (key, url))
                self.assertEqual([f["field"] for f in answer.json()["error"]["fields"]], [key], url)

    def test_adm_23_ids_are_no_paths(self):
        for id in ("../x", "..", ".", "a/b", "A", "a b", "a%2fb", "", "x" * 100, "a\u0000", "ä", "-", "'; drop table provider; --", 7, None, ["a"]):
            self.assertIn(self.api.request("POST", "/api/v1/providers", {"id": id, "settings": discord(self.fake)}).status, (400, 422), id)
        for path in ("/api/v1/providers/..", "/api/v1/providers/../keys", "/api/v1/providers/%2e%2e", "/api/v1/providers//test"):
            self.assertEqual(self.api.get(path).status, 404, path)

    def test_adm_09_scopes(self):
        token = lambda scopes: Api(self.usher, self.api.ask("POST", "/api/v1/tokens", {"name": "t", "scopes": scopes}, status=201)["token"])
        body = {"id": "discord", "settings": discord(self.fake), "adopt": True}
        for scopes in ("read", "write", "secrets", "metrics", "read metrics"):
            self.assertEqual(token(scopes).request("POST", "/api/v1/providers", body).status, 403, scopes)
        self.assertEqual(token("write secrets").request("POST", "/api/v1/providers", body).status, 201)
        writer = token("read write")
        etag = {"If-Match": self.etag()}
        self.assertEqual(writer.request("PATCH", "/api/v1/providers/discord", {"settings": {"client_secret": "x" * 20}}, etag).status, 403)
        self.assertEqual(writer.request("POST", "/api/v1/providers/discord/rotate", {"secret": "x" * 20}).status, 403)
        self.assertEqual(writer.request("PATCH", "/api/v1/providers/discord", {"settings": {"label": "x"}}, etag).status, 200)


class Elsewhere(Providers):
    """A stored secret is sent to its upstream and to no other, unless who changes that could set it anyway."""

    def test_adm_09_writing_alone_leads_no_secret_elsewhere(self):
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as evil:
            Listener.heard = []
            threading.Thread(target=evil.serve_forever, daemon=True).start()
            url = "http://127.0.0.1:%d" % evil.server_port
            self.add(settings=discord(self.fake, client_secret="c4n4ry-of-discord"))
            writer = Api(self.usher, self.api.ask("POST", "/api/v1/tokens", {"name": "w", "scopes": "read write"}, status=201)["token"])
            bare = {k: v for k, v in discord(self.fake).items() if k != "client_secret"}
            own = {"plugin": "oauth2", "client_id": "x", "authorize_url": url + "/a", "token_url": url + "/t", "profile_url": url + "/u"}
            for settings in ({**bare, "api_url": url}, {**bare, "authorize_url": url, "api_url": url, "cdn_url": url}, own):
                body = {"settings": settings, "adopt": True, "force": True}
                for method in ("PUT", "PATCH"):
                    answer = writer.request(method, "/api/v1/providers/discord", body, {"If-Match": self.etag()})
                    self.assertEqual(answer.status, 422 if method == "PATCH" and "token_url" in settings else 403, (method, settings, answer.text))
                answer = writer.request("POST", "/api/v1/provider-tests", {"id": "discord", **body})
                self.assertEqual(answer.status, 403, (settings, answer.text))
                writer.request("POST", "/api/v1/providers/discord/test")
            self.assertEqual(Listener.heard, [])
            evil.shutdown()


class Listener(http.server.BaseHTTPRequestHandler):
    heard = []

    def do_POST(self):
        Listener.heard.append(self.path)
        self.send_error(400)

    do_GET = do_POST

    def log_message(self, *_):
        pass


class Private(Case):
    """ADM-19: addresses inside are refused at the socket, however they are written; nothing is connected."""

    settings = {"providers": {"allow_http_loopback": "no"}}
    providers = staticmethod(lambda fake: {})

    def test_adm_19_addresses_inside(self):
        api = Api(self.usher)
        accepted, refused = [], []
        with socket.create_server(("127.0.0.1", 0)) as inside:
            inside.settimeout(0.2)
            port = inside.getsockname()[1]

            def accept():
                while inside.fileno() >= 0:
                    try:
                        accepted.append(inside.accept()[0])
                    except OSError:
                        continue
            threading.Thread(target=accept, daemon=True).start()
            for host in ("127.0.0.1", "localhost", "localhost.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]",
                         "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "169.254.169.254", "10.0.0.1", "172.16.0.1",
                         "192.168.0.1", "100.64.0.1", "[fc00::1]", "[fe80::1]", "224.0.0.1", "[ff02::1]", "255.255.255.255"):
                url = "https://%s:%d" % (host, port)
                settings = {"plugin": "oauth2", "label": "Inside", "client_id": "x", "client_secret": "y" * 20, "authorize_url": url + "/a",
                            "token_url": url + "/t", "profile_url": url + "/u"}
                answer = api.request("POST", "/api/v1/provider-tests", {"id": "inside", "settings": settings})
                if answer.status == 422:
                    refused.append(host)
                    self.assertEqual({f["field"] for f in answer.json()["error"]["fields"]}, {"authorize_url", "token_url", "profile_url"})
                else:
                    self.assertEqual(answer.status, 200, (host, answer.text))
                    results = {f["check"]: f["result"] for f in answer.json()["findings"]}
                    self.assertEqual((answer.json()["ok"], results["token"]), (False, "fail"), (host, answer.text))
        self.assertEqual(accepted, [])
        self.assertEqual(refused, ["localhost.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"])  # no way to write one


def results_of(report):
    return {f["check"]: f["result"] for f in report["findings"]}


class Trials(Providers):
    """Tests and rehearsals by API: what they tell, and what they do not."""

    def test_a_saved_provider(self):
        self.add()
        report = self.api.ask("POST", "/api/v1/providers/discord/test")
        self.assertTrue(report["ok"], report)
        self.add("google", fake_providers(self.fake)["google"])
        self.assertTrue(self.api.ask("POST", "/api/v1/providers/google/test")["ok"])
        self.edit({"client_secret": "wrong-one"}, id="google")
        report = self.api.ask("POST", "/api/v1/providers/google/test")
        self.assertFalse(report["ok"])
        self.assertEqual(results_of(report)["token"], "fail")
        self.assertEqual(self.api.request("POST", "/api/v1/providers/nothing/test").status, 404)
        self.assertIn(self.api.request("POST", "/api/v1/providers/discord/test", {"slot": "next"}).status, (400, 404, 409))
        self.assertEqual(self.api.request("POST", "/api/v1/providers/discord/test", {"slot": "other"}).status, 400)

    def test_a_draft_is_kept_nowhere(self):
        before = self.usher.rows("SELECT count(*) FROM provider")
        report = self.api.ask("POST", "/api/v1/provider-tests", {"id": "draft", "settings": discord(self.fake)})
        self.assertTrue(report["ok"], report)
        answer = self.api.request("POST", "/api/v1/provider-tests", {"id": "draft", "settings": discord(self.fake, client_id="")})
        self.assertEqual((answer.status, [f["field"] for f in answer.json()["error"]["fields"]]), (422, ["client_id"]))
        self.assertEqual(self.usher.rows("SELECT count(*) FROM provider"), before)
        self.assertEqual(Browser(self.usher).get("/login/draft").status, 404)

    def test_a_rehearsal_in_the_browser_of_an_admin(self):
        self.add()
        self.browser.sign_in("oidc")
        account = self.browser.me()["id"]
        self.api.ask("PUT", "/api/v1/roles/admin/" + account)
        ours = {"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin"}
        rows = self.usher.rows("SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM identity), (SELECT count(*) FROM session)")
        begun = self.browser.request("POST", "/api/v1/providers/discord/rehearsals", headers=ours)
        self.assertEqual(begun.status, 201, begun.text)
        back = self.browser.follow(self.browser.get(begun.json()["url"] + "&login_hint=grace"), until=self.usher.url + "/callback/")
        answer = self.browser.get(back)
        self.assertEqual((answer.status, answer.headers.get("Refresh")), (200, "0; url=/admin/rehearsals/" + begun.json()["id"]))
        report = self.browser.get("/api/v1/rehearsals/" + begun.json()["id"]).json()
        self.assertEqual((report["state"], report["linking"]["decision"]), ("done", "new"), report)
        self.assertEqual(self.browser.me()["id"], account)  # nobody was signed in
        self.assertEqual(rows, self.usher.rows(
            "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM identity), (SELECT count(*) FROM session)"))
        self.assertEqual(self.api.get("/api/v1/rehearsals/" + begun.json()["id"]).status, 404)  # only its owner
        self.assertEqual(self.api.request("POST", "/api/v1/providers/discord/rehearsals").status, 400)  # no browser


class Scanner(Providers):
    """On a usherd of its own: it spends all the tests there are in a minute."""

    def test_adm_21_no_port_scanner(self):
        """Open, closed, talking something else: our words, without status, text or time of the other side.
        Only for those who may write, and not without end."""
        ports = {"closed": "http://127.0.0.1:1", "usher": self.usher.url, "wrong path": self.fake.url + "/nothing"}
        told = {}
        for name, url in ports.items():
            settings = discord(self.fake, authorize_url=url + "/a", api_url=url + "/b", cdn_url=url + "/c")
            report = self.api.ask("POST", "/api/v1/provider-tests", {"id": "scan", "settings": settings})
            self.assertIn(results_of(report)["token"], ("fail", "warn"), name)
            told[name] = json.dumps(report)
            for leak in ("Connection refused", " ms", "404", "405", "HTTP/1", "html", "There is nothing here", "usher_"):
                self.assertNotIn(leak, told[name], (name, leak))
        statuses = [self.api.request("POST", "/api/v1/provider-tests", {"id": "scan", "settings": discord(self.fake)}).status for _ in range(80)]
        self.assertIn(429, statuses)
        reader = Api(self.usher, self.api.ask("POST", "/api/v1/tokens", {"name": "r", "scopes": "read"}, status=201)["token"])
        self.assertEqual(reader.request("POST", "/api/v1/providers/oidc/test").status, 403)


class Killed(Case):
    """kill -9 while everything is sealed anew: nothing is lost, and it goes on by itself."""

    providers = staticmethod(lambda fake: {})

    ROWS = 250

    def test_key_rotation_goes_on_after_kill_9(self):
        api = Api(self.usher)
        for i in range(self.ROWS):
            api.ask("POST", "/api/v1/providers", {"id": "p%d" % i, "settings": discord(self.fake)}, status=201)
        interrupted = 0
        for round in range(60):
            keys = (self.folder / "usher.key").read_bytes()
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                asked = pool.submit(self.try_rotate)
                while (self.folder / "usher.key").read_bytes() == keys and not asked.done():
                    pass  # the new key comes first, and then what is sealed with it
                time.sleep(0.0007 * round)
                self.kill()
                asked.result()
            left = self.sealed_with()
            self.usher.start()
            wait_for("sealing again", lambda: api.ask("GET", "/api/v1/keys")["rotation"]["state"] != "sealing")
            keys = api.ask("GET", "/api/v1/keys")
            current = [k["id"] for k in keys["keys"] if k["current"]]
            self.assertEqual(self.sealed_with(), set(current))
            signing = self.usher.rows("SELECT count(*) FROM signing_key")[0][0]
            self.assertGreater(signing, 0)
            self.assertEqual([k["sealed"] for k in keys["keys"] if k["current"]], [self.ROWS + signing])
            self.assertEqual(keys["rotation"]["stuck"], 0)
            Browser(self.usher).sign_in("p%d" % round)
            interrupted += left != set(current)  # there was a new key, and not everything was sealed with it
            if interrupted >= 3 and round >= 5:
                break
        self.assertGreater(interrupted, 0)
        self.assertTrue(all(p["usable"] for p in api.ask("GET", "/api/v1/providers")["providers"]))

    def sealed_with(self):
        """The ids of the keys that what is stored was sealed with."""
        rows = self.usher.rows("SELECT sealed FROM provider_secret UNION SELECT sealed FROM signing_key")
        return {sealed[:4].hex() for sealed, in rows}

    def try_rotate(self):
        try:
            Api(self.usher).request("POST", "/api/v1/keys/rotate")
        except OSError:
            pass
        except Exception as error:  # http.client's own: the connection ended
            assert "RemoteDisconnected" in type(error).__name__ or "BadStatusLine" in type(error).__name__, error

    def kill(self):
        self.usher.child.send_signal(signal.SIGKILL)
        self.usher.child.wait()
