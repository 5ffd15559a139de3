"""MCM's own account reads for people, and no further than they may see."""

import pytest

from clusters.kube import errors
from clusters.kube.fenced import FencedClient
from clusters.kube.types import Connection

# Port 1 of this machine is closed: what passes the fence fails behind it.
NOWHERE = Connection(server="https://127.0.0.1:1", token="planted-cluster-token")
METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def read(path: str, accept: str = "application/json", **fence: frozenset[str] | None) -> None:
    chosen = {"namespaces": frozenset({"shop"}), "secrets": frozenset[str](), **fence}
    with FencedClient(NOWHERE, deadline=5, budget=5, **chosen) as client:
        client.read(path, accept=accept)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/bank/pods/a",
        "/api/v1/namespaces/bank",
        "/api/v1/nodes/a",
        "/api/v1/pods?fieldSelector=metadata.namespace=shop",
        "/apis/apps/v1/deployments",
        "/apis/storage.k8s.io/v1/storageclasses/a",
        "/api/v1/namespaces",
        "/",
    ],
)
def test_what_lies_outside_is_refused(path: str) -> None:
    with pytest.raises(errors.Forbidden):
        read(path)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/namespaces/shop/pods/a",
        "/api/v1/namespaces/shop",
        "/apis/apps/v1/namespaces/shop/deployments?limit=1",
    ],
)
def test_what_lies_inside_is_asked_for(path: str) -> None:
    with pytest.raises(errors.Unreachable):
        read(path)


def test_secrets_are_for_who_operates() -> None:
    path = "/api/v1/namespaces/shop/secrets/keys"
    with pytest.raises(errors.Forbidden):
        read(path)
    with pytest.raises(errors.Unreachable):
        read(path, accept=METADATA)
    with pytest.raises(errors.Unreachable):
        read(path, secrets=frozenset({"shop"}))
    with pytest.raises(errors.Forbidden):
        read("/api/v1/secrets", namespaces=None)
    with pytest.raises(errors.Unreachable):
        read("/api/v1/secrets", namespaces=None, secrets=None)
