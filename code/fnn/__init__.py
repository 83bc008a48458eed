"""The solution: multilayer perceptrons by hand, trained on a 1-D regression data set."""

import signal
import sys

if sys.argv[0] == "-m":  # one of its commands starts: `python -m fnn.runs.study`
    # While PyTorch is imported, Ctrl-C aborts it, leaves half of NumPy or is lost. So it just ends all.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from fnn.data import Dataset, load_d1
from fnn.models import MLP, LogisticRegression
from fnn.training import Record, train1, train_restarts

__all__ = ["MLP", "Dataset", "LogisticRegression", "Record", "load_d1", "train1", "train_restarts"]
