"""Tables: text in any encoding and dialect, read and written in one place."""
