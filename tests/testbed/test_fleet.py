"""The demo: three clusters that differ, with the same workloads."""

import subprocess

import pytest

from testbed import workloads
from testbed.fleet import Fleet
from testbed.waiting import wait_until

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize(
    ("name", "nodes", "zones"), [("dev", 3, 1), ("staging", 5, 1), ("prod", 12, 3)]
)
def test_nodes_and_zones(fleet: Fleet, name: str, nodes: int, zones: int) -> None:
    found = list(fleet[name].api.items("/api/v1/nodes"))
    assert len(found) == nodes
    labels = [node["metadata"]["labels"] for node in found]
    assert len({label["topology.kubernetes.io/zone"] for label in labels}) == zones


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_applying_the_demo_again_changes_nothing(fleet: Fleet, name: str) -> None:
    cluster = fleet[name]

    def versions() -> dict[str, str]:
        found = cluster.api.items("/apis/apps/v1/deployments")
        return {item["metadata"]["name"]: str(item["metadata"]["generation"]) for item in found}

    before = versions()
    workloads.apply(cluster.api, cluster.spec)
    assert versions() == before
    assert workloads.is_up(cluster.api, name)


def test_top_answers(fleet: Fleet) -> None:
    command = [
        "kubectl",
        f"--kubeconfig={fleet['dev'].kubeconfig_path}",
        "top",
        "pods",
        "-n",
        "shop",
    ]

    def answers() -> bool:
        reply = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        return reply.returncode == 0 and "checkout" in reply.stdout

    # metrics-server needs two readings, 15 s apart.
    wait_until(answers, "figures", timeout=90)
