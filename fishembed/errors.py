"""Everything fishembed raises on purpose.

Each error also inherits the builtin it refines, so `except ValueError` and
`except FileNotFoundError` keep working for people who do not know this tree::

    FishembedError
    ├── InputError (ValueError)                 an argument that cannot be used
    │   ├── SourceError                         a dataset of images
    │   ├── ManifestError                       a CSV or Parquet list of images
    │   ├── PromptError                         a prompt set or a table of aliases
    │   └── DimensionError                      arrays whose shapes do not fit together
    ├── ImageError (ValueError)                 one image that cannot be used; extraction skips it
    ├── EncoderError (RuntimeError)
    │   ├── UnknownEncoderError (ValueError)    a name that means no encoder
    │   ├── WeightsError (OSError)              weights that are missing, broken or out of reach
    │   ├── QuickGELUError (ValueError)         weights that need the other activation
    │   ├── DeviceError                         a device this machine does not have
    │   └── NoTextTowerError                    an encoder without a text tower
    ├── StoreError
    │   ├── StoreNotFoundError (FileNotFoundError)
    │   ├── StoreFormatError (ValueError)       not a store, or of a schema this version cannot read
    │   ├── StoreMismatchError (ValueError)     features of two encoders would mix in one store
    │   ├── StoreIntegrityError (ValueError)    features that are not what was written
    │   ├── StoreLockedError (OSError)          another process is writing this store
    │   ├── StoreClosedError (ValueError)       a store that was closed is asked for something
    │   └── StoreWriteError (OSError)           the disk is full, or the place not writable
    ├── RemoteError (OSError)                   a place elsewhere that cannot be reached
    │   └── NotFetchedError                     one that a file names: asked with --fetch only
    ├── RunError
    │   ├── RunNotFoundError (FileNotFoundError)
    │   └── RunFormatError (ValueError)         a run folder or head file that cannot be read
    └── MissingExtraError (ImportError)         an optional feature that is not installed

The command line prints the message of a `FishembedError` without a traceback and
exits with 2. A message therefore says what was wrong, with the value, and what to do.
"""

from __future__ import annotations


class FishembedError(Exception):
    """The base of every error that fishembed raises on purpose."""


class InputError(FishembedError, ValueError):
    """An argument that cannot be used."""


class SourceError(InputError):
    """A dataset of images that is missing, empty or laid out in no known way."""


class ManifestError(InputError):
    """A manifest with missing or misspelt columns, or rows that contradict each other."""


class PromptError(InputError):
    """A prompt set or a table of aliases that cannot be used."""


class DimensionError(InputError):
    """Arrays whose shapes do not fit together."""


class ImageError(FishembedError, ValueError):
    """One image that cannot be used. Extraction skips it and stores the reason."""


class EncoderError(FishembedError, RuntimeError):
    """An encoder that cannot be had or cannot do what was asked."""


class UnknownEncoderError(EncoderError, ValueError):
    """A name that means no encoder."""


class WeightsError(EncoderError, OSError):
    """Weights that are missing, broken or out of reach."""


class QuickGELUError(EncoderError, ValueError):
    """Weights that were trained with another activation than the architecture has."""


class DeviceError(EncoderError):
    """A device that this machine does not have."""


class NoTextTowerError(EncoderError):
    """An encoder without a text tower was asked for text features."""


class StoreError(FishembedError):
    """A feature store that cannot be used."""


class StoreNotFoundError(StoreError, FileNotFoundError):
    """No store lies at the place named."""


class StoreFormatError(StoreError, ValueError):
    """A file that is no store, or a store of a schema this version cannot read."""


class StoreMismatchError(StoreError, ValueError):
    """Features of two encoders, or of two datasets, would mix in one store."""


class StoreIntegrityError(StoreError, ValueError):
    """Features that are not what was written, or that are not finite."""


class StoreLockedError(StoreError, OSError):
    """Another process is writing this store."""


class StoreClosedError(StoreError, ValueError):
    """A store that was closed is asked for something."""


class StoreWriteError(StoreError, OSError):
    """A store could not be written; what was there before is untouched."""


class RemoteError(FishembedError, OSError):
    """A bucket or a file elsewhere that cannot be reached, read or written."""


class NotFetchedError(RemoteError):
    """Something at a URL that a file names, which is fetched with leave only."""


class RunError(FishembedError):
    """A run that cannot be used."""


class RunNotFoundError(RunError, FileNotFoundError):
    """No run lies at the place named."""


class RunFormatError(RunError, ValueError):
    """A run folder or a head file that cannot be read."""


class MissingExtraError(FishembedError, ImportError):
    """An optional feature whose package is not installed.

    Parameters
    ----------
    feature
        What was asked for, in plain words.
    package
        The package that is missing.
    extra
        The extra of fishembed that brings it.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        self._arguments = feature, package, extra
        super().__init__(
            f"{feature} needs the package {package!r}: pip install 'fishembed[{extra}]'"
        )

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        return type(self), self._arguments
