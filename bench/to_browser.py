"""Row b: from a change in the cluster to the page of a browser."""

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg
from playwright.sync_api import Page, sync_playwright

from bench import programs
from bench.apiserver import ApiServer, restart_count
from bench.bench import Bench
from bench.instance import Product
from bench.measure import Running, quantile, until
from bench.report import Result, Samples, figure
from bootstrap.missing import NEEDED
from mcm.embedded.processes import Program

METHOD = (
    "Two real API servers with 5 pods each. MCM (all of it, `manage.py run`) has the first one"
    " registered 20 times and one pods page open in headless Chromium, which shows all 100 rows; a"
    " MutationObserver notes when a restart count is first seen in a row. The second one has 20"
    " client-go informers in one program and one `kubectl get pods -A --watch`, which MCM does not"
    " see. In turns each server gets 5 status changes a second, so 100 over the registrations."
    " Times run from before the PATCH is sent, so that the API server's own writing is in all."
)
REGISTRATIONS = 20
PODS = 5
CHANGES_A_SECOND = 5
SECONDS = 15.0
FIRST_MARK = 1_000_001
MARK = re.compile(r"\b1\d{6}\b")
# Digits may be grouped by the page's language.
OBSERVE = """
() => {
  window.benchSeen = [];
  const known = new Set();
  const note = (row) => {
    // Not innerText: that would make the browser lay out the page for every row.
    const cells = [...row.children].map((cell) => cell.textContent.replace(/[\\s,.]/g, ""));
    const found = cells.find((text) => /^1\\d{6}$/.test(text));
    const key = found && `${row.dataset.key} ${found}`;
    if (key && !known.has(key)) { known.add(key); window.benchSeen.push([row.dataset.key, Number(found), Date.now()]); }
  };
  new MutationObserver((all) => {
    const rows = new Set();
    for (const one of all) {
      const element = one.target.nodeType === 1 ? one.target : one.target.parentElement;
      const row = element?.closest("[data-key]");
      if (row) rows.add(row);
      for (const added of one.addedNodes) if (added.nodeType === 1) {
        if (added.matches("[data-key]")) rows.add(added);
        added.querySelectorAll("[data-key]").forEach((each) => rows.add(each));
      }
    }
    rows.forEach(note);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}
"""  # noqa: E501 - a script


@dataclass
class Marks:
    """When each mark was sent, in seconds since 1970."""

    sent: dict[int, float] = field(default_factory=dict)
    following: int = FIRST_MARK

    def send(self, server: ApiServer, seconds: float) -> range:
        """Changes one pod after the other; returns the marks."""
        first, pods, api = self.following, server.pods(), server.api
        due = time.monotonic()
        end = due + seconds
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            self.sent[self.following] = time.time()
            restart_count(api, pods[self.following % len(pods)], self.following)
            self.following += 1
            due += 1 / CHANGES_A_SECOND
        return range(first, self.following)

    def delays(self, seen: Iterable[tuple[int, float]], marks: range) -> list[float]:
        """Milliseconds from sending to seeing, of these marks."""
        return [(at - self.sent[mark]) * 1000 for mark, at in seen if mark in marks]


class Kubectl:
    """`kubectl get pods -A --watch`, its lines timed as they come."""

    def __init__(self, server: ApiServer) -> None:
        file = f"--kubeconfig={server.kubeconfig_file()}"
        words = [str(programs.kubectl().path), file, "get", "pods", "-A", "--watch-only"]
        command = Program(name="kubectl", arguments=words).command()
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.seen: list[tuple[int, float]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def stop(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            found = MARK.search(line)
            if found:
                self.seen.append((int(found[0]), time.time()))


class Stored:
    """When each change was committed to a row: the way's first half, looked at from outside."""

    QUERY = """
    SELECT id, restarts, extract(epoch FROM observed_at)::float8 FROM clusters_object
    WHERE kind = 'Pod' AND restarts >= %s
    """

    def __init__(self, product: Product) -> None:
        self._database = psycopg.connect(product.environment["DATABASE_URL"], autocommit=True)
        self._over = threading.Event()
        self._seen: dict[tuple[int, int], float] = {}
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    @property
    def seen(self) -> list[tuple[int, float]]:
        """A pair for each row and mark."""
        return [(mark, at) for (_row, mark), at in list(self._seen.items())]

    def stop(self) -> None:
        """Looks no more."""
        self._over.set()
        self._thread.join()
        self._database.close()

    def _look(self) -> None:
        # Each row changes once a second, so ten looks a second miss none.
        while not self._over.wait(0.1):
            for row, mark, at in self._database.execute(self.QUERY, [FIRST_MARK]):
                self._seen.setdefault((row, mark), at)


def run(bench: Bench) -> Result:
    """Rounds of MCM and its peers in turns."""
    result = Result("b", "status changes to the browser's DOM", METHOD)
    samples = Samples()
    with ExitStack() as stack:
        ours = stack.enter_context(ApiServer(bench.folder / "ours", bench.say))
        theirs = stack.enter_context(ApiServer(bench.folder / "theirs", bench.say))
        ours.seed(PODS)
        theirs.seed(PODS)
        product = stack.enter_context(Product(bench.folder / "mcm"))
        product.register({f"b-{n:02d}": ours.kubeconfig() for n in range(REGISTRATIONS)})
        page = stack.enter_context(Chromium()).open(product)
        where = [theirs.url, str(theirs.ca), theirs.token, "-copies", str(REGISTRATIONS)]
        command = [programs.informer(bench.say), "handle", *where]
        handler = stack.enter_context(Running(command, bench.folder / "handler.log"))
        handler.wait_for("synced")
        kubectl = Kubectl(theirs)
        stack.callback(kubectl.stop)
        stored = Stored(product)
        stack.callback(stored.stop)
        marks = Marks()
        marks.send(theirs, 2)
        for _ in bench.each_round("b"):
            seconds = bench.seconds(SECONDS)
            sent = marks.send(ours, seconds)
            seen = wait_seen(lambda: in_page(page), len(sent) * REGISTRATIONS, sent)
            everywhere = len(sent) * REGISTRATIONS
            add(samples, "MCM's page", marks.delays(seen, sent), everywhere)
            add(samples, "MCM's rows on the way", marks.delays(stored.seen, sent), everywhere)
            sent = marks.send(theirs, seconds)
            heard = wait_seen(lambda: of_handler(handler), len(sent), sent)
            add(samples, "client-go handler", marks.delays(heard, sent), len(sent))
            add(samples, "kubectl get -w", marks.delays(kubectl.seen, sent), len(sent))
    judge(result, samples)
    return result


def judge(result: Result, samples: Samples) -> None:
    """MCM may add so much to what a handler needs."""
    for figure_name, allowed in (("p50_ms", 150.0), ("p95_ms", 400.0)):
        handler = samples.median("client-go handler", figure_name)
        limit = handler + allowed
        must = f"{figure_name[:3]} ≤ handler + {allowed:.0f} ms = {figure(limit)} ms"
        result.at_most(must, samples.median("MCM's page", figure_name), limit, "ms")
    result.tables.append(samples.table(f"{CHANGES_A_SECOND} × {REGISTRATIONS} changes a second"))
    result.notes.append(
        "`seen_percent` below 100: a row that changed again before the page fetched it shows only"
        " the newer state; such changes have no time and are not among the delays."
    )


def add(samples: Samples, who: str, delays: list[float], expected: int) -> None:
    """One round: its quantiles, and how many of the changes were seen at all."""
    samples.add(
        who,
        p50_ms=quantile(delays, 0.5),
        p95_ms=quantile(delays, 0.95),
        max_ms=max(delays, default=float("nan")),
        seen_percent=100 * len(delays) / expected,
    )


def wait_seen(
    look: Callable[[], list[tuple[int, float]]], expected: int, marks: range
) -> list[tuple[int, float]]:
    """What was seen once the last mark was seen everywhere, or 5 s have passed."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if sum(mark in marks for mark, _at in look()) >= expected:
            break
        time.sleep(0.2)
    return look()


def of_handler(handler: Running) -> list[tuple[int, float]]:
    """What the client-go handler noted."""
    return [(int(row["mark"]), float(row["at"])) for row in handler.said() if "mark" in row]


def in_page(page: Page) -> list[tuple[int, float]]:
    """What the page noted: a pair for each row and mark."""
    return [(int(mark), at / 1000) for _row, mark, at in page.evaluate("window.benchSeen")]


class Chromium:
    """A headless browser; ends with its context."""

    def __enter__(self) -> "Chromium":
        self._playwright = sync_playwright().start()
        _purpose, names = NEEDED["chromium"]
        program = next(filter(None, map(shutil.which, names)))
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        self._browser = self._playwright.chromium.launch(executable_path=program, args=options)
        return self

    def __exit__(self, *_: object) -> None:
        self._browser.close()
        self._playwright.stop()

    def open(self, product: Product) -> Page:
        """The pods page of the admin, live and with all rows."""
        context = self._browser.new_context(base_url=product.url)
        cookie = {"name": "sessionid", "value": product.cookie("admin"), "url": product.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        rows = REGISTRATIONS * PODS

        def complete() -> bool:
            page.goto("/pods/")
            return page.locator("tr[data-key]").count() == rows

        until(complete, f"a page with {rows} rows", 90, every=1)
        page.locator("#live[data-state=live]").wait_for(timeout=30_000)
        page.evaluate(OBSERVE)
        return page
