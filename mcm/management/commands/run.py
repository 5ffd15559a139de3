import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand

from mcm.embedded import environment, instance
from mcm.embedded.errors import StartError


class Command(BaseCommand):
    help = "Runs all of MCM on this machine, with its own PostgreSQL and Valkey unless given by URL"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="with three real clusters")

    def handle(self, *args: Any, demo: bool, **options: Any) -> None:
        environment.load("run")
        try:
            instance.run(self._say, demo=demo)
        except StartError as error:
            sys.exit(f"MCM cannot start: {error}")

    def _say(self, line: str) -> None:
        # Whoever read our lines may have gone; that is no reason to end.
        with suppress(OSError):
            self.stdout.write(line)
            self.stdout.flush()
