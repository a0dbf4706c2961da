"""The unmodified Python package `anthropic`."""

import anthropic
from check import HOST, Checks

checks = Checks("anthropic")
same = checks.same
client = anthropic.Anthropic(base_url=HOST, api_key="ollama", timeout=30)

TOOL = {
    "name": "get_weather",
    "description": "d",
    "input_schema": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
}


def asked(model="llama", text="hi", **more):
    return {"model": model, "max_tokens": 1024, "messages": [{"role": "user", "content": text}], **more}


def messages():
    events = list(client.messages.create(**asked(), stream=True))
    kinds = [event.type for event in events]
    deltas = [event.delta.text for event in events if event.type == "content_block_delta"]
    same("messages, streamed", deltas, ["Hel", "lo", " world"])
    same("messages, streamed: first and last", (kinds[0], kinds[-1]), ("message_start", "message_stop"))
    with client.messages.stream(**asked()) as stream:
        texts = list(stream.text_stream)
        last = stream.get_final_message()
    same("messages, by the helper", (texts, last.content[0].text), (["Hel", "lo", " world"], "Hello world"))
    same("messages, by the helper: the end", (last.stop_reason, last.usage.output_tokens), ("end_turn", 4))
    whole = client.messages.create(**asked())
    same("messages, whole", (whole.content[0].text, whole.stop_reason), ("Hello world", "end_turn"))
    same("messages, whole: usage", (whole.usage.input_tokens, whole.usage.output_tokens), (11, 4))
    same("messages, at a limit", client.messages.create(**asked(text="LENGTH")).stop_reason, "max_tokens")


def tools():
    with client.messages.stream(**asked(text="TOOLCALL", tools=[TOOL])) as stream:
        last = stream.get_final_message()
    found = [(block.type, block.name, block.input) for block in last.content]
    same("tools, streamed", found, [("tool_use", "get_weather", {"city": "Paris"})])
    same("tools, streamed: the end", last.stop_reason, "tool_use")
    whole = client.messages.create(**asked(text="TOOLCALL", tools=[TOOL]))
    same("tools, whole", (whole.content[0].input, whole.stop_reason), ({"city": "Paris"}, "tool_use"))


def thinking():
    budget = {"type": "enabled", "budget_tokens": 1024}
    question = asked(model="think", text="THINKING", thinking=budget) | {"max_tokens": 4096}
    with client.messages.stream(**question) as stream:
        blocks = stream.get_final_message().content
    same("thinking, streamed", [block.type for block in blocks], ["thinking", "text"])
    same("thinking, streamed: texts", (blocks[0].thinking, blocks[1].text), ("let me see", "Answer"))
    blocks = client.messages.create(**question).content
    same("thinking, whole", (blocks[0].thinking, blocks[1].text), ("let me see", "Answer"))


def errors():
    error = checks.error("missing model", anthropic.NotFoundError, lambda: client.messages.create(**asked(model="nope")))
    same("missing model", error.body["error"]["type"], "not_found_error")
    same("missing model: the request's id", error.body["request_id"].startswith("req_"), True)
    # This package asks three times.
    error = checks.error("busy", anthropic.APIStatusError, lambda: client.messages.create(**asked(text="BUSY")))
    busy = {"type": "overloaded_error", "message": "server busy, please try again.  maximum pending requests exceeded"}
    same("busy", (error.status_code, error.body["error"]), (503, busy))
    with client.messages.stream(**asked(text="ERRMID")) as stream:
        last = stream.get_final_message()
    same("error in mid-stream: lost", (last.content[0].text, last.stop_reason), ("Hello", None))


def cancel():
    stream = client.messages.create(**asked(text="SLOW"), stream=True)
    first = next(event for event in stream if event.type == "content_block_delta")
    stream.close()
    same("cancelled after a piece", len(first.delta.text) > 0, True)
    same("an answer after it", client.messages.create(**asked()).content[0].text, "Hello world")


checks.run(messages, tools, thinking, errors, cancel)
