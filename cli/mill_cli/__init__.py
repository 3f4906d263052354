"""The `mill` command line: talks to the gateway, and to nothing else."""
