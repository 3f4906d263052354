"""`/v1/volumes`: data that outlives services."""

from fastapi import APIRouter

router = APIRouter(tags=["volumes"])
