"""The formats that feeds are written in, one module each."""
