"""What time changes of rights."""

from celery import shared_task

from teams import executor


@shared_task(ignore_result=True)
def end_grants() -> None:
    executor.end_grants()


@shared_task(ignore_result=True)
def forget_tokens() -> None:
    executor.forget_tokens()
