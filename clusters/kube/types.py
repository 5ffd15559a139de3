"""The data that leaves this folder. Frozen, without methods that reach a cluster."""

import re
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


# The only names that MCM ever impersonates: a person, a team in a role (in the whole cluster, or in
# the namespace that ends the name), and all platform admins.
IMPERSONATED_USER = re.compile(r"mcm:[A-Za-z0-9@+._~%-]{1,1400}\Z")
IMPERSONATED_GROUP = re.compile(
    r"mcm:(platform-admins|team:[A-Za-z0-9_-]{1,50}:(viewer|operator|admin)"
    r"(:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?)\Z"
)


class Identity(msgspec.Struct, frozen=True):
    """As whom a request is made: Kubernetes impersonation, or the account itself without a user.

    ValueError for groups without a user, and for every name that is not one of MCM's own: what
    Kubernetes reserves (`system:`) and people of the cluster's own are never impersonated, and no
    name can end the header that it becomes.
    """

    user: str | None = None
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.user is None:
            if self.groups:
                raise ValueError("groups can only be impersonated together with a user")
            return
        if not IMPERSONATED_USER.match(self.user):
            raise ValueError("this user is none whom MCM impersonates")
        if not all(map(IMPERSONATED_GROUP.match, self.groups)):
            raise ValueError("this group is none that MCM impersonates")


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
