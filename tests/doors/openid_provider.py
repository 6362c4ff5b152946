"""A small OpenID provider on real HTTP: discovery, authorization by code with PKCE, tokens signed by RS256, userinfo."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "unspun-client", "a-client-s3cret"


@dataclass
class Provider:
    """A running provider, and whom it will say that its visitor is."""

    url: str
    claims: dict[str, Any] = field(default_factory=dict)
    refuses: bool = False
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def visitor(self, email: str, name: str = "", verified: bool = True) -> None:
        """Whom it answers for from now on."""
        self.claims = {"sub": f"id-of-{email}", "email": email, "email_verified": verified, "name": name}

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes next."""
        if query.get("client_id") != CLIENT or query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            self.faults.append(f"authorize: {query}")
        back = query["redirect_uri"]
        if self.refuses:
            return f"{back}?{urlencode({'error': 'access_denied', 'state': query['state']})}"
        code = secrets.token_hex(8)
        self.codes[code] = query
        return f"{back}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Tokens for a code, once, to the client that asked for it."""
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked is None or form.get("client_secret") != SECRET or challenge != asked["code_challenge"]:
            self.faults.append(f"token: {sorted(form)}")
            return None
        now, token = int(time.time()), secrets.token_hex(16)
        self.tokens.add(token)
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, **self.claims}
        return {"access_token": token, "token_type": "Bearer", "id_token": jwt.encode(claims, self.key, "RS256", {"kid": "one"})}

    def keys(self) -> dict[str, Any]:
        return {"keys": [{**json.loads(RSAAlgorithm.to_jwk(self.key.public_key())), "kid": "one", "use": "sig", "alg": "RS256"}]}


class Server(ThreadingHTTPServer):
    """The listener, with the provider that it answers for."""

    provider: Provider


class Handler(BaseHTTPRequestHandler):
    """The four addresses of a provider."""

    def do_GET(self) -> None:
        provider = cast("Server", self.server).provider
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self._json(provider.configuration())
        elif parts.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", provider.authorize({key: value[0] for key, value in parse_qs(parts.query).items()}))
            self.end_headers()
        elif parts.path == "/keys":
            self._json(provider.keys())
        elif parts.path == "/userinfo" and self.headers.get("Authorization", "").removeprefix("Bearer ") in provider.tokens:
            self._json(provider.claims)
        else:
            self.send_error(401)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        found = cast("Server", self.server).provider.token({key: value[0] for key, value in parse_qs(body).items()})
        self._json(found or {"error": "invalid_grant"}, 200 if found else 400)

    def _json(self, document: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider on a free port of this machine."""
    server = Server(("127.0.0.1", 0), Handler)
    server.provider = Provider(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        server.server_close()
