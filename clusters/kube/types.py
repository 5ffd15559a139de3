"""The data that leaves this folder. Frozen, without methods that reach a cluster."""

from typing import Literal

import msgspec

Health = Literal["healthy", "progressing", "degraded", "failing", "unknown", "idle"]


class Connection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to reach one cluster: what `kubeconfig.parse` allowed; PEM texts and a bearer token."""

    server: str
    ca: str | None = None
    token: str | None = None
    certificate: str | None = None
    key: str | None = None
    tls_server_name: str | None = None
    context: str = ""
    namespace: str | None = None

    def __repr__(self) -> str:
        """Names the cluster and never a credential: it ends up in logs and tracebacks."""
        return f"Connection(server={self.server!r}, context={self.context!r})"

    def dump(self) -> bytes:
        """JSON with every secret in it: encrypt before storing."""
        return msgspec.json.encode(self)

    @classmethod
    def load(cls, data: bytes) -> "Connection":
        """The record that `dump` wrote; ValueError when it is not one."""
        return msgspec.json.decode(data, type=cls)


class Identity(msgspec.Struct, frozen=True):
    """As whom a request is made: Kubernetes impersonation, or the account itself without a user.

    ValueError for what must never be sent: groups without a user, names that are not one line of
    printable ASCII (they become header values), and the `system:` names that Kubernetes reserves.
    """

    user: str | None = None
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.user is None and self.groups:
            raise ValueError("groups can only be impersonated together with a user")
        for name in self.groups if self.user is None else (self.user, *self.groups):
            if not (name.strip() == name and name.isascii() and name.isprintable() and name):
                raise ValueError("an impersonated name is one line of printable ASCII")
            if name.startswith("system:"):
                raise ValueError("names that start with system: are never impersonated")


SERVICE_ACCOUNT = Identity()


class Row(msgspec.Struct, frozen=True, gc=False):
    """The slim row of one object; `status` is the word that `kubectl get` prints.

    `created` and `since` (when the status became what it is, 0 where the object does not say) are
    in seconds since 1970; `cpu` in millicores and `memory` in MiB are what a pod requests and what
    a node can give. `facts` is what only this kind has, as short texts. `labels`, `images` and
    `facts` are shared between rows: never change them. The collector does not track rows
    (`gc=False`): they cannot be part of a cycle.
    """

    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: int
    labels: dict[str, str]
    owner_kind: str
    owner_name: str
    images: tuple[str, ...]
    status: str
    health: Health
    ready: int
    wanted: int
    restarts: int
    node: str
    created: int
    since: int
    cpu: int
    memory: int
    facts: dict[str, str]


class Version(msgspec.Struct, frozen=True):
    """What a cluster says of itself at /version, e.g. git_version "v1.37.2"."""

    git_version: str
    platform: str = ""


class WorkloadState(msgspec.Struct, frozen=True):
    """How far a rollout is, as `kubectl rollout status` judges it.

    `observed` says that the controller has seen the newest spec; `failed` that waiting longer is
    useless (deadline exceeded, Job failed); `reason` says in a sentence why it is not done.
    """

    kind: str
    namespace: str
    name: str
    ready: int
    wanted: int
    updated: int
    observed: bool
    done: bool
    failed: bool
    reason: str


class PodProblem(msgspec.Struct, frozen=True):
    """One container (or pod, then `container` is "") that is not as it should be, and why."""

    namespace: str
    pod: str
    container: str
    status: str
    message: str
    exit_code: int | None
    restarts: int
