# SPDX-License-Identifier: Apache-2.0
"""What libmicrohttpd lets through and usherd does not; limits and deadlines: HTTP cases."""
import http.client
import os
import resource
import socket
import time

from harness import PATIENCE, Browser, Case, wait_for

OK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def status(answer):
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else None


def get(path, *headers, host="x"):
    lines = [b"GET %s HTTP/1.1" % path] + ([b"Host: " + host.encode()] if host else []) + list(headers)
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Gate(Case):
    def refused(self, data, *statuses):
        """An error (or a closed connection), and no second request out of the same bytes: that one
        would be answered 404. (What libmicrohttpd refuses itself it writes with its head twice.)"""
        answer = self.usher.raw(data + get(b"/smuggled", host=self.usher.url[7:]))
        self.assertIn(status(answer), statuses, answer[:200])
        self.assertNotIn(b"HTTP/1.1 404", answer)
        return answer

    def test_http_05_header_syntax(self):
        # HTTP-05
        self.refused(get(b"/healthz", b"Transfer-Encoding : chunked"), 400, None)
        answer = self.usher.raw(get(b"/healthz", b": empty", b"Connection: close"))
        self.assertIn(status(answer), (200, 400))  # the library drops a header without a name
        self.refused(get(b"/healthz", b"X\x01Y: 1"), 400, None)
        self.refused(get(b"/healthz", b"no colon"), 400, None)
        answer = self.usher.raw(get(b"/auth", b"X-Usher-: admin\r\n User", b"Connection: close"))
        self.assertNotIn(b"admin", answer)

    def test_smuggling_framing(self):
        form = b"Content-Type: application/x-www-form-urlencoded"
        post = lambda *h: b"\r\n".join([b"POST /logout HTTP/1.1", b"Host: x", form, *h]) + b"\r\n\r\n"
        self.refused(post(b"Transfer-Encoding: chunked", b"Content-Length: 4") + b"0\r\n\r\n", 400)
        self.refused(post(b"Content-Length: 0", b"Content-Length: 30"), 400)
        self.refused(post(b"Transfer-Encoding: xchunked"), 400)
        self.refused(post(b"Transfer-Encoding: gzip, chunked"), 400)
        self.refused(post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), 400)
        for length in (b"-1", b"+5", b"5,5", b"0x10", b"9" * 30):
            self.refused(post(b"Content-Length: " + length), 400, 413, None)

    def test_http_06_request_lines(self):
        # HTTP-06
        self.refused(b"GET /healthz\r\n", 400, None)
        self.refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, 505, None)
        self.refused(b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", 400, 505, None)
        self.refused(b"GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400)
        self.refused(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400, 405)
        self.refused(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400)
        self.refused(b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400, None)
        self.refused(b"G\xc3\x8bT / HTTP/1.1\r\nHost: x\r\n\r\n", 400, None)
        self.refused(b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, 431)

    def test_http_07_hosts(self):
        # HTTP-07
        self.refused(get(b"/login", host=None), 400)
        self.refused(get(b"/login", b"Host: y"), 400)
        for host in ("evil.example", "a@b", "127.0.0.1:%d/x" % self.usher.port, "127.0.0.1:0", "x" * 1024):
            answer = self.usher.raw(get(b"/login", b"Connection: close", host=host))
            self.assertIn(status(answer), (400, 421), host)
            self.assertNotIn(host.encode(), answer)

    def test_odd_paths_reach_no_route(self):
        for path in (b"/healthz%00/x", b"/%68ealthz", b"//healthz", b"/./healthz", b"/x/../healthz", b"/healthz;x=1",
                     b"/healthz%2f", b"/assets/..%2fusher.conf", b"/assets/%2e%2e/x", b"/assets/.hidden", b"/assets/",
                     b"/ASSETS/usher.css", b"/assets/usher.css/"):
            answer = self.usher.raw(get(path, b"Connection: close"))
            self.assertIn(status(answer), (400, 404, 421), path)
        for path in (b"/healthz#x", b"/login?x=1#y"):
            self.assertEqual(status(self.usher.raw(get(path, b"Connection: close"))), 400)

    def test_http_08_sizes(self):
        # HTTP-08
        self.assertIn(status(self.usher.raw(get(b"/healthz", *[b"X-%d: y" % i for i in range(10000)]))), (431, None))
        self.assertIn(status(self.usher.raw(get(b"/healthz", *[b"X-%d: y" % i for i in range(80)]))), (431,))
        self.assertIn(status(self.usher.raw(get(b"/healthz", b"X: " + b"y" * 65536))), (431, None))
        self.assertIn(status(self.usher.raw(get(b"/auth", b"Cookie: " + b"a=b; " * 20000))), (431, None))
        said = self.usher.raw(get(b"/login", b"Cookie: " + b"a=b; " * 4000))
        self.assertEqual(status(said), 431)
        self.assertIn(b"Delete the cookies of this site", said)
        self.usher.alive_and_well()

    def test_http_08_a_jar_full_of_cookies(self):
        # HTTP-08: what a browser keeps and proxies let through, 8 KiB, keeps nobody out, be it usher's own names
        self.browser.sign_in()
        session = "usher=" + self.browser.session()

        def statuses(path, *jars):
            return [Browser(self.usher).get(path, Cookie=jar).status for jar in jars]
        for cookie in ("a=1; ", "usher-bind=b; ", "preference_of_a_page=0123456789abcdef; "):
            jar = cookie * (8000 // len(cookie))
            self.assertEqual(statuses("/auth", jar + session, session + "; " + jar, jar), [200, 200, 401], cookie)
            self.assertEqual(statuses("/login", jar), [200], cookie)
            self.assertEqual(statuses("/account", jar + session), [200], cookie)
        planted = "usher=%s; " % ("A" * 43)  # nobody's, and the way to sign in is open
        self.assertEqual(statuses("/auth", planted * 150 + session), [401])
        self.assertEqual(statuses("/login", planted * 150 + session), [200])
        self.usher.alive_and_well()

    def test_http_09_pipelining_keeps_order(self):
        # HTTP-09
        n = 200
        data = b"".join(get(b"/healthz" if i % 2 else b"/nope") for i in range(n - 1)) + get(b"/healthz", b"Connection: close")
        answer = self.usher.raw(data)
        statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
        self.assertEqual(len(statuses), n)
        self.assertEqual(statuses[1::2], [200] * (n // 2))

    def test_http_12_methods(self):
        # HTTP-12
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "BREW"):
            for path in ("/", "/login", "/login/discord", "/callback/discord", "/logout", "/api/v1/me", "/healthz"):
                answer = self.browser.request(method, path)
                self.assertEqual(answer.status, 405, (method, path))
                self.assertIn("GET", answer.headers["Allow"])
            self.assertEqual(self.browser.request(method, "/auth").status, 401, method)  # Envoy asks with the client's
        self.assertEqual(self.browser.request("HEAD", "/login").status, 200)
        self.assertEqual(self.browser.request("HEAD", "/login").body, b"")
        self.assertEqual(self.browser.request("POST", "/login").status, 405)

    def test_http_13_15_16_bodies(self):
        # HTTP-13, HTTP-15, HTTP-16
        answer = self.browser.request("POST", "/logout", body=b"x" * 20000, headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 413)
        # a little too much is read to its end, also from one who is slow: the answer arrives
        head = (b"POST /logout HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                b"Content-Length: 60000\r\n\r\n" % self.usher.url[7:].encode())
        with socket.create_connection(("127.0.0.1", self.usher.port), timeout=PATIENCE) as slow:
            slow.sendall(head)
            for _ in range(10):
                time.sleep(0.02)
                slow.sendall(b"x" * 6000)
            self.assertEqual(status(slow.recv(4096)), 413)
        for kind in ("multipart/form-data; boundary=x", "application/json", "text/plain", ""):
            answer = self.browser.request("POST", "/callback/discord", body=b"{}", headers={"Content-Type": kind} if kind else {})
            self.assertEqual(answer.status, 415, kind)  # CB-13
        big = b"".join(b"1000\r\n" + b"a" * 4096 + b"\r\n" for _ in range(20)) + b"0\r\n\r\n"
        head = (b"POST /callback/discord HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n" % self.usher.url[7:].encode())
        self.assertEqual(status(self.usher.raw(head + big)), 413)
        empty = self.usher.raw(b"POST /callback/discord HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                               % self.usher.url[7:].encode())
        self.assertEqual(status(empty), 400)

    def test_http_18_authorization(self):
        # HTTP-18
        for value in ("Bearer", "Bearer ", "Bearer %", "Bearer a b", "Basic eA==", "Negotiate x", "bEaReR x", "Bearer " + "x" * 5000):
            answer = self.browser.get("/metrics", Authorization=value)
            self.assertEqual(answer.status, 401)
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        two = self.usher.raw(get(b"/metrics", b"Authorization: Bearer a", b"Authorization: Bearer metrics-token-for-tests",
                                 b"Connection: close"))
        self.assertEqual(status(two), 400)
        self.assertEqual(self.browser.get("/metrics", Authorization="bearer metrics-token-for-tests").status, 200)

    def test_adm_22_priv_10_metrics_name_nobody(self):
        # ADM-22, PRIV-10
        self.browser.sign_in()
        text = self.browser.get("/metrics", Authorization="Bearer metrics-token-for-tests").text
        me = self.browser.me()
        for personal in (me["id"], me["email"], me["name"], self.browser.session()):
            self.assertNotIn(personal, text)
        self.assertIn('usher_logins_total{', text)

    def test_http_19_ranges_are_ignored(self):
        # HTTP-19
        whole = self.browser.get("/assets/usher.css")
        self.assertEqual(self.browser.get("/assets/usher.css", Range="bytes=0-3").body, whole.body)
        self.assertIsNone(self.browser.get("/", Accept_Encoding="gzip, br").headers.get("Content-Encoding"))

    def test_http_21_error_pages_quote_nothing(self):
        # HTTP-21
        answer = self.browser.get("/nope-<script>alert(1)</script>")
        self.assertNotIn("<script>alert", answer.text)
        self.assertIn("frame-ancestors", answer.headers["Content-Security-Policy"])

    def test_http_22_clients_that_leave(self):
        # HTTP-22
        before = len(self.usher.events("login.done"))
        target = self.browser.to_callback()
        self.fake.fault("/discord/api/v10/oauth2/token", "slow", ms=300, times=1)
        path = target[len(self.usher.url):]
        cookie = "; ".join("%s=%s" % kv for kv in self.browser.cookies["127.0.0.1:%d" % self.usher.port].items())
        with socket.create_connection(("127.0.0.1", self.usher.port)) as s:
            s.sendall(("GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n" % (path, self.usher.url[7:], cookie)).encode())
        for cut in (b"G", b"GET /he", OK[:-2], b"POST /logout HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"):
            with socket.create_connection(("127.0.0.1", self.usher.port)) as s:
                s.sendall(cut)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        wait_for("the login to end", lambda: len(self.usher.events("login.done")) > before)
        self.assertEqual(self.fake.counts()["/discord/api/v10/oauth2/token"], 1)
        self.usher.alive_and_well()


class Deadlines(Case):
    settings = {"server": {"request_deadline": "5s", "idle_timeout": "6s"}}

    def cut(self, head, rest):
        """Whether the peer gives up on somebody who goes on with one byte at a time, four a second."""
        with socket.create_connection(("127.0.0.1", self.usher.port)) as s:
            s.sendall(head)
            s.settimeout(0.25)
            for byte in rest:
                try:
                    s.sendall(bytes([byte]))
                    if s.recv(10) == b"":
                        return True
                except socket.timeout:
                    continue
                except OSError:
                    return True
        return False

    def test_http_02_slow_heads_and_bodies_are_cut(self):
        # HTTP-02: all of it would take a minute and more
        self.assertTrue(self.cut(b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X: " + b"y" * 240))
        self.assertTrue(self.cut(b"", b"x" * 240))
        self.assertTrue(self.cut(b"POST /logout HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                                 b"Content-Length: 500\r\n\r\n" % self.usher.url[7:].encode(), b"a" * 240))

    def test_http_03_slow_readers(self):
        # HTTP-03
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            s.connect(("127.0.0.1", self.usher.port))
            s.sendall(get(b"/assets/usher.css", host=self.usher.url[7:]) * 400)
            time.sleep(8)  # more than the deadline
        self.usher.alive_and_well()


class Resting(Case):
    settings = {"server": {"request_deadline": "8s"}}

    def test_a_kept_connection_may_rest_and_go_on(self):
        # longer than a request may take
        c = http.client.HTTPConnection("127.0.0.1", self.usher.port, timeout=PATIENCE)
        c.connect()
        kept = c.sock
        for rest in (8.5, 0):
            c.request("GET", "/healthz")
            answer = c.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, b"ok\n"))
            time.sleep(rest)
        self.assertIs(c.sock, kept)
        c.close()


class Connections(Case):
    settings = {"server": {"max_connections": "64"}}

    def test_http_10_more_connections_than_allowed(self):
        # HTTP-10
        open_ones = [socket.create_connection(("127.0.0.1", self.usher.port)) for _ in range(200)]

        def used():
            before = cpu(self.usher.child.pid)
            time.sleep(1)
            return cpu(self.usher.child.pid) - before

        wait_for("usherd to rest", lambda: used() < 0.1)  # the accept loop does not spin
        for s in open_ones:
            s.close()
        wait_for("a free place", lambda: status(self.usher.raw(get(b"/healthz", b"Connection: close"))) == 200)

    def test_many_connections_at_once_do_not_stall(self):
        # exactly 128 ready at once is where the library's own epoll thread hangs
        for n in (60, 63):
            open_ones = [socket.create_connection(("127.0.0.1", self.usher.port)) for _ in range(n)]
            for s in open_ones:
                s.sendall(OK)
            for s in open_ones:
                s.settimeout(PATIENCE)
                self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200"))
                s.close()
            time.sleep(0.3)


class Stalls(Case):
    def test_128_ready_connections_are_all_answered(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        for n in (127, 128, 129, 256, 512):
            open_ones = [socket.create_connection(("127.0.0.1", self.usher.port)) for _ in range(n)]
            for s in open_ones:
                s.sendall(OK)
            for s in open_ones:
                s.settimeout(PATIENCE)
                self.assertTrue(s.recv(4096).startswith(b"HTTP/1.1 200"), n)
            for s in open_ones:
                s.close()


def cpu(pid):
    fields = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
