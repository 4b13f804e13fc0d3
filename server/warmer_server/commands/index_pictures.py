"""Find the pictures below the paths of `warmer index --image-model`, with what is said of them, and embed them."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from warmer.embedding.retrievers import load_image_embedder
from warmer.errors import IngestError
from warmer.ingest import Skipped, SourceFile, find_files
from warmer.ingest.bounded import Limits, read_files
from warmer.ingest.kinds import Kind
from warmer.ingest.section import Section
from warmer.passage import Passage
from warmer.pictures import SUFFIXES
from warmer.publishing.pictures import PictureEmbedder
from warmer_server.models import load_image_pair

_KINDS: dict[str, Kind] = {**dict.fromkeys(SUFFIXES, "picture"), ".json": "data"}
_DOCUMENTS = {".md", ".markdown", ".mdown", ".mkd", ".mdx", ".html", ".htm", ".xhtml"}
_CAPTIONS = {".txt", ".json"}


class Pictures:
    """The pictures below some roots.

    Args:
        roots: Paths by label.
        limits: What reading one file may take.
        left_out: Collects what is not read, and why.
        include: Patterns as in a .gitignore; only matching files are read.
        exclude: Patterns of files and folders to leave out.
    """

    def __init__(
        self,
        roots: Mapping[str, Path],
        limits: Limits,
        left_out: Skipped,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> None:
        self._limits = limits
        self.left_out = left_out
        self._shown: list[SourceFile] = []
        self._beside: list[Path] = []
        self._said: defaultdict[str, dict[str, None]] = defaultdict(dict)  # by the real path of a picture
        self.files: dict[str, list[SourceFile]] = {
            label: list(self._find(find_files(root, label, left_out, include=include, exclude=exclude, kinds=_KINDS)))
            for label, root in roots.items()
        }
        named = {one for path in self.sources.values() for one in (path, path.with_suffix(""))}
        for path in self._beside:
            if path.with_suffix("") not in named:
                self.left_out.add("no picture", f"*{path.suffix.lower()}")

    @property
    def sources(self) -> dict[str, Path]:
        """Source -> path of each picture."""
        return {file.source: file.path for file in chain.from_iterable(self.files.values())}

    def read(self, label: str) -> Iterator[Passage]:
        """Check the pictures of a root; a broken one is left out by name."""
        documents, self._shown = self._shown, []  # those of all roots, with the first of these
        for file, sections in read_files([*documents, *self.files[label]], self._limits):
            if file.kind == "shown":
                self._note(file, sections)
            elif isinstance(sections, IngestError):
                self.left_out.add_unread(sections.reason, str(sections), file.source)
            else:
                [one] = sections
                text = one.text or "\n".join(self._said.get(os.path.realpath(file.path), ()))
                yield Passage(text, one.title, file.source, 1, file.url, picture=one.picture)

    def embedder(self, model: str) -> PictureEmbedder:
        """Load the model that embeds them.

        Raises:
            EmbeddingError: It cannot be loaded, or sees no pictures.
        """
        return PictureEmbedder(load_image_embedder(model, load_image_pair), self.sources, self._limits.max_bytes)

    def _find(self, files: Iterator[SourceFile]) -> Iterator[SourceFile]:
        for file in files:
            suffix = file.path.suffix.lower()
            if file.kind == "picture":
                yield file
            elif suffix in _DOCUMENTS:
                self._shown.append(replace(file, kind="shown"))
            elif suffix in _CAPTIONS:
                self._beside.append(file.path)
            else:
                self.left_out.add("no picture", f"*{suffix}")

    def _note(self, file: SourceFile, sections: list[Section] | IngestError) -> None:
        """Note what a document says of the pictures that it shows, each text once."""
        for one in [] if isinstance(sections, IngestError) else sections:
            self._said[os.path.realpath(file.path.parent / one.title)][one.text] = None
