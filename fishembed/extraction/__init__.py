"""Extraction: encode the new images of a dataset into a store."""

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
