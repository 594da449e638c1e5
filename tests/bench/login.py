# SPDX-License-Identifier: Apache-2.0
"""Whole logins: usher's CPU beside mod_auth_openidc's, and what a row of the audit adds."""
import os
import pathlib
import subprocess

# usher-fake's guests: enough that nobody comes near the limit of sessions a person may have.
PEOPLE = 500
TURNS = 4
LOGINS_A_TURN = 500


class Site:
    """Something people sign in to: `paths` are where a login starts and its callback."""

    def __init__(self, bench, server, pid, paths):
        self.bench, self.server, self.pid, self.paths = bench, server, pid, paths
        self.seconds = self.made = 0
        self.before = bench.cpu(pid)

    def forget(self):
        """Whatever was done so far does not count."""
        self.__init__(self.bench, self.server, self.pid, self.paths)

    def logins(self, driver, world, n):
        """n logins, 16 in flight."""
        fetched = world.fake.counts().get("/oidc/userinfo", 0)
        out = subprocess.run([driver, str(self.server.port), *self.paths, str(world.fake.origin.port), str(PEOPLE), "16", str(n)],
                             stdout=subprocess.PIPE, text=True, check=True).stdout
        seconds, made, again = out.split()
        assert int(made) == n and world.fake.counts()["/oidc/userinfo"] - fetched == n, "not the same work"
        if int(again):
            self.bench.note("  %s connections to %s were made again" % (again, self.server.url))
        self.seconds += float(seconds)
        self.made += n

    def cpu_ms(self):
        return (self.bench.cpu(self.pid) - self.before) / self.made * 1000

    def rate(self):
        return self.made / self.seconds


def audit_row(bench, world, login_ms):
    """What the audit's row adds to a login: measured as one row more in the same transaction (bench_audit.c),
    held against a whole login without it."""
    if "BENCH_PROGRAMS" not in os.environ:
        bench.note("  no BENCH_PROGRAMS: the audit's share of a login is not measured")
        return
    program = pathlib.Path(os.environ["BENCH_PROGRAMS"]) / "bench_audit"
    words = subprocess.run([program, world.sub("audit")], capture_output=True, text=True, check=True).stdout.split()
    row_us, login_us = float(words[1]), float(words[3])
    bench.note("  a row of the audit %.1f us, the store's part of a login %.1f us" % (row_us, login_us))
    bench.at_most("audit adds to a login", row_us / (login_ms * 1000 - row_us) * 100, 10, 5, " %")


def part(bench, world):
    """A fresh usherd whose guests have signed in once, and an Apache just started: its cache slows
    down as it fills, three slots of 10,000 a login. They take turns, so that whatever else the machine does
    meets both; whoever has no turn does next to nothing."""
    driver = world.program("logins")
    ratios, ours = [], []
    for repeat in range(max(7, bench.REPEATS)):
        server, apache = world.usher("login%d" % repeat), world.apache()
        usher = Site(bench, server, server.child.pid, ("/login/oidc?return_to=/", "/callback/"))
        peer = Site(bench, apache, apache.pid, ("/p/x", "/p/callback"))
        usher.logins(driver, world, PEOPLE)
        peer.logins(driver, world, 64)  # metadata, keys, workers
        usher.forget()
        peer.forget()
        for turn in range(TURNS):
            for site in (usher, peer) if (turn + repeat) % 2 else (peer, usher):
                site.logins(driver, world, LOGINS_A_TURN)
        ratios.append(peer.cpu_ms() / usher.cpu_ms())
        ours.append(usher.cpu_ms())
        bench.note("  usher %.3f ms, %.0f/s; mod_auth_openidc %.3f ms, %.0f/s" % (
            usher.cpu_ms(), usher.rate(), peer.cpu_ms(), peer.rate()))
        server.stop()
        apache.stop()
    bench.at_least("CPU per login (durable), mod_auth_openidc shm : usher", bench.median(ratios), 3.5, 5)
    audit_row(bench, world, bench.median(ours))
    bench.note("  usher: %.3f ms CPU a login; ratios %.2f to %.2f" % (bench.median(ours), min(ratios), max(ratios)))
