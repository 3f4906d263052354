"""Decisions of the gateway: pure functions of plain data, without clients and clocks."""
