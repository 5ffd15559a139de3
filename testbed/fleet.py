"""Several clusters over one etcd, in one home folder."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testbed import workloads
from testbed.build import ensure
from testbed.cluster import Cluster, Etcd, quiet
from testbed.process import Child, Ports
from testbed.toolchain import Say
from testbed.waiting import wait_until

DEMO = ("dev", "staging", "prod")
WORKLOADS_TIMEOUT = 120.0


class Fleet:
    """The clusters `names` in the folder `home`; iterate over `clusters`."""

    def __init__(self, home: Path, names: Sequence[str] = DEMO) -> None:
        self.home = home.absolute()
        self._etcd = Etcd(self.home, Ports.of(self.home))
        self.clusters = {name: Cluster(name, self.home, etcd=self._etcd) for name in names}

    def __getitem__(self, name: str) -> Cluster:
        """One cluster by its name."""
        return self.clusters[name]

    @property
    def children(self) -> list[Child]:
        """All programs, in the order in which they start."""
        of_clusters = [child for cluster in self.clusters.values() for child in cluster.children]
        return [self._etcd.child, *of_clusters]

    def start(self, *, say: Say = quiet) -> None:
        """Start everything; returns when clusters are ready and healthy demo pods run."""
        self.home.mkdir(parents=True, exist_ok=True)
        ensure(say=say)
        say("etcd: starting")
        self._etcd.start(say=say)
        self._each(lambda cluster: self._start_one(cluster, say))

    def stop(self) -> None:
        """End everything, API servers before etcd; data stays in the home folder."""
        self._each(lambda cluster: cluster.stop())
        self._etcd.stop()

    def ready(self) -> bool:
        """Whether all clusters are ready."""
        return all(cluster.ready() for cluster in self.clusters.values())

    def held(self, child: Child) -> bool:
        """Whether this program is an API server that a test killed and holds down."""
        return any(
            cluster.held and cluster.children[0] is child for cluster in self.clusters.values()
        )

    def grow_logs(self) -> None:
        """Let the containers say something."""
        for cluster in self.clusters.values():
            cluster.podlogs.grow()

    def _start_one(self, cluster: Cluster, say: Say) -> None:
        say(f"{cluster.name}: starting")
        cluster.start(say=say)
        say(f"{cluster.name}: ready, {cluster.spec.nodes} nodes")
        if cluster.spec.workloads:
            workloads.apply(cluster.api, cluster.spec)
            wait_until(
                lambda: workloads.is_up(cluster.api, cluster.spec.environment),
                f"the demo of {cluster.name}",
                timeout=WORKLOADS_TIMEOUT,
            )
            say(f"{cluster.name}: workloads are up")

    def _each(self, action: Callable[[Cluster], None]) -> None:
        with ThreadPoolExecutor(max(1, len(self.clusters))) as pool:
            for done in [pool.submit(action, cluster) for cluster in self.clusters.values()]:
                done.result()
