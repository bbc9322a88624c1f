"""The exceptions that fishembed raises on purpose.

Each error also inherits the builtin it refines, so `except ValueError` and
`except FileNotFoundError` keep working for people who do not know this tree::

    FishembedError
    ├── InputError (ValueError)                 an argument that cannot be used
    │   └── DataError                           what was read cannot be used
    │       ├── SourceError                     a dataset of images
    │       │   └── SourceNotFoundError (FileNotFoundError)
    │       ├── ManifestError                   a CSV or Parquet list of images
    │       ├── PromptError                     a prompt set or a table of aliases
    │       │   └── PromptNotFoundError (FileNotFoundError)
    │       └── DimensionError                  arrays whose shapes do not fit together
    ├── ImageError (ValueError)                 one image that cannot be used; extraction skips it
    ├── EncoderError (RuntimeError)
    │   ├── UnknownEncoderError (ValueError)    a name that no encoder has
    │   ├── WeightsError (OSError)              weights that are missing or broken
    │   │   └── UnreachableWeightsError         weights that must be downloaded
    │   ├── QuickGELUError (ValueError)         weights that need the other activation
    │   ├── DeviceError                         a device this machine does not have
    │   └── NoTextTowerError                    an encoder without a text tower
    ├── StoreError
    │   ├── StoreNotFoundError (FileNotFoundError)
    │   ├── StoreFormatError (ValueError)       not a store, or of a schema this version cannot read
    │   ├── StoreMismatchError (ValueError)     features of two encoders would mix in one store
    │   ├── StoreIntegrityError (ValueError)    features that differ from those written
    │   ├── StoreLockedError (OSError)          another process is writing this store
    │   ├── StoreClosedError (ValueError)       a store that was closed is asked for something
    │   └── StoreWriteError (WriteError)        a store that could not be written
    ├── RemoteError (OSError)                   a remote place that cannot be reached
    │   └── NotFetchedError                     a URL in a file: fetched with --fetch only
    ├── WriteError (OSError)                    the disk is full, or the place not writable
    ├── RunError
    │   ├── RunNotFoundError (FileNotFoundError)
    │   ├── RunFormatError (ValueError)         a run folder or head file that cannot be read
    │   │   └── BundleError                     a bundle that cannot be exported or read
    │   └── RunWriteError (WriteError)          a run that could not be written
    └── MissingExtraError (ImportError)         an optional feature that is not installed

The command line prints the message of a `FishembedError` without a traceback and
exits with a code for its kind (see `fishembed.cli.program.exit_codes`). A message therefore
states what was wrong, with the value, and what to do.
"""

from __future__ import annotations


class FishembedError(Exception):
    """The base of every error that fishembed raises on purpose."""


class InputError(FishembedError, ValueError):
    """An argument that cannot be used."""


class DataError(InputError):
    """A file, a table or an array that was read and cannot be used as it is."""


class SourceError(DataError):
    """A dataset of images that is missing, empty or laid out in no known way."""


class SourceNotFoundError(SourceError, FileNotFoundError):
    """A dataset that is not at the place named."""


class ManifestError(DataError):
    """A manifest with missing or misspelt columns, or rows that contradict each other."""


class PromptError(DataError):
    """A prompt set or a table of aliases that cannot be used."""


class PromptNotFoundError(PromptError, FileNotFoundError):
    """A name that no prompt set and no file has."""


class DimensionError(DataError):
    """Arrays whose shapes do not fit together."""


class ImageError(FishembedError, ValueError):
    """One image that cannot be used. Extraction skips it and stores the reason."""


class EncoderError(FishembedError, RuntimeError):
    """An encoder that cannot be loaded or cannot do what was asked."""


class UnknownEncoderError(EncoderError, ValueError):
    """A name that no encoder has."""


class WeightsError(EncoderError, OSError):
    """Weights that are missing, broken or out of reach."""


class UnreachableWeightsError(WeightsError):
    """Weights that are not on this machine and cannot be downloaded."""


class QuickGELUError(EncoderError, ValueError):
    """Weights that were trained with another activation than the architecture has."""


class DeviceError(EncoderError):
    """A device that this machine does not have."""


class NoTextTowerError(EncoderError):
    """An encoder without a text tower was asked for text features."""


class WriteError(FishembedError, OSError):
    """A place that cannot be written; its earlier content is untouched."""


class StoreError(FishembedError):
    """A feature store that cannot be used."""


class StoreNotFoundError(StoreError, FileNotFoundError):
    """A store that is not at the place named."""


class StoreFormatError(StoreError, ValueError):
    """A file that is no store, or a store of a schema this version cannot read."""


class StoreMismatchError(StoreError, ValueError):
    """Features of two encoders, or of two datasets, would mix in one store."""


class StoreIntegrityError(StoreError, ValueError):
    """Features that differ from those that were written, or that are not finite."""


class StoreLockedError(StoreError, OSError):
    """Another process is writing this store."""


class StoreClosedError(StoreError, ValueError):
    """A store that was closed is asked for something."""


class StoreWriteError(StoreError, WriteError):
    """A store that could not be written; its earlier content is untouched."""


class RemoteError(FishembedError, OSError):
    """A bucket or a remote file that cannot be reached, read or written."""


class NotFetchedError(RemoteError):
    """A URL named in a file, which is fetched with permission only."""


class RunError(FishembedError):
    """A run that cannot be used."""


class RunNotFoundError(RunError, FileNotFoundError):
    """A run that is not at the place named."""


class RunFormatError(RunError, ValueError):
    """A run folder or a head file that cannot be read."""


class RunWriteError(RunError, WriteError):
    """A run that could not be written or deleted."""


class BundleError(RunFormatError):
    """A bundle whose predictions differ from its run's, or that cannot be read."""


class MissingExtraError(FishembedError, ImportError):
    """An optional feature whose package is not installed.

    Parameters
    ----------
    feature
        The feature, in plain words.
    package
        The package that is missing.
    extra
        The extra of fishembed that installs it.
    """

    def __init__(self, feature: str, package: str, extra: str) -> None:
        self._arguments = feature, package, extra
        super().__init__(
            f"{feature} needs the package {package!r}: pip install 'fishembed[{extra}]'"
        )

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str, str]]:
        return type(self), self._arguments
