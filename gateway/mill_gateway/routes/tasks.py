"""`/v1/tasks`: runs of tasks: spawned, listed, ended."""

from fastapi import APIRouter

router = APIRouter(tags=["tasks"])
