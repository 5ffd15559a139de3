"""What the demo containers say: log files in CRI format that differ by app and keep growing."""

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

HISTORY = 240
LARGEST = 2_000_000

Line = Callable[[random.Random], str]

_ORDERS = ("basket", "voucher", "invoice", "refund", "shipment")
_PATHS = ("/", "/search?q=lamp", "/p/1841", "/cart", "/checkout", "/healthz")


def _web(pick: random.Random) -> str:
    path, status = pick.choice(_PATHS), pick.choices((200, 304, 404, 502), (90, 6, 3, 1))[0]
    return (
        f'10.8.{pick.randrange(4)}.{pick.randrange(255)} - - "GET {path} HTTP/1.1" '
        f"{status} {pick.randrange(120, 48000)} {pick.uniform(0.002, 0.9):.3f}"
    )


def _service(pick: random.Random) -> str:
    level = pick.choices(("info", "warn", "error"), (92, 6, 2))[0]
    message = {
        "info": f"{pick.choice(_ORDERS)} accepted",
        "warn": "upstream slow, retrying",
        "error": "upstream timed out after 2000 ms",
    }[level]
    return json.dumps(
        {
            "level": level,
            "msg": message,
            "order": f"A{pick.randrange(10**6):06d}",
            "ms": pick.randrange(3, 900),
            "trace_id": f"{pick.getrandbits(64):016x}",
        }
    )


def _payments(pick: random.Random) -> str:
    level, message = pick.choice(
        (("INFO", "authorised"), ("INFO", "captured"), ("WARN", "3-D Secure step needed"))
    )
    amount = pick.randrange(199, 49900) / 100
    return f"level={level} msg={message!r} payment=pay_{pick.getrandbits(40):x} amount={amount:.2f}"


def _database(pick: random.Random) -> str:
    return pick.choice(
        (
            "LOG:  checkpoint starting: time",
            f"LOG:  checkpoint complete: wrote {pick.randrange(20, 900)} buffers",
            f"LOG:  duration: {pick.uniform(250, 1900):.3f} ms  statement: COMMIT",
            f"LOG:  connection authorized: user=app{pick.randrange(4)} database=shop",
        )
    )


def _redis(pick: random.Random) -> str:
    return pick.choice(
        (
            f"1:M * {pick.randrange(100, 9999)} changes in 60 seconds. Saving...",
            "1:M * Background saving terminated with success",
            f"1:M - DB 0: {pick.randrange(1000, 90000)} keys in 131072 slots HT.",
        )
    )


def _java(pick: random.Random) -> str:
    return pick.choice(
        (
            f"INFO  [pool-{pick.randrange(8)}] MailQueue - {pick.randrange(900)} mails waiting",
            "WARN  [main] MailQueue - heap above 95 %",
            "ERROR [main] Mailer - java.lang.OutOfMemoryError: Java heap space",
            "        at com.example.mailer.TemplateCache.load(TemplateCache.java:118)",
        )
    )


def _agent(pick: random.Random) -> str:
    return f"ts shipped={pick.randrange(100, 4000)} dropped=0 lag={pick.uniform(0.1, 2):.1f}s"


def _worker(pick: random.Random) -> str:
    return f"batch {pick.randrange(10**5)}: {pick.randrange(10, 5000)} rows in {pick.random():.2f}s"


# By container name; the empty name is everything else.
STYLES: dict[str, Line] = {
    "": _service,
    "frontend": _web,
    "gateway": _web,
    "checkout": _service,
    "cart": _service,
    "catalog": _service,
    "payments": _payments,
    "ledger": _payments,
    "postgres": _database,
    "redis": _redis,
    "mailer": _java,
    "log-agent": _agent,
    "report": _worker,
}


class PodLogs:
    """The log files of one cluster's containers."""

    def __init__(self, folder: Path, seed: str) -> None:
        self._folder = folder
        self._pick = random.Random(seed)  # noqa: S311 - pretended log lines

    def path(self, container: str) -> Path:
        """The file of one container name."""
        return self._folder / f"{container or 'other'}.log"

    def begin(self) -> None:
        """Write the last hour of every file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for container in STYLES:
            self._restart(container)

    def grow(self) -> None:
        """Add a line to about half of the files. A file that is too large begins anew."""
        for container, line in STYLES.items():
            path = self.path(container)
            if self._pick.random() < 0.5:
                with path.open("a") as file:
                    file.write(_cri(datetime.now(UTC), line(self._pick)))
            if path.stat().st_size > LARGEST:
                self._restart(container)

    def config(self) -> dict[str, object]:
        """The KWOK object that says which container reads which file."""
        logs = [self._entry(container) for container in STYLES]
        return {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "ClusterLogs",
            "metadata": {"name": "logs"},
            "spec": {"logs": logs},
        }

    def _entry(self, container: str) -> dict[str, object]:
        path = str(self.path(container))
        entry: dict[str, object] = {"logsFile": path, "previousLogsFile": path, "follow": True}
        return entry | {"containers": [container]} if container else entry

    def _restart(self, container: str) -> None:
        step, now = timedelta(hours=1) / HISTORY, datetime.now(UTC)
        lines = (
            _cri(now - step * (HISTORY - number), STYLES[container](self._pick))
            for number in range(HISTORY)
        )
        path = self.path(container)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text("".join(lines))
        # A new file under the old name: whoever follows the log notices the rotation.
        unfinished.rename(path)


def _cri(moment: datetime, text: str) -> str:
    stream = "stderr" if "ERROR" in text or '"error"' in text else "stdout"
    return f"{moment.isoformat()} {stream} F {text}\n"
