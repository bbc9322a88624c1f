"""Reading and decoding images for the encoder, in threads or processes."""
