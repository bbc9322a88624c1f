from __future__ import annotations

import datetime as dt
import decimal

import numpy as np
import pytest

from fishembed._base.missing import is_missing, text_or_missing

pd = pytest.importorskip("pandas")
pa = pytest.importorskip("pyarrow")

MISSING = [
    None,
    float("nan"),
    np.nan,
    np.float32("nan"),
    np.float16("nan"),
    np.array(np.nan),
    np.ma.masked,
    np.datetime64("NaT"),
    np.timedelta64("NaT"),
    decimal.Decimal("NaN"),
    pd.NA,
    pd.NaT,
    pa.scalar(None),
    pa.scalar(None, pa.string()),
    "",
    " ",
    "\t",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "NaN",
    "nan",
    " nan ",
    "None",
    "NULL",
    "null",
    "<NA>",
    "NaT",
    "\\N",
    b"",
    b"nan",
    np.bytes_(b"NULL"),
    np.str_("None"),
]
PRESENT = [
    ("cod", "cod"),
    (" cod ", "cod"),
    (b"cod", "cod"),
    ("Zährte".encode(), "Zährte"),
    (np.bytes_(b"eel"), "eel"),
    (np.str_("eel"), "eel"),
    (b"\xe9", "\udce9"),
    (0, "0"),
    (3, "3"),
    (3.0, "3"),
    (-1.0, "-1"),
    (2.5, "2.5"),
    (np.int64(3), "3"),
    (np.float64(3.0), "3"),
    (np.float32(2.5), "2.5"),
    (np.array(7.0), "7"),
    (True, "True"),
    (np.bool_(False), "False"),
    (float("inf"), "inf"),
    ("none", "none"),
    ("na", "na"),
    ("Nancy", "Nancy"),
    ("Nana", "Nana"),
    ("\\n", "\\n"),
    ("3.0", "3.0"),
    (dt.date(2026, 1, 2), "2026-01-02"),
    (decimal.Decimal("1.50"), "1.50"),
    (pd.Timestamp("2026-01-02"), "2026-01-02 00:00:00"),
    (np.datetime64("2026-01-02"), "2026-01-02"),
    (pa.scalar("cod"), "cod"),
    (["cod"], "['cod']"),
    (np.array([1, 2]), "[1 2]"),
]


@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_what_stands_for_nothing_is_missing(value):
    assert is_missing(value)
    assert text_or_missing(value) == ""


@pytest.mark.parametrize(("value", "text"), PRESENT, ids=lambda one: repr(one)[:30])
def test_everything_else_is_its_text(value, text):
    assert not is_missing(value)
    assert text_or_missing(value) == text
