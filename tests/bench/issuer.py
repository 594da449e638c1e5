# SPDX-License-Identifier: Apache-2.0
"""usher as a provider beside its limits (a bare libmicrohttpd, OpenSSL's own signing rate) and
beside oidc-provider from npm, all in one run."""
import base64
import json
import pathlib
import random
import subprocess
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = 16
TOKENS = 1200  # asked about in turn, where no question may come twice

APPS = {
    "rs256": "grants = client_credentials\nscopes = read\n",
    "es256": "grants = client_credentials\nscopes = read\ntoken_alg = ES256\n",
    "opaque": "grants = client_credentials\nscopes = read\ntoken_format = opaque\n",
    "person": "redirect_uris = https://rp.example.com/callback\nscopes = openid profile email\n"
              "token_format = opaque\nrequire_pkce = no\n",
}
MACHINES = ("rs256", "es256", "opaque")


class Ask:
    """One kind of request to one server. `token`: what is asked about, made anew for each run, since
    the peer's memory forgets all but the newest thousand; `good`: what the answer has to say; `turn`:
    tokens that are asked about in turn, and no request is like another, so that no answer can be one
    that was there already."""

    def __init__(self, name, pid, url, form=None, client=None, token=None, good=None, turn=None):
        self.name, self.pid, self.url, self.form, self.client = name, pid, url, form, client
        self.token, self.good, self.bearer, self.turn = token, good, None, turn

    def ready(self):
        if self.token and self.client:
            self.form = {"token": self.token()}
        elif self.token:
            self.bearer = self.token()
        self.check()

    def check(self):
        assert self.good is None or self.good(self.once()), "%s: %s" % (self.name, self.once())

    def headers(self):
        headers = {"Authorization": "Bearer " + self.bearer} if self.bearer else {}
        if self.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self.client:
            headers["Authorization"] = "Basic " + base64.b64encode(("%s:%s" % self.client).encode()).decode()
        return headers

    def once(self):
        body = urllib.parse.urlencode(self.form).encode() if self.form is not None else None
        with urllib.request.urlopen(urllib.request.Request(self.url, body, self.headers())) as answer:
            return json.loads(answer.read() or b"{}")

    def script(self, folder):
        path = folder / ("ask-%s.lua" % self.name.replace(" ", "-"))
        lines = ['wrk.method = "%s"' % ("GET" if self.form is None else "POST")]
        if self.form is not None:
            lines.append('wrk.body = "%s"' % urllib.parse.urlencode(self.form))
        lines += ['wrk.headers["%s"] = "%s"' % item for item in self.headers().items()]
        if self.turn:
            lines.append("local n, t = 0, {%s}" % ", ".join('"%s"' % t for t in self.turn))
            lines.append("request = function()\nn = n + 1\nlocal token = t[n %% #t + 1]\n%s\nend" % (
                'return wrk.format(nil, nil, nil, "token=" .. token .. "&n=" .. n)' if self.client else
                'wrk.headers["Authorization"] = "Bearer " .. token\nreturn wrk.format(nil, nil, nil, "n=" .. n)'))
        lines.append("done = function(s, l, r) io.write(string.format('FIGURES %d %d %d %d\\n', s.requests, s.duration, "
                     "l:percentile(99), s.errors.status + s.errors.connect + s.errors.read + s.errors.timeout)) end")
        path.write_text("\n".join(lines) + "\n")
        return path


def wrk(tools, ask, folder, seconds):
    """(requests a second, CPU µs a request, p99 µs)."""
    ask.ready()
    before = tools.cpu(ask.pid)
    out = subprocess.run(["wrk", "-t1", "-c%d" % CONNECTIONS, "-d%ds" % max(1, round(seconds)), "--timeout", "10s", "-s",
                          ask.script(folder), ask.url], capture_output=True, text=True, check=True).stdout
    used = tools.cpu(ask.pid) - before
    figures = next(line for line in out.splitlines() if line.startswith("FIGURES")).split()
    requests, duration, p99, errors = (int(x) for x in figures[1:])
    if errors:
        raise SystemExit("%s: %d of %d requests failed\n%s" % (ask.name, errors, requests, out))
    ask.check()  # the last answer was as good as the first
    return requests / (duration / 1e6), used / requests * 1e6, p99


def raw_rates(seconds):
    """Signatures a second and core, by OpenSSL's own measure: {"rs256": n, "es256": n}."""
    out = subprocess.run(["openssl", "speed", "-mr", "-seconds", str(max(1, round(seconds))), "rsa2048", "ecdsap256"],
                         capture_output=True, text=True, check=True).stdout
    rates = {}
    for line in out.splitlines():
        fields = line.split(":")
        if fields[0] == "+F2":
            rates["rs256"] = rate(fields[3])
        elif fields[0] == "+F4":
            rates["es256"] = rate(fields[3])
    return rates


def rate(text):
    """Some versions say seconds a signature, others signatures a second."""
    value = float(text)
    return 1 / value if value < 1 else value


class Peer:
    def __init__(self, tools, world):
        self.port = tools.harness.free_port()
        self.process = subprocess.Popen(["node", HERE / "op.mjs", str(self.port)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        world.stop_list.append(lambda: (self.process.terminate(), self.process.wait()))
        tools.harness.wait_for("oidc-provider", lambda: tools.connects(self.port) or self.process.poll() is not None)
        assert self.process.poll() is None, "oidc-provider did not start: npm ci in tests/e2e?"
        self.url = "http://127.0.0.1:%d" % self.port


def start(tools, world):
    import oauth
    usher = world.usher("issuer", apps=APPS, settings={"limits": {"token": "0"}})
    usher.stop()
    secrets = {app: oauth.secret_for(usher, app) for app in APPS}
    usher.start()
    return usher, secrets


def person_tokens(usher, secret, n):
    """Somebody signs in to an app, n times."""
    from relying_party import RelyingParty
    import harness
    rp, browser = RelyingParty(usher, "person", secret), harness.Browser(usher)
    return [rp.sign_in(browser, scope="openid profile email")[0]["access_token"] for _ in range(n)]


def same_person(usher, peer):
    """Questions about people: the same claims on both sides, in answers of one length."""
    first = [json.dumps(ask.once(), sort_keys=True) for ask in (usher, peer)]
    assert sorted(json.loads(first[0])) == sorted(json.loads(first[1])), first
    assert abs(len(first[0]) - len(first[1])) < 20, first


def documents(world, usher):
    """What is kept ready, from usher and from a bare libmicrohttpd that has the very same text."""
    for name, path in (("discovery", "/.well-known/openid-configuration"), ("jwks", "/oauth2/jwks")):
        ours = Ask("usher " + name, usher.child.pid, usher.url + path)
        with urllib.request.urlopen(ours.url) as answer:
            bare = world.bare(answer.read().decode())
        yield from (ours, Ask("bare " + name, bare.pid, "http://127.0.0.1:%d/" % bare.port))


def asks(world, usher, secrets, peer):
    bare = world.bare()
    pid, peer_pid = usher.child.pid, peer.process.pid
    form = {"grant_type": "client_credentials", "scope": "read"}
    all_of = [Ask("bare", bare.pid, "http://127.0.0.1:%d/" % bare.port),
              *documents(world, usher),
              Ask("peer discovery", peer_pid, peer.url + "/.well-known/openid-configuration"),
              Ask("peer jwks", peer_pid, peer.url + "/jwks")]
    tokens = {}
    for app in MACHINES:
        tokens[app] = (Ask("usher " + app, pid, usher.url + "/oauth2/token", form, (app, secrets[app])),
                       Ask("peer " + app, peer_pid, peer.url + "/token", form, (app, "secret")))
        all_of += tokens[app]
    mine, theirs = tokens["opaque"]
    people = person_tokens(usher, secrets["person"], TOKENS)
    machines = [mine.once()["access_token"] for _ in range(TOKENS)]
    theirs_of_person = Ask("person", peer_pid, peer.url + "/person")
    about = [Ask("usher introspect", pid, usher.url + "/oauth2/introspect", {}, mine.client,
                 lambda: mine.once()["access_token"], lambda a: a["active"] is True),
             Ask("peer introspect", peer_pid, peer.url + "/token/introspection", {}, theirs.client,
                 lambda: theirs.once()["access_token"], lambda a: a["active"] is True),
             Ask("usher userinfo", pid, usher.url + "/oauth2/userinfo", None, None,
                 lambda: people[0], lambda a: "email_verified" in a),
             Ask("usher introspect anew", pid, usher.url + "/oauth2/introspect", {}, mine.client,
                 lambda: machines[0], lambda a: a["active"] is True, machines),
             Ask("usher userinfo anew", pid, usher.url + "/oauth2/userinfo", {}, None,
                 lambda: people[0], lambda a: "email_verified" in a, people),
             Ask("peer userinfo", peer_pid, peer.url + "/me", None, None,
                 lambda: theirs_of_person.once()["access_token"], lambda a: "email_verified" in a)]
    for ask in about:
        ask.ready()
    same_person(about[2], about[-1])
    return {ask.name: ask for ask in all_of + about}


def beside_tokens(tools, world, usher, ask):
    """p99 in ms of session checks while 16 clients fetch RS256 tokens without pause."""
    # where there are apps, a proxy has to say which of them it asks about
    cookie = tools.signed_in(usher)[0] + "\r\nX-Original-URL: https://app.example.com/"
    load = subprocess.Popen(["wrk", "-t1", "-c%d" % CONNECTIONS, "-d5s", "-s", ask.script(world.folder), ask.url],
                            stdout=subprocess.DEVNULL)
    out = subprocess.run([world.program("probe"), str(usher.port), cookie, "3"], stdout=subprocess.PIPE, text=True,
                         check=True).stdout
    load.wait()
    _, p99, _, lost = (int(x) for x in out.split())
    assert lost == 0
    return p99 / 1000


def part(tools, world):
    usher, secrets = start(tools, world)
    every = asks(world, usher, secrets, Peer(tools, world))
    results, raw, p99 = {}, [], []
    for repeat in range(tools.REPEATS):
        raw.append(raw_rates(tools.SECONDS / 2))
        for ask in random.sample(list(every.values()), len(every)):
            results.setdefault(ask.name, []).append(wrk(tools, ask, world.folder, tools.SECONDS))
        p99.append(beside_tokens(tools, world, usher, every["usher rs256"]))
        tools.note("  repeat %d: gate p99 beside RS256 %.2f ms" % (repeat + 1, p99[-1]))
    tell(tools, results, raw, p99)


def tell(tools, results, raw, p99):
    def ratio(a, b, column):
        return tools.median(x[column] / y[column] for x, y in zip(results[a], results[b]))

    def by_raw(app):
        return tools.median(x[0] / r[app] for x, r in zip(results["usher " + app], raw))
    for name in ("discovery", "jwks"):
        tools.at_least("%s req/s : bare, same text" % name, ratio("usher " + name, "bare " + name, 0), 0.85, 0.95)
        tools.note("  %s req/s : an empty answer of bare: %.2f" % (name, ratio("usher " + name, "bare", 0)))
    tools.at_least("client_credentials ES256 : raw signing rate", by_raw("es256"), 0.45, 0.6)
    tools.at_least("client_credentials RS256 : raw signing rate", by_raw("rs256"), 0.85, 0.92)
    tools.at_least("CPU per token ES256, oidc-provider : usher", ratio("peer es256", "usher es256", 1), 4, 6)
    tools.at_least("CPU per token RS256, oidc-provider : usher", ratio("peer rs256", "usher rs256", 1), 1.4, 1.6)
    tools.at_least("CPU per introspection, oidc-provider : usher", ratio("peer introspect", "usher introspect", 1), 8, 14)
    tools.at_least("CPU per userinfo, oidc-provider : usher", ratio("peer userinfo", "usher userinfo", 1), 8, 14)
    for name in ("introspect", "userinfo"):
        tools.at_least("CPU per %s, no question twice, oidc-provider : usher" % name,
                       ratio("peer " + name, "usher %s anew" % name, 1), 8, 14)
    tools.at_most("gate p99 while 16 clients fetch RS256 tokens", tools.median(p99), 3, 1, " ms")
    for name, values in sorted(results.items()):
        tools.note("  %-22s %8.0f req/s %7.2f us CPU %6.0f us p99" % (
            name, *(tools.median(v[i] for v in values) for i in range(3))))
    tools.note("  raw signatures a second: %s" % {k: round(tools.median(r[k] for r in raw)) for k in raw[0]})
