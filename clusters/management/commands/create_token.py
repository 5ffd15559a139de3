"""`manage.py create_token [USER] [--scope …] [--cluster NAME …] [--days N] [--name TEXT]`: prints a
new API token, once.
"""

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from clusters.models import Cluster
from teams.models import User
from teams.roles import Level, Reach
from teams.services import tokens


def _user(name: str | None) -> User:
    """The active user of this name, or the first platform admin."""
    wanted = {"is_superuser": True} if name is None else {"username": name, "robot_of": None}
    user = User.objects.filter(is_active=True, **wanted).order_by("pk").first()
    if user is None:
        raise CommandError(f"there is no active user named {name!r}" if name else "no admin yet")
    return user


def _keys(names: Iterable[str]) -> frozenset[UUID]:
    found = dict(Cluster.objects.filter(name__in=names).values_list("name", "pk"))
    unknown = sorted(set(names) - set(found))
    if unknown:
        raise CommandError(f"--cluster: there is no cluster named {', '.join(unknown)}")
    return frozenset(found.values())


class Command(BaseCommand):
    help = "Prints a new API token of a user as the last line. It is stored hashed only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        most = settings.TOKEN_DAYS
        days = tokens.USUAL_DAYS
        parser.add_argument("user", nargs="?", help="the user's name; else the first admin's")
        parser.add_argument(
            "--scope", choices=Level.values, default=Level.ADMIN, help="the most it allows (admin)"
        )
        parser.add_argument("--cluster", nargs="+", metavar="NAME", help="for these only (all)")
        parser.add_argument(
            "--days", type=int, default=days, help=f"days until it expires ({days}; most {most})"
        )
        parser.add_argument("--name", default="", help="what its owner calls it")

    def handle(self, *args: Any, **options: Any) -> None:
        most, days = settings.TOKEN_DAYS, options["days"]
        if not 1 <= days <= most:
            raise CommandError(f"--days must be from 1 to {most}")
        user, names = _user(options["user"]), options["cluster"]
        reach = Reach(Level(options["scope"]), None if names is None else _keys(names))
        wanted = tokens.Wanted(timedelta(days=days), options["name"][:100], reach)
        try:
            _row, text = tokens.make(user, wanted, by=None)
        except tokens.Refused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Token of {user}, valid for {days} days, shown only now:")
        self.stdout.write(text)
