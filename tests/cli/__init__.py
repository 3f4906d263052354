"""The `mill` process, as people and programs use it, against a gateway that says what a test has it say."""
