"""The parts that all verbs share: options, console output, errors and exit codes."""
