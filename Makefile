# Everything a developer runs. `make` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := crds libs operator gateway cli hack tests
TEXTS := README.md CONTRIBUTING.md SECURITY.md Makefile docs examples crds libs operator gateway cli hack charts

.DEFAULT_GOAL := help
.PHONY: help setup lint format unit cli fuzz e2e e2e-alone test cli-meanwhile test-argocd test-flux test-gitops test-controllers test-policies test-nodes test-places test-helm test-upgrade test-matrix test-docker test-kind test-arm64 soak-settle soak-healing soak-release demo cluster-up cluster-down cluster-status start stop install generate credentials manifests images pictures bench bench-causes bench-faults bench-mistakes bench-verdict bench-scale bench-memory bench-language bench-streams bench-logs bench-reads bench-cli bench-images

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.complete: pyproject.toml uv.lock hack/setup.sh hack/locked/uv.txt
	@echo "setting up $(VENV)"
	@PYTHON=$(PYTHON) hack/setup.sh

setup: $(VENV)/.complete ## Put everything into .venv

lint: setup ## Check style, types, layers and generated files
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m hack.generate --check
	$(BIN)/mill fmt --check $$(find examples libs -name '*.mill')
	$(BIN)/python -m hack.checks.links
	$(BIN)/python -m hack.checks.crd
	$(BIN)/codespell $(TEXTS) tests
	$(BIN)/codespell --dictionary hack/checks/words.txt --skip '*.svg,*/gitleaks.toml,*/words.txt,docs/style.md' $(TEXTS)
	@for script in hack/*.sh hack/cluster/*.sh hack/docker/*.sh; do sh -n $$script || exit 1; done
	@if command -v shellcheck >/dev/null; then shellcheck hack/*.sh hack/cluster/*.sh hack/docker/*.sh; fi

format: setup ## Format the code, and mend what can be mended by itself
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

unit: setup ## Run the tests that need no cluster
	$(BIN)/pytest -q -n auto tests/unit

cli: setup ## Run the tests of the command line
	$(BIN)/pytest -q -n auto tests/cli

fuzz: setup ## Try a million random inputs of each kind on all that reads what others write: 40 minutes on two cores
	$(BIN)/python -m tests.fuzz $(FUZZ)

TOGETHER := $(BIN)/pytest -q --timeout 300 -n 3 --dist loadfile -m "not alone" tests/e2e

e2e: setup cluster-up ## Run the tests against a real cluster
	@$(TOGETHER); together=$$?; $(MAKE) --no-print-directory e2e-alone && exit $$together

e2e-alone:
	@$(BIN)/pytest -q --timeout 300 -m alone tests/e2e

# What has the cluster to itself mostly waits: the tests of the command line, which need no cluster, run meanwhile.
test: lint unit cluster-up ## Run all of it: lint, unit, e2e, cli
	@$(TOGETHER); together=$$?; $(MAKE) --no-print-directory --jobs 2 e2e-alone cli-meanwhile && exit $$together

cli-meanwhile:
	@printed=$$(mktemp); nice $(BIN)/pytest -q -n 1 tests/cli >$$printed 2>&1; result=$$?; cat $$printed; rm $$printed; exit $$result

test-argocd: setup cluster-up ## Run the tests with a real Argo CD; builds it the first time, which takes minutes
	$(BIN)/pytest -q --timeout 900 -s tests/gitops/argocd

test-flux: setup cluster-up ## Run the tests with a real Flux; builds it the first time, which takes minutes
	$(BIN)/pytest -q --timeout 900 -s tests/gitops/flux

NEWEST := 1.37
test-gitops: setup ## Run the tests with Argo CD and Flux on the newest Kubernetes (GITOPS=flux for one), in clusters apart: root, on Debian
	MILL_KUBERNETES=$(NEWEST) $(BIN)/python -m hack.gitops
	$(BIN)/pytest -q --timeout 1200 -s tests/gitops/argocd/test_upstream.py
	@for each in $(or $(GITOPS),flux argocd); do MILL_KUBERNETES=$(NEWEST) $(BIN)/python -m hack.cluster.apart gitops-$$each sh -c \
	  '$(BIN)/pytest -q --timeout 900 -s "$$@"; result=$$?; $(BIN)/python -m hack.cluster down; exit $$result' \
	  sh tests/gitops/$$each || exit 1; done

test-helm: setup cluster-up ## Run the tests with Helm 3 and Helm 4: a chart of a user's own, and Mill's; builds both the first time
	$(BIN)/pytest -q --timeout 600 -s tests/gitops/helm

test-docker: setup ## Run the tests of the Dockerfile with a Docker engine of its own: root, on Debian, 5 minutes
	$(BIN)/pytest -q --timeout 2400 -s tests/docker/test_engine.py tests/docker/test_build.py

test-kind: setup ## Run the demo and tests on a kind cluster with a Docker engine of its own: root, on Debian, 10 minutes
	$(BIN)/pytest -q --timeout 2400 -s tests/docker/test_kind.py

test-upgrade: setup cluster-up ## Upgrade from the release before and go back, under requests and with streams: 5 minutes
	$(BIN)/pytest -q --timeout 600 -s tests/upgrades

test-matrix: setup ## Run the tests that depend on versions on other pairs of Kubernetes and containerd (PAIRS="1.37.2/2.4.2"), into docs/compatibility.md
	$(BIN)/python -m tests.matrix $(PAIRS)

test-arm64: setup ## Start the image for the architecture that this machine has not, by qemu: root, on Debian, 2 minutes
	$(BIN)/pytest -q --timeout 900 tests/images

test-controllers: setup cluster-up ## Run the tests beside traefik, metrics-server and Prometheus; builds them the first time, which takes minutes
	$(BIN)/pytest -q --timeout 600 -s $(if $(CONTROLLERS),$(CONTROLLERS:%=tests/controllers/test_%.py),tests/controllers)

test-policies: setup ## Run the tests of NetworkPolicies with kube-router, in a cluster apart: root, on Debian; builds it the first time
	$(BIN)/python -m hack.controllers
	$(BIN)/python -m hack.cluster.apart policies $(BIN)/pytest -q --timeout 600 -s tests/controllers/test_kube_router.py

test-nodes: setup ## Drain and lose one of two real nodes, in a cluster apart: root, on Debian, 7 minutes
	MILL_NODE_COUNT=2 $(BIN)/python -m hack.cluster.apart nodes sh -c \
	  '$(BIN)/pytest -q --timeout 400 -s tests/nodes; result=$$?; $(BIN)/python -m hack.cluster down; exit $$result'

test-places: setup cluster-up ## Run the tests of clusters that are slow, small, restricted, without other registries or dual-stack: root, on Debian, 8 minutes
	$(BIN)/python -m tests.places $(PLACES)

soak-settle: setup cluster-up ## Count right and wrong verdicts over hundreds of rollouts, into docs/verdicts.md: 2 hours on two cores
	$(BIN)/python -m tests.soak.settle $(SOAK)

soak-healing: setup cluster-up ## Count green rollouts of 200 during faults that heal by themselves, into docs/verdicts.md: 20 minutes
	$(BIN)/python -m tests.soak.healing $(SOAK)

soak-release: setup cluster-up ## Kill the operator at thirty moments of rollouts with a migration and at thirty of rollbacks: 20 minutes
	MILL_KILLED_ROLLOUTS=10 $(BIN)/pytest -q -s --timeout 300 tests/e2e/faults/test_released_while_killed.py

demo: setup ## See the main scenario happen on a real local cluster
	@$(BIN)/python -m hack.demo

cluster-up: setup ## Start the local cluster
	@$(BIN)/python -m hack.cluster up

cluster-down: setup stop ## Stop the local cluster and leave no trace of it
	@$(BIN)/python -m hack.cluster down

cluster-status: setup ## Show the local cluster
	@$(BIN)/python -m hack.cluster status

start: setup ## Start operator and gateway as local processes, against the cluster
	@$(BIN)/python -m hack.install.local_processes start

stop: setup ## Stop them
	@$(BIN)/python -m hack.install.local_processes stop

install: setup stop ## Install mill into the local cluster by its chart, instead of local processes
	@$(BIN)/python -m hack.install.chart

generate: setup ## Write what is generated: the CRD, the reference, the failure codes, the roles
	$(BIN)/python -m hack.generate --write

credentials: setup ## Take the shapes of credentials over from gitleaks, of the version in hack/versions.py
	$(BIN)/python -m hack.gitleaks --write operator/mill_operator/core/redaction/gitleaks.toml

manifests: setup ## Write deploy/mill.yaml from the chart; builds Helm the first time
	$(BIN)/python -m hack.generate --write deploy/mill.yaml

images: setup cluster-up ## Build the image of operator and gateway for amd64 and arm64, without Docker, and push it to the local registry
	@$(BIN)/python -m hack.images mill

pictures: setup cluster-up ## Take the documentation's pictures, of the page and of a terminal
	$(BIN)/python -m hack.pictures

bench: bench-language bench-memory bench-cli bench-reads bench-logs bench-streams bench-images bench-verdict bench-scale ## Print all figures

bench-causes: setup cluster-up ## Measure how soon each cause of a failure is named, into docs/verdicts.md: 13 minutes
	$(BIN)/python -m tests.bench.causes $(BENCH)

bench-faults: setup cluster-up ## Measure what mill deploy prints without a terminal during seven faults, into docs/verdicts.md: 6 minutes
	$(BIN)/python -m tests.bench.faults $(BENCH)

bench-mistakes: setup cluster-up ## Measure what mill says of mistakes that people make, into docs/mistakes.md, and check it: 3 minutes
	$(BIN)/python -m tests.bench.mistakes $(BENCH)

bench-verdict: setup cluster-up ## Print how fast a verdict reaches the status and a client
	$(BIN)/python -m tests.bench.verdict

bench-scale: setup cluster-up ## Print what thousands of services cost, on fake nodes
	$(BIN)/python -m tests.bench.scale

bench-streams: setup cluster-up ## Print what thousands of streams cost the gateway
	$(BIN)/python -m tests.bench.streams

bench-reads: setup ## Print how fast the gateway shows a thousand services
	$(BIN)/python -m tests.bench.reads

bench-memory: setup ## Print what the operator keeps of MillDeployments, and what a pass costs
	$(BIN)/python -m tests.bench.memory

bench-logs: setup ## Print the cost of log streams that are not read
	$(BIN)/python -m tests.bench.slow_logs

bench-language: setup ## Print how fast .mill files are read
	$(BIN)/python -m tests.bench.language

bench-cli: setup cluster-up ## Print what commands of mill take, next to kubectl and Helm: 4 minutes
	$(BIN)/python -m tests.bench.cli

bench-images: setup cluster-up ## Print how large the image is, and how soon its containers are ready
	$(BIN)/python -m tests.bench.images
