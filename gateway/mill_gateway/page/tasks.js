// A deployment's tasks: those that run in its rollouts, and those on a schedule.

import { age, now } from "./clock.js";
import { element, keyed, listed, say } from "./element.js";

const TONE = new Map([["succeeded", "good"], ["failed", "bad"], ["waiting", "idle"]]); // else it goes on
const WORDS = new Map([["succeeded", "done"]]);

export function makeTasks() {
  return [section("rollout-tasks", "Tasks of rollouts", ["Task", "Runs", "State"]),
    section("schedules", "Schedules", ["Task", "Next run", "Last run", "Missed run"])];
}

export function updateTasks(card, deployment) {
  fill(card.querySelector(".rollout-tasks"), listed(deployment.rollout_tasks), ["runs", "state"], updateTask);
  fill(card.querySelector(".schedules"), listed(deployment.schedules), ["next", "last", "missed"], updateSchedule);
}

function section(name, title, header) {
  return element("section", { class: name, "aria-label": title }, element("h3", {}, title),
    element("table", {},
      element("thead", {}, element("tr", {}, ...header.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody")));
}

function fill(part, tasks, cells, update) {
  part.hidden = tasks.length === 0;
  keyed(part.querySelector("tbody"), tasks, (each) => String(each.task),
    () => element("tr", {}, element("th", { scope: "row" }), ...cells.map((name) => element("td", { class: name }, element("span"), " ", element("span", { class: "quiet" })))),
    (row, each) => {
      say(row.firstElementChild, String(each.task));
      update((name, text, more = "") => {
        const [first, second] = row.querySelector(`.${name}`).children;
        say(first, text);
        say(second, more);
        return first;
      }, each);
    });
}

function updateTask(cell, task) {
  const [kind, names] = [["before", task.before], ["after", task.after]].find(([, found]) => Array.isArray(found) && found.length) ?? ["", []];
  cell("runs", `${kind} ${names.join(", ")}`.trim());
  cell("state", stateInWords(task), typeof task.run === "string" ? task.run : "").className = TONE.get(task.state) ?? "busy";
}

/** `done (4.1 s)`, `running (12 s)`, `waiting for db`, or why it has failed, or not started. */
function stateInWords({ state, duration, started_at: started, message, detail }) {
  const word = WORDS.get(state) ?? String(state ?? "");
  if (state === "failed") return `failed: ${message ?? "unknown"}${detail && !String(message).includes(detail) ? ` (${detail})` : ""}`;
  if (state === "waiting") return message ?? word;
  if (state === "succeeded") return Number.isFinite(duration) ? `${word} (${duration.toFixed(1)} s)` : word;
  if (state === "running" && message) return `not started: ${message}`;
  const begun = Date.parse(started);
  return Number.isNaN(begun) ? word : `${word} (${age(now() - begun)})`;
}

function updateSchedule(cell, { next_run: next, last_run: last, missed_run: missed }) {
  const ahead = Date.parse(next) - now();
  cell("next", minute(next), Number.isNaN(ahead) ? "" : ahead > 0 ? `in ${age(ahead)}` : "due");
  cell("last", minute(last));
  cell("missed", minute(missed)).className = "bad";
}

/** A time of a schedule, which has no seconds, by the reader's clock. */
function minute(text) {
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? "" : new Date(moment).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
