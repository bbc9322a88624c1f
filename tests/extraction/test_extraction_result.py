"""What was read is said in one sentence, with what was left out and what to type next."""

from __future__ import annotations

from fishembed.extraction.engine import Seconds, StageTimes
from fishembed.extraction.extraction_result import Extraction, unread_kinds

HEIC = "HEIC is not read without pillow-heif: pip install 'fishembed[heic]'"


def extraction(**facts) -> Extraction:
    stages = StageTimes(Seconds(), 0.0, workers=1, lanes=1, device="cpu", batch_size=1)
    known = {
        "store": "my cache/fish.h5",
        **dict.fromkeys(("new", "changed", "removed"), 0),
        "skipped_files": (),
        "text_keys": (),
        "seconds": 1.0,
        "encoder": "fake",
        "device": "cpu",
        "wrote": True,
        "stages": stages,
    }
    return Extraction(**{**known, **facts})


def test_the_sentence_names_classes_splits_metadata_and_what_was_left_out():
    result = extraction(
        rows=3187,
        classes={"Zanclus cornutus": 27, "Dascyllus reticulatus": 1029, **dict.fromkeys("abc", 710)}
        | {"d": 1},
        splits={"train": 1753, "val": 556, "test": 878},
        metadata=("site", "date"),
        left_out=tuple((f"x/{i}.HEIC", HEIC) for i in range(412)),
    )
    assert result.sentence == (
        "3,187 images of 6 classes (Dascyllus reticulatus 1,029 … d 1); train 1,753, val 556, test "
        "878; metadata: site, date; 412 .heic left out: pip install 'fishembed[heic]'"
    )
    assert result.next_command == "fishembed fit 'my cache/fish.h5'"


def test_the_sentence_of_boxes_and_of_images_without_classes():
    assert extraction(rows=5, boxes=3, splits={"": 5}).sentence == (
        "2 images and 3 boxes without classes; no splits"
    )
    result = extraction(rows=5, classes={"cod": 4}, splits={"train": 3, "": 2})
    assert result.sentence == (
        "5 images of 1 class (cod 4); 1 without a class; train 3, no split 2"
    )
    assert result.next_command == "fishembed cluster 'my cache/fish.h5'"


def test_kinds_are_counted_by_ending_in_any_case():
    kinds = unread_kinds([("a.HEIC", HEIC), ("b.heic", HEIC), ("c.png", "a mask of another")])
    assert kinds == {
        ".heic": {"count": 2, "reason": HEIC, "install": "pip install 'fishembed[heic]'"}
    }
