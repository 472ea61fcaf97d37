"""Names why the photo that a query's URI names is not read: each is counted by its word, as rejects are."""

from foundation.photos.rejects import PhotoError


class UriRefusedError(PhotoError):
    """A place that the service does not read from."""

    reason = "uri_not_allowed"


class UnreachableError(PhotoError):
    """A place that may be read, and gave no photo."""

    reason = "unreachable"
