"""The unmodified `ollama` package of Python against `mock-ollama serve`.

Usage: ollama_python.py MOCK_OLLAMA RECORDINGS
"""

import contextlib
import json
import pathlib
import subprocess
import sys
import time

import ollama

PROMPT = "What is a bridge?"  # no recording has it: any of its path answers


def recorded(file, text_of):
    """The text of a recording's first exchange."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    end = next(n for n, line in enumerate(lines) if isinstance(line, dict) and "end" in line)
    chunks = [line[1] for line in lines[:end] if isinstance(line, list)]
    return "".join(text_of(json.loads(chunk)) for chunk in chunks)


def streamed(answer, text_of):
    """The text of a stream, which has to arrive token by token and not at once."""
    pieces, times = [], []
    for part in answer:
        times.append(time.monotonic())
        pieces.append(text_of(part))
    assert part.done, part
    assert len(pieces) >= 5, f"{len(pieces)} pieces"
    distinct = sum(later - earlier > 0.0005 for earlier, later in zip(times, times[1:]))
    assert distinct >= len(pieces) // 2, f"{distinct} of {len(pieces)} tokens arrived apart from their predecessor"
    return "".join(pieces)


def check(client, recordings):
    response = lambda part: part["response"]
    content = lambda part: part["message"]["content"]
    expected = {
        response: recorded(recordings / "small-greedy.jsonl", response),
        content: recorded(recordings / "small-multibyte.jsonl", content),
    }
    messages = [{"role": "user", "content": PROMPT}]

    text = streamed(client.generate("llama3", PROMPT, stream=True), response)
    assert text == expected[response], text
    text = streamed(client.chat("llama3", messages, stream=True), content)
    assert text == expected[content], text
    whole = client.generate("llama3", PROMPT, stream=False)
    assert whole.response == expected[response] and whole.done, whole
    whole = client.chat("llama3", messages, stream=False)
    assert whole.message.content == expected[content] and whole.done, whole

    models = [model.model for model in client.list().models]
    assert models == ["quill-small:latest"], models
    assert "completion" in client.show("quill-small").capabilities
    running = [model.model for model in client.ps().models]
    assert set(running) <= set(models), running


def check_miss(client):
    try:
        client.generate("llama3", PROMPT)
    except ollama.ResponseError as error:
        assert error.status_code == 404, error
        assert "llama3" in error.error, error
    else:
        raise AssertionError("a model that is not on offer answered")


@contextlib.contextmanager
def serving(server, *args):
    """A client of a server of its own."""
    command = [server, "serve", "--listen", "127.0.0.1:0", *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().removeprefix("listening on ").strip()
            yield ollama.Client(host=url, timeout=30)
        finally:
            process.terminate()
    assert process.returncode == 0, f"the server ended with {process.returncode}"


def main():
    server, recordings = sys.argv[1], pathlib.Path(sys.argv[2])
    offered = [recordings / name for name in ("small-greedy.jsonl", "small-multibyte.jsonl")]
    with serving(server, "--match", "any", "--pace", "x4", *offered) as client:
        check(client, recordings)
    with serving(server, *offered) as client:
        check_miss(client)
    print("the Python package is served as by Ollama")


main()
