"""Caches of the cluster: one reflector for each kind, whatever the number of clients.

Read routes answer from here, and streams subscribe to changes. `store` and `subscriptions` are the same for all kinds;
`kinds` declares each of them.
"""

from mill_gateway.stores.nodes import NodeStores
from mill_gateway.stores.store import Store
from mill_gateway.stores.stores import Stores

__all__ = ["NodeStores", "Store", "Stores"]
