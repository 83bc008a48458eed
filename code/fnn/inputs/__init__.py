"""What a caller may set: arguments and environment variables, checked."""
