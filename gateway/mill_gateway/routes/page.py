"""The page at `/` for people who would rather look."""

from fastapi import APIRouter

router = APIRouter(tags=["page"])
