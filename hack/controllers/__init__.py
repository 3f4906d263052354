"""Controllers that people run beside Mill, as processes of this machine beside the embedded cluster.

Each module has `up` and `down`. What they listen on is reached from this machine alone.
"""
