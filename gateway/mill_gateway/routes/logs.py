"""`/v1/logs`: what programs have written."""

from fastapi import APIRouter

router = APIRouter(tags=["logs"])
