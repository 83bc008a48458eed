"""Settings of the kernels that run this project's documents. `_environment` leads here, by IPYTHONDIR."""

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # IPython gives it to such a file

c.HistoryManager.enabled = False  # documents have no history, and the ZIP no database
# What C and other programs print goes to the terminal: in a document it would stand wherever it came.
c.IPKernelApp.capture_fd_output = False
c.InteractiveShell.display_page = True  # what `len?` says is shown, not sent to a pager
c.InteractiveShell.colors = "nocolor"  # of a terminal
c.InlineBackend.figure_formats = {"svg"}  # in JupyterLab as in the documents
c.InlineBackend.rc = {"svg.hashsalt": "fixed"}  # the same figure has the same bytes
# A renderer sets the variable. Jupyter's server and VS Code name their sessions, and get the ordinary kernel.
if "HANDIN_MEMORY" in os.environ and "JPY_SESSION_NAME" not in os.environ:
    c.IPKernelApp.kernel_class = "handin.memory.MemoryKernel"
