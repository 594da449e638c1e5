# SPDX-License-Identifier: Apache-2.0
"""usherd that cannot start: it says what is wrong, leaves with status 1, and takes down in order whatever
was there already, however far it came. What a configuration can have wrong is in test_config.py."""
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess

from harness import CLIENT, PATIENCE, ROOT, Browser, Fake, fake_providers, ini, sanitizer_environment, write_private
from test_config import Folder


class Failing(Folder):
    """Each spoils one thing that a start needs, in the order in which it needs them."""

    def start(self, *arguments, status=1, **more):
        """What a start that ends by itself says."""
        done = subprocess.run(
            [ROOT / "sbin/usherd", "--config", self.usher.config, *arguments], timeout=PATIENCE,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **sanitizer_environment()}, **more)
        text = done.stdout.decode(errors="replace")
        for report in ("Sanitizer", "runtime error"):
            self.assertNotIn(report, text)
        self.assertEqual(done.returncode, status, text)
        self.assertNotIn("daemon.stopped", text)  # it never ran
        return text

    def refused_start(self, *words, arguments=(), **more):
        text = self.start(*arguments, **more)
        failed = [line for line in text.splitlines() if '"event":"daemon.failed"' in line]
        self.assertEqual(len(failed), 1, text)
        for word in words:
            self.assertIn(str(word), failed[0])

    def made(self):
        """As a start that went well leaves it."""
        self.usher.start()
        self.assertEqual(self.usher.stop(), 0)

    def test_the_port_is_in_use(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", self.usher.port))
            other.listen()
            self.refused_start("listen on 127.0.0.1:%d" % self.usher.port, "in use")
        self.made()

    def test_the_admin_socket_has_no_place(self):
        (self.folder / "run").write_text("a file, where the folder should be")
        self.refused_start(self.folder / "run")

    def test_the_key_file(self):
        key = self.folder / "usher.key"
        self.made()
        good = key.read_bytes()
        for words, data, mode in (("64 hex digits", good[:-20], 0o600), ("expected a key id", b"\0" * 64, 0o600),
                                  ("chmod 600", good, 0o644)):
            with self.subTest(words):
                key.write_bytes(data)
                key.chmod(mode)
                self.refused_start(key, words)
        key.unlink()
        key.mkdir()
        self.refused_start(key, "not a regular file")

    def test_the_database(self):
        database = self.usher.database
        self.made()
        good = database.read_bytes()
        damaged = good[:2048] + os.urandom(len(good) - 2048)
        for words, data, mode in (("no SQLite database", b"something else " * 500, 0o600),
                                  ("damaged", damaged, 0o600), ("chmod 600", good, 0o666)):
            with self.subTest(words):
                database.write_bytes(data)
                database.chmod(mode)
                self.refused_start(words)
                database.chmod(0o600)
        for words, change in (("newer usher", "PRAGMA user_version = 9999"),
                              ("no usher database", "PRAGMA application_id = 77"), ("signing_key", "DROP TABLE signing_key")):
            with self.subTest(words):
                database.write_bytes(good)
                with sqlite3.connect(database) as db:
                    db.execute(change)
                db.close()
                self.refused_start(words)
        database.unlink()
        database.mkdir()
        self.refused_start("no regular file")

    def test_a_folder_that_is_not_there(self):
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        text = self.usher.config.read_text()
        write_private(self.usher.config, text.replace("sqlite:%s/" % self.folder, "sqlite:%s/none/" % self.folder))
        self.refused_start(self.folder / "none")

    def test_the_disk_is_full(self):
        """As far as one process can have it: no file grows beyond so many bytes. From the first page of the
        database to what the last part writes at its start."""
        for size, words in ((0, ("usher.key", "File too large")),
                            *((size, ("database", "disk I/O error")) for size in (100, 4096, 64 << 10, 256 << 10))):
            with self.subTest(size):
                for path in self.folder.glob("usher.*"):
                    if path.suffix != ".conf":
                        path.unlink()
                self.refused_start(*words, restore_signals=False, preexec_fn=lambda: full_at(size))
        self.made()

    def test_the_file_of_trusted_certificates(self):
        missing = self.folder / "ca.pem"
        self.append("providers", "ca_file = %s" % missing)
        self.refused_start(missing)

    def test_the_ready_file_cannot_be_written(self):
        """The last thing that can go wrong: everything is there, and has begun to ask the store."""
        missing = self.folder / "none" / "ready"
        self.refused_start(missing, arguments=("--ready-file", missing))
        self.made()

    def test_the_ready_file_cannot_be_written_and_tokens_are_to_go(self):
        """What a start begins in the background goes on in steps: none of them may find the store gone."""
        fake = Fake(self.folder)
        self.addCleanup(fake.stop)
        providers = {**fake_providers(fake)["discord"], "keep_tokens": "yes"}
        self.usher = self.make(providers={"discord": providers})
        self.usher.start()
        Browser(self.usher).sign_in("discord")
        self.assertEqual(self.usher.stop(), 0)
        self.assertEqual(self.usher.rows("SELECT count(*) FROM upstream_token"), [(1,)])
        self.provider("discord", ini({"": {**providers, "keep_tokens": "no"}}))
        missing = self.folder / "none" / "ready"
        for _ in range(5):
            self.refused_start(missing, arguments=("--ready-file", missing))

    def test_told_to_stop_before_it_is_there(self):
        """A signal that comes before anybody looks waits; a start that fails does not trip over it."""
        missing = self.folder / "none" / "ready"
        blocked = {"preexec_fn": pending, "restore_signals": False}
        self.refused_start(missing, arguments=("--ready-file", missing), **blocked)
        text = subprocess.run([ROOT / "sbin/usherd", "--config", self.usher.config], timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **sanitizer_environment()}, check=True, **blocked).stdout.decode()
        self.assertNotIn("Sanitizer", text)
        self.assertIn('"event":"daemon.stopped"', text)  # it was there, and left at once

    def test_a_folder_of_plugins_that_is_not_there(self):
        """That ends no start: who comes by another way still gets in. Each provider says what it lacks."""
        text = self.usher.config.read_text()
        write_private(self.usher.config, text.replace(str(ROOT / "lib/usher/providers"), str(self.folder / "none")))
        self.provider("discord", ini({"": CLIENT}))
        self.usher.start()
        self.assertIn(str(self.folder / "none"), self.usher.told("provider.unusable", provider="discord")[0]["reason"])
        self.assertEqual(Browser(self.usher).get("/login").status, 200)
        self.assertEqual(self.usher.stop(), 0)


def full_at(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def pending():
    """SIGTERM and SIGHUP are waiting already when the program begins."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
    for one in (signal.SIGTERM, signal.SIGHUP):
        os.kill(os.getpid(), one)
