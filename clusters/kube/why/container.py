"""Containers as wanted and as they are, as far as causes need them."""

import msgspec

from clusters.kube.objects import Part
from clusters.kube.why.cause import Evidence, evidence
from clusters.kube.why.parts import seconds


class Named(Part):
    """A reference by name, or a key in what is named."""

    name: str = ""
    key: str = ""
    optional: bool = False


class ValueFrom(Part):
    """Where the value of a variable comes from."""

    config_map_key_ref: Named | None = None
    secret_key_ref: Named | None = None


class Env(Part):
    """An environment variable; its value is not read."""

    name: str = ""
    value_from: ValueFrom | None = None


class Resources(Part):
    """Requests and limits."""

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class Port(Part):
    """A port of a container."""

    container_port: int = 0
    host_port: int = 0
    protocol: str = "TCP"


class HttpGet(Part):
    """What an HTTP probe asks."""

    path: str = "/"
    port: int | str = ""
    scheme: str = "HTTP"


class TcpSocket(Part):
    """What a TCP probe asks."""

    port: int | str = ""


class Exec(Part):
    """What a probe runs."""

    command: list[str] = []


class Grpc(Part):
    """What a gRPC probe asks."""

    port: int | str = ""
    service: str | None = None


class Probe(Part):
    """A probe of any of the three kinds."""

    http_get: HttpGet | None = None
    tcp_socket: TcpSocket | None = None
    exec: Exec | None = None
    grpc: Grpc | None = None
    timeout_seconds: int = 1
    period_seconds: int = 10
    failure_threshold: int = 3


class Container(Part):
    """A container as wanted."""

    name: str = ""
    image: str = ""
    restart_policy: str = ""
    command: list[str] = []
    resources: Resources = msgspec.field(default_factory=Resources)
    ports: list[Port] = []
    env: list[Env] = []
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None


class Waiting(Part):
    """Why a container waits."""

    reason: str = ""
    message: str = ""


class Running(Part):
    """Since when a container runs."""

    started_at: str | None = None


class Terminated(Part):
    """How a container ended."""

    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: str | None = None
    finished_at: str | None = None


class State(Part):
    """The state of a container: one of the three."""

    waiting: Waiting | None = None
    running: Running | None = None
    terminated: Terminated | None = None


class Status(Part):
    """A container as it is."""

    name: str = ""
    image: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    state: State = msgspec.field(default_factory=State)
    last_state: State = msgspec.field(default_factory=State)


def waits(status: Status, waiting: Waiting) -> Evidence:
    """What a waiting container says of itself."""
    text = f"{waiting.reason}: {waiting.message}" if waiting.message else waiting.reason
    return evidence("container", f"{status.name}.state.waiting", text)


def ended(status: Status, end: Terminated) -> Evidence:
    """How a container ended, as evidence."""
    now = status.state.terminated is not None
    place = f"{status.name}.{'state' if now else 'lastState'}.terminated"
    words = f"exitCode {end.exit_code}, {end.reason}".rstrip(", ")
    at = seconds(end.finished_at)
    text = f"{words}: {end.message}" if end.message else words
    # When it was restarted, the trouble began with an earlier end.
    return evidence("container", place, text, 0 if status.restart_count else at, at)
