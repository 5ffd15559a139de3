"""Row c: how many changes a second are read, how many are stored, and what 100,000 pods weigh."""

import sys
from pathlib import Path

from bench import programs
from bench.bench import Bench
from bench.instance import Services
from bench.measure import Running, until
from bench.replay import Replay
from bench.report import Result, Samples

METHOD = (
    "A Go server replays pods of 7 KB over TLS in a process of its own, as fast as it is read; each"
    " change shows. Read: MCM's `watch.follow` to rows in a process of its own (one thread), a"
    " client-go informer (protobuf) held to one core by GOMAXPROCS=1 and one without, and the"
    " official `Watch`. Stored: the whole watcher with PostgreSQL, every change of another pod so"
    " that none can be merged, until the last is committed. Memory: the watcher after the list."
)
NEWEST = """
SELECT resource_version FROM clusters_object AS o JOIN clusters_cluster AS c ON c.id = o.cluster_id
WHERE o.uid = %s
"""


def run(bench: Bench) -> Result:
    """Reading, storing, memory."""
    result = Result("c", "watch events a second, and the memory of the copy", METHOD)
    read(bench, result)
    with Services(bench.folder / "mcm") as services:
        stored(bench, result, services)
        memory(bench, result, services)
    return result


def read(bench: Bench, result: Result) -> None:
    """TLS to row, beside the peers."""
    samples, pods, events = Samples(), bench.size(2_000, 200), bench.size(60_000, 2_000)
    folder, slow = bench.folder / "read", bench.size(2_000, 200)
    with (
        Replay(folder, bench.say, pods=pods, events=events) as fast,
        Replay(folder / "slow", bench.say, pods=slow, events=slow, encodings="json") as listed,
    ):
        for _ in bench.each_round(f"c, reading {events:,} changes"):
            with fed(
                [sys.executable, "-m", "bench.reading", str(events), str(fast.last)], folder, fast
            ) as own:
                add(samples, "MCM", own)
            go = [programs.informer(bench.say), "sync", *fast.where, "-updates", str(events)]
            one = {"GOMAXPROCS": "1"}
            with Running(go, folder / "client-go-1.log", one) as running:
                add(samples, "client-go, one core", running)
            with Running(go, folder / "client-go.log") as running:
                add(samples, "client-go", running)
            command = [sys.executable, "-m", "bench.official", "watch", *listed.where, str(slow)]
            with Running(command, folder / "official.log") as running:
                add(samples, "official Watch", running)
    result.tables.append(samples.table(f"Read, {events:,} changes ({slow:,} for the official one)"))
    per_core = samples.median("MCM", "a_core_s")
    result.at_least("≥ 10,000 changes/s read to rows on one core", per_core, 10_000, "/s")
    for peer in ("official Watch", "client-go, one core"):
        ratio = samples.ratio("MCM", peer, "a_core_s")
        result.notes.append(f"MCM reads {ratio:.1f} × as many changes a core as {peer}.")


def fed(command: list[str], folder: Path, replay: Replay) -> Running:
    """A process of ours whose stdin is the connection."""
    file = folder / "connection.json"
    file.touch(mode=0o600)
    file.write_bytes(replay.connection)
    shell = ["/bin/sh", "-c", 'file="$1"; shift; exec "$@" < "$file"', "sh", file]
    return Running([*shell, *command], folder / "reading.log")


def add(samples: Samples, who: str, running: Running) -> None:
    """Changes a second of wall time, and of CPU: what one core would do."""
    said = running.wait_for("updates", 300)
    rate, per_core = said["updates"] / said["wall"], said["updates"] / said["cpu"]
    peak = running.usage.peak
    micro = said["cpu"] / said["updates"] * 1e6
    samples.add(who, read_s=rate, a_core_s=per_core, cpu_us_a_change=micro, peak_mb=peak)


def stored(bench: Bench, result: Result, services: Services) -> None:
    """Changes until they are committed."""
    samples, pods = Samples(), bench.size(30_000, 500)
    options = {"encodings": "protobuf", "pause": "6s"}
    folder = bench.folder / "stored"
    with Replay(folder, bench.say, pods=pods, events=pods, **options) as replay:
        for number in bench.each_round(f"c, storing {pods:,} changes"):
            with services.watcher() as watcher:
                services.register({"replay": replay.kubeconfig})
                until(lambda: services.pods() == pods, "the list", 120, every=0.05)
                held = watcher.usage
                start = first_change(replay, number)
                before = watcher.usage.cpu
                database = services.postgres.usage.cpu
                until(lambda: last_is_stored(services, replay), "the last change", 300, every=0.02)
                wall = services.clock() - start
                samples.add(
                    "MCM",
                    stored_s=pods / wall,
                    cpu_us_a_change=(watcher.usage.cpu - before) / pods * 1e6,
                    postgres_us_a_change=(services.postgres.usage.cpu - database) / pods * 1e6,
                    rss_mb=held.rss,
                )
            services.forget()
    result.tables.append(samples.table(f"Stored, {pods:,} changes of as many pods"))
    result.at_least("≥ 5,000 changes/s stored", samples.median("MCM", "stored_s"), 5_000, "/s")


def first_change(replay: Replay, number: int) -> float:
    """When the changes of this round began, in seconds since 1970; waits for them."""

    def times() -> list[float]:
        return [float(row["changing"]) for row in replay.running.said() if "changing" in row]

    until(lambda: len(times()) > number, "the changes", 60)
    return times()[number]


def last_is_stored(services: Services, replay: Replay) -> bool:
    """Whether the pod that changes last, which is the last one, has its new version."""
    version = services.value(NEWEST, f"b3c0ffee-0000-4000-8000-{replay.pods - 1:012x}")
    return bool(version and int(version) >= replay.last)


def memory(bench: Bench, result: Result, services: Services) -> None:
    """What the watcher needs for its copy, and client-go for its own."""
    samples, pods = Samples(), bench.size(100_000, 1_000)
    with Replay(bench.folder / "memory", bench.say, pods=pods, encodings="protobuf") as replay:
        for _ in bench.each_round(f"c, memory of {pods:,} pods"):
            with services.watcher() as watcher:
                idle = watcher.usage.rss
                services.register({"replay": replay.kubeconfig})
                until(lambda: services.pods() == pods, "the list", 300, every=0.1)
                used = watcher.usage
                samples.add(
                    "MCM", idle_mb=idle, rss_mb=used.rss, copy_mb=used.rss - idle, peak_mb=used.peak
                )
            services.forget()
            go = [programs.informer(bench.say), "sync", *replay.where]
            with Running(go, bench.folder / "client-go-memory.log") as running:
                running.wait_for("pods", 300)
                used = running.usage
                samples.add("client-go", rss_mb=used.rss, peak_mb=used.peak)
    result.tables.append(samples.table(f"Memory with {pods:,} pods"))
    must = f"≤ 150 MB for {pods:,} pods (watcher with them, less the idle watcher)"
    result.at_most(must, samples.median("MCM", "copy_mb"), 150, "MB")
