"""The unmodified Python package `ollama` against recordings: their texts, token by token."""

import json
import pathlib
import threading
import time

import ollama
from check import Checks

RECORDINGS = pathlib.Path(__file__).parents[3] / "mock-ollama" / "fixtures" / "recordings"
PROMPT = "What is a bridge?"  # no recording has it: any of its path answers
MESSAGES = [{"role": "user", "content": PROMPT}]

TRIES = 3
MAX_STALL_S = 0.2  # an answer takes two seconds: what is shorter cannot make it look as if all had come at once

checks = Checks("ollama")
same = checks.same
client = ollama.Client(timeout=30)  # reads OLLAMA_HOST


def response(part):
    return part["response"]


def content(part):
    return part["message"]["content"]


def recorded(name, text_of):
    """The text of a recording's first exchange."""
    lines = [json.loads(line) for line in (RECORDINGS / name).read_text().splitlines()]
    end = next(n for n, line in enumerate(lines) if isinstance(line, dict) and "end" in line)
    return "".join(text_of(json.loads(line[1])) for line in lines[:end] if isinstance(line, list))


class Stalls:
    """Measures for how long this host ran nothing of this process: sleeps that were too long."""

    def __enter__(self):
        self.seconds, self.running = 0, True
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while self.running:
            begun = time.monotonic()
            time.sleep(0.01)
            self.seconds += max(0, time.monotonic() - begun - 0.02)

    def __exit__(self, *_):
        self.running = False
        self.thread.join()


def streamed(label, ask, text_of, expected):
    """A stream, which has to arrive token by token and not at once. Where the host stood still, it is asked for again."""
    for _ in range(TRIES):
        pieces, times = [], []
        with Stalls() as stalls:
            for part in ask():
                times.append(time.monotonic())
                pieces.append(text_of(part))
        apart = sum(later - earlier > 0.0005 for earlier, later in zip(times, times[1:]))
        one_by_one = len(pieces) >= 5 and apart >= len(pieces) // 2
        if one_by_one or stalls.seconds <= MAX_STALL_S:
            break
    same(label, "".join(pieces), expected)
    label = f"{label}: token by token"
    if one_by_one or stalls.seconds <= MAX_STALL_S:
        same(label, one_by_one, True)
    else:
        checks.undecided(label, f"the host stood still for {stalls.seconds:.1f} s")


def generate():
    expected = recorded("small-greedy.jsonl", response)
    streamed("generate, streamed", lambda: client.generate("llama3", PROMPT, stream=True), response, expected)
    same("generate, whole", client.generate("llama3", PROMPT).response, expected)


def chat():
    expected = recorded("small-multibyte.jsonl", content)
    streamed("chat, streamed", lambda: client.chat("llama3", MESSAGES, stream=True), content, expected)
    same("chat, whole", client.chat("llama3", MESSAGES).message.content, expected)


def models():
    same("list", [model.model for model in client.list().models], ["quill-small:latest"])
    same("show", "completion" in client.show("quill-small").capabilities, True)


checks.run(generate, chat, models)
