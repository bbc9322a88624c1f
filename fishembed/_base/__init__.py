"""What every room may use and none should write again: arrays, files, tables, paths, progress."""
