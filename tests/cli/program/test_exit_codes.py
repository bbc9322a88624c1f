from __future__ import annotations

import inspect
import re

import pytest

from fishembed import errors
from fishembed.cli.program import exit_codes
from fishembed.cli.program.exit_codes import EXIT_CODES, exit_code_of

ERRORS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.FishembedError)
]
KINDS = {
    errors.FishembedError: 2,
    errors.InputError: 2,
    errors.DataError: 3,
    errors.SourceError: 3,
    errors.SourceNotFoundError: 2,
    errors.ManifestError: 3,
    errors.PromptError: 3,
    errors.PromptNotFoundError: 2,
    errors.DimensionError: 3,
    errors.ImageError: 3,
    errors.EncoderError: 2,
    errors.UnknownEncoderError: 2,
    errors.WeightsError: 3,
    errors.UnreachableWeightsError: 5,
    errors.QuickGELUError: 2,
    errors.DeviceError: 7,
    errors.NoTextTowerError: 2,
    errors.StoreError: 3,
    errors.StoreNotFoundError: 2,
    errors.StoreFormatError: 3,
    errors.StoreMismatchError: 3,
    errors.StoreIntegrityError: 3,
    errors.StoreLockedError: 4,
    errors.StoreClosedError: 3,
    errors.StoreWriteError: 6,
    errors.RemoteError: 5,
    errors.NotFetchedError: 5,
    errors.WriteError: 6,
    errors.RunError: 2,
    errors.RunNotFoundError: 2,
    errors.RunFormatError: 3,
    errors.RunWriteError: 6,
    errors.BundleError: 3,
    errors.MissingExtraError: 7,
}


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_has_the_code_of_its_kind(kind):
    error = kind(*["no"] * (3 if kind is errors.MissingExtraError else 1))
    assert exit_code_of(error).code == KINDS[kind]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(2, "no"), 2),
        (OSError(36, "File name too long"), 2),
        (OSError(28, "full"), 6),
        (PermissionError(13, "no"), 6),
        (ConnectionResetError(104, "reset"), 5),
        (TimeoutError(110, "late"), 5),
        (OSError(24, "Too many open files"), 1),
        (ZeroDivisionError(), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_other_errors(error, code):
    assert exit_code_of(error).code == code


def test_each_code_stands_for_one_kind_and_is_documented():
    assert len({one.code for one in EXIT_CODES}) == len({one.kind for one in EXIT_CODES})
    table = dict(re.findall(r"^(\d+) +(\w+)  ", exit_codes.__doc__, re.MULTILINE))
    assert table == {str(one.code): one.kind for one in EXIT_CODES}
