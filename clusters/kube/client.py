"""One question to one cluster, and its answer or a KubeError before the deadline."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from clusters.kube import errors, objects, problems, wire, workloads
from clusters.kube.kinds import KINDS, PAGE_SIZE
from clusters.kube.project import base
from clusters.kube.transport import Transport
from clusters.kube.types import Connection, Identity, PodProblem, Row, Version, WorkloadState

LARGEST_LIST = 64 * 1024 * 1024
LARGEST_ANSWER = 1024 * 1024
MOST_PAGES = 2000
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
SEGMENT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:-]{0,251}[A-Za-z0-9])?\Z")

Params = Mapping[str, str | int]


class _Version(msgspec.Struct, rename="camel"):
    git_version: str
    platform: str = ""


class _Named(msgspec.Struct):
    metadata: dict[str, Any]


class _ListMetadata(objects.Part):
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class _Page(objects.Part):
    # An empty list of metadata comes as null.
    items: list[msgspec.Raw] | None = None
    metadata: _ListMetadata = msgspec.field(default_factory=_ListMetadata)


class Client:
    """A synchronous client; one for each thread. Every call raises KubeError when it fails.

    `deadline` is in seconds of real time for each request, from the name look-up to the last byte;
    `budget` for all requests together, from the making of the client on. Nothing is repeated, no
    redirect is followed, TLS is always verified.
    """

    def __init__(
        self,
        connection: Connection,
        identity: Identity,
        *,
        deadline: float = 10.0,
        budget: float | None = None,
    ) -> None:
        """BadCertificate when the connection's own certificates cannot be used."""
        self._transport = Transport(connection, identity, deadline, budget)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; the client must not be used afterwards."""
        self._transport.close()

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """All requests made inside have ended by then, however long their own deadline is."""
        return self._transport.within(seconds)

    @property
    def certificate_expires(self) -> datetime | None:
        """Until when the API server's own certificate is good; None before the first answer."""
        return self._transport.certificate_expires

    def version(self) -> Version:
        """The version of the API server (/version)."""
        body = self._transport.send("GET", "/version").body
        try:
            found = msgspec.json.decode(body, type=_Version)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise errors.BadAnswer("What answers there is not a Kubernetes API.") from error
        text = errors.safe_text
        return Version(text(found.git_version, 63), text(found.platform, 63))

    def ready(self) -> bool:
        """True when the API server calls itself ready (/readyz); ServerFailed when it does not."""
        self._transport.send("GET", "/readyz", accept="*/*")
        return True

    def system_uid(self) -> str:
        """The uid of namespace kube-system, which is as good as the cluster's own id.

        "" when this identity may not read it or it does not exist.
        """
        try:
            body = self._transport.send("GET", "/api/v1/namespaces/kube-system").body
            uid = msgspec.json.decode(body, type=_Named).metadata.get("uid", "")
            return errors.safe_text(str(uid), 64)
        except (errors.Forbidden, errors.NotFound):
            return ""
        except (msgspec.MsgspecError, RecursionError) as error:
            raise errors.BadAnswer("What answers there is not a Kubernetes API.") from error

    def nodes(self) -> list[Row]:
        """All nodes; read in pages of 500."""
        return self.rows("Node")

    def pods(self, namespace: str | None = None, label_selector: str | None = None) -> list[Row]:
        """The pods of a namespace (None: of all); read in pages of 500."""
        return self.rows("Pod", namespace, label_selector)

    def rows(
        self, kind: str, namespace: str | None = None, label_selector: str | None = None
    ) -> list[Row]:
        """The rows of one of `kinds.KINDS`; an object that cannot be read is left out."""
        chosen = KINDS[kind]
        path = chosen.path if namespace is None else _namespaced(chosen.path, namespace)
        params: dict[str, str | int] = {"limit": chosen.page_size, **chosen.params}
        if label_selector:
            params["labelSelector"] = label_selector
        found: list[Row] = []
        for _ in range(MOST_PAGES):
            url = f"{path}?{urlencode(params)}"
            page = wire.of(chosen).page(chosen, self.read(url, accept=chosen.list_accept))
            found += page.rows
            if not page.next:
                return found
            params["continue"] = page.next
        raise errors.BadAnswer("The list never ends.")

    def count(self, kind: str) -> int:
        """How many objects of one of `kinds.KINDS` there are, without reading them all."""
        body = self.read(f"{KINDS[kind].path}?limit=1", accept=METADATA)
        found = objects.decode(body, _Page)
        here = len(found.items or [])
        if found.metadata.remaining_item_count is not None:
            return base.count(here + found.metadata.remaining_item_count)
        # Servers may leave the figure out where there is more.
        return len(self.rows(kind)) if found.metadata.continue_ else here

    def read(self, path: str, *, accept: str = "application/json") -> bytes:
        """The body at `path`, at most 64 MiB, for a reader of its own."""
        return self._transport.send("GET", path, accept=accept, largest=LARGEST_LIST).body

    def get(
        self, path: str, params: Params | None = None, *, accept: str = "application/json"
    ) -> Any:
        """The decoded JSON at `path` ("/apis/…"), at most 64 MiB; for what is not a hot path.

        `accept` may ask for another form of the same, e.g. a Table or PartialObjectMetadata.
        """
        url = f"{path}?{urlencode(params)}" if params else path
        return _json(self._transport.send("GET", url, accept=accept, largest=LARGEST_LIST).body)

    def request(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> Any:
        """The decoded JSON answer to a request that may change something; sent once, ever.

        `body` is anything JSON can say; patches name their kind in `content_type`.
        """
        answer = self._transport.send(
            method, path, body=body, content_type=content_type, largest=LARGEST_LIST
        )
        return _json(answer.body)

    def workload_state(self, kind: str, namespace: str, name: str) -> WorkloadState:
        """How far a Deployment, StatefulSet, DaemonSet or Job is; NotFound when there is none."""
        url = _namespaced(workloads.PATHS[kind], namespace, name)
        body = self._transport.send("GET", url, largest=LARGEST_LIST).body
        return workloads.state(kind, namespace, name, body)

    def workload_problems(self, kind: str, namespace: str, name: str) -> list[PodProblem]:
        """What is wrong with the pods of a Deployment, StatefulSet, DaemonSet or Job."""
        found = self.get(_namespaced(workloads.PATHS[kind], namespace, name))
        labels = found.get("spec", {}).get("selector", {}).get("matchLabels", {})
        if not labels:
            return []
        return self.pod_problems(namespace, ",".join(f"{k}={v}" for k, v in labels.items()))

    def pod_problems(self, namespace: str, selector: str) -> list[PodProblem]:
        """What is wrong with the (first 500) pods that a selector picks; [] when nothing is."""
        params = {"labelSelector": selector, "limit": PAGE_SIZE}
        url = f"{_namespaced('/api/v1/pods', namespace)}?{urlencode(params)}"
        return problems.problems(self._transport.send("GET", url, largest=LARGEST_LIST).body)

    def log_tail(
        self, namespace: str, pod: str, container: str, lines: int = 100, previous: bool = False
    ) -> str:
        """The last lines of a container's log, at most 1 MiB; `previous`: of its last run.

        As the container wrote them, control characters and all: make them harmless before showing.
        """
        params = {
            "container": container,
            "tailLines": lines,
            "previous": str(previous).lower(),
            "limitBytes": LARGEST_ANSWER,
        }
        url = f"{_namespaced('/api/v1/pods', namespace, pod)}/log?{urlencode(params)}"
        # The API server may send a little more than limitBytes.
        answer = self._transport.send("GET", url, accept="*/*", largest=2 * LARGEST_ANSWER)
        return answer.body.decode("utf-8", "replace")


def _namespaced(path: str, namespace: str, name: str | None = None) -> str:
    """/api/v1/pods, "a" and "b" become /api/v1/namespaces/a/pods/b."""
    for each in (namespace, name):
        if each is not None and not SEGMENT.match(each):
            raise errors.NotFound("There is no object of this name.", 404)
    group, _, plural = path.rpartition("/")
    whole = f"{group}/namespaces/{quote(namespace)}/{plural}"
    return whole if name is None else f"{whole}/{quote(name)}"


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise errors.BadAnswer("The answer is not JSON.") from error
