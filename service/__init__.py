"""HTTP, storage, jobs, ranking over stored rows, pages and the command line."""

__version__ = "0.1.0"
