// A rollout as lanes, one for each service, that grow while it runs.

import { element, keyed, say } from "./element.js";

const SHOWN = new Set(["pulling", "scheduled", "starting", "suspect", "healthy", "failed", "stopped"]);
const LEAST_SECONDS = 3; // what the whole width is at least

/** What a rollout's events tell, and how it is drawn. */
export class Timeline {
  #steps = new Map(); // by service: [{phase, at, text}]
  #begun = performance.now();
  #end = null;
  success = null;
  reason = null;

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
    if (!SHOWN.has(phase)) return;
    const at = data.elapsed ?? 0;
    if (this.#end === null) this.#begun = performance.now() - at * 1000;
    const words = phase === "failed" ? `failed: ${data.reason}` : phase + (data.node ? ` on ${data.node}` : "");
    const steps = this.#steps.get(data.service) ?? [];
    this.#steps.set(data.service, [...steps, { phase, at, text: `${words} (${at.toFixed(1)} s)` }]);
  }

  get running() {
    return this.#end === null;
  }

  get seconds() {
    return this.#end ?? (performance.now() - this.#begun) / 1000;
  }

  get empty() {
    return this.#steps.size === 0 && this.reason === null;
  }

  /** Whether the rollout ended before any service was looked at. */
  get whole() {
    return this.#steps.size === 0;
  }

  draw(list) {
    const lastStep = Math.max(0, ...[...this.#steps.values()].flat().map((step) => step.at));
    const whole = Math.max(LEAST_SECONDS, this.seconds, lastStep) * (this.running ? 1 : 1.02);
    const rows = [...this.#steps].flatMap(([service, steps]) => [{ service }, { service, steps }]);
    keyed(
      list, rows, (row) => (row.steps ? "lane " : "name ") + row.service,
      (row) => (row.steps ? element("dd", {}, element("div", { class: "lane", role: "img" })) : element("dt")),
      (child, row) => {
        if (!row.steps) return say(child, row.service);
        const lane = child.firstElementChild;
        lane.setAttribute("aria-label", row.steps.map((step) => step.text).join(", "));
        keyed(lane, row.steps, (step) => step.text, () => element("i"), (bar, step) => {
          const next = row.steps[row.steps.indexOf(step) + 1];
          bar.className = step.phase;
          bar.title = step.text;
          bar.style.left = `${(100 * step.at) / whole}%`;
          bar.style.width = `${(100 * ((next?.at ?? whole) - step.at)) / whole}%`;
        });
      },
    );
  }
}
