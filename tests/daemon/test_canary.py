# SPDX-License-Identifier: Apache-2.0
"""Secrets go in and never come out: canaries are given to usherd in every way there is, every route is
used, and then the database, its log, the daemon's log and everything anybody was told are searched, in
every encoding a slip could use: DB-05, ADM-13, CONF-14, PRIV-01."""
import base64
import json
import os
import re
import urllib.parse

import contract
from harness import CLIENT, Api, Browser, Case, wait_for

SWITCH = {"fault": "secret-switch"}


def spellings(secret):
    """The secret as it could hide: plain, hex, percent-encoded, base64 at each offset."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), raw[::-1],
             urllib.parse.quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode(),
             "".join("%%%02X" % b for b in raw).encode(), secret.encode("utf-16-le")}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + raw)[(0, 4, 4)[shift]:]
        core = whole.rstrip(b"=")[:-2]
        found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def around(data, found):
    at = data.find(found)
    return data[max(0, at - 300):at + 100]


class Recorder(Browser):
    """A browser that remembers every answer, head and all."""

    def __init__(self, usher, heard):
        super().__init__(usher)
        self.heard = heard

    def request(self, method, url, form=None, headers=None, body=None):
        answer = super().request(method, url, form, headers, body)
        if urllib.parse.urlsplit(answer.url).port == self.usher.port:
            self.heard.append((method, url, answer.status, str(answer.headers), answer.body))
        return answer


class Canary(Case):
    providers = staticmethod(lambda fake: {})

    def setUp(self):
        super().setUp()
        self.api = Api(self.usher)
        self.secrets = []
        self.heard = []

    def canary(self, name):
        secret = "cAn4ry.%s.%s" % (name, os.urandom(9).hex())
        self.secrets.append(secret)
        return secret

    def discord(self, secret, **more):
        return {"plugin": "discord", "label": "Discord", "client_id": CLIENT["client_id"], "client_secret": secret,
                "authorize_url": self.fake.url + "/discord/oauth2/authorize", "api_url": self.fake.url + "/discord/api/v10",
                "cdn_url": self.fake.url + "/discord/cdn", **more}

    def upstream_takes(self, secret):
        self.fake.call("POST", "/fake/faults", {**SWITCH, "value": secret})

    def sign_in(self, person="ada"):
        browser = Recorder(self.usher, self.heard)
        answer = browser.get(browser.to_callback("discord", person))
        return browser, answer

    def etag(self):
        return self.api.get("/api/v1/providers/discord").headers["ETag"]

    def wrong_places(self):
        """Requests that are refused, with a secret where none belongs."""
        api, here = self.api, "/api/v1/providers/discord"
        for body in ({"settings": {"client_secrett": self.canary("misspelt")}},
                     {"settings": {"scopes": self.canary("scopes") + "\n"}},
                     {"settings": {"api_url": self.canary("url")}},
                     {"settings": {"enabled": self.canary("bool")}},
                     {"settings": {"timeout": self.canary("number")}},
                     {"settings": {"client_secret": self.canary("control") + "\a"}},
                     {"settings": {"client_secret": [self.canary("list")]}},
                     {"settings": {"client_secret": {"v": self.canary("object")}}},
                     {"secret": self.canary("member")}, {"settings": self.canary("text")}):
            answer = api.request("PATCH", here, body, {"If-Match": self.etag()})
            self.assertIn(answer.status, (400, 422), (body, answer.text))
        self.assertEqual(api.request("PATCH", here, {"settings": {"client_secret": self.canary("stale")}}, {"If-Match": '"0"'}).status, 412)
        self.assertEqual(api.request("PATCH", here, {"settings": {"client_secret": self.canary("unmatched")}}).status, 428)
        self.assertEqual(api.request("POST", "/api/v1/providers", {"id": "discord", "settings": self.discord(self.canary("again"))}).status, 409)
        self.assertEqual(api.request("POST", "/api/v1/providers", {"id": "No Good", "settings": self.discord(self.canary("id"))}).status, 400)
        self.assertIn(api.request("POST", here + "/rotate", {"secret": self.canary("key"), "key": "client_id"}).status, (400, 404, 409, 422))
        self.assertEqual(api.request("POST", here + "/rotate", {"secret": self.canary("slot"), "slot": "next"}).status, 400)
        self.assertEqual(api.request("POST", here + "/rotate", raw='{"secret":"%s"' % self.canary("json"), headers={"Content-Type": "application/json"}).status, 400)
        self.assertEqual(api.request("POST", here + "/rotate", raw="secret=" + self.canary("form"), headers={"Content-Type": "application/x-www-form-urlencoded"}).status, 415)
        self.assertEqual(Api(self.usher, "x" * 43).request("POST", here + "/rotate", {"secret": self.canary("nobody")}).status, 401)

    def every_route(self, api, browser):
        """Each route once more, as anybody would who looks around."""
        for method, path in sorted(contract.routed()):
            if method == "GET":
                for name in ("discord", "nothing"):
                    api.get(path.replace("*", name)) if path != "/api/v1/me" else browser.get(path)
            elif path.endswith("rehearsals") or path.endswith("tests") or method in ("PUT", "DELETE"):
                api.request(method, path.replace("*", "nothing"), {})
        for path in ("/", "/login", "/login/discord", "/callback/discord?code=x&state=y", "/admin", "/admin/providers/discord"):
            browser.get(path)
        api.get("/metrics")

    def life(self):
        """A provider's secrets from the first to the last."""
        api = self.api
        first, second, third = self.canary("first"), self.canary("second"), self.canary("third")
        self.upstream_takes(first)
        api.ask("POST", "/api/v1/providers", {"id": "discord", "settings": self.discord(first)}, status=201)
        browser, answer = self.sign_in()
        self.assertEqual(answer.status, 303, answer.text)
        api.ask("POST", "/api/v1/providers/discord/test")
        api.ask("POST", "/api/v1/providers/discord/rotate", {"secret": second})
        self.upstream_takes(second)
        self.assertEqual(self.sign_in("grace")[1].status, 303)
        wait_for("the fall-over to be kept", lambda: [
            e for e in api.ask("GET", "/api/v1/audit?action=provider.promote")["audit"] if e["actor_kind"] == "system"])
        api.ask("POST", "/api/v1/providers/discord/rotate", {"secret": third})
        api.ask("POST", "/api/v1/providers/discord/promote")
        self.assertEqual(self.sign_in()[1].status, 303)  # falls back: the upstream takes the second
        api.ask("POST", "/api/v1/providers/discord/drop", {"slot": "retiring"})
        self.rehearse(browser)
        self.upstream_takes(self.canary("unknown"))
        self.assertGreaterEqual(self.sign_in()[1].status, 400)  # no secret of ours is good: said without it
        api.ask("POST", "/api/v1/providers/discord/test")
        return browser

    def rehearse(self, browser):
        """As an admin, in the browser: with the saved provider and with a draft."""
        self.api.ask("PUT", "/api/v1/roles/admin/" + browser.me()["id"])
        ours = {"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        draft = {"id": "discord", "settings": self.discord(self.canary("rehearsed"), label="Draft")}
        for path, body in (("/api/v1/providers/discord/rehearsals", {}), ("/api/v1/rehearsals", draft)):
            begun = browser.request("POST", path, headers=ours, body=json.dumps(body))
            self.assertEqual(begun.status, 201, begun.text)
            back = browser.follow(browser.get(begun.json()["url"] + "&login_hint=ada"), until=self.usher.url + "/callback/")
            browser.follow(browser.get(back), until=self.usher.url + "/admin")
            report = browser.get("/api/v1/rehearsals/" + begun.json()["id"])
            self.assertIn(report.json()["state"], ("done", "failed"), report.text)
            self.assertTrue(report.json()["requests"])

    def drafts(self):
        draft = {"id": "draft", "settings": self.discord(self.canary("draft"))}
        self.assertIn(self.api.request("POST", "/api/v1/provider-tests", draft).status, (200, 429))
        bad = {"id": "draft", "settings": self.discord(self.canary("bad-draft"), plugin="nothing")}
        self.assertIn(self.api.request("POST", "/api/v1/provider-tests", bad).status, (400, 422))

    def test_no_secret_ever_comes_out(self):
        browser = self.life()
        self.drafts()
        self.wrong_places()
        api = self.api
        api.ask("PUT", "/api/v1/roles/admin/" + browser.me()["id"])
        token = api.ask("POST", "/api/v1/tokens", {"name": "t", "scopes": "read write secrets metrics"}, status=201)["token"]
        link = api.ask("POST", "/api/v1/setup-links", status=201)["url"]
        told_once = [(token, api.heard), (link.rsplit("/", 1)[1], api.heard)]
        session = browser.session()
        self.every_route(Api(self.usher, token), browser)
        self.every_route(api, browser)
        browser.get(link)
        api.ask("POST", "/api/v1/keys/rotate")
        wait_for("everything to be sealed again", lambda: api.ask("GET", "/api/v1/keys")["rotation"]["state"] != "sealing")
        api.ask("POST", "/api/v1/config/reload")
        self.usher.stop()
        self.usher.start()
        self.every_route(api, Recorder(self.usher, self.heard))
        self.no_core_dump()
        self.search(api, told_once, session)

    def no_core_dump(self):
        limits = open("/proc/%d/limits" % self.usher.child.pid).read()
        self.assertRegex(limits, r"Max core file size\s+0\s+0\s")
        if os.geteuid() != 0:  # what cannot be dumped belongs to root there
            self.assertEqual(os.stat("/proc/%d/environ" % self.usher.child.pid).st_uid, 0)

    def search(self, api, told_once, session):
        files = [p for p in self.folder.rglob("*") if p.is_file() and not p.name.startswith("fake")]
        names = {p.name for p in files}
        self.assertTrue({"usher.db", "usherd.log", "usher.key"} <= names, names)
        self.assertTrue(any("-wal" in name for name in names), names)
        kept = {str(p): p.read_bytes() for p in files}
        told = [repr(entry[:4]).encode() + entry[4] for entry in api.heard + self.heard]
        self.assertGreater(len(told), 100)
        self.assertGreater(len(self.secrets), 20)
        for secret in self.secrets:
            for spelling in spellings(secret):
                for path, data in kept.items():
                    self.assertFalse(spelling in data, "%s in %s: %s" % (secret, path, around(data, spelling)))
                for text in told:
                    self.assertFalse(spelling in text, "%s in %s" % (secret, text[:300]))
        # Tokens and setup links are told once, to the one who asked; sessions by a cookie.
        for secret, heard in told_once:
            self.assertEqual(sum(secret.encode() in entry[4] for entry in heard), 1)
        for secret in [secret for secret, _ in told_once] + [session]:
            for spelling in spellings(secret):
                for path, data in kept.items():
                    self.assertFalse(spelling in data, "%s: %s" % (path, around(data, spelling)))

    def memory(self):
        """What usherd may write to, read from outside; root may, whatever the daemon forbids."""
        pid, data = self.usher.child.pid, []
        with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
            for line in maps:
                span, mode = line.split()[:2]
                start, end = (int(x, 16) for x in span.split("-"))
                if not mode.startswith("rw") or end - start > 256 << 20:  # a sanitizer's shadow
                    continue
                try:
                    mem.seek(start)
                    data.append(mem.read(end - start))
                except OSError:
                    continue
        return b"\0".join(data)

    def test_what_was_refused_is_not_kept_in_memory(self):
        """A secret that has no use any more is wiped wherever it was on its way (PRIV-08)."""
        if os.geteuid() != 0:
            self.skipTest("only root may look")
        here = "/api/v1/providers/nothing/rotate"
        posted = Browser(self.usher)
        page = {"Origin": self.usher.url, "Sec-Fetch-Site": "same-origin"}
        posted.request("POST", self.api.ask("POST", "/api/v1/setup-links", status=201)["url"], {}, page)
        for i in range(20):
            self.assertEqual(self.api.request("POST", here, {"secret": self.canary("api%d" % i)}).status, 404)
            answer = posted.request("POST", self.usher.url + "/admin/providers/nothing/rotate", {"secret": self.canary("form%d" % i)}, page)
            self.assertEqual(answer.status, 404, answer.text)
        token = self.api.ask("POST", "/api/v1/tokens", {"name": "t", "scopes": "read"}, status=201)["token"]
        memory = self.memory()
        self.assertEqual([s for s in self.secrets if s.encode() in memory], [])
        self.assertFalse(token.encode() in memory)

    def test_the_search_finds_what_is_there(self):
        """The same search, over an answer and a file that do hold it."""
        secret = self.canary("planted")
        for hidden in (secret, secret.encode().hex(), base64.b64encode(b"x" + secret.encode()).decode(),
                       base64.urlsafe_b64encode(b"xy" + secret.encode() + b"z").decode(), base64.b64encode(secret.encode()).decode(),
                       urllib.parse.quote(secret, safe=""), re.sub(r"(?s)(.)", lambda m: "%%%02X" % ord(m[1]), secret)):
            self.assertTrue(any(s in ("<<" + hidden + ">>").encode() for s in spellings(secret)), hidden)
