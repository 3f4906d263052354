"""`/v1/nodes`: the machines, what is free on them, and how they are emptied."""

from fastapi import APIRouter

router = APIRouter(tags=["nodes"])
