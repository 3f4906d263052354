"""Who calls, and what they may do.

A caller has one of the gateway's own tokens (`tokens`), or a token of the cluster (`reviews`). Every route but health
and the page's files needs one (`authentication`), and says what it is about to do: `Access.require`.
"""

from mill_gateway.access.access import Access
from mill_gateway.access.callers import Caller, CurrentCaller, presented_token

__all__ = ["Access", "Caller", "CurrentCaller", "presented_token"]
