# SPDX-License-Identifier: Apache-2.0
"""A relying party that does what the specifications say, for tests of usher as a provider. It judges
ID tokens with OpenSSL and the keys usher publishes, and knows nothing of usher but its issuer."""
import hashlib
import html
import re
import secrets
import time
import urllib.parse

from harness import Browser
from oauth import at_once, b64url, basic, read_jwt, verify

CALLBACK = "https://rp.example.com/callback"


STANDARD = {"name": str, "preferred_username": str, "picture": str, "locale": str, "email": str,
            "email_verified": bool, "updated_at": int}  # OpenID Connect Core 5.1, as far as usher goes


def query_of(url):
    """The parameters of an answer: each once, and none of them in a fragment."""
    parts = urllib.parse.urlsplit(url)
    pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
    assert not parts.fragment and len(dict(pairs)) == len(pairs), url
    return dict(pairs)


def pkce():
    """A verifier and its challenge (RFC 7636 4.1, 4.2)."""
    verifier = b64url(secrets.token_bytes(32))
    return verifier, b64url(hashlib.sha256(verifier.encode()).digest())


def form_of(page, pairs=False):
    """Action and fields of the first form of a page."""
    form = re.search(r"<form[^>]*action=\"([^\"]*)\"[^>]*>(.*?)</form>", page, re.S)
    assert form, page
    fields = []
    for tag in re.findall(r"<input[^>]*>", form.group(2)):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            fields.append((html.unescape(name.group(1)), html.unescape(value.group(1)) if value else ""))
    return html.unescape(form.group(1)), fields if pairs else dict(fields)


def say(browser, page, answer, scopes=(), **more):
    """Answers the question of consent on `page`, with these of its boxes left."""
    action, fields = form_of(page.text)
    return browser.post(action, [("account", fields["account"]), *(("scope", s) for s in scopes),
                                 ("answer", answer), *more.items()])


class RelyingParty:
    def __init__(self, usher, client_id, secret=None, redirect_uri=CALLBACK, provider="oidc"):
        self.usher = usher
        self.client_id = client_id
        self.secret = secret
        self.redirect_uri = redirect_uri
        self.provider = provider  # the one its people choose
        self.metadata = Browser(usher).get("/.well-known/openid-configuration").json()

    # ---- in the person's browser

    def request(self, **more):
        """Parameters of an authorization request; None leaves one out."""
        query = {"client_id": self.client_id, "response_type": "code", "redirect_uri": self.redirect_uri,
                 "scope": "openid", "state": secrets.token_urlsafe(12), "nonce": secrets.token_urlsafe(12), **more}
        return {k: v for k, v in query.items() if v is not None}

    def begin(self, browser, method="GET", **more):
        """The first answer to an authorization request."""
        query = urllib.parse.urlencode(self.request(**more), doseq=True)
        url = self.metadata["authorization_endpoint"]
        if method == "GET":
            return browser.get(url + "?" + query)
        return browser.request("POST", url, body=query,
                               headers={"Content-Type": "application/x-www-form-urlencoded"})

    def arrive(self, browser, answer, person="ada", consent=True, hops=20):
        """Go on as a person would: choose a provider, be `person` there, agree. The response's
        parameters, or the page it ended on."""
        while hops > 0:
            hops -= 1
            if answer.status in (302, 303, 307):
                target = urllib.parse.urljoin(answer.url, answer.location)
                if target.split("?")[0] == self.redirect_uri.split("?")[0]:
                    return query_of(target)
                if "/authorize" in target and not target.startswith(self.usher.url):
                    target += "&fake_person=" + person
                answer = browser.get(target)
                continue
            page = answer.text
            if answer.status == 200 and 'data-page="form_post"' in page:
                action, pairs = form_of(page, pairs=True)
                assert action == self.redirect_uri and '<form method="post"' in page, page
                assert len(dict(pairs)) == len(pairs), pairs
                return dict(pairs)
            link = re.search(r'href="([^"]*/login/%s\?[^"]*)"' % self.provider, page)
            if answer.status == 200 and link:
                answer = browser.get(html.unescape(link.group(1)))
            elif answer.status == 200 and consent and "/oauth2/consent" in page:
                action, fields = form_of(page, pairs=True)
                answer = browser.post(action, fields + [("answer", "allow")])
            else:
                return answer
        raise AssertionError("too many redirects")

    def authorize(self, browser, method="GET", person="ada", consent=True, **more):
        return self.arrive(browser, self.begin(browser, method, **more), person, consent)

    # ---- behind the browser's back

    def authenticated(self, form, auth="basic", secret=None, **headers):
        """Form and headers, with client authentication."""
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        secret = secret or self.secret
        form = {k: v for k, v in form.items() if v is not None}
        if auth == "basic":
            headers["Authorization"] = basic(self.client_id, secret)
        elif auth == "post":
            form = {**form, "client_id": self.client_id, "client_secret": secret}
        elif auth == "none":
            form = {**form, "client_id": self.client_id}
        return form, headers

    def post(self, endpoint, form, auth="basic", secret=None, **headers):
        """A form to an endpoint of the metadata."""
        form, headers = self.authenticated(form, auth, secret, **headers)
        return Browser(self.usher).request("POST", self.metadata[endpoint], form=form, headers=headers)

    def race(self, n, auth="basic", **form):
        """The same token request `n` times at once."""
        return at_once(self.usher, n, "/oauth2/token", *self.authenticated(form, auth))

    def redeem(self, response, auth="basic", verifier=None, **more):
        return self.post("token_endpoint", {"grant_type": "authorization_code", "code": response["code"],
                                            "redirect_uri": self.redirect_uri, "code_verifier": verifier,
                                            **more}, auth)

    def refresh(self, token, auth="basic", **more):
        return self.post("token_endpoint", {"grant_type": "refresh_token", "refresh_token": token, **more}, auth)

    def userinfo(self, token, how="header"):
        url, bearer = self.metadata["userinfo_endpoint"], {"Authorization": "Bearer " + token}
        if how == "header":
            return Browser(self.usher).request("GET", url, headers=bearer)
        if how == "post":
            return Browser(self.usher).request("POST", url, form={}, headers=bearer)
        return Browser(self.usher).request("POST", url, form={"access_token": token})

    def keys(self):
        return Browser(self.usher).get(self.metadata["jwks_uri"]).json()

    def claims(self, id_token, nonce=None, access_token=None):
        """The claims of an ID token that holds in every respect (OpenID Connect Core 3.1.3.7)."""
        header, claims, _ = read_jwt(id_token)
        mine = [k for k in self.keys()["keys"] if k["kid"] == header["kid"]]
        assert len(mine) == 1 and mine[0]["alg"] == header["alg"], (header, mine)
        assert verify(self.usher.folder, id_token, mine[0]), "the signature does not hold"
        assert claims["iss"] == self.metadata["issuer"], claims
        assert claims["aud"] in (self.client_id, [self.client_id]), claims
        assert claims.get("azp", self.client_id) == self.client_id, claims
        assert type(claims["exp"]) is int and type(claims["iat"]) is int, claims
        assert claims["exp"] > time.time() > claims["iat"] - 5, claims
        assert re.fullmatch(r"[!-~]{1,255}", claims["sub"]), claims
        assert type(claims.get("auth_time", 0)) is int, claims
        self.standard(claims)
        assert claims.get("nonce") == nonce, claims
        if access_token:  # OP-66: the left half of a hash, SHA-512 for Ed25519
            hashed = hashlib.sha512 if header["alg"] == "EdDSA" else hashlib.sha256
            digest = hashed(access_token.encode()).digest()
            assert claims.get("at_hash") == b64url(digest[:len(digest) // 2]), claims
        return claims

    @staticmethod
    def header(token):
        return read_jwt(token)[0]

    @staticmethod
    def standard(claims):
        """Claims that are there are what OpenID Connect Core 5.1 says."""
        for name, kind in STANDARD.items():
            assert name not in claims or (type(claims[name]) is kind and claims[name] != ""), claims

    def info(self, tokens, claims, how="header"):
        """What userinfo says, right in every respect (OpenID Connect Core 5.3.2)."""
        answer = self.userinfo(tokens["access_token"], how)
        assert answer.status == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json", answer.summary()
        assert answer.headers["Cache-Control"] == "no-store", answer.summary()
        said = answer.json()
        assert said["sub"] == claims["sub"], said
        self.standard(said)
        return said

    @staticmethod
    def tokens_of(answer):
        """A token answer, right in every respect (RFC 6749 5.1, appendix A)."""
        assert answer.status == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json", answer.summary()
        assert answer.headers["Cache-Control"] == "no-store", answer.summary()
        tokens = answer.json()
        assert tokens["token_type"] == "Bearer", tokens
        assert type(tokens["expires_in"]) is int and tokens["expires_in"] > 0, tokens
        for name in ("access_token", "refresh_token"):
            assert re.fullmatch(r"[!-~]{43,}", tokens.get(name, "x" * 43)), tokens
        return tokens

    def sign_in(self, browser, auth="basic", person="ada", method="GET", **more):
        """All of it: the token answer and the ID token's claims."""
        query = self.request(**more)
        answer = self.authorize(browser, method, person, **{"nonce": None, **query})
        assert isinstance(answer, dict), answer.summary()
        assert "error" not in answer, answer
        assert answer["state"] == query["state"] and answer["iss"] == self.metadata["issuer"], answer
        assert re.fullmatch(r"[!-~]{43,}", answer["code"]), answer
        tokens = self.tokens_of(self.redeem(answer, auth))
        return tokens, self.claims(tokens["id_token"], query.get("nonce"), tokens["access_token"])
