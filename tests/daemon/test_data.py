# SPDX-License-Identifier: Apache-2.0
"""What is kept, beside the wrong key and under others' eyes: DB cases."""
import os
import pathlib
import re
import shutil
import sqlite3
from contextlib import closing

from harness import Api, Browser, Case, fake_providers


class Keys(Case):
    def sealed(self):
        return self.usher.rows("SELECT provider, key, slot, sealed FROM provider_secret ORDER BY provider, key, slot")

    def test_db_06_a_wrong_key_at_start(self):
        # DB-06: what does not open is said clearly, opens nothing, and is left as it is
        settings = {"plugin": "discord", **fake_providers(self.fake)["discord"]}
        Api(self.usher).ask("POST", "/api/v1/providers", {"id": "row", "settings": settings, "adopt": True}, status=201)
        self.browser.sign_in("row")
        sealed, key = self.sealed(), self.folder / "usher.key"
        self.assertTrue(sealed)
        kept = key.with_suffix(".kept")
        self.assertEqual(self.usher.stop(), 0)
        key.rename(kept)
        self.usher.start()
        said = self.usher.told("provider.unusable", provider="row")
        self.assertIn("cannot be opened with the keys of the key file", said[-1]["reason"])
        self.assertEqual(Browser(self.usher).get("/login/row").status, 500)
        self.assertIsNotNone(self.browser.me())  # sessions need no key
        Browser(self.usher).sign_in("discord")  # nor does what stands in a file
        self.assertEqual(self.usher.stop(), 0)
        self.assertEqual(self.sealed(), sealed)
        os.replace(kept, key)
        self.usher.start()
        Browser(self.usher).sign_in("row")
        self.assertEqual(self.sealed(), sealed)


class Backups(Case):
    def test_db_17_an_old_copy_brings_no_session_back(self):
        # DB-17: a copy made while people sign in is whole; what docs/administration.md says to do with it ends what was open
        page = pathlib.Path(__file__).parents[2] / "docs" / "administration.md"
        sql = re.search(r"## Backup and restore.*?```sql\n(.*?)```", page.read_text(), re.S)[1]
        old, late = Browser(self.usher), Browser(self.usher)
        old.sign_in()
        copy = self.folder / "copy.db"
        with closing(sqlite3.connect(self.usher.database)) as db, closing(sqlite3.connect(copy)) as to:
            late.sign_in("google", "grace")
            meanwhile = [Browser(self.usher)]  # once: a copy begins anew when something was written
            db.backup(to, pages=16, progress=lambda *_: meanwhile and meanwhile.pop().sign_in("oidc", "noor"))
        account = old.me()["id"]
        old_cookie = old.session()
        old.post("/logout", {})
        self.assertEqual(self.usher.stop(), 0)
        for name in ("usher.db", "usher.db-wal", "usher.db-shm"):
            (self.folder / name).unlink(missing_ok=True)
        with closing(sqlite3.connect(copy)) as db:  # or what it wrote stays in a file beside it
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            self.assertGreaterEqual(db.execute("SELECT count(*) FROM session").fetchone()[0], 2)
            db.executescript(sql)
        shutil.copy(copy, self.usher.database)
        os.chmod(self.usher.database, 0o600)
        self.usher.start()
        self.assertEqual(Browser(self.usher).get("/auth", Cookie="usher=" + old_cookie).status, 401)
        self.assertIsNone(late.me())
        back = Browser(self.usher)
        back.sign_in()
        self.assertEqual(back.me()["id"], account)
