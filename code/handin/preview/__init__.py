"""The documents in a browser, built anew at every save: sources → worker → pages → browser.

`watching` tells what was saved, `worker` builds in a process of its own, which a newer save ends, and
`server` shows the pages that came of it.
"""
