"""Sentences of dictation and voice commands over a closed vocabulary."""

import hashlib
import random
import re

HELD_OUT_PERCENT = 12

SLOTS: dict[str, str] = {
    "digit": "zero one two three four five six seven eight nine",
    "number": "two three four five six seven eight nine ten eleven twelve fifteen twenty "
    "thirty forty fifty",
    "hour": "one two three four five six seven eight nine ten eleven twelve",
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "part": "morning afternoon evening",
    "when": "today tomorrow tonight now later again",
    "name": "Anna Peter David Maria Thomas Alice Robert Julia",
    "room": "kitchen bedroom bathroom garden office garage",
    "device": "light lamp heater fan radio television computer camera",
    "opening": "window door curtain gate",
    "media": "music song video movie news",
    "document": "report letter message email invoice picture contract",
    "food": "milk bread coffee sugar butter cheese water apples rice",
    "place": "station airport hospital market school library hotel bank",
    "city": "London Paris Berlin Boston",
    "adjective": "new big small large warm cold long",
    "colour": "red green blue white black yellow",
    "thing": "table chair bottle basket book car key phone",
    "family": "mother father sister brother doctor teacher",
    "edit": "word sentence line paragraph page",
    "unit": "minutes hours",
    "person": "he she",
}

# (weight, template) pairs; a question mark at the end stays, anything else gets a full stop
TEMPLATES: list[tuple[int, str]] = [
    (4, "turn on the {device} in the {room}"),
    (3, "turn off the {device}"),
    (2, "turn off the {device} in the {room}"),
    (3, "switch the {device} to {colour}"),
    (3, "set the alarm for {hour} {number}"),
    (3, "set the timer for {number} {unit}"),
    (2, "cancel the alarm on {day} {part}"),
    (3, "open the {opening} in the {room}"),
    (2, "close the {opening}"),
    (3, "play the {media} in the {room}"),
    (2, "pause the {media} please"),
    (2, "stop the {media} now"),
    (3, "call {name} at {hour}"),
    (2, "call my {family} {when}"),
    (3, "send the {document} to {name}"),
    (3, "send the {document} to my {family} {when}"),
    (2, "print the {document} again"),
    (2, "find the {adjective} {document} from {name}"),
    (2, "show me the {document} from {day}"),
    (3, "add {food} to the shopping list"),
    (3, "add {food} and {food} to the shopping list"),
    (3, "remind me to buy {food} {when}"),
    (3, "remind me to call {name} on {day} {part}"),
    (2, "delete the last {edit}"),
    (1, "new {edit}"),
    (2, "save the {document} and close the {edit}"),
    (2, "move the meeting to {day} at {hour}"),
    (2, "what is the weather in {city} {when}?"),
    (2, "what time is the train to {city}?"),
    (2, "where is the {colour} {thing}?"),
    (2, "who is at the {place} with {name}?"),
    (2, "when is the meeting with {name}?"),
    (2, "how many {unit} is it to the {place}?"),
    (2, "can you check the {document} before {day}?"),
    (3, "the meeting with {name} is on {day} {part}"),
    (3, "the train to {city} leaves at {hour} {number}"),
    (2, "the {colour} {thing} is on the {thing}"),
    (3, "there are {number} {unit} before the meeting"),
    (3, "please finish the {document} before {day} {part}"),
    (3, "please write a {adjective} {document} to {name}"),
    (3, "{name} is going to the {place} {when}"),
    (3, "we are going to {city} on {day}"),
    (2, "I want to go to the {place} with my {family}"),
    (2, "I need a {adjective} {thing} and a {colour} {thing}"),
    (2, "my {family} has a {adjective} {thing} in the {room}"),
    (2, "{person} has {number} {colour} apples"),
    (2, "{person} is at the {place} with the {family}"),
    (2, "the {document} is ready and {name} is late"),
    (2, "thank you for the {document} {name}"),
    (1, "good {part} {name}"),
    (1, "hello {name}"),
    (1, "yes please"),
    (1, "no thank you"),
    (1, "start the {device}"),
]

# Function words are weak or ambiguous out of context, so word salad has none of them.
_SALAD_SLOTS = "digit number day part name room device opening media document food place city "
_SALAD_SLOTS += "adjective colour thing family edit unit"


def _choose(rng: random.Random, slot: str) -> str:
    return rng.choice(SLOTS[slot].split())


def _finish(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text.endswith("?") else text + "."


def _template(rng: random.Random) -> str:
    weights = [weight for weight, _ in TEMPLATES]
    (chosen,) = rng.choices([template for _, template in TEMPLATES], weights)
    return re.sub(r"{(\w+)}", lambda match: _choose(rng, match[1]), chosen)


def _digits(rng: random.Random) -> str:
    return " ".join(_choose(rng, "digit") for _ in range(rng.randint(3, 8)))


def _salad(rng: random.Random) -> str:
    slots = _SALAD_SLOTS.split()
    return " ".join(_choose(rng, rng.choice(slots)) for _ in range(rng.randint(1, 6)))


def sentence(rng: random.Random, *, salad: float = 0.2) -> str:
    """Return one sentence with capital and final mark; `salad` is the share of random words."""
    draw = rng.random()
    if draw < salad:
        return _finish(_salad(rng))
    if draw < salad + 0.13:
        return _finish(_digits(rng))
    return _finish(_template(rng))


def is_held_out(text: str) -> bool:
    """Tell whether a sentence (three words or more) belongs to the part never trained on."""
    if len(text.split()) < 3:
        return False
    digest = hashlib.md5(text.lower().encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def vocabulary() -> set[str]:
    """Return every word the grammar can say, in lower case."""
    words = {word for choices in SLOTS.values() for word in choices.split()}
    for _, template in TEMPLATES:
        words.update(re.sub(r"{\w+}|\?", "", template).split())
    return {word.lower() for word in words}
