"""The kernel that remembers: a cell's outputs come from memory until something that determined them changes.

    kernel    answers a cell from memory, or brings the state up to date and executes
    observe   what a cell reads, seen while it runs
    entries   what is kept, on disk

`docs/memory.md` says what is seen, what is not, and how to declare it.
"""
