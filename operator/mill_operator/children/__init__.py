"""Child objects in the cluster: how they are looked up, written, deleted, and read again."""
