"""Which logs an address asks for, and which of them a person may read now."""

from explorer.filters.logs.asked import LogQuery
from explorer.filters.logs.selection import LOGGED, Selected, eyes, select

__all__ = ["LOGGED", "LogQuery", "Selected", "eyes", "select"]
