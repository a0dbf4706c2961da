"""Counts the checks of one client and says how they went."""

import os
import sys
import traceback
from importlib.metadata import version

HOST = os.environ["OLLAMA_HOST"]


class Checks:
    """The checks of the installed package `client`."""

    def __init__(self, client):
        self.client = client
        self.passed = 0
        self.failed = 0
        self.inconclusive = 0

    def same(self, label, found, expected):
        """One check: `found` is `expected`."""
        if found == expected:
            self.passed += 1
            print(f"ok      {label}")
        else:
            self.failed += 1
            print(f"FAILED  {label}: {found!r} instead of {expected!r}")

    def undecided(self, label, why):
        """One check that this host cannot make at the moment; that is no failure."""
        self.inconclusive += 1
        print(f"inconclusive {label}: {why}")

    def error(self, label, kind, call):
        """What `call` raises, which has to be of this kind."""
        try:
            call()
        except kind as error:
            return error
        self.same(label, None, kind.__name__)
        return None

    def run(self, *parts):
        """Runs all parts, also after one has failed; exits."""
        for part in parts:
            try:
                part()
            except Exception:  # one part must not hide the next
                self.failed += 1
                print(f"FAILED  {part.__name__}: {traceback.format_exc()}")
        name = f"{self.client} {version(self.client)}"
        if self.failed:
            print(f"{name}: {self.failed} checks failed, {self.passed} passed")
            sys.exit(1)
        undecided = f", {self.inconclusive} inconclusive" if self.inconclusive else ""
        print(f"{name}: {self.passed} checks passed{undecided}")
