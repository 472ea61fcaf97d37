"""Defines the errors that end a command; each carries the exit code of the command line.

A message states what was received, what was expected and the remedy, on one line.
"""

import errno

# The system's numbers for *nothing more can be written*: a full disk, a quota, and a file that has grown beyond what
# the process may write (`ulimit -f`). All of them are temporary, and each layer meets them in another guise.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FirstseenError(Exception):
    """Base of every error that a user can cause or mend; exit code 1 when nothing more precise fits."""

    exit_code = 1


class UsageError(FirstseenError):
    """A flag, an option or a combination of them that cannot work."""

    exit_code = 2


class TooManyRejectsError(FirstseenError):
    """The run finished and its output is valid, but more photos were rejected than allowed."""

    exit_code = 3


class InputNotFoundError(FirstseenError):
    """An input (archive, catalog, photo, store, encoder) is missing, empty or unreadable."""

    exit_code = 4


class AccessDeniedError(InputNotFoundError):
    """An input that may be there and whole, and that this user must not read or write."""


class ArtifactRefusedError(FirstseenError):
    """An artifact of the store is damaged, of another version, or made by another encoder."""

    exit_code = 5


class UnknownVersionError(ArtifactRefusedError):
    """An artifact of a version that this program does not read; the program that wrote it does."""


class PublishRaceLostError(FirstseenError):
    """Somebody else published the snapshot number this run wanted; running again is safe."""

    exit_code = 6


class TemporaryError(FirstseenError):
    """A condition outside the program (disk full, lock held): the scheduler may retry."""

    exit_code = 75


class TranslatedOnlyError(FirstseenError):
    """A job that was translated for its runner and not run, as was asked for: the command ends, and nothing failed."""

    exit_code = 0


class TrainingDivergedError(FirstseenError):
    """The loss of a training became infinite or not a number; the settings have to change."""

    exit_code = 2
