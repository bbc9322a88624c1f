"""Where samples come from: folders, manifests, tars, boxes."""
