"""`/v1/secrets`: the values that `${secret(…)}` stands for."""

from fastapi import APIRouter

router = APIRouter(tags=["secrets"])
