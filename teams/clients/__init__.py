"""Where the audit trail is sent to: Django-free senders."""
