"""Settings of the kernels that run this project's documents. `_environment` leads here, by IPYTHONDIR."""

import os

c = get_config()  # type: ignore[name-defined]  # noqa: F821  # IPython gives it to such a file

c.HistoryManager.enabled = False  # documents have no history, and the ZIP no database
if os.environ.get("HANDIN_MEMORY") == "1":  # an interactive front end gets the ordinary kernel
    c.IPKernelApp.kernel_class = "handin.memory.kernel.MemoryKernel"
