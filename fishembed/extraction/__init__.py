"""Images through an encoder into a store: what is new, and the way it goes."""

from fishembed.extraction.encode_images import EncodedImages, encode_images
from fishembed.extraction.extract import extract
from fishembed.extraction.extract_several import extract_several
from fishembed.extraction.extraction_result import Extraction
from fishembed.extraction.ray.ray_engine import RayEngine

__all__ = [
    "EncodedImages",
    "Extraction",
    "RayEngine",
    "encode_images",
    "extract",
    "extract_several",
]
