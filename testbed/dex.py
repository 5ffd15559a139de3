"""dex, an OpenID Connect provider, with people of its own who are in groups."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

from testbed.build import ensure
from testbed.toolchain import Say
from testbed.waiting import wait_until

LOOPBACK = "127.0.0.1"
CLIENT, SECRET = "mcm", "planted-client-secret"
# Everybody's password there, and its bcrypt hash as dex's own example has it.
PASSWORD = "password"  # noqa: S105
_HASH = "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W"


def issuer(port: int) -> str:
    return f"http://{LOOPBACK}:{port}/dex"


def provider(port: int, **more: Any) -> dict[str, Any]:
    """As `MCM_OIDC_PROVIDERS` names it."""
    known = {"id": "company", "name": "Company", "issuer": issuer(port), "client_id": CLIENT}
    scopes = ["openid", "profile", "email", "groups"]
    return {**known, "client_secret": SECRET, "scopes": scopes, **more}


class Dex:
    """One provider: `people` are names with the groups that each is in."""

    def __init__(self, folder: Path, port: int, back_to: list[str], say: Say) -> None:
        self.folder = folder
        self.issuer = issuer(port)
        self.port = port
        self._back_to = back_to
        self._program = ensure(["dex"], say=say)["dex"]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, people: dict[str, list[str]]) -> None:
        """Also again, with other people or groups; it remembers nothing but its configuration."""
        self.stop()
        config = self.folder / "dex.json"
        config.write_text(json.dumps(self._config(people)))
        with (self.folder / "dex.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._program), "serve", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"]},
            )
        wait_until(self._answers, "dex", timeout=30)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.issuer}/healthz", timeout=1) as answer:  # noqa: S310
                return bool(answer.status == 200)
        except OSError:
            return False

    def _config(self, people: dict[str, list[str]]) -> dict[str, Any]:
        client = {"id": CLIENT, "name": "MCM", "secret": SECRET, "redirectURIs": self._back_to}
        passwords = [
            {
                "email": f"{name}@example.com",
                "username": name,
                "preferredUsername": name,
                "name": f"{name.title()} Example",
                "userID": f"id-of-{name}",
                "emailVerified": True,
                "groups": groups,
                "hash": _HASH,
            }
            for name, groups in people.items()
        ]
        return {
            "issuer": self.issuer,
            "storage": {"type": "memory"},
            "web": {"http": f"{LOOPBACK}:{self.port}"},
            "oauth2": {"skipApprovalScreen": True},
            "staticClients": [client],
            "enablePasswordDB": True,
            "staticPasswords": passwords,
        }
