"""What the clusters told lately: events of one sort as one group, counted by the database."""

from explorer.filters.happened.asked import SORTS, WINDOWS, EventsAsked
from explorer.filters.happened.groups import Group, Groups, Happened
from explorer.filters.happened.over_time import Bar, Told, told

__all__ = [
    "SORTS", "WINDOWS", "Bar", "EventsAsked", "Group", "Groups", "Happened", "Told", "told",
]  # fmt: skip
