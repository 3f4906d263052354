"""What the operator keeps of the objects that it watches and looks up, as plain data."""
