"""What can go wrong with a writer.

WriterError
├── ModelMissing        its file is not there or is not one of ours
└── BackendError        one draft could not be made; the next source is tried
    └── EngineError
        ├── Busy            the queue is full
        ├── PromptTooLong   prompt and limit do not fit a sequence's share of the context
        ├── Expired         the deadline passed
        ├── Cancelled       the caller took it back
        └── Closed          the engine is closed, or llama.cpp failed
"""


class WriterError(RuntimeError):
    pass


class ModelMissing(WriterError):
    pass


class BackendError(WriterError):
    pass


class EngineError(BackendError):
    pass


class Busy(EngineError):
    pass


class PromptTooLong(EngineError):
    pass


class Expired(EngineError):
    pass


class Cancelled(EngineError):
    pass


class Closed(EngineError):
    pass
