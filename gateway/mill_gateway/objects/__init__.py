"""Projections of the cluster's objects, a file for each kind: the fields that the gateway keeps."""
