"""`GET /v1/status`: the counts."""

from fastapi import APIRouter

router = APIRouter(tags=["status"])
