"""Row f: how much one watcher needs to hold many clusters, all kinds, quiet and in motion."""

import threading
import time
from itertools import count

from bench import programs
from bench.apiserver import ApiServer, restart_count
from bench.bench import Bench
from bench.instance import Services
from bench.measure import Running, Usage, exponent, until
from bench.report import Result, Samples, figure

METHOD = (
    "One real API server with 100 pods in 20 namespaces, registered under many names: one watcher"
    " with every kind that MCM watches, beside a client-go program with informers of the same"
    " kinds as often. Quiet: from 5 s after everything is listed. In motion: 5 changes a second on"
    " the server, so 5 for each registration. Memory is the process's; CPU is of one core."
)
REGISTRATIONS = (10, 30, 100)
CHANGES_A_SECOND = 5
SETTLE = 5.0
STANDING = """
SELECT count(*) FROM clusters_kindstate WHERE state IN ('watching', 'forbidden', 'absent')
"""
KINDS = "SELECT count(DISTINCT kind) FROM clusters_kindstate"
PODS = 100


class Motion:
    """Changes one pod after the other while the context lasts."""

    def __init__(self, server: ApiServer, a_second: float) -> None:
        self._server, self._pause = server, 1 / a_second
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        api, pods = self._server.api, self._server.pods()
        due = time.monotonic()
        for number in count(1):
            due += self._pause
            if self._over.wait(max(0.0, due - time.monotonic())):
                return
            restart_count(api, pods[number % len(pods)], number)


def run(bench: Bench) -> Result:
    """The sizes, each beside its peer."""
    result = Result("f", "clusters held by one watcher", METHOD)
    quiet: dict[int, float] = {}
    with (
        ApiServer(bench.folder / "cluster", bench.say) as server,
        Services(bench.folder / "mcm") as services,
    ):
        server.seed(PODS)
        for full in REGISTRATIONS:
            held = bench.size(full, 2)
            samples = Samples()
            # The largest takes a minute a round: the smaller ones only show the growth.
            rounds = bench.each_round(f"f, {held} registrations") if full == 100 else range(1)
            for _ in rounds:
                product(bench, server, services, held, samples)
                peer(bench, server, held, samples)
            quiet[held] = samples.median("MCM", "quiet_rss_mb")
            result.tables.append(samples.table(f"{held} registrations"))
    kinds = int(samples.median("MCM", "kinds"))
    must = f"≤ 500 MB quiet with {held} registrations × {kinds} kinds"
    result.at_most(must, quiet[held], 500, "MB")
    result.notes.append(
        f"Growth from {min(quiet)} to {max(quiet)}: memory as registrations to the power of"
        f" {figure(exponent(quiet))} (1 is linear; less, since an idle watcher weighs something)."
    )
    share = samples.ratio("MCM", "client-go", "quiet_rss_mb")
    result.notes.append(f"MCM needs {share:.2f} × the memory of client-go, quiet.")
    return result


def product(
    bench: Bench, server: ApiServer, services: Services, held: int, samples: Samples
) -> None:
    """The watcher with so many registrations."""
    with services.watcher() as watcher:
        clusters = {f"held-{n}": server.kubeconfig() for n in range(held)}
        services.register(clusters, held=True)
        services.release()
        began = time.monotonic()
        pods = held * PODS

        def stands() -> bool:
            standing, kinds = services.value(STANDING), services.value(KINDS)
            return standing == held * kinds > 0 and services.pods() == pods

        until(stands, f"{held} registrations", 300, every=0.2)
        listed = time.monotonic() - began
        figures = measure(bench, server, watcher)
        samples.add("MCM", kinds=services.value(KINDS), listed_s=listed, **figures)
    services.forget()


def peer(bench: Bench, server: ApiServer, held: int, samples: Samples) -> None:
    """The same by client-go."""
    where = [server.url, str(server.ca), server.token]
    command = [programs.informer(bench.say), "hold", *where, "-copies", str(held)]
    began = time.monotonic()
    with Running(command, bench.folder / "client-go.log") as running:
        running.wait_for("synced", 300)
        listed = time.monotonic() - began
        samples.add("client-go", listed_s=listed, **measure(bench, server, running))


def measure(bench: Bench, server: ApiServer, running: Running) -> dict[str, float]:
    """Memory and CPU when all is quiet, then while there are changes."""
    time.sleep(bench.seconds(SETTLE))
    seconds = bench.seconds(SETTLE)
    quiet, spent = over(running, seconds)
    with Motion(server, CHANGES_A_SECOND):
        moving, worked = over(running, seconds)
    return {
        "quiet_rss_mb": quiet.rss,
        "quiet_pss_mb": quiet.pss,
        "quiet_cpu_percent": spent,
        "moving_rss_mb": moving.rss,
        "moving_cpu_percent": worked,
        "peak_mb": running.usage.peak,
    }


def over(running: Running, seconds: float) -> tuple[Usage, float]:
    """What it has at the end of so many seconds, and percent of one core during them."""
    before, began = running.usage.cpu, time.monotonic()
    time.sleep(seconds)
    after = running.usage
    return after, 100 * (after.cpu - before) / (time.monotonic() - began)
