"""What time changes of rights, and what becomes of the audit trail."""

from celery import shared_task

from teams import executor
from teams.audit import chain, denials, forwarding, retention


@shared_task(ignore_result=True)
def end_grants() -> None:
    executor.end_grants()


@shared_task(ignore_result=True)
def seal_audit() -> None:
    denials.tell_repeated()
    chain.seal()


@shared_task(ignore_result=True)
def forward_audit() -> None:
    forwarding.forward()


@shared_task(ignore_result=True)
def sweep_audit() -> None:
    retention.sweep()


@shared_task(ignore_result=True)
def forget_tokens() -> None:
    executor.forget_tokens()
