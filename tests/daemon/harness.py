# SPDX-License-Identifier: Apache-2.0
"""What the daemon tests stand on: a real usherd, usher-fake as its upstreams, and a browser that does
nothing by itself. Standard library only, but for contract.py. Everything listens on 127.0.0.1 and is
stopped by pid."""
import atexit
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(os.environ["USHER_ROOT"]).resolve()  # sbin/usherd, bin/usher-fake, lib/…
PATIENCE = 60


claimed_ports = []


def free_port():
    """A port of 127.0.0.1 for a program that starts later, again and again. It is below those the kernel
    picks for connections and for port 0, and while this process lives no other test run picks it: a
    socket without a file stands for it."""
    while True:
        port = random.randrange(10000, 32768)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind("\0usher-test-port-%d" % port)
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        claimed_ports.append(claim)
        return port


def wait_for(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("waited %ss in vain for %s" % (seconds, what))


def sanitizer_environment():
    options = "abort_on_error=0:exitcode=99:"
    return {
        "ASAN_OPTIONS": options + "detect_stack_use_after_return=1",
        "UBSAN_OPTIONS": options + "print_stacktrace=1:halt_on_error=1",
        "TSAN_OPTIONS": options + "halt_on_error=0:second_deadlock_stack=1",
        "LSAN_OPTIONS": "exitcode=99",
    }


class Process:
    """A program with its standard error in a file."""

    def __init__(self, name, arguments, folder, environment=None):
        self.name = name
        self.log_path = folder / (name + ".log")
        environment = {**os.environ, **sanitizer_environment(), **(environment or {})}
        self.log_file = open(self.log_path, "ab")
        self.child = subprocess.Popen(
            [str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=self.log_file,
            stderr=self.log_file, env=environment)
        atexit.register(self.end)  # whatever became of the test that started it

    def end(self):
        if self.alive():
            self.child.kill()
            self.child.wait()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def alive(self):
        return self.child.poll() is None

    def stop(self, sig=signal.SIGTERM, seconds=PATIENCE):
        if self.alive():
            self.child.send_signal(sig)
        try:
            status = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError("%s did not stop:\n%s" % (self.name, self.log()[-4000:]))
        finally:
            self.log_file.close()
        return status


class Fake(Process):
    """usher-fake. `auto` approves as the person named by login_hint, or as Ada."""

    def __init__(self, folder, *arguments, auto=True):
        ready = folder / "fake.ready"
        super().__init__("fake", [ROOT / "bin/usher-fake", "--listen", "127.0.0.1:0", "--ready-file",
                                  ready, *(["--auto"] if auto else []), *arguments], folder)
        wait_for("usher-fake", lambda: ready.exists() and ready.read_text().endswith("\n") or not self.alive())
        assert self.alive(), self.log()
        self.url = ready.read_text().strip()
        self.origin = urllib.parse.urlsplit(self.url)

    def call(self, method, path, form=None):
        c = http.client.HTTPConnection("127.0.0.1", self.origin.port, timeout=PATIENCE)
        body = urllib.parse.urlencode(form) if form is not None else None
        c.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {})
        answer = c.getresponse()
        text = answer.read()
        c.close()
        assert answer.status == 200, (answer.status, text)
        return text

    def fault(self, path, fault, **more):
        """`fault` on the next answers of `path` (see usher-fake --help)."""
        self.call("POST", "/fake/faults", {"path": path, "fault": fault, **more})

    def release(self):
        """Requests that are held go on."""
        self.call("POST", "/fake/release", {})

    def reset(self):
        self.call("POST", "/fake/reset", {})

    def counts(self):
        """How often each path was asked for since the last reset."""
        return json.loads(self.call("GET", "/fake/requests"))["paths"]


class Usher(Process):
    """usherd with its own folder. Settings are {section: {key: value}} over the defaults here;
    providers are {id: {key: value}}, apps {id: text of the file}."""

    def __init__(self, folder, fake=None, settings=None, providers=None, environment=None, start=True, apps=None):
        self.folder = folder
        self.port = free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.environment = environment
        self.database = folder / "usher.db"
        self.socket = folder / "run" / "admin.sock"
        merged = {
            "server": {"listen": "127.0.0.1:%d" % self.port, "public_url": self.url, "site_name": "Test site"},
            "login": {"return_hosts": "127.0.0.1:1 app.example.com .wild.example.com"},
            "store": {"url": "sqlite:%s" % self.database, "key_file": folder / "usher.key"},
            "apps": {"dir": folder / "apps.d"},
            "providers": {"dir": folder / "providers.d", "plugin_dir": ROOT / "lib/usher/providers",
                          "allow_http_loopback": "yes"},
            "log": {"level": "debug", "format": "json"},
            "metrics": {"token": "metrics-token-for-tests"},
            "admin": {"socket": folder / "run" / "admin.sock"},
        }
        for section, values in (settings or {}).items():
            merged.setdefault(section, {}).update(values)
        self.config = folder / "usher.conf"
        write_private(self.config, ini(merged))
        if providers is None:
            providers = fake_providers(fake) if fake else {}
        (folder / "providers.d").mkdir(exist_ok=True)
        for name, values in providers.items():
            write_private(folder / "providers.d" / (name + ".conf"), ini({"": values}))
        (folder / "apps.d").mkdir(exist_ok=True)
        for name, text in (apps or {}).items():
            write_private(folder / "apps.d" / (name + ".conf"), text)
        if start:
            self.start()

    def start(self):
        ready = self.folder / "usher.ready"
        ready.unlink(missing_ok=True)
        Process.__init__(self, "usherd", [ROOT / "sbin/usherd", "--config", self.config, "--ready-file", ready],
                         self.folder, self.environment)
        wait_for("usherd", lambda: ready.exists() and ready.read_text().endswith("\n") or not self.alive())
        assert self.alive(), self.log()

    def events(self, name=None):
        """Log lines as dictionaries. They are written a moment after the answer that they belong to: to
        see one that has to come there is told()."""
        found = []
        for line in self.log().split("\n")[:-1]:  # the last one is still being written
            if line.startswith("{") and (name is None or '"event":"%s"' % name in line):
                found.append(json.loads(line))
        return found

    def told(self, name, n=1, since=0, **fields):
        """At least n log lines of this name with these fields, as soon as they are there; `since` that
        many lines of events()."""
        def found():
            lines = [e for e in (self.events()[since:] if since else self.events(name))
                     if e["event"] == name and all(e.get(k) == v for k, v in fields.items())]
            return len(lines) >= n and (lines,)
        return wait_for("%d %s %s" % (n, name, fields), found)[0]

    def settle(self):
        """Before a look at what is not in the log: wait for a line of our own, behind all others."""
        path = "/settle/" + secrets.token_hex(8)
        Browser(self).get(path)
        wait_for("the log", lambda: path in self.log())

    def change(self, sql, *values):
        """What time or chance would do to the store, running or not."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=PATIENCE)) as db, db:
            db.execute(sql, values)

    def rows(self, sql, *values):
        with sqlite3.connect("file:%s?mode=ro" % self.database, uri=True) as db:
            return db.execute(sql, values).fetchall()

    def raw(self, data, seconds=PATIENCE, shut=False):
        """Send bytes, return all that comes until the peer closes or `seconds` pass."""
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            try:
                s.sendall(data)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before all of it was sent: the answer is there to be read
            if shut:
                s.shutdown(socket.SHUT_WR)
            return receive(s, seconds)

    def alive_and_well(self):
        answer = Browser(self).get("/healthz")
        assert answer.status == 200, answer.status


def receive(s, seconds):
    chunks = []
    end = time.monotonic() + seconds
    while True:
        s.settimeout(max(0.01, end - time.monotonic()))
        try:
            chunk = s.recv(65536)
        except (socket.timeout, ConnectionResetError):
            break
        if not chunk:
            break
        chunks.append(chunk)
    return b"".join(chunks)


def ini(sections):
    text = []
    for section, values in sections.items():
        if section:
            text.append("[%s]" % section)
        text += ["%s = %s" % (k, v) for k, v in values.items()]
        text.append("")
    return "\n".join(text)


def write_private(path, text):
    """At once, for those who watch the folder: not empty first, nor open to others."""
    new = path.with_name("." + path.name + ".new")
    new.touch(0o600)
    new.write_text(text)
    new.rename(path)


CLIENT = {"client_id": "usher-dev", "client_secret": "usher-dev-secret"}


def fake_providers(fake, link="never"):
    """The same people come by all of them; what follows from that is for the tests that ask for it."""
    return {name: {**values, "link": link} for name, values in {
        "discord": {**CLIENT, "authorize_url": fake.url + "/discord/oauth2/authorize",
                    "api_url": fake.url + "/discord/api/v10",
                    "cdn_url": fake.url + "/discord/cdn"},
        "google": {**CLIENT, "issuer": fake.url + "/google"},
        "oidc": {**CLIENT, "plugin": "oidc", "label": "Example ID", "issuer": fake.url + "/oidc"},
    }.items()}


class Answer:
    def __init__(self, response, url):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.url = url

    @property
    def text(self):
        return self.body.decode()

    @property
    def location(self):
        return self.headers.get("Location")

    def json(self):
        return json.loads(self.body)

    def summary(self):
        """What a failed assertion should say: status, heading, reference."""
        words = re.findall(r"<h1>(.*?)</h1>|Reference <code>(.*?)</code>", self.text)
        return "%s %s: %s %s" % (self.status, self.url, self.location or "", ["".join(w) for w in words])


class Browser:
    """Cookies by origin, redirects only when told to."""

    def __init__(self, usher):
        self.usher = usher
        self.cookies = {}

    def request(self, method, url, form=None, headers=None, body=None):
        url = urllib.parse.urljoin(self.usher.url, url)
        parts = urllib.parse.urlsplit(url)
        path = parts.path + ("?" + parts.query if parts.query else "")
        headers = dict(headers or {})
        mine = self.cookies.setdefault(parts.netloc, {})
        if mine and "Cookie" not in headers:
            headers["Cookie"] = "; ".join("%s=%s" % kv for kv in mine.items())
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        c = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        try:
            c.request(method, path, body, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent: the answer is there to be read
        answer = Answer(c.getresponse(), url)
        c.close()
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            if "max-age=0" in attributes.lower():
                mine.pop(name, None)
            else:
                mine[name] = value
        return answer

    def get(self, url, **headers):
        return self.request("GET", url, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, url, form, same_origin=True, **headers):
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        if same_origin:
            named.setdefault("Origin", self.usher.url)
            named.setdefault("Sec-Fetch-Site", "same-origin")
        return self.request("POST", url, form=form, headers=named)

    def follow(self, answer, until=None, hops=10):
        """Follow redirects, stopping before a URL that starts with `until`."""
        while answer.status in (302, 303) and hops > 0:
            target = urllib.parse.urljoin(answer.url, answer.location)
            if until and target.startswith(until):
                return target
            answer = self.get(target)
            hops -= 1
        return answer

    def start(self, provider="discord", person="ada", return_to=None):
        query = {"login_hint": person}
        if return_to is not None:
            query["return_to"] = return_to
        return self.get("/login/%s?%s" % (provider, urllib.parse.urlencode(query)))

    def to_callback(self, provider="discord", person="ada", return_to=None):
        """Everything up to the callback URL, not opened yet."""
        answer = self.start(provider, person, return_to)
        assert answer.status == 303, answer.summary()
        upstream = answer.location
        if "login_hint=" not in upstream:  # Discord knows no hints; the fake does
            upstream += "&login_hint=" + person
        target = self.follow(self.get(upstream), until=self.usher.url + "/callback/")
        assert isinstance(target, str), target.summary()
        return target

    def sign_in(self, provider="discord", person="ada", return_to=None):
        answer = self.get(self.to_callback(provider, person, return_to))
        assert answer.status == 303, answer.summary()
        return answer

    def me(self):
        answer = self.get("/api/v1/me")
        return answer.json() if answer.status == 200 else None

    def session(self):
        jar = self.cookies.get("127.0.0.1:%d" % self.usher.port, {})
        return jar.get("usher")


class LocalConnection(http.client.HTTPConnection):
    """HTTP over a socket file."""

    def __init__(self, path):
        super().__init__("usher", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Api:
    """The administration's API: over the admin socket, or with a token at the public address. What
    comes back is kept in `heard`, head and all, and must be as docs/openapi.yaml says."""

    def __init__(self, usher, token=None):
        self.usher = usher
        self.token = token
        self.heard = []

    def request(self, method, path, body=None, headers=None, raw=None):
        headers = dict(headers or {})
        if body is not None:
            raw = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if self.token is None:
            c = LocalConnection(self.usher.socket)
        else:
            c = http.client.HTTPConnection("127.0.0.1", self.usher.port, timeout=PATIENCE)
            headers.setdefault("Authorization", "Bearer " + self.token)
        try:
            c.request(method, path, raw, headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all of it was sent; the answer is there
        answer = Answer(c.getresponse(), path)
        c.close()
        self.heard.append((method, path, answer.status, str(answer.headers), answer.body))
        import contract  # not for those who only measure

        wrong = contract.complaints(method, path, answer)
        assert not wrong, (method, path, answer.status, answer.text[:2000], wrong)
        return answer

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def ask(self, method, path, body=None, status=200, **headers):
        """The answer's JSON; anything but `status` fails."""
        answer = self.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        assert answer.status == status, (method, path, answer.status, answer.text)
        return answer.json() if answer.body else None


class Case(unittest.TestCase):
    """One fake and one usherd for all tests of a class; leaks and races fail the class."""

    settings = None
    providers = None
    apps = None
    fake_arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-test-"))
        cls.fake = Fake(cls.folder, *cls.fake_arguments)
        providers = cls.providers(cls.fake) if callable(cls.providers) else None
        cls.usher = Usher(cls.folder, cls.fake, settings=cls.settings, providers=providers, apps=cls.apps)

    @classmethod
    def tearDownClass(cls):
        status = cls.usher.stop()
        text = cls.usher.log()
        cls.fake.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)
        reports = text.find("Sanitizer")
        assert reports < 0, text[max(0, reports - 100):][:12000]
        assert status == 0, "usherd ended with %s:\n%s" % (status, text[-6000:])

    def setUp(self):
        self.fake.reset()
        self.browser = Browser(self.usher)

    def assert_local_400(self, answer):
        """LOCAL400: our own page, no redirect, no session, nothing asked upstream."""
        self.assertEqual(answer.status, 400, answer.summary())
        self.assertIsNone(answer.location)
        self.assertNotIn("usher=", answer.headers.get("Set-Cookie", "").replace("usher-bind=", ""))

    def assert_signed_out(self, browser=None):
        self.assertIsNone((browser or self.browser).me())
