"""The unmodified Python package `ollama` against recordings: their texts, token by token."""

import json
import pathlib
import time

import ollama
from check import Checks

RECORDINGS = pathlib.Path(__file__).parents[3] / "fixtures" / "recordings"
PROMPT = "What is a bridge?"  # no recording has it: any of its path answers
MESSAGES = [{"role": "user", "content": PROMPT}]

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


def streamed(label, answer, text_of, expected):
    """A stream, which has to arrive token by token and not at once."""
    pieces, times = [], []
    for part in answer:
        times.append(time.monotonic())
        pieces.append(text_of(part))
    same(label, "".join(pieces), expected)
    apart = sum(later - earlier > 0.0005 for earlier, later in zip(times, times[1:]))
    same(f"{label}: token by token", len(pieces) >= 5 and apart >= len(pieces) // 2, True)


def generate():
    expected = recorded("small-greedy.jsonl", response)
    streamed("generate, streamed", client.generate("llama3", PROMPT, stream=True), response, expected)
    same("generate, whole", client.generate("llama3", PROMPT).response, expected)


def chat():
    expected = recorded("small-multibyte.jsonl", content)
    streamed("chat, streamed", client.chat("llama3", MESSAGES, stream=True), content, expected)
    same("chat, whole", client.chat("llama3", MESSAGES).message.content, expected)


def models():
    same("list", [model.model for model in client.list().models], ["quill-small:latest"])
    same("show", "completion" in client.show("quill-small").capabilities, True)


checks.run(generate, chat, models)
