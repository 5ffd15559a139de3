"""What the clusters of the demo look like: nodes, zones, labels, capacity."""

from collections.abc import Iterator
from dataclasses import dataclass

from testbed.api import Json


@dataclass(frozen=True)
class ClusterSpec:
    """The shape of one cluster. `number` gives it a pod network of its own."""

    name: str
    number: int
    environment: str
    nodes: int
    region: str
    zones: tuple[str, ...] = ("a",)
    instance: str = "m7i.xlarge"
    cpu: int = 4
    memory_gib: int = 16
    pods: int = 110
    workloads: bool = True

    def node_manifests(self, kubelet: str, kubelet_port: int) -> Iterator[Json]:
        """One Node object after the other, with the status a kubelet would report."""
        for number in range(self.nodes):
            yield self._node(number, kubelet, kubelet_port)

    def _node(self, number: int, kubelet: str, kubelet_port: int) -> Json:
        zone = self.region + self.zones[number % len(self.zones)]
        name = f"{self.name}-node-{number + 1:02d}"
        capacity = {
            "cpu": str(self.cpu),
            "memory": f"{self.memory_gib}Gi",
            "pods": str(self.pods),
            "ephemeral-storage": "100Gi",
        }
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": self.instance,
            "topology.kubernetes.io/region": self.region,
            "topology.kubernetes.io/zone": zone,
            "node-role.kubernetes.io/worker": "",
            "environment": self.environment,
        }
        info = {
            "architecture": "amd64",
            "operatingSystem": "linux",
            "osImage": "Bottlerocket OS 1.32",
            "kernelVersion": "6.12.40",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kubeletVersion": kubelet,
            "kubeProxyVersion": kubelet,
            "machineID": name,
            "systemUUID": name,
            "bootID": name,
        }
        # Where metrics-server reads the figures of this node.
        figures = f"/metrics/nodes/{name}/metrics/resource"
        annotations = {"metrics.k8s.io/resource-metrics-path": figures}
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
            "spec": {"providerID": f"testbed:///{zone}/{name}"},
            "status": {
                "capacity": capacity,
                "allocatable": capacity,
                "nodeInfo": info,
                "addresses": [
                    {"type": "InternalIP", "address": "127.0.0.1"},
                    {"type": "Hostname", "address": name},
                ],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
            },
        }


SPECS = {
    spec.name: spec
    for spec in (
        ClusterSpec("dev", 1, "dev", 3, "eu-central-1"),
        ClusterSpec("staging", 2, "staging", 5, "eu-central-1", ("b",), "m7i.2xlarge", 8, 32),
        ClusterSpec("prod", 3, "prod", 12, "eu-west-1", ("a", "b", "c"), "m7i.2xlarge", 8, 32),
    )
}


def spec_of(name: str) -> ClusterSpec:
    """A demo cluster by its name; any other name is a small, empty cluster for tests."""
    known = SPECS.get(name)
    if known is not None:
        return known
    number = 10 + sum(name.encode()) % 200
    return ClusterSpec(
        name, number, "dev", 3, "test-1", cpu=64, memory_gib=256, pods=20000, workloads=False
    )
