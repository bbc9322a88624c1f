"""Further columns of a table, and what a tar's json says, are kept in the store by name."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image
from small_pictures import draw

from fishembed._base.progress import NoProgress
from fishembed.cache import FeatureStore, export_store, import_features
from fishembed.cli import main
from fishembed.errors import InputError, ManifestError
from fishembed.extraction import extract
from fishembed.images import open_dataset
from fishembed.images.datasets.exif_columns import EXIF_COLUMNS

TABLE = (
    "path,label,site,depth,trip,note\n"
    "0.png,cod,reef 1,3.5,007,NA\n1.png,eel,,NA,008,\n2.png,cod,reef 2,10,NULL,None\n"
)


@pytest.fixture
def table(workspace):
    for seed in range(3):
        draw(workspace / "photos" / f"{seed}.png", seed)
    place = workspace / "photos" / "table.csv"
    place.write_text(TABLE)
    return place


class Messages(NoProgress, list):
    """Keeps the messages of an extraction."""

    def message(self, text):
        self.append(text)


def metadata(store):
    with FeatureStore.open(store) as opened:
        assert opened.verify() == []
        return {name: column.tolist() for name, column in opened.metadata.items()}


def assert_as_in_the_table(found):
    assert list(found) == ["site", "depth", "trip", "note"]
    assert found["site"] == ["reef 1", "", "reef 2"]
    np.testing.assert_array_equal(found["depth"], [3.5, np.nan, 10])
    assert found["trip"] == ["007", "008", ""]
    assert found["note"] == ["", "", ""]


def test_further_columns_of_a_manifest_are_kept(table, workspace):
    extract(table, "a.h5", encoder=FakeEncoder())
    assert_as_in_the_table(metadata("a.h5"))


def test_new_metadata_is_taken_with_nothing_encoded_again(table, workspace):
    extract(table, "a.h5", encoder=FakeEncoder())
    table.write_text(TABLE.replace("reef 2", "reef 9"))
    again = extract(table, "a.h5", encoder=FakeEncoder())
    assert (again.encoded, again.wrote) == (0, True)
    assert metadata("a.h5")["site"] == ["reef 1", "", "reef 9"]
    assert not extract(table, "a.h5", encoder=FakeEncoder()).wrote


def test_a_foreign_table_is_taken_as_it_is(table, workspace):
    table.write_text("file_name,species,set,track,label\n0.png,cod,train,a,x\n1.png,NA,test,NA,y\n")
    columns = {"path": "file_name", "label": "species", "split": "set", "group": "track"}
    extract(table, "a.h5", encoder=FakeEncoder(), columns=columns)
    with FeatureStore.open("a.h5") as store:
        assert (store.classes, store.labels.tolist()) == (["cod"], [0, -1])
        assert (store.splits.tolist(), store.groups) == (["train", "test"], ["a", ""])
        assert store.metadata["label"].tolist() == ["x", "y"]
    with pytest.raises(ManifestError, match=r"'specie' \(--label-column\): did you mean 'species'"):
        open_dataset(table, columns={"path": "file_name", "label": "specie"})
    with pytest.raises(InputError, match=r"--label-column: .* is no manifest"):
        open_dataset(table.parent, columns={"label": "species"})


def test_rows_of_one_image_that_differ_leave_their_cells_empty(table):
    table.write_text("path,site,day\n0.png,a,1\n0.png,b,1\n1.png,,2\n1.png,c,2\n")
    dataset = open_dataset(table)
    assert [dict(one.metadata) for one in dataset.samples] == [
        {"site": "", "day": "1"},
        {"site": "c", "day": "2"},
    ]
    assert any("differ in site" in note for note in dataset.notes)


def test_a_workbook_is_a_manifest(table, workspace):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in TABLE.splitlines():
        book.active.append(row.split(","))
    book.create_sheet("other")
    place = table.with_suffix(".xlsx")
    book.save(place)
    extract(place, "a.h5", encoder=FakeEncoder())
    assert_as_in_the_table(metadata("a.h5"))
    assert any("more sheets (other)" in note for note in open_dataset(place).notes)
    place.write_bytes(b"no workbook")
    with pytest.raises(ManifestError, match=r"as \.xlsx"):
        open_dataset(place)


def test_parquet_columns_are_kept_and_lists_are_not(table, workspace):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    place = table.with_suffix(".parquet")
    pandas.DataFrame(
        {"path": ["0.png", "1.png"], "depth": [1.5, None], "site": ["x", None], "odd": [[1], [2]]}
    ).to_parquet(place)
    extract(place, "a.h5", encoder=FakeEncoder())
    found = metadata("a.h5")
    assert list(found) == ["depth", "site"]
    np.testing.assert_array_equal(found["depth"], [1.5, np.nan])
    assert found["site"] == ["x", ""]


def test_what_the_json_in_a_tar_says_is_kept(table, workspace):
    with tarfile.open("a.tar", "w") as tar:
        for seed in range(2):
            about = {"label": "cod", "site": f"s{seed}", "depth": seed, "tags": ["x"], "by": None}
            for name, data in (
                (f"{seed}.png", (table.parent / f"{seed}.png").read_bytes()),
                (f"{seed}.json", json.dumps(about).encode()),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    extract("a.tar", "a.h5", encoder=FakeEncoder())
    assert metadata("a.h5") == {"site": ["s0", "s1"], "depth": [0, 1], "by": ["", ""]}


def test_they_go_out_and_come_back(table, workspace):
    extract(table, "a.h5", encoder=FakeEncoder())
    with FeatureStore.open("a.h5") as store:
        export_store(store, "a.npz")
    import_features("a.npz", "b.h5")
    assert_as_in_the_table(metadata("b.h5"))
    arrays = {"features": np.eye(3), "site": ["a", "NA", "c"], "id": np.array([2**60, 1, 2])}
    import_features(arrays, "c.h5")
    assert metadata("c.h5") == {"site": ["a", "", "c"], "id": [str(2**60), "1", "2"]}


def test_info_lists_them(table, workspace, capsys):
    extract(table, "a.h5", encoder=FakeEncoder())
    with pytest.raises(SystemExit):
        main(["info", "a.h5"])
    told = capsys.readouterr()
    assert "metadata: site (text, 2 values, 1 missing), depth (number" in told.out + told.err
    with pytest.raises(SystemExit):
        main(["info", "a.h5", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["metadata"]["depth"] == {"type": "number", "missing": 1, "values": 2}


def test_exif_is_kept_with_other_metadata_where_it_is_asked_for(workspace):
    found = Image.Exif()
    found[0x0110] = "GoPro"
    found.get_ifd(0x8825).update({1: "S", 2: (1.0, 30.0, 0.0)})
    (workspace / "p").mkdir()
    Image.new("RGB", (40, 40), "red").save(workspace / "p/a.jpg", exif=found.tobytes())
    draw(workspace / "p/b.png", 1)
    result = extract("p", "p.h5", encoder=FakeEncoder(), exif=True)
    assert result.metadata == ("time", "camera", "latitude", "longitude")
    assert any("EXIF tells the time of 0 and the place of 1 of 2 images" in n for n in result.notes)
    with FeatureStore.open("p.h5") as store:
        assert store.metadata["camera"].tolist() == ["GoPro", ""]
        assert store.metadata["latitude"][0] == -1.5
        assert np.isnan(store.metadata["latitude"][1])


def test_a_later_extract_keeps_what_only_the_store_has(workspace):
    for seed in range(3):
        draw(workspace / "p" / f"{seed}.png", seed)
    table = workspace / "p" / "table.csv"
    table.write_text("path,label,site,depth\n0.png,cod,reef,3\n1.png,eel,bay,\n2.png,cod,,7\n")
    extract(table, "p.h5", encoder=FakeEncoder(), exif=True)
    before = metadata("p.h5")
    assert set(before) == {"site", "depth", *EXIF_COLUMNS}

    table.unlink()
    (workspace / "p" / "0.png").rename(workspace / "p" / "moved.png")
    draw(workspace / "p" / "new.png", 9)
    (workspace / "p" / "copy.png").write_bytes((workspace / "p" / "1.png").read_bytes())
    messages = Messages()
    extract("p", "p.h5", encoder=FakeEncoder(), reporter=messages)
    with FeatureStore.open("p.h5") as store:
        site = dict(zip(store.paths, store.metadata["site"].tolist(), strict=True))
        depth = dict(zip(store.paths, store.metadata["depth"].tolist(), strict=True))
        assert set(store.metadata) == set(before)
    assert site == {"moved.png": "reef", "1.png": "bay", "2.png": "", "new.png": "", "copy.png": ""}
    assert (depth["moved.png"], depth["2.png"]) == (3, 7)
    assert np.isnan(depth["new.png"])
    assert any("kept metadata that only the store has: site, depth, time" in m for m in messages)


def test_what_a_table_says_now_wins(workspace):
    draw(workspace / "p" / "0.png", 0)
    table = workspace / "p" / "table.csv"
    table.write_text("path,site,note\n0.png,reef,x\n")
    extract(table, "p.h5", encoder=FakeEncoder())
    table.write_text("path,site\n0.png,\n")
    extract(table, "p.h5", encoder=FakeEncoder())
    assert metadata("p.h5") == {"site": [""], "note": ["x"]}
