"""The solution: multilayer perceptrons by hand, trained on a 1-D regression data set."""

from fnn.data import Dataset, load_d1
from fnn.models import MLP, LogisticRegression
from fnn.training import Record, train1, train_restarts

__all__ = ["MLP", "Dataset", "LogisticRegression", "Record", "load_d1", "train1", "train_restarts"]
