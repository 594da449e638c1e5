# SPDX-License-Identifier: Apache-2.0
"""What the tests of usher as a provider share: apps as clients, and JWTs made and read with
OpenSSL's command line, so that nothing under test checks itself."""
import base64
import contextlib
import hashlib
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import time
import urllib.parse

from harness import Answer, Browser


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def secret_for(usher, app, secret=None, expires=None):
    """A secret, put into the store while usherd is down."""
    secret = secret or "uas_" + b64url(os.urandom(32))
    with sqlite3.connect(usher.database) as db:
        db.execute("INSERT INTO app_secret (id, app, hash, created, expires) VALUES (?, ?, ?, ?, ?)",
                   (b64url(os.urandom(16)), app, hashlib.sha256(secret.encode()).digest(),
                    int(time.time()), expires))
    db.close()
    return secret


def basic(app, secret):
    pair = "%s:%s" % (urllib.parse.quote_plus(app), urllib.parse.quote_plus(secret))
    return "Basic " + base64.b64encode(pair.encode()).decode()


def at_once(usher, n, path, form, headers):
    """The same form `n` times, each on a connection of its own: the last byte of all of them is held
    back until everything else is there."""
    body = urllib.parse.urlencode(form)
    head = "".join("%s: %s\r\n" % pair for pair in headers.items())
    sent = ("POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            "Content-Length: %d\r\nConnection: close\r\n%s\r\n%s" % (path, usher.port, len(body), head, body)).encode()
    with contextlib.ExitStack() as stack:
        open_ = [stack.enter_context(socket.create_connection(("127.0.0.1", usher.port))) for _ in range(n)]
        for s in open_:
            s.settimeout(60)
            s.sendall(sent[:-1])
        for s in open_:
            s.sendall(sent[-1:])
        answers = []
        for s in open_:
            response = http.client.HTTPResponse(s, method="POST")
            response.begin()
            answers.append(Answer(response, path))
        return answers


class Client:
    """An app that speaks to the endpoints for programs."""

    def __init__(self, usher, app, secret=None):
        self.usher, self.app, self.secret = usher, app, secret

    def post(self, path, form, auth=True, **headers):
        if auth and self.secret:
            headers["Authorization"] = basic(self.app, self.secret)
        pairs = form if isinstance(form, list) else list(form.items())
        return Browser(self.usher).request("POST", path, form=pairs, headers=headers)

    def token(self, auth=True, **form):
        form.setdefault("grant_type", "client_credentials")
        return self.post("/oauth2/token", form, auth)

    def introspect(self, token, **form):
        return self.post("/oauth2/introspect", {"token": token, **form})

    def revoke(self, token, **form):
        return self.post("/oauth2/revoke", {"token": token, **form})


def read_jwt(token):
    head, payload, signature = token.split(".")
    return json.loads(unb64url(head)), json.loads(unb64url(payload)), unb64url(signature)


class Key:
    """A private key of an app."""

    def __init__(self, folder, kind="EC"):
        self.path = folder / ("key-%s.pem" % b64url(os.urandom(6)))
        options = ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "EC" else []
        subprocess.run(["openssl", "genpkey", "-algorithm", kind, *options, "-out", self.path],
                       check=True, capture_output=True)
        self.kind = kind

    def jwk(self):
        out = subprocess.run(["openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER"],
                             check=True, capture_output=True).stdout
        if self.kind == "EC":
            return {"kty": "EC", "crv": "P-256", "x": b64url(out[-64:-32]), "y": b64url(out[-32:])}
        modulus = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"],
                                 check=True, capture_output=True).stdout.decode().split("=")[1].strip()
        return {"kty": "RSA", "n": b64url(bytes.fromhex(modulus)), "e": "AQAB"}

    def sign(self, payload, **head):
        head = {"alg": "ES256" if self.kind == "EC" else "RS256", **head}
        text = "%s.%s" % (b64url(json.dumps(head).encode()), b64url(json.dumps(payload).encode()))
        der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=text.encode(),
                             check=True, capture_output=True).stdout
        return text + "." + b64url(raw(der) if self.kind == "EC" else der)


def raw(der):
    """An ECDSA signature of P-256, from DER to r and s."""
    numbers, at = [], 2
    for _ in range(2):
        n = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + n], "big"))
        at += 2 + n
    return b"".join(n.to_bytes(32, "big") for n in numbers)


def der_of(signature):
    def number(b):
        b = b.lstrip(b"\0") or b"\0"
        b = b"\0" + b if b[0] & 0x80 else b
        return b"\x02" + bytes([len(b)]) + b
    both = number(signature[:32]) + number(signature[32:])
    return b"\x30" + bytes([len(both)]) + both


def verify(folder, token, jwk):
    """Whether a JWT was signed by the key of a JWK, as OpenSSL sees it."""
    if jwk["kty"] == "OKP":
        return verify_ed25519(folder, token, jwk)
    if jwk["kty"] == "EC":
        point = b"\x04" + unb64url(jwk["x"]) + unb64url(jwk["y"])
        der = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + point
    else:
        def tlv(tag, data):
            n = len(data)
            size = bytes([n]) if n < 128 else bytes([0x80 + len(bytes_of(n))]) + bytes_of(n)
            return bytes([tag]) + size + data

        def bytes_of(n):
            return n.to_bytes((n.bit_length() + 7) // 8, "big")
        rsa = tlv(0x30, tlv(2, b"\0" + unb64url(jwk["n"])) + tlv(2, unb64url(jwk["e"])))
        der = tlv(0x30, bytes.fromhex("300d06092a864886f70d0101010500") + tlv(3, b"\0" + rsa))
    head, payload, signature = token.split(".")
    public, sig = folder / "public.der", folder / "signature"
    public.write_bytes(der)
    sig.write_bytes(der_of(unb64url(signature)) if jwk["kty"] == "EC" else unb64url(signature))
    result = subprocess.run(["openssl", "dgst", "-sha256", "-verify", public, "-keyform", "DER",
                             "-signature", sig], input=("%s.%s" % (head, payload)).encode(), capture_output=True)
    return result.returncode == 0


def verify_ed25519(folder, token, jwk):
    head, payload, signature = token.split(".")
    public, sig, text = folder / "public.der", folder / "signature", folder / "signed"
    public.write_bytes(bytes.fromhex("302a300506032b6570032100") + unb64url(jwk["x"]))
    sig.write_bytes(unb64url(signature))
    text.write_text("%s.%s" % (head, payload))
    result = subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-keyform", "DER", "-rawin",
                             "-in", text, "-sigfile", sig], capture_output=True)
    return result.returncode == 0
