"""`mill-operator judge`: what would be said of recorded objects, and when. It needs no cluster, and writes nothing.

The rules, times and states are those of `mill_operator.core`. Here is what stands in for a cluster: files instead of
caches, and the times of a recording instead of a clock.
"""
