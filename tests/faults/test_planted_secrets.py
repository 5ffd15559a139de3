"""Secrets that people give to MCM, and that MCM makes, stand nowhere outside of ciphertext.

A whole instance of its own, at the level DEBUG, with a real cluster.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcm.embedded import certificates, ports, state
from testbed.cluster import Cluster
from tests.faults import kept
from tests.faults.conftest import Say
from tests.faults.flows import DONE, FLOWS
from tests.faults.planted import Found, Markers, without_textareas
from tests.faults.visitor import Said, Visitor
from tests.faults.world import World
from tests.mcm.instances import Run

pytestmark = [pytest.mark.faults, pytest.mark.cluster, pytest.mark.timeout(900)]

STARTS = (
    "/", "/admin/", "/pods/", "/operations/", "/releases/", "/audit/", "/audit/export.csv",
    "/audit/export.json", "/teams/", "/account/", "/tokens/", "/metrics", "/api/v1/clusters",
    "/api/v1/releases", "/api/v1/charts", "/api/v1/audit", "/api/v1/tokens", "/api/v1/people/me",
    "/api/v1/objects?kind=Pod", "/api/v1/objects?kind=Secret", "/api/v1/teams",
)  # fmt: skip
# Of values under ordinary keys, which tell nothing of a secret, the trail says what was changed.
PLAIN = "a plain value for a chart"
# People become cluster admins there, as the manifest of MCM has it.
BOUND = {"mcm-planted-people": "mcm:platform-admins", "mcm-planted-account": "testbed:mcm"}


@pytest.fixture
def bound(cluster: Cluster) -> Iterator[None]:
    """MCM's account and its platform admins may do everything in the cluster."""
    group, path = "rbac.authorization.k8s.io", "/apis/rbac.authorization.k8s.io/v1"
    for name, who in BOUND.items():
        cluster.api.create_missing(
            {
                "apiVersion": f"{group}/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": name},
                "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"apiGroup": group, "kind": "Group", "name": who}],
            }
        )
    yield
    for name in BOUND:
        cluster.api.delete(f"{path}/clusterrolebindings/{name}")


@pytest.fixture
def world(
    tmp_path: Path, cluster: Cluster, namespace: str, bound: None, closed_port: int
) -> Iterator[World]:
    marks, said, home = Markers(), list[Said](), tmp_path / "home"
    known = {
        "id": "company", "name": "Company", "issuer": f"http://127.0.0.1:{closed_port}",
        "client_id": "mcm", "client_secret": marks.plant("secret of a provider's client"),
    }  # fmt: skip
    run = Run(
        home, ports.choose(), tmp_path / "run.out",
        MCM_ADMIN_PASSWORD=marks.plant("the right password"), MCM_LOG_LEVEL="DEBUG",
        MCM_OIDC_PROVIDERS=json.dumps([known]), MCM_CLUSTER_ADDRESSES="127.0.0.0/8",
        MCM_POLL_SECONDS="5",
    )  # fmt: skip
    try:
        run.until("MCM ready at")
        url, secure = f"http://127.0.0.1:{run.port}", state.read(home)
        assert secure is not None
        yield World(
            url=url, https=f"https://127.0.0.1:{secure.https_port}",
            authority=certificates.files(home).authority, cluster=cluster, namespace=namespace,
            marks=marks, said=said, admin=Visitor(url, said), closed_port=closed_port, home=home,
        )  # fmt: skip
    finally:
        run.stop()


def test_planted_secrets_stand_nowhere_outside_of_ciphertext(world: World, say: Say) -> None:
    instance = state.environment(world.home)
    redis, database = instance["REDIS_URL"], instance["DATABASE_URL"]
    world.admin.sign_in("admin", world.marks.secret("the right password"), expect=DONE)
    with kept.Overheard(redis) as overheard, world.listening():
        for flow in FLOWS:
            flow(world)
        paths = world.admin.walk(*STARTS)
    places = [
        *kept.tables(database),
        *kept.in_redis(redis),
        *kept.files(world.home),
        ("commands to Redis", overheard.heard),
    ]
    found = [hit for place in places for hit in in_place(world.marks, *place)]
    found += [hit for each in world.said for hit in in_answer(world.marks, each)]
    size = sum(len(data) for _where, data in places) / 2**20
    say(
        f"{len(world.marks)} markers in {len(FLOWS)} flows, looked for in {len(places)}"
        f" places of {size:.0f} MB, {len(world.said)} answers, {len(paths)} addresses"
    )
    witnesses(world, dict(places))
    assert not found, "\n".join(map(str, found))


def in_place(marks: Markers, where: str, data: bytes) -> list[Found]:
    """What was found in what the instance keeps.

    In PostgreSQL's own files, which also hold what was deleted, numbers of eight digits say
    nothing.
    """
    raw = where.startswith("file postgres/")
    hits = marks.search(where, data, but=(PLAIN,) if raw or "audit" in where else (), plain=raw)
    return [hit for hit in hits if not (raw and hit.marker.startswith("recovery code"))]


def in_answer(marks: Markers, said: Said) -> list[Found]:
    """What was found in an answer that is not meant to show it."""
    trail = (PLAIN,) if "/audit" in said.where else ()
    return marks.search(said.where, without_textareas(said.body), but=(*said.shows, *trail))


def witnesses(world: World, places: dict[str, bytes]) -> None:
    """What is no secret is found where it must be, so the places hold what they should."""
    assert b"bad-2" in places['table "public"."operations_operation"']
    assert b"by-page" in places['table "public"."clusters_cluster"']
    assert b"operations.tasks.run_operation" in places["commands to Redis"]
    assert b"POST /api/v1/releases" in places["file logs/web.log"]
    assert b"run_operation" in places["file logs/worker-operations.log"]
    heard = b"".join(each.body for each in world.said if each.where == "live socket")
    assert b'"changed"' in heard


@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_a_planted_secret_is_found_in_every_dress(before: str) -> None:
    marks = Markers()
    plain = f"{before}{marks.plant('it')}/+".encode()
    once = base64.b64encode(plain)
    for dress in (plain, once, base64.b64encode(b"{" + once), plain.hex().encode()):
        assert marks.search("", b"x" + dress + b"y")
    assert not marks.search("", plain.replace(b"Pl4nt", b"other"))
    assert not marks.search("", plain, but=["it"])
