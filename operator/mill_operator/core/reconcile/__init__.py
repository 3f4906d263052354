"""The decisions of a reconciliation: which objects to write, what to look up, and what the status says.

There are two, because verdicts are made after the writes: `writes.decide_writes` compares the desired state with a
snapshot, and `next_status.decide_status` judges the snapshot that is taken when the writes are done. Both are functions
of plain data. The reconciler reads the caches, carries the decisions out, and makes the lookups that they ask for in
between.
"""
