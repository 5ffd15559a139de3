"""pytest plugin: a real PostgreSQL and Valkey for the run, by the launchers of `manage.py run`.

Loaded by `-p tests.services` before Django's settings are read. The first pytest process starts
the servers; the workers of pytest-xdist inherit the addresses and take a Redis database each.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mcm.embedded import ports, postgres, valkey
from mcm.embedded.processes import Program
from mcm.embedded.state import State

# Data of tests need not survive a power cut.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=300")


class Services:
    """Both servers in a temporary folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mcm-tests-"))
        (self.folder / "static").mkdir()
        self.state = State.new()
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []

    def start(self) -> None:
        state = self.state
        state.postgres_port = ports.choose()
        state.valkey_port = ports.choose(taken={state.postgres_port})
        place = postgres.site(self.folder)
        with ThreadPoolExecutor(1) as pool:
            created = pool.submit(postgres.create, place, state.postgres_password)
            configuration = valkey.create(
                self.folder / "valkey",
                port=state.valkey_port,
                password=state.valkey_password,
                persistent=False,
            )
            store = self._run(valkey.program(configuration))
            created.result()
        server = self._run(postgres.program(place, state.postgres_port, _FAST))
        valkey.wait_ready(state.own_redis_url, lambda: store.poll() is None)
        postgres.wait_ready(state.own_database_url, lambda: server.poll() is None)

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.state.own_database_url,
            "REDIS_URL": self.state.own_redis_url,
            "MCM_SECRET_KEY": self.state.secret_key,
            "MCM_ENCRYPTION_KEYS": self.state.encryption_keys,
            "MCM_CLUSTER_ADDRESSES": "127.0.0.0/8,[::1]",
            "MCM_HOME": str(self.folder / "home"),
            # Whitenoise warns of a folder that is not there.
            "MCM_STATIC_ROOT": str(self.folder / "static"),
        }

    def stop(self) -> None:
        for program, process in self._running:
            process.send_signal(program.stop)
        for _, process in self._running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: Program) -> subprocess.Popen[bytes]:
        # From the main thread: they die with the thread that started them.
        process = program.start(self.folder / f"{program.name}.log")
        self._running.append((program, process))
        return process


_services: list[Services] = []


# A wrapper runs before pytest-django's own hook, which reads the settings.
@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        services = Services()
        _services.append(services)
        services.start()
        os.environ.update(services.environment())
    else:
        base = os.environ["REDIS_URL"].rpartition("/")[0]
        os.environ["REDIS_URL"] = f"{base}/{int(worker.removeprefix('gw')) + 1}"
    try:
        yield
    except BaseException:
        # Without a configuration there is no end of it, either.
        pytest_unconfigure()
        raise


def pytest_unconfigure() -> None:
    while _services:
        _services.pop().stop()
