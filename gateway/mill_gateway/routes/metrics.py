"""`/v1/metrics`: figures for Prometheus."""

from fastapi import APIRouter

router = APIRouter(tags=["metrics"])
