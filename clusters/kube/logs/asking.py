"""What is asked of an API server about a container's log, and which containers a pod has."""

from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from clusters.kube import errors, objects, stream
from clusters.kube.client import SEGMENT

LARGEST_POD = 4 * 1024 * 1024
SECONDS = 10.0

Role = Literal["container", "init", "ephemeral"]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of which log: the last `tail` lines, those `since` a moment, and with `follow`
    all that come later; `previous`: of the container's last run instead of this one.
    """

    namespace: str
    pod: str
    container: str
    follow: bool = False
    previous: bool = False
    tail: int | None = None
    since: datetime | None = None

    @property
    def target(self) -> str:
        """The address below the cluster's own; NotFound for names that no object has."""
        params: dict[str, str | int] = {"container": self.container, "timestamps": "true"}
        if self.follow:
            params["follow"] = "true"
        if self.previous:
            params["previous"] = "true"
        if self.tail is not None:
            params["tailLines"] = self.tail
        if self.since is not None:
            # The API server takes whole seconds; what is too early is left out by who asked.
            params["sinceTime"] = self.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{_path(self.namespace, self.pod)}/log?{urlencode(params)}"


class Container(msgspec.Struct, frozen=True):
    """A container of a pod; `role` says whether it is one of its ordinary ones."""

    name: str
    role: Role = "container"


class PodSeen(msgspec.Struct, frozen=True):
    """The containers of a pod in their order; `ended`: none of them will ever start again."""

    containers: tuple[Container, ...]
    ended: bool


class _Named(objects.Part):
    name: str = ""


class _Spec(objects.Part):
    containers: list[_Named] | None = None
    init_containers: list[_Named] | None = None
    ephemeral_containers: list[_Named] | None = None


class _State(objects.Part):
    phase: str = ""


class _Pod(objects.Part):
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _State = msgspec.field(default_factory=_State)


async def pod(to: stream.Link, namespace: str, name: str) -> PodSeen:
    """The pod as it is now; NotFound when it is gone, another KubeError when it cannot be read."""
    path = _path(namespace, name)
    async with stream.get(to, path, "application/json", deadline=SECONDS) as response:
        body = await response.all(LARGEST_POD, SECONDS)
    found = objects.decode(body, _Pod)
    named: list[tuple[Role, list[_Named] | None]] = [
        ("container", found.spec.containers),
        ("init", found.spec.init_containers),
        ("ephemeral", found.spec.ephemeral_containers),
    ]
    return PodSeen(
        tuple(Container(each.name, role) for role, some in named for each in some or ()),
        ended=found.status.phase in ("Succeeded", "Failed"),
    )


def _path(namespace: str, name: str) -> str:
    if not (SEGMENT.match(namespace) and SEGMENT.match(name)):
        raise errors.NotFound("There is no object of this name.", 404)
    return f"/api/v1/namespaces/{quote(namespace)}/pods/{quote(name)}"
