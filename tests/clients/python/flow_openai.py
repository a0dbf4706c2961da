"""The unmodified Python package `openai`."""

import openai
from check import HOST, Checks

checks = Checks("openai")
same = checks.same
client = openai.OpenAI(base_url=f"{HOST}/v1/", api_key="ollama", timeout=30)

WEATHER = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "d", "parameters": WEATHER}}
BUSY = "server busy, please try again.  maximum pending requests exceeded"


def user(text):
    return [{"role": "user", "content": text}]


def chat(model="llama", text="hi", **more):
    return client.chat.completions.create(model=model, messages=user(text), **more)


def chats():
    chunks = list(chat(stream=True, stream_options={"include_usage": True}))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    same("chat, streamed", [delta.content for delta in deltas], ["Hel", "lo", " world", None])
    same("chat, streamed: roles", [delta.role for delta in deltas], ["assistant", None, None, None])
    same("chat, streamed: one id and one time", len({(chunk.id, chunk.created) for chunk in chunks}), 1)
    same("chat, streamed: the end", chunks[-2].choices[0].finish_reason, "stop")
    usage = chunks[-1].usage
    same("chat, streamed: usage", (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (11, 4, 15))
    whole = chat()
    choice = whole.choices[0]
    same("chat, whole", (choice.message.content, choice.finish_reason), ("Hello world", "stop"))
    same("chat, whole: usage", whole.usage.completion_tokens, 4)
    same("chat, at a limit", chat(text="LENGTH").choices[0].finish_reason, "length")
    same("chat: characters", chat(text="HTML").choices[0].message.content, '<b>&\u2028"q\\\t\n\x01\u00e9\U0001f600\x7f/')
    tokens = [entry.token for entry in chat(logprobs=True, top_logprobs=1).choices[0].logprobs.content]
    same("chat: logprobs", tokens, ["Hel", "lo", " world"])


def tools():
    calls = [
        call
        for chunk in chat(text="TOOLCALL", tools=[TOOL], stream=True)
        for call in chunk.choices[0].delta.tool_calls or []
    ]
    found = [(call.index, call.function.name, call.function.arguments) for call in calls]
    same("tools, streamed", found, [(0, "get_weather", '{"city":"Paris"}')])
    choice = chat(model="q3", text="QTOOL", tools=[TOOL]).choices[0]
    found = [call.function.arguments for call in choice.message.tool_calls]
    same("tools, whole", found, ['{"zeta":1,"city":"Paris"}', '{"city":"Rome"}'])
    same("tools, whole: the end", choice.finish_reason, "tool_calls")


def thinking():
    deltas = [chunk.choices[0].delta for chunk in chat(model="think", text="THINKING", stream=True)]
    # `reasoning` is no field of this package, so it is among what it keeps beside them.
    same("thinking, streamed", "".join(getattr(delta, "reasoning", None) or "" for delta in deltas), "let me see")
    same("thinking, streamed: the answer", "".join(delta.content or "" for delta in deltas), "Answer")
    message = chat(model="think", text="THINKING").choices[0].message
    same("thinking, whole", (message.reasoning, message.content), ("let me see", "Answer"))


def completions():
    chunks = list(client.completions.create(model="llama", prompt="hi", stream=True))
    same("completions, streamed", [chunk.choices[0].text for chunk in chunks], ["Hel", "lo", " world", ""])
    same("completions, streamed: the end", chunks[-1].choices[0].finish_reason, "stop")
    whole = client.completions.create(model="llama", prompt="hi")
    same("completions, whole", (whole.choices[0].text, whole.usage.total_tokens), ("Hello world", 15))


def embeddings():
    # By default this package asks for base64.
    answer = client.embeddings.create(model="embedder", input=["hi there", "a"])
    same("embeddings, base64", [len(entry.embedding) for entry in answer.data], [4, 4])
    floats = client.embeddings.create(model="embedder", input=["hi there", "a"], encoding_format="float")
    difference = max(abs(a - b) for a, b in zip(answer.data[0].embedding, floats.data[0].embedding))
    same("embeddings, the same as floats", difference < 1e-6, True)


def models():
    ids = [model.id for model in client.models.list()]
    same("models", {"llama:latest", "embedder:latest"} <= set(ids), True)
    same("models: one", client.models.retrieve("llama").id, "llama")


def responses():
    events = list(client.responses.create(model="think", input="THINKING", stream=True))
    kinds = [event.type for event in events]
    same("responses, streamed: first and last", (kinds[0], kinds[-1]), ("response.created", "response.completed"))
    same("responses, streamed: numbers", [event.sequence_number for event in events], list(range(len(events))))
    texts = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    thoughts = "".join(event.delta for event in events if event.type == "response.reasoning_summary_text.delta")
    same("responses, streamed", (thoughts, texts), ("let me see", "Answer"))
    whole = client.responses.create(model="llama", input="hi")
    same("responses, whole", (whole.output_text, whole.usage.output_tokens), ("Hello world", 4))
    tool = {"type": "function", "name": "get_weather", "parameters": WEATHER, "strict": False}
    called = client.responses.create(model="llama", input="TOOLCALL", tools=[tool]).output
    same("responses: tools", [(item.name, item.arguments) for item in called], [("get_weather", '{"city":"Paris"}')])


def errors():
    error = checks.error("missing model", openai.NotFoundError, lambda: chat(model="nope"))
    same("missing model", (error.body["message"], error.body["type"]), ("model 'nope' not found", "not_found_error"))
    error = checks.error("missing model, streamed", openai.NotFoundError, lambda: chat(model="nope", stream=True))
    same("missing model, streamed", error.body["message"], "model 'nope' not found")
    # This package asks three times.
    error = checks.error("busy", openai.InternalServerError, lambda: chat(text="BUSY"))
    same("busy", (error.status_code, error.body["message"], error.body["type"]), (503, BUSY, "api_error"))
    chunks = list(chat(text="ERRMID", stream=True))
    found = [(chunk.choices[0].delta.content, chunk.choices[0].finish_reason) for chunk in chunks]
    same("error in mid-stream: lost", found, [("Hel", None), ("lo", None), ("", None)])


def cancel():
    stream = chat(text="SLOW", stream=True)
    first = next(iter(stream))
    stream.close()
    same("cancelled after a piece", len(first.choices[0].delta.content) > 0, True)
    same("an answer after it", chat().choices[0].message.content, "Hello world")


checks.run(chats, tools, thinking, completions, embeddings, models, responses, errors, cancel)
