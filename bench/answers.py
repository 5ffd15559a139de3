"""Row i: the API's lists at 50 requests a second, beside plain Django REST framework."""

import math
import sys

from bench import big, web
from bench.bench import Bench
from bench.instance import Product
from bench.measure import Running, quantile, until
from bench.report import Result, Samples
from mcm.embedded import ports

METHOD = (
    "MCM (all of it, one web process) with 100,000 rows in 100 clusters, asked with an API token of"
    " a person who may see half of the clusters. At 50/s: whatever the answers take; times are from"
    " when a request was due. Beside it, in a web process of its own on the same database, token"
    " and server options: generic views with model serializers, `select_related`, and"
    " `has_perm` for each row. Compared one request after the other, since it may not reach 50/s."
)
ROWS = 100_000
A_SECOND = 50
SECONDS = 6.0
TIMES = 40
PERSON = "half"
LISTS = {
    "50 objects": "/api/v1/objects?kind=Pod&limit=50",
    "50 objects without counts": "/api/v1/objects?kind=Pod&limit=50&counts=false",
    "50 releases": f"/api/v1/releases?cluster={big.name_of(0)}",
    "50 clusters": "/api/v1/clusters",
}


def run(bench: Bench) -> Result:
    """Each list at its rate, and beside the peer."""
    result = Result("i", "lists of the API", METHOD)
    samples = Samples()
    with Product(bench.folder / "mcm") as product:
        big.fill(product, bench, bench.size(ROWS, 2_000) // big.CLUSTERS)
        names = [big.name_of(n) for n in range(0, big.CLUSTERS, 2)]
        product.inside("grant_clusters", user=PERSON, clusters=names)
        headers = {"Authorization": f"Bearer {product.inside('token', user=PERSON)}"}
        with plain(product) as port:
            for _ in bench.each_round("i"):
                for name in LISTS:
                    one_round(bench.seconds(SECONDS), product, port, headers, name, samples)
    result.tables.append(samples.table(f"{A_SECOND}/s, and one after the other"))
    for name in LISTS:
        p95 = samples.median(f"MCM, {name}", "p95_at_50_a_second_ms")
        failed = samples.median(f"MCM, {name}", "failed")
        must = f"p95 ≤ 50 ms at {A_SECOND}/s, none refused: {name}"
        result.at_most(must, math.inf if failed else p95, 50, "ms")
        times = samples.ratio(f"plain DRF, {name}", f"MCM, {name}", "p50_ms")
        result.notes.append(f"{name}: plain DRF takes {times:.1f} × as long as MCM (p50).")
    return result


def one_round(
    seconds: float,
    product: Product,
    port: int,
    headers: dict[str, str],
    name: str,
    samples: Samples,
) -> None:
    """One list of both."""
    path, before = LISTS[name], product.usage("web").cpu
    loaded, failed = web.at_rate(product.port, headers, path, A_SECOND, seconds)
    spent = product.usage("web").cpu - before
    alone = web.timed(product.port, headers, path, TIMES)
    samples.add(
        f"MCM, {name}",
        p50_at_50_a_second_ms=quantile(loaded, 0.5),
        p95_at_50_a_second_ms=quantile(loaded, 0.95),
        failed=failed,
        cpu_percent=100 * spent / seconds,
        p50_ms=quantile(alone, 0.5),
        p95_ms=quantile(alone, 0.95),
    )
    peer = web.timed(port, headers, path, TIMES // 4)
    samples.add(f"plain DRF, {name}", p50_ms=quantile(peer, 0.5), p95_ms=quantile(peer, 0.95))


class plain:  # noqa: N801 - reads as the verb that it is
    """The peer's web process, as a context that gives its port."""

    def __init__(self, product: Product) -> None:
        self._port = ports.choose()
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--no-access-log"]
        command = [sys.executable, "-m", "uvicorn", "bench.plain_api:application", *options]
        self._running: Running = product.start("plain", [*command, "--lifespan", "off"])

    def __enter__(self) -> int:
        until(lambda: not ports.is_free(self._port), "the plain API", 60, every=0.1)
        return self._port

    def __exit__(self, *_: object) -> None:
        self._running.stop()
