"""What is done to one object of a cluster, as `kubectl` does it; knows no Django.

Every act is a function of a `Client` and a `Target` and gives back what it did (`Did`). It looks at
the object first and changes it only as the one that was meant: another object of the same name is
`Replaced`, and what somebody changed in between is looked at again. `needs` says which rights it
takes, `drain` empties nodes.
"""
