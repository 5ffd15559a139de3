"""One live object opened: how it stands, as YAML, what it names and what names it.

Everything is read from the JSON that the cluster sends to the client's person, and harmless to
show: texts are cut, values of Secrets stay hidden unless they are asked for by name.
"""
