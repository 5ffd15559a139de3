"""Discovery beside servers that are old, say odd things, or nothing at all."""

import asyncio
import json
from typing import Any

import pytest

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.discovery import CustomResourceFound, custom_resources
from clusters.kube.types import SERVICE_ACCOUNT, Connection
from tests.kube import fake

WIDGET = CustomResourceFound("example.com", "v1", "widgets", "Widget", namespaced=True)
CLUSTER_WIDE = CustomResourceFound("example.com", "v1beta1", "racks", "Rack", namespaced=False)


def ask(connection: Connection) -> list[CustomResourceFound]:
    with Client(connection, SERVICE_ACCOUNT, deadline=5) as client:
        return custom_resources(client)


async def found(answers: dict[str, tuple[str, Any]]) -> list[CustomResourceFound]:
    """What is found where these paths (and forms of definitions) are answered."""

    async def handler(request: fake.Request, writer: asyncio.StreamWriter) -> None:
        names = "names" if "PartialObjectMetadata" in request.head else "definitions"
        key = "apis" if request.target == "/apis" else names
        status, body = answers.get(key, ("403 Forbidden", {}))
        writer.write(fake.whole(status, json.dumps(body).encode(), "Connection: close"))

    async with fake.serve(handler) as server:
        return await asyncio.to_thread(ask, server.connection)


def resource(plural: str, kind: str, *, scope: str = "Namespaced", **parts: Any) -> Any:
    basics = {"resource": plural, "scope": scope, "responseKind": {"kind": kind}}
    return {**basics, "verbs": ["list", "watch", "get"], **parts}


def group(name: str, **versions: list[Any]) -> Any:
    listed = [{"version": key, "resources": value} for key, value in versions.items()]
    return {"metadata": {"name": name}, "versions": listed}


GROUPS = {
    "kind": "APIGroupDiscoveryList",
    "items": [
        group("apps", v1=[resource("deployments", "Deployment")]),
        group("metrics.k8s.io", v1beta1=[resource("pods", "PodMetrics", verbs=["get", "list"])]),
        group("extended.example", v1=[resource("quotes", "Quote", verbs=["create"])]),
        group(
            "example.com",
            v1=[resource("widgets", "Widget"), resource("../secrets", "Evil")],
            v1beta1=[
                resource("widgets", "Widget"),
                resource("racks", "Rack", scope="Cluster"),
            ],
        ),
    ],
}


def definition(group: str, plural: str, kind: str, scope: str, **versions: bool) -> Any:
    listed = [{"name": name, "served": served} for name, served in versions.items()]
    names = {"plural": plural, "kind": kind}
    return {"spec": {"group": group, "scope": scope, "names": names, "versions": listed}}


DEFINITIONS = {
    "items": [
        definition("example.com", "widgets", "Widget", "Namespaced", v2=False, v1=True),
        definition("example.com", "racks", "Rack", "Cluster", v1beta1=True),
        definition("example.com", "gone", "Gone", "Cluster", v1=False),
        definition("example.com", "a/b", "Evil", "Cluster", v1=True),
    ]
}


async def test_the_api_tells_its_custom_resources() -> None:
    names = {"items": [{"metadata": {"name": "widgets.example.com"}}]}
    assert await found({"apis": ("200 OK", GROUPS), "names": ("200 OK", names)}) == [WIDGET]


async def test_without_the_definitions_built_in_groups_are_left_out() -> None:
    assert await found({"apis": ("200 OK", GROUPS)}) == [CLUSTER_WIDE, WIDGET]


@pytest.mark.parametrize(
    "apis", [("406 Not Acceptable", {}), ("200 OK", {"kind": "APIGroupList", "groups": []})]
)
async def test_an_older_server_tells_its_definitions(apis: tuple[str, Any]) -> None:
    answers = {"apis": apis, "definitions": ("200 OK", DEFINITIONS)}
    assert await found(answers) == [CLUSTER_WIDE, WIDGET]


@pytest.mark.parametrize(
    ("apis", "error"),
    [
        (("200 OK", []), errors.BadAnswer),
        (("200 OK", {"kind": "APIGroupDiscoveryList", "items": 7}), errors.BadAnswer),
        (("403 Forbidden", {}), errors.Forbidden),
        (("406 Not Acceptable", {}), errors.Forbidden),
    ],
)
async def test_what_cannot_be_known_is_an_error(
    apis: tuple[str, Any], error: type[errors.KubeError]
) -> None:
    with pytest.raises(error):
        await found({"apis": apis})
