"""What a request does before it waits for a cluster."""

from django.db import connection


def let_others_query() -> None:
    """Gives the request's database connection back to the pool; the next query takes another.

    Few connections serve all requests: those that wait for a cluster that hangs must hold none.
    Within a transaction it is kept, which Django's `close_old_connections` would end.
    """
    if not connection.in_atomic_block:
        connection.close()
