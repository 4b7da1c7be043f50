"""mutation: one way to break what protects a key, which some test must notice."""
from typing import NamedTuple


class Mutation(NamedTuple):
    name: str   # what is broken
    file: str
    old: str    # the text there, exactly once
    new: str    # what it becomes
    tests: str  # which tests should notice: names of ctest's, the likeliest first
