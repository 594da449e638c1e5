# SPDX-License-Identifier: Apache-2.0
"""Reload: files that change under a running usherd, SIGHUP, and what a broken file does: CONF-01,
CONF-02, CONF-03, CONF-04, CONF-06, CONF-07, CONF-09, CONF-11, CONF-12, LOGIN-25, PLUG-01, PLUG-02, PLUG-03."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time

from faults import Faults
from harness import CLIENT, ROOT, Browser, Case, fake_providers, ini, wait_for, write_private

RELOADS = int(os.environ.get("USHER_TEST_RELOADS", "1000"))


class Reload(Case):
    """Each test finds the usual three providers, and leaves them."""

    def setUp(self):
        super().setUp()
        self.folder = type(self).folder / "providers.d"
        self.usual = fake_providers(self.fake)
        self.addCleanup(self.restore)
        self.usher.settle()
        self.log_from = self.usher.log_path.stat().st_size

    def restore(self):
        for path in self.folder.glob("*"):
            if path.name.removesuffix(".conf") not in self.usual:
                path.unlink()
        for name in self.usual:
            self.put(name)
        self.hup()
        self.assertEqual(self.gauge("ok"), 1, self.said("live.problem"))

    # -- what is asked of usherd

    def gauge(self, name):
        text = Browser(self.usher).get("/metrics", Authorization="Bearer metrics-token-for-tests").text
        return int(re.search(r"^usher_config_%s (\d+)$" % name, text, re.M).group(1))

    def outcomes(self, outcome):
        text = Browser(self.usher).get("/metrics", Authorization="Bearer metrics-token-for-tests").text
        found = re.search(r'^usher_config_reloads_total\{outcome="%s"\} (\d+)$' % outcome, text, re.M)
        return int(found.group(1)) if found else 0

    def reloads(self):
        return self.outcomes("done") + self.outcomes("refused")

    def said(self, name):
        """Events since the test began."""
        self.usher.settle()
        with open(self.usher.log_path, "rb") as f:
            f.seek(self.log_from)
            self.assertNotIn(CLIENT["client_secret"].encode(), f.read())
        skipped = self.usher.log()[:self.log_from].count('"event":"%s"' % name)
        return self.usher.events(name)[skipped:]

    def hup(self):
        """Everything there is has been read. The first reload to end may have begun before."""
        for _ in range(2):
            before = self.reloads()
            self.usher.child.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: self.reloads() > before)

    def quiet(self):
        """Nothing of what went before is on its way any more."""
        before = None
        while before != self.reloads():
            before = self.reloads()
            time.sleep(0.8)  # the quiet time of a burst, and more
        return before

    def put(self, name, **changes):
        values = {**self.usual.get(name, {}), **changes}
        write_private(self.folder / (name + ".conf"), ini({"": {k: v for k, v in values.items() if v is not None}}))

    def chooser(self):
        return Browser(self.usher).get("/login").text

    def offers(self, label):
        return label in self.chooser()

    def check(self):
        run = subprocess.run([str(ROOT / "sbin/usherd"), "--config", str(self.usher.config), "--check"],
                             capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    # -- files

    def test_a_provider_comes_changes_and_goes(self):
        self.put("second", **{**self.usual["oidc"], "label": "Second ID"})
        wait_for("the new provider", lambda: self.offers("Second ID"))
        Browser(self.usher).sign_in("second")
        self.put("second", **{**self.usual["oidc"], "label": "Third ID"})
        wait_for("its new name", lambda: self.offers("Third ID"))
        self.put("second", **{**self.usual["oidc"], "label": "Third ID", "enabled": "no"})
        wait_for("it to be switched off", lambda: not self.offers("Third ID"))
        (self.folder / "second.conf").unlink()
        wait_for("it to go", lambda: Browser(self.usher).get("/login/second").status == 404)
        wait_for("the log", lambda: [e["provider"] for e in self.said("provider.removed")] == ["second"])
        loaded = self.said("live.loaded")
        self.assertEqual({e["why"] for e in loaded}, {"file"})
        self.assertEqual([sum(e[k] for e in loaded) for k in ("added", "changed", "removed")], [1, 2, 1])
        self.assertEqual(len({e["generation"] for e in loaded}), len(loaded))

    def test_however_an_editor_writes(self):
        path = self.folder / "oidc.conf"
        text = path.read_text()

        def renamed(label):  # written beside, then moved over
            new = self.folder / ".oidc.conf.new"
            write_private(new, text.replace("Example ID", label))
            new.rename(path)

        def backed_up(label):  # the old one is moved away first, and comes back as a copy
            path.rename(self.folder / "oidc.conf~")
            write_private(path, text.replace("Example ID", label))
            (self.folder / "oidc.conf~").unlink()

        def in_place(label):
            with open(path, "w") as f:
                for piece in text.replace("Example ID", label).splitlines(True):
                    f.write(piece)
                    f.flush()
                    time.sleep(0.02)

        def made_readable(label):  # what was wrong is the mode alone
            write_private(path, text.replace("Example ID", label))
            path.chmod(0o644)
            wait_for("the refusal", lambda: self.gauge("ok") == 0)
            path.chmod(0o600)

        def whole_folder(label):
            new = self.folder.with_name("providers.new")
            shutil.copytree(self.folder, new)
            write_private(new / "oidc.conf", text.replace("Example ID", label))
            self.folder.rename(self.folder.with_name("providers.old"))
            new.rename(self.folder)
            shutil.rmtree(self.folder.with_name("providers.old"))

        for write in (renamed, backed_up, in_place, made_readable, whole_folder, renamed):
            with self.subTest(write.__name__):
                label = "By %s" % write.__name__.replace("_", " ")
                write(label)
                wait_for(label, lambda: self.offers(label))
        self.assertEqual(self.gauge("ok"), 1)

    def test_what_is_no_configuration_wakes_nobody(self):
        before = self.quiet()
        for name in (".oidc.conf.swp", "oidc.conf~"):
            (self.folder / name).write_text("x")
        (self.folder.parent / "elsewhere.conf").write_text("x")
        time.sleep(0.8)  # more than the quiet time; a reload would show
        self.assertEqual(self.reloads(), before)

    def test_secrets_elsewhere_are_read_on_sighup(self):
        secret = type(self).folder / "oidc-secret"
        write_private(secret, "wrong-secret-at-first\n")
        self.addCleanup(secret.unlink)
        self.put("oidc", client_secret=None, client_secret_file=secret)
        self.hup()
        answer = self.browser.get(self.browser.to_callback("oidc"))
        self.assertEqual(answer.status, 500, answer.summary())
        write_private(secret, CLIENT["client_secret"] + "\n")
        self.hup()
        Browser(self.usher).sign_in("oidc")
        self.assertIn("signal", {e["why"] for e in self.said("live.loaded")})

    # -- broken ones

    def test_conf_09_conf_01_a_broken_provider_file_changes_nothing(self):
        # CONF-09, CONF-01, CONF-12
        self.put("google", label="Not yet")
        broken = self.folder / "oidc.conf"
        good = broken.read_text()
        for text, line, words in (
                (good + "timout = 5s\n", good.count("\n") + 1, 'timout: unknown key; did you mean "timeout"?'),
                (good + "timeout = 300x\n", good.count("\n") + 1, '"300x" is wrong'),
                (good + "timeout = -5s\n", good.count("\n") + 1, "is wrong"),
                (good + "timeout = 99999999999999999999s\n", good.count("\n") + 1, "is wrong"),
                (good + "label = twice\n", good.count("\n") + 1, "label is there already"),
                (good.replace("plugin = oidc", "plugin = nowhere"), None, "there is no nowhere.so"),
                (good.replace("client_id", "#client_id"), None, "client_id is not set"),
                ("[oidc]\n" + good, 1, "has no sections")):
            with self.subTest(words):
                write_private(broken, text)
                self.hup()
                self.assertEqual(self.gauge("ok"), 0)
                status, said = self.check()
                self.assertEqual(status, 2)
                problems = self.said("live.problem")
                self.assertTrue(any(words in e["text"] and e["file"] == str(broken) for e in problems), problems)
                if line:
                    self.assertIn("%s:%d: " % (broken, line), said)
                    self.assertIn(line, [e["line"] for e in problems])
                self.assertIn(problems[-1]["text"], said)  # --check says the very same
                self.assertTrue(self.offers("Example ID"))
                self.assertFalse(self.offers("Not yet"))  # nothing of a half-broken set counts
                Browser(self.usher).sign_in("oidc")
        refused = self.said("live.refused")
        self.assertEqual(refused[-1]["file"], str(broken))
        self.assertGreaterEqual(self.outcomes("refused"), 7)
        write_private(broken, good)
        wait_for("all of it", lambda: self.offers("Not yet"))
        self.assertEqual(self.gauge("ok"), 1)

    def test_conf_09_unsafe_files_and_folders(self):
        # CONF-09, CONF-03
        path = self.folder / "oidc.conf"
        generation = self.gauge("generation")
        path.chmod(0o666)
        self.hup()
        self.assertEqual(self.gauge("ok"), 0)
        path.chmod(0o600)
        self.hup()
        self.assertEqual(self.gauge("ok"), 1)
        away = self.folder.with_name("providers.away")
        self.folder.rename(away)
        self.hup()
        self.assertEqual(self.gauge("ok"), 0)
        self.assertIn("cannot read the folder", self.said("live.problem")[-1]["text"])
        Browser(self.usher).sign_in("oidc")
        away.rename(self.folder)
        wait_for("it to be noticed", lambda: self.gauge("ok") == 1)
        self.assertGreater(self.gauge("generation"), generation)

    def test_conf_02_conf_03_files_that_are_none(self):
        # CONF-02, CONF-03: whatever lies there, the reload ends, and the good ones are as they were
        os.mkfifo(self.folder / "fifo.conf", 0o600)
        (self.folder / "folder.conf").mkdir()
        self.addCleanup((self.folder / "folder.conf").rmdir)
        (self.folder / "zero.conf").symlink_to("/dev/zero")
        (self.folder / "loop.conf").symlink_to("loop.conf")
        write_private(self.folder / "large.conf", "# x\n" * 100000)
        write_private(self.folder / "Bad Name.conf", "")
        write_private(self.folder / "open.conf", ini({"": {**self.usual["oidc"], "client_id": "x"}}))
        (self.folder / "open.conf").chmod(0o666)
        self.hup()
        self.assertEqual(self.gauge("ok"), 0)
        bad = {"fifo.conf", "folder.conf", "zero.conf", "loop.conf", "large.conf", "Bad Name.conf", "open.conf"}
        wait_for("each to be named", lambda: bad <= {os.path.basename(e["file"]) for e in self.said("live.problem")})
        for name in self.usual:
            Browser(self.usher).sign_in(name)

    def test_conf_04_a_secret_file_that_breaks(self):
        # CONF-04
        secret = type(self).folder / "secret"
        write_private(secret, CLIENT["client_secret"] + "\n")
        self.addCleanup(secret.unlink)
        self.put("oidc", client_secret=None, client_secret_file=secret)
        self.hup()
        self.assertEqual(self.gauge("ok"), 1)
        for what, data, mode in (("empty", b"", 0o600), ("open to others", b"canary-1f2e3d", 0o644),
                                 ("NUL", b"canary-1f2e3d\0", 0o600), ("1 MiB", b"canary-1f2e3d" * 80000, 0o600)):
            with self.subTest(what):
                secret.write_bytes(data)
                secret.chmod(mode)
                self.hup()
                self.assertEqual(self.gauge("ok"), 0)
                Browser(self.usher).sign_in("oidc")  # with the one from before
        self.assertNotIn("canary", self.usher.log())

    def test_conf_11_what_weakens_security_is_said(self):
        # CONF-11
        self.put("oidc", nonce="skip")
        wait_for("the log", lambda: [e["setting"] for e in self.said("daemon.insecure")] == ["nonce"])

    def test_a_new_file_that_is_broken_harms_nobody(self):
        self.put("extra", **{**self.usual["oidc"], "issuer": "ftp://nowhere"})
        self.put("google", label="Changed beside it")
        wait_for("the other change", lambda: self.offers("Changed beside it"))
        wait_for("the log", lambda: "extra" in [e["provider"] for e in self.said("provider.unusable")])
        self.assertEqual(self.gauge("ok"), 0)  # and yet somebody should look at it
        self.assertIn(Browser(self.usher).get("/login/extra").status, (403, 404, 500))

    def test_conf_09_usher_conf(self):
        # CONF-09: the same for usher.conf; some settings count at once, of others the log says they do not
        text = self.usher.config.read_text()
        self.addCleanup(write_private, self.usher.config, text)

        def write(old, new):
            self.assertIn(old, text)
            write_private(self.usher.config, text.replace(old, new))

        write("site_name = Test site", "site_name = Other site")
        wait_for("the name", lambda: "Other site" in self.chooser())
        write("site_name = Test site", "site_name = Broken site\nlisen = x")
        wait_for("the refusal", lambda: self.gauge("ok") == 0)
        self.assertIn('did you mean', self.said("live.refused")[-1]["text"])
        self.assertIn("Other site", self.chooser())
        for old, new in (("public_url = ", "public_url = https://x.example/path?"),  # CONF-06
                         ("app.example.com", "*"),  # CONF-07
                         ("[login]", "[login]\ndeadline = -1s"), ("[login]", "[login]\nmax_in_flight = 300x")):
            with self.subTest(new):
                write(old, new)
                self.hup()
                self.assertEqual(self.gauge("ok"), 0)
                self.assertIn("Other site", self.chooser())
        write("[login]", "[login]\ndefault_return = /somewhere")
        wait_for("the place to return to",
                 lambda: (lambda b: b.sign_in("oidc").location)(Browser(self.usher)) == "/somewhere")
        write("app.example.com", "new.example.com")
        wait_for("the hosts", lambda: Browser(self.usher).get("/login?return_to=https://new.example.com/").status == 200)
        self.assertEqual(Browser(self.usher).get("/login?return_to=https://app.example.com/").status, 400)
        write("metrics-token-for-tests", "another-token-for-metrics")
        wait_for("the token", lambda: Browser(self.usher).get(
            "/metrics", Authorization="Bearer another-token-for-metrics").status == 200)
        write("[session]" if "[session]" in text else "[store]", "[session]\nidle = 2h\n[store]")
        wait_for("the log", lambda: self.said("live.restart_needed"))
        self.assertEqual(self.said("live.restart_needed")[-1]["settings"], "session.idle")
        write("level = debug", "level = error")
        wait_for("the level", lambda: self.gauge("ok") == 1 and not self.logs_debug())

    def logs_debug(self):
        size = self.usher.log_path.stat().st_size
        Browser(self.usher).get("/login/discord?return_to=//")
        time.sleep(0.2)
        return self.usher.log_path.stat().st_size > size

    # -- logins under way

    def test_conf_09_removed_while_the_upstream_is_asked(self):
        # CONF-09: what began before ends as it began
        self.fake.fault("/oidc/token", "held", times=1)
        target = self.browser.to_callback("oidc")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.browser.get(target)))
        thread.start()
        wait_for("the token request", lambda: self.fake.counts().get("/oidc/token", 0) == 1)
        (self.folder / "oidc.conf").unlink()
        self.hup()
        self.assertEqual(Browser(self.usher).get("/login/oidc").status, 404)
        self.assertEqual(answers, [])
        self.fake.release()
        thread.join()
        self.assertEqual(answers[0].status, 303, answers[0].summary())
        self.assertIsNotNone(self.browser.me())

    def test_conf_09_login_25_removed_before_the_callback(self):
        # CONF-09, LOGIN-25
        target = self.browser.to_callback("oidc")
        (self.folder / "oidc.conf").unlink()
        self.hup()
        answer = self.browser.get(target)
        self.assert_local_400(answer)
        self.assertIn("<h1>", answer.text)
        self.assert_signed_out()
        self.assertEqual(self.fake.counts().get("/oidc/token", 0), 0)
        self.put("oidc")
        self.hup()
        self.assertEqual(self.browser.get(target).status, 303)  # it was not used up
        self.assertIsNotNone(self.browser.me())


class Environment(Case):
    """PRIV-07 wipes the variables after the start; a reload finds them all the same."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert cls.usher.stop() == 0
        usual = fake_providers(cls.fake)["oidc"]
        cls.usher.environment = {"USHER_PROVIDER_MY_IDP_" + k.upper(): v for k, v in usual.items() if k != "client_secret"}
        cls.usher.environment.update({"USHER_PROVIDER_MY_IDP_CLIENT_SECRET_ENV": "ELSEWHERE", "ELSEWHERE": CLIENT["client_secret"],
                                      "USHER_SERVER_SITE_NAME": "From outside"})
        cls.usher.start()

    def test_the_environment_outlives_its_wiping(self):
        browser = Browser(self.usher)
        browser.sign_in("my-idp")
        self.usher.child.send_signal(signal.SIGHUP)
        self.usher.told("live.loaded")
        self.assertEqual([e["removed"] for e in self.usher.events("live.loaded")], [0])
        self.assertEqual([e["settings"] for e in self.usher.events("live.loaded")], [0])
        Browser(self.usher).sign_in("my-idp")
        page = Browser(self.usher).get("/login").text
        self.assertIn("From outside", page)


class Ends(Case):
    def test_a_reload_that_is_under_way_when_usherd_stops(self):
        for wait in range(16):
            self.usher.child.send_signal(signal.SIGHUP)
            time.sleep(wait / 2000)
            self.assertEqual(self.usher.stop(), 0, self.usher.log()[-3000:])
            self.usher.start()


class Plugins(Case):
    """The plugins themselves are exchanged, as a package manager does: beside, then renamed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        assert cls.usher.stop() == 0
        cls.plugins = cls.folder / "plugins"
        shutil.copytree(ROOT / "lib/usher/providers", cls.plugins)
        text = cls.usher.config.read_text().replace(str(ROOT / "lib/usher/providers"), str(cls.plugins))
        write_private(cls.usher.config, text)
        cls.usher.start()

    def exchange(self, data, mode=0o644):
        new = self.plugins / ".new"
        new.write_bytes(data)
        new.chmod(mode)
        new.rename(self.plugins / "oidc.so")
        for _ in range(2):  # the first to end may have begun before
            before = len(self.outcomes())
            self.usher.child.send_signal(signal.SIGHUP)
            wait_for("the reload", lambda: len(self.outcomes()) > before)
        return self.outcomes()[-1]

    def outcomes(self):
        return [e for e in self.usher.events() if e["event"] in ("live.loaded", "live.refused")]

    def test_plug_01_plug_02_plug_03_a_broken_plugin_changes_nothing(self):
        # PLUG-01, PLUG-02, PLUG-03, CONF-09
        good = (self.plugins / "oidc.so").read_bytes()
        for what, data, mode in (("empty", b"", 0o644), ("text", b"hello\n", 0o644), ("cut", good[:4096], 0o644),
                                 ("open to others", good, 0o666), ("another architecture", good[:18] + b"\xb7\0" + good[20:], 0o644)):
            with self.subTest(what):
                said = self.exchange(data, mode)
                self.assertEqual(said["event"], "live.refused", said)
                self.assertIn("plugin oidc", said["text"])
                Browser(self.usher).sign_in("oidc")
        self.assertEqual(self.exchange(good)["event"], "live.loaded")
        Browser(self.usher).sign_in("oidc")


class Thousand(Faults):
    """CONF-09 at length: reloads under login load."""

    settings = {"log": {"level": "info"}}
    spares = {"oidc": 3}

    def load(self, stop, results, provider, person):
        while not stop.is_set():
            try:
                Browser(self.usher).sign_in(provider, person)
                results.append(None)
            except Exception as e:  # told below, with its text
                results.append("%s: %s" % (provider, e))

    def generation(self):
        text = Browser(self.usher).get("/metrics", Authorization="Bearer metrics-token-for-tests").text
        return int(re.search(r"^usher_config_generation (\d+)$", text, re.M).group(1))

    def reload(self, i):
        """Every one has something new: a label, a time-out (with its pool), one provider more or less."""
        usual = fake_providers(self.fake)
        folder = self.folder / "providers.d"
        new = folder / ".new"
        write_private(new, ini({"": {**usual["oidc"], "label": "Example %d" % i, "timeout": "%ds" % (5 + i % 40)}}))
        new.rename(folder / "oidc.conf")
        if i % 2:
            (folder / "now-and-then.conf").unlink(missing_ok=True)
        else:
            write_private(new, ini({"": usual["oidc"]}))
            new.rename(folder / "now-and-then.conf")
        before = self.generation()
        self.usher.child.send_signal(signal.SIGHUP)
        wait_for("reload %d" % i, lambda: self.generation() > before)

    def test_conf_09_a_thousand_reloads_under_load(self):
        # CONF-09: no login fails, nothing grows
        stop, results = threading.Event(), []
        threads = [threading.Thread(target=self.load, args=(stop, results, provider, person))
                   for provider, person in (("oidc", "ada"), ("discord", "grace"))]
        for t in threads:
            t.start()
        try:
            warm = RELOADS // 5
            for i in range(warm):
                self.reload(i)
            memory, descriptors = self.memory(), self.descriptors()
            for i in range(warm, RELOADS):
                self.reload(i)
        finally:
            stop.set()
            for t in threads:
                t.join()
        self.assertEqual([r for r in results if r], [])
        self.assertGreater(len(results), RELOADS // 10)
        self.assert_back_to(descriptors, memory, 8 * 1024)
        self.assertEqual([e for e in self.usher.events() if e["event"] in ("live.refused", "live.failed", "live.problem")], [])
        self.assertGreater(self.generation(), RELOADS)
