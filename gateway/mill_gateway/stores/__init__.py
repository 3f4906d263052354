"""What the gateway knows of the cluster: one watch for each kind, whatever the number of clients.

Read routes answer from here. A file for each kind: what is kept of an object, and by what it is found.
"""

from mill_gateway.stores.stores import Stores

__all__ = ["Stores"]
