"""Settings of the kernels that run this project's documents. `_environment` leads here, by IPYTHONDIR."""

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # IPython gives it to such a file

c.HistoryManager.enabled = False  # documents have no history, and the ZIP no database
# A renderer sets the variable, to 1 or 0. Jupyter's server and VS Code name their sessions; they get the
# ordinary kernel, which remembers nothing.
if "JPY_SESSION_NAME" in os.environ or "HANDIN_MEMORY" not in os.environ:
    c.InteractiveShellApp.extensions = ["handin.memory.outdated"]
    c.InlineBackend.figure_formats = {"svg"}  # as in the documents
elif os.environ["HANDIN_MEMORY"] == "1":
    c.IPKernelApp.kernel_class = "handin.memory.kernel.MemoryKernel"
