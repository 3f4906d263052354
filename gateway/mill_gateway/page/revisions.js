// A deployment's revisions: what was deployed, who asked for it, what changed, and what became of it.

import { get } from "./api.js";
import { age, now } from "./clock.js";
import { element, keyed, listed, say } from "./element.js";

const TONE = new Map([["Succeeded", "good"], ["Failed", "bad"], ["Superseded", "idle"]]); // else it goes on
const HEADER = ["Revision", "By", "Changed", "Result"];

/** The revisions of each deployment, asked for again only when a rollout begins, ends, or is recorded. */
export class Revisions {
  #known = new Map(); // by deployment: {state, found}

  /** Ask if need be, and tell whether there is something new to draw. */
  async load(deployment, path) {
    const known = this.#known; // what is forgotten meanwhile gets no answer
    const rollout = deployment.status?.rollout ?? {};
    const state = [deployment.rollout, rollout.id, rollout.revision, rollout.recorded, rollout.finishedAt].join(" ");
    const before = known.get(deployment.name);
    if (before?.state === state) return false;
    known.set(deployment.name, { state, found: before?.found ?? [] });
    try {
      known.set(deployment.name, { state, found: listed(await get(path)) });
    } catch {
      if (known.get(deployment.name)?.state === state) known.delete(deployment.name); // asked for again the next time
    }
    return known === this.#known;
  }

  forget() {
    this.#known = new Map();
  }

  of(name) {
    return this.#known.get(name)?.found ?? [];
  }

  keep(names) {
    for (const name of this.#known.keys()) if (!names.includes(name)) this.#known.delete(name);
  }
}

export function makeRevisions() {
  return element("section", { class: "revisions", "aria-label": "Revisions" }, element("h3", {}, "Revisions"),
    element("table", {},
      element("thead", {}, element("tr", {}, ...HEADER.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody")));
}

export function updateRevisions(part, revisions) {
  part.hidden = revisions.length === 0;
  keyed(part.querySelector("tbody"), revisions, (each) => String(each.revision), makeRow, (row, each) => {
    const [name, by, changed, result] = row.children;
    const created = Date.parse(each.created_at);
    say(name.firstElementChild, String(each.revision));
    say(name.lastElementChild, Number.isNaN(created) ? "" : `${age(now() - created)} ago`);
    say(by, authorInWords(each));
    say(changed, changesInWords(each));
    result.className = TONE.get(each.result) ?? "busy";
    say(result, String(each.summary ?? ""));
  });
}

function makeRow() {
  return element("tr", {},
    element("th", { scope: "row" }, element("span"), " ", element("span", { class: "quiet" })), element("td"), element("td"), element("td"));
}

function authorInWords({ by, verified, source }) {
  if (typeof by !== "string") return "";
  return `${by}${verified === true ? "" : " (unverified)"}${typeof source === "string" ? `, ${source}` : ""}`;
}

function changesInWords({ changed, rollback }) {
  const changes = Array.isArray(changed) ? changed.filter((each) => typeof each === "string").join("; ") : "";
  return [Number.isInteger(rollback) ? `rollback to ${rollback}` : "", changes].filter(Boolean).join(": ");
}
