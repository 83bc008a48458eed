"""The experiments that the sections ask for, a module a task: each takes the data and returns a record."""
