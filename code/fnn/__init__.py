"""The solution: multilayer perceptrons by hand, trained on a 1-D regression data set."""

from fnn.data import Dataset, load_d1
from fnn.models import MLP, LogisticRegression

__all__ = ["MLP", "Dataset", "LogisticRegression", "load_d1"]
