# SPDX-License-Identifier: Apache-2.0
"""An app by Authlib: `/` sends people to usher, `/callback` goes all the way and answers what it
learnt, as JSON; `/logout` sends them to sign out, and they come back to `/left`. Arguments: issuer,
client id, port; the secret is in CLIENT_SECRET."""
import http.server
import json
import os
import secrets
import sys
import traceback
import urllib.parse

import requests
from authlib.common.security import generate_token
from authlib.common.urls import add_params_to_uri
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken

ISSUER, CLIENT_ID, PORT = sys.argv[1], sys.argv[2], int(sys.argv[3])
HERE = "http://127.0.0.1:%d" % PORT
METADATA = requests.get(ISSUER + "/.well-known/openid-configuration", timeout=10).json()
PENDING = {}  # verifier and nonce by state
HELD = {}  # the ID token of who signed in, and the state they leave with

# Authlib wants https, but for tests.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


def session(**more):
    return OAuth2Session(CLIENT_ID, os.environ["CLIENT_SECRET"], scope="openid profile offline_access",
                         redirect_uri=HERE + "/callback", code_challenge_method="S256",
                         token_endpoint=METADATA["token_endpoint"],
                         revocation_endpoint=METADATA["revocation_endpoint"], **more)


def begin():
    verifier, nonce = generate_token(48), secrets.token_urlsafe(12)
    url, state = session().create_authorization_url(METADATA["authorization_endpoint"], code_verifier=verifier,
                                                    nonce=nonce)
    PENDING[state] = (verifier, nonce)
    return url


def finish(path):
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
    if query.get("iss") != METADATA["issuer"]:  # RFC 9207, which Authlib does not know
        raise ValueError("an answer of somebody else")
    verifier, nonce = PENDING.pop(query["state"])
    client = session(state=query["state"])
    token = client.fetch_token(METADATA["token_endpoint"], authorization_response=HERE + path,
                               code_verifier=verifier)
    keys = JsonWebKey.import_key_set(requests.get(METADATA["jwks_uri"], timeout=10).json())
    claims = JsonWebToken(METADATA["id_token_signing_alg_values_supported"]).decode(
        token["id_token"], keys, claims_cls=CodeIDToken,
        claims_options={"iss": {"value": METADATA["issuer"]}, "aud": {"value": CLIENT_ID}},
        claims_params={"nonce": nonce, "client_id": CLIENT_ID})
    claims.validate()
    HELD["id_token"] = token["id_token"]
    userinfo = client.get(METADATA["userinfo_endpoint"]).json()
    fresh = client.refresh_token(METADATA["token_endpoint"], refresh_token=token["refresh_token"])
    if fresh["access_token"] == token["access_token"]:
        raise ValueError("nothing was renewed")
    renewed = client.get(METADATA["userinfo_endpoint"]).json()
    revoked = client.revoke_token(METADATA["revocation_endpoint"], token=fresh["access_token"],
                                  token_type_hint="access_token").status_code
    after = client.get(METADATA["userinfo_endpoint"]).status_code
    return {"alg": claims.header["alg"], "claims": claims, "userinfo": userinfo, "renewed": renewed,
            "ended": {"revoked": revoked, "userinfo": after}}


def leave():
    HELD["state"] = generate_token(24)
    return add_params_to_uri(METADATA["end_session_endpoint"], {
        "id_token_hint": HELD["id_token"], "post_logout_redirect_uri": HERE + "/left", "state": HELD["state"]})


def left(path):
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
    return {"left": query.get("state") == HELD["state"]}


def answer(path):
    if path.startswith("/callback?"):
        return finish(path)
    return left(path) if path.startswith("/left") else {"error": "nothing here"}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path in ("/", "/logout"):
            self.send_response(302)
            self.send_header("Location", begin() if self.path == "/" else leave())
            self.end_headers()
            return
        try:
            status, said = 200, answer(self.path)
        except Exception as e:  # whatever it is, the test shows it
            traceback.print_exc()
            status, said = 500, {"error": str(e)}
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    try:
        http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
    except KeyboardInterrupt:
        pass
