# SPDX-License-Identifier: Apache-2.0
"""For tests of bad upstreams: many providers that are one upstream, so that each test has a provider
nothing is remembered about (caches, pauses), and looks into the process and its log."""
import concurrent.futures
import json
import os
import pathlib
import urllib.parse

from harness import CLIENT, ROOT, Case, fake_providers, wait_for

SANITIZED = any(word in (ROOT / "sbin/usherd").read_bytes() for word in (b"__asan_init", b"__tsan_init"))
DISCORD_TOKEN = "/discord/api/v10/oauth2/token"
DISCORD_USER = "/discord/api/v10/users/@me"
OIDC = {"token": "/oidc/token", "userinfo": "/oidc/userinfo", "keys": "/oidc/jwks",
        "discovery": "/oidc/.well-known/openid-configuration"}
GOOGLE = {"token": "/google/token", "keys": "/google/oauth2/v3/certs",
          "discovery": "/google/.well-known/openid-configuration"}


def with_query(url, **changes):
    """None removes; a value is put in the place of the first."""
    parts = urllib.parse.urlsplit(url)
    query = [(k, v) for k, v in urllib.parse.parse_qsl(parts.query, keep_blank_values=True) if k not in changes]
    query += [(k, v) for k, v in changes.items() if v is not None]
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def parameter(url, name):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)[name][0]


def at_once(*calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [f.result() for f in [pool.submit(call) for call in calls]]


class Faults(Case):
    """`spares` providers of each plugin beside the usual three; `self.spare("oidc")` is the next one."""

    spares = {"discord": 10, "google": 10, "oidc": 10}
    every = {"timeout": "10s"}

    @classmethod
    def providers(cls, fake):
        usual = fake_providers(fake)
        made = {}
        for plugin, n in cls.spares.items():
            for i in range(n):
                made["%s-%d" % (plugin, i)] = {"plugin": plugin, **usual[plugin], **cls.every}
        return {**usual, **made}

    @classmethod
    def setUpClass(cls):
        cls.providers = cls.providers  # a bound method, which Case calls with the fake
        cls.used = {}
        super().setUpClass()

    def spare(self, plugin):
        i = self.used.get(plugin, 0)
        self.used[plugin] = i + 1
        self.assertLess(i, self.spares[plugin], "more spare providers are needed")
        return "%s-%d" % (plugin, i)

    def setUp(self):
        super().setUp()
        self.settle()
        self.log_from = self.usher.log_path.stat().st_size

    def settle(self):
        self.usher.settle()

    def failures(self):
        """Lines about failed logins since the test began."""
        self.settle()
        with open(self.usher.log_path, "rb") as f:
            f.seek(self.log_from)
            return [json.loads(line) for line in f.read().split(b"\n")[:-1] if b'"login.failed"' in line]

    def sessions(self):
        return self.usher.rows("SELECT count(*) FROM session")[0][0]

    def last(self):
        return json.loads(self.fake.call("GET", "/fake/requests"))["last"]

    def asked(self, path):
        return self.fake.counts().get(path, 0)

    def assert_log_tells_nothing(self):
        """No secret, token, code or text of the upstream in the log."""
        self.settle()
        log = self.usher.log()
        secrets = {CLIENT["client_secret"], "told to fail", "accept the terms", "evil.example", "<script"}
        for request in self.last():
            form = dict(urllib.parse.parse_qsl(request["body"]))
            secrets |= {form[k] for k in ("code", "code_verifier", "refresh_token") if k in form}
            header = {k.lower(): v for k, v in request["headers"].items()}.get("authorization", "")
            secrets |= {header.partition(" ")[2]}
            query = dict(urllib.parse.parse_qsl(request["query"]))
            secrets |= {query[k] for k in ("code", "state", "nonce") if k in query}
        for secret in secrets - {""}:
            self.assertNotIn(secret, log)

    def memory(self):
        """Resident kilobytes."""
        text = pathlib.Path("/proc/%d/status" % self.usher.child.pid).read_text()
        return int(text.split("VmRSS:")[1].split()[0])

    def processor_ms(self):
        """Processor time usherd has used so far."""
        fields = pathlib.Path("/proc/%d/stat" % self.usher.child.pid).read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def descriptors(self):
        """Open files of usherd; it is not dumpable, so only root may look: 0 for others."""
        try:
            return len(os.listdir("/proc/%d/fd" % self.usher.child.pid))
        except PermissionError:
            return 0

    def assert_back_to(self, descriptors, memory, grown_kb=24 * 1024):
        wait_for("descriptors to go back to %d" % descriptors, lambda: self.descriptors() <= descriptors)
        if not SANITIZED:
            self.assertLess(self.memory(), memory + grown_kb)
