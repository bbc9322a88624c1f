"""Files elsewhere: over HTTP, in object stores, and how their places are written without keys."""
