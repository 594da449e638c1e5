# SPDX-License-Identifier: Apache-2.0
"""usherctl as an admin types it, against a real usherd."""
import json
import os
import pty
import re
import socket
import subprocess
import time

from harness import ROOT, Browser, Case, sanitizer_environment, wait_for

CTL = ROOT / "bin/usherctl"
DONE, REFUSED, USAGE, UNREACHABLE, NOT_ALLOWED, CONFLICT = range(6)
SECRET = "usher-dev-secret"


class Ctl(Case):
    providers = staticmethod(lambda fake: {})

    def run_ctl(self, *words, stdin="", status=DONE, environment=None):
        """(standard output, standard error) of a run that must end so."""
        env = {**os.environ, **sanitizer_environment(), "USHER_SOCKET": str(self.usher.socket), **(environment or {})}
        p = subprocess.run([CTL, *words], input=stdin, capture_output=True, text=True, env=env, timeout=60)
        self.assertEqual(p.returncode, status, (words, p.stdout, p.stderr))
        self.assertNotIn("Sanitizer", p.stderr)
        return p.stdout, p.stderr

    def json_of(self, *words, **more):
        return json.loads(self.run_ctl(*words, "--json", **more)[0])

    def given(self, **more):
        base = self.fake.url + "/discord"
        values = {"client_id": "usher-dev", "authorize_url": base + "/oauth2/authorize",
                  "api_url": base + "/api/v10", "cdn_url": base + "/cdn", **more}
        return [w for key, value in values.items() for w in ("--set", "%s=%s" % (key, value))]

    def add(self, name="discord", secret=SECRET, *more, test=False, adopt=True, status=DONE, **settings):
        plugin = [] if name == "discord" else ["--plugin", "discord"]
        more += () if test else ("--no-test",)
        if adopt:
            more += ("--adopt",)
        return self.run_ctl("provider", "add", name, *plugin, *self.given(**settings), *more, stdin=secret + "\n",
                            status=status)

    def tearDown(self):
        for p in self.json_of("provider", "list")["providers"]:
            self.run_ctl("provider", "delete", p["id"], "--yes", "--force")
        super().tearDown()


class CommandLine(Ctl):
    def commands(self):
        """Each command and its arguments, as --help lists them."""
        out, _ = self.run_ctl("--help")
        return re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?)((?: <\w+>)*)(?: {2,}|$)", out, re.M)

    def options(self, command):
        """Those of one command, without those of every command."""
        own = self.run_ctl(*command.split(), "--help")[0].split("\nOptions of every command\n")[0]
        return re.findall(r"^  --([a-z-]+)", own, re.M)

    def test_help_is_everywhere(self):
        self.assertGreater(len(self.commands()), 25)
        for command, arguments in self.commands():
            usage = "usage: usherctl %s%s [options]\n" % (command, arguments)
            self.assertTrue(self.run_ctl(*command.split(), "--help")[0].startswith(usage), usage)
            self.assertTrue(self.run_ctl("help", *command.split())[0].startswith(usage), usage)
        self.assertIn("provider rotate", self.run_ctl("provider", "--help")[0])
        self.assertRegex(self.run_ctl("--version")[0], r"^usherctl \d")

    def test_help_is_tidy(self):
        """No line is longer than a terminal, and what stands on the right of a list begins in one column."""
        names = [command.split() for command, _ in self.commands()]
        for words in [[]] + names + [[first] for first in {n[0] for n in names}]:
            out, _ = self.run_ctl(*words, "--help")
            where = re.search(r"\(USHER_SOCKET;\s+(\S+)\)", out)  # as long as whoever built it likes
            columns = set()
            for line in out.replace(where.group(1), "PATH").splitlines() if where else out.splitlines():
                self.assertLess(len(line), 80, line)
                self.assertEqual(line, line.rstrip())
                indented = re.match(r"  (?! )\S.*?  +(?=\S)| {10,}(?=\S)", line)
                if indented:
                    columns.add(indented.end())
            self.assertEqual(len(columns), 1 if words else 2, (words, columns))  # commands, options

    def test_the_help_of_the_others_fits(self):
        for program in ("sbin/usherd", "bin/usher-fake"):
            out = subprocess.run([ROOT / program, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout
            for line in re.sub(r"\(default: \S+\)", "(default: PATH)", out).splitlines():
                self.assertLess(len(line), 80, line)

    def test_what_makes_no_sense(self):
        for words, text in ((["provder", "list"], 'did you mean "provider"'), (["provider"], "provider list"),
                            (["provider", "show"], "usage: usherctl provider show <id>"),
                            (["provider", "list", "x"], '"x" is not expected'),
                            (["status", "--bogus"], "no option --bogus"), (["status", "--json=1"], "takes no value"),
                            (["audit", "search", "--limit"], "needs N"), (["audit"], "audit search"),
                            (["audit", "search", "--since", "2999-01-01"], "how long ago"),
                            (["audit", "search", "--limit", "0"], "1 to 1000000"),
                            (["provider", "edit", "x"], "nothing to change"),
                            (["provider", "edit", "x", "--set", "nothing"], "KEY=VALUE"),
                            (["provider", "rotate", "x", "--expires", "2001-01-01"], "a day to come"),
                            (["provider", "rotate", "x", "--expires", "2099-02-30"], "a day to come"),
                            (["user", "disable", "x", "--reason", "y", "--until", "90"], "a day to come"),
                            (["user", "disable", "x", "--reason", "y", "--until", "0h"], "a day to come"),
                            (["provider", "delete", "x"], "--yes"),
                            (["status", "--url", "http://usher.example.com"], "https only"),
                            (["status", "--url", "https://u:p@usher.example.com"], "makes no sense"),
                            (["status", "--url", self.usher.url], "a token is needed")):
            self.assertIn(text, self.run_ctl(*words, status=USAGE)[1], words)

    def test_ids_may_look_like_options(self):
        for words in (["user", "show", "-x"], ["user", "show", "--", "--json"], ["user", "show", "--", "--help-me"],
                      ["--", "user", "show", "--x"]):
            self.assertEqual(self.run_ctl(*words, status=1)[1], "usherctl: there is no such account\n")
        self.assertIn("no option --x", self.run_ctl("user", "show", "--x", status=USAGE)[1])

    def test_what_is_wrong_is_said_once(self):
        said = self.run_ctl("user", "list", "--limit", "0", status=1)[1]
        self.assertEqual(said, "usherctl: limit: must be a number from 1 to 200\n")
        said = self.run_ctl("app", "add", "once", "--set", "redirect_uris=http://x.example/", "--set", "nonsense=1", status=1)[1]
        self.assertEqual(said.count("redirect_uris"), 1, said)
        self.assertRegex(said, r"^usherctl: the settings are wrong\n  nonsense: unknown key.*\n  redirect_uris: .*https")

    def test_nobody_answers(self):
        _, said = self.run_ctl("status", "--socket", str(self.folder / "nothing.sock"), status=UNREACHABLE)
        self.assertIn("nothing.sock: No such file or directory", said)
        self.assertIn("Is usherd running", said)
        left = self.folder / "left.sock"
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(left))
        _, said = self.run_ctl("status", "--socket", str(left), status=UNREACHABLE)
        self.assertIn("left.sock: nobody listens there", said)

    def test_completion_completes(self):
        script = self.run_ctl("completion", "bash")[0]
        words = subprocess.run(["bash", "-c", script + """
            COMP_WORDS=(usherctl provider ro) COMP_CWORD=2; _usherctl; echo "${COMPREPLY[*]}"
            COMP_WORDS=(usherctl pl) COMP_CWORD=1; _usherctl; echo "${COMPREPLY[*]}"
            COMP_WORDS=(usherctl status --js) COMP_CWORD=2; _usherctl; echo "${COMPREPLY[*]}" """],
                               capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(words, ["rotate", "plugin", "--json"])

    def test_the_manual_has_every_command(self):
        page = self.run_ctl("manual")[0]
        said = re.findall(r"^\.It Cm ([a-z -]*?)(?: Ar .*)?\n((?:(?!\.It Cm|\.Sh).*\n)*)", page, re.M)
        self.assertEqual([name for name, _ in said], [name for name, _ in self.commands()])
        for name, text in said:
            options = [o.replace("\\-", "-") for o in re.findall(r"^\.It Fl \\-([a-z\\-]+)", text, re.M)]
            self.assertEqual(options, self.options(name), name)

    def test_completion_has_every_command(self):
        """Each word and each option, as a shell would offer them."""
        names = [name.split() for name, _ in self.commands()]
        asked = [(["usherctl", ""], {n[0] for n in names})]
        asked += [(["usherctl", n[0], ""], {m[1] for m in names if m[0] == n[0]}) for n in names if len(n) > 1]
        always = {"json", "socket", "url", "token-file", "help"}
        asked += [(["usherctl", *n, "--"], {"--" + o for o in always | set(self.options(" ".join(n)))}) for n in names]
        script = self.run_ctl("completion", "bash")[0]
        for words, _ in asked:
            script += 'COMP_WORDS=(%s) COMP_CWORD=%d; _usherctl; echo "${COMPREPLY[*]}"\n' % (
                " ".join("'%s'" % w for w in words), len(words) - 1)
        offered = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
        self.assertEqual(len(offered), len(asked))
        for (words, wanted), line in zip(asked, offered):
            self.assertEqual(set(line.split()), wanted, words)


class Empty(Ctl):
    def test_empty_lists_say_so(self):
        for words, text in ((["provider", "list"], "No providers yet"), (["token", "list"], "No API tokens"),
                            (["admin", "list"], "No admins yet"), (["provider", "list", "--json"], '{"providers":[]}')):
            self.assertIn(text, self.run_ctl(*words)[0])


class Lists(Ctl):
    def test_plugins(self):
        self.assertRegex(self.run_ctl("plugin", "list")[0], r"(?m)^discord +Discord +https://discord")
        self.assertRegex(self.run_ctl("plugin", "show", "discord")[0], r"(?m)^client_secret +secret +required secret")
        self.assertIn("client_id", [r["key"] for r in self.json_of("plugin", "show", "discord")["settings"]])
        self.run_ctl("plugin", "show", "nothing", status=REFUSED)

    def test_status_and_configuration(self):
        self.assertIn(self.usher.url, self.run_ctl("status")[0])
        self.assertIn("Nothing would change", self.run_ctl("config", "diff")[0])
        self.assertIn("in force", self.run_ctl("config", "reload")[0])

    def test_a_bad_file_is_told_with_file_and_line(self):
        path = self.folder / "providers.d" / "mine.conf"
        path.write_text("plugin = discord\nclient_idd = x\n")
        path.chmod(0o600)
        wait_for("the problem", lambda: "mine.conf:2: " in self.run_ctl("status")[0])
        self.assertIn("did you mean", self.run_ctl("config", "diff", status=REFUSED)[0])
        path.unlink()
        wait_for("no problem", lambda: "mine.conf" not in self.run_ctl("status")[0])

    def test_audit_says_who_did_what_adm_16(self):
        self.add()
        last = self.json_of("audit", "search", "--object", "discord", "--limit", "1")["audit"][0]
        self.assertEqual((last["action"], last["actor_kind"], last["outcome"]), ("provider.add", "socket", "done"))
        self.assertNotIn(SECRET, json.dumps(last))
        self.assertIn("provider.add", self.run_ctl("audit", "search")[0])

    def test_odd_pages_of_the_audit_adm_24(self):
        self.add()
        for limit in ("0", "-1", "1000000000", "10; DROP TABLE audit", "1e3", "99999999999999999999"):
            self.run_ctl("audit", "search", "--limit", limit, status=USAGE)
        for word in ("'", '"', "%", "_", "' OR '1'='1", "discord'--", "*"):
            self.assertEqual(self.json_of("audit", "search", "--object", word)["audit"], [], word)
        self.assertGreater(len(self.json_of("audit", "search")["audit"]), 0)

    def test_the_audit_is_told_exported_and_verified(self):
        self.add()
        self.run_ctl("token", "add", "ci")
        self.run_ctl("audit", "search", "--since", "1h", "--until", "2999-01-01", status=USAGE)
        lines = self.run_ctl("audit", "tail", "--since", "1h")[0].splitlines()
        numbers = [int(line.split()[0]) for line in lines]
        self.assertEqual(numbers, sorted(numbers))
        self.assertIn(" provider.add done discord by socket", "".join(lines))
        self.assertEqual(len(self.run_ctl("audit", "tail", "--limit", "1")[0].splitlines()), 1)
        rows = [json.loads(line) for line in self.run_ctl("audit", "export")[0].splitlines()]
        self.assertEqual([r["n"] for r in rows], list(range(1, len(rows) + 1)))
        tokens = [r["n"] for r in rows if r["action"].startswith("token.")]
        self.assertGreater(len(tokens), 0)
        only = [json.loads(line) for line in self.run_ctl("audit", "export", "--action", "token.")[0].splitlines()]
        self.assertEqual([r["n"] for r in only], tokens)
        self.assertIn("The chain holds: %d entries" % len(rows), self.run_ctl("audit", "verify")[0])
        verdict = self.json_of("audit", "verify")
        self.assertEqual(verdict["head"], "%d:%s" % (rows[-1]["n"], rows[-1]["hash"]))
        self.run_ctl("token", "add", "another")
        self.assertIn("is in it", self.run_ctl("audit", "verify", "--head", verdict["head"])[0])
        wrong = "%d:%s" % (rows[-1]["n"], "0" * 64)
        self.assertIn("breaks at entry %d" % rows[-1]["n"],
                      self.run_ctl("audit", "verify", "--head", wrong, status=REFUSED)[1])
        self.run_ctl("audit", "verify", "--head", "%d:%s" % (rows[-1]["n"] + 100, "0" * 64), status=REFUSED)
        for head in ("1", "1:", "x:" + "0" * 64, "0:" + "0" * 64, "1:" + "0" * 63, "1:" + "0" * 64 + ":"):
            self.assertIn("64 hexadecimal", self.run_ctl("audit", "verify", "--head", head, status=REFUSED)[1])

    def test_the_audit_is_followed(self):
        self.add()
        tail = subprocess.Popen([CTL, "audit", "tail", "-f", "--action", "token.add", "--socket",
                                 str(self.usher.socket)], stdout=subprocess.PIPE, text=True)
        try:
            self.run_ctl("token", "add", "one")
            self.assertIn("token.add done", tail.stdout.readline())
            self.run_ctl("token", "delete", self.json_of("token", "list")["tokens"][0]["id"])
            self.run_ctl("token", "add", "two")
            self.assertIn("token.add done", tail.stdout.readline())
        finally:
            tail.kill()
            tail.wait()
            tail.stdout.close()

    def test_admins(self):
        self.add()
        account = self.browser.sign_in() and self.browser.me()["id"]
        self.run_ctl("admin", "grant", account)
        self.assertIn(account, self.run_ctl("admin", "list")[0])
        self.run_ctl("admin", "revoke", account, "--force")
        self.assertNotIn(account, self.run_ctl("admin", "list")[0])
        audit = self.json_of("audit", "search", "--object", account)["audit"]
        self.assertEqual({a["actor_kind"] for a in audit}, {"socket"})
        self.assertEqual(len(audit), 2)

    def test_key_rotation(self):
        before = self.json_of("secrets", "keys")["keys"]
        self.run_ctl("secrets", "rotate-key")
        wait_for("the new key", lambda: any(k["current"] and k["id"] not in [b["id"] for b in before]
                                            for k in self.json_of("secrets", "keys")["keys"]))


class Tokens(Ctl):
    def token_file(self, *options, mode=0o600):
        out, said = self.run_ctl("token", "add", "script", *options)
        self.assertIn("not shown again", said)
        path = self.folder / "token"
        path.write_text(out)
        path.chmod(mode)
        return out.strip(), ["--url", self.usher.url, "--token-file", str(path)]

    def test_a_token_works_until_it_is_deleted(self):
        token, remote = self.token_file("--scopes", "read", "--expires", "90d")
        self.assertIn(self.usher.url, self.run_ctl("status", *remote)[0])
        self.run_ctl("config", "reload", *remote, status=NOT_ALLOWED)
        tokens = self.json_of("token", "list")["tokens"]
        self.assertNotIn(token, json.dumps(tokens))
        self.assertAlmostEqual(tokens[0]["expires"], time.time() + 90 * 86400, delta=600)
        self.run_ctl("token", "delete", tokens[0]["id"])
        self.run_ctl("status", *remote, status=NOT_ALLOWED)

    def test_a_token_others_can_read_is_refused(self):
        _, remote = self.token_file(mode=0o644)
        self.assertIn("only you can read", self.run_ctl("status", *remote, status=USAGE)[1])
        for t in self.json_of("token", "list")["tokens"]:
            self.run_ctl("token", "delete", t["id"])


class Providers(Ctl):
    def test_added_tested_used(self):
        out, _ = self.add(test=True)
        self.assertIn(self.usher.url + "/callback/discord", out)
        self.assertRegex(out, r"(?m)^ok ")
        self.assertTrue(self.browser.sign_in("discord"))
        self.assertIn("usher-dev", self.run_ctl("provider", "show", "discord")[0])
        self.assertRegex(self.run_ctl("provider", "list")[0], r"(?m)^discord +Discord +discord +yes ")

    def test_a_wrong_secret_is_found_out(self):
        out, _ = self.add(secret="wrong", test=True, status=REFUSED)  # it is stored all the same
        self.assertRegex(out, r"(?m)^fail ")
        self.run_ctl("provider", "test", "discord", status=REFUSED)
        self.run_ctl("provider", "rotate", "discord", stdin=SECRET)
        self.run_ctl("provider", "promote", "discord")
        self.assertRegex(self.run_ctl("provider", "test", "discord")[0], r"(?m)^ok ")

    def test_what_is_wrong_names_the_field(self):
        _, said = self.add(status=REFUSED, timeout="soon")
        self.assertRegex(said, r"(?m)^  timeout: ")
        _, said = self.run_ctl("provider", "add", "discord", "--set", "client_id=x", "--set", "client_secret=abc",
                               status=USAGE)
        self.assertIn("client_secret is a secret", said)
        self.assertNotIn("abc", said)
        self.assertIn("client_id is needed", self.run_ctl("provider", "add", "discord", stdin="s", status=USAGE)[1])
        self.assertIn("no secret", self.add(secret="", status=USAGE)[1])

    def test_changed_and_gone(self):
        self.add()
        self.assertIn("already", self.add(status=CONFLICT)[1])
        self.run_ctl("provider", "edit", "discord", "--set", "label=Our Discord")
        self.assertIn("Continue with Our Discord", self.browser.get("/login").text)
        self.run_ctl("provider", "edit", "discord", "--unset", "label")
        self.assertIn("Continue with Discord", self.browser.get("/login").text)
        self.run_ctl("provider", "disable", "discord", "--force")
        self.assertNotIn("Continue with Discord", self.browser.get("/login").text)
        self.run_ctl("provider", "enable", "discord")
        self.run_ctl("provider", "delete", "discord", "--yes", "--force")
        self.run_ctl("provider", "show", "discord", status=REFUSED)

    def test_people_of_an_earlier_provider_are_not_handed_over_unasked(self):
        self.add()
        self.browser.sign_in("discord")
        self.run_ctl("provider", "delete", "discord", "--yes", "--force")
        self.assertIn("adopt", self.add(adopt=False, status=CONFLICT)[1])
        self.add()

    def test_the_next_slot_is_filled_and_emptied(self):
        self.add()
        self.run_ctl("provider", "rotate", "discord", "--expires", "2099-01-31", stdin="another")
        slots = self.json_of("provider", "show", "discord")["secrets"]["client_secret"]
        self.assertIsNotNone(slots["next"])
        self.assertEqual(time.strftime("%F %T", time.gmtime(slots["next"]["expires"])), "2099-01-31 23:59:59")
        self.assertRegex(self.run_ctl("provider", "list")[0], r"(?m)^discord .* set ")
        figures = Browser(self.usher).get("/metrics", Authorization="Bearer metrics-token-for-tests").text
        self.assertRegex(figures, r'(?m)^usher_secret_age_seconds\{provider="discord",slot="next"\} \d+$')
        self.assertRegex(figures, r'(?m)^usher_secret_left_seconds\{provider="discord",slot="next"\} \d{9,}$')
        self.run_ctl("provider", "drop", "discord", "next")
        self.assertNotIn('slot="next"', Browser(self.usher).get(
            "/metrics", Authorization="Bearer metrics-token-for-tests").text)
        self.assertIsNone(self.json_of("provider", "show", "discord")["secrets"]["client_secret"]["next"])

    def test_a_secret_that_is_typed_is_not_shown(self):
        self.add()
        env = {**os.environ, **sanitizer_environment(), "USHER_SOCKET": str(self.usher.socket)}
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(CTL, [CTL, "provider", "rotate", "discord"], env)
        seen = b""
        while b"(not shown)" not in seen:
            seen += os.read(fd, 4096)
        os.write(fd, b"typed-canary\n")
        try:
            while True:
                seen += os.read(fd, 4096)
        except OSError:  # the other end is closed
            pass
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), DONE, seen)
        self.assertNotIn(b"canary", seen)
        self.assertIsNotNone(self.json_of("provider", "show", "discord")["secrets"]["client_secret"]["next"])

    def test_text_from_elsewhere_cannot_steer_the_terminal(self):
        self.add(label="Dis\u202ecord")
        shown = self.run_ctl("provider", "list")[0]
        self.assertNotIn("\u202e", shown)
        self.assertIn("\ufffd", shown)


class Apps(Ctl):
    def tearDown(self):
        for app in self.json_of("app", "list")["apps"]:
            self.run_ctl("app", "delete", app["id"], "--yes")
        super().tearDown()

    def test_life_of_an_app(self):
        self.run_ctl("app", "add", "wiki", "--set", "hosts=wiki.example.com", "--set", "require=signed_in",
                     "--rule", "/admin/* role:admin", "--rule", "/api/* GET,POST permission:wiki:api or role:admin")
        self.assertIn("wiki.example.com", self.run_ctl("app", "list")[0])
        shown = self.json_of("app", "show", "wiki")
        self.assertEqual(shown["settings"]["rules"],
                         [{"path": "/admin/*", "require": "role:admin"},
                          {"path": "/api/*", "methods": "GET,POST", "require": "permission:wiki:api or role:admin"}])
        self.assertIn("permission:wiki:api", self.run_ctl("app", "show", "wiki")[0])
        out, _ = self.run_ctl("explain", "--app", "wiki", "--path", "/admin/x?", status=REFUSED)
        self.assertIn("bad_path", out)
        out, _ = self.run_ctl("explain", "--app", "wiki", "--path", "/admin/x", status=REFUSED)
        self.assertRegex(out, r"(?m)^TERM  +RESULT")
        self.assertRegex(out, r"^sign_in: nobody is signed in\nby the rule of /admin/\*: role:admin\n")
        self.assertRegex(out, r"role:admin +unknown +nobody is signed in")
        self.run_ctl("app", "set", "wiki", "--set", "require=anyone", "--no-rules")
        self.assertIn("allow: what is required is there", self.run_ctl("explain", "--app", "wiki", "--path", "/")[0])
        self.run_ctl("app", "set", "wiki", status=USAGE)
        _, err = self.run_ctl("app", "set", "wiki", "--set", "require=rolle:x", status=REFUSED)
        self.assertIn('did you mean "role"?', err)

    def test_secrets_are_shown_once(self):
        self.run_ctl("app", "add", "wiki")
        out, _ = self.run_ctl("app", "add-secret", "wiki")
        self.assertRegex(out, r"^uas_[A-Za-z0-9_-]{43}\n$")
        shown = self.run_ctl("app", "show", "wiki")[0]
        self.assertNotIn(out.strip(), shown)
        self.run_ctl("app", "delete-secret", "wiki", self.json_of("app", "show", "wiki")["secrets"][0]["id"])
        self.assertIn("No secrets.", self.run_ctl("app", "show", "wiki")[0])
