"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters of 19 MiB and one lane.

    Django's own take 100 MiB and eight lanes a sign-in: a web process answers on 32 threads, and a
    storm of sign-ins would cost it gigabytes.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
