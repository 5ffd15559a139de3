"""Who may talk to a cluster: its authority, its certificates and its token users."""

import csv
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed import certs

# Known to every cluster by a bearer token. They have no rights until a test binds a role.
USERS: Mapping[str, tuple[str, ...]] = {
    "limited": ("testbed:limited",),
    "reader": ("testbed:readers",),
    "robot": ("testbed:robots",),
    "mcm": ("testbed:mcm",),
}


class UnknownUser(Exception):
    """There is no token for this user with these groups."""


class Identities:
    """The certificates and tokens of one cluster, in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def ca(self) -> bytes:
        """The certificate that clients trust, as PEM."""
        return (self._folder / "ca.crt").read_bytes()

    def prepare(self) -> None:
        """Make everything that an API server needs and is not there yet."""
        ca = certs.authority(self._folder, "ca")
        front_proxy = certs.authority(self._folder, "front-proxy-ca")
        certs.kept(self._folder, "server", ca.server)
        certs.kept(self._folder, "front-proxy", lambda: front_proxy.client("front-proxy"))
        certs.service_account_key(self._folder)
        self.kept("admin", ["system:masters"])
        tokens = self._folder / "tokens.csv"
        if not tokens.exists():
            rows = (
                f'{secrets.token_hex(16)},{user},{user},"{",".join(groups)}"\n'
                for user, groups in USERS.items()
            )
            certs.write_private(tokens, "".join(rows).encode())

    def kept(self, name: str, groups: Sequence[str], *, user: str | None = None) -> certs.Pair:
        """The client certificate kept under `name`, made at the first call."""
        return certs.kept(self._folder, name, lambda: self.sign(user or name, groups))

    def sign(self, user: str, groups: Sequence[str]) -> certs.Pair:
        """A new client certificate."""
        return certs.authority(self._folder, "ca").client(user, groups)

    def token(self, user: str, groups: Sequence[str] | None = None) -> str:
        """The token of a user of USERS; raises UnknownUser."""
        with (self._folder / "tokens.csv").open(newline="") as file:
            for token, name, _uid, known in csv.reader(file):
                if name == user and (groups is None or list(groups) == known.split(",")):
                    return token
        raise UnknownUser(f"{user} is not one of {', '.join(USERS)} with its groups")
