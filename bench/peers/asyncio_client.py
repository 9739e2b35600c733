"""A hand-written client: AsyncOpenAI, a semaphore, a file. What most teams start with."""
import asyncio
import json
import os
import sys

import openai

base, prompts, out = sys.argv[1:4]
rows = [json.loads(line) for line in open(prompts)]


async def main():
    client = openai.AsyncOpenAI(base_url=base, api_key="none", max_retries=8, timeout=120)
    gate = asyncio.Semaphore(64)
    done = 0

    async def ask(row):
        nonlocal done
        async with gate:
            reply = await client.chat.completions.create(
                model="test-1", temperature=0.8, max_tokens=400, messages=[{"role": "user", "content": row["question"]}])
        file.write(json.dumps({"question": row["question"], "answer": reply.choices[0].message.content}) + "\n")
        done += 1

    with open(os.path.join(out, "answers.jsonl"), "w") as file:
        await asyncio.gather(*(ask(row) for row in rows))
    print(json.dumps({"rows": done}))


asyncio.run(main())
