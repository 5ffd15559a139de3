"""A server of pods' watches that sends as fast as it is read: `informer/replay.go`."""

from pathlib import Path
from typing import Self

from bench import programs
from bench.measure import Running
from clusters.kube.types import Connection
from mcm.embedded import ports
from testbed import certs, kubeconfig
from testbed.toolchain import Say

TOKEN = "replayed"  # noqa: S105 - the server asks nobody


class Replay:
    """Started as a context: a list of `pods`, then `events` changes of one pod after the other."""

    def __init__(self, home: Path, say: Say, *, pods: int, events: int = 0, **options: str) -> None:
        self.home, self.pods, self.events = home, pods, events
        self.port = ports.choose()
        home.mkdir(parents=True, exist_ok=True)
        authority = certs.authority(home, "ca")
        certs.kept(home, "server", authority.server)
        self._command: list[object] = [programs.informer(say), "replay"]
        self._command += ["-address", f"127.0.0.1:{self.port}", "-pods", str(pods)]
        self._command += ["-cert", home / "server.crt", "-key", home / "server.key"]
        self._command += ["-events", str(events)]
        for name, value in options.items():
            self._command += [f"-{name}", value]

    def __enter__(self) -> Self:
        self.running = Running(self._command, self.home / "replay.log")
        self.running.wait_for("ready", 180)
        return self

    def __exit__(self, *_: object) -> None:
        self.running.stop()

    @property
    def last(self) -> int:
        """The version of the last change: see `firstVersion` in replay.go."""
        return 1_000_000_000 + self.pods + self.events

    @property
    def where(self) -> list[str]:
        """Address, CA and token, as the peers' commands want them."""
        return [f"https://127.0.0.1:{self.port}", str(self.home / "ca.crt"), TOKEN]

    @property
    def kubeconfig(self) -> str:
        """For MCM."""
        ca = (self.home / "ca.crt").read_bytes()
        return kubeconfig.with_token("replay", self.port, ca, "bench", TOKEN)

    @property
    def connection(self) -> bytes:
        """What MCM makes of the kubeconfig."""
        ca = (self.home / "ca.crt").read_text()
        return Connection(server=self.where[0], ca=ca, token=TOKEN).dump()
