"""`manage.py import_kubeconfig FILE`: registers a cluster by a kubeconfig that names files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError

from clusters.forms import EditForm
from clusters.kube import inline
from clusters.kube.errors import KubeconfigError
from clusters.models import Environment
from clusters.services import registration
from clusters.services.checks import STEPS, RegistrationFailed
from clusters.services.registration import Registration
from teams.models import User

WAY_OUT = (
    "\nMCM needs an account of its own there: the page /clusters/manifest/ and"
    " GET /api/v1/clusters/manifest write it, and say how to make its kubeconfig."
)


class Command(BaseCommand):
    help = (
        "Registers a cluster, step by step. The files that the kubeconfig names are read on this"
        " machine and stored encrypted with it; programs are never run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", required=True, help="what MCM calls the cluster")
        parser.add_argument("--environment", required=True, choices=Environment.values)
        parser.add_argument("--region", default="")
        parser.add_argument("--context", help="which one; else the current context")
        parser.add_argument("--as-user", help="the platform admin who registers; else the first")
        parser.add_argument("--allow-duplicate", action="store_true", help="even once more")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        admin = _admin(options["as_user"])
        form = EditForm({name: options[name] for name in ("name", "environment", "region")})
        if not form.is_valid():
            field, texts = next(iter(form.errors.items()))
            raise CommandError(f"--{field}: {texts[0]}")
        try:
            text = inline.inline(file, options["context"])
        except KubeconfigError as error:
            raise CommandError(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        wanted = Registration(
            name=options["name"],
            environment=Environment(options["environment"]),
            kubeconfig=text,
            region=options["region"],
            context=options["context"],
            allow_duplicate=options["allow_duplicate"],
        )
        try:
            cluster = registration.register(wanted, by=admin, tell=self._tell)
        except RegistrationFailed as failed:
            way_out = WAY_OUT if failed.way_out else ""
            raise CommandError(f"{STEPS[failed.step]}: {failed}{way_out}") from failed
        except PermissionDenied as error:
            raise CommandError(f"{admin} is no platform admin") from error
        self._tell("store", str(cluster.pk))

    def _tell(self, step: str, result: str) -> None:
        self.stdout.write(f"{STEPS[step]}: {result}")


def _admin(name: str | None) -> User:
    """The active user of this name, or the first platform admin."""
    wanted = {"is_superuser": True} if name is None else {"username": name}
    user = User.objects.filter(is_active=True, **wanted).order_by("pk").first()
    if user is None:
        raise CommandError(f"there is no active user named {name!r}" if name else "no admin yet")
    return user
