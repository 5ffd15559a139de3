"""Why something fails, in plain words with the evidence, from the JSON of live objects.

`explain.explain` tells the causes from an object and what was found around it, `wanted.wanted`
what else would be worth asking for, and `ask.why` does both with a client. Each family of causes
has a file of its own. The texts are marked for translation (`Cause.words`, `Cause.advice`).
"""
