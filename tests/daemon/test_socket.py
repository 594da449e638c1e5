# SPDX-License-Identifier: Apache-2.0
"""The admin socket: who may use it, what is there, how it starts and stops: ADM-03."""
import concurrent.futures
import os
import pathlib
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import unittest

from harness import PATIENCE, Api, Case, LocalConnection, Usher, receive, wait_for

ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Socket(Case):
    def test_the_file_is_ours_alone(self):
        status = os.stat(self.usher.socket)
        self.assertTrue(stat.S_ISSOCK(status.st_mode))
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        self.assertEqual(status.st_uid, os.geteuid())
        self.assertEqual(stat.S_IMODE(os.stat(self.usher.socket.parent).st_mode) & 0o022, 0)

    def test_only_what_is_meant_for_it(self):
        api = Api(self.usher)
        for path in ("/", "/login", "/login/discord", "/callback/discord", "/logout", "/auth", "/api/v1/me", "/assets/usher.css"):
            self.assertEqual(api.get(path).status, 404, path)
        for path in ("/healthz", "/readyz"):
            self.assertEqual(api.get(path).status, 200, path)

    def test_figures_need_no_token_here(self):
        self.assertIn("usher_sessions ", Api(self.usher).get("/metrics").text)
        self.assertEqual(self.browser.get("/metrics").status, 401)

    def test_no_header_makes_the_public_address_local(self):
        # ADM-03
        for name, value in (("Host", "usher"), ("Host", "localhost"), ("X-Forwarded-Host", "localhost"),
                            ("X-Forwarded-For", "local"), ("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=unix:"),
                            ("X-Real-IP", "local"), ("X-Original-URL", "/metrics"), ("X-Forwarded-Proto", "unix")):
            answer = self.browser.request("GET", "/metrics", headers={name: value})
            self.assertIn(answer.status, (401, 421), (name, value))
            self.assertNotIn("usher_sessions", answer.text)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_others_are_refused_even_where_the_mode_was_widened(self):
        # ADM-03
        nobody = pwd.getpwnam("nobody").pw_uid
        try:
            for folder in (self.folder, self.usher.socket.parent):
                os.chmod(folder, 0o755)
            self.assertIn("PermissionError", as_user(nobody, self.usher.socket))
            os.chmod(self.usher.socket, 0o666)
            self.assertIn("403", as_user(nobody, self.usher.socket))
        finally:
            os.chmod(self.usher.socket, 0o600)


def as_user(uid, path):
    """What somebody else is told."""
    script = ("import os, socket, sys\n"
              "os.setuid(%d)\n"
              "s = socket.socket(socket.AF_UNIX)\n"
              "s.settimeout(10)\n"
              "try:\n"
              "    s.connect(sys.argv[1])\n"
              "    s.sendall(%r)\n"
              "    print(s.recv(4096).decode())\n"
              "except OSError as error:\n"
              "    print(type(error).__name__)\n" % (uid, ASK))
    return subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True).stdout


class Life(Case):
    """These stop and start usherd as they like."""

    def test_one_left_over_is_replaced(self):
        self.usher.child.kill()
        self.usher.child.wait()
        self.assertTrue(self.usher.socket.exists())
        self.usher.start()
        self.assertEqual(Api(self.usher).get("/healthz").status, 200)

    def test_one_in_use_is_an_error(self):
        folder = self.folder / "second"
        folder.mkdir()
        second = Usher(folder, settings={"admin": {"socket": self.usher.socket}}, start=False)
        with self.assertRaises(AssertionError) as failed:
            second.start()
        self.assertIn("in use", str(failed.exception))
        self.assertEqual(Api(self.usher).get("/healthz").status, 200)

    def test_a_file_that_is_no_socket_is_left_alone(self):
        self.usher.stop()
        self.usher.socket.unlink()
        self.usher.socket.write_text("mine")
        with self.assertRaises(AssertionError):
            self.usher.start()
        self.assertEqual(self.usher.socket.read_text(), "mine")
        self.usher.socket.unlink()
        self.usher.start()

    def test_a_stop_waits_for_both_listeners(self):
        """A request that has begun is answered, whichever way it came; a silent connection holds nothing up."""
        target = self.browser.to_callback()
        self.fake.fault("/discord/api/v10/oauth2/token", "held", times=1)
        cookie = "; ".join("%s=%s" % kv for kv in self.browser.cookies["127.0.0.1:%d" % self.usher.port].items())
        silent = LocalConnection(self.usher.socket)
        silent.connect()
        with socket.create_connection(("127.0.0.1", self.usher.port)) as s:
            s.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n"
                       % (target[len(self.usher.url):], self.usher.url[7:], cookie)).encode())
            wait_for("the upstream to be asked", lambda: self.fake.counts().get("/discord/api/v10/oauth2/token"))
            stopping = len(self.usher.events("daemon.stopping"))
            self.usher.child.send_signal(signal.SIGTERM)
            self.usher.told("daemon.stopping", stopping + 1)
            self.fake.release()
            self.assertIn(b"HTTP/1.1 303", receive(s, PATIENCE))
        self.assertEqual(self.usher.child.wait(PATIENCE), 0)
        self.assertEqual(self.usher.events("daemon.cut"), [])
        silent.close()
        self.usher.start()


    def test_a_stop_waits_for_what_an_admin_asked(self):
        """A test that takes its time is answered although usherd was told to stop meanwhile."""
        self.fake.fault("/discord/api/v10/oauth2/token", "held", times=1)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(Api(self.usher).request, "POST", "/api/v1/providers/discord/test")
            wait_for("the upstream to be asked", lambda: self.fake.counts().get("/discord/api/v10/oauth2/token"))
            stopping = len(self.usher.events("daemon.stopping"))
            self.usher.child.send_signal(signal.SIGTERM)
            self.usher.told("daemon.stopping", stopping + 1)
            self.fake.release()
            self.assertEqual(answer.result().status, 200)
            self.assertTrue(answer.result().json()["findings"])
        self.assertEqual(self.usher.child.wait(PATIENCE), 0)
        self.usher.start()


class Folder(unittest.TestCase):
    def test_a_folder_others_may_write_to_is_refused(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="usher-test-"))
        try:
            run = folder / "run"
            run.mkdir()
            run.chmod(0o777)
            usher = Usher(folder, start=False)
            with self.assertRaises(AssertionError) as failed:
                usher.start()
            self.assertIn("others may write", str(failed.exception))
        finally:
            shutil.rmtree(folder)
