"""Progress is tqdm's bar, in terminals and notebooks; a notebook without ipywidgets shows none, and no warning."""

import warnings

from tqdm import TqdmWarning

with warnings.catch_warnings():
    warnings.simplefilter("ignore", TqdmWarning)
    from tqdm.auto import tqdm

__all__ = ["tqdm"]
