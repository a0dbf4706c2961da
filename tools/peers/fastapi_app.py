"""A mock as one writes it with FastAPI: the lines of ANSWER, GAP_US apart."""

import asyncio
import os
import pathlib

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

LINES = pathlib.Path(os.environ["ANSWER"]).read_text().splitlines(keepends=True)
GAP = int(os.environ["GAP_US"]) / 1e6

app = FastAPI()


@app.post("/api/generate")
async def generate(request: Request) -> StreamingResponse:
    await request.json()

    async def lines():
        for line in LINES:
            if GAP:
                await asyncio.sleep(GAP)
            yield line

    return StreamingResponse(lines(), media_type="application/x-ndjson")
