"""Row a: the first list of all pods of one cluster, until every one of them can be searched."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import programs
from bench.apiserver import ApiServer
from bench.bench import Bench
from bench.instance import Services
from bench.measure import Running, exponent, until
from bench.report import Result, Samples, figure

METHOD = (
    "One real API server and its etcd. MCM is the watcher process as it is run, with PostgreSQL:"
    " from its lease on the new cluster until all pods are committed rows; it copies every other"
    " kind of the cluster meanwhile. client-go is one pod informer with protobuf and watch lists,"
    " until it has synced. The official client is `list_pod_for_all_namespaces`, kubectl is"
    " `get pods -A`. CPU is the client's own; PostgreSQL's and the API server's stand beside it."
)
SIZES = (5_000, 10_000, 15_000, 50_000)
# The slow peers take half a minute for each of these: they are run at this size alone.
ALL_PEERS = 10_000


@dataclass
class Sync:
    """What takes part in one size."""

    bench: Bench
    server: ApiServer
    services: Services
    pods: int
    samples: Samples

    def product(self) -> None:
        """MCM: the watcher runs before, so that its start is not measured."""
        services = self.services
        with services.watcher() as watcher:
            services.register({"first": self.server.kubeconfig()}, held=True)
            before = watcher.usage
            stored, server = services.postgres.usage.cpu, self.server.usage.cpu
            began = services.release()
            # Each look takes the database from what is measured: at 10 ms it took a tenth of it.
            until(lambda: services.pods() >= self.pods, "all pods", 300, every=0.03)
            wall = services.clock() - began
            after = watcher.usage
            self.samples.add(
                "MCM",
                wall_s=wall,
                cpu_s=after.cpu - before.cpu,
                peak_mb=after.peak,
                grown_mb=after.peak - before.rss,
                postgres_cpu_s=services.postgres.usage.cpu - stored,
                server_cpu_s=self.server.usage.cpu - server,
            )
        services.forget()

    def client_go(self) -> None:
        """The yardstick."""
        server = self.server.usage.cpu
        command = [programs.informer(self.bench.say), "sync", *self._where()]
        with self._start("client-go", command) as running:
            self._add("client-go", running, server)

    def official(self) -> None:
        """The official Python client."""
        server = self.server.usage.cpu
        command = [sys.executable, "-m", "bench.official", "list", *self._where()]
        with self._start("official", command) as running:
            self._add("official client", running, server)

    def kubectl(self) -> None:
        """What people type."""
        server = self.server.usage.cpu
        file = f"--kubeconfig={self.server.kubeconfig_file()}"
        running = Running([programs.kubectl().path, file, "get", "pods", "-A"], Path("/dev/null"))
        done = running.finish()
        self.samples.add(
            "kubectl get pods -A",
            wall_s=done.wall,
            cpu_s=done.cpu,
            peak_mb=done.peak,
            server_cpu_s=self.server.usage.cpu - server,
        )

    def _where(self) -> list[str]:
        return [self.server.url, str(self.server.ca), self.server.token]

    def _start(self, name: str, command: Sequence[object]) -> Running:
        return Running(command, self.bench.folder / "a" / f"{name}.log")

    def _add(self, who: str, running: Running, server: float) -> None:
        said = running.wait_for("wall", 600)
        self.samples.add(
            who,
            wall_s=said["wall"],
            cpu_s=said["cpu"],
            peak_mb=running.usage.peak,
            server_cpu_s=self.server.usage.cpu - server,
        )


def run(bench: Bench) -> Result:
    """All sizes."""
    result = Result("a", "first full sync of pods into rows that can be searched", METHOD)
    folder = bench.folder / "a"
    walls: dict[int, float] = {}
    processor: dict[int, float] = {}
    with ApiServer(folder / "cluster", bench.say) as server, Services(folder / "mcm") as services:
        for full in SIZES:
            pods = bench.size(full)
            server.seed(pods)
            samples = Samples()
            sync = Sync(bench, server, services, pods, samples)
            for _ in bench.each_round(f"a, {pods:,} pods"):
                sync.product()
                sync.client_go()
                if full == ALL_PEERS:
                    sync.kubectl()
                    sync.official()
            walls[pods] = samples.median("MCM", "wall_s")
            processor[pods] = samples.median("MCM", "cpu_s")
            result.tables.append(samples.table(f"{pods:,} pods"))
            judge(result, samples, pods, full)
    result.notes.append(
        f"Growth from {min(walls):,} over 3 times to 10 times: wall as size to the power of"
        f" {figure(exponent(walls))}, CPU of {figure(exponent(processor))} (1 is linear)."
    )
    return result


def judge(result: Result, samples: Samples, pods: int, full: int) -> None:
    """The goals at the two sizes that the table names."""
    if full in (10_000, 50_000):
        wall = samples.ratio("MCM", "client-go", "wall_s")
        result.at_most(f"wall ≤ 1 × client-go's, {pods:,} pods", wall, 1, "×")
    if full == ALL_PEERS:
        less = samples.ratio("official client", "MCM", "cpu_s")
        result.at_least(f"CPU ≥ 10 × less than the official client, {pods:,} pods", less, 10, "×")
