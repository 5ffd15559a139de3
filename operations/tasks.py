"""Messages name a row; the rows are the truth."""

from celery import shared_task

from operations import executor, store


@shared_task(ignore_result=True, acks_late=False)
def run_operation(operation_id: str) -> None:
    executor.run(operation_id)


@shared_task(ignore_result=True)
def sweep_operations() -> None:
    """Ends what lost its worker; sends again what may have lost its message."""
    for operation in store.lost().select_related("cluster", "requested_by"):
        executor.reap(operation)
    for operation in store.unclaimed():
        store.sent_again(operation)
        # What waits longer is sent anew: a busy worker must not find a heap of them.
        run_operation.apply_async((str(operation.pk),), expires=20)
