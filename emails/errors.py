"""What can go wrong between asking for an email and its arrival.

EmailError
├── NoAddress        the customer has no email address
└── NotPossible      the draft's state does not allow what was asked
"""

from __future__ import annotations


class EmailError(Exception):
    """The base of this package's errors; `str(error)` is one sentence for a person."""


class NoAddress(EmailError):
    pass


class NotPossible(EmailError):
    pass
