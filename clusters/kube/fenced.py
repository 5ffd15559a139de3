"""A client of MCM's own account that reads no further than the person for whom it reads.

Where people are impersonated the cluster itself keeps them inside. Where they are not, its own
account sees everything: then MCM keeps them inside, by the address of what is read.
"""

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.errors import sentence
from clusters.kube.types import SERVICE_ACCOUNT, Connection

BEYOND = sentence("It is beyond what you may see of the cluster.")
SECRET = sentence("Secrets are read by those who operate the namespace.")
ONLY_METADATA = "as=PartialObjectMetadata"


class FencedClient(Client):
    """Reads what stands in `namespaces`, and whole Secrets in `secrets`; None: everywhere."""

    def __init__(
        self,
        connection: Connection,
        *,
        namespaces: frozenset[str] | None,
        secrets: frozenset[str] | None,
        deadline: float,
        budget: float,
    ) -> None:
        super().__init__(connection, SERVICE_ACCOUNT, deadline=deadline, budget=budget)
        self._namespaces = namespaces
        self._secrets = secrets

    def read(self, path: str, *, accept: str = "application/json") -> bytes:
        """As the client does; Forbidden for what lies outside."""
        namespace, plural = _place(path)
        if self._namespaces is not None and namespace not in self._namespaces:
            raise errors.Forbidden(BEYOND, 403)
        whole = plural == "secrets" and ONLY_METADATA not in accept
        if whole and self._secrets is not None and namespace not in self._secrets:
            raise errors.Forbidden(SECRET, 403)
        return super().read(path, accept=accept)


def _place(path: str) -> tuple[str, str]:
    """The namespace in an address ("" for none) and the plural of what is there."""
    parts = path.partition("?")[0].strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if rest[:1] == ["namespaces"] and len(rest) > 1:
        return rest[1], rest[2] if len(rest) > 2 else "namespaces"
    return "", rest[0] if rest else ""
