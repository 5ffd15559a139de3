"""The one error of all senders."""


class Undelivered(Exception):
    """The target did not take the lines; `str(error)` says why and is safe to show."""
