"""Models of the hub that want more than to be weights."""

from __future__ import annotations

import copy
import pickle

import pytest
from fake_hub import CLIP, COMMIT, EVIL, FakeHub, clip_weights

from fishembed.encoders import EncoderSpec, Preprocessing, parse_name
from fishembed.encoders.hub_models import revision_of
from fishembed.errors import UnknownEncoderError

LOAD = """
from fishembed import load_encoder
from fishembed.errors import FishembedError
for name in {names!r}:
    try:
        encoder = load_encoder(name, device="cpu")
        print("loaded", encoder.spec.revision, encoder.encode_texts(["a"]) is None)
    except FishembedError as error:
        print("refused:", error)
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return clip_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def hub(tmp_path):
    return FakeHub(tmp_path)


def _config(**texts: object) -> dict[str, object]:
    model = copy.deepcopy(CLIP)
    model["text_cfg"] |= texts
    return {"model_cfg": model, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}


def _load(hub: FakeHub, *names: str, **environment: str) -> str:
    done = hub.run(LOAD.format(names=names), **environment)
    assert not done.returncode, done.stderr
    assert not hub.evil.exists(), "code of the model ran"
    return done.stdout


def test_a_model_is_loaded_and_its_revision_kept(hub, weights):
    hub.add("me/clip", {"open_clip_config.json": _config(), "open_clip_model.safetensors": weights})
    said = _load(hub, "hf-hub:me/clip", f"hf-hub:me/clip@{COMMIT}", "hf-hub:me/clip@another")
    newest, same, other = said.splitlines()
    assert newest == same == f"loaded {COMMIT} False"
    assert other.startswith("refused:")


@pytest.mark.parametrize("answer", ["", "yes"])
def test_a_tokenizer_runs_no_code_whatever_the_configuration_says(hub, weights, answer):
    hub.add_transformers()
    kwargs = {"trust_remote_code": True}
    config = _config(hf_tokenizer_name="evil/clip", tokenizer_kwargs=kwargs)
    files = {"open_clip_config.json": config, "open_clip_model.safetensors": weights}
    hub.add("evil/clip", {**files, "evil.py": EVIL})
    said = _load(hub, "hf-hub:evil/clip", ASK_NOBODY=answer)
    assert said.startswith("refused:")
    assert ("wants to run code" if answer else "trust_remote_code") in said


@pytest.mark.slow
def test_a_configuration_leads_nowhere_else(hub, weights):
    texts = {
        "bpe_path": {"tokenizer_kwargs": {"bpe_path": "/etc/passwd"}},
        "auto_map": {"tokenizer_kwargs": {"auto_map": {"AutoTokenizer": "evil.E"}}},
        "from '/etc', which is no model": {"hf_tokenizer_name": "/etc"},
        "from '../elsewhere', which is no model": {"hf_model_name": "../elsewhere"},
        "from 'hub', which is no model": {"hf_model_name": "hub"},
    }
    configs = {reason: _config(**changed) for reason, changed in texts.items()}
    for network in ("hf-hub:evil/other", "local-dir:/etc"):
        configs[f"of '{network}', which is no network"] = config = _config()
        config["model_cfg"]["vision_cfg"]["timm_model_name"] = network
    for number, config in enumerate(configs.values()):
        files = {"open_clip_config.json": config, "open_clip_model.safetensors": weights}
        hub.add(f"evil/clip{number}", files)
    said = _load(hub, *(f"hf-hub:evil/clip{number}" for number in range(len(configs))))
    for line, reason in zip(said.splitlines(), configs, strict=True):
        assert line.startswith("refused:")
        assert reason in line


class _Evil:
    def __reduce__(self):
        return eval, ("open(__import__('os').environ['EVIL_FILE'], 'w').write('ran')",)


@pytest.mark.slow
def test_weights_that_are_a_pickle_run_nothing(hub):
    data = pickle.dumps({"state_dict": _Evil()})
    hub.add("evil/clip", {"open_clip_config.json": _config(), "open_clip_pytorch_model.bin": data})
    names = ["hf-hub:evil/clip"]
    for number, filename in enumerate(("evil.bin", "pytorch_model.bin")):
        config = {
            "architecture": "test_vit",
            "pretrained_cfg": {"hf_hub_filename": filename, "num_classes": 1000},
        }
        hub.add(f"evil/timm{number}", {"config.json": config, filename: data})
        names.append(f"timm:hf-hub:evil/timm{number}")
    assert [line[:8] for line in _load(hub, *names).splitlines()] == ["refused:"] * 3


@pytest.mark.slow
def test_a_configuration_of_timm_leads_nowhere_else(hub):
    configs = {
        "elsewhere (file)": {"pretrained_cfg": {"file": "/etc/passwd"}},
        "elsewhere (url)": {"pretrained_cfg": {"url": "http://127.0.0.1:1/x"}},
        "elsewhere (custom_load)": {"pretrained_cfg": {"custom_load": "hf"}},
        "not read": {"pretrained_cfg": {"hf_hub_filename": "../../x.bin"}},
        "no network of timm's own": {"architecture": "hf-hub:evil/other"},
        "no plain values": {"model_args": {"checkpoint_path": "/etc/passwd"}},
    }
    for number, changed in enumerate(configs.values()):
        config = {"architecture": "resnet18", "pretrained_cfg": {}, **changed}
        hub.add(f"evil/timm{number}", {"config.json": config, "model.safetensors": b""})
    said = _load(hub, *(f"timm:hf-hub:evil/timm{number}" for number in range(len(configs))))
    for line, reason in zip(said.splitlines(), configs, strict=True):
        assert line.startswith("refused:")
        assert reason in line


def test_names_of_the_hub_have_a_revision():
    name = parse_name("hf-hub:org/name@v1")
    assert (name.architecture, name.repo, name.revision) == ("hf-hub:org/name", "org/name", "v1")
    assert name.needs_trust
    name = parse_name("timm:hf-hub:org/name@v1")
    assert (name.architecture, name.revision, name.kind) == ("hf-hub:org/name", "v1", "timm")
    assert parse_name("ViT-B-32@weights.pt").needs_trust
    for known in ("embedded", "timm:resnet18", "ViT-B-32/openai"):
        assert not parse_name(known).needs_trust
    with pytest.raises(UnknownEncoderError):
        parse_name("local-dir:/tmp/x@weights.pt")


def test_a_revision_is_kept_and_changes_no_identity():
    pixels = Preprocessing(resize=8, crop=8, mean=(0, 0, 0), std=(1, 1, 1))
    plain = EncoderSpec("n", "l", "a", "w", 8, pixels)
    pinned = EncoderSpec("n", "l", "a", "w", 8, pixels, revision=COMMIT)
    assert pinned.fingerprint == plain.fingerprint
    assert "revision" not in plain.to_json()
    assert EncoderSpec.from_json(pinned.to_json()) == pinned
    assert revision_of(f"/x/snapshots/{COMMIT}/a.bin") == COMMIT
    assert revision_of("/x/a.bin") == ""
