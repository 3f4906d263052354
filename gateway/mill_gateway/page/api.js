// Requests to the gateway, and what can go wrong with them in words for people.

import { learn } from "./clock.js";
import { headers } from "./token.js";

const PATIENCE_MS = 15_000;

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const answers = new Map(); // by path: the last answer, which the gateway need not send again while it holds

export async function get(path) {
  const known = answers.get(path);
  const response = await fetch(path, {
    headers: headers(known ? { "If-None-Match": known.tag } : {}),
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  learn(response.headers.get("Date"));
  if (response.status === 304) return known.body;
  if (!response.ok) throw new Refused(response.status, await reason(response));
  const body = await response.json();
  const tag = response.headers.get("ETag");
  if (tag) answers.set(path, { tag, body });
  return body;
}

export const forgetAnswers = () => answers.clear();

export async function reason(response) {
  try {
    return (await response.json()).error ?? `HTTP ${response.status}`;
  } catch {
    return `HTTP ${response.status}`;
  }
}

export function inWords(error) {
  if (!(error instanceof Refused)) return "The gateway does not answer. Trying again…";
  if (error.status === 403) return `You may not look at this: ${error.message}. Ask for the right to, or for another token.`;
  return error.message;
}
