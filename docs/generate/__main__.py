"""`make docs`: write all generated pages."""

from generate.pages import pages

for path, text in pages().items():
    path.write_text(text, encoding="utf-8")
