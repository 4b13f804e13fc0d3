"""What was scored once serves the next search: earlier threads of the same owner that asked for the same."""
