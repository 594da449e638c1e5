# SPDX-License-Identifier: Apache-2.0
"""`usherd --describe`: what can be set, from the installed plugins, and never what is set."""
import json

from test_config import CANARY, Folder

FORMS = {"usher.conf": ("sample", "markdown", "man", "json"), "provider": ("markdown", "man", "json"),
         "upstreams": ("markdown", "json"), "usherd": ("man",), "github": ("sample", "markdown", "json"),
         "discord": ("sample", "markdown", "man", "json")}


class Describe(Folder):
    def describe(self, *words, **more):
        status, text = self.check("--describe", *words, **more)
        self.assertEqual(status, 0, "%s: %s" % (words, text))
        return text

    def test_every_form(self):
        for what, forms in FORMS.items():
            for form in ("sample", "markdown", "man", "json"):
                with self.subTest(what=what, form=form):
                    if form not in forms:
                        status, text = self.check("--describe", what, form)
                        self.assertEqual((status, text), (2, "usherd: there is no form %s of %s\n" % (form, what)))
                        continue
                    text = self.describe(what, form)
                    if form == "json":
                        json.loads(text)
                    self.assertTrue(text.endswith("\n"))

    def test_a_plugin_as_json(self):
        plugin = json.loads(self.describe("oidc", "json"))
        rows = {row["key"]: row for row in plugin["settings"]}
        self.assertEqual(plugin["client_secret"], "optional")
        self.assertIn("required", rows["issuer"]["flags"])
        self.assertIn("secret", rows["private_key"]["flags"])
        self.assertEqual(rows["nonce"]["choices"], ["require", "if_present", "skip"])
        self.assertEqual(rows["timeout"]["range"], "1s to 1m")
        self.assertEqual(rows["client_id"]["environment"], "USHER_PROVIDER_{ID}_CLIENT_ID")
        self.assertEqual({row["group"] for row in plugin["settings"]}, {"usher", "plugin"})

    def test_every_known_provider_has_a_page_and_a_sample_that_is_fine(self):
        known = json.loads(self.describe("upstreams", "json"))
        self.assertGreater(len(known), 15)
        for one in known:
            name = one["name"]
            with self.subTest(name=name):
                page = self.describe(name, "markdown")
                self.assertIn("https://YOUR-HOST/callback/%s" % name, page)
                self.assertIn("## Change the secret", page)
                text = self.describe(name, "sample").replace("#client_secret_file = /path/to/a/file", "client_secret = x")
                path = self.provider(name, text)
                status, said = self.check()
                self.assertEqual(status, 0, said)
                path.unlink()

    def test_what_is_set_is_never_told(self):
        self.provider("discord", "client_id = %s\nclient_secret = %s\n" % (CANARY, CANARY))
        environment = {"USHER_PROVIDER_GOOGLE_CLIENT_ID": CANARY, "USHER_PROVIDER_GOOGLE_CLIENT_SECRET": CANARY}
        for what in ("discord", "google", "provider", "usher.conf"):
            for form in FORMS.get(what, FORMS["discord"]):
                self.assertNotIn(CANARY, self.describe(what, form, environment=environment))

    def test_what_there_is_not(self):
        for words, said in ((("nowhere",), "nowhere"), (("../discord",), "no path"),
                            (("discord", "html"), '"html" is no form'), (("discord", "json", "x"), '"x" is not expected')):
            with self.subTest(words=words):
                status, text = self.check("--describe", *words)
                self.assertEqual(status, 2)
                self.assertIn(said, text)

    def test_a_wrong_configuration_hides_plugins_only(self):
        self.append("server", "lisen = 1")
        self.describe("usher.conf", "markdown")
        status, text = self.check("--describe", "discord")
        self.assertEqual(status, 2)
        self.assertIn("lisen", text)
