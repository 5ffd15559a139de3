"""Sealed secrets, as the apps above `teams` name them; `teams/vault.py` seals."""

from teams.vault import DAMAGED as DAMAGED
from teams.vault import NO_KEY as NO_KEY
from teams.vault import CannotOpen as CannotOpen
from teams.vault import SealedField as SealedField
from teams.vault import newest_mark as newest_mark
from teams.vault import seal as seal
from teams.vault import sealed_columns as sealed_columns
from teams.vault import unseal as unseal
