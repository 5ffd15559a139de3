"""Before Django's settings are read: the state folder of `run`, made ready and taken by us."""

import fcntl
import os
import sys
from pathlib import Path

from mcm.embedded import certificates, ports, processes, state
from mcm.embedded.errors import StartError

_held: set[Path] = set()


def load(command: str = "") -> None:
    """Fills the environment from the state folder; for `run` first prepares that folder.

    Call it before the settings are read. A reason not to start is one line and exit code 1.
    """
    home = state.home()
    if command == "run":
        try:
            _prepare(home)
        except StartError as error:
            sys.exit(f"MCM cannot start: {error}")
    for name, value in state.environment(home).items():
        os.environ.setdefault(name, value)


def web_port() -> int:
    return _port("MCM_PORT", "8000")


def _port(name: str, default: str) -> int:
    value = os.environ.get(name) or default
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise StartError(f"{name} must be a port number, not {value!r}")
    return int(value)


def _prepare(home: Path) -> None:
    if home in _held:
        return
    port = web_port()
    _make(home)
    _lock(home)
    _held.add(home)
    processes.sweep(home, patience=6)
    _refuse_taken("MCM_PORT", port)
    known = state.read(home) or state.State.new()
    _settle(known)
    known.https_port = _https_port(known, port)
    state.write(home, known)
    certificates.ensure(home)
    os.environ.setdefault("MCM_PUBLIC_URL", f"https://127.0.0.1:{known.https_port}")
    os.environ.setdefault("MCM_PUBLIC_CA", str(certificates.files(home).authority))
    os.environ["MCM_HOME"] = os.environ[processes.MARK] = str(home)


def _refuse_taken(name: str, port: int) -> None:
    if not ports.is_free(port):
        holder = ports.holder(port) or "another process"
        raise StartError(f"port {port} is held by {holder}. Choose another with {name}.")


def _https_port(known: state.State, port: int) -> int:
    """The one that MCM_TLS_PORT names, or the last one, which stands in people's kubeconfigs, or
    8443 beside 8000, or any.
    """
    taken = {port, known.postgres_port, known.valkey_port}
    if os.environ.get("MCM_TLS_PORT"):
        chosen = _port("MCM_TLS_PORT", "")
        if chosen in taken:
            raise StartError("MCM_TLS_PORT must be another port than MCM_PORT")
        _refuse_taken("MCM_TLS_PORT", chosen)
        return chosen
    for each in (known.https_port, port + 443):
        if 0 < each < 65536 and each not in taken and ports.is_free(each):
            return each
    return ports.choose(taken=taken)


def _make(home: Path) -> None:
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        probe = home / "state.json.new"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise StartError(
            f"the folder {home} cannot be written ({error.strerror}). Choose another with MCM_HOME."
        ) from error


def _lock(home: Path) -> None:
    """Holds the folder until this process ends: the descriptor stays open on purpose."""
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        pid = os.pread(descriptor, 20, 0).decode() or "unknown"
        os.close(descriptor)
        raise StartError(
            f"MCM runs on {home} already (pid {pid}). Stop it, or choose another MCM_HOME."
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _settle(known: state.State) -> None:
    """Ports for the embedded servers, and which servers to use this time."""
    database, redis = _given("DATABASE_URL"), _given("REDIS_URL")
    if not database and not (known.postgres_port and ports.is_free(known.postgres_port)):
        known.postgres_port = ports.choose()
    if not redis and not (known.valkey_port and ports.is_free(known.valkey_port)):
        known.valkey_port = ports.choose(taken={known.postgres_port})
    known.database_url = database or known.own_database_url
    known.redis_url = redis or known.own_redis_url
    os.environ.update(DATABASE_URL=known.database_url, REDIS_URL=known.redis_url)


def _given(name: str) -> str:
    """The variable as this process was started with it; ours may be filled from the state."""
    for entry in Path("/proc/self/environ").read_text(errors="replace").split("\0"):
        if entry.startswith(f"{name}="):
            return entry.partition("=")[2]
    return ""
