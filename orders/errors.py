"""What can go wrong with orders.

OrderError
├── TransitionError    the order's state does not allow the change
├── RefundError        a refund cannot be requested for this order
├── AddressError       a text cannot be read as an address
└── ImportFailed       a file cannot be imported at all (wrong columns, unreadable)
"""


class OrderError(Exception):
    """Base of this package's errors; `str(error)` is one clear sentence."""


class TransitionError(OrderError):
    pass


class RefundError(OrderError):
    pass


class AddressError(OrderError):
    pass


class ImportFailed(OrderError):
    pass
