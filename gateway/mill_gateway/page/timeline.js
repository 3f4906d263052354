// A rollout as lanes, one for each service, that grow while it runs.

import { now } from "./clock.js";
import { element, keyed, listed, say } from "./element.js";

const KNOWN = new Set(["waiting", "pulling", "scheduled", "starting", "suspect", "healthy", "settled", "failed", "stopped"]);
const LEAST_SECONDS = 3; // what the whole width is at least

/** What a rollout's events tell, and how it is drawn. */
export class Timeline {
  #steps = new Map(); // by service: [{phase, at, text}]
  #begun = null;
  #end = null;
  success = null;
  reason = null;

  /** The same from a resource's status, of a rollout that is not followed. */
  static of({ rollout, services }) {
    const timeline = new Timeline();
    const elapsed = (at) => Math.max(0, (Date.parse(at) - Date.parse(rollout.startedAt)) / 1000 || 0);
    timeline.begin(rollout.startedAt);
    const whole = rollout.refused || rollout.error;
    if (whole) timeline.take({ name: "failed", data: { reason: whole } });
    const last = rollout.finishedAt ? rollout.lastSeq ?? Infinity : Infinity; // later ones are of no rollout
    const steps = listed(services)
      .flatMap(({ name, transitions }) => listed(transitions).map((step) => ({ ...step, service: name })))
      .filter((step) => !(step.seq > last));
    for (const { phase, service, node, message, at } of steps.sort((one, other) => one.seq - other.seq)) {
      const name = phase === "failed" ? "failed" : "progress";
      timeline.take({ name, data: { service, phase, node, reason: message, elapsed: elapsed(at) } });
    }
    if (rollout.finishedAt) timeline.take({ name: "done", data: { elapsed: elapsed(rollout.finishedAt), success: rollout.success } });
    return timeline;
  }

  begin(startedAt) {
    this.#begun = Date.parse(startedAt) || null; // of what is no time, it begins with the first event
  }

  take({ name, data }) {
    if (name === "done") {
      this.#end = data.elapsed;
      this.success = data.success;
      return;
    }
    if (!data.service) {
      if (name === "failed") this.reason = data.reason;
      return;
    }
    const phase = name === "failed" ? "failed" : data.phase;
    if (!phase) return;
    const at = data.elapsed ?? 0;
    this.#begun ??= now() - at * 1000;
    const words = phase === "failed" ? `failed: ${data.reason}` : phase + (data.node ? ` on ${data.node}` : "");
    const steps = this.#steps.get(data.service) ?? [];
    this.#steps.set(data.service, [...steps, { phase, at, text: `${words} (${at.toFixed(1)} s)` }]);
  }

  get running() {
    return this.#end === null;
  }

  get seconds() {
    return this.#end ?? Math.max(this.#lastStep, (now() - (this.#begun ?? now())) / 1000);
  }

  get empty() {
    return this.#steps.size === 0 && this.reason === null;
  }

  /** Whether the rollout ended before any service was looked at. */
  get whole() {
    return this.#steps.size === 0;
  }

  get #lastStep() {
    return Math.max(0, ...[...this.#steps.values()].flat().map((step) => step.at));
  }

  draw(list) {
    const whole = Math.max(LEAST_SECONDS, this.seconds, this.#lastStep) * (this.running ? 1 : 1.02);
    const rows = [...this.#steps].flatMap(([service, steps]) => [{ service }, { service, steps }]);
    keyed(
      list, rows, (row) => (row.steps ? "lane " : "name ") + row.service,
      (row) => (row.steps ? element("dd", {}, element("div", { class: "lane", role: "img" })) : element("dt")),
      (child, row) => {
        if (!row.steps) return say(child, row.service);
        const lane = child.firstElementChild;
        lane.setAttribute("aria-label", row.steps.map((step) => step.text).join(", "));
        keyed(lane, row.steps, (step) => String(row.steps.indexOf(step)), () => element("i"), (bar, step) => {
          const next = row.steps[row.steps.indexOf(step) + 1];
          bar.className = KNOWN.has(step.phase) ? step.phase : "other"; // a newer release's word is in the title
          bar.title = step.text;
          bar.style.left = `${(100 * step.at) / whole}%`;
          bar.style.width = `${(100 * ((next?.at ?? whole) - step.at)) / whole}%`;
        });
      },
    );
  }
}
