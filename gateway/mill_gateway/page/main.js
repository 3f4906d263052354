// The page: what is deployed in a namespace is asked for every two seconds, rollouts tell of themselves.

import { forgetAnswers, get, inWords } from "./api.js";
import { makeCard, updateCard, updateTimeline, verdictOf } from "./deployment.js";
import { element, keyed, say } from "./element.js";
import { Revisions } from "./revisions.js";
import { follow } from "./stream.js";
import { Timeline } from "./timeline.js";
import { forget, keep, possible, token } from "./token.js";

const EVERY_MS = 2000;
const SOON_MS = 150; // after an event, for those that come together
const DRAW_MS = 250;
const MOST_STREAMS = 3; // a browser has six connections to a server, for all tabs together

const find = (id) => document.getElementById(id);
const namespace = new URLSearchParams(location.search).get("namespace") ?? "";
const where = namespace ? `?namespace=${encodeURIComponent(namespace)}` : "";
const path = (name, rest = "") => `/v1/deployments/${encodeURIComponent(name)}${rest}${where}`;

const rollouts = new Map(); // by deployment: {id, timeline, controller}; no controller: from the status, not followed
const revisions = new Revisions();
let shown = [];
let verdicts = null;
let latest = 0;
let soon = null;

async function refresh() {
  const mine = ++latest;
  try {
    const listed = await get(`/v1/deployments${where}`);
    const found = await Promise.all(listed.map((each) => get(path(each.name)).catch(skipGone)));
    if (mine !== latest) return; // there is a newer answer, or the token was forgotten
    shown = found.filter(Boolean);
    revisions.keep(shown.map((each) => each.name));
    for (const each of shown) revisions.load(each, path(each.name, "/revisions")).then((isNew) => isNew && draw());
    connected();
    shown.forEach(updateRollout);
    for (const name of rollouts.keys()) if (!shown.some((each) => each.name === name)) stopFollowing(name);
    draw();
  } catch (error) {
    if (mine !== latest) return;
    if (error.status === 401) askForToken(token() ? "The gateway does not know that token." : "");
    else lost(error);
  }
}

/** The table is not to lag behind what the timeline shows already. */
function refreshSoon() {
  soon ??= setTimeout(() => {
    soon = null;
    refresh();
  }, SOON_MS);
}

function skipGone(error) {
  if (error.status === 404) return null;
  throw error;
}

function updateRollout(deployment) {
  const known = rollouts.get(deployment.name);
  const reported = deployment.status?.rollout?.id === deployment.rollout ? deployment.status.rollout : null;
  if (known?.id === deployment.rollout && known.controller) {
    if (reported) known.timeline.begin(reported.startedAt);
    return;
  }
  stopFollowing(deployment.name);
  const streams = [...rollouts.values()].filter((each) => each.controller && each.timeline.running).length;
  if (deployment.rolling_out && streams < MOST_STREAMS) followRollout(deployment, reported);
  else if (reported) rollouts.set(deployment.name, { id: reported.id, timeline: Timeline.of(deployment.status), controller: null });
}

function followRollout(deployment, reported) {
  const timeline = new Timeline();
  if (reported) timeline.begin(reported.startedAt);
  const controller = new AbortController();
  const entry = { id: deployment.rollout, timeline, controller };
  rollouts.set(deployment.name, entry);
  const query = `${where ? "&" : "?"}detail=full&rollout=${encodeURIComponent(deployment.rollout)}`;
  const heard = (event) => {
    timeline.take(event);
    refreshSoon();
  };
  follow(path(deployment.name, "/events") + query, heard, controller.signal).catch(() => {
    if (rollouts.get(deployment.name) === entry) rollouts.delete(deployment.name);
  });
}

function stopFollowing(name) {
  rollouts.get(name)?.controller?.abort();
  rollouts.delete(name);
}

function draw() {
  const main = find("deployments");
  keyed(main, shown.length ? shown : [null], (each) => (each ? `deployment ${each.name}` : "empty"),
    (each) => (each ? makeCard() : empty()),
    (card, each) => each && updateCard(card, each, rollouts.get(each.name)?.timeline ?? new Timeline(), revisions.of(each.name)));
  announce();
}

function empty() {
  return element("div", { class: "empty" },
    element("p", {}, namespace ? `Nothing is deployed in the namespace ${namespace}.` : "Nothing is deployed here."),
    element("code", {}, `mill deploy -f production.mill${namespace ? ` --namespace ${namespace}` : ""}`));
}

/** Tell those who do not see the colors what has changed. */
function announce() {
  const now = new Map(shown.map((each) => [each.name, `${each.name}: ${verdictOf(each)[1]}. ${each.message}`]));
  const news = [...now].filter(([name, text]) => verdicts && verdicts.get(name) !== text).map(([, text]) => text);
  if (news.length) say(find("announcements"), news.join(" "));
  verdicts = now;
}

function redraw() {
  for (const each of shown) {
    const card = document.querySelector(`[data-key="${CSS.escape(`deployment ${each.name}`)}"]`);
    const timeline = rollouts.get(each.name)?.timeline;
    if (card && timeline?.running) updateTimeline(card, each, timeline);
  }
}

function connected() {
  find("token").hidden = true;
  find("deployments").hidden = false;
  find("forget").hidden = !token();
  find("connection").className = "";
  say(find("connection"), "live");
}

function lost(error) {
  if (error.status === 403 || error.status === 404) clear();
  find("token").hidden = true;
  find("forget").hidden = !token();
  find("connection").className = "lost";
  say(find("connection"), inWords(error));
}

/** Show nothing of what a token, or a right that is gone, let us see. */
function clear() {
  [...rollouts.keys()].forEach(stopFollowing);
  shown = [];
  revisions.forget();
  verdicts = null;
  find("deployments").hidden = true;
  find("deployments").replaceChildren();
  find("announcements").replaceChildren();
  find("forget").hidden = true;
}

function askForToken(words) {
  clear();
  say(find("connection"), "");
  say(find("refused"), words);
  if (find("token").hidden) {
    find("token").hidden = false;
    find("secret").focus();
  }
}

async function forever() {
  for (;;) {
    const asking = !find("token").hidden;
    if (!document.hidden && !asking) await refresh();
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

find("namespace").value = namespace;
document.title = namespace ? `${namespace} · Mill` : "Mill";
find("where").addEventListener("submit", (event) => {
  event.preventDefault();
  const wanted = find("namespace").value.trim();
  location.search = wanted ? new URLSearchParams({ namespace: wanted }).toString() : "";
});
find("token").addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = find("secret").value.trim();
  if (!possible(given)) return say(find("refused"), "There is something in it that cannot be in a token.");
  keep(given);
  find("secret").value = "";
  await refresh();
});
find("forget").addEventListener("click", () => {
  forget();
  forgetAnswers();
  clear();
  refresh();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) [...rollouts.keys()].forEach(stopFollowing);
  else refresh();
});
setInterval(redraw, DRAW_MS);
forever();
