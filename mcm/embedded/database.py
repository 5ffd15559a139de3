"""The database made ready for this version of MCM, and its first person."""

import secrets

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

ADMIN = "admin"


def migrate() -> bool:
    """Brings the tables up to date; False when they were."""
    try:
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        call_command("migrate", interactive=False, verbosity=0)
        return True
    finally:
        connection.close()


def ensure_admin(given: str | None) -> str | None:
    """Makes the platform admin where there is none; the password when it had to be generated."""
    people = get_user_model().objects
    try:
        if people.filter(is_superuser=True).exists():
            return None
        password = given or secrets.token_urlsafe(12)
        people.create_superuser(username=ADMIN, email="", password=password)
        return None if given else password
    finally:
        connection.close()
