from __future__ import annotations

import os

import pytest

from fishembed.errors import ManifestError, SourceError
from fishembed.images import open_dataset

ROWS = [("cod/0.jpg", "cod", "train"), ("eel/Zährte.jpg", "Zährte", "test")]


@pytest.fixture
def photos(tmp_path):
    for path, _, _ in ROWS:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    return tmp_path


def read(folder, data, name="m.csv"):
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return open_dataset(folder / name)


def told(dataset):
    return [(one.path, one.label, one.split) for one in dataset.samples]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("sep", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_dialect_says_the_same(photos, delimiter, codec, sep, end):
    lines = [f"sep={delimiter}"] * sep
    lines += [delimiter.join(row) for row in [("path", "label", "split"), *ROWS]]
    dataset = read(photos, end.join(lines).encode(codec))
    assert told(dataset) == ROWS
    assert dataset.left_out == ()
    assert ["Windows-1252" in note for note in dataset.notes] == [True] * (codec == "cp1252")


def test_backslashes_of_windows(photos):
    assert told(read(photos, "path,label,split\ncod\\0.jpg,cod,train\n")) == ROWS[:1]


def test_lone_quotes_of_an_export_lose_no_row(photos):
    text = "path\tlabel\n" + "".join(f'cod/0.jpg{i}\t"Gadus\n' for i in range(6)) + "cod/0.jpg\tx\n"
    assert len(read(photos, text, "occurrence.txt").samples) == 7


def test_bad_rows_cost_themselves_only_and_are_named(photos):
    text = (
        "path,label,split\ncod/0.jpg,cod,train\n,eel,\nx.jpg,a,train,more\n,,\n"
        "eel/Zährte.jpg,Zährte,test\ny.jpg\n"
    )
    dataset = read(photos, text)
    assert told(dataset) == [*ROWS, ("y.jpg", None, "")]
    assert [name for name, _ in dataset.left_out] == ["m.csv, row 3", "m.csv, row 4"]
    assert "empty path" in dataset.left_out[0][1]
    assert "more cells than there are columns (3)" in dataset.left_out[1][1]
    short, bad = dataset.notes
    assert "1 row has fewer cells" in short
    assert "line 7" in short
    assert "1 row left out, the first: row 4" in bad


@pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "None", "NULL", "null", "N/A", "<NA>"])
def test_missing_is_missing(photos, missing):
    dataset = read(photos, f"path,label,split,group\ncod/0.jpg,{missing},{missing},{missing}\n")
    (sample,) = dataset.samples
    assert (sample.label, sample.split, sample.group) == (None, "", "")
    assert dataset.classes == []


def test_missing_values_of_parquet(photos):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"path": ["cod/0.jpg", "b.jpg", "c.jpg"]})
    frame["label"], frame["group"] = [1.0, float("nan"), 3.0], [b"t1", None, b"nan"]
    frame["big"] = [[1, 2], None, [3]]
    frame.to_parquet(photos / "m.parquet")
    samples = open_dataset(photos / "m.parquet").samples
    assert [(one.label, one.group) for one in samples] == [("1", "t1"), (None, ""), ("3", "")]
    (photos / "m.parquet").rename(photos / "table.csv")  # told by its content
    assert len(open_dataset(photos / "table.csv").samples) == 3


def test_numbers_that_were_saved_with_gaps_are_whole(photos):
    dataset = read(photos, "path,label,group\ncod/0.jpg,1.0,7\neel/Zährte.jpg,,8.0\nc.jpg,12.0,\n")
    assert [(one.label, one.group) for one in dataset.samples] == [
        ("1", "7"),
        (None, "8.0"),
        ("12", ""),
    ]


def test_a_header_of_any_length(photos):
    assert (
        told(read(photos, f"path,label,split,{'x' * 200_000}\ncod/0.jpg,cod,train,\n")) == ROWS[:1]
    )


def test_zero_bytes_cost_their_row(photos):
    dataset = read(photos, "path,label,split\ncod/0.jpg,cod,train\n" + "\0" * 40)
    assert told(dataset)[0] == ROWS[0]
    assert dataset.state(dataset.samples[1].path) == (-1, -1)


def test_columns_without_a_name_are_left_alone(photos):
    assert told(read(photos, ",path,label,split,,\n0,cod/0.jpg,cod,train,,\n")) == ROWS[:1]


def test_nothing_that_can_be_used_says_why(photos):
    with pytest.raises(ManifestError, match="names no image: row 2 has more cells"):
        read(photos, "path,label\na.jpg,cod,eel\n")
    with pytest.raises(ManifestError, match=r"none of its 1 images exists.*read as Windows-1252"):
        read(photos, b"path\n\xff\xfe.jpg\n")


def test_a_pipe_is_not_waited_on(tmp_path):
    os.mkfifo(tmp_path / "m.csv")
    with pytest.raises(SourceError, match="a pipe or a device"):
        open_dataset(tmp_path / "m.csv")
