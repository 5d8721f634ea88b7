"""Model files to graphs. Every file is untrusted: only ``ModelError`` leaves an importer."""
