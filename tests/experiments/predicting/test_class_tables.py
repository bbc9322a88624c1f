from __future__ import annotations

import sys

import pytest

from fishembed.errors import FishembedError, InputError, MissingExtraError
from fishembed.experiments.predicting.class_tables import (
    fill_taxonomy,
    read_class_names,
    read_taxonomy,
    write_taxonomy,
)

ANSWERS = {
    "Gadus morhua": {
        "diagnostics": {"matchType": "EXACT"},
        "classification": [
            {"rank": "KINGDOM", "name": "Animalia"},
            {"rank": "FAMILY", "name": "Gadidae"},
            {"rank": "GENUS", "name": "Gadus"},
        ],
    },
    "Anguilla anguilla": {"matchType": "EXACT", "genus": "Anguilla", "family": "Anguillidae"},
}


def lookup(name):
    return ANSWERS.get(name, {"diagnostics": {"matchType": "NONE"}})


def test_taxa_come_from_the_backbone_and_are_read_again(workspace):
    names = ["Gadus morhua", "Anguilla_anguilla", "rock"]
    rows, missing = fill_taxonomy(names, lookup=lookup)
    assert rows[0] == ["Gadus morhua", "Gadus", "Gadidae", "", "", "", "Animalia"]
    assert rows[1][1:3] == ["Anguilla", "Anguillidae"]
    assert missing == ["rock"]
    write_taxonomy(workspace / "taxa.csv", rows)
    taxa, absent = read_taxonomy(workspace / "taxa.csv", names)
    assert taxa.ranks == ("genus", "family", "kingdom")
    assert absent == []


def test_ranks_stand_from_narrow_to_broad_whatever_the_table_is_like(workspace):
    (workspace / "gbif.csv").write_text(
        "kingdom,class,species,Genus,common name,taxonKey\n"
        "Animalia,Teleostei,Gadus morhua,Gadus,cod,1\n"
        "Animalia,Teleostei,Anguilla anguilla,Anguilla,eel,2\n"
    )
    taxa, absent = read_taxonomy(workspace / "gbif.csv", ["Anguilla anguilla", "Gadus morhua"])
    assert taxa.ranks == ("genus", "class", "kingdom")
    assert taxa.parents[0] == ("Anguilla", "Gadus")
    assert absent == []
    write_taxonomy(workspace / "taxa.csv", [["cod", "g", "f", "o", "c", "p", "k"]])
    ranks = read_taxonomy(workspace / "taxa.csv", ["cod"])[0].ranks
    assert ranks == ("genus", "family", "order", "taxonomic_class", "phylum", "kingdom")
    (workspace / "guild.csv").write_text("class,guild,realm\ncod,hunters,sea\n")
    assert read_taxonomy(workspace / "guild.csv", ["cod"])[0].ranks == ("guild", "realm")


def test_without_a_network_the_genus_comes_from_the_name():
    rows, missing = fill_taxonomy(["Lutjanus kasmira", "cod"], offline=True)
    assert rows[0][:3] == ["Lutjanus kasmira", "Lutjanus", ""]
    assert missing == ["cod"]

    def unreachable(name):
        raise OSError("no route to host")

    with pytest.raises(FishembedError, match=r"no route to host.*--offline"):
        fill_taxonomy(["Gadus morhua"], lookup=unreachable)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygbif", None)
    with pytest.raises(MissingExtraError, match=r"fishembed\[taxonomy\]"):
        fill_taxonomy(["Gadus morhua"])


def test_names_are_read_from_a_list_or_a_column(workspace):
    (workspace / "list.txt").write_text("cod\neel\ncod\n", encoding="utf-8")
    assert read_class_names(workspace / "list.txt") == ["cod", "eel"]
    (workspace / "m.csv").write_text("path,label\na,cod\nb,ray\n", encoding="utf-8")
    assert read_class_names(workspace / "m.csv") == ["cod", "ray"]
    (workspace / "empty.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="names no class"):
        read_class_names(workspace / "empty.csv")
