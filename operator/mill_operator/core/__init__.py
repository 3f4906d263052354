"""Every decision of the operator, as pure functions of plain data. The time is an argument."""
