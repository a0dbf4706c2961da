"""The unmodified Python package `ollama`."""

import ollama
from check import Checks

checks = Checks("ollama")
same = checks.same
client = ollama.Client(timeout=30)  # reads OLLAMA_HOST

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "d",
        "parameters": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}},
    },
}


def user(text):
    return [{"role": "user", "content": text}]


def pieces(stream, text_of):
    parts = list(stream)
    return [text_of(part) for part in parts], parts[-1]


def chat():
    texts, last = pieces(client.chat("llama", user("hi"), stream=True), lambda part: part.message.content)
    same("chat, streamed", texts, ["Hel", "lo", " world", ""])
    same("chat, streamed: the end", (last.done, last.done_reason), (True, "stop"))
    same("chat, streamed: counts", (last.prompt_eval_count, last.eval_count), (11, 4))
    durations = [last.load_duration, last.prompt_eval_duration, last.eval_duration]
    same("chat, streamed: durations", all(durations) and last.total_duration >= sum(durations[:1]), True)
    whole = client.chat("llama", user("hi"))
    same("chat, whole", (whole.message.role, whole.message.content, whole.done), ("assistant", "Hello world", True))
    same("chat: the model as it was asked for", client.chat("LLAMA:latest", user("hi")).model, "LLAMA:latest")
    same("chat, at a limit", client.chat("llama", user("LENGTH")).done_reason, "length")
    # U+2028 within a line: this client splits lines there, so it must come escaped.
    texts, last = pieces(client.chat("llama", user("HTML"), stream=True), lambda part: part.message.content)
    html = '<b>&\u2028"q\\\t\n\x01\u00e9\U0001f600\x7f/'
    same("chat, streamed: characters", "".join(texts), html)
    same("chat, whole: characters", client.chat("llama", user("HTML")).message.content, html)
    whole = client.chat("llama", user("hi"), logprobs=True, top_logprobs=1)
    same("chat: logprobs", [entry.token for entry in whole.logprobs], ["Hel", "lo", " world"])


def generate():
    texts, last = pieces(client.generate("llama", "hi", stream=True), lambda part: part.response)
    same("generate, streamed", texts, ["Hel", "lo", " world", ""])
    same("generate, streamed: context", len(last.context) > 0, True)
    whole = client.generate("llama", "hi")
    same("generate, whole", (whole.response, whole.eval_count), ("Hello world", 4))
    same("generate, raw: no context", client.generate("llama", "hi", raw=True).context, None)
    same("generate: nothing said", client.generate("llama", "EMPTYGEN").response, "")


def tools():
    parts = list(client.chat("llama", user("TOOLCALL"), tools=[WEATHER], stream=True))
    calls = [call.function for part in parts for call in part.message.tool_calls or []]
    same("tools, streamed", [(call.name, dict(call.arguments)) for call in calls], [("get_weather", {"city": "Paris"})])
    same("tools, streamed: the end", parts[-1].done_reason, "stop")
    whole = client.chat("q3", user("QTOOL"), tools=[WEATHER]).message
    found = [(call.function.name, dict(call.function.arguments)) for call in whole.tool_calls]
    same("tools, whole", found, [("get_weather", {"zeta": 1, "city": "Paris"}), ("get_weather", {"city": "Rome"})])
    same("tools, whole: beside text and thinking", (whole.content, whole.thinking), ("Sure thing.", "\nhmm ok"))


def thinking():
    parts = list(client.chat("think", user("THINKING"), think=True, stream=True))
    same("thinking, streamed", "".join(part.message.thinking or "" for part in parts), "let me see")
    same("thinking, streamed: the answer", "".join(part.message.content or "" for part in parts), "Answer")
    whole = client.chat("think", user("THINKING"))
    same("thinking, whole", (whole.message.thinking, whole.message.content), ("let me see", "Answer"))
    whole = client.generate("think", "THINKING")
    same("thinking, generate", (whole.thinking, whole.response), ("let me see", "Answer"))


def embeddings():
    answer = client.embed("embedder", "hi there")
    lengths = [round(sum(number * number for number in vector), 4) for vector in answer.embeddings]
    same("embed", (lengths, answer.prompt_eval_count), ([1.0], 2))
    same("embed, two", len(client.embed("embedder", ["a", "b"]).embeddings), 2)
    same("embeddings", len(client.embeddings("embedder", "hi").embedding), 4)


def models():
    listed = {model.model: model for model in client.list().models}
    same("list", {"llama:latest", "think:latest", "embedder:latest"} <= set(listed), True)
    same("list: digests", {len(model.digest) for model in listed.values()}, {64})
    same("list: details", listed["llama:latest"].details.family, "llama")
    shown = client.show("think")
    same("show", set(shown.capabilities), {"completion", "thinking"})
    same("show: facts", shown.modelinfo["general.architecture"], "llama")
    client.generate("llama", "hi", keep_alive="5m")
    same("ps", "llama:latest" in [model.model for model in client.ps().models], True)
    same("load", client.generate("llama").done_reason, "load")
    same("unload", client.generate("llama", keep_alive=0).done_reason, "unload")
    client.copy("llama", "copied")
    same("copy", "copied:latest" in [model.model for model in client.list().models], True)
    client.delete("copied")
    same("delete", "copied:latest" in [model.model for model in client.list().models], False)


def pull():
    statuses = [part.status for part in client.pull("llama", stream=True)]
    same("pull, streamed", (statuses[0], statuses[-1]), ("pulling manifest", "success"))
    same("pull, whole", client.pull("llama").status, "success")
    error = checks.error("pull of nothing", ollama.ResponseError, lambda: list(client.pull("nope", stream=True)))
    same("pull of nothing", error.error, "pull model manifest: file does not exist")


def errors():
    error = checks.error("missing model", ollama.ResponseError, lambda: client.chat("nope", user("hi")))
    same("missing model", (error.status_code, error.error), (404, "model 'nope' not found"))
    error = checks.error("missing model, streamed", ollama.ResponseError, lambda: list(client.generate("nope", "hi", stream=True)))
    same("missing model, streamed", (error.status_code, error.error), (404, "model 'nope' not found"))
    error = checks.error("busy", ollama.ResponseError, lambda: client.chat("llama", user("BUSY")))
    busy = "server busy, please try again.  maximum pending requests exceeded"
    same("busy", (error.status_code, error.error), (503, busy))
    error = checks.error("thinking where there is none", ollama.ResponseError, lambda: client.chat("llama", user("hi"), think=True))
    same("thinking where there is none", (error.status_code, error.error), (400, '"llama" does not support thinking'))

    texts = []

    def fails():
        for part in client.chat("llama", user("ERRMID"), stream=True):
            texts.append(part.message.content)

    boom = "an error was encountered while running the model: boom <x>"
    error = checks.error("error in mid-stream", ollama.ResponseError, fails)
    same("error in mid-stream", (texts, error.error), (["Hel", "lo"], boom))
    error = checks.error("the same, whole", ollama.ResponseError, lambda: client.generate("llama", "ERRMID"))
    same("the same, whole", (error.status_code, error.error), (500, boom))
    texts, last = pieces(client.generate("llama", "NOFINAL", stream=True), lambda part: part.response)
    same("no final object", (texts, last.done), (["Hel", "lo", " world"], False))


def cancel():
    stream = client.chat("llama", user("SLOW"), stream=True)
    first = next(stream)
    stream.close()
    same("cancelled after a piece", (first.done, len(first.message.content) > 0), (False, True))
    same("an answer after it", client.generate("llama", "hi").response, "Hello world")


checks.run(chat, generate, tools, thinking, embeddings, models, pull, errors, cancel)
