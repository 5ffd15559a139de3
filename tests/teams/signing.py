"""What tests of signing in share: people with passwords, and an authenticator app of our own."""

import base64
import re
import time
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.contrib.auth.hashers import make_password
from django.test import Client

from teams import accounts
from teams.models import User

PASSWORD = "correct-horse-battery"


def with_password(user: User) -> User:
    user.password = make_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/login/", {"login": name, "password": password}, **more)


def is_signed_in(client: Client) -> bool:
    page, call = client.get("/").status_code, client.get("/api/v1/clusters").status_code
    assert (page, call) in {(200, 200), (302, 401)}
    return page == 200


def code_of(secret: str, later: int = 0) -> str:
    """What an app shows for this secret now, by another implementation than MCM's."""
    key = base64.b32decode(secret.replace(" ", ""))
    app = TOTP(key, 6, hashes.SHA1(), 30, enforce_key_length=False)
    return app.generate(int(time.time()) + later).decode()


def shown_secret(page: Any) -> str:
    """The key that a page shows to type into an app."""
    found = re.search(r'<code class="mono secret">([A-Z2-7 ]+)</code>', page.content.decode())
    assert found
    return found[1]


def shown_codes(page: Any) -> list[str]:
    return re.findall(r"<li>(\d{8})</li>", page.content.decode())


def with_app(user: User) -> str:
    """Turns the second factor on; the secret that the app has."""
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    accounts.enrol(user, secret, by=user)
    return secret
