"""Draw pictures: one shape each, of one colour, in one corner of a white ground."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 160, 60),
    "blue": (40, 70, 220),
    "yellow": (240, 210, 30),
    "purple": (150, 40, 170),
}
SHAPES = ("circle", "square", "triangle", "cross")
PLACES = {"top left": (0, 0), "top right": (1, 0), "bottom left": (0, 1), "bottom right": (1, 1)}
SIDE = 96  # pixels
HALF = SIDE // 2
_RADIUS = 15, 20  # pixels


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a picture shows."""

    colour: str
    shape: str
    place: str

    def __str__(self) -> str:
        return f"{self.colour} {self.shape}, {self.place}"

    def draw(self, random: np.random.Generator) -> Image.Image:
        """Draw it, a little elsewhere and a little larger or smaller each time, in a shade of its colour."""
        picture = Image.new("RGB", (SIDE, SIDE), "white")
        radius = int(random.integers(*_RADIUS))
        jitter = random.integers(-(HALF // 2 - radius), HALF // 2 - radius + 1, 2)
        x, y = (HALF // 2 + HALF * at + int(by) for at, by in zip(PLACES[self.place], jitter, strict=True))
        shade = np.clip(np.array(COLOURS[self.colour]) + random.integers(-20, 21, 3), 0, 255)
        draw_shape(picture, self.shape, (x, y), radius, (int(shade[0]), int(shade[1]), int(shade[2])))
        return picture


def draw_shape(picture: Image.Image, shape: str, middle: tuple[int, int], r: int, colour: tuple[int, int, int]) -> None:
    """Draw one of the shapes with radius `r`."""
    on, (x, y) = ImageDraw.Draw(picture), middle
    box = (x - r, y - r, x + r, y + r)
    if shape == "circle":
        on.ellipse(box, fill=colour)
    elif shape == "square":
        on.rectangle(box, fill=colour)
    elif shape == "triangle":
        on.polygon([(x, y - r), (x + r, y + r), (x - r, y + r)], fill=colour)
    else:
        on.rectangle((x - r, y - r // 3, x + r, y + r // 3), fill=colour)
        on.rectangle((x - r // 3, y - r, x + r // 3, y + r), fill=colour)


def drawings(count: int, seed: int = 0) -> Iterator[tuple[Drawing, Image.Image]]:
    """Draw pictures in which each colour, shape and place is as frequent as any other."""
    random = np.random.default_rng(seed)
    all_ = [Drawing(*parts) for parts in itertools.product(COLOURS, SHAPES, PLACES)]
    for number in range(count):
        drawing = all_[number % len(all_)]
        yield drawing, drawing.draw(random)
