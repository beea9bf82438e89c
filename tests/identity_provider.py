"""An identity provider for tests: signs tokens, and serves its public keys on loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from coordinator.api.tokens import Provider

SECRET: Final = "a secret of the tests, " * 3  # as long as HS512 wants it
ISSUER: Final = "https://login.test"
AUDIENCE: Final = "midifarm"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class _Visit(BaseHTTPRequestHandler):
    server: IdentityProvider

    def do_GET(self) -> None:
        self.server.visits += 1
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.document())

    def log_message(self, *_: object) -> None:
        """Be silent."""


class IdentityProvider(ThreadingHTTPServer):
    """Keys by name, and what is signed with them; a context manager while it is served."""

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on any free port."""
        super().__init__(("127.0.0.1", 0), _Visit)
        self.keys: dict[str, PrivateKey] = {
            "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ec": ec.generate_private_key(ec.SECP256R1()),
            "ed": ed25519.Ed25519PrivateKey.generate(),
        }
        self.others: list[dict[str, Any]] = []
        """Entries of its set beside them."""
        self.status = 200
        self.visits = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        """Where its keys are."""
        return f"http://127.0.0.1:{self.server_address[1]}/keys"

    @property
    def provider(self) -> Provider:
        """What an API is told of it."""
        return Provider(
            audience=AUDIENCE,
            issuer=ISSUER,
            scope_claim="midifarm_scope",
            secret=SECRET.encode(),
            jwks_url=self.url,
        )

    def document(self) -> bytes:
        """Its key set."""
        keys = [public_jwk(key) | {"kid": kid} for kid, key in self.keys.items()]
        return json.dumps({"keys": [*keys, *self.others]}).encode()

    def token(self, kid: str = "rsa", algorithm: str = "RS256", **claims: Any) -> str:
        """A token that is signed with one of its keys."""
        return jwt.encode(claims_of(**claims), self.keys[kid], algorithm, {"kid": kid})


def claims_of(**changes: Any) -> dict[str, Any]:
    """What a good token says, with changes; None leaves a claim out."""
    now = int(time.time())
    good = {"sub": "ada", "aud": AUDIENCE, "iss": ISSUER, "iat": now, "exp": now + 300}
    return {name: value for name, value in (good | changes).items() if value is not None}


def public_jwk(key: PrivateKey) -> dict[str, Any]:
    """A key's public half as JSON."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        return RSAAlgorithm.to_jwk(public, as_dict=True)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return ECAlgorithm.to_jwk(public, as_dict=True)
    return OKPAlgorithm.to_jwk(public, as_dict=True)


def forged(header: dict[str, Any], claims: dict[str, Any] | bytes, key: bytes | None) -> str:
    """A token as no library would make it: whatever its header says, HMAC-SHA256 or nothing."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signed = f"{_base64(json.dumps(header).encode())}.{_base64(payload)}"
    mac = b"" if key is None else hmac.digest(key, signed.encode(), hashlib.sha256)
    return f"{signed}.{_base64(mac)}"


def _base64(plain: bytes) -> str:
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()
