// The unmodified JavaScript package `ollama`.

import { readFile } from "node:fs/promises";
import { Ollama } from "ollama";
import { Checks } from "./check.mjs";

const installed = new URL("./node_modules/ollama/package.json", import.meta.url);
const checks = new Checks("ollama-js", JSON.parse(await readFile(installed)).version);
const same = checks.same.bind(checks);
// This package does not read OLLAMA_HOST by itself.
const client = new Ollama({ host: process.env.OLLAMA_HOST });

const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "d",
    parameters: { type: "object", required: ["city"], properties: { city: { type: "string" } } },
  },
};
const HTML = '<b>&\u2028"q\\\t\n\u0001\u00e9\u{1f600}\u007f/';

const user = (content) => [{ role: "user", content }];
const all = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
};
const names = (models) => models.map((model) => model.model);

async function chat() {
  const parts = await all(await client.chat({ model: "llama", messages: user("hi"), stream: true }));
  same("chat, streamed", parts.map((part) => part.message.content), ["Hel", "lo", " world", ""]);
  const last = parts.at(-1);
  same("chat, streamed: the end", [last.done, last.done_reason, last.eval_count], [true, "stop", 4]);
  const whole = await client.chat({ model: "llama", messages: user("hi") });
  same("chat, whole", [whole.message.role, whole.message.content], ["assistant", "Hello world"]);
  const limited = await client.chat({ model: "llama", messages: user("LENGTH") });
  same("chat, at a limit", limited.done_reason, "length");
  const html = await all(await client.chat({ model: "llama", messages: user("HTML"), stream: true }));
  same("chat, streamed: characters", html.map((part) => part.message.content).join(""), HTML);
}

async function generate() {
  const parts = await all(await client.generate({ model: "llama", prompt: "hi", stream: true }));
  same("generate, streamed", parts.map((part) => part.response), ["Hel", "lo", " world", ""]);
  same("generate, streamed: context", Array.isArray(parts.at(-1).context), true);
  same("generate, whole", (await client.generate({ model: "llama", prompt: "hi" })).response, "Hello world");
}

async function tools() {
  const request = { model: "llama", messages: user("TOOLCALL"), tools: [WEATHER] };
  const parts = await all(await client.chat({ ...request, stream: true }));
  const calls = parts.flatMap((part) => part.message.tool_calls ?? []).map((call) => call.function);
  same("tools, streamed", calls.map((call) => [call.name, call.arguments]), [["get_weather", { city: "Paris" }]]);
  const whole = await client.chat({ ...request, model: "q3", messages: user("QTOOL") });
  const found = whole.message.tool_calls.map((call) => call.function.arguments);
  same("tools, whole", found, [{ zeta: 1, city: "Paris" }, { city: "Rome" }]);
}

async function thinking() {
  const request = { model: "think", messages: user("THINKING"), think: true };
  const parts = await all(await client.chat({ ...request, stream: true }));
  same("thinking, streamed", parts.map((part) => part.message.thinking ?? "").join(""), "let me see");
  same("thinking, streamed: the answer", parts.map((part) => part.message.content).join(""), "Answer");
  const { message } = await client.chat(request);
  same("thinking, whole", [message.thinking, message.content], ["let me see", "Answer"]);
}

async function embeddings() {
  const answer = await client.embed({ model: "embedder", input: ["hi there", "a"] });
  same("embed", answer.embeddings.map((vector) => vector.length), [4, 4]);
  same("embeddings", (await client.embeddings({ model: "embedder", prompt: "hi" })).embedding.length, 4);
}

async function models() {
  const listed = names((await client.list()).models);
  same("list", ["llama:latest", "think:latest"].filter((name) => !listed.includes(name)), []);
  const shown = await client.show({ model: "think" });
  same("show", [...shown.capabilities].sort(), ["completion", "thinking"]);
  same("show: facts", shown.model_info["general.architecture"], "llama");
  await client.generate({ model: "llama", prompt: "hi", keep_alive: "5m" });
  same("ps", names((await client.ps()).models).includes("llama:latest"), true);
  same("copy", (await client.copy({ source: "llama", destination: "copied" })).status, "success");
  same("copy: listed", names((await client.list()).models).includes("copied:latest"), true);
  same("delete", (await client.delete({ model: "copied" })).status, "success");
  same("version", typeof (await client.version()).version, "string");
}

async function pull() {
  // This package asks for `name` and takes "success" for the end.
  const parts = await all(await client.pull({ model: "llama", stream: true }));
  same("pull, streamed", [parts[0].status, parts.at(-1).status], ["pulling manifest", "success"]);
  same("pull, whole", (await client.pull({ model: "llama" })).status, "success");
  const error = await checks.error("pull of nothing", async () => all(await client.pull({ model: "nope", stream: true })));
  same("pull of nothing", error.message, "pull model manifest: file does not exist");
}

async function errors() {
  const missing = await checks.error("missing model", () => client.chat({ model: "nope", messages: user("hi") }));
  same("missing model", [missing.status_code, missing.message], [404, "model 'nope' not found"]);
  const busy = await checks.error("busy", () => client.chat({ model: "llama", messages: user("BUSY"), stream: true }));
  const text = "server busy, please try again.  maximum pending requests exceeded";
  same("busy", [busy.status_code, busy.message], [503, text]);
  const texts = [];
  const boom = await checks.error("error in mid-stream", async () => {
    const stream = await client.chat({ model: "llama", messages: user("ERRMID"), stream: true });
    for await (const part of stream) texts.push(part.message.content);
  });
  const expected = "an error was encountered while running the model: boom <x>";
  same("error in mid-stream", [texts, boom.message], [["Hel", "lo"], expected]);
  const endless = await checks.error("no final object", async () =>
    all(await client.generate({ model: "llama", prompt: "NOFINAL", stream: true })),
  );
  same("no final object", endless.message, "Did not receive done or success response in stream.");
}

async function cancel() {
  const stream = await client.chat({ model: "llama", messages: user("SLOW"), stream: true });
  const texts = [];
  const error = await checks.error("cancelled after a piece", async () => {
    for await (const part of stream) {
      texts.push(part.message.content);
      stream.abort();
    }
  });
  same("cancelled after a piece", [texts[0].length > 0, error.name], [true, "AbortError"]);
  same("an answer after it", (await client.generate({ model: "llama", prompt: "hi" })).response, "Hello world");
}

await checks.run(chat, generate, tools, thinking, embeddings, models, pull, errors, cancel);
