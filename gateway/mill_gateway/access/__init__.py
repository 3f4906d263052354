"""Authentication and authorization of callers.

A caller has an admin token (`tokens`) or a Kubernetes token (`reviews`). Every route except health and the page's files
needs one (`middleware.authentication`), and checks the caller's right with `Access.require` before it acts.
"""

from mill_gateway.access.access import Access
from mill_gateway.access.callers import Caller, CurrentCaller, presented_token

__all__ = ["Access", "Caller", "CurrentCaller", "presented_token"]
