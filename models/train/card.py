"""Write the measured tables into a model's CARD.md, between two marks; the words around them are people's."""

from pathlib import Path

BEGIN, END = "<!-- figures: written by models.train.evaluate -->", "<!-- end of figures -->"

WORDS = f"""\
# falling-object: what it is, what it was found to do, and where it ends

A network of some 65 000 weights that judges a finished track: ten pictures of 32 × 32 px along the way (luma, and
what differs from the background) and the path as sixteen curves and facts. It says how likely the track is a falling
object, a bird or insect, rain or snow or a drip, foliage or cloth or flickering light, or a vehicle or person.

**Made** by `python -m models.train` from rendered streets alone: no recorded video, nobody's data. `model.toml`
names the seed; the threshold comes from the validation split and lets 0.4 % of its other tracks pass.

**For** cameras that look at a facade from below, 12 to 30 frames a second, luma of 720p to 1440p. **Not for**
moving cameras, cameras that look down, or deciding anything about a person: it says that something fell and from
which floor, not who let it fall.

## Figures

Measured on the test split of our own renderer: facade styles and camera settings (tone curve, denoising, encoder
preset, flutter) that are in neither the training nor the validation split, 1920 × 1080 at 25 frames a second, H.264
at 1 to 6 Mb/s. Intervals are Wilson's at 95 %, bounds of rates Poisson's.

{BEGIN}
{END}

## Limits, plainly

- All figures but those said to be real footage are of a simulation. It renders every cause of false alarms that we
  found named anywhere, but a street has others. Expect field figures to be worse until somebody has measured them.
- False alarms a day are a claim about our hard-negative streams, in which something goes on all the time. A quiet
  facade gives fewer, a cause that we did not think of may give more.
- The figures of published benchmarks (FADE) are of real recordings that can't be had freely; ours are of other data
  and must not be set beside them as if they were the same.
- What is smaller than 2 px or fainter than 10 grey levels is mostly not found, nor what the camera's own noise
  reduction or an encoder at less than 1 Mb/s has wiped away. Thin plastic and paper that drift slower than 2 m/s look
  like birds and leaves, and are often judged so.
- Where birds, leaves or drops look like falls all the time, the watcher asks for more. Clips of 6 s give it no time to,
  so the recall above is that of a quieter street.
- An empty shaft of light, a thrown ball and a bird that dives steeply and far can look exactly like a fall.
- The floor is where the path leads back to. When the first metres are hidden it is a guess with a wide range.
"""


def filled(text: str, tables: str, note: str) -> str:
    """Return a card with the tables between the marks; raise ValueError when it has no marks."""
    if BEGIN not in text or END not in text:
        raise ValueError("the card has no place for figures")
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n\n{note}\n\n{tables}\n\n{END}{rest.split(END, 1)[1]}"


def write(path: Path, tables: str, *, clips: int, hours: object) -> None:
    """Put the tables into a card; a card that is not there yet gets our words."""
    text = path.read_text(encoding="utf-8") if path.exists() else WORDS
    note = f"{clips} clips with one fall each, and {hours} camera-hours in which nothing falls."
    path.write_text(filled(text, tables, note), encoding="utf-8")
