"""Real GitOps tools beside the local cluster, as far as it takes to sync from Git.

They run as processes of this machine, and nothing of them is reached from outside. `down` of each ends exactly those,
and removes what was made in the cluster.
"""
