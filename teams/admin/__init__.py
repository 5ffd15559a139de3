"""The Django admin of people, teams, tokens and the trail, and what every app's admin builds on."""

from teams.admin import history, people, permissions, teams, tokens
from teams.admin.bulk import confirmed
from teams.admin.rows import Admin, ReadOnlyAdmin, acting

__all__ = [
    "Admin", "ReadOnlyAdmin", "acting", "confirmed",
    "history", "people", "permissions", "teams", "tokens",
]  # fmt: skip
