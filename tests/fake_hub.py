"""A cache of the hub's client with models that strangers wrote, and a stand-in for transformers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"

EVIL = """
from pathlib import Path
import os
Path(os.environ["EVIL_FILE"]).write_text("ran")
class EvilTokenizer:
    @classmethod
    def from_pretrained(cls, *args, **kwargs):
        return cls()
"""

TRANSFORMERS = '''
"""As far as OpenCLIP uses it: runs code of a repository where that is trusted."""
import json, os
from pathlib import Path
from huggingface_hub import hf_hub_download
from transformers import dynamic_module_utils

__version__ = "9.9"

class PretrainedConfig: pass
class AutoConfig: pass
class AutoModel: pass

class AutoTokenizer:
    @staticmethod
    def from_pretrained(name, trust_remote_code=None, **kwargs):
        if os.environ.get("ASK_NOBODY"):  # as if somebody had answered yes
            trust_remote_code = True
        if not trust_remote_code:
            raise ValueError("it needs trust_remote_code=True")
        return dynamic_module_utils.get_class_in_module("EvilTokenizer", name)()
'''

DOOR = """
import importlib.util
from huggingface_hub import hf_hub_download
TIME_OUT_REMOTE_CODE = 15
def get_class_in_module(name, repo):
    file = hf_hub_download(repo, "evil.py")
    spec = importlib.util.spec_from_file_location("evil", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)
"""

CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "patch_size": 16, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 1},
}


class FakeHub:
    """Models in the cache of the hub's client, which is offline."""

    def __init__(self, home: Path) -> None:
        self.home, self.evil = home, home / "evil.txt"
        self._packages = home / "packages"

    def add(self, repo: str, files: dict[str, object]) -> None:
        """Add a model: files by name, as text, bytes, JSON or an existing file."""
        folder = self.home / "hub" / f"models--{repo.replace('/', '--')}"
        snapshot = folder / "snapshots" / COMMIT
        snapshot.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(COMMIT)
        for name, content in files.items():
            (snapshot / name).write_bytes(_bytes(content))

    def add_transformers(self) -> None:
        """Put the stand-in for transformers where it is imported."""
        package = self._packages / "transformers"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(TRANSFORMERS)
        (package / "dynamic_module_utils.py").write_text(DOOR)

    def run(self, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with this hub and no other."""
        path = os.pathsep.join([str(self._packages), *filter(None, sys.path)])
        own = {
            "HF_HOME": str(self.home),
            "HF_HUB_OFFLINE": "1",
            "EVIL_FILE": str(self.evil),
            "PYTHONPATH": path,
            "PYTHONWARNINGS": "ignore",
        }
        return subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **own, **environment},
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )


def _bytes(content: object) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


def clip_weights(folder: Path) -> Path:
    """Write weights of the small model, as safetensors."""
    import open_clip
    from safetensors.torch import save_file

    config = folder / "small-clip-of-tests.json"
    config.write_text(json.dumps(CLIP))
    open_clip.add_model_config(config)
    weights = folder / "weights.safetensors"
    model = open_clip.create_model("small-clip-of-tests")
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, weights)
    return weights
