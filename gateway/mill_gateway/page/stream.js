// A rollout's server-sent events. Not by EventSource, which cannot send a token: read from fetch, and resumed by hand.

import { reason, Refused } from "./api.js";
import { headers } from "./token.js";

const AGAIN_MS = 1000;
const SILENCE_MS = 45_000; // three heartbeats: the connection is dead, whatever it looks like

/** Text in pieces → events: `{id, name, data}`. */
export class Parser {
  #rest = "";

  feed(text) {
    const blocks = (this.#rest + text).split("\r\n\r\n");
    this.#rest = blocks.pop();
    return blocks.map(parse).filter((event) => event.data !== undefined);
  }
}

function parse(block) {
  const event = { id: "", name: "message", data: undefined };
  for (const line of block.split("\r\n")) {
    const [, field, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [];
    if (field === "event") event.name = value;
    if (field === "id") event.id = value;
    if (field === "data") event.data = (event.data === undefined ? "" : event.data + "\n") + value;
  }
  return event;
}

/** Follow a rollout to its `done`, through cuts; `onEvent` gets each event once. Ends early when `signal` says so. */
export async function follow(path, onEvent, signal) {
  let last = "";
  while (!signal.aborted) {
    const attempt = new AbortController();
    const patience = () => setTimeout(() => attempt.abort(), SILENCE_MS);
    let timer = patience();
    try {
      const response = await fetch(path, {
        headers: headers(last ? { "Last-Event-ID": last } : {}),
        cache: "no-store",
        signal: AbortSignal.any([signal, attempt.signal]),
      });
      if (response.status === 204) return;
      if (!response.ok) throw new Refused(response.status, await reason(response));
      const parser = new Parser();
      for await (const chunk of texts(response.body)) {
        clearTimeout(timer);
        timer = patience();
        for (const event of parser.feed(chunk)) {
          last = event.id || last;
          onEvent({ ...event, data: JSON.parse(event.data) });
          if (event.name === "done") return;
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status < 500) throw error;
    } finally {
      clearTimeout(timer);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
