"""The page in a real browser: it moves by itself, is safe, and is there for everybody."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route, expect

from hack.cluster.packages import NotSupported
from hack.pictures.browser import chromium
from tests.e2e.conftest import Namespace, wait_for
from tests.e2e.seed import NODE

from .conftest import StartGateway
from .process import GatewayProcess

SEED = """
service "web" {
  image    = "REGISTRY/web:1"
  port     = 8080
  replicas = 2
  cpu      = 0.02
  command  = ["/web", "-ready-after", "3s"]
  health { path = "/healthz" }
}
service "broken" {
  image = "REGISTRY/web:missing"
  port  = 8080
  cpu   = 0.02
}
"""
WITHIN_MS = 45_000
# Chromium ends requests when an interface of the machine comes or goes, as those of pods do.
NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium."""
    try:
        with chromium() as found:
            yield found
    except NotSupported as error:
        pytest.skip(str(error))


class Opened:
    """A page, with everything that it asked for and complained of."""

    def __init__(self, context: BrowserContext) -> None:
        context.set_default_timeout(WITHIN_MS)
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.requested: list[str] = []
        self.ended: list[str] = []
        self.failed: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("requestfinished", lambda request: self.ended.append(request.url))
        self.page.on("requestfailed", self._lost)

    def report(self) -> str:
        """Say what went wrong in the browser, and what is unanswered."""
        unanswered = Counter(self.requested) - Counter(self.ended)
        return "\n".join(["--- the page", *self.complaints, *self.failed, *(f"{url}: no end" for url in unanswered)])

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error" and NETWORK_CHANGED not in message.text:
            self.complaints.append(message.text)

    def _lost(self, request: Request) -> None:
        self.ended.append(request.url)
        self.failed.append(f"{request.url}: {request.failure}")


@contextmanager
def open_tab(browser: Browser, **options: Any) -> Iterator[Opened]:
    """Have a tab of a new session while the block runs. `options` are those of a browser context."""
    context = browser.new_context(**options)
    # Files of the page are fetched outside of Chromium: one that is lost by a changed network is not asked for again.
    context.route(re.compile(r"^[^?]*/page/"), lambda route: route.fulfill(response=route.fetch()))
    made = Opened(context)
    try:
        yield made
    finally:
        print(made.report())  # pytest shows this when the test fails
        context.unroute_all(behavior="ignoreErrors")  # the icon may still be on its way
        context.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opened]:
    """A tab of a new session."""
    with open_tab(browser) as made:
        yield made


def _deploy(gateway: GatewayProcess, namespace: Namespace, text: str, token: str = "") -> Thread:
    """Deploy in the background."""
    url = f"{gateway.url}/v1/deploy?namespace={namespace.name}"
    content, headers = (
        text.replace("REGISTRY", namespace.registry),
        {"Authorization": f"Bearer {token}"} if token else {},
    )
    thread = Thread(target=lambda: httpx.post(url, content=content, headers=headers, timeout=90), daemon=True)
    thread.start()
    return thread


def test_a_rollout_is_seen_as_it_happens(namespace: Namespace, gateway: GatewayProcess, opened: Opened) -> None:
    page = opened.page
    page.goto(f"{gateway.url}/?namespace={namespace.name}")
    expect(page.locator(".empty code")).to_have_text(f"mill deploy -f production.mill --namespace {namespace.name}")
    page.evaluate("window.sameDocument = true")

    deploying = _deploy(gateway, namespace, SEED)
    card = page.get_by_role("article", name="Deployment mill")
    failure = card.get_by_role("region", name="Why broken is Failed")
    expect(failure).to_contain_text(
        f"image pull failed: tag not found: image {namespace.registry}/web:missing (TagNotFound)", timeout=WITHIN_MS
    )
    assert failure.locator("p").last.inner_text() == namespace.service("broken")["suggestion"]
    # The other one still starts: its lane is there, and grows.
    lane = card.locator(".timeline dd", has=page.locator("i.starting, i.scheduled")).first.locator(".lane")
    expect(lane).to_have_attribute("aria-label", re.compile(rf"scheduled on {NODE} \(\d+\.\d s\)"), timeout=WITHIN_MS)
    deploying.join(timeout=60)
    expect(card.get_by_role("img", name="2 of 2 healthy")).to_be_visible(timeout=WITHIN_MS)
    expect(card.locator(".lane i.healthy")).to_have_count(1)
    expect(card.locator(".lane i.failed")).to_have_count(1)
    expect(card.locator(".badge")).to_have_text("failed")
    expect(card.get_by_role("row").nth(1).locator(".since")).to_have_text(re.compile(r"^\d+ s$"))
    assert page.evaluate("window.sameDocument"), "without a reload"

    _deploy(gateway, namespace, SEED.replace("web:missing", "web:2")).join(timeout=90)
    expect(card.locator(".badge")).to_have_text("healthy", timeout=WITHIN_MS)
    expect(card.locator(".failure")).to_have_count(0)
    expect(card.locator(".history li")).to_contain_text("broken: image pull failed: tag not found")
    expect(page.get_by_role("log")).to_contain_text("mill: healthy")

    assert opened.complaints == []
    assert {url for url in opened.requested if not url.startswith(gateway.url)} == set()


def test_the_page_goes_on_after_the_gateway_was_away(
    namespace: Namespace, start_gateway: StartGateway, opened: Opened
) -> None:
    gateway = start_gateway()
    _deploy(gateway, namespace, SEED.replace("web:missing", "web:1")).join(timeout=90)
    page = opened.page
    page.goto(f"{gateway.url}/?namespace={namespace.name}")
    expect(page.get_by_role("status")).to_have_text("live", timeout=WITHIN_MS)
    gateway.kill()
    expect(page.get_by_role("status")).to_contain_text("The gateway does not answer", timeout=WITHIN_MS)
    gateway.start()
    expect(page.get_by_role("status")).to_have_text("live", timeout=WITHIN_MS)
    expect(page.locator(".badge")).to_have_text("healthy")


def test_the_token_is_asked_for_once_kept_in_the_tab_and_forgotten(
    namespace: Namespace, start_gateway: StartGateway, browser: Browser, opened: Opened
) -> None:
    token = "a-token-of-the-gateway"
    gateway = start_gateway(MILL_ADMIN_TOKEN=token)
    page = opened.page
    page.goto(f"{gateway.url}/?namespace={namespace.name}")
    field = page.get_by_label("Token", exact=True)
    expect(field).to_be_focused(timeout=WITHIN_MS)
    field.fill("a-wrong-token")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The gateway does not know that token.")
    field.fill(token)
    field.press("Enter")
    expect(page.locator(".empty")).to_be_visible()
    page.reload()
    expect(page.locator(".empty")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0
    assert not [url for url in opened.requested if token in url]
    page.get_by_role("button", name="Forget the token").click()
    expect(field).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    assert token not in gateway.log


def test_markup_in_what_is_deployed_is_text(namespace: Namespace, gateway: GatewayProcess, opened: Opened) -> None:
    markup = "<img src=x onerror=alert(1)>"
    namespace.kubectl(
        "apply",
        "-f",
        "-",
        stdin=f'{{"apiVersion":"mill.dev/v1alpha1","kind":"MillDeployment","metadata":{{"name":"mill"}},'
        f'"spec":{{"services":[{{"name":"web","image":"{markup.replace(" ", "/")}"}}]}}}}',
    )
    page = opened.page
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    page.goto(f"{gateway.url}/?namespace={namespace.name}")
    expect(page.locator(".whole")).to_contain_text("<img/src=x/onerror=alert(1)>", timeout=WITHIN_MS)
    assert page.locator("main img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_there_for_everybody(
    namespace: Namespace, gateway: GatewayProcess, browser: Browser, scheme: str, tmp_path: Path
) -> None:
    """Narrow and wide, light and dark, by keyboard alone."""
    _deploy(gateway, namespace, SEED).join(timeout=90)
    with open_tab(browser, color_scheme=scheme, viewport={"width": 360, "height": 740}) as tab:
        page = tab.page
        page.goto(f"{gateway.url}/?namespace={namespace.name}")
        expect(page.locator(".failure")).to_be_visible(timeout=WITHIN_MS)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 360, f"{wide} pixels: it scrolls to the side"
        page.set_viewport_size({"width": 1280, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        for selector in ("h2", ".message", ".reason", ".image", "#connection", ".badge", "td", "th", ".since"):
            for ratio in page.locator(selector).evaluate_all(f"each => each.map({CONTRAST})"):
                assert ratio >= 4.5, f"{selector} in {scheme}: contrast {ratio:.2f}"
        seen = []
        for _ in range(8):
            page.keyboard.press("Tab")
            focus = page.evaluate("document.activeElement.id || document.activeElement.tagName")
            if focus == "BODY":
                break
            seen.append(focus)
        assert seen[:3] == ["A", "namespace", "BUTTON"]
        unlabelled = "[...document.querySelectorAll('input')].filter(each => !each.labels.length).length"
        assert page.evaluate(unlabelled) == 0


def test_who_comes_late_sees_how_long_it_takes_and_a_restart_loses_nothing(
    namespace: Namespace, gateway: GatewayProcess, start_gateway: StartGateway, opened: Opened
) -> None:
    deploying = _deploy(gateway, namespace, SEED.replace('"3s"', '"15s"'))
    wait_for("a pod to start", lambda: "Starting" in namespace.kubectl("get", "md", "-o", "jsonpath={..state}"))
    gateway = start_gateway()
    time.sleep(4)
    page = opened.page
    page.goto(f"{gateway.url}/?namespace={namespace.name}")
    clock = page.locator(".clock")
    expect(clock).to_be_visible(timeout=WITHIN_MS)
    assert float(clock.inner_text().split()[0]) >= 4, "since it began, not since the last event"
    expect(page.locator(".which")).to_contain_text("is running")

    gateway.kill()
    gateway.start()
    expect(page.locator(".lane i.healthy")).to_have_count(1, timeout=WITHIN_MS)
    expect(page.locator(".badge")).to_have_text("failed")
    for phase in ("starting", "healthy", "failed"):
        assert page.locator(f".lane i.{phase}").count() == 1, "nothing twice"
    deploying.join(timeout=60)


def test_many_rollouts_at_once_leave_a_connection_to_ask_with(
    namespace: Namespace, gateway: GatewayProcess, opened: Opened
) -> None:
    """A browser has six connections to a server, for all tabs together."""
    made = [
        {
            "apiVersion": "mill.dev/v1alpha1",
            "kind": "MillDeployment",
            "metadata": {"name": f"md-{number}"},
            "spec": {
                "services": [{"name": f"huge-{number}", "image": f"{namespace.registry}/web:1", "memory": "900G"}]
            },
        }
        for number in range(7)
    ]
    namespace.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
    page = opened.page
    page.goto(f"{gateway.url}/?namespace={namespace.name}")
    expect(page.locator("article")).to_have_count(7, timeout=WITHIN_MS)
    expect(page.locator(".badge", has_text="rolling out")).to_have_count(7)
    namespace.kubectl("delete", "md", "md-3")
    expect(page.locator("article")).to_have_count(6, timeout=10_000)


def test_a_token_without_rights_can_be_forgotten(gateway: GatewayProcess, opened: Opened) -> None:
    page = opened.page
    page.route(
        re.compile(r"/v1/deployments"),
        lambda route: route.fulfill(
            status=403 if route.request.headers.get("authorization") else 401, json={"error": "no right to list"}
        ),
    )
    page.goto(gateway.url)
    field = page.get_by_label("Token", exact=True)
    field.fill("a\N{HORIZONTAL ELLIPSIS}b")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("cannot be in a token")
    field.fill("a-token")
    field.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You may not look at this: no right to list")
    expect(field).to_be_hidden()
    page.reload()
    page.get_by_role("button", name="Forget the token").click()
    expect(field).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_what_was_asked_for_before_forgetting_is_not_shown_after(
    namespace: Namespace, start_gateway: StartGateway, opened: Opened
) -> None:
    gateway = start_gateway(MILL_ADMIN_TOKEN="a-token-of-the-gateway")
    page = opened.page
    page.goto(f"{gateway.url}/?namespace={namespace.name}")
    page.get_by_label("Token", exact=True).fill("a-token-of-the-gateway")
    page.keyboard.press("Enter")
    expect(page.locator(".empty")).to_be_visible()
    held: list[Route] = []
    page.route(re.compile(r"/v1/deployments"), lambda route: route.continue_() if held else held.append(route))
    wait_for("a request on its way", lambda: page.wait_for_timeout(100) or held)
    page.get_by_role("button", name="Forget the token").click()
    expect(page.get_by_label("Token", exact=True)).to_be_visible()
    held[0].continue_()
    page.wait_for_timeout(500)
    expect(page.get_by_label("Token", exact=True)).to_be_visible(timeout=1)
    expect(page.locator(".empty")).to_be_hidden(timeout=1)


def test_only_names_of_namespaces_are_taken(gateway: GatewayProcess, opened: Opened) -> None:
    page = opened.page
    page.goto(gateway.url)
    field = page.get_by_label("Namespace")
    field.fill("Not a name")
    field.press("Enter")
    assert page.evaluate("document.getElementById('namespace').validity.patternMismatch")
    field.fill("my-shop")
    field.press("Enter")
    page.wait_for_url("**/?namespace=my-shop")
    assert opened.complaints == []


def test_lists_keep_the_focus_and_do_not_pile_up(gateway: GatewayProcess, opened: Opened) -> None:
    page = opened.page
    page.goto(gateway.url)
    assert (
        page.evaluate(
            """async () => {
          const { element, keyed } = await import("/page/element.js");
          const list = document.body.appendChild(element("div"));
          const show = (...names) => keyed(list, names, (name) => name, () => element("button"), () => {});
          show("a", "b", "c");
          list.children[1].focus();
          show("b", "c");
          return document.activeElement.dataset.key;
        }"""
        )
        == "b"
    )
    assert (
        page.evaluate(
            """async () => {
          const { element } = await import("/page/element.js");
          const { Timeline } = await import("/page/timeline.js");
          const timeline = new Timeline();
          const event = { name: "progress", data: { service: "web", phase: "suspect", elapsed: 1 } };
          timeline.take(event);
          timeline.take(event);
          const list = document.body.appendChild(element("dl"));
          for (let times = 0; times < 5; times++) timeline.draw(list);
          return list.querySelectorAll("i").length;
        }"""
        )
        == 2
    )


FAILED_UPDATE = """async () => {
  const { makeCard, updateCard } = await import("/page/deployment.js");
  const { Timeline } = await import("/page/timeline.js");
  const at = (second) => `2026-01-31T12:00:${String(second).padStart(2, "0")}.000Z`;
  const result = "failed: web: no such tag; then api failed after 8 s: container exited with code 1";
  const status = {
    rollout: { id: "4", startedAt: at(0), finishedAt: at(10), success: false, lastSeq: 2 },
    services: [
      { name: "web", state: "Failed", image: "web:3", replicas: { desired: 2, healthy: 0, serving: 2 },
        servingImages: ["web:2"], transitions: [{ seq: 1, at: at(4), phase: "failed", message: "no such tag" }] },
      { name: "api", state: "Healthy", image: "api:1", replicas: { desired: 1, healthy: 1, serving: 1 },
        settle: 10, settlingSince: new Date(Date.now() - 3500).toISOString(),
        transitions: [{ seq: 2, at: at(9), phase: "healthy" }, { seq: 3, at: at(18), phase: "failed", message: "x" }] },
    ],
  };
  const card = document.body.appendChild(makeCard());
  const rollouts = [
    { id: "4", regressed: [{ service: "api" }], result },
    { id: "3", regressed: [], seconds: 4.2, finished_at: at(0), result: "succeeded" },
  ];
  const services = [{ name: "web", state: "Failed", update: "update to web:3 failed (0/2)" }, { name: "api" }];
  updateCard(card, { name: "mill", message: "", services, rollouts, spec: {}, status }, Timeline.of(status));
  const [web, api] = [...card.querySelectorAll("tbody tr")].map((row) => row.innerText.replace(/\\s+/g, " ").trim());
  const lanes = [...card.querySelectorAll(".lane")].map((lane) => lane.getAttribute("aria-label"));
  const texts = [".regressed", ".history"].map((name) => card.querySelector(name).textContent);
  return [web, api, ...lanes, ...texts];
}"""


def test_a_failed_update_and_a_regression_are_shown(gateway: GatewayProcess, opened: Opened) -> None:
    opened.page.goto(gateway.url)
    web, api, web_lane, api_lane, regressed, history = opened.page.evaluate(FAILED_UPDATE)
    assert web == "web Failed 2/2 serving update to web:3 failed (0/2) web:2"
    assert api in ("api Healthysettles in 7 s 1/1 api:1", "api Healthysettles in 6 s 1/1 api:1")
    assert (web_lane, api_lane) == ("failed: no such tag (4.0 s)", "healthy (9.0 s)")
    assert regressed == "failed: web: no such tag; then api failed after 8 s: container exited with code 1"
    assert history.startswith("3 after 4.2 s, ")
    assert history.endswith(" · succeeded")
    assert opened.complaints == []


REVISIONS = """async () => {
  const { makeRevisions, updateRevisions } = await import("/page/revisions.js");
  const { now } = await import("/page/clock.js");
  const created_at = new Date(now() - 125_000).toISOString();
  const part = document.body.appendChild(makeRevisions());
  updateRevisions(part, []);
  const hidden = part.hidden;
  updateRevisions(part, [
    { revision: 4, created_at, by: "alice", verified: true, source: "shop.mill", rollback: 2,
      changed: ["web: image 3 → 2", "api added"], result: null, summary: "in progress" },
    { revision: 3, created_at, by: "<b>bob</b>", changed: null, result: "Failed", summary: "failed: web: no tag" },
    { revision: {}, created_at: [], by: 5, changed: {}, summary: null, rollback: "x" },
  ]);
  const rows = [...part.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent));
  return [hidden, part.hidden, [...part.querySelectorAll("td:last-child")].map((cell) => cell.className), ...rows];
}"""


def test_revisions_are_shown_with_their_authors_changes_and_results(gateway: GatewayProcess, opened: Opened) -> None:
    opened.page.goto(gateway.url)
    was_hidden, is_hidden, tones, *rows = opened.page.evaluate(REVISIONS)
    assert (was_hidden, is_hidden, tones) == (True, False, ["busy", "bad", "busy"])
    assert rows == [
        ["4 2 min ago", "alice, shop.mill", "rollback to 2: web: image 3 → 2; api added", "in progress"],
        ["3 2 min ago", "<b>bob</b> (unverified)", "", "failed: web: no tag"],
        ["[object Object] ", "", "", ""],
    ]
    assert opened.complaints == []


CONTRAST = """(element) => {
  const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  let behind = element;
  while (behind && (numbers(getComputedStyle(behind).backgroundColor)[3] ?? 1) === 0) behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind ?? document.body).backgroundColor]
    .map((text) => light(numbers(text))).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""


ROUTES = """async () => {
  const { makeCard, updateCard } = await import("/page/deployment.js");
  const { Timeline } = await import("/page/timeline.js");
  const services = [{ name: "web", state: "Healthy", image: "web:1" }, { name: "db", state: "Healthy" }];
  const card = document.body.appendChild(makeCard());
  const routes = [
    { service: "web", url: "http://shop.example.com/", problem: null },
    { service: "web", url: "http://*.example.com/", problem: "its Ingress does not have it yet" },
    { service: "web", url: "javascript:alert(1)", problem: {} },
  ];
  const status = { services };
  updateCard(card, { name: "mill", message: "", services, routes, spec: {}, status }, new Timeline());
  const hidden = [...card.querySelectorAll(".routes")].map((list) => list.hidden);
  const items = [...card.querySelectorAll(".routes li")];
  return [hidden, ...items.map((item) => [item.innerText.trim(), item.querySelector("a").getAttribute("href")])];
}"""


def test_the_urls_of_a_service_are_links_that_a_browser_can_open(gateway: GatewayProcess, opened: Opened) -> None:
    opened.page.goto(gateway.url)
    hidden, *routes = opened.page.evaluate(ROUTES)
    assert hidden == [False, True]
    assert routes == [
        ["http://shop.example.com/", "http://shop.example.com/"],
        ["http://*.example.com/ its Ingress does not have it yet", None],
        ["javascript:alert(1)", None],
    ]
    assert opened.complaints == []


DETAILS = """async () => {
  const { makeCard, updateCard } = await import("/page/deployment.js");
  const { Timeline } = await import("/page/timeline.js");
  const services = [
    { name: "web", state: "Starting", healthCheck: "HTTP 503" },
    { name: "api", state: "Healthy", healthCheck: "HTTP 503" },
    { name: "worker", state: "Healthy", healthCheck: {} },
    { name: "shop", state: "Healthy" },
    { name: "$(odd)", state: "Healthy" },
  ];
  const withPort = ["web", "api", "shop", "$(odd)"].map((name) => ({ name, port: 80 }));
  const spec = { services: [...withPort, { name: "worker" }] };
  const routes = [
    { service: "api", url: "http://api.example.com/", problem: null },
    { service: "shop", url: "http://shop.example.com/", problem: "its Ingress does not have it yet" },
  ];
  const edit = { kind: "Deployment", name: "web", change: "replicas 5 → 2", count: 3, at: new Date().toISOString() };
  const rollouts = [{ id: "1", result: "succeeded", put_back: [{ ...edit, by: "kubectl-scale" }] }];
  const status = { services, rollout: { id: "1" } };
  const card = document.body.appendChild(makeCard());
  const mill = { name: "mill", namespace: "shop", message: "" };
  updateCard(card, { ...mill, services, routes, spec, status, rollouts }, new Timeline());
  const text = (each) => (each.hidden ? null : each.textContent);
  const shown = (selector) => [...card.querySelectorAll(selector)].map(text);
  return [shown(".forward"), shown(".check"), shown(".put-back li")];
}"""


def test_the_page_shows_how_to_reach_a_service_what_its_health_check_reports_and_what_was_put_back(
    gateway: GatewayProcess, opened: Opened
) -> None:
    opened.page.goto(gateway.url)
    forwards, checks, (edit,) = opened.page.evaluate(DETAILS)
    assert forwards == [
        "mill forward web --namespace shop",
        None,
        None,
        "mill forward shop --namespace shop",
        None,
    ]
    assert checks == ["health check: HTTP 503", None, None, None, None]
    assert re.fullmatch(r"Put back: Deployment web: replicas 5 → 2, by kubectl-scale \(3 times\) · \d+ s ago", edit)
    assert opened.complaints == []


TASKS = """async () => {
  const { makeCard, updateCard } = await import("/page/deployment.js");
  const { Timeline } = await import("/page/timeline.js");
  const ago = (seconds) => new Date(Date.now() - 1000 * seconds).toISOString();
  const card = document.body.appendChild(makeCard());
  const at = { deployment: "mill", namespace: "shop" };
  const before = { ...at, before: ["web", "worker"], after: [] };
  const shown = {
    rollout_tasks: [
      { ...before, task: "migrate", state: "succeeded", run: "migrate-1", duration: 4.14, finished_at: ago(9) },
      { ...before, task: "seed", state: "failed", run: "seed-1", message: "container exited with code 3",
        detail: "last log line: <b>" },
      { ...before, task: "check", state: "running", run: "check-1", started_at: ago(125) },
      { ...at, before: [], after: ["web"], task: "fill", state: "waiting", message: "waiting for web" },
      { ...before, task: "again", state: "succeeded" },
      { ...at, before: 1, task: "odd", state: "skipped" },
    ],
    schedules: [
      { ...at, task: "tick", next_run: ago(5), last_run: ago(65), missed_run: ago(125) },
      { ...at, task: "report", next_run: ago(-3 * 3600 - 60), missed_run: "no time" },
    ],
  };
  updateCard(card, { name: "mill", message: "", spec: {}, ...shown }, new Timeline());
  const text = (each) => each.textContent.replace(/\\s+/g, " ").trim();
  const rows = (name) => [...card.querySelectorAll(`.${name} tbody tr`)].map(text);
  const tones = [...card.querySelectorAll(".rollout-tasks .state > span:first-child")].map((each) => each.className);
  const missed = [...card.querySelectorAll(".schedules .missed")].map((each) => each.textContent.trim() !== "");
  const found = [rows("rollout-tasks"), tones, rows("schedules"), missed];
  updateCard(card, { name: "mill", message: "", spec: {}, rollout_tasks: null, schedules: 7 }, new Timeline());
  return [...found, [".rollout-tasks", ".schedules"].map((name) => card.querySelector(name).hidden)];
}"""


def test_tasks_of_rollouts_and_schedules_are_shown(gateway: GatewayProcess, opened: Opened) -> None:
    opened.page.goto(gateway.url)
    tasks, tones, (tick, report), missed, hidden = opened.page.evaluate(TASKS)
    assert tasks == [
        "migratebefore web, worker done (4.1 s) migrate-1",
        "seedbefore web, worker failed: container exited with code 3 (last log line: <b>) seed-1",
        "checkbefore web, worker running (2 min) check-1",
        "fillafter web waiting for web",
        "againbefore web, worker done",
        "odd skipped",
    ]
    assert tones == ["good", "bad", "busy", "idle", "good", "busy"]
    assert tick.startswith("tick")
    assert "due" in tick
    assert "in 3 h" in report
    assert missed == [True, False]
    assert hidden == [True, True]
    assert opened.complaints == []


RELEASE = """
service "web" {
  image = "REGISTRY/web:1"
  port  = 8080
  cpu   = 0.02
}
task "migrate" {
  image   = "REGISTRY/web:1"
  cpu     = 0.02
  command = ["/web", "-no-listen", "-exit-after", "3s", "-exit-code", "0"]
  before  = ["web"]
}
task "report" {
  image    = "REGISTRY/web:1"
  cpu      = 0.02
  schedule = "0 3 1 1 *"
}
"""


def test_a_migration_is_seen_as_it_happens(namespace: Namespace, gateway: GatewayProcess, opened: Opened) -> None:
    page = opened.page
    page.goto(f"{gateway.url}/?namespace={namespace.name}")
    deploying = _deploy(gateway, namespace, RELEASE)
    state = page.locator(".rollout-tasks .state")
    expect(state).to_contain_text("running", timeout=WITHIN_MS)
    expect(state).to_contain_text(re.compile(r"done \(\d+\.\d s\) migrate-[0-9a-f]{8}"), timeout=WITHIN_MS)
    expect(page.locator(".schedules .next")).to_contain_text("Jan 1,", timeout=WITHIN_MS)
    deploying.join(timeout=60)
    expect(page.locator(".badge")).to_have_text("healthy", timeout=WITHIN_MS)
    assert opened.complaints == []
