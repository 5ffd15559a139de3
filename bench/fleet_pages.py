"""Row d: pages over a million rows of a hundred clusters."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench import big, programs, web
from bench.apiserver import ApiServer
from bench.bench import Bench
from bench.instance import Product
from bench.measure import Running, exponent, quantile
from bench.report import Result, Samples, Table, figure

METHOD = (
    "MCM (all of it, one web process) with 100 clusters whose rows (these pods, and a seventh as"
    " many objects of other kinds) were stored by the product's own"
    " writing; requests over HTTP, one after the other, as a signed-in person, each a"
    " list's fragment with 100 rows as HTML, and apart from that the same with all counts."
    " Bare SQL is the same question as one statement for 100 rows by"
    " psycopg. The limited user sees one namespace each of ten clusters. kubectl is the real part:"
    " `get pods -A` of one API server with 10,000 pods by 4 contexts at once."
)
SIZES = (100_000, 300_000, 1_000_000)
SMALL = 10_000
TIMES = 30
CONTEXTS = 4
REAL_PODS = 10_000
SHOWN = (
    "SELECT o.id, c.name, namespace, o.name, o.status, ready, wanted, restarts, node, o.created"
    " FROM clusters_object o JOIN clusters_cluster c ON c.id = o.cluster_id WHERE kind = '{kind}'"
)


@dataclass(frozen=True)
class Question:
    """What a page asks, and the same as the rest of a statement; `{middle}` is filled in."""

    name: str
    query: str
    sql: str
    user: str = "admin"
    kind: str = "Pod"
    path: str = "/pods/"


BY_NAME = "ORDER BY o.name, o.id LIMIT 100"
THREE = ["fleet-003", "fleet-017", "fleet-042"]
QUESTIONS = (
    Question("first page by name", "", BY_NAME),
    Question("newest first", "sort=-age", "ORDER BY o.created DESC, o.id DESC LIMIT 100"),
    Question("most restarts", "sort=-restarts", "ORDER BY restarts DESC, o.id DESC LIMIT 100"),
    Question("failing", "health=failing", f"AND health = 'failing' {BY_NAME}"),
    Question(
        "3 clusters",
        "&".join(f"cluster={name}" for name in THREE),
        f"AND c.name IN ({', '.join(repr(name) for name in THREE)}) {BY_NAME}",
    ),
    Question("one namespace", "namespace=team-03", f"AND namespace = 'team-03' {BY_NAME}"),
    Question(
        "part of a name", "q=payments-17", f"AND upper(o.name) LIKE '%PAYMENTS-17%' {BY_NAME}"
    ),
    Question("deep page", "cursor={cursor}", f"AND (o.name, o.id) > ({{name}}, {{key}}) {BY_NAME}"),
    Question("limited, first page", "", f"AND ({{scopes}}) {BY_NAME}", big.LIMITED),
    Question(
        "limited, part of a name",
        "q=web",
        f"AND ({{scopes}}) AND upper(o.name) LIKE '%WEB%' {BY_NAME}",
        big.LIMITED,
    ),
    # Orders that no index has, of as many rows as they are offered for.
    Question(
        "pods of a cluster by memory",
        "cluster=fleet-003&sort=-memory",
        "AND c.name = 'fleet-003' ORDER BY memory DESC, o.id DESC LIMIT 100",
    ),
    Question(
        "nodes by CPU",
        "sort=-cpu",
        "ORDER BY cpu DESC, o.id DESC LIMIT 100",
        kind="Node",
        path="/nodes/",
    ),
    Question(
        "events, newest first",
        "",
        "ORDER BY o.created DESC, o.id DESC LIMIT 100",
        kind="Event",
        path="/objects/events/",
    ),
    Question(
        "a custom kind, part of a name",
        "q=000",
        f"AND upper(o.name) LIKE '%000%' {BY_NAME}",
        kind="Widget.bench.example",
        path="/objects/Widget.bench.example/",
    ),
)
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "Accept": "text/html"}
# What the page sends when a filter changes, when more rows are wanted, and for what it counts.
TABLE = {**HTMX, "HX-Target": "div#pods"}
MORE = {**HTMX, "HX-Target": "tr#more"}
COUNTS = {**TABLE, "X-MCM-Shown": "0"}


def run(bench: Bench) -> Result:
    """Growing sizes, the goals at the largest."""
    result = Result("d", "fleet and pods pages over 1,000,000 rows", METHOD)
    costs: dict[int, float] = {}
    small: dict[str, float] = {}
    with Product(bench.folder / "mcm") as product:
        for full in (SMALL, *SIZES):
            rows = bench.size(full, 2_000)
            big.fill(product, bench, rows // big.CLUSTERS)
            if full == SMALL:
                big.limit(product)
                pages = Pages(product)
            largest = full == SIZES[-1]
            times = TIMES if largest else TIMES // 2
            samples = Samples()
            rounds = bench.each_round(f"d, {rows:,} rows") if largest else range(1)
            for _ in rounds:
                for question in QUESTIONS:
                    pages.ask(question, times, samples)
            medians = {each.name: samples.median(each.name, "rows_p50_ms") for each in QUESTIONS}
            small = small or medians
            if full in SIZES:
                costs[rows] = sum(medians.values()) / len(medians)
        result.tables.append(samples.table(f"{rows:,} rows"))
        judge(result, samples, medians, small)
        whole(bench, result, product)
    result.notes.append(
        f"Growth from {min(costs):,} to {max(costs):,} rows: mean of the medians as rows to the"
        f" power of {figure(exponent(costs))} (1 is linear)."
    )
    real_part(bench, result, medians)
    return result


class Pages:
    """Asks the product and its database the same."""

    def __init__(self, product: Product) -> None:
        self._product = product
        users = {question.user for question in QUESTIONS}
        self._cookies = {user: product.cookie(user) for user in users}

    def ask(self, question: Question, times: int, samples: Samples) -> None:
        """One round of one question."""
        query = question.query
        if "{cursor}" in query:
            query = query.format(cursor=quote(str(self._product.inside("middle", sort="name"))))
        path = f"{question.path}?{query}"
        headers = {"Cookie": f"sessionid={self._cookies[question.user]}"}
        port, part = self._product.port, MORE if "cursor" in query else TABLE
        rows = web.timed(port, {**headers, **part}, path, times)
        counted = web.timed(port, {**headers, **COUNTS}, path, max(3, times // 4))
        bare = self._bare(question, times)
        samples.add(
            question.name,
            rows_p50_ms=quantile(rows, 0.5),
            rows_p95_ms=quantile(rows, 0.95),
            with_counts_p50_ms=quantile(counted, 0.5),
            sql_p50_ms=quantile(bare, 0.5),
            sql_p95_ms=quantile(bare, 0.95),
        )

    def _bare(self, question: Question, times: int) -> list[float]:
        statement = f"{SHOWN} {question.sql}"
        values = {"kind": question.kind}
        if "{name}" in statement:
            name, key = self._middle()
            values |= {"name": f"'{name}'", "key": str(key)}
        if "{scopes}" in statement:
            values |= {"scopes": self._scopes()}
        statement = statement.format(**values)
        connection = self._product.database
        took = []
        for _ in range(times + 1):
            began = time.perf_counter()
            connection.execute(statement).fetchall()
            took.append((time.perf_counter() - began) * 1000)
        return took[1:]

    def _middle(self) -> tuple[str, int]:
        half = "(SELECT count(*) / 2 FROM clusters_object WHERE kind = 'Pod')"
        query = f"{SHOWN.format(kind='Pod')} ORDER BY o.name, o.id OFFSET {half} LIMIT 1"
        row = self._product.database.execute(query).fetchone()
        return (row[3], row[0]) if row else ("", 0)

    def _scopes(self) -> str:
        pairs = [
            f"(c.name = '{big.name_of(n * 7 % big.CLUSTERS)}' AND namespace = 'team-{n:02d}')"
            for n in range(big.LIMITED_TO)
        ]
        return " OR ".join(pairs)


def judge(
    result: Result, samples: Samples, medians: dict[str, float], small: dict[str, float]
) -> None:
    """The slowest question counts."""
    slowest = max(QUESTIONS, key=lambda each: samples.median(each.name, "rows_p95_ms"))
    p95 = samples.median(slowest.name, "rows_p95_ms")
    must = f"server p95 ≤ 100 ms for the rows as HTML (slowest: {slowest.name})"
    result.at_most(must, p95, 100, "ms")
    lines = [
        [name, figure(medians[name]),
         f"{medians[name] / samples.median(name, 'sql_p50_ms'):.1f} ×", figure(small[name]),
         f"{medians[name] / small[name]:.2f} ×"]
        for name in medians
    ]  # fmt: skip
    head = ["question", "p50 ms", "of bare SQL", "p50 ms of 10,000 rows", "growth from 10,000"]
    result.tables.append(Table("Against bare SQL, and against 10,000 rows", head, lines))


def whole(bench: Bench, result: Result, product: Product) -> None:
    """Whole pages, with their totals and facets, which may come as fragments of their own."""
    samples = Samples()
    cookie = {"Cookie": f"sessionid={product.cookie('admin')}"}
    pages = {
        "fleet overview": "/",
        "clusters": "/clusters/",
        "pods, whole page": "/pods/",
        "workloads, whole page": "/workloads/",
        "nodes, whole page": "/nodes/",
        "events in groups, whole page": "/events/",
    }
    for _ in bench.each_round("d, whole pages"):
        for name, path in pages.items():
            took = web.timed(product.port, cookie, path, TIMES // 2)
            samples.add(name, p50_ms=quantile(took, 0.5), p95_ms=quantile(took, 0.95))
    result.tables.append(samples.table("Whole pages"))


def real_part(bench: Bench, result: Result, medians: dict[str, float]) -> None:
    """What people do without MCM."""
    samples, pods = Samples(), bench.size(REAL_PODS, 200)
    with ApiServer(bench.folder / "cluster", bench.say) as server:
        server.seed(pods)
        file = server.kubeconfig_file(CONTEXTS)
        for _ in bench.each_round("d, kubectl"):
            samples.add(f"kubectl, {CONTEXTS} contexts at once", wall_s=kubectl(file))
    result.tables.append(samples.table(f"The real part: {CONTEXTS} × {pods:,} pods"))
    wall = samples.median(f"kubectl, {CONTEXTS} contexts at once", "wall_s")
    times = wall * 1000 / max(medians["first page by name"], 1e-9)
    result.notes.append(
        f"MCM's first page of all {big.CLUSTERS} clusters comes {times:,.0f} × sooner than kubectl"
        f" lists {CONTEXTS} clusters."
    )


def kubectl(file: Path) -> float:
    """Seconds until all contexts are listed."""
    contexts = [each["name"] for each in json.loads(file.read_text())["contexts"]]
    options = [f"--kubeconfig={file}", "get", "pods", "-A"]
    running = [
        Running([programs.kubectl().path, *options, f"--context={name}"], Path("/dev/null"))
        for name in contexts
    ]
    return max(each.finish().wall for each in running)
