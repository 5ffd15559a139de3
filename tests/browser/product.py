"""The whole product as a person starts it, with its demo: one for all browser tests of a run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from mcm.embedded import ports
from mcm.embedded.state import PROJECT
from testbed import dex
from testbed.cluster import Cluster
from tests.mcm.instances import Run

PASSWORD = "correct-horse-battery"


class Product:
    """MCM with dev, staging and prod, on a state folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        port = ports.choose()
        # Where the tests of a provider start one.
        self.provider_port = ports.choose(taken={port})
        known = dex.provider(self.provider_port, create_users=True)
        self._run = Run(
            self.home,
            port,
            folder / "run.out",
            "--demo",
            MCM_ADMIN_PASSWORD=PASSWORD,
            MCM_OIDC_PROVIDERS=json.dumps([known]),
        )
        self.url = f"http://127.0.0.1:{self._run.port}"

    def until_ready(self) -> None:
        self._run.until("MCM ready at", 400)
        assert "not complete" not in self._run.output(), self._run.output()

    def cluster(self, name: str) -> Cluster:
        """A handle on one of the demo's clusters."""
        return Cluster(name, self.home / "fleet")

    def shell(self, code: str) -> str:
        """Runs Python in the product's settings, in a process of its own."""
        done = subprocess.run(
            [sys.executable, str(PROJECT / "manage.py"), "shell", "--no-imports", "-c", code],
            env={**self._clean_environment(), "MCM_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def kill_web(self) -> None:
        """Ends the web process at once; the supervisor starts it again."""
        pid = int(json.loads((self.home / "processes.json").read_text())["web"][0])
        os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        self._run.stop()
        assert self._run.processes() == {}

    def _clean_environment(self) -> dict[str, str]:
        ours = ("DATABASE_URL", "REDIS_URL", "MCM_", "DJANGO_", "PYTEST_")
        return {k: v for k, v in os.environ.items() if not k.startswith(ours)}
