"""`GET /v1/services`: services and their replicas."""

from fastapi import APIRouter

router = APIRouter(tags=["services"])
