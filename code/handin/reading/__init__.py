"""What a PDF, a notebook, a Python file says."""
