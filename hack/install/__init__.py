"""Mill in a cluster: its CRD, rights and processes, its chart, plain manifests, and earlier releases."""
