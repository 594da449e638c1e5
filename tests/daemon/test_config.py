# SPDX-License-Identifier: Apache-2.0
"""`usherd --check` and starting: CONF cases, broken providers, and secrets that stay secret."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness import CLIENT, ROOT, Browser, Fake, Usher, fake_providers, ini, write_private

CANARY = "canary-8f41c6d2-secret"


class Folder(unittest.TestCase):
    """A usherd that has not been started, in a folder of its own."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-conf-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.usher = self.make()

    def make(self, **more):
        return Usher(self.folder, start=False, **more)

    def write(self, name, text, mode=0o600):
        path = self.folder / name
        write_private(path, text)
        path.chmod(mode)
        return path

    def provider(self, name, text, mode=0o600):
        return self.write("providers.d/%s.conf" % name, text, mode)

    def check(self, *arguments, environment=None):
        """(exit status, what it said)"""
        done = subprocess.run(
            [ROOT / "sbin/usherd", "--config", self.usher.config, *(arguments or ("--check",))], timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout.decode()

    def append(self, section, *lines):
        """Put lines behind the section's head; the number of the first."""
        text = self.usher.config.read_text().splitlines()
        if "[%s]" % section not in text:
            text.append("[%s]" % section)
        at = text.index("[%s]" % section)
        text[at + 1:at + 1] = lines
        write_private(self.usher.config, "\n".join(text) + "\n")
        return at + 2

    def refused(self, section, line, *said):
        """That line makes --check and the start fail, with file, line, and those words."""
        before = self.usher.config.read_text()
        at = self.append(section, line)
        with self.subTest(section=section, line=line[:60]):
            status, text = self.check()
            self.assertEqual(status, 2, text)
            for words in ("usher.conf:%d: " % at, *said):
                self.assertIn(words, text)
            self.assertNotIn(CANARY, text)
            self.assertEqual(self.check("--ready-file", self.folder / "r")[0], 2)
            self.assertFalse((self.folder / "r").exists())
        write_private(self.usher.config, before)


class Check(Folder):
    def test_conf_12_a_good_one_is_fine_and_nothing_happens(self):
        # CONF-12
        self.provider("discord", ini({"": CLIENT}))
        before = sorted(p.name for p in self.folder.rglob("*"))
        self.assertEqual(self.check(), (0, "usherd: the configuration is fine; 1 provider, 0 apps\n"))
        self.assertEqual(sorted(p.name for p in self.folder.rglob("*")), before)

    def test_conf_01_unknown_keys_and_sections(self):
        # CONF-01
        self.refused("server", "publik_url = https://x", "publik_url", 'did you mean "public_url"')
        self.refused("log", "levle = info", 'did you mean "level"')
        self.refused("session", "colour = red", "unknown key")
        at = self.append("metrics", "token_fiel = x")
        self.assertIn("usher.conf:%d: " % at, self.check()[1])
        write_private(self.usher.config, self.usher.config.read_text() + "[sesion]\nidle = 1h\n")
        self.assertIn('did you mean "session"', self.check()[1])

    def test_conf_01_values_of_the_wrong_kind(self):
        # CONF-01
        for line in ("idle = 300x", "idle = -5m", "idle =", "idle = 99999999999999999999s", "absolute = forever", "max = 12abc",
                     "max = 1e6", "max = 0x100", "max = 99999999999999999999", "max = -1", "max ="):
            self.refused("session", line)
        for line in ("idle_timeout = 0", "request_deadline = 100000s", "max_connections = many"):
            self.refused("server", line)
        self.refused("login", "deadline = 5 minutes")

    def test_conf_01_a_key_twice_or_a_section_twice(self):
        # CONF-01
        at = self.append("login", "deadline = 5s", "deadline = 6s")
        status, text = self.check()
        self.assertEqual(status, 2)
        self.assertIn("usher.conf:%d: " % (at + 1), text)
        self.assertIn("line %d" % at, text)
        write_private(self.usher.config, "[log]\nlevel = info\n[log]\nformat = json\n")
        self.assertIn("usher.conf:3: ", self.check()[1])

    def test_conf_01_everything_wrong_is_said_at_once(self):
        # CONF-01
        self.append("login", "deadline = x")
        self.append("session", "idle = y", "max = z")
        self.assertIn("3 problems", self.check()[1])

    def app_refused(self, line, *said):
        """A line of an app's file, the third, makes --check fail and names itself."""
        self.write("apps.d/spa.conf", "client_type = public\nlabel = SPA\n%s\n" % line)
        with self.subTest(line=line):
            status, text = self.check()
            self.assertEqual(status, 2, text)
            for words in ("spa.conf:3: %s:" % line.split(" ")[0], *said):
                self.assertIn(words, text)

    def test_origins_of_an_app_s_pages(self):
        for value in ("https://spa.example.com/", "spa.example.com", "http://spa.example.com", "https://SPA.example.com",
                      "*", "null", "https://spa.example.com:443", "https://u@spa.example.com", "https://spa.example.com?"):
            self.app_refused("origins = " + value)
        self.app_refused("origins = https://good.example.com https://spa.example.com/x", "write it as https://spa.example.com")
        self.write("apps.d/spa.conf", "client_type = public\norigins = https://a.example.com:8443 http://127.0.0.1:3000\n")
        self.assertEqual(self.check()[0], 0)

    def test_algorithms_that_usher_does_not_sign_with(self):
        for key in ("token_alg", "id_token_alg", "userinfo_alg"):
            self.app_refused(key + " = EdDSA", "EdDSA is not among algs of [issuer]")
            self.app_refused(key + " = HS256")
        self.write("apps.d/spa.conf", "token_alg = RS256\nid_token_alg = ES256\n")
        self.assertEqual(self.check()[0], 0)
        self.append("issuer", "algs = EdDSA")
        self.assertIn("spa.conf:2: id_token_alg: ES256 is not among", self.check()[1])
        self.write("apps.d/spa.conf", "token_alg = RS256\nid_token_alg = EdDSA\n")
        self.assertEqual(self.check()[0], 0)

    def test_conf_03_modes_owners_and_links(self):
        # CONF-03
        self.usher.config.chmod(0o644)  # it holds the token for /metrics
        status, text = self.check()
        self.assertEqual(status, 2, text)
        self.assertIn("chmod", text)
        self.usher.config.chmod(0o622)
        self.assertEqual(self.check()[0], 2)
        self.usher.config.chmod(0o600)
        self.assertEqual(self.check()[0], 0)
        real = self.usher.config.rename(self.folder / "real.conf")
        self.usher.config.symlink_to(real)
        self.assertEqual(self.check()[0], 2)
        self.usher.config.unlink()
        os.mkfifo(self.usher.config, 0o600)
        self.assertEqual(self.check()[0], 2)
        self.usher.config.unlink()
        self.assertEqual(self.check()[0], 2)  # asked for, and not there

    def test_conf_04_secrets_from_files(self):
        # CONF-04
        secret = self.write("secret", CANARY + "\n")
        base = "client_id = x\n"
        self.provider("discord", base + "client_secret_file = %s\n" % secret)
        self.assertEqual(self.check()[0], 0)
        for name, more, data, mode in (
                ("two sources", "client_secret = %s\n" % CANARY, CANARY.encode(), 0o600),
                ("open to others", "", CANARY.encode(), 0o644),
                ("NUL", "", CANARY.encode() + b"\0", 0o600), ("empty", "", b"", 0o600),
                ("BOM", "", b"\xef\xbb\xbf" + CANARY.encode(), 0o600), ("1 MiB", "", b"x" * (1 << 20), 0o600),
                ("two lines", "", CANARY.encode() + b"\n\n", 0o600)):
            with self.subTest(name):
                secret.write_bytes(data)
                secret.chmod(mode)
                self.provider("discord", base + more + "client_secret_file = %s\n" % secret)
                status, text = self.check()
                self.assertEqual(status, 2, text)
                self.assertIn("client_secret", text)
                self.assertNotIn(CANARY, text)
        secret.unlink()
        self.assertEqual(self.check()[0], 2)

    def test_conf_04_secrets_from_the_environment(self):
        # CONF-04
        self.provider("discord", "client_id = x\nclient_secret_env = MY_SECRET\n")
        self.assertEqual(self.check(environment={"MY_SECRET": CANARY})[0], 0)
        self.assertEqual(self.check()[0], 2)
        self.provider("discord", "client_id = x\n")
        self.assertEqual(self.check()[0], 2)
        self.assertEqual(self.check(environment={"USHER_PROVIDER_DISCORD_CLIENT_SECRET": CANARY})[0], 0)

    def test_conf_06_addresses(self):
        # CONF-06
        for url in ("https://x.example/path", "https://x.example/?q", "https://x.example/#f", "http://x.example", "ftp://x.example",
                    "x.example", "https://user@x.example", "https://x.example:0", "https://x.example/a/../b", "https://"):
            with self.subTest(url):
                status, text = self.check(environment={"USHER_SERVER_PUBLIC_URL": url})
                self.assertEqual(status, 2, text)
                self.assertIn("public_url", text.lower())
        for url in ("http://idp.example.com", "https://idp.example.com/?x", "https://idp.example.com/#x", "https://a@idp.example.com"):
            with self.subTest(issuer=url):
                self.provider("oidc", ini({"": {**CLIENT, "issuer": url}}))
                status, text = self.check()
                self.assertEqual(status, 2, text)
                self.assertIn("issuer", text)
        self.provider("oidc", ini({"": {**CLIENT, "issuer": "https://idp.example.com/realm"}}))
        self.assertEqual(self.check()[0], 0)

    def test_conf_07_hosts_to_return_to(self):
        # CONF-07
        for hosts in ("*", "*.example.com", "https://app.example.com", "app.example.com/x", "app.example.com:99999", "a..b", "."):
            with self.subTest(hosts):
                status, text = self.check(environment={"USHER_LOGIN_RETURN_HOSTS": hosts})
                self.assertEqual(status, 2, text)
        self.assertEqual(self.check(environment={"USHER_LOGIN_RETURN_HOSTS": ""})[0], 0)  # none at all

    def test_conf_11_http_to_this_machine_is_for_this_machine(self):
        # CONF-11
        status, text = self.check(environment={"USHER_SERVER_LISTEN": "0.0.0.0:8080"})
        self.assertEqual(status, 2)
        self.assertIn("allow_http_loopback", text)
        self.provider("oidc", ini({"": {**CLIENT, "issuer": "http://127.0.0.1:1/x"}}))
        self.assertEqual(self.check()[0], 0)
        status, text = self.check(environment={"USHER_PROVIDERS_ALLOW_HTTP_LOOPBACK": "no"})
        self.assertEqual(status, 2)
        self.assertIn("issuer", text)

    def test_the_environment_wins_and_slips_are_noticed(self):
        self.append("login", "deadline = x")
        self.assertEqual(self.check()[0], 2)
        self.assertEqual(self.check(environment={"USHER_LOGIN_DEADLINE": "5s"})[0], 0)
        status, text = self.check(environment={"USHER_LOGIN_DEADLINE": "5s", "USHER_LOGIN_DEADLIN": "5s"})
        self.assertEqual(status, 2)
        self.assertIn('did you mean "USHER_LOGIN_DEADLINE"', text)

    def test_plug_07_plugin_names_are_no_paths(self):
        # PLUG-07
        for name in ("../discord", "/etc/passwd", "discord.so", "a/b", "x" * 4000, "$(id)", "Discord", ""):
            with self.subTest(name[:20]):
                self.provider("odd", ini({"": {**CLIENT, "plugin": name}}))
                self.assertEqual(self.check()[0], 2)


class Start(Folder):
    """A real start, with a look-alike beside it."""

    def setUp(self):
        super().setUp()
        self.fake = Fake(self.folder)
        self.addCleanup(self.fake.stop)

    def started(self, providers, environment=None, settings=None):
        usher = self.make(fake=self.fake, providers=providers, environment=environment, settings=settings)
        usher.start()
        self.addCleanup(lambda: usher.alive() and usher.stop())
        usher.told("daemon.ready")
        return usher

    def test_plug_02_login_25_one_broken_provider_disables_itself_only(self):
        # PLUG-02, LOGIN-25
        plugins = self.folder / "plugins"
        shutil.copytree(ROOT / "lib/usher/providers", plugins)
        good = (plugins / "oidc.so").read_bytes()
        for name, data in (("empty", b""), ("text", b"hello\n"), ("cut", good[:len(good) // 2]), ("renamed", good)):
            (plugins / (name + ".so")).write_bytes(data)
        (plugins / "open.so").write_bytes(good)
        for p in plugins.iterdir():
            p.chmod(0o644)
        (plugins / "open.so").chmod(0o666)
        usual = fake_providers(self.fake)
        bad = {name: {**usual["oidc"], "plugin": name} for name in ("empty", "text", "cut", "renamed", "open", "missing")}
        bad["nosecret"] = {"plugin": "discord", "client_id": "x"}
        bad["typo"] = {**usual["discord"], "plugin": "discord", "gild": "1"}
        usher = self.started({**usual, **bad, "off": {**usual["oidc"], "enabled": "no"}},
                             settings={"providers": {"plugin_dir": plugins}})
        reasons = {e["provider"]: e["reason"] for e in usher.events("provider.unusable")}
        self.assertEqual(set(reasons), {*bad, "off"})
        for name, reason in reasons.items():
            self.assertGreater(len(reason), 10, name)
            self.assertLess(len(reason), 400, name)
            self.assertNotIn(CLIENT["client_secret"], reason)
        self.assertIn("did you mean", reasons["typo"])
        page = Browser(usher).get("/login").text
        for name in reasons:
            self.assertNotIn('/login/%s"' % name, page)
            answer = Browser(usher).get("/login/" + name)
            self.assertIn(answer.status, (403, 404, 500), name)
            self.assertIsNone(answer.location)
            self.assertEqual(Browser(usher).get("/callback/%s?state=x&code=y" % name).status, 400)
        for name in usual:
            Browser(usher).sign_in(name)

    def test_login_25_switched_off_between_start_and_callback(self):
        # LOGIN-25
        usher = self.started(fake_providers(self.fake))
        browser = Browser(usher)
        target = browser.to_callback("discord")
        self.assertEqual(usher.stop(), 0)
        path = self.folder / "providers.d/discord.conf"
        write_private(path, path.read_text() + "enabled = no\n")
        usher.start()
        self.assertEqual(browser.get(target).status, 400)
        self.assertIn(browser.get("/login/discord").status, (403, 404))
        self.assertIsNone(browser.me())
        self.assertEqual(self.fake.counts().get("/discord/api/v10/oauth2/token", 0), 0)

    def test_priv_07_no_secret_in_logs_or_proc(self):
        # PRIV-07
        token = "metrics-" + CANARY
        usual = fake_providers(self.fake)
        for p in usual.values():
            del p["client_secret"]
        self.fake.call("POST", "/fake/faults", {"fault": "secret-switch", "value": CANARY})
        self.write("oidc-secret", CANARY + "\n")
        usual["oidc"]["client_secret_file"] = "../oidc-secret"
        usual["google"]["client_secret_env"] = "USHER_MY_GOOGLE"
        usher = self.started(usual, {"USHER_PROVIDER_DISCORD_CLIENT_SECRET": CANARY, "USHER_MY_GOOGLE": CANARY,
                                     "USHER_METRICS_TOKEN": token, "ELSE": "kept"})
        for name in usual:
            Browser(usher).sign_in(name)
        self.assertEqual(Browser(usher).get("/metrics", Authorization="Bearer " + token).status, 200)
        self.fake.fault("/oidc/token", "http401")
        Browser(usher).get(Browser(usher).to_callback("oidc"))
        for name in ("cmdline", "environ"):
            try:
                data = pathlib.Path("/proc/%d/%s" % (usher.child.pid, name)).read_bytes()
            except PermissionError:
                continue  # not dumpable: only root may look, which is as good
            self.assertNotIn(CANARY.encode(), data, name)
        self.assertNotIn(CANARY, Browser(usher).get("/metrics", Authorization="Bearer " + token).text)
        self.assertEqual(usher.stop(signal.SIGTERM), 0)
        self.assertNotIn(CANARY, usher.log())
        for path in self.folder.glob("usher.db*"):
            self.assertNotIn(CANARY.encode(), path.read_bytes())

    def test_conf_11_insecure_switches_are_said_at_start(self):
        # CONF-11
        usher = self.started(fake_providers(self.fake))
        self.assertEqual(len(usher.events("daemon.insecure")), 1)
