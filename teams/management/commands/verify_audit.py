"""`manage.py verify_audit [--anchor SEQ:HASH]`: whether the audit trail is what was written."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from teams.audit import chain, proof
from teams.audit.chain import Point


def _point(text: str | None) -> Point | None:
    if text is None:
        return None
    seq, _, digest = text.partition(":")
    if not seq.isdecimal() or len(digest) != 64:
        raise CommandError("--anchor must be the SEQ:HASH that an earlier run or the log printed")
    return Point(int(seq), digest)


class Command(BaseCommand):
    help = (
        "Checks every sealed row of the audit trail and names the first that was changed, moved or"
        " removed. Keep the head that it prints somewhere else, and give it to a later run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--anchor", metavar="SEQ:HASH", help="a head that was noted before")

    def handle(self, *args: Any, **options: Any) -> None:
        known = _point(options["anchor"])
        chain.seal()
        try:
            found = proof.verify(known)
        except proof.Broken as error:
            raise CommandError(f"The audit trail is broken: {error}.") from error
        if found.start.seq:
            self.stdout.write(f"Rows up to {found.start.seq} were removed by retention.")
        if known and known.seq < found.start.seq:
            self.stdout.write("The anchor that was given is among them, and could not be checked.")
        if found.before:
            self.stdout.write(
                self.style.WARNING(
                    f"{found.before} numbers were given before the first row, and no row has them:"
                    " by work that was undone, or by rows that were removed with all anchors. A few"
                    " are ordinary; of many, compare a head that was noted before (--anchor)."
                )
            )
        if found.unsealed:
            self.stdout.write(f"{found.unsealed} rows were not sealed yet.")
        self.stdout.write(self.style.SUCCESS(f"All {found.rows} sealed rows hold."))
        if found.transcripts:
            self.stdout.write(self.style.SUCCESS(f"So do {found.transcripts} transcripts."))
        self.stdout.write(f"Head: {found.head}")
