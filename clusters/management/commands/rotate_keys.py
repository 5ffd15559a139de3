"""`manage.py rotate_keys`: seals everything with the newest key, so that the old can be dropped."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clusters.services import keys


class Command(BaseCommand):
    help = (
        "Seals kubeconfigs and inputs of operations with the first of MCM_ENCRYPTION_KEYS. May be"
        " cut off and run again at any time; afterwards the other keys are no longer needed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=keys.BATCH, help="rows a transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1")
        done = keys.rotate(self._say, options["batch"])
        self._say(f"{done.resealed} rows sealed anew")
        if done.unreadable:
            raise CommandError(
                f"{done.unreadable} rows are opened by none of the keys; keep the old keys, or"
                " register those clusters again"
            )
        self._say("Only the first key is needed now; the others may go from MCM_ENCRYPTION_KEYS.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
