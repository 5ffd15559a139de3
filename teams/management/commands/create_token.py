"""`manage.py create_token [USER] [--days N]`: prints a new API token, once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from teams import services
from teams.models import User


def _user(name: str | None) -> User:
    """The active user of this name, or the first platform admin."""
    wanted = {"is_superuser": True} if name is None else {"username": name}
    user = User.objects.filter(is_active=True, **wanted).order_by("pk").first()
    if user is None:
        raise CommandError(f"there is no active user named {name!r}" if name else "no admin yet")
    return user


class Command(BaseCommand):
    help = "Prints a new API token of a user as the last line. It is stored hashed only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", nargs="?", help="the user's name; else the first admin's")
        parser.add_argument("--days", type=int, default=90, help="days until it expires (90)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= 3650:
            raise CommandError("--days must be from 1 to 3650")
        user = _user(options["user"])
        token = services.create_token(user, timedelta(days=options["days"]), by=None)
        self.stdout.write(f"Token of {user}, valid for {options['days']} days, shown only now:")
        self.stdout.write(token)
