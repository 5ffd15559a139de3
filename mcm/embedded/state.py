"""What one instance remembers in `MCM_HOME/state.json`: secrets, ports, addresses. No Django."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from mcm.embedded.errors import StartError

PROJECT = Path(__file__).resolve().parent.parent.parent


@dataclass(kw_only=True)
class State:
    secret_key: str
    encryption_keys: str
    postgres_password: str
    valkey_password: str
    postgres_port: int = 0
    valkey_port: int = 0
    https_port: int = 0
    # Where this instance's data are now: the embedded servers, or those given by the environment.
    database_url: str = ""
    redis_url: str = ""

    @classmethod
    def new(cls) -> Self:
        return cls(
            secret_key=secrets.token_urlsafe(48),
            encryption_keys=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            postgres_password=secrets.token_hex(24),
            valkey_password=secrets.token_hex(24),
        )

    @property
    def own_database_url(self) -> str:
        return f"postgresql://mcm:{self.postgres_password}@127.0.0.1:{self.postgres_port}/mcm"

    @property
    def own_redis_url(self) -> str:
        return f"redis://:{self.valkey_password}@127.0.0.1:{self.valkey_port}/0"

    @property
    def embeds_postgres(self) -> bool:
        return self.database_url == self.own_database_url

    @property
    def embeds_valkey(self) -> bool:
        return self.redis_url == self.own_redis_url


def home() -> Path:
    """The state folder: MCM_HOME, or `.run` in the project."""
    return Path(os.environ.get("MCM_HOME") or PROJECT / ".run").resolve()


def read(folder: Path) -> State | None:
    """None when no instance was ever started there."""
    path = folder / "state.json"
    try:
        row = json.loads(path.read_text())
        # What came with a later version has a default.
        return State(**{each.name: row[each.name] for each in fields(State) if each.name in row})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StartError(f"{path} is damaged; restore it, its keys open the stored data") from error
    except OSError as error:
        raise StartError(f"{path} cannot be read ({error.strerror})") from error


def write(folder: Path, state: State) -> None:
    fresh = folder / "state.json.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(state), file, indent=2)
        file.flush()
        os.fsync(descriptor)
    fresh.replace(folder / "state.json")


def environment(folder: Path) -> dict[str, str]:
    """The variables with which any command works on the instance; empty where there is none."""
    try:
        state = read(folder)
    except StartError:
        return {}
    if state is None:
        return {}
    return {
        "MCM_SECRET_KEY": state.secret_key,
        "MCM_ENCRYPTION_KEYS": state.encryption_keys,
        "DATABASE_URL": state.database_url,
        "REDIS_URL": state.redis_url,
    }
