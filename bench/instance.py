"""MCM under measurement: its servers alone, or all of it as `manage.py run` starts it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import psycopg

from bench.measure import Running, Usage, until, usage
from mcm.embedded import ports, postgres, state, valkey
from mcm.embedded.state import PROJECT, State

# What the shell of whoever measures would leak into what is measured.
OURS = ("DATABASE_URL", "REDIS_URL", "MCM_", "DJANGO_")
# Who holds leases that no watcher shall have.
OWNER = "bench"
PODS = "SELECT coalesce(sum(n), 0) FROM clusters_tally WHERE kind = 'Pod'"
CLOCK = "SELECT extract(epoch FROM clock_timestamp())"
# Test clusters listen on this machine, where MCM by default connects to nothing.
ADDRESSES = "127.0.0.0/8"


class Instance:
    """A database and a Valkey of its own, with the tables of MCM. Ends with its context."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._leaving = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as failing:
            failing.callback(self._leaving.close)
            self._start()
            failing.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.close()

    def _start(self) -> None:
        raise NotImplementedError

    @property
    def environment(self) -> dict[str, str]:
        """With it any process of MCM works on this instance."""
        own = {name: "" for name in os.environ if name.startswith(OURS)}
        return {
            **own,
            "MCM_HOME": str(self.home),
            "MCM_CLUSTER_ADDRESSES": ADDRESSES,
            "MCM_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "mcm.settings",
            **state.environment(self.home),
        }

    @cached_property
    def database(self) -> "psycopg.Connection[Any]":
        """A connection for looking from outside, each statement for itself."""
        url = self.environment["DATABASE_URL"]
        return self._leaving.enter_context(psycopg.connect(url, autocommit=True))

    def value(self, query: str, *values: object) -> Any:
        """The first column of the first row, None without a row."""
        row = self.database.execute(query, values).fetchone()
        return None if row is None else row[0]

    def pods(self) -> int:
        """How many pods are stored."""
        return int(self.value(PODS))

    def start(self, name: str, command: Sequence[object], **variables: str) -> Running:
        """A process on this instance; end it yourself, or it ends with us."""
        environment = {**self.environment, **variables}
        return Running(command, self.home / "logs" / f"bench-{name}.log", environment)

    def watcher(self) -> Running:
        """The process that watches the clusters, when it is ready for them."""
        command = [sys.executable, "-u", PROJECT / "manage.py", "watch_clusters"]
        running = self.start("watcher", command)
        until(lambda: "watching as" in running.log.read_text(), "the watcher", 60)
        return running

    def inside(self, name: str, **arguments: Any) -> Any:
        """Calls a function of `bench.inside` in a process with this instance's settings."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.inside", name],
            input=json.dumps(arguments),
            env={**_without_ours(), **self.environment},
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{name} failed: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def register(self, clusters: Mapping[str, str], *, held: bool = False) -> dict[str, str]:
        """Registers kubeconfigs by name; returns the clusters' ids by name.

        `held`: no watcher takes them before `release`, so that a beginning can be timed.
        """
        made: dict[str, str] = self.inside("register", clusters=dict(clusters), held=held)
        return made

    def release(self) -> float:
        """Lets the watcher take all held clusters; returns when it had the first, by the clock."""
        self.database.execute("UPDATE clusters_lease SET expires = now() WHERE owner = %s", [OWNER])
        taken = """
        SELECT extract(epoch FROM clock_timestamp()) FROM clusters_lease WHERE owner <> %s LIMIT 1
        """
        until(lambda: self.value(taken, OWNER) is not None, "a lease", 30, every=0.002)
        return self.clock()

    def clock(self) -> float:
        """Now, in seconds since 1970."""
        return float(self.value(CLOCK))

    def forget(self) -> None:
        """Forgets all clusters with all that was seen of them. No watcher may run."""
        self.database.execute("TRUNCATE clusters_cluster CASCADE")


class Services(Instance):
    """PostgreSQL and Valkey as the product starts them, and nothing else of it."""

    def _start(self) -> None:
        for folder in (self.home / "logs", self.home / "static"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = State.new()
        known.postgres_port = ports.choose()
        known.valkey_port = ports.choose(taken={known.postgres_port})
        known.database_url, known.redis_url = known.own_database_url, known.own_redis_url
        state.write(self.home, known)
        place = postgres.site(self.home / "postgres")
        postgres.create(place, known.postgres_password)
        server = postgres.program(place, known.postgres_port)
        self.postgres = self._run(server.arguments, server.identity)
        file = valkey.create(
            self.home / "valkey", port=known.valkey_port, password=known.valkey_password
        )
        self._run(valkey.program(file).arguments, "self")
        postgres.wait_ready(known.database_url, lambda: True)
        valkey.wait_ready(known.redis_url, lambda: True)
        migrate = [sys.executable, PROJECT / "manage.py", "migrate", "--verbosity=0"]
        self.start("migrate", migrate).finish()

    def _run(self, arguments: Sequence[str], identity: str) -> Running:
        name = Path(arguments[0]).name
        running = Running(arguments, self.home / "logs" / f"{name}.log", identity=identity)
        return self._leaving.enter_context(running)


class Product(Instance):
    """`manage.py run` on a port of its own, ready when the context begins."""

    def _start(self) -> None:
        self.port = ports.choose()
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [sys.executable, PROJECT / "manage.py", "run"]
        chosen = {"MCM_PORT": str(self.port), "MCM_ADMIN_PASSWORD": "correct-horse-battery"}
        environment = {**super().environment, **chosen}
        self._run = Running(command, self.home / "logs" / "bench-run.log", environment)
        self._leaving.callback(self._run.stop, 60)
        until(self._ready, "MCM", 200, every=0.2)

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    def usage(self, name: str) -> Usage:
        """What one of its processes has used: web, watcher, postgres, valkey, worker-poll, …"""
        return usage(self.pid(name))

    def pid(self, name: str) -> int:
        """The process of this name."""
        return int(json.loads((self.home / "processes.json").read_text())[name][0])

    def cookie(self, user: str) -> str:
        """A session of this user, signed in."""
        return str(self.inside("session", user=user))

    def _ready(self) -> bool:
        return "MCM ready at" in self._run.log.read_text(errors="replace")


def _without_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
