"""What the soak shares with the faults."""

from tests.faults.conftest import say

__all__ = ["say"]
