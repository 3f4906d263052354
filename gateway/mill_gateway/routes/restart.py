"""`POST /v1/restart/{service}`: new pods for a service."""

from fastapi import APIRouter

router = APIRouter(tags=["restart"])
