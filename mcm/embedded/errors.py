"""What stops a start."""


class StartError(Exception):
    """MCM cannot start; str(error) is one line that says why and what to do."""
