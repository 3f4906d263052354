// One deployment's card: its services, what failed and why, the rollout that runs, its tasks and revisions, and the rollouts before.

import { age, now } from "./clock.js";
import { element, keyed, listed, say } from "./element.js";
import { makeRevisions, updateRevisions } from "./revisions.js";
import { makeTasks, updateTasks } from "./tasks.js";

const MOST_BARS = 20;
const LEGEND = ["pulling", "starting", "suspect", "healthy", "settled", "failed"];
const TONE = new Map([["Healthy", "good"], ["Failed", "bad"], ["Stopping", "idle"], ["Stopped", "idle"]]); // else it goes on

export function makeCard() {
  const card = element("article");
  card.append(
    element("header", {}, element("h2"), element("span", { class: "badge" }), element("span", { class: "quiet message" })),
    element("table", {},
      element("thead", {}, element("tr", {}, ...["Service", "State", "Replicas", "Image"].map((text) => element("th", { scope: "col" }, text)))),
      element("tbody")),
    element("div", { class: "failures" }),
    element("ul", { class: "quiet warnings" }),
    element("ul", { class: "quiet put-back" }),
    element("h3", {}, element("span", { class: "which" }), " · ", element("span", { class: "clock" })),
    element("dl", { class: "timeline" }),
    element("p", { class: "quiet legend", "aria-hidden": "true" }, ...LEGEND.map((phase) => element("span", { class: phase }, phase))),
    element("p", { class: "bad whole" }),
    element("p", { class: "bad regressed" }),
    ...makeTasks(),
    makeRevisions(),
    element("h3", { class: "before" }, "Rollouts before"),
    element("ol", { class: "history" }),
  );
  return card;
}

export function updateCard(card, deployment, timeline, revisions = []) {
  const { spec } = deployment;
  const status = deployment.status ?? {};
  const find = (selector) => card.querySelector(selector);
  card.setAttribute("aria-label", `Deployment ${deployment.name}`);
  say(find("h2"), deployment.name);
  const [tone, verdict] = verdictOf(deployment);
  find(".badge").className = `badge ${tone}`;
  say(find(".badge"), verdict);
  say(find(".message"), deployment.message + (deployment.owner ? ` · managed by ${deployment.owner}` : ""));
  const images = new Map(listed(spec.services).map((service) => [service.name, service.image]));
  const updates = new Map(listed(deployment.services).map((service) => [service.name, service.update]));
  const services = listed(status.services);
  const routes = listed(deployment.routes);
  find("table").hidden = services.length === 0;
  const ports = new Map(listed(spec.services).map((service) => [service.name, service.port]));
  keyed(find("tbody"), services, (each) => each.name, makeRow, (row, each) => {
    updateRow(row, each, images.get(each.name), updates.get(each.name));
    const own = routes.filter((route) => route.service === each.name);
    updateRoutes(row.querySelector(".routes"), own);
    updateForward(row.querySelector(".forward"), each.name, own, ports.get(each.name), deployment.namespace);
  });
  const failed = services.filter((each) => each.message && each.state !== "Healthy");
  keyed(find(".failures"), failed, (each) => each.name, makeFailure, updateFailure);
  const warnings = listed(deployment.warnings);
  find(".warnings").hidden = warnings.length === 0;
  keyed(find(".warnings"), warnings, (each) => `${each.code} ${each.message}`, () => element("li"), (item, each) => say(item, `Warning: ${each.message}`));
  updateTimeline(card, deployment, timeline);
  updateTasks(card, deployment);
  updateRevisions(find(".revisions"), revisions);
  const current = listed(deployment.rollouts).find((each) => each.id === status.rollout?.id);
  say(find(".regressed"), listed(current?.regressed).length ? current.result : "");
  const edits = listed(current?.put_back);
  find(".put-back").hidden = edits.length === 0;
  keyed(find(".put-back"), edits, (each) => `${each.kind} ${each.name} ${each.at}`, () => element("li"), (item, each) => say(item, putBackInWords(each)));
  const history = listed(deployment.rollouts).filter((each) => each !== current);
  find(".before").hidden = history.length === 0;
  keyed(find(".history"), history, (each) => each.id, () => element("li"), (item, each) => say(item, pastInWords(each)));
}

export function updateTimeline(card, deployment, timeline) {
  const find = (selector) => card.querySelector(selector);
  find(".which").parentElement.hidden = timeline.empty;
  find(".timeline").hidden = find(".legend").hidden = timeline.empty || timeline.whole;
  if (timeline.empty) return;
  say(find(".which"), timeline.running ? `Rollout ${deployment.rollout} is running` : `Rollout ${deployment.rollout}`);
  say(find(".clock"), `${timeline.seconds.toFixed(1)} s`);
  say(find(".whole"), timeline.reason ?? "");
  timeline.draw(find(".timeline"));
}

export function verdictOf(deployment) {
  if (deployment.ready) return ["good", "healthy"];
  if (listed(deployment.services).some((each) => each.state === "Failed") || deployment.success === false) return ["bad", "failed"];
  if (!deployment.rolling_out) return ["busy", "recovering"];
  const settling = listed(deployment.services).length && deployment.services.every((each) => each.state === "Healthy");
  return ["busy", settling ? "settling" : "rolling out"];
}

function makeRow() {
  return element("tr", {},
    element("th", { scope: "row" }, element("span"), element("ul", { class: "routes" }), element("code", { class: "forward", title: "reaches it from your machine" })),
    element("td", {}, element("span"), element("span", { class: "quiet since", title: "since its last change" }), element("p", { class: "quiet check" })),
    element("td", {}, element("div", { class: "bar", role: "img" }), element("p", { class: "update" })),
    element("td", { class: "image" }));
}

/** With an update that has not replaced the pods of the version before it, the row shows those that serve. */
function updateRow(row, service, image, update) {
  const [name, state, replicas, cell] = row.children;
  say(name.firstElementChild, service.name);
  state.className = TONE.get(service.state) ?? "busy";
  say(state.firstElementChild, String(service.state ?? ""));
  const [, since, check] = state.children;
  say(since, sinceText(service));
  const unready = service.state === "Starting" && typeof service.healthCheck === "string" ? service.healthCheck : "";
  check.hidden = !unready;
  say(check, unready ? `health check: ${unready}` : "");
  const [desired, ready] = [count(service.replicas?.desired), count(update ? service.replicas?.serving : service.replicas?.healthy)];
  const [bar, progress] = replicas.children;
  bar.setAttribute("aria-label", `${ready} of ${desired} ${update ? "serving" : "healthy"}`);
  const boxes = Array.from({ length: Math.min(desired, MOST_BARS) }, (_, number) => number);
  const share = desired > MOST_BARS ? Math.floor((ready * MOST_BARS) / desired) : ready;
  keyed(bar, [...boxes, "text"], String, (item) => element(item === "text" ? "b" : "span"), (box, item) => {
    if (item === "text") say(box, `${ready}/${desired}${update ? " serving" : ""}`);
    else box.className = item < share ? "full" : "";
  });
  progress.hidden = !update;
  progress.className = `update ${TONE.get(service.state) ?? "busy"}`;
  say(progress, update ?? "");
  say(cell, update ? texts(service.servingImages).join(", ") : service.image ?? image ?? "");
}

/** The URLs of a service; one that nothing serves says why. A URL is a link only if a browser can open it. */
function updateRoutes(list, routes) {
  list.hidden = routes.length === 0;
  keyed(list, routes, (each) => String(each.url), () => element("li", {}, element("a", { target: "_blank", rel: "noopener noreferrer" }), " ", element("span", { class: "quiet" })), (item, { url, problem }) => {
    const [link, why] = item.children;
    say(link, String(url));
    if (/^https?:\/\/[^*]+$/.test(url)) link.href = url;
    say(why, typeof problem === "string" ? problem : "");
  });
}

/** The command that reaches a service with a port whose routes lead nowhere, or that has none. */
function updateForward(code, name, routes, port, namespace) {
  const isReached = routes.some((each) => !each.problem);
  const isName = /^[a-z0-9-]+$/.test(name) && /^[a-z0-9-]*$/.test(namespace ?? "");
  code.hidden = isReached || !isName || !Number.isInteger(port);
  say(code, code.hidden ? "" : `mill forward ${name}${namespace ? ` --namespace ${namespace}` : ""}`);
}

/** The time since the last change; while a healthy service settles, the time that is left. */
function sinceText({ state, movedAt, settle, settlingSince, settledAt }) {
  const window = Date.parse(settlingSince);
  if (state === "Healthy" && !settledAt && !Number.isNaN(window)) {
    const left = Math.ceil((window - now()) / 1000 + (Number.isFinite(settle) ? settle : 0));
    return left > 0 ? `settles in ${left} s` : "settling";
  }
  const moved = Date.parse(movedAt);
  return Number.isNaN(moved) ? "" : age(now() - moved);
}

function texts(value) {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function count(value) {
  return Number.isInteger(value) && value > 0 ? value : 0;
}

function makeFailure() {
  return element("section", { class: "failure" },
    element("p", {}, element("strong"), " ", element("span", { class: "reason" })), element("pre", { tabindex: "0" }), element("p", { class: "quiet" }));
}

function updateFailure(block, service) {
  const [headline, evidence, suggestion] = block.children;
  block.setAttribute("aria-label", `Why ${service.name} is ${service.state}`);
  say(headline.firstElementChild, service.name);
  say(headline.lastElementChild, `${service.message}${service.detail ? `: ${service.detail}` : ""}${service.reason ? ` (${service.reason})` : ""}`);
  evidence.hidden = !service.evidence;
  evidence.setAttribute("aria-label", "Evidence");
  say(evidence, service.evidence ?? "");
  suggestion.hidden = !service.suggestion;
  say(suggestion, service.suggestion ?? "");
}

function putBackInWords({ kind, name, change, by, at, count: times }) {
  const moment = Date.parse(at);
  const when = Number.isNaN(moment) ? "" : ` · ${age(now() - moment)} ago`;
  return `Put back: ${kind} ${name}: ${change}${by ? `, by ${by}` : ""}${times > 1 ? ` (${times} times)` : ""}${when}`;
}

function pastInWords({ id, seconds, finished_at: finished, result }) {
  const took = Number.isFinite(seconds) ? ` after ${seconds.toFixed(1)} s` : "";
  return `${id}${took}, ${new Date(finished).toLocaleString()} · ${result}`;
}
