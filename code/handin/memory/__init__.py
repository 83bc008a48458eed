"""The kernel that remembers: a cell's outputs are read from memory until what determined them changes.

    kernel    answers a cell from memory, or brings the state up to date and executes
    recall    which entry answers a request, after all the requests before it
    observe   what a cell reads, seen while it runs
    declared  what chunks say about themselves
    entries   what is kept, on disk

`docs/memory.md` says what is seen, what is not, and how to declare it.
"""
